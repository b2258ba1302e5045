//! Orders as they are meant, before any venue's words for them.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::contract::{Outcome, Venue};
use super::market::MarketIndex;
use super::money::Money;
use super::price::Price;
use super::quantity::Quantity;
use super::time::Timestamp;

/// The number of an intent: one order that was decided on. From 1, never used twice in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntentId(pub u64);

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "int-{:06}", self.0)
    }
}

/// The number of a trade: one attempt at both legs. From 1, never used twice in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TradeId(pub u64);

impl TradeId {
    /// No trade: what an order that was adopted was sent for is not known.
    pub const NONE: Self = Self(0);
}

impl fmt::Display for TradeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NONE => f.write_str("none"),
            Self(number) => write!(f, "trd-{number:06}"),
        }
    }
}

/// An order's name at its venue: Kalshi's order id, or Polymarket's order hash. Kalshi gives it
/// with its answer; until then an order is known there by the client id that follows from the
/// intent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub String);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A journal's own name, drawn once when it is made. All ids that we give orders follow from it
/// and the number of the intent, so that a process that crashed can find its orders again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instance(pub [u8; 16]);

impl Instance {
    /// How many of the first bytes of a mark are the same for all orders of the journal.
    pub const TAG_BYTES: usize = 4;

    /// What marks an order as this intent's: first the journal's tag, then bytes of the intent.
    pub fn mark(&self, intent: IntentId) -> [u8; 32] {
        let mut mark: [u8; 32] = Sha256::new()
            .chain_update(b"crossbook intent")
            .chain_update(self.0)
            .chain_update(intent.0.to_be_bytes())
            .finalize()
            .into();
        mark[..Self::TAG_BYTES].copy_from_slice(&self.tag());
        mark
    }

    /// The first bytes of every mark of this journal.
    pub fn tag(&self) -> [u8; Self::TAG_BYTES] {
        let hash = Sha256::new().chain_update(b"crossbook journal").chain_update(self.0).finalize();
        let mut tag = [0; Self::TAG_BYTES];
        tag.copy_from_slice(&hash[..Self::TAG_BYTES]);
        tag
    }
}

/// Which way an order goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Buys the contract.
    Buy,
    /// Sells the contract.
    Sell,
}

impl Action {
    /// The action in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

/// How much an order asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Size {
    /// Contracts, in whole lots of 0.01: every Kalshi order, every Polymarket SELL, every order
    /// that may rest.
    Contracts(Quantity),
    /// Dollars to spend, in whole cents: a Polymarket BUY that takes. It may bring more contracts
    /// than dollars over limit, never fewer unless it stays partly unfilled.
    Collateral(Money),
}

/// How long an order lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lifetime {
    /// Takes what it finds within its limit, the rest is dropped: IOC, Polymarket's FAK.
    Immediate,
    /// Takes all or nothing: FOK.
    AllOrNothing,
    /// Rests until it is cancelled: GTC.
    Resting,
}

impl Lifetime {
    /// The lifetime in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::AllOrNothing => "all_or_nothing",
            Self::Resting => "resting",
        }
    }
}

/// What an order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A leg of a new trade.
    Enter,
    /// Buys the leg that is missing.
    Finish,
    /// Sells what has no other leg.
    Unwind,
    /// Buys the other outcome of what has no other leg, to be merged with it.
    Offset,
    /// Sells a leg of a locked pair.
    Exit,
    /// Not known: the venue has it, it bears the journal's mark, and its record was lost.
    Adopted,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 6] =
        [Self::Enter, Self::Finish, Self::Unwind, Self::Offset, Self::Exit, Self::Adopted];

    /// The purpose in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enter => "enter",
            Self::Finish => "finish",
            Self::Unwind => "unwind",
            Self::Offset => "offset",
            Self::Exit => "exit",
            Self::Adopted => "adopted",
        }
    }

    /// Whether the order makes what is at risk smaller. Such an order spends what its trade has
    /// reserved, and no limit, breaker or halt refuses it.
    pub const fn reduces(self) -> bool {
        !matches!(self, Self::Enter | Self::Adopted)
    }
}

/// One order, as it was decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its number; the venue's ids follow from it.
    pub intent: IntentId,
    /// The trade that it belongs to.
    pub trade: TradeId,
    /// Where.
    pub venue: Venue,
    /// The market.
    pub market: MarketIndex,
    /// The contract.
    pub outcome: Outcome,
    /// Buys or sells it.
    pub action: Action,
    /// The worst price, at the contract's own scale.
    pub limit: Price,
    /// How much.
    pub size: Size,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// What it is for.
    pub purpose: Purpose,
    /// When it was decided; part of the order that Polymarket signs.
    pub at: Timestamp,
}

impl Order {
    /// The most contracts that the order can bring or take away at its limit, rounded up.
    /// A BUY by collateral may bring more when the price is better.
    pub fn contracts_at_limit(&self) -> Quantity {
        match self.size {
            Size::Contracts(quantity) => quantity,
            Size::Collateral(money) => money.buys_ceil(self.limit),
        }
    }

    /// The most dollars that a BUY can spend before fees.
    pub const fn spend_max(&self) -> Money {
        match self.size {
            Size::Contracts(quantity) => Money::cost_ceil(self.limit, quantity),
            Size::Collateral(money) => money,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_share_the_journals_tag_and_differ_by_intent() {
        let (one, other) = (Instance([1; 16]), Instance([2; 16]));
        assert_eq!(one.mark(IntentId(7))[..4], one.tag());
        assert_ne!(one.mark(IntentId(7)), one.mark(IntentId(8)));
        assert_ne!(one.tag(), other.tag());
        assert_ne!(one.mark(IntentId(7))[4..], other.mark(IntentId(7))[4..]);
    }
}
