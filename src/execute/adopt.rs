//! What a person says where the ledger and a venue differ: the venue's word is taken for a market,
//! or the market is left to the person. And orders of ours that the journal lacks.
//!
//! Taking the venue's word moves no money. Contracts that are gone leave the trades that held them
//! at what they had cost, those that were not at rest first, then the youngest. A trade that lost a
//! contract so, or that was not at rest in that market, was acting on numbers that are wrong: it
//! sends nothing more, and what is left of it waits for settlement or for its person.
//!
//! An order whose record was lost is taken in under its own number, for no trade. It is counted at
//! its worst and asked about like any other whose fate is not known; what it brought is in the
//! books then, and the trades that it took from are left alone in the same way.

use std::cmp::Reverse;

use crate::domain::{
    IntentId, MarketIndex, Money, Order, OrderId, Outcome, Purpose, Quantity, Timestamp, TradeId,
    Venue,
};
use crate::plan::Kind;

use super::decide::{Step, View};
use super::executor::Executor;
use super::state::Aftermath;
use super::trade::{Account, Trade};
use super::trade_state::{Event, Phase, Way};
use super::{Act, Record, Scope, Sight, State, Tracked, incident};

impl State {
    /// Whether a person keeps a market for themselves.
    pub fn ignores(&self, market: MarketIndex) -> bool {
        self.ignored.contains(&market)
    }

    /// The markets that a person keeps for themselves.
    pub fn ignored(&self) -> impl Iterator<Item = MarketIndex> + '_ {
        self.ignored.iter().copied()
    }

    /// Whether a trade has a leg in a market that a person keeps for themselves.
    pub(super) fn is_ignored(&self, trade: &Trade) -> bool {
        trade.plan.legs.iter().any(|leg| self.ignores(leg.market))
    }

    /// Markets in which a person took a venue's word or an order was adopted, and what is held
    /// there, or may come, that no trade bought, at a dollar a contract. A YES and a NO are a
    /// dollar whatever happens, and at no risk.
    pub fn unbought(&self) -> impl Iterator<Item = (Venue, MarketIndex, Money)> + '_ {
        self.taken_over.iter().map(|(market, venue)| {
            let market = *market;
            let [yes, no] = [Outcome::Yes, Outcome::No].map(|outcome| {
                let trades = self.in_market(market);
                let bought = trades.fold(Quantity::ZERO, |sum, trade| {
                    sum.saturating_add(self.left_of(trade, market, outcome))
                });
                let coming = self.coming(market, outcome);
                self.ledger.held(market, outcome).saturating_sub(bought).saturating_add(coming)
            });
            let single = yes.max(no).saturating_sub(yes.min(no));
            (*venue, market, Money::payout(single))
        })
    }

    /// How many of a contract adopted orders may still bring.
    fn coming(&self, market: MarketIndex, outcome: Outcome) -> Quantity {
        let adopted = self.orders_in(market).filter(|one| {
            one.order().purpose == Purpose::Adopted && one.order().outcome == outcome
        });
        adopted.fold(Quantity::ZERO, |sum, one| sum.saturating_add(one.quantity_open()))
    }

    /// An order has its name at the venue. One that was adopted is for a person to look at.
    pub(super) fn named(&mut self, intent: IntentId, id: &OrderId, after: &mut Aftermath) {
        let Some(order) = self.orders.get(&intent).map(Tracked::order) else { return };
        if order.purpose != Purpose::Adopted {
            return;
        }
        let venue = order.venue;
        self.taken_over.insert(order.market, venue);
        if self.adopted.insert((venue, id.clone()), Some(intent)).is_none() {
            let text = format!(
                "{venue} has order {id}, which bears this journal's mark and was not in it: taken \
                 in as {intent}"
            );
            after.notices.push((incident::ORDER_ADOPTED, text));
        }
    }

    /// What is held of both contracts of a market, YES first.
    pub(super) fn held(&self, market: MarketIndex) -> [Quantity; 2] {
        [Outcome::Yes, Outcome::No].map(|outcome| self.ledger.held(market, outcome))
    }

    /// What was held of a market before an adopted order moved it: trades that count on what is
    /// gone let go of it, and those that were acting there send nothing more.
    pub(super) fn yield_to(&mut self, market: MarketIndex, before: [Quantity; 2]) {
        for (outcome, before) in [Outcome::Yes, Outcome::No].into_iter().zip(before) {
            let quantity = self.ledger.held(market, outcome);
            self.let_go((market, outcome), before, quantity);
        }
    }

    /// The trades that count on a contract, or are not at rest in its market.
    pub fn counting_on(&self, market: MarketIndex, outcome: Outcome) -> Vec<TradeId> {
        let counts = |trade: &&Trade| {
            !trade.phase.is_quiet() || !self.left_of(trade, market, outcome).is_zero()
        };
        self.in_market(market).filter(counts).map(|trade| trade.id).collect()
    }

    /// Makes `quantity` what is held of a contract, for the ledger and for the trades.
    pub(super) fn adopt(
        &mut self,
        venue: Venue,
        (market, outcome): (MarketIndex, Outcome),
        quantity: Quantity,
    ) {
        let before = self.ledger.held(market, outcome);
        self.ledger.adopt(venue, market, outcome, quantity);
        self.ignored.remove(&market);
        self.taken_over.insert(market, venue);
        self.reconcile(market);
        self.let_go((market, outcome), before, quantity);
    }

    /// Of a contract `quantity` are held where there were more: takes the rest from the trades that
    /// count on it, and leaves those alone that lost some or were acting.
    fn let_go(
        &mut self,
        (market, outcome): (MarketIndex, Outcome),
        before: Quantity,
        quantity: Quantity,
    ) {
        let mut holders: Vec<(bool, Reverse<TradeId>, Quantity)> = self
            .in_market(market)
            .map(|trade| (trade.phase.is_quiet(), trade, self.left_of(trade, market, outcome)))
            .map(|(is_quiet, trade, left)| (is_quiet, Reverse(trade.id), left))
            .collect();
        holders.sort_unstable();
        let claimed =
            holders.iter().fold(Quantity::ZERO, |sum, (_, _, left)| sum.saturating_add(*left));
        // What the ledger held and no trade counts on goes first.
        let mut missing = claimed.min(before).saturating_sub(quantity);
        for (is_quiet, Reverse(id), left) in holders {
            let lost = left.min(missing);
            missing = missing.saturating_sub(lost);
            let Some(trade) = self.trades.get_mut(&id) else { continue };
            if let Some(at) = trade.seat_of(market) {
                trade.gone[at] = trade.gone[at].saturating_add(lost);
            }
            trade.is_left_alone |= !is_quiet || !lost.is_zero();
        }
    }

    /// How many of a contract a trade bought and still counts on.
    fn left_of(&self, trade: &Trade, market: MarketIndex, outcome: Outcome) -> Quantity {
        let at = trade.seat_of(market).filter(|at| trade.outcome(*at) == outcome);
        let Some(at) = at.filter(|_| trade.plan.kind == Kind::Enter) else {
            return Quantity::ZERO;
        };
        let left = trade.accounts(&self.orders)[at].change() - trade.given[at].quantity.units();
        Quantity::from_units(left.max(0)).unwrap_or(Quantity::MAX)
    }
}

