//! What the wallet owns: collateral, shares, orders, trades. The truth that clients are held
//! against.
//!
//! Money and shares move when orders match; until a trade is confirmed they are promised, not
//! there: what it bought can be neither sold nor merged, what it earned cannot be spent, and when
//! it fails both go back. Orders that rest lock what they may need.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Action, Money, Outcome, Price, Quantity, Rate, Side, Timestamp};

use super::super::funds::History;
use super::super::ledger::{OrderStatement, Statement};
use super::super::matching::OrderNumber;
use super::asset::Asset;
use super::order::{Target, Wanted};

/// How far an order has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It rests.
    Live,
    /// All of it matched, or what was there for an order that takes.
    Matched,
    /// It waits until then, and then matches what stands, or nothing.
    Delayed(Timestamp, Meets),
    /// Nothing more comes of it, for this reason.
    Over(String),
}

/// What a delayed order finds when its wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meets {
    /// The book as it then is.
    Book,
    /// Nothing.
    Nothing,
}

impl State {
    /// The name on the wire.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Live => "LIVE",
            Self::Matched => "MATCHED",
            Self::Delayed(..) => "DELAYED",
            Self::Over(why) => why,
        }
    }
}

/// How a trade settles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// In the usual time.
    Usual,
    /// Only after this.
    Late(std::time::Duration),
    /// Never: it fails after this.
    Fails(std::time::Duration),
}

/// An order of the account.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) wanted: Wanted,
    /// The key that posted it.
    pub(super) owner: String,
    pub(super) created: Timestamp,
    pub(super) state: State,
    /// Its number in the matching book while it rests there.
    pub(super) number: Option<OrderNumber>,
    /// All that matched, whether it settled or not.
    pub(super) matched: Quantity,
    /// What that cost or brought, without fees.
    pub(super) moved: Money,
    pub(super) trades: Vec<String>,
    /// What matched and did not fail.
    pub(super) filled: Quantity,
    pub(super) money: Money,
    pub(super) fees: Money,
    pub(super) course: Course,
}

impl Order {
    /// A new order.
    pub(super) fn new(wanted: Wanted, owner: String, created: Timestamp, course: Course) -> Self {
        Self {
            wanted,
            owner,
            created,
            state: State::Live,
            number: None,
            matched: Quantity::ZERO,
            moved: Money::ZERO,
            trades: Vec::new(),
            filled: Quantity::ZERO,
            money: Money::ZERO,
            fees: Money::ZERO,
            course,
        }
    }

    /// The shares that may still come or go: none once the order is over.
    pub(super) fn open(&self) -> Quantity {
        match (&self.state, self.wanted.target) {
            (State::Live, _) | (State::Delayed(..), Target::Shares(_)) => {
                self.wanted.size.saturating_sub(self.matched)
            }
            (State::Delayed(..), Target::Collateral(_)) => self.wanted.size,
            _ => Quantity::ZERO,
        }
    }

    /// The collateral that has to stay there for it.
    fn locked(&self) -> Money {
        match (&self.state, self.wanted.action, self.wanted.target) {
            (State::Delayed(..), Action::Buy, Target::Collateral(money)) => money,
            (_, Action::Buy, _) => Money::cost_ceil(self.wanted.limit, self.open()),
            (_, Action::Sell, _) => Money::ZERO,
        }
    }
}

/// How far a trade has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Matched, not on the chain.
    Matched,
    /// Did not get there at once.
    Retrying,
    /// In a block.
    Mined,
    /// For good.
    Confirmed,
    /// Never.
    Failed,
}

impl Stage {
    /// The name on the wire.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Matched => "MATCHED",
            Self::Retrying => "RETRYING",
            Self::Mined => "MINED",
            Self::Confirmed => "CONFIRMED",
            Self::Failed => "FAILED",
        }
    }

    /// Whether nothing comes after it.
    pub(super) const fn is_final(self) -> bool {
        matches!(self, Self::Confirmed | Self::Failed)
    }
}

