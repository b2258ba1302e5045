//! The two journals behind the desk's port: the file, and the one of virtual time.

use crate::domain::{MarketIndex, Venue};
use crate::execute::Record;
use crate::journal::memory::Memory;
use crate::journal::{Journal, Mark, Reply, Request};

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

    fn mark(&mut self, mark: Mark) {
        Self::mark(self, mark);
    }

    fn note_requests(&mut self, requests: Vec<Request>) {
        Self::note_requests(self, requests);
    }

    fn note_reply(&mut self, reply: Reply) {
        Self::note_reply(self, reply);
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

    fn mark(&mut self, mark: Mark) {
        Self::mark(self, mark);
    }
}
