//! What a fill is charged, to the micro-dollar, as the venue's newest rules have it.
//!
//! A balance moves in steps of a hundredth of a cent. What a fill loses to that step is kept per
//! order and given back in whole steps by its later fills.

use crate::domain::{Money, Price, Quantity, Rate};

/// The step of a direct member's balance, in micro-dollars.
pub(super) const STEP: i64 = 100;

/// What a fill is charged, and what its order carries on to the next fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charge {
    pub(super) fee: Money,
    pub(super) carried: Money,
}

/// `rate x contracts x price x (1 - price)`, rounded up to a micro-dollar. The multiplier of the
/// series is part of the rate.
pub(super) fn model(rate: Rate, price: Price, quantity: Quantity) -> Money {
    // Rate and quantity are in millionths, both prices in ten-thousandths: a micro-dollar is 1e14.
    let product = i128::from(rate.millionths())
        * i128::from(quantity.units())
        * i128::from(price.units())
        * i128::from(price.mirror().units());
    let micros = (product + 99_999_999_999_999) / 100_000_000_000_000;
    Money::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// Charges a fill that costs `cost`, with `carried` left over from earlier fills of its order.
pub(super) fn charge(cost: Money, model: Money, carried: Money) -> Charge {
    let exact = -cost - model;
    let rounding = exact - exact.floor_to(STEP);
    let carried = carried + rounding;
    // A rebate never makes a fee negative; what it leaves is carried on.
    let rebate = carried.min(model + rounding).floor_to(STEP);
    Charge { fee: model + rounding - rebate, carried: carried - rebate }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        Price::parse(text).unwrap()
    }

    fn quantity(text: &str) -> Quantity {
        Quantity::parse(text).unwrap()
    }

    fn fills(rate: &str, fills: &[(&str, &str)]) -> Vec<String> {
        let mut carried = Money::ZERO;
        let one = |(count, at): &(&str, &str)| {
            let (price, quantity) = (price(at), quantity(count));
            let model = model(Rate::parse(rate).unwrap(), price, quantity);
            let charge = charge(Money::cost_ceil(price, quantity), model, carried);
            carried = charge.carried;
            charge.fee.to_string()
        };
        fills.iter().map(one).collect()
    }

    #[test]
    fn single_fills_cost_what_was_seen_on_the_wire() {
        assert_eq!(fills("0.07", &[("1", "0.52")]), ["0.017500"]);
        assert_eq!(fills("0.07", &[("1", "0.99")]), ["0.000700"]);
        assert_eq!(fills("0.07", &[("25", "0.37")]), ["0.408000"]);
        assert_eq!(fills("0.035", &[("1", "0.50")]), ["0.008800"]);
        assert_eq!(fills("0.07", &[("0.5", "0.50")]), ["0.008800"]);
    }

    #[test]
    fn many_small_fills_cost_what_one_large_fill_costs() {
        let four = fills("0.07", &[("1", "0.52"); 4]);
        assert_eq!(four, ["0.017500", "0.017500", "0.017500", "0.017400"]);
        assert_eq!(fills("0.07", &[("4", "0.52")]), ["0.069900"]);
    }

    #[test]
    fn a_maker_pays_nothing_but_what_the_step_takes() {
        assert_eq!(fills("0", &[("3", "0.41")]), ["0.000000"]);
        let half = fills("0", &[("0.01", "0.4150"), ("0.01", "0.4150"), ("0.01", "0.4150")]);
        assert_eq!(half, ["0.000050", "0.000050", "0.000050"], "never negative");
    }
}
