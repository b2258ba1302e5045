//! REST answers (`openapi.yaml` 3.34.0). Fields are optional where the venue may leave them out,
//! and where a missing one has to be reported by name.

use serde::Deserialize;
use serde_json::value::RawValue;

/// `GET /markets/{ticker}`.
#[derive(Debug, Deserialize)]
pub struct MarketAnswer {
    /// The market.
    pub market: Market,
}

/// `GET /markets`.
#[derive(Debug, Deserialize)]
pub struct MarketsAnswer {
    /// One page.
    pub markets: Vec<Market>,
    /// Where the next page begins; empty on the last.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A market.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Market {
    /// Its name.
    pub ticker: Option<String>,
    /// The event it belongs to.
    pub event_ticker: Option<String>,
    /// The question, where it is still sent.
    pub title: Option<String>,
    /// What YES stands for.
    pub yes_sub_title: Option<String>,
    /// `initialized`, `active`, `inactive`, `closed`, `determined`, `disputed`, `amended`,
    /// `finalized`.
    pub status: Option<String>,
    /// `yes`, `no`, `scalar`, empty while there is none.
    pub result: Option<String>,
    /// What YES pays, where the result alone does not tell.
    pub settlement_value_dollars: Option<String>,
    /// When trading begins.
    pub open_time: Option<String>,
    /// When trading ends.
    pub close_time: Option<String>,
    /// Valid prices.
    pub price_ranges: Option<Vec<PriceRange>>,
    /// The rules.
    pub rules_primary: Option<String>,
    /// More rules.
    pub rules_secondary: Option<String>,
    /// How the strikes are compared: `greater`, `between` and others.
    pub strike_type: Option<String>,
    /// The lower strike.
    pub floor_strike: Option<Box<RawValue>>,
    /// The upper strike.
    pub cap_strike: Option<Box<RawValue>>,
    /// A strike in words.
    pub functional_strike: Option<Box<RawValue>>,
    /// Strikes of another kind, an object.
    pub custom_strike: Option<Box<RawValue>>,
    /// Which part of the exchange matches it.
    pub exchange_index: Option<i64>,
}

/// A band of valid prices.
#[derive(Debug, Clone, Deserialize)]
pub struct PriceRange {
    /// Where it begins.
    pub start: String,
    /// Where it ends.
    pub end: String,
    /// The distance of valid prices.
    pub step: String,
}

/// `GET /events/{ticker}`.
#[derive(Debug, Deserialize)]
pub struct EventAnswer {
    /// The event.
    pub event: Event,
}

/// An event.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Event {
    /// Its name.
    pub event_ticker: Option<String>,
    /// The series it belongs to.
    pub series_ticker: Option<String>,
    /// The question of all its markets.
    pub title: Option<String>,
    /// Who is asked for the outcome.
    pub settlement_sources: Option<Vec<SettlementSource>>,
    /// Whether at most one of its markets resolves to YES.
    pub mutually_exclusive: Option<bool>,
    /// Replaces the series' fee type.
    pub fee_type_override: Option<String>,
    /// Replaces the series' fee multiplier.
    pub fee_multiplier_override: Option<Box<RawValue>>,
}

/// Somebody who is asked for an outcome.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SettlementSource {
    /// Its name.
    pub name: Option<String>,
}

/// `GET /series/{ticker}`.
#[derive(Debug, Deserialize)]
pub struct SeriesAnswer {
    /// The series.
    pub series: Series,
}

/// A series.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Series {
    /// Its name.
    pub ticker: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Which fee formula holds.
    pub fee_type: Option<String>,
    /// The scale of the formula, a number or a text.
    pub fee_multiplier: Option<Box<RawValue>>,
}

/// `GET /series/fee_changes`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SeriesFeeChanges {
    /// The changes.
    pub series_fee_change_arr: Vec<FeeChange>,
}

/// `GET /events/fee_changes`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct EventFeeChanges {
    /// The changes.
    #[serde(alias = "event_fee_changes")]
    pub event_fee_change_arr: Vec<FeeChange>,
}

/// An announced change of a fee. For an event, no type means that the series' fee holds again.
#[derive(Debug, Clone, Deserialize)]
pub struct FeeChange {
    /// The series it is for.
    #[serde(default)]
    pub series_ticker: Option<String>,
    /// The event it is for.
    #[serde(default)]
    pub event_ticker: Option<String>,
    /// The new type.
    #[serde(default, alias = "fee_type_override")]
    pub fee_type: Option<String>,
    /// The new multiplier.
    #[serde(default, alias = "fee_multiplier_override")]
    pub fee_multiplier: Option<Box<RawValue>>,
    /// From when on: RFC 3339, or seconds.
    pub scheduled_ts: Option<Box<RawValue>>,
}

