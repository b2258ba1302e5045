use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::domain::market::Band;
use crate::domain::{Change, Price, Quantity, Side};
use crate::exchange::matching::{Owner, Remainder};
use crate::exchange::world::World;

use super::*;

const START: Timestamp = Timestamp::from_secs(1_795_000_000);
const LINK: Connection = Connection(1);
const RATES: &str = "KXDEMORATES-27MAR-H0";
const CUT: &str = "KXDEMORATES-27MAR-C25";
/// A market on the second shard, at index 5.
const COIN: &str = "KXDEMOCOIN-27DEC31-T150000";
/// The keys of another member and of one who may only read.
const SECOND: &str = "5eed0000-0000-4000-8000-0000000000b0";
const READER: &str = "5eed0000-0000-4000-8000-0000000000c0";
/// Where orders go.
const ORDERS: &str = "/portfolio/events/orders";

/// The exchange, its world, and a client with an Ed25519 key.
struct Bench {
    kalshi: Kalshi,
    world: World,
    key_id: String,
    key: ed25519_dalek::SigningKey,
    now: Timestamp,
}

impl Bench {
    fn new(seed: u64) -> Self {
        let world = World::new(seed);
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let account = Account {
            key_id: "5eed0000-0000-4000-8000-00000000abcd".into(),
            key: PublicKey::Ed25519(Box::new(key.verifying_key())),
            scopes: vec![Scope::Read, Scope::WriteTrade, Scope::WriteTransfer],
        };
        let key_id = account.key_id.clone();
        let second = Account { key_id: SECOND.into(), ..account.clone() };
        let reader =
            Account { key_id: READER.into(), scopes: vec![Scope::Read], ..account.clone() };
        let kalshi = Kalshi::new(&world.kalshi, vec![account, second, reader]);
        Self { kalshi, world, key_id, key, now: START }
    }

    fn headers(&self, method: &str, path: &str) -> Vec<(String, String)> {
        use ed25519_dalek::Signer as _;
        let stamp = self.now.millis().to_string();
        let signature = self.key.sign(format!("{stamp}{method}{path}").as_bytes());
        headers(&self.key_id, &stamp, &STANDARD.encode(signature.to_bytes()))
    }

    fn send(&mut self, path: &str, headers: &[(String, String)]) -> Reply {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request { method: "GET", path, query, headers, body: &[] };
        self.kalshi.request(&request, &mut self.world.kalshi, self.now, &mut Vec::new())
    }

    /// A signed read of a path below the prefix.
    fn get(&mut self, path: &str) -> (u16, Value) {
        self.now = self.now.after(Duration::from_millis(50));
        let path = format!("/trade-api/v2{path}");
        let bare = path.split('?').next().unwrap().to_owned();
        let headers = self.headers("GET", &bare);
        let reply = self.send(&path, &headers);
        (reply.status, serde_json::from_str(&reply.body).unwrap())
    }

    /// A signed request of whoever holds a key; the time passes so that no budget runs dry.
    fn call_as(&mut self, key: &str, method: &str, path: &str, body: &str) -> Reply {
        self.now = self.now.after(Duration::from_secs(1));
        self.hasty(key, method, path, body).0
    }

    /// The same without waiting, with what goes out on the connections.
    fn hasty(&mut self, key: &str, method: &str, path: &str, body: &str) -> (Reply, Vec<Value>) {
        let path = format!("/trade-api/v2{path}");
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let mut headers = self.headers(method, path);
        headers[0].1 = key.to_owned();
        let request = Request { method, path, query, headers: &headers, body: body.as_bytes() };
        let mut out = Vec::new();
        let reply = self.kalshi.request(&request, &mut self.world.kalshi, self.now, &mut out);
        (reply, texts(&out))
    }

    fn call(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let reply = self.call_as(&self.key_id.clone(), method, path, &body);
        (reply.status, serde_json::from_str(&reply.body).unwrap_or_default())
    }

    fn post(&mut self, order: &Value) -> (u16, Value) {
        self.call("POST", ORDERS, order)
    }

    /// What happens to one order, and what goes out on the connections.
    fn post_seen(&mut self, order: &Value) -> (Value, Vec<Value>) {
        self.now = self.now.after(Duration::from_secs(1));
        let (reply, seen) = self.hasty(&self.key_id.clone(), "POST", ORDERS, &order.to_string());
        (serde_json::from_str(&reply.body).unwrap_or_default(), seen)
    }

    fn post_as(&mut self, key: &str, order: &Value) -> (u16, Value) {
        let reply = self.call_as(key, "POST", ORDERS, &order.to_string());
        (reply.status, serde_json::from_str(&reply.body).unwrap_or_default())
    }

    /// A bench whose markets hold only what is put there, and whose agents stay away.
    fn quiet() -> Self {
        let mut bench = Self::new(1);
        for book in &mut bench.world.kalshi.books {
            *book = crate::exchange::matching::Book::default();
        }
        bench
    }

    /// An agent's order, told as agents' orders are.
    fn agent(&mut self, market: usize, side: Side, at: &str, count: &str) -> Vec<Value> {
        let (price, quantity) = (Price::parse(at).unwrap(), Quantity::parse(count).unwrap());
        let mut facts = Vec::new();
        let book = &mut self.world.kalshi.books[market];
        book.submit(Owner(1), side, price, quantity, Remainder::Rests, &mut facts);
        let mut out = Vec::new();
        self.kalshi.report(market, &facts, &self.world.kalshi, self.now, &mut out);
        texts(&out)
    }

