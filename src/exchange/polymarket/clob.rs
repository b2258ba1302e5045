//! The CLOB's public routes: what can be traded, and the books.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::domain::market::Status;
use crate::domain::{Rate, Timestamp};

use super::super::{Floor, Listing, Reply, Request};
use super::asset::{Asset, Quote, dollars, number, shares, side_name, tick};
use super::catalog;
use super::limits::Group;
use super::query::Query;
use super::tape::Tape;

/// Books in one `POST /books`.
const BOOKS_MAX: usize = 500;
/// Markets on one page of a cursor list.
const PAGE: usize = 100;
/// The cursor after the last page: `-1` in base64.
const END: &str = "LTE=";
/// What the legacy fee fields say of every market with a fee, whatever the fee is.
const LEGACY_FEE: u32 = 1_000;

/// Which limit a request counts against.
pub(super) fn group(path: &str) -> Group {
    match path {
        "/book" => Group::Book,
        "/books" => Group::Books,
        "/price" | "/midpoint" | "/spread" | "/last-trade-price" => Group::Price,
        "/tick-size" => Group::Tick,
        _ => Group::Clob,
    }
}

/// Answers a request to the CLOB.
pub(super) fn answer(request: &Request<'_>, floor: &Floor, tape: &Tape, now: Timestamp) -> Reply {
    let query = Query::parse(request.query);
    let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
    match (request.method, path.as_slice()) {
        ("GET", ["time"]) => Reply::json(200, &json!(now.secs())),
        ("GET", [] | ["ok"]) => Reply::json(200, &json!("OK")),
        ("GET", ["version"]) => Reply::json(200, &json!({ "version": 2 })),
        ("POST", ["books"]) => books(request.body, floor, tape),
        ("GET", ["clob-markets", id]) => one(floor, id, compact),
        ("GET", ["markets-by-token", token]) => by_token(floor, token),
        ("GET", ["markets", id]) => one(floor, id, full),
        ("GET", ["markets"]) => list(&query, floor, Selection::All, full),
        ("GET", ["simplified-markets"]) => list(&query, floor, Selection::All, brief),
        ("GET", ["sampling-markets"]) => list(&query, floor, Selection::Open, full),
        ("GET", ["sampling-simplified-markets"]) => list(&query, floor, Selection::Open, brief),
        ("GET", [route]) => of_token(route, &query, floor, tape),
        _ => error(404, "Not Found"),
    }
}

/// An error as the CLOB words it.
fn error(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "error": text }))
}

/// A token that has a book: closed markets have none.
fn traded(floor: &Floor, token: &str) -> Option<Asset> {
    Asset::find(floor, token).filter(|asset| floor.listings[asset.market].status != Status::Closed)
}

/// The routes that take a `token_id`.
fn of_token(route: &str, query: &Query, floor: &Floor, tape: &Tape) -> Reply {
    const ROUTES: [&str; 8] = [
        "book",
        "price",
        "midpoint",
        "spread",
        "last-trade-price",
        "tick-size",
        "neg-risk",
        "fee-rate",
    ];
    if !ROUTES.contains(&route) {
        return error(404, "Not Found");
    }
    let Some(token) = query.first("token_id").filter(|token| !token.is_empty()) else {
        return error(400, "Invalid token id");
    };
    let Some(asset) = traded(floor, token) else {
        return error(404, "No orderbook exists for the requested token id");
    };
    let listing = &floor.listings[asset.market];
    let quote = asset.quote(&floor.books[asset.market]);
    let body = match route {
        "book" => tape.image(asset, floor).value(),
        "midpoint" => json!({ "mid": quote.middle() }),
        "spread" => json!({ "spread": dollars(quote.spread()) }),
        "last-trade-price" => last_trade(asset.market, tape),
        "tick-size" => json!({ "minimum_tick_size": number(&dollars(tick(listing))) }),
        "neg-risk" => json!({ "neg_risk": listing.is_neg_risk() }),
        "fee-rate" => json!({ "base_fee": legacy_fee(listing) }),
        _ => return price(query, quote),
    };
    Reply::json(200, &body)
}

/// The venue's specification says that BUY asks for the best bid; its guide says the opposite. This
/// follows the specification.
fn price(query: &Query, quote: Quote) -> Reply {
    match query.first("side") {
        Some("BUY" | "buy") => Reply::json(200, &json!({ "price": dollars(quote.bid) })),
        Some("SELL" | "sell") => Reply::json(200, &json!({ "price": dollars(quote.ask) })),
        _ => error(400, "Invalid side"),
    }
}

fn last_trade(market: usize, tape: &Tape) -> Value {
    match tape.last(market) {
        Some(last) => json!({ "price": dollars(last.price), "side": side_name(last.side) }),
        None => json!({ "price": "0.5", "side": "" }),
    }
}

fn books(body: &[u8], floor: &Floor, tape: &Tape) -> Reply {
    let Ok(Value::Array(asked)) = serde_json::from_slice(body) else {
        return error(400, "Invalid payload");
    };
    if asked.len() > BOOKS_MAX {
        return error(400, "Payload exceeds the limit");
    }
    let mut found = Vec::new();
    for entry in &asked {
        let Some(token) = entry.get("token_id").and_then(Value::as_str) else {
            return error(400, "Invalid payload");
        };
        // Tokens without a book are left out, not answered with an error.
        found.extend(traded(floor, token).map(|asset| tape.image(asset, floor).value()));
    }
    Reply::json(200, &Value::Array(found))
}

