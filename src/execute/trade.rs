//! One attempt at both legs: what each leg holds, what stands alone, what is at risk.
//!
//! Everything is summed up from the orders every time it is asked for, so that no counter can drift
//! away from the evidence.

use std::collections::BTreeMap;

use crate::domain::{
    Action, IntentId, MarketIndex, Money, Outcome, Purpose, Quantity, Timestamp, TradeId, Venue,
};
use crate::plan::{Kind, Leg, Plan};

use super::State;
use super::ledger::{Payout, seat};
use super::order_state::{Phase as OrderPhase, Tracked};
use super::outlay::fees_open;
use super::trade_state::{Phase, Way};

/// What one leg of a trade has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// Contracts bought.
    pub bought: Quantity,
    /// What they cost, fees included.
    pub cost: Money,
    /// Contracts sold.
    pub sold: Quantity,
    /// What they brought, fees taken off.
    pub proceeds: Money,
    /// How much of that may still fail, and leave what was sold.
    pub proceeds_unsure: Money,
    /// How much of what was sold may still come back.
    pub sold_unsure: Quantity,
    /// Contracts of the other outcome bought, to be merged.
    pub offset: Quantity,
    /// What they cost, fees included.
    pub offset_cost: Money,
    /// How much of what was bought may still fail.
    pub unconfirmed: Quantity,
    /// How much of what was bought of the other outcome may still fail.
    pub offset_unconfirmed: Quantity,
    /// The most that orders under way can still spend, without fees.
    pub spend_open: Money,
    /// The most that the fees of that can be, and of what was told without its fees.
    pub fees_open: Money,
    /// Whether an order is under way, or nobody knows.
    pub is_open: bool,
}

impl Account {
    /// What the leg has more than before the trade, in millionths of a contract.
    pub const fn change(&self) -> i64 {
        self.bought.units() - self.sold.units() - self.offset.units()
    }

    /// Dollars that left the purse and have not come back, fees included.
    pub fn spent(&self) -> Money {
        self.cost + self.offset_cost - self.proceeds
    }

    /// The most that its orders can still spend, fees included.
    pub fn open(&self) -> Money {
        self.spend_open + self.fees_open
    }

    /// Everything that was ever paid, fees included.
    pub fn paid(&self) -> Money {
        self.cost + self.offset_cost
    }

    /// What was paid for what the leg still has, or may have again: a part that was sold for more
    /// than it cost makes the rest no cheaper.
    pub(super) fn basis_left(&self) -> Money {
        let sold = self.sold.saturating_sub(self.sold_unsure);
        let offset = self.offset.saturating_sub(self.offset_unconfirmed);
        let closed = sold.saturating_add(offset);
        let single = share(self.offset_cost, self.single(), self.offset);
        share(self.cost, self.bought.saturating_sub(closed), self.bought) + single
    }

    /// Contracts that left without a sale leave at what they had cost: that they are gone earns and
    /// loses nothing here, and what became of their money shows in the cash.
    fn lose(&mut self, gone: Quantity) {
        self.proceeds += share(self.cost, gone, self.bought);
        self.sold = self.sold.saturating_add(gone);
    }

    /// A sale of what is not held is a purchase of the other outcome, where a venue nets the two:
    /// that is what is left when Kalshi takes back a purchase whose contracts were sold again.
    fn turn_short(&mut self) {
        let short = self.sold.saturating_sub(self.bought);
        if short.is_zero() {
            return;
        }
        let covered = self.sold.saturating_sub(short);
        let kept = share(self.proceeds, covered, self.sold);
        self.offset = self.offset.saturating_add(short);
        self.offset_cost += Money::payout(short) - (self.proceeds - kept);
        (self.sold, self.proceeds) = (covered, kept);
    }

    /// How many contracts of both outcomes it has: a dollar each, whatever happens.
    fn paired(&self) -> Quantity {
        self.offset.min(self.bought.saturating_sub(self.sold))
    }

    /// What it has of the other outcome alone.
    fn single(&self) -> Quantity {
        self.offset.saturating_sub(self.paired())
    }

