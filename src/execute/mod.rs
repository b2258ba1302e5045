//! Two legs, no I/O: from an approved plan to a locked pair, or out of it again.
//!
//! State is a fold over [`Record`]s. Whatever happens, the executor first says it as a record, the
//! record changes the state, and the same record goes into the journal. Start-up folds the
//! journal's records through the same tables, so that what guards live work guards recovery too.
//!
//! [`Executor::apply`] is the only way in which state changes. Every other function looks at the
//! state and at the markets ([`Sight`]), says what follows as records, applies them, and hands them
//! out as [`Act`]s. An [`Act::Place`] stands for its [`Record::Placed`] too: the executor has
//! applied it, and whoever carries the act out writes it down before anything is sent.

mod adopt;
mod agenda;
mod decide;
mod executor;
pub mod incident;
mod index;
pub mod ledger;
pub mod order_state;
mod outlay;
pub mod sight;
pub mod reconcile;
mod resume;
mod settings;
mod state;
mod stop;
pub mod trade;
pub mod trade_state;
pub mod unwind;

pub use executor::Executor;
pub use order_state::Tracked;
pub use settings::{Hold, Settings};
pub use sight::Sight;
pub use state::{Locked, State};
pub use trade::Trade;

use crate::domain::{
    IntentId, MarketIndex, Money, Order, OrderId, Outcome, Quantity, Report, Timestamp, TradeId,
    Venue,
};
use crate::plan::Plan;
pub use crate::risk::Scope;

/// Something that happened and that the state follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A plan was approved and became a trade.
    Opened {
        /// Its number.
        trade: TradeId,
        /// What is intended.
        plan: Box<Plan>,
        /// When.
        at: Timestamp,
    },
    /// An order was decided on. Durable before it is sent.
    Placed(Order),
    /// The venue's id of an order. Durable together with its [`Record::Placed`].
    Named {
        /// The order.
        intent: IntentId,
        /// Its name at the venue.
        id: OrderId,
    },
    /// A venue said something.
    Reported {
        /// What.
        report: Report,
        /// When we heard it.
        at: Timestamp,
    },
    /// Contracts of both outcomes at one venue were turned into a dollar each, or are to be.
    Merged {
        /// For which trade.
        trade: TradeId,
        /// The market.
        market: MarketIndex,
        /// How many of each outcome.
        quantity: Quantity,
        /// When.
        at: Timestamp,
    },
    /// A trade moved on.
    Moved {
        /// Which.
        trade: TradeId,
        /// The name of its new state.
        to: &'static str,
        /// Why, for people.
        why: String,
        /// When.
        at: Timestamp,
    },
    /// No new trades from here on.
    Halted {
        /// How wide.
        scope: Scope,
        /// Why, for people.
        why: String,
        /// When.
        at: Timestamp,
    },
    /// New trades are allowed again.
    Resumed {
        /// How wide.
        scope: Scope,
        /// When.
        at: Timestamp,
    },
    /// Money that no order, payout or conversion explains was classed and booked.
    Booked {
        /// Where.
        venue: Venue,
        /// As what.
        line: Line,
        /// How much; less than nothing when it went out.
        amount: Money,
        /// Why, for people.
        why: String,
        /// As of when the ledger says with it what the balance said.
        as_of: Timestamp,
        /// When.
        at: Timestamp,
    },
    /// Contracts that no order of this journal bought were taken into the ledger, or out of it.
    Adopted {
        /// Where.
        venue: Venue,
        /// The market.
        market: MarketIndex,
        /// The contract.
        outcome: Outcome,
        /// How many the account holds from here on.
        quantity: Quantity,
        /// Why, for people.
        why: String,
        /// When.
        at: Timestamp,
    },
    /// A market is the user's own business from here on: shown, not traded, and no difference;
    /// until its contracts are adopted.
    Ignored {
        /// Where.
        venue: Venue,
        /// The market.
        market: MarketIndex,
        /// Why, for people.
        why: String,
        /// When.
        at: Timestamp,
    },
    /// Everything is to be sold. Ends when everything is allowed again.
    Flattening {
        /// The most that may be lost against what was paid.
        loss_max: Money,
        /// What had been earned for good when it began.
        realised_before: Money,
        /// When.
        at: Timestamp,
    },
    /// Something that a person must know.
    Incident {
        /// A name out of a fixed list.
        kind: &'static str,
        /// What happened.
        text: String,
        /// The trade, if there is one.
        trade: Option<TradeId>,
        /// When.
        at: Timestamp,
    },
}

impl Record {
    /// When it happened, or was heard; a name has no time of its own.
    pub const fn at(&self) -> Option<Timestamp> {
        Some(match self {
            Self::Named { .. } => return None,
            Self::Placed(order) => order.at,
            Self::Opened { at, .. }
            | Self::Reported { at, .. }
            | Self::Merged { at, .. }
            | Self::Moved { at, .. }
            | Self::Halted { at, .. }
            | Self::Resumed { at, .. }
            | Self::Booked { at, .. }
            | Self::Adopted { at, .. }
            | Self::Ignored { at, .. }
            | Self::Flattening { at, .. }
            | Self::Incident { at, .. } => *at,
        })
    }
}

/// What money was that no order, payout or conversion explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// What was there when the journal began.
    Opening,
    /// What computed fees differed from those that were charged.
    FeeTrueUp,
    /// A deposit, a withdrawal or a tip, and what was charged for it.
    Transfer,
    /// Interest, a rebate or a reward.
    Interest,
    /// Money that came in and that nothing explains: Kalshi lists no interest.
    Unexplained,
    /// A person said that it is so.
    Accepted,
}

impl Line {
    /// All lines.
    pub const ALL: [Self; 6] = [
        Self::Opening,
        Self::FeeTrueUp,
        Self::Transfer,
        Self::Interest,
        Self::Unexplained,
        Self::Accepted,
    ];

    /// The line in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::FeeTrueUp => "fee_true_up",
            Self::Transfer => "transfer",
            Self::Interest => "interest",
            Self::Unexplained => "unexplained",
            Self::Accepted => "accepted",
        }
    }
}

/// Something that is to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Write it down, then tell it. In the order given.
    Write(Record),
    /// Prepare, write down ([`Record::Placed`], [`Record::Named`]) and send. What cannot be
    /// prepared or written is reported as refused.
    Place(Order),
    /// Write down ([`Record::Placed`], [`Record::Named`]) an order that a venue has and that the
    /// journal lacks, and know it from here on.
    Adopt {
        /// The order.
        order: Order,
        /// Its name at the venue.
        id: OrderId,
    },
    /// Take the order back.
    Cancel(IntentId),
    /// Ask what became of the order.
    Inquire(IntentId),
    /// Ask what became of every order of a market.
    Review {
        /// Where it is traded.
        venue: Venue,
        /// The market.
        market: MarketIndex,
    },
    /// Merge contracts of both outcomes into dollars.
    Merge {
        /// For which trade.
        trade: TradeId,
        /// The market.
        market: MarketIndex,
        /// How many of each outcome.
        quantity: Quantity,
    },
    /// Fetch what a resolved market owes.
    Redeem {
        /// The market.
        market: MarketIndex,
    },
}

#[cfg(test)]
mod tests;
