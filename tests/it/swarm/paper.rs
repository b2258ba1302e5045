//! The journal in memory, which can break, and which a process can end in the middle of.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

use crossbook::app::desk::Keep;
use crossbook::domain::{Instance, IntentId, MarketIndex, Venue};
use crossbook::exchange::dice::Dice;
use crossbook::execute::Record;
use crossbook::journal::memory::{Disk, Memory};
use crossbook::journal::{Error, Mark, Replay};

use super::draw::End;

/// What a process that ends unwinds with.
pub(super) struct Ended;

#[derive(Debug)]
struct Sheet {
    memory: Memory,
    /// Everything that this and earlier processes gave and that may count.
    given: Vec<Record>,
    /// What the process calls the markets of its places.
    names: Vec<String>,
    /// What the process before it called them.
    old_names: Vec<String>,
    /// Orders whose record is known to be durable.
    named: BTreeSet<IntentId>,
    /// Orders whose record was put there since the last commit.
    unsettled: Vec<IntentId>,
    broken: bool,
    end: Option<End>,
    /// Writes since the end was set.
    writes: u64,
    /// Writes of the whole run.
    written: u64,
    dice: Dice,
}

/// The journal's medium, which outlives the process, and the pen of the process of the day.
#[derive(Debug, Clone)]
pub(super) struct Paper {
    disk: Disk,
    sheet: Arc<Mutex<Sheet>>,
}

impl Paper {
    pub(super) fn new(seed: u64) -> Self {
        let disk = Disk::new();
        let sheet = Sheet {
            memory: Memory::open(&disk, Self::instance(seed)).0,
            given: Vec::new(),
            names: Vec::new(),
            old_names: Vec::new(),
            named: BTreeSet::new(),
            unsettled: Vec::new(),
            broken: false,
            end: None,
            writes: 0,
            written: 0,
            dice: Dice::stream(seed, 0x9a9e),
        };
        Self { disk, sheet: Arc::new(Mutex::new(sheet)) }
    }

    /// The journal's own name.
    pub(super) fn instance(seed: u64) -> Instance {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        Instance(bytes)
    }

    /// The process will end at this write.
    pub(super) fn end_at(&self, end: Option<End>) {
        let mut sheet = self.sheet.lock().unwrap();
        (sheet.end, sheet.writes) = (end, 0);
    }

    pub(super) fn set_broken(&self, broken: bool) {
        self.sheet.lock().unwrap().broken = broken;
        self.disk.fail(broken.then_some(Error::DiskFull));
    }

    pub(super) fn is_broken(&self) -> bool {
        self.sheet.lock().unwrap().broken
    }

    pub(super) fn written(&self) -> u64 {
        self.sheet.lock().unwrap().written
    }

    /// The process has ended: of what was not durable, a part is there.
    pub(super) fn reopen(&self, seed: u64) -> Replay {
        let mut sheet = self.sheet.lock().unwrap();
        let more = sheet.dice.index(8);
        self.disk.crash_after(self.disk.writes() + more);
        let _ = sheet.memory.settle();
        let (memory, replay) = Memory::open(&self.disk, Self::instance(seed));
        sheet.memory = memory;
        sheet.old_names = std::mem::take(&mut sheet.names);
        sheet.end = None;
        sheet.unsettled.clear();
        replay
    }

    /// What was read back, by a process that gives these markets other places; an error if it is
    /// not what was written.
    pub(super) fn began(&self, read: &[Record], names: Vec<String>) -> Result<(), String> {
        let mut sheet = self.sheet.lock().unwrap();
        sheet.names = names;
        let old = std::mem::take(&mut sheet.old_names);
        for (read, given) in read.iter().zip(&sheet.given) {
            let (read, given) = (named(read, &sheet.names), named(given, &old));
            if read != given {
                let same = read.bytes().zip(given.bytes()).take_while(|(a, b)| a == b).count();
                let from = same.saturating_sub(60);
                let (read, given) = (&read[from..], &given[from..]);
                return Err(format!("{given:.160} was written, {read:.160} was read"));
            }
        }
        let lost = sheet.named.iter().find(|intent| {
            let names =
                |record: &Record| matches!(record, Record::Named { intent: i, .. } if i == *intent);
            !read.iter().any(names)
        });
        if let Some(intent) = lost {
            return Err(format!("{intent} was committed and is not there"));
        }
        sheet.given = read.to_vec();
        Ok(())
    }

    /// The writer's thread has had time.
    pub(super) fn settle(&self) {
        let sheet = self.sheet.lock().unwrap();
        let _ = sheet.memory.settle();
    }

    /// Everything that was written, durable or not.
    pub(super) fn read<T>(&self, read: impl FnOnce(&[Record]) -> T) -> T {
        read(&self.sheet.lock().unwrap().given)
    }

    /// Whether an order is durable under a name.
    pub(super) fn is_named(&self, intent: IntentId) -> bool {
        self.sheet.lock().unwrap().named.contains(&intent)
    }

    fn write(&self, records: &[Record], commit: bool) -> Result<(), String> {
        let mut sheet = self.sheet.lock().unwrap();
        sheet.writes += 1;
        sheet.written += 1;
        if sheet.end == Some(End::BeforeWrite(sheet.writes)) {
            drop(sheet);
            resume_unwind(Box::new(Ended));
        }
        sheet.given.extend_from_slice(records);
        let written = if commit {
            Keep::commit(&mut sheet.memory, records)
        } else {
            Keep::append(&mut sheet.memory, records)
        };
        let placed = records.iter().any(|record| matches!(record, Record::Placed(_)));
        let named = records.iter().filter_map(|record| match record {
            Record::Named { intent, .. } if placed => Some(*intent),
            _ => None,
        });
        sheet.unsettled.extend(named);
        if commit && written.is_ok() {
            // A commit makes all durable that was put there before it.
            let unsettled = std::mem::take(&mut sheet.unsettled);
            sheet.named.extend(unsettled);
        }
        if sheet.end == Some(End::AfterWrite(sheet.writes)) {
            drop(sheet);
            resume_unwind(Box::new(Ended));
        }
        written
    }
}

/// A record as text, with names where places of markets stood.
fn named(record: &Record, names: &[String]) -> String {
    let mut text = format!("{record:?}");
    for (place, name) in names.iter().enumerate() {
        text = text.replace(&format!("MarketIndex({place})"), name);
    }
    text
}

impl Keep for Paper {
    fn append(&mut self, records: &[Record]) -> Result<(), String> {
        self.write(records, false)
    }

    fn commit(&mut self, records: &[Record]) -> Result<(), String> {
        self.write(records, true)
    }

    fn probe(&mut self) -> Result<(), String> {
        Keep::probe(&mut self.sheet.lock().unwrap().memory)
    }

    fn learn(&mut self, index: MarketIndex, venue: Venue, id: &str) {
        let mut sheet = self.sheet.lock().unwrap();
        let place = index.0 as usize;
        let names = sheet.names.len().max(place + 1);
        sheet.names.resize(names, String::new());
        sheet.names[place] = format!("{venue} {id}");
        sheet.memory.learn(index, venue, id);
    }

    fn mark(&mut self, mark: Mark) {
        self.sheet.lock().unwrap().memory.mark(mark);
    }
}
