//! What a venue says about our orders and our account, in one language for both.
//!
//! A report is evidence, not an instruction. Evidence may come twice, late, and in any order; it
//! is never taken back except by name (a trade that [`Finality::Failed`]).

use std::time::Duration;

use super::contract::{Outcome, Venue};
use super::market::{MarketIndex, Settlement};
use super::money::Money;
use super::movement::Movement;
use super::order::{IntentId, Order, OrderId};
use super::quantity::Quantity;
use super::time::Timestamp;

/// A venue said something about our account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// About one of our orders.
    Order {
        /// Which.
        intent: IntentId,
        /// What.
        evidence: Evidence,
    },
    /// An order that bears the mark of one of this journal's intents, as far as the venue tells
    /// what was sent; the journal may have lost its record. Evidence about it follows.
    Lost {
        /// The order, for no trade.
        order: Box<Order>,
        /// Its name there.
        id: OrderId,
    },
    /// About an order that is none of this journal's, as far as it can be told.
    Foreign {
        /// Where.
        venue: Venue,
        /// Its name there.
        id: OrderId,
        /// Whether its id bears this journal's tag all the same.
        is_ours: bool,
        /// The market, where it is one that is watched.
        market: Option<MarketIndex>,
        /// What.
        evidence: Evidence,
    },
    /// All positions of the account, as one reading.
    Positions {
        /// Where.
        venue: Venue,
        /// Those that are not zero.
        positions: Vec<Position>,
        /// How fresh the venue says its reading is, else when it was asked for.
        as_of: Timestamp,
    },
    /// What can be spent.
    Cash {
        /// Where.
        venue: Venue,
        /// Purse and dollars: Kalshi's shards, or one purse of collateral.
        purses: Vec<(Purse, Money)>,
        /// How fresh the reading is.
        as_of: Timestamp,
    },
    /// A market paid what its contracts are worth.
    Settled {
        /// Where.
        venue: Venue,
        /// The market, where it is one that is known.
        market: Option<MarketIndex>,
        /// Its name at the venue.
        id: String,
        /// What one YES contract paid.
        yes_pays: Money,
        /// What the account was paid for all that it held.
        paid: Money,
        /// When.
        at: Timestamp,
    },
    /// Money came in or went out without a trade.
    Moved {
        /// Where.
        venue: Venue,
        /// What, and how much.
        movement: Movement,
    },
    /// Contracts of both outcomes were merged into a dollar each.
    Merged {
        /// The market.
        market: MarketIndex,
        /// How many of each outcome.
        quantity: Quantity,
        /// When.
        at: Timestamp,
    },
    /// Contracts could not be merged or redeemed by us; the text says what a person can do.
    NotConverted {
        /// The market.
        market: MarketIndex,
        /// Why, and what to do.
        text: String,
    },
    /// Whether the account may trade at all.
    Permission {
        /// Where.
        venue: Venue,
        /// What holds from here on.
        permission: Permission,
    },
}

/// What an answer of a venue's order routes says of the routes themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// They answered a request of this time as they do while they take orders.
    Answered(Timestamp),
    /// They take no orders at present, or none that take.
    Closed,
}

/// What a venue lists of the past, page by page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listing {
    /// Fills of the account.
    Fills,
    /// What settled markets paid.
    Settlements,
    /// Deposits, withdrawals, interest, rebates.
    Movements,
}

impl Listing {
    /// All listings.
    pub const ALL: [Self; 3] = [Self::Fills, Self::Settlements, Self::Movements];

    /// The listing in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fills => "fills",
            Self::Settlements => "settlements",
            Self::Movements => "movements",
        }
    }
}

/// Where the money of an account lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purse {
    /// Kalshi's cash of one shard, by its `exchange_index`.
    Shard(u32),
    /// Polymarket's collateral.
    Collateral,
}

/// What an account holds in one market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The market, where it is one that is watched.
    pub market: Option<MarketIndex>,
    /// Its name at the venue.
    pub id: String,
    /// Which contract.
    pub outcome: Outcome,
    /// How many.
    pub quantity: Quantity,
}

/// Whether an account may trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// It may.
    Open,
    /// It may, but in markets of some kinds it could not deliver; the text says why.
    OpenBut {
        /// The contracts whose markets are not to be traded.
        closed: Vec<Settlement>,
        /// Why.
        why: String,
    },
    /// It may only make positions smaller, or only read; the text says why.
    ReadOnly(String),
}

impl Permission {
    /// Whether the account may open positions, if not in every market.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open | Self::OpenBut { .. })
    }

    /// The contracts whose markets are not to be traded although the account may trade.
    pub fn closed(&self) -> &[Settlement] {
        match self {
            Self::OpenBut { closed, .. } => closed,
            Self::Open | Self::ReadOnly(_) => &[],
        }
    }
}

