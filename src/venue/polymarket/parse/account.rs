//! Our own orders and trades: wire to domain, pure.
//!
//! The same trade is told on the user channel and over REST, several times and in any order; it
//! always reads the same, but for how far it has come. Words that are not known make a trade no
//! more certain than matched and an order no more certain than standing.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::domain::{
    Action, FeeModel, Finality, Lifetime, Money, Price, Quantity, Timestamp, report::Rest,
};
use crate::venue::Error;
use crate::venue::polymarket::error::order::says_no_match;
use crate::venue::polymarket::error::{malformed, unreadable};
use crate::venue::polymarket::wire::account as wire;
use crate::venue::polymarket::wire::account::plain;

use super::number;

/// The finest step of an average price that is kept; digits behind it are cut off.
const RATIO_DECIMALS: usize = 12;
/// A hundredth of a share in millionths: by so much a fill may be off (field notes of users,
/// 2026-07).
const DUST: u64 = 10_000;
const RATIO_ONE: i128 = 1_000_000_000_000;

/// An order as the venue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderState {
    /// Its name.
    pub id: String,
    /// The condition id.
    pub market: String,
    /// The token.
    pub token: String,
    /// The venue's word for its state.
    pub status: String,
    /// Whether the message says that it was taken back.
    pub is_cancellation: bool,
    /// How much of it matched; `None` where the message leaves it open.
    pub matched: Option<Quantity>,
    /// Trades that it took part in.
    pub trades: Vec<String>,
}

impl OrderState {
    /// Whether it met others, by its state or by the trades that are named of it.
    pub fn has_met(&self) -> bool {
        self.word() == "MATCHED" || !self.trades.is_empty()
    }

    /// How much of it matched, as far as that can be held against the list of trades; nothing for
    /// an order that ended without a word of it and never met another.
    pub fn told(&self, rest: Rest) -> Option<Quantity> {
        let is_behind = self.has_met() && self.matched.is_none_or(Quantity::is_zero);
        let ended_empty = rest == Rest::Nothing && !self.has_met();
        match self.matched {
            _ if is_behind => None,
            None if ended_empty => Some(Quantity::ZERO),
            matched => matched,
        }
    }

    fn word(&self) -> &str {
        self.status.strip_prefix("ORDER_STATUS_").unwrap_or(&self.status)
    }

    /// What may still come of it; `None` for a word that is not known.
    pub fn rest(&self, lifetime: Lifetime) -> Option<Rest> {
        if self.is_cancellation {
            return Some(Rest::Nothing);
        }
        match self.word() {
            "LIVE" => Some(Rest::Resting),
            "DELAYED" => Some(Rest::Delayed),
            "MATCHED" | "INVALID" => Some(Rest::Nothing),
            // It was to match, found nothing, and rests if it is one that may.
            "UNMATCHED" if lifetime == Lifetime::Resting => Some(Rest::Resting),
            "UNMATCHED" => Some(Rest::Nothing),
            other if other.starts_with("CANCELED") || other.starts_with("CANCELLED") => {
                Some(Rest::Nothing)
            }
            _ => None,
        }
    }
}

/// Reads one order.
pub fn order(text: &str) -> Result<OrderState, Error> {
    let wire: wire::Order<'_> =
        serde_json::from_str(text).map_err(|why| unreadable("order", &why))?;
    let id = plain(wire.id).into_owned();
    if id.is_empty() {
        return Err(malformed("order", "id", "missing"));
    }
    let status = plain(wire.status).into_owned();
    let matched = plain(wire.size_matched);
    let matched = match matched.as_ref() {
        // A killed order is told with an empty size.
        "" if says_no_match(&status) => Some(Quantity::ZERO),
        "" => None,
        text => Some(quantity(text).ok_or_else(|| wrong("order", &id, "size_matched", text))?),
    };
    let trades = wire.associate_trades.map(RawValue::get).unwrap_or("[]");
    Ok(OrderState {
        market: plain(wire.market).into_owned(),
        token: plain(wire.asset_id).into_owned(),
        is_cancellation: plain(wire.kind).eq_ignore_ascii_case("CANCELLATION"),
        trades: serde_json::from_str(trades).unwrap_or_default(),
        status,
        matched,
        id,
    })
}

