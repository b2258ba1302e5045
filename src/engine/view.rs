//! What others may see of the engine's books.

use crate::book::Book;
use crate::detect::gate;
use crate::domain::{MarketIndex, Timestamp};

use super::{Engine, venue_at};

impl Engine {
    /// The book of a market, if it may be believed and its market traded now.
    pub fn believed(&self, market: MarketIndex, now: Timestamp) -> Option<&Book> {
        let slot = self.books.get(market)?;
        let facts = slot.facts.as_ref()?;
        let offset = self.clock_offsets[venue_at(facts.venue)];
        let lane = self.books.lane_of(&slot.book);
        gate::check(&slot.book, lane, facts, &self.settings.gate, offset, now).ok()?;
        Some(&slot.book)
    }
}
