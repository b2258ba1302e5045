//! What may be put at risk: the only place that can make an [`Approved`] plan.
//!
//! Invariants: dollar limits are never exceeded by anything that is approved here, whatever the
//! fills turn out to be; what reduces exposure is never refused; nothing is approved before the
//! journal and both venues were brought together. `limits` says what is allowed, `exposure` what is
//! at risk, `room` how much more a trade may put there, `purse` what can be spent, `breaker` what
//! has been stopped.

mod adopted;
mod breaker;
mod exposure;
mod limits;
mod purse;
mod room;

use std::collections::BTreeMap;

use crate::domain::report::{Purse, Refused};
use crate::domain::{MarketIndex, Money, Order, Timestamp, TradeId, Venue};
use crate::pairing::PairId;
use crate::plan::{Kind, Plan, Proposal};

pub use breaker::Stop;
pub use exposure::{Exposure, LegExposure, Phase, Totals};
pub use limits::{Limits, NoTrade};
pub use purse::Reading;
pub use room::Room;

use adopted::Adopted;
use breaker::{Bucket, Halts, Rejections};
use exposure::{Standing, leg_of};
use purse::Purses;

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

    /// Allows what a test needs allowed.
    #[cfg(test)]
    pub(crate) const fn for_test(inner: T, trade: TradeId) -> Self {
        Self { inner, trade }
    }
}

/// Orders that one plan may need at once: both legs and a way out.
const ORDERS_PER_PLAN: u32 = 3;

/// Losses of one UTC day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Day {
    number: i64,
    lost: Money,
}

/// Whether trading may begin at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Gates {
    is_reconciled: bool,
    is_journal_broken: bool,
    is_killed: bool,
}

/// All that is at risk, and what may be added to it.
#[derive(Debug)]
pub struct Risk {
    limits: Limits,
    next_trade: u64,
    trades: BTreeMap<TradeId, Standing>,
    gates: Gates,
    halts: Halts,
    rejections: Rejections,
    bucket: Bucket,
    purses: Purses,
    dust: BTreeMap<MarketIndex, Money>,
    adopted: BTreeMap<MarketIndex, Adopted>,
    day: Day,
}

impl Risk {
    /// Nothing at risk. Trades are numbered from `next_trade` on. Nothing is approved before
    /// [`Risk::reconciled`].
    pub fn new(limits: Limits, next_trade: TradeId) -> Self {
        Self {
            bucket: Bucket::new(limits.orders_per_second),
            limits,
            next_trade: next_trade.0.max(1),
            trades: BTreeMap::new(),
            gates: Gates::default(),
            halts: Halts::default(),
            rejections: Rejections::default(),
            purses: Purses::default(),
            dust: BTreeMap::new(),
            adopted: BTreeMap::new(),
            day: Day::default(),
        }
    }

    /// Whether a plan would be approved now. A plan that closes a position makes what is at risk
    /// smaller: limits, breakers and halts do not speak to it.
    pub fn check(&self, proposal: &Proposal, now: Timestamp) -> Result<(), NoTrade> {
        let plan = &proposal.plan;
        self.check_gates()?;
        if plan.legs.iter().any(|leg| self.is_busy(leg.market)) {
            return Err(NoTrade::MarketBusy);
        }
        if plan.kind == Kind::Enter {
            if self.halts.stop_pair(&plan.pair) {
                return Err(NoTrade::Halted);
            }
            self.check_limits(proposal, now)?;
            self.check_purses(proposal, now)?;
        }
        Ok(())
    }

    /// Looks at a plan and reserves what it may cost, or says why not.
    pub fn approve(
        &mut self,
        proposal: Proposal,
        now: Timestamp,
    ) -> Result<Approved<Plan>, NoTrade> {
        self.check(&proposal, now)?;
        let trade = TradeId(self.next_trade);
        self.next_trade += 1;
        let plan = proposal.plan;
        let mut standing = Standing::new(&plan, Exposure::of_plan(&plan));
        standing.purses = Some(proposal.purses);
        self.trades.insert(trade, standing);
        Ok(Approved { inner: plan, trade })
    }

