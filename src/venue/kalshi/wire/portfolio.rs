//! Answers and messages about an account (`openapi.yaml` 3.34.0, `asyncapi.yaml`, autumn 2026).
//!
//! What the venue may leave out is optional here, and what only informs is left as it was written:
//! neither an unknown word nor an average with many decimals may cost a fill.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::Timestamp;

/// A value that may be a string, a number or missing; only its text is looked at.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Loose(Option<Box<RawValue>>);

impl Loose {
    /// The text without quotes; `None` where there is none.
    pub fn text(&self) -> Option<&str> {
        let raw = self.0.as_ref()?.get().trim_matches('"');
        (!raw.is_empty() && raw != "null").then_some(raw)
    }
}

/// The answer to a new order, alone or in a batch.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Created {
    /// The venue's id.
    pub order_id: Option<String>,
    /// Our id.
    pub client_order_id: Option<String>,
    /// What it filled at once.
    pub fill_count: Option<String>,
    /// What rests.
    pub remaining_count: Option<String>,
    /// At which price of YES on average, with any number of decimals.
    pub average_fill_price: Loose,
    /// Milliseconds since the epoch.
    pub ts_ms: Option<i64>,
    /// In a batch: why there is no order, in any of the shapes that errors have.
    pub error: Option<Box<RawValue>>,
}

/// The answer to a batch of new orders.
#[derive(Debug, Deserialize)]
pub struct CreatedBatch<'a> {
    /// A [`Created`] for each, in the order asked. One that makes no sense does not cost the
    /// others.
    #[serde(borrow)]
    pub orders: Vec<&'a RawValue>,
}

/// The answer to a decrease, which tells what is left, or to an amendment, which may tell both.
#[derive(Debug, Deserialize)]
pub struct Changed {
    /// The venue's id.
    pub order_id: String,
    /// Our id.
    #[serde(default)]
    pub client_order_id: Option<String>,
    /// What is filled.
    #[serde(default)]
    pub fill_count: Option<String>,
    /// What rests.
    #[serde(default)]
    pub remaining_count: Option<String>,
}

/// The answer to a cancel.
#[derive(Debug, Deserialize)]
pub struct Cancelled {
    /// The venue's id.
    pub order_id: String,
    /// Our id.
    #[serde(default)]
    pub client_order_id: Option<String>,
    /// How much was taken back.
    pub reduced_by: String,
}

/// The answer to a batch of cancels.
#[derive(Debug, Deserialize)]
pub struct CancelResults {
    /// One for each order.
    #[serde(default)]
    pub orders: Vec<CancelResult>,
}

/// What became of one cancel of a batch.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CancelResult {
    /// The venue's id.
    pub order_id: String,
    /// Our id.
    pub client_order_id: Option<String>,
    /// How much was taken back.
    pub reduced_by: Option<String>,
    /// Why it was not.
    pub error: Option<serde_json::Value>,
}

impl CancelResult {
    /// The cancel as one alone would be answered, or the body of its error.
    pub fn outcome(self) -> Result<Cancelled, String> {
        match (self.error, self.reduced_by) {
            (Some(error), _) => Err(error.to_string()),
            (None, None) => Err(String::new()),
            (None, Some(reduced_by)) => {
                let (order_id, client_order_id) = (self.order_id, self.client_order_id);
                Ok(Cancelled { order_id, client_order_id, reduced_by })
            }
        }
    }
}

/// The answer to a new order group.
#[derive(Debug, Deserialize)]
pub struct OrderGroup {
    /// The venue's id.
    pub order_group_id: String,
}

/// A change of an order group, on the channel of that name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct OrderGroupUpdate {
    /// `created`, `triggered`, `reset`, `deleted`, `limit_updated`.
    pub event_type: String,
    /// The venue's id.
    pub order_group_id: String,
    /// Its limit, where that changed.
    pub contracts_limit_fp: Option<String>,
}

