//! The most that a fee can be, whatever the fills of an order turn out to be.
//!
//! The fee `rate x quantity x (price x (1 - price))^exponent` is not monotone in the price, and a
//! BUY by collateral brings more contracts the better its price: the fee at the limit is not the
//! highest one. What is computed here holds for every set of at most [`FILLS_MAX`] fills at or
//! better than the limit.

use crate::domain::{Action, FeeModel, Money, Price, Quantity, Size};

/// The most fills of one order for whose rounding there is room.
pub const FILLS_MAX: i64 = 100;

const UNITS: i128 = Price::ONE as i128;
const MILLION: i128 = 1_000_000;

/// The most that the fee of an order can be.
pub fn fee_max(model: FeeModel, action: Action, size: Size, limit: Price) -> Money {
    if model.rate.millionths() == 0 {
        return Money::ZERO;
    }
    let exact = match (size, action) {
        (Size::Collateral(collateral), Action::Buy) => of_collateral(model, collateral, limit),
        (Size::Collateral(collateral), Action::Sell) => {
            of_contracts(model, action, collateral.buys_ceil(limit), limit)
        }
        (Size::Contracts(quantity), _) => of_contracts(model, action, quantity, limit),
    };
    exact.saturating_add(Money::from_micros(i64::from(model.grain()) * FILLS_MAX))
}

/// The exact fee of contracts at the price that makes it highest.
fn of_contracts(model: FeeModel, action: Action, quantity: Quantity, limit: Price) -> Money {
    const HALF: u16 = Price::ONE / 2;
    let units = match action {
        Action::Buy => limit.units().min(HALF),
        Action::Sell => limit.units().max(HALF),
    };
    let (numerator, denominator) = model.raw(Price::from_units(units).unwrap_or(limit), quantity);
    ceil(numerator, denominator)
}

/// The exact fee of dollars that are all spent at the price that makes it highest. The fee of a
/// dollar is `rate x price^(exponent - 1) x (1 - price)^exponent`.
fn of_collateral(model: FeeModel, collateral: Money, limit: Price) -> Money {
    let base = i128::from(collateral.micros().max(0)) * i128::from(model.rate.millionths());
    let at = |units: u16| {
        let (price, rest) = (i128::from(units), UNITS - i128::from(units));
        match model.exponent() {
            0 => ceil(base * UNITS, MILLION * price),
            1 => ceil(base * rest, MILLION * UNITS),
            _ => ceil(base * price * rest * rest, MILLION * UNITS * UNITS * UNITS),
        }
    };
    match model.exponent() {
        0 | 1 => at(Price::MIN.units()),
        // Highest at a third of a dollar, which lies between two prices.
        _ => at(limit.units().min(Price::ONE / 3)).max(at(limit.units().min(Price::ONE / 3 + 1))),
    }
}

