//! How much more a trade may put at risk than was approved with its plan.
//!
//! What makes a position smaller is never refused, but it spends what was approved. Where that is
//! not enough to buy a way out, the limits of this moment say how much more it may take; there is
//! always the other way out, to sell, that takes nothing.

use crate::domain::{Money, Timestamp, TradeId};

use super::exposure::{Phase, Standing};
use super::{Exposure, Risk, purse};

/// How much more a trade may put at risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// At Kalshi and at Polymarket, as far as the limits of one market and one venue, and the
    /// purses go.
    pub venues: [Money; 2],
    /// At both together, as far as the limits of the pair, of its events and of everything go.
    pub all: Money,
}

impl Risk {
    /// How much more a trade may put at risk that has `exposure` at risk now; nothing where the
    /// trade is not known.
    pub fn room(&self, trade: TradeId, exposure: &Exposure, now: Timestamp) -> Room {
        let Some(known) = self.trades.get(&trade) else { return Room::default() };
        let own = Standing { exposure: *exposure, phase: Phase::Live, ..known.clone() };
        let others = || self.trades.iter().filter(|(id, _)| **id != trade).map(|(_, one)| one);
        let (sums, limits) = (self.sums(others(), Some(&own)), &self.limits);
        let none = Money::ZERO;
        let least = |all: &[Money]| all.iter().copied().min().unwrap_or(none).max(none);
        let here = |at: usize| {
            let dollars = own.dollars_at(at);
            // What does not raise what these count is not held back by them.
            let may_stand = (limits.stranded - sums.stranded).max(own.alone_at_worst());
            let unsure = (limits.unconfirmed - sums.unconfirmed).max(own.unconfirmed_at_worst());
            let of_polymarket = if at == 1 { unsure } else { Money::from_micros(i64::MAX) };
            least(&[
                limits.market - sums.markets[at] - dollars,
                limits.venues[at] - sums.venues[at] - dollars,
                may_stand - dollars,
                of_polymarket - dollars,
                self.spendable(&own, at, others(), now) - dollars,
            ])
        };
        let dollars = own.dollars();
        let all = least(&[
            limits.pair - sums.pair - dollars,
            limits.events_left(&sums.events) - dollars,
            limits.total - sums.total - dollars,
        ]);
        Room { venues: [here(0), here(1)], all }
    }

    /// What a leg's purse holds beyond its margin and what others may take from it.
    fn spendable<'a>(
        &self,
        own: &Standing,
        leg: usize,
        others: impl Iterator<Item = &'a Standing>,
        now: Timestamp,
    ) -> Money {
        let limits = &self.limits;
        let Some(purse) = own.purses.map(|purses| purses[leg]) else { return Money::ZERO };
        let reading =
            self.purses.get(purse).filter(|one| now.since(one.as_of) <= limits.purse_age_max);
        let Some(reading) = reading else { return Money::ZERO };
        let lag = limits.purse_lag;
        let taken = others.fold(Money::ZERO, |sum, other| {
            sum + purse::not_shown(other, leg, purse, reading.as_of, lag)
        });
        reading.cash - taken - limits.purse_margin
    }
}

#[cfg(test)]
mod tests;
