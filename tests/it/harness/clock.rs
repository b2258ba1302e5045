//! Virtual time for code that waits: a clock of this thread, and sleeps that end when it says so.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crossbook::domain::Timestamp;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(0) };
    static WAKES: RefCell<BTreeSet<i64>> = const { RefCell::new(BTreeSet::new()) };
}

/// Starts the clock of this thread anew.
pub(crate) fn start(now: Timestamp) {
    NOW.set(now.nanos());
    WAKES.with_borrow_mut(BTreeSet::clear);
}

/// Moves the clock of this thread.
pub(crate) fn set(now: Timestamp) {
    NOW.set(now.nanos());
}

/// The time on this thread, in the form that clients ask for.
pub(crate) fn unix_nanos() -> i64 {
    NOW.get()
}

/// When the next sleep ends.
pub(crate) fn next_wake() -> Timestamp {
    WAKES.with_borrow(|wakes| {
        wakes.first().map_or(Timestamp::MAX, |nanos| Timestamp::from_nanos(*nanos))
    })
}

/// Forgets the wakes that have come.
pub(crate) fn take_due() {
    WAKES.with_borrow_mut(|wakes| wakes.retain(|wake| *wake > NOW.get()));
}

/// Ends when the clock has moved on by `span`.
pub(crate) fn sleep(span: Duration) -> Sleep {
    Sleep { until: Timestamp::from_nanos(NOW.get()).after(span).nanos() }
}

pub(crate) struct Sleep {
    until: i64,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if NOW.get() >= self.until {
            return Poll::Ready(());
        }
        WAKES.with_borrow_mut(|wakes| wakes.insert(self.until));
        Poll::Pending
    }
}
