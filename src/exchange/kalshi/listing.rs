//! Markets, events and series as Kalshi's REST objects.

use serde_json::{Map, Value, json};

use crate::domain::market::Status;
use crate::domain::{Rate, Side, Timestamp};
use crate::exchange::Listing;
use crate::exchange::matching::Book;

use super::frames::{ALL, NOTHING, Tally, dollars, edge_dollars, price_ranges, structure};
use super::trading::{Ending, outcome};

/// The coefficient of the quadratic fee at a multiplier of one, in millionths.
const QUADRATIC: u32 = 70_000;
/// When every market opened; its date has no other meaning.
const OPENED: &str = "2026-11-01T15:00:00Z";
/// How long after the close a market settles at the latest.
const SETTLES_AFTER_SECS: i64 = 7 * 86_400;

/// The shard of crypto and commodities.
const SECOND_SHARD: u32 = 2;

/// The shard on which a market trades and on which its cash is held. All markets of an event share
/// one.
pub(super) fn shard(listing: &Listing) -> u32 {
    match listing.series.as_str() {
        "KXDEMOCOIN" | "KXDEMOCPI" => SECOND_SHARD,
        _ => 0,
    }
}

/// All shards with a description.
pub(super) const SHARDS: [(u32, &str); 2] = [(0, "default"), (SECOND_SHARD, "crypto")];

/// A market's status, as the objects spell it.
fn status(listing: &Listing, ending: Option<&Ending>, now: Timestamp) -> &'static str {
    match ending {
        Some(Ending { paid: Some(_), .. }) => return "finalized",
        Some(_) => return "determined",
        None => {}
    }
    match listing.status {
        Status::Closed => "closed",
        _ if listing.closes <= now => "closed",
        Status::Open => "active",
        Status::Paused => "inactive",
    }
}

/// Whether a market passes the status filter of a query, which spells the states differently;
/// `None` for a word that is no filter.
pub(super) fn passes(
    filter: &str,
    listing: &Listing,
    ending: Option<&Ending>,
    now: Timestamp,
) -> Option<bool> {
    let status = status(listing, ending, now);
    match filter {
        "unopened" => Some(status == "initialized"),
        "open" => Some(status == "active"),
        "paused" => Some(status == "inactive"),
        "closed" => Some(matches!(status, "closed" | "determined")),
        "settled" => Some(status == "finalized"),
        _ => None,
    }
}

/// A whole-second time, as listings show it.
fn stamp(time: Timestamp) -> String {
    let text = time.to_string();
    text.split_once('.').map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// The market object.
pub(super) fn market(
    listing: &Listing,
    ending: Option<&Ending>,
    book: &Book,
    tally: Tally,
    now: Timestamp,
) -> Value {
    let (bid, ask) = (book.best(Side::Bid), book.best(Side::Ask));
    let latest = Timestamp::from_secs(listing.closes.secs() + SETTLES_AFTER_SECS);
    let mut object = Map::new();
    let mut put = |fields: Value| {
        if let Value::Object(fields) = fields {
            object.extend(fields);
        }
    };
    put(json!({
        "ticker": listing.id, "event_ticker": listing.event, "market_type": "binary",
        "title": listing.title, "subtitle": "",
        "yes_sub_title": listing.title, "no_sub_title": listing.title,
        "status": status(listing, ending, now),
        "result": ending.map_or("", |ending| outcome(ending.resolution).1),
        "expiration_value": "",
        "strike_type": "custom", "exchange_index": shard(listing), "can_close_early": true,
        "early_close_condition": "This market closes early once its outcome is known.",
        "rules_primary": listing.rules, "rules_secondary": "",
        "settlement_bounds_type": "default", "settlement_timer_seconds": 300,
    }));
    put(json!({
        "created_time": OPENED, "updated_time": OPENED, "open_time": OPENED,
        "close_time": stamp(listing.closes), "expected_expiration_time": stamp(listing.closes),
        "latest_expiration_time": stamp(latest), "expiration_time": stamp(latest),
    }));
    put(json!({
        "yes_bid_dollars": dollars(bid.map(|best| best.0), NOTHING),
        "yes_bid_size_fp": bid.map_or_else(|| "0.00".to_owned(), |best| best.1.to_string()),
        "yes_ask_dollars": dollars(ask.map(|best| best.0), ALL),
        "yes_ask_size_fp": ask.map_or_else(|| "0.00".to_owned(), |best| best.1.to_string()),
        "no_bid_dollars": dollars(ask.map(|best| best.0.mirror()), NOTHING),
        "no_ask_dollars": dollars(bid.map(|best| best.0.mirror()), ALL),
        "last_price_dollars": dollars(tally.last.map(|last| last.0), NOTHING),
        "previous_yes_bid_dollars": NOTHING, "previous_yes_ask_dollars": NOTHING,
        "previous_price_dollars": NOTHING,
    }));
    put(json!({
        "volume_fp": tally.volume.to_string(), "volume_24h_fp": tally.volume.to_string(),
        "open_interest_fp": tally.volume.to_string(), "notional_value_dollars": "1.0000",
        "price_level_structure": structure(&listing.bands),
        "price_ranges": price_ranges(&listing.bands),
    }));
    if let Some(ending) = ending {
        put(json!({
            "settlement_value_dollars": edge_dollars(outcome(ending.resolution).0),
            "settlement_ts": ending.paid.map(stamp),
        }));
    }
    Value::Object(object)
}

/// The event object without its markets.
pub(super) fn event(listing: &Listing, exclusive: Exclusive) -> Value {
    json!({
        "event_ticker": listing.event, "series_ticker": listing.series,
        "title": listing.title, "sub_title": "", "category": "Demo",
        "collateral_return_type": match exclusive {
            Exclusive::AtMostOneYes => "MECNET",
            Exclusive::Independent => "",
        },
        "mutually_exclusive": exclusive == Exclusive::AtMostOneYes,
        "strike_date": stamp(listing.closes), "strike_period": "",
        "fee_type_override": null, "fee_multiplier_override": null,
        "settlement_sources": sources(), "last_updated_ts": OPENED,
        "exchange_index": shard(listing), "available_on_brokers": false,
    })
}

/// Whether more than one market of an event can resolve to yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exclusive {
    AtMostOneYes,
    Independent,
}

/// The series object.
pub(super) fn series(listing: &Listing) -> Value {
    json!({
        "ticker": listing.series, "title": listing.series, "frequency": "custom",
        "category": "Demo", "categories": ["Demo"], "tags": [], "settlement_sources": sources(),
        "contract_url": "", "contract_terms_url": "", "product_metadata": null,
        "fee_type": "quadratic", "fee_multiplier": multiplier(listing.rate),
        "additional_prohibitions": [], "volume_fp": "0.00", "last_updated_ts": OPENED,
        "exchange_index": shard(listing),
    })
}

fn sources() -> Value {
    json!([{"name": "The demo register", "url": "http://127.0.0.1/"}])
}

/// A rate as a multiple of the quadratic coefficient: a JSON number with up to four decimals.
fn multiplier(rate: Rate) -> Value {
    let scaled = u64::from(rate.millionths()) * 10_000 / u64::from(QUADRATIC);
    let text = format!("{}.{:04}", scaled / 10_000, scaled % 10_000);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    serde_json::from_str(text).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multipliers_are_the_numbers_the_venue_writes() {
        for (rate, text) in [("0.07", "1"), ("0.035", "0.5"), ("0.14", "2"), ("0", "0")] {
            assert_eq!(multiplier(Rate::parse(rate).unwrap()).to_string(), text);
        }
    }
}
