//! Both exchanges on virtual time: the world, both cores, and the wires to their clients.
//!
//! What a core pushes goes into its wire with a due time. Each piece says which books are whole
//! once it is delivered, and what they are then: that is what the oracle compares with.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crossbook::domain::{Side, Timestamp, Venue};
use crossbook::exchange::dice::Dice;
use crossbook::exchange::faults::{Fault, Scheduled, Script, steps_of};
use crossbook::exchange::kalshi::{Account, Kalshi};
use crossbook::exchange::polymarket::Polymarket;
use crossbook::exchange::world::World;
use crossbook::exchange::{Connection, Core, Fact, Floor, Push, Reply, Request};

use super::client::Shop;
use super::wire::{Millis, Wires};

/// The time from one step of the agents to the next.
pub(super) const STEP_EVERY: Duration = Duration::from_millis(50);

/// A book of YES: what rests at each price, in the units of the exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) bids: BTreeMap<u16, i64>,
    pub(super) asks: BTreeMap<u16, i64>,
}

impl Image {
    pub(super) fn of(floor: &Floor, market: usize) -> Self {
        let book = &floor.books[market];
        let side =
            |side| book.levels(side).map(|(price, size)| (price.units(), size.units())).collect();
        Self { bids: side(Side::Bid), asks: side(Side::Ask) }
    }

    fn note(&mut self, fact: &Fact) {
        let Fact::Level { side, price, before, after } = fact else { return };
        let levels = match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        };
        let known = levels.remove(&price.units()).unwrap_or(0);
        assert_eq!(known, before.units(), "the exchange reported another level than it had");
        if !after.is_zero() {
            levels.insert(price.units(), after.units());
        }
    }
}

/// What a piece says about one market.
#[derive(Debug, Clone)]
pub(super) struct Tag {
    pub(super) market: usize,
    /// The exchange's book after the whole batch that this piece belongs to.
    pub(super) image: Arc<Image>,
    pub(super) part: Part,
}

/// Whether more of the batch follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Some,
    Last,
}

pub(super) struct Hall {
    pub(super) world: World,
    kalshi: Kalshi,
    polymarket: Polymarket,
    script: Script,
    pub(super) wires: Wires<Vec<Tag>>,
    /// Both venues' books as reported so far.
    shadows: [Vec<Arc<Image>>; 2],
    pub(super) steps: u64,
    /// Faults that struck: when, where, what.
    pub(super) struck: Vec<(Timestamp, Venue, Fault)>,
    /// Books as they were when a client read them over REST, oldest reading first.
    pub(super) read: [VecDeque<Vec<Arc<Image>>>; 2],
}

pub(crate) const fn at(venue: Venue) -> usize {
    match venue {
        Venue::Kalshi => 0,
        Venue::Polymarket => 1,
    }
}

impl Hall {
    pub(super) fn new(
        seed: u64,
        account: Account,
        faults: Vec<Scheduled>,
        latency: Millis,
    ) -> Self {
        let world = World::new(seed);
        let kalshi = Kalshi::new(&world.kalshi, vec![account]);
        let images = |floor: &Floor| {
            (0..floor.books.len()).map(|market| Arc::new(Image::of(floor, market))).collect()
        };
        let shadows = Venue::ALL.map(|venue| images(world.floor(venue)));
        Self {
            world,
            kalshi,
            polymarket: Polymarket::new(),
            script: Script::new(faults),
            wires: Wires::new(Dice::stream(seed, 0x1a7e), latency),
            shadows,
            steps: 0,
            struck: Vec::new(),
            read: [VecDeque::new(), VecDeque::new()],
        }
    }

    fn core(&mut self, venue: Venue) -> (&mut dyn Core, &mut World) {
        match venue {
            Venue::Kalshi => (&mut self.kalshi, &mut self.world),
            Venue::Polymarket => (&mut self.polymarket, &mut self.world),
        }
    }

    fn act(
        &mut self,
        venue: Venue,
        now: Timestamp,
        act: impl FnOnce(&mut dyn Core, &mut Floor, &mut Vec<Push>),
    ) {
        let mut out = Vec::new();
        let (core, world) = self.core(venue);
        act(core, world.floor_mut(venue), &mut out);
        let tags = out.iter().map(|push| self.named(venue, push)).collect();
        self.send(out, tags, now);
    }

