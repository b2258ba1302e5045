//! Money that moves without a trade: what is done to an account, and what its venue lists of it.

use std::time::Duration;

use crate::domain::{Money, Timestamp};

/// Why money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The user pays in.
    Deposit,
    /// The user takes out. Nothing comes of it when the account has less than that free.
    Withdrawal,
    /// Interest. Kalshi lists none.
    Interest,
    /// A part of fees comes back. Kalshi lists none.
    Rebate,
}

/// One movement of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Why.
    pub flow: Flow,
    /// How much.
    pub amount: Money,
    /// What a deposit or a withdrawal costs beside it; on Kalshi only.
    pub fee: Money,
    /// Kalshi lists it as pending for so long and moves nothing before. On Polymarket it moves at
    /// once and is listed only after this.
    pub after: Duration,
}

/// How far a movement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It waits until then.
    Pending(Timestamp),
    /// The balance has it since then.
    Applied(Timestamp),
    /// It came to nothing.
    Failed(Timestamp),
}

/// A movement in an account's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) transfer: Transfer,
    pub(super) created: Timestamp,
    pub(super) stage: Stage,
}

/// What moved so far without a trade.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct History {
    /// Oldest first.
    pub(super) entries: Vec<Entry>,
    /// Paid in less taken out, since the start, and less what that cost.
    pub(super) moved: Money,
    /// Interest and rebates.
    pub(super) earned: Money,
}

impl History {
    /// Books what a movement does to an account that has so much free; says what it adds to the
    /// balance, or that it cannot be.
    pub(super) fn apply(&mut self, transfer: Transfer, free: Money) -> Option<Money> {
        let Transfer { flow, amount, fee, .. } = transfer;
        let more = match flow {
            Flow::Deposit => amount - fee,
            Flow::Withdrawal => Money::ZERO - amount - fee,
            Flow::Interest | Flow::Rebate => amount,
        };
        if free + more < Money::ZERO {
            return None;
        }
        match flow {
            Flow::Deposit | Flow::Withdrawal => self.moved += more,
            Flow::Interest | Flow::Rebate => self.earned += more,
        }
        Some(more)
    }
}
