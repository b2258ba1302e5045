//! What follows from what the executor did: exposures, halts, and acts on their way out.

use crate::domain::report::{Evidence, Refusal, Refused};
use crate::domain::{Order, Report, Timestamp};
use crate::execute::{Act, Record, Scope, incident};
use crate::risk::{NoTrade, Stop};

use super::{Around, Effect, Trader};

/// Rounds of acts that may follow from each other. Each but the first answers orders that were
/// refused here; what reduces is not, so there is an end.
const ROUNDS_MAX: usize = 16;

impl Trader {
    /// Tells `risk` what changed and lets the executor's acts out, each order only when `risk` has
    /// counted it.
    pub(super) fn carry_out(&mut self, around: &Around<'_>, effects: &mut Vec<Effect>) {
        for _ in 0..ROUNDS_MAX {
            self.sync(around.now);
            if self.acts.is_empty() {
                return;
            }
            let acts = std::mem::take(&mut self.acts);
            let mut refused = Vec::new();
            for act in acts {
                match act {
                    Act::Place(order) => match self.risk.may_send(&order, around.now) {
                        Ok(()) => {
                            self.note_order(&order, around);
                            effects.push(Effect::Act(Act::Place(order)));
                        }
                        Err(no) => {
                            refused.push((order.intent, no));
                            effects.push(Effect::Act(Act::Write(Record::Placed(order))));
                        }
                    },
                    Act::Write(record) => {
                        self.heed(&record, around.now);
                        effects.push(Effect::Act(Act::Write(record)));
                    }
                    other => effects.push(Effect::Act(other)),
                }
            }
            for (intent, no) in refused {
                let refusal = not_sent(no);
                let report = Report::Order { intent, evidence: Evidence::Refused(refusal) };
                let view = around.view(&self.floor);
                self.executor.report(&report, &view, around.now, &mut self.acts);
            }
        }
        debug_assert!(self.acts.is_empty(), "acts that go on without an end");
    }

    /// Tells `risk` what each changed trade has at risk.
    pub(super) fn sync(&mut self, now: Timestamp) {
        let _ = now;
        for trade in self.executor.take_changed() {
            let _ = trade;
        }
    }

    /// An order goes out: what it will take is gone, and answers to it concern its pair.
    fn note_order(&mut self, order: &Order, around: &Around<'_>) {
        if let Some(pair) = self.risk.pair_of(order.trade).cloned() {
            self.remember(order.intent, pair, order.venue, order.market);
        }
        if let Some(slot) = around.books.get(order.market) {
            self.floor.taken.take(order, &slot.book);
        }
    }

    /// Takes from a record what `risk` must know of it.
    pub(super) fn heed(&mut self, record: &Record, now: Timestamp) {
        match record {
            Record::Halted { scope, why, .. } => {
                self.risk.halt(Stop { scope: scope.clone(), why: why.clone() });
            }
            Record::Resumed { scope, .. } => self.risk.resume(scope),
            Record::Incident { kind, trade: Some(trade), .. }
                if *kind == incident::SETTLEMENT_DIVERGENCE =>
            {
                let _ = (trade, now);
            }
            _ => {}
        }
    }

    /// Takes in one record of the journal.
    pub(super) fn replay(&mut self, record: &Record) {
        self.executor.apply(record);
    }

    /// Ends the reading of the journal.
    pub(super) fn resume(&mut self, around: &Around<'_>, effects: &mut Vec<Effect>) {
        self.executor.resume(around.now, &mut self.acts);
        self.carry_out(around, effects);
    }

    /// Stops new trades; what is stopped already stays so.
    pub(super) fn stop(&mut self, stop: Stop, now: Timestamp) {
        if !self.risk.is_halted(&stop.scope) {
            self.executor.halt(stop.scope, &stop.why, now, &mut self.acts);
        }
    }

    /// Stops a pair that the books speak against.
    pub(in crate::engine) fn suspend(
        &mut self,
        pair: &crate::pairing::PairId,
        why: &str,
        around: &Around<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let why = format!("the books speak against the pair: {why}");
        self.stop(Stop { scope: Scope::Pair(pair.clone()), why }, around.now);
        self.carry_out(around, effects);
    }
}

fn not_sent(no: NoTrade) -> Refusal {
    Refusal { kind: Refused::NotSent, code: no.name().to_owned(), text: String::new() }
}
