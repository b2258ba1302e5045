//! Both cores, the world and the open connections: everything behind the servers' one lock.
//!
//! Nothing here waits. What a core pushes goes into the queue of its connection; a connection whose
//! queue is full is cut, because a frame left out would be a lie.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use crate::domain::{Price, Quantity, Side, Timestamp, Venue};
use crate::exchange::faults::{Fault, Script, steps_of};
use crate::exchange::world::World;
use crate::exchange::{Connection, Core, Push, Reply, Request, Sending};

/// How many frames may wait for one connection.
const QUEUE_MAX: usize = 16_384;

/// What a connection's task is told.
#[derive(Debug)]
pub(super) enum Outgoing {
    Text(String),
    Ping(&'static str),
    /// Stay open, read nothing, send nothing.
    Stall,
}

/// A connection's ends in the hub: dropping the queue ends the connection once it is drained.
#[derive(Debug)]
struct Wire {
    venue: Venue,
    queue: mpsc::Sender<Outgoing>,
    cut: Arc<Notify>,
}

/// What the task of a new connection needs.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) queue: mpsc::Receiver<Outgoing>,
    /// Notified when the connection is to end at once.
    pub(super) cut: Arc<Notify>,
}

/// A market's book as the exchange had it when it had queued all frames about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Where.
    pub venue: Venue,
    /// The index of the market.
    pub market: usize,
    /// The step whose changes it contains; zero for the books at the start.
    pub step: u64,
    /// When the last of the frames was queued.
    pub at: Timestamp,
    /// How many frames were queued, over all connections.
    pub frames: usize,
    /// The bids of YES, best first.
    pub bids: Vec<(Price, Quantity)>,
    /// The asks of YES, best first.
    pub asks: Vec<(Price, Quantity)>,
}

/// The state that all servers share.
pub(super) struct Hub {
    world: World,
    kalshi: Box<dyn Core>,
    polymarket: Box<dyn Core>,
    wires: BTreeMap<Connection, Wire>,
    last_connection: u64,
    script: Script,
    step_every: Duration,
    steps: u64,
    clock: fn() -> Timestamp,
    images: VecDeque<Image>,
    images_max: usize,
    /// What a client needs to know to begin, as text.
    pub(super) card: String,
}

/// Where the card is.
pub(super) const CARD_PATH: &str = "/embedded/card";
/// Where both exchanges' statements of the client's account are.
const STATEMENT_PATH: &str = "/embedded/statement";

fn card(text: &str) -> Reply {
    let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
    Reply { sending: Sending::Now, status: 200, headers, body: text.to_owned() }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("steps", &self.steps)
            .field("connections", &self.wires.len())
            .finish_non_exhaustive()
    }
}

/// How a hub runs.
#[derive(Debug)]
pub(super) struct Habits {
    pub(super) script: Script,
    pub(super) step_every: Duration,
    pub(super) clock: fn() -> Timestamp,
    pub(super) images_max: usize,
}

impl Hub {
    pub(super) fn new(
        world: World,
        kalshi: Box<dyn Core>,
        polymarket: Box<dyn Core>,
        habits: Habits,
    ) -> Self {
        let Habits { script, step_every, clock, images_max } = habits;
        let mut hub = Self {
            world,
            kalshi,
            polymarket,
            wires: BTreeMap::new(),
            last_connection: 0,
            script,
            step_every,
            steps: 0,
            clock,
            images: VecDeque::new(),
            images_max,
            card: String::new(),
        };
        for venue in Venue::ALL {
            for market in 0..hub.world.floor(venue).books.len() {
                hub.observe(venue, market, 0);
            }
        }
        hub
    }

    pub(super) fn request(&mut self, venue: Venue, request: &Request<'_>) -> Reply {
        match (request.method, request.path) {
            ("GET", CARD_PATH) => return card(&self.card),
            ("GET", STATEMENT_PATH) => return Reply::json(200, &self.statements()),
            _ => {}
        }
        self.with_core(venue, |core, world, now, out| {
            core.request(request, world.floor_mut(venue), now, out)
        })
    }

    pub(super) fn open(&mut self, venue: Venue, request: &Request<'_>) -> Result<Opened, Reply> {
        self.last_connection += 1;
        let connection = Connection(self.last_connection);
        self.with_core(venue, |core, _, now, _| core.open(connection, request, now))?;
        let (sender, queue) = mpsc::channel(QUEUE_MAX);
        let cut = Arc::new(Notify::new());
        self.wires.insert(connection, Wire { venue, queue: sender, cut: Arc::clone(&cut) });
        Ok(Opened { connection, queue, cut })
    }

