//! What a trade has at risk, and what it may still spend.
//!
//! A plan was approved with so much for each leg and a reserve beyond both. What a leg needs beyond
//! its own part comes from the reserve, and what is needed beyond that from what the other leg did
//! not need, as far as the limits of this moment leave room for it. Once a trade has come to rest
//! all of that is free again for others: what is done about it later, because a venue took
//! something back, spends what came back, and more only where there is room.

use crate::domain::{Action, Money, Price, Quantity, Size, Venue};
use crate::plan::{Kind, Leg};
use crate::risk::{Exposure, LegExposure, Room};

use super::ledger::seat;
use super::order_state::{Phase as OrderPhase, Tracked};
use super::trade::{Account, Orders, Trade, share};
use super::trade_state::{End, Phase};

/// The most that the fees of an order can be that were not told yet: of what it may still buy, and
/// of what was told as bought without them. By what the plan allowed for: a fee goes with the price
/// times what is left to a dollar, which is a quarter at most; and a BUY by collateral brings more
/// contracts the better its price, and so pays its rate of all its dollars at most.
pub(super) fn fees_open(leg: &Leg, tracked: &Tracked) -> Money {
    let order = tracked.order();
    if order.action == Action::Sell {
        return Money::ZERO;
    }
    let size = match order.size {
        Size::Contracts(_) => Size::Contracts(tracked.quantity_open()),
        Size::Collateral(_) => Size::Collateral(tracked.spend_open()),
    };
    fee_most(leg, size, order.limit) + of_contracts(leg, tracked.quantity_unnamed(), Price::MAX)
}

/// The most that the fee of a purchase can be.
pub(super) fn fee_most(leg: &Leg, size: Size, limit: Price) -> Money {
    match size {
        Size::Contracts(quantity) => of_contracts(leg, quantity, limit),
        Size::Collateral(money) if leg.cost_max.is_positive() => {
            scaled(leg.fee_max, money.micros(), leg.cost_max.micros())
        }
        // As many contracts at half a dollar pay the rate of a quarter each.
        Size::Collateral(money) => {
            let contracts = Quantity::from_units(money.micros().saturating_mul(4));
            of_contracts(leg, contracts.unwrap_or_default(), Price::MAX)
        }
    }
}

/// The most that contracts bought at no more than `limit` can cost in fees.
fn of_contracts(leg: &Leg, quantity: Quantity, limit: Price) -> Money {
    const HALF: i64 = Price::ONE as i64 / 2;
    let spread = |limit: Price| {
        let dearest = i64::from(limit.units()).min(HALF);
        dearest * (2 * HALF - dearest)
    };
    let whole = i128::from(leg.quantity.units()) * i128::from(spread(leg.limit));
    let part = i128::from(quantity.units()) * i128::from(spread(limit));
    let product = i128::from(leg.fee_max.micros()) * part;
    if whole <= 0 {
        return Money::ZERO;
    }
    Money::from_micros(i64::try_from(-(-product).div_euclid(whole)).unwrap_or(i64::MAX))
}

fn scaled(amount: Money, part: i64, whole: i64) -> Money {
    let product = i128::from(amount.micros()) * i128::from(part);
    let micros = -(-product).div_euclid(i128::from(whole.max(1)));
    Money::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// What is left of what was approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    /// Of each leg's own part.
    legs: [Money; 2],
    /// Of what is held back beyond both.
    reserve: Money,
}

impl Trade {
    /// What may still be spent at a venue to finish or to offset: what its leg was allowed and did
    /// not need, what is left of the reserve, and what there is room for.
    pub fn purse(&self, accounts: &[Account; 2], venue: Venue, room: &Room) -> Money {
        let (left, at) = (self.left(accounts), seat(venue));
        let lent = room.venues[at].min(left.legs[1 - at] + room.all);
        left.legs[at] + left.reserve + lent.max(Money::ZERO)
    }

