//! The markets as trading may see them: books less what we took, facts, and who takes orders.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::book::Level;
use crate::detect::gate;
use crate::domain::market::Status;
use crate::domain::report::{Evidence, Permission, Refused};
use crate::domain::{Action, FeeModel, Market, MarketIndex, Outcome, Timestamp, Venue};
use crate::engine::books::Books;
use crate::execute::Sight;

use super::taken::Taken;
use super::{Settings, calendar};
use crate::engine::venue_at;

/// What is known of the markets beyond their books.
#[derive(Debug, Default)]
pub(super) struct Floor {
    pub(super) markets: BTreeMap<MarketIndex, Market>,
    pub(super) taken: Taken,
    /// Until when a venue is held not to take orders, because its last answer said so.
    closed_until: [Timestamp; 2],
    /// Venues that said that the account may open positions, and have not taken it back.
    permitted: [bool; 2],
}

impl Floor {
    /// Whether a venue's last answers leave it open to orders.
    pub(super) fn takes_orders(&self, venue: Venue, now: Timestamp) -> bool {
        now >= self.closed_until[venue_at(venue)]
    }

    /// Whether the account may open positions at a venue; no, until the venue says so.
    pub(super) fn may_open(&self, venue: Venue) -> bool {
        self.permitted[venue_at(venue)]
    }

    pub(super) fn permit(&mut self, venue: Venue, permission: &Permission) {
        self.permitted[venue_at(venue)] = *permission == Permission::Open;
    }

    /// Learns from an answer whether its venue takes orders. One that it took, or refused for a
    /// reason of the order's own, opens it again.
    pub(super) fn hear(
        &mut self,
        venue: Venue,
        evidence: &Evidence,
        pause: Duration,
        now: Timestamp,
    ) {
        let until = &mut self.closed_until[venue_at(venue)];
        match evidence {
            Evidence::Refused(refusal) => match refusal.kind {
                Refused::Again(wait) | Refused::PostOnly(wait) => {
                    *until = (*until).max(now.after(wait.max(pause)));
                }
                Refused::Paused => *until = (*until).max(now.after(pause)),
                Refused::NoMatch | Refused::Price | Refused::Size => *until = Timestamp::ZERO,
                _ => {}
            },
            Evidence::Standing { .. } | Evidence::Fill(_) => *until = Timestamp::ZERO,
            Evidence::Unclear(_)
            | Evidence::NotFound { .. }
            | Evidence::Listed { .. }
            | Evidence::NotCancelled(_) => {}
        }
    }
}

/// The floor as it is at one moment.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) floor: &'a Floor,
    pub(super) books: &'a Books,
    pub(super) gate: &'a gate::Settings,
    pub(super) exchanges: [Status; 2],
    pub(super) now: Timestamp,
}

impl View<'_> {
    /// The book of a market, if it is whole, uncrossed, and proven not too long ago. What is near
    /// its close is not sorted out here: a way out is needed there more than elsewhere.
    fn believed(&self, market: MarketIndex) -> Option<&crate::book::Book> {
        let slot = self.books.get(market)?;
        let venue = self.floor.markets.get(&market)?.venue;
        let oldest = match venue {
            Venue::Kalshi => self.gate.kalshi_book_age_max,
            Venue::Polymarket => self.gate.polymarket_book_age_max,
        };
        let age = gate::book_age(&slot.book, self.books.lane_of(&slot.book), venue, self.now);
        let settled = slot.book.batch_open_since().is_none() && slot.book.crossed_since().is_none();
        (settled && self.books.is_whole(&slot.book) && age <= oldest).then_some(&slot.book)
    }

    fn levels(&self, market: MarketIndex, outcome: Outcome, action: Action) -> Option<Vec<Level>> {
        let book = self.believed(market)?;
        Some(self.floor.taken.levels(market, book, outcome, action).collect())
    }
}

impl Sight for View<'_> {
    fn offers(&self, market: MarketIndex, outcome: Outcome) -> Option<Vec<Level>> {
        self.levels(market, outcome, Action::Buy)
    }

    fn bids(&self, market: MarketIndex, outcome: Outcome) -> Option<Vec<Level>> {
        self.levels(market, outcome, Action::Sell)
    }

    fn market(&self, market: MarketIndex) -> Option<&Market> {
        self.floor.markets.get(&market)
    }

    fn fee(&self, market: MarketIndex, now: Timestamp) -> Option<FeeModel> {
        self.books.get(market)?.facts.as_ref()?.fee.at(now)
    }

    fn is_tradable(&self, market: MarketIndex) -> bool {
        let Some(facts) = self.books.get(market).and_then(|slot| slot.facts.as_ref()) else {
            return false;
        };
        let paused = calendar::is_near_pause(facts.venue, self.now, Duration::ZERO);
        facts.status == Status::Open
            && self.exchanges[venue_at(facts.venue)] == Status::Open
            && self.floor.takes_orders(facts.venue, self.now)
            && facts.closes.is_none_or(|closes| self.now < closes)
            && !paused
    }
}

/// Whether a new pair may be opened at a venue as far as its calendar goes.
pub(super) fn is_clear_ahead(venue: Venue, settings: &Settings, now: Timestamp) -> bool {
    !calendar::is_near_pause(venue, now, settings.pause_ahead)
}
