//! How much an order gives and gets, in the amounts that the exchange takes.
//!
//! The venue sees no price: it divides the two amounts, and refuses a quotient off the grid and
//! amounts with too many decimals. Orders that may rest ask for shares, and collateral follows.
//! Orders that take are market orders to the venue, whatever built them: a BUY spends whole cents,
//! and its shares are rounded down, never up: up would put the limit a hair below the offer, and
//! the order would die without an error (py-sdk issues 291 and 300, 2026-09).
//!
//! Invariant: an order never pays more than its limit allows by a whole finest tick, nor less than
//! a limit's worth: `limit <= collateral / shares < limit + 0.0001` for a BUY, and the mirror of it
//! for a SELL. What rounding would push out of that is refused.

use crate::domain::{Action, Lifetime, Money, Order, Price, PriceGrid, Quantity, Size};

/// What we give and what we get, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// Collateral of a BUY, shares of a SELL.
    pub maker: u64,
    /// Shares of a BUY, collateral of a SELL.
    pub taker: u64,
}

/// Why an order can't be written in amounts that the venue takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The limit is no price of this market.
    #[error("limit {0} is off the price grid")]
    OffGrid(Price),
    /// Nothing is left after rounding.
    #[error("nothing is left after rounding")]
    Nothing,
    /// A BUY that takes asks for shares, or another order for collateral.
    #[error("a BUY that takes is sized in collateral, every other order in contracts")]
    WrongSize,
    /// The order is so small that rounding would move its limit by a tick.
    #[error("rounding would move the limit by a tick")]
    TooSmall,
}

/// A cent, in micro-dollars.
const CENT: i64 = 10_000;
/// The most decimals of the second amount of an order that takes: the official clients use more on
/// fine ticks, and the venue was seen to refuse them (py-clob-client-v2 issue 99, 2026-07-04).
const DECIMALS_MAX: u32 = 4;
/// A tick of a dime leaves fewer; every finer one leaves [`DECIMALS_MAX`] or more.
const DECIMALS_OF_DIMES: u32 = 3;
const DIME: u16 = 1_000;
/// The finest tick, as a part of a dollar.
const TICKS_PER_DOLLAR: i128 = 10_000;

/// The amounts of an order in a market with this grid.
pub fn amounts(order: &Order, grid: &PriceGrid) -> Result<Amounts, Misfit> {
    let limit = order.limit;
    if !grid.contains(limit) {
        return Err(Misfit::OffGrid(limit));
    }
    let grain = grain(limit, grid);
    match (order.lifetime, order.action, order.size) {
        (Lifetime::Resting, action, Size::Contracts(quantity)) => {
            let shares = quantity.floor_to(Quantity::LOT);
            // Exact: a lot times a price is a whole micro-dollar.
            let collateral = Money::cost_floor(limit, shares);
            of(action, shares, collateral)
        }
        (Lifetime::Immediate | Lifetime::AllOrNothing, Action::Buy, Size::Collateral(money)) => {
            let collateral = money.floor_to(CENT);
            let shares = collateral.buys_floor(limit).floor_to(grain);
            let price = i128::from(limit.units());
            let (given, got) = (i128::from(collateral.micros()), i128::from(shares.units()));
            let scaled = given * TICKS_PER_DOLLAR;
            if got > 0 && !(price * got <= scaled && scaled < (price + 1) * got) {
                return Err(Misfit::TooSmall);
            }
            of(Action::Buy, shares, collateral)
        }
        (Lifetime::Immediate | Lifetime::AllOrNothing, Action::Sell, Size::Contracts(quantity)) => {
            let shares = quantity.floor_to(Quantity::LOT);
            let collateral = Money::cost_floor(limit, shares).floor_to(grain);
            let price = i128::from(limit.units());
            let (given, got) = (i128::from(shares.units()), i128::from(collateral.micros()));
            let scaled = got * TICKS_PER_DOLLAR;
            if got > 0 && !((price - 1) * given < scaled && scaled <= price * given) {
                return Err(Misfit::TooSmall);
            }
            of(Action::Sell, shares, collateral)
        }
        _ => Err(Misfit::WrongSize),
    }
}

/// The step of the second amount of an order that takes, in millionths.
fn grain(limit: Price, grid: &PriceGrid) -> i64 {
    let units = limit.units();
    let is_dime = grid
        .bands()
        .iter()
        .filter(|band| band.start <= units && units <= band.end)
        .all(|band| band.step >= DIME);
    let decimals = if is_dime { DECIMALS_OF_DIMES } else { DECIMALS_MAX };
    10i64.pow(6 - decimals)
}

fn of(action: Action, shares: Quantity, collateral: Money) -> Result<Amounts, Misfit> {
    let shares = shares.units().unsigned_abs();
    let collateral = u64::try_from(collateral.micros()).unwrap_or(0);
    if shares == 0 || collateral == 0 {
        return Err(Misfit::Nothing);
    }
    Ok(match action {
        Action::Buy => Amounts { maker: collateral, taker: shares },
        Action::Sell => Amounts { maker: shares, taker: collateral },
    })
}

#[cfg(test)]
mod tests;
