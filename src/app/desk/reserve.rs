//! What trades that are under way may still have to send, so that entries leave room for it.

use std::collections::BTreeMap;

use crate::domain::{TradeId, Venue};
use crate::execute::Record;
use crate::execute::trade_state::{Phase, Way};

/// A trade that is neither locked nor over.
#[derive(Debug, Clone, Copy)]
struct UnderWay {
    phase: Phase,
    /// Where its first order went; `None` as long as nothing of it was sent.
    first: Option<Venue>,
}

/// Trades that are under way, as the records of their moves tell.
#[derive(Debug, Default)]
pub(super) struct Reserve {
    trades: BTreeMap<TradeId, UnderWay>,
}

impl Reserve {
    /// Takes a record in.
    pub(super) fn hear(&mut self, record: &Record) {
        let Record::Moved { trade, to, .. } = record else { return };
        match Phase::named(to).filter(|phase| !phase.is_quiet()) {
            Some(phase) => self.under_way(*trade).phase = phase,
            None => drop(self.trades.remove(trade)),
        }
    }

    /// An order of a trade leaves.
    pub(super) fn begin(&mut self, trade: TradeId, venue: Venue) {
        self.under_way(trade).first.get_or_insert(venue);
    }

    /// Whether an order of a trade has left since it was last locked or over.
    pub(super) fn has_begun(&self, trade: TradeId) -> bool {
        self.trades.get(&trade).is_some_and(|one| one.first.is_some())
    }

    /// How many orders all trades but one may need at a venue.
    pub(super) fn orders(&self, venue: Venue, but: TradeId) -> u64 {
        let others = self.trades.iter().filter(|(trade, _)| **trade != but);
        others.map(|(_, one)| one.needs(venue)).sum()
    }

    fn under_way(&mut self, trade: TradeId) -> &mut UnderWay {
        self.trades.entry(trade).or_insert(UnderWay { phase: Phase::Opened, first: None })
    }
}

impl UnderWay {
    /// A way out at each venue, and before it the other leg where that is not sent yet. What is
    /// held for want of a way out needs none at once.
    fn needs(&self, venue: Venue) -> u64 {
        match (self.phase, self.first) {
            (Phase::Stranded(Way::Hold), _) => 0,
            (Phase::Stranded(_), _) => 1,
            (_, None) => 0,
            (Phase::Opened | Phase::FirstLeg, Some(first)) if first != venue => 2,
            _ => 1,
        }
    }
}
