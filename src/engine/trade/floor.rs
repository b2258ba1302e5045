//! The markets as trading may see them: books less what we took, facts, and who takes orders.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::book::Level;
use crate::detect::gate;
use crate::domain::market::{Settlement, Status};
use crate::domain::report::{Evidence, Permission, Refused};
use crate::domain::{Action, FeeModel, Market, MarketIndex, Outcome, Timestamp, TradeId, Venue};
use crate::engine::books::Books;
use crate::execute::Sight;
use crate::risk::{Exposure, NoTrade, Risk, Room};

use super::calendar::Calendar;
use super::taken::Taken;
use crate::engine::venue_at;

/// What is known of the markets beyond their books.
#[derive(Debug, Default)]
pub(super) struct Floor {
    pub(super) markets: BTreeMap<MarketIndex, Market>,
    pub(super) taken: Taken,
    /// Pauses that are known in advance.
    pub(super) calendar: Calendar,
    /// When a venue last said that it takes no orders, and until when it is held to.
    closed: [Closed; 2],
    /// Venues that said that the account may open positions, and have not taken it back.
    permitted: [bool; 2],
    /// Contracts whose markets could not be settled for want of an approval.
    unapproved: Vec<Settlement>,
}

/// A venue that takes no orders.
#[derive(Debug, Clone, Copy, Default)]
struct Closed {
    since: Timestamp,
    until: Timestamp,
}

impl Closed {
    fn extend(&mut self, now: Timestamp, wait: Duration) {
        self.since = now;
        self.until = self.until.max(now.after(wait));
    }
}

impl Floor {
    /// A floor of which nothing is known but whether Kalshi pauses every Thursday.
    pub(super) fn paused(is_weekly: bool) -> Self {
        let calendar = Calendar { is_weekly, announced: Vec::new() };
        Self { calendar, ..Self::default() }
    }

    /// Whether a venue's last answers leave it open to orders.
    pub(super) fn takes_orders(&self, venue: Venue, now: Timestamp) -> bool {
        now >= self.closed[venue_at(venue)].until
    }

    /// Whether the account may open positions at a venue; no, until the venue says so.
    pub(super) fn may_open(&self, venue: Venue) -> bool {
        self.permitted[venue_at(venue)]
    }

    pub(super) fn permit(&mut self, venue: Venue, permission: &Permission) {
        self.permitted[venue_at(venue)] = permission.is_open();
        if venue == Venue::Polymarket {
            self.unapproved = permission.closed().to_vec();
        }
    }

    /// Whether an order in a market would match and never settle.
    fn lacks_approval(&self, market: MarketIndex) -> bool {
        let tokens = self.markets.get(&market).and_then(|market| market.tokens.as_ref());
        let settlement = tokens.and_then(|tokens| tokens.settlement);
        settlement.is_some_and(|settlement| self.unapproved.contains(&settlement))
    }

    /// Whether a position may be opened in a market, as far as what it is goes.
    pub(super) fn may_enter(&self, market: MarketIndex) -> Result<(), NoTrade> {
        let tokens = self.markets.get(&market).and_then(|market| market.tokens.as_ref());
        if tokens.is_some_and(|tokens| tokens.is_open_ended) {
            return Err(NoTrade::OpenEnded);
        }
        if self.lacks_approval(market) {
            return Err(NoTrade::ApprovalMissing);
        }
        // Without it nobody can tell what else is at risk in the same event.
        let is_named = |market: &Market| !(market.event.is_empty() && market.group.is_empty());
        let is_known = self.markets.get(&market).is_none_or(is_named);
        if is_known { Ok(()) } else { Err(NoTrade::EventUnknown) }
    }

