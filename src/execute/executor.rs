//! What the engine drives: plans, reports and time in, acts out.

use std::collections::BTreeSet;

use crate::domain::report::Permission;
use crate::domain::{
    Evidence, IntentId, Lifetime, MarketIndex, Order, OrderId, Purpose, Quantity, Report,
    Timestamp, TradeId, Venue,
};
use crate::plan::{Kind, Plan};
use crate::risk::{Approved, Exposure};

use super::agenda::Agenda;
use super::decide::{Step, View};
use super::ledger::Payout;
use super::order_state::Phase as OrderPhase;
use super::trade_state::{Event, Phase, Way, next};
use super::unwind::Draft;
use super::{Act, Record, Scope, Settings, Sight, State, Tracked, incident};

/// What the executor is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The journal was read; no new trade until every order up to this one is known and no leg of
    /// a trade up to this one is on its way out.
    Resuming(IntentId, TradeId),
    /// Trades.
    Trading,
    /// Sends nothing more.
    Killed,
}

/// Trades, orders and the ledger.
#[derive(Debug)]
pub struct Executor {
    pub(super) settings: Settings,
    pub(super) state: State,
    pub(super) mode: Mode,
    pub(super) agenda: Agenda,
    /// When the journal was read.
    pub(super) resumed_at: Timestamp,
    /// Markets in which nothing is done about a leg that stands alone before a reading has shown
    /// that it is still there.
    pub(super) unseen: BTreeSet<MarketIndex>,
    changed: Vec<TradeId>,
    /// Whether an order that was decided on since the last [`Executor::take_changed`] needs more
    /// than its plan was approved with.
    has_borrowed: bool,
}

impl Executor {
    /// How many steps a trade may take at once; more would be a decision that repeats itself.
    const STEPS_MAX: usize = 8;

