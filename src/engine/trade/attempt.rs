//! From an edge to a trade, or to the named reason why not.

use std::time::Duration;

use crate::detect::edge::{Edge, Fills};
use crate::domain::report::Purse;
use crate::domain::{Action, FeeModel, MarketIndex, Outcome, Price, Quantity, Timestamp, Venue};
use crate::engine::event::Watched;
use crate::pairing::{PairId, Standing};
use crate::plan::{self, Found, Proposal, Side};
use crate::risk::NoTrade;

use super::{Around, Effect, Trader};

/// Nothing new for so long after an order was kept back: what keeps one back keeps others too, and
/// each attempt fills the journal.
const KEPT_BACK_PAUSE: Duration = Duration::from_millis(500);

/// An edge as it was just found.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Seen<'a> {
    pub(in crate::engine) watched: &'a Watched,
    /// What is bought on Kalshi and on Polymarket.
    pub(in crate::engine) outcomes: [Outcome; 2],
    /// The number of the opportunity.
    pub(in crate::engine) opportunity: u64,
    pub(in crate::engine) edge: &'a Edge,
    pub(in crate::engine) fills: &'a Fills,
}

/// The two ladders of a contract, without what was taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Ladders {
    offers: Vec<(Price, Quantity)>,
    bids: Vec<(Price, Quantity)>,
}

impl Trader {
    /// Begins a trade on an edge, or says why not.
    pub(in crate::engine) fn attempt(
        &mut self,
        seen: &Seen<'_>,
        around: &Around<'_>,
    ) -> Result<(), NoTrade> {
        let proposal = self.propose(seen, around)?;
        self.begin(proposal, around)
    }

    /// Whether an edge would be traded as it is; nothing is begun.
    pub(in crate::engine) fn judge_edge(
        &self,
        seen: &Seen<'_>,
        around: &Around<'_>,
    ) -> Result<(), NoTrade> {
        let proposal = self.propose(seen, around)?;
        self.executor.may_open(&proposal.plan).map_err(refused_by_executor)?;
        self.check_route(&proposal.plan, around.now)?;
        self.risk.check(&proposal, around.now)
    }

    /// Carries out what was begun on an edge, or counts why nothing was.
    pub(in crate::engine) fn conclude_attempt(
        &mut self,
        pair: &PairId,
        begun: Result<(), NoTrade>,
        around: &Around<'_>,
        effects: &mut Vec<Effect>,
    ) {
        match begun {
            Ok(()) => {
                self.last.remove(pair);
                self.carry_out(around, effects);
            }
            Err(no) => {
                self.refusals[no.index()] += 1;
                if self.last.get(pair) != Some(&no) {
                    self.last.insert(pair.clone(), no);
                }
            }
        }
    }

    fn propose(&self, seen: &Seen<'_>, around: &Around<'_>) -> Result<Proposal, NoTrade> {
        let now = around.now;
        self.check(seen, now)?;
        let markets = [seen.watched.kalshi, seen.watched.polymarket];
        let ladders = [0, 1].map(|at| self.ladders(markets[at], seen.outcomes[at], around));
        let side = |at: usize| self.side(markets[at], seen.outcomes[at], &ladders[at], around);
        let found = Found {
            pair: &seen.watched.pair.id,
            legs: seen.watched.pair.limits.legs,
            opportunity: seen.opportunity,
            sides: [side(0)?, side(1)?],
            fills: [&seen.fills.kalshi, &seen.fills.polymarket],
            profit: seen.edge.profit,
        };
        Ok(plan::enter(&found, &self.settings.plan, now)?)
    }

    /// Has a plan approved and hands it over.
    pub(super) fn begin(&mut self, proposal: Proposal, around: &Around<'_>) -> Result<(), NoTrade> {
        self.executor.may_open(&proposal.plan).map_err(refused_by_executor)?;
        self.check_route(&proposal.plan, around.now)?;
        let approved = self.risk.approve(proposal, around.now)?;
        let view = around.view(&self.floor, &self.risk);
        self.executor.open(approved, &view, around.now, &mut self.acts);
        Ok(())
    }

