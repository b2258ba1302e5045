//! Locked positions that are worth more sold than held.

use std::time::Duration;

use crate::domain::{Money, Timestamp};
use crate::execute::trade_state::{End, Phase};
use crate::execute::{Sight as _, Trade};
use crate::pairing::PairId;
use crate::plan::{self, Held};
use crate::risk::NoTrade;

use super::{Around, Effect, Trader};

/// The pause behind an exit that sold nothing.
const PAUSE: Duration = Duration::from_secs(30);

impl Trader {
    /// Looks at the oldest locked position of each pair and sells what is to be sold of it.
    pub(super) fn close_early(&mut self, around: &Around<'_>, effects: &mut Vec<Effect>) {
        if self.settings.plan.exit_gain_min.is_none() || self.is_draining {
            return;
        }
        let held = self.executor.state().unended().filter(|trade| trade.phase == Phase::Locked);
        let mut pairs: Vec<PairId> = held.map(|trade| trade.plan.pair.clone()).collect();
        pairs.sort();
        pairs.dedup();
        for pair in pairs {
            match self.close_oldest(&pair, around) {
                Ok(()) => self.carry_out(around, effects),
                // That there is nothing to gain is no news.
                Err(NoTrade::NoGain) => {}
                Err(no) => self.refusals[no.index()] += 1,
            }
        }
    }

    fn close_oldest(&mut self, pair: &PairId, around: &Around<'_>) -> Result<(), NoTrade> {
        if self.was_refused(pair, around.now) {
            return Err(NoTrade::NoGain);
        }
        let locked = self.executor.state().locked(pair).find(|one| !one.sellable.is_zero());
        let locked = locked.ok_or(NoTrade::NoGain)?;
        let legs = locked.trade.plan.legs.each_ref().map(|leg| (leg.market, leg.outcome));
        let (quantity, sellable) = (locked.quantity, locked.sellable);
        let paid_each = locked.paid.per_contract_floor(quantity).ok_or(NoTrade::NoGain)?;
        let paid = (paid_each + Money::from_micros(1)).per_contract_ceil(sellable);
        let view = around.view(&self.floor, &self.risk);
        for (market, outcome) in legs {
            if !view.is_tradable(market) {
                return Err(NoTrade::VenueNotTradable);
            }
            let venue = self.floor.markets.get(&market).map(|known| known.venue);
            if venue.is_none_or(|venue| self.is_pause_ahead(venue, around.now)) {
                return Err(NoTrade::PauseAhead);
            }
            if view.bids(market, outcome).is_none() {
                return Err(NoTrade::NoGain);
            }
        }
        let ladders = legs.map(|(market, outcome)| self.ladders(market, outcome, around));
        let side = |at: usize| self.side(legs[at].0, legs[at].1, &ladders[at], around);
        let held = Held { pair, sides: [side(0)?, side(1)?], quantity: sellable, paid };
        let proposal = plan::exit(&held, &self.settings.plan, around.now)?;
        self.begin(proposal, around)
    }

    /// Whether the last exit of a pair sold nothing a moment ago: no halt keeps an exit from being
    /// tried again, so it keeps a distance of its own.
    fn was_refused(&self, pair: &PairId, now: Timestamp) -> bool {
        let is_exit = |trade: &&Trade| trade.plan.kind == plan::Kind::Exit;
        let last = self.executor.state().of_pair(pair).rfind(is_exit);
        last.is_some_and(|trade| {
            trade.phase == Phase::Ended(End::Flat)
                && trade.given.iter().all(|given| given.quantity.is_zero())
                && now < trade.since.after(PAUSE)
        })
    }
}
