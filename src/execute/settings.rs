//! How the executor goes about it.

use std::time::Duration;

use crate::domain::Lifetime;

/// How patient the executor is, and how often it tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The pause before an order that is not final is asked about again; doubles each time.
    pub inquire_pause: Duration,
    /// The longest such pause.
    pub inquire_pause_max: Duration,
    /// An order that is unknown for longer is an incident.
    pub unknown_max: Duration,
    /// The pause between two attempts to leave a stranded leg.
    pub way_out_pause: Duration,
    /// The pause between two requests to merge or redeem.
    pub convert_pause: Duration,
    /// How orders that open a position live: what they find at once, or all or nothing.
    pub entry: Lifetime,
    /// What becomes of a leg that no way out within the loss budget frees.
    pub hold: Hold,
}

/// What becomes of a leg that no way out within the loss budget frees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It is kept until one fits, or its market pays.
    Allowed,
    /// Once it has stood alone for as long as its plan allows, it is got rid of, whatever that
    /// loses.
    Never,
}
