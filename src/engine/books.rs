//! All books, by market, and the connections that keep them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::book::{Book, Health, Lane, Loss, Stamped, Update};
use crate::detect::gate::{Facts, LaneState};
use crate::domain::market::Status;
use crate::domain::{Market, MarketIndex, Timestamp, Venue};

/// More connections than any set of mapping files needs; a higher number is a bug of the caller.
pub const LANES_MAX: usize = 4_096;

/// Kalshi's listings are up to 15 seconds old, as seen in production in September 2026.
const LISTING_CACHE: Duration = Duration::from_secs(30);

/// Whether a venue answers for its markets out of a cache.
const fn is_cached(venue: Venue) -> bool {
    matches!(venue, Venue::Kalshi)
}

/// A lag that is worth forgetting later; below it nobody asks.
const LAG_NOTED: Duration = Duration::from_millis(250);

/// How long a late change speaks against its connection.
const LAG_KEPT: Duration = Duration::from_secs(5);

/// One market: its book, what is known of it, and who cares.
#[derive(Debug)]
pub struct Slot {
    /// What rests there.
    pub book: Book,
    /// What money depends on; `None` until the venue's facts were read.
    pub facts: Option<Facts>,
    /// The venue's name of the market.
    pub id: String,
    /// Positions of the pairs that the market takes part in.
    pub pairs: Vec<u32>,
    /// When the feed last said whether orders are taken.
    status_told: Timestamp,
    /// When the feed last said that facts changed.
    changed: Timestamp,
    /// Whether the market is on the list of changed ones.
    pub dirty: bool,
    /// Whether the market is on the list of suspects.
    pub suspect: bool,
}

/// Books and lanes, and which markets changed since the last look.
#[derive(Debug, Default)]
pub struct Books {
    slots: Vec<Slot>,
    lanes: Vec<LaneState>,
    dirty: Vec<MarketIndex>,
    suspects: Vec<MarketIndex>,
    /// Markets to be read once more, and when: what was read of them may come from a cache.
    cached: BTreeMap<MarketIndex, Timestamp>,
    /// Lanes that brought a late change, each once, and when they did so last.
    lagging: Vec<(Lane, Timestamp)>,
    updates: u64,
}

/// What an update asks of the engine beyond the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aftermath {
    /// Nothing.
    None,
    /// The book broke: a new image is needed.
    Broken(MarketIndex, Loss),
    /// A lane lost all its books.
    LaneLost,
    /// The market's facts are to be read again.
    Outdated(MarketIndex),
}

impl Books {
    /// The slot of a market, if there is one.
    pub fn get(&self, market: MarketIndex) -> Option<&Slot> {
        self.slots.get(market.at())
    }

    /// All slots, in the order of their indexes.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The state of a book's lane; an empty book is kept by no lane.
    pub fn lane_of(&self, book: &Book) -> Option<&LaneState> {
        let (lane, _) = book.lane()?;
        self.lanes.get(lane.at())
    }

    /// Whether a book is whole and its connection has lost nothing since its image.
    pub fn is_whole(&self, book: &Book) -> bool {
        let lane = self.lane_of(book).zip(book.lane());
        book.health() == Health::Whole
            && lane.is_some_and(|(state, (_, epoch))| state.epoch == epoch)
    }

    /// How many updates were applied.
    pub const fn updates(&self) -> u64 {
        self.updates
    }

    /// Stores what is known of a market, making its slot if need be.
    pub fn learn(&mut self, index: MarketIndex, market: &Market, now: Timestamp) {
        let slot = self.slot_mut(index);
        slot.id.clone_from(&market.id);
        let is_cached = is_cached(market.venue) && now.since(slot.changed) < LISTING_CACHE;
        // What a cache may hold from before a change is not believed to be read now.
        let mut facts = Facts::of(market, if is_cached { Timestamp::ZERO } else { now });
        // Listings are answered from caches: what the feed said just now is newer, and a market
        // that the feed has closed does not open again.
        if let Some(known) = &slot.facts {
            let told = now.since(slot.status_told) < LISTING_CACHE;
            let closed = known.status == Status::Closed && slot.status_told > Timestamp::ZERO;
            if told || closed {
                facts.status = known.status;
            }
        }
        slot.facts = Some(facts);
        self.touch(index);
    }