    fn add(&mut self, tracked: &Tracked, leg: &Leg) {
        let (order, booked) = (tracked.order(), tracked.booked());
        let (quantity, money) = (booked.total.quantity, booked.total.money);
        match (order.action, order.purpose) {
            (Action::Buy, Purpose::Offset) => {
                self.offset = self.offset.saturating_add(quantity);
                self.offset_cost += money + booked.fees();
                let unconfirmed = tracked.unconfirmed();
                self.offset_unconfirmed = self.offset_unconfirmed.saturating_add(unconfirmed);
            }
            (Action::Buy, _) => {
                self.bought = self.bought.saturating_add(quantity);
                self.cost += money + booked.fees();
                self.unconfirmed = self.unconfirmed.saturating_add(tracked.unconfirmed());
            }
            (Action::Sell, _) => {
                self.sold = self.sold.saturating_add(quantity);
                let brought = money - booked.fees();
                self.proceeds += brought;
                let unsure = tracked.unconfirmed();
                self.proceeds_unsure += share(brought, unsure, quantity);
                self.sold_unsure = self.sold_unsure.saturating_add(unsure);
            }
        }
        self.spend_open += tracked.spend_open();
        self.fees_open += fees_open(leg, tracked);
        self.is_open |= tracked.phase().is_open();
    }
}

/// How the two legs stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// How many contracts both legs have: bought on an entry, sold on an exit.
    pub matched: Quantity,
    /// The leg that has more than the other, and how much more.
    pub surplus: Option<(usize, Quantity)>,
}

/// Contracts and their cost that an exit took from a trade that bought them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Given {
    /// Contracts.
    pub quantity: Quantity,
    /// What they had cost.
    pub cost: Money,
}

/// One trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// Its number.
    pub id: TradeId,
    /// What was intended.
    pub plan: Plan,
    /// Where it is in its life.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// Why it is there, for people.
    pub why: String,
    /// Its orders, in the order in which they were decided on.
    pub orders: Vec<IntentId>,
    /// Since when one leg has more than the other.
    pub stranded_since: Option<Timestamp>,
    /// Whether it has been said that it stands alone for too long.
    pub is_alarmed: bool,
    /// Whether it has been said that its venues paid other than planned.
    pub is_diverged: bool,
    /// Contracts of each leg that a venue does not have: a person took its word for it.
    pub gone: [Quantity; 2],
    /// Whether a person took a venue's word for what it was about: it sends nothing more.
    pub is_left_alone: bool,
    /// What exits took from each leg, or on an exit took from others.
    pub given: [Given; 2],
    /// How much was asked to be merged, and when last.
    pub merging: Option<(Quantity, Timestamp)>,
    /// What each venue's market paid.
    pub payouts: [Option<Payout>; 2],
    /// What had been paid for each leg when all of it last came to rest, fees included. Nothing
    /// beyond that is held back for the trade any more.
    pub released: Option<[Money; 2]>,
}

/// All orders, by number.
pub type Orders = BTreeMap<IntentId, Tracked>;

impl Trade {
    /// A trade of which nothing was sent.
    pub fn new(id: TradeId, plan: Plan, at: Timestamp) -> Self {
        Self {
            id,
            plan,
            phase: Phase::Opened,
            since: at,
            why: String::new(),
            orders: Vec::new(),
            stranded_since: None,
            is_alarmed: false,
            is_diverged: false,
            gone: [Quantity::ZERO; 2],
            is_left_alone: false,
            given: [Given::default(); 2],
            merging: None,
            payouts: [None; 2],
            released: None,
        }
    }

    /// Whether nothing is left to do for us but to wait for settlement, if for anything.
    pub fn is_quiet(&self) -> bool {
        self.phase.is_quiet() || self.is_left_alone && self.phase == Phase::Stranded(Way::Hold)
    }

    /// Whether nothing is under way: what stands alone has no way out at present.
    pub fn rests(&self) -> bool {
        self.phase.is_quiet() || self.phase == Phase::Stranded(Way::Hold)
    }

