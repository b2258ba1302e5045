//! Which market a number means.
//!
//! A [`MarketIndex`] is a place in the tables of one process and means nothing in the next one. The
//! journal therefore gives each market a number of its own, keeps it beside the market's name, and
//! renames all markets of a record on the way in and on the way out.

use rustc_hash::FxHashMap;

use crate::domain::{MarketIndex, Report, Venue};
use crate::execute::Record;

use super::Error;

/// A market as the journal names it, by its number from 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// Where it trades.
    pub venue: Venue,
    /// Kalshi ticker or Polymarket condition id.
    pub id: String,
}

/// The markets of a journal, and where this process has them.
#[derive(Debug, Default)]
pub(super) struct Atlas {
    names: Vec<Name>,
    numbers: FxHashMap<Name, u32>,
    by_index: FxHashMap<MarketIndex, u32>,
}

impl Atlas {
    pub(super) fn new(names: Vec<Name>) -> Self {
        let numbers = (0u32..).zip(&names).map(|(number, name)| (name.clone(), number)).collect();
        Self { names, numbers, by_index: FxHashMap::default() }
    }

    /// Takes in where this process has a market; gives its number if it is new to the journal.
    pub(super) fn learn(&mut self, index: MarketIndex, venue: Venue, id: &str) -> Option<u32> {
        let name = Name { venue, id: id.to_owned() };
        if let Some(&number) = self.numbers.get(&name) {
            self.by_index.insert(index, number);
            return None;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.clone());
        self.numbers.insert(name, number);
        self.by_index.insert(index, number);
        Some(number)
    }

    /// The record with the journal's numbers.
    pub(super) fn inward(&self, record: &Record) -> Result<Record, Error> {
        let mut record = record.clone();
        rename(&mut record, &mut |market| {
            let number = self.by_index.get(market).ok_or(Error::UnnamedMarket(*market))?;
            *market = MarketIndex(*number);
            Ok(())
        })?;
        Ok(record)
    }
}

/// The record with the places that this process has given the markets.
pub(super) fn outward(record: &mut Record, places: &[MarketIndex]) -> Result<(), Error> {
    rename(record, &mut |market| {
        *market = *places.get(market.at()).ok_or(Error::UnnamedMarket(*market))?;
        Ok(())
    })
}

type Change<'a> = &'a mut dyn FnMut(&mut MarketIndex) -> Result<(), Error>;

fn rename(record: &mut Record, change: Change<'_>) -> Result<(), Error> {
    match record {
        Record::Opened { plan, .. } => {
            plan.legs.iter_mut().try_for_each(|leg| change(&mut leg.market))
        }
        Record::Placed(order) => change(&mut order.market),
        Record::Merged { market, .. }
        | Record::Adopted { market, .. }
        | Record::Ignored { market, .. } => change(market),
        Record::Reported { report, .. } => rename_report(report, change),
        Record::Named { .. }
        | Record::Moved { .. }
        | Record::Halted { .. }
        | Record::Resumed { .. }
        | Record::Booked { .. }
        | Record::Flattening { .. }
        | Record::Incident { .. } => Ok(()),
    }
}

fn rename_report(report: &mut Report, change: Change<'_>) -> Result<(), Error> {
    match report {
        Report::Foreign { market, .. } | Report::Settled { market, .. } => {
            market.as_mut().map_or(Ok(()), change)
        }
        Report::Positions { positions, .. } => {
            positions.iter_mut().filter_map(|held| held.market.as_mut()).try_for_each(change)
        }
        Report::Lost { order, .. } => change(&mut order.market),
        Report::Merged { market, .. } | Report::NotConverted { market, .. } => change(market),
        Report::Order { .. }
        | Report::Cash { .. }
        | Report::Moved { .. }
        | Report::Permission { .. } => Ok(()),
    }
}
