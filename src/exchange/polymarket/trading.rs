//! The trading side: one wallet, its keys, its orders, its trades, and the routes to them.
//!
//! There is one wallet. Its orders meet everybody else's in the matching books of the floor, where
//! they are [`OURS`]; market data is published after each change, as for anyone's orders.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::domain::{Money, Timestamp};

use super::super::ledger::Statement;
use super::super::matching::{OrderNumber, Owner};
use super::super::{Connection, Fact, Floor, Push, Reply, Request, hex};
use super::access::{ApiKey, Keys, uuid};
use super::account::{Account, Order};
use super::heart::Heart;
use super::settle::Ending;
use super::sign::{Address, WalletKind};
use super::stream::Stream;
use super::tape::Tape;
use super::trouble::Trouble;
use super::user::{Happened, Users, order_event};
use super::{budget::Budget, budget::Tier, place, private};

/// Who the wallet is in the matching books.
pub(super) const OURS: Owner = Owner(1_000);

/// The wallet that trades, and how its trades settle.
#[derive(Debug, Clone, Copy)]
pub struct Wallet {
    /// Whose key signs, for orders and for API keys.
    pub owner: Address,
    /// The address that holds the funds: the owner's own, or a contract's.
    pub funder: Address,
    /// What kind of wallet that is.
    pub kind: WalletKind,
    /// The collateral that it starts with.
    pub collateral: Money,
    /// What its volume entitles the owner to send.
    pub tier: Tier,
    /// How long a trade takes from being matched to being confirmed.
    pub settles_in: Duration,
}

impl Default for Wallet {
    /// The first test wallet, paying for itself.
    fn default() -> Self {
        Self {
            owner: Address::ANVIL,
            funder: Address::ANVIL,
            kind: WalletKind::Eoa,
            collateral: Money::from_micros(5_000 * Money::DOLLAR),
            tier: Tier::Standard,
            settles_in: Duration::from_millis(1_500),
        }
    }
}

/// The places to which a change is told.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) floor: &'a mut Floor,
    pub(super) tape: &'a mut Tape,
    pub(super) stream: &'a mut Stream,
    pub(super) out: &'a mut Vec<Push>,
    pub(super) now: Timestamp,
}

/// What telling the user channel takes.
#[derive(Debug)]
pub(super) struct Ear<'a> {
    pub(super) floor: &'a Floor,
    pub(super) out: &'a mut Vec<Push>,
    pub(super) now: Timestamp,
}

impl Scene<'_> {
    /// The part of it that tells the user channel.
    pub(super) fn ear(&mut self) -> Ear<'_> {
        Ear { floor: self.floor, out: self.out, now: self.now }
    }

    /// Publishes one step of matching.
    pub(super) fn publish(&mut self, market: usize, facts: &[Fact]) {
        publish(self.tape, self.stream, (market, facts), self.floor, self.now, self.out);
    }
}

/// Publishes one step of matching in one market.
pub(super) fn publish(
    tape: &mut Tape,
    stream: &mut Stream,
    (market, facts): (usize, &[Fact]),
    floor: &Floor,
    now: Timestamp,
    out: &mut Vec<Push>,
) {
    if facts.is_empty() || market >= floor.listings.len() {
        return;
    }
    let step = tape.note(market, facts, floor, now);
    // Hashing two whole books is the dear part, and nobody may listen.
    if stream.has_audience(market) {
        let frames = tape.frames(&step, floor, now);
        stream.send(market, &frames, out);
    }
}

/// The trading side.
#[derive(Debug)]
pub(super) struct Trading {
    pub(super) wallet: Wallet,
    pub(super) keys: Keys,
    pub(super) account: Account,
    pub(super) trouble: Trouble,
    pub(super) users: Users,
    pub(super) heart: Heart,
    pub(super) budget: Budget,
    /// Orders that rest, by market and number.
    pub(super) resting: BTreeMap<(usize, OrderNumber), usize>,
    /// Orders that wait for the end of a delay.
    pub(super) delayed: BTreeSet<usize>,
    /// Markets that have resolved.
    pub(super) endings: BTreeMap<usize, Ending>,
    /// Names given so far.
    named: u64,
}

impl Trading {
    /// A wallet that has done nothing yet.
    pub(super) fn new(wallet: Wallet) -> Self {
        Self {
            wallet,
            keys: Keys::of(wallet.owner),
            account: Account::new(wallet.collateral),
            trouble: Trouble::default(),
            users: Users::default(),
            heart: Heart::default(),
            budget: Budget::of(wallet.tier),
            resting: BTreeMap::new(),
            delayed: BTreeSet::new(),
            endings: BTreeMap::new(),
            named: 0,
        }
    }

    /// The exchange's own clock.
    pub(super) fn clock(&self, now: Timestamp) -> Timestamp {
        self.trouble.clock(now)
    }

