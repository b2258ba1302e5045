//! Two books and a pair: an edge, or the named reason why there is none.
//!
//! `gate` decides whether a book may be believed now; `edge` walks the two ladders together, `fit`
//! brings what was walked onto the venues' size grids, `payoff` says what it is worth. All are
//! pure, none allocates once its buffers are warm.

pub mod edge;
mod fit;
pub mod gate;
mod payoff;

/// Why a direction of a pair makes no edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoEdge {
    /// A market of the pair is not known yet.
    MarketUnknown,
    /// The book is not whole: no image yet, or something was missed.
    FeedNotLive,
    /// The venue does not take orders in the market.
    MarketPaused,
    /// Trading in the market is over, or about to be.
    NearClose,
    /// The game is about to begin or has just begun.
    NearStart,
    /// A batch of frames is not complete.
    BatchOpen,
    /// Bid and ask of one book cross.
    Crossed,
    /// The last proof that the book is whole and live is too old.
    Stale,
    /// Frames arrive long after the venue made them.
    FeedLag,
    /// The venue's clock and ours are too far apart to judge ages.
    ClockOffset,
    /// The fee is not known, or not understood.
    FeeUnknown,
    /// The fee was read too long ago.
    FeeOutdated,
    /// The quotes of contracts that are the same are too far apart, bid to ask, to believe that.
    MidsApart,
    /// Nothing is offered on one side.
    NoDepth,
    /// Both legs cost as much as they pay, or too little is left.
    BelowThreshold,
    /// What can be bought at a profit is less than a venue's smallest order.
    BelowMinimum,
    /// The edge is too good to be true.
    TooGood,
}

impl NoEdge {
    /// All reasons, in the order of their index.
    pub const ALL: [Self; 17] = [
        Self::MarketUnknown,
        Self::FeedNotLive,
        Self::MarketPaused,
        Self::NearClose,
        Self::NearStart,
        Self::BatchOpen,
        Self::Crossed,
        Self::Stale,
        Self::FeedLag,
        Self::ClockOffset,
        Self::FeeUnknown,
        Self::FeeOutdated,
        Self::MidsApart,
        Self::NoDepth,
        Self::BelowThreshold,
        Self::BelowMinimum,
        Self::TooGood,
    ];

    /// The reason's place in [`NoEdge::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The reason in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MarketUnknown => "market_unknown",
            Self::FeedNotLive => "feed_not_live",
            Self::MarketPaused => "market_paused",
            Self::NearClose => "near_close",
            Self::NearStart => "near_start",
            Self::BatchOpen => "batch_open",
            Self::Crossed => "crossed",
            Self::Stale => "stale",
            Self::FeedLag => "feed_lag",
            Self::ClockOffset => "clock_offset",
            Self::FeeUnknown => "fee_unknown",
            Self::FeeOutdated => "fee_outdated",
            Self::MidsApart => "mids_apart",
            Self::NoDepth => "no_depth",
            Self::BelowThreshold => "below_threshold",
            Self::BelowMinimum => "below_minimum",
            Self::TooGood => "too_good",
        }
    }

    /// Whether the reason speaks against the pair rather than for a price: contracts that are the
    /// same do not differ that much.
    pub const fn speaks_against_the_pair(self) -> bool {
        matches!(self, Self::TooGood | Self::MidsApart)
    }

    /// Whether the reason can pass, or come, without a change of either book.
    pub const fn passes_with_time(self) -> bool {
        match self {
            Self::MarketPaused
            | Self::NearClose
            | Self::NearStart
            | Self::BatchOpen
            | Self::Stale
            | Self::FeedLag
            | Self::ClockOffset
            | Self::FeeUnknown
            | Self::FeeOutdated
            | Self::FeedNotLive => true,
            Self::MarketUnknown
            | Self::Crossed
            | Self::MidsApart
            | Self::NoDepth
            | Self::BelowThreshold
            | Self::BelowMinimum
            | Self::TooGood => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_index_and_a_name_of_its_own() {
        let mut names = std::collections::BTreeSet::new();
        for (at, reason) in NoEdge::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), at);
            assert!(names.insert(reason.name()));
        }
    }
}
