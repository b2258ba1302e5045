//! Ways out of a leg that stands alone, priced from the books of this moment, fees included.
//!
//! Three ways are priced alike, by what they lose against what the contracts cost: buying the
//! missing leg makes each contract worth a dollar, selling brings what is bid, and on Polymarket
//! buying the other outcome makes a pair that merges into a dollar. A walk takes as much as the
//! book, the loss budget and the purse allow. What a venue's minimum forbids is not offered.

use crate::book::Level;
use crate::domain::market::Minimum;
use crate::domain::{
    Action, FeeModel, MarketIndex, Money, Outcome, Price, Purpose, Quantity, Size, Timestamp, Venue,
};
use crate::plan::{Kind, Leg, Plan};
use crate::risk::Room;

use super::Sight;
use super::outlay::fee_most;
use super::trade::{Account, Balance, Trade, share};
use super::trade_state::Way;

/// Polymarket takes the dollars of a BUY in whole cents.
pub(super) const CENT: i64 = 10_000;

/// An order that would take a trade further, as far as it is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Where.
    pub venue: Venue,
    /// The market.
    pub market: MarketIndex,
    /// The contract.
    pub outcome: Outcome,
    /// Buys or sells it.
    pub action: Action,
    /// The worst price.
    pub limit: Price,
    /// How much.
    pub size: Size,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether it needs more than was approved: what limits leave room for at this moment.
    pub borrows: bool,
}

/// A way out that can be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayOut {
    /// Which.
    pub way: Way,
    /// Its order.
    pub draft: Draft,
    /// How many contracts it frees or completes.
    pub quantity: Quantity,
    /// What it loses against what they cost; less than nothing for a gain.
    pub loss: Money,
    /// The most that it can lose: everything at its limit.
    pub loss_worst: Money,
}

/// What stands alone, and what may be done about it.
#[derive(Debug, Clone, Copy)]
pub struct Alone {
    /// Which leg has more.
    pub leg: usize,
    /// How much more.
    pub quantity: Quantity,
    /// How much of it is confirmed and so can be sold.
    pub sellable: Quantity,
    /// What it cost.
    pub basis: Money,
    /// What may be lost at most.
    pub budget: Money,
    /// What may be spent at Kalshi and at Polymarket, fees included.
    pub purses: [Money; 2],
    /// The part of it that was approved with the plan.
    pub approved: [Money; 2],
}

impl Alone {
    /// What stands alone in a trade, within what may still be lost and more be put at risk.
    pub fn of(trade: &Trade, accounts: &[Account; 2], budget: Money, room: &Room) -> Option<Self> {
        let Balance { surplus: Some((leg, quantity)), .. } = trade.balance(accounts) else {
            return None;
        };
        let own = &accounts[leg];
        let held = own.bought.saturating_sub(own.sold).saturating_sub(own.offset);
        // What an exit sells was locked, and so confirmed, before.
        let sellable = match trade.plan.kind {
            Kind::Enter => quantity.min(held.saturating_sub(own.unconfirmed)),
            Kind::Exit => quantity,
        };
        Some(Self {
            leg,
            quantity,
            sellable,
            basis: trade.basis(accounts, leg, quantity),
            budget,
            purses: Venue::ALL.map(|venue| trade.purse(accounts, venue, room)),
            approved: Venue::ALL.map(|venue| trade.purse(accounts, venue, &Room::default())),
        })
    }
}

/// Whether `quantity` is too little for any order that could do something about it.
pub fn is_dust(plan: &Plan, quantity: Quantity, sight: &dyn Sight) -> bool {
    let lots = quantity.floor_to(Quantity::LOT);
    plan.legs.iter().all(|leg| {
        let minimum = sight.market(leg.market).map_or(Minimum::default(), |market| market.minimum);
        lots.is_zero() || lots < minimum.quantity
    })
}

