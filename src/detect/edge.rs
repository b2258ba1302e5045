//! The two ladders walked together, to the quantity with the highest net dollars.
//!
//! # The arithmetic, exactly
//!
//! The walk takes the cheapest offers of both contracts first and goes on while one more share pays
//! more than it costs, exact fees and the resolution risk included. Then the venues' grids apply:
//!
//! - Polymarket takes a taker BUY in whole cents of collateral. The cost is floored to a cent, and
//!   what that no longer buys is taken off the worst fills.
//! - Kalshi takes lots of 0.01 contract: its quantity is Polymarket's, floored to a lot. What
//!   Polymarket delivers beyond it (less than a lot) is paid for and pays nothing here.
//!
//! All figures follow from the fills that remain:
//!
//! - `cost`: for each fill, price x quantity rounded up to a micro-dollar;
//! - `fee`: for each fill, [`FeeModel::estimate`], which rounds up to $0.0001 on Kalshi and to
//!   $0.00001 on Polymarket;
//! - `payout`: a dollar for each contract of Kalshi's quantity;
//! - `profit`: payout - cost - fees - resolution risk; `edge`: profit per contract, rounded down.
//!
//! The all-in cost of a share rises along a ladder, so the greedy walk is optimal before rounding.
//! With fee rounding and grids it trails the best of all quantities by at most $0.0001 for each
//! Kalshi level used, $0.00001 for each Polymarket level used, and one grain's profit; a property
//! test against brute force over exact fractions holds it to that.

use crate::book::{Ladder, Level};
use crate::domain::{Date, FeeModel, Minimum, Money, Outcome, Price, Quantity, Side, Timestamp};
use crate::pairing::{Branch, Payoff};

use super::NoEdge;

/// A dollar in 1e-14 dollars, the unit in which a share's exact cost is compared.
const DOLLAR_E14: i64 = 100_000_000_000_000;
const PRICE_E14: i64 = DOLLAR_E14 / Price::ONE as i64;
const MICRO_E14: i64 = DOLLAR_E14 / Money::DOLLAR;

/// A cent in the unit of price times quantity, 1e-10 dollars.
const CENT_PRODUCT: i128 = 100_000_000;

/// What is offered of one contract.
#[derive(Debug, Clone, Copy)]
pub struct Leg<'a> {
    /// Which contract is bought.
    pub outcome: Outcome,
    /// The ladder that its buyer takes from, in prices of YES.
    pub ladder: &'a Ladder,
    /// The taker fee.
    pub fee: FeeModel,
    /// The smallest order.
    pub minimum: Minimum,
}

impl Leg<'_> {
    /// The offers, best first, at the contract's own price.
    fn offers(&self) -> impl Iterator<Item = Level> + '_ {
        let mirrored = self.ladder.side() == Side::Bid;
        self.ladder.best_first().map(move |level| {
            if mirrored { Level { price: level.price.mirror(), ..level } } else { level }
        })
    }

    fn cost_e14(&self, price: Price) -> i64 {
        let fee = i64::try_from(self.fee.per_contract_e14(price)).unwrap_or(DOLLAR_E14);
        i64::from(price.units()) * PRICE_E14 + fee
    }
}

/// What an edge must satisfy.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Held back per contract.
    pub resolution_risk: Money,
    /// Most contracts.
    pub contracts_max: Quantity,
    /// Least profit per contract.
    pub edge_min: Money,
    /// Most profit per contract that is believed.
    pub edge_max: Money,
    /// Least profit.
    pub profit_min: Money,
}

/// What would be bought, level by level, at each contract's own price. Reused from walk to walk.
#[derive(Debug, Clone, Default)]
pub struct Fills {
    /// On Kalshi.
    pub kalshi: Vec<(Price, Quantity)>,
    /// On Polymarket.
    pub polymarket: Vec<(Price, Quantity)>,
}

/// One leg's share of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegEdge {
    /// The worst price paid.
    pub limit: Price,
    /// What the fills cost.
    pub cost: Money,
    /// Their estimated fees.
    pub fee: Money,
}

/// What is left of the payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Matched contracts.
    pub quantity: Quantity,
    /// What they pay.
    pub payout: Money,
    /// What both legs cost.
    pub cost: Money,
    /// Both legs' fees.
    pub fees: Money,
    /// What is held back.
    pub resolution_risk: Money,
    /// What is left.
    pub profit: Money,
    /// What is left per contract, rounded down.
    pub edge: Money,
    /// Kalshi's share.
    pub kalshi: LegEdge,
    /// Polymarket's share.
    pub polymarket: LegEdge,
}

