//! Merges that nobody told: the answer was lost, or a person merged at the wallet.

use crate::domain::{MarketIndex, Money, Outcome, Quantity, Report, Timestamp, Venue};
use crate::execute::State;
use crate::execute::ledger::seat;

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

    /// The merge whose answer was lost, and whose market was resolved before two readings showed
    /// what is left: as many dollars as were asked for are in the cash, in two readings, and
    /// missing from what the market paid.
    pub(super) fn merged_unheard(
        &mut self,
        venue: Venue,
        more: Money,
        (since, as_of): (Option<Timestamp>, Timestamp),
        state: &State,
        now: Timestamp,
    ) -> Option<Record> {
        let is_again = since.is_some_and(|since| as_of > since);
        if venue != Venue::Polymarket || !more.is_positive() || !is_again {
            return None;
        }
        let (market, quantity) = state.merges().find(|(market, quantity)| {
            let payout = state.ledger().payout(*market).filter(|one| one.paid.is_positive());
            let is_missing = payout.is_some_and(|payout| {
                let missing = state.ledger().owed(*market, payout) - payout.paid;
                (missing - more).micros().abs() < Quantity::LOT
            });
            Money::payout(*quantity) == more && is_missing
        })?;
        self.balances[seat(venue)].excess = None;
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