/// All ways out that can be sent now and fit, the cheapest contract first.
pub fn ways_out(plan: &Plan, alone: &Alone, sight: &dyn Sight, now: Timestamp) -> Vec<WayOut> {
    let (own, other) = (alone.leg, 1 - alone.leg);
    let mut ways = Vec::new();
    ways.extend(buy(plan, alone, (other, Way::Finish), sight, now));
    ways.extend(sell(plan, alone, sight, now));
    if plan.legs[own].venue == Venue::Polymarket && plan.kind == Kind::Enter {
        ways.extend(buy(plan, alone, (own, Way::Offset), sight, now));
    }
    // Compared per contract, by products so that nothing is rounded.
    ways.sort_by(|a, b| {
        let of = |a: &WayOut, b: &WayOut| i128::from(a.loss.micros()) * units(b.quantity);
        of(a, b).cmp(&of(b, a))
    });
    ways
}

fn units(quantity: Quantity) -> i128 {
    i128::from(quantity.units())
}

fn buy(
    plan: &Plan,
    alone: &Alone,
    (at, way): (usize, Way),
    sight: &dyn Sight,
    now: Timestamp,
) -> Option<WayOut> {
    let leg = &plan.legs[at];
    let (outcome, purpose) = match way {
        Way::Offset => (leg.outcome.other(), Purpose::Offset),
        _ => (leg.outcome, Purpose::Finish),
    };
    if !sight.is_tradable(leg.market) {
        return None;
    }
    let walk = Walk {
        leg: (plan.kind == Kind::Enter).then_some(leg),
        levels: sight.offers(leg.market, outcome)?,
        fee: sight.fee(leg.market, now)?,
        action: Action::Buy,
        is_collateral: leg.venue == Venue::Polymarket,
        // Never more than stands alone: a remainder below a lot waits as dust.
        quantity_max: alone.quantity.floor_to(Quantity::LOT),
        spend_max: alone.purses[at],
    };
    let taken = walk.take(alone)?;
    let (size, quantity) = match leg.venue {
        Venue::Kalshi => (Size::Contracts(taken.quantity), taken.quantity),
        Venue::Polymarket => {
            let collateral = taken.money.floor_to(CENT);
            (Size::Collateral(collateral), share_of(taken.quantity, collateral, taken.money))
        }
    };
    let minimum = sight.market(leg.market)?.minimum;
    let notional = match size {
        Size::Contracts(_) => taken.money,
        Size::Collateral(collateral) => collateral,
    };
    if quantity < minimum.quantity || notional < minimum.notional || !notional.is_positive() {
        return None;
    }
    let draft = Draft {
        venue: leg.venue,
        market: leg.market,
        outcome,
        action: Action::Buy,
        limit: taken.limit,
        size,
        purpose,
        borrows: walk.cost_worst(&taken) > alone.approved[at],
    };
    let (loss, loss_worst) = (taken.loss(alone), walk.loss_worst(&taken, alone));
    Some(WayOut { way, draft, quantity, loss, loss_worst })
}

fn sell(plan: &Plan, alone: &Alone, sight: &dyn Sight, now: Timestamp) -> Option<WayOut> {
    let leg = &plan.legs[alone.leg];
    if !sight.is_tradable(leg.market) {
        return None;
    }
    let walk = Walk {
        leg: None,
        levels: sight.bids(leg.market, leg.outcome)?,
        fee: sight.fee(leg.market, now)?,
        action: Action::Sell,
        is_collateral: false,
        quantity_max: alone.sellable.floor_to(Quantity::LOT),
        spend_max: Money::ZERO,
    };
    let taken = walk.take(alone)?;
    let minimum = sight.market(leg.market)?.minimum;
    if taken.quantity < minimum.quantity || taken.money < minimum.notional {
        return None;
    }
    let purpose = match plan.kind {
        Kind::Enter => Purpose::Unwind,
        Kind::Exit => Purpose::Exit,
    };
    let draft = Draft {
        venue: leg.venue,
        market: leg.market,
        outcome: leg.outcome,
        action: Action::Sell,
        limit: taken.limit,
        size: Size::Contracts(taken.quantity),
        purpose,
        borrows: false,
    };
    let (loss, loss_worst) = (taken.loss(alone), walk.loss_worst(&taken, alone));
    Some(WayOut { way: Way::Unwind, quantity: taken.quantity, loss, loss_worst, draft })
}

