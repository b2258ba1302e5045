//! How an order leaves: named by its gateway, durable in the journal, and only then sent.
//!
//! Invariant: a call that places an order is let out by [`Desk::dispatch`] and nowhere else, after
//! a commit of the journal that covers its records; what waits for a budget then has passed it.

use std::time::Duration;

use crate::domain::report::{Refusal, Refused};
use crate::domain::{Evidence, IntentId, Order, Report, Timestamp, Venue};
use crate::execute::{Act, Record};
use crate::venue::gateway::{Answer, Markets, Subject};

use super::super::milestone::Milestone;
use super::Desk;
use super::queue::Ready;

/// How long whoever carries a call waits for its answer. While the call of an order is under way
/// nothing says that the venue does not have it, and its leg is held: longer would hold it longer.
pub const ANSWER_MAX: Duration = Duration::from_secs(10);

/// So long after its call ended an order may still arrive at its venue, or be there and not be
/// found: a reading that misses it proves something only when it is younger.
const ARRIVAL_MAX: Duration = Duration::from_secs(5);

/// When an order without an answer is asked about after that: readings are dated to the second, and
/// two of them count.
const ASKED_AFTER: [Duration; 2] = [Duration::from_millis(1_100), Duration::from_millis(2_600)];

/// An order of this journal, on its way or beyond.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) venue: Venue,
    /// When the call that placed it ended, with an answer or without; `None` until then.
    ended: Option<Timestamp>,
}

impl Desk {
    /// Takes note that the call of an order has ended. Without an answer that settles it the order
    /// is asked about as soon as its absence would prove something.
    pub(super) fn note_end(&mut self, subject: &Subject, answer: &Answer<'_>, now: Timestamp) {
        let intents = match subject {
            Subject::Place(intent) => std::slice::from_ref(intent),
            Subject::Places(intents) => intents,
            _ => return,
        };
        let is_settled =
            matches!(answer, Answer::NotSent(_) | Answer::Reply { status: 200..=299, .. });
        for intent in intents {
            let Some(sent) = self.orders.get_mut(intent) else { continue };
            sent.ended = Some(now);
            if !is_settled {
                self.doubt(*intent, now);
            }
        }
    }

    /// An order of an earlier process, whose call ended with it at the latest. What was under way
    /// then may arrive as late as if somebody had waited for it.
    pub(super) fn note_earlier(&mut self, order: &Order) {
        let could_arrive = order.at.after(ANSWER_MAX);
        let ended = self.began.max(could_arrive);
        self.orders.insert(order.intent, Sent { venue: order.venue, ended: Some(ended) });
        if could_arrive.after(ARRIVAL_MAX) > self.began {
            self.doubt(order.intent, ended);
        }
    }

    fn doubt(&mut self, intent: IntentId, ended: Timestamp) {
        let due = ended.after(ARRIVAL_MAX);
        self.doubtful.extend(ASKED_AFTER.map(|wait| (due.after(wait), intent)));
    }

    pub(super) fn ask_about_doubtful(&mut self, markets: &dyn Markets, now: Timestamp) {
        let all = std::mem::take(&mut self.doubtful);
        let (due, later) = all.into_iter().partition(|(at, _)| *at <= now);
        self.doubtful = later;
        let due: Vec<(Timestamp, IntentId)> = due;
        for (_, intent) in due {
            self.act(&Act::Inquire(intent), markets, now);
        }
    }

    /// Whether a report says that a venue does not have an order that may still be on its way.
    pub(super) fn is_early(&self, report: &Report) -> bool {
        let Report::Order { intent, evidence: Evidence::NotFound { as_of } } = report else {
            return false;
        };
        let Some(sent) = self.orders.get(intent) else { return false };
        sent.ended.is_none_or(|ended| *as_of <= ended.after(ARRIVAL_MAX))
    }

    /// Names the order and gives it to the journal; [`Desk::dispatch`] sends it. Or says that it
    /// was not sent.
    pub(super) fn place(&mut self, order: &Order, markets: &dyn Markets, now: Timestamp) {
        self.orders.insert(order.intent, Sent { venue: order.venue, ended: None });
        self.unpaid.since(order.venue, order.market, order.at);
        let prepared = self.with(order.venue, |gateway| gateway.place(order, markets, now));
        let (id, call) = match prepared {
            Ok(prepared) => prepared,
            Err(text) => {
                let written = self.keep.append(&[Record::Placed(order.clone())]);
                self.note_journal(written);
                self.unready.insert(order.trade);
                return self.not_sent(order.intent, text);
            }
        };
        let named = Record::Named { intent: order.intent, id };
        let kept = self.keep.append(&[Record::Placed(order.clone()), named]);
        self.note_journal(kept.clone());
        match kept {
            Ok(()) => {
                let Order { intent, trade, purpose, .. } = *order;
                self.ready.push(Ready { intent, trade, purpose, call });
            }
            Err(why) => self.not_written(order.intent, &why),
        }
    }

    /// Lets out what was placed since the last time, once all of it is durable; or says that none
    /// of it was sent. Follows the last act of what was decided together.
    pub fn dispatch(&mut self, now: Timestamp) {
        if self.ready.is_empty() {
            self.unready.clear();
            return;
        }
        Milestone::Signed.reached();
        let kept = self.keep.commit(&[]);
        Milestone::Durable.reached();
        self.note_journal(kept.clone());
        let ready = std::mem::take(&mut self.ready);
        match kept {
            Ok(()) => self.let_out(ready, now),
            Err(why) => ready.iter().for_each(|one| self.not_written(one.intent, &why)),
        }
        self.unready.clear();
    }

    fn not_written(&mut self, intent: IntentId, why: &str) {
        self.kept_back(intent, format!("the journal cannot be written: {why}"));
    }

    /// An order was refused without its venue by what it is.
    pub(super) fn not_sent(&mut self, intent: IntentId, text: String) {
        self.refuse(intent, Refused::NotSent, text);
    }

    /// An order stays here for a reason that is not its own.
    pub(super) fn kept_back(&mut self, intent: IntentId, text: String) {
        self.refuse(intent, Refused::KeptBack, text);
    }

    fn refuse(&mut self, intent: IntentId, kind: Refused, text: String) {
        let refusal = Refusal { kind, code: String::new(), text };
        self.reports.push(Report::Order { intent, evidence: Evidence::Refused(refusal) });
    }
}