    /// Takes its place in a phase.
    pub(super) fn enter(&mut self, phase: Phase, at: Timestamp) {
        let was_alone = self.phase.is_stranded();
        match (was_alone, phase.is_stranded()) {
            (false, true) => (self.stranded_since, self.is_alarmed) = (Some(at), false),
            (true, false) => self.stranded_since = None,
            _ => {}
        }
        (self.phase, self.since) = (phase, at);
    }

    /// What its orders did at Kalshi and at Polymarket.
    pub fn accounts(&self, orders: &Orders) -> [Account; 2] {
        let mut accounts = [Account::default(); 2];
        for tracked in self.orders.iter().filter_map(|intent| orders.get(intent)) {
            let at = seat(tracked.order().venue);
            accounts[at].add(tracked, &self.plan.legs[at]);
        }
        if self.plan.kind == Kind::Enter {
            accounts[seat(Venue::Kalshi)].turn_short();
        }
        for (account, gone) in accounts.iter_mut().zip(self.gone) {
            account.lose(gone);
        }
        accounts
    }

    /// How its legs stand to each other.
    pub fn balance(&self, accounts: &[Account; 2]) -> Balance {
        let [kalshi, polymarket] = [accounts[0].change(), accounts[1].change()];
        let matched = match self.plan.kind {
            // Both may have their other outcomes instead: those lock one another as well.
            Kind::Enter => kalshi.min(polymarket).max(-kalshi.max(polymarket)),
            Kind::Exit => -kalshi.max(polymarket),
        };
        let quantity = |units: i64| Quantity::from_units(units.max(0)).unwrap_or(Quantity::MAX);
        let surplus = match kalshi - polymarket {
            0 => None,
            more if more > 0 => Some((0, quantity(more))),
            less => Some((1, quantity(-less))),
        };
        Balance { matched: quantity(matched), surplus }
    }

    /// What the surplus of a leg has cost: its share of what was paid, or on an exit, what is left
    /// of a dollar when the other leg's proceeds are taken off.
    pub fn basis(&self, accounts: &[Account; 2], leg: usize, quantity: Quantity) -> Money {
        match self.plan.kind {
            Kind::Enter => {
                let (own, other) = (accounts[leg], accounts[1 - leg]);
                let closed = own.sold.saturating_add(own.offset);
                let had = own.bought.saturating_sub(closed);
                let left = own.cost - share(own.cost, closed, own.bought);
                // What the other leg has of its other outcome stands alone as well.
                let rest = quantity.saturating_sub(had).min(other.single());
                share(left, quantity, had.max(quantity))
                    + share(other.offset_cost, rest, other.offset)
            }
            Kind::Exit => {
                let other = accounts[1 - leg];
                Money::payout(quantity) - share(other.proceeds, quantity, other.sold)
            }
        }
    }

    /// What the trade has lost for good so far; less than nothing when it gained. Matched contracts
    /// count as the dollar that they pay, what stands alone at its cost.
    pub fn lost(&self, accounts: &[Account; 2]) -> Money {
        let balance = self.balance(accounts);
        let alone = balance
            .surplus
            .map_or(Money::ZERO, |(leg, quantity)| self.basis(accounts, leg, quantity));
        let out = accounts[0].spent() + accounts[1].spent();
        let matched = Money::payout(balance.matched);
        let sum = |of: fn(&Account) -> Quantity| {
            Money::payout(of(&accounts[0]).saturating_add(of(&accounts[1])))
        };
        match self.plan.kind {
            Kind::Enter => out - alone - matched - sum(Account::paired),
            Kind::Exit => out + matched - alone - sum(|own| own.offset),
        }
    }

