//! Gamma: markets and events with their words, their dates and their fees.
//!
//! Two of its manners are kept because they cost money when missed: lists inside a market are
//! strings that hold JSON, and `endDate` is the planned day, not the moment of the settlement.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::domain::Date;

use super::super::{Floor, Reply, Request};
use super::catalog::Catalog;
use super::limits::Group;
use super::query::Query;
use super::settle::Ending;

/// Entries of a page when the client names no limit.
const PAGE: usize = 20;
/// Entries of a page at most, with `offset`.
const PAGE_MAX: usize = 500;
/// Entries of a page at most, with a cursor.
const KEYSET_MAX: usize = 100;

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
pub(super) fn answer(
    request: &Request<'_>,
    floor: &Floor,
    endings: &BTreeMap<usize, Ending>,
) -> Reply {
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
        ["markets"] => page(&query, Kind::Markets, (floor, endings)),
        ["events"] => page(&query, Kind::Events, (floor, endings)),
        ["markets", "keyset"] => keyset(&query, Kind::Markets, (floor, endings)),
        ["events", "keyset"] => keyset(&query, Kind::Events, (floor, endings)),
        ["markets", "slug", slug] => Ok(single(Kind::Markets, "slug", slug, (floor, endings))),
        ["events", "slug", slug] => Ok(single(Kind::Events, "slug", slug, (floor, endings))),
        ["markets", id] => Ok(single(Kind::Markets, "id", id, (floor, endings))),
        ["events", id] => Ok(single(Kind::Events, "id", id, (floor, endings))),
        _ => Ok(error(404, "not found error", "no such route")),
    };
    reply.unwrap_or_else(|key| error(422, "validation error", &format!("invalid {key}")))
}

/// An error as Gamma words it.
fn error(status: u16, kind: &str, text: &str) -> Reply {
    Reply::json(status, &json!({ "type": kind, "error": text }))
}

/// The markets, and how those ended that did.
type Place<'a> = (&'a Floor, &'a BTreeMap<usize, Ending>);

/// One of the two things that Gamma lists.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Markets,
    Events,
}

impl Kind {
    /// The key of the list in a page with a cursor.
    const fn name(self) -> &'static str {
        match self {
            Self::Markets => "markets",
            Self::Events => "events",
        }
    }

    /// All of them, in full, in the order of their ids.
    fn all<'a>(self, catalog: &'a Catalog<'_>) -> Box<dyn Iterator<Item = Value> + 'a> {
        match self {
            Self::Markets => {
                Box::new((0..catalog.markets()).map(|market| catalog.market_with_event(market)))
            }
            Self::Events => {
                Box::new((0..catalog.events()).map(|event| catalog.event_with_markets(event)))
            }
        }
    }
}

fn single(kind: Kind, key: &str, wanted: &str, place: Place<'_>) -> Reply {
    let catalog = Catalog::with(place.0, place.1);
    match kind.all(&catalog).find(|entry| entry[key] == wanted) {
        Some(entry) => Reply::json(200, &entry),
        None => error(404, "not found error", "id not found"),
    }
}

/// All entries that pass the filters, with their indices.
fn selected(
    query: &Query,
    kind: Kind,
    place: Place<'_>,
) -> Result<Vec<(usize, Value)>, &'static str> {
    let (closed, active) = (query.flag("closed")?, query.flag("active")?);
    let (earliest, latest) = (day(query, "end_date_min")?, day(query, "end_date_max")?);
    // Nothing here carries a tag or belongs to a series.
    if query.first("tag_id").or_else(|| query.first("series_id")).is_some() {
        return Ok(Vec::new());
    }
    let catalog = Catalog::with(place.0, place.1);
    let passes = |entry: &Value| {
        let text = |key: &str| entry[key].as_str().unwrap_or_default();
        let ends = day_of(text("endDate"));
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
    Ok(kind.all(&catalog).enumerate().filter(|(_, entry)| passes(entry)).collect())
}

fn page(query: &Query, kind: Kind, place: Place<'_>) -> Result<Reply, &'static str> {
    let limit = query.count("limit", PAGE)?.min(PAGE_MAX);
    let offset = query.count("offset", 0)?;
    let found = selected(query, kind, place)?;
    let entries = found.into_iter().skip(offset).take(limit).map(|(_, entry)| entry).collect();
    Ok(Reply::json(200, &Value::Array(entries)))
}

fn keyset(query: &Query, kind: Kind, place: Place<'_>) -> Result<Reply, &'static str> {
    if query.first("offset").is_some() {
        return Err("offset");
    }
    let limit = query.count("limit", PAGE)?.clamp(1, KEYSET_MAX);
    let after = match query.first("after_cursor") {
        None | Some("") => 0,
        Some(cursor) => cursor_index(cursor).ok_or("after_cursor")?,
    };
    let found = selected(query, kind, place)?;
    let mut rest = found.into_iter().filter(|(index, _)| *index >= after);
    let entries: Vec<(usize, Value)> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let next = entries.last().map(|(index, _)| index + 1).filter(|_| more);
    let mut body = Map::new();
    let entries = entries.into_iter().map(|(_, entry)| entry).collect();
    body.insert(kind.name().to_owned(), Value::Array(entries));
    if let Some(next) = next {
        body.insert("next_cursor".to_owned(), json!(URL_SAFE_NO_PAD.encode(next.to_string())));
    }
    Ok(Reply::json(200, &Value::Object(body)))
}

fn cursor_index(cursor: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    String::from_utf8(bytes).ok()?.parse().ok()
}

/// The day that a time or a date begins with.
fn day_of(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

fn day(query: &Query, key: &'static str) -> Result<Option<Date>, &'static str> {
    query.first(key).map(|text| day_of(text).ok_or(key)).transpose()
}
