//! What stops new trades: halts by a person, and breakers that act like them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::report::Refused;
use crate::domain::{Timestamp, Venue};
use crate::pairing::PairId;

use super::Scope;

/// A stop that is to take effect: it is written down first and then told to `risk`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// How wide.
    pub scope: Scope,
    /// Why, for people.
    pub why: String,
}

/// All stops in force.
#[derive(Debug, Clone, Default)]
pub(super) struct Halts {
    stops: Vec<Stop>,
}

impl Halts {
    pub(super) fn add(&mut self, stop: Stop) {
        match self.stops.iter_mut().find(|known| known.scope == stop.scope) {
            Some(known) => known.why = stop.why,
            None => self.stops.push(stop),
        }
    }

    /// Lifts the stop of exactly this scope: whoever lifts a wide one has not looked at what led to
    /// a narrow one.
    pub(super) fn lift(&mut self, scope: &Scope) {
        self.stops.retain(|stop| stop.scope != *scope);
    }

    pub(super) fn has(&self, scope: &Scope) -> bool {
        self.stops.iter().any(|stop| stop.scope == *scope)
    }

    pub(super) fn stops(&self) -> &[Stop] {
        &self.stops
    }

    /// Whether a trade of this pair, which is on both venues, is stopped.
    pub(super) fn stop_pair(&self, pair: &PairId) -> bool {
        self.stops.iter().any(|stop| match &stop.scope {
            Scope::Pair(stopped) => stopped == pair,
            Scope::Venue(_) | Scope::All => true,
        })
    }
}

/// Refusals in a row.
#[derive(Debug, Clone, Default)]
pub(super) struct Rejections {
    pairs: BTreeMap<PairId, u32>,
    venues: [u32; 2],
    all: u32,
}

impl Rejections {
    /// A venue took an order: it was the last refusal in its row.
    pub(super) fn forget(&mut self, pair: &PairId, venue: Venue) {
        self.pairs.remove(pair);
        self.venues[super::exposure::leg_of(venue)] = 0;
        self.all = 0;
    }

    /// A venue refused an order. What says that nothing was there to take, or to try again later,
    /// is no fault, and what we kept back ourselves no venue refused.
    pub(super) fn note(
        &mut self,
        pair: &PairId,
        venue: Venue,
        refused: Refused,
        most: [u32; 3],
    ) -> Option<Stop> {
        let name = refused.name();
        if refused.halts() {
            let why = format!("{venue} refused an order: {name}");
            return Some(Stop { scope: Scope::Venue(venue), why });
        }
        if matches!(
            refused,
            Refused::NoMatch
                | Refused::Paused
                | Refused::Again(_)
                | Refused::PostOnly(_)
                | Refused::KeptBack
        ) {
            return None;
        }
        let of_pair = self.pairs.entry(pair.clone()).or_default();
        let of_venue = &mut self.venues[super::exposure::leg_of(venue)];
        *of_pair += 1;
        *of_venue += 1;
        self.all += 1;
        let (count, scope) = if self.all >= most[2] {
            (self.all, Scope::All)
        } else if *of_venue >= most[1] {
            (*of_venue, Scope::Venue(venue))
        } else if *of_pair >= most[0] {
            (*of_pair, Scope::Pair(pair.clone()))
        } else {
            return None;
        };
        let why = format!("{count} orders refused in a row, the last by {venue}: {name}");
        Some(Stop { scope, why })
    }
}

/// How many orders may be sent: a bucket that time fills, and that what reduces may overdraw. It
/// holds those of a second, and at least those that one plan may need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    per_second: u32,
    /// When the bucket will be full again.
    full_at: Timestamp,
}

impl Bucket {
    pub(super) const fn new(per_second: u32) -> Self {
        Self { per_second, full_at: Timestamp::ZERO }
    }

    /// Whether `count` orders may be sent now.
    pub(super) fn has(&self, count: u32, now: Timestamp) -> bool {
        if self.per_second == 0 {
            return false;
        }
        let whole = Duration::from_secs(1).max(self.each() * super::ORDERS_PER_PLAN);
        self.full_at.max(now).after(self.each() * count) <= now.after(whole)
    }

    /// Takes one order's worth out, whether it is there or not.
    pub(super) fn take(&mut self, now: Timestamp) {
        self.full_at = self.full_at.max(now).after(self.each());
    }

    fn each(&self) -> Duration {
        Duration::from_secs(1) / self.per_second.max(1)
    }
}
