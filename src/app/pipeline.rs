//! Feeds and engine as one machine without I/O.
//!
//! Whatever happens, live or in a replay, enters as an [`Input`] with its time. The machine owns
//! the feeds (so their state is part of the replay), the mapping files in force, the registry of
//! markets and the engine. What it wants done collects in [`Wishes`]; what it decided, in
//! [`Pipeline::news`] and in a digest that two runs share exactly when they decided the same.

mod effects;
mod markets;
mod rescue;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::book::Lane;
use crate::detect::NoEdge;
use crate::domain::{Date, IntentId, MarketIndex, Order, Timestamp, TradeId, Venue};
use crate::engine::effect::Effect;
use crate::engine::event::Event;
use crate::engine::{self, Engine};
use crate::execute::{Act, Record, reconcile};
use crate::pairing::{Pair, PairId, Set};
use crate::venue::{Feed, Notice, Output, Wanted};

use super::desk::{Acceptance, Desk};
pub use super::input::{FeedSource, Input, LaneWishes, News, Wishes};
use super::registry::{Registry, Stage};
use super::terms::Terms;

/// What a connection brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Books.
    Market,
    /// News about our account.
    Private,
}

struct Slot {
    venue: Venue,
    role: Role,
    feed: Box<dyn Feed>,
}

/// The machine.
pub struct Pipeline {
    engine: Engine,
    registry: Registry,
    feeds: Vec<Slot>,
    source: Box<dyn FeedSource>,
    /// The order desk; there is none where nothing is traded.
    desk: Option<Desk>,
    acceptance: Acceptance,
    /// Approved pairs that are not traded, or would not be with money, and why.
    untraded: BTreeMap<PairId, String>,
    /// What held when pairs were accepted, by their fingerprints.
    terms: BTreeMap<String, Terms>,
    /// The shard that all Kalshi markets are held to lie on, where one purse pays for all.
    shard: Option<u32>,
    /// On which shard each Kalshi market really lies, and which shards take no orders.
    shards: BTreeMap<MarketIndex, u32>,
    closed_shards: Vec<u32>,
    /// The first numbers that no intent and no trade has had.
    numbers: (IntentId, TradeId),
    set: Set,
    /// The pairs of the set, shared with the engine: what did not change is the same pointer.
    in_force: Vec<Arc<Pair>>,
    today: Date,
    out: Output,
    effects: Vec<Effect>,
    digest: Sha256,
    pairs_outdated: bool,
    /// Something panicked: what the engine says is not believed any more, and it is told nothing.
    is_broken: bool,
    frames: u64,
    now: Timestamp,
    /// What is to be done outside.
    pub wishes: Wishes,
    /// What is worth telling, oldest first.
    pub news: VecDeque<News>,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("feeds", &self.feeds.len()).finish_non_exhaustive()
    }
}

impl Pipeline {
    /// A machine without markets. `today` is the day mapping files are checked against.
    pub fn new(settings: engine::Settings, source: Box<dyn FeedSource>, today: Date) -> Self {
        Self {
            engine: Engine::new(settings),
            registry: Registry::default(),
            feeds: Vec::new(),
            source,
            desk: None,
            acceptance: Acceptance::None,
            untraded: BTreeMap::new(),
            terms: BTreeMap::new(),
            shard: None,
            shards: BTreeMap::new(),
            closed_shards: Vec::new(),
            numbers: (IntentId(1), TradeId(1)),
            set: Set::default(),
            in_force: Vec::new(),
            today,
            out: Output::default(),
            effects: Vec::new(),
            digest: Sha256::new(),
            pairs_outdated: false,
            is_broken: false,
            frames: 0,
            now: Timestamp::ZERO,
            wishes: Wishes::default(),
            news: VecDeque::new(),
        }
    }

    /// Opens the order desk and its private channels. To be called before anything else enters, so
    /// that these channels have the first lanes.
    pub fn open_desk(&mut self, desk: Desk, channels: Vec<(Venue, Box<dyn Feed>)>) {
        debug_assert!(self.feeds.is_empty(), "private channels come first");
        self.desk = Some(desk);
        for (venue, feed) in channels {
            self.add_lane(Slot { venue, role: Role::Private, feed });
        }
    }

    /// Switches trading on, from what the journal holds.
    pub fn begin_trading(
        &mut self,
        settings: engine::trade::Settings,
        reconcile: reconcile::Settings,
        history: &[Record],
        now: Timestamp,
    ) {
        if let Some(desk) = &mut self.desk {
            desk.remember(history);
        }
        self.engine.enable_trading(settings, history, now, &mut self.effects);
        self.engine.number_from(self.numbers.0, self.numbers.1);
        self.engine.reconcile_with(reconcile);
        self.mark_needed();
        self.settle(now);
    }

    /// Numbers what is new from here on. To be said before trading begins: records that a power cut
    /// took from the journal may have used the numbers that follow its last ones.
    pub const fn number_from(&mut self, intent: IntentId, trade: TradeId) {
        self.numbers = (intent, trade);
    }

