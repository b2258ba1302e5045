//! What the venue says about orders and an account, in numbers.
//!
//! Kalshi speaks of YES only: a side of its book, a price of YES. Which contract that was for us is
//! known from our order alone, so it is left to the gateway.

use crate::domain::report::{Purse, Rest};
use crate::domain::{Money, Price, Quantity, Side, Timestamp};
use crate::venue::Error;

use super::super::wire::portfolio as wire;
use super::malformed;

/// An order as the venue describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSaid {
    /// The venue's id.
    pub id: String,
    /// Our id; empty where it is not said.
    pub client: String,
    /// The market.
    pub ticker: String,
    /// Where it stands; `None` where the word is not known.
    pub side: Option<Side>,
    /// The limit on the scale of YES.
    pub price: Option<Price>,
    /// Asked for.
    pub initial: Option<Quantity>,
    /// Filled so far.
    pub filled: Quantity,
    /// Resting.
    pub resting: Quantity,
    /// What may still come.
    pub rest: Rest,
    /// What its fills cost on the scale of the side: YES for a bid, NO for an ask.
    pub cost: Option<Money>,
    /// When it was made.
    pub made: Option<Timestamp>,
}

/// A fill as the venue describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillSaid {
    /// Its id.
    pub trade: String,
    /// The venue's id of the order.
    pub order: String,
    /// Our id of the order; empty where it is not said.
    pub client: String,
    /// The market.
    pub ticker: String,
    /// The order's side.
    pub side: Side,
    /// The price of YES.
    pub price: Price,
    /// How many contracts.
    pub quantity: Quantity,
    /// The fee, where it is said.
    pub fee: Option<Money>,
    /// When.
    pub at: Timestamp,
}

/// What the answer to a new order says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedSaid {
    /// The venue's id.
    pub id: String,
    /// Our id; empty where it is not said.
    pub client: String,
    /// Filled at once.
    pub filled: Quantity,
    /// Resting.
    pub resting: Quantity,
    /// The average price of YES in millionths of a dollar, rounded down and up; `None` where it is
    /// missing or makes no sense. It informs, and never costs the rest of the answer.
    pub average: Option<(i64, i64)>,
}

/// A decimal text of any length in millionths, rounded down and up; `None` for what is no plain
/// decimal.
pub fn micros_of(text: &str) -> Option<(i64, i64)> {
    const KEPT: usize = 6;
    let (head, tail) = match text.find('.') {
        Some(point) if text.len() > point + 1 + KEPT => {
            (text.get(..=point + KEPT)?, text.get(point + 1 + KEPT..)?)
        }
        _ => (text, ""),
    };
    if !tail.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = crate::domain::decimal::parse_scaled(head, 6).ok()?;
    if tail.bytes().all(|byte| byte == b'0') {
        return Some((value, value));
    }
    // What was cut off makes the number larger, or, below zero, smaller.
    if text.starts_with('-') { Some((value - 1, value)) } else { Some((value, value + 1)) }
}

/// Reads the answer to a new order.
pub fn created(wire: wire::Created) -> Result<CreatedSaid, Error> {
    const WHAT: &str = "answer to an order";
    let id = named(WHAT, "order_id", wire.order_id)?;
    Ok(CreatedSaid {
        filled: quantity(WHAT, "fill_count", wire.fill_count.as_deref())?,
        resting: quantity(WHAT, "remaining_count", wire.remaining_count.as_deref())?,
        average: wire.average_fill_price.text().and_then(micros_of),
        client: wire.client_order_id.unwrap_or_default(),
        id,
    })
}

/// Reads an order of a listing or of `user_order`.
pub fn order(wire: wire::Order) -> Result<OrderSaid, Error> {
    let id = named("order", "order_id", wire.order_id)?;
    let what = format!("order {id}");
    let ticker = named(&what, "ticker", wire.ticker)?;
    let filled = quantity(&what, "fill_count_fp", wire.fill_count_fp.as_deref())?;
    let remaining = quantity(&what, "remaining_count_fp", wire.remaining_count_fp.as_deref())?;
    let initial = match wire.initial_count_fp.as_deref() {
        Some(text) => Some(quantity(&what, "initial_count_fp", Some(text))?),
        None => None,
    };
    let price = match wire.yes_price_dollars.as_deref() {
        Some(text) => Some(price(&what, "yes_price_dollars", text)?),
        None => None,
    };
    let cost = |text: Option<&str>| micros_of(text?).map(|(_, up)| Money::from_micros(up));
    let taker = cost(wire.taker_fill_cost_dollars.text());
    let maker = cost(wire.maker_fill_cost_dollars.text());
    Ok(OrderSaid {
        client: wire.client_order_id.unwrap_or_default(),
        side: wire.book_side.as_deref().and_then(side_of),
        rest: rest(wire.status.as_deref(), initial, filled, remaining),
        cost: taker.zip(maker).map(|(taker, maker)| taker.saturating_add(maker)),
        made: made(wire.created_ts_ms, wire.created_time.as_deref()),
        id,
        ticker,
        price,
        initial,
        filled,
        resting: remaining,
    })
}

