//! One market's orders, matched by price and then by time.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::{Price, Quantity, Side};

use super::Fact;

/// An order's number, unique within its book, rising with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderNumber(pub u64);

/// Who an order belongs to: an agent or an account, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(pub u32);

/// An order that rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resting {
    /// Its number.
    pub number: OrderNumber,
    /// Whose it is.
    pub owner: Owner,
    /// What is left of it.
    pub quantity: Quantity,
}

/// What may be left of an order that did not fill at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remainder {
    /// It rests.
    Rests,
    /// It is dropped.
    Dropped,
}

/// What happens when an order would meet one of its own owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelfTrade {
    /// They trade: agents do not care.
    Allowed,
    /// The incoming order stops there, and what is left of it is dropped.
    TakerStops,
    /// The resting order is cancelled, and the incoming one goes on.
    MakerGoes,
}

/// An order on its way into a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incoming {
    /// Whose it is.
    pub owner: Owner,
    /// Side of YES.
    pub side: Side,
    /// The worst price it accepts.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// What may be left of it.
    pub remainder: Remainder,
    /// What happens when it meets its owner's orders.
    pub self_trade: SelfTrade,
}

/// One resting order that an incoming one met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Met {
    /// The resting order.
    pub maker: (OrderNumber, Owner),
    /// At its price.
    pub price: Price,
    /// How much traded.
    pub quantity: Quantity,
}

/// What became of an incoming order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its number, whether it rests or not.
    pub number: OrderNumber,
    /// What it traded with, in order.
    pub met: Vec<Met>,
    /// Orders of its own owner that were cancelled to let it pass, with what was left of them.
    pub gone: Vec<(OrderNumber, Quantity)>,
    /// What rests of it now.
    pub rests: Quantity,
}

impl Placed {
    /// How much of it traded.
    pub fn filled(&self) -> Quantity {
        self.met.iter().fold(Quantity::ZERO, |sum, met| sum.saturating_add(met.quantity))
    }
}

/// What is left of an incoming order after it met others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// This much may rest.
    May(Quantity),
    /// It stopped at an order of its owner, and nothing may rest.
    Nothing,
}

/// The orders of one market. Prices are of YES; a buyer of NO at `q` is a seller of YES at `1 - q`.
#[derive(Debug, Default)]
pub struct Book {
    /// Keyed by rank, so that the first entry is the best on both sides.
    bids: BTreeMap<u16, VecDeque<Resting>>,
    asks: BTreeMap<u16, VecDeque<Resting>>,
    places: BTreeMap<OrderNumber, (Side, Price)>,
    last_number: u64,
    last_trade: Option<Price>,
}

impl Book {
    /// The best price of a side and all that rests there.
    pub fn best(&self, side: Side) -> Option<(Price, Quantity)> {
        self.levels(side).next()
    }

