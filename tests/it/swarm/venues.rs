//! Both exchanges on virtual time: two small floors, both cores, and the wires to their client.

use std::time::Duration;

use crossbook::domain::{Money, Timestamp, Venue};
use crossbook::exchange::dice::Dice;
use crossbook::exchange::faults::Fault;
use crossbook::exchange::kalshi::Kalshi;
use crossbook::exchange::ledger::Statement;
use crossbook::exchange::polymarket::{ApiKey, Polymarket};
use crossbook::exchange::{Connection, Core, Floor, Push, Reply, Request};

use crate::harness::at;
use crate::harness::client::Shop;
use crate::harness::wire::Wires;

use super::draw::Script;
use super::process;
use super::square::{Batch, Square};

pub(super) struct Venues {
    pub(super) square: Square,
    kalshi: Kalshi,
    polymarket: Polymarket,
    /// What our account at Polymarket asks with.
    pub(super) api_key: ApiKey,
    pub(super) wires: Wires<()>,
    /// Whether anything may have changed an account since its statement was last read.
    stale: [bool; 2],
    statements: [Statement; 2],
}

impl Venues {
    pub(super) fn new(script: &Script) -> Self {
        let Script { seed, questions, latency, key, wallet, .. } = script;
        let square = Square::new(*seed, questions);
        let account = process::credentials(*key).1.clone();
        // Some markets are matched, and paid for, on a shard of their own.
        let cash = [0, 2].map(|shard| (shard, Money::from_micros(1_000 * Money::DOLLAR)));
        let kalshi = Kalshi::new(&square.floors[0], vec![account]).funded(0, &cash);
        let mut polymarket = Polymarket::with_wallet(process::wallet_there(*wallet, cash[0].1));
        let api_key = polymarket.api_key(0);
        Self {
            kalshi,
            polymarket,
            square,
            api_key,
            wires: Wires::new(Dice::stream(*seed, 0x1a7e), *latency),
            stale: [true; 2],
            statements: [Statement::default(), Statement::default()],
        }
    }

    fn act<T>(
        &mut self,
        venue: Venue,
        now: Timestamp,
        act: impl FnOnce(&mut dyn Core, &mut Floor, &mut Vec<Push>) -> T,
    ) -> T {
        let mut out = Vec::new();
        let floor = &mut self.square.floors[at(venue)];
        let result = match venue {
            Venue::Kalshi => act(&mut self.kalshi, floor, &mut out),
            Venue::Polymarket => act(&mut self.polymarket, floor, &mut out),
        };
        self.stale[at(venue)] = true;
        for push in out {
            if let Some(connection) = self.wires.send(push, (), now) {
                self.core(venue).closed(connection);
            }
        }
        result
    }

    fn core(&mut self, venue: Venue) -> &mut dyn Core {
        match venue {
            Venue::Kalshi => &mut self.kalshi,
            Venue::Polymarket => &mut self.polymarket,
        }
    }

    /// Does what is due by now.
    pub(super) fn tick(&mut self, now: Timestamp) {
        for venue in Venue::ALL {
            self.act(venue, now, |core, floor, out| core.tick(floor, now, out));
        }
    }

    /// Everybody on the floors acts, and both venues tell of it.
    pub(super) fn breathe(&mut self, now: Timestamp) {
        let batches = self.square.breathe(now);
        self.report(batches, now);
    }

    /// The makers put back what was taken, and nothing else happens.
    pub(super) fn refill(&mut self, now: Timestamp) {
        let batches = self.square.refill(now);
        self.report(batches, now);
    }

    fn report(&mut self, batches: Vec<Batch>, now: Timestamp) {
        for (venue, market, facts) in batches {
            self.act(venue, now, |core, floor, out| core.report(market, &facts, floor, now, out));
        }
    }

    pub(super) fn fault(&mut self, venue: Venue, fault: &Fault, now: Timestamp) {
        self.act(venue, now, |core, floor, out| core.fault(fault, floor, now, out));
    }

    pub(super) fn open(
        &mut self,
        venue: Venue,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(Connection, Timestamp), Reply> {
        let connection = self.wires.dial();
        let arrives = now.after(self.wires.travel());
        self.core(venue).open(connection, request, now)?;
        self.wires.open(connection, venue, arrives);
        Ok((connection, arrives))
    }

    pub(super) fn text(&mut self, connection: Connection, text: &str, now: Timestamp) {
        let Some(venue) = self.wires.reader(connection) else { return };
        self.act(venue, now, |core, floor, out| core.text(connection, text, floor, now, out));
    }

    /// The client has gone.
    pub(super) fn closed(&mut self, connection: Connection) {
        if let Some(venue) = self.wires.remove(connection) {
            self.core(venue).closed(connection);
        }
    }

    /// How often each fault of orders has met one, by its name.
    pub(super) fn met(&self) -> impl Iterator<Item = (Venue, &'static str, u64)> + '_ {
        let of = |venue, met: &'static str, count: &u64| (venue, met, *count);
        let kalshi = self.kalshi.met().iter().map(move |(n, c)| of(Venue::Kalshi, n, c));
        let polymarket =
            self.polymarket.met().iter().map(move |(n, c)| of(Venue::Polymarket, n, c));
        kalshi.chain(polymarket)
    }

    /// What a venue knows of our account at this moment.
    pub(super) fn statement_now(&self, venue: Venue) -> Statement {
        let floor = &self.square.floors[at(venue)];
        match venue {
            Venue::Kalshi => self.kalshi.statement(floor),
            Venue::Polymarket => self.polymarket.statement(floor),
        }
    }

    /// What a venue knows of our account; and whether that may be news.
    pub(super) fn statement(&mut self, venue: Venue) -> (&Statement, bool) {
        let news = std::mem::take(&mut self.stale[at(venue)]);
        if news {
            self.statements[at(venue)] = self.statement_now(venue);
        }
        (&self.statements[at(venue)], news)
    }
}

impl Shop for Venues {
    fn travel(&mut self) -> Duration {
        self.wires.travel()
    }

    fn request(&mut self, venue: Venue, request: &Request<'_>, now: Timestamp) -> Reply {
        self.act(venue, now, |core, floor, out| core.request(request, floor, now, out))
    }
}
