//! Everything that may leave the engine.

use std::sync::Arc;
use std::time::Duration;

use crate::book::Loss;
use crate::domain::{FeeModel, MarketIndex, Money, Outcome, Price, Quantity, Timestamp, Venue};
pub use crate::execute::{Act, Line, Record};
pub use crate::pairing::{PairId, Standing};
pub use crate::plan::{Plan, Stages};
pub use crate::risk::Scope;

/// The number of an opportunity within one run, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpportunityId(pub u64);

impl std::fmt::Display for OpportunityId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "opp-{:06}", self.0)
    }
}

/// Whether an opportunity is new or has become materially better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Seen for the first time.
    Opened,
    /// Its profit has grown by the configured share since it was last reported.
    Grown,
}

/// One side of an opportunity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Where.
    pub venue: Venue,
    /// Kalshi ticker or Polymarket condition id.
    pub market: String,
    /// Which contract is bought.
    pub outcome: Outcome,
    /// The worst price paid.
    pub limit: Price,
    /// What is bought at each price, best first, at the contract's own price.
    pub fills: Vec<(Price, Quantity)>,
    /// The estimated fee of all fills.
    pub fee: Money,
    /// The fee's rate and exponent.
    pub fee_model: FeeModel,
    /// How old the last proof was that the book is whole and live.
    pub book_age: Duration,
}

/// A moment at which both legs together cost less than they pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opportunity {
    /// New or grown.
    pub phase: Phase,
    /// When it was seen.
    pub at: Timestamp,
    /// Its number.
    pub id: OpportunityId,
    /// The pair.
    pub pair: PairId,
    /// The pair's title.
    pub title: Arc<str>,
    /// How far a person has gone with the pair.
    pub standing: Standing,
    /// Matched contracts.
    pub quantity: Quantity,
    /// What they pay.
    pub payout: Money,
    /// What both legs cost.
    pub cost: Money,
    /// Both legs' estimated fees.
    pub fees: Money,
    /// What is held back for the risk of diverging resolutions.
    pub resolution_risk: Money,
    /// `payout - cost - fees - resolution_risk`.
    pub profit: Money,
    /// Profit per contract, rounded down.
    pub edge: Money,
    /// Simple annual return in thousandths, if the pair has a settlement date ahead.
    pub annualised: Option<i64>,
    /// The worst total over the pair's payoff table, if it has one.
    pub worst: Option<Money>,
    /// Kalshi's leg, then Polymarket's.
    pub legs: [Leg; 2],
}

/// An opportunity is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// When.
    pub at: Timestamp,
    /// Its number.
    pub id: OpportunityId,
    /// The pair.
    pub pair: PairId,
    /// How long it lasted.
    pub lifetime: Duration,
    /// The quantity at its best.
    pub best_quantity: Quantity,
    /// The profit at its best.
    pub best_profit: Money,
    /// The name of what ended it: a `NoEdge`, `pair_removed` or `pair_changed`.
    pub reason: &'static str,
}

/// Something is to be done or told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// An opportunity opened or grew.
    Opportunity(Box<Opportunity>),
    /// An opportunity closed.
    Closed(Closed),
    /// What the books show speaks against the pair itself: an edge too good to be true, or mids
    /// too far apart. Said once for a pair, until its entry changes.
    Doubt {
        /// When.
        at: Timestamp,
        /// The pair.
        pair: PairId,
        /// The name of the reason.
        reason: &'static str,
    },
    /// A book was found wanting: its feed is to ask for a new image.
    Resync {
        /// Whose book.
        market: MarketIndex,
        /// Why.
        why: Loss,
    },
    /// Trading wants something done.
    Act(Act),
    /// A market's facts changed at the venue: they are to be read again.
    Reload {
        /// Which market.
        market: MarketIndex,
    },
    /// A venue's order routes are to be asked whether they answer.
    Probe {
        /// Which venue.
        venue: Venue,
    },
}