/// Walks both ladders and says what is left, or why nothing is. On `Ok` the fills are what would be
/// bought; on `Err` they mean nothing.
pub fn walk(
    kalshi: &Leg<'_>,
    polymarket: &Leg<'_>,
    terms: &Terms,
    fills: &mut Fills,
) -> Result<Edge, NoEdge> {
    let risk = terms.resolution_risk.micros().saturating_mul(MICRO_E14);
    let pays = |k: Price, p: Price| {
        kalshi.cost_e14(k) + polymarket.cost_e14(p) < DOLLAR_E14.saturating_sub(risk)
    };
    let (mut k_offers, mut p_offers) = (kalshi.offers(), polymarket.offers());
    let (Some(mut k), Some(mut p)) = (k_offers.next(), p_offers.next()) else {
        return Err(NoEdge::NoDepth);
    };
    if !pays(k.price, p.price) {
        return Err(NoEdge::BelowThreshold);
    }
    fills.kalshi.clear();
    fills.polymarket.clear();
    let mut room = terms.contracts_max;
    while !room.is_zero() && pays(k.price, p.price) {
        let taken = k.quantity.min(p.quantity).min(room);
        add(&mut fills.kalshi, k.price, taken);
        add(&mut fills.polymarket, p.price, taken);
        room = room.saturating_sub(taken);
        k.quantity = k.quantity.saturating_sub(taken);
        p.quantity = p.quantity.saturating_sub(taken);
        if k.quantity.is_zero() {
            let Some(next) = k_offers.next() else { break };
            k = next;
        }
        if p.quantity.is_zero() {
            let Some(next) = p_offers.next() else { break };
            p = next;
        }
    }
    fit(fills);
    let edge = settle(kalshi, polymarket, terms, fills)?;
    judge(&edge, kalshi, polymarket, terms)
}

/// Adds to the last fill if it has the same price.
fn add(fills: &mut Vec<(Price, Quantity)>, price: Price, quantity: Quantity) {
    match fills.last_mut() {
        Some(last) if last.0 == price => last.1 = last.1.saturating_add(quantity),
        _ => fills.push((price, quantity)),
    }
}

/// Applies the venues' size grids, as told in the module's documentation.
fn fit(fills: &mut Fills) {
    let product: i128 = fills.polymarket.iter().map(|fill| product_of(*fill)).sum();
    let mut shaved = product % CENT_PRODUCT;
    while shaved > 0 {
        let Some(last) = fills.polymarket.last_mut() else { break };
        let held = product_of(*last);
        if held <= shaved {
            shaved -= held;
            fills.polymarket.pop();
            continue;
        }
        let price = i128::from(last.0.units());
        let off = (shaved + price - 1) / price;
        let off = i64::try_from(off).ok().and_then(Quantity::from_units).unwrap_or(last.1);
        last.1 = last.1.saturating_sub(off);
        shaved = 0;
        if last.1.is_zero() {
            fills.polymarket.pop();
        }
    }
    let bought = total(&fills.polymarket).floor_to(Quantity::LOT);
    let mut surplus = total(&fills.kalshi).saturating_sub(bought);
    while !surplus.is_zero() {
        let Some(last) = fills.kalshi.last_mut() else { break };
        if last.1 <= surplus {
            surplus = surplus.saturating_sub(last.1);
            fills.kalshi.pop();
        } else {
            last.1 = last.1.saturating_sub(surplus);
            break;
        }
    }
}

fn product_of((price, quantity): (Price, Quantity)) -> i128 {
    i128::from(price.units()) * i128::from(quantity.units())
}

fn total(fills: &[(Price, Quantity)]) -> Quantity {
    fills.iter().fold(Quantity::ZERO, |sum, fill| sum.saturating_add(fill.1))
}

fn settle(
    kalshi: &Leg<'_>,
    polymarket: &Leg<'_>,
    terms: &Terms,
    fills: &Fills,
) -> Result<Edge, NoEdge> {
    let quantity = total(&fills.kalshi);
    let (Some(kalshi), Some(polymarket)) =
        (leg_edge(kalshi, &fills.kalshi), leg_edge(polymarket, &fills.polymarket))
    else {
        return Err(NoEdge::BelowMinimum);
    };
    let payout = Money::payout(quantity);
    let cost = kalshi.cost + polymarket.cost;
    let fees = kalshi.fee + polymarket.fee;
    let resolution_risk = terms.resolution_risk.per_contract_ceil(quantity);
    let profit = payout - cost - fees - resolution_risk;
    let edge = profit.per_contract_floor(quantity).ok_or(NoEdge::BelowMinimum)?;
    Ok(Edge { quantity, payout, cost, fees, resolution_risk, profit, edge, kalshi, polymarket })
}

