//! What can be spent where: Kalshi's cash of each shard, Polymarket's collateral.
//!
//! A reading tells what a purse held at one moment. Whatever a trade may spend or has spent is
//! taken off it until the trade has come to rest and a later reading shows what is left. This errs
//! on the side of too little: money that was paid just before a reading is taken off twice for a
//! while.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::report::Purse;
use crate::domain::{Money, Timestamp};

use super::exposure::{Phase, Standing};

/// One reading of one purse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// What it held.
    pub cash: Money,
    /// When.
    pub as_of: Timestamp,
}

/// All readings.
#[derive(Debug, Clone, Default)]
pub(super) struct Purses {
    readings: BTreeMap<Purse, Reading>,
}

impl Purses {
    /// Takes a reading; an older one than the last says nothing.
    pub(super) fn set(&mut self, purse: Purse, reading: Reading) {
        let known = self.readings.entry(purse).or_insert(reading);
        if reading.as_of >= known.as_of {
            *known = reading;
        }
    }

    /// The last reading of a purse.
    pub(super) fn get(&self, purse: Purse) -> Option<Reading> {
        self.readings.get(&purse).copied()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Purse, Reading)> + '_ {
        self.readings.iter().map(|(purse, reading)| (*purse, *reading))
    }
}

/// What of a trade's leg a reading of `purse` made at `as_of` may not show yet.
pub(super) fn not_shown(
    trade: &Standing,
    leg: usize,
    purse: Purse,
    as_of: Timestamp,
    lag: Duration,
) -> Money {
    if trade.purses.is_some_and(|purses| purses[leg] != purse) {
        return Money::ZERO;
    }
    let shown = |since: Timestamp| since.after(lag) < as_of;
    match trade.phase {
        Phase::Live => trade.dollars_at(leg),
        Phase::Locked { since } if shown(since.max(trade.paid_at)) => {
            trade.exposure.legs[leg].unconfirmed
        }
        Phase::Ended { since } if shown(since) => Money::ZERO,
        Phase::Locked { .. } | Phase::Ended { .. } => trade.exposure.legs[leg].dollars,
    }
}
