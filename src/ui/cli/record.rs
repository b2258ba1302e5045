//! One JSON object a line, for programs. Money is decimal strings, times are RFC 3339 in UTC.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{Outcome, Venue};
use crate::engine::effect::{Closed, Leg, Opportunity, Phase};

#[derive(Serialize)]
struct OpportunityRecord<'a> {
    kind: &'static str,
    phase: &'static str,
    at: String,
    id: String,
    pair: &'a str,
    direction: String,
    quantity: String,
    payout: String,
    cost: String,
    fees: String,
    resolution_risk: String,
    profit: String,
    edge: String,
    annualised: Option<String>,
    worst: Option<String>,
    legs: [LegRecord<'a>; 2],
}

#[derive(Serialize)]
struct LegRecord<'a> {
    venue: &'static str,
    market: &'a str,
    outcome: &'static str,
    limit: String,
    fills: Vec<[String; 2]>,
    fee: String,
    fee_rate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee_exponent: Option<u8>,
    book_age_ms: u64,
}

#[derive(Serialize)]
struct ClosedRecord<'a> {
    kind: &'static str,
    at: String,
    id: String,
    lifetime_ms: u64,
    best_quantity: String,
    best_profit: String,
    reason: &'a str,
}

/// The record of an opportunity that opened or grew.
pub fn opportunity(opportunity: &Opportunity) -> String {
    let phase = match opportunity.phase {
        Phase::Opened => "opened",
        Phase::Grown => "grown",
    };
    line(&OpportunityRecord {
        kind: "opportunity",
        phase,
        at: opportunity.at.to_string(),
        id: opportunity.id.to_string(),
        pair: &opportunity.pair.0,
        direction: direction(opportunity),
        quantity: opportunity.quantity.to_string(),
        payout: opportunity.payout.to_string(),
        cost: opportunity.cost.to_string(),
        fees: opportunity.fees.to_string(),
        resolution_risk: opportunity.resolution_risk.to_string(),
        profit: opportunity.profit.to_string(),
        edge: opportunity.edge.to_string(),
        annualised: opportunity.annualised.map(thousandths),
        worst: opportunity.worst.map(|money| money.to_string()),
        legs: [leg(&opportunity.legs[0]), leg(&opportunity.legs[1])],
    })
}

/// The record of an opportunity that is over.
pub fn closed(closed: &Closed) -> String {
    line(&ClosedRecord {
        kind: "opportunity_closed",
        at: closed.at.to_string(),
        id: closed.id.to_string(),
        lifetime_ms: millis(closed.lifetime),
        best_quantity: closed.best_quantity.to_string(),
        best_profit: closed.best_profit.to_string(),
        reason: closed.reason,
    })
}

/// `yes_kalshi_no_polymarket` and its like.
pub fn direction(opportunity: &Opportunity) -> String {
    let [kalshi, polymarket] = &opportunity.legs;
    format!("{}_{}_{}_{}", kalshi.outcome, kalshi.venue, polymarket.outcome, polymarket.venue)
}

/// A whole number of thousandths as a decimal.
pub fn thousandths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let magnitude = value.unsigned_abs();
    format!("{sign}{}.{:03}", magnitude / 1_000, magnitude % 1_000)
}

/// Any serialisable record as one line.
pub fn line<T: Serialize>(record: &T) -> String {
    // A record holds strings, numbers and lists only: writing it to memory cannot fail.
    serde_json::to_string(record)
        .unwrap_or_else(|error| format!("{{\"kind\":\"error\",\"text\":{:?}}}", error.to_string()))
}

/// Names and counts, in the order of the names.
pub type Counts = BTreeMap<&'static str, u64>;

fn leg(leg: &Leg) -> LegRecord<'_> {
    LegRecord {
        venue: leg.venue.name(),
        market: &leg.market,
        outcome: Outcome::name(leg.outcome),
        limit: leg.limit.to_string(),
        fills: leg.fills.iter().map(|(p, q)| [p.to_string(), q.to_string()]).collect(),
        fee: leg.fee.to_string(),
        fee_rate: leg.fee_model.rate.to_string(),
        fee_exponent: (leg.venue == Venue::Polymarket).then(|| leg.fee_model.exponent()),
        book_age_ms: millis(leg.book_age),
    }
}

fn millis(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