/// What may still come of an order. An order of which more may fill is never called ended: a word
/// that is not known counts as one for resting.
fn rest(
    status: Option<&str>,
    initial: Option<Quantity>,
    filled: Quantity,
    remaining: Quantity,
) -> Rest {
    match status {
        Some("canceled" | "cancelled" | "executed") => Rest::Nothing,
        _ if initial == Some(filled) && remaining.is_zero() => Rest::Nothing,
        _ => Rest::Resting,
    }
}

/// Reads a fill of a listing or of the WebSocket.
pub fn fill(wire: wire::Fill) -> Result<FillSaid, Error> {
    let trade = named("fill", "trade_id", wire.trade_id.or(wire.fill_id))?;
    let what = format!("fill {trade}");
    let text = wire.yes_price_dollars.as_deref().unwrap_or_default();
    let yes = price(&what, "yes_price_dollars", text)?;
    if let Some(text) = wire.no_price_dollars.as_deref()
        && price(&what, "no_price_dollars", text)? != yes.mirror()
    {
        let both = format_args!("{text:?} beside {yes} for YES");
        return Err(malformed(&what, "no_price_dollars", both));
    }
    let side = wire.book_side.as_deref().unwrap_or_default();
    let side =
        side_of(side).ok_or_else(|| malformed(&what, "book_side", format_args!("{side:?}")))?;
    let fee = match wire.fee_cost.text() {
        None => None,
        Some(text) => match micros_of(text) {
            Some((_, up)) => Some(Money::from_micros(up)),
            None => return Err(malformed(&what, "fee_cost", format_args!("{text:?}"))),
        },
    };
    let at = made(wire.ts_ms, wire.created_time.as_deref())
        .or_else(|| wire.ts.map(Timestamp::from_secs))
        .ok_or_else(|| malformed(&what, "ts_ms", "missing"))?;
    let count = quantity(&what, "count_fp", wire.count_fp.as_deref())?;
    if count.is_zero() {
        return Err(malformed(&what, "count_fp", "a fill of nothing"));
    }
    Ok(FillSaid {
        order: named(&what, "order_id", wire.order_id)?,
        client: wire.client_order_id.unwrap_or_default(),
        ticker: named(&what, "market_ticker", wire.market_ticker.or(wire.ticker))?,
        side,
        price: yes,
        quantity: count,
        fee,
        at,
        trade,
    })
}

/// The purses of an account, one for each shard.
pub fn purses(wire: &wire::Balance) -> Result<Vec<(Purse, Money)>, Error> {
    const WHAT: &str = "balance";
    let money = |field: &str, text: &str| {
        // What can be spent is rounded down, should it ever be finer than a micro-dollar.
        micros_of(text)
            .map(|(down, _)| Money::from_micros(down))
            .ok_or_else(|| malformed(WHAT, field, format_args!("{text:?}")))
    };
    if wire.balance_breakdown.is_empty() {
        // Before there were shards there was one, and its number is zero.
        let text = wire.balance_dollars.as_deref().unwrap_or_default();
        return Ok(vec![(Purse::Shard(0), money("balance_dollars", text)?)]);
    }
    let purse = |one: &wire::ShardBalance| {
        Ok((Purse::Shard(one.exchange_index), money("balance_breakdown.balance", &one.balance)?))
    };
    wire.balance_breakdown.iter().map(purse).collect()
}

/// Whole cents.
pub fn cents(what: &str, field: &str, cents: i64) -> Result<Money, Error> {
    cents
        .checked_mul(10_000)
        .map(Money::from_micros)
        .ok_or_else(|| malformed(what, field, format_args!("{cents} cents")))
}

fn side_of(name: &str) -> Option<Side> {
    match name {
        "bid" => Some(Side::Bid),
        "ask" => Some(Side::Ask),
        _ => None,
    }
}

fn made(millis: Option<i64>, text: Option<&str>) -> Option<Timestamp> {
    millis.map(Timestamp::from_millis).or_else(|| Timestamp::parse(text?))
}

fn named(what: &str, field: &str, text: Option<String>) -> Result<String, Error> {
    text.filter(|text| !text.is_empty()).ok_or_else(|| malformed(what, field, "missing or empty"))
}

fn quantity(what: &str, field: &str, text: Option<&str>) -> Result<Quantity, Error> {
    let text = text.ok_or_else(|| malformed(what, field, "missing"))?;
    Quantity::parse(text).map_err(|why| malformed(what, field, format_args!("{text:?}: {why}")))
}

fn price(what: &str, field: &str, text: &str) -> Result<Price, Error> {
    Price::parse(text).map_err(|why| malformed(what, field, format_args!("{text:?}: {why}")))
}
