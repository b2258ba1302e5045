//! From what the venue says to evidence about our order, if it can be believed.
//!
//! The venue has once admitted answers that described another order. So whatever names one of our
//! orders has to agree with what was sent: market, side, price, count, time. What does not is no
//! evidence.

use std::time::Duration;

use crate::domain::report::{Fee, Fill, Rest, Total};
use crate::domain::{
    Action, Evidence, FeeModel, Finality, Market, Money, Order, OrderId, Outcome, Price, Quantity,
    Rate, Side, Size, Timestamp,
};

use super::super::encode::order::{is_reduce_only, place};
use super::super::facts;
use super::super::parse::portfolio::{FillSaid, OrderSaid};

/// How far the venue's times may lie before or after ours.
const CLOCK_SLACK: Duration = facts::CLOCK_OFFSET_MAX;

/// How many contracts the order asks for.
const fn count_of(order: &Order) -> Quantity {
    match order.size {
        Size::Contracts(quantity) => quantity,
        Size::Collateral(_) => Quantity::ZERO,
    }
}

/// Why an order that was found under one of our ids is not the one that was sent; `None` when it
/// is.
pub(super) fn doubt_order(
    order: &Order,
    market: &Market,
    said: &OrderSaid,
    now: Timestamp,
) -> Option<String> {
    let (side, price) = place(order.outcome, order.action, order.limit);
    let count = count_of(order);
    if said.ticker != market.id {
        return Some(format!("its market is {}, not {}", said.ticker, market.id));
    }
    if said.side != Some(side) {
        return Some(format!("its side is {:?}, not {side:?}", said.side));
    }
    if said.price != Some(price) {
        return Some(format!("its price is {:?}, not {price}", said.price));
    }
    // What may only reduce is cut down to the position that is there.
    let fits = |initial: Quantity| {
        initial == count || is_reduce_only(order) && initial < count && said.filled <= initial
    };
    if !said.initial.is_some_and(fits) || said.filled > count {
        let of = said.initial.map_or_else(|| "nothing".to_owned(), |of| of.to_string());
        return Some(format!("it filled {} of {of}, and {count} were sent", said.filled));
    }
    let early = |made: Timestamp| made.after(CLOCK_SLACK) < order.at;
    let late = |made: Timestamp| made > now.after(CLOCK_SLACK);
    match said.made {
        Some(made) if early(made) || late(made) => {
            Some(format!("it was made at {made}, and sent at {}", order.at))
        }
        Some(_) => None,
        None => Some("it does not say when it was made".to_owned()),
    }
}

/// Why a fill cannot be one of this order's; `None` when it can.
pub(super) fn doubt_fill(order: &Order, market: &Market, said: &FillSaid) -> Option<String> {
    let (side, price) = place(order.outcome, order.action, order.limit);
    let worse = match side {
        Side::Bid => said.price > price,
        Side::Ask => said.price < price,
    };
    if said.ticker != market.id {
        Some(format!("its market is {}, not {}", said.ticker, market.id))
    } else if said.side != side {
        Some(format!("its side is {:?}, not {side:?}", said.side))
    } else if worse {
        Some(format!("its price {} is worse than the limit {price}", said.price))
    } else if said.quantity > count_of(order) {
        Some(format!("it has {} contracts, and {} were sent", said.quantity, count_of(order)))
    } else if said.at.after(CLOCK_SLACK) < order.at {
        Some(format!("it happened at {}, and the order was sent at {}", said.at, order.at))
    } else {
        None
    }
}

/// A price of YES at the scale of a contract.
const fn own_price(outcome: Outcome, yes: Price) -> Price {
    match outcome {
        Outcome::Yes => yes,
        Outcome::No => yes.mirror(),
    }
}

/// The fill as it is booked: its money at the contract's own scale, for NO the price of NO times
/// the count. Counts are whole lots, so this is exact; were one finer, it would round against us.
pub(super) fn fill_of(
    outcome: Outcome,
    action: Action,
    market: Option<&Market>,
    said: &FillSaid,
) -> Fill {
    let price = own_price(outcome, said.price);
    let money = match action {
        Action::Buy => Money::cost_ceil(price, said.quantity),
        Action::Sell => Money::cost_floor(price, said.quantity),
    };
    let fee = match said.fee {
        Some(fee) => Fee::Reported(fee),
        None => Fee::Computed(estimate(market, said)),
    };
    Fill {
        trade: said.trade.clone(),
        quantity: said.quantity,
        money,
        fee,
        finality: Finality::Confirmed,
        at: said.at,
    }
}

/// The taker's fee by the formula: that of the market, else the ordinary one.
fn estimate(market: Option<&Market>, said: &FillSaid) -> Money {
    let ordinary = || Rate::from_millionths(facts::TAKER_RATE_MILLIONTHS).map(FeeModel::kalshi);
    let model = market.and_then(|market| market.fee.at(said.at)).or_else(ordinary);
    model.map_or(Money::ZERO, |model| model.estimate(said.price, said.quantity))
}

