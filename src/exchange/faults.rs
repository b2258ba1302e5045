//! What can be broken on purpose, and when.

use std::time::Duration;

use crate::domain::Venue;
use crate::domain::market::Band;

/// One thing that goes wrong at one venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// All WebSocket connections are cut.
    Disconnect,
    /// All WebSocket connections stay open and say nothing. Kalshi stops its heartbeats too;
    /// Polymarket goes on answering `PING`, as seen in the wild.
    Freeze {
        /// How long; afterwards the stalled connections are cut.
        lasts: Duration,
    },
    /// One message to each connection that has market data is lost.
    Gap,
    /// Images asked for while this lasts come only when it is over.
    LateSnapshot {
        /// How long.
        lasts: Duration,
    },
    /// Every HTTP request is answered with 429.
    RateLimited {
        /// How long.
        lasts: Duration,
    },
    /// Every HTTP request is answered with this 5xx status.
    ServerError {
        /// How long.
        lasts: Duration,
        /// 500 to 504.
        status: u16,
    },
    /// A market (by its index) takes no orders.
    Pause {
        /// How long.
        lasts: Duration,
        /// Index of the market.
        market: usize,
    },
    /// A market (by its index) gets other ticks.
    Ticks {
        /// Index of the market.
        market: usize,
        /// The new bands.
        bands: Vec<Band>,
    },
}

impl Fault {
    /// The fault's name in records.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Disconnect => "disconnect",
            Self::Freeze { .. } => "freeze",
            Self::Gap => "sequence_gap",
            Self::LateSnapshot { .. } => "late_snapshot",
            Self::RateLimited { .. } => "rate_limited",
            Self::ServerError { .. } => "server_error",
            Self::Pause { .. } => "trading_pause",
            Self::Ticks { .. } => "tick_change",
        }
    }
}

/// A fault at a venue, at a step of the agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// The step before which it strikes.
    pub step: u64,
    /// Where.
    pub venue: Venue,
    /// What.
    pub fault: Fault,
}