fn leg_edge(leg: &Leg<'_>, fills: &[(Price, Quantity)]) -> Option<LegEdge> {
    let limit = fills.last()?.0;
    let mut edge = LegEdge { limit, cost: Money::ZERO, fee: Money::ZERO };
    for (price, quantity) in fills {
        edge.cost += Money::cost_ceil(*price, *quantity);
        edge.fee += leg.fee.estimate(*price, *quantity);
    }
    Some(edge)
}

fn judge(
    edge: &Edge,
    kalshi: &Leg<'_>,
    polymarket: &Leg<'_>,
    terms: &Terms,
) -> Result<Edge, NoEdge> {
    let enough = |leg: &Leg<'_>, cost: Money| {
        edge.quantity >= leg.minimum.quantity && cost >= leg.minimum.notional
    };
    if edge.edge > terms.edge_max {
        Err(NoEdge::TooGood)
    } else if !enough(kalshi, edge.kalshi.cost) || !enough(polymarket, edge.polymarket.cost) {
        Err(NoEdge::BelowMinimum)
    } else if !edge.profit.is_positive()
        || edge.edge < terms.edge_min
        || edge.profit < terms.profit_min
    {
        Err(NoEdge::BelowThreshold)
    } else {
        Ok(*edge)
    }
}

/// Simple annual return in thousandths, rounded down: `profit / outlay x 365 / days`, where days is
/// the exact time from `now` to the start of `settles` in UTC. `None` when that is not ahead.
pub fn annualised(profit: Money, outlay: Money, now: Timestamp, settles: Date) -> Option<i64> {
    const YEAR_NANOS: i128 = 365 * 86_400 * 1_000_000_000;
    let ahead = Timestamp::start_of(settles)?.nanos().checked_sub(now.nanos())?;
    if ahead <= 0 || !outlay.is_positive() {
        return None;
    }
    let numerator = i128::from(profit.micros()) * 1_000 * YEAR_NANOS;
    let denominator = i128::from(outlay.micros()) * i128::from(ahead);
    i64::try_from(numerator.div_euclid(denominator)).ok()
}

/// What is held of both legs, for the worst case.
#[derive(Debug, Clone, Copy)]
pub struct Holding {
    /// How many contracts.
    pub quantity: Quantity,
    /// What they cost, without fees.
    pub cost: Money,
    /// Whether the contract is the one that the payoff table speaks of, or the other.
    pub outcome: Outcome,
}

/// The worst total over the payoff table and the plain yes and no: what both legs pay, less their
/// cost and fees. `None` without a table.
///
/// `Last` and `Fair` can be anything, at each venue by itself, so a holder counts nothing. A leg
/// that is paid `as-resolved` where the other is not counts nothing either. Two legs that both pay
/// as resolved pay as planned.
pub fn worst(
    table: &[Branch],
    kalshi: &Holding,
    polymarket: &Holding,
    fees: Money,
) -> Option<Money> {
    if table.is_empty() {
        return None;
    }
    let spent = kalshi.cost + polymarket.cost + fees;
    let planned = Money::payout(kalshi.quantity.min(polymarket.quantity));
    let mut least = planned;
    for branch in table {
        let both = (branch.kalshi, branch.polymarket);
        let paid = if both == (Payoff::AsResolved, Payoff::AsResolved) {
            planned
        } else {
            paid(branch.kalshi, kalshi) + paid(branch.polymarket, polymarket)
        };
        least = least.min(paid);
    }
    Some(least - spent)
}

fn paid(payoff: Payoff, held: &Holding) -> Money {
    match payoff {
        Payoff::Last | Payoff::Fair | Payoff::AsResolved => Money::ZERO,
        Payoff::Refund => held.cost,
        Payoff::Fixed(yes) => {
            let each = match held.outcome {
                Outcome::Yes => yes,
                Outcome::No => Money::from_micros(Money::DOLLAR) - yes,
            };
            -((-each).per_contract_ceil(held.quantity))
        }
    }
}
