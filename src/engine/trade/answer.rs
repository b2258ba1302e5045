//! What venues and people say, and time: each given to the executor, to `risk`, and to the floor.

use crate::domain::report::{Evidence, Fee, Fill, Refused};
use crate::domain::{IntentId, Money, Order, Price, Report};
use crate::engine::event::Command;
use crate::execute::incident;
use crate::pairing::PairId;
use crate::risk::{Journal, NoTrade, Reading, Stop};

use super::{Around, Effect, Sent, Trader};

impl Trader {
    /// Takes in what a venue said.
    pub(in crate::engine) fn report(
        &mut self,
        report: &Report,
        around: &Around<'_>,
        effects: &mut Vec<Effect>,
    ) {
        match report {
            Report::Cash { purses, as_of, .. } => {
                for (purse, cash) in purses {
                    self.risk.set_purse(*purse, Reading { cash: *cash, as_of: *as_of });
                }
            }
            Report::Permission { venue, permission } => self.floor.permit(*venue, permission),
            Report::Order { intent, evidence } => {
                self.hear_order(*intent, evidence, around, effects);
            }
            _ => {}
        }
        let view = around.view(&self.floor, &self.risk);
        self.executor.report(report, &view, around.now, &mut self.acts);
        self.carry_out(around, effects);
        if matches!(report, Report::Positions { .. } | Report::Cash { .. }) {
            self.compare(report, around, effects);
        }
        if let Report::Order { intent, evidence } = report
            && let Some(stop) = self.judge(*intent, evidence, around)
        {
            self.stop(stop, around.now);
            self.carry_out(around, effects);
        }
    }

    /// Learns what an answer says about its venue and its market: one that was refused for what its
    /// market is not (any more) has the market read anew.
    fn hear_order(
        &mut self,
        intent: IntentId,
        evidence: &Evidence,
        around: &Around<'_>,
        effects: &mut Vec<Effect>,
    ) {
        self.floor.taken.answered(intent, evidence);
        let Some(order) = self.orders.get(&intent) else { return };
        let market = order.market;
        if let Evidence::Refused(refusal) = evidence
            && matches!(refusal.kind, Refused::Price | Refused::Size | Refused::Outdated)
        {
            effects.push(Effect::Reload { market });
        }
        if let Evidence::Refused(refusal) = evidence
            && refusal.kind == Refused::KeptBack
        {
            self.kept_back_at = Some(around.now);
        }
        let order = (order.venue, order.decided);
        self.floor.hear(order, evidence, self.settings.not_tradable_min, around.now);
    }

    /// Whether what was said about an order trips a breaker.
    fn judge(
        &mut self,
        intent: IntentId,
        evidence: &Evidence,
        around: &Around<'_>,
    ) -> Option<Stop> {
        let Sent { pair, venue, market, .. } = self.orders.get(&intent)?;
        match evidence {
            Evidence::Standing { .. } => {
                self.risk.note_taken(pair, *venue);
                None
            }
            Evidence::Refused(refusal) => self.risk.note_refused(pair, *venue, refusal.kind),
            Evidence::Fill(fill) => {
                let facts = around.books.get(*market)?.facts.as_ref()?;
                self.judge_fee(pair, fill, facts.fee.at(fill.at)?)
            }
            Evidence::Unclear(_)
            | Evidence::NotFound { .. }
            | Evidence::Listed { .. }
            | Evidence::NotCancelled(_) => None,
        }
    }

    fn judge_fee(
        &self,
        pair: &PairId,
        fill: &Fill,
        model: crate::domain::FeeModel,
    ) -> Option<Stop> {
        let Fee::Reported(charged) = fill.fee else { return None };
        // A fill's average price may lie between two prices: the dearer one counts.
        let each = fill.money.per_contract_floor(fill.quantity)?;
        let units = u16::try_from(each.micros() / (Money::DOLLAR / i64::from(Price::ONE))).ok()?;
        let at = |units: u16| {
            Price::from_units(units)
                .map_or(Money::ZERO, |price| model.estimate(price, fill.quantity))
        };
        let estimate = at(units).max(at(units.saturating_add(1)));
        self.risk.note_fee(pair, estimate, charged)
    }

    /// Does what a person, or a fault outside, asks for.
    pub(in crate::engine) fn command(
        &mut self,
        command: &Command,
        around: &Around<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let now = around.now;
        match command {
            Command::Halt { scope, why } => {
                self.executor.halt(scope.clone(), why, now, &mut self.acts);
            }
            Command::Resume { scope } => {
                self.executor.unhalt(scope.clone(), now, &mut self.acts);
            }
            Command::Kill { why } => {
                let view = around.view(&self.floor, &self.risk);
                self.executor.kill(why, &view, now, &mut self.acts);
                self.risk.kill();
            }
            Command::Rule { ruling, why } => self.rule(ruling, why, around),
            Command::Flatten { loss_max } => {
                let view = around.view(&self.floor, &self.risk);
                self.executor.flatten(*loss_max, &view, now, &mut self.acts);
            }
            Command::Drain => self.is_draining = true,
            Command::Reconciled => self.risk.reconciled(),
            Command::JournalBroken { why } => {
                self.risk.set_journal(Journal::Broken);
                let text = format!("{why}; nothing new is traded until it takes records again");
                self.tell(incident::JOURNAL_BROKEN, text, now);
            }
            Command::JournalWhole => self.risk.set_journal(Journal::Whole),
            Command::Announced(pauses) => self.floor.calendar.announced.clone_from(pauses),
        }
        self.carry_out(around, effects);
    }

    /// Lets time pass.
    pub(in crate::engine) fn tick(&mut self, around: &Around<'_>, effects: &mut Vec<Effect>) {
        let view = around.view(&self.floor, &self.risk);
        self.executor.tick(&view, around.now, &mut self.acts);
        self.carry_out(around, effects);
        for stop in self.risk.overdue(around.now) {
            self.stop(stop, around.now);
        }
        if self.risk.check_gates() == Err(NoTrade::NotReconciled) {
            self.conclude(around);
        }
        self.carry_out(around, effects);
        self.ask_route(around.now, effects);
        self.close_early(around, effects);
    }

    pub(super) fn remember(&mut self, order: &Order, pair: PairId) {
        while self.orders.len() >= Self::ORDERS_MAX {
            self.orders.pop_first();
        }
        let Order { venue, market, at: decided, .. } = *order;
        self.orders.insert(order.intent, Sent { pair, venue, market, decided });
    }
}
