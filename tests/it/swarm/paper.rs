//! A journal in memory that can break, and that a process can end in the middle of.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

use crossbook::app::desk::Keep;
use crossbook::domain::IntentId;
use crossbook::exchange::dice::Dice;
use crossbook::execute::Record;

use super::draw::End;

/// What a process that ends unwinds with.
pub(super) struct Ended;

#[derive(Debug)]
struct Sheet {
    durable: Vec<Record>,
    /// Given, and not durable yet.
    tail: Vec<Record>,
    broken: bool,
    end: Option<End>,
    /// Writes since the end was set.
    writes: u64,
    /// Writes of the whole run.
    written: u64,
    dice: Dice,
}

/// The journal's medium, which outlives the process.
#[derive(Debug, Clone)]
pub(super) struct Paper(Arc<Mutex<Sheet>>);

impl Paper {
    pub(super) fn new(seed: u64) -> Self {
        let (durable, tail) = (Vec::new(), Vec::new());
        let dice = Dice::stream(seed, 0x9a9e);
        let sheet = Sheet { durable, tail, broken: false, end: None, writes: 0, written: 0, dice };
        Self(Arc::new(Mutex::new(sheet)))
    }

    /// The process will end at this write.
    pub(super) fn end_at(&self, end: Option<End>) {
        let mut sheet = self.0.lock().unwrap();
        (sheet.end, sheet.writes) = (end, 0);
    }

    pub(super) fn set_broken(&self, broken: bool) {
        self.0.lock().unwrap().broken = broken;
    }

    pub(super) fn is_broken(&self) -> bool {
        self.0.lock().unwrap().broken
    }

    pub(super) fn written(&self) -> u64 {
        self.0.lock().unwrap().written
    }

    /// The process has ended: of what was not durable, a part is there.
    pub(super) fn reopen(&self) -> Vec<Record> {
        let mut sheet = self.0.lock().unwrap();
        let count = sheet.tail.len();
        let kept = sheet.dice.index(count + 1);
        let tail = std::mem::take(&mut sheet.tail);
        sheet.durable.extend(tail.into_iter().take(kept));
        sheet.end = None;
        sheet.durable.clone()
    }

    /// Everything that was written, durable or not.
    pub(super) fn records(&self) -> Vec<Record> {
        let sheet = self.0.lock().unwrap();
        sheet.durable.iter().chain(&sheet.tail).cloned().collect()
    }

    /// The orders that are durable under a name.
    pub(super) fn named(&self) -> BTreeSet<IntentId> {
        let sheet = self.0.lock().unwrap();
        let of = |record: &Record| match record {
            Record::Named { intent, .. } => Some(*intent),
            _ => None,
        };
        let placed = |record: &Record| match record {
            Record::Placed(order) => Some(order.intent),
            _ => None,
        };
        let decided: BTreeSet<_> = sheet.durable.iter().filter_map(placed).collect();
        sheet.durable.iter().filter_map(of).filter(|intent| decided.contains(intent)).collect()
    }

    fn write(&self, records: &[Record], durable: bool) -> Result<(), String> {
        let mut sheet = self.0.lock().unwrap();
        sheet.writes += 1;
        sheet.written += 1;
        if sheet.end == Some(End::BeforeWrite(sheet.writes)) {
            drop(sheet);
            resume_unwind(Box::new(Ended));
        }
        if sheet.broken {
            return Err("the disk is full".to_owned());
        }
        sheet.tail.extend_from_slice(records);
        if durable {
            let tail = std::mem::take(&mut sheet.tail);
            sheet.durable.extend(tail);
        }
        if sheet.end == Some(End::AfterWrite(sheet.writes)) {
            drop(sheet);
            resume_unwind(Box::new(Ended));
        }
        Ok(())
    }
}

impl Keep for Paper {
    fn append(&mut self, records: &[Record]) -> Result<(), String> {
        self.write(records, false)
    }

    fn commit(&mut self, records: &[Record]) -> Result<(), String> {
        self.write(records, true)
    }

    fn probe(&mut self) -> Result<(), String> {
        if self.is_broken() { Err("the disk is full".to_owned()) } else { Ok(()) }
    }
}