    /// The index of a market that a journal names.
    pub fn intern(&mut self, venue: Venue, id: &str) -> MarketIndex {
        let index = self.registry.intern(venue, id);
        if let Some(desk) = &mut self.desk {
            desk.learn(index, venue, id);
        }
        index
    }

    /// Holds all Kalshi markets to lie on one shard.
    pub const fn hold_shard(&mut self, shard: u32) {
        self.shard = Some(shard);
    }

    /// Says which pairs were accepted on this machine.
    pub fn accept(&mut self, acceptance: Acceptance) {
        self.acceptance = acceptance;
        self.pairs_outdated = true;
    }

    /// Says what held when the pairs of these fingerprints were accepted.
    pub fn hold_to(&mut self, terms: BTreeMap<String, Terms>) {
        self.terms = terms;
        self.pairs_outdated = true;
    }

    /// A person accepts a pair while it runs.
    pub fn take_acceptance(&mut self, fingerprint: String, terms: Terms) {
        self.acceptance.take(fingerprint.clone());
        self.terms.insert(fingerprint, terms);
        self.put_in_force();
    }

    /// The order desk, if anything is traded.
    pub const fn desk(&self) -> Option<&Desk> {
        self.desk.as_ref()
    }

    /// The order desk, to tell it of earlier orders.
    pub const fn desk_mut(&mut self) -> Option<&mut Desk> {
        self.desk.as_mut()
    }

    /// How many of the first lanes are private channels; they are never recorded.
    pub fn private_lanes(&self) -> u16 {
        let count = self.feeds.iter().filter(|slot| slot.role == Role::Private).count();
        u16::try_from(count).unwrap_or(u16::MAX)
    }

    /// Cancels our own orders that may still fill, at one venue or both; how many there were.
    pub fn cancel_own(&mut self, venue: Option<Venue>, now: Timestamp) -> usize {
        let Some(trader) = self.engine.trader() else { return 0 };
        let is_one = |order: &Order| venue.is_none_or(|venue| venue == order.venue);
        let open = trader.executor().cancellable().filter(|order| is_one(order));
        let open: Vec<IntentId> = open.map(|order| order.intent).collect();
        if let Some(desk) = &mut self.desk {
            for intent in &open {
                desk.act(&Act::Cancel(*intent), &self.registry, now);
            }
            desk.take_back(&self.registry, now);
        }
        self.settle(now);
        open.len()
    }

    /// Cancels every order of the account at a venue, those that were placed by hand included.
    pub fn cancel_everything(&mut self, venue: Venue, now: Timestamp) -> Result<(), String> {
        let desk = self.desk.as_mut().ok_or("nothing is traded here")?;
        let asked = desk.cancel_everything(venue, &self.registry, now);
        self.settle(now);
        asked
    }

    /// Takes one input.
    pub fn handle(&mut self, input: &Input<'_>, now: Timestamp) {
        self.now = now;
        if self.is_broken {
            return self.handle_broken(input, now);
        }
        match *input {
            Input::Mappings(files) => self.take_mappings(files),
            Input::Market(market) => self.take_market(market, now),
            Input::NoMarket(venue, id) => {
                let index = self.registry.intern(venue, id);
                if let Some(entry) = self.registry.get_mut(index) {
                    entry.stage = Stage::Absent;
                }
                self.pairs_outdated = true;
            }
            Input::Open(lane) => self.drive(lane, now, |feed, out| feed.on_open(now, out)),
            Input::Text(lane, text) => {
                self.frames += 1;
                self.drive(lane, now, |feed, out| feed.on_text(text, now, out));
            }
            Input::Ping(lane) => self.drive(lane, now, |feed, out| feed.on_ping(now, out)),
            Input::Closed(lane, why) => {
                self.drive(lane, now, |feed, out| feed.on_closed(why, now, out));
            }
            Input::Timer(lane) => self.drive(lane, now, |feed, out| feed.on_timer(now, out)),
            Input::Drained => self.engine_event(&Event::Drained, now),
            Input::Books(venue, body) => self.take_books(venue, body, now),
            Input::Clock(venue, offset) => {
                let offset = std::time::Duration::from_nanos(offset.unsigned_abs());
                self.engine_event(&Event::Clock { venue, offset }, now);
            }
            Input::Exchange(venue, status) => {
                self.engine_event(&Event::Exchange { venue, status }, now);
            }
            Input::Shards(closed) => self.take_shards(closed, now),
            Input::Answer(id, answer) => {
                if let Some(desk) = &mut self.desk {
                    desk.answer(id, answer, &self.registry, now);
                }
            }
            Input::Command(command) => self.engine_event(&Event::Command(command), now),
            Input::Tick => {
                self.refresh_pairs(now);
                self.engine_event(&Event::Tick, now);
                if let Some(desk) = &mut self.desk {
                    desk.tick(&self.registry, now);
                }
            }
        }
        self.settle(now);
    }

