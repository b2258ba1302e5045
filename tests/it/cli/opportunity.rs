//! Recomputes an opportunity record from its own fills and rates, with integers of its own.

use std::path::Path;

use serde_json::Value;

/// What a mapping file says about a pair: its risk in micro-dollars, and when it settles.
fn terms(pair: &str, mappings: &str) -> (i128, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(mappings);
    let file: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let pairs = file["pair"].as_array().unwrap();
    let found = pairs.iter().find(|found| found["id"].as_str() == Some(pair)).unwrap();
    let risk = found.get("resolution_risk").map_or("0", |risk| risk.as_str().unwrap());
    (decimal(risk, 6), found["settles"].to_string())
}

/// A decimal text as a whole number of its smallest steps.
pub(crate) fn decimal(text: &str, places: usize) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(part.len() <= places, "{text} has more than {places} places");
    let all = format!("{whole}{part:0<places$}");
    sign * all.parse::<i128>().unwrap_or_else(|_| panic!("`{text}` is no decimal"))
}

/// Money is told with exactly six places.
fn money(value: &Value) -> i128 {
    let text = value.as_str().unwrap();
    assert_eq!(text.split_once('.').map(|(_, part)| part.len()), Some(6), "money: {text}");
    decimal(text, 6)
}

/// Prices are told with exactly four places.
fn price(value: &Value) -> i128 {
    let text = value.as_str().unwrap();
    assert_eq!(text.split_once('.').map(|(_, part)| part.len()), Some(4), "price: {text}");
    let price = decimal(text, 4);
    assert!((1..10_000).contains(&price), "price: {text}");
    price
}

fn ceil(numerator: i128, denominator: i128) -> i128 {
    numerator.div_euclid(denominator) + i128::from(numerator.rem_euclid(denominator) != 0)
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

const KEYS: [&str; 16] = [
    "kind",
    "phase",
    "at",
    "id",
    "pair",
    "direction",
    "quantity",
    "payout",
    "cost",
    "fees",
    "resolution_risk",
    "profit",
    "edge",
    "annualised",
    "worst",
    "legs",
];
const KALSHI_KEYS: [&str; 8] =
    ["venue", "market", "outcome", "limit", "fills", "fee", "fee_rate", "book_age_ms"];
const POLYMARKET_KEYS: [&str; 9] = [
    "venue",
    "market",
    "outcome",
    "limit",
    "fills",
    "fee",
    "fee_rate",
    "fee_exponent",
    "book_age_ms",
];

/// What one leg costs, what it pays for, and its fee: micro-dollars, millionths, micro-dollars.
fn leg(leg: &Value) -> (i128, i128, i128) {
    let polymarket = leg["venue"] == "polymarket";
    let named = if polymarket { &POLYMARKET_KEYS[..] } else { &KALSHI_KEYS[..] };
    assert_eq!(keys(leg), named);
    assert!(leg["book_age_ms"].is_u64());
    assert!(leg["outcome"] == "yes" || leg["outcome"] == "no");
    let rate = decimal(leg["fee_rate"].as_str().unwrap(), 6);
    let exponent = if polymarket { leg["fee_exponent"].as_u64().unwrap() } else { 1 };
    let exponent = u32::try_from(exponent).unwrap();
    let grain = if polymarket { 10 } else { 100 };
    let (mut cost, mut quantity, mut fee, mut before) = (0, 0, 0, 0);
    for fill in leg["fills"].as_array().unwrap() {
        let (at, count) = (price(&fill[0]), decimal(fill[1].as_str().unwrap(), 6));
        assert!(count > 0 && at > before, "fills rise in price: {leg}");
        before = at;
        quantity += count;
        cost += ceil(at * count, 10_000);
        let curve = (at * (10_000 - at)).pow(exponent);
        let scale = 1_000_000 * 100_000_000_i128.pow(exponent);
        fee += ceil(rate * count * curve, scale * grain) * grain;
    }
    assert_eq!(price(&leg["limit"]), before, "the limit is the worst price paid: {leg}");
    assert_eq!(money(&leg["fee"]), fee, "fee: {leg}");
    (cost, quantity, fee)
}

/// The record of a pair of the demo recomputes to the last micro-dollar.
pub(crate) fn check(record: &Value) {
    check_with(record, "mappings/demo.toml");
}

/// The record recomputes to the last micro-dollar, with the terms of this mapping file.
pub(crate) fn check_with(record: &Value, mappings: &str) {
    assert_eq!(keys(record), KEYS, "{record}");
    assert!(record["phase"] == "opened" || record["phase"] == "grown");
    let at: jiff::Timestamp = record["at"].as_str().unwrap().parse().unwrap();
    assert!(record["at"].as_str().unwrap().ends_with('Z'));
    let (pair, legs) = (record["pair"].as_str().unwrap(), record["legs"].as_array().unwrap());
    let [kalshi, polymarket] = [leg(&legs[0]), leg(&legs[1])];
    let side = |leg: &Value| {
        format!("{}_{}", leg["outcome"].as_str().unwrap(), leg["venue"].as_str().unwrap())
    };
    assert_eq!(record["direction"], format!("{}_{}", side(&legs[0]), side(&legs[1])));
    let quantity = decimal(record["quantity"].as_str().unwrap(), 6);
    assert_eq!(quantity, kalshi.1.min(polymarket.1), "the matched quantity: {record}");
    // What a taker BUY on Polymarket can buy is a grid of whole cents; the rest is under a lot.
    assert!((kalshi.1 - polymarket.1).abs() < 1_000_000, "equal shares: {record}");
    assert_eq!(money(&record["payout"]), quantity, "payout: {record}");
    let (cost, fees) = (kalshi.0 + polymarket.0, kalshi.2 + polymarket.2);
    assert_eq!(money(&record["cost"]), cost, "cost: {record}");
    assert_eq!(money(&record["fees"]), fees, "fees: {record}");
    let (risk, settles) = terms(pair, mappings);
    let risk = ceil(risk * quantity, 1_000_000);
    assert_eq!(money(&record["resolution_risk"]), risk, "resolution risk: {record}");
    let profit = quantity - cost - fees - risk;
    assert!(profit > 0);
    assert_eq!(money(&record["profit"]), profit, "profit: {record}");
    let edge = (profit * 1_000_000).div_euclid(quantity);
    assert_eq!(money(&record["edge"]), edge, "edge: {record}");
    assert!(record["worst"].is_null() || money(&record["worst"]) < quantity, "{record}");
    let settles = settles.parse::<jiff::civil::Date>().unwrap();
    let settles = settles.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    let year = profit * 365 * 86_400 * 1_000_000;
    let told = decimal(record["annualised"].as_str().unwrap(), 3);
    // The time in the record is cut to a microsecond, the run knows nanoseconds.
    let ahead = i128::from(settles.as_microsecond() - at.as_microsecond());
    let exact = |micros: i128| (year * 1_000).div_euclid((cost + fees) * micros);
    assert!((exact(ahead)..=exact(ahead - 1)).contains(&told), "annualised: {record}");
}
