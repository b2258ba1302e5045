//! What must hold, judged from the exchanges' own books.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crossbook::domain::Venue;

use super::draw::{BUSY, WARM};
use super::run::{Mood, Run};

impl Run {
    /// Judges after everything that happened at one moment.
    pub(super) fn judge(&mut self) {}

    /// After the last fault: what lasts passes, and the machine works again.
    pub(super) fn end_well(&mut self) {
        let calm = WARM + BUSY;
        self.until(calm + Duration::from_secs(8));
        self.venues.lock().unwrap().square.calm();
        self.mood = Mood::Refilling;
        self.until(calm + Duration::from_secs(12));
    }

    /// Equal for equal runs.
    pub(super) fn digest(&mut self) -> String {
        let mut digest = Sha256::new();
        for venue in Venue::ALL {
            let mut venues = self.venues.lock().unwrap();
            digest.update(format!("{:?}", venues.statement(venue).0));
        }
        digest.update(self.machine.as_ref().map(|one| one.digest()).unwrap_or_default());
        for record in self.paper.records() {
            digest.update(format!("{record:?}"));
        }
        digest.update(self.now.nanos().to_be_bytes());
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
