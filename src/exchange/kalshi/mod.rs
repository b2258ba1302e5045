//! Kalshi's market data, server side: REST under `/trade-api/v2`, frames under `/trade-api/ws/v2`.
//!
//! A WebSocket needs a signature; reads do not, but unsigned ones share a small budget. A request
//! that bears authentication headers is always checked.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::market::{Band, Status};
use crate::domain::{Change, Price, Side, Timestamp};

use super::faults::Fault;
use super::ledger::Statement;
use super::{Connection, Core, Fact, Floor, Push, Reply, Request, Sending};

pub use auth::{Account, PublicKey, Scope};

use budget::Bucket;
use command::Scene;
use frames::{Delta, Print, Tally, Ticker, Trade, price_ranges, structure};
use rest::Desk;
use stream::{Channel, Images, Link};

/// Where the WebSocket is.
const STREAM_PATH: &str = "/trade-api/ws/v2";
/// Tokens of a signed reader: the basic tier.
const READ_PER_SECOND: u64 = 200;
const READ_CAPACITY: u64 = 200;
const REQUEST_TOKENS: u64 = 10;
/// Requests without signature, together, as all come from one address.
const UNSIGNED_PER_SECOND: u64 = 3;
const UNSIGNED_BURST: u64 = 5;
/// Trades that a market remembers.
const TRADES_MAX: usize = 1_000;

/// Kalshi's side of the conversation.
#[derive(Debug)]
pub struct Kalshi {
    accounts: Vec<Account>,
    /// One bucket for each account, at its index.
    budgets: Vec<Bucket>,
    unsigned: Bucket,
    links: BTreeMap<Connection, Link>,
    tallies: Vec<Tally>,
    trades: Vec<VecDeque<Print>>,
    trade_count: u64,
    trouble: Trouble,
}

/// What is broken at present, and until when.
#[derive(Debug, Default)]
struct Trouble {
    limited: Option<Timestamp>,
    failing: Option<(Timestamp, u16)>,
    late: Option<Timestamp>,
    paused: BTreeMap<usize, Timestamp>,
}

impl Kalshi {
    /// Opens the exchange for the holders of `accounts`.
    pub fn new(floor: &Floor, accounts: Vec<Account>) -> Self {
        let budgets =
            accounts.iter().map(|_| Bucket::new(READ_PER_SECOND, READ_CAPACITY)).collect();
        Self {
            accounts,
            budgets,
            unsigned: Bucket::new(UNSIGNED_PER_SECOND, UNSIGNED_BURST),
            links: BTreeMap::new(),
            tallies: vec![Tally::default(); floor.listings.len()],
            trades: vec![VecDeque::new(); floor.listings.len()],
            trade_count: 0,
            trouble: Trouble::default(),
        }
    }

    /// What keeps a request from being answered: the fault in force.
    fn obstacle(&self, now: Timestamp) -> Option<Reply> {
        if let Some((_, status)) = self.trouble.failing.filter(|(until, _)| now < *until) {
            return Some(failure(status));
        }
        self.trouble.limited.filter(|until| now < *until).map(|_| too_many())
    }

    fn images(&self) -> Images {
        if self.trouble.late.is_some() { Images::HeldBack } else { Images::Sent }
    }

    fn record(&mut self, market: usize, print: Print) {
        let tally = &mut self.tallies[market];
        tally.volume = tally.volume.saturating_add(print.quantity);
        tally.last = Some((print.price, print.quantity));
        let trades = &mut self.trades[market];
        if trades.len() == TRADES_MAX {
            trades.pop_front();
        }
        trades.push_back(print);
    }

    fn delta(
        &mut self,
        market: usize,
        (side, price): (Side, Price),
        change: Change,
        floor: &Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) {
        let listing = &floor.listings[market];
        for link in self.links.values_mut() {
            link.publish(
                "orderbook_delta",
                |held| held.channel == Channel::Orderbook && held.live(market),
                |held| Delta::of(listing, (side, price), change, held.scale, now),
                out,
            );
        }
    }

