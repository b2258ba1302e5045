//! What is true, worked out from the exchanges' own statements and from nothing that we believe.

use std::collections::{BTreeMap, BTreeSet};

use crossbook::domain::{Action, Money, Outcome, Venue};
use crossbook::exchange::catalogue::Relation;
use crossbook::exchange::faults::Resolution;
use crossbook::exchange::ledger::{OrderStatement, Statement};

/// Contracts of one purchase, and what they cost, fees included.
type Lot = (i128, i128);

/// What is held of one contract.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) units: i128,
    /// The least that can have been paid for what is at risk of it, fees included: whichever
    /// purchases are left, they are not cheaper than the cheapest.
    pub(super) cost: i128,
    /// All purchases, the cheapest contract first.
    lots: Vec<Lot>,
}

impl Held {
    /// The least that so many of all that were ever bought can have cost.
    fn least(&self, units: i128) -> i128 {
        sum_of(self.lots.iter(), units)
    }

    /// The most that they can have cost.
    fn most(&self, units: i128) -> i128 {
        sum_of(self.lots.iter().rev(), units)
    }
}

fn sum_of<'a>(lots: impl Iterator<Item = &'a Lot>, units: i128) -> i128 {
    let (mut left, mut cost) = (units, 0);
    for (lot, paid) in lots {
        let taken = left.min(*lot);
        cost += paid * taken / lot;
        left -= taken;
    }
    cost
}

/// One account, by market and outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) held: BTreeMap<(usize, Side), Held>,
    /// What is matched and may still fail, at the least that it can have cost.
    pub(super) unconfirmed: i128,
}

/// YES or NO, in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Yes,
    No,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
        }
    }
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
        let mut held: BTreeMap<(usize, Side), Held> = BTreeMap::new();
        for order in statement.orders.iter().filter(|order| order.action == Action::Buy) {
            let cost = i128::from(order.money.micros()) + i128::from(order.fees.micros());
            let lot = (i128::from(order.filled.units()), cost);
            if lot.0 > 0 {
                held.entry((order.market, order.outcome.into())).or_default().lots.push(lot);
            }
        }
        for (market, outcome, quantity) in &statement.positions {
            let entry = held.entry((*market, Side::from(*outcome))).or_default();
            entry.units += i128::from(quantity.units());
        }
        let units: BTreeMap<_, _> = held.iter().map(|(key, own)| (*key, own.units)).collect();
        for ((market, side), own) in &mut held {
            own.lots.sort_by(|a, b| (a.1 * b.0).cmp(&(b.1 * a.0)));
            // A YES and a NO are a dollar whatever happens: they are at no risk.
            let other = units.get(&(*market, side.other())).copied().unwrap_or(0);
            own.cost = own.least((own.units - other).max(0));
        }
        let mut account = Self { held, unconfirmed: 0 };
        for (market, outcome, quantity) in &statement.unsettled {
            let own = account.held.get(&(*market, Side::from(*outcome)));
            let units = i128::from(quantity.units());
            account.unconfirmed += own.map_or(0, |own| own.least(units));
        }
        account
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

    pub(super) fn units(&self, market: usize, side: Side) -> i128 {
        self.held.get(&(market, side)).map_or(0, |held| held.units)
    }

    /// Pairs of YES and NO of a market: a dollar each.
    fn both(&self, market: usize) -> i128 {
        self.units(market, Side::Yes).min(self.units(market, Side::No))
    }

    /// YES less NO of a market.
    pub(super) fn net(&self, market: usize) -> i128 {
        self.units(market, Side::Yes) - self.units(market, Side::No)
    }
}

/// How much was ever bought of a contract, in millionths. Kalshi calls a sale a purchase of the
/// other outcome.
pub(super) fn ever_bought(statement: &Statement, market: usize, outcome: Outcome) -> i128 {
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

/// What both accounts hold in one question together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stand {
    /// What one venue has more than the other, in millionths of a contract.
    pub(super) alone: i128,
    /// The least and the most that it can have cost.
    pub(super) alone_cost: [i128; 2],
    /// Contracts that pay a dollar whatever happens.
    pub(super) locked: i128,
}

