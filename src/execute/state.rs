//! All that follows from the records: what start-up rebuilds and live work changes.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use crate::domain::report::Purse;
use crate::domain::{
    Evidence, IntentId, MarketIndex, Money, Order, OrderId, Purpose, Quantity, Report, Timestamp,
    TradeId, Venue,
};
use crate::pairing::PairId;
use crate::plan::{Kind, Plan};

use super::index::Index;
use super::ledger::{Ledger, Payout, seat};
use super::order_state::{Notice, Tracked};
use super::trade::{Given, Orders, Trade, share};
use super::trade_state::Phase;
use super::{Record, Scope, incident};

/// Orders, trades, ledger, halts: a fold over records, equal for equal records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// The highest numbers that were ever given.
    intents: u64,
    trade_numbers: u64,
    pub(super) orders: Orders,
    pub(super) trades: BTreeMap<TradeId, Trade>,
    /// Orders that are not final.
    pending: BTreeSet<IntentId>,
    /// Those of which the venue's last listing lacked a fill.
    lacking: BTreeSet<IntentId>,
    pub(super) ledger: Ledger,
    pub(super) index: Index,
    halts: Vec<(Scope, String)>,
    /// Orders at a venue that bear our mark and were not in the journal, until a person has looked;
    /// those that could be taken into it with their intents.
    pub(super) adopted: BTreeMap<(Venue, OrderId), Option<IntentId>>,
    /// What was earned or lost for good, by UTC day since the epoch.
    realised: BTreeMap<i64, Money>,
    /// What each venue last said that can be spent.
    purses: [Vec<(Purse, Money)>; 2],
    /// Markets that a person keeps for themselves.
    pub(super) ignored: BTreeSet<MarketIndex>,
    /// Markets in which a person took a venue's word for what is held, or an order was adopted.
    pub(super) taken_over: BTreeMap<MarketIndex, Venue>,
    /// What may be lost to get out of everything, while that is asked for.
    pub(super) flattening: Option<Flattening>,
}

/// Everything is to be sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flattening {
    /// The most that may be lost.
    pub(super) loss_max: Money,
    /// What had been earned for good when it began.
    pub(super) realised_before: Money,
}

/// A locked position: both contracts of a pair, bought by one trade and not yet given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked<'a> {
    /// The trade.
    pub trade: &'a Trade,
    /// How many of each contract.
    pub quantity: Quantity,
    /// What they cost, fees included.
    pub paid: Money,
    /// How many of each are confirmed and so can be sold.
    pub sellable: Quantity,
}

/// What a record brought beyond the state itself.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    /// Trades that it changed.
    pub(super) trades: Vec<TradeId>,
    /// What a person must know.
    pub(super) notices: Vec<Notice>,
}

impl State {
    /// Takes one record in.
    pub(super) fn apply(&mut self, record: &Record) -> Aftermath {
        let mut after = Aftermath::default();
        match record {
            Record::Opened { trade, plan, at } => self.opened(*trade, plan, *at, &mut after),
            Record::Placed(order) => self.placed(order, &mut after),
            // The gateways keep the venue's names of orders.
            Record::Named { intent, id } => self.named(*intent, id, &mut after),
            Record::Reported { report, at } => self.reported(report, *at, &mut after),
            Record::Merged { trade, quantity, at, .. } => {
                if let Some(known) = self.trades.get_mut(trade) {
                    let before = known.merging.map_or(Quantity::ZERO, |(before, _)| before);
                    known.merging = Some((before.max(*quantity), *at));
                    after.trades.push(*trade);
                }
            }
            Record::Moved { trade, to, why, at } => {
                let known = self.trades.get_mut(trade);
                if let (Some(known), Some(phase)) = (known, Phase::named(to)) {
                    known.enter(phase, *at);
                    known.why.clone_from(why);
                    known.come_to_rest(&self.orders);
                    after.trades.push(*trade);
                }
            }
            Record::Halted { scope, why, .. } => {
                self.halts.retain(|halt| halt.0 != *scope);
                self.halts.push((scope.clone(), why.clone()));
            }
            Record::Resumed { scope, .. } => self.resumed(scope),
            Record::Booked { venue, line, amount, as_of, .. } => {
                self.ledger.even(*venue, *line, *amount, *as_of);
            }
            Record::Adopted { venue, market, outcome, quantity, .. } => {
                self.adopt(*venue, (*market, *outcome), *quantity);
                after.trades.extend(self.in_market(*market).map(|trade| trade.id));
            }
            Record::Ignored { market, .. } => {
                self.ignored.insert(*market);
                after.trades.extend(self.in_market(*market).map(|trade| trade.id));
            }
            Record::Flattening { loss_max, realised_before, .. } => {
                let (loss_max, realised_before) = (*loss_max, *realised_before);
                self.flattening = Some(Flattening { loss_max, realised_before });
            }
            Record::Incident { kind, trade, .. } => {
                if let Some(known) = trade.and_then(|trade| self.trades.get_mut(&trade)) {
                    known.is_alarmed |= *kind == incident::STRANDED_LONG;
                    known.is_diverged |= *kind == incident::SETTLEMENT_DIVERGENCE;
                }
            }
        }
        self.renew(&after.trades);
        after
    }

