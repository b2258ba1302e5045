//! Two legs, no I/O: from an approved plan to a locked pair, or out of it again.
//!
//! State is a fold over [`Record`]s. Whatever happens, the executor first says it as a record, the
//! record changes the state, and the same record goes into the journal. Start-up folds the
//! journal's records through the same tables, so that what guards live work guards recovery too.

use crate::domain::{IntentId, MarketIndex, Order, OrderId, Quantity, Report, Timestamp, TradeId};
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

/// Something that is to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Write it down, then tell it. In the order given.
    Write(Record),
    /// Prepare, write down and send. What cannot be prepared or written is reported as refused.
    Place(Order),
    /// Take the order back.
    Cancel(IntentId),
    /// Ask what became of the order.
    Inquire(IntentId),
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
