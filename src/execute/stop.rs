//! Stops, getting out of everything, and what markets pay in the end.

use crate::domain::market::shares_event;
use crate::domain::{Action, MarketIndex, Money, Quantity, Timestamp, TradeId, Venue};
use crate::pairing::PairId;
use crate::plan::Kind;

use super::decide::Selling;
use super::executor::{Executor, Mode};
use super::ledger::seat;
use super::order_state::Phase as OrderPhase;
use super::trade::{Trade, share};
use super::{Act, Record, Scope, Sight, incident};

/// Kalshi states what it paid in whole cents.
const PAYOUT_TOLERANCE: Money = Money::from_micros(10_000);

impl Executor {
    /// No new trades; open ones are finished or unwound.
    pub fn halt(&mut self, scope: Scope, why: &str, now: Timestamp, acts: &mut Vec<Act>) {
        self.stop(scope, why, now, acts);
    }

    /// Halts; false when that scope was halted before.
    pub(super) fn stop(
        &mut self,
        scope: Scope,
        why: &str,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) -> bool {
        if self.state.halts().iter().any(|halt| halt.0 == scope) {
            return false;
        }
        self.say(Record::Halted { scope, why: why.to_owned(), at: now }, acts);
        true
    }

    /// New trades again, and nothing more is sold for the sake of being out. A process that was
    /// killed stays so.
    pub fn unhalt(&mut self, scope: Scope, now: Timestamp, acts: &mut Vec<Act>) {
        self.say(Record::Resumed { scope, at: now }, acts);
    }

    /// Cancels our own orders by id, lists what is held, and sends nothing more.
    pub fn kill(&mut self, why: &str, sight: &dyn Sight, now: Timestamp, acts: &mut Vec<Act>) {
        self.stop(Scope::All, why, now, acts);
        self.mode = Mode::Killed;
        for intent in self.open_orders(OrderPhase::is_open) {
            acts.push(Act::Cancel(intent));
        }
        let held = self.held_as_text(&|market| sight.name(market));
        self.tell(incident::KILLED, format!("{why}; held: {held}"), None, now, acts);
    }

    /// What is held, in words.
    pub fn held_as_text(&self, name: &dyn Fn(MarketIndex) -> String) -> String {
        use crate::domain::Outcome::{No, Yes};
        let ledger = self.state.ledger();
        let mut held = Vec::new();
        for (venue, market) in ledger.markets() {
            for outcome in [Yes, No] {
                let quantity = ledger.held(market, outcome);
                if !quantity.is_zero() {
                    held.push(format!("{quantity} {outcome} of {} at {venue}", name(market)));
                }
            }
        }
        if held.is_empty() { "nothing".to_owned() } else { held.join(", ") }
    }

    /// Out of everything, losing at most this against what was paid.
    pub fn flatten(
        &mut self,
        loss_max: Money,
        sight: &dyn Sight,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        if self.mode == Mode::Killed {
            return;
        }
        self.stop(Scope::All, "everything is being sold", now, acts);
        let realised_before = self.state.realised();
        self.say(Record::Flattening { loss_max, realised_before, at: now }, acts);
        let all: Vec<TradeId> = self.state.trades().map(|trade| trade.id).collect();
        for trade in all {
            self.advance(trade, sight, now, acts);
        }
    }

    /// What may still be lost to get out of everything; `None` while that is not asked for. Sales
    /// that are under way count as if each filled at its limit: several trades that are sold at
    /// once share one maximum.
    pub(super) fn selling(&self, sight: &dyn Sight, now: Timestamp) -> Option<Selling> {
        let asked = self.state.flattening?;
        let lost = (self.state.realised() - asked.realised_before).min(Money::ZERO);
        let trades = self.state.trades().filter(|trade| trade.plan.kind == Kind::Enter);
        let losses = trades.filter_map(|trade| self.loss_under_way(trade, sight, now));
        let (mut under_way, mut is_under_way) = (Money::ZERO, false);
        for loss in losses {
            under_way += loss.max(Money::ZERO);
            is_under_way = true;
        }
        Some(Selling { loss_left: asked.loss_max + lost - under_way, is_under_way })
    }

