//! What the desk knows of earlier runs.

use std::collections::BTreeMap;

use crate::domain::{IntentId, Order, OrderId, TradeId};
use crate::execute::Record;
use crate::journal::Mark;

use super::Desk;

impl Desk {
    /// Takes in what the journal holds. An order leaves only when its name is durable: one without
    /// a name was never sent, and no venue can be asked about it. Fills and payments are read again
    /// since the first record, but for what [`Desk::resume_from`] knows better: the last record of
    /// an earlier run says nothing of what it missed before.
    pub fn remember(&mut self, history: &[Record]) {
        if let Some(first) = history.iter().find_map(Record::at) {
            for counter in &mut self.counters {
                counter.due.read_from(first);
            }
        }
        let mut unsent: BTreeMap<IntentId, &Order> = BTreeMap::new();
        for record in history {
            self.unpaid.hear(record);
            self.reserve.hear(record);
            match record {
                Record::Placed(order) => drop(unsent.insert(order.intent, order)),
                Record::Named { intent, id } => {
                    if let Some(order) = unsent.remove(intent) {
                        if order.trade != TradeId::NONE {
                            self.reserve.begin(order.trade, order.venue);
                        }
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

    /// Writes an order down whose record was lost, and knows it from here on.
    pub(super) fn adopt(&mut self, order: &Order, id: &OrderId) {
        let named = Record::Named { intent: order.intent, id: id.clone() };
        let written = self.keep.append(&[Record::Placed(order.clone()), named]);
        self.note_journal(written);
        self.unpaid.since(order.venue, order.market, order.at);
        self.recall(order, id);
    }

    /// Tells the gateways of an order of an earlier run.
    pub fn recall(&mut self, order: &Order, id: &OrderId) {
        self.note_earlier(order);
        if let Some(counter) = self.counter(order.venue) {
            counter.gateway.recall(order, id);
        }
    }

    /// How far earlier runs read the listings of the past whole.
    pub fn resume_from(&mut self, marks: &[Mark]) {
        for mark in marks {
            if let Some(counter) = self.counter(mark.venue) {
                counter.due.read(mark.listing, mark.until);
            }
        }
    }
}
