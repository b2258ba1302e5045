//! Kalshi, server side: REST under `/trade-api/v2`, frames under `/trade-api/ws/v2`.
//!
//! A WebSocket needs a signature; reads of market data do not, but unsigned ones share a small
//! budget. A request that bears authentication headers is always checked. Every registered key is
//! a member of its own, with demo cash on both shards.

use std::collections::{BTreeMap, VecDeque};

use serde_json::json;

use crate::domain::{Money, Timestamp};

use super::faults::Fault;
use super::ledger::Statement;
use super::{Connection, Core, Fact, Floor, Push, Reply, Request, Sending};

pub use auth::{Account, PublicKey, Scope};

use budget::Bucket;
use command::Scene;
use frames::{Print, Tally};
use rest::Desk;
use stream::{Images, Link};
use trading::Trading;
use trading::route::Cost;

/// Where the WebSocket is.
const STREAM_PATH: &str = "/trade-api/ws/v2";
/// Tokens of a signed reader: the basic tier.
const READ_PER_SECOND: u64 = 200;
const READ_CAPACITY: u64 = 200;
/// Tokens of a signed writer: the basic tier.
const WRITE_PER_SECOND: u64 = 100;
const WRITE_CAPACITY: u64 = 100;
/// Requests without signature, together, as all come from one address.
const UNSIGNED_PER_SECOND: u64 = 3;
const UNSIGNED_BURST: u64 = 5;
/// Trades that a market remembers.
const TRADES_MAX: usize = 1_000;

/// Kalshi's side of the conversation.
#[derive(Debug)]
pub struct Kalshi {
    accounts: Vec<Account>,
    /// The buckets of reads and of writes of each account, at its index.
    budgets: Vec<[Bucket; 2]>,
    unsigned: Bucket,
    links: BTreeMap<Connection, Link>,
    tallies: Vec<Tally>,
    trades: Vec<VecDeque<Print>>,
    trading: Trading,
    trouble: Trouble,
}

/// What is broken at present, and until when.
#[derive(Debug, Default)]
struct Trouble {
    limited: Option<Timestamp>,
    failing: Option<(Timestamp, u16)>,
    late: Option<Timestamp>,
    paused: BTreeMap<usize, Timestamp>,
    /// Private messages are lost until then.
    silent: Option<Timestamp>,
    /// Private messages are repeated and out of order until then.
    jumbled: Option<Timestamp>,
    /// What a jumbled channel repeats next.
    repeats: Vec<Push>,
    /// No key is known until then.
    revoked: Option<Timestamp>,
    /// The clock is so many milliseconds ahead until then.
    skewed: Option<(Timestamp, i64)>,
}

impl Kalshi {
    /// Opens the exchange for the holders of `accounts`.
    pub fn new(floor: &Floor, accounts: Vec<Account>) -> Self {
        let read = Bucket::new(READ_PER_SECOND, READ_CAPACITY);
        let write = Bucket::new(WRITE_PER_SECOND, WRITE_CAPACITY);
        let budgets = accounts.iter().map(|_| [read, write]).collect();
        Self {
            trading: Trading::new(accounts.len()),
            accounts,
            budgets,
            unsigned: Bucket::new(UNSIGNED_PER_SECOND, UNSIGNED_BURST),
            links: BTreeMap::new(),
            tallies: vec![Tally::default(); floor.listings.len()],
            trades: vec![VecDeque::new(); floor.listings.len()],
            trouble: Trouble::default(),
        }
    }