/// An order, in a listing and in `user_order`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Order {
    /// The venue's id.
    pub order_id: Option<String>,
    /// Our id.
    pub client_order_id: Option<String>,
    /// The market.
    #[serde(alias = "market_ticker")]
    pub ticker: Option<String>,
    /// `bid` or `ask`.
    pub book_side: Option<String>,
    /// `resting`, `canceled`, `executed`, on the WebSocket `unknown` too.
    pub status: Option<String>,
    /// The limit, not the price of fills.
    pub yes_price_dollars: Option<String>,
    /// Asked for.
    pub initial_count_fp: Option<String>,
    /// Filled.
    pub fill_count_fp: Option<String>,
    /// Resting.
    pub remaining_count_fp: Option<String>,
    /// What fills as a taker cost, on the scale of `outcome_side`.
    pub taker_fill_cost_dollars: Loose,
    /// What fills as a maker cost, on the scale of `outcome_side`.
    pub maker_fill_cost_dollars: Loose,
    /// When it was made, RFC 3339.
    pub created_time: Option<String>,
    /// The same in milliseconds, on the WebSocket.
    pub created_ts_ms: Option<i64>,
    /// Why it changed; an open list of words.
    pub last_update_reason: Option<String>,
}

/// One order.
#[derive(Debug, Deserialize)]
pub struct OrderAnswer {
    /// The order.
    pub order: Order,
}

/// One page of orders.
#[derive(Debug, Deserialize)]
pub struct OrdersPage {
    /// The orders.
    pub orders: Vec<Order>,
    /// Where the next page begins; empty on the last.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A fill, in a listing and on the WebSocket.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Fill {
    /// Its id.
    pub trade_id: Option<String>,
    /// The same.
    pub fill_id: Option<String>,
    /// The venue's id of the order.
    pub order_id: Option<String>,
    /// Our id of the order, where it is said.
    pub client_order_id: Option<String>,
    /// The market.
    pub market_ticker: Option<String>,
    /// The same, in listings.
    pub ticker: Option<String>,
    /// `bid` or `ask`.
    pub book_side: Option<String>,
    /// At which price of YES.
    pub yes_price_dollars: Option<String>,
    /// At which price of NO, in listings.
    pub no_price_dollars: Option<String>,
    /// How many contracts.
    pub count_fp: Option<String>,
    /// The fee that was charged.
    pub fee_cost: Loose,
    /// When, RFC 3339, in listings.
    pub created_time: Option<String>,
    /// When, in milliseconds.
    pub ts_ms: Option<i64>,
    /// When, in seconds.
    pub ts: Option<i64>,
}

