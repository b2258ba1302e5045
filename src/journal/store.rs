//! The journal in a file.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::report::Listing;
use crate::domain::{Instance, IntentId, MarketIndex, Timestamp, TradeId, Venue};
use crate::execute::Record;

use super::account::{Account, Claim};
use super::atlas::{Atlas, Name};
use super::replay::{Replay, Source};
use super::talk::{Mark, Reply, Request};
use super::writer::{self, Line, Shared, State};
use super::{Durability, Error, file};

/// More waiting records than this is an alarm: the writer does not keep up.
const QUEUE_MAX: u64 = 16_384;
/// More than this are not kept, and the journal has a hole until the next start.
const KEPT_MAX: u64 = 262_144;
/// How long a commit waits before it says that it does not know. Market data waits meanwhile.
const COMMIT_MAX: Duration = Duration::from_millis(50);
/// Orders whose records a power cut can take from the file with [`Durability::Process`] are never
/// more than this: the file is synced each time that [`writer::MOVED_AT_LAST`] lines and the batch
/// that reaches them were written, and every order has two.
const NUMBERS_SKIPPED: u64 = 10_000;

/// A journal that is open for writing: the only one on its file. Clones share it; the last one
/// writes what is left and closes it.
#[derive(Debug, Clone)]
pub struct Journal {
    open: Arc<Open>,
}

#[derive(Debug)]
struct Open {
    shared: Arc<Shared>,
    instance: Instance,
    /// How many requests the file held when it was opened: their numbers go on from there.
    requests: u64,
    thread: Option<JoinHandle<()>>,
    /// Held for as long as the journal is open: the file's lock, and the account's.
    _locks: Vec<File>,
}

impl Journal {
    /// Opens the journal of paper trading at `path`, or makes one; with it comes all that it holds.
    pub fn open(path: &Path, durability: Durability) -> Result<(Self, Replay), Error> {
        // Paper holds no account that another file could trade.
        let no_locks = Path::new("");
        Self::open_for(path, (&Account::Paper, Claim::Same), durability, no_locks)
    }