    /// Answers a request to a private route; `None` when it is not one.
    pub(super) fn request(
        &mut self,
        request: &Request<'_>,
        scene: &mut Scene<'_>,
    ) -> Option<Reply> {
        let clock = self.clock(scene.now);
        if request.method == "GET" && request.path == "/time" {
            return Some(Reply::json(200, &json!(clock.secs())));
        }
        if let Some(reply) = self.keys.by_wallet(request, clock) {
            return Some(reply);
        }
        if !is_private(request.method, request.path) {
            return None;
        }
        let key = match self.keys.identify(request, clock) {
            Ok(key) if !self.trouble.revoked(scene.now) => key.clone(),
            Ok(_) => return Some(error(401, "Invalid API key")),
            Err(reply) => return Some(reply),
        };
        let reply = self.private(request, &key, scene);
        self.trouble.remember(&self.account, scene.now);
        Some(reply)
    }

    fn private(&mut self, request: &Request<'_>, key: &ApiKey, scene: &mut Scene<'_>) -> Reply {
        let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
        match (request.method, path.as_slice()) {
            ("POST", ["order"]) => place::one(self, request, key, scene),
            ("POST", ["orders"]) => place::many(self, request, key, scene),
            ("DELETE", ["order" | "orders" | "cancel-all" | "cancel-market-orders"]) => {
                self.cancel_by(request, scene)
            }
            ("POST", ["v1", "heartbeats"]) => self.heart.beat(request.body, scene.now),
            ("POST", ["heartbeats"]) => {
                self.heart.touch(scene.now);
                Reply::json(200, &json!({ "status": "ok" }))
            }
            ("POST", ["embedded", "merge"]) => self.merge_by(request.body, scene.floor),
            ("POST", ["embedded", "redeem"]) => self.redeem_by(request.body, scene),
            ("GET", ["auth", "api-keys"]) => Reply::json(200, &self.keys.list()),
            ("DELETE", ["auth", "api-key"]) => {
                self.keys.delete(&key.key);
                Reply::json(200, &json!("OK"))
            }
            ("GET", ["auth", "ban-status", "closed-only"]) => {
                Reply::json(200, &json!({ "closed_only": false }))
            }
            ("GET", _) => private::answer(self, request, scene.floor, scene.now),
            _ => error(404, "Not Found"),
        }
    }

    /// Takes a frame of the user channel; `false` when the connection is not one of its.
    pub(super) fn text(
        &mut self,
        connection: Connection,
        text: &str,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) -> bool {
        self.users.text(connection, text, &self.keys, now, out)
    }

    /// A name that was never given before, as 32 bytes.
    pub(super) fn name(&mut self, purpose: &str) -> [u8; 32] {
        self.named += 1;
        let hash = Sha256::new().chain_update(purpose).chain_update(self.named.to_be_bytes());
        hash.finalize().into()
    }

    /// A new id of a trade.
    pub(super) fn trade_id(&mut self) -> String {
        let name = self.name("trade");
        uuid(name)
    }

    /// A new transaction hash.
    pub(super) fn transaction(&mut self) -> String {
        format!("0x{}", hex(&self.name("transaction")))
    }

    /// Tells the user channel of an order.
    pub(super) fn tell(&mut self, happened: Happened, place: usize, ear: &mut Ear<'_>) {
        let Some(order) = self.account.orders.get(place) else { return };
        let wallet = self.wallet.funder.to_string();
        let clock = self.trouble.clock(ear.now);
        let event = order_event(happened, order, (&wallet, ear.floor), clock);
        let market = ear.floor.listings[order.wanted.asset.market].id.clone();
        self.users.say(&market, &event, ear.now, ear.out);
    }

    /// Hears of a step of matching that others caused.
    pub(super) fn overhear(
        &mut self,
        (market, facts): (usize, &[Fact]),
        floor: &Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) {
        if self.resting.is_empty() {
            return;
        }
        let mut ear = Ear { floor, out, now };
        self.meet(market, facts, &mut ear);
        self.sync(market, &mut ear);
        self.trouble.remember(&self.account, now);
    }

    /// The orders that may still match, oldest first.
    pub(super) fn open_orders(&self) -> impl Iterator<Item = (usize, &Order)> + '_ {
        let places: BTreeSet<usize> =
            self.resting.values().copied().chain(self.delayed.iter().copied()).collect();
        places.into_iter().map(|place| (place, &self.account.orders[place]))
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, scene: &mut Scene<'_>) {
        self.settle(&mut scene.ear());
        self.end_delays(scene);
        self.expire(scene);
        if self.heart.has_stopped(scene.now) {
            self.cancel_all("CANCELED", scene);
        }
        self.redeem_due(scene.now);
        self.users.tick(scene.now, scene.out);
        self.trouble.remember(&self.account, scene.now);
    }

    /// The truth.
    pub(super) fn statement(&self) -> Statement {
        self.account.statement()
    }
}

/// Whether a route wants a key.
fn is_private(method: &str, path: &str) -> bool {
    match method {
        "DELETE" => true,
        "POST" => matches!(
            path,
            "/order"
                | "/orders"
                | "/v1/heartbeats"
                | "/heartbeats"
                | "/embedded/merge"
                | "/embedded/redeem"
        ),
        _ => {
            path.starts_with("/data/")
                || path.starts_with("/balance-allowance")
                || matches!(
                    path,
                    "/auth/api-keys" | "/auth/ban-status/closed-only" | "/notifications"
                )
        }
    }
}

/// An error as the CLOB words it.
pub(super) fn error(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "error": text }))
}

/// The value of a text field of a body.
pub(super) fn field(body: &[u8], name: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    match body.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