/// What one of the account's orders did in a trade.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leg {
    /// Its place among the orders.
    pub(super) order: usize,
    pub(super) quantity: Quantity,
    pub(super) money: Money,
    pub(super) fee: Money,
}

/// One side of a trade.
#[derive(Debug, Clone)]
pub(super) struct Party {
    pub(super) order: String,
    pub(super) owner: String,
    pub(super) address: String,
    pub(super) asset: Asset,
    /// Of its own token.
    pub(super) side: Side,
    /// Of its own token.
    pub(super) price: Price,
    pub(super) quantity: Quantity,
}

/// A trade that at least one of the account's orders is in.
#[derive(Debug, Clone)]
pub(super) struct Trade {
    pub(super) id: String,
    pub(super) taker: Party,
    pub(super) makers: Vec<Party>,
    /// Whether the account's own order came in.
    pub(super) took: bool,
    pub(super) legs: Vec<Leg>,
    pub(super) stage: Stage,
    pub(super) course: Course,
    pub(super) matched: Timestamp,
    pub(super) updated: Timestamp,
    /// When it was matched by the true clock.
    pub(super) started: Timestamp,
    /// When it goes on.
    pub(super) due: Timestamp,
    /// The transaction, once there is one.
    pub(super) hash: String,
}

/// The wallet.
#[derive(Debug, Clone)]
pub(super) struct Account {
    paid_in: Money,
    pub(super) funds: History,
    pub(super) cash: Money,
    positions: BTreeMap<Asset, Quantity>,
    pub(super) orders: Vec<Order>,
    pub(super) trades: Vec<Trade>,
    /// The places of trades that are not final.
    pub(super) unsettled: BTreeSet<usize>,
    places: BTreeMap<String, usize>,
    fees: Money,
    payouts: Money,
}

impl Account {
    /// A wallet with so much collateral.
    pub(super) fn new(paid_in: Money) -> Self {
        Self {
            paid_in,
            funds: History::default(),
            cash: paid_in,
            positions: BTreeMap::new(),
            orders: Vec::new(),
            trades: Vec::new(),
            unsettled: BTreeSet::new(),
            places: BTreeMap::new(),
            fees: Money::ZERO,
            payouts: Money::ZERO,
        }
    }

    /// The place of an order.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// An order by its id.
    pub(super) fn order(&self, id: &str) -> Option<&Order> {
        self.orders.get(self.place(id)?)
    }

    /// Takes an order in; says its place.
    pub(super) fn enter(&mut self, order: Order) -> usize {
        let place = self.orders.len();
        self.places.insert(order.wanted.id.clone(), place);
        self.orders.push(order);
        place
    }

    /// What is held of a token, settled or not.
    pub(super) fn held(&self, asset: Asset) -> Quantity {
        self.positions.get(&asset).copied().unwrap_or_default()
    }