/// One page of fills.
#[derive(Debug, Deserialize)]
pub struct FillsPage {
    /// The fills.
    pub fills: Vec<Fill>,
    /// Where the next page begins; empty on the last.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// What is held in one market.
#[derive(Debug, Deserialize)]
pub struct Position {
    /// The market.
    pub ticker: String,
    /// Contracts of YES, negative for NO.
    pub position_fp: String,
}

/// One page of positions.
#[derive(Debug, Deserialize)]
pub struct PositionsPage {
    /// One for each market.
    pub market_positions: Vec<Position>,
    /// Where the next page begins; empty on the last.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// What can be spent.
#[derive(Debug, Deserialize)]
pub struct Balance {
    /// In all, in dollars.
    #[serde(default)]
    pub balance_dollars: Option<String>,
    /// For each shard.
    #[serde(default)]
    pub balance_breakdown: Vec<ShardBalance>,
}

/// What can be spent in one shard.
#[derive(Debug, Deserialize)]
pub struct ShardBalance {
    /// Which.
    pub exchange_index: u32,
    /// Dollars.
    pub balance: String,
}

/// What a market paid.
#[derive(Debug, Deserialize)]
pub struct Settlement {
    /// The market.
    pub ticker: String,
    /// `yes`, `no`, `scalar`.
    #[serde(default)]
    pub market_result: Option<String>,
    /// What all contracts were paid, in whole cents.
    pub revenue: i64,
    /// What one contract of YES was paid, in whole cents.
    #[serde(default)]
    pub value: Option<i64>,
    /// When.
    pub settled_time: String,
}

/// One page of settlements.
#[derive(Debug, Deserialize)]
pub struct SettlementsPage {
    /// The settlements.
    pub settlements: Vec<Settlement>,
    /// Where the next page begins; empty on the last.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A deposit or a withdrawal.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Movement {
    /// Its id.
    pub id: String,
    /// `pending`, `applied` (the balance has it), `failed` or `returned`.
    pub status: String,
    /// In whole cents, never less than nothing.
    pub amount_cents: Option<i64>,
    /// What was charged, in whole cents.
    pub fee_cents: Option<i64>,
    /// Seconds since the epoch.
    pub created_ts: Loose,
    /// When it was applied, failed or was returned; seconds since the epoch.
    pub finalized_ts: Loose,
}

/// One page of deposits or of withdrawals.
#[derive(Debug, Deserialize)]
pub struct MovementsPage {
    /// The rows.
    #[serde(alias = "deposits", alias = "withdrawals")]
    pub rows: Vec<Movement>,
    /// Where the next page begins; empty on the last.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// `GET /exchange/user_data_timestamp`.
#[derive(Debug, Deserialize)]
pub struct UserDataTimestamp {
    /// How fresh reads of an account are, RFC 3339.
    pub as_of_time: String,
}

/// `GET /account/endpoint_costs`: what requests cost that do not cost the ordinary amount.
#[derive(Debug, Deserialize)]
pub struct EndpointCosts {
    /// The requests.
    #[serde(alias = "costs", alias = "endpoints")]
    pub endpoint_costs: Vec<EndpointCost>,
}

/// What one kind of request costs.
#[derive(Debug, Deserialize)]
pub struct EndpointCost {
    /// `GET`, `POST`, ….
    pub method: String,
    /// The path, with names in braces for ids.
    #[serde(alias = "endpoint")]
    pub path: String,
    /// Tokens.
    pub cost: u32,
}

/// `GET /api_keys`, as far as trading depends on it.
#[derive(Debug, Deserialize)]
pub struct Keys {
    /// The account's keys.
    pub api_keys: Vec<Key>,
    /// Until when the account's location is proven, where that is said for all keys.
    #[serde(default)]
    api_key_region_expiration_ts: Loose,
}

/// A key.
#[derive(Debug, Deserialize)]
pub struct Key {
    /// Its public name.
    pub api_key_id: String,
    /// What it may do; missing where the venue does not limit it.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// Until when the location of its use is proven.
    #[serde(default)]
    api_key_region_expiration_ts: Loose,
}

impl Keys {
    /// So long before the proof of location expires a person is told.
    pub const REGION_NOTICE: Duration = Duration::from_hours(48);

    /// Until when the account's location is proven.
    pub fn region_expires(&self) -> Option<Timestamp> {
        moment(self.api_key_region_expiration_ts.text()?)
    }
}

impl Key {
    /// Until when the location of its use is proven.
    pub fn region_expires(&self) -> Option<Timestamp> {
        moment(self.api_key_region_expiration_ts.text()?)
    }
}

/// A time as RFC 3339, or in seconds or milliseconds since the epoch: the venue uses all three, and
/// does not say which here. Zero is none.
pub(in crate::venue::kalshi) fn moment(text: &str) -> Option<Timestamp> {
    /// As seconds it lies in the year 5138.
    const MILLIS_FROM: i64 = 100_000_000_000;
    match text.parse::<i64>() {
        Ok(0) => None,
        Ok(number) if number >= MILLIS_FROM => Some(Timestamp::from_millis(number)),
        Ok(number) => Some(Timestamp::from_secs(number)),
        Err(_) => Timestamp::parse(text),
    }
}
