//! What the venues are asked: when a question is due, and since when the past is read again.

use std::time::Duration;

use crate::domain::report::Listing;
use crate::domain::{Timestamp, Venue};
use crate::venue::gateway::{Markets, Question};

use super::Desk;
use super::counter::Turn;

/// What is asked of the venues from time to time.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// Positions, cash, open orders, fills, payments and movements are read this often.
    pub reconcile_every: Duration,
    /// Whether the account may trade is asked this often.
    pub permission_every: Duration,
    /// Until an answer says that it may, it is asked again this soon.
    pub permission_again: Duration,
    /// Fills and payments are read again from this long before the last whole reading.
    pub overlap: Duration,
    /// Movements are read again from this long before: the lists of what happened on a chain lag.
    pub movements_overlap: Duration,
    /// Payments are read again this often since the first market that is not known to have paid.
    pub payments_every: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            reconcile_every: Duration::from_secs(20),
            permission_every: Duration::from_mins(5),
            permission_again: Duration::from_secs(15),
            overlap: Duration::from_mins(2),
            movements_overlap: Duration::from_hours(24),
            payments_every: Duration::from_mins(10),
        }
    }
}

impl Desk {
    pub(super) fn ask(
        &mut self,
        venue: Venue,
        question: &Question,
        markets: &dyn Markets,
        now: Timestamp,
    ) {
        match self.with(venue, |gateway| gateway.ask(question, markets, now)) {
            Ok(calls) => {
                for call in calls {
                    self.offer(venue, Ok(call), Turn::First, markets, now);
                }
            }
            Err(text) => self.notices.push((venue, text)),
        }
    }

    /// Asks what is due at a venue.
    pub(super) fn reconcile(&mut self, venue: Venue, markets: &dyn Markets, now: Timestamp) {
        let rhythm = self.rhythm;
        let unpaid = self.unpaid.first(venue);
        let Some(counter) = self.counter(venue) else { return };
        let mut questions = Vec::new();
        if now >= counter.due.permission {
            // Until an answer says that it may: one that does not, or is lost, is asked for again.
            counter.due.permission = now.after(rhythm.permission_again);
            questions.extend([Question::Permission, Question::Limits]);
        }
        if now >= counter.due.reconcile {
            counter.due.reconcile = now.after(rhythm.reconcile_every);
            let since = |listing| counter.due.read_until(listing).before(rhythm.overlap);
            let (fills, payments) = (since(Listing::Fills), since(Listing::Settlements));
            // A payment may be listed long after its date.
            let payments = match unpaid.filter(|_| now >= counter.due.payments) {
                Some(first) => {
                    counter.due.payments = now.after(rhythm.payments_every);
                    payments.min(first.before(rhythm.overlap))
                }
                None => payments,
            };
            let movements = counter.due.read_until(Listing::Movements);
            questions.extend([
                Question::Fills(fills),
                Question::Orders(fills),
                Question::Settlements(payments),
                Question::Movements(movements.before(rhythm.movements_overlap)),
                Question::Positions,
                Question::Cash,
            ]);
        }
        for question in questions {
            self.ask(venue, &question, markets, now);
        }
    }
}