/// A part of a trade at one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    quantity: Quantity,
    /// Dollars per share in 1e-12.
    ratio: i128,
}

/// One order's side of a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// The order.
    pub order: String,
    /// The API key that it belongs to, where the message tells.
    pub owner: String,
    /// Its token.
    pub token: String,
    /// Whether the message calls it a SELL.
    pub action: Action,
    /// How many shares.
    pub quantity: Quantity,
    /// Whether it took: only those pay a fee.
    pub takes: bool,
    parts: Vec<Part>,
}

impl Leg {
    /// What the shares cost or brought, rounded against us.
    pub fn money(&self, action: Action) -> Money {
        let exact: i128 =
            self.parts.iter().map(|part| i128::from(part.quantity.units()) * part.ratio).sum();
        let micros = match action {
            Action::Buy => (exact + RATIO_ONE - 1).div_euclid(RATIO_ONE),
            Action::Sell => exact.div_euclid(RATIO_ONE),
        };
        Money::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }

    /// The fee by the formula, each part at its own price; nothing for an order that rested.
    pub fn fee(&self, model: FeeModel) -> Money {
        if !self.takes {
            return Money::ZERO;
        }
        self.parts.iter().fold(Money::ZERO, |sum, part| sum + part_fee(part, model))
    }
}

/// The fee at an average price that lies between two of the grid: the dearer one.
fn part_fee(part: &Part, model: FeeModel) -> Money {
    const STEP: i128 = RATIO_ONE / 10_000;
    let below = part.ratio.div_euclid(STEP);
    let above = (part.ratio + STEP - 1).div_euclid(STEP);
    let fee_at = |units: i128| {
        let units = u16::try_from(units).ok().and_then(Price::from_units);
        units.map_or(Money::ZERO, |price| model.estimate(price, part.quantity))
    };
    fee_at(below).max(fee_at(above))
}

/// A trade as the venue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// Its name.
    pub id: String,
    /// The condition id.
    pub market: String,
    /// How far it has come.
    pub finality: Finality,
    /// The venue's word for that, where it is not known.
    pub strange: Option<String>,
    /// When it matched.
    pub at: Timestamp,
    /// The order that took, then those that rested.
    pub legs: Vec<Leg>,
    /// Whether the message was written for the taker.
    pub for_taker: Option<bool>,
}

/// Reads one trade.
pub fn trade(text: &str) -> Result<Trade, Error> {
    let wire: wire::Trade<'_> =
        serde_json::from_str(text).map_err(|why| unreadable("trade", &why))?;
    let id = plain(wire.id).into_owned();
    if id.is_empty() {
        return Err(malformed("trade", "id", "missing"));
    }
    let times = [wire.match_time, wire.timestamp, wire.last_update];
    let at = times.into_iter().find_map(|raw| time(&plain(raw)));
    let makers = wire.maker_orders.as_deref().unwrap_or_default();
    let makers: Vec<Leg> =
        makers.iter().map(|maker| maker_leg(maker, &id)).collect::<Result<_, _>>()?;
    let taker = taker_leg(&wire, &makers, &id)?;
    let word = plain(wire.status);
    let (finality, known) = finality(&word);
    let for_taker = match plain(wire.trader_side).to_ascii_uppercase().as_str() {
        "TAKER" => Some(true),
        "MAKER" => Some(false),
        _ => None,
    };
    Ok(Trade {
        market: plain(wire.market).into_owned(),
        finality,
        strange: (!known).then(|| word.into_owned()),
        at: at.ok_or_else(|| malformed(format!("trade {id}"), "match_time", "missing"))?,
        legs: std::iter::once(taker).chain(makers).collect(),
        for_taker,
        id,
    })
}

fn maker_leg(wire: &wire::MakerOrder<'_>, trade: &str) -> Result<Leg, Error> {
    let said = |field: &str, raw: &str| wrong("trade", trade, field, raw);
    let (amount, price) = (plain(wire.matched_amount), plain(wire.price));
    let quantity = quantity(&amount).ok_or_else(|| said("matched_amount", &amount))?;
    let ratio = ratio(&price).ok_or_else(|| said("price", &price))?;
    Ok(Leg {
        order: plain(wire.order_id).into_owned(),
        owner: plain(wire.owner).into_owned(),
        token: plain(wire.asset_id).into_owned(),
        action: action(&plain(wire.side)),
        quantity,
        takes: false,
        parts: vec![Part { quantity, ratio }],
    })
}

