//! The REST endpoints of Kalshi's market data, under `/trade-api/v2`.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::domain::Timestamp;
use crate::exchange::{Floor, Listing, Reply, Request};

use super::auth::Account;
use super::frames::{Print, Tally, bids, book_side, leg, offers};
use super::listing::{self, Exclusive};
use super::query::{Query, invalid, page};
use super::trading::Ending;
use super::trading::route::endpoint_costs;

/// Where all REST paths begin.
pub(super) const PREFIX: &str = "/trade-api/v2";

const DEPTH_MAX: usize = 100;
const BOOKS_MAX: usize = 100;
const MARKETS: Paging = Paging { default: 100, max: 1_000 };
const EVENTS: Paging = Paging { default: 200, max: 200 };
const TRADES: Paging = Paging { default: 100, max: 1_000 };

/// The default and the highest limit of a listing.
#[derive(Debug, Clone, Copy)]
struct Paging {
    default: usize,
    max: usize,
}

impl Paging {
    fn limit(self, query: &Query) -> Result<usize, Reply> {
        query.number("limit", (1, self.max), self.default)
    }
}

/// What the endpoints look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Desk<'a> {
    pub(super) floor: &'a Floor,
    pub(super) tallies: &'a [Tally],
    pub(super) trades: &'a [VecDeque<Print>],
    pub(super) accounts: &'a [Account],
    /// How markets ended.
    pub(super) endings: &'a BTreeMap<usize, Ending>,
    /// Whether the exchange takes no orders.
    pub(super) halted: bool,
    /// Who signed the request.
    pub(super) caller: Option<&'a Account>,
    pub(super) now: Timestamp,
}

/// The error of an unknown path or object.
pub(super) fn not_found() -> Reply {
    error(404, "not_found", "not found")
}

/// An error in the shape of most endpoints.
pub(super) fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({"error": {"code": code, "message": message}}))
}

fn ok(body: &Value) -> Reply {
    Reply::json(200, body)
}

/// Answers a request whose signature, if any, was checked.
pub(super) fn answer(desk: Desk<'_>, request: &Request<'_>) -> Reply {
    let Some(path) = request.path.strip_prefix(PREFIX) else { return not_found() };
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let query = Query::parse(request.query);
    if request.method != "GET" {
        return error(405, "method_not_allowed", "method not allowed");
    }
    let answered = match parts.as_slice() {
        ["exchange", "status"] => Ok(exchange_status(desk.halted)),
        ["exchange", "schedule"] => Ok(exchange_schedule()),
        ["series"] => Ok(desk.series_list(&query)),
        ["series", "fee_changes"] => Ok(ok(&json!({"series_fee_change_arr": []}))),
        ["series", ticker] => Ok(desk.series(ticker)),
        ["events"] => desk.events(&query),
        ["events", "fee_changes"] => Ok(ok(&json!({"event_fee_change_arr": [], "cursor": ""}))),
        ["events", ticker] => Ok(desk.event(ticker, &query)),
        ["markets"] => desk.markets(&query),
        ["markets", "orderbooks"] => desk.orderbooks(&query),
        ["markets", "trades"] => desk.trades(&query),
        ["markets", ticker] => Ok(desk.market(ticker)),
        ["markets", ticker, "orderbook"] => desk.orderbook(ticker, &query),
        ["account", "endpoint_costs"] => Ok(ok(&endpoint_costs())),
        ["account", "limits"] => Ok(desk.signed(|_| account_limits())),
        ["api_keys"] => Ok(desk.signed(|desk| desk.api_keys())),
        _ => Ok(not_found()),
    };
    answered.unwrap_or_else(|refusal| refusal)
}

fn exchange_status(halted: bool) -> Reply {
    let shard = |(index, description): (u32, &str)| {
        json!({
            "exchange_index": index, "description": description, "exchange_active": true,
            "trading_active": !halted, "intra_exchange_transfers_active": true,
        })
    };
    let shards: Value = listing::SHARDS.into_iter().map(shard).collect();
    ok(&json!({
        "exchange_active": true, "trading_active": !halted,
        "intra_exchange_transfers_active": true, "exchange_index_statuses": shards,
    }))
}

/// Trading at all hours, without the weekly pause of the real exchange: a demo runs on Thursdays.
fn exchange_schedule() -> Reply {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let mut hours: serde_json::Map<String, Value> = days
        .iter()
        .map(|day| ((*day).to_owned(), json!([{"open_time": "00:00", "close_time": "00:00"}])))
        .collect();
    hours.insert("start_time".to_owned(), "2026-01-01T00:00:00Z".into());
    hours.insert("end_time".to_owned(), "2036-01-01T00:00:00Z".into());
    ok(&json!({"schedule": {"standard_hours": [hours], "maintenance_windows": []}}))
}

