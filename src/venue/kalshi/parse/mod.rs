//! Wire to domain, pure.
//!
//! A message is understood whole or not at all: a missing field, a price finer than 1/10,000 or a
//! size that is no number is an error that names the message, the market and the field. Types that
//! are not known are [`Frame::Other`], never an error.

pub mod book;
pub mod delta;
pub mod exchange;
pub mod fee;
pub mod frame;
pub mod market;
pub mod portfolio;

use std::borrow::Cow;

use crate::domain::{Outcome, Price, Side, Venue};
use crate::venue::Error;

use super::wire::ws;

pub use book::{Orderbooks, image, orderbook, orderbooks, reading};
pub use fee::{Fee, FeeChange, fee_plan};
pub use frame::{Broken, Delta, Frame, Level, Lifecycle, Snapshot, frame};
pub use market::{market, rules_text};

/// On which scale the prices of NO levels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PriceMode {
    /// A NO level has the price of NO (`use_yes_price: false`).
    #[default]
    OwnLeg,
    /// A NO level has the price of YES (`use_yes_price: true`).
    Yes,
}

impl PriceMode {
    /// Where a bid for `leg` stands in the book of YES.
    pub const fn place(self, leg: Outcome, price: Price) -> (Side, Price) {
        match (leg, self) {
            (Outcome::Yes, _) => (Side::Bid, price),
            (Outcome::No, Self::OwnLeg) => (Side::Ask, price.mirror()),
            (Outcome::No, Self::Yes) => (Side::Ask, price),
        }
    }
}

/// What a frame is, at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// A full book.
    Snapshot,
    /// A change of one level.
    Delta,
    /// A public trade.
    Trade,
    /// An answer to a command.
    Control,
    /// Anything else, broken frames included.
    Other,
}

/// What this frame is, without reading its contents.
pub fn kind(text: &str) -> FrameKind {
    if delta::scan(text).is_some() {
        return FrameKind::Delta;
    }
    match serde_json::from_str::<ws::Head<'_>>(text) {
        Err(_) => FrameKind::Other,
        Ok(head) => kind_of(&head.kind),
    }
}

fn kind_of(name: &str) -> FrameKind {
    match name {
        "orderbook_snapshot" => FrameKind::Snapshot,
        "orderbook_delta" => FrameKind::Delta,
        "trade" => FrameKind::Trade,
        "subscribed" | "ok" | "unsubscribed" | "error" => FrameKind::Control,
        _ => FrameKind::Other,
    }
}

/// The market that this frame is about, if it is about one.
pub fn market_ticker(text: &str) -> Option<Cow<'_, str>> {
    if let Some(delta) = delta::scan(text) {
        return Some(delta.ticker);
    }
    let head: ws::Head<'_> = serde_json::from_str(text).ok()?;
    let about: ws::About<'_> = serde_json::from_str(head.msg?.get()).ok()?;
    about.market_ticker.map(|ticker| ticker.0)
}

/// The most characters of a venue's text that are kept in an error.
pub const TEXT_MAX: usize = 200;

/// A venue's text, shortened and on one line: control characters become spaces.
pub fn tame(text: &str) -> String {
    text.chars().take(TEXT_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// An error about one field.
pub(super) fn malformed(what: &str, field: &str, text: impl std::fmt::Display) -> Error {
    Error::Malformed {
        venue: Venue::Kalshi,
        what: tame(what),
        field: tame(field),
        text: tame(&text.to_string()),
    }
}

/// An error of the JSON reader, with the field it is about as far as its words and place tell.
pub(super) fn misread(what: &str, text: &str, error: &serde_json::Error) -> Error {
    let words = error.to_string();
    let named = words.split('`').nth(1).filter(|_| words.starts_with("missing field"));
    let field = named.map_or_else(|| key_before(text, error), str::to_owned);
    malformed(what, &field, words)
}

/// The last key in front of where the reader stopped.
fn key_before(text: &str, error: &serde_json::Error) -> String {
    /// How far back a key is looked for.
    const REACH: usize = 400;
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut end = line_start.saturating_add(error.column()).min(text.len());
    let mut start = end.saturating_sub(REACH);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let before = text.get(start..end).unwrap_or_default();
    let key = before.rfind("\":").and_then(|close| {
        let open = before[..close].rfind('"')?;
        before.get(open + 1..close)
    });
    key.filter(|key| !key.is_empty()).unwrap_or("body").to_owned()
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod recorded;
