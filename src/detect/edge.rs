//! The two ladders walked together, to the quantity with the highest net dollars.
//!
//! # The arithmetic, exactly
//!
//! The walk takes the cheapest offers of both contracts first and goes on while one more share pays
//! more than it costs, exact fees and the resolution risk included. Then the venues' grids apply:
//!
//! - Polymarket takes a taker BUY in whole cents of collateral: the walked cost is floored to a
//!   cent, and shares come off the worst fills until the rest costs no more than that.
//! - Kalshi takes lots of 0.01 contract: its quantity is Polymarket's, floored to a lot. What
//!   Polymarket delivers beyond it (less than a lot) is paid for and pays nothing here.
//! - Because of that surplus a slightly smaller quantity can leave more. The next
//!   [`LOTS_TRIED`] smaller ones are tried, while they can.
//!
//! All figures follow from the fills that remain, in integers, so that anyone can recompute them to
//! the last micro-dollar:
//!
//! - `cost` of a leg: for each fill, price x quantity rounded up to a micro-dollar. The sum of
//!   Polymarket's is never above the cents that are spent;
//! - `fee` of a leg: for each fill, [`FeeModel::estimate`], which is rate x quantity x
//!   (price x (1 - price))^exponent rounded up to $0.0001 on Kalshi and to $0.00001 on Polymarket;
//! - `quantity`: the sum of Kalshi's fills; `payout`: a dollar for each contract of it;
//! - `resolution_risk`: the pair's risk x quantity, rounded up to a micro-dollar;
//! - `profit`: payout - cost - fees - resolution risk, both legs together;
//! - `edge`: profit / quantity, rounded down to a micro-dollar.
//!
//! The all-in cost of a share rises along a ladder, so the greedy walk is optimal before rounding.
//! With fee rounding and grids it trails the best of all quantities that pay at every share by at
//! most $0.0001 for each Kalshi level used, $0.00001 for each Polymarket level used, and one
//! grain's profit: what the first lot, or the first cent's worth of shares where that is more,
//! leaves. Some larger quantity may come out even in cents and leave more, by less than a lot's
//! cent; it is left alone, because its limit price would reach into levels that lose. A property
//! test against brute force in exact integers holds the walk to both bounds.

use crate::book::{Ladder, Level};
use crate::domain::{FeeModel, Minimum, Money, Outcome, Price, Quantity, Side};

pub use super::fit::LOTS_TRIED;
pub use super::payoff::{Holding, annualised, worst};

use super::NoEdge;
use super::fit;

/// A dollar in 1e-14 dollars, the unit in which a share's exact cost is compared.
const DOLLAR_E14: i64 = 100_000_000_000_000;
const PRICE_E14: i64 = DOLLAR_E14 / Price::ONE as i64;
const MICRO_E14: i64 = DOLLAR_E14 / Money::DOLLAR;

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

    /// What one contract costs at a price, fee included, in 1e-14 dollars.
    pub(super) fn cost_e14(&self, price: Price) -> i64 {
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

impl Terms {
    /// What a share of each contract may cost together, fees included, in 1e-14 dollars.
    fn bound_e14(&self) -> i64 {
        DOLLAR_E14.saturating_sub(self.risk().micros().saturating_mul(MICRO_E14))
    }

    /// What is held back per contract; nothing is ever added for it.
    fn risk(&self) -> Money {
        self.resolution_risk.max(Money::ZERO)
    }
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
    let bound = terms.bound_e14();
    let (mut k_offers, mut p_offers) = (kalshi.offers(), polymarket.offers());
    let (Some(mut k), Some(mut p)) = (k_offers.next(), p_offers.next()) else {
        return Err(NoEdge::NoDepth);
    };
    let (mut k_cost, mut p_cost) = (kalshi.cost_e14(k.price), polymarket.cost_e14(p.price));
    if k_cost + p_cost >= bound {
        return Err(NoEdge::BelowThreshold);
    }
    // The first share is the best one. That the average of a deep walk looks sane makes a price
    // that cannot be true no better.
    let believed = terms.edge_max.micros().saturating_mul(MICRO_E14);
    if bound - (k_cost + p_cost) > believed {
        return Err(NoEdge::TooGood);
    }
    fills.kalshi.clear();
    fills.polymarket.clear();
    let mut room = terms.contracts_max;
    while !room.is_zero() && k_cost + p_cost < bound {
        let taken = k.quantity.min(p.quantity).min(room);
        add(&mut fills.kalshi, k.price, taken);
        add(&mut fills.polymarket, p.price, taken);
        room = room.saturating_sub(taken);
        k.quantity = k.quantity.saturating_sub(taken);
        p.quantity = p.quantity.saturating_sub(taken);
        if k.quantity.is_zero() {
            let Some(next) = k_offers.next() else { break };
            k = next;
            k_cost = kalshi.cost_e14(k.price);
        }
        if p.quantity.is_zero() {
            let Some(next) = p_offers.next() else { break };
            p = next;
            p_cost = polymarket.cost_e14(p.price);
        }
    }
    fit::fit(kalshi, polymarket, bound, fills);
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

fn settle(
    kalshi: &Leg<'_>,
    polymarket: &Leg<'_>,
    terms: &Terms,
    fills: &Fills,
) -> Result<Edge, NoEdge> {
    let quantity = fit::total(&fills.kalshi);
    let (Some(kalshi), Some(polymarket)) =
        (leg_edge(kalshi, &fills.kalshi), leg_edge(polymarket, &fills.polymarket))
    else {
        return Err(NoEdge::BelowMinimum);
    };
    let payout = Money::payout(quantity);
    let cost = kalshi.cost + polymarket.cost;
    let fees = kalshi.fee + polymarket.fee;
    let resolution_risk = terms.risk().per_contract_ceil(quantity);
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

#[cfg(test)]
mod tests;