    /// Learns from an answer to an order whether its venue takes orders. One that it took, or
    /// refused for a reason of the order's own, opens it again, if the order was decided after the
    /// venue closed: news of an older one says nothing about the venue as it is.
    pub(super) fn hear(
        &mut self,
        (venue, decided): (Venue, Timestamp),
        evidence: &Evidence,
        pause: Duration,
        now: Timestamp,
    ) {
        let closed = &mut self.closed[venue_at(venue)];
        let opens = match evidence {
            Evidence::Refused(refusal) => match refusal.kind {
                Refused::Again(wait) | Refused::PostOnly(wait) => {
                    closed.extend(now, wait.max(pause));
                    false
                }
                Refused::Paused => {
                    closed.extend(now, pause);
                    false
                }
                Refused::NoMatch | Refused::Price | Refused::Size | Refused::Outdated => true,
                _ => false,
            },
            Evidence::Standing { .. } | Evidence::Fill(_) => true,
            Evidence::Unclear(_)
            | Evidence::NotFound { .. }
            | Evidence::Listed { .. }
            | Evidence::NotCancelled(_) => false,
        };
        if opens && decided > closed.since {
            *closed = Closed::default();
        }
    }
}

/// The floor as it is at one moment.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) floor: &'a Floor,
    pub(super) risk: &'a Risk,
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

    fn name(&self, market: MarketIndex) -> String {
        named(self.books, market)
    }

    fn fee(&self, market: MarketIndex, now: Timestamp) -> Option<FeeModel> {
        self.books.get(market)?.facts.as_ref()?.fee.at(now)
    }

    fn is_tradable(&self, market: MarketIndex) -> bool {
        let Some(facts) = self.books.get(market).and_then(|slot| slot.facts.as_ref()) else {
            return false;
        };
        // What is announced may leave some of the exchange open; its status tells.
        let paused = self.floor.calendar.is_weekly_pause(facts.venue, self.now, Duration::ZERO);
        facts.status == Status::Open
            && self.exchanges[venue_at(facts.venue)] == Status::Open
            && self.floor.takes_orders(facts.venue, self.now)
            && facts.closes.is_none_or(|closes| self.now < closes)
            && !paused
            && !self.floor.lacks_approval(market)
    }

    fn room(&self, trade: TradeId, exposure: &Exposure) -> Room {
        self.risk.room(trade, exposure, self.now)
    }
}

/// The venue's name of a market, for people.
pub(super) fn named(books: &Books, market: MarketIndex) -> String {
    match books.get(market) {
        Some(slot) if !slot.id.is_empty() => slot.id.clone(),
        _ => format!("market {}", market.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::OrderId;
    use crate::domain::report::{Refusal, Rest};

    const PAUSE: Duration = Duration::from_secs(2);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn refused(kind: Refused) -> Evidence {
        Evidence::Refused(Refusal { kind, code: String::new(), text: String::new() })
    }

    fn standing() -> Evidence {
        let id = OrderId("one".to_owned());
        Evidence::Standing { id, filled: None, rest: Rest::Nothing, trades: Vec::new() }
    }

    #[test]
    fn news_of_an_order_from_before_does_not_reopen_a_venue_that_restarts() {
        for kind in [
            Refused::PostOnly(Duration::from_secs(120)),
            Refused::Again(Duration::from_secs(120)),
            Refused::Paused,
        ] {
            let mut floor = Floor::default();
            let mut hear = |decided, evidence: &Evidence, now| {
                floor.hear((Venue::Polymarket, at(decided)), evidence, PAUSE, at(now));
                floor.takes_orders(Venue::Polymarket, at(now))
            };
            assert!(!hear(100, &refused(kind), 100), "{kind:?}");
            for old in [standing(), refused(Refused::NoMatch)] {
                assert!(!hear(90, &old, 101), "{kind:?}: {old:?}");
                assert!(!hear(100, &old, 101), "{kind:?}: {old:?}");
            }
            // Word of an order that was sent since is word of the venue as it is.
            assert!(hear(101, &standing(), 101), "{kind:?}");
        }
    }

    #[test]
    fn a_venue_that_closes_again_is_closed_from_then_on() {
        let mut floor = Floor::default();
        let closing = refused(Refused::PostOnly(Duration::from_secs(60)));
        let venue = Venue::Polymarket;
        floor.hear((venue, at(100)), &closing, PAUSE, at(100));
        floor.hear((venue, at(110)), &closing, PAUSE, at(111));
        floor.hear((venue, at(110)), &standing(), PAUSE, at(112));
        assert!(!floor.takes_orders(venue, at(170)));
        assert!(floor.takes_orders(venue, at(171)));
        assert!(floor.takes_orders(Venue::Kalshi, at(112)));
    }
}
