//! What is intended: both legs of an opportunity, their order, their limits and deadlines.
//!
//! `entry` makes plans that open a position, `exit` such that close one before it settles, `bound`
//! knows the most that a fee can be, `way` what it costs to get out of a leg that stands alone.
//! All are pure. A plan is a wish: only `risk` turns it into something that may be sent.

pub mod bound;
mod entry;
mod exit;
mod way;

use std::time::Duration;

use crate::domain::report::Purse;
use crate::domain::{
    FeeModel, MarketIndex, Minimum, Money, Outcome, Price, Quantity, Size, Timestamp, Venue,
};
use crate::pairing::{Legs, PairId};

pub use entry::{Found, enter};
pub use exit::{Held, exit};

/// How plans are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Which leg goes first where the pair does not say; Polymarket's, because its fill is not
    /// exact and Kalshi can take exactly what arrived.
    pub legs: Legs,
    /// What a trade may lose to get out of a leg without its other one, in dollars.
    pub loss_max: Money,
    /// How much worse than the books show it is assumed to be to get out, in dollars per contract;
    /// a cent is sensible.
    pub slack: Money,
    /// How much better than the best ask a BUY by collateral may fill for the contracts it brings
    /// to be reserved for, in dollars per contract; a cent is sensible.
    pub improvement_max: Money,
    /// How long an order may go without an answer before it is asked about; two seconds are
    /// sensible.
    pub answer_max: Duration,
    /// How long a leg may stand alone before that is an alarm; ten seconds are sensible.
    pub stranded_max: Duration,
    /// The gain per contract over the dollar that a locked position pays when it settles, net of
    /// all fees, at which it is sold before; `None`: it never is.
    pub exit_gain_min: Option<Money>,
}

/// What is known of one side that a plan is made for. All prices are at the contract's own scale,
/// all lists best first.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The market.
    pub market: MarketIndex,
    /// The venue's event of the market; empty when unknown.
    pub event: &'a str,
    /// The neg-risk market that it is a part of; empty where there is none.
    pub group: &'a str,
    /// The contract.
    pub outcome: Outcome,
    /// The taker fee in force.
    pub fee: FeeModel,
    /// The smallest order.
    pub minimum: Minimum,
    /// How long the venue holds a marketable order before it matches.
    pub delay: Duration,
    /// Where the money for it lies.
    pub purse: Purse,
    /// What is offered to a buyer of the contract.
    pub offers: &'a [(Price, Quantity)],
    /// What is bid to a seller of the contract.
    pub bids: &'a [(Price, Quantity)],
}

/// Why no plan was made of an opportunity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoPlan {
    /// Both venues hold orders before they match: neither leg can go last.
    VenueDelay,
    /// What is left on the venues' grids is below a smallest order.
    BelowMinimum,
    /// The books show no way out of a leg without its other one within the loss budget.
    NoWayOut,
    /// Nothing is to be gained by closing early.
    NoGain,
}

impl NoPlan {
    /// All reasons, in the order of their index.
    pub const ALL: [Self; 4] = [Self::VenueDelay, Self::BelowMinimum, Self::NoWayOut, Self::NoGain];

    /// The reason's place in [`NoPlan::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The reason in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::VenueDelay => "venue_delay",
            Self::BelowMinimum => "plan_below_minimum",
            Self::NoWayOut => "no_way_out",
            Self::NoGain => "no_gain",
        }
    }
}

/// A plan, and what `risk` judges it by beyond the plan itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The plan.
    pub plan: Plan,
    /// Where the money of each leg lies, Kalshi's first.
    pub purses: [Purse; 2],
    /// The most dollars that a partial first fill can leave below the hedge's minimum.
    pub dust_max: Money,
}

/// One side of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Where.
    pub venue: Venue,
    /// The market.
    pub market: MarketIndex,
    /// The venue's event of the market, for the limit per event; empty when unknown.
    pub event: String,
    /// The neg-risk market that it is a part of, for the same limit; empty where there is none.
    pub group: String,
    /// The contract that is bought, or on an exit sold.
    pub outcome: Outcome,
    /// The worst price.
    pub limit: Price,
    /// How much the order of this leg asks for when it goes first or alone.
    pub size: Size,
    /// How many contracts that is meant to bring.
    pub quantity: Quantity,
    /// The most that the leg can cost at its limit, without fees.
    pub cost_max: Money,
    /// The most that its fee can be.
    pub fee_max: Money,
}

impl Leg {
    /// The two names of its market's event, for
    /// [`shares_event`](crate::domain::market::shares_event).
    pub fn event_names(&self) -> (&str, &str) {
        (&self.event, &self.group)
    }
}

/// In which order the legs are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stages {
    /// This venue's leg, then the other one for exactly what it brought.
    First(Venue),
    /// Both at once.
    Together,
}

impl Stages {
    /// Whether a venue's leg may be sent before it is known what came of the other one.
    pub fn may_precede(self, venue: Venue) -> bool {
        match self {
            Self::First(first) => first == venue,
            Self::Together => true,
        }
    }
}

/// Whether a plan opens a position or closes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Buys both legs.
    Enter,
    /// Sells both legs of locked pairs before they settle.
    Exit,
}

/// One attempt at both legs, as it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The pair.
    pub pair: PairId,
    /// The opportunity that it follows, by number; zero for an exit.
    pub opportunity: u64,
    /// Opens or closes.
    pub kind: Kind,
    /// Kalshi's leg, then Polymarket's.
    pub legs: [Leg; 2],
    /// Their order.
    pub stages: Stages,
    /// Matched contracts.
    pub quantity: Quantity,
    /// What is expected to be left, net.
    pub profit: Money,
    /// What may be lost at most to get out of a leg without its other one.
    pub loss_max: Money,
    /// Dollars held back beyond both legs for finishing or unwinding.
    pub reserve: Money,
    /// How long an order may go without an answer before it is asked about.
    pub answer_max: Duration,
    /// How long a leg may stand alone before that is an alarm.
    pub stranded_max: Duration,
    /// When it was made.
    pub at: Timestamp,
}