    /// The markets that a frame names: whoever asks for an image gets the book as it is.
    fn named(&self, venue: Venue, push: &Push) -> Vec<Tag> {
        let Push::Text(_, text) = push else { return Vec::new() };
        let about_books = text.contains("orderbook_snapshot") || text.contains("\"bids\"");
        if !about_books {
            return Vec::new();
        }
        let floor = self.world.floor(venue);
        let listings = floor.listings.iter().enumerate();
        let has = |id: &str| !id.is_empty() && text.contains(&format!("\"{id}\""));
        listings
            .filter(|(_, one)| has(&one.id) || has(&one.tokens.0) || has(&one.tokens.1))
            .map(|(market, _)| {
                let image = Arc::new(Image::of(floor, market));
                Tag { market, image, part: Part::Last }
            })
            .collect()
    }

    fn send(&mut self, out: Vec<Push>, tags: Vec<Vec<Tag>>, now: Timestamp) {
        for (push, tags) in out.into_iter().zip(tags) {
            let cut = self.wires.send(push, tags, now);
            if let Some(venue) = cut.and_then(|connection| self.wires.venue(connection)) {
                self.core(venue).0.closed(cut.unwrap());
            }
        }
    }

    pub(super) fn open(
        &mut self,
        venue: Venue,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(Connection, Timestamp), Reply> {
        let connection = self.wires.dial();
        let arrives = now.after(self.wires.travel());
        self.core(venue).0.open(connection, request, now)?;
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
            self.core(venue).0.closed(connection);
        }
    }

    pub(super) fn tick(&mut self, now: Timestamp) {
        for venue in Venue::ALL {
            self.act(venue, now, |core, floor, out| core.tick(floor, now, out));
        }
    }

    /// As the loopback servers do it: faults strike, agents act, both venues report.
    pub(super) fn step(&mut self, now: Timestamp) {
        self.tick(now);
        self.steps += 1;
        while let Some(due) = self.script.next_due(self.steps) {
            if let Fault::Pause { lasts, market } = &due.fault {
                let steps = steps_of(*lasts, STEP_EVERY).saturating_add(1);
                self.world.pause(due.venue, *market, steps);
            }
            self.act(due.venue, now, |core, floor, out| core.fault(&due.fault, floor, now, out));
            self.struck.push((now, due.venue, due.fault));
        }
        for (venue, market, facts) in self.world.step(now) {
            match venue {
                Venue::Kalshi => self.report_kalshi(market, &facts, now),
                Venue::Polymarket => self.report_polymarket(market, &facts, now),
            }
        }
    }

    /// A venue's books as they are.
    pub(super) fn books(&self, venue: Venue) -> &[Arc<Image>] {
        &self.shadows[at(venue)]
    }

    /// Each change is a book that the exchange really had.
    fn report_kalshi(&mut self, market: usize, facts: &[Fact], now: Timestamp) {
        for fact in facts {
            let shadow = &mut self.shadows[0][market];
            Arc::make_mut(shadow).note(fact);
            let image = Arc::clone(shadow);
            let mut out = Vec::new();
            let one = std::slice::from_ref(fact);
            self.kalshi.report(market, one, &self.world.kalshi, now, &mut out);
            let tag = Tag { market, image, part: Part::Last };
            let tags = out.iter().map(|_| vec![tag.clone()]).collect();
            self.send(out, tags, now);
        }
        let book = Image::of(&self.world.kalshi, market);
        assert_eq!(*self.shadows[0][market], book, "the facts of a step do not add up");
    }

    /// A step is one batch: only its last frame completes the book.
    fn report_polymarket(&mut self, market: usize, facts: &[Fact], now: Timestamp) {
        let mut out = Vec::new();
        self.polymarket.report(market, facts, &self.world.polymarket, now, &mut out);
        let image = Arc::new(Image::of(&self.world.polymarket, market));
        self.shadows[1][market] = Arc::clone(&image);
        let connection_of = |push: &Push| match push {
            Push::Text(connection, _) => Some(*connection),
            _ => None,
        };
        let is_last = |place: usize| {
            let own = connection_of(&out[place]);
            !out[place + 1..].iter().any(|push| connection_of(push) == own)
        };
        let tags = (0..out.len())
            .map(|place| {
                let part = if is_last(place) { Part::Last } else { Part::Some };
                vec![Tag { market, image: Arc::clone(&image), part }]
            })
            .collect();
        self.send(out, tags, now);
    }
}

impl Shop for Hall {
    fn travel(&mut self) -> Duration {
        self.wires.travel()
    }

    fn request(&mut self, venue: Venue, request: &Request<'_>, now: Timestamp) -> Reply {
        let mut reply = None;
        self.act(venue, now, |core, floor, out| {
            reply = Some(core.request(request, floor, now, out));
        });
        let reply = reply.unwrap();
        let books = request.path.ends_with("/orderbooks") || request.path == "/books";
        if books && reply.status == 200 {
            self.read[at(venue)].push_back(self.shadows[at(venue)].clone());
        }
        reply
    }
}
