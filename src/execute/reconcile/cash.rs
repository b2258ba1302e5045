//! Whether the ledger and a venue's balance say the same.

use std::time::Duration;

use crate::domain::{Money, Timestamp, Venue};
use crate::execute::ledger::seat;
use crate::execute::{Line, Record, State};

use super::{Reconciler, Subject, is_venue_quiet};

/// How much later than its money a payment may be told: Polymarket's lists lag behind by minutes.
/// Booked before, it would be missing once the payment is told.
pub(super) const PAYMENT_LAG: Duration = Duration::from_mins(10);
/// How long a difference stands before it is believed that a movement did to the balance what its
/// time does not say: most balances that are late are late by seconds.
const BALANCE_LAG: Duration = Duration::from_mins(1);

/// What is remembered of the balance of one venue.
#[derive(Debug, Default)]
pub(super) struct Balance {
    /// How much more cash the venue has than the ledger, and since which reading.
    pub(super) excess: Option<(Money, Timestamp)>,
    /// By how much computed fees seem to be wrong, and since which reading.
    untrue: Option<(Money, Timestamp)>,
    /// What a movement that was told seems to have done otherwise, and since which reading.
    likely: Option<(Money, Timestamp)>,
    /// As of when the last reading was that agreed, and as of when the last that was compared.
    agreed: Timestamp,
    pub(super) compared: Timestamp,
}

impl Balance {
    /// A movement was told that the ledger did not know: what was doubted may be explained.
    const fn renew(&mut self) {
        self.excess = None;
        self.untrue = None;
    }

    /// Keeps by how much computed fees seem wrong; true when an earlier reading showed the same.
    fn is_untrue_again(&mut self, more: Option<Money>, as_of: Timestamp) -> bool {
        stands(&mut self.untrue, more, as_of).is_some_and(|since| as_of > since)
    }

    /// Keeps how much more cash a venue has; true when that stood for so long that no payment can
    /// explain it any more.
    fn exceeds(&mut self, more: Money, as_of: Timestamp) -> bool {
        let more = Some(more).filter(|more| more.is_positive());
        stands(&mut self.excess, more, as_of).is_some_and(|since| as_of >= since.after(PAYMENT_LAG))
    }

    fn is_likely_for_long(&mut self, more: Option<Money>, as_of: Timestamp) -> bool {
        stands(&mut self.likely, more, as_of).is_some_and(|since| as_of >= since.after(BALANCE_LAG))
    }
}

/// Keeps a difference; says since which reading it is the same.
fn stands(
    known: &mut Option<(Money, Timestamp)>,
    more: Option<Money>,
    as_of: Timestamp,
) -> Option<Timestamp> {
    match (*known, more) {
        (Some((before, since)), Some(more)) if before == more => return Some(since),
        _ => *known = more.map(|more| (more, as_of)),
    }
    None
}

impl Reconciler {
    pub(super) fn take_cash(
        &mut self,
        venue: Venue,
        cash: Money,
        as_of: Timestamp,
        state: &State,
        now: Timestamp,
    ) -> Option<Record> {
        let is_told_after = as_of <= state.ledger().moved_at(venue);
        if is_told_after || !is_venue_quiet(state, venue, as_of, self.settings.grace) {
            return None;
        }
        let book = |line, amount, why: &str| {
            Some(Record::Booked { venue, line, amount, why: why.to_owned(), as_of, at: now })
        };
        let ours = state.ledger().cash(venue);
        let more = cash - ours.total();
        if !ours.lines.contains_key(&Line::Opening) {
            self.compared[seat(venue)][1] = true;
            return book(Line::Opening, more, "what was there when the journal began");
        }
        let apart = more.max(-more);
        let is_small = apart <= self.settings.cash_tolerance;
        let balance = &mut self.balances[seat(venue)];
        let likely = state.ledger().chance(venue, more, balance.agreed, as_of);
        let likely = likely.filter(|_| !is_small);
        // The formula can be wrong by no more than what it computed since the last time. What is
        // missing again and again is missing for another reason.
        let fees_max = self.settings.fee_tolerance.min(ours.fees_untrued());
        let is_fee = more != Money::ZERO && apart <= fees_max && likely.is_none();
        balance.compared = as_of;
        if is_small {
            balance.agreed = as_of;
        }
        let is_explained = is_fee || likely.is_some();
        let is_likely = balance.is_likely_for_long(likely.map(|_| more), as_of);
        let since = balance.excess.filter(|known| known.0 == more).map(|known| known.1);
        let is_long = balance.exceeds(if is_explained { Money::ZERO } else { more }, as_of);
        let is_untrue = balance.is_untrue_again(is_fee.then_some(more), as_of);
        if is_likely {
            balance.likely = None;
        }
        if is_untrue {
            balance.untrue = None;
        }
        // Money that came in endangers nothing.
        let counts = if is_explained || is_small { Money::ZERO } else { more.min(Money::ZERO) };
        let text = format!(
            "{venue} has {cash}, the ledger {}: nothing new is traded until they agree; \
             `crossbook cash accept --venue {venue}` books the difference of {more}",
            ours.total()
        );
        self.doubt(Subject::Cash(venue), counts.micros(), as_of, text);
        self.compared[seat(venue)][1] |= counts == Money::ZERO;
        if let Some(line) = likely.filter(|_| is_likely) {
            return book(line, more, "the balance has otherwise what was told to have moved");
        }
        if is_untrue {
            return book(Line::FeeTrueUp, more, "fees by the formula, trued up from the balance");
        }
        if let Some(record) = self.merged_unheard(venue, more, (since, as_of), state, now) {
            return Some(record);
        }
        if is_long && !self.doubts_holdings() {
            self.balances[seat(venue)].excess = None;
            return book(Line::Unexplained, more, "money came in that nothing explains");
        }
        None
    }

    /// A movement is in the ledger that was not: the next reading tells what is still apart.
    pub(super) fn take_movement(&mut self, venue: Venue, state: &State) {
        let balance = &mut self.balances[seat(venue)];
        if state.ledger().moved_at(venue) >= balance.compared {
            balance.renew();
            self.doubts.remove(&Subject::Cash(venue));
        }
    }
}