    /// The first connection of a venue, made if there is none: a capture has one for each venue.
    pub fn lane_of(&mut self, venue: Venue) -> Lane {
        let known = self.lanes().find(|(_, of)| *of == venue).map(|(lane, _)| lane);
        known.unwrap_or_else(|| {
            let at = self.open_lane(venue);
            Lane(u16::try_from(at).unwrap_or(u16::MAX))
        })
    }

    /// Takes up a market that a capture names, without any facts: its book is kept, it makes no
    /// edge.
    pub fn adopt(&mut self, venue: Venue, id: &str, now: Timestamp) {
        let market = self.registry.intern(venue, id);
        if self.registry.get(market).is_none_or(|entry| entry.lane.is_some()) {
            return;
        }
        if venue == Venue::Polymarket {
            self.registry.note_token(id, market);
        }
        self.engine.name(market, id);
        self.spread(venue, vec![Wanted { market, id: id.to_owned(), tokens: None }], now);
        self.settle(now);
    }

    /// The markets that pairs in force need.
    pub fn needed(&self) -> Vec<(Venue, String)> {
        let needed = self.registry.iter().filter(|(_, entry)| entry.needed);
        needed.map(|(_, entry)| (entry.venue, entry.id.clone())).collect()
    }

    /// When a feed's timer is due.
    pub fn deadline(&self, lane: Lane) -> Timestamp {
        self.feeds.get(lane.at()).map_or(Timestamp::MAX, |slot| slot.feed.deadline())
    }

    /// A feed, for its handshake.
    pub fn feed_mut(&mut self, lane: Lane) -> Option<&mut dyn Feed> {
        match self.feeds.get_mut(lane.at()) {
            Some(slot) => Some(&mut *slot.feed),
            None => None,
        }
    }

    /// The venue of a lane.
    pub fn venue_of(&self, lane: Lane) -> Option<Venue> {
        self.feeds.get(lane.at()).map(|slot| slot.venue)
    }

    /// The engine.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// All markets.
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The pairs in force.
    pub const fn pairs(&self) -> &Set {
        &self.set
    }

    /// The time of the newest input.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// How many text frames came in.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// The venue of each lane.
    pub fn lanes(&self) -> impl Iterator<Item = (Lane, Venue)> + '_ {
        (0u16..).map(Lane).zip(self.feeds.iter().map(|slot| slot.venue))
    }

    /// The digest of all decisions so far, in hexadecimal: every opportunity that opened, grew or
    /// closed, and how often each reason for no edge was found.
    pub fn digest(&self) -> String {
        let mut digest = self.digest.clone();
        for (reason, count) in NoEdge::ALL.iter().zip(self.engine.counters().rejections) {
            digest.update(format!("{}={count}\n", reason.name()));
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Calls a feed and takes in what it says.
    fn drive(&mut self, lane: Lane, now: Timestamp, call: impl FnOnce(&mut dyn Feed, &mut Output)) {
        let Some(slot) = self.feeds.get_mut(lane.at()) else { return };
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        call(&mut *slot.feed, &mut out);
        let (venue, role) = (slot.venue, slot.role);
        if role == Role::Private {
            self.take_private(venue, &out, now);
        }
        self.take_output(Some(lane), venue, &mut out, now);
        self.out = out;
    }

    /// Hands the desk what a private channel brought.
    fn take_private(&mut self, venue: Venue, out: &Output, now: Timestamp) {
        let Some(desk) = &mut self.desk else { return };
        for text in &out.private {
            desk.private(venue, text, &self.registry, now);
        }
        if out.notices.iter().any(|notice| matches!(notice, Notice::Live { .. })) {
            desk.private_live(venue, &self.registry, now);
        }
    }

    fn take_output(&mut self, lane: Option<Lane>, venue: Venue, out: &mut Output, now: Timestamp) {
        for update in &out.updates {
            self.engine.handle(&Event::Update(update), now, &mut self.effects);
        }
        if let Some(wishes) = lane.and_then(|lane| self.wishes.lanes.get_mut(lane.at())) {
            wishes.frames.extend(out.frames.drain(..));
            wishes.connect |= out.connect;
            wishes.close |= out.close;
        }
        for notice in out.notices.drain(..) {
            self.tell(News::Feed(venue, notice));
        }
    }

    fn engine_event(&mut self, event: &Event<'_>, now: Timestamp) {
        self.engine.handle(event, now, &mut self.effects);
    }

    fn sign(&mut self, line: &str) {
        self.digest.update(line.as_bytes());
        self.digest.update(b"\n");
    }

    /// News that nobody fetches are forgotten, oldest first.
    fn tell(&mut self, news: News) {
        const WAITING_MAX: usize = 100_000;
        if self.news.len() == WAITING_MAX {
            self.news.pop_front();
        }
        self.news.push_back(news);
    }
}