    /// Opens the journal of an account, whose locks lie in the folder `locks`. Nothing in the file
    /// is touched before it is known that nobody else trades with it or with the account.
    pub fn open_for(
        path: &Path,
        (account, claim): (&Account, Claim),
        durability: Durability,
        locks: &Path,
    ) -> Result<(Self, Replay), Error> {
        file::make_folder(path)?;
        let held = |pid| Error::Held { path: path.to_owned(), pid };
        let mut locks = account.lock(locks)?;
        locks.push(file::lock(&file::lock_path(path))?.map_err(held)?);
        let connection = file::write(path, durability)?;
        file::durably(&connection, durability, |change| account.claim(change, claim))?;
        let instance = instance(&connection)?;
        let replay = replay(&connection, path, durability)?;
        let requests = highest(&connection, "number", "sent")?;
        let shared = Arc::new(Shared::new(Atlas::new(replay.markets.clone())));
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || writer::run(connection, shared)
            })
            .map_err(|error| Error::File { path: path.to_owned(), text: error.to_string() })?;
        let open = Open { shared, instance, requests, thread: Some(thread), _locks: locks };
        Ok((Self { open: Arc::new(open) }, replay))
    }

    /// The journal's own name.
    pub fn instance(&self) -> Instance {
        self.open.instance
    }

    /// Says which market an index means in this process. Before any record names it.
    pub fn learn(&self, index: MarketIndex, venue: Venue, id: &str) {
        let mut state = self.open.shared.lock();
        if let Some(number) = state.atlas.learn(index, venue, id) {
            let name = Name { venue, id: id.to_owned() };
            push(&mut state, Line::Market(number, name));
        }
    }

    /// Puts records behind those before them; never waits. An error says that they are not
    /// written yet, not that they are forgotten.
    pub fn append(&self, records: &[Record]) -> Result<(), Error> {
        self.queue(records).map(|_| ())
    }

    /// Puts records behind those before them, and returns when all are durable.
    pub fn commit(&self, records: &[Record]) -> Result<(), Error> {
        let shared = &self.open.shared;
        let ticket = self.queue(records)?;
        shared.await_written(ticket);
        let deadline = Instant::now() + COMMIT_MAX;
        let mut state = shared.lock();
        while state.written < ticket {
            state.verdict()?;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(state.doubt(Error::Slow(COMMIT_MAX.as_millis())));
            }
            let waited = shared.done.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.verdict()
    }

    /// Whether the journal can be written, as far as is known; after a failure this makes the
    /// writer try again. Never waits: the outcome shows the next time. A writer that was slow is
    /// believed again when it has written all that was queued then.
    pub fn probe(&self) -> Result<(), Error> {
        let shared = &self.open.shared;
        let mut state = shared.lock();
        let verdict = state.verdict();
        state.is_probed |= verdict.is_err();
        drop(state);
        if verdict.is_err() {
            shared.work.notify_one();
        }
        verdict
    }

    /// Keeps how far a listing of the past was read, behind the records before it.
    pub fn mark(&self, mark: Mark) {
        let mut state = self.open.shared.lock();
        push(&mut state, Line::Mark(mark));
        self.open.shared.queued(state);
    }

    /// Keeps requests that left, for people to read. A journal that does not keep up does without.
    pub fn note_requests(&self, requests: impl IntoIterator<Item = Request>) {
        let lines = requests.into_iter().map(|mut request| {
            request.number += self.open.requests;
            Line::Request(request)
        });
        self.note(lines);
    }

    /// Keeps an answer, for people to read.
    pub fn note_reply(&self, mut reply: Reply) {
        reply.request += self.open.requests;
        self.note([Line::Reply(reply)]);
    }

    fn note(&self, lines: impl IntoIterator<Item = Line>) {
        let mut state = self.open.shared.lock();
        for line in lines {
            if state.waiting() < QUEUE_MAX {
                push(&mut state, line);
            }
        }
        self.open.shared.queued(state);
    }

    /// Queues records; the number says when they are all written.
    fn queue(&self, records: &[Record]) -> Result<u64, Error> {
        let mut state = self.open.shared.lock();
        let renamed: Result<Vec<_>, _> =
            records.iter().map(|record| state.atlas.inward(record)).collect();
        for record in renamed? {
            push(&mut state, Line::Record(record));
        }
        let verdict = verdict_on_queue(&mut state);
        let queued = state.queued;
        self.open.shared.queued(state);
        verdict.map(|()| queued)
    }
}

fn verdict_on_queue(state: &mut State) -> Result<(), Error> {
    state.verdict()?;
    if state.waiting() > QUEUE_MAX {
        let waiting = usize::try_from(state.waiting()).unwrap_or(usize::MAX);
        return Err(state.doubt(Error::QueueFull(waiting)));
    }
    Ok(())
}

fn push(state: &mut State, line: Line) {
    if state.waiting() >= KEPT_MAX {
        state.has_lost = true;
        state.broken = Some(Error::Lost);
    }
    // After a hole nothing follows: a later record without those before it would mislead.
    if state.has_lost {
        return;
    }
    state.queue.push_back(line);
    state.queued += 1;
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.lock().is_closing = true;
        self.shared.work.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so in the state.
            let _ = thread.join();
        }
    }
}

/// All that the journal at `path` holds, while another process may write it.
pub fn look(path: &Path) -> Result<Replay, Error> {
    let connection = file::read(path)?;
    let next =
        |column: &str| -> Result<u64, Error> { Ok(highest(&connection, column, "records")? + 1) };
    let (next_intent, next_trade) = (IntentId(next("intent")?), TradeId(next("trade")?));
    // Records first, then markets: every market that they name is there.
    let end = last(&connection)?;
    let markets = markets(&connection)?;
    let source = Source::File(connection, end);
    // Who only looks asks the venues nothing.
    Ok(Replay { source, markets, next_intent, next_trade, marks: Vec::new() })
}

