//! The fee table of the fact sheet against the fee model.

use serde_json::Value;

use super::*;

const FEES: &str = include_str!("../../../../tests/data/polymarket/fees.json");

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap()
}

#[test]
fn every_fee_of_the_table_is_computed_exactly_and_estimated_against_us() {
    let document: Value = serde_json::from_str(FEES).unwrap();
    let rows: Vec<&Value> =
        ["table", "observed"].iter().flat_map(|key| document[key].as_array().unwrap()).collect();
    assert_eq!(rows.len(), 51);
    for row in rows {
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
