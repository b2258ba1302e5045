//! Merges that nobody told: the answer was lost, or a person merged at the wallet.

use crate::domain::{MarketIndex, Outcome, Quantity, Report, Timestamp, Venue};

use super::{Doubt, Reconciler, Record, Subject};

impl Reconciler {
    /// The merge that explains what two readings say: Polymarket holds fewer of both outcomes, and
    /// as many fewer of each. Their dollars show in the cash, which is compared for itself.
    pub(super) fn merged(&mut self, now: Timestamp) -> Option<Record> {
        let (market, quantity) = self.doubts.iter().find_map(|(subject, doubt)| {
            let Subject::Holding(Venue::Polymarket, market, Outcome::Yes) = *subject else {
                return None;
            };
            let other = self.doubts.get(&of(market, Outcome::No))?;
            Some((market, gone(doubt)?.min(gone(other)?)))
                .filter(|_| (doubt.more - other.more).abs() < Quantity::LOT)
        })?;
        for outcome in [Outcome::Yes, Outcome::No] {
            self.doubts.remove(&of(market, outcome));
        }
        let report = Report::Merged { market, quantity, at: now };
        Some(Record::Reported { report, at: now })
    }
}

const fn of(market: MarketIndex, outcome: Outcome) -> Subject {
    Subject::Holding(Venue::Polymarket, market, outcome)
}

/// How many fewer there are beyond doubt.
fn gone(doubt: &Doubt) -> Option<Quantity> {
    Quantity::from_units(-doubt.more).filter(|quantity| doubt.is_sure && !quantity.is_zero())
}