    /// Whether an order may be sent, and counts it. What reduces exposure always may, unless all
    /// sending has been stopped for good; so may every order of a trade that has sent one, since
    /// without it the first would stand alone.
    pub fn may_send(&mut self, order: &Order, now: Timestamp) -> Result<(), NoTrade> {
        if self.gates.is_killed {
            return Err(NoTrade::Killed);
        }
        let trade = self.trades.get(&order.trade);
        let has_begun = trade.is_some_and(|trade| trade.has_begun);
        if !order.purpose.reduces() && !has_begun {
            if trade.is_none_or(|trade| self.halts.stop_pair(&trade.pair)) {
                return Err(NoTrade::Halted);
            }
            if order.spend_max() > self.limits.order {
                return Err(NoTrade::LimitOrder);
            }
            if !self.bucket.has(1, now) {
                return Err(NoTrade::LimitOrderRate);
            }
        }
        self.bucket.take(now);
        if let Some(trade) = self.trades.get_mut(&order.trade) {
            trade.has_begun = true;
        }
        Ok(())
    }

    /// Numbers new trades from here on, unless a higher number was seen.
    pub fn number_from(&mut self, trade: TradeId) {
        self.next_trade = self.next_trade.max(trade.0);
    }

    /// Sets what a trade has at risk, as its executor worked it out. A trade that is not known
    /// (after a restart, or adopted) is from here on.
    pub fn set_exposure(
        &mut self,
        trade: TradeId,
        plan: &Plan,
        exposure: Exposure,
        now: Timestamp,
    ) {
        self.number_from(TradeId(trade.0 + 1));
        let known = self.trades.entry(trade).or_insert_with(|| Standing::new(plan, exposure));
        let before = known.exposure.legs;
        let is_less = |at: usize| exposure.legs[at].unconfirmed < before[at].unconfirmed;
        if is_less(0) || is_less(1) {
            known.paid_at = now;
        }
        known.exposure = exposure;
        // Late evidence can bring back what was over.
        if known.is_over() && known.dollars().is_positive() {
            known.phase = Phase::Live;
        }
    }

    /// Both legs of a trade are held in full: it keeps counting until both venues have paid, but
    /// its markets are free for another plan.
    pub fn lock(&mut self, trade: TradeId, now: Timestamp) {
        if let Some(known) = self.trades.get_mut(&trade)
            && known.is_live()
        {
            known.phase = Phase::Locked { since: now };
        }
    }

    /// A locked trade has orders under way again, or something of it stands alone again.
    pub fn unlock(&mut self, trade: TradeId) {
        if let Some(known) = self.trades.get_mut(&trade)
            && matches!(known.phase, Phase::Locked { .. })
        {
            known.phase = Phase::Live;
        }
    }

    /// A trade is over.
    pub fn end_trade(&mut self, trade: TradeId, now: Timestamp) {
        if let Some(known) = self.trades.get_mut(&trade)
            && !known.is_over()
        {
            known.phase = Phase::Ended { since: now };
        }
        self.forget_ended();
    }

    /// Sets what has been earned for good on the UTC day of `at`, less than nothing for a loss, as
    /// the books have it.
    pub fn set_realised(&mut self, realised: Money, at: Timestamp) {
        self.day = Day { number: day_of(at), lost: (-realised).max(Money::ZERO) };
    }

    /// Sets what lies in a market below what its venue takes, at the most that it can have cost.
    pub fn set_dust(&mut self, market: MarketIndex, dust: Money) {
        self.dust.insert(market, dust);
    }

    /// Takes a reading of what a purse holds.
    pub fn set_purse(&mut self, purse: Purse, reading: Reading) {
        self.purses.set(purse, reading);
        self.forget_ended();
    }

    /// The journal and both venues agree: trading may begin.
    pub fn reconciled(&mut self) {
        self.gates.is_reconciled = true;
    }

    /// The journal and a venue do not agree any more: nothing new until they do.
    pub fn unreconciled(&mut self) {
        self.gates.is_reconciled = false;
    }