    fn opened(&mut self, trade: TradeId, plan: &Plan, at: Timestamp, after: &mut Aftermath) {
        self.trade_numbers = self.trade_numbers.max(trade.0);
        if let Entry::Vacant(place) = self.trades.entry(trade) {
            self.index.open(place.insert(Trade::new(trade, plan.clone(), at)));
        }
        after.trades.push(trade);
    }

    /// An order that is known already is the same order, written twice.
    fn placed(&mut self, order: &Order, after: &mut Aftermath) {
        self.intents = self.intents.max(order.intent.0);
        if self.orders.contains_key(&order.intent) {
            return;
        }
        self.orders.insert(order.intent, Tracked::new(order.clone()));
        self.index.place(order);
        self.pending.insert(order.intent);
        if let Some(trade) = self.trades.get_mut(&order.trade) {
            trade.orders.push(order.intent);
            after.trades.push(order.trade);
        }
    }

    /// What a venue last said that can be spent, as the records have it.
    pub fn purses(&self, venue: Venue) -> &[(Purse, Money)] {
        &self.purses[seat(venue)]
    }

    /// A person took the venue's word for a market: what its orders dispute is settled.
    pub(super) fn reconcile(&mut self, market: MarketIndex) {
        for (intent, tracked) in &mut self.orders {
            if tracked.order().market == market && !tracked.is_known() {
                tracked.reconcile();
                if tracked.is_final() {
                    self.pending.remove(intent);
                }
            }
        }
    }

    /// A person has looked: what was taken in under a stop is theirs to judge.
    fn resumed(&mut self, scope: &Scope) {
        self.halts.retain(|halt| halt.0 != *scope);
        if *scope == Scope::All {
            self.flattening = None;
        }
        self.adopted.retain(|(venue, _), _| match scope {
            Scope::Venue(of) => of != venue,
            Scope::All => false,
            Scope::Pair(_) => true,
        });
    }

    fn reported(&mut self, report: &Report, at: Timestamp, after: &mut Aftermath) {
        match report {
            Report::Order { intent, evidence } => self.heard(*intent, evidence, at, after),
            Report::Foreign { venue, id, is_ours: true, .. } => {
                let place = self.adopted.entry((*venue, id.clone()));
                if let Entry::Vacant(place) = place {
                    place.insert(None);
                    let text = format!("{venue} has order {id}, which bears this journal's mark");
                    after.notices.push((incident::ORDER_ADOPTED, text));
                }
            }
            Report::Settled { venue, market: Some(market), yes_pays, paid, at: dated, .. } => {
                let payout = Payout { yes_pays: *yes_pays, paid: *paid };
                self.ledger.settle(*venue, *market, payout, *dated);
                self.settled(*venue, *market, at, after);
            }
            Report::Merged { market, quantity, .. } => {
                self.ledger.merge(*market, *quantity);
                after.trades.extend(self.in_market(*market).map(|trade| trade.id));
            }
            Report::Moved { venue, movement } => self.ledger.moved(*venue, movement, at),
            Report::Cash { venue, purses, .. } => self.purses[seat(*venue)].clone_from(purses),
            Report::Foreign { .. }
            | Report::Lost { .. }
            | Report::Positions { .. }
            | Report::Settled { market: None, .. }
            | Report::NotConverted { .. }
            | Report::Permission { .. } => {}
        }
    }

