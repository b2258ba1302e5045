//! What became of every order of a market: all orders and all fills that the venue lists of it.
//!
//! Kalshi takes trades back that were made in error, and tells so nowhere but by what it lists from
//! then on. One order is soon asked for, but a market may have hundreds, and which of them lost a
//! fill shows only where all are read.

use std::collections::BTreeMap;

use crate::domain::report::Rest;
use crate::domain::{Evidence, IntentId, MarketIndex, Quantity, Timestamp};
use crate::venue::Error;
use crate::venue::gateway::{Answer, Call, Markets, Taken};

use super::super::facts;
use super::super::parse::portfolio as parse;
use super::super::rest::Query;
use super::super::wire::portfolio as wire;
use super::Gateway;
use super::inquiry::{FRESHNESS, LISTED_AFTER, ORDER_READS, freshness, read_page};
use super::message::FILLS;
use super::walk::{Errand, Walk, page_since};

/// How far the reading of a market has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Freshness,
    Orders,
    Fills,
}

/// A market as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Review {
    pub(super) market: MarketIndex,
    stage: Stage,
    /// When the first of our orders there was decided.
    since: Timestamp,
    /// What the venue says that our orders filled, of those that are over.
    filled: BTreeMap<IntentId, Quantity>,
    /// The fills of ours.
    fills: BTreeMap<IntentId, BTreeMap<String, Quantity>>,
    /// Whether some fill could not be read: then no fill is missing for sure.
    has_hole: bool,
}

impl Gateway {
    /// Begins to read a market whole; nothing where we never had an order.
    pub(super) fn review(
        &mut self,
        market: MarketIndex,
        now: Timestamp,
    ) -> Result<Option<Call>, Error> {
        let Some(since) = self.roster.since(market) else { return Ok(None) };
        if self.walks.reads_market(market, now) {
            return Ok(None);
        }
        let (filled, fills) = (BTreeMap::new(), BTreeMap::new());
        let stage = Stage::Freshness;
        let review = Review { market, stage, since, filled, fills, has_hole: false };
        let walk = Walk::new(Errand::Review(review), FRESHNESS, Query::none(), now);
        self.walk_call(walk, "", now).map(Some)
    }

    pub(super) fn read_review(
        &mut self,
        mut walk: Walk,
        review: Review,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        match review.stage {
            Stage::Freshness => {
                walk.as_of = Some(freshness(answer, walk.asked, now));
                self.list_next(walk, review, Stage::Orders, markets, now, taken)
            }
            Stage::Orders => self.review_orders(walk, review, answer, markets, now, taken),
            Stage::Fills => self.review_fills(walk, review, answer, markets, now, taken),
        }
    }

    fn list_next(
        &mut self,
        mut walk: Walk,
        review: Review,
        stage: Stage,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let known = markets.facts(review.market);
        let ticker = &known.ok_or("a market that was to be read is not known any more")?.id;
        let path = if stage == Stage::Orders { ORDER_READS } else { FILLS };
        let since = review.since.before(facts::CLOCK_OFFSET_MAX);
        walk.turn(path, page_since(since).with("ticker", ticker));
        walk.errand = Errand::Review(Review { stage, ..review });
        self.walk_on(walk, "", now, taken);
        Ok(())
    }

    fn review_orders(
        &mut self,
        mut walk: Walk,
        mut review: Review,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let page: wire::OrdersPage = read_page(answer, "orders")?;
        for wire in page.orders {
            match parse::order(wire) {
                Ok(said) => {
                    let is_ours = self.take_order(&said, markets, now, taken);
                    let intent = self.roster.find(&said.id, &said.client);
                    if let Some(intent) = intent.filter(|_| is_ours && said.rest == Rest::Nothing) {
                        review.filled.insert(intent, said.filled);
                    }
                }
                // Nothing is concluded about an order that was not understood.
                Err(error) => taken.notices.push(error.to_string()),
            }
        }
        walk.errand = Errand::Review(review.clone());
        if self.next_page(walk.clone(), page.cursor.as_deref(), "orders", now, taken)? {
            self.list_next(walk, review, Stage::Fills, markets, now, taken)?;
        }
        Ok(())
    }

    fn review_fills(
        &mut self,
        mut walk: Walk,
        mut review: Review,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let page: wire::FillsPage = read_page(answer, "fills")?;
        for wire in page.fills {
            match parse::fill(wire) {
                Ok(said) => {
                    if let Some(intent) = self.roster.find(&said.order, &said.client) {
                        let fills = review.fills.entry(intent).or_default();
                        fills.insert(said.trade.clone(), said.quantity);
                    }
                    self.take_fill(&said, markets, now, taken);
                }
                Err(error) => {
                    review.has_hole = true;
                    taken.notices.push(error.to_string());
                }
            }
        }
        let as_of = walk.as_of.unwrap_or(walk.asked);
        walk.errand = Errand::Review(review.clone());
        if self.next_page(walk, page.cursor.as_deref(), "fills", now, taken)? {
            self.conclude(as_of, review, taken);
        }
        Ok(())
    }

    /// What the whole listing proves of each order that is over: the venue's two sayings, of the
    /// order and of its fills, have to agree.
    fn conclude(&self, as_of: Timestamp, mut review: Review, taken: &mut Taken) {
        if review.has_hole {
            return;
        }
        for (intent, filled) in review.filled {
            let fills = review.fills.remove(&intent).unwrap_or_default();
            let sum = fills.values().fold(Quantity::ZERO, |sum, one| sum.saturating_add(*one));
            let is_old = |at: Timestamp| as_of > at.after(LISTED_AFTER);
            let is_old = self.roster.get(intent).is_some_and(|known| is_old(known.order.at));
            if sum == filled && is_old {
                let trades = fills.into_keys().collect();
                self.say(intent, Evidence::Listed { trades, as_of }, taken);
            }
        }
    }
}
