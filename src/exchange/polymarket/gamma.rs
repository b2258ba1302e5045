//! Gamma: markets and events with their words, their dates and their fees.
//!
//! Two of its manners are kept because they cost money when missed: lists inside a market are
//! strings that hold JSON, and `endDate` is the planned day, not the moment of the settlement.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::domain::market::Status;
use crate::domain::{Date, Rate, Side};

use super::super::{Floor, Listing, Reply, Request};
use super::asset::{Asset, dollars, number, shares, tick};
use super::limits::Group;
use super::query::Query;

/// Entries of a page when the client names no limit.
const PAGE: usize = 20;
/// Entries of a page at most, with `offset`.
const PAGE_MAX: usize = 500;
/// Entries of a page at most, with a cursor.
const KEYSET_MAX: usize = 100;
/// The number of the first market; ids are numbers in decimal.
const FIRST_MARKET: usize = 1_000_001;
/// The number of the first event.
const FIRST_EVENT: usize = 20_001;

/// Which limit a request counts against.
pub(super) fn group(path: &str) -> Group {
    if path.starts_with("/events") {
        Group::Events
    } else if path.starts_with("/markets") {
        Group::Markets
    } else {
        Group::Gamma
    }
}

/// Answers a request to Gamma.
pub(super) fn answer(request: &Request<'_>, floor: &Floor) -> Reply {
    // The venue turns this client away by name.
    if request.header("user-agent").is_some_and(|agent| agent.starts_with("Python-urllib")) {
        return error(403, "forbidden", "request blocked");
    }
    let query = Query::parse(request.query);
    let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
    if request.method != "GET" {
        return error(404, "not found error", "no such route");
    }
    let reply = match path.as_slice() {
        ["markets"] => page(&query, &MARKETS, floor),
        ["events"] => page(&query, &EVENTS, floor),
        ["markets", "keyset"] => keyset(&query, &MARKETS, floor),
        ["events", "keyset"] => keyset(&query, &EVENTS, floor),
        ["markets", "slug", slug] => Ok(single(&MARKETS, "slug", slug, floor)),
        ["events", "slug", slug] => Ok(single(&EVENTS, "slug", slug, floor)),
        ["markets", id] => Ok(single(&MARKETS, "id", id, floor)),
        ["events", id] => Ok(single(&EVENTS, "id", id, floor)),
        _ => Ok(error(404, "not found error", "no such route")),
    };
    reply.unwrap_or_else(|key| error(422, "validation error", &format!("invalid {key}")))
}

/// An error as Gamma words it.
fn error(status: u16, kind: &str, text: &str) -> Reply {
    Reply::json(status, &json!({ "type": kind, "error": text }))
}

/// One of the two things that Gamma lists.
struct Kind {
    /// The key of the list in a page with a cursor.
    name: &'static str,
    /// How many there are.
    count: fn(&Floor) -> usize,
    /// The one at an index, in full.
    dress: fn(usize, &Floor) -> Value,
}

const MARKETS: Kind = Kind {
    name: "markets",
    count: |floor| floor.listings.len(),
    dress: |index, floor| {
        let mut market = market(index, floor);
        let event = floor.listings[index].event.as_str();
        if let Some(at) = events(floor).iter().position(|(slug, _)| *slug == event) {
            market["events"] = json!([event_head(at, floor)]);
        }
        market
    },
};

const EVENTS: Kind = Kind {
    name: "events",
    count: |floor| events(floor).len(),
    dress: |index, floor| {
        let mut event = event_head(index, floor);
        let members = events(floor).swap_remove(index).1;
        let markets = members.iter().map(|member| market(*member, floor)).collect();
        event["markets"] = Value::Array(markets);
        event
    },
};

fn single(kind: &Kind, key: &str, wanted: &str, floor: &Floor) -> Reply {
    let found = (0..(kind.count)(floor)).map(|index| (kind.dress)(index, floor));
    match found.into_iter().find(|entry| entry[key] == wanted) {
        Some(entry) => Reply::json(200, &entry),
        None => error(404, "not found error", "id not found"),
    }
}