    fn lifecycle(&mut self, message: &Value, out: &mut Vec<Push>) {
        for link in self.links.values_mut() {
            link.publish(
                "market_lifecycle_v2",
                |held| held.channel == Channel::Lifecycle,
                |_| message,
                out,
            );
        }
    }

    fn pause(
        &mut self,
        market: usize,
        lasts: Duration,
        floor: &mut Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) {
        let Some(listing) = floor.listings.get_mut(market) else { return };
        let until = now.after(lasts);
        let known = self.trouble.paused.insert(market, until).is_some();
        if known || listing.status == Status::Closed {
            return;
        }
        listing.status = Status::Paused;
        let message = json!({
            "event_type": "deactivated", "market_ticker": listing.id, "exchange_index": 0,
            "is_deactivated": true,
        });
        self.lifecycle(&message, out);
    }

    fn resume(&mut self, floor: &mut Floor, now: Timestamp, out: &mut Vec<Push>) {
        let over = |until: &Timestamp| *until <= now;
        let markets: Vec<usize> = self
            .trouble
            .paused
            .iter()
            .filter(|(_, until)| over(until))
            .map(|(market, _)| *market)
            .collect();
        for market in markets {
            self.trouble.paused.remove(&market);
            let Some(listing) = floor.listings.get_mut(market) else { continue };
            if listing.status != Status::Paused {
                continue;
            }
            listing.status = Status::Open;
            let message = json!({
                "event_type": "activated", "market_ticker": listing.id, "exchange_index": 0,
                "is_deactivated": false,
            });
            self.lifecycle(&message, out);
        }
    }

    fn change_ticks(
        &mut self,
        market: usize,
        bands: &[Band],
        floor: &mut Floor,
        out: &mut Vec<Push>,
    ) {
        let Some(listing) = floor.listings.get_mut(market) else { return };
        listing.bands = bands.to_vec();
        let message = json!({
            "event_type": "price_level_structure_updated", "market_ticker": listing.id,
            "exchange_index": 0, "price_level_structure": structure(bands),
            "price_ranges": price_ranges(bands),
        });
        self.lifecycle(&message, out);
    }
}

impl Core for Kalshi {
    fn request(
        &mut self,
        request: &Request<'_>,
        floor: &mut Floor,
        now: Timestamp,
        _out: &mut Vec<Push>,
    ) -> Reply {
        if let Some(reply) = self.obstacle(now) {
            return reply;
        }
        let caller = match auth::identify(&self.accounts, request, now) {
            Ok(caller) => caller,
            Err(refusal) => return refusal.reply(),
        };
        let place = caller.and_then(|caller| {
            self.accounts.iter().position(|account| account.key_id == caller.key_id)
        });
        let granted = match place.and_then(|place| self.budgets.get_mut(place)) {
            Some(budget) => budget.take(REQUEST_TOKENS, now),
            None => self.unsigned.take(1, now),
        };
        if !granted {
            return too_many();
        }
        let (tallies, trades) = (&self.tallies, &self.trades);
        let accounts = &self.accounts;
        rest::answer(Desk { floor, tallies, trades, accounts, caller, now }, request)
    }

