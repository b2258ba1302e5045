//! What is true, worked out from the exchanges' own statements and from nothing that we believe.

use std::collections::{BTreeMap, BTreeSet};

use crossbook::domain::{Action, Money, Outcome, Venue};
use crossbook::exchange::ledger::{OrderStatement, Statement};

/// What is held of one contract.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) units: i128,
    /// The least that can have been paid for it, fees included: whichever purchases are left, they
    /// are not cheaper than the cheapest.
    pub(super) cost: i128,
}

/// One account, by market and outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) held: BTreeMap<(usize, Side), Held>,
}

/// YES or NO, in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Yes,
    No,
}

impl From<Outcome> for Side {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Yes => Self::Yes,
            Outcome::No => Self::No,
        }
    }
}

impl Account {
    pub(super) fn of(statement: &Statement) -> Self {
        let mut bought: BTreeMap<(usize, Side), Vec<(i128, i128)>> = BTreeMap::new();
        for order in statement.orders.iter().filter(|order| order.action == Action::Buy) {
            let cost = i128::from(order.money.micros()) + i128::from(order.fees.micros());
            let lot = (i128::from(order.filled.units()), cost);
            bought.entry((order.market, order.outcome.into())).or_default().push(lot);
        }
        for lots in bought.values_mut() {
            lots.retain(|lot| lot.0 > 0);
            lots.sort_by(|a, b| (a.1 * b.0).cmp(&(b.1 * a.0)));
        }
        let units_of = |market: usize, side: Side| {
            let own = statement.positions.iter();
            let own = own.filter(|held| (held.0, Side::from(held.1)) == (market, side));
            own.map(|held| i128::from(held.2.units())).sum::<i128>()
        };
        let held = statement.positions.iter().map(|(market, outcome, quantity)| {
            let key = (*market, Side::from(*outcome));
            let units = i128::from(quantity.units());
            let other = if key.1 == Side::Yes { Side::No } else { Side::Yes };
            // A YES and a NO are a dollar whatever happens: they are at no risk.
            let (mut left, mut cost) = ((units - units_of(*market, other)).max(0), 0);
            for (lot, paid) in bought.get(&key).into_iter().flatten() {
                let taken = left.min(*lot);
                cost += paid * taken / lot;
                left -= taken;
            }
            (key, Held { units, cost })
        });
        Self { held: held.collect() }
    }

    /// What was paid for all that is held.
    pub(super) fn dollars(&self) -> i128 {
        self.held.values().map(|held| held.cost).sum()
    }

    /// What was paid for what is held in a market.
    pub(super) fn dollars_in(&self, market: usize) -> i128 {
        let own = self.held.iter().filter(|((at, _), _)| *at == market);
        own.map(|(_, held)| held.cost).sum()
    }

    fn units(&self, market: usize, side: Side) -> i128 {
        self.held.get(&(market, side)).map_or(0, |held| held.units)
    }

    /// YES less NO of a market.
    pub(super) fn net(&self, market: usize) -> i128 {
        self.units(market, Side::Yes) - self.units(market, Side::No)
    }
}

/// How much was ever bought of a contract, in millionths. Kalshi calls a sale a purchase of the
/// other outcome.
pub(super) fn bought(statement: &Statement, market: usize, outcome: Outcome) -> i128 {
    let there = statement.orders.iter().filter(|order| {
        (order.action, order.market, order.outcome) == (Action::Buy, market, outcome)
    });
    there.map(|order| i128::from(order.filled.units())).sum()
}

/// The name that we gave an order: Kalshi's client id, Polymarket's hash.
pub(super) fn name_of(venue: Venue, order: &OrderStatement) -> &str {
    match venue {
        Venue::Kalshi => &order.client,
        Venue::Polymarket => &order.id,
    }
}

/// The cash that an account must have by its orders, payouts and conversions, in micro-dollars.
pub(super) fn cash_due(venue: Venue, statement: &Statement) -> i128 {
    let micros = |money: Money| i128::from(money.micros());
    let mut cash = micros(statement.paid_in) + micros(statement.payouts);
    let mut bought: BTreeMap<(usize, Side), i128> = BTreeMap::new();
    for order in &statement.orders {
        let sign = if order.action == Action::Buy { -1 } else { 1 };
        cash += sign * micros(order.money) - micros(order.fees);
        let sum = bought.entry((order.market, order.outcome.into())).or_default();
        *sum -= sign * i128::from(order.filled.units());
    }
    let held = Account::of(statement);
    let markets: BTreeSet<usize> = bought.keys().map(|key| key.0).collect();
    for market in markets {
        let of = |side| bought.get(&(market, side)).copied().unwrap_or(0);
        // A YES and a NO are a dollar: on Kalshi at once, on Polymarket when they are merged.
        cash += match venue {
            Venue::Kalshi => of(Side::Yes).min(of(Side::No)).max(0),
            Venue::Polymarket => of(Side::Yes) - held.units(market, Side::Yes),
        };
    }
    cash
}
