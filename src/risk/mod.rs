//! What may be put at risk: the only place that can make an [`Approved`] plan.

use crate::domain::{Money, Timestamp, TradeId, Venue};
use crate::pairing::PairId;
use crate::plan::Plan;

/// How wide a stop reaches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One pair.
    Pair(PairId),
    /// One venue.
    Venue(Venue),
    /// Everything.
    All,
}

/// Something that `risk` has looked at and allowed. Nothing else can make one.
#[derive(Debug)]
pub struct Approved<T> {
    inner: T,
    trade: TradeId,
}

impl<T> Approved<T> {
    /// What was allowed.
    pub const fn get(&self) -> &T {
        &self.inner
    }

    /// The number of the trade that it becomes.
    pub const fn trade(&self) -> TradeId {
        self.trade
    }

    /// Gives up the proof.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

/// What a trade has at risk at one venue, at its worst: recomputed from the trade's state after
/// every change, so that nothing can be reserved or released by a wrong amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LegExposure {
    /// What was paid for what is held, plus the most that orders which are under way or still
    /// allowed can spend; fees included.
    pub dollars: Money,
    /// The part of it that is matched and not yet confirmed.
    pub unconfirmed: Money,
}

/// What a trade has at risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exposure {
    /// At Kalshi, then at Polymarket.
    pub legs: [LegExposure; 2],
    /// What is held back for finishing or unwinding.
    pub reserve: Money,
    /// What one leg has more than the other, at its cost.
    pub stranded: Money,
    /// The most that stranded contracts can still lose.
    pub stranded_loss_max: Money,
    /// Since when something is stranded.
    pub stranded_since: Option<Timestamp>,
}

impl Exposure {
    /// What a plan puts at risk before anything is sent.
    pub fn of_plan(plan: &Plan) -> Self {
        let leg = |at: usize| LegExposure {
            dollars: plan.legs[at].cost_max + plan.legs[at].fee_max,
            unconfirmed: Money::ZERO,
        };
        Self { legs: [leg(0), leg(1)], reserve: plan.reserve, ..Self::default() }
    }
}
