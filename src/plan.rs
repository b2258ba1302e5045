//! What is intended: both legs of an opportunity, their order, their limits and deadlines.

use std::time::Duration;

use crate::domain::{MarketIndex, Money, Outcome, Price, Quantity, Size, Timestamp, Venue};
use crate::pairing::PairId;

/// One side of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Where.
    pub venue: Venue,
    /// The market.
    pub market: MarketIndex,
    /// The venue's event of the market, for the limit per event; empty when unknown.
    pub event: String,
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

/// In which order the legs are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stages {
    /// This venue's leg, then the other one for exactly what it brought.
    First(Venue),
    /// Both at once.
    Together,
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
