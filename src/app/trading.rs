//! What a run trades with: gateways or paper, private channels, the journal.

use crate::domain::Venue;
use crate::venue::Feed;

use super::carrier::PaperStart;
use super::desk::Desk;
use super::pipeline::Pipeline;

/// Everything that a run needs beyond watching.
pub struct Trading {
    /// The order desk.
    pub desk: Desk,
    /// The private channels.
    pub channels: Vec<(Venue, Box<dyn Feed>)>,
    /// Paper accounts, where orders do not leave this machine.
    pub paper: Option<PaperStart>,
}

impl std::fmt::Debug for Trading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trading").field("desk", &self.desk).finish_non_exhaustive()
    }
}

impl Trading {
    /// How many lanes the private channels take.
    pub fn private_lanes(&self) -> u16 {
        u16::try_from(self.channels.len()).unwrap_or(u16::MAX)
    }

    /// Puts the desk into the machine.
    pub fn open(self, pipeline: &mut Pipeline) -> Option<PaperStart> {
        pipeline.open_desk(self.desk, self.channels);
        self.paper
    }
}
