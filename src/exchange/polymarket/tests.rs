//! A small floor, a client that believes what it is told, and stories between the two.

mod conservation;
mod faults;
mod frames;
mod funds;
mod rest;
mod settling;
mod shapes;
mod mischief;
mod orders;
mod trader;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::super::matching::{Book, Owner, Remainder};
use super::super::{Connection, Core, Fact, Floor, Listing, Push, Reply, Request};
use super::{HOST, Polymarket};
use crate::domain::market::{Band, Status};
use crate::domain::{Outcome, Price, Quantity, Rate, Side, Timestamp, Venue};

fn token(market: usize, outcome: Outcome) -> String {
    let digit = if outcome == Outcome::Yes { 7 } else { 5 };
    format!("{digit}{:076}", 1_321_045_679_252_212 + market)
}

fn listing(market: usize) -> Listing {
    Listing {
        question: market,
        id: format!("0x{:064x}", 0xab_0000 + market),
        event: format!("event-{}", market / 2),
        group: String::new(),
        series: String::new(),
        title: format!("Will it rain, on day {market}?"),
        rules: "Resolves \"Yes\" if it rains.".to_owned(),
        tokens: (token(market, Outcome::Yes), token(market, Outcome::No)),
        labels: ("Yes".to_owned(), "No".to_owned()),
        bands: vec![Band { start: 0, end: 10_000, step: 100 }],
        rate: Rate::parse("0.05").unwrap(),
        minimum: Quantity::contracts(5),
        status: Status::Open,
        closes: Timestamp::parse("2026-12-09T19:00:00Z").unwrap(),
    }
}