fn by_token(floor: &Floor, token: &str) -> Reply {
    let Some(asset) = Asset::find(floor, token) else {
        return error(404, "market not found");
    };
    let listing = &floor.listings[asset.market];
    // The order of the two says nothing about which is YES.
    let (first, second) = match asset.market % 2 {
        0 => (&listing.tokens.0, &listing.tokens.1),
        _ => (&listing.tokens.1, &listing.tokens.0),
    };
    let body = json!({
        "condition_id": listing.id,
        "primary_token_id": first,
        "secondary_token_id": second,
    });
    Reply::json(200, &body)
}

fn one(floor: &Floor, id: &str, dress: fn(usize, &Floor) -> Value) -> Reply {
    match floor.listings.iter().position(|listing| listing.id == id) {
        Some(market) => Reply::json(200, &dress(market, floor)),
        None => error(404, "market not found"),
    }
}

/// Which markets a cursor list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Selection {
    All,
    /// Those that can be traded.
    Open,
}

fn list(
    query: &Query,
    floor: &Floor,
    selection: Selection,
    dress: fn(usize, &Floor) -> Value,
) -> Reply {
    let start = match query.first("next_cursor") {
        None | Some("") => Some(0),
        Some(cursor) => STANDARD
            .decode(cursor)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.parse::<usize>().ok()),
    };
    let Some(start) = start else {
        return error(400, "invalid next_cursor");
    };
    let wanted = |listing: &Listing| {
        selection == Selection::All || (accepts(listing) && listing.status != Status::Closed)
    };
    let markets: Vec<usize> = floor
        .listings
        .iter()
        .enumerate()
        .filter(|(_, listing)| wanted(listing))
        .map(|(market, _)| market)
        .collect();
    let page: Vec<Value> =
        markets.iter().skip(start).take(PAGE).map(|market| dress(*market, floor)).collect();
    let next = start.saturating_add(page.len());
    let cursor =
        if next >= markets.len() { END.to_owned() } else { STANDARD.encode(next.to_string()) };
    let count = page.len();
    let body = json!({ "data": page, "next_cursor": cursor, "limit": PAGE, "count": count });
    Reply::json(200, &body)
}

/// Whether a market takes orders.
fn accepts(listing: &Listing) -> bool {
    listing.status == Status::Open
}

fn legacy_fee(listing: &Listing) -> u32 {
    if listing.rate == Rate::ZERO { 0 } else { LEGACY_FEE }
}

/// The market in one-letter names.
fn compact(market: usize, floor: &Floor) -> Value {
    let listing = &floor.listings[market];
    let mut body = json!({
        "c": listing.id,
        "t": [
            { "t": listing.tokens.0, "o": listing.labels.0 },
            { "t": listing.tokens.1, "o": listing.labels.1 },
        ],
        "mts": number(&dollars(tick(listing))),
        "mos": number(&shares(listing.minimum)),
        "nr": listing.is_neg_risk(),
        "mbf": legacy_fee(listing),
        "tbf": legacy_fee(listing),
        "ao": accepts(listing),
        "cbos": false,
        "itode": false,
        "sd": 0,
        "v": "v1",
    });
    // A market without a fee has no fee details at all.
    if listing.rate != Rate::ZERO {
        body["fd"] = json!({ "r": number(&listing.rate.to_string()), "e": 1, "to": true });
    }
    body
}

/// The market as the simplified lists show it.
fn brief(market: usize, floor: &Floor) -> Value {
    let listing = &floor.listings[market];
    let prices = catalog::outcome_prices(market, floor);
    let token = |id: &str, label: &str, price: &str| {
        let price = number(price);
        json!({ "token_id": id, "outcome": label, "price": price, "winner": false })
    };
    json!({
        "condition_id": listing.id,
        "rewards": { "rates": null, "min_size": 0, "max_spread": 0 },
        "tokens": [
            token(&listing.tokens.0, &listing.labels.0, &prices[0]),
            token(&listing.tokens.1, &listing.labels.1, &prices[1]),
        ],
        "active": true,
        "closed": listing.status == Status::Closed,
        "archived": false,
        "accepting_orders": accepts(listing),
    })
}

/// The market in full.
fn full(market: usize, floor: &Floor) -> Value {
    let listing = &floor.listings[market];
    let mut body = brief(market, floor);
    let more = json!({
        "enable_order_book": listing.status != Status::Closed,
        "accepting_order_timestamp": null,
        "minimum_order_size": number(&shares(listing.minimum)),
        "minimum_tick_size": number(&dollars(tick(listing))),
        "question": listing.title,
        "description": listing.rules,
        "market_slug": catalog::market_slug(market, listing),
        "end_date_iso": catalog::end_date(listing),
        "game_start_time": null,
        "seconds_delay": 0,
        "fpmm": "",
        "maker_base_fee": legacy_fee(listing),
        "taker_base_fee": legacy_fee(listing),
        "notifications_enabled": true,
        "neg_risk": listing.is_neg_risk(),
        "neg_risk_market_id": listing.group,
        "neg_risk_request_id": "",
        "icon": "",
        "image": "",
        "is_50_50_outcome": false,
        "tags": [],
    });
    if let (Some(fields), Value::Object(more)) = (body.as_object_mut(), more) {
        fields.extend(more);
    }
    body
}
