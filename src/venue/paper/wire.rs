//! What the paper gateway and its simulator write to each other.

use serde::{Deserialize, Serialize};

/// An order, in units of the domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PaperOrder {
    /// The number of its intent.
    pub(super) intent: u64,
    /// The market's index.
    pub(super) market: u32,
    /// Whether the contract is YES.
    pub(super) yes: bool,
    /// Whether it buys.
    pub(super) buy: bool,
    /// 1/10,000 dollars.
    pub(super) limit: u16,
    /// Millionths of contracts, or nothing for an order by collateral.
    pub(super) contracts: Option<i64>,
    /// Micro-dollars, or nothing for an order by contracts.
    pub(super) collateral: Option<i64>,
    /// Whether it must fill whole.
    pub(super) whole: bool,
}

/// One level that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PaperFill {
    /// Its name.
    pub(super) trade: String,
    /// Millionths of contracts.
    pub(super) contracts: i64,
    /// Micro-dollars, without the fee.
    pub(super) money: i64,
    /// Micro-dollars.
    pub(super) fee: i64,
    /// Nanoseconds since 1970 UTC.
    pub(super) at: i64,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum PaperAnswer {
    /// It was taken, and is over.
    Done {
        /// The number of its intent.
        intent: u64,
        /// What it took, best price first.
        fills: Vec<PaperFill>,
    },
    /// It was refused.
    Refused {
        /// The number of its intent.
        intent: u64,
        /// `no_match`, `funds`, `paused` or `other`.
        why: String,
        /// In words.
        text: String,
    },
    /// It has come and waits: for the venue's delay, or for a book that is not older than it.
    Waits {
        /// The number of its intent.
        intent: u64,
    },
    /// What markets paid that were held when they resolved: market index, what YES paid and what
    /// the account was paid in micro-dollars, nanoseconds since 1970 UTC.
    Settled {
        /// All of them.
        payments: Vec<(u32, i64, i64, i64)>,
    },
    /// No such order came.
    NotFound {
        /// The number of its intent.
        intent: u64,
        /// Nanoseconds since 1970 UTC.
        at: i64,
    },
    /// What is held: market index, whether YES, millionths of contracts.
    Positions {
        /// All of them.
        positions: Vec<(u32, bool, i64)>,
        /// Nanoseconds since 1970 UTC.
        at: i64,
    },
    /// What can be spent, in micro-dollars.
    Cash {
        /// All of it.
        micros: i64,
        /// Nanoseconds since 1970 UTC.
        at: i64,
    },
    /// Merged: market index, millionths of each outcome.
    Merged {
        /// The market's index.
        market: u32,
        /// How many of each outcome.
        contracts: i64,
        /// Nanoseconds since 1970 UTC.
        at: i64,
    },
}
