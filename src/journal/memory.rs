//! A journal without a file, for virtual time: it encodes and decodes like the real one, writes
//! when it is told, and can be broken and crashed on purpose.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::{Instance, IntentId, MarketIndex, TradeId, Venue};
use crate::execute::Record;

use super::atlas::{Atlas, Name};
use super::replay::{Replay, Source};
use super::row::Row;
use super::{Error, Mark, codec};

/// What survives a crash. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    platter: Arc<Mutex<Platter>>,
}

#[derive(Debug, Default)]
struct Platter {
    rows: Vec<Row>,
    markets: Vec<Name>,
    /// How far each listing was read, each once.
    marks: Vec<Mark>,
    /// Why nothing can be written at present.
    fault: Option<Error>,
    /// No record beyond this many ever arrives.
    crash_after: Option<usize>,
}

impl Disk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.platter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many records it holds.
    pub fn writes(&self) -> usize {
        self.platter().rows.len()
    }

    /// From now on nothing can be written, for this reason; `None` makes it work again.
    pub fn fail(&self, fault: Option<Error>) {
        self.platter().fault = fault;
    }

    /// The process dies when this many records are written: none after them arrives, and every
    /// commit that held one of those fails with [`Error::Stopped`].
    pub fn crash_after(&self, writes: usize) {
        self.platter().crash_after = Some(writes);
    }

    /// Whether the process that used this disk has died.
    pub fn has_crashed(&self) -> bool {
        let platter = self.platter();
        platter.crash_after.is_some_and(|writes| platter.rows.len() >= writes)
    }
}

/// A journal on a [`Disk`]. Clones share it.
#[derive(Debug, Clone)]
pub struct Memory {
    disk: Disk,
    instance: Instance,
    pen: Arc<Mutex<Pen>>,
}

/// What dies with the process.
#[derive(Debug)]
struct Pen {
    atlas: Atlas,
    pending: Vec<Line>,
}

/// What waits to be written, in order.
#[derive(Debug)]
enum Line {
    Record(Row),
    Mark(Mark),
}

impl Memory {
    /// Opens what the disk holds; a crash that was set before is over.
    pub fn open(disk: &Disk, instance: Instance) -> (Self, Replay) {
        let mut platter = disk.platter();
        platter.crash_after = None;
        let next = |of: fn(&Row) -> Option<i64>| {
            let seen = platter.rows.iter().filter_map(of).max().unwrap_or(0);
            u64::try_from(seen).unwrap_or(0) + 1
        };
        let replay = Replay {
            source: Source::Rows(platter.rows.clone().into()),
            markets: platter.markets.clone(),
            next_intent: IntentId(next(|row| row.intent)),
            next_trade: TradeId(next(|row| row.trade)),
            marks: platter.marks.clone(),
        };
        let pen = Pen { atlas: Atlas::new(platter.markets.clone()), pending: Vec::new() };
        drop(platter);
        (Self { disk: disk.clone(), instance, pen: Arc::new(Mutex::new(pen)) }, replay)
    }

    fn pen(&self) -> MutexGuard<'_, Pen> {
        self.pen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The journal's own name.
    pub const fn instance(&self) -> Instance {
        self.instance
    }

    /// Says which market an index means in this process. Before any record names it.
    pub fn learn(&self, index: MarketIndex, venue: Venue, id: &str) {
        if self.pen().atlas.learn(index, venue, id).is_some() {
            self.disk.platter().markets.push(Name { venue, id: id.to_owned() });
        }
    }

    /// Puts records behind those before them; they lie on the disk after the next commit or
    /// [`Memory::settle`].
    pub fn append(&self, records: &[Record]) -> Result<(), Error> {
        let mut pen = self.pen();
        let renamed: Result<Vec<_>, _> =
            records.iter().map(|record| pen.atlas.inward(record)).collect();
        pen.pending.extend(renamed?.iter().map(codec::encode).map(Line::Record));
        self.disk.platter().fault.clone().map_or(Ok(()), Err)
    }

    /// Keeps how far a listing was read, behind the records before it.
    pub fn mark(&self, mark: Mark) {
        self.pen().pending.push(Line::Mark(mark));
    }

    /// Puts records behind those before them and writes everything.
    pub fn commit(&self, records: &[Record]) -> Result<(), Error> {
        self.append(records)?;
        self.settle()
    }

    /// Writes what was appended, as the writer's thread does soon.
    pub fn settle(&self) -> Result<(), Error> {
        let mut pen = self.pen();
        let mut platter = self.disk.platter();
        if let Some(fault) = &platter.fault {
            return Err(fault.clone());
        }
        for line in pen.pending.drain(..) {
            if platter.crash_after.is_some_and(|writes| platter.rows.len() >= writes) {
                return Err(Error::Stopped);
            }
            match line {
                Line::Record(row) => platter.rows.push(row),
                Line::Mark(mark) => {
                    let is_other =
                        |old: &Mark| (old.venue, old.listing) != (mark.venue, mark.listing);
                    platter.marks.retain(is_other);
                    platter.marks.push(mark);
                }
            }
        }
        Ok(())
    }

    /// Whether the disk can be written, trying it.
    pub fn probe(&self) -> Result<(), Error> {
        self.settle()
    }
}