    /// Lets a second pass without agents.
    fn wait(&mut self, span: Duration) -> Vec<Value> {
        self.now = self.now.after(span);
        let mut out = Vec::new();
        self.kalshi.tick(&mut self.world.kalshi, self.now, &mut out);
        texts(&out)
    }

    fn cash(&mut self) -> Value {
        self.get("/portfolio/balance").1["balance_breakdown"].clone()
    }

    fn balance(&mut self) -> String {
        self.get("/portfolio/balance").1["balance_dollars"].as_str().unwrap().to_owned()
    }

    fn connect(&mut self) {
        let headers = self.headers("GET", STREAM_PATH);
        let request =
            Request { method: "GET", path: STREAM_PATH, query: "", headers: &headers, body: &[] };
        self.kalshi.open(LINK, &request, self.now).unwrap();
    }

    fn say(&mut self, text: &str) -> Vec<Value> {
        let mut out = Vec::new();
        self.kalshi.text(LINK, text, &mut self.world.kalshi, self.now, &mut out);
        texts(&out)
    }

    fn step(&mut self) -> Vec<Push> {
        self.now = self.now.after(Duration::from_millis(50));
        let mut out = Vec::new();
        self.kalshi.tick(&mut self.world.kalshi, self.now, &mut out);
        for (venue, market, facts) in self.world.step(self.now) {
            if venue == crate::domain::Venue::Kalshi {
                self.kalshi.report(market, &facts, &self.world.kalshi, self.now, &mut out);
            }
        }
        out
    }

    fn steps(&mut self, count: usize) -> Vec<Value> {
        (0..count).flat_map(|_| texts(&self.step())).collect()
    }

    fn fault(&mut self, fault: &Fault) -> Vec<Push> {
        let mut out = Vec::new();
        self.kalshi.fault(fault, &mut self.world.kalshi, self.now, &mut out);
        out
    }
}

fn headers(key: &str, stamp: &str, signature: &str) -> Vec<(String, String)> {
    [
        ("kalshi-access-key", key),
        ("kalshi-access-timestamp", stamp),
        ("kalshi-access-signature", signature),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn texts(pushes: &[Push]) -> Vec<Value> {
    pushes
        .iter()
        .filter_map(|push| match push {
            Push::Text(_, text) => Some(serde_json::from_str(text).unwrap()),
            _ => None,
        })
        .collect()
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A client's book of one market: YES and NO bids by price in units.
#[derive(Debug, Default, PartialEq, Eq)]
struct Replica {
    yes: BTreeMap<u16, i64>,
    no: BTreeMap<u16, i64>,
}

impl Replica {
    fn of(book: &crate::exchange::matching::Book) -> Self {
        let side = |side| book.levels(side).map(|(p, q)| (p, q.units()));
        Self {
            yes: side(Side::Bid).map(|(p, q)| (p.units(), q)).collect(),
            no: side(Side::Ask).map(|(p, q)| (p.mirror().units(), q)).collect(),
        }
    }

    fn apply(&mut self, frame: &Value, yes_scale: bool) {
        let msg = &frame["msg"];
        let no_units = |text: &Value| {
            let price = Price::parse(text.as_str().unwrap()).unwrap();
            if yes_scale { price.mirror().units() } else { price.units() }
        };
        let yes_units = |text: &Value| Price::parse(text.as_str().unwrap()).unwrap().units();
        let size = |text: &Value| Quantity::parse(text.as_str().unwrap()).unwrap().units();
        if frame["type"] == "orderbook_snapshot" {
            let none = Vec::new();
            let side = |key: &str| msg[key].as_array().unwrap_or(&none).clone();
            self.yes =
                side("yes_dollars_fp").iter().map(|l| (yes_units(&l[0]), size(&l[1]))).collect();
            self.no =
                side("no_dollars_fp").iter().map(|l| (no_units(&l[0]), size(&l[1]))).collect();
            return;
        }
        let change = Change::parse(msg["delta_fp"].as_str().unwrap()).unwrap().units();
        let (side, units) = match msg["side"].as_str().unwrap() {
            "yes" => (&mut self.yes, yes_units(&msg["price_dollars"])),
            _ => (&mut self.no, no_units(&msg["price_dollars"])),
        };
        let level = side.entry(units).or_insert(0);
        *level += change;
        assert!(*level >= 0, "a level went below zero");
        if *level == 0 {
            side.remove(&units);
        }
    }
}

fn subscribe(flag: &str) -> String {
    format!(
        r#"{{"id":1,"cmd":"subscribe","params":{{"channels":["orderbook_delta"],
        "market_tickers":["{RATES}","{CUT}"]{flag}}}}}"#
    )
}

/// An order of the first market with this side, count and price; `more` is added or replaced.
fn order(side: &str, count: &str, price: &str, force: &str, more: &Value) -> Value {
    let mut order = json!({
        "ticker": RATES, "side": side, "count": count, "price": price, "time_in_force": force,
        "self_trade_prevention_type": "taker_at_cross", "exchange_index": 0,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        order[name] = value.clone();
    }
    order
}

const GTC: &str = "good_till_canceled";
const IOC: &str = "immediate_or_cancel";
const FOK: &str = "fill_or_kill";

mod access;
mod broken;
mod channel;
mod ending;
mod funds;
mod money;
mod orders;
mod private;
mod reads;
mod resting;
mod trouble;
