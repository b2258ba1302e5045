//! Wire to domain, pure.
//!
//! Everything is turned into terms of YES, the market's first token: an item of the NO token is the
//! same liquidity seen from the other side, at `1 - price` with its side flipped. Sizes are totals,
//! so that applying both tokens' items changes nothing twice.
//!
//! The kind of a frame is read first. The two hot shapes then go through a scanner made for exactly
//! them ([`scan`]); whatever it does not expect goes through serde, which also writes the errors.

pub mod account;
mod frame;
pub mod market;
pub mod movement;
pub mod number;
pub mod reply;
pub mod scan;

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::book::{Level, Reading, level_checksum};
use crate::domain::{MarketIndex, Outcome, Price, Quantity, Side, Timestamp};
use crate::venue::Error;

use super::error::{malformed, unreadable};
use super::wire;

use frame::{Frame, read};

/// Which book a token belongs to, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Whose book.
    pub market: MarketIndex,
    /// Which of the two tokens.
    pub outcome: Outcome,
}

/// One entry of a `price_change`, in terms of YES.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Whose book.
    pub market: MarketIndex,
    /// Side of YES.
    pub side: Side,
    /// Price of YES.
    pub price: Price,
    /// New total.
    pub quantity: Quantity,
    /// Best bid and ask of YES after the batch, where the venue says so.
    pub best: Option<Best>,
}

impl Change {
    /// The change in terms of YES, where side and price are those of a token.
    const fn of_yes(mut self, token: Outcome) -> Self {
        if matches!(token, Outcome::No) {
            self.side = flip(self.side);
            self.price = self.price.mirror();
        }
        self
    }
}

/// Best prices of YES, `None` for an empty side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Best {
    /// Best bid.
    pub bid: Option<Price>,
    /// Best ask.
    pub ask: Option<Price>,
}

impl Best {
    /// The best prices of YES, where these are those of a token.
    fn of_yes(self, token: Outcome) -> Self {
        match token {
            Outcome::Yes => self,
            Outcome::No => {
                Self { bid: self.ask.map(Price::mirror), ask: self.bid.map(Price::mirror) }
            }
        }
    }
}

/// What the hot frames are decoded into; reused, so that a warm frame allocates nothing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Scratch {
    /// The entries of a `price_change` that belong to known tokens.
    pub changes: Vec<Change>,
    /// The levels of a `book`, bids and asks of YES, in the order of arrival.
    pub levels: Vec<(Side, Level)>,
}

/// What a `book` frame says beside its levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// Whose book; `None` when the token is not known.
    pub place: Option<Place>,
    /// When the venue took it.
    pub source: Option<Timestamp>,
}

/// What a frame is about, for those who only sort frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A full image.
    Book,
    /// New totals of some levels.
    PriceChange,
    /// The last trade.
    Trade,
    /// Anything else: `PONG`, `[]`, announcements, what is not known.
    Other,
}

/// What a frame or one element of an array frame is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event<'a> {
    Book,
    PriceChange,
    Trade,
    Best,
    Ticks,
    Resolved,
    NewMarket,
    Unknown(Cow<'a, str>),
}

/// Says what a frame is about without reading it; an array is what its first element is.
pub fn kind(text: &str) -> Kind {
    let text = text.trim();
    let first = if text.starts_with('[') { elements(text).ok() } else { None };
    let one = first.as_ref().map_or(text, |all| all.first().map_or("", |raw| raw.get()));
    match event(one) {
        Ok(Event::Book) => Kind::Book,
        Ok(Event::PriceChange) => Kind::PriceChange,
        Ok(Event::Trade) => Kind::Trade,
        _ => Kind::Other,
    }
}

/// An asset that a frame names, and the market (condition) it names with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'a> {
    /// The token.
    pub asset: Cow<'a, str>,
    /// The condition id, where the frame has one.
    pub market: Option<Cow<'a, str>>,
}

/// The assets that a frame names, each once, in order of their first mention. A frame that can't be
/// read names none.
pub fn assets_in(text: &str) -> Vec<Named<'_>> {
    let text = text.trim();
    let mut found: Vec<Named<'_>> = Vec::new();
    let named: Vec<wire::Named<'_>> = if text.starts_with('[') {
        let Ok(all) = elements(text) else { return found };
        all.into_iter().filter_map(|raw| serde_json::from_str(raw.get()).ok()).collect()
    } else {
        serde_json::from_str(text).into_iter().collect()
    };
    for one in named {
        let changes = one.price_changes.into_iter().filter_map(|change| change.asset_id);
        for asset in one.asset_id.into_iter().chain(changes).chain(one.assets_ids) {
            if !found.iter().any(|known| known.asset == asset) {
                found.push(Named { asset, market: one.market.clone() });
            }
        }
    }
    found
}

/// The elements of an array frame, unread.
pub(super) fn elements(text: &str) -> Result<Vec<&RawValue>, Error> {
    serde_json::from_str(text).map_err(|error| unreadable("array frame", &error))
}

