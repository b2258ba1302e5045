//! How a run ends: what lasts passes, the machine trades again, and everything is paid.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crossbook::domain::Venue;
use crossbook::exchange::faults::Fault;

use crate::harness::at;

use super::oracle::BUST_FOUND;
use super::run::{Mood, Run};

/// No fault lasts longer.
const PASSES: Duration = Duration::from_secs(11);
/// How long what is under way may take to be settled one way or another.
const SETTLES: Duration = Duration::from_secs(18);
/// How long it may take to believe what no list tells of a movement: a balance has to show it for
/// a minute, and be read by then.
const BELIEVED: Duration = Duration::from_secs(110);
/// How many seconds a gap may stand before it is traded: an order that met its fault only now has
/// to be found missing twice before that.
const TRADES: u32 = 40;
/// How long the trade of it may take.
const HEDGES: Duration = Duration::from_secs(8);
/// From the end of trading to the payments.
const PAYS: Duration = Duration::from_secs(2);
/// How long it may take to be known that everything was paid: a reading of both venues.
const PAID: Duration = Duration::from_secs(27);
/// How long everything has to stay as it is to be at rest.
const RESTS: u32 = 3;
const SECOND: Duration = Duration::from_secs(1);

impl Run {
    /// After the last fault.
    pub(super) fn end_well(&mut self) {
        self.pass(PASSES);
        self.venues.lock().unwrap().square.calm();
        self.mood = Mood::Refilling;
        self.believe();
        self.rest(SETTLES + self.script.settles_last());
        self.find_busts();
        self.resume_all();
        self.trade_again();
        self.venues.lock().unwrap().square.calm();
        if self.script.busts() {
            self.pass(HEDGES);
        }
        self.rest(HEDGES + self.script.settles_last());
        self.find_busts();
        self.mood = Mood::Still;
        self.resolve();
        self.pass(PAYS);
        self.rest(PAID);
        if self.failure.is_none() {
            self.judge_end();
        }
    }

    fn pass(&mut self, span: Duration) {
        self.until_at(self.now.after(span));
    }

    /// Goes on until nothing is under way any more, or for so long.
    fn rest(&mut self, most: Duration) {
        let (last, mut rested) = (self.now.after(most), 0);
        while self.now < last && self.failure.is_none() && rested < RESTS {
            self.until_at(self.now.after(SECOND).min(last));
            rested = if self.is_at_rest() { rested + 1 } else { 0 };
        }
    }

    /// Waits until all that moved without a trade is listed, and in the books.
    fn believe(&mut self) {
        self.until_at(self.started.after(self.script.listed_last() + SECOND));
        let last = self.now.after(BELIEVED);
        while self.now < last && self.failure.is_none() && !self.knows_all_movements() {
            self.until_at(self.now.after(SECOND));
        }
    }

    /// Waits until what Kalshi took back can have been found.
    fn find_busts(&mut self) {
        if let Some(last) = self.oracle.busted.values().max() {
            let left = last.after(BUST_FOUND).since(self.now);
            self.rest(left);
        }
    }

    /// A gap opens in the question that was left alone: it is traded.
    fn trade_again(&mut self) {
        let last = self.script.questions.len() - 1;
        let begun = self.trades_begun();
        self.venues.lock().unwrap().square.plant(last);
        for _ in 0..TRADES {
            self.pass(SECOND);
            if self.trades_begun() > begun || self.failure.is_some() {
                return;
            }
        }
        self.judge_silence();
    }

    /// Every market ends that has not ended yet.
    fn resolve(&mut self) {
        let now = self.now;
        for market in 0..self.script.questions.len() {
            for venue in Venue::ALL {
                let resolution = self.script.resolutions[market][at(venue)];
                let fault = Fault::Resolve { market, resolution, pays_after: PAYS };
                self.ends(venue, market);
                self.venues.lock().unwrap().fault(venue, &fault, now);
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
