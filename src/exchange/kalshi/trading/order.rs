//! Orders and fills of members.

use crate::domain::{Money, Price, Quantity, Side, Timestamp};
use crate::exchange::matching::{OrderNumber, SelfTrade};

/// How long an order lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeInForce {
    FillOrKill,
    ImmediateOrCancel,
    GoodTillCanceled,
}

/// Why an order changed last, in the venue's words; empty for one that was only placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reason(pub(super) &'static str);

impl Reason {
    pub(super) const PLACED: Self = Self("");
    pub(super) const TRADE: Self = Self("Trade");
    pub(super) const DECREASE: Self = Self("Decrease");
    pub(super) const AMEND: Self = Self("Amend");
    pub(super) const SELF_TRADE: Self = Self("SelfTradeCancel");
    pub(super) const EXPIRY: Self = Self("ExpiryCancel");
    pub(super) const CLOSE: Self = Self("CloseCancel");
    pub(super) const HALT: Self = Self("HaltCancel");
    pub(super) const REDUCE_ONLY: Self = Self("ReduceOnlyCancel");
    pub(super) const CANCEL: Self = Self("Cancel");
    pub(super) const GROUP: Self = Self("OrderGroupCancel");
    pub(super) const BUST: Self = Self("TradeBust");
}

/// What an order is.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// Rises over all members.
    pub(super) serial: u64,
    pub(super) client: Option<String>,
    pub(super) market: usize,
    pub(super) shard: u32,
    pub(super) side: Side,
    pub(super) limit: Price,
    /// What was asked for, in all.
    pub(super) initial: Quantity,
    pub(super) filled: Quantity,
    /// What rests in the book.
    pub(super) resting: Quantity,
    /// Whether something of it was cancelled at its end.
    pub(super) cancelled: bool,
    /// Its number in the book of its market, as long as it rests.
    pub(super) number: Option<OrderNumber>,
    pub(super) self_trade: SelfTrade,
    pub(super) expires: Option<i64>,
    pub(super) cancels_on_pause: bool,
    pub(super) group: Option<u64>,
    /// What fills cost on the own leg, as taker and as maker.
    pub(super) cost: [Money; 2],
    pub(super) fees: [Money; 2],
    /// What rounding took and did not give back yet.
    pub(super) carried: Money,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) reason: Reason,
}

impl Order {
    pub(super) fn id(&self) -> String {
        id_of(self.serial)
    }

    pub(super) const fn rests(&self) -> bool {
        !self.resting.is_zero()
    }

    pub(super) const fn status(&self) -> &'static str {
        match (self.rests(), self.cancelled) {
            (true, _) => "resting",
            (false, true) => "canceled",
            (false, false) => "executed",
        }
    }

    /// Nothing of it rests any more.
    pub(super) const fn end(&mut self, reason: Reason, now: Timestamp) {
        self.cancelled = true;
        self.resting = Quantity::ZERO;
        self.number = None;
        self.reason = reason;
        self.updated = now;
    }
}

/// An order's id, shaped as a UUID.
pub(super) fn id_of(serial: u64) -> String {
    format!("0bde0000-0000-4000-8000-{serial:012x}")
}

/// The price of the leg that an order buys: YES for a bid, NO for an ask.
pub(super) const fn leg_price(side: Side, price: Price) -> Price {
    match side {
        Side::Bid => price,
        Side::Ask => price.mirror(),
    }
}

/// Whether a fill took or made liquidity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Taker,
    Maker,
}

/// One fill of a member's order.
#[derive(Debug, Clone)]
pub(super) struct Fill {
    pub(super) trade: String,
    pub(super) order: u64,
    pub(super) client: Option<String>,
    pub(super) market: usize,
    pub(super) shard: u32,
    pub(super) side: Side,
    /// Of YES.
    pub(super) price: Price,
    pub(super) quantity: Quantity,
    pub(super) role: Role,
    pub(super) fee: Money,
    pub(super) at: Timestamp,
}
