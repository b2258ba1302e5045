//! The two journals behind the desk's port: the file, and the one of virtual time.

use crate::domain::{MarketIndex, Venue};
use crate::execute::Record;
use crate::journal::Journal;
use crate::journal::memory::Memory;

use super::desk::Keep;

impl Keep for Journal {
    fn append(&mut self, records: &[Record]) -> Result<(), String> {
        Self::append(self, records).map_err(|error| error.to_string())
    }

    fn commit(&mut self, records: &[Record]) -> Result<(), String> {
        Self::commit(self, records).map_err(|error| error.to_string())
    }

    fn probe(&mut self) -> Result<(), String> {
        Self::probe(self).map_err(|error| error.to_string())
    }

    fn learn(&mut self, index: MarketIndex, venue: Venue, id: &str) {
        Self::learn(self, index, venue, id);
    }
}

impl Keep for Memory {
    fn append(&mut self, records: &[Record]) -> Result<(), String> {
        Self::append(self, records).map_err(|error| error.to_string())
    }

    fn commit(&mut self, records: &[Record]) -> Result<(), String> {
        Self::commit(self, records).map_err(|error| error.to_string())
    }

    fn probe(&mut self) -> Result<(), String> {
        Self::probe(self).map_err(|error| error.to_string())
    }

    fn learn(&mut self, index: MarketIndex, venue: Venue, id: &str) {
        Self::learn(self, index, venue, id);
    }
}
