//! One venue's side of the desk: its gateway, its budgets, and what waits for them.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::report::Listing;
use crate::domain::{Timestamp, Venue};
use crate::net::backoff::Backoff;
use crate::net::rate::Bucket;
use crate::venue::gateway::{Answer, Call, Class, Gateway, Left};

/// Calls that may wait for one venue's budget; beyond it the newest question is dropped, to be
/// asked again by whoever still wants to know.
pub(super) const WAITING_MAX: usize = 10_000;
/// A call that waited for longer is not sent any more: its signature would be refused as too old.
const WAIT_MAX: Duration = Duration::from_secs(3);

/// The first and the longest wait after a read that was too much; longer ones are the venue's word.
const LIMITED_WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));
/// How long after a part of a reading of the account did not come all of it is read again.
const READ_AGAIN: Duration = Duration::from_secs(2);
/// The longest wait that a venue is believed to want.
const HELD_MAX: Duration = Duration::from_secs(60);

/// What is due at a venue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) reconcile: Timestamp,
    pub(super) permission: Timestamp,
    /// When payments are looked for since the first market that is not known to have paid.
    pub(super) payments: Timestamp,
    /// What each listing of the past had at this time has been told.
    read_until: [Timestamp; Listing::ALL.len()],
}

impl Due {
    /// Until when a listing has been read whole.
    pub(super) const fn read_until(&self, listing: Listing) -> Timestamp {
        self.read_until[listing as usize]
    }

    /// A listing was read whole until then.
    pub(super) fn read(&mut self, listing: Listing, until: Timestamp) {
        let known = &mut self.read_until[listing as usize];
        *known = until.max(*known);
    }

    /// Nothing of the past after this is known to have been read.
    pub(super) const fn read_from(&mut self, since: Timestamp) {
        self.read_until = [since; Listing::ALL.len()];
    }
}

/// What is let out first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// It follows from an answer: a question that is not asked to its end was asked for nothing.
    Next,
    /// It begins something.
    First,
}

/// A call that waits for its budget.
struct Waiting {
    call: Call,
    turn: Turn,
    since: Timestamp,
}

/// What became of calls that waited.
#[derive(Default)]
pub(super) struct Released {
    /// To be carried now.
    pub(super) free: Vec<Call>,
    /// Too old to be sent as they are.
    pub(super) expired: Vec<Call>,
}

/// One venue's side of the desk.
pub(super) struct Counter {
    pub(super) gateway: Box<dyn Gateway>,
    pub(super) orders: Bucket,
    cancels: Bucket,
    reads: Bucket,
    /// Until when nothing is read because the venue said that it was too much, and how long the
    /// next time.
    reads_held: Timestamp,
    patience: Backoff,
    waiting: VecDeque<Waiting>,
    pub(super) due: Due,
}

impl Counter {
    pub(super) fn new(gateway: Box<dyn Gateway>, since: Timestamp) -> Self {
        let bucket = |class| {
            let budget = gateway.budget(class);
            Bucket::new(budget.capacity, budget.refill_per_s)
        };
        Self {
            orders: bucket(Class::Order),
            cancels: bucket(Class::Cancel),
            reads: bucket(Class::Read),
            reads_held: Timestamp::ZERO,
            patience: Backoff::new(
                LIMITED_WAIT.0,
                LIMITED_WAIT.1,
                u64::from(gateway.venue() == Venue::Polymarket),
            ),
            waiting: VecDeque::new(),
            due: Due {
                reconcile: Timestamp::ZERO,
                permission: Timestamp::ZERO,
                payments: Timestamp::ZERO,
                read_until: [since; Listing::ALL.len()],
            },
            gateway,
        }
    }

    /// Takes over what the venue said that it grants.
    pub(super) fn take_budgets(&mut self) {
        for (class, bucket) in [
            (Class::Order, &mut self.orders),
            (Class::Cancel, &mut self.cancels),
            (Class::Read, &mut self.reads),
        ] {
            let budget = self.gateway.budget(class);
            bucket.resize(budget.capacity, budget.refill_per_s);
        }
    }

