//! WebSocket frames as Kalshi writes them, in the field order seen on the wire.

use serde::Serialize;
use serde_json::Value;

use crate::domain::market::Band;
use crate::domain::{Change, Price, Quantity, Side, Timestamp};
use crate::exchange::Listing;
use crate::exchange::matching::Book;

use super::trading::Cause;

/// Any frame: what does not apply is left out.
#[derive(Debug, Serialize)]
pub(super) struct Frame<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<u64>,
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sid: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) msg: Option<T>,
}

impl<T: Serialize> Frame<'_, T> {
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// On which scale the levels of NO are priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// NO's own price.
    Leg,
    /// The price of YES.
    Yes,
}

type Levels = Vec<(String, String)>;

/// A whole book; the key of an empty side is absent.
#[derive(Debug, Serialize)]
pub(super) struct Snapshot<'a> {
    market_ticker: &'a str,
    market_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    yes_dollars_fp: Levels,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    no_dollars_fp: Levels,
}

impl<'a> Snapshot<'a> {
    pub(super) fn of(listing: &'a Listing, book: &Book, scale: Scale) -> Self {
        Self {
            market_ticker: &listing.id,
            market_id: market_id(listing),
            yes_dollars_fp: bids(book, usize::MAX),
            no_dollars_fp: match scale {
                Scale::Leg => offers(book, usize::MAX),
                // On the other scale the best offer of NO is the lowest number; it stays last.
                Scale::Yes => ascending(book.levels(Side::Ask), usize::MAX),
            },
        }
    }
}

/// The bids of YES, ascending, the `depth` best of them.
pub(super) fn bids(book: &Book, depth: usize) -> Levels {
    ascending(book.levels(Side::Bid), depth)
}

/// The bids of NO at NO's own price, ascending, the `depth` best of them.
pub(super) fn offers(book: &Book, depth: usize) -> Levels {
    ascending(book.levels(Side::Ask).map(|(price, size)| (price.mirror(), size)), depth)
}

fn ascending(levels: impl Iterator<Item = (Price, Quantity)>, depth: usize) -> Levels {
    let mut levels: Levels =
        levels.take(depth).map(|(price, size)| (price.to_string(), size.to_string())).collect();
    levels.reverse();
    levels
}

/// A change of one level.
#[derive(Debug, Serialize)]
pub(super) struct Delta<'a> {
    market_ticker: &'a str,
    market_id: String,
    price_dollars: String,
    delta_fp: String,
    side: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_order_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subaccount: Option<u8>,
    ts: String,
    ts_ms: i64,
}

impl<'a> Delta<'a> {
    pub(super) fn of(
        listing: &'a Listing,
        (side, price): (Side, Price),
        change: Change,
        scale: Scale,
        now: Timestamp,
    ) -> Self {
        let shown = match (side, scale) {
            (Side::Ask, Scale::Leg) => price.mirror(),
            _ => price,
        };
        Self {
            market_ticker: &listing.id,
            market_id: market_id(listing),
            price_dollars: shown.to_string(),
            delta_fp: change.to_string(),
            side: leg(side),
            client_order_id: None,
            subaccount: None,
            ts: now.to_string(),
            ts_ms: now.millis(),
        }
    }

    /// Names the receiver's own order that caused the change.
    pub(super) fn caused_by(self, own: Option<&'a Cause>) -> Self {
        let subaccount = own.map(|_| 0);
        Self { client_order_id: own.and_then(|own| own.client.as_deref()), subaccount, ..self }
    }
}

/// A trade that happened.
#[derive(Debug, Clone)]
pub(super) struct Print {
    pub(super) id: String,
    pub(super) price: Price,
    pub(super) quantity: Quantity,
    pub(super) taker: Side,
    pub(super) at: Timestamp,
}

/// A trade on the `trade` channel.
#[derive(Debug, Serialize)]
pub(super) struct Trade<'a> {
    trade_id: &'a str,
    market_ticker: &'a str,
    yes_price_dollars: String,
    no_price_dollars: String,
    count_fp: String,
    taker_side: &'static str,
    taker_outcome_side: &'static str,
    taker_book_side: &'static str,
    is_block_trade: bool,
    ts: i64,
    ts_ms: i64,
}