fn account_limits() -> Reply {
    ok(&json!({
        "usage_tier": "basic",
        "read": {"refill_rate": super::READ_PER_SECOND, "bucket_capacity": super::READ_CAPACITY},
        "write": {"refill_rate": super::WRITE_PER_SECOND, "bucket_capacity": super::WRITE_CAPACITY},
        "grants": [],
    }))
}

impl Desk<'_> {
    fn signed(self, answer: impl Fn(Self) -> Reply) -> Reply {
        match self.caller {
            Some(_) => answer(self),
            None => super::auth::Refusal::Incomplete.reply(),
        }
    }

    fn api_keys(self) -> Reply {
        let key = |account: &Account| {
            let scopes: Vec<&str> = account.scopes.iter().map(|scope| scope.name()).collect();
            json!({"api_key_id": account.key_id, "name": "demo", "scopes": scopes})
        };
        let keys: Value = self.accounts.iter().map(key).collect();
        ok(&json!({"api_keys": keys}))
    }

    fn find(self, ticker: &str) -> Option<usize> {
        self.floor.listings.iter().position(|listing| listing.id == ticker)
    }

    fn market_value(self, market: usize) -> Value {
        let tally = self.tallies.get(market).copied().unwrap_or_default();
        let (listing, book) = (&self.floor.listings[market], &self.floor.books[market]);
        listing::market(listing, self.endings.get(&market), book, tally, self.now)
    }

    fn market(self, ticker: &str) -> Reply {
        match self.find(ticker) {
            Some(market) => ok(&json!({"market": self.market_value(market)})),
            None => not_found(),
        }
    }

    fn markets(self, query: &Query) -> Result<Reply, Reply> {
        let limit = MARKETS.limit(query)?;
        if !matches!(query.get("mve_filter"), None | Some("only" | "exclude")) {
            return Err(invalid("mve_filter must be one of only, exclude"));
        }
        let tickers: Option<Vec<&str>> = query.get("tickers").map(|list| list.split(',').collect());
        let named =
            |field: &str, value: &str| query.get(field).is_none_or(|wanted| wanted == value);
        let mut found = Vec::new();
        for (market, listing) in self.floor.listings.iter().enumerate() {
            let open = match query.get("status") {
                None => true,
                Some(filter) => {
                    let ending = self.endings.get(&market);
                    listing::passes(filter, listing, ending, self.now).ok_or_else(|| {
                        invalid("status must be one of unopened, open, paused, closed, settled")
                    })?
                }
            };
            let listed = tickers.as_ref().is_none_or(|list| list.contains(&listing.id.as_str()));
            let plain = query.get("mve_filter") != Some("only");
            if open
                && listed
                && plain
                && named("event_ticker", &listing.event)
                && named("series_ticker", &listing.series)
            {
                found.push(market);
            }
        }
        let (page, cursor) = page(found, query, limit);
        let markets: Value = page.into_iter().map(|market| self.market_value(market)).collect();
        Ok(ok(&json!({"markets": markets, "cursor": cursor})))
    }

    /// The markets of each event, events in the order of their first market.
    fn by_event(self) -> Vec<Vec<usize>> {
        let mut events: Vec<Vec<usize>> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for (market, listing) in self.floor.listings.iter().enumerate() {
            let next = events.len();
            let place = *places.entry(&listing.event).or_insert(next);
            match events.get_mut(place) {
                Some(markets) => markets.push(market),
                None => events.push(vec![market]),
            }
        }
        events
    }

    fn event_value(self, markets: &[usize]) -> Value {
        let exclusive =
            if markets.len() > 1 { Exclusive::AtMostOneYes } else { Exclusive::Independent };
        markets
            .first()
            .map_or(Value::Null, |market| listing::event(&self.floor.listings[*market], exclusive))
    }

    fn nested(self, markets: &[usize]) -> Value {
        markets.iter().map(|market| self.market_value(*market)).collect()
    }

    fn events(self, query: &Query) -> Result<Reply, Reply> {
        let limit = EVENTS.limit(query)?;
        let tickers: Option<Vec<&str>> = query.get("tickers").map(|list| list.split(',').collect());
        let mut found = Vec::new();
        for markets in self.by_event() {
            let Some(first) = markets.first() else { continue };
            let listing = &self.floor.listings[*first];
            let mut open = query.get("status").is_none();
            for market in &markets {
                let filter = query.get("status").unwrap_or("open");
                let listing = &self.floor.listings[*market];
                let ending = self.endings.get(market);
                open |= listing::passes(filter, listing, ending, self.now).ok_or_else(|| {
                    invalid("status must be one of unopened, open, closed, settled")
                })?;
            }
            let named = tickers.as_ref().is_none_or(|list| list.contains(&listing.event.as_str()));
            let series = query.get("series_ticker").is_none_or(|s| s == listing.series);
            if open && named && series {
                found.push(markets);
            }
        }
        let (page, cursor) = page(found, query, limit);
        let nested = query.is_true("with_nested_markets");
        let dress = |markets: Vec<usize>| {
            let mut event = self.event_value(&markets);
            if nested {
                event["markets"] = self.nested(&markets);
            }
            event
        };
        let events: Value = page.into_iter().map(dress).collect();
        Ok(ok(&json!({"events": events, "cursor": cursor, "milestones": []})))
    }

    fn event(self, ticker: &str, query: &Query) -> Reply {
        let mine = |markets: &Vec<usize>| {
            markets.first().is_some_and(|first| self.floor.listings[*first].event == ticker)
        };
        let Some(markets) = self.by_event().into_iter().find(mine) else { return not_found() };
        let mut event = self.event_value(&markets);
        if query.is_true("with_nested_markets") {
            event["markets"] = self.nested(&markets);
            return ok(&json!({"event": event}));
        }
        ok(&json!({"event": event, "markets": self.nested(&markets)}))
    }

    fn series_list(self, query: &Query) -> Reply {
        let mut seen: Vec<&Listing> = Vec::new();
        for listing in &self.floor.listings {
            if !seen.iter().any(|other| other.series == listing.series) {
                seen.push(listing);
            }
        }
        let wanted = query.get("category").is_none_or(|category| category == "Demo");
        let series: Value = seen.into_iter().filter(|_| wanted).map(listing::series).collect();
        ok(&json!({"series": series}))
    }

    fn series(self, ticker: &str) -> Reply {
        match self.floor.listings.iter().find(|listing| listing.series == ticker) {
            Some(listing) => ok(&json!({"series": listing::series(listing)})),
            None => not_found(),
        }
    }

    fn book_value(self, market: usize, depth: usize) -> Value {
        let book = &self.floor.books[market];
        json!({"yes_dollars": bids(book, depth), "no_dollars": offers(book, depth)})
    }

    fn orderbook(self, ticker: &str, query: &Query) -> Result<Reply, Reply> {
        let depth = query.number("depth", (0, DEPTH_MAX), 0)?;
        let depth = if depth == 0 { usize::MAX } else { depth };
        let Some(market) = self.find(ticker) else { return Err(not_found()) };
        Ok(ok(&json!({"orderbook_fp": self.book_value(market, depth)})))
    }

    /// The parameter has to repeat. Of a comma list only the first ticker is understood, as was
    /// seen at the venue.
    fn orderbooks(self, query: &Query) -> Result<Reply, Reply> {
        let named: Vec<&str> = query.all("tickers").collect();
        if named.is_empty() || named.len() > BOOKS_MAX {
            return Err(invalid(&format!("tickers must name 1 to {BOOKS_MAX} markets")));
        }
        let first = |name: &&str| name.split(',').next().and_then(|ticker| self.find(ticker));
        let book = |market: usize| {
            let ticker = &self.floor.listings[market].id;
            json!({"ticker": ticker, "orderbook_fp": self.book_value(market, usize::MAX)})
        };
        let books: Value = named.iter().filter_map(first).map(book).collect();
        Ok(ok(&json!({"orderbooks": books})))
    }

    /// Newest first.
    fn trades(self, query: &Query) -> Result<Reply, Reply> {
        let limit = TRADES.limit(query)?;
        let second = |name: &'static str| match query.get(name).map(str::parse::<i64>) {
            Some(Err(_)) => Err(invalid(&format!("{name} must be a number of seconds"))),
            Some(Ok(second)) => Ok(Some(second)),
            None => Ok(None),
        };
        let (from, to) = (second("min_ts")?, second("max_ts")?);
        let mut found: Vec<(&Listing, &Print)> = self
            .floor
            .listings
            .iter()
            .zip(self.trades)
            .filter(|(listing, _)| query.get("ticker").is_none_or(|wanted| wanted == listing.id))
            .flat_map(|(listing, prints)| prints.iter().map(move |print| (listing, print)))
            .filter(|(_, print)| from.is_none_or(|from| print.at.secs() >= from))
            .filter(|(_, print)| to.is_none_or(|to| print.at.secs() <= to))
            .collect();
        found.sort_by(|a, b| (b.1.at, &b.1.id).cmp(&(a.1.at, &a.1.id)));
        let (page, cursor) = page(found, query, limit);
        let trades: Value =
            page.into_iter().map(|(listing, print)| trade(listing, print)).collect();
        Ok(ok(&json!({"trades": trades, "cursor": cursor})))
    }
}

fn trade(listing: &Listing, print: &Print) -> Value {
    json!({
        "trade_id": print.id, "ticker": listing.id, "count_fp": print.quantity.to_string(),
        "yes_price_dollars": print.price.to_string(),
        "no_price_dollars": print.price.mirror().to_string(),
        "taker_side": leg(print.taker), "taker_outcome_side": leg(print.taker),
        "taker_book_side": book_side(print.taker),
        "created_time": print.at.to_string(), "is_block_trade": false,
    })
}
