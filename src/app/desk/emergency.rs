//! What is only done when all else ends: by a panic, or because a person wants every order gone.

use crate::domain::{Timestamp, Venue};
use crate::execute::Record;
use crate::venue::gateway::Markets;

use super::Desk;
use super::counter::Turn;

impl Desk {
    /// Gives the journal records at once, and returns when they are durable.
    pub fn keep_now(&mut self, records: &[Record]) -> Result<(), String> {
        let kept = self.keep.commit(records);
        self.note_journal(kept.clone());
        kept
    }

    /// Sends what waits for a budget, as far as the budgets reach.
    pub fn release_all(&mut self, markets: &dyn Markets, now: Timestamp) {
        for venue in Venue::ALL {
            self.release(venue, markets, now);
        }
    }

    /// Takes every order of the account at a venue back, the user's own included.
    pub fn cancel_everything(
        &mut self,
        venue: Venue,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<(), String> {
        let call = self.with(venue, |gateway| gateway.cancel_everything(now))?;
        self.offer(venue, Ok(call), Turn::First, markets, now);
        Ok(())
    }
}
