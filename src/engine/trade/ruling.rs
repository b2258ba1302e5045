//! What a person says where the ledger and a venue differ: what it would change, and that it holds.
//!
//! A trader that refuses to trade because of a difference takes these as well: that is what they
//! are for.

use crate::domain::report::Position;
use crate::domain::{MarketIndex, Money, Outcome, Quantity, TradeId, Venue};
use crate::engine::event::Ruling;
use crate::execute::{Line, Record};

use super::{Around, Trader};

/// What a ruling changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// What the ledger holds of a contract.
    Held {
        /// The contract.
        outcome: Outcome,
        /// What the ledger holds.
        ours: Quantity,
        /// What the venue says, and the ledger will hold.
        theirs: Quantity,
        /// Trades that count on it, or are not at rest there; those that lose something, or are not
        /// at rest, send nothing more.
        trades: Vec<TradeId>,
    },
    /// A market is left to its person.
    LeftAlone {
        /// Trades with a leg in it, which send nothing more while it lasts.
        trades: Vec<TradeId>,
    },
    /// What the ledger holds in cash; less than nothing when it becomes less.
    Cash(Money),
}

impl Trader {
    /// What a ruling would change now, or why it cannot hold.
    pub fn proposal(&self, ruling: &Ruling) -> Result<Vec<Change>, String> {
        let Some(reconciler) = &self.reconciler else {
            return Err("nothing is compared with the venues here".to_owned());
        };
        let state = self.executor.state();
        match *ruling {
            Ruling::Adopt { venue, market, outcome } => {
                let found = reconciler.adoption(venue, market, outcome, state)?;
                Ok(found
                    .into_iter()
                    .map(|one| Change::Held {
                        outcome: one.outcome,
                        ours: one.ours,
                        theirs: one.theirs,
                        trades: state.counting_on(market, one.outcome),
                    })
                    .collect())
            }
            Ruling::Ignore { market, .. } if state.ignores(market) => {
                Err("it is left to you already; `crossbook positions adopt` ends that".to_owned())
            }
            Ruling::Ignore { market, .. } => {
                let open = state.in_market(market).filter(|trade| {
                    !matches!(trade.phase, crate::execute::trade_state::Phase::Ended(_))
                });
                Ok(vec![Change::LeftAlone { trades: open.map(|trade| trade.id).collect() }])
            }
            Ruling::AcceptCash { venue } => Ok(vec![Change::Cash(reconciler.shortfall(venue)?)]),
        }
    }

    /// What is held in markets that are not mapped, as a venue said last.
    pub fn unmapped(&self, venue: Venue) -> &[Position] {
        self.reconciler.as_ref().map_or(&[], |reconciler| reconciler.unmapped(venue))
    }

    /// What a venue said last that is held of a contract.
    pub fn told(&self, venue: Venue, market: MarketIndex, outcome: Outcome) -> Option<Quantity> {
        self.reconciler.as_ref()?.told(venue, market, outcome)
    }

    /// Makes a ruling hold, if it still can.
    pub(super) fn rule(&mut self, ruling: &Ruling, why: &str, around: &Around<'_>) {
        let Ok(changes) = self.proposal(ruling) else { return };
        let view = around.view(&self.floor, &self.risk);
        let (seen, acts) = ((&view as &dyn crate::execute::Sight, around.now), &mut self.acts);
        match *ruling {
            Ruling::Adopt { venue, market, .. } => {
                let held = changes.iter().filter_map(|change| match change {
                    Change::Held { outcome, theirs, .. } => Some((*outcome, *theirs)),
                    _ => None,
                });
                let held: Vec<_> = held.collect();
                self.executor.adopt(venue, market, &held, why, seen, acts);
            }
            Ruling::Ignore { venue, market } => {
                self.executor.ignore(venue, market, why, seen, acts);
            }
            Ruling::AcceptCash { venue } => {
                for change in changes {
                    let Change::Cash(amount) = change else { continue };
                    let (line, why, at) = (Line::Accepted, why.to_owned(), around.now);
                    let as_of = self.reconciler.as_ref().map_or(at, |one| one.compared_at(venue));
                    let record = Record::Booked { venue, line, amount, why, as_of, at };
                    self.executor.enter(record, acts);
                }
            }
        }
        if let Some(reconciler) = &mut self.reconciler {
            let decided = match *ruling {
                Ruling::Adopt { market, .. } | Ruling::Ignore { market, .. } => {
                    reconciler.forget(market)
                }
                Ruling::AcceptCash { venue } => reconciler.forget_cash(venue),
            };
            self.differences.retain(|text| !decided.contains(text));
        }
        self.conclude(around);
    }
}
