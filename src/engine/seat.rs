//! One direction of one pair: the opportunity that is open there, if any.

use std::time::Duration;

use crate::detect::NoEdge;
use crate::domain::{Money, Outcome, Quantity, Timestamp};

use super::effect::{Closed, OpportunityId};
use super::event::Watched;

/// An opportunity that has been reported and has not ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) id: OpportunityId,
    pub(super) since: Timestamp,
    pub(super) reported: Money,
    pub(super) best_profit: Money,
    pub(super) best_quantity: Quantity,
}

/// One direction of a pair.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seat {
    pub(super) open: Option<Open>,
    /// Why there was no edge at the last look; `None` when there was one, or no look yet.
    pub(super) last: Option<NoEdge>,
}

/// A pair and both its directions.
#[derive(Debug, Clone)]
pub(super) struct PairSlot {
    pub(super) watched: Watched,
    pub(super) title: std::sync::Arc<str>,
    pub(super) seats: [Seat; 2],
    /// Whether the pair is looked at when time passes although nothing arrived.
    pub(super) waiting: bool,
    /// Whether the pair stands on the list of waiting ones.
    pub(super) listed: bool,
    pub(super) looked: u64,
    /// Whether it has been said that the pair does not look like one.
    pub(super) doubted: bool,
}

impl PairSlot {
    pub(super) fn new(watched: Watched) -> Self {
        let title = std::sync::Arc::from(watched.pair.title.as_str());
        Self {
            watched,
            title,
            seats: [Seat::default(); 2],
            waiting: false,
            listed: false,
            looked: 0,
            doubted: false,
        }
    }

    /// What a direction buys on Kalshi and on Polymarket: the first direction buys YES on Kalshi.
    pub(super) fn outcomes(&self, direction: usize) -> (Outcome, Outcome) {
        let kalshi = if direction == 0 { Outcome::Yes } else { Outcome::No };
        let polymarket = if self.watched.is_same() { kalshi.other() } else { kalshi };
        (kalshi, polymarket)
    }

    /// Ends the opportunity of a direction.
    pub(super) fn close(
        &mut self,
        direction: usize,
        reason: &'static str,
        at: Timestamp,
    ) -> Option<Closed> {
        let open = self.seats[direction].open.take()?;
        Some(Closed {
            at,
            id: open.id,
            pair: self.watched.pair.id.clone(),
            lifetime: lifetime(&open, at),
            best_quantity: open.best_quantity,
            best_profit: open.best_profit,
            reason,
        })
    }
}

const fn lifetime(open: &Open, at: Timestamp) -> Duration {
    at.since(open.since)
}
