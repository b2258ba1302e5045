//! From a locked position to a plan that sells both legs before they settle.
//!
//! A locked position pays a dollar a contract in the end, whatever was paid for it. Selling it
//! early is worth while only for a set gain over that dollar, net of all fees: what was locked is
//! never given up. What is sold is what both books take at prices that leave it, level by level.

use crate::domain::{Action, Money, Price, Quantity, Size, Timestamp, Venue};
use crate::pairing::PairId;

use super::bound::fee_max;
use super::entry::leg;
use super::{Kind, Leg, NoPlan, Plan, Proposal, Settings, Side, Stages};

/// A locked position that may be closed. Lists have Kalshi first.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The pair.
    pub pair: &'a PairId,
    /// The two contracts that are held, with the books that they would be sold into.
    pub sides: [Side<'a>; 2],
    /// How many of each.
    pub quantity: Quantity,
    /// What they cost, fees included.
    pub paid: Money,
}

/// Makes a plan that sells both legs for at least the set gain.
pub fn exit(held: &Held<'_>, settings: &Settings, now: Timestamp) -> Result<Proposal, NoPlan> {
    let gain_min = settings.exit_gain_min.ok_or(NoPlan::NoGain)?;
    let delays = held.sides.map(|side| !side.delay.is_zero());
    if delays == [true, true] {
        return Err(NoPlan::VenueDelay);
    }
    let paid_each = held.paid.per_contract_floor(held.quantity).ok_or(NoPlan::NoGain)?;
    let least = Money::from_micros(Money::DOLLAR) + gain_min;
    let sold = walk(held, least).ok_or(NoPlan::NoGain)?;
    let enough = |at: usize| {
        let minimum = held.sides[at].minimum;
        let brings = Money::cost_floor(sold.limits[at], sold.quantity);
        sold.quantity >= minimum.quantity && brings >= minimum.notional
    };
    if !enough(0) || !enough(1) {
        return Err(NoPlan::BelowMinimum);
    }
    let size = Size::Contracts(sold.quantity);
    let sell = |at: usize, venue| {
        let (side, limit) = (&held.sides[at], sold.limits[at]);
        let fee_max = fee_max(side.fee, Action::Sell, size, limit);
        Leg { fee_max, ..leg(venue, side, limit, sold.quantity) }
    };
    let stages =
        if delays[0] { Stages::First(Venue::Kalshi) } else { Stages::First(Venue::Polymarket) };
    let plan = Plan {
        pair: held.pair.clone(),
        opportunity: 0,
        kind: Kind::Exit,
        legs: [sell(0, Venue::Kalshi), sell(1, Venue::Polymarket)],
        stages,
        quantity: sold.quantity,
        profit: sold.brings - least_for(paid_each, sold.quantity),
        loss_max: settings.loss_max,
        reserve: Money::ZERO,
        answer_max: settings.answer_max,
        stranded_max: settings.stranded_max,
        at: now,
    };
    let purses = [held.sides[0].purse, held.sides[1].purse];
    Ok(Proposal { plan, purses, dust_max: Money::ZERO })
}

/// What `quantity` cost, rounded up.
fn least_for(paid_each: Money, quantity: Quantity) -> Money {
    (paid_each + Money::from_micros(1)).per_contract_ceil(quantity)
}

/// What is sold of both.
#[derive(Debug, Clone, Copy)]
struct Sold {
    quantity: Quantity,
    limits: [Price; 2],
    /// What it brings, fees taken off.
    brings: Money,
}

/// Sells to the best bids of both books as long as a contract of each brings `least`.
fn walk(held: &Held<'_>, least: Money) -> Option<Sold> {
    let mut bids = held.sides.map(|side| side.bids.iter().copied());
    let mut heads = [bids[0].next()?, bids[1].next()?];
    let mut sold: Option<Sold> = None;
    let mut left = held.quantity.floor_to(Quantity::LOT);
    loop {
        let taken = heads[0].1.min(heads[1].1).min(left).floor_to(Quantity::LOT);
        let brought = |at: usize| {
            let fee = held.sides[at].fee.estimate(heads[at].0, taken);
            Money::cost_floor(heads[at].0, taken) - fee
        };
        if !taken.is_zero() {
            let brings = brought(0) + brought(1);
            if brings < least.per_contract_ceil(taken) {
                return sold;
            }
            let before = sold.map_or((Quantity::ZERO, Money::ZERO), |s| (s.quantity, s.brings));
            sold = Some(Sold {
                quantity: before.0.saturating_add(taken),
                limits: [heads[0].0, heads[1].0],
                brings: before.1 + brings,
            });
            left = left.saturating_sub(taken);
        }
        if left.is_zero() {
            return sold;
        }
        for at in 0..2 {
            heads[at].1 = heads[at].1.saturating_sub(taken);
            if heads[at].1 < lot() {
                match bids[at].next() {
                    Some(next) => heads[at] = next,
                    None => return sold,
                }
            }
        }
    }
}

fn lot() -> Quantity {
    Quantity::from_units(Quantity::LOT).unwrap_or(Quantity::ZERO)
}

#[cfg(test)]
mod tests;
