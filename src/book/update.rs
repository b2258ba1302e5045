//! What a venue adapter tells the books, in one language for both venues.

use crate::domain::{Change, MarketIndex, Price, Quantity, Side, Timestamp};

use super::health::Loss;

/// One connection of a feed. All books that it carries are lost together when it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(pub u16);

impl Lane {
    /// The index into a table of lanes.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

/// What a frame was that a stamp belongs to, and with it what its time tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamped {
    /// A change, made and sent at once: its age is how long it was under way.
    Change,
    /// A whole book. Its time may be that of the last change in it, minutes ago on a quiet market,
    /// so that its age says nothing about the way that the frame took.
    Image,
}

/// One step of a market's life as its feed reports it. All prices are prices of YES: an offer to
/// buy NO at `q` arrives as an ask at `1 - q`.
///
/// A full image is `Snapshot`, any number of `Set`, then `SnapshotEnd`. Frames never wait in an
/// update: it is small, owns nothing, and is applied at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// A full image begins; what the book held is gone.
    Snapshot {
        /// Whose book.
        market: MarketIndex,
        /// The connection that keeps it from here on.
        lane: Lane,
    },
    /// What rests at a level, in all.
    Set {
        /// Whose book.
        market: MarketIndex,
        /// Side of YES.
        side: Side,
        /// Price of YES.
        price: Price,
        /// New total, zero removes the level.
        quantity: Quantity,
    },
    /// By how much a level grew or shrank.
    Change {
        /// Whose book.
        market: MarketIndex,
        /// Side of YES.
        side: Side,
        /// Price of YES.
        price: Price,
        /// Signed difference.
        change: Change,
    },
    /// The image is complete: the book is whole.
    SnapshotEnd {
        /// Whose book.
        market: MarketIndex,
    },
    /// A frame about this market has been applied: its place in the source's order and its time.
    Stamp {
        /// What the time tells.
        kind: Stamped,
        /// Whose book.
        market: MarketIndex,
        /// The source's sequence number, zero where it has none.
        sequence: u64,
        /// When the venue made it; `None` where it did not say.
        source: Option<Timestamp>,
    },
    /// The best prices after the whole batch that this frame belongs to. Until the book agrees, the
    /// batch is open.
    Announced {
        /// Whose book.
        market: MarketIndex,
        /// Best bid of YES, `None` for an empty side.
        bid: Option<Price>,
        /// Best ask of YES, `None` for an empty side.
        ask: Option<Price>,
    },
    /// Evidence that every book of the lane is whole and live: a heartbeat or a frame, with no gap.
    LaneProof {
        /// Which connection.
        lane: Lane,
    },
    /// Evidence that this one book is live: a frame of its own.
    Proof {
        /// Whose book.
        market: MarketIndex,
    },
    /// A second source (REST) says what this book should be; see [`Reading`].
    Reading(Reading),
    /// The book can't be trusted until its next image.
    Lost {
        /// Whose book.
        market: MarketIndex,
        /// Why.
        why: Loss,
    },
    /// No book of the lane can be trusted until its next image.
    LaneLost {
        /// Which connection.
        lane: Lane,
        /// Why.
        why: Loss,
    },
    /// The venue changed which prices are valid; what was cached of the market is outdated.
    TicksChanged {
        /// Whose book.
        market: MarketIndex,
    },
    /// The venue opened, paused or closed the market.
    Trading {
        /// Whose book.
        market: MarketIndex,
        /// What holds from here on.
        status: crate::domain::market::Status,
    },
    /// The venue says that facts about the market other than its book changed: read it again.
    FactsChanged {
        /// Whose book.
        market: MarketIndex,
    },
    /// Nobody listened for a while, and facts about the market may have changed: read it again.
    FactsMissed {
        /// Whose book.
        market: MarketIndex,
    },
}

/// A book as read over REST, boiled down to what confirms or refutes the local one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Whose book.
    pub market: MarketIndex,
    /// When the venue took it; compared with the newest frame applied.
    pub source: Option<Timestamp>,
    /// Exclusive or of `level_checksum` over all levels of both sides, in terms of YES.
    pub checksum: u64,
}
