//! Order groups: a brake that cancels its orders when too much trades within fifteen seconds.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::{Quantity, Timestamp};

/// How far back matched contracts count.
const WINDOW: Duration = Duration::from_secs(15);
/// The limits a group may have, in contracts.
pub(super) const LIMITS: (i64, i64) = (1, 1_000_000);

/// A group of orders.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) limit: Quantity,
    pub(super) shard: u32,
    /// Whether it tripped, so that it takes no orders until it is reset.
    pub(super) triggered: bool,
    matched: VecDeque<(Timestamp, Quantity)>,
}

impl Group {
    pub(super) const fn new(limit: Quantity, shard: u32) -> Self {
        Self { limit, shard, triggered: false, matched: VecDeque::new() }
    }

    /// Counts a fill; whether it trips the brake.
    pub(super) fn count(&mut self, quantity: Quantity, now: Timestamp) -> bool {
        self.matched.push_back((now, quantity));
        let from = now.before(WINDOW);
        while self.matched.pop_front_if(|(at, _)| *at <= from).is_some() {}
        let sum = self.matched.iter().fold(Quantity::ZERO, |sum, (_, q)| sum.saturating_add(*q));
        if sum > self.limit && !self.triggered {
            self.triggered = true;
            return true;
        }
        false
    }

    /// Forgets what was matched and takes orders again.
    pub(super) fn reset(&mut self) {
        self.triggered = false;
        self.matched.clear();
    }
}

/// A group's id, shaped as a UUID.
pub(super) fn id_of(number: u64) -> String {
    format!("9b000000-0000-4000-8000-{number:012x}")
}

/// The message of the channel `order_group_updates`.
pub(super) fn update(kind: &str, number: u64, limit: Option<Quantity>, now: Timestamp) -> Value {
    let mut msg = json!({
        "event_type": kind, "order_group_id": id_of(number), "ts_ms": now.millis(),
    });
    if let Some(limit) = limit {
        msg["contracts_limit_fp"] = limit.to_string().into();
    }
    msg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_counts_the_last_fifteen_seconds_and_trips_beyond_its_limit() {
        let mut group = Group::new(Quantity::contracts(10), 0);
        let at = Timestamp::from_secs;
        assert!(!group.count(Quantity::contracts(6), at(100)));
        assert!(!group.count(Quantity::contracts(4), at(110)), "ten are not more than ten");
        assert!(!group.count(Quantity::contracts(6), at(115)), "the first six are forgotten");
        assert!(group.count(Quantity::contracts(1), at(116)));
        assert!(!group.count(Quantity::contracts(1), at(117)), "it trips once");
        group.reset();
        assert!(!group.count(Quantity::contracts(10), at(118)));
    }
}