/// Reads the kind of one object.
pub(super) fn event(text: &str) -> Result<Event<'_>, Error> {
    let name = match scan::event_type(text) {
        Some(name) => Cow::Borrowed(name),
        None => {
            let envelope: wire::Envelope<'_> =
                serde_json::from_str(text).map_err(|error| unreadable("frame", &error))?;
            envelope.event_type.unwrap_or_default()
        }
    };
    Ok(match name.as_ref() {
        "book" => Event::Book,
        "price_change" => Event::PriceChange,
        "last_trade_price" => Event::Trade,
        "best_bid_ask" => Event::Best,
        "tick_size_change" => Event::Ticks,
        "market_resolved" => Event::Resolved,
        "new_market" => Event::NewMarket,
        _ => Event::Unknown(name),
    })
}

/// Decodes a `price_change` into `scratch.changes` and says when the venue made it.
pub fn price_change(
    text: &str,
    resolve: &impl Fn(&str) -> Option<Place>,
    scratch: &mut Scratch,
) -> Result<Option<Timestamp>, Error> {
    scratch.changes.clear();
    if let Some(source) = scan::price_change(text, resolve, &mut scratch.changes) {
        return Ok(source);
    }
    price_change_by_serde(text, resolve, scratch)
}

/// [`price_change`] without the scanner: its fallback, and the oracle it is tested against.
pub fn price_change_by_serde(
    text: &str,
    resolve: &impl Fn(&str) -> Option<Place>,
    scratch: &mut Scratch,
) -> Result<Option<Timestamp>, Error> {
    scratch.changes.clear();
    let mut failed = None;
    let frame = Frame { resolve, scratch, failed: &mut failed };
    let head = read(text, frame, "price_change")?;
    if let Some((field, said)) = failed {
        return Err(malformed(about("price_change", text), field, said));
    }
    if !head.has_changes {
        let what = about("price_change", text);
        return Err(malformed(what, "price_changes", "missing; an old format has changes instead"));
    }
    source_of(head.timestamp, "price_change", text)
}

/// Decodes a `book` into `scratch.levels`.
pub fn book(
    text: &str,
    resolve: &impl Fn(&str) -> Option<Place>,
    scratch: &mut Scratch,
) -> Result<Image, Error> {
    scratch.levels.clear();
    if let Some(image) = scan::book(text, resolve, &mut scratch.levels) {
        return Ok(image);
    }
    book_by_serde(text, resolve, scratch)
}

/// [`book`] without the scanner: its fallback, and the oracle it is tested against.
pub fn book_by_serde(
    text: &str,
    resolve: &impl Fn(&str) -> Option<Place>,
    scratch: &mut Scratch,
) -> Result<Image, Error> {
    scratch.levels.clear();
    let mut failed = None;
    let frame = Frame { resolve, scratch, failed: &mut failed };
    let head = read(text, frame, "book")?;
    let missing = |field| malformed(about("book", text), field, "missing");
    if let Some((field, said)) = failed {
        return Err(malformed(about("book", text), field, said));
    }
    let asset = head.asset.ok_or_else(|| missing("asset_id"))?;
    if !head.has_bids {
        return Err(missing("bids"));
    }
    if !head.has_asks {
        return Err(missing("asks"));
    }
    let place = resolve(asset);
    orient(place, &mut scratch.levels);
    Ok(Image { place, source: source_of(head.timestamp, "book", text)? })
}

/// Turns the levels of a NO token into those of YES.
fn orient(place: Option<Place>, levels: &mut [(Side, Level)]) {
    if place.is_some_and(|place| place.outcome == Outcome::No) {
        for (side, level) in levels {
            *side = flip(*side);
            level.price = level.price.mirror();
        }
    }
}

/// A book over REST boiled down to what confirms or refutes the local one.
pub fn reading(market: MarketIndex, image: &Image, levels: &[(Side, Level)]) -> Reading {
    let kept = levels.iter().filter(|(_, level)| !level.quantity.is_zero());
    let checksum = kept.fold(0, |sum, (side, level)| sum ^ level_checksum(*side, *level));
    Reading { market, source: image.source, checksum }
}

/// A book read over REST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    /// For comparison with the local book.
    pub reading: Reading,
    /// For use as the book where there is no socket: side, price and quantity, of YES.
    pub levels: Vec<(Side, Level)>,
}

/// Books that could be read, and why others could not.
#[derive(Debug, Default)]
pub struct Books {
    /// Those that could be read.
    pub found: Vec<Book>,
    /// One error for each that could not.
    pub refused: Vec<Error>,
}

/// Reads the answer of `POST /books` (an array) or `GET /book` (one object). Books of tokens that
/// `resolve` does not know are left out; one that makes no sense does not hide the others.
pub fn books(text: &str, resolve: &impl Fn(&str) -> Option<Place>) -> Result<Books, Error> {
    let text = text.trim();
    let mut scratch = Scratch::default();
    let mut all = Books::default();
    let items = if text.starts_with('[') {
        elements(text)?
    } else {
        vec![serde_json::from_str(text).map_err(|error| unreadable("book", &error))?]
    };
    for raw in items {
        match book(raw.get(), resolve, &mut scratch) {
            Ok(image) => all.found.extend(image.place.map(|place| Book {
                reading: reading(place.market, &image, &scratch.levels),
                levels: scratch.levels.clone(),
            })),
            Err(error) => all.refused.push(error),
        }
    }
    Ok(all)
}

