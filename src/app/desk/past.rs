//! What the desk knows of earlier runs.

use std::collections::BTreeMap;

use crate::domain::{IntentId, Order, OrderId, Timestamp};
use crate::execute::Record;

use super::Desk;

impl Desk {
    /// Takes in what the journal holds. An order leaves only when its name is durable: one without
    /// a name was never sent, and no venue can be asked about it.
    pub fn remember(&mut self, history: &[Record]) {
        let mut unsent: BTreeMap<IntentId, &Order> = BTreeMap::new();
        for record in history {
            match record {
                Record::Reported { at, .. } => self.read_from(*at),
                Record::Placed(order) => {
                    self.read_from(order.at);
                    unsent.insert(order.intent, order);
                }
                Record::Named { intent, id } => {
                    if let Some(order) = unsent.remove(intent) {
                        self.recall(order, id);
                    }
                }
                _ => {}
            }
        }
        for intent in unsent.into_keys() {
            self.not_sent(intent, "the process ended before it was sent".to_owned());
        }
    }

    /// Tells the gateways of an order of an earlier run.
    pub fn recall(&mut self, order: &Order, id: &OrderId) {
        self.note_earlier(order);
        if let Some(counter) = self.counter(order.venue) {
            counter.gateway.recall(order, id);
        }
    }

    /// Fills and payments from then on are not known yet.
    pub fn read_from(&mut self, since: Timestamp) {
        for counter in &mut self.counters {
            counter.due.read_until = since;
        }
    }
}