/// What is known about an order from one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The venue has the order.
    Standing {
        /// Its name there.
        id: OrderId,
        /// What it filled so far, where the message tells; never less than what was told before.
        filled: Option<Total>,
        /// What may still come of it.
        rest: Rest,
        /// Trades that the venue names and whose fills are to be asked for.
        trades: Vec<String>,
    },
    /// One fill, or news about one.
    Fill(Fill),
    /// The venue does not have the order and never will: nothing of it filled.
    Refused(Refusal),
    /// Nobody knows: the request may have arrived.
    Unclear(String),
    /// The venue was asked for the order and did not find it. What it says may lag behind.
    NotFound {
        /// How fresh the venue's reading is.
        as_of: Timestamp,
    },
    /// The fills of an order that is over, read whole, and adding up to what the venue says it
    /// filled. A fill that was told before and is not among them was taken back.
    Listed {
        /// The trades that the venue has.
        trades: Vec<String>,
        /// How fresh the venue's reading is.
        as_of: Timestamp,
    },
    /// A cancel was refused because the order is not there any more: filled, cancelled or never
    /// seen. It says nothing about fills.
    NotCancelled(String),
}

/// A sum of fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Total {
    /// Contracts.
    pub quantity: Quantity,
    /// What they cost or brought, without fees.
    pub money: Money,
}

/// What may still come of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rest {
    /// Nothing: it is filled, cancelled or killed. Its total is final.
    Nothing,
    /// It rests in the book.
    Resting,
    /// The venue holds it for a while before it matches; it cannot be cancelled meanwhile.
    Delayed,
}

/// How far a fill has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finality {
    /// Matched, not yet settled: it may still fail.
    Matched,
    /// Settled. Every Kalshi fill is.
    Confirmed,
    /// It did not settle and never will: as if it had not been.
    Failed,
}

impl Finality {
    /// The finality in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
        }
    }
}

/// One fill of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    /// The venue's id of the trade; together with the order it names the fill.
    pub trade: String,
    /// Contracts.
    pub quantity: Quantity,
    /// What they cost (BUY) or brought (SELL) at the contract's own scale, without fees.
    pub money: Money,
    /// The fee.
    pub fee: Fee,
    /// How far it has come.
    pub finality: Finality,
    /// When it happened, by the venue's clock.
    pub at: Timestamp,
}

/// A fee and where it is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fee {
    /// The venue said so.
    Reported(Money),
    /// By the formula, because the venue does not say: trued up from the balance later.
    Computed(Money),
}

impl Fee {
    /// The amount.
    pub const fn amount(self) -> Money {
        match self {
            Self::Reported(money) | Self::Computed(money) => money,
        }
    }
}

/// Why a venue does not have an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it means for us.
    pub kind: Refused,
    /// The venue's code, empty where it has none.
    pub code: String,
    /// The venue's words, shortened, control characters removed.
    pub text: String,
}

/// What a refusal means for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// Nothing was there to take within the limit (FAK, FOK): an ordinary end.
    NoMatch,
    /// Not enough money, allowance, or funds in the shard: the purse is read anew.
    Funds,
    /// The price is off the grid or out of range: the market is read anew.
    Price,
    /// It was signed for another contract than the market's: the market is read anew, and the next
    /// order is signed for what it says then.
    Outdated,
    /// Below the minimum, or a size that the venue's rounding rules do not take: the market is read
    /// anew.
    Size,
    /// The market or the exchange takes no orders at present.
    Paused,
    /// The venue asks to try again: matching restarts, or too many requests. The same order may be
    /// sent again, within its deadline and after a fresh look.
    Again(Duration),
    /// Only resting orders are taken at present.
    PostOnly(Duration),
    /// The account may not trade: trading stops on this venue.
    Restricted,
    /// The key, its signature or the clock were not accepted: trading stops on this venue.
    Credentials,
    /// We built something that the venue does not understand: trading stops on this venue.
    Malformed,
    /// The request never left: nothing was sent.
    NotSent,
    /// We kept it back ourselves, for want of a budget or because it could not be written down:
    /// nothing was sent, and no venue refused anything.
    KeptBack,
    /// Refused for sure, for a reason that this table does not know.
    Other,
}

impl Refused {
    /// The reason in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoMatch => "no_match",
            Self::Funds => "funds",
            Self::Price => "price",
            Self::Outdated => "outdated",
            Self::Size => "size",
            Self::Paused => "paused",
            Self::Again(_) => "again",
            Self::PostOnly(_) => "post_only",
            Self::Restricted => "restricted",
            Self::Credentials => "credentials",
            Self::Malformed => "malformed",
            Self::NotSent => "not_sent",
            Self::KeptBack => "kept_back",
            Self::Other => "other",
        }
    }

    /// Whether trading on the venue stops until a person has looked.
    pub const fn halts(self) -> bool {
        matches!(self, Self::Restricted | Self::Credentials | Self::Malformed)
    }
}
