//! One synchronous machine from updates to decisions.
//!
//! [`Engine::handle`] takes one event and the time and adds to a list of effects. It does no I/O
//! and reads no clock: the same events at the same times give the same effects, bit for bit. Live
//! runs, replays and simulations drive this one function.
//!
//! Invariants: a pair is looked at only when a drain is complete, when time passes for a pair that
//! has an open opportunity or waits for one of its books to become fresh, or when pairs or facts
//! change. What one update costs does not depend on how many markets or pairs are watched.

pub mod books;
pub mod effect;
pub mod event;
mod look;
mod seat;
pub mod trade;
mod view;

use std::time::Duration;

use crate::book::{Loss, Update};
use crate::detect::edge::Fills;
use crate::detect::{NoEdge, gate};
use crate::domain::market::Status;
use crate::domain::{MarketIndex, Money, Quantity, Timestamp, Venue};

use books::{Aftermath, Books};
use effect::Effect;
use event::{Event, Watched};
use seat::PairSlot;
use trade::Trader;

/// What decisions depend on beyond books, facts and pairs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Least net edge per contract.
    pub edge_min: Money,
    /// Least net profit of an opportunity.
    pub profit_min: Money,
    /// An edge above this is too good to be true.
    pub edge_max: Money,
    /// Quotes of contracts that are the same may be this far apart, bid to ask.
    pub mids_apart_max: Money,
    /// Most contracts of one opportunity.
    pub contracts_max: Quantity,
    /// An open opportunity is reported again when its profit grew by this many percent.
    pub grown_by_percent: u32,
    /// How long a book may disagree with its announced best, or be crossed, before it is lost.
    pub batch_open_max: Duration,
    /// When a book may be believed.
    pub gate: gate::Settings,
}

/// What has been seen and decided so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counters {
    /// Looks at a pair.
    pub looks: u64,
    /// Opportunities that opened.
    pub opened: u64,
    /// Opportunities that closed.
    pub closed: u64,
    /// Reasons for no edge, by [`NoEdge::index`]; each look counts each direction once.
    pub rejections: [u64; NoEdge::ALL.len()],
}

impl Default for Counters {
    fn default() -> Self {
        Self { looks: 0, opened: 0, closed: 0, rejections: [0; NoEdge::ALL.len()] }
    }
}

/// Books, pairs, and the opportunities that are open.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    books: Books,
    pairs: Vec<PairSlot>,
    /// Positions of pairs with an open opportunity or waiting for time to pass.
    waiting: Vec<u32>,
    clock_offsets: [Duration; 2],
    exchanges: [Status; 2],
    next_id: u64,
    counters: Counters,
    fills: Fills,
    look_number: u64,
    /// Trades, where trading is on.
    trader: Option<Box<Trader>>,
}

