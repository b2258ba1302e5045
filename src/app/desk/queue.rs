//! What the budgets for orders let out, and when.
//!
//! An order that opens something leaves only if both venues' budgets keep enough for what it may
//! need, its other leg and a way out at each, beside what trades under way may need. It does not
//! wait: its price would be old. What hedges, or makes smaller what is held, may use all that is
//! there, and waits in order when nothing is.
//!
//! Invariant: of the orders that a trade begins with, all leave at once, or none does.

use std::time::Duration;

use crate::domain::{IntentId, Purpose, Timestamp, TradeId, Venue};
use crate::venue::gateway::Call;

use super::{Desk, UNDER_WAY_MAX};

/// An order that waited for longer is not sent any more: its headers may have been signed up to two
/// seconds before it was decided on, and a venue takes none that is five seconds old. Whoever
/// wanted it looks at the market again.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// Decisions that may wait; beyond it what is decided on is kept back at once.
const WAITING_MAX: usize = 1_000;

/// An order that was placed and leaves once the journal holds it.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) intent: IntentId,
    pub(super) trade: TradeId,
    pub(super) purpose: Purpose,
    pub(super) call: Call,
}

/// What an order is to a trade; the first goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Aim {
    /// Without it something stands alone, or goes on to.
    Hedge,
    /// It begins to sell what is whole.
    Close,
    /// It begins to buy.
    Open,
}

/// Orders that leave together.
#[derive(Debug)]
pub(super) struct Batch {
    trade: TradeId,
    aim: Aim,
    orders: Vec<Ready>,
    since: Timestamp,
}

impl Batch {
    fn has(&self, intent: IntentId) -> bool {
        self.orders.iter().any(|one| one.intent == intent)
    }

    fn is_at(&self, venue: Venue) -> bool {
        self.orders.iter().any(|one| one.call.venue == venue)
    }

    fn cost(&self, venue: Venue) -> u64 {
        let orders = self.orders.iter().filter(|one| one.call.venue == venue);
        orders.map(|one| u64::from(one.call.cost)).sum()
    }
}

impl Desk {
    /// Lets out what the journal holds, as far as the budgets reach: first what hedges.
    pub(super) fn let_out(&mut self, ready: Vec<Ready>, now: Timestamp) {
        let (opening, others): (Vec<Batch>, Vec<Batch>) =
            self.batches(ready, now).into_iter().partition(|batch| batch.aim == Aim::Open);
        for batch in others {
            if self.waiting.len() < WAITING_MAX {
                self.waiting.push(batch);
            } else {
                self.keep_back(&batch, "too many orders wait for a budget");
            }
        }
        self.release_orders(now);
        for batch in opening {
            match self.room_for(&batch, now) {
                Ok(()) => self.send_batch(batch, now),
                Err(why) => self.keep_back(&batch, &why),
            }
        }
    }

    /// Sends what waits, in order, as far as the budgets reach. Orders that wait for two budgets
    /// hold up those behind them at both.
    pub(super) fn release_orders(&mut self, now: Timestamp) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_by_key(|batch| batch.aim);
        let mut held_up: Vec<Venue> = Vec::new();
        for batch in waiting {
            let waited = now.since(batch.since);
            if waited > WAIT_MAX {
                let why = format!("it waited for the budget for {} ms", waited.as_millis());
                self.keep_back(&batch, &why);
            } else if !held_up.iter().any(|venue| batch.is_at(*venue))
                && self.room_for(&batch, now).is_ok()
            {
                self.send_batch(batch, now);
            } else {
                held_up.extend(batch.orders.iter().map(|one| one.call.venue));
                self.waiting.push(batch);
            }
        }
    }

    /// Whether an order waits for a budget.
    pub(super) fn waits(&self, intent: IntentId) -> bool {
        self.waiting.iter().any(|batch| batch.has(intent))
    }

    /// Takes orders back that wait, and with each what was to leave together with it.
    pub(super) fn recall_waiting(&mut self, intents: &[IntentId]) {
        let is_one = |batch: &Batch| intents.iter().any(|intent| batch.has(*intent));
        let (back, rest) = std::mem::take(&mut self.waiting).into_iter().partition(is_one);
        self.waiting = rest;
        let back: Vec<Batch> = back;
        for batch in back {
            self.keep_back(&batch, "it was taken back before it was sent");
        }
    }

    fn batches(&mut self, ready: Vec<Ready>, since: Timestamp) -> Vec<Batch> {
        let unready = std::mem::take(&mut self.unready);
        let mut batches: Vec<Batch> = Vec::new();
        for one in ready {
            let aim = match one.purpose {
                _ if self.reserve.has_begun(one.trade) => Aim::Hedge,
                Purpose::Enter | Purpose::Adopted => Aim::Open,
                Purpose::Exit => Aim::Close,
                Purpose::Finish | Purpose::Unwind | Purpose::Offset => Aim::Hedge,
            };
            if aim != Aim::Hedge && unready.contains(&one.trade) {
                let why = "the order beside it could not be prepared".to_owned();
                self.kept_back(one.intent, why);
                continue;
            }
            match batches.last_mut() {
                Some(last) if aim != Aim::Hedge && last.trade == one.trade => last.orders.push(one),
                _ => batches.push(Batch { trade: one.trade, aim, orders: vec![one], since }),
            }
        }
        batches
    }

    /// Whether a batch may leave now; else why not.
    fn room_for(&mut self, batch: &Batch, now: Timestamp) -> Result<(), String> {
        if self.under_way.len() + batch.orders.len() > UNDER_WAY_MAX {
            return Err("too many calls are under way".to_owned());
        }
        for venue in Venue::ALL {
            let reserved = self.reserve.orders(venue, batch.trade);
            let beside = u64::from(!batch.is_at(venue));
            let Some(counter) = self.counter(venue) else { continue };
            let kept = match batch.aim {
                Aim::Hedge => 0,
                Aim::Close => beside,
                Aim::Open => beside + 1 + reserved,
            };
            let kept = kept * u64::from(counter.gateway.order_cost());
            let needed = batch.cost(venue) + kept;
            if batch.aim == Aim::Open && needed > counter.orders.capacity() {
                return Err(format!(
                    "the budget for orders at {venue} is less than what may be needed: {needed} \
                     of {}",
                    counter.orders.capacity()
                ));
            }
            if let Err(wait) = counter.orders.check(needed, now.nanos()) {
                return Err(format!(
                    "the budget for orders at {venue} is used up, or kept for hedges, for {} ms",
                    wait.as_millis()
                ));
            }
        }
        Ok(())
    }

    /// Sends a batch that there is room for.
    fn send_batch(&mut self, batch: Batch, now: Timestamp) {
        for one in batch.orders {
            let Ready { trade, call, .. } = one;
            if let Some(counter) = self.counter(call.venue) {
                let taken = counter.orders.take(u64::from(call.cost), now.nanos());
                debug_assert!(taken.is_ok(), "an order leaves without room for it");
            }
            self.reserve.begin(trade, call.venue);
            self.send(call, now);
        }
    }

    fn keep_back(&mut self, batch: &Batch, why: &str) {
        for one in &batch.orders {
            self.kept_back(one.intent, why.to_owned());
        }
    }
}