/// What part of a quantity a part of its money buys, rounded down.
fn share_of(quantity: Quantity, part: Money, whole: Money) -> Quantity {
    if part >= whole || !whole.is_positive() {
        return quantity;
    }
    let product = units(quantity) * i128::from(part.micros().max(0));
    let floor = product / i128::from(whole.micros());
    i64::try_from(floor).ok().and_then(Quantity::from_units).unwrap_or(quantity)
}

/// One side of a book and what may be taken of it.
#[derive(Debug)]
struct Walk<'a> {
    /// The leg whose plan says what its fees may be.
    leg: Option<&'a Leg>,
    levels: Vec<Level>,
    fee: FeeModel,
    action: Action,
    is_collateral: bool,
    quantity_max: Quantity,
    spend_max: Money,
}

/// What a walk took.
#[derive(Debug, Clone, Copy)]
struct Taken {
    quantity: Quantity,
    money: Money,
    fee: Money,
    limit: Price,
    action: Action,
}

impl Taken {
    /// What these contracts lose against what they cost, when the rest stays as it is.
    fn loss(&self, alone: &Alone) -> Money {
        let basis = share(alone.basis, self.quantity, alone.quantity);
        match self.action {
            Action::Buy => basis + self.money + self.fee - Money::payout(self.quantity),
            Action::Sell => basis - (self.money - self.fee),
        }
    }
}

impl Walk<'_> {
    /// Takes levels, best first, as long as the loss fits the budget and the cost the purse, both
    /// at the worst of the levels.
    fn take(&self, alone: &Alone) -> Option<Taken> {
        let mut best = None;
        let mut before = Taken {
            quantity: Quantity::ZERO,
            money: Money::ZERO,
            fee: Money::ZERO,
            limit: Price::MIN,
            action: self.action,
        };
        for level in &self.levels {
            let left = self.quantity_max.saturating_sub(before.quantity);
            let most = left.min(level.quantity).floor_to(Quantity::LOT);
            if left < lot() {
                break;
            }
            if most.is_zero() {
                continue;
            }
            let Some(fitting) = self.most_that_fits(&before, level.price, most, alone) else {
                break;
            };
            best = Some(fitting);
            if fitting.quantity < before.quantity.saturating_add(most) {
                break;
            }
            before = fitting;
        }
        best
    }

    /// The most of one level, in lots, that still fits; found by halving.
    fn most_that_fits(
        &self,
        before: &Taken,
        price: Price,
        most: Quantity,
        alone: &Alone,
    ) -> Option<Taken> {
        let with = |lots: i64| {
            let quantity = Quantity::from_units(lots * Quantity::LOT).unwrap_or(Quantity::MAX);
            let money = match self.action {
                Action::Buy => Money::cost_ceil(price, quantity),
                Action::Sell => Money::cost_floor(price, quantity),
            };
            Taken {
                quantity: before.quantity.saturating_add(quantity),
                money: before.money + money,
                fee: before.fee + self.fee.estimate(price, quantity),
                limit: price,
                action: self.action,
            }
        };
        let (mut low, mut high) = (0, most.units() / Quantity::LOT);
        if self.fits(&with(high), alone) {
            return Some(with(high));
        }
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if self.fits(&with(middle), alone) { low = middle } else { high = middle }
        }
        (low > 0).then(|| with(low))
    }

    fn fits(&self, taken: &Taken, alone: &Alone) -> bool {
        let purse = match self.action {
            Action::Sell => true,
            Action::Buy => self.cost_worst(taken) <= self.spend_max,
        };
        purse && self.loss_worst(taken, alone) <= alone.budget
    }

    /// What these contracts lose when everything goes at the limit: an order fills anywhere up to
    /// it, and the better levels may be gone when it arrives.
    fn loss_worst(&self, taken: &Taken, alone: &Alone) -> Money {
        let (limit, quantity) = (taken.limit, taken.quantity);
        let money = match self.action {
            Action::Buy => Money::cost_ceil(limit, quantity),
            Action::Sell => Money::cost_floor(limit, quantity),
        };
        let fee = self.fee.estimate(limit, quantity).max(taken.fee);
        Taken { money, fee, ..*taken }.loss(alone)
    }

    /// The most that an order for this can cost: everything at its limit, and the highest fee by
    /// today's formula and by what the plan allowed for, as its exposure will count it.
    fn cost_worst(&self, taken: &Taken) -> Money {
        let planned = |size| self.leg.map_or(Money::ZERO, |leg| fee_most(leg, size, taken.limit));
        if self.is_collateral {
            // A better price brings more contracts for the same dollars, and a larger fee.
            let fee = fee_of_dollars(self.fee, taken.money).max(taken.fee);
            return taken.money + fee.max(planned(Size::Collateral(taken.money)));
        }
        let dearest = taken.limit.min(HALF);
        let fee = self.fee.estimate(dearest, taken.quantity);
        let planned = planned(Size::Contracts(taken.quantity));
        Money::cost_ceil(taken.limit, taken.quantity) + fee.max(planned)
    }
}