    /// An executor without history.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            state: State::default(),
            mode: Mode::Trading,
            agenda: Agenda::default(),
            resumed_at: Timestamp::ZERO,
            unseen: BTreeSet::new(),
            changed: Vec::new(),
            has_borrowed: false,
        }
    }

    /// Numbers what is new from here on, unless higher numbers were seen: records that a power cut
    /// took from the journal may have used those before.
    pub fn number_from(&mut self, intent: IntentId, trade: TradeId) {
        self.state.number_from(intent, trade);
    }

    /// Takes one record in: live, and when the journal is read.
    pub fn apply(&mut self, record: &Record) {
        let after = self.state.apply(record);
        self.changed.extend(after.trades);
    }

    /// Books what the reconciliation found, or what a person accepted.
    pub fn enter(&mut self, record: Record, acts: &mut Vec<Act>) {
        debug_assert!(matches!(
            record,
            Record::Booked { .. }
                | Record::Adopted { .. }
                | Record::Reported { report: Report::Merged { .. }, .. }
        ));
        self.say(record, acts);
    }

    /// Whether a plan may become a trade now, as far as the executor can tell; else why not. Asked
    /// before `risk` approves.
    pub fn may_open(&self, plan: &Plan) -> Result<(), &'static str> {
        match self.mode {
            Mode::Trading => {}
            Mode::Resuming(..) => return Err("resuming"),
            Mode::Killed => return Err("killed"),
        }
        if self.state.flattening.is_some() {
            return Err("flattening");
        }
        if self.is_halted(plan) {
            return Err("halted");
        }
        if self.state.adopted().next().is_some() {
            return Err("order_adopted");
        }
        if plan.legs.iter().any(|leg| self.state.ignores(leg.market)) {
            return Err("market_ignored");
        }
        let shares_market =
            |market| plan.legs.iter().any(|leg: &crate::plan::Leg| leg.market == market);
        let is_busy = |trade: &super::trade::Trade| {
            trade.plan.legs.iter().any(|leg| shares_market(leg.market)) && !trade.is_quiet()
        };
        if self.state.restless().any(is_busy) {
            return Err("trade_open");
        }
        if self.state.pending().any(|o| shares_market(o.order().market) && !o.is_known()) {
            return Err("order_unknown");
        }
        if plan.kind == Kind::Enter && self.holds_other_outcome(plan) {
            return Err("other_outcome_held");
        }
        if plan.kind == Kind::Exit {
            let held = self.state.locked(&plan.pair).map(|locked| locked.sellable);
            let held = held.fold(Quantity::ZERO, Quantity::saturating_add);
            if held < plan.quantity {
                return Err("not_held");
            }
        }
        Ok(())
    }

    /// Whether a stop covers a plan. One that closes a position makes what is at risk smaller: only
    /// a venue that is stopped itself is in its way, since a leg could not be sold there.
    fn is_halted(&self, plan: &Plan) -> bool {
        self.state.halts().iter().any(|(scope, _)| match scope {
            Scope::Pair(pair) => plan.kind == Kind::Enter && *pair == plan.pair,
            Scope::All => plan.kind == Kind::Enter,
            Scope::Venue(_) => true,
        })
    }

    /// Whether an entry would buy against what is held: Kalshi would net it away, and neither
    /// trade could sell its leg any more. What is held is closed by an exit. Dust is in no one's
    /// way: what no order takes on Kalshi, less than a contract where both outcomes are kept.
    fn holds_other_outcome(&self, plan: &Plan) -> bool {
        plan.legs.iter().any(|leg| {
            let least = match leg.venue {
                Venue::Kalshi => Quantity::from_units(Quantity::LOT).unwrap_or_default(),
                Venue::Polymarket => Quantity::contracts(1),
            };
            self.state.ledger().held(leg.market, leg.outcome.other()) >= least
        })
    }

    /// Begins a trade.
    pub fn open(
        &mut self,
        plan: Approved<Plan>,
        sight: &dyn Sight,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        let (trade, plan) = (plan.trade(), Box::new(plan.into_inner()));
        self.say(Record::Opened { trade, plan, at: now }, acts);
        self.advance(trade, sight, now, acts);
    }

    /// Takes in what a venue said. What says nothing new is not written down.
    pub fn report(
        &mut self,
        report: &Report,
        sight: &dyn Sight,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        match report {
            _ if !self.is_news(report) => {}
            Report::Lost { order, id } => self.take_in(order, id, now, acts),
            _ => self.heed(report, now, acts),
        }
        for trade in self.touched_by(report) {
            self.advance(trade, sight, now, acts);
        }
        self.end_resuming(sight, now);
    }

    /// Whether a report changes anything.
    fn is_news(&self, report: &Report) -> bool {
        match report {
            Report::Order { intent, evidence } => {
                let Some(known) = self.state.order(*intent) else { return true };
                let mut told = known.clone();
                !told.take(evidence).is_empty() || told != *known
            }
            Report::Lost { order, .. } => self.state.order(order.intent).is_none(),
            Report::Foreign { venue, id, is_ours, .. } => {
                let is_it = |(at, known, _): (Venue, &OrderId, _)| (at, known) == (*venue, id);
                *is_ours && !self.state.adopted().any(is_it)
            }
            Report::Settled { market: Some(market), yes_pays, paid, at, .. } => {
                let payout = Payout { yes_pays: *yes_pays, paid: *paid };
                self.state.ledger().is_new_payment(*market, payout, *at)
            }
            Report::Permission { venue, permission } => {
                self.agenda.is_read_only(*venue) == permission.is_open()
            }
            Report::Moved { venue, movement } => {
                self.state.ledger().is_new_movement(*venue, movement)
            }
            Report::Cash { venue, purses, .. } => self.state.purses(*venue) != purses,
            Report::Merged { .. } | Report::NotConverted { .. } => true,
            Report::Settled { market: None, .. } | Report::Positions { .. } => false,
        }
    }

    /// Writes a report down, and says and does what follows at once.
    pub(super) fn heed(&mut self, report: &Report, now: Timestamp, acts: &mut Vec<Act>) {
        self.say(Record::Reported { report: report.clone(), at: now }, acts);
        match report {
            Report::Order { intent, evidence } => self.heed_order(*intent, evidence, now, acts),
            Report::Foreign { venue, .. } => {
                let why = "an order that the journal does not hold";
                self.stop(Scope::Venue(*venue), why, now, acts);
            }
            Report::Settled { venue, market: Some(market), .. } => {
                self.check_payout(*venue, *market, now, acts);
            }
            Report::NotConverted { market, text } if self.agenda.cannot_convert(*market) => {
                self.tell(incident::NOT_CONVERTED, text.clone(), None, now, acts);
            }
            // Nothing new is opened there while it lasts; a pause of the venue ends by itself, and
            // so does what it forbids.
            Report::Permission { venue, permission } => {
                self.agenda.set_read_only(*venue, !permission.is_open());
                if let Permission::ReadOnly(why) = permission {
                    self.tell(incident::READ_ONLY, format!("{venue}: {why}"), None, now, acts);
                }
            }
            _ => {}
        }
    }

    fn heed_order(
        &mut self,
        intent: IntentId,
        evidence: &Evidence,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        let Some(tracked) = self.state.order(intent) else { return };
        let (venue, trade) = (tracked.order().venue, tracked.order().trade);
        let is_resting = tracked.phase() == OrderPhase::Resting;
        if tracked.lacks_fills() {
            self.agenda.hurry(intent, self.settings.inquire_pause, now);
        } else if tracked.is_final() {
            self.agenda.forget(intent);
        } else if matches!(evidence, Evidence::Unclear(_) | Evidence::NotCancelled(_)) {
            if self.mode != Mode::Killed {
                self.agenda.hurry(intent, self.settings.inquire_pause, now);
                acts.push(Act::Inquire(intent));
            }
        } else if !matches!(evidence, Evidence::NotFound { .. }) {
            self.agenda.hurry(intent, self.settings.inquire_pause, now);
        }
        // None of our orders is meant to rest.
        if is_resting && self.mode != Mode::Killed {
            acts.push(Act::Cancel(intent));
        }
        if let Evidence::Refused(refusal) = evidence
            && refusal.kind.halts()
        {
            let why = format!("{}: {}", refusal.kind.name(), refusal.text);
            if self.stop(Scope::Venue(venue), &why, now, acts) {
                self.tell(
                    incident::VENUE_REFUSED,
                    format!("{venue} {why}"),
                    Some(trade),
                    now,
                    acts,
                );
            }
        }
    }

    fn touched_by(&self, report: &Report) -> Vec<TradeId> {
        match report {
            Report::Order { intent, .. } => match self.state.order(*intent).map(Tracked::order) {
                Some(order) if order.purpose == Purpose::Adopted => {
                    self.state.in_market(order.market).map(|trade| trade.id).collect()
                }
                order => order.map(|order| order.trade).into_iter().collect(),
            },
            Report::Settled { market: Some(market), .. } | Report::Merged { market, .. } => {
                self.state.in_market(*market).map(|trade| trade.id).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Lets time pass: orders without an answer become unknown, what is due is asked, and trades
    /// that wait for nothing but the market go on.
    pub fn tick(&mut self, sight: &dyn Sight, now: Timestamp, acts: &mut Vec<Act>) {
        if self.mode == Mode::Killed {
            return;
        }
        self.give_up_waiting(now, acts);
        self.inquire(now, acts);
        self.redeem(now, acts);
        let state = &self.state;
        let merging = state.offsetting().filter(|trade| trade.may_merge(state));
        let locked = state.unended().filter(|trade| trade.phase == Phase::Locked);
        let sold = locked.filter(|_| state.flattening.is_some());
        let trades = state.restless().chain(merging).chain(sold).map(|trade| trade.id);
        let trades: BTreeSet<TradeId> = trades.collect();
        for trade in trades {
            self.advance(trade, sight, now, acts);
        }
        self.end_resuming(sight, now);
    }

    /// Takes a trade as far as it goes now.
    pub(super) fn advance(
        &mut self,
        id: TradeId,
        sight: &dyn Sight,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        for _ in 0..Self::STEPS_MAX {
            if self.mode == Mode::Killed {
                return;
            }
            let Some(trade) = self.state.trade(id) else { return };
            let view = View {
                state: &self.state,
                sight,
                now,
                pause: self.settings.way_out_pause,
                selling: self.selling(sight, now),
                unseen: &self.unseen,
                has_borrowed: self.has_borrowed,
                hold: self.settings.hold,
            };
            match view.step(trade) {
                Step::Wait => return,
                Step::Send(drafts, event, why) => {
                    self.go(id, event, why, now, acts);
                    for draft in drafts {
                        self.place(id, &draft, now, acts);
                    }
                }
                Step::Note(event, why) => self.go(id, event, why, now, acts),
                Step::Stuck(text) => {
                    self.go(id, Event::Took(Way::Hold), text.clone(), now, acts);
                    if let Some(pair) = self.state.trade(id).map(|trade| trade.plan.pair.clone()) {
                        self.stop(Scope::Pair(pair), &text, now, acts);
                    }
                    self.tell(incident::NO_WAY_OUT, text, Some(id), now, acts);
                }
                Step::Alarm(text) => {
                    self.tell(incident::STRANDED_LONG, text, Some(id), now, acts);
                }
                Step::Short(text) => {
                    if self.agenda.report_short(id) {
                        self.tell(incident::FLATTEN_SHORT, text, Some(id), now, acts);
                    }
                    return;
                }
                Step::Merge(market, quantity) => {
                    if !self.agenda.may_convert(market, self.settings.convert_pause, now) {
                        return;
                    }
                    self.say(Record::Merged { trade: id, market, quantity, at: now }, acts);
                    acts.push(Act::Merge { trade: id, market, quantity });
                    return;
                }
            }
        }
    }

    /// Moves a trade by the table.
    pub(super) fn go(
        &mut self,
        trade: TradeId,
        event: Event,
        why: String,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        let Some(known) = self.state.trade(trade) else { return };
        if let Some(to) = next(known.phase, event)
            && to != known.phase
        {
            self.say(Record::Moved { trade, to: to.name(), why, at: now }, acts);
        }
    }

    /// Decides on an order: the state knows it before anybody else does.
    fn place(&mut self, trade: TradeId, draft: &Draft, now: Timestamp, acts: &mut Vec<Act>) {
        let order = Order {
            intent: self.state.next_intent(),
            trade,
            venue: draft.venue,
            market: draft.market,
            outcome: draft.outcome,
            action: draft.action,
            limit: draft.limit,
            size: draft.size,
            // What makes a position smaller takes what it finds, and the rest is dropped.
            lifetime: match draft.purpose {
                Purpose::Enter => self.settings.entry,
                _ => Lifetime::Immediate,
            },
            purpose: draft.purpose,
            at: now,
        };
        self.has_borrowed |= draft.borrows;
        self.apply(&Record::Placed(order.clone()));
        acts.push(Act::Place(order));
    }

    /// When the next tick has something to do at the latest; `None` when nothing is waited for.
    pub fn wakes(&self) -> Option<Timestamp> {
        let answers = self.state.pending().filter_map(|tracked| {
            let plan = &self.state.trade(tracked.order().trade)?.plan;
            let is_decided = tracked.phase() == OrderPhase::Decided;
            is_decided.then(|| tracked.order().at.after(plan.answer_max))
        });
        let alone = self.state.restless().filter_map(|trade| {
            let last = trade.orders.last().and_then(|intent| self.state.order(*intent))?;
            trade.phase.is_stranded().then(|| last.order().at.after(self.settings.way_out_pause))
        });
        answers.chain(alone).chain(self.agenda.wakes()).min()
    }

    /// What a trade has at risk, recomputed; `None` when it has nothing at risk any more.
    pub fn exposure(&self, trade: TradeId) -> Option<Exposure> {
        self.state.trade(trade)?.exposure(self.state.orders())
    }

    /// The trades that changed since the last call, each once.
    pub fn take_changed(&mut self) -> Vec<TradeId> {
        let mut changed = std::mem::take(&mut self.changed);
        self.has_borrowed = false;
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    /// What the records say.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Orders that may still fill and so can be cancelled.
    pub fn cancellable(&self) -> impl Iterator<Item = &Order> + '_ {
        self.state.pending().filter(|tracked| tracked.phase().is_open()).map(Tracked::order)
    }

    pub(super) fn open_orders(&self, is_one: impl Fn(OrderPhase) -> bool) -> Vec<IntentId> {
        let one = |tracked: &&Tracked| is_one(tracked.phase());
        self.state.pending().filter(one).map(|tracked| tracked.order().intent).collect()
    }

    /// Says something that a person must know.
    pub(super) fn tell(
        &mut self,
        kind: &'static str,
        text: String,
        trade: Option<TradeId>,
        at: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        self.say(Record::Incident { kind, text, trade, at }, acts);
    }

    /// Applies a record and hands it out, and after it what a person must know about it.
    pub(super) fn say(&mut self, record: Record, acts: &mut Vec<Act>) {
        let after = self.state.apply(&record);
        let trade = after.trades.first().copied();
        self.changed.extend(after.trades);
        let at = match &record {
            Record::Reported { at, .. } => *at,
            _ => Timestamp::ZERO,
        };
        acts.push(Act::Write(record));
        for (kind, text) in after.notices {
            self.tell(kind, text, trade, at, acts);
        }
    }
}
