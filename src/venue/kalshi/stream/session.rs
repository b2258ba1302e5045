//! What one open connection remembers.

use crate::domain::Timestamp;

/// The order of one subscription: every frame takes the next number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Order {
    next: Option<u64>,
}

/// How a number follows on the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is the number that was due, or the first that was seen.
    Due,
    /// Another number was due.
    Jump { expected: u64 },
}

impl Order {
    /// Takes a frame's number; counting goes on from it whatever was due. The first number seen is
    /// a start like any other: what matters is that nothing is missed after a book's image.
    pub(super) const fn take(&mut self, seq: u64) -> Step {
        let due = self.next;
        self.next = Some(seq.saturating_add(1));
        match due {
            Some(expected) if expected != seq => Step::Jump { expected },
            _ => Step::Due,
        }
    }
}

/// A subscription, from the wish to the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subscription {
    /// Not asked for; will be at `retry_at`.
    Idle { retry_at: Timestamp },
    /// Asked for by command `id`; the answer is missed from `by` on.
    Asked { id: u64, by: Timestamp },
    /// Live under a number of its own.
    Live { sid: u64, order: Order },
}

impl Subscription {
    pub(super) const fn sid(&self) -> Option<u64> {
        match self {
            Self::Live { sid, .. } => Some(*sid),
            Self::Idle { .. } | Self::Asked { .. } => None,
        }
    }

    pub(super) fn was_asked_by(&self, command: Option<u64>) -> bool {
        matches!(self, Self::Asked { id, .. } if Some(*id) == command)
    }

    const fn due(&self) -> Timestamp {
        match self {
            Self::Idle { retry_at } => *retry_at,
            Self::Asked { by, .. } => *by,
            Self::Live { .. } => Timestamp::MAX,
        }
    }
}

/// The remedies for a lane that lost its books, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rung {
    /// A new image of every market was asked for.
    Snapshots,
    /// The subscription was ended and made anew.
    Resubscribe,
}

/// A resync under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ladder {
    pub(super) rung: Rung,
    /// When the next rung is tried.
    pub(super) by: Timestamp,
    /// How many books are still missing.
    pub(super) missing: usize,
}

/// One open connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) opened: Timestamp,
    /// When anything was last heard.
    pub(super) heard: Timestamp,
    pub(super) books: Subscription,
    pub(super) lifecycle: Subscription,
    /// How often the lifecycle subscription failed.
    pub(super) lifecycle_failures: u32,
    /// `Some` while books that the lane lost are missing.
    pub(super) ladder: Option<Ladder>,
    /// Book subscriptions that were given up; their late frames mean nothing.
    pub(super) retired: Vec<u64>,
    /// Tickers whose market was dropped while the subscription was being made.
    pub(super) leftovers: Vec<Box<str>>,
    /// The earliest time at which an awaited image may be missed.
    pub(super) next_check: Timestamp,
    /// How many frames made no sense.
    pub(super) strange: u32,
    /// Whether the first acknowledgement has been announced.
    pub(super) announced: bool,
    /// Whether any book has come.
    pub(super) imaged: bool,
}

impl Session {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self {
            opened: now,
            heard: now,
            books: Subscription::Idle { retry_at: Timestamp::MAX },
            lifecycle: Subscription::Idle { retry_at: Timestamp::MAX },
            lifecycle_failures: 0,
            ladder: None,
            retired: Vec::new(),
            leftovers: Vec::new(),
            next_check: Timestamp::MAX,
            strange: 0,
            announced: false,
            imaged: false,
        }
    }

    /// When the session is due next, silence aside.
    pub(super) fn due(&self) -> Timestamp {
        let ladder = self.ladder.map_or(Timestamp::MAX, |ladder| ladder.by);
        self.books.due().min(self.lifecycle.due()).min(ladder).min(self.next_check)
    }

    pub(super) fn check_at(&mut self, at: Timestamp) {
        self.next_check = self.next_check.min(at);
    }

    /// Gives up the present book subscription and says which it was.
    pub(super) fn retire_books(&mut self) -> Option<u64> {
        /// Late frames come within a moment: only the newest few have to be known.
        const REMEMBERED_MAX: usize = 64;
        let sid = self.books.sid();
        if self.retired.len() == REMEMBERED_MAX {
            self.retired.remove(0);
        }
        self.retired.extend(sid);
        self.books = Subscription::Idle { retry_at: Timestamp::MAX };
        sid
    }

    /// One of the missing books has come back, or is missed no more.
    pub(super) fn found(&mut self) {
        if let Some(ladder) = &mut self.ladder {
            ladder.missing = ladder.missing.saturating_sub(1);
            if ladder.missing == 0 {
                self.ladder = None;
            }
        }
    }
}