impl View<'_> {
    /// Nothing is sent any more: where what was sent leaves the trade.
    pub(super) fn left_alone(&self, trade: &Trade, accounts: &[Account; 2], is_open: bool) -> Step {
        if is_open || matches!(trade.phase, Phase::HalfPaid) {
            return Step::Wait;
        }
        match self.settle_in(trade, accounts) {
            Step::Wait => {}
            step => return step,
        }
        match trade.phase {
            Phase::Stranded(Way::Hold) => Step::Wait,
            Phase::Stranded(_) => {
                let why = "left alone since a person decided on its market".to_owned();
                Step::Note(Event::Took(Way::Hold), why)
            }
            _ => Step::Wait,
        }
    }
}

impl Executor {
    /// Takes in an order whose record was lost, and opens nothing more on its venue until a person
    /// has looked.
    pub(super) fn take_in(
        &mut self,
        order: &Order,
        id: &OrderId,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        self.apply(&Record::Placed(order.clone()));
        acts.push(Act::Adopt { order: order.clone(), id: id.clone() });
        let named = Record::Named { intent: order.intent, id: id.clone() };
        for (kind, text) in self.state.apply(&named).notices {
            self.tell(kind, text, None, now, acts);
        }
        let why = "an order that the journal did not hold";
        self.stop(Scope::Venue(order.venue), why, now, acts);
    }

    /// Takes a venue's word for a market: what the account holds of each contract.
    pub fn adopt(
        &mut self,
        venue: Venue,
        market: MarketIndex,
        held: &[(Outcome, Quantity)],
        why: &str,
        (sight, now): (&dyn Sight, Timestamp),
        acts: &mut Vec<Act>,
    ) {
        for (outcome, quantity) in held.iter().copied() {
            let why = why.to_owned();
            self.say(Record::Adopted { venue, market, outcome, quantity, why, at: now }, acts);
        }
        self.advance_in(market, sight, now, acts);
    }

    /// Leaves a market to its person.
    pub fn ignore(
        &mut self,
        venue: Venue,
        market: MarketIndex,
        why: &str,
        (sight, now): (&dyn Sight, Timestamp),
        acts: &mut Vec<Act>,
    ) {
        self.say(Record::Ignored { venue, market, why: why.to_owned(), at: now }, acts);
        self.advance_in(market, sight, now, acts);
    }

    fn advance_in(
        &mut self,
        market: MarketIndex,
        sight: &dyn Sight,
        now: Timestamp,
        acts: &mut Vec<Act>,
    ) {
        let trades: Vec<TradeId> = self.state.in_market(market).map(|trade| trade.id).collect();
        for trade in trades {
            self.advance(trade, sight, now, acts);
        }
    }
}