    pub(super) fn text(&mut self, connection: Connection, text: &str) {
        let Some(venue) = self.wires.get(&connection).map(|wire| wire.venue) else { return };
        self.with_core(venue, |core, world, now, out| {
            core.text(connection, text, world.floor_mut(venue), now, out);
        });
    }

    /// Forgets a connection whose task has ended.
    pub(super) fn closed(&mut self, connection: Connection) {
        if let Some(wire) = self.wires.remove(&connection) {
            self.core(wire.venue).closed(connection);
        }
    }

    pub(super) fn tick(&mut self) {
        for venue in Venue::ALL {
            self.with_core(venue, |core, world, now, out| {
                core.tick(world.floor_mut(venue), now, out);
            });
        }
    }

    /// Lets the faults of the next step strike, then the agents act, then both venues report.
    pub(super) fn step(&mut self) -> u64 {
        self.tick();
        self.steps += 1;
        while let Some(due) = self.script.next_due(self.steps) {
            if let Fault::Pause { lasts, market } = &due.fault {
                // The agents come back after the market, even if the clock is a little behind.
                let steps = steps_of(*lasts, self.step_every).saturating_add(1);
                self.world.pause(due.venue, *market, steps);
            }
            self.with_core(due.venue, |core, world, now, out| {
                core.fault(&due.fault, world.floor_mut(due.venue), now, out);
            });
        }
        for (venue, market, facts) in self.world.step((self.clock)()) {
            let frames = self.with_core(venue, |core, world, now, out| {
                core.report(market, &facts, world.floor(venue), now, out);
                out.iter().filter(|push| matches!(push, Push::Text(..))).count()
            });
            self.observe(venue, market, frames);
        }
        self.steps
    }

    /// Ends all connections.
    pub(super) fn hang_up(&mut self) {
        for (connection, wire) in std::mem::take(&mut self.wires) {
            wire.cut.notify_one();
            self.core(wire.venue).closed(connection);
        }
    }

    pub(super) const fn world(&self) -> &World {
        &self.world
    }

    pub(super) fn statements(&self) -> serde_json::Value {
        let (kalshi, polymarket) = (&self.world.kalshi, &self.world.polymarket);
        serde_json::json!({
            "kalshi": self.kalshi.statement(kalshi).json(kalshi),
            "polymarket": self.polymarket.statement(polymarket).json(polymarket),
        })
    }

    pub(super) const fn struck(&self) -> &BTreeMap<(Venue, &'static str), u64> {
        self.script.struck()
    }

    pub(super) const fn images(&self) -> &VecDeque<Image> {
        &self.images
    }

    pub(super) fn image(&self, venue: Venue, market: usize, frames: usize) -> Option<Image> {
        let book = self.world.floor(venue).books.get(market)?;
        Some(Image {
            venue,
            market,
            step: self.steps,
            at: (self.clock)(),
            frames,
            bids: book.levels(Side::Bid).collect(),
            asks: book.levels(Side::Ask).collect(),
        })
    }

    fn observe(&mut self, venue: Venue, market: usize, frames: usize) {
        if self.images_max == 0 {
            return;
        }
        if self.images.len() >= self.images_max {
            self.images.pop_front();
        }
        self.images.extend(self.image(venue, market, frames));
    }

    fn core(&mut self, venue: Venue) -> &mut dyn Core {
        match venue {
            Venue::Kalshi => self.kalshi.as_mut(),
            Venue::Polymarket => self.polymarket.as_mut(),
        }
    }

    /// Lets a core act and delivers what it pushes.
    fn with_core<T>(
        &mut self,
        venue: Venue,
        act: impl FnOnce(&mut dyn Core, &mut World, Timestamp, &mut Vec<Push>) -> T,
    ) -> T {
        let now = (self.clock)();
        let mut out = Vec::new();
        let core = match venue {
            Venue::Kalshi => self.kalshi.as_mut(),
            Venue::Polymarket => self.polymarket.as_mut(),
        };
        let result = act(core, &mut self.world, now, &mut out);
        for push in out {
            self.deliver(push);
        }
        result
    }

    fn deliver(&mut self, push: Push) {
        let (connection, outgoing) = match push {
            Push::Text(connection, text) => (connection, Outgoing::Text(text)),
            Push::Ping(connection, body) => (connection, Outgoing::Ping(body)),
            Push::Stall(connection) => (connection, Outgoing::Stall),
            Push::Cut(connection) => {
                self.closed(connection);
                return;
            }
        };
        let Some(wire) = self.wires.get(&connection) else { return };
        if wire.queue.try_send(outgoing).is_err() {
            wire.cut.notify_one();
            self.closed(connection);
        }
    }
}