/// The taker's price is an average where it met several orders; what each of them matched at is
/// exact. One that bought the other outcome paid what is missing to a dollar.
fn taker_leg(wire: &wire::Trade<'_>, makers: &[Leg], trade: &str) -> Result<Leg, Error> {
    let said = |field: &str, raw: &str| wrong("trade", trade, field, raw);
    let (size, price) = (plain(wire.size), plain(wire.price));
    let quantity = quantity(&size).ok_or_else(|| said("size", &size))?;
    let ratio = ratio(&price).ok_or_else(|| said("price", &price))?;
    let token = plain(wire.asset_id).into_owned();
    let mut parts = Vec::with_capacity(makers.len().max(1));
    let mut sum = Quantity::ZERO;
    for maker in makers {
        sum = sum.saturating_add(maker.quantity);
        for part in &maker.parts {
            let is_same = maker.token.is_empty() || maker.token == token;
            let ratio = if is_same { part.ratio } else { RATIO_ONE - part.ratio };
            parts.push(Part { quantity: part.quantity, ratio });
        }
    }
    // The channel and the list round the size and the average price each in its way; what the
    // makers gave is the same in both.
    let is_whole = sum.units().abs_diff(quantity.units()) <= DUST;
    let quantity = if is_whole && !parts.is_empty() {
        sum
    } else {
        parts = vec![Part { quantity, ratio }];
        quantity
    };
    Ok(Leg {
        order: plain(wire.taker_order_id).into_owned(),
        owner: plain(wire.owner).into_owned(),
        token,
        action: action(&plain(wire.side)),
        quantity,
        takes: true,
        parts,
    })
}

/// How far a trade has come, and whether its word is known.
fn finality(word: &str) -> (Finality, bool) {
    match word.strip_prefix("TRADE_STATUS_").unwrap_or(word) {
        "MATCHED" | "MATCHED_NOT_BROADCASTED" | "MINED" | "RETRYING" => (Finality::Matched, true),
        "CONFIRMED" => (Finality::Confirmed, true),
        "FAILED" => (Finality::Failed, true),
        _ => (Finality::Matched, false),
    }
}

fn action(side: &str) -> Action {
    if side.eq_ignore_ascii_case("SELL") { Action::Sell } else { Action::Buy }
}

/// A count of shares; digits finer than a millionth are cut off.
pub fn quantity(text: &str) -> Option<Quantity> {
    Quantity::from_units(cut(text, 6)?)
}

/// Dollars per share in 1e-12, from zero to one.
fn ratio(text: &str) -> Option<i128> {
    let ratio = i128::from(cut(text, RATIO_DECIMALS)?);
    (0..=RATIO_ONE).contains(&ratio).then_some(ratio)
}

/// A decimal scaled by a power of ten, what is finer cut off.
pub fn cut(text: &str, decimals: usize) -> Option<i64> {
    let text: Cow<'_, str> = number::plain(text).ok()?.into();
    let kept = match text.split_once('.') {
        Some((whole, part)) if part.bytes().all(|byte| byte.is_ascii_digit()) => {
            whole.len() + 1 + part.len().min(decimals)
        }
        _ => text.len(),
    };
    crate::domain::decimal::parse_scaled(text.get(..kept)?, u32::try_from(decimals).ok()?).ok()
}

/// A time in seconds, milliseconds, microseconds or nanoseconds, told apart by magnitude, or in
/// RFC 3339.
pub fn time(text: &str) -> Option<Timestamp> {
    let Ok(number) = text.parse::<i64>() else { return Timestamp::parse(text) };
    match number {
        ..=0 => None,
        1..100_000_000_000 => Some(Timestamp::from_secs(number)),
        100_000_000_000..100_000_000_000_000 => Some(Timestamp::from_millis(number)),
        100_000_000_000_000..100_000_000_000_000_000 => {
            Some(Timestamp::from_nanos(number.saturating_mul(1_000)))
        }
        _ => Some(Timestamp::from_nanos(number)),
    }
}

fn wrong(what: &str, id: &str, field: &str, text: &str) -> Error {
    malformed(format!("{what} {id}"), field, text)
}

#[cfg(test)]
mod tests;