    /// Learns from the answer to an order or a cancel that it was too much for the venue: what was
    /// counted here is not there; for orders it does not come back before the venue says so.
    pub(super) fn note_written(&mut self, class: Class, answer: &Answer<'_>, now: Timestamp) {
        let bucket = match class {
            Class::Order => &mut self.orders,
            Class::Cancel => &mut self.cancels,
            Class::Read => return,
        };
        if let Answer::Reply { status: 429, retry_after, .. } = answer {
            // A cancel is tried as soon as it is paid for: nothing else can be done about an order.
            let wait = retry_after.filter(|_| class == Class::Order).unwrap_or_default();
            bucket.drain(now.after(wait.min(HELD_MAX)).nanos());
        }
    }

    /// Takes in what the venue says is left of a budget. Cancels are not held, as after a refusal.
    pub(super) fn note_left(&mut self, class: Class, left: Left, now: Timestamp) {
        let bucket = match class {
            Class::Order => &mut self.orders,
            Class::Cancel => &mut self.cancels,
            Class::Read => return,
        };
        bucket.lower(left.tokens, now.nanos());
        let until = left.until.filter(|_| class == Class::Order && left.tokens == 0);
        if let Some(until) = until.filter(|until| *until > now) {
            bucket.drain(until.min(now.after(HELD_MAX)).nanos());
        }
    }

    /// Learns from the answer to a read whether it was too much for the venue.
    pub(super) fn note_read(&mut self, answer: &Answer<'_>, now: Timestamp) {
        match answer {
            Answer::Reply { status: 429, retry_after, .. } => {
                self.reads.drain(now.nanos());
                let wait = self.patience.wait().max(retry_after.unwrap_or_default());
                self.reads_held = self.reads_held.max(now.after(wait.min(HELD_MAX)));
                self.read_again(now);
            }
            Answer::Reply { .. } => self.patience.reset(),
            Answer::NotSent(_) | Answer::Lost(_) => {}
        }
    }

    /// A part of a reading of the account did not come, and the rest proves nothing without it: it
    /// is read again before its usual time, but not so soon that it keeps others from being asked.
    pub(super) fn read_again(&mut self, now: Timestamp) {
        let soon = self.reads_held.max(now.after(READ_AGAIN));
        self.due.reconcile = self.due.reconcile.min(soon);
    }

    /// Lets a call wait.
    pub(super) fn queue(&mut self, call: Call, turn: Turn, now: Timestamp) {
        self.waiting.push_back(Waiting { call, turn, since: now });
        if self.waiting.len() > WAITING_MAX {
            self.drop_one(now);
        }
    }

    /// Too much waits: the newest question goes, and where there is none, the newest call. The
    /// first in line is what takes an order back.
    fn drop_one(&mut self, now: Timestamp) {
        let is_question =
            |one: &Waiting| one.call.class == Class::Read && !super::is_to_cancel(&one.call);
        let all = || self.waiting.iter().enumerate();
        let newest = all().filter(|(_, one)| is_question(one)).max_by_key(|(_, one)| one.since);
        let newest = newest.or_else(|| all().max_by_key(|(_, one)| one.since));
        let dropped = newest.map(|(at, _)| at).and_then(|at| self.waiting.remove(at));
        // It may have been a part of a reading of the account.
        if dropped.is_some_and(|one| is_question(&one)) {
            self.read_again(now);
        }
    }

    /// What waits.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Call> + '_ {
        self.waiting.iter().map(|waiting| &waiting.call)
    }

    /// Takes out what the budgets have room for, cancels first, then what goes on with a question,
    /// and at most so many, and what is too old.
    pub(super) fn release(&mut self, room: usize, now: Timestamp) -> Released {
        let mut room = room;
        let mut released = Released::default();
        let (mut reads_open, mut writes_open) = (now >= self.reads_held, true);
        let mut waiting: Vec<Waiting> = std::mem::take(&mut self.waiting).into();
        waiting.sort_by_key(|waiting| (!super::is_to_cancel(&waiting.call), waiting.turn));
        for one in waiting {
            if now.since(one.since) > WAIT_MAX {
                released.expired.push(one.call);
                continue;
            }
            let (bucket, open) = match one.call.class {
                Class::Cancel => (&mut self.cancels, &mut writes_open),
                Class::Order => (&mut self.orders, &mut writes_open),
                Class::Read => (&mut self.reads, &mut reads_open),
            };
            if room > 0 && *open && bucket.take(u64::from(one.call.cost), now.nanos()).is_ok() {
                room -= 1;
                released.free.push(one.call);
            } else {
                *open = false;
                self.waiting.push_back(one);
            }
        }
        released
    }
}
