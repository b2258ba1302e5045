//! Venues, outcomes and the sides of a book.

use std::fmt;

/// Where a market trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Venue {
    /// kalshi.com, the exchange regulated by the CFTC.
    Kalshi,
    /// polymarket.com, the global order book on Polygon.
    Polymarket,
}

impl Venue {
    /// Both venues, in the order in which legs are listed.
    pub const ALL: [Self; 2] = [Self::Kalshi, Self::Polymarket];

    /// The venue's name in records and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kalshi => "kalshi",
            Self::Polymarket => "polymarket",
        }
    }
}

impl fmt::Display for Venue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One of the two contracts of a market. On Polymarket `Yes` is the first listed outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Pays a dollar when the event happens.
    Yes,
    /// Pays a dollar when it does not.
    No,
}

impl Outcome {
    /// The other contract of the market.
    pub const fn other(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
        }
    }

    /// The outcome's name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A side of the book of YES.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Offers to buy YES, which are offers to sell NO at the mirrored price.
    Bid,
    /// Offers to sell YES, which are offers to buy NO at the mirrored price.
    Ask,
}