    /// The journal cannot be written, or can again.
    pub fn set_journal(&mut self, journal: Journal) {
        self.gates.is_journal_broken = journal == Journal::Broken;
    }

    /// Nothing is sent from here on, not even what reduces.
    pub fn kill(&mut self) {
        self.gates.is_killed = true;
    }

    /// Stops new trades.
    pub fn halt(&mut self, stop: Stop) {
        self.halts.add(stop);
    }

    /// Lifts the halt of exactly this scope, and begins to count refusals anew.
    pub fn resume(&mut self, scope: &Scope) {
        self.halts.lift(scope);
        self.rejections = Rejections::default();
    }

    /// Whether a trade of this pair would be stopped.
    pub fn is_stopped(&self, pair: &PairId) -> bool {
        self.halts.stop_pair(pair)
    }

    /// Whether exactly this scope is halted.
    pub fn is_halted(&self, scope: &Scope) -> bool {
        self.halts.has(scope)
    }

    /// All halts in force.
    pub fn halts(&self) -> &[Stop] {
        self.halts.stops()
    }

    /// A venue took an order of this pair.
    pub fn note_taken(&mut self, pair: &PairId, venue: Venue) {
        self.rejections.forget(pair, venue);
    }

    /// A venue refused an order of this pair; a stop if that is too much.
    pub fn note_refused(&mut self, pair: &PairId, venue: Venue, kind: Refused) -> Option<Stop> {
        self.rejections
            .note(pair, venue, kind, self.limits.rejections)
            .filter(|stop| !self.halts.has(&stop.scope))
    }

    /// A venue charged a fee; a stop if it is more than was estimated and tolerated.
    pub fn note_fee(&self, pair: &PairId, estimate: Money, charged: Money) -> Option<Stop> {
        let scope = Scope::Pair(pair.clone());
        if charged <= estimate + self.limits.fee_tolerance || self.halts.has(&scope) {
            return None;
        }
        let why = format!("a fee of {charged} was charged where at most {estimate} was expected");
        Some(Stop { scope, why })
    }

    /// Stops for what has stood alone for too long.
    pub fn overdue(&self, now: Timestamp) -> Vec<Stop> {
        let is_overdue = |trade: &&Standing| {
            !trade.is_over()
                && trade
                    .exposure
                    .stranded_since
                    .is_some_and(|since| now.since(since) > self.limits.stranded_max)
        };
        let mut stops: Vec<Stop> = Vec::new();
        for trade in self.trades.values().filter(is_overdue) {
            let scope = Scope::Pair(trade.pair.clone());
            if !self.halts.has(&scope) && stops.iter().all(|stop| stop.scope != scope) {
                let why = format!("{} dollars stand alone too long", trade.exposure.stranded);
                stops.push(Stop { scope, why });
            }
        }
        stops
    }

    /// Whether a plan is under way on a market.
    pub fn is_busy(&self, market: MarketIndex) -> bool {
        self.trades.values().any(|trade| trade.is_live() && trade.markets.contains(&market))
    }

    /// The pair of a trade.
    pub fn pair_of(&self, trade: TradeId) -> Option<&PairId> {
        self.trades.get(&trade).map(|known| &known.pair)
    }

    /// What is at risk in all.
    pub fn totals(&self) -> Totals {
        self.sums(self.trades.values(), None)
    }

    /// What has been lost for good on the UTC day of `now`.
    pub fn lost_on(&self, now: Timestamp) -> Money {
        if self.day.number == day_of(now) { self.day.lost } else { Money::ZERO }
    }