impl<'a> Trade<'a> {
    pub(super) fn of(listing: &'a Listing, print: &'a Print) -> Self {
        Self {
            trade_id: &print.id,
            market_ticker: &listing.id,
            yes_price_dollars: print.price.to_string(),
            no_price_dollars: print.price.mirror().to_string(),
            count_fp: print.quantity.to_string(),
            taker_side: leg(print.taker),
            taker_outcome_side: leg(print.taker),
            taker_book_side: book_side(print.taker),
            is_block_trade: false,
            ts: print.at.secs(),
            ts_ms: print.at.millis(),
        }
    }
}

/// The summary of a market on the `ticker` channel.
#[derive(Debug, Serialize)]
pub(super) struct Ticker<'a> {
    market_id: String,
    market_ticker: &'a str,
    price_dollars: String,
    yes_bid_dollars: String,
    yes_ask_dollars: String,
    volume_fp: String,
    open_interest_fp: String,
    dollar_volume: i64,
    dollar_open_interest: i64,
    yes_bid_size_fp: String,
    yes_ask_size_fp: String,
    last_trade_size_fp: String,
    ts: i64,
    ts_ms: i64,
    time: String,
}

/// What a market has traded.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) volume: Quantity,
    pub(super) last: Option<(Price, Quantity)>,
}

impl<'a> Ticker<'a> {
    pub(super) fn of(listing: &'a Listing, book: &Book, tally: Tally, now: Timestamp) -> Self {
        let (bid, ask) = (book.best(Side::Bid), book.best(Side::Ask));
        let contracts = tally.volume.units() / Quantity::CONTRACT;
        Self {
            market_id: market_id(listing),
            market_ticker: &listing.id,
            price_dollars: dollars(tally.last.map(|last| last.0), NOTHING),
            yes_bid_dollars: dollars(bid.map(|best| best.0), NOTHING),
            yes_ask_dollars: dollars(ask.map(|best| best.0), ALL),
            volume_fp: tally.volume.to_string(),
            open_interest_fp: tally.volume.to_string(),
            dollar_volume: contracts,
            dollar_open_interest: contracts,
            yes_bid_size_fp: bid.map_or(Quantity::ZERO, |best| best.1).to_string(),
            yes_ask_size_fp: ask.map_or(Quantity::ZERO, |best| best.1).to_string(),
            last_trade_size_fp: tally.last.map_or(Quantity::ZERO, |last| last.1).to_string(),
            ts: now.secs(),
            ts_ms: now.millis(),
            time: now.to_string(),
        }
    }
}

/// How a missing bid is written.
pub(super) const NOTHING: &str = "0.0000";
/// How a missing ask is written.
pub(super) const ALL: &str = "1.0000";

pub(super) fn dollars(price: Option<Price>, missing: &str) -> String {
    price.map_or_else(|| missing.to_owned(), |price| price.to_string())
}

/// A price between zero and a dollar, both included.
pub(super) fn edge_dollars(units: u16) -> String {
    format!("{}.{:04}", units / Price::ONE, units % Price::ONE)
}

/// The bands of a market as Kalshi lists them.
pub(super) fn price_ranges(bands: &[Band]) -> Value {
    let range = |band: &Band| {
        serde_json::json!({
            "start": edge_dollars(band.start),
            "end": edge_dollars(band.end),
            "step": edge_dollars(band.step),
        })
    };
    bands.iter().map(range).collect()
}

/// The venue's label of a set of bands.
pub(super) fn structure(bands: &[Band]) -> &'static str {
    let steps: Vec<u16> = bands.iter().map(|band| band.step).collect();
    match steps.as_slice() {
        [100] => "linear_cent",
        [10] => "deci_cent",
        [10, 100, 10] => "tapered_deci_cent",
        _ => "banded_centi_cent",
    }
}

/// The outcome that a side of the book of YES stands for.
pub(super) const fn leg(side: Side) -> &'static str {
    match side {
        Side::Bid => "yes",
        Side::Ask => "no",
    }
}

pub(super) const fn book_side(side: Side) -> &'static str {
    match side {
        Side::Bid => "bid",
        Side::Ask => "ask",
    }
}

/// A market's UUID, which follows from its question.
pub(super) fn market_id(listing: &Listing) -> String {
    format!("5eed0000-0000-4000-8000-{:012x}", listing.question + 1)
}
