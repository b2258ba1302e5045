//! From two legs that were found cheap together to a plan that opens a position.
//!
//! The figures of a plan are bounds, not estimates: whatever fills at or better than the limits,
//! what is spent stays within `cost_max`, `fee_max` and `reserve`. Polymarket's BUY is in whole
//! cents of collateral and may bring more contracts than were walked; the contracts that it brings
//! at the best ask less the configured improvement are what Kalshi's leg is reserved for. What
//! comes beyond that is surplus: the executor treats it like any stranded quantity.

use crate::domain::{Action, Money, Price, Quantity, Size, Timestamp, Venue};
use crate::pairing::{Legs, PairId};

use super::bound::fee_max;
use super::{Kind, Leg, NoPlan, Plan, Proposal, Settings, Side, Stages, way};

/// A cent of collateral, in micro-dollars.
const CENT: i64 = Money::DOLLAR / 100;

/// An opportunity as it was walked. Lists have Kalshi first.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The pair.
    pub pair: &'a PairId,
    /// The order of legs that the pair asks for.
    pub legs: Option<Legs>,
    /// The number of the opportunity.
    pub opportunity: u64,
    /// Both sides.
    pub sides: [Side<'a>; 2],
    /// What was walked of each, best first, on both venues' grids.
    pub fills: [&'a [(Price, Quantity)]; 2],
    /// The profit that was walked.
    pub profit: Money,
}

/// Makes a plan that buys both legs.
pub fn enter(found: &Found<'_>, settings: &Settings, now: Timestamp) -> Result<Proposal, NoPlan> {
    let [kalshi, polymarket] = &found.sides;
    let quantity = total(found.fills[0]).floor_to(Quantity::LOT);
    let limit = |at: usize| found.fills[at].last().map(|fill| fill.0).ok_or(NoPlan::BelowMinimum);
    let limits = [limit(0)?, limit(1)?];
    let collateral = cents_ceil(cost(found.fills[1]));
    let enough = |side: &Side<'_>, spend: Money| {
        quantity >= side.minimum.quantity && spend >= side.minimum.notional
    };
    if quantity.is_zero()
        || !enough(kalshi, cost(found.fills[0]))
        || !enough(polymarket, collateral)
    {
        return Err(NoPlan::BelowMinimum);
    }
    let stages = stages(found, limits, settings)?;
    let best = found.fills[1].first().map_or(limits[1], |fill| fill.0);
    let brought = most_brought(collateral, best, settings.improvement_max).max(quantity);
    // A hedge by collateral pays up to its limit for each contract that Kalshi brought.
    let spend = match stages {
        Stages::First(Venue::Kalshi) => cents_ceil(Money::cost_ceil(limits[1], quantity)),
        Stages::First(Venue::Polymarket) | Stages::Together => collateral,
    };
    let hedged = match stages {
        Stages::First(Venue::Kalshi) => quantity,
        Stages::First(Venue::Polymarket) | Stages::Together => brought,
    };
    let legs = [
        Leg {
            size: Size::Contracts(quantity),
            cost_max: Money::cost_ceil(limits[0], hedged),
            fee_max: fee_max(kalshi.fee, Action::Buy, Size::Contracts(hedged), limits[0]),
            ..leg(Venue::Kalshi, kalshi, limits[0], quantity)
        },
        Leg {
            size: Size::Collateral(collateral),
            cost_max: spend,
            fee_max: fee_max(polymarket.fee, Action::Buy, Size::Collateral(spend), limits[1]),
            ..leg(Venue::Polymarket, polymarket, limits[1], total(found.fills[1]))
        },
    ];
    check_way_out(found, stages, quantity, settings)?;
    let plan = Plan {
        pair: found.pair.clone(),
        opportunity: found.opportunity,
        kind: Kind::Enter,
        reserve: reserve(&legs, hedged, settings.loss_max),
        legs,
        stages,
        quantity,
        profit: found.profit,
        loss_max: settings.loss_max,
        answer_max: settings.answer_max,
        stranded_max: settings.stranded_max,
        at: now,
    };
    let dust_max = dust_max(found, &plan);
    Ok(Proposal { plan, purses: [kalshi.purse, polymarket.purse], dust_max })
}

pub(super) fn leg(venue: Venue, side: &Side<'_>, limit: Price, quantity: Quantity) -> Leg {
    Leg {
        venue,
        market: side.market,
        event: side.event.to_owned(),
        group: side.group.to_owned(),
        outcome: side.outcome,
        limit,
        size: Size::Contracts(quantity),
        quantity,
        cost_max: Money::ZERO,
        fee_max: Money::ZERO,
    }
}

pub(super) fn total(fills: &[(Price, Quantity)]) -> Quantity {
    fills.iter().fold(Quantity::ZERO, |sum, fill| sum.saturating_add(fill.1))
}