/// The worst that a quantity of this order can have cost or brought: its limit.
fn at_limit(order: &Order, quantity: Quantity) -> Money {
    match order.action {
        Action::Buy => Money::cost_ceil(order.limit, quantity),
        Action::Sell => Money::cost_floor(order.limit, quantity),
    }
}

/// The better for us of two amounts is the one to doubt.
fn no_worse_than_limit(order: &Order, money: Money, quantity: Quantity) -> Money {
    let limit = at_limit(order, quantity);
    match order.action {
        Action::Buy => money.min(limit),
        Action::Sell => money.max(limit),
    }
}

/// The total of an answer that tells an average price of YES, in millionths rounded down and up.
///
/// The quantity is exact. The money is the average times the quantity, rounded against us and held
/// at the limit: an average may itself be rounded, so this stands only until the fills are booked,
/// which are asked for at once. Without an average it is the limit's.
pub(super) fn total_of_average(
    order: &Order,
    filled: Quantity,
    average: Option<(i64, i64)>,
) -> Total {
    let sound = average.filter(|(down, up)| *down >= 0 && *up <= Money::DOLLAR);
    let money = match sound {
        None => at_limit(order, filled),
        Some((down, up)) => {
            let (down, up) = match order.outcome {
                Outcome::Yes => (down, up),
                Outcome::No => (Money::DOLLAR - up, Money::DOLLAR - down),
            };
            let money = match order.action {
                Action::Buy => Money::from_micros(up).per_contract_ceil(filled),
                Action::Sell => floor_of(down, filled),
            };
            no_worse_than_limit(order, money, filled)
        }
    };
    Total { quantity: filled, money }
}

/// `micros` dollars for each of `quantity` contracts, rounded down.
fn floor_of(micros: i64, quantity: Quantity) -> Money {
    -Money::from_micros(-micros).per_contract_ceil(quantity)
}

/// The total of an order that tells what its fills cost.
///
/// A cost is on the scale of the side: YES for a bid, NO for an ask. For a BUY that is the
/// contract's own scale. For a SELL it is that of the other contract, unless the venue means what
/// the sale brought; of both readings the one that is worse for us stands until the fills are
/// booked.
fn total_of_cost(order: &Order, filled: Quantity, cost: Option<Money>) -> Total {
    let Some(cost) = cost.filter(|cost| *cost >= Money::ZERO && *cost <= Money::payout(filled))
    else {
        return Total { quantity: filled, money: at_limit(order, filled) };
    };
    let money = match order.action {
        Action::Buy => cost,
        Action::Sell => cost.min(Money::payout(filled) - cost),
    };
    Total { quantity: filled, money: no_worse_than_limit(order, money, filled) }
}

/// The evidence of an order that is believed.
pub(super) fn standing(order: &Order, said: &OrderSaid) -> Evidence {
    Evidence::Standing {
        id: OrderId(said.id.clone()),
        filled: Some(total_of_cost(order, said.filled, said.cost)),
        rest: said.rest,
        trades: Vec::new(),
    }
}

/// The evidence of a cancel: what was not taken back is filled, and nothing more will be.
pub(super) fn cancelled(order: &Order, id: &str, reduced_by: Quantity) -> Option<Evidence> {
    let count = count_of(order);
    let filled = (reduced_by <= count).then(|| count.saturating_sub(reduced_by))?;
    Some(Evidence::Standing {
        id: OrderId(id.to_owned()),
        filled: Some(Total { quantity: filled, money: at_limit(order, filled) }),
        rest: Rest::Nothing,
        trades: Vec::new(),
    })
}

/// The evidence of a new order's answer; `None` when more was filled or rests than was sent.
pub(super) fn accepted(
    order: &Order,
    said: &super::super::parse::portfolio::CreatedSaid,
) -> Option<Evidence> {
    if said.filled.saturating_add(said.resting) > count_of(order) {
        return None;
    }
    let rest = if said.resting.is_zero() { Rest::Nothing } else { Rest::Resting };
    Some(Evidence::Standing {
        id: OrderId(said.id.clone()),
        filled: Some(total_of_average(order, said.filled, said.average)),
        rest,
        trades: Vec::new(),
    })
}

/// The evidence of an order that is not ours; of the contract only the side tells: a bid is taken
/// to be for YES, an ask for NO.
pub(super) fn foreign_standing(said: &OrderSaid) -> Evidence {
    let total = said.cost.map(|money| Total { quantity: said.filled, money });
    Evidence::Standing {
        id: OrderId(said.id.clone()),
        filled: total,
        rest: said.rest,
        trades: Vec::new(),
    }
}

/// The evidence of a fill that is not ours, with the same reading of its side.
pub(super) fn foreign_fill(market: Option<&Market>, said: &FillSaid) -> Evidence {
    let outcome = match said.side {
        Side::Bid => Outcome::Yes,
        Side::Ask => Outcome::No,
    };
    Evidence::Fill(fill_of(outcome, Action::Buy, market, said))
}

/// Whether a fill that names no id of ours may still be one of this order's.
pub(super) fn may_be_of(order: &Order, market: &Market, said: &FillSaid) -> bool {
    doubt_fill(order, market, said).is_none()
}