    /// How often each fault of orders has met one, by its name.
    pub const fn met(&self) -> &BTreeMap<&'static str, u64> {
        &self.trading.met
    }

    /// Gives the account at `place` this cash by shard instead of the demo cash. A shard that is
    /// not named is unfunded.
    #[must_use]
    pub fn funded(mut self, place: usize, cash: &[(u32, Money)]) -> Self {
        self.trading.fund(place, cash);
        self
    }

    /// The time as the exchange has it.
    fn clock(&self, now: Timestamp) -> Timestamp {
        match self.trouble.skewed.filter(|(until, _)| now < *until) {
            Some((_, ms)) => {
                Timestamp::from_nanos(now.nanos().saturating_add(ms.saturating_mul(1_000_000)))
            }
            None => now,
        }
    }

    /// Who signed a request, by place.
    fn identify(
        &self,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Option<usize>, auth::Refusal> {
        let revoked = self.trouble.revoked.is_some_and(|until| now < until);
        let known = if revoked { &[][..] } else { &self.accounts[..] };
        let caller = auth::identify(known, request, self.clock(now))?;
        Ok(caller.and_then(|caller| {
            self.accounts.iter().position(|account| account.key_id == caller.key_id)
        }))
    }

    /// Takes a request's tokens out of the caller's budget.
    fn granted(&mut self, place: Option<usize>, request: &Request<'_>, now: Timestamp) -> bool {
        match place.and_then(|place| self.budgets.get_mut(place)) {
            Some([read, write]) => match trading::route::cost(request) {
                Cost::Read(tokens) => read.take(tokens, now),
                Cost::Write(tokens) => write.take(tokens, now),
            },
            None => self.unsigned.take(1, now),
        }
    }

    /// Answers a request that no fault keeps from being answered.
    fn answer(
        &mut self,
        request: &Request<'_>,
        floor: &mut Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) -> Reply {
        let place = match self.identify(request, now) {
            Ok(place) => place,
            Err(refusal) => return refusal.reply(),
        };
        if !self.granted(place, request, now) {
            return too_many();
        }
        let account = place.and_then(|place| self.accounts.get(place));
        if trading::route::is_ours(request) {
            let (Some(place), Some(account)) = (place, account) else {
                return auth::Refusal::Incomplete.reply();
            };
            let reply = self.trading.answer_member((place, account), request, floor, now);
            self.spread(None, floor, now, out);
            return reply;
        }
        let desk = Desk {
            floor,
            tallies: &self.tallies,
            trades: &self.trades,
            accounts: &self.accounts,
            endings: &self.trading.endings,
            halted: self.trading.halted.is_some_and(|until| now < until),
            caller: account,
            now,
        };
        rest::answer(desk, request)
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
}

impl Core for Kalshi {
    fn request(
        &mut self,
        request: &Request<'_>,
        floor: &mut Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) -> Reply {
        if let Some(reply) = self.obstacle(now) {
            return reply;
        }
        let mut reply = self.answer(request, floor, now, out);
        if self.clock(now) != now {
            reply.headers.push(("date", publish::date(self.clock(now))));
        }
        reply
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
        let place = self.identify(request, now).map_err(auth::Refusal::handshake)?;
        let Some(place) = place else { return Err(auth::Refusal::Incomplete.handshake()) };
        self.links.insert(connection, Link::new(connection, place, now));
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
        self.trading.absorb(market, facts, None, floor, now);
        self.spread(Some(market), floor, now, out);
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
        self.resume(floor, now);
        self.trading.expire(floor, now);
        self.trading.settle(floor, now);
        self.trading.end_transfers(now);
        self.spread(None, floor, now, out);
        for link in self.links.values_mut() {
            link.beat(now, out);
        }
    }

    fn statement(&self, _floor: &Floor) -> Statement {
        self.trading.statement(0)
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
            Fault::Pause { lasts, market } => self.pause(*market, *lasts, floor, now),
            Fault::Ticks { market, bands } => self.change_ticks(*market, bands, floor),
            Fault::Resolve { market, resolution, pays_after } => {
                self.trading.resolve(*market, *resolution, *pays_after, floor, now);
            }
            Fault::KeyRevoked { lasts } => {
                self.trouble.revoked = Some(now.after(*lasts));
                out.extend(self.links.keys().map(|connection| Push::Cut(*connection)));
                self.links.clear();
            }
            Fault::PrivateSilence { lasts } => self.trouble.silent = Some(now.after(*lasts)),
            Fault::Jumbled { lasts } => self.trouble.jumbled = Some(now.after(*lasts)),
            Fault::ClockSkew { ms, lasts } => {
                self.trouble.skewed = Some((now.after(*lasts), *ms));
            }
            Fault::Order(_)
            | Fault::CancelsDenied { .. }
            | Fault::TradingPause { .. }
            | Fault::ReadLag { .. }
            | Fault::Funds(_)
            | Fault::NoFunds { .. } => self.trading.trouble(fault, floor, now),
            // Of the other venue.
            Fault::Restart { .. } => {}
        }
        self.spread(None, floor, now, out);
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
mod publish;
mod query;
mod rest;
mod stream;
mod trading;

#[cfg(test)]
mod tests;