    /// All tokens that are held, settled or not.
    pub(super) fn positions(&self) -> impl Iterator<Item = (Asset, Quantity)> + '_ {
        self.positions.iter().map(|(asset, held)| (*asset, *held))
    }

    fn moving(&self) -> impl Iterator<Item = (&Order, &Leg)> + '_ {
        self.unsettled.iter().flat_map(move |place| {
            self.trades[*place].legs.iter().map(move |leg| (&self.orders[leg.order], leg))
        })
    }

    fn moving_shares(&self, asset: Asset, action: Action) -> Quantity {
        self.moving()
            .filter(|(order, _)| order.wanted.asset == asset && order.wanted.action == action)
            .fold(Quantity::ZERO, |sum, (_, leg)| sum.saturating_add(leg.quantity))
    }

    /// What matched orders have spent or earned, fees included, and what is not settled of it.
    pub(super) fn moving_money(&self, action: Action) -> Money {
        self.moving().filter(|(order, _)| order.wanted.action == action).fold(
            Money::ZERO,
            |sum, (_, leg)| match action {
                Action::Buy => sum + leg.money + leg.fee,
                Action::Sell => sum + leg.money - leg.fee,
            },
        )
    }

    /// What of a token is bought and not settled.
    pub(super) fn arriving(&self, asset: Asset) -> Quantity {
        self.moving_shares(asset, Action::Buy)
    }

    /// What is settled of a token and not sold.
    pub(super) fn settled(&self, asset: Asset) -> Quantity {
        self.held(asset).saturating_sub(self.arriving(asset))
    }

    /// The balance of a token on the chain.
    pub(super) fn chain_shares(&self, asset: Asset) -> Quantity {
        self.settled(asset).saturating_add(self.moving_shares(asset, Action::Sell))
    }

    /// The balance of collateral on the chain.
    pub(super) fn chain_cash(&self) -> Money {
        self.cash + self.moving_money(Action::Buy) - self.moving_money(Action::Sell)
    }

    /// The collateral that orders which rest or wait may need.
    pub(super) fn locked_cash(&self) -> Money {
        self.orders.iter().fold(Money::ZERO, |sum, order| sum + order.locked())
    }

    /// The shares that orders which rest or wait may need.
    pub(super) fn locked_shares(&self, asset: Asset) -> Quantity {
        self.orders
            .iter()
            .filter(|order| order.wanted.asset == asset && order.wanted.action == Action::Sell)
            .fold(Quantity::ZERO, |sum, order| sum.saturating_add(order.open()))
    }

    /// The collateral that a new order can spend.
    pub(super) fn free_cash(&self) -> Money {
        self.cash - self.moving_money(Action::Sell) - self.locked_cash()
    }

    /// The shares that a new order can sell.
    pub(super) fn free_shares(&self, asset: Asset) -> Quantity {
        self.settled(asset).saturating_sub(self.locked_shares(asset))
    }

    /// Books a trade that was matched.
    pub(super) fn matched(&mut self, trade: Trade) -> usize {
        for leg in &trade.legs {
            let order = &mut self.orders[leg.order];
            order.matched = order.matched.saturating_add(leg.quantity);
            order.filled = order.filled.saturating_add(leg.quantity);
            order.moved += leg.money;
            order.money += leg.money;
            order.fees += leg.fee;
            order.trades.push(trade.id.clone());
            self.fees += leg.fee;
            let held = self.positions.entry(order.wanted.asset).or_default();
            match order.wanted.action {
                Action::Buy => {
                    self.cash -= leg.money + leg.fee;
                    *held = held.saturating_add(leg.quantity);
                }
                Action::Sell => {
                    self.cash += leg.money - leg.fee;
                    *held = held.saturating_sub(leg.quantity);
                }
            }
        }
        let place = self.trades.len();
        self.unsettled.insert(place);
        self.trades.push(trade);
        place
    }

    /// Moves a trade on; when it fails, everything goes back.
    pub(super) fn advance(&mut self, place: usize, stage: Stage, now: Timestamp) {
        let Some(trade) = self.trades.get_mut(place).filter(|trade| !trade.stage.is_final()) else {
            return;
        };
        trade.stage = stage;
        trade.updated = now;
        if stage.is_final() {
            self.unsettled.remove(&place);
        }
        if stage != Stage::Failed {
            return;
        }
        for leg in &trade.legs {
            let order = &mut self.orders[leg.order];
            order.filled = order.filled.saturating_sub(leg.quantity);
            order.money -= leg.money;
            order.fees -= leg.fee;
            self.fees -= leg.fee;
            let held = self.positions.entry(order.wanted.asset).or_default();
            match order.wanted.action {
                Action::Buy => {
                    self.cash += leg.money + leg.fee;
                    *held = held.saturating_sub(leg.quantity);
                }
                Action::Sell => {
                    self.cash -= leg.money - leg.fee;
                    *held = held.saturating_add(leg.quantity);
                }
            }
        }
    }

    /// Turns one share of each outcome into a dollar; `false` when there are not so many free.
    pub(super) fn merge(&mut self, market: usize, quantity: Quantity) -> bool {
        let assets = Asset::both(market);
        if assets.iter().any(|asset| self.free_shares(*asset) < quantity) {
            return false;
        }
        for asset in assets {
            let held = self.positions.entry(asset).or_default();
            *held = held.saturating_sub(quantity);
        }
        self.cash += Money::payout(quantity);
        true
    }

    /// Pays out what is settled of a market; says how much that was.
    pub(super) fn redeem(&mut self, market: usize, yes_pays: Money) -> Money {
        let mut paid = Money::ZERO;
        for asset in Asset::both(market) {
            let settled = self.settled(asset);
            let each = match asset.outcome {
                Outcome::Yes => yes_pays,
                Outcome::No => Money::from_micros(Money::DOLLAR) - yes_pays,
            };
            let due = i128::from(settled.units()) * i128::from(each.micros());
            // The contract rounds what it pays down.
            let micros = due / i128::from(Money::DOLLAR);
            paid += Money::from_micros(i64::try_from(micros).unwrap_or(i64::MAX));
            let held = self.positions.entry(asset).or_default();
            *held = held.saturating_sub(settled);
        }
        self.cash += paid;
        self.payouts += paid;
        paid
    }

    /// Everything, as the exchange itself knows it.
    pub(super) fn statement(&self) -> Statement {
        let listed = |quantity: &dyn Fn(Asset) -> Quantity| {
            let entries = self.positions.keys().map(|asset| {
                let quantity = quantity(*asset);
                (asset.market, asset.outcome, quantity)
            });
            entries.filter(|(_, _, quantity)| !quantity.is_zero()).collect()
        };
        let order = |order: &Order| OrderStatement {
            id: order.wanted.id.clone(),
            client: String::new(),
            market: order.wanted.asset.market,
            outcome: order.wanted.asset.outcome,
            action: order.wanted.action,
            filled: order.filled,
            money: order.money,
            fees: order.fees,
            open: order.open(),
        };
        Statement {
            paid_in: self.paid_in,
            moved: self.funds.moved,
            earned: self.funds.earned,
            cash: vec![(0, self.cash)],
            positions: listed(&|asset| self.held(asset)),
            unsettled: listed(&|asset| self.arriving(asset)),
            fees: self.fees,
            payouts: self.payouts,
            orders: self.orders.iter().map(order).collect(),
        }
    }
}

