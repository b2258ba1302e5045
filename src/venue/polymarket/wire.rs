//! Messages as Polymarket writes them.
//!
//! On the socket every number is a string, and what is borrowed here points into the frame. Fields
//! that money does not depend on are left out; unknown ones are skipped. Over REST some numbers are
//! JSON numbers: they are kept as raw text, so that `0.05` never passes through a float.

pub(super) mod account;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Reads the kind of a frame and nothing else.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow, default)]
    pub event_type: Option<Cow<'a, str>>,
}

/// One entry of `price_changes`: the new total of one level of one token.
#[derive(Debug, Deserialize)]
pub(super) struct Change<'a> {
    pub asset_id: &'a str,
    pub price: &'a str,
    pub size: &'a str,
    pub side: &'a str,
    #[serde(default)]
    pub best_bid: Option<&'a str>,
    #[serde(default)]
    pub best_ask: Option<&'a str>,
}

/// One level of a `book`.
#[derive(Debug, Deserialize)]
pub(super) struct Level<'a> {
    pub price: &'a str,
    pub size: &'a str,
}

/// `best_bid_ask` of one token, sent when `custom_feature_enabled` is set.
#[derive(Debug, Deserialize)]
pub(super) struct Best<'a> {
    pub asset_id: &'a str,
    #[serde(default)]
    pub best_bid: Option<&'a str>,
    #[serde(default)]
    pub best_ask: Option<&'a str>,
    #[serde(default)]
    pub timestamp: Option<&'a str>,
}

/// The token that a `tick_size_change` or a `last_trade_price` is about.
#[derive(Debug, Deserialize)]
pub(super) struct Asset<'a> {
    pub asset_id: &'a str,
}

/// `market_resolved` of one market.
#[derive(Debug, Deserialize)]
pub(super) struct Resolved<'a> {
    #[serde(borrow)]
    pub assets_ids: Vec<Cow<'a, str>>,
}

/// The ids that any frame names.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Named<'a> {
    #[serde(borrow, default)]
    pub market: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub asset_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub price_changes: Vec<NamedChange<'a>>,
    #[serde(borrow, default)]
    pub assets_ids: Vec<Cow<'a, str>>,
}

/// The id that an entry of `price_changes` names.
#[derive(Debug, Deserialize)]
pub(super) struct NamedChange<'a> {
    #[serde(borrow, default)]
    pub asset_id: Option<Cow<'a, str>>,
}

/// The first frame on a connection.
#[derive(Debug, Serialize)]
pub(super) struct Hello<'a> {
    #[serde(rename = "type")]
    pub kind: &'a str,
    pub assets_ids: &'a [&'a str],
    pub custom_feature_enabled: bool,
    pub initial_dump: bool,
    pub level: u8,
}

/// Every later frame.
#[derive(Debug, Serialize)]
pub(super) struct Operation<'a> {
    pub operation: &'a str,
    pub assets_ids: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_feature_enabled: Option<bool>,
}

/// One element of the body of `POST /books`.
#[derive(Debug, Serialize)]
pub(super) struct BookRequest<'a> {
    pub token_id: &'a str,
}

/// A market of Gamma.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GammaMarket {
    pub question: Option<String>,
    pub condition_id: Option<String>,
    pub slug: Option<String>,
    pub version: Option<String>,
    /// A string that holds a JSON array of decimal strings, on `v1`.
    pub clob_token_ids: Option<Box<RawValue>>,
    /// A JSON array of decimal strings, on `v2`.
    pub position_ids: Option<Box<RawValue>>,
    /// A string that holds a JSON array of labels.
    pub outcomes: Option<Box<RawValue>>,
    pub description: Option<String>,
    pub resolution_source: Option<String>,
    pub fees_enabled: Option<bool>,
    pub fee_schedule: Option<Box<RawValue>>,
    pub accepting_orders: Option<bool>,
    pub enable_order_book: Option<bool>,
    pub active: Option<bool>,
    pub closed: Option<bool>,
    /// On `v1`: `resolved` at the end.
    pub uma_resolution_status: Option<String>,
    /// On `v2`: `inactive`, `active`, `resolved`.
    pub resolution_status: Option<String>,
    /// A string that holds a JSON array of prices; at the end, of payouts.
    pub outcome_prices: Option<Box<RawValue>>,
    pub neg_risk: Option<bool>,
    #[serde(rename = "negRiskMarketID")]
    pub neg_risk_market_id: Option<String>,
    pub neg_risk_other: Option<bool>,
    pub seconds_delay: Option<Box<RawValue>>,
    pub game_start_time: Option<String>,
    pub event_start_time: Option<String>,
    pub end_date: Option<String>,
    #[serde(default)]
    pub events: Option<Vec<GammaParent>>,
}

/// The event a market names as its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GammaParent {
    pub slug: Option<String>,
    pub title: Option<String>,
    pub neg_risk_augmented: Option<bool>,
    #[serde(rename = "negRiskMarketID")]
    pub neg_risk_market_id: Option<String>,
}

/// An event of Gamma with its markets.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GammaEvent {
    pub slug: Option<String>,
    pub title: Option<String>,
    pub neg_risk_augmented: Option<bool>,
    #[serde(rename = "negRiskMarketID")]
    pub neg_risk_market_id: Option<String>,
    #[serde(default)]
    pub markets: Option<Vec<GammaMarket>>,
}

/// A page of `/markets/keyset` or `/events/keyset`.
#[derive(Debug, Deserialize)]
pub(super) struct Page<'a> {
    #[serde(borrow, default)]
    pub id: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "data")]
    pub markets: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub events: Option<&'a RawValue>,
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// Gamma's `feeSchedule`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeeSchedule<'a> {
    #[serde(borrow)]
    pub rate: &'a RawValue,
    #[serde(borrow)]
    pub exponent: &'a RawValue,
    pub taker_only: bool,
}

/// `fd` of `/clob-markets/{condition_id}`.
#[derive(Debug, Deserialize)]
pub(super) struct Fd<'a> {
    #[serde(borrow)]
    pub r: &'a RawValue,
    #[serde(borrow)]
    pub e: &'a RawValue,
    pub to: bool,
}

/// `/clob-markets/{condition_id}`.
#[derive(Debug, Deserialize)]
pub(super) struct ClobMarket {
    pub c: Option<String>,
    #[serde(default)]
    pub t: Vec<ClobToken>,
    pub mts: Option<Box<RawValue>>,
    pub mos: Option<Box<RawValue>>,
    pub nr: Option<bool>,
    pub fd: Option<Box<RawValue>>,
    pub ao: Option<bool>,
    pub sd: Option<Box<RawValue>>,
    pub gst: Option<String>,
    pub itode: Option<bool>,
    pub v: Option<String>,
}

/// A token of `/clob-markets/{condition_id}`.
#[derive(Debug, Deserialize)]
pub(super) struct ClobToken {
    pub t: String,
    pub o: String,
}
