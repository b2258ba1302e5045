//! From edges to orders: what stands between detection and the executor.
//!
//! A [`Trader`] exists only where trading is on; without one, an engine costs what it costs to
//! watch. It asks for a plan of each edge that may be traded, has it approved, hands it to the
//! executor and carries the executor's acts out as effects. Every refusal has a name and is
//! counted.
//!
//! Invariants: what the executor recorded is told to `risk` before the next decision; no act to
//! place an order leaves without `risk` having counted it; halts reach `risk` only as records, so
//! that a replay knows them too.

mod account;
mod answer;
mod attempt;
pub mod calendar;
mod early;
mod floor;
mod route;
pub mod ruling;
mod seam;
mod settle;
mod taken;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::detect::gate;
use crate::domain::market::Status;
use crate::domain::{IntentId, Market, MarketIndex, Timestamp, TradeId, Venue};
use crate::execute::reconcile::Reconciler;
use crate::execute::{self, Act, Executor, Trade};
use crate::pairing::{Legs, PairId};
use crate::risk::{Limits, NoTrade, Risk};

use super::books::Books;
use super::effect::Effect;
use super::event::Watched;
use floor::{Floor, View};
use route::Pulse;

/// How trading goes, beyond when an edge is one.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How plans are made.
    pub plan: crate::plan::Settings,
    /// What may be put at risk.
    pub limits: Limits,
    /// How patient the executor is.
    pub execute: execute::Settings,
    /// No new pair this long before a known pause; ten minutes are sensible.
    pub pause_ahead: Duration,
    /// Whether Kalshi pauses every Thursday, as the real one does.
    pub weekly_pause: bool,
    /// How long a venue is held not to take orders after it said so, at least; two seconds are
    /// sensible.
    pub not_tradable_min: Duration,
    /// The oldest answer of Polymarket's order routes on which a Kalshi leg is sent that does not
    /// wait for Polymarket's; five seconds are sensible.
    pub polymarket_answer: Duration,
}

/// What the engine may look at while it trades.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) books: &'a Books,
    pub(super) gate: &'a gate::Settings,
    pub(super) exchanges: [Status; 2],
    pub(super) now: Timestamp,
}

impl<'a> Around<'a> {
    fn view(&self, floor: &'a Floor, risk: &'a Risk) -> View<'a> {
        let Self { books, gate, exchanges, now } = *self;
        View { floor, risk, books, gate, exchanges, now }
    }
}

/// What an answer to an order concerns, and when the order was decided.
#[derive(Debug)]
struct Sent {
    pair: PairId,
    venue: Venue,
    market: MarketIndex,
    decided: Timestamp,
}

/// Plans, limits, trades and orders of one account at each venue.
#[derive(Debug)]
pub struct Trader {
    settings: Settings,
    executor: Executor,
    risk: Risk,
    floor: Floor,
    /// Pairs that were accepted on this machine as they stand.
    accepted: BTreeSet<PairId>,
    /// Pairs whose rules were found to be the ones that were reviewed.
    verified: BTreeSet<PairId>,
    /// The markets of the pairs in force.
    pairs: BTreeMap<PairId, [MarketIndex; 2]>,
    /// The order of legs of those that have one of their own.
    legs: BTreeMap<PairId, Legs>,
    /// How Polymarket's order routes answer.
    pulse: Pulse,
    orders: BTreeMap<IntentId, Sent>,
    refusals: [u64; NoTrade::ALL.len()],
    /// Why the last edge of a pair was not traded.
    last: BTreeMap<PairId, NoTrade>,
    /// Compares readings of the account with the books, where that decides.
    reconciler: Option<Reconciler>,
    differences: Vec<String>,
    /// When an order was last kept back on this machine.
    kept_back_at: Option<Timestamp>,
    /// Whether the process is about to end.
    is_draining: bool,
    acts: Vec<Act>,
}

impl Trader {
    /// The most orders whose pair is remembered for breakers; older ones have long been final.
    const ORDERS_MAX: usize = 4_096;

    /// A trader without history, which trades nothing before it was told that the journal and both
    /// venues agree.
    pub fn new(settings: Settings) -> Self {
        Self {
            executor: Executor::new(settings.execute.clone()),
            risk: Risk::new(settings.limits.clone(), TradeId(1)),
            floor: Floor::paused(settings.weekly_pause),
            settings,
            accepted: BTreeSet::new(),
            verified: BTreeSet::new(),
            pairs: BTreeMap::new(),
            legs: BTreeMap::new(),
            pulse: Pulse::default(),
            orders: BTreeMap::new(),
            refusals: [0; NoTrade::ALL.len()],
            last: BTreeMap::new(),
            reconciler: None,
            differences: Vec::new(),
            kept_back_at: None,
            is_draining: false,
            acts: Vec::new(),
        }
    }

    /// What is at risk, and what stops it.
    pub const fn risk(&self) -> &Risk {
        &self.risk
    }

    /// Trades and orders.
    pub const fn executor(&self) -> &Executor {
        &self.executor
    }

    /// Whether a venue said that the account may open positions there.
    pub fn may_open(&self, venue: Venue) -> bool {
        self.floor.may_open(venue)
    }

    /// Whether the process is about to end.
    pub const fn is_draining(&self) -> bool {
        self.is_draining
    }

    /// Whether nothing is under way: every order is final, and every trade is locked, over, or held
    /// because no way out fits.
    pub fn is_at_rest(&self) -> bool {
        let state = self.executor.state();
        state.pending().next().is_none() && state.restless().all(Trade::rests)
    }

    /// How often edges were not traded, by [`NoTrade::index`].
    pub const fn refusals(&self) -> &[u64; NoTrade::ALL.len()] {
        &self.refusals
    }

    /// Why the last edge of a pair was not traded; `None` when it was, or there was none.
    pub fn last_refusal(&self, pair: &PairId) -> Option<NoTrade> {
        self.last.get(pair).copied()
    }

    pub(super) fn learn(&mut self, index: MarketIndex, market: &Market) {
        self.floor.markets.insert(index, market.clone());
    }

    pub(super) fn accept(&mut self, pairs: &[PairId]) {
        self.accepted = pairs.iter().cloned().collect();
    }

    pub(super) fn verify(&mut self, pairs: &[PairId]) {
        self.verified = pairs.iter().cloned().collect();
    }

    /// Takes the set of pairs in force.
    pub(super) fn set_pairs(&mut self, watched: &[Watched]) {
        self.pairs = watched
            .iter()
            .map(|watched| (watched.pair.id.clone(), [watched.kalshi, watched.polymarket]))
            .collect();
        self.legs = watched
            .iter()
            .filter_map(|watched| Some((watched.pair.id.clone(), watched.pair.limits.legs?)))
            .collect();
    }

    /// A pair is not what it was: what was accepted and verified was another one.
    pub(super) fn forget_pair(&mut self, pair: &PairId) {
        self.accepted.remove(pair);
        self.verified.remove(pair);
        self.last.remove(pair);
    }
}

#[cfg(test)]
mod tests;
