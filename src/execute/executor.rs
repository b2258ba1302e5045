//! What the engine drives: plans, reports and time in, acts out.

use std::time::Duration;

use crate::domain::{Money, Report, Timestamp, TradeId};
use crate::plan::Plan;
use crate::risk::{Approved, Exposure};

use super::{Act, Record, Scope, Sight, State};

/// How patient the executor is, and how often it tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The pause before an unknown order is asked about again; doubles each time.
    pub inquire_pause: Duration,
    /// The longest such pause.
    pub inquire_pause_max: Duration,
    /// How long after the decision a venue's reading may still miss an order.
    pub not_found_grace: Duration,
    /// An order that is unknown for longer is an incident.
    pub unknown_max: Duration,
    /// The pause between two attempts to leave a stranded leg.
    pub way_out_pause: Duration,
    /// The pause between two requests to merge or redeem.
    pub convert_pause: Duration,
}

/// Trades, orders and the ledger.
#[derive(Debug)]
pub struct Executor {
    settings: Settings,
    state: State,
    changed: Vec<TradeId>,
}

impl Executor {
    /// An executor without history.
    pub fn new(settings: Settings) -> Self {
        Self { settings, state: State::default(), changed: Vec::new() }
    }

    /// Takes one record in: live, and when the journal is read.
    pub fn apply(&mut self, record: &Record) {
        self.state.apply(record);
    }

    /// Ends the reading of the journal: every order that is not final is asked about, and no new
    /// trade may open until all are known.
    pub fn resume(&mut self, now: Timestamp, acts: &mut Vec<Act>) {
        let _ = (now, acts, &self.settings);
    }

    /// Whether a plan may become a trade now, as far as the executor can tell; else why not. Asked
    /// before `risk` approves.
    pub fn may_open(&self, plan: &Plan) -> Result<(), &'static str> {
        let _ = plan;
        if self.state.halts().is_empty() { Ok(()) } else { Err("halted") }
    }

    /// Begins a trade.
    pub fn open(
        &mut self,
        plan: Approved<Plan>,
        sight: &dyn Sight,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        let _ = sight;
        let (trade, plan) = (plan.trade(), Box::new(plan.into_inner()));
        self.say(Record::Opened { trade, plan, at: now }, acts);
    }

    /// Takes in what a venue said.
    pub fn report(
        &mut self,
        report: &Report,
        sight: &dyn Sight,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        let _ = sight;
        self.say(Record::Reported { report: report.clone(), at: now }, acts);
    }

    /// Lets time pass.
    pub fn tick(&mut self, sight: &dyn Sight, now: Timestamp, acts: &mut Vec<Act>) {
        let _ = (sight, now, acts);
    }

    /// When the next tick has something to do at the latest; `None` when nothing is waited for.
    pub fn wakes(&self) -> Option<Timestamp> {
        None
    }

    /// No new trades; open ones are finished or unwound.
    pub fn halt(&mut self, scope: Scope, why: &str, now: Timestamp, acts: &mut Vec<Act>) {
        self.say(Record::Halted { scope, why: why.to_owned(), at: now }, acts);
    }

    /// New trades again.
    pub fn unhalt(&mut self, scope: Scope, now: Timestamp, acts: &mut Vec<Act>) {
        self.say(Record::Resumed { scope, at: now }, acts);
    }

    /// Cancels our own orders by id, lists what is held, and sends nothing more.
    pub fn kill(&mut self, why: &str, now: Timestamp, acts: &mut Vec<Act>) {
        self.halt(Scope::All, why, now, acts);
    }

    /// Out of everything, losing at most this against what was paid.
    pub fn flatten(
        &mut self,
        loss_max: Money,
        sight: &dyn Sight,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        let _ = (loss_max, sight);
        self.halt(Scope::All, "flatten", now, acts);
    }

    /// What a trade has at risk, recomputed; `None` when it has nothing at risk any more.
    pub fn exposure(&self, trade: TradeId) -> Option<Exposure> {
        let _ = trade;
        None
    }

    /// The trades that changed since the last call, each once.
    pub fn take_changed(&mut self) -> Vec<TradeId> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    /// What the records say.
    pub const fn state(&self) -> &State {
        &self.state
    }

    fn say(&mut self, record: Record, acts: &mut Vec<Act>) {
        self.apply(&record);
        acts.push(Act::Write(record));
    }
}