    /// The levels of a side with their totals, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Quantity)> + '_ {
        self.side(side).iter().filter_map(move |(key, queue)| {
            Price::from_units(rank(side, *key)).map(|price| (price, total(queue)))
        })
    }

    /// The price of the last trade.
    pub const fn last_trade(&self) -> Option<Price> {
        self.last_trade
    }

    /// All that rests at one price.
    pub fn at(&self, side: Side, price: Price) -> Quantity {
        self.side(side).get(&rank(side, price.units())).map_or(Quantity::ZERO, total)
    }

    /// The resting orders of an owner: number, side, price, quantity.
    pub fn orders_of(
        &self,
        owner: Owner,
    ) -> impl Iterator<Item = (OrderNumber, Side, Price, Quantity)> + '_ {
        self.places.iter().filter_map(move |(number, (side, price))| {
            let queue = self.side(*side).get(&rank(*side, price.units()))?;
            let order = queue.iter().find(|order| order.number == *number)?;
            (order.owner == owner).then_some((*number, *side, *price, order.quantity))
        })
    }

    /// All resting orders with their side and price: bids first, best price first, oldest first.
    pub fn resting(&self) -> impl Iterator<Item = (Side, Price, Resting)> + '_ {
        [Side::Bid, Side::Ask].into_iter().flat_map(move |side| {
            self.side(side).iter().flat_map(move |(key, queue)| {
                let price = Price::from_units(rank(side, *key));
                queue.iter().filter_map(move |order| price.map(|price| (side, price, *order)))
            })
        })
    }

    /// What an order up to `limit` would meet, best price first and oldest order first.
    pub fn within(&self, side: Side, limit: Price) -> impl Iterator<Item = (Price, Resting)> + '_ {
        let against = opposite(side);
        self.side(against)
            .iter()
            .filter_map(move |(key, queue)| {
                Price::from_units(rank(against, *key)).map(|price| (price, queue))
            })
            .take_while(move |(price, _)| crosses(side, limit, *price))
            .flat_map(|(price, queue)| queue.iter().map(move |order| (price, *order)))
    }

    /// What an order would trade with if it came in now, without anything happening.
    pub fn preview(&self, incoming: Incoming) -> Vec<Met> {
        let Incoming { owner, side, price: limit, quantity, self_trade, .. } = incoming;
        let mut left = quantity;
        let mut met = Vec::new();
        for (price, order) in self.within(side, limit) {
            let own = order.owner == owner;
            match self_trade {
                SelfTrade::TakerStops if own => break,
                SelfTrade::MakerGoes if own => continue,
                _ => {}
            }
            let fill = left.min(order.quantity);
            if fill.is_zero() {
                break;
            }
            left = left.saturating_sub(fill);
            met.push(Met { maker: (order.number, order.owner), price, quantity: fill });
        }
        met
    }

    /// A resting order: its side, its price, and what is left.
    pub fn order(&self, number: OrderNumber) -> Option<(Side, Price, Resting)> {
        let (side, price) = *self.places.get(&number)?;
        let queue = self.side(side).get(&rank(side, price.units()))?;
        let order = queue.iter().find(|order| order.number == number)?;
        Some((side, price, *order))
    }

    /// How much rests before an order at its own price.
    pub fn ahead(&self, number: OrderNumber) -> Option<Quantity> {
        let (side, price) = *self.places.get(&number)?;
        let queue = self.side(side).get(&rank(side, price.units()))?;
        let before = queue.iter().take_while(|order| order.number != number);
        Some(before.fold(Quantity::ZERO, |sum, order| sum.saturating_add(order.quantity)))
    }

    /// Takes an order of somebody who does not mind trading with himself; see [`Book::place`].
    pub fn submit(
        &mut self,
        owner: Owner,
        side: Side,
        price: Price,
        quantity: Quantity,
        remainder: Remainder,
        facts: &mut Vec<Fact>,
    ) -> OrderNumber {
        let self_trade = SelfTrade::Allowed;
        let incoming = Incoming { owner, side, price, quantity, remainder, self_trade };
        self.place(incoming, facts).number
    }

    /// Takes an order: it trades with what it crosses, best price first and oldest order first,
    /// each at the resting order's price; the rest stays or is dropped. What happened is added to
    /// `facts`.
    pub fn place(&mut self, incoming: Incoming, facts: &mut Vec<Fact>) -> Placed {
        self.last_number += 1;
        let number = OrderNumber(self.last_number);
        let Incoming { owner, side, price, remainder, .. } = incoming;
        let mut placed =
            Placed { number, met: Vec::new(), gone: Vec::new(), rests: Quantity::ZERO };
        let left = self.take(incoming, &mut placed, facts);
        match left {
            Left::May(left) if !left.is_zero() && remainder == Remainder::Rests => {
                let before = self.at(side, price);
                let key = rank(side, price.units());
                let order = Resting { number, owner, quantity: left };
                self.side_mut(side).entry(key).or_default().push_back(order);
                self.places.insert(number, (side, price));
                placed.rests = left;
                let after = before.saturating_add(left);
                facts.push(Fact::Level { side, price, before, after });
            }
            Left::May(_) | Left::Nothing => {}
        }
        placed
    }

    /// Makes a resting order smaller without moving it in its queue; `false` when it does not rest
    /// or is not larger than that. Nothing left is a cancel.
    pub fn reduce(&mut self, number: OrderNumber, left: Quantity, facts: &mut Vec<Fact>) -> bool {
        if left.is_zero() {
            return self.cancel(number, facts);
        }
        let Some((side, price, order)) = self.order(number) else { return false };
        if left >= order.quantity {
            return false;
        }
        let before = self.at(side, price);
        let key = rank(side, price.units());
        let queue = self.side_mut(side).get_mut(&key);
        let found = queue.and_then(|queue| queue.iter_mut().find(|order| order.number == number));
        let Some(order) = found else { return false };
        order.quantity = left;
        let after = self.at(side, price);
        facts.push(Fact::Level { side, price, before, after });
        true
    }

    /// Takes an order out of the book; `false` when it does not rest any more.
    pub fn cancel(&mut self, number: OrderNumber, facts: &mut Vec<Fact>) -> bool {
        let Some((side, price)) = self.places.remove(&number) else { return false };
        let before = self.at(side, price);
        let key = rank(side, price.units());
        let Some(queue) = self.side_mut(side).get_mut(&key) else { return false };
        queue.retain(|order| order.number != number);
        let after = total(queue);
        if queue.is_empty() {
            self.side_mut(side).remove(&key);
        }
        facts.push(Fact::Level { side, price, before, after });
        true
    }

    fn take(&mut self, incoming: Incoming, placed: &mut Placed, facts: &mut Vec<Fact>) -> Left {
        let Incoming { side, price: limit, quantity, .. } = incoming;
        let against = opposite(side);
        let mut left = Left::May(quantity);
        while let Left::May(wanted) = left {
            if wanted.is_zero() {
                break;
            }
            let Some((price, before)) = self.best(against) else { break };
            if !crosses(side, limit, price) {
                break;
            }
            let (met, gone) = (placed.met.len(), placed.gone.len());
            left = self.take_level(incoming, (price, wanted), placed, facts);
            for maker in placed.met.iter().skip(met).map(|met| met.maker.0) {
                if self.order(maker).is_none() {
                    self.places.remove(&maker);
                }
            }
            for (number, _) in placed.gone.iter().skip(gone) {
                self.places.remove(number);
            }
            if placed.met.len() > met {
                self.last_trade = Some(price);
            }
            let after = self.at(against, price);
            if after != before {
                facts.push(Fact::Level { side: against, price, before, after });
            }
        }
        left
    }

    /// Trades with the orders of one level until it, or what is wanted, is used up.
    fn take_level(
        &mut self,
        incoming: Incoming,
        (price, wanted): (Price, Quantity),
        placed: &mut Placed,
        facts: &mut Vec<Fact>,
    ) -> Left {
        let Incoming { owner, side, self_trade, .. } = incoming;
        let against = opposite(side);
        let key = rank(against, price.units());
        let mut left = wanted;
        let mut stopped = false;
        if let Some(queue) = self.side_mut(against).get_mut(&key) {
            while let Some(order) = queue.front_mut() {
                if left.is_zero() {
                    break;
                }
                let own = order.owner == owner;
                if own && self_trade == SelfTrade::TakerStops {
                    stopped = true;
                    break;
                }
                if own && self_trade == SelfTrade::MakerGoes {
                    placed.gone.push((order.number, order.quantity));
                    queue.pop_front();
                    continue;
                }
                let fill = left.min(order.quantity);
                order.quantity = order.quantity.saturating_sub(fill);
                left = left.saturating_sub(fill);
                let maker = (order.number, order.owner);
                placed.met.push(Met { maker, price, quantity: fill });
                facts.push(Fact::Trade {
                    price,
                    quantity: fill,
                    taker: side,
                    maker_order: maker,
                    taker_order: (placed.number, owner),
                });
                if order.quantity.is_zero() {
                    queue.pop_front();
                }
            }
            if queue.is_empty() {
                self.side_mut(against).remove(&key);
            }
        }
        if stopped { Left::Nothing } else { Left::May(left) }
    }

    const fn side(&self, side: Side) -> &BTreeMap<u16, VecDeque<Resting>> {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }

    const fn side_mut(&mut self, side: Side) -> &mut BTreeMap<u16, VecDeque<Resting>> {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }
}

/// The other side.
pub const fn opposite(side: Side) -> Side {
    match side {
        Side::Bid => Side::Ask,
        Side::Ask => Side::Bid,
    }
}

/// Whether an order up to `limit` takes what rests at `price`.
fn crosses(side: Side, limit: Price, price: Price) -> bool {
    match side {
        Side::Bid => price <= limit,
        Side::Ask => price >= limit,
    }
}

/// Maps prices to keys that sort best first, and back: it is its own inverse.
const fn rank(side: Side, units: u16) -> u16 {
    match side {
        Side::Bid => Price::ONE - units,
        Side::Ask => units,
    }
}

fn total(queue: &VecDeque<Resting>) -> Quantity {
    queue.iter().fold(Quantity::ZERO, |sum, order| sum.saturating_add(order.quantity))
}

#[cfg(test)]
mod tests;