/// The journal's name, drawn when it is made.
fn instance(connection: &Connection) -> Result<Instance, Error> {
    let mut drawn = [0; 16];
    aws_lc_rs::rand::fill(&mut drawn)
        .map_err(|_| Error::Database("no randomness for the journal's name".to_owned()))?;
    let drawn = uuid::Uuid::from_bytes(drawn).simple().to_string();
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('instance', ?1)", [&drawn])?;
    let kept: String =
        connection
            .query_row("SELECT value FROM meta WHERE key = 'instance'", [], |row| row.get(0))?;
    uuid::Uuid::try_parse(&kept)
        .map(|kept| Instance(kept.into_bytes()))
        .map_err(|_| Error::Database("the journal's name is not 32 hex digits".to_owned()))
}

fn replay(connection: &Connection, path: &Path, durability: Durability) -> Result<Replay, Error> {
    // A power cut must not take the mark and the numbers, whatever durability was asked for.
    let (next_intent, next_trade) =
        file::durably(connection, durability, |change| begin(change, durability))?;
    let end = last(connection)?;
    let source = Source::File(file::read(path)?, end);
    let (markets, marks) = (markets(connection)?, marks(connection)?);
    Ok(Replay { source, markets, next_intent, next_trade, marks })
}

/// Marks the file as in use, and says with which numbers it goes on.
fn begin(connection: &Connection, durability: Durability) -> Result<(IntentId, TradeId), Error> {
    let before: Option<String> = connection
        .query_row("SELECT value FROM meta WHERE key = 'running'", [], |row| row.get(0))
        .optional()?;
    let skipped = match before.as_deref() {
        Some("process") => NUMBERS_SKIPPED,
        _ => 0,
    };
    let next = |column: &str| -> Result<u64, Error> {
        let sql = "SELECT value FROM meta WHERE key = ?1";
        let floor: Option<String> =
            connection.query_row(sql, [format!("{column}_floor")], |row| row.get(0)).optional()?;
        let floor = floor.and_then(|text| text.parse().ok()).unwrap_or(1);
        let next = floor.max(highest(connection, column, "records")? + 1) + skipped;
        connection.execute(
            "INSERT OR REPLACE INTO meta VALUES (?1, ?2)",
            (format!("{column}_floor"), next.to_string()),
        )?;
        Ok(next)
    };
    let (next_intent, next_trade) = (IntentId(next("intent")?), TradeId(next("trade")?));
    connection
        .execute("INSERT OR REPLACE INTO meta VALUES ('running', ?1)", [durability.name()])?;
    Ok((next_intent, next_trade))
}

fn marks(connection: &Connection) -> Result<Vec<Mark>, Error> {
    let mut statement = connection.prepare("SELECT venue, listing, until_nanos FROM watermarks")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
    })?;
    let mut marks = Vec::new();
    for row in rows {
        let (venue, listing, until) = row?;
        let venue = Venue::ALL.into_iter().find(|one| one.name() == venue);
        let listing = Listing::ALL.into_iter().find(|one| one.name() == listing);
        // One that is not understood is read again from the beginning.
        if let (Some(venue), Some(listing)) = (venue, listing) {
            marks.push(Mark { venue, listing, until: Timestamp::from_nanos(until) });
        }
    }
    Ok(marks)
}

/// The highest number in this column.
fn highest(connection: &Connection, column: &str, table: &str) -> Result<u64, Error> {
    let sql = format!("SELECT coalesce(max({column}), 0) FROM {table}");
    let seen: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(u64::try_from(seen).unwrap_or(0))
}

fn last(connection: &Connection) -> Result<i64, Error> {
    let sql = "SELECT coalesce(max(seq), 0) FROM records";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

fn markets(connection: &Connection) -> Result<Vec<Name>, Error> {
    let mut statement =
        connection.prepare("SELECT number, venue, id FROM markets ORDER BY number")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    let mut names = Vec::new();
    for (place, row) in (0i64..).zip(rows) {
        let (number, venue, id) = row?;
        let venue = Venue::ALL.into_iter().find(|one| one.name() == venue);
        match venue {
            Some(venue) if number == place => names.push(Name { venue, id }),
            _ => return Err(Error::Database(format!("market {number} makes no sense"))),
        }
    }
    Ok(names)
}
