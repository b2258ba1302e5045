//! Contracts that no trade bought: a person took a venue's word for them.

use crate::domain::market::shares_event;
use crate::domain::{MarketIndex, Money, Venue};

use super::exposure::{Standing, leg_of, totals};
use super::{Risk, Totals};

/// Contracts of a market that no trade bought and that a person took into the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Adopted {
    /// The place of its venue.
    at: usize,
    /// The two names of its event.
    event: (String, String),
    /// What they may be worth.
    dollars: Money,
}

impl Totals {
    /// Adds what no trade bought.
    fn add_adopted(&mut self, (market, adopted): (&MarketIndex, &Adopted), own: Option<&Standing>) {
        let at = adopted.at;
        self.total += adopted.dollars;
        self.venues[at] += adopted.dollars;
        let Some(own) = own else { return };
        let is_same = own.markets[at] == *market;
        if is_same {
            self.markets[at] += adopted.dollars;
            self.pair += adopted.dollars;
        }
        let event = (adopted.event.0.as_str(), adopted.event.1.as_str());
        if is_same || shares_event(event, own.event_names(at)) {
            self.events[at] += adopted.dollars;
        }
    }
}

impl Risk {
    /// Sets what contracts of a market may be worth that no trade bought and that a person took
    /// into the ledger.
    pub fn set_adopted(
        &mut self,
        market: MarketIndex,
        venue: Venue,
        event: (&str, &str),
        dollars: Money,
    ) {
        let (at, event) = (leg_of(venue), (event.0.to_owned(), event.1.to_owned()));
        self.adopted.insert(market, Adopted { at, event, dollars });
    }

    /// Adds up trades and what no trade bought, and what of them touches what `own` touches.
    pub(super) fn sums<'a>(
        &self,
        trades: impl Iterator<Item = &'a Standing>,
        own: Option<&Standing>,
    ) -> Totals {
        let mut sums = totals(trades, own);
        self.adopted.iter().for_each(|adopted| sums.add_adopted(adopted, own));
        sums
    }
}
