//! Whether a book may be believed.

use crate::domain::Timestamp;

/// Why a book stopped being whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Loss {
    /// The connection ended.
    Disconnected,
    /// A sequence number was skipped.
    Gap,
    /// The venue ended the subscription (Kalshi errors 10 and 25).
    Terminated,
    /// Nothing was heard for too long.
    Silent,
    /// No image arrived within the deadline.
    NoSnapshot,
    /// A change took a level below nothing, or a message could not be understood.
    Broken,
    /// Bid and ask crossed, or disagreed with the announced best, for longer than a batch lasts.
    Crossed,
    /// A reading over REST showed another book twice.
    Refuted,
    /// The tick size changed; the venue sends a new image.
    Ticks,
    /// The market is not watched any more.
    Unwatched,
}

impl Loss {
    /// The reason in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Gap => "sequence_gap",
            Self::Terminated => "subscription_ended",
            Self::Silent => "silent",
            Self::NoSnapshot => "no_snapshot",
            Self::Broken => "broken_message",
            Self::Crossed => "crossed",
            Self::Refuted => "refuted_by_rest",
            Self::Ticks => "ticks_changed",
            Self::Unwatched => "unwatched",
        }
    }
}

/// The life of a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// No image yet.
    Awaiting,
    /// An image is coming in.
    Loading,
    /// Whole.
    Whole,
    /// Not to be believed until the next image.
    Lost {
        /// Why.
        why: Loss,
        /// Since when.
        since: Timestamp,
    },
}
