//! The one thread that writes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use crate::execute::Record;

use super::atlas::{Atlas, Name};
use super::talk::{Mark, Reply, Request, kept};
use super::{Error, codec};

/// How many lines one transaction takes at most.
const BATCH_MAX: usize = 4096;
/// For this long neither side goes to sleep: records come in bursts, a batch is written in less,
/// and to be woken takes longer than either.
const AWAKE: Duration = Duration::from_micros(100);
/// For this long a transaction waits for what belongs to it, unless somebody waits for it: what is
/// decided together comes one by one while orders are signed.
const GATHER: Duration = Duration::from_micros(300);
/// So many lines are moved from the log into the database when nothing has come for [`IDLE`], and
/// [`MOVED_AT_LAST`] in any case: to move them takes the disk's time, and no order should wait.
const MOVED_AT_REST: usize = 250;
/// See [`MOVED_AT_REST`]. A power cut takes no more than these with
/// [`Durability::Process`](super::Durability::Process).
pub(super) const MOVED_AT_LAST: usize = 1_000;
/// See [`MOVED_AT_REST`].
const IDLE: Duration = Duration::from_millis(20);

/// Something to be written.
#[derive(Debug)]
pub(super) enum Line {
    Record(Record),
    Market(u32, Name),
    Mark(Mark),
    Request(Request),
    Reply(Reply),
}

/// What the callers and the writer share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// How many lines were queued, how many are durable, and how many somebody waits for, to be
    /// looked at without the lock. What they say is only a reason to look at the state, which alone
    /// counts.
    marks: Marks,
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

    /// Says that so many lines are queued, and wakes the writer where it sleeps.
    pub(super) fn queued(&self, state: MutexGuard<'_, State>) {
        self.marks.queued.store(state.queued, Ordering::Release);
        let is_asleep = state.is_asleep;
        drop(state);
        if is_asleep {
            self.work.notify_one();
        }
    }

    /// Stays awake for a moment until so many lines are durable; the writer hears of it.
    pub(super) fn await_written(&self, lines: u64) {
        self.marks.wanted.fetch_max(lines, Ordering::AcqRel);
        stay_awake(Instant::now() + AWAKE, || self.marks.written.load(Ordering::Acquire) >= lines);
    }

    /// Stays awake for a moment until more lines are queued than that.
    fn await_queued(&self, lines: u64) {
        stay_awake(Instant::now() + AWAKE, || self.marks.queued.load(Ordering::Acquire) > lines);
    }

    /// Lines that join a transaction of so many: all that are queued where somebody waits for it,
    /// else those that come before `until`.
    fn joining(&self, taken: usize, until: Instant) -> Vec<Line> {
        let Marks { queued, written, wanted } = &self.marks;
        let written = written.load(Ordering::Acquire);
        let all = written + taken as u64;
        let is_wanted = || wanted.load(Ordering::Acquire) > written;
        stay_awake(until, || queued.load(Ordering::Acquire) > all || is_wanted());
        if !is_wanted() && Instant::now() >= until {
            return Vec::new();
        }
        let mut state = self.lock();
        let room = BATCH_MAX.saturating_sub(taken).min(state.queue.len());
        state.queue.drain(..room).collect()
    }
}

#[derive(Debug, Default)]
struct Marks {
    queued: AtomicU64,
    written: AtomicU64,
    wanted: AtomicU64,
}

/// Lets other threads run, but does not sleep, until it is done or the moment is over.
fn stay_awake(until: Instant, is_done: impl Fn() -> bool) {
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
    /// The writer sleeps and has to be woken.
    is_asleep: bool,
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
    let mut unmoved = 0;
    loop {
        let Some(mut state) = await_work(shared, unmoved) else {
            move_log(&connection);
            unmoved = 0;
            continue;
        };
        if state.is_closing && state.queue.is_empty() {
            break;
        }
        state.is_probed = false;
        let was_closing = state.is_closing;
        let count = state.queue.len().min(BATCH_MAX);
        let mut batch: Vec<Line> = state.queue.drain(..count).collect();
        drop(state);

        let until = Instant::now() + GATHER;
        let wrote = write(&mut connection, &mut batch, |taken| shared.joining(taken, until));

        let mut state = shared.lock();
        match wrote {
            Ok(()) => {
                unmoved += batch.len();
                state.written += batch.len() as u64;
                shared.marks.written.store(state.written, Ordering::Release);
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

/// Sleeps until there is something to do; `None` when the log is to be moved meanwhile.
fn await_work(shared: &Shared, unmoved: usize) -> Option<MutexGuard<'_, State>> {
    let mut state = shared.lock();
    if unmoved >= MOVED_AT_LAST {
        return None;
    }
    while !has_work(&state) {
        state.is_asleep = true;
        if unmoved >= MOVED_AT_REST {
            let waited = shared.work.wait_timeout(state, IDLE);
            let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if timeout.timed_out() && !has_work(&state) {
                state.is_asleep = false;
                return None;
            }
        } else {
            state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_asleep = false;
    }
    Some(state)
}

/// Moves what the log holds into the database, as far as nobody reads. What cannot be moved now
/// stays in the log and is moved the next time: nothing is lost by it.
fn move_log(connection: &Connection) {
    let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
}

fn has_work(state: &State) -> bool {
    let may_write = state.broken.is_none() || state.has_lost;
    state.is_closing || state.is_probed || (may_write && !state.queue.is_empty())
}

/// Writes a batch in one transaction, and what joins it: more lines are asked for, with how many it
/// has, until there are none.
pub(super) fn write(
    connection: &mut Connection,
    batch: &mut Vec<Line>,
    joining: impl Fn(usize) -> Vec<Line>,
) -> Result<(), Error> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if batch.is_empty() {
        change.execute("INSERT OR REPLACE INTO meta VALUES ('probed', '')", [])?;
    }
    let mut put_before = 0;
    loop {
        for line in &batch[put_before..] {
            put(&change, line)?;
        }
        put_before = batch.len();
        batch.extend(joining(put_before));
        if batch.len() == put_before {
            break;
        }
    }
    change.commit()?;
    Ok(())
}

fn put(change: &Connection, line: &Line) -> Result<(), Error> {
    match line {
        Line::Record(record) => {
            let row = codec::encode(record);
            change
                .prepare_cached(
                    "INSERT INTO records (kind, at_nanos, trade, intent, body) \
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute((&row.kind, row.at, row.trade, row.intent, &row.body))?
        }
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
