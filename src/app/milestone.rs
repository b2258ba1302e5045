//! The milestones of an order's way out, each a trace event that whoever measures can stamp.
//!
//! Nobody listens in an ordinary run, and then an event costs one look at a level. The clock is the
//! listener's.

/// The target of the events.
pub const TARGET: &str = "crossbook::milestone";

/// A point on the way from a frame to the requests it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Milestone {
    /// A frame was read off its socket.
    Read,
    /// The engine has said what follows from it.
    Decided,
    /// The orders are named, signed and given to the journal.
    Signed,
    /// The journal holds them.
    Durable,
    /// A request is given to its connection.
    Sent,
}

impl Milestone {
    /// All, in order.
    pub const ALL: [Self; 5] = [Self::Read, Self::Decided, Self::Signed, Self::Durable, Self::Sent];

    /// The name in the event's field `milestone`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Decided => "decided",
            Self::Signed => "signed",
            Self::Durable => "durable",
            Self::Sent => "sent",
        }
    }

    /// Says that it is reached.
    pub fn reached(self) {
        tracing::trace!(target: TARGET, milestone = self.name());
    }
}
