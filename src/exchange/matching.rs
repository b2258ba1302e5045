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

    /// Takes an order: it trades with what it crosses, best price first and oldest order first,
    /// each at the resting order's price; the rest stays or is dropped. What happened is added to
    /// `facts`.
    pub fn submit(
        &mut self,
        owner: Owner,
        side: Side,
        price: Price,
        quantity: Quantity,
        remainder: Remainder,
        facts: &mut Vec<Fact>,
    ) -> OrderNumber {
        self.last_number += 1;
        let number = OrderNumber(self.last_number);
        let left = self.take((number, owner), side, price, quantity, facts);
        if !left.is_zero() && remainder == Remainder::Rests {
            let before = self.at(side, price);
            let key = rank(side, price.units());
            let order = Resting { number, owner, quantity: left };
            self.side_mut(side).entry(key).or_default().push_back(order);
            self.places.insert(number, (side, price));
            facts.push(Fact::Level { side, price, before, after: before.saturating_add(left) });
        }
        number
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

    fn take(
        &mut self,
        taker_order: (OrderNumber, Owner),
        side: Side,
        limit: Price,
        quantity: Quantity,
        facts: &mut Vec<Fact>,
    ) -> Quantity {
        let against = opposite(side);
        let mut left = quantity;
        while !left.is_zero() {
            let Some((price, before)) = self.best(against) else { break };
            let crosses = match side {
                Side::Bid => price <= limit,
                Side::Ask => price >= limit,
            };
            if !crosses {
                break;
            }
            let key = rank(against, price.units());
            let mut traded = Quantity::ZERO;
            let mut gone = Vec::new();
            if let Some(queue) = self.side_mut(against).get_mut(&key) {
                while let Some(order) = queue.front_mut() {
                    let fill = left.min(order.quantity);
                    order.quantity = order.quantity.saturating_sub(fill);
                    left = left.saturating_sub(fill);
                    traded = traded.saturating_add(fill);
                    let maker_order = (order.number, order.owner);
                    facts.push(Fact::Trade {
                        price,
                        quantity: fill,
                        taker: side,
                        maker_order,
                        taker_order,
                    });
                    if !order.quantity.is_zero() {
                        break;
                    }
                    gone.push(order.number);
                    queue.pop_front();
                    if left.is_zero() {
                        break;
                    }
                }
                if queue.is_empty() {
                    self.side_mut(against).remove(&key);
                }
            }
            for number in gone {
                self.places.remove(&number);
            }
            self.last_trade = Some(price);
            let after = before.saturating_sub(traded);
            facts.push(Fact::Level { side: against, price, before, after });
        }
        left
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
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        Price::parse(text).unwrap()
    }

    fn put(
        book: &mut Book,
        owner: u32,
        side: Side,
        at: &str,
        count: u32,
    ) -> (OrderNumber, Vec<Fact>) {
        let mut facts = Vec::new();
        let quantity = Quantity::contracts(count);
        let number =
            book.submit(Owner(owner), side, price(at), quantity, Remainder::Rests, &mut facts);
        (number, facts)
    }

    #[test]
    fn older_orders_at_the_best_price_trade_first_at_their_own_price() {
        let mut book = Book::default();
        let (first, _) = put(&mut book, 1, Side::Ask, "0.43", 10);
        put(&mut book, 2, Side::Ask, "0.43", 10);
        put(&mut book, 3, Side::Ask, "0.44", 10);
        let (_, facts) = put(&mut book, 4, Side::Bid, "0.45", 15);
        let trades: Vec<_> = facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Trade { price, quantity, .. } => {
                    Some((price.to_string(), quantity.to_string()))
                }
                Fact::Level { .. } => None,
            })
            .collect();
        assert_eq!(trades, [("0.4300".into(), "10.00".into()), ("0.4300".into(), "5.00".into())]);
        assert!(!book.cancel(first, &mut Vec::new()), "it is filled");
        assert_eq!(book.at(Side::Ask, price("0.43")), Quantity::contracts(5));
        assert_eq!(book.best(Side::Bid), None, "nothing is left to rest");
    }

    #[test]
    fn a_rest_stays_only_if_it_may() {
        let mut book = Book::default();
        put(&mut book, 1, Side::Ask, "0.43", 10);
        let mut facts = Vec::new();
        let many = Quantity::contracts(25);
        book.submit(Owner(2), Side::Bid, price("0.43"), many, Remainder::Dropped, &mut facts);
        assert_eq!((book.best(Side::Bid), book.best(Side::Ask)), (None, None));
        assert_eq!(book.last_trade(), Some(price("0.43")));
    }

    #[test]
    fn a_cancel_reports_the_level_it_leaves() {
        let mut book = Book::default();
        let (number, _) = put(&mut book, 1, Side::Bid, "0.41", 10);
        put(&mut book, 2, Side::Bid, "0.41", 7);
        let mut facts = Vec::new();
        assert!(book.cancel(number, &mut facts));
        let expected = Fact::Level {
            side: Side::Bid,
            price: price("0.41"),
            before: Quantity::contracts(17),
            after: Quantity::contracts(7),
        };
        assert_eq!(facts, [expected]);
        assert_eq!(book.orders_of(Owner(1)).count(), 0);
        let resting: Vec<_> =
            book.resting().map(|(side, at, order)| (side, at, order.owner)).collect();
        assert_eq!(resting, [(Side::Bid, price("0.41"), Owner(2))]);
        assert_eq!(book.orders_of(Owner(2)).count(), 1);
    }
}