fn ceil(numerator: i128, denominator: i128) -> Money {
    let micros = (numerator + denominator - 1) / denominator;
    Money::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Rate;

    fn model(rate: u32, exponent: u8) -> FeeModel {
        let rate = Rate::from_millionths(rate).unwrap();
        if exponent == 3 {
            FeeModel::kalshi(rate)
        } else {
            FeeModel::polymarket(rate, exponent).unwrap()
        }
    }

    fn price(units: u16) -> Price {
        Price::from_units(units).unwrap()
    }

    proptest! {
        #[test]
        fn no_fills_of_contracts_cost_more_fee_than_the_bound(
            rate in 0u32..=1_000_000, exponent in 0u8..=3, limit in 1u16..10_000,
            sell in any::<bool>(),
            fills in prop::collection::vec((0u16..10_000, 1i64..100_000), 1..100),
        ) {
            let (model, limit) = (model(rate, exponent), price(limit));
            let action = if sell { Action::Sell } else { Action::Buy };
            let (mut total, mut fee) = (Quantity::ZERO, Money::ZERO);
            for (at, lots) in fills {
                let at = match action {
                    Action::Buy => price(1 + at % limit.units()),
                    Action::Sell => price(limit.units() + at % (Price::ONE - limit.units())),
                };
                let quantity = Quantity::from_units(lots * Quantity::LOT).unwrap();
                total = total.saturating_add(quantity);
                fee += model.estimate(at, quantity);
            }
            let bound = fee_max(model, action, Size::Contracts(total), limit);
            prop_assert!(fee <= bound, "{fee} above {bound}");
        }

        #[test]
        fn no_over_delivery_costs_more_fee_than_the_bound(
            rate in 0u32..=1_000_000, exponent in 0u8..=2, limit in 1u16..10_000,
            fills in prop::collection::vec((0u16..10_000, 1i64..10_000_000), 1..100),
        ) {
            let (model, limit) = (model(rate, exponent), price(limit));
            let (mut spent, mut fee) = (Money::ZERO, Money::ZERO);
            for (at, micros) in fills {
                let at = price(1 + at % limit.units());
                let quantity = Money::from_micros(micros).buys_floor(at);
                spent += Money::from_micros(micros);
                fee += model.estimate(at, quantity);
            }
            let bound = fee_max(model, Action::Buy, Size::Collateral(spent), limit);
            prop_assert!(fee <= bound, "{fee} above {bound}");
        }
    }

    /// The official clients make a market BUY smaller until it and its fee fit the balance. Here a
    /// plan is refused whose worst fee does not fit, so nothing is made smaller on its way; the
    /// clients' own numbers are what the fee model says.
    #[test]
    fn what_the_official_clients_would_shrink_does_not_fit_the_bound_either() {
        let file = include_str!("../../tests/data/polymarket/vectors/budget.json");
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        let rows = file["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 4);
        for row in rows {
            let text = |field: &str| row[field].as_str().unwrap();
            // A client writes more decimals than there are micro-dollars.
            let cut = |text: &str| match text.split_once('.') {
                Some((whole, part)) => format!("{whole}.{}", &part[..part.len().min(6)]),
                None => text.to_owned(),
            };
            let money = |field| Money::parse(&cut(text(field))).unwrap();
            let (amount, balance) = (money("amount"), money("balance"));
            let limit = Price::parse(text("price")).unwrap();
            let rate = Rate::parse(text("fee_rate")).unwrap().millionths();
            let model = model(rate, text("exponent").parse().unwrap());
            let builder = money("builder_taker_rate").micros();
            // The fee of so many dollars at the price, and what a builder takes of them.
            let fee = |spend: Money| {
                let (numerator, denominator) = model.raw(limit, spend.buys_floor(limit));
                let builders = spend.micros() * builder / Money::DOLLAR;
                ceil(numerator, denominator) + Money::from_micros(builders)
            };
            let bound = fee_max(model, Action::Buy, Size::Collateral(amount), limit);
            let (solved, plain) = (money("polymarket_client_0_14_0"), money("adjusted"));
            if amount + fee(amount) <= balance {
                assert_eq!((solved, plain), (amount, amount), "{row}");
                assert!(amount + bound <= balance, "{row}");
                continue;
            }
            assert!(amount + bound > balance, "{row}: it would be approved");
            let apart = |one: Money, other: Money| (one - other).micros().abs();
            assert!(apart(solved + fee(solved), balance) <= 2, "{row}");
            assert!(apart(plain + fee(amount), balance) <= 2, "{row}");
            assert!(plain < solved && plain + fee(plain) < balance, "{row}");
        }
    }

    #[test]
    fn the_fee_at_the_limit_is_not_the_highest() {
        let model = model(70_000, 3);
        let quantity = Quantity::contracts(100);
        let bound = fee_max(model, Action::Buy, Size::Contracts(quantity), price(9_000));
        assert!(model.estimate(price(9_000), quantity) < model.estimate(price(5_000), quantity));
        assert!(bound >= model.estimate(price(5_000), quantity));
        assert!(bound < Money::parse("1.80").unwrap(), "tight but for rounding: {bound}");
    }
}