/// All entries that pass the filters, with their indices.
fn selected(
    query: &Query,
    kind: &Kind,
    floor: &Floor,
) -> Result<Vec<(usize, Value)>, &'static str> {
    let (closed, active) = (query.flag("closed")?, query.flag("active")?);
    let (earliest, latest) = (day(query, "end_date_min")?, day(query, "end_date_max")?);
    // Nothing here carries a tag or belongs to a series.
    if query.first("tag_id").or_else(|| query.first("series_id")).is_some() {
        return Ok(Vec::new());
    }
    let passes = |entry: &Value| {
        let text = |key: &str| entry[key].as_str().unwrap_or_default();
        let ends = text("endDate").parse_day();
        let tokens: Vec<String> = serde_json::from_str(text("clobTokenIds")).unwrap_or_default();
        let by_token = query.first("clob_token_ids").is_none()
            || query.all("clob_token_ids").any(|wanted| tokens.iter().any(|id| id == wanted));
        by_token
            && query.admits("id", text("id"))
            && query.admits("slug", text("slug"))
            && query.admits("condition_ids", text("conditionId"))
            && query.admits("version", "v1")
            && closed.is_none_or(|wanted| entry["closed"] == wanted)
            && active.is_none_or(|wanted| entry["active"] == wanted)
            && earliest.is_none_or(|bound| ends.is_some_and(|end| end >= bound))
            && latest.is_none_or(|bound| ends.is_some_and(|end| end <= bound))
    };
    Ok((0..(kind.count)(floor))
        .map(|index| (index, (kind.dress)(index, floor)))
        .filter(|(_, entry)| passes(entry))
        .collect())
}

fn page(query: &Query, kind: &Kind, floor: &Floor) -> Result<Reply, &'static str> {
    let limit = query.count("limit", PAGE)?.min(PAGE_MAX);
    let offset = query.count("offset", 0)?;
    let found = selected(query, kind, floor)?;
    let entries = found.into_iter().skip(offset).take(limit).map(|(_, entry)| entry).collect();
    Ok(Reply::json(200, &Value::Array(entries)))
}

fn keyset(query: &Query, kind: &Kind, floor: &Floor) -> Result<Reply, &'static str> {
    if query.first("offset").is_some() {
        return Err("offset");
    }
    let limit = query.count("limit", PAGE)?.clamp(1, KEYSET_MAX);
    let after = match query.first("after_cursor") {
        None | Some("") => 0,
        Some(cursor) => cursor_index(cursor).ok_or("after_cursor")?,
    };
    let found = selected(query, kind, floor)?;
    let mut rest = found.into_iter().filter(|(index, _)| *index >= after);
    let entries: Vec<(usize, Value)> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let next = entries.last().map(|(index, _)| index + 1).filter(|_| more);
    let mut body = Map::new();
    let entries = entries.into_iter().map(|(_, entry)| entry).collect();
    body.insert(kind.name.to_owned(), Value::Array(entries));
    if let Some(next) = next {
        body.insert("next_cursor".to_owned(), json!(URL_SAFE_NO_PAD.encode(next.to_string())));
    }
    Ok(Reply::json(200, &Value::Object(body)))
}

fn cursor_index(cursor: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    String::from_utf8(bytes).ok()?.parse().ok()
}

/// Reads the day that a time or a date begins with.
trait ParseDay {
    fn parse_day(&self) -> Option<Date>;
}

impl ParseDay for str {
    fn parse_day(&self) -> Option<Date> {
        self.get(..10)?.parse().ok()
    }
}

