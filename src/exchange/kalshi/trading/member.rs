//! What a member owns: cash by shard, one signed position per market, orders, fills.
//!
//! Invariant: a dollar is held for every contract of NO, and a contract of YES met by one of NO is
//! a dollar of cash at once; so `cash = paid in + sold - bought - a dollar per NO held - fees +
//! payouts`, to the micro-dollar.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Money, Price, Quantity, Side, Timestamp};
use crate::exchange::funds::History;
use crate::exchange::matching::Owner;

use super::fee::STEP;
use super::group::Group;
use super::order::{Fill, Order, leg_price};

/// The first owner number of accounts; agents have smaller ones.
pub(super) const FIRST_OWNER: u32 = 1_000;

/// A member's holding of one market.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Position {
    /// Contracts of YES in millionths; of NO where negative.
    pub(super) contracts: i64,
    /// What the open contracts cost on their own leg.
    pub(super) cost: Money,
    pub(super) realized: Money,
    pub(super) fees: Money,
    /// What all trades cost on the leg they bought.
    pub(super) traded: Money,
    pub(super) volume: Quantity,
    pub(super) updated: Timestamp,
}

/// What a resolved market paid.
#[derive(Debug, Clone)]
pub(super) struct Settlement {
    pub(super) market: usize,
    pub(super) position: Position,
    pub(super) result: &'static str,
    /// What YES paid, in 1/10,000 dollars.
    pub(super) value: u16,
    pub(super) revenue: Money,
    pub(super) at: Timestamp,
}

/// A trade of a position: which way, at what price of YES, how much, for what fee.
#[derive(Debug, Clone, Copy)]
pub(super) struct Booking {
    pub(super) market: usize,
    pub(super) shard: u32,
    pub(super) side: Side,
    pub(super) price: Price,
    pub(super) quantity: Quantity,
    /// Negative where a fee is given back.
    pub(super) fee: Money,
}

/// A member of the exchange.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) owner: Owner,
    pub(super) purses: BTreeMap<u32, Money>,
    pub(super) paid_in: Money,
    pub(super) funds: History,
    pub(super) positions: BTreeMap<usize, Position>,
    pub(super) orders: BTreeMap<u64, Order>,
    /// Every client order id that was ever taken.
    pub(super) burnt: BTreeSet<String>,
    pub(super) fills: Vec<Fill>,
    pub(super) settlements: Vec<Settlement>,
    pub(super) groups: BTreeMap<u64, Group>,
    /// Transfers between shards, by the client's id.
    pub(super) transfers: BTreeMap<String, u64>,
    pub(super) fees: Money,
    pub(super) payouts: Money,
    pub(super) updated: Timestamp,
}

impl Member {
    pub(super) fn new(place: u32, cash: &[(u32, Money)]) -> Self {
        Self {
            owner: Owner(FIRST_OWNER + place),
            purses: cash.iter().copied().collect(),
            paid_in: cash.iter().fold(Money::ZERO, |sum, (_, cash)| sum + *cash),
            funds: History::default(),
            positions: BTreeMap::new(),
            orders: BTreeMap::new(),
            burnt: BTreeSet::new(),
            fills: Vec::new(),
            settlements: Vec::new(),
            groups: BTreeMap::new(),
            transfers: BTreeMap::new(),
            fees: Money::ZERO,
            payouts: Money::ZERO,
            updated: Timestamp::ZERO,
        }
    }

    /// The member's id, shaped as a UUID.
    pub(super) fn user_id(&self) -> String {
        format!("acc00000-0000-4000-8000-{:012x}", self.owner.0)
    }

    pub(super) fn position(&self, market: usize) -> i64 {
        self.positions.get(&market).map_or(0, |position| position.contracts)
    }

    pub(super) fn resting(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().filter(|order| order.rests())
    }

    /// Books a trade: cash, position, fee.
    pub(super) fn book(&mut self, booking: Booking, now: Timestamp) {
        let Booking { market, shard, side, price, quantity, fee } = booking;
        let position = self.positions.entry(market).or_default();
        let signed = match side {
            Side::Bid => quantity.units(),
            Side::Ask => -quantity.units(),
        };
        let cost = Money::cost_ceil(leg_price(side, price), quantity);
        let (before, after) = (position.contracts, position.contracts + signed);
        let opens = before == 0 || (before > 0) == (signed > 0);
        let closed = if opens { 0 } else { before.abs().min(signed.abs()) };
        // A pair of YES and NO is a dollar; contracts and dollars are both in millionths.
        let freed = Money::from_micros(closed);
        if closed > 0 {
            let pairs = Quantity::from_units(closed).unwrap_or_default();
            let spent = Money::cost_ceil(leg_price(side, price), pairs);
            let share = match closed == before.abs() {
                true => position.cost,
                false => share(position.cost, closed, before.abs()),
            };
            position.realized += freed - spent - share;
            position.cost += cost - spent - share;
        } else {
            position.cost += cost;
        }
        position.contracts = after;
        position.traded += cost;
        position.fees += fee;
        position.volume = position.volume.saturating_add(quantity);
        position.updated = now;
        *self.purses.entry(shard).or_default() += freed - cost - fee;
        self.fees += fee;
        self.updated = now;
    }

    /// What the resting orders of a market hold back, with `more` of another order. What closes
    /// the position needs nothing; older orders close first.
    pub(super) fn reserved(
        &self,
        market: usize,
        except: Option<u64>,
        more: Option<(Side, Price, Quantity)>,
    ) -> Money {
        let held = self.position(market);
        let mut closing = [(-held).max(0), held.max(0)];
        let resting = self
            .resting()
            .filter(|order| order.market == market && Some(order.serial) != except)
            .map(|order| (order.side, order.limit, order.resting));
        let mut sum = Money::ZERO;
        for (side, limit, quantity) in resting.chain(more) {
            let free = match side {
                Side::Bid => &mut closing[0],
                Side::Ask => &mut closing[1],
            };
            let closes = quantity.units().min(*free);
            *free -= closes;
            let opens = Quantity::from_units(quantity.units() - closes).unwrap_or_default();
            let cost = Money::cost_ceil(leg_price(side, limit), opens);
            sum += -((-cost).floor_to(STEP));
        }
        sum
    }

    /// The cash of a shard that no resting order holds back, but for the orders of one market.
    pub(super) fn available_without(&self, shard: u32, market: Option<usize>) -> Money {
        let markets: BTreeSet<usize> = self
            .resting()
            .filter(|order| order.shard == shard && Some(order.market) != market)
            .map(|order| order.market)
            .collect();
        let purse = self.purses.get(&shard).copied().unwrap_or_default();
        markets.into_iter().fold(purse, |left, market| left - self.reserved(market, None, None))
    }

    /// The cash of a shard that can be spent.
    pub(super) fn available(&self, shard: u32) -> Money {
        self.available_without(shard, None)
    }
}

/// The part of a cost that `part` of `whole` contracts bear, rounded down.
fn share(cost: Money, part: i64, whole: i64) -> Money {
    let micros = i128::from(cost.micros()) * i128::from(part) / i128::from(whole.max(1));
    Money::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}
