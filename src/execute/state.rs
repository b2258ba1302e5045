//! All that follows from the records: what start-up rebuilds and live work changes.

use std::collections::BTreeMap;

use crate::domain::{IntentId, Order, TradeId};
use crate::plan::Plan;

use super::{Record, Scope};

/// Orders, trades, halts: a fold over records, equal for equal records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    intents: u64,
    orders: BTreeMap<IntentId, Order>,
    trades: BTreeMap<TradeId, Plan>,
    halts: Vec<(Scope, String)>,
}

impl State {
    /// Takes one record in.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Opened { trade, plan, .. } => {
                self.trades.insert(*trade, (**plan).clone());
            }
            Record::Placed(order) => {
                self.intents = self.intents.max(order.intent.0);
                self.orders.insert(order.intent, order.clone());
            }
            Record::Halted { scope, why, .. } => {
                self.halts.retain(|halt| halt.0 != *scope);
                self.halts.push((scope.clone(), why.clone()));
            }
            Record::Resumed { scope, .. } => self.halts.retain(|halt| halt.0 != *scope),
            _ => {}
        }
    }

    /// What is halted, and why.
    pub fn halts(&self) -> &[(Scope, String)] {
        &self.halts
    }
}
