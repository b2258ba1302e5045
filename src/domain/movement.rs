//! Money that came into an account or went out of it without a trade, as its venue lists it.

use super::money::Money;
use super::time::Timestamp;

/// One movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// The venue's name of it, the same whenever it is told.
    pub id: String,
    /// What it was.
    pub kind: Kind,
    /// What it did to the balance: less than nothing when the money went out.
    pub amount: Money,
    /// What the venue charged for it and lists beside the amount, without saying whether the amount
    /// holds it already.
    pub fee: Money,
    /// Since when the balance has it, by the venue's clock.
    pub at: Timestamp,
}

/// What a movement was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The user paid in.
    Deposit,
    /// The user took out.
    Withdrawal,
    /// A deposit or a withdrawal came back: its amount is the other way round.
    Returned,
    /// Another user gave, or was given.
    Tip,
    /// Interest on what the account holds.
    Interest,
    /// A part of fees came back.
    Rebate,
    /// A reward of a programme of the venue.
    Reward,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Deposit,
        Self::Withdrawal,
        Self::Returned,
        Self::Tip,
        Self::Interest,
        Self::Rebate,
        Self::Reward,
    ];

    /// The kind in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::Returned => "returned",
            Self::Tip => "tip",
            Self::Interest => "interest",
            Self::Rebate => "rebate",
            Self::Reward => "reward",
        }
    }
}