impl Stand {
    /// How both accounts stand in a question, by how its contracts relate.
    pub(super) fn of(accounts: &[Account; 2], market: usize, relation: Relation) -> Self {
        let [kalshi, polymarket] = accounts;
        // On the scale of Kalshi's YES.
        let mirror = if relation == Relation::Same { 1 } else { -1 };
        let nets = [kalshi.net(market), polymarket.net(market) * mirror];
        let net = nets[0] + nets[1];
        let across = if nets[0].signum() == -nets[1].signum() {
            nets[0].abs().min(nets[1].abs())
        } else {
            0
        };
        let alone = net.abs();
        let mut left = alone;
        let mut cost = [0, 0];
        for (venue, account) in accounts.iter().enumerate() {
            let own = nets[venue];
            if own.signum() != net.signum() || left == 0 {
                continue;
            }
            let units = own.abs().min(left);
            left -= units;
            let is_yes = (own > 0) == (venue == 0 || mirror == 1);
            let side = if is_yes { Side::Yes } else { Side::No };
            if let Some(held) = account.held.get(&(market, side)) {
                cost[0] += held.least(units);
                cost[1] += held.most(units);
            }
        }
        let locked = across + kalshi.both(market) + polymarket.both(market);
        Self { alone, alone_cost: cost, locked }
    }
}

/// What one contract of a side pays, in micro-dollars.
pub(super) fn pays(resolution: Resolution, side: Side) -> i128 {
    let yes = match resolution {
        Resolution::Yes => i128::from(Money::DOLLAR),
        Resolution::No => 0,
        Resolution::Value(price) => i128::from(price.units()) * 100,
    };
    if side == Side::Yes { yes } else { i128::from(Money::DOLLAR) - yes }
}

/// The cash that an account must have by its orders, payouts, conversions and what moved without a
/// trade, in micro-dollars.
/// What was merged of a market that has ended is what had been merged when it did.
pub(super) fn cash_due(
    venue: Venue,
    statement: &Statement,
    merged: &BTreeMap<usize, i128>,
) -> i128 {
    let micros = |money: Money| i128::from(money.micros());
    let mut cash = micros(statement.paid_in) + micros(statement.payouts);
    cash += micros(statement.moved) + micros(statement.earned);
    let bought = bought(statement);
    for order in &statement.orders {
        let sign = if order.action == Action::Buy { -1 } else { 1 };
        cash += sign * micros(order.money) - micros(order.fees);
    }
    let markets: BTreeSet<usize> = bought.keys().map(|key| key.0).collect();
    for market in markets {
        let of = |side| bought.get(&(market, side)).copied().unwrap_or(0);
        // A YES and a NO are a dollar: on Kalshi at once, on Polymarket when they are merged.
        cash += match (venue, merged.get(&market)) {
            (Venue::Kalshi, _) => of(Side::Yes).min(of(Side::No)).max(0),
            (Venue::Polymarket, Some(merged)) => *merged,
            (Venue::Polymarket, None) => merged_of(statement, &bought, market),
        };
    }
    cash
}

/// What was bought less what was sold of each contract.
pub(super) fn bought(statement: &Statement) -> BTreeMap<(usize, Side), i128> {
    let mut bought = BTreeMap::new();
    for order in &statement.orders {
        let sign = if order.action == Action::Buy { 1 } else { -1 };
        let sum = bought.entry((order.market, order.outcome.into())).or_default();
        *sum += sign * i128::from(order.filled.units());
    }
    bought
}

/// What of a market was merged, as long as it has paid nothing.
pub(super) fn merged_of(
    statement: &Statement,
    bought: &BTreeMap<(usize, Side), i128>,
    market: usize,
) -> i128 {
    let held = statement.positions.iter();
    let held = held.filter(|own| own.0 == market && own.1 == Outcome::Yes);
    let held: i128 = held.map(|own| i128::from(own.2.units())).sum();
    bought.get(&(market, Side::Yes)).copied().unwrap_or(0) - held
}
