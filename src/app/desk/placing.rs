//! How an order leaves: named by its gateway, durable in the journal, and only then sent.
//!
//! Invariant: a call that places an order is sent in [`Desk::dispatch`] and nowhere else, after a
//! commit of the journal that covers its records.

use crate::domain::report::{Refusal, Refused};
use crate::domain::{Evidence, IntentId, Order, Report, Timestamp};
use crate::execute::Record;
use crate::venue::gateway::{Call, Markets};

use super::{Desk, UNDER_WAY_MAX};

impl Desk {
    /// Names the order and gives it to the journal; [`Desk::dispatch`] sends it. Or says that it
    /// was not sent.
    pub(super) fn place(&mut self, order: &Order, markets: &dyn Markets, now: Timestamp) {
        self.venues.insert(order.intent, order.venue);
        let prepared = self.with(order.venue, |gateway| gateway.place(order, markets, now));
        let (id, call) = match prepared {
            Ok(prepared) => prepared,
            Err(text) => {
                let written = self.keep.append(&[Record::Placed(order.clone())]);
                self.note_journal(written);
                return self.not_sent(order.intent, text);
            }
        };
        let named = Record::Named { intent: order.intent, id };
        let kept = self.keep.append(&[Record::Placed(order.clone()), named]);
        self.note_journal(kept.clone());
        match kept {
            Ok(()) => self.ready.push((order.intent, call)),
            Err(why) => self.not_written(order.intent, &why),
        }
    }

    /// Sends what was placed since the last time, once all of it is durable; or says that none of
    /// it was sent. Follows the last act of what was decided together.
    pub fn dispatch(&mut self, now: Timestamp) {
        if self.ready.is_empty() {
            return;
        }
        let kept = self.keep.commit(&[]);
        self.note_journal(kept.clone());
        for (intent, call) in std::mem::take(&mut self.ready) {
            match &kept {
                Ok(()) => self.send_order(intent, call, now),
                Err(why) => self.not_written(intent, why),
            }
        }
    }

    fn send_order(&mut self, intent: IntentId, call: Call, now: Timestamp) {
        let cost = u64::from(call.cost);
        let room = match self.counter(call.venue) {
            Some(counter) => counter.orders.take(cost, now.nanos()),
            None => return,
        };
        match room {
            Ok(()) if self.under_way.len() < UNDER_WAY_MAX => self.send(call),
            Ok(()) => self.not_sent(intent, "too many calls are under way".to_owned()),
            Err(wait) => {
                let text = format!("the budget for orders is used up for {} ms", wait.as_millis());
                self.not_sent(intent, text);
            }
        }
    }

    fn not_written(&mut self, intent: IntentId, why: &str) {
        self.not_sent(intent, format!("the journal cannot be written: {why}"));
    }

    pub(super) fn not_sent(&mut self, intent: IntentId, text: String) {
        let refusal = Refusal { kind: Refused::NotSent, code: String::new(), text };
        self.reports.push(Report::Order { intent, evidence: Evidence::Refused(refusal) });
    }
}