fn cost(fills: &[(Price, Quantity)]) -> Money {
    fills.iter().fold(Money::ZERO, |sum, fill| sum + Money::cost_ceil(fill.0, fill.1))
}

const fn cents_ceil(money: Money) -> Money {
    Money::from_micros(money.micros() + CENT - 1).floor_to(CENT)
}

/// How many contracts collateral brings when it fills better than the best ask by `improvement`,
/// in whole lots, rounded up.
fn most_brought(collateral: Money, best: Price, improvement: Money) -> Quantity {
    const MICROS_PER_UNIT: i64 = Money::DOLLAR / Price::ONE as i64;
    let better = u16::try_from(improvement.micros().max(0) / MICROS_PER_UNIT).unwrap_or(u16::MAX);
    let price = Price::from_units(best.units().saturating_sub(better)).unwrap_or(Price::MIN);
    let brought = collateral.buys_ceil(price);
    let rest = Quantity::LOT - 1;
    let up = Quantity::from_units(brought.units().saturating_add(rest)).unwrap_or(Quantity::MAX);
    up.floor_to(Quantity::LOT)
}

/// Which leg goes first. A leg that its venue holds back goes first whatever was asked for: sent
/// last, it would leave the other one alone meanwhile.
fn stages(found: &Found<'_>, limits: [Price; 2], settings: &Settings) -> Result<Stages, NoPlan> {
    match found.sides.map(|side| side.delay.is_zero()) {
        [false, false] => return Err(NoPlan::VenueDelay),
        [false, true] => return Ok(Stages::First(Venue::Kalshi)),
        [true, false] => return Ok(Stages::First(Venue::Polymarket)),
        [true, true] => {}
    }
    Ok(match found.legs.unwrap_or(settings.legs) {
        Legs::PolymarketFirst => Stages::First(Venue::Polymarket),
        Legs::KalshiFirst => Stages::First(Venue::Kalshi),
        Legs::Concurrent => Stages::Together,
        Legs::ThinFirst => {
            let depth = |at: usize| {
                let within = |level: &&(Price, Quantity)| level.0 <= limits[at];
                found.sides[at]
                    .offers
                    .iter()
                    .filter(within)
                    .fold(Quantity::ZERO, |sum, level| sum.saturating_add(level.1))
            };
            let thin = if depth(0) < depth(1) { Venue::Kalshi } else { Venue::Polymarket };
            Stages::First(thin)
        }
    })
}

/// Refuses a plan whose first leg, alone, could not be got out of within the loss budget.
fn check_way_out(
    found: &Found<'_>,
    stages: Stages,
    quantity: Quantity,
    settings: &Settings,
) -> Result<(), NoPlan> {
    let out_of = |at: usize| {
        let (own, other) = (&found.sides[at], &found.sides[1 - at]);
        let fills = found.fills[at];
        let fees =
            fills.iter().fold(Money::ZERO, |sum, fill| sum + own.fee.estimate(fill.0, fill.1));
        let paid = cost(fills) + fees;
        let unwind = way::unwind_loss(own.bids, quantity, own.fee, paid, settings.slack);
        let finish = way::finish_loss(other.offers, quantity, other.fee, paid, settings.slack);
        finish.map_or(unwind, |finish| finish.min(unwind)) <= settings.loss_max
    };
    let is_open = match stages {
        Stages::First(Venue::Kalshi) => out_of(0),
        Stages::First(Venue::Polymarket) => out_of(1),
        Stages::Together => out_of(0) && out_of(1),
    };
    if is_open { Ok(()) } else { Err(NoPlan::NoWayOut) }
}

/// With this much beyond both legs, the missing one can be finished at any price at which the
/// whole loses no more than its budget.
fn reserve(legs: &[Leg; 2], most: Quantity, loss_max: Money) -> Money {
    let both = legs.iter().fold(Money::ZERO, |sum, leg| sum + leg.cost_max + leg.fee_max);
    (Money::payout(most) - both).max(Money::ZERO) + loss_max
}

/// What a partial fill of the first leg can cost at most and still be less than the other venue
/// takes as a hedge, and than its own takes back.
fn dust_max(found: &Found<'_>, plan: &Plan) -> Money {
    let taken_by = |at: usize| {
        let minimum = found.sides[at].minimum;
        minimum.quantity.max(minimum.notional.buys_ceil(plan.legs[at].limit))
    };
    let least = taken_by(0).min(taken_by(1));
    let left_by = |first: usize| {
        let leg = &plan.legs[first];
        let least = least.min(leg.quantity);
        let fee = fee_max(found.sides[first].fee, Action::Buy, Size::Contracts(least), leg.limit);
        Money::cost_ceil(leg.limit, least) + fee
    };
    match plan.stages {
        Stages::First(Venue::Kalshi) => left_by(0),
        Stages::First(Venue::Polymarket) => left_by(1),
        Stages::Together => left_by(0).max(left_by(1)),
    }
}

#[cfg(test)]
mod tests;
