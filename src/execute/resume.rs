//! What is not known is asked about: after a start, and when an answer does not come.
//!
//! A start folds the journal's records through the tables that guard live work. An order without an
//! answer is unknown then, like one whose answer is overdue; both are asked about until they are
//! known and never sent again.

use crate::domain::{Evidence, IntentId, Report, Timestamp, TradeId};

use super::executor::{Executor, Mode};
use super::order_state::Phase as OrderPhase;
use super::trade_state::{Event, Phase};
use super::{Act, Record, Tracked, incident};

impl Executor {
    /// Ends the reading of the journal: every order that is not final becomes unknown and is asked
    /// about, trades go on from where they were, and no new one may open until all are known.
    pub fn resume(&mut self, now: Timestamp, acts: &mut Vec<Act>) {
        self.mode = Mode::Resuming(IntentId(self.state.next_intent().0 - 1));
        // The prices of a plan are of its moment.
        let unsent: Vec<TradeId> = self
            .state
            .trades()
            .filter(|trade| trade.phase == Phase::Opened)
            .map(|trade| trade.id)
            .collect();
        for trade in unsent {
            let why = "the process ended before anything was sent".to_owned();
            self.go(trade, Event::Empty, why, now, acts);
        }
        let lost: Vec<IntentId> = self.open_orders(|phase| phase == OrderPhase::Decided);
        for intent in lost {
            let evidence = Evidence::Unclear("the process ended before an answer".to_owned());
            self.say(
                Record::Reported { report: Report::Order { intent, evidence }, at: now },
                acts,
            );
        }
        self.inquire(now, acts);
        self.end_resuming();
    }

    /// An order that went without an answer for longer than its plan allows is unknown.
    pub(super) fn give_up_waiting(&mut self, now: Timestamp, acts: &mut Vec<Act>) {
        let late: Vec<IntentId> = self
            .state
            .pending()
            .filter(|tracked| tracked.phase() == OrderPhase::Decided)
            .filter(|tracked| {
                let plan = self.state.trade(tracked.order().trade).map(|trade| &trade.plan);
                plan.is_none_or(|plan| now >= tracked.order().at.after(plan.answer_max))
            })
            .map(|tracked| tracked.order().intent)
            .collect();
        for intent in late {
            let evidence = Evidence::Unclear("no answer in time".to_owned());
            self.heed(&Report::Order { intent, evidence }, now, acts);
        }
    }

    /// Asks about every order that is not final, with growing pauses.
    pub(super) fn inquire(&mut self, now: Timestamp, acts: &mut Vec<Act>) {
        let pauses = (self.settings.inquire_pause, self.settings.inquire_pause_max);
        let asked: Vec<(IntentId, Timestamp, TradeId, &'static str)> = self
            .state
            .pending()
            .filter(|tracked| tracked.phase() != OrderPhase::Decided)
            .map(|tracked| {
                let order = tracked.order();
                let (since, what) = match tracked.is_known() {
                    true => (tracked.moved_at(), "matched and still not settled"),
                    false => (order.at, "still not known"),
                };
                (order.intent, since, order.trade, what)
            })
            .collect();
        for (intent, since, trade, what) in asked {
            if self.agenda.is_due(intent, pauses, now) {
                acts.push(Act::Inquire(intent));
            }
            let is_long = now >= since.after(self.settings.unknown_max);
            if is_long && self.agenda.report(intent) {
                let text = format!("{intent} is {what}; look at the venue's own page");
                self.tell(incident::ORDER_UNKNOWN, text, Some(trade), now, acts);
            }
        }
    }

    /// Everything from before the start is known: trading may go on.
    pub(super) fn end_resuming(&mut self) {
        let Mode::Resuming(last) = self.mode else { return };
        let is_old = |tracked: &&Tracked| tracked.order().intent <= last;
        if self.state.pending().filter(is_old).all(Tracked::is_known) {
            self.mode = Mode::Trading;
        }
    }
}
