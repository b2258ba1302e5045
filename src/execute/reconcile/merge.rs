//! Merges that nobody told: the answer was lost, or a person merged at the wallet.

use std::time::Duration;

use crate::domain::{MarketIndex, Money, Outcome, Quantity, Report, Timestamp, Venue};
use crate::execute::State;
use crate::execute::ledger::seat;

use super::cash::PAYMENT_LAG;
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
    /// missing from what the market paid; or from both outcomes, where it has paid nothing since
    /// nothing of worth was left.
    pub(super) fn merged_unheard(
        &mut self,
        venue: Venue,
        more: Money,
        (since, as_of): (Option<Timestamp>, Timestamp),
        state: &State,
        now: Timestamp,
    ) -> Option<Record> {
        let stood = |least| since.is_some_and(|since| as_of > since && as_of >= since.after(least));
        if venue != Venue::Polymarket || !more.is_positive() || !stood(Duration::ZERO) {
            return None;
        }
        let (market, quantity) = state.merges().find(|(market, quantity)| {
            let is_missing = state.ledger().payout(*market).is_some_and(|payout| {
                let missing = state.ledger().owed(*market, payout) - payout.paid;
                let is_as_much = (missing - more).micros().abs() < Quantity::LOT;
                let is_missed = payout.paid.is_positive()
                    || self.is_gone_from_both(*market, *quantity, stood(PAYMENT_LAG), state);
                is_as_much && is_missed
            });
            Money::payout(*quantity) == more && is_missing
        })?;
        self.balances[seat(venue)].excess = None;
        for outcome in [Outcome::Yes, Outcome::No] {
            self.doubts.remove(&of(market, outcome));
        }
        let report = Report::Merged { market, quantity, at: now };
        Some(Record::Reported { report, at: now })
    }

    /// Whether Polymarket lists so many fewer of both outcomes. A redemption leaves nothing of
    /// either: where nothing is left, only time tells that it is not one that is told late.
    fn is_gone_from_both(
        &self,
        market: MarketIndex,
        quantity: Quantity,
        is_long: bool,
        state: &State,
    ) -> bool {
        let left = [Outcome::Yes, Outcome::No].map(|outcome| {
            let told = self.told(Venue::Polymarket, market, outcome)?;
            let gone = state.ledger().in_wallet(market, outcome).units() - told.units();
            ((gone - quantity.units()).abs() < Quantity::LOT).then_some(told)
        });
        let is_sure = self.doubts.iter().any(|(subject, doubt)| {
            matches!(subject, Subject::Holding(Venue::Polymarket, one, _) if *one == market)
                && doubt.is_sure
        });
        match left {
            [Some(yes), Some(no)] => is_sure && (is_long || yes.max(no).units() >= Quantity::LOT),
            _ => false,
        }
    }
}

const fn of(market: MarketIndex, outcome: Outcome) -> Subject {
    Subject::Holding(Venue::Polymarket, market, outcome)
}

/// How many fewer there are beyond doubt.
fn gone(doubt: &Doubt) -> Option<Quantity> {
    Quantity::from_units(-doubt.more).filter(|quantity| doubt.is_sure && !quantity.is_zero())
}