fn floor(markets: usize) -> Floor {
    Floor {
        venue: Venue::Polymarket,
        listings: (0..markets).map(listing).collect(),
        books: (0..markets).map(|_| Book::default()).collect(),
    }
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// An exchange with its floor and its time.
struct Rig {
    core: Polymarket,
    floor: Floor,
    now: Timestamp,
    out: Vec<Push>,
}

impl Rig {
    fn new(markets: usize) -> Self {
        let now = Timestamp::from_millis(1_763_800_000_000);
        Self { core: Polymarket::new(), floor: floor(markets), now, out: Vec::new() }
    }

    fn ask(&mut self, host: &str, method: &str, target: &str, body: &str) -> Reply {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = [(HOST.to_owned(), host.to_owned())];
        let body = body.as_bytes();
        let request = Request { method, path, query, headers: &headers, body };
        self.core.request(&request, &mut self.floor, self.now, &mut self.out)
    }

    fn get(&mut self, host: &str, target: &str) -> Value {
        let reply = self.ask(host, "GET", target, "");
        assert_eq!(reply.status, 200, "{target}: {}", reply.body);
        serde_json::from_str(&reply.body).unwrap()
    }

    fn status(&mut self, host: &str, target: &str) -> u16 {
        self.ask(host, "GET", target, "").status
    }

    fn open(&mut self, connection: u64) -> Connection {
        let (headers, body) = ([], []);
        let path = "/ws/market";
        let request = Request { method: "GET", path, query: "", headers: &headers, body: &body };
        self.core.open(Connection(connection), &request, self.now).unwrap();
        Connection(connection)
    }

    fn say(&mut self, connection: Connection, text: &str) {
        self.core.text(connection, text, &mut self.floor, self.now, &mut self.out);
    }

    /// Opens a connection that subscribes to tokens with custom features.
    fn subscribe(&mut self, connection: u64, tokens: &[String]) -> Connection {
        let connection = self.open(connection);
        let message = serde_json::json!({
            "type": "market",
            "assets_ids": tokens,
            "custom_feature_enabled": true,
            "initial_dump": true,
            "level": 2,
        });
        self.say(connection, &message.to_string());
        connection
    }

    fn both(&mut self, connection: u64) -> Connection {
        self.subscribe(connection, &[token(0, Outcome::Yes), token(0, Outcome::No)])
    }

    fn order(&mut self, side: Side, at: &str, count: u32) {
        let mut facts: Vec<Fact> = Vec::new();
        let quantity = Quantity::contracts(count);
        let book = &mut self.floor.books[0];
        book.submit(Owner(1), side, price(at), quantity, Remainder::Rests, &mut facts);
        self.report(&facts);
    }

    fn report(&mut self, facts: &[Fact]) {
        self.core.report(0, facts, &self.floor, self.now, &mut self.out);
    }

    fn tick(&mut self, span: Duration) {
        self.now = self.now.after(span);
        self.core.tick(&mut self.floor, self.now, &mut self.out);
    }

    fn fault(&mut self, fault: &super::super::faults::Fault) {
        self.core.fault(fault, &mut self.floor, self.now, &mut self.out);
    }

    /// The texts a connection got since the last call of this or of `take`.
    fn texts(&mut self, connection: Connection) -> Vec<String> {
        let texts = self.out.iter().filter_map(|push| match push {
            Push::Text(to, text) if *to == connection => Some(text.clone()),
            _ => None,
        });
        let texts = texts.collect();
        self.out.retain(|push| !matches!(push, Push::Text(to, _) if *to == connection));
        texts
    }

    /// The JSON frames a connection got.
    fn frames(&mut self, connection: Connection) -> Vec<Value> {
        self.texts(connection).iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    fn is_cut(&self, connection: Connection) -> bool {
        self.out.contains(&Push::Cut(connection))
    }
}

/// A side as a client holds it: size by price.
type Levels = BTreeMap<u16, String>;

/// Books as a client builds them from frames alone.
#[derive(Default)]
struct Client {
    books: BTreeMap<String, [Levels; 2]>,
}

impl Client {
    fn apply(&mut self, frame: &Value) {
        if let Some(frames) = frame.as_array() {
            frames.iter().for_each(|frame| self.apply(frame));
            return;
        }
        match frame["event_type"].as_str().unwrap() {
            "book" => {
                let side = |key: &str| {
                    let rows = frame[key].as_array().unwrap();
                    rows.iter().map(|row| (units(&row["price"]), text(&row["size"]))).collect()
                };
                let book = [side("bids"), side("asks")];
                self.books.insert(text(&frame["asset_id"]), book);
            }
            "price_change" => {
                for change in frame["price_changes"].as_array().unwrap() {
                    let Some(book) = self.books.get_mut(&text(&change["asset_id"])) else {
                        continue;
                    };
                    let side = usize::from(change["side"] == "SELL");
                    let at = units(&change["price"]);
                    if change["size"] == "0" {
                        book[side].remove(&at);
                    } else {
                        book[side].insert(at, text(&change["size"]));
                    }
                }
            }
            _ => {}
        }
    }

    fn best(&self, token: &str) -> (u16, u16) {
        let [bids, asks] = &self.books[token];
        let bid = bids.last_key_value().map_or(0, |(at, _)| *at);
        (bid, asks.first_key_value().map_or(10_000, |(at, _)| *at))
    }

    fn agrees(&self, floor: &Floor, market: usize, outcome: Outcome) -> bool {
        let book = &floor.books[market];
        let expected = [Side::Bid, Side::Ask].map(|side| -> Levels {
            let levels = book.levels(side).map(|(at, size)| {
                let at = if outcome == Outcome::Yes { at } else { at.mirror() };
                (at.units(), size.to_string().trim_end_matches('0').trim_end_matches('.').into())
            });
            levels.collect()
        });
        let [bids, asks] = &self.books[&token(market, outcome)];
        match outcome {
            Outcome::Yes => [bids, asks] == [&expected[0], &expected[1]],
            Outcome::No => [bids, asks] == [&expected[1], &expected[0]],
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A price text as units, the ends of the range included.
fn units(value: &Value) -> u16 {
    match value.as_str().unwrap() {
        "0" => 0,
        "1" => Price::ONE,
        text => price(text).units(),
    }
}