impl Engine {
    /// An engine that knows no market.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            books: Books::default(),
            pairs: Vec::new(),
            waiting: Vec::new(),
            clock_offsets: [Duration::ZERO; 2],
            exchanges: [Status::Open; 2],
            next_id: 1,
            counters: Counters::default(),
            fills: Fills::default(),
            look_number: 0,
            trader: None,
        }
    }

    /// Takes one event.
    pub fn handle(&mut self, event: &Event<'_>, now: Timestamp, effects: &mut Vec<Effect>) {
        match *event {
            Event::Update(update) => self.update(update, now, effects),
            Event::Drained => self.look_at_changed(now, effects),
            Event::Market { index, market } => {
                self.books.learn(index, market, now);
                if let Some(trader) = &mut self.trader {
                    trader.learn(index, market);
                }
            }
            Event::Pairs(watched) => self.set_pairs(watched, now, effects),
            Event::Clock { venue, offset } => self.clock_offsets[venue_at(venue)] = offset,
            Event::Exchange { venue, status } => {
                self.exchanges[venue_at(venue)] = status;
                self.look_at_waiting(now, effects);
            }
            Event::Report(_)
            | Event::Route { .. }
            | Event::Command(_)
            | Event::Accepted(_)
            | Event::Verified(_) => self.trade(event, now, effects),
            Event::Tick => {
                self.trade(event, now, effects);
                self.books.forget_lags(now);
                self.books.read_again(now, |market| effects.push(Effect::Reload { market }));
                self.lose_suspects(now, effects);
                self.look_at_changed(now, effects);
                self.look_at_waiting(now, effects);
            }
        }
    }

    /// Takes one step of a market's life.
    #[inline]
    fn update(&mut self, update: &Update, now: Timestamp, effects: &mut Vec<Effect>) {
        if let Some(trader) = &mut self.trader {
            trader.hear(update, &self.books);
        }
        match self.books.apply(update, now) {
            Aftermath::None => {}
            Aftermath::Broken(market, why) => effects.push(Effect::Resync { market, why }),
            Aftermath::Outdated(market) => effects.push(Effect::Reload { market }),
            Aftermath::LaneLost => self.look_at_waiting(now, effects),
        }
    }

    /// Makes room for a market of which nothing but its name is known.
    pub fn name(&mut self, market: MarketIndex, id: &str) {
        self.books.name(market, id);
    }

    /// All books.
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// What has been seen and decided so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many pairs are watched.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// How many opportunities are open.
    pub fn open(&self) -> usize {
        self.pairs.iter().flat_map(|slot| slot.seats).filter(|seat| seat.open.is_some()).count()
    }

    /// Why the pairs make no edge at present: for each reason, in how many directions.
    pub fn standing_reasons(&self) -> [u32; NoEdge::ALL.len()] {
        let mut reasons = [0; NoEdge::ALL.len()];
        for seat in self.pairs.iter().flat_map(|slot| slot.seats) {
            if let Some(reason) = seat.last {
                reasons[reason.index()] += 1;
            }
        }
        reasons
    }

    fn look_at_changed(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.look_number += 1;
        while let Some(market) = self.books.pop_dirty() {
            let count = self.books.get(market).map_or(0, |slot| slot.pairs.len());
            for at in 0..count {
                if let Some(pair) = self.books.get(market).and_then(|slot| slot.pairs.get(at)) {
                    self.look(*pair, now, effects);
                }
            }
        }
    }

    fn look_at_waiting(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.look_number += 1;
        let mut waiting = std::mem::take(&mut self.waiting);
        for pair in &waiting {
            self.look(*pair, now, effects);
        }
        waiting.retain(|pair| {
            let slot = &mut self.pairs[*pair as usize];
            slot.listed = slot.waiting;
            slot.listed
        });
        waiting.append(&mut self.waiting);
        self.waiting = waiting;
    }

    fn lose_suspects(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.books.lose_suspects(self.settings.batch_open_max, now, |market| {
            effects.push(Effect::Resync { market, why: Loss::Crossed });
        });
    }

    /// Puts a new set of pairs in force. What did not change keeps its open opportunities.
    fn set_pairs(&mut self, watched: &[Watched], now: Timestamp, effects: &mut Vec<Effect>) {
        let mut old: rustc_hash::FxHashMap<_, _> = std::mem::take(&mut self.pairs)
            .into_iter()
            .map(|slot| (slot.watched.pair.id.clone(), slot))
            .collect();
        let mut ended = Vec::new();
        for new in watched {
            match old.remove(&new.pair.id) {
                Some(mut slot) if slot.watched.reads_like(new) => {
                    slot.watched = new.clone();
                    self.pairs.push(slot);
                }
                Some(slot) => {
                    self.forget_pair(&slot.watched);
                    ended.push((slot, "pair_changed"));
                    self.pairs.push(PairSlot::new(new.clone()));
                }
                None => self.pairs.push(PairSlot::new(new.clone())),
            }
        }
        let mut gone: Vec<_> = old.into_values().map(|slot| (slot, "pair_removed")).collect();
        gone.sort_by(|a, b| a.0.watched.pair.id.cmp(&b.0.watched.pair.id));
        for (slot, _) in &gone {
            self.forget_pair(&slot.watched);
        }
        for (mut slot, reason) in ended.into_iter().chain(gone) {
            for direction in 0..2 {
                self.report_closed(slot.close(direction, reason, now), effects);
            }
        }
        self.index_pairs();
        if let Some(trader) = &mut self.trader {
            trader.set_pairs(watched);
        }
        self.look_at_changed(now, effects);
    }

    fn forget_pair(&mut self, watched: &Watched) {
        if let Some(trader) = &mut self.trader {
            trader.forget_pair(&watched.pair.id);
        }
    }

    fn index_pairs(&mut self) {
        self.books.clear_pairs();
        let mut by_market: std::collections::BTreeMap<MarketIndex, Vec<u32>> =
            std::collections::BTreeMap::new();
        self.waiting.clear();
        for (at, slot) in (0u32..).zip(&mut self.pairs) {
            by_market.entry(slot.watched.kalshi).or_default().push(at);
            by_market.entry(slot.watched.polymarket).or_default().push(at);
            slot.listed = slot.waiting;
            if slot.waiting {
                self.waiting.push(at);
            }
        }
        for (market, pairs) in by_market {
            self.books.set_pairs(market, pairs);
        }
    }

    fn report_closed(&mut self, closed: Option<effect::Closed>, effects: &mut Vec<Effect>) {
        if let Some(closed) = closed {
            self.counters.closed += 1;
            effects.push(Effect::Closed(closed));
        }
    }
}

const fn venue_at(venue: Venue) -> usize {
    match venue {
        Venue::Kalshi => 0,
        Venue::Polymarket => 1,
    }
}

#[cfg(test)]
mod tests;