    fn heard(
        &mut self,
        intent: IntentId,
        evidence: &Evidence,
        at: Timestamp,
        after: &mut Aftermath,
    ) {
        let Some(tracked) = self.orders.get_mut(&intent) else {
            let text = format!("{intent} is not in the journal: {evidence:?}");
            after.notices.push((incident::ORDER_MISSING, text));
            return;
        };
        let (order, before) = (tracked.order().clone(), tracked.booked());
        let realised = self.realised_around(order.trade);
        let Some(tracked) = self.orders.get_mut(&intent) else { return };
        after.notices.extend(tracked.take(evidence));
        let booked = tracked.booked();
        if tracked.lacks_fills() {
            self.lacking.insert(intent);
        } else {
            self.lacking.remove(&intent);
        }
        if tracked.is_final() {
            self.pending.remove(&intent);
        } else {
            self.pending.insert(intent);
        }
        if booked != before {
            let adopted = (order.purpose == Purpose::Adopted).then(|| self.held(order.market));
            self.ledger.book(&order, &before, &booked);
            if let Some(held) = adopted {
                self.yield_to(order.market, held);
                after.trades.extend(self.in_market(order.market).map(|trade| trade.id));
            }
            self.attribute(order.trade);
            let earned = self.realised_around(order.trade) - realised;
            self.earn(at, earned);
        }
        // What changes how the legs stand moves the trade first.
        let is_same = booked.total.quantity == before.total.quantity;
        if let Some(trade) = self.trades.get_mut(&order.trade).filter(|_| is_same) {
            trade.release(&self.orders);
        }
        after.trades.push(order.trade);
    }

    fn settled(&mut self, venue: Venue, market: MarketIndex, at: Timestamp, after: &mut Aftermath) {
        let trades: Vec<TradeId> = self.in_market(market).map(|trade| trade.id).collect();
        for id in trades {
            let before = self.realised_of(id);
            if let Some(trade) = self.trades.get_mut(&id) {
                trade.payouts[seat(venue)] = self.ledger.payout(market);
            }
            let earned = self.realised_of(id) - before;
            self.earn(at, earned);
            after.trades.push(id);
        }
    }

    fn earn(&mut self, at: Timestamp, amount: Money) {
        if amount != Money::ZERO {
            *self.realised.entry(at.secs().div_euclid(86_400)).or_default() += amount;
        }
    }

    fn realised_of(&self, trade: TradeId) -> Money {
        self.trades
            .get(&trade)
            .map_or(Money::ZERO, |trade| trade.realised(&trade.accounts(&self.orders)))
    }

    /// What a trade earned, and on an exit those too from which it took.
    fn realised_around(&self, trade: TradeId) -> Money {
        let Some(known) = self.trades.get(&trade) else { return Money::ZERO };
        if known.plan.kind == Kind::Enter {
            return self.realised_of(trade);
        }
        self.of_pair(&known.plan.pair)
            .fold(Money::ZERO, |sum, other| sum + self.realised_of(other.id))
    }

    /// Gives what the exits of a pair sold to the trades that bought it, oldest first.
    fn attribute(&mut self, trade: TradeId) {
        let Some(exit) = self.trades.get(&trade).filter(|t| t.plan.kind == Kind::Exit) else {
            return;
        };
        let of_pair = |kind: Kind| -> Vec<TradeId> {
            let all = self.of_pair(&exit.plan.pair);
            all.filter(|trade| trade.plan.kind == kind).map(|trade| trade.id).collect()
        };
        let (exits, givers) = (of_pair(Kind::Exit), of_pair(Kind::Enter));
        for id in exits.iter().chain(&givers) {
            if let Some(trade) = self.trades.get_mut(id) {
                trade.given = [Given::default(); 2];
            }
        }
        for exit in exits {
            for at in 0..2 {
                for giver in &givers {
                    self.give(*giver, exit, at);
                }
            }
        }
    }

    /// Moves as much of one leg as both allow from the trade that bought to the exit that sold.
    fn give(&mut self, giver: TradeId, exit: TradeId, at: usize) {
        let (Some(from), Some(to)) = (self.trades.get(&giver), self.trades.get(&exit)) else {
            return;
        };
        let leg = |trade: &Trade| (trade.plan.legs[at].market, trade.plan.legs[at].outcome);
        if leg(from) != leg(to) {
            return;
        }
        let (own, sold) = (from.accounts(&self.orders)[at], to.accounts(&self.orders)[at]);
        let left = own.change() - from.given[at].quantity.units();
        let wanted = -sold.change() - to.given[at].quantity.units();
        let Some(quantity) = Quantity::from_units(left.min(wanted).max(0)) else { return };
        let closed = own.sold.saturating_add(own.offset);
        let cost_left = own.cost - share(own.cost, closed, own.bought) - from.given[at].cost;
        let left = Quantity::from_units(left.max(0)).unwrap_or(Quantity::MAX);
        let cost = share(cost_left, quantity, left);
        for id in [giver, exit] {
            if let Some(trade) = self.trades.get_mut(&id) {
                let given = &mut trade.given[at];
                given.quantity = given.quantity.saturating_add(quantity);
                given.cost += cost;
            }
        }
    }

    /// Gives no number below these from here on.
    pub(super) fn number_from(&mut self, intent: IntentId, trade: TradeId) {
        self.intents = self.intents.max(intent.0.saturating_sub(1));
        self.trade_numbers = self.trade_numbers.max(trade.0.saturating_sub(1));
    }

