use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::{Price, Quantity};
use crate::exchange::world::World;

use super::*;

const START: Timestamp = Timestamp::from_secs(1_795_000_000);
const LINK: Connection = Connection(1);
const RATES: &str = "KXDEMORATES-27MAR-H0";
const CUT: &str = "KXDEMORATES-27MAR-C25";

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
            scopes: vec![Scope::Read],
        };
        let key_id = account.key_id.clone();
        let kalshi = Kalshi::new(&world.kalshi, vec![account]);
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

mod access;
mod channel;
mod reads;
mod trouble;