    /// What the sales of a trade that are under way lose when they fill at their limits; less than
    /// nothing for a gain, `None` when there are none.
    fn loss_under_way(&self, trade: &Trade, sight: &dyn Sight, now: Timestamp) -> Option<Money> {
        let accounts = trade.accounts(self.state.orders());
        let tracked = trade.orders.iter().filter_map(|intent| self.state.order(*intent));
        let sales = tracked.filter(|one| one.order().action == Action::Sell);
        let losses = sales.filter(|one| !one.quantity_open().is_zero()).map(|one| {
            let (order, quantity) = (one.order(), one.quantity_open());
            let at = seat(order.venue);
            let own = &accounts[at];
            let closed = own.sold.saturating_add(own.offset);
            let cost = own.cost - share(own.cost, closed, own.bought) - trade.given[at].cost;
            let left = own.change() - trade.given[at].quantity.units();
            let left = Quantity::from_units(left.max(0)).unwrap_or(Quantity::MAX);
            let fee = sight.fee(order.market, now);
            let brought = fee.map_or(Money::ZERO, |fee| {
                Money::cost_floor(order.limit, quantity) - fee.estimate(order.limit, quantity)
            });
            share(cost, quantity, left) - brought
        });
        losses.reduce(|sum, loss| sum + loss)
    }

    /// Compares what a market paid with what was held and with what the trades were planned for.
    pub(super) fn check_payout(
        &mut self,
        venue: Venue,
        market: MarketIndex,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        let Some(payout) = self.state.ledger().payout(market) else { return };
        let owed = self.state.ledger().owed(market, payout);
        let apart = (owed - payout.paid).max(payout.paid - owed);
        if payout.paid.is_positive() && apart > PAYOUT_TOLERANCE {
            let text = format!("{venue} paid {} where {owed} was held", payout.paid);
            self.tell(incident::SETTLEMENT_DIVERGENCE, text, None, now, acts);
        }
        self.tell_divergences(now, acts);
    }

    /// Says of each trade once that its markets paid other than it was planned for.
    pub(super) fn tell_divergences(&mut self, now: Timestamp, acts: &mut Vec<Act>) {
        let diverged: Vec<(TradeId, String)> = self
            .state
            .unended()
            .filter(|trade| !trade.is_diverged)
            .filter_map(|trade| Some((trade.id, trade.divergence()?)))
            .collect();
        for (trade, text) in diverged {
            for pair in self.pairs_beside(trade) {
                self.stop(Scope::Pair(pair), &text, now, acts);
            }
            self.tell(incident::SETTLEMENT_DIVERGENCE, text, Some(trade), now, acts);
        }
    }

    /// The pairs of all trades that share a venue's event with a trade.
    fn pairs_beside(&self, trade: TradeId) -> Vec<PairId> {
        let Some(trade) = self.state.trade(trade) else { return Vec::new() };
        let shares = |at: usize, other: &Trade| {
            let names = [trade, other].map(|trade| trade.plan.legs[at].event_names());
            shares_event(names[0], names[1])
        };
        let mut pairs: Vec<PairId> = self
            .state
            .trades()
            .filter(|other| {
                other.plan.pair == trade.plan.pair || shares(0, other) || shares(1, other)
            })
            .map(|other| other.plan.pair.clone())
            .collect();
        pairs.sort();
        pairs.dedup();
        pairs
    }

    /// Fetches what resolved markets owe, where they do not pay by themselves.
    pub(super) fn redeem(&mut self, now: Timestamp, acts: &mut Vec<Act>) {
        let ledger = self.state.ledger();
        let owing: Vec<MarketIndex> = ledger
            .markets()
            .filter(|(venue, _)| *venue == Venue::Polymarket)
            .filter(|(_, market)| {
                ledger.payout(*market).is_some_and(|payout| {
                    !payout.paid.is_positive() && ledger.owed(*market, payout).is_positive()
                })
            })
            .map(|(_, market)| market)
            .collect();
        for market in owing {
            if self.agenda.may_convert(market, self.settings.convert_pause, now) {
                acts.push(Act::Redeem { market });
            }
        }
    }
}
