//! Which trades and orders a question concerns, so that what is over costs nothing.
//!
//! All of it follows from the trades and orders themselves and is renewed for every trade that a
//! record changed. Sums are not kept here but taken over what is found.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{IntentId, MarketIndex, Order, Quantity, TradeId, Venue};
use crate::pairing::PairId;

use super::State;
use super::order_state::Tracked;
use super::trade::{Account, Orders, Trade};
use super::trade_state::{End, Phase};

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Index {
    by_market: BTreeMap<MarketIndex, Vec<TradeId>>,
    by_pair: BTreeMap<PairId, Vec<TradeId>>,
    orders_by_market: BTreeMap<MarketIndex, Vec<IntentId>>,
    /// Trades in which something is left to do but to wait for settlement.
    restless: BTreeSet<TradeId>,
    /// Trades that have not ended.
    unended: BTreeSet<TradeId>,
    /// Trades that bought the other outcome of a leg.
    offsetting: BTreeSet<TradeId>,
    /// What stands alone for good and is too small for its venue.
    dust: BTreeMap<MarketIndex, BTreeMap<TradeId, Quantity>>,
}

fn keep<T: Ord>(set: &mut BTreeSet<T>, one: T, is_in: bool) {
    if is_in {
        set.insert(one);
    } else {
        set.remove(&one);
    }
}

impl Index {
    /// Takes up a trade that is new.
    pub(super) fn open(&mut self, trade: &Trade) {
        for leg in &trade.plan.legs {
            self.by_market.entry(leg.market).or_default().push(trade.id);
        }
        self.by_pair.entry(trade.plan.pair.clone()).or_default().push(trade.id);
    }

    /// Takes up an order that is new.
    pub(super) fn place(&mut self, order: &Order) {
        self.orders_by_market.entry(order.market).or_default().push(order.intent);
    }

    /// Looks at a trade that has changed.
    pub(super) fn renew(&mut self, trade: &Trade, orders: &Orders) {
        let is_over = matches!(trade.phase, Phase::Ended(_));
        keep(&mut self.restless, trade.id, !trade.phase.is_quiet());
        keep(&mut self.unended, trade.id, !is_over);
        let accounts = trade.accounts(orders);
        let offsets = accounts.iter().any(|own| !own.offset.is_zero());
        keep(&mut self.offsetting, trade.id, offsets);
        let dust = dust_of(trade, &accounts);
        for leg in &trade.plan.legs {
            match dust.filter(|(market, _)| *market == leg.market) {
                Some((market, quantity)) => {
                    self.dust.entry(market).or_default().insert(trade.id, quantity);
                }
                None => self.forget_dust(leg.market, trade.id),
            }
        }
    }

    fn forget_dust(&mut self, market: MarketIndex, trade: TradeId) {
        if let Some(dust) = self.dust.get_mut(&market) {
            dust.remove(&trade);
            if dust.is_empty() {
                self.dust.remove(&market);
            }
        }
    }
}

/// What stands alone in a trade for good and is too small for its venue, and in which market. What
/// its market has paid is none any more; of a trade that was paid, what the other market owes is.
fn dust_of(trade: &Trade, accounts: &[Account; 2]) -> Option<(MarketIndex, Quantity)> {
    if trade.phase == Phase::Ended(End::Paid) {
        let leg = trade.payouts.iter().position(Option::is_none)?;
        let left = accounts[leg].change() - trade.given[leg].quantity.units();
        let left = Quantity::from_units(left).filter(|left| !left.is_zero())?;
        return Some((trade.plan.legs[leg].market, left));
    }
    if !matches!(trade.phase, Phase::Locked | Phase::Ended(End::Flat | End::Dust)) {
        return None;
    }
    let (leg, quantity) = trade.balance(accounts).surplus?;
    trade.payouts[leg].is_none().then_some((trade.plan.legs[leg].market, quantity))
}

impl State {
    fn those<'a>(
        &'a self,
        ids: impl DoubleEndedIterator<Item = &'a TradeId> + 'a,
    ) -> impl DoubleEndedIterator<Item = &'a Trade> + 'a {
        ids.filter_map(|id| self.trades.get(id))
    }

    /// The trades in a market, by number.
    pub fn in_market(&self, market: MarketIndex) -> impl Iterator<Item = &Trade> + '_ {
        self.those(self.index.by_market.get(&market).into_iter().flatten())
    }

    /// The trades of a pair, by number.
    pub fn of_pair<'a>(
        &'a self,
        pair: &PairId,
    ) -> impl DoubleEndedIterator<Item = &'a Trade> + use<'a> {
        self.those(self.index.by_pair.get(pair).into_iter().flatten())
    }

    /// The orders in a market, by number.
    pub fn orders_in(&self, market: MarketIndex) -> impl Iterator<Item = &Tracked> + '_ {
        let intents = self.index.orders_by_market.get(&market).into_iter().flatten();
        intents.filter_map(|intent| self.orders.get(intent))
    }

    /// Trades in which something is left to do but to wait for settlement, by number.
    pub fn restless(&self) -> impl Iterator<Item = &Trade> + '_ {
        self.those(self.index.restless.iter())
    }

    /// Trades that have not ended, by number.
    pub fn unended(&self) -> impl Iterator<Item = &Trade> + '_ {
        self.those(self.index.unended.iter())
    }

    /// Trades that bought the other outcome of a leg, by number.
    pub(super) fn offsetting(&self) -> impl Iterator<Item = &Trade> + '_ {
        self.those(self.index.offsetting.iter())
    }

    /// What was asked to be merged, the most at once by each trade.
    pub(super) fn merges(&self) -> impl Iterator<Item = (MarketIndex, Quantity)> + '_ {
        self.offsetting().flat_map(|trade| {
            let asked = trade.merging.map(|(quantity, _)| quantity);
            let leg = trade.plan.legs.iter().find(|leg| leg.venue == Venue::Polymarket);
            leg.zip(asked).map(|(leg, quantity)| (leg.market, quantity))
        })
    }

    /// What stands alone in a market and is too small for its venue, over all trades. What its
    /// market has paid is none any more.
    pub fn dust(&self, market: MarketIndex) -> Quantity {
        let found = self.index.dust.get(&market).into_iter().flat_map(BTreeMap::values);
        found.fold(Quantity::ZERO, |sum, quantity| sum.saturating_add(*quantity))
    }

    /// Renews what is kept of some trades.
    pub(super) fn renew(&mut self, trades: &[TradeId]) {
        for trade in trades.iter().filter_map(|id| self.trades.get(id)) {
            self.index.renew(trade, &self.orders);
        }
    }

    /// Whether what is kept is what the trades themselves say: all are looked at. For tests.
    pub fn is_indexed(&self) -> bool {
        let mut anew = Index::default();
        for trade in self.trades.values() {
            anew.open(trade);
            anew.renew(trade, &self.orders);
        }
        self.orders.values().for_each(|tracked| anew.place(tracked.order()));
        anew == self.index
    }
}