/// `GET /markets/{ticker}/orderbook`.
#[derive(Debug, Deserialize)]
pub struct OrderbookAnswer<'a> {
    /// The levels.
    #[serde(borrow)]
    pub orderbook_fp: Orderbook<'a>,
}

/// `GET /markets/orderbooks`.
#[derive(Debug, Deserialize)]
pub struct OrderbooksAnswer<'a> {
    /// The books, each a [`NamedOrderbook`] that is read by itself.
    #[serde(borrow)]
    pub orderbooks: Vec<&'a RawValue>,
}

/// One book of many.
#[derive(Debug, Deserialize)]
pub struct NamedOrderbook<'a> {
    /// The market.
    pub ticker: String,
    /// The levels.
    #[serde(borrow)]
    pub orderbook_fp: Orderbook<'a>,
}

/// Levels of a book, `[price, size]`, an empty side may be empty or missing.
#[derive(Debug, Deserialize)]
pub struct Orderbook<'a> {
    /// Bids for YES.
    #[serde(default, borrow)]
    pub yes_dollars: Option<Vec<(super::Text<'a>, super::Text<'a>)>>,
    /// Bids for NO.
    #[serde(default, borrow)]
    pub no_dollars: Option<Vec<(super::Text<'a>, super::Text<'a>)>>,
}

/// `GET /exchange/status`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ExchangeStatus {
    /// Whether anything works.
    pub exchange_active: bool,
    /// Whether orders are taken.
    pub trading_active: bool,
    /// When it is expected back.
    #[serde(default)]
    pub exchange_estimated_resume_time: Option<String>,
    /// The same for each part of the exchange; the top level is part 0.
    #[serde(default)]
    pub exchange_index_statuses: Vec<ShardStatus>,
}

/// The state of one part of the exchange.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ShardStatus {
    /// Which part.
    pub exchange_index: i64,
    /// Whether anything works.
    pub exchange_active: bool,
    /// Whether orders are taken.
    pub trading_active: bool,
}

/// `GET /exchange/schedule`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ScheduleAnswer {
    /// The schedule.
    pub schedule: Schedule,
}

/// When the exchange is open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Schedule {
    /// Announced breaks.
    pub maintenance_windows: Vec<Window>,
    /// Weekly hours, as of one date and until another.
    pub standard_hours: Vec<Hours>,
}

/// An announced break.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Window {
    /// Its beginning, RFC 3339.
    pub start_datetime: String,
    /// Its end, RFC 3339.
    pub end_datetime: String,
}

/// Weekly hours in New York time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Hours {
    /// From when on.
    pub start_time: Option<String>,
    /// Until when.
    pub end_time: Option<String>,
    /// Hours of Mondays.
    pub monday: Vec<Session>,
    /// Hours of Tuesdays.
    pub tuesday: Vec<Session>,
    /// Hours of Wednesdays.
    pub wednesday: Vec<Session>,
    /// Hours of Thursdays.
    pub thursday: Vec<Session>,
    /// Hours of Fridays.
    pub friday: Vec<Session>,
    /// Hours of Saturdays.
    pub saturday: Vec<Session>,
    /// Hours of Sundays.
    pub sunday: Vec<Session>,
}

/// From and until, `HH:MM`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Session {
    /// From.
    pub open_time: String,
    /// Until.
    pub close_time: String,
}

/// `GET /account/limits`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AccountLimits {
    /// The tier.
    #[serde(default)]
    pub usage_tier: Option<String>,
    /// The budget of reads.
    pub read: BucketLimits,
    /// The budget of orders.
    pub write: BucketLimits,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct BucketLimits {
    /// Tokens a second.
    pub refill_rate: u64,
    /// Most tokens.
    pub bucket_capacity: u64,
}

/// `GET /api_keys`.
#[derive(Debug, Deserialize)]
pub struct ApiKeysAnswer {
    /// The account's keys.
    pub api_keys: Vec<ApiKey>,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ApiKey {
    /// Its public name.
    pub api_key_id: String,
    /// The owner's name for it.
    #[serde(default)]
    pub name: Option<String>,
    /// What it may do; missing where the venue does not limit it.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
}

impl ApiKey {
    /// Whether this key could send orders: only a list of scopes without `write` and
    /// `write::trade` says that it could not.
    pub fn can_trade(&self) -> bool {
        match &self.scopes {
            None => true,
            Some(scopes) => scopes.iter().any(|scope| scope == "write" || scope == "write::trade"),
        }
    }
}