    fn left(&self, accounts: &[Account; 2]) -> Left {
        let none = Money::ZERO;
        let used = |at: usize| accounts[at].paid() + accounts[at].open();
        let more = |at: usize| self.allowed(accounts, at) - used(at);
        let [kalshi, polymarket] = [more(0), more(1)];
        let beyond = (-kalshi).max(none) + (-polymarket).max(none);
        let reserve = if self.released.is_some() { none } else { self.plan.reserve };
        let lent = (beyond - reserve).max(none);
        let legs = [kalshi, polymarket].map(|more| (more.max(none) - lent).max(none));
        Left { legs, reserve: (reserve - beyond).max(none) }
    }

    /// What was approved for a leg, or what it had cost when it came to rest. An exit may buy back
    /// for what it sold.
    fn allowed(&self, accounts: &[Account; 2], at: usize) -> Money {
        match (self.plan.kind, self.released) {
            (Kind::Enter, Some(paid)) => paid[at],
            (Kind::Enter, None) => self.plan.legs[at].cost_max + self.plan.legs[at].fee_max,
            (Kind::Exit, _) => accounts[at].proceeds.max(Money::ZERO),
        }
    }

    /// Lets go of what was held back once nothing of a trade that rests may fail any more.
    pub(super) fn release(&mut self, orders: &Orders) {
        if self.released.is_none() && self.is_quiet() && self.tracked(orders).all(Tracked::is_final)
        {
            self.released = Some(self.accounts(orders).map(|own| own.paid()));
        }
    }

    /// The trade was moved. Where it rests again after something was taken back, what it holds now
    /// is all that it has.
    pub(super) fn come_to_rest(&mut self, orders: &Orders) {
        if self.is_quiet() {
            self.released = self.released.map(|_| self.accounts(orders).map(|own| own.paid()));
        }
        self.release(orders);
    }

    fn tracked<'a>(&'a self, orders: &'a Orders) -> impl Iterator<Item = &'a Tracked> + 'a {
        self.orders.iter().filter_map(|intent| orders.get(intent))
    }

    /// What the trade has at risk; `None` when there is nothing any more.
    pub fn exposure(&self, orders: &Orders) -> Option<Exposure> {
        let accounts = self.accounts(orders);
        // What an exit could not sell after all is held again before the trade is looked at.
        let is_empty = || {
            let mut legs = accounts.iter().zip(&self.given);
            legs.all(|(own, given)| own.change() <= given.quantity.units())
        };
        let is_flat = || self.tracked(orders).all(Tracked::is_final) && is_empty();
        match self.phase {
            Phase::Ended(End::Paid) => return None,
            Phase::Ended(End::Flat) if is_flat() => return None,
            _ => {}
        }
        let left = self.left(&accounts);
        let mut exposure = Exposure { reserve: left.reserve, ..Exposure::default() };
        for (at, own) in accounts.iter().enumerate() {
            let given = self.given[at].cost;
            let stands = match self.plan.kind {
                // A sale that fails gives back what was sold: it is at risk until then.
                Kind::Enter => (own.spent() + own.proceeds_unsure).max(own.basis_left()) - given,
                // What an exit sold was taken from those that bought it, and comes back the same.
                Kind::Exit => share(given, own.sold_unsure, own.sold),
            };
            // What was approved and is not spent may still be needed.
            let held_back = if self.plan.kind == Kind::Enter { left.legs[at] } else { Money::ZERO };
            let dollars = stands.max(Money::ZERO) + own.open() + held_back;
            let unsure = own.unconfirmed.saturating_add(own.offset_unconfirmed);
            let all = own.bought.saturating_add(own.offset);
            let unconfirmed = share(own.paid(), unsure, all);
            exposure.legs[at] = LegExposure { dollars, unconfirmed };
        }
        // An order that is unknown counts as filled above, and as not filled here.
        let mut tracked = self.tracked(orders);
        let is_unsure = tracked.any(|order| order.phase() == OrderPhase::Unknown);
        let is_alone = is_unsure || self.phase.is_stranded() && !self.is_left_alone;
        let surplus = self.balance(&accounts).surplus;
        if let Some((leg, quantity)) = surplus.filter(|_| is_alone) {
            exposure.stranded = self.basis(&accounts, leg, quantity).max(Money::ZERO);
            exposure.stranded_loss_max = exposure.stranded;
            exposure.stranded_since = self.stranded_since.or(Some(self.since));
        }
        Some(exposure)
    }
}