/// The taker's fee of one fill: `shares x rate x p x (1 - p)`, rounded up to $0.00001, the smallest
/// fee. The venue does not document the direction; up is the dearer reading.
pub(super) fn fee(rate: Rate, price: Price, quantity: Quantity) -> Money {
    const GRAIN_MICROS: i128 = 10;
    // Rate and shares are in millionths, both prices in ten-thousandths, the fee in millionths.
    const SCALE: i128 = 1_000_000 * 10_000 * 10_000;
    let product = i128::from(rate.millionths())
        * i128::from(quantity.units())
        * i128::from(price.units())
        * i128::from(price.mirror().units());
    let grains = (product + SCALE * GRAIN_MICROS - 1) / (SCALE * GRAIN_MICROS);
    Money::from_micros(i64::try_from(grains * GRAIN_MICROS).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked examples of the venue's fee page.
    #[test]
    fn fees_are_those_of_the_worked_examples() {
        let cases = [
            ("0.04", "100", "0.45", "0.99"),
            ("0.05", "100", "0.45", "1.2375"),
            ("0.07", "100", "0.30", "1.47"),
            ("0.07", "100", "0.10", "0.63"),
            ("0.05", "40", "0.97", "0.0582"),
            ("0.05", "25", "0.13", "0.14138"),
            ("0", "100", "0.50", "0"),
        ];
        for (rate, shares, price, expected) in cases {
            let (rate, price) = (Rate::parse(rate).unwrap(), Price::parse(price).unwrap());
            let charged = fee(rate, price, Quantity::parse(shares).unwrap());
            assert_eq!(charged, Money::parse(expected).unwrap(), "{shares} at {price}");
        }
    }
}
