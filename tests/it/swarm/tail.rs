//! How a run ends: what lasts passes, the machine trades again, and everything is paid.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crossbook::domain::Venue;
use crossbook::exchange::faults::Fault;

use super::draw::WARM;
use super::run::{Mood, Run};

/// No fault lasts longer.
const PASSES: Duration = Duration::from_secs(11);
/// How long what is under way may take to be settled one way or another.
const SETTLES: Duration = Duration::from_secs(18);
/// How many seconds a gap may stand before it is traded: an order that met its fault only now has
/// to be found missing twice before that.
const TRADES: u32 = 40;
/// How long the trade of it may take.
const HEDGES: Duration = Duration::from_secs(8);
/// From the end of trading to the payments.
const PAYS: Duration = Duration::from_secs(2);
/// How long it may take to be known that everything was paid: a reading of both venues.
const PAID: Duration = Duration::from_secs(27);

impl Run {
    /// After the last fault.
    pub(super) fn end_well(&mut self) {
        let mut clock = WARM + self.script.busy + PASSES;
        self.until(clock);
        self.venues.lock().unwrap().square.calm();
        self.mood = Mood::Refilling;
        clock += SETTLES;
        self.until(clock);
        self.resume_all();
        let last = self.script.questions.len() - 1;
        let begun = self.trades_begun();
        self.venues.lock().unwrap().square.plant(last);
        for _ in 0..TRADES {
            clock += Duration::from_secs(1);
            self.until(clock);
            if self.trades_begun() > begun {
                break;
            }
        }
        if self.trades_begun() == begun && self.failure.is_none() {
            self.judge_silence();
        }
        self.venues.lock().unwrap().square.calm();
        clock += HEDGES;
        self.until(clock);
        self.mood = Mood::Still;
        self.resolve();
        clock += PAYS + PAID;
        self.until(clock);
        if self.failure.is_none() {
            self.judge_end();
        }
    }

    /// Every market ends.
    fn resolve(&mut self) {
        self.oracle.over = true;
        let now = self.now;
        let mut venues = self.venues.lock().unwrap();
        for (market, resolution) in self.script.resolutions.iter().enumerate() {
            for venue in Venue::ALL {
                let resolution = *resolution;
                let fault = Fault::Resolve { market, resolution, pays_after: PAYS };
                venues.fault(venue, &fault, now);
            }
        }
    }

    /// Equal for equal runs.
    pub(super) fn digest(&mut self) -> String {
        let mut digest = Sha256::new();
        for venue in Venue::ALL {
            let mut venues = self.venues.lock().unwrap();
            digest.update(format!("{:?}", venues.statement(venue).0));
        }
        digest.update(self.machine.as_ref().map(|one| one.digest()).unwrap_or_default());
        self.paper.read(|records| digest.update(format!("{records:?}")));
        digest.update(self.now.nanos().to_be_bytes());
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
