//! The figures of an opportunity, worked out anew from its fills and rates.

use crossbook::domain::{Money, Outcome, Price, Quantity, Rate};
use crossbook::engine::effect::{Leg, Opportunity};

use super::hall::Image;

const DOLLAR: i128 = 1_000_000;

fn ceil(numerator: i128, denominator: i128) -> i128 {
    -(-numerator).div_euclid(denominator)
}

fn quantity(leg: &Leg) -> i128 {
    leg.fills.iter().map(|fill| i128::from(fill.1.units())).sum()
}

/// Price in 1/10,000 times quantity in 1/1,000,000, up to a micro-dollar.
fn cost(leg: &Leg) -> i128 {
    let cost = |fill: &(Price, Quantity)| {
        ceil(i128::from(fill.0.units()) * i128::from(fill.1.units()), 10_000)
    };
    leg.fills.iter().map(cost).sum()
}

/// Rate in 1/1,000,000; up to `grain` micro-dollars.
fn fee(leg: &Leg, grain: i128) -> i128 {
    let fee = |fill: &(Price, Quantity)| {
        let price = i128::from(fill.0.units());
        let spread = price * (10_000 - price);
        let rate = i128::from(leg.fee_model.rate.millionths());
        let exact = rate * i128::from(fill.1.units()) * spread;
        ceil(exact, 100_000_000_000_000 * grain) * grain
    };
    leg.fills.iter().map(fee).sum()
}

fn same(what: &str, told: Money, own: i128) -> Result<(), String> {
    if i128::from(told.micros()) == own {
        return Ok(());
    }
    Err(format!("{what} is told as {told} and is {own} micro-dollars"))
}

/// Whether every figure follows from the fills, to the micro-dollar.
pub(super) fn check(found: &Opportunity, risk: Money, rates: [Rate; 2]) -> Result<(), String> {
    let [kalshi, polymarket] = &found.legs;
    for (leg, rate) in found.legs.iter().zip(rates) {
        if leg.fee_model.rate != rate {
            return Err(format!("the exchange charges {rate}, {} is told", leg.fee_model.rate));
        }
        if leg.fills.iter().map(|fill| fill.0).max() != Some(leg.limit) {
            return Err("the limit is not the worst price".to_owned());
        }
        if !leg.fills.is_sorted_by(|a, b| a.0 < b.0) {
            return Err("fills are not best first, each price once".to_owned());
        }
    }
    let matched = quantity(kalshi);
    let beyond = quantity(polymarket) - matched;
    if matched != i128::from(found.quantity.units()) || !(0..10_000).contains(&beyond) {
        return Err(format!("{matched} contracts are matched, {beyond} are left over"));
    }
    let (cost, fees) = (cost(kalshi) + cost(polymarket), [fee(kalshi, 100), fee(polymarket, 10)]);
    same("kalshi's fee", kalshi.fee, fees[0])?;
    same("polymarket's fee", polymarket.fee, fees[1])?;
    same("cost", found.cost, cost)?;
    same("fees", found.fees, fees[0] + fees[1])?;
    same("payout", found.payout, matched)?;
    let held_back = ceil(i128::from(risk.micros()) * matched, DOLLAR);
    same("resolution risk", found.resolution_risk, held_back)?;
    let profit = matched - cost - fees[0] - fees[1] - held_back;
    same("profit", found.profit, profit)?;
    same("edge", found.edge, (profit * DOLLAR).div_euclid(matched))
}

/// The first fill that an exchange's book does not offer to a buyer of `outcome`.
pub(super) fn missing(
    outcome: Outcome,
    fills: &[(Price, Quantity)],
    image: &Image,
) -> Option<(Price, Quantity)> {
    let offered = |price: Price| match outcome {
        Outcome::Yes => image.asks.get(&price.units()),
        Outcome::No => image.bids.get(&(10_000 - price.units())),
    };
    fills.iter().find(|fill| offered(fill.0).copied().unwrap_or(0) < fill.1.units()).copied()
}

/// The cheapest offer to a buyer of `outcome`.
pub(super) fn best(outcome: Outcome, image: &Image) -> Option<Price> {
    let units = match outcome {
        Outcome::Yes => image.asks.first_key_value().map(|level| *level.0),
        Outcome::No => image.bids.last_key_value().map(|level| 10_000 - *level.0),
    };
    units.and_then(Price::from_units)
}