    fn open(
        &mut self,
        connection: Connection,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(), Reply> {
        if request.path != STREAM_PATH {
            return Err(rest::not_found());
        }
        let caller =
            auth::identify(&self.accounts, request, now).map_err(auth::Refusal::handshake)?;
        if caller.is_none() {
            return Err(auth::Refusal::Incomplete.handshake());
        }
        self.links.insert(connection, Link::new(connection, now));
        Ok(())
    }

    fn text(
        &mut self,
        connection: Connection,
        text: &str,
        floor: &mut Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) {
        let images = self.images();
        let Some(link) = self.links.get_mut(&connection) else { return };
        let scene = Scene { floor, tallies: &self.tallies, images, now };
        command::handle(link, text, scene, out);
    }

    fn closed(&mut self, connection: Connection) {
        self.links.remove(&connection);
    }

    fn report(
        &mut self,
        market: usize,
        facts: &[Fact],
        floor: &Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) {
        if market >= floor.listings.len() || market >= self.trades.len() {
            return;
        }
        let listing = &floor.listings[market];
        for fact in facts {
            match *fact {
                Fact::Level { side, price, before, after } => {
                    let change = Change::from_units(after.units() - before.units());
                    if let Some(change) = change.filter(|change| change.units() != 0) {
                        self.delta(market, (side, price), change, floor, now, out);
                    }
                }
                Fact::Trade { price, quantity, taker, .. } => {
                    self.trade_count += 1;
                    let id = format!("7ade0000-0000-4000-8000-{:012x}", self.trade_count);
                    let print = Print { id, price, quantity, taker, at: now };
                    for link in self.links.values_mut() {
                        link.publish(
                            "trade",
                            |held| held.channel == Channel::Trade && held.markets.covers(market),
                            |_| Trade::of(listing, &print),
                            out,
                        );
                    }
                    self.record(market, print);
                }
            }
        }
        let tally = self.tallies[market];
        for link in self.links.values_mut() {
            link.publish(
                "ticker",
                |held| held.channel == Channel::Ticker && held.markets.covers(market),
                |_| Ticker::of(listing, &floor.books[market], tally, now),
                out,
            );
        }
    }

    fn tick(&mut self, floor: &mut Floor, now: Timestamp, out: &mut Vec<Push>) {
        let thawed: Vec<Connection> = self
            .links
            .iter()
            .filter(|(_, link)| link.thawed(now))
            .map(|(connection, _)| *connection)
            .collect();
        for connection in thawed {
            self.links.remove(&connection);
            out.push(Push::Cut(connection));
        }
        if self.trouble.late.is_some_and(|until| until <= now) {
            self.trouble.late = None;
            for link in self.links.values_mut() {
                link.release(floor, out);
            }
        }
        self.resume(floor, now, out);
        for link in self.links.values_mut() {
            link.beat(now, out);
        }
    }

    fn statement(&self, _floor: &Floor) -> Statement {
        Statement::default()
    }

    fn fault(&mut self, fault: &Fault, floor: &mut Floor, now: Timestamp, out: &mut Vec<Push>) {
        match fault {
            Fault::Disconnect => {
                out.extend(self.links.keys().map(|connection| Push::Cut(*connection)));
                self.links.clear();
            }
            Fault::Freeze { lasts } => {
                for link in self.links.values_mut().filter(|link| !link.frozen()) {
                    link.freeze(now.after(*lasts), out);
                }
            }
            Fault::Gap => self.links.values_mut().for_each(Link::lose_next),
            Fault::LateSnapshot { lasts } => self.trouble.late = Some(now.after(*lasts)),
            Fault::RateLimited { lasts } => self.trouble.limited = Some(now.after(*lasts)),
            Fault::ServerError { lasts, status } => {
                self.trouble.failing = Some((now.after(*lasts), *status));
            }
            Fault::Pause { lasts, market } => self.pause(*market, *lasts, floor, now, out),
            Fault::Ticks { market, bands } => self.change_ticks(*market, bands, floor, out),
            _ => {}
        }
    }
}

/// The 429, which bears no hint of when to come back.
fn too_many() -> Reply {
    Reply::json(429, &json!({"error": "too many requests"}))
}

/// A 5xx: the exchange's own in JSON, that of what stands before it in HTML.
fn failure(status: u16) -> Reply {
    match status {
        502 | 504 => Reply {
            sending: Sending::Now,
            status,
            headers: vec![("content-type", "text/html".to_owned())],
            body: format!("<html><body><h1>{status}</h1></body></html>"),
        },
        503 => rest::error(status, "exchange_unavailable", "exchange unavailable"),
        _ => rest::error(status, "internal_server_error", "internal server error"),
    }
}

mod auth;
mod budget;
mod command;
mod frames;
pub mod keys;
mod listing;
mod query;
mod rest;
mod stream;

#[cfg(test)]
mod tests;