    /// Everything that needs no plan to be refused, cheapest first.
    fn check(&self, seen: &Seen<'_>, now: Timestamp) -> Result<(), NoTrade> {
        let pair = &seen.watched.pair;
        let refused = |holds: bool, no: NoTrade| if holds { Err(no) } else { Ok(()) };
        refused(self.is_draining, NoTrade::Halted)?;
        self.risk.check_gates()?;
        let is_held_up = self.kept_back_at.is_some_and(|at| now < at.after(KEPT_BACK_PAUSE));
        refused(is_held_up, NoTrade::LimitOrderRate)?;
        refused(pair.standing != Standing::Approved, NoTrade::NotApproved)?;
        refused(!self.accepted.contains(&pair.id), NoTrade::NotAcceptedHere)?;
        refused(!self.verified.contains(&pair.id), NoTrade::RulesChanged)?;
        refused(self.risk.is_stopped(&pair.id), NoTrade::Halted)?;
        for venue in Venue::ALL {
            let open = self.floor.takes_orders(venue, now) && self.floor.may_open(venue);
            refused(!open, NoTrade::VenueNotTradable)?;
            refused(self.is_pause_ahead(venue, now), NoTrade::PauseAhead)?;
        }
        let markets = [seen.watched.kalshi, seen.watched.polymarket];
        markets.into_iter().try_for_each(|market| self.floor.may_enter(market))?;
        let busy = markets.into_iter().any(|market| self.risk.is_busy(market));
        refused(busy, NoTrade::MarketBusy)
    }

    /// Whether a venue pauses so soon that nothing is begun there any more.
    pub(super) fn is_pause_ahead(&self, venue: Venue, now: Timestamp) -> bool {
        self.floor.calendar.is_near_pause(venue, now, self.settings.pause_ahead)
    }

    pub(super) fn ladders(
        &self,
        market: MarketIndex,
        outcome: Outcome,
        around: &Around<'_>,
    ) -> Ladders {
        let Some(slot) = around.books.get(market) else { return Ladders::default() };
        let list = |action| {
            let levels = self.floor.taken.levels(market, &slot.book, outcome, action);
            levels.map(|level| (level.price, level.quantity)).collect()
        };
        Ladders { offers: list(Action::Buy), bids: list(Action::Sell) }
    }

    pub(super) fn side<'a>(
        &'a self,
        market: MarketIndex,
        outcome: Outcome,
        ladders: &'a Ladders,
        around: &Around<'_>,
    ) -> Result<Side<'a>, NoTrade> {
        let known = self.floor.markets.get(&market).ok_or(NoTrade::VenueNotTradable)?;
        let facts = around.books.get(market).and_then(|slot| slot.facts.as_ref());
        let fee: Option<FeeModel> = facts.and_then(|facts| facts.fee.at(around.now));
        let purse = match (known.venue, known.shard) {
            (Venue::Polymarket, _) => Purse::Collateral,
            (Venue::Kalshi, Some(shard)) => Purse::Shard(shard),
            (Venue::Kalshi, None) => return Err(NoTrade::PurseUnknown),
        };
        Ok(Side {
            market,
            event: &known.event,
            group: &known.group,
            outcome,
            fee: fee.ok_or(NoTrade::VenueNotTradable)?,
            minimum: known.minimum,
            delay: known.delay,
            purse,
            offers: &ladders.offers,
            bids: &ladders.bids,
        })
    }
}

/// The executor's word for why a trade may not open, as a reason of ours.
fn refused_by_executor(why: &'static str) -> NoTrade {
    match why {
        "killed" => NoTrade::Killed,
        "halted" | "flattening" => NoTrade::Halted,
        "resuming" => NoTrade::Resuming,
        "order_unknown" | "order_adopted" => NoTrade::OrderUnknown,
        "not_held" => NoTrade::NoGain,
        "market_ignored" => NoTrade::MarketIgnored,
        _ => NoTrade::MarketBusy,
    }
}
