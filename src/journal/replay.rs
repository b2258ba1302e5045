//! The records of a journal, back in the order in which they were written.

use std::collections::VecDeque;

use rusqlite::Connection;

use crate::domain::{IntentId, MarketIndex, TradeId, Venue};
use crate::execute::Record;

use super::atlas::{Name, outward};
use super::row::Row;
use super::talk::Mark;
use super::{Error, codec};

/// How many rows are read at once.
const PAGE: usize = 1024;

/// Where rows come from.
#[derive(Debug)]
pub(super) enum Source {
    /// A connection of its own, and the last record that counts.
    File(Connection, i64),
    /// All rows.
    Rows(VecDeque<Row>),
}

/// What a journal held when it was opened.
#[derive(Debug)]
pub struct Replay {
    pub(super) source: Source,
    /// The markets that its records name.
    pub markets: Vec<Name>,
    /// The first number that no intent has had.
    pub next_intent: IntentId,
    /// The first number that no trade has had.
    pub next_trade: TradeId,
    /// How far the venues' listings of the past were read whole.
    pub marks: Vec<Mark>,
}

impl Replay {
    /// The records in order; `find` says where this process has a market (and gives it a place
    /// if it has none).
    pub fn records(self, mut find: impl FnMut(Venue, &str) -> MarketIndex) -> Records {
        let places = self.markets.iter().map(|name| find(name.venue, &name.id)).collect();
        Records { source: self.source, places, page: VecDeque::new(), last: 0, is_over: false }
    }
}

/// Reads the records of a journal one after the other. The first error is the end.
#[derive(Debug)]
pub struct Records {
    source: Source,
    places: Vec<MarketIndex>,
    page: VecDeque<(i64, Row)>,
    last: i64,
    is_over: bool,
}

impl Records {
    fn step(&mut self) -> Result<Option<Record>, Error> {
        if self.page.is_empty() {
            self.page = match &mut self.source {
                Source::File(connection, end) => page(connection, self.last, *end)?,
                Source::Rows(rows) => {
                    let count = PAGE.min(rows.len());
                    (self.last + 1..).zip(rows.drain(..count)).collect()
                }
            };
        }
        let Some((seq, row)) = self.page.pop_front() else { return Ok(None) };
        self.last = seq;
        let mut record = codec::decode(&row).map_err(|text| Error::Unreadable { seq, text })?;
        outward(&mut record, &self.places)?;
        Ok(Some(record))
    }
}

impl Iterator for Records {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let step = self.step().transpose();
        self.is_over = !matches!(step, Some(Ok(_)));
        step
    }
}

fn page(connection: &Connection, after: i64, end: i64) -> Result<VecDeque<(i64, Row)>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, kind, at_nanos, trade, intent, body FROM records \
         WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3",
    )?;
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let rows = statement.query_map((after, end, limit), |row| {
        let found = Row {
            kind: row.get(1)?,
            at: row.get(2)?,
            trade: row.get(3)?,
            intent: row.get(4)?,
            body: row.get(5)?,
        };
        Ok((row.get(0)?, found))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
