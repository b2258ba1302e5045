//! What our own orders are about to take, or took, and the books still show.
//!
//! What we took is gone: it is subtracted from a level until the venue says something new about
//! that level. A level that shrinks gives back as much of what was subtracted as it shrank, since
//! that may be our own fill; a level that grows, and a new image of the whole book, are new and
//! believed as they are.

use std::collections::BTreeMap;

use crate::book::{Book, Ladder, Level, Update};
use crate::domain::report::{Evidence, Refused, Rest};
use crate::domain::{
    Action, IntentId, MarketIndex, Money, Order, Outcome, Price, Quantity, Side, Size,
};
use crate::engine::books::Books;

type Place = (MarketIndex, Side, Price);

/// What is subtracted, by level.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken {
    levels: BTreeMap<Place, Quantity>,
    /// What each order subtracted, for the case that it never was there.
    orders: BTreeMap<IntentId, Vec<(Place, Quantity)>>,
}

impl Taken {
    /// The most orders that can still give back what they subtracted.
    const ORDERS_MAX: usize = 256;

    /// Subtracts what an order will take of a book, best first, up to its limit.
    pub(super) fn take(&mut self, order: &Order, book: &Book) {
        let contract = match order.action {
            Action::Buy => order.outcome,
            Action::Sell => order.outcome.other(),
        };
        let side = book.offers(contract).side();
        let mut left = order.size;
        let mut parts = Vec::new();
        for level in book.offers(contract).best_first() {
            let visible = self.visible(order.market, side, level);
            let price = own_price(level.price, order.outcome);
            let within = match order.action {
                Action::Buy => price <= order.limit,
                Action::Sell => price >= order.limit,
            };
            let taken = match left {
                Size::Contracts(quantity) => quantity.min(visible),
                Size::Collateral(money) => money.buys_floor(price).min(visible),
            };
            if !within || (taken.is_zero() && !visible.is_zero()) {
                break;
            }
            left = match left {
                Size::Contracts(quantity) => Size::Contracts(quantity.saturating_sub(taken)),
                Size::Collateral(money) => {
                    Size::Collateral((money - Money::cost_ceil(price, taken)).max(Money::ZERO))
                }
            };
            if !taken.is_zero() {
                let place = (order.market, side, level.price);
                let sum = self.levels.entry(place).or_default();
                *sum = sum.saturating_add(taken);
                parts.push((place, taken));
            }
        }
        while self.orders.len() >= Self::ORDERS_MAX {
            self.orders.pop_first();
        }
        self.orders.insert(order.intent, parts);
    }

    /// Learns from an answer what an order did not take: one that was refused, or that the venue
    /// does not have, took nothing. One that found nothing to take shows that the book is behind,
    /// and what it was to take stays subtracted.
    pub(super) fn answered(&mut self, intent: IntentId, evidence: &Evidence) {
        let parts = match evidence {
            Evidence::Refused(refusal) if refusal.kind != Refused::NoMatch => {
                self.orders.remove(&intent)
            }
            Evidence::NotFound { .. } => self.orders.remove(&intent),
            Evidence::Refused(_) | Evidence::Standing { rest: Rest::Nothing, .. } => {
                self.orders.remove(&intent);
                return;
            }
            _ => return,
        };
        for (place, quantity) in parts.into_iter().flatten() {
            if let Some(taken) = self.levels.get_mut(&place) {
                *taken = taken.saturating_sub(quantity);
                if taken.is_zero() {
                    self.levels.remove(&place);
                }
            }
        }
    }

    /// Hears an update before it is applied to the book that it changes.
    pub(super) fn hear(&mut self, update: &Update, books: &Books) {
        if self.levels.is_empty() {
            return;
        }
        let resting = |market, side, price| {
            let slot = books.get(market);
            slot.map_or(Quantity::ZERO, |slot| ladder(&slot.book, side).at(price))
        };
        match *update {
            Update::Snapshot { market, .. } => {
                self.levels.retain(|place, _| place.0 != market);
            }
            Update::Set { market, side, price, quantity } => {
                let before = resting(market, side, price);
                self.changed((market, side, price), before, quantity);
            }
            Update::Change { market, side, price, change } => {
                let before = resting(market, side, price);
                let after = before.changed_by(change).unwrap_or(Quantity::ZERO);
                self.changed((market, side, price), before, after);
            }
            _ => {}
        }
    }

    fn changed(&mut self, place: Place, before: Quantity, after: Quantity) {
        let Some(taken) = self.levels.get_mut(&place) else { return };
        if after < before && !after.is_zero() {
            *taken = taken.saturating_sub(before.saturating_sub(after));
            if !taken.is_zero() {
                return;
            }
        } else if after == before {
            return;
        }
        self.levels.remove(&place);
    }

    /// A ladder less what was taken of it; `None` when nothing was.
    pub(super) fn ladder_of(&self, market: MarketIndex, ladder: &Ladder) -> Option<Ladder> {
        if self.levels.is_empty() || !self.touches(market) {
            return None;
        }
        let mut left = ladder.clone();
        for level in ladder.best_first() {
            left.set(level.price, self.visible(market, ladder.side(), level));
        }
        Some(left)
    }

    /// What a buyer (`Action::Buy`) or a seller of a contract finds, best first, at the contract's
    /// own price, less what was taken.
    pub(super) fn levels(
        &self,
        market: MarketIndex,
        book: &Book,
        outcome: Outcome,
        action: Action,
    ) -> impl Iterator<Item = Level> {
        let contract = match action {
            Action::Buy => outcome,
            Action::Sell => outcome.other(),
        };
        let ladder = book.offers(contract);
        ladder.best_first().filter_map(move |level| {
            let quantity = self.visible(market, ladder.side(), level);
            let price = own_price(level.price, outcome);
            (!quantity.is_zero()).then_some(Level { price, quantity })
        })
    }

    fn touches(&self, market: MarketIndex) -> bool {
        let from = (market, Side::Bid, Price::MIN);
        self.levels.range(from..).next().is_some_and(|(place, _)| place.0 == market)
    }

    fn visible(&self, market: MarketIndex, side: Side, level: Level) -> Quantity {
        match self.levels.get(&(market, side, level.price)) {
            Some(taken) => level.quantity.saturating_sub(*taken),
            None => level.quantity,
        }
    }
}

/// A price of YES at the scale of a contract.
const fn own_price(price: Price, outcome: Outcome) -> Price {
    match outcome {
        Outcome::Yes => price,
        Outcome::No => price.mirror(),
    }
}

const fn ladder(book: &Book, side: Side) -> &Ladder {
    match side {
        Side::Bid => book.bids(),
        Side::Ask => book.asks(),
    }
}
