//! The fee table of the fact sheet against the fee model.

use serde_json::Value;

use super::*;

const FEES: &str = include_str!("../../../../tests/data/polymarket/fees.json");

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap()
}

#[test]
fn every_fee_of_the_table_is_computed_exactly_and_estimated_against_us() {
    let rows: Vec<Value> = serde_json::from_str(FEES).unwrap();
    assert_eq!(rows.len(), 50);
    for row in &rows {
        let rate = Rate::parse(text(row, "rate")).unwrap();
        let exponent = u8::try_from(row["exponent"].as_u64().unwrap()).unwrap();
        let model = FeeModel::polymarket(rate, exponent).unwrap();
        let (at, count) = (price(text(row, "price")), quantity(text(row, "shares")));
        let exact = i128::from(money(text(row, "fee_exact")).micros());
        let (numerator, denominator) = model.raw(at, count);
        assert_eq!(numerator, exact * denominator, "{row}");
        let estimate = i128::from(model.estimate(at, count).micros());
        let grain = i128::from(model.grain());
        assert!(estimate >= exact && estimate < exact + grain, "{row}: {estimate}");
        assert_eq!(estimate % grain, 0, "{row}");
    }
}

#[test]
fn a_charge_that_was_observed_is_covered_by_the_estimate() {
    // py-clob-client-v2 issue 107, 2026-08-04: 25 shares at 0.13 with a rate of 0.05 took the
    // collateral from 388.39 to 385.00, 3.25 of it for the shares.
    let charged = money("388.39") - money("385.00") - money("3.25");
    let estimate = polymarket_fee("0.05").estimate(price("0.13"), quantity("25"));
    assert_eq!((charged, estimate), (money("0.14"), money("0.14138")));
}
