//! What follows from what the executor did: exposures, halts, and acts on their way out.

use std::collections::BTreeSet;

use crate::domain::market::shares_event;
use crate::domain::report::{Evidence, Refusal, Refused};
use crate::domain::{Market, MarketIndex, Money, Order, Report, Timestamp, TradeId};
use crate::execute::{Act, Record, Scope, incident};
use crate::pairing::PairId;
use crate::plan::{Kind, Leg};
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
                let view = around.view(&self.floor, &self.risk);
                self.executor.report(&report, &view, around.now, &mut self.acts);
            }
        }
        debug_assert!(self.acts.is_empty(), "acts that go on without an end");
    }

    /// Tells `risk` what each changed trade has at risk, and what has been earned.
    fn sync(&mut self, now: Timestamp) {
        let changed = self.executor.take_changed();
        let state = self.executor.state();
        // What an exit sells is taken from the trades of its pair that bought it.
        let exits = changed.iter().filter_map(|trade| state.trade(*trade));
        let exits = exits.filter(|trade| trade.plan.kind == Kind::Exit);
        let pairs: BTreeSet<&PairId> = exits.map(|trade| &trade.plan.pair).collect();
        let mut touched: BTreeSet<TradeId> = changed.iter().copied().collect();
        if !pairs.is_empty() {
            let givers = pairs.into_iter().flat_map(|pair| state.of_pair(pair));
            touched.extend(givers.map(|trade| trade.id));
        }
        for trade in touched {
            let state = self.executor.state();
            let Some(known) = state.trade(trade) else { continue };
            for leg in &known.plan.legs {
                self.risk.set_dust(leg.market, Money::payout(state.dust(leg.market)));
            }
            match self.executor.exposure(trade) {
                Some(exposure) => {
                    self.risk.set_exposure(trade, &known.plan, exposure, now);
                    if known.is_quiet() {
                        self.risk.lock(trade, known.since);
                    } else {
                        self.risk.unlock(trade);
                    }
                }
                None => self.risk.end_trade(trade, now),
            }
        }
        let state = self.executor.state();
        for (venue, market, dollars) in state.unbought() {
            let event = self.floor.markets.get(&market).map_or(("", ""), Market::event_names);
            self.risk.set_adopted(market, venue, event, dollars);
        }
        self.risk.number_from(state.next_trade());
        self.risk.set_realised(state.realised_on(now), now);
    }

    /// An order goes out: what it will take is gone, and answers to it concern its pair.
    fn note_order(&mut self, order: &Order, around: &Around<'_>) {
        if let Some(pair) = self.risk.pair_of(order.trade).cloned() {
            self.remember(order, pair);
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
                self.stop_beside(*trade, now);
            }
            _ => {}
        }
    }

    /// Stops every pair that is watched in an event of a trade whose market paid other than
    /// planned: the executor knows only those that it has traded.
    fn stop_beside(&mut self, trade: TradeId, now: Timestamp) {
        let Some(known) = self.executor.state().trade(trade) else { return };
        let events = known.plan.legs.each_ref().map(Leg::event_names);
        let is_beside = |markets: &[MarketIndex; 2]| {
            markets.iter().zip(events).any(|(market, event)| {
                let known = self.floor.markets.get(market);
                known.is_some_and(|market| shares_event(market.event_names(), event))
            })
        };
        let beside: Vec<PairId> = self
            .pairs
            .iter()
            .filter(|(_, markets)| is_beside(markets))
            .map(|(pair, _)| pair.clone())
            .collect();
        for pair in beside {
            let why = format!("a market of its event paid other than planned in {trade}");
            self.stop(Stop { scope: Scope::Pair(pair), why }, now);
        }
    }

    /// Takes in one record of the journal.
    pub(super) fn replay(&mut self, record: &Record) {
        self.executor.apply(record);
    }

    /// Ends the reading of the journal.
    pub(super) fn resume(&mut self, around: &Around<'_>, effects: &mut Vec<Effect>) {
        for (scope, why) in self.executor.state().halts() {
            self.risk.halt(Stop { scope: scope.clone(), why: why.clone() });
        }
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
        pair: &PairId,
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
