//! A market's facts.

use std::time::Duration;

use serde_json::value::RawValue;

use crate::domain::decimal::parse_scaled;
use crate::domain::market::{Band, Status};
use crate::domain::{FeePlan, Market, Minimum, Money, PriceGrid, Quantity, Timestamp, Venue};
use crate::venue::Error;

use super::super::wire::http;
use super::{malformed, misread};

/// Reads `GET /markets/{ticker}`.
pub fn market_answer(text: &str, ticker: &str) -> Result<http::Market, Error> {
    let what = format!("market {ticker}");
    let answer: http::MarketAnswer =
        serde_json::from_str(text).map_err(|error| misread(&what, text, &error))?;
    if answer.market.ticker.as_deref() == Some(ticker) {
        Ok(answer.market)
    } else {
        let found = answer.market.ticker.unwrap_or_default();
        Err(malformed(&what, "ticker", format_args!("{found:?}")))
    }
}

/// A market and its event, with the fees found for them, in our words.
pub fn market(
    wire: &http::Market,
    event: Option<&http::Event>,
    fee: FeePlan,
) -> Result<Market, Error> {
    let id = wire.ticker.clone().unwrap_or_default();
    let what = format!("market {id}");
    if id.is_empty() {
        return Err(malformed(&what, "ticker", "missing"));
    }
    let Some(status) = wire.status.as_deref() else {
        return Err(malformed(&what, "status", "missing"));
    };
    let closes = match wire.close_time.as_deref() {
        None | Some("") => None,
        Some(text) => Some(
            Timestamp::parse(text)
                .ok_or_else(|| malformed(&what, "close_time", format_args!("{text:?}")))?,
        ),
    };
    let lot = Quantity::from_units(Quantity::LOT).unwrap_or(Quantity::ZERO);
    Ok(Market {
        venue: Venue::Kalshi,
        title: title(wire, event),
        event: wire.event_ticker.clone().unwrap_or_default(),
        group: String::new(),
        grid: grid(&what, wire.price_ranges.as_deref())?,
        fee,
        minimum: Minimum { quantity: lot, notional: Money::ZERO },
        status: status_of(status),
        closes,
        // No field says when a game begins: `occurrence_datetime` is about its end.
        starts: None,
        delay: Duration::ZERO,
        shard: wire.exchange_index.and_then(|shard| u32::try_from(shard).ok()),
        rules: Some(crate::domain::market::rules_hash(&rules_text(wire))),
        basis: basis(wire, event),
        yes_pays: yes_pays(wire),
        tokens: None,
        id,
    })
}

/// What a YES contract pays once the result is final; a determined one may still be contested.
pub fn yes_pays(wire: &http::Market) -> Option<Money> {
    if !matches!(wire.status.as_deref(), Some("finalized" | "settled")) {
        return None;
    }
    let dollar = Money::from_micros(Money::DOLLAR);
    match wire.result.as_deref() {
        Some("yes") => Some(dollar),
        Some("no") => Some(Money::ZERO),
        _ => {
            let told = Money::parse(wire.settlement_value_dollars.as_deref()?).ok()?;
            (Money::ZERO..=dollar).contains(&told).then_some(told)
        }
    }
}

/// Only `active` takes orders, and a status that is not known does not.
pub fn status_of(status: &str) -> Status {
    match status {
        "active" => Status::Open,
        "closed" | "determined" | "disputed" | "amended" | "finalized" | "settled" => {
            Status::Closed
        }
        _ => Status::Paused,
    }
}

fn title(wire: &http::Market, event: Option<&http::Event>) -> String {
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(title) = said(&wire.title) {
        return title;
    }
    let event = event.and_then(|event| said(&event.title));
    match (event, said(&wire.yes_sub_title)) {
        (Some(event), Some(yes)) => format!("{event}: {yes}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => wire.ticker.clone().unwrap_or_default(),
    }
}

/// The bands of valid prices; `None` where the venue does not tell.
fn grid(what: &str, ranges: Option<&[http::PriceRange]>) -> Result<Option<PriceGrid>, Error> {
    let Some(ranges) = ranges.filter(|ranges| !ranges.is_empty()) else { return Ok(None) };
    let mut bands = Vec::with_capacity(ranges.len().min(PriceGrid::BANDS_MAX + 1));
    for range in ranges.iter().take(PriceGrid::BANDS_MAX + 1) {
        let units = |field: &str, text: &str| {
            let field = format!("price_ranges.{field}");
            let value = parse_scaled(text, 4)
                .map_err(|why| malformed(what, &field, format_args!("{text:?}: {why}")))?;
            u16::try_from(value).map_err(|_| malformed(what, &field, format_args!("{text:?}")))
        };
        bands.push(Band {
            start: units("start", &range.start)?,
            end: units("end", &range.end)?,
            step: units("step", &range.step)?,
        });
    }
    match PriceGrid::new(bands) {
        Some(grid) => Ok(Some(grid)),
        None => Err(malformed(what, "price_ranges", "empty, reversed or too many bands")),
    }
}

/// The fields that decide beside the rules: what YES stands for, its strikes, and who is asked.
fn basis(wire: &http::Market, event: Option<&http::Event>) -> Option<String> {
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let raw = |value: &Option<Box<RawValue>>| value.as_ref().map(|value| plain(value.get()));
    let sources = event.and_then(|event| event.settlement_sources.as_ref());
    let sources = sources.map(|sources| {
        let mut names: Vec<&str> = sources.iter().filter_map(|one| one.name.as_deref()).collect();
        names.sort_unstable();
        names.join(" and ")
    });
    let fields = [
        ("yes_sub_title", said(&wire.yes_sub_title)),
        ("strike_type", said(&wire.strike_type)),
        ("floor_strike", raw(&wire.floor_strike)),
        ("cap_strike", raw(&wire.cap_strike)),
        ("functional_strike", raw(&wire.functional_strike)),
        ("custom_strike", raw(&wire.custom_strike)),
        ("settlement_sources", said(&sources)),
    ];
    let told = fields.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// A JSON value; of a number with decimals no zeros behind the last digit, which come and go.
fn plain(json: &str) -> String {
    let is_decimal =
        json.contains('.') && json.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'));
    let text = if is_decimal { json.trim_end_matches('0').trim_end_matches('.') } else { json };
    text.to_owned()
}

/// The rules of a market as one text, the one that reviewers' hashes are made of.
pub fn rules_text(wire: &http::Market) -> String {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{}\n{}", part(&wire.rules_primary), part(&wire.rules_secondary))
}