/// Where `price x (1 - price)` is largest.
const HALF: Price = match Price::from_units(Price::ONE / 2) {
    Some(price) => price,
    None => Price::MIN,
};

/// The highest fee that a BUY by collateral can cost: `rate x dollars x (1 - price)` at a price
/// near nothing.
fn fee_of_dollars(fee: FeeModel, dollars: Money) -> Money {
    let product = i128::from(dollars.micros()) * i128::from(fee.rate.millionths());
    let micros = (product + 999_999) / 1_000_000;
    Money::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// One lot.
fn lot() -> Quantity {
    Quantity::from_units(Quantity::LOT).unwrap_or(Quantity::MAX)
}

/// The order for the second leg of a plan: exactly what the first one brought, at the planned
/// limit, as far as the dollars go that were approved for it; `None` where its venue takes no such
/// order.
pub fn hedge(
    trade: &Trade,
    accounts: &[Account; 2],
    (at, quantity): (usize, Quantity),
    sight: &dyn Sight,
) -> Option<Draft> {
    let leg = &trade.plan.legs[at];
    if !sight.is_tradable(leg.market) {
        return None;
    }
    let (action, purpose) = match trade.plan.kind {
        Kind::Enter => (Action::Buy, Purpose::Finish),
        Kind::Exit => (Action::Sell, Purpose::Exit),
    };
    let mut lots = quantity.floor_to(Quantity::LOT);
    if action == Action::Buy {
        // More than planned may be hedged with the reserve, up to twice the plan, which at the most
        // doubles the fee.
        let fees = if lots > leg.quantity { leg.fee_max + leg.fee_max } else { leg.fee_max };
        let purse = trade.purse(accounts, leg.venue, &Room::default()) - fees;
        let twice = leg.quantity.saturating_add(leg.quantity);
        lots = lots.min(twice).min(purse.buys_floor(leg.limit)).floor_to(Quantity::LOT);
    }
    let minimum = sight.market(leg.market)?.minimum;
    let size = match (leg.venue, action) {
        (Venue::Kalshi, _) | (_, Action::Sell) => Size::Contracts(lots),
        (Venue::Polymarket, Action::Buy) => {
            Size::Collateral(walked(leg.market, leg.outcome, leg.limit, lots, sight))
        }
    };
    let notional = match size {
        Size::Contracts(lots) => Money::cost_floor(leg.limit, lots),
        Size::Collateral(money) => money,
    };
    let is_taken = lots >= minimum.quantity && notional >= minimum.notional;
    (is_taken && notional.is_positive()).then_some(Draft {
        venue: leg.venue,
        market: leg.market,
        outcome: leg.outcome,
        action,
        limit: leg.limit,
        size,
        purpose,
        borrows: false,
    })
}

/// What `quantity` costs by the book of this moment, within `limit`, in whole cents and rounded
/// down: dollars that find a better price than this bring more contracts than were asked for.
fn walked(
    market: MarketIndex,
    outcome: Outcome,
    limit: Price,
    quantity: Quantity,
    sight: &dyn Sight,
) -> Money {
    let (mut left, mut money) = (quantity, Money::ZERO);
    for level in sight.offers(market, outcome).unwrap_or_default() {
        if level.price > limit || left.is_zero() {
            break;
        }
        let taken = left.min(level.quantity);
        money += Money::cost_floor(level.price, taken);
        left = left.saturating_sub(taken);
    }
    (money + Money::cost_floor(limit, left)).floor_to(CENT)
}

#[cfg(test)]
mod tests;
