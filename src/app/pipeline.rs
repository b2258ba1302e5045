//! Feeds and engine as one machine without I/O.
//!
//! Whatever happens, live or in a replay, enters as an [`Input`] with its time. The machine owns
//! the feeds (so their state is part of the replay), the mapping files in force, the registry of
//! markets and the engine. What it wants done collects in [`Wishes`]; what it decided, in
//! [`Pipeline::news`] and in a digest that two runs share exactly when they decided the same.

use std::collections::VecDeque;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::book::Lane;
use crate::detect::NoEdge;
use crate::domain::{Date, Market, Timestamp, Venue};
use crate::engine::effect::Effect;
use crate::engine::event::{Event, Watched};
use crate::engine::{self, Engine};
use crate::pairing::{Pair, Set, Standing, check_files};
use crate::ui::cli::record;
use crate::venue::{Feed, Output, Wanted};

pub use super::input::{FeedSource, Input, LaneWishes, News, Wishes};
use super::registry::{Registry, Stage};

struct Slot {
    venue: Venue,
    feed: Box<dyn Feed>,
}

/// The machine.
pub struct Pipeline {
    engine: Engine,
    registry: Registry,
    feeds: Vec<Slot>,
    source: Box<dyn FeedSource>,
    set: Set,
    /// The pairs of the set, shared with the engine: what did not change is the same pointer.
    in_force: Vec<Arc<Pair>>,
    today: Date,
    out: Output,
    effects: Vec<Effect>,
    digest: Sha256,
    pairs_outdated: bool,
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
            set: Set::default(),
            in_force: Vec::new(),
            today,
            out: Output::default(),
            effects: Vec::new(),
            digest: Sha256::new(),
            pairs_outdated: false,
            frames: 0,
            now: Timestamp::ZERO,
            wishes: Wishes::default(),
            news: VecDeque::new(),
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: &Input<'_>, now: Timestamp) {
        self.now = now;
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
            Input::Tick => {
                self.refresh_pairs(now);
                self.engine_event(&Event::Tick, now);
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
        let venue = slot.venue;
        self.take_output(Some(lane), venue, &mut out, now);
        self.out = out;
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

    /// Acts on what the engine decided, until nothing is left.
    fn settle(&mut self, now: Timestamp) {
        while !self.effects.is_empty() {
            for effect in std::mem::take(&mut self.effects) {
                match &effect {
                    Effect::Opportunity(found) => self.sign(&record::opportunity(found)),
                    Effect::Closed(closed) => self.sign(&record::closed(closed)),
                    Effect::Doubt { pair, reason, .. } => self.sign(&format!("{pair} {reason}")),
                    Effect::Act(act) => self.sign(&format!("{act:?}")),
                    Effect::Resync { market, .. } => {
                        let market = *market;
                        let lane = self.registry.get(market).and_then(|entry| entry.lane);
                        if let Some(lane) = lane {
                            self.drive(lane, now, |feed, out| feed.resync(market, now, out));
                        }
                    }
                    Effect::Reload { market } => {
                        if let Some(entry) = self.registry.get(*market) {
                            self.wishes.loads.push((entry.venue, entry.id.clone()));
                        }
                    }
                }
                self.tell(News::Decision(effect));
            }
        }
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

    fn take_mappings(&mut self, files: &[(String, String)]) {
        let checked = check_files(files, self.today);
        if !checked.findings.is_empty() {
            self.tell(News::Findings(checked.findings.clone()));
        }
        let (set, differences) = self.set.renew(&checked);
        self.set = set;
        if !differences.is_empty() {
            self.tell(News::Pairs(differences));
        }
        self.in_force = self.set.pairs().iter().cloned().map(Arc::new).collect();
        self.mark_needed();
        self.pairs_outdated = true;
    }

    /// Marks the markets that pairs in force need, and asks for the facts of new ones.
    fn mark_needed(&mut self) {
        for (_, entry) in self.registry.iter_mut() {
            entry.needed = false;
        }
        for pair in self.set.pairs().iter().filter(|pair| pair.standing != Standing::Suspended) {
            for (venue, id) in
                [(Venue::Kalshi, &pair.kalshi), (Venue::Polymarket, &pair.polymarket)]
            {
                let index = self.registry.intern(venue, id);
                if let Some(entry) = self.registry.get_mut(index) {
                    if !entry.needed && !matches!(entry.stage, Stage::Known(_)) {
                        self.wishes.loads.push((venue, id.clone()));
                    }
                    entry.needed = true;
                }
            }
        }
        // What was known of a market that is not needed any more grows old unseen.
        for (_, entry) in self.registry.iter_mut() {
            if !entry.needed && matches!(entry.stage, Stage::Known(_)) {
                entry.stage = Stage::Wanted;
            }
        }
        self.wishes.loads.sort();
        self.wishes.loads.dedup();
    }

    fn take_market(&mut self, market: &Market, now: Timestamp) {
        let known = self.registry.find(market.venue, &market.id);
        let before = known.and_then(|index| self.registry.get(index)).and_then(|e| e.facts());
        // Only a market that is new, or whose tokens or labels are, changes which pairs there are.
        self.pairs_outdated |= before.is_none_or(|before| before.tokens != market.tokens);
        let index = self.registry.learn(market);
        self.engine_event(&Event::Market { index, market }, now);
    }

    fn take_books(&mut self, venue: Venue, body: &str, now: Timestamp) {
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        let registry = &self.registry;
        let find = |id: &str| {
            let index = registry.find_book(venue, id)?;
            let lane = registry.get(index)?.lane?;
            Some((index, lane))
        };
        self.source.books(venue, body, &find, &mut out);
        self.take_output(None, venue, &mut out, now);
        self.out = out;
        self.engine_event(&Event::Drained, now);
    }

    /// Puts the pairs whose markets are known in force, and the markets on a feed. Done when time
    /// passes, not for each of thousands of markets that become known at the start.
    fn refresh_pairs(&mut self, now: Timestamp) {
        if !std::mem::take(&mut self.pairs_outdated) {
            return;
        }
        let mut watched = Vec::new();
        let mut news = Vec::new();
        for pair in self.in_force.iter().filter(|pair| pair.standing != Standing::Suspended) {
            let kalshi = self.registry.find(Venue::Kalshi, &pair.kalshi);
            let polymarket = self.registry.find(Venue::Polymarket, &pair.polymarket);
            let (Some(kalshi), Some(polymarket)) = (kalshi, polymarket) else { continue };
            let known = |index| self.registry.get(index).and_then(|entry| entry.facts());
            let (Some(_), Some(facts)) = (known(kalshi), known(polymarket)) else { continue };
            let Some(tokens) = &facts.tokens else { continue };
            match tokens.outcome_of(&pair.outcome) {
                Some(named) => {
                    watched.push(Watched { pair: Arc::clone(pair), kalshi, polymarket, named });
                }
                None => news.push(News::NoSuchOutcome {
                    pair: pair.id.0.clone(),
                    outcome: pair.outcome.clone(),
                    labels: [tokens.yes_label.clone(), tokens.no_label.clone()],
                }),
            }
        }
        self.engine_event(&Event::Pairs(&watched), now);
        for item in news {
            self.tell(item);
        }
        self.bring_markets(now);
    }

    /// Puts needed markets on feeds, and takes others off.
    fn bring_markets(&mut self, now: Timestamp) {
        let mut coming: [Vec<Wanted>; 2] = [Vec::new(), Vec::new()];
        let mut going = Vec::new();
        for (index, entry) in self.registry.iter_mut() {
            match (entry.needed, entry.lane) {
                (true, None) => {
                    let Some(facts) = entry.facts() else { continue };
                    let tokens =
                        facts.tokens.as_ref().map(|tokens| (tokens.yes.clone(), tokens.no.clone()));
                    let wanted = Wanted { market: index, id: entry.id.clone(), tokens };
                    coming[usize::from(entry.venue == Venue::Polymarket)].push(wanted);
                }
                (false, Some(lane)) => {
                    entry.lane = None;
                    going.push((index, lane));
                }
                _ => {}
            }
        }
        for (market, lane) in going {
            self.drive(lane, now, |feed, out| feed.unwatch(market, now, out));
        }
        for (venue, wanted) in Venue::ALL.into_iter().zip(coming) {
            self.spread(venue, wanted, now);
        }
    }

    /// Fills the venue's connections, opening new ones as needed.
    fn spread(&mut self, venue: Venue, mut wanted: Vec<Wanted>, now: Timestamp) {
        let room = self.source.markets_per_lane(venue).max(1);
        while !wanted.is_empty() {
            let free = self.feeds.iter().position(|s| s.venue == venue && s.feed.watched() < room);
            let at = free.unwrap_or_else(|| self.open_lane(venue));
            let taken = (room - self.feeds[at].feed.watched()).min(wanted.len());
            let rest = wanted.split_off(taken);
            let lane = Lane(u16::try_from(at).unwrap_or(u16::MAX));
            for item in &wanted {
                if let Some(entry) = self.registry.get_mut(item.market) {
                    entry.lane = Some(lane);
                }
            }
            self.drive(lane, now, |feed, out| feed.watch(&wanted, now, out));
            wanted = rest;
        }
    }

    fn open_lane(&mut self, venue: Venue) -> usize {
        let at = self.feeds.len();
        let lane = Lane(u16::try_from(at).unwrap_or(u16::MAX));
        self.feeds.push(Slot { venue, feed: self.source.feed(venue, lane) });
        self.wishes.lanes.push(LaneWishes::default());
        self.wishes.new_lanes.push(lane);
        at
    }
}