    /// Makes the slot of a market of which nothing but its name is known.
    pub fn name(&mut self, index: MarketIndex, id: &str) {
        id.clone_into(&mut self.slot_mut(index).id);
    }

    /// Gives a market's pairs a new list of positions.
    pub fn set_pairs(&mut self, index: MarketIndex, pairs: Vec<u32>) {
        self.slot_mut(index).pairs = pairs;
        self.touch(index);
    }

    /// Forgets which pairs any market takes part in.
    pub fn clear_pairs(&mut self) {
        for slot in &mut self.slots {
            slot.pairs.clear();
        }
    }

    /// Applies one update.
    pub fn apply(&mut self, update: &Update, now: Timestamp) -> Aftermath {
        self.updates += 1;
        match *update {
            Update::LaneProof { lane } => {
                let state = self.lane_mut(lane);
                state.proven = now;
                Aftermath::None
            }
            Update::LaneLost { lane, .. } => {
                let state = self.lane_mut(lane);
                state.epoch = state.epoch.wrapping_add(1);
                Aftermath::LaneLost
            }
            Update::Snapshot { market, lane } => {
                let epoch = self.lane_mut(lane).epoch;
                self.slot_mut(market).book.begin(lane, epoch);
                self.touch(market);
                Aftermath::None
            }
            Update::Stamp { kind, market, sequence, source } => {
                self.stamp(kind, market, sequence, source, now)
            }
            Update::TicksChanged { market } | Update::FactsChanged { market } => {
                self.slot_mut(market).changed = now;
                self.doubt_facts(market, now)
            }
            Update::FactsMissed { market } => self.doubt_facts(market, now),
            Update::Trading { market, status } => {
                let slot = self.slot_mut(market);
                slot.status_told = now;
                if let Some(facts) = &mut slot.facts {
                    facts.status = status;
                }
                self.touch(market);
                Aftermath::None
            }
            ref other => self.apply_to_book(other, now),
        }
    }

    /// Prices, the fee or the close may be others: no edge until the facts are read again.
    fn doubt_facts(&mut self, market: MarketIndex, now: Timestamp) -> Aftermath {
        if let Some(facts) = &mut self.slot_mut(market).facts {
            facts.read = Timestamp::ZERO;
            if is_cached(facts.venue) {
                self.cached.insert(market, now.after(LISTING_CACHE));
            }
        }
        self.touch(market);
        Aftermath::Outdated(market)
    }

    /// Calls `found` for each market whose facts every cache has let go of since they were read.
    pub fn read_again(&mut self, now: Timestamp, mut found: impl FnMut(MarketIndex)) {
        self.cached.retain(|market, at| {
            let is_due = now >= *at;
            if is_due {
                found(*market);
            }
            !is_due
        });
    }

    fn apply_to_book(&mut self, update: &Update, now: Timestamp) -> Aftermath {
        let market = match *update {
            Update::Set { market, side, price, quantity } => {
                let book = &mut self.slot_mut(market).book;
                book.set(side, price, quantity, now);
                if book.health() == Health::Loading {
                    // The image's begin and end say all that follows from its levels.
                    return Aftermath::None;
                }
                market
            }
            Update::Change { market, side, price, change } => {
                self.slot_mut(market).book.change(side, price, change, now);
                market
            }
            Update::SnapshotEnd { market } => {
                self.slot_mut(market).book.end(now);
                market
            }
            Update::Announced { market, bid, ask } => {
                self.slot_mut(market).book.announce(bid, ask, now);
                market
            }
            Update::Proof { market } => {
                self.slot_mut(market).book.prove(now);
                market
            }
            Update::Reading(ref reading) => {
                self.slot_mut(reading.market).book.read(reading, now);
                reading.market
            }
            Update::Lost { market, why } => {
                self.slot_mut(market).book.lose(why, now);
                self.touch(market);
                return Aftermath::None;
            }
            _ => return Aftermath::None,
        };
        self.touch(market);
        let slot = &mut self.slots[market.at()];
        if let Health::Lost { why: why @ (Loss::Broken | Loss::Refuted), since } =
            slot.book.health()
            && since == now
        {
            return Aftermath::Broken(market, why);
        }
        let questionable =
            slot.book.batch_open_since().is_some() || slot.book.crossed_since().is_some();
        if questionable && !std::mem::replace(&mut slot.suspect, true) {
            self.suspects.push(market);
        }
        Aftermath::None
    }