/// `best_bid_ask` in terms of YES.
pub(super) fn best(
    text: &str,
    resolve: &impl Fn(&str) -> Option<Place>,
) -> Result<Option<(MarketIndex, Best, Option<Timestamp>)>, Error> {
    let said: wire::Best<'_> = serde_json::from_str(text)
        .map_err(|error| unreadable(about("best_bid_ask", text), &error))?;
    let Some(place) = resolve(said.asset_id) else { return Ok(None) };
    let source = source_of(said.timestamp, "best_bid_ask", text)?;
    let both = best_of(place.outcome, said.best_bid, said.best_ask)
        .map_err(|said| malformed(about("best_bid_ask", text), "best_bid", said))?;
    Ok(both.map(|best| (place.market, best, source)))
}

/// The token that an event without levels is about.
pub(super) fn asset<'a>(text: &'a str, event: &str) -> Result<&'a str, Error> {
    let said: wire::Asset<'_> =
        serde_json::from_str(text).map_err(|error| unreadable(about(event, text), &error))?;
    Ok(said.asset_id)
}

/// The tokens of the market that was resolved.
pub(super) fn resolved(text: &str) -> Result<Vec<Cow<'_, str>>, Error> {
    let said: wire::Resolved<'_> = serde_json::from_str(text)
        .map_err(|error| unreadable(about("market_resolved", text), &error))?;
    Ok(said.assets_ids)
}

/// The side of a token's book that a resting order of this kind stands on.
pub(super) fn side_of(text: &str) -> Option<Side> {
    match text {
        "BUY" => Some(Side::Bid),
        "SELL" => Some(Side::Ask),
        _ => None,
    }
}

pub(super) const fn flip(side: Side) -> Side {
    match side {
        Side::Bid => Side::Ask,
        Side::Ask => Side::Bid,
    }
}

/// Milliseconds as text; the venue's older pages have seconds, told apart by their magnitude.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    /// The year 2100: what lies beyond would shut out every later image.
    const MILLIS_MAX: i64 = 4_102_444_800_000;
    const SECONDS_BELOW: i64 = 100_000_000_000;
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let value: i64 = text.parse().ok().filter(|_| all_digits)?;
    match value {
        0..SECONDS_BELOW => Some(Timestamp::from_secs(value)).filter(|at| at.millis() < MILLIS_MAX),
        SECONDS_BELOW..MILLIS_MAX => Some(Timestamp::from_millis(value)),
        _ => None,
    }
}

fn source_of(said: Option<&str>, event: &str, text: &str) -> Result<Option<Timestamp>, Error> {
    match said {
        None | Some("") => Ok(None),
        Some(said) => match timestamp(said) {
            Some(source) => Ok(Some(source)),
            None => Err(malformed(about(event, text), "timestamp", said)),
        },
    }
}

/// A best price as announced: an empty text, zero and one all say that the side is empty.
pub(super) fn best_price(text: &str) -> Result<Option<Price>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    match crate::domain::decimal::parse_scaled(text, 4) {
        Ok(0 | 10_000) => Ok(None),
        Ok(units) => u16::try_from(units).ok().and_then(Price::from_units).map(Some).ok_or(()),
        Err(_) => Err(()),
    }
}

/// Both best prices of a token as those of YES; `None` when one of them is not told.
pub(super) fn best_of<'a>(
    outcome: Outcome,
    bid: Option<&'a str>,
    ask: Option<&'a str>,
) -> Result<Option<Best>, &'a str> {
    let (Some(bid_text), Some(ask_text)) = (bid, ask) else { return Ok(None) };
    let bid = best_price(bid_text).map_err(|()| bid_text)?;
    let ask = best_price(ask_text).map_err(|()| ask_text)?;
    Ok(Some(Best { bid, ask }.of_yes(outcome)))
}

/// Which market a frame that could not be read is about, for the error.
pub(super) fn about(event: &str, text: &str) -> String {
    let market = text.split_once("\"market\":").map_or("", |(_, rest)| rest.trim_start());
    let id = market.strip_prefix('"').and_then(|rest| rest.split_once('"')).map(|(id, _)| id);
    match id.filter(|id| id.len() <= 80) {
        Some(id) => format!("{event} of market {id}"),
        None => event.to_owned(),
    }
}

/// One entry in terms of YES, or the field that makes no sense.
pub(super) fn change<'a>(
    place: Place,
    item: &wire::Change<'a>,
) -> Result<Change, (&'static str, &'a str)> {
    let side = side_of(item.side).ok_or(("side", item.side))?;
    let price = Price::parse(item.price).map_err(|_| ("price", item.price))?;
    let quantity = Quantity::parse(item.size).map_err(|_| ("size", item.size))?;
    let best =
        best_of(place.outcome, item.best_bid, item.best_ask).map_err(|said| ("best_bid", said))?;
    Ok(Change { market: place.market, side, price, quantity, best }.of_yes(place.outcome))
}

#[cfg(test)]
mod tests;