fn day(query: &Query, key: &'static str) -> Result<Option<Date>, &'static str> {
    query.first(key).map(|text| text.parse_day().ok_or(key)).transpose()
}

/// The id of a market.
pub(super) fn market_id(market: usize) -> String {
    (FIRST_MARKET + market).to_string()
}

/// The id of the event of a market.
pub(super) fn event_id(market: usize, floor: &Floor) -> String {
    let slug = floor.listings[market].event.as_str();
    let at = events(floor).iter().position(|(event, _)| *event == slug).unwrap_or_default();
    (FIRST_EVENT + at).to_string()
}

/// A market's slug: its question in lower case, and a number that makes it unique.
pub(super) fn market_slug(market: usize, listing: &Listing) -> String {
    let mut slug = String::with_capacity(listing.title.len() + 5);
    for part in listing.title.split(|c: char| !c.is_ascii_alphanumeric()) {
        if !part.is_empty() {
            slug.push_str(&part.to_ascii_lowercase());
            slug.push('-');
        }
    }
    slug + &(market + 1).to_string()
}

/// The day that was planned for the end, at midnight: never when trading or the settlement ends.
pub(super) fn end_date(listing: &Listing) -> String {
    let text = listing.closes.to_string();
    format!("{}T00:00:00Z", text.get(..10).unwrap_or_default())
}

/// The prices of the two outcomes: halfway between the best bid and the best ask, or the last trade
/// when a side is empty.
pub(super) fn outcome_prices(market: usize, floor: &Floor) -> [String; 2] {
    let book = &floor.books[market];
    let sides = [Side::Bid, Side::Ask];
    let quoted = sides.iter().all(|side| book.best(*side).is_some());
    Asset::both(market).map(|asset| match book.last_trade() {
        Some(price) if !quoted => dollars(asset.price(price).units()),
        _ => asset.quote(book).middle(),
    })
}

fn event_head(index: usize, floor: &Floor) -> Value {
    let (slug, members) = events(floor).swap_remove(index);
    let listings: Vec<&Listing> = members.iter().map(|member| &floor.listings[*member]).collect();
    let Some(first) = listings.first() else { return Value::Null };
    let closed = listings.iter().all(|listing| listing.status == Status::Closed);
    json!({
        "id": (FIRST_EVENT + index).to_string(),
        "ticker": slug,
        "slug": slug,
        "title": first.title,
        "description": first.rules,
        "resolutionSource": "",
        "endDate": end_date(first),
        "active": true,
        "closed": closed,
        "archived": false,
        "enableOrderBook": !closed,
        "negRisk": false,
        "enableNegRisk": false,
        "negRiskAugmented": false,
    })
}

/// The events in the order of their first market, with the indices of their markets.
fn events(floor: &Floor) -> Vec<(&str, Vec<usize>)> {
    let mut events: Vec<(&str, Vec<usize>)> = Vec::new();
    for (market, listing) in floor.listings.iter().enumerate() {
        match events.iter_mut().find(|(slug, _)| *slug == listing.event) {
            Some((_, members)) => members.push(market),
            None => events.push((&listing.event, vec![market])),
        }
    }
    events
}

/// A list as Gamma writes it: a string that holds JSON, with a space behind each comma.
fn nested(entries: [&str; 2]) -> String {
    format!("[{}, {}]", json!(entries[0]), json!(entries[1]))
}

fn market(index: usize, floor: &Floor) -> Value {
    let listing = &floor.listings[index];
    let [yes, _] = Asset::both(index);
    let book = &floor.books[index];
    let quote = yes.quote(book);
    let prices = outcome_prices(index, floor);
    let closed = listing.status == Status::Closed;
    let end = end_date(listing);
    let last = book.last_trade().map_or(Value::Null, |price| number(&dollars(price.units())));
    let mut body = json!({
        "id": market_id(index),
        "question": listing.title,
        "slug": market_slug(index, listing),
        "conditionId": listing.id,
        "version": "v1",
        "clobTokenIds": nested([&listing.tokens.0, &listing.tokens.1]),
        "positionIds": null,
        "outcomes": nested([&listing.labels.0, &listing.labels.1]),
        "outcomePrices": nested([&prices[0], &prices[1]]),
        "negRisk": false,
        "endDate": end,
        "endDateIso": &end[..10.min(end.len())],
        "description": listing.rules,
        "resolutionSource": "",
        "active": true,
        "closed": closed,
        "archived": false,
        "acceptingOrders": listing.status == Status::Open,
        "enableOrderBook": !closed,
        "orderPriceMinTickSize": number(&dollars(tick(listing))),
        "orderMinSize": number(&shares(listing.minimum)),
        "bestBid": number(&dollars(quote.bid)),
        "bestAsk": number(&dollars(quote.ask)),
        "spread": number(&dollars(quote.spread())),
        "lastTradePrice": last,
        "feesEnabled": listing.rate != Rate::ZERO,
        "secondsDelay": 0,
    });
    if listing.rate != Rate::ZERO {
        body["feeSchedule"] = json!({
            "exponent": 1,
            "rate": number(&listing.rate.to_string()),
            "takerOnly": true,
            "rebateRate": 0.25,
        });
    }
    body
}