    /// What the trade has earned for good, less than nothing for a loss: what was sold, offset or
    /// paid out, less what that had cost. While only one venue has paid, what both legs hold is
    /// neither: the other leg pays the dollar.
    pub fn realised(&self, accounts: &[Account; 2]) -> Money {
        let left = |at: usize| {
            let own = &accounts[at];
            let closed = own.sold.saturating_add(own.offset);
            own.bought.saturating_sub(closed).saturating_sub(self.given[at].quantity)
        };
        let waits = match self.payouts {
            [Some(_), Some(_)] => Quantity::ZERO,
            _ => left(0).min(left(1)),
        };
        let leg = |at: usize| {
            let own = &accounts[at];
            if self.plan.kind == Kind::Exit {
                return own.proceeds - own.cost + Money::payout(own.offset)
                    - own.offset_cost
                    - self.given[at].cost;
            }
            let closed = own.sold.saturating_add(own.offset);
            let closed_cost = share(own.cost, closed, own.bought);
            let (paired, single) = (own.paired(), own.single());
            let paired_cost = share(own.offset_cost, paired, own.offset);
            let sold = own.proceeds + Money::payout(paired) - paired_cost - closed_cost;
            let Some(payout) = self.payouts[at] else { return sold };
            let single_paid = payout.of(self.outcome(at).other()).per_contract_ceil(single);
            let sold = sold + single_paid - (own.offset_cost - paired_cost);
            let over = left(at).saturating_sub(waits);
            let paid = payout.of(self.outcome(at)).per_contract_ceil(over);
            sold + paid - share(own.cost - closed_cost - self.given[at].cost, over, left(at))
        };
        leg(0) + leg(1)
    }

    /// How its venues paid other than planned, as far as they have paid: for a locked contract a
    /// dollar in all, at one of them.
    pub fn divergence(&self) -> Option<String> {
        let dollar = Money::from_micros(Money::DOLLAR);
        let pays = |at: usize| self.payouts[at].map(|payout| payout.of(self.outcome(at)));
        let is_whole = |paid: &Money| *paid == Money::ZERO || *paid == dollar;
        match (pays(0), pays(1)) {
            (Some(kalshi), Some(polymarket)) if kalshi + polymarket != dollar => Some(format!(
                "{}: kalshi paid {kalshi} and polymarket {polymarket} for a locked contract",
                self.id
            )),
            (Some(paid), None) | (None, Some(paid)) if !is_whole(&paid) => {
                Some(format!("{}: one venue paid {paid} for a contract", self.id))
            }
            _ => None,
        }
    }

    /// Whether contracts of both outcomes are held that a merge would turn into dollars.
    pub fn may_merge(&self, state: &State) -> bool {
        let holds_both = |leg: &Leg| {
            let held = |outcome| state.ledger().held(leg.market, outcome);
            !held(Outcome::Yes).min(held(Outcome::No)).is_zero()
        };
        self.plan.legs.iter().any(holds_both)
            && self.accounts(state.orders()).iter().any(|own| !own.offset.is_zero())
    }

    /// The leg of a venue's market, if the trade is in it.
    pub fn seat_of(&self, market: MarketIndex) -> Option<usize> {
        self.plan.legs.iter().position(|leg| leg.market == market)
    }

    /// The contract of a leg.
    pub fn outcome(&self, at: usize) -> Outcome {
        self.plan.legs[at].outcome
    }

    /// Whether more may come of an order that is under way, and nobody has said that its fate is
    /// unknown.
    pub fn is_waiting(&self, orders: &Orders) -> bool {
        self.orders.iter().filter_map(|intent| orders.get(intent)).any(|tracked| {
            matches!(
                tracked.phase(),
                OrderPhase::Decided | OrderPhase::Delayed | OrderPhase::Resting
            ) && !tracked.quantity_open().is_zero()
        })
    }
}

/// `part` of `whole` of an amount, rounded up; all of it when the part is the whole or more.
pub(super) fn share(amount: Money, part: Quantity, whole: Quantity) -> Money {
    if part.is_zero() || whole.is_zero() {
        return Money::ZERO;
    }
    if part >= whole {
        return amount;
    }
    let product = i128::from(amount.micros()) * i128::from(part.units());
    let micros = -(-product).div_euclid(i128::from(whole.units()));
    Money::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}