    fn stamp(
        &mut self,
        kind: Stamped,
        market: MarketIndex,
        sequence: u64,
        source: Option<Timestamp>,
        now: Timestamp,
    ) -> Aftermath {
        let slot = self.slot_mut(market);
        let believed = slot.book.health() == Health::Whole;
        slot.book.overtake(source, now);
        slot.book.stamp(sequence, source);
        let refuted = believed && slot.book.health() != Health::Whole;
        if let (Stamped::Change, Some((lane, _)), Some(source)) = (kind, slot.book.lane(), source) {
            let state = self.lane_mut(lane);
            state.lag = now.since(source);
            if state.lag > LAG_NOTED {
                match self.lagging.iter_mut().find(|(known, _)| *known == lane) {
                    Some(known) => known.1 = now,
                    None => self.lagging.push((lane, now)),
                }
            }
        }
        if !refuted {
            return Aftermath::None;
        }
        self.touch(market);
        Aftermath::Broken(market, Loss::Refuted)
    }

    /// Forgets the lag of lanes that have brought no late change for a while: what was late then
    /// says nothing of a connection that has been quiet since.
    pub fn forget_lags(&mut self, now: Timestamp) {
        let lanes = &mut self.lanes;
        self.lagging.retain(|(lane, at)| {
            let recent = now.since(*at) < LAG_KEPT;
            if let (false, Some(state)) = (recent, lanes.get_mut(lane.at())) {
                state.lag = Duration::ZERO;
            }
            recent
        });
    }

    /// The next market that changed since the last look.
    pub fn pop_dirty(&mut self) -> Option<MarketIndex> {
        let market = self.dirty.pop()?;
        self.slots[market.at()].dirty = false;
        Some(market)
    }

    /// Loses every book whose batch has been open, or whose sides have been crossed, for longer
    /// than `patience`, and calls `found` for each.
    pub fn lose_suspects(
        &mut self,
        patience: Duration,
        now: Timestamp,
        mut found: impl FnMut(MarketIndex),
    ) {
        let mut kept = 0;
        for at in 0..self.suspects.len() {
            let market = self.suspects[at];
            let slot = &mut self.slots[market.at()];
            let since = match (slot.book.batch_open_since(), slot.book.crossed_since()) {
                (Some(open), Some(crossed)) => Some(open.min(crossed)),
                (open, crossed) => open.or(crossed),
            };
            match since {
                None => slot.suspect = false,
                Some(since) if now.since(since) > patience => {
                    slot.suspect = false;
                    slot.book.lose(Loss::Crossed, now);
                    found(market);
                    self.touch(market);
                }
                Some(_) => {
                    self.suspects[kept] = market;
                    kept += 1;
                }
            }
        }
        self.suspects.truncate(kept);
    }

    /// How many books of a venue are whole.
    pub fn whole(&self, venue: Venue) -> usize {
        let of_venue = |slot: &&Slot| slot.facts.as_ref().is_some_and(|f| f.venue == venue);
        self.slots.iter().filter(of_venue).filter(|slot| self.is_whole(&slot.book)).count()
    }

    fn touch(&mut self, market: MarketIndex) {
        let slot = &mut self.slots[market.at()];
        if !slot.dirty && !slot.pairs.is_empty() {
            slot.dirty = true;
            self.dirty.push(market);
        }
    }

    fn slot_mut(&mut self, market: MarketIndex) -> &mut Slot {
        let at = market.at();
        if at >= self.slots.len() {
            self.slots.resize_with(at + 1, || Slot {
                book: Book::new(),
                facts: None,
                id: String::new(),
                pairs: Vec::new(),
                status_told: Timestamp::ZERO,
                changed: Timestamp::ZERO,
                dirty: false,
                suspect: false,
            });
        }
        &mut self.slots[at]
    }

    fn lane_mut(&mut self, lane: Lane) -> &mut LaneState {
        let at = lane.at();
        assert!(at < LANES_MAX, "lane {at} beyond {LANES_MAX}");
        if at >= self.lanes.len() {
            self.lanes.resize_with(at + 1, LaneState::default);
        }
        &mut self.lanes[at]
    }
}
