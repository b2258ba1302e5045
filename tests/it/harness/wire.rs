//! The wires from both exchanges to their clients: what is pushed arrives in order, and later.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crossbook::domain::{Timestamp, Venue};
use crossbook::exchange::dice::Dice;
use crossbook::exchange::{Connection, Push};

/// A range of milliseconds.
pub(crate) type Millis = (i64, i64);

#[derive(Debug, Clone)]
pub(crate) enum Cargo {
    Text(String),
    Ping,
    Cut,
}

/// Something under way to a client, with what a judge wants to know about it.
#[derive(Debug, Clone)]
pub(crate) struct Piece<T> {
    pub(crate) due: Timestamp,
    pub(crate) cargo: Cargo,
    pub(crate) tag: T,
}

#[derive(Debug)]
struct Wire<T> {
    venue: Venue,
    pieces: VecDeque<Piece<T>>,
    last_due: Timestamp,
    stalled: bool,
    hung_up: bool,
}

#[derive(Debug)]
pub(crate) struct Wires<T> {
    wires: BTreeMap<Connection, Wire<T>>,
    last: u64,
    dice: Dice,
    pub(crate) latency: Millis,
    /// How often a frame comes after the one before it instead of with it.
    pub(crate) torn_per_mille: u64,
}

impl<T> Wires<T> {
    pub(crate) const fn new(dice: Dice, latency: Millis) -> Self {
        Self { wires: BTreeMap::new(), last: 0, dice, latency, torn_per_mille: 150 }
    }

    /// How long something is under way.
    pub(crate) fn travel(&mut self) -> Duration {
        Duration::from_millis(self.dice.between(self.latency.0, self.latency.1).unsigned_abs())
    }

    /// Takes what an exchange pushes; the answer is a connection that the exchange has just cut.
    pub(crate) fn send(&mut self, push: Push, tag: T, now: Timestamp) -> Option<Connection> {
        let (connection, cargo) = match push {
            Push::Text(connection, text) => (connection, Cargo::Text(text)),
            Push::Ping(connection, _) => (connection, Cargo::Ping),
            Push::Cut(connection) => (connection, Cargo::Cut),
            Push::Stall(connection) => {
                if let Some(wire) = self.wires.get_mut(&connection) {
                    wire.stalled = true;
                }
                return None;
            }
        };
        let travel = self.travel();
        // Most of a batch arrives in one read; now and then it is torn.
        let torn = self.dice.chance(self.torn_per_mille);
        let wire = self.wires.get_mut(&connection).filter(|wire| !wire.hung_up)?;
        let together = !torn && wire.pieces.back().is_some_and(|piece| piece.due > now);
        let due = if together { wire.last_due } else { wire.last_due.max(now.after(travel)) };
        wire.last_due = due;
        let cut = matches!(cargo, Cargo::Cut);
        wire.pieces.push_back(Piece { due, cargo, tag });
        cut.then_some(connection)
    }

    /// When the next piece of any wire is due.
    pub(crate) fn next_due(&self) -> Timestamp {
        let fronts = self.wires.values().filter_map(|wire| wire.pieces.front());
        fronts.map(|piece| piece.due).min().unwrap_or(Timestamp::MAX)
    }

    /// Everything that a wire brings at `now`.
    pub(crate) fn collect(&mut self, connection: Connection, now: Timestamp) -> Vec<Piece<T>> {
        let Some(wire) = self.wires.get_mut(&connection) else { return Vec::new() };
        let mut due = Vec::new();
        while let Some(piece) = wire.pieces.pop_front_if(|piece| piece.due <= now) {
            due.push(piece);
        }
        due
    }

    /// Whether anything is still under way to a client.
    pub(crate) fn is_quiet(&self) -> bool {
        self.wires.values().all(|wire| wire.pieces.is_empty())
    }

    /// The connection that the next handshake makes, if the exchange accepts it.
    pub(crate) const fn dial(&mut self) -> Connection {
        self.last += 1;
        Connection(self.last)
    }

    /// A handshake was accepted; the client learns of it later.
    pub(crate) fn open(&mut self, connection: Connection, venue: Venue, arrives: Timestamp) {
        let wire = Wire {
            venue,
            pieces: VecDeque::new(),
            last_due: arrives,
            stalled: false,
            hung_up: false,
        };
        self.wires.insert(connection, wire);
    }

    /// The venue at the other end, while it reads what the client sends.
    pub(crate) fn reader(&self, connection: Connection) -> Option<Venue> {
        self.wires.get(&connection).filter(|wire| !wire.stalled).map(|wire| wire.venue)
    }

    /// The venue at the other end.
    pub(crate) fn venue(&self, connection: Connection) -> Option<Venue> {
        self.wires.get(&connection).map(|wire| wire.venue)
    }

    /// The client reads no more; the exchange learns of it later.
    pub(crate) fn hang_up(&mut self, connection: Connection) {
        if let Some(wire) = self.wires.get_mut(&connection) {
            wire.hung_up = true;
            wire.pieces.clear();
        }
    }

    /// The client has gone; the answer is the venue that is to be told.
    pub(crate) fn remove(&mut self, connection: Connection) -> Option<Venue> {
        self.wires.remove(&connection).map(|wire| wire.venue)
    }
}
