//! Which markets may still pay.

use std::collections::BTreeMap;

use crate::domain::{MarketIndex, Report, Timestamp, Venue};
use crate::execute::Record;

/// Markets that an order went to, and when the first one was decided on. A market leaves when it
/// has paid, so that one in which nothing was filled stays; that only makes a list longer.
#[derive(Debug, Default)]
pub(super) struct Unpaid {
    since: BTreeMap<(Venue, MarketIndex), Timestamp>,
}

impl Unpaid {
    /// Takes a record in.
    pub(super) fn hear(&mut self, record: &Record) {
        match record {
            Record::Placed(order) => self.since(order.venue, order.market, order.at),
            Record::Adopted { venue, market, at, .. } => self.since(*venue, *market, *at),
            Record::Reported {
                report: Report::Settled { venue, market: Some(market), paid, .. },
                ..
            } if *venue == Venue::Kalshi || paid.is_positive() => {
                self.since.remove(&(*venue, *market));
            }
            _ => {}
        }
    }

    /// A market may pay from then on.
    pub(super) fn since(&mut self, venue: Venue, market: MarketIndex, at: Timestamp) {
        self.since.entry((venue, market)).or_insert(at);
    }

    /// Since when a payment of a venue may be missing.
    pub(super) fn first(&self, venue: Venue) -> Option<Timestamp> {
        self.since.iter().filter(|((of, _), _)| *of == venue).map(|(_, at)| *at).min()
    }
}
