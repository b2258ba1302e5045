//! WebSocket messages (`asyncapi.yaml`, autumn 2026).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Text;

/// The envelope of every message. `type` decides what `msg` is, so that is left for later.
///
/// The numbers are left as they are too: a frame that nobody reads must not fail for an `id` that
/// is no number.
#[derive(Debug, Deserialize)]
pub struct Head<'a> {
    /// The kind of message.
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    /// The command this answers.
    #[serde(default, borrow)]
    pub id: Option<&'a RawValue>,
    /// The subscription.
    #[serde(default, borrow)]
    pub sid: Option<&'a RawValue>,
    /// The place in the order of the subscription.
    #[serde(default, borrow)]
    pub seq: Option<&'a RawValue>,
    /// The contents.
    #[serde(default, borrow)]
    pub msg: Option<&'a RawValue>,
}

/// Only the market of a message, whatever its type.
#[derive(Debug, Deserialize)]
pub struct About<'a> {
    /// The ticker.
    #[serde(default, borrow)]
    pub market_ticker: Option<Text<'a>>,
}

/// `orderbook_delta`: a signed change of one level.
#[derive(Debug, Deserialize)]
pub struct Delta<'a> {
    /// The market.
    #[serde(borrow)]
    pub market_ticker: Cow<'a, str>,
    /// The level's price.
    #[serde(borrow)]
    pub price_dollars: Cow<'a, str>,
    /// The change of its size.
    #[serde(borrow)]
    pub delta_fp: Cow<'a, str>,
    /// `yes` or `no`.
    #[serde(borrow)]
    pub side: Cow<'a, str>,
    /// Milliseconds since the epoch.
    #[serde(default)]
    pub ts_ms: Option<i64>,
}

/// `orderbook_snapshot`: all levels; the key of an empty side is left out.
#[derive(Debug, Deserialize)]
pub struct Snapshot<'a> {
    /// The market.
    #[serde(borrow)]
    pub market_ticker: Cow<'a, str>,
    /// Bids for YES, `[price, size]`.
    #[serde(default, borrow)]
    pub yes_dollars_fp: Option<Vec<(Text<'a>, Text<'a>)>>,
    /// Bids for NO, `[price, size]`.
    #[serde(default, borrow)]
    pub no_dollars_fp: Option<Vec<(Text<'a>, Text<'a>)>>,
    /// Milliseconds since the epoch, where the venue says.
    #[serde(default)]
    pub ts_ms: Option<i64>,
}

/// `subscribed`.
#[derive(Debug, Deserialize)]
pub struct Subscribed<'a> {
    /// The channel.
    #[serde(borrow)]
    pub channel: Cow<'a, str>,
    /// The subscription's number.
    pub sid: u64,
}

/// `error`.
#[derive(Debug, Deserialize)]
pub struct Failed<'a> {
    /// The code.
    pub code: i64,
    /// What it means.
    #[serde(default, borrow)]
    pub msg: Option<Text<'a>>,
    /// The subscription, where the envelope does not name it.
    #[serde(default)]
    pub sid: Option<u64>,
}

/// `market_lifecycle_v2`.
#[derive(Debug, Deserialize)]
pub struct Lifecycle<'a> {
    /// The market.
    #[serde(borrow)]
    pub market_ticker: Cow<'a, str>,
    /// What happened.
    #[serde(borrow)]
    pub event_type: Cow<'a, str>,
}

/// `event_fee_update`.
#[derive(Debug, Deserialize)]
pub struct FeeUpdate<'a> {
    /// The event.
    #[serde(borrow)]
    pub event_ticker: Cow<'a, str>,
}