    /// The number of the next intent.
    pub const fn next_intent(&self) -> IntentId {
        IntentId(self.intents + 1)
    }

    /// The number of the next trade.
    pub const fn next_trade(&self) -> TradeId {
        TradeId(self.trade_numbers + 1)
    }

    /// Whether everything is to be sold.
    pub const fn is_flattening(&self) -> bool {
        self.flattening.is_some()
    }

    /// What is halted, and why.
    pub fn halts(&self) -> &[(Scope, String)] {
        &self.halts
    }

    /// Positions and cash.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// One order.
    pub fn order(&self, intent: IntentId) -> Option<&Tracked> {
        self.orders.get(&intent)
    }

    /// All orders, by number.
    pub const fn orders(&self) -> &Orders {
        &self.orders
    }

    /// Orders that are not final: open, unknown, in dispute, or with fills that may still fail.
    pub fn pending(&self) -> impl Iterator<Item = &Tracked> + '_ {
        self.pending.iter().filter_map(|intent| self.orders.get(intent))
    }

    /// Orders of which the venue's last listing lacked a fill: a second one decides.
    pub fn lacking(&self) -> impl Iterator<Item = IntentId> + '_ {
        self.lacking.iter().copied()
    }

    /// One trade.
    pub fn trade(&self, trade: TradeId) -> Option<&Trade> {
        self.trades.get(&trade)
    }

    /// All trades, by number.
    pub fn trades(&self) -> impl Iterator<Item = &Trade> + '_ {
        self.trades.values()
    }

    /// Orders that bear our mark and were not in the journal, until a person has looked, and under
    /// which number they are in it now, where they could be taken in.
    pub fn adopted(&self) -> impl Iterator<Item = (Venue, &OrderId, Option<IntentId>)> + '_ {
        self.adopted.iter().map(|((venue, id), intent)| (*venue, id, *intent))
    }

    /// What was earned for good on the UTC day of `at`; less than nothing for a loss.
    pub fn realised_on(&self, at: Timestamp) -> Money {
        self.realised.get(&at.secs().div_euclid(86_400)).copied().unwrap_or_default()
    }

    /// What was earned for good over all days.
    pub fn realised(&self) -> Money {
        self.realised.values().fold(Money::ZERO, |sum, day| sum + *day)
    }

    /// The markets in which something is held, owed, or under way.
    pub fn markets_in_use(&self) -> BTreeSet<MarketIndex> {
        use crate::domain::Outcome::{No, Yes};
        let is_held = |market: &MarketIndex| {
            [Yes, No].into_iter().any(|outcome| !self.ledger.held(*market, outcome).is_zero())
        };
        let held = self.ledger.markets().map(|(_, market)| market).filter(is_held);
        let legs = self.unended().flat_map(|trade| trade.plan.legs.iter().map(|leg| leg.market));
        let ordered = self.pending().map(|tracked| tracked.order().market);
        held.chain(legs).chain(ordered).collect()
    }

    /// The locked positions of a pair, oldest first.
    pub fn locked<'a>(&'a self, pair: &'a PairId) -> impl Iterator<Item = Locked<'a>> + 'a {
        let is_one =
            |trade: &&Trade| trade.plan.kind == Kind::Enter && trade.phase == Phase::Locked;
        self.of_pair(pair).filter(is_one).filter_map(|trade| {
            let accounts = trade.accounts(&self.orders);
            let left = |at: usize| {
                let change = accounts[at].change() - trade.given[at].quantity.units();
                Quantity::from_units(change.max(0)).unwrap_or(Quantity::MAX)
            };
            let paid = |at: usize| {
                let own = &accounts[at];
                let closed = own.sold.saturating_add(own.offset);
                own.cost - share(own.cost, closed, own.bought) - trade.given[at].cost
            };
            let quantity = left(0).min(left(1));
            let sure = |at: usize| left(at).saturating_sub(accounts[at].unconfirmed);
            let sellable = quantity.min(sure(0)).min(sure(1));
            let paid = paid(0) + paid(1);
            (!quantity.is_zero()).then_some(Locked { trade, quantity, paid, sellable })
        })
    }

    /// What locked pairs will pay beyond what they cost.
    pub fn locked_profit(&self) -> Money {
        let mut pairs: Vec<_> = self.unended().map(|trade| &trade.plan.pair).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let locked = pairs.into_iter().flat_map(|pair| self.locked(pair));
        locked.fold(Money::ZERO, |sum, one| sum + Money::payout(one.quantity) - one.paid)
    }
}

#[cfg(test)]
mod tests;