    /// All readings of purses.
    pub fn purses(&self) -> impl Iterator<Item = (Purse, Reading)> + '_ {
        self.purses.all()
    }

    /// The limits in force.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether anything new may be begun at all.
    pub fn check_gates(&self) -> Result<(), NoTrade> {
        if self.gates.is_killed {
            Err(NoTrade::Killed)
        } else if !self.gates.is_reconciled {
            Err(NoTrade::NotReconciled)
        } else if self.gates.is_journal_broken {
            Err(NoTrade::JournalBroken)
        } else {
            Ok(())
        }
    }

    fn check_limits(&self, proposal: &Proposal, now: Timestamp) -> Result<(), NoTrade> {
        let (plan, limits) = (&proposal.plan, &self.limits);
        let new = Standing::new(plan, Exposure::of_plan(plan));
        let sums = self.sums(self.trades.values(), Some(&new));
        let within = |so_far: Money, more: Money, most: Money, no: NoTrade| {
            if so_far.saturating_add(more) > most { Err(no) } else { Ok(()) }
        };
        if sums.live >= limits.open_trades {
            return Err(NoTrade::LimitOpenTrades);
        }
        if !self.bucket.has(ORDERS_PER_PLAN, now) {
            return Err(NoTrade::LimitOrderRate);
        }
        for at in 0..2 {
            let leg = new.exposure.legs[at].dollars;
            let held = new.dollars_at(at);
            within(Money::ZERO, leg, limits.order, NoTrade::LimitOrder)?;
            within(sums.markets[at], held, limits.market, NoTrade::LimitMarket)?;
            within(sums.events[at], new.dollars(), limits.event, NoTrade::LimitEvent)?;
            within(sums.venues[at], held, limits.venues[at], NoTrade::LimitVenue)?;
        }
        within(sums.pair, new.dollars(), limits.pair, NoTrade::LimitPair)?;
        within(sums.total, new.dollars(), limits.total, NoTrade::LimitTotal)?;
        let unconfirmed = new.unconfirmed_at_worst();
        within(sums.unconfirmed, unconfirmed, limits.unconfirmed, NoTrade::LimitUnconfirmed)?;
        let alone = new.alone_at_worst();
        within(sums.stranded, alone, limits.stranded, NoTrade::LimitStranded)?;
        let lost = self.lost_on(now).saturating_add(sums.loss);
        within(lost, new.loss_at_worst(), limits.loss_per_day, NoTrade::LimitLoss)?;
        for leg in &plan.legs {
            let dust = self.dust.get(&leg.market).copied().unwrap_or_default();
            within(dust, proposal.dust_max, limits.dust_market, NoTrade::LimitDust)?;
        }
        let dust = self.dust.values().fold(Money::ZERO, |sum, dust| sum.saturating_add(*dust));
        within(dust, proposal.dust_max, limits.dust_total, NoTrade::LimitDust)
    }

    fn check_purses(&self, proposal: &Proposal, now: Timestamp) -> Result<(), NoTrade> {
        let limits = &self.limits;
        let new = Standing::new(&proposal.plan, Exposure::of_plan(&proposal.plan));
        for venue in Venue::ALL {
            let at = leg_of(venue);
            let purse = proposal.purses[at];
            let reading = self.purses.get(purse).ok_or(NoTrade::PurseUnknown)?;
            if now.since(reading.as_of) > limits.purse_age_max {
                return Err(NoTrade::PurseUnknown);
            }
            let reserved = self.trades.values().fold(Money::ZERO, |sum, trade| {
                sum + purse::not_shown(trade, at, purse, reading.as_of, limits.purse_lag)
            });
            let needed = reserved + new.dollars_at(at) + limits.purse_margin;
            if needed > reading.cash {
                return Err(NoTrade::PurseShort);
            }
        }
        Ok(())
    }

    /// Drops trades that are over once every purse was read late enough to show what is left.
    fn forget_ended(&mut self) {
        let lag = self.limits.purse_lag;
        let Some(oldest) = self.purses.all().map(|(_, reading)| reading.as_of).min() else {
            return;
        };
        self.trades.retain(|_, trade| match trade.phase {
            Phase::Ended { since } => since.after(lag) >= oldest,
            Phase::Live | Phase::Locked { .. } => true,
        });
    }
}

/// Whether the journal can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// It can.
    Whole,
    /// It cannot.
    Broken,
}

const fn day_of(at: Timestamp) -> i64 {
    const SECONDS: i64 = 86_400;
    at.secs().div_euclid(SECONDS)
}

#[cfg(test)]
mod tests;
