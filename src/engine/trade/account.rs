//! Whether the books agree with what the venues say of the account: before anything is traded, and
//! as long as it is.

use crate::domain::{Report, Timestamp};
use crate::execute::reconcile::{self, Reconciler, Verdict};
use crate::execute::{Act, Record, incident};

use super::floor::named;
use super::{Around, Effect, Trader};

impl Trader {
    /// Lets readings of the account decide whether anything new may be traded. Without this, only
    /// [`Reconciled`](crate::engine::event::Command::Reconciled) does.
    pub(super) fn reconcile_with(&mut self, settings: reconcile::Settings) {
        self.executor.wait_for_readings(settings.grace);
        self.reconciler = Some(Reconciler::new(settings));
    }

    /// What the books and the venues do not agree on, and what a person can do about each; empty
    /// when they agree, or when it is not known yet.
    pub fn differences(&self) -> &[String] {
        &self.differences
    }

    /// Compares a reading of the account with the books.
    pub(super) fn compare(
        &mut self,
        report: &Report,
        around: &Around<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(reconciler) = &mut self.reconciler else { return };
        for (_, market) in self.executor.state().ledger().markets() {
            reconciler.name(market, &named(around.books, market));
        }
        if let Some(record) = reconciler.take(report, self.executor.state(), around.now) {
            self.executor.enter(record, &mut self.acts);
        }
        if let Report::Positions { venue, .. } = report {
            self.acts.extend(reconciler.questions(*venue, self.executor.state()));
        }
        for market in reconciler.take_agreed() {
            self.executor.seen(market);
        }
        self.conclude(around);
        self.carry_out(around, effects);
    }

    /// Draws the conclusion from the readings so far. Where nothing can be concluded, what held
    /// before holds on.
    pub(super) fn conclude(&mut self, around: &Around<'_>) {
        let Some(reconciler) = &self.reconciler else { return };
        let differences = match reconciler.verdict(self.executor.state()) {
            Verdict::Waiting => return,
            Verdict::Agreed => Vec::new(),
            Verdict::Differs(texts) => texts,
        };
        if differences.is_empty() {
            self.risk.reconciled();
        } else {
            self.risk.unreconciled();
        }
        let before = std::mem::replace(&mut self.differences, differences.clone());
        for text in differences.into_iter().filter(|text| !before.contains(text)) {
            self.tell(incident::ACCOUNT_DIFFERS, text, around.now);
        }
    }

    /// Says something that a person must know and that is about no one trade.
    pub(super) fn tell(&mut self, kind: &'static str, text: String, at: Timestamp) {
        let record = Record::Incident { kind, text, trade: None, at };
        self.executor.apply(&record);
        self.acts.push(Act::Write(record));
    }
}
