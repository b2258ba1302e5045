//! What trades have at risk, and sums over them.
//!
//! Exposures are set, never incremented: the executor works them out from the whole state of a
//! trade after every record, so nothing can be reserved or released by a wrong amount. A sum is
//! taken over all trades when it is needed, so it cannot drift from its parts.

use crate::domain::market::shares_event;
use crate::domain::report::Purse;
use crate::domain::{MarketIndex, Money, Timestamp, Venue};
use crate::pairing::PairId;
use crate::plan::Plan;

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

/// How far a trade has come, as far as limits care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Orders are under way or may still be sent.
    Live,
    /// Both legs are held in full and wait for settlement.
    Locked {
        /// Since when.
        since: Timestamp,
    },
    /// Over. Kept until the purses have been read later than this.
    Ended {
        /// Since when.
        since: Timestamp,
    },
}

/// One trade as `risk` knows it.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) pair: PairId,
    pub(super) markets: [MarketIndex; 2],
    /// The two names of each event.
    pub(super) events: [(String, String); 2],
    /// Where the money of each leg lies; `None` for a trade of an earlier run, which then counts
    /// against every purse of its venues.
    pub(super) purses: Option<[Purse; 2]>,
    /// What the plan may lose.
    pub(super) loss_max: Money,
    pub(super) exposure: Exposure,
    pub(super) phase: Phase,
    /// Whether an order of it has been sent in this run.
    pub(super) has_begun: bool,
    /// When something of it was last confirmed: only then its money leaves the purse.
    pub(super) paid_at: Timestamp,
}

impl Standing {
    pub(super) fn new(plan: &Plan, exposure: Exposure) -> Self {
        let [kalshi, polymarket] = &plan.legs;
        Self {
            pair: plan.pair.clone(),
            markets: [kalshi.market, polymarket.market],
            events: plan.legs.each_ref().map(|leg| (leg.event.clone(), leg.group.clone())),
            purses: None,
            loss_max: plan.loss_max,
            exposure,
            phase: Phase::Live,
            has_begun: false,
            paid_at: Timestamp::ZERO,
        }
    }

    pub(super) fn event_names(&self, at: usize) -> (&str, &str) {
        let (event, group) = &self.events[at];
        (event, group)
    }

    pub(super) fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended { .. })
    }

    /// Both legs and what is held back.
    pub(super) fn dollars(&self) -> Money {
        let [kalshi, polymarket] = self.exposure.legs;
        kalshi.dollars + polymarket.dollars + self.exposure.reserve
    }

    /// One leg and what is held back: finishing and unwinding may need it at either venue.
    pub(super) fn dollars_at(&self, leg: usize) -> Money {
        self.exposure.legs[leg].dollars + self.exposure.reserve
    }

    /// The most that may be lost, or already stands to be.
    pub(super) fn loss_at_worst(&self) -> Money {
        let known = self.exposure.stranded_loss_max;
        if self.is_live() { known.max(self.loss_max) } else { known }
    }

    /// The most that may stand alone at once: a leg, finished from what is held back, whose other
    /// leg fails afterwards.
    pub(super) fn alone_at_worst(&self) -> Money {
        let known = self.exposure.stranded;
        let [kalshi, polymarket] = self.exposure.legs;
        let leg = kalshi.dollars.max(polymarket.dollars) + self.exposure.reserve;
        if self.is_live() { known.max(leg) } else { known }
    }

    /// The most that may be matched and not yet confirmed, what is held back included: it may go
    /// into the same market.
    pub(super) fn unconfirmed_at_worst(&self) -> Money {
        let [kalshi, polymarket] = self.exposure.legs;
        let known = kalshi.unconfirmed + polymarket.unconfirmed;
        let leg = polymarket.dollars + self.exposure.reserve;
        if self.is_live() { known.max(leg) } else { known }
    }
}

/// What is at risk in all, as far as limits are set on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Everything.
    pub total: Money,
    /// At Kalshi, then at Polymarket.
    pub venues: [Money; 2],
    /// What touches the same pair.
    pub pair: Money,
    /// What touches each of the two markets.
    pub markets: [Money; 2],
    /// What touches each of the two events.
    pub events: [Money; 2],
    /// Matched, or about to be, and not confirmed.
    pub unconfirmed: Money,
    /// Standing alone, or about to.
    pub stranded: Money,
    /// What stands to be lost.
    pub loss: Money,
    /// Trades that are not locked.
    pub live: usize,
}

/// Adds up trades, and what of them touches what `own` touches.
pub(super) fn totals<'a>(
    trades: impl Iterator<Item = &'a Standing>,
    own: Option<&Standing>,
) -> Totals {
    let mut sums = Totals::default();
    let counted: Vec<&Standing> = trades.filter(|trade| !trade.is_over()).collect();
    for trade in &counted {
        sums.total += trade.dollars();
        sums.unconfirmed += trade.unconfirmed_at_worst();
        sums.stranded += trade.alone_at_worst();
        sums.loss += trade.loss_at_worst();
        sums.live += usize::from(trade.is_live());
        if own.is_some_and(|own| own.pair == trade.pair) {
            sums.pair += trade.dollars();
        }
        for at in 0..2 {
            sums.venues[at] += trade.dollars_at(at);
            let Some(own) = own else { continue };
            if own.markets[at] == trade.markets[at] {
                sums.markets[at] += trade.dollars_at(at);
            }
        }
    }
    if let Some(own) = own {
        sums.events = [0, 1].map(|at| of_event(&counted, own, at));
    }
    sums
}

/// All trades of the event of a leg. An event has two names, and two markets that share one are of
/// the same event: so are those that share the other one with either.
fn of_event(trades: &[&Standing], leg: &Standing, at: usize) -> Money {
    let mut sum = Money::ZERO;
    let mut names = vec![leg.event_names(at)];
    let mut others = trades.to_vec();
    let mut next = 0;
    while let Some(name) = names.get(next).copied() {
        others.retain(|trade| {
            let own = trade.event_names(at);
            let is_of_it = shares_event(name, own) || leg.markets[at] == trade.markets[at];
            if is_of_it {
                sum += trade.dollars();
                if !names.contains(&own) {
                    names.push(own);
                }
            }
            !is_of_it
        });
        next += 1;
    }
    sum
}

/// A venue's place in lists that have Kalshi first.
pub(super) const fn leg_of(venue: Venue) -> usize {
    match venue {
        Venue::Kalshi => 0,
        Venue::Polymarket => 1,
    }
}
