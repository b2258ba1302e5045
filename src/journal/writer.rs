//! The one thread that writes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use super::Error;
use super::atlas::{Atlas, Name};
use super::row::Row;
use super::talk::{Mark, Reply, Request, kept};

/// How many lines one transaction takes at most.
const BATCH_MAX: usize = 4096;
/// For this long neither side goes to sleep: records come in bursts, a batch is written in less,
/// and to be woken takes longer than either.
const AWAKE: Duration = Duration::from_micros(100);

/// Something to be written.
#[derive(Debug)]
pub(super) enum Line {
    Record(Row),
    Market(u32, Name),
    Mark(Mark),
    Request(Request),
    Reply(Reply),
}

/// What the callers and the writer share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// How many lines were queued and how many are durable, to be looked at without the lock. What
    /// they say is only a reason to look at the state, which alone counts.
    marks: [AtomicU64; 2],
    /// There is something to do.
    pub(super) work: Condvar,
    /// Something was written, or could not be.
    pub(super) done: Condvar,
}

impl Shared {
    pub(super) fn new(atlas: Atlas) -> Self {
        Self { state: Mutex::new(State { atlas, ..State::default() }), ..Self::default() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that so many lines are queued.
    pub(super) fn mark_queued(&self, lines: u64) {
        self.marks[0].store(lines, Ordering::Release);
    }

    /// Stays awake for a moment until so many lines are durable.
    pub(super) fn await_written(&self, lines: u64) {
        stay_awake(|| self.marks[1].load(Ordering::Acquire) >= lines);
    }

    /// Stays awake for a moment until more lines are queued than that.
    fn await_queued(&self, lines: u64) {
        stay_awake(|| self.marks[0].load(Ordering::Acquire) > lines);
    }
}

/// Lets other threads run, but does not sleep, until it is done or the moment is over.
fn stay_awake(is_done: impl Fn() -> bool) {
    let until = Instant::now() + AWAKE;
    while !is_done() && Instant::now() < until {
        std::thread::yield_now();
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) atlas: Atlas,
    /// What is to be written, in order. A batch under way is not in it.
    pub(super) queue: VecDeque<Line>,
    /// How many lines were ever queued.
    pub(super) queued: u64,
    /// How many of them are durable.
    pub(super) written: u64,
    /// Why the last attempt failed.
    pub(super) broken: Option<Error>,
    /// Why it is not known whether writing works, until this many lines are durable.
    pub(super) doubt: Option<(Error, u64)>,
    /// Something was dropped: nothing makes this good but a restart.
    pub(super) has_lost: bool,
    /// Somebody wants to know whether writing works again.
    pub(super) is_probed: bool,
    pub(super) is_closing: bool,
}

impl State {
    pub(super) fn waiting(&self) -> u64 {
        self.queued - self.written
    }

    /// Doubts the writer until it has written all that is queued.
    pub(super) fn doubt(&mut self, error: Error) -> Error {
        self.doubt = Some((error.clone(), self.queued));
        error
    }

    /// Whether what is queued now is written soon, as far as is known.
    pub(super) fn verdict(&mut self) -> Result<(), Error> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        match &self.doubt {
            Some((error, until)) if self.written < *until => Err(error.clone()),
            _ => {
                self.doubt = None;
                Ok(())
            }
        }
    }
}

/// Whether the thread ended in order; if not, callers learn it here.
struct Watch(Arc<Shared>);

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if state.waiting() > 0 || !state.is_closing {
            state.broken = Some(Error::Stopped);
        }
        drop(state);
        self.0.done.notify_all();
    }
}

/// Writes until the journal is closed; then writes what is left and says that it ended in order.
pub(super) fn run(mut connection: Connection, shared: Arc<Shared>) {
    let watch = Watch(shared);
    let shared = &*watch.0;
    loop {
        let mut state = shared.lock();
        while !has_work(&state) {
            state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_closing && state.queue.is_empty() {
            break;
        }
        state.is_probed = false;
        let was_closing = state.is_closing;
        let count = state.queue.len().min(BATCH_MAX);
        let batch: VecDeque<Line> = state.queue.drain(..count).collect();
        drop(state);

        let wrote = write(&mut connection, &batch);

        let mut state = shared.lock();
        match wrote {
            Ok(()) => {
                state.written += batch.len() as u64;
                shared.marks[1].store(state.written, Ordering::Release);
                state.broken = state.has_lost.then_some(Error::Lost);
            }
            Err(error) => {
                for line in batch.into_iter().rev() {
                    state.queue.push_front(line);
                }
                state.broken = Some(error);
            }
        }
        let gives_up = was_closing && state.broken.is_some();
        let queued = state.queued;
        drop(state);
        shared.done.notify_all();
        if gives_up {
            return;
        }
        shared.await_queued(queued);
    }
    // A failure here only means that the next start skips some numbers.
    let _ = connection.execute("DELETE FROM meta WHERE key = 'running'", []);
}

fn has_work(state: &State) -> bool {
    let may_write = state.broken.is_none() || state.has_lost;
    state.is_closing || state.is_probed || (may_write && !state.queue.is_empty())
}

pub(super) fn write(connection: &mut Connection, batch: &VecDeque<Line>) -> Result<(), Error> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if batch.is_empty() {
        change.execute("INSERT OR REPLACE INTO meta VALUES ('probed', '')", [])?;
    }
    for line in batch {
        put(&change, line)?;
    }
    change.commit()?;
    Ok(())
}

fn put(change: &Connection, line: &Line) -> Result<(), Error> {
    match line {
        Line::Record(row) => change
            .prepare_cached(
                "INSERT INTO records (kind, at_nanos, trade, intent, body) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((&row.kind, row.at, row.trade, row.intent, &row.body))?,
        Line::Market(number, name) => change
            .prepare_cached("INSERT INTO markets (number, venue, id) VALUES (?1, ?2, ?3)")?
            .execute((number, name.venue.name(), &name.id))?,
        Line::Mark(Mark { venue, listing, until }) => change
            .prepare_cached("INSERT OR REPLACE INTO watermarks VALUES (?1, ?2, ?3)")?
            .execute((venue.name(), listing.name(), until.nanos()))?,
        Line::Request(Request { number, at, venue, intent, kind, method, url, body }) => {
            let number = i64::try_from(*number).unwrap_or(i64::MAX);
            let intent = intent.and_then(|intent| i64::try_from(intent.0).ok());
            let (at, venue, body) = (at.nanos(), venue.name(), body.as_deref().map(kept));
            change
                .prepare_cached("INSERT INTO sent VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
                .execute((number, at, venue, intent, kind, method, url, body))?
        }
        Line::Reply(Reply { request, at, status, body }) => {
            let request = i64::try_from(*request).unwrap_or(i64::MAX);
            change
                .prepare_cached("INSERT OR IGNORE INTO heard VALUES (?1, ?2, ?3, ?4)")?
                .execute((request, at.nanos(), status, kept(body)))?
        }
    };
    Ok(())
}
