//! From what the venue says to evidence about our order, if it can be believed.
//!
//! The venue has once admitted answers that described another order. So whatever names one of our
//! orders has to agree with what was sent: market, side, price, count, time. What does not is no
//! evidence. Of an order that was changed, price and count are those that it has or may have had:
//! what is read may be older than the last change.

use std::time::Duration;

use crate::domain::report::{Fee, Fill, Rest, Total};
use crate::domain::{
    Action, Evidence, FeeModel, Finality, IntentId, Lifetime, Market, MarketIndex, Money, Order,
    OrderId, Outcome, Price, Purpose, Quantity, Rate, Side, Size, Timestamp, TradeId, Venue,
};

use super::super::encode::order::{is_reduce_only, place};
use super::super::facts;
use super::super::parse::portfolio::{CreatedSaid, FillSaid, OrderSaid};
use super::roster::Known;

/// How far the venue's times may lie before or after ours.
const CLOCK_SLACK: Duration = facts::CLOCK_OFFSET_MAX;

/// Why an order that was found under one of our ids is not the one that was sent; `None` when it
/// is.
pub(super) fn doubt_order(
    known: &Known,
    market: &Market,
    said: &OrderSaid,
    now: Timestamp,
) -> Option<String> {
    let order = &known.order;
    let (side, price) = place(order.outcome, order.action, order.limit);
    let (least, count) = known.terms.counts();
    if said.ticker != market.id {
        return Some(format!("its market is {}, not {}", said.ticker, market.id));
    }
    if said.side != Some(side) {
        return Some(format!("its side is {:?}, not {side:?}", said.side));
    }
    let prices = known.terms.limits().map(|limit| place(order.outcome, order.action, limit).1);
    if !said.price.is_some_and(|said| prices.into_iter().any(|price| price == said)) {
        return Some(format!("its price is {:?}, not {price}", said.price));
    }
    // What may only reduce is cut down to the position that is there.
    let fits = |initial: Quantity| {
        (least..=count).contains(&initial)
            || is_reduce_only(order) && initial < count && said.filled <= initial
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
pub(super) fn doubt_fill(known: &Known, market: &Market, said: &FillSaid) -> Option<String> {
    let order = &known.order;
    let (side, price) = place(order.outcome, order.action, known.limit_worst());
    let (_, count) = known.terms.counts();
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
    } else if said.quantity > count {
        Some(format!("it has {} contracts, and {count} were sent", said.quantity))
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
fn at_limit(known: &Known, quantity: Quantity) -> Money {
    let limit = known.limit_worst();
    match known.order.action {
        Action::Buy => Money::cost_ceil(limit, quantity),
        Action::Sell => Money::cost_floor(limit, quantity),
    }
}

/// The better for us of two amounts is the one to doubt.
fn no_worse_than_limit(known: &Known, money: Money, quantity: Quantity) -> Money {
    let limit = at_limit(known, quantity);
    match known.order.action {
        Action::Buy => money.min(limit),
        Action::Sell => money.max(limit),
    }
}

/// The total of an answer that tells an average price of YES, in millionths rounded down and up.
///
/// The quantity is exact. The money is the average times the quantity, rounded against us and held
/// at the limit: an average may itself be rounded, so this stands only until the fills are booked,
/// which are asked for at once. Without an average it is the limit's.
fn total_of_average(known: &Known, filled: Quantity, average: Option<(i64, i64)>) -> Total {
    let order = &known.order;
    let sound = average.filter(|(down, up)| *down >= 0 && *up <= Money::DOLLAR);
    let money = match sound {
        None => at_limit(known, filled),
        Some((down, up)) => {
            let (down, up) = match order.outcome {
                Outcome::Yes => (down, up),
                Outcome::No => (Money::DOLLAR - up, Money::DOLLAR - down),
            };
            let money = match order.action {
                Action::Buy => Money::from_micros(up).per_contract_ceil(filled),
                Action::Sell => floor_of(down, filled),
            };
            no_worse_than_limit(known, money, filled)
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
fn total_of_cost(known: &Known, filled: Quantity, cost: Option<Money>) -> Total {
    let Some(cost) = cost.filter(|cost| *cost >= Money::ZERO && *cost <= Money::payout(filled))
    else {
        return Total { quantity: filled, money: at_limit(known, filled) };
    };
    let money = match known.order.action {
        Action::Buy => cost,
        Action::Sell => cost.min(Money::payout(filled) - cost),
    };
    Total { quantity: filled, money: no_worse_than_limit(known, money, filled) }
}

/// The evidence of an order that is believed.
pub(super) fn standing(known: &Known, said: &OrderSaid) -> Evidence {
    Evidence::Standing {
        id: OrderId(said.id.clone()),
        filled: Some(total_of_cost(known, said.filled, said.cost)),
        rest: said.rest,
        trades: Vec::new(),
    }
}

/// The change under way, where an order that is believed shows that it has been made.
pub(super) fn change_shown(known: &Known, said: &OrderSaid) -> Option<u64> {
    let order = &known.order;
    let (change, ask) = known.terms.meant()?;
    let is_made = said.price == Some(place(order.outcome, order.action, ask.limit).1)
        && said.filled.saturating_add(said.resting) == ask.count;
    is_made.then_some(change)
}

/// The evidence of a cancel: what was not taken back is filled, and nothing more will be. How much
/// that is, is open where it is not known how much the order asked for in the end.
pub(super) fn cancelled(known: &Known, id: &str, reduced_by: Quantity) -> Option<Evidence> {
    let (_, most) = known.terms.counts();
    let sure = known.terms.sure();
    let filled = match sure {
        Some(ask) if reduced_by <= ask.count => Some(ask.count.saturating_sub(reduced_by)),
        None if reduced_by <= most => None,
        Some(_) | None => return None,
    };
    Some(standing_at(known, id, filled, Rest::Nothing))
}

/// An order of which so many contracts filled, for sure or for an unknown number.
fn standing_at(known: &Known, id: &str, filled: Option<Quantity>, rest: Rest) -> Evidence {
    let filled = filled.map(|filled| Total { quantity: filled, money: at_limit(known, filled) });
    Evidence::Standing { id: OrderId(id.to_owned()), filled, rest, trades: Vec::new() }
}

/// The evidence of a new order's answer; `None` when more was filled or rests than was sent.
pub(super) fn accepted(known: &Known, said: &CreatedSaid) -> Option<Evidence> {
    let (_, count) = known.terms.counts();
    if said.filled.saturating_add(said.resting) > count {
        return None;
    }
    let rest = if said.resting.is_zero() { Rest::Nothing } else { Rest::Resting };
    Some(Evidence::Standing {
        id: OrderId(said.id.clone()),
        filled: Some(total_of_average(known, said.filled, said.average)),
        rest,
        trades: Vec::new(),
    })
}

/// The evidence of a decrease that left so much resting of what was meant to be `count` in all.
///
/// What rests and what had filled before add up to the new count. When nothing rests, more had
/// filled meanwhile than the decrease left room for, and how much is not told. `None` when the
/// answer cannot be about this order.
pub(super) fn decreased(
    known: &Known,
    id: &str,
    count: Quantity,
    remaining: Quantity,
) -> Option<Evidence> {
    if remaining.is_zero() {
        return Some(standing_at(known, id, None, Rest::Nothing));
    }
    let filled = count.saturating_sub(remaining);
    (remaining <= count).then(|| standing_at(known, id, Some(filled), Rest::Resting))
}

/// The evidence of an amendment to `count` in all; `None` when the answer cannot be about this
/// order.
///
/// The venue documents only that the answer is like that to a new order, so what it calls filled
/// may be all of the order's fills or those of the amendment alone. Where both counts add up to
/// what was asked for, both readings are the same; elsewhere what filled is open.
pub(super) fn amended(
    known: &Known,
    id: &str,
    count: Quantity,
    filled: Quantity,
    remaining: Quantity,
) -> Option<Evidence> {
    let sum = filled.saturating_add(remaining);
    let rest = if remaining.is_zero() { Rest::Nothing } else { Rest::Resting };
    let told = (sum == count).then_some(filled);
    (sum <= count).then(|| standing_at(known, id, told, rest))
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

/// An order of ours as far as the venue tells what was sent; `None` when it tells too little.
///
/// An ask buys NO or sells YES. The venue holds one position for both, so that the books are right
/// with either reading; this is the one that never counts too little as held.
pub(super) fn lost(intent: IntentId, market: MarketIndex, said: &OrderSaid) -> Option<Order> {
    let (price, count) = (said.price?, said.initial.filter(|count| !count.is_zero())?);
    let (outcome, limit) = match said.side? {
        Side::Bid => (Outcome::Yes, price),
        Side::Ask => (Outcome::No, price.mirror()),
    };
    let lifetime = match said.rest {
        Rest::Resting => Lifetime::Resting,
        Rest::Nothing | Rest::Delayed => Lifetime::Immediate,
    };
    Some(Order {
        intent,
        trade: TradeId::NONE,
        venue: Venue::Kalshi,
        market,
        outcome,
        action: Action::Buy,
        limit,
        size: Size::Contracts(count),
        lifetime,
        purpose: Purpose::Adopted,
        at: said.made?,
    })
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
pub(super) fn may_be_of(known: &Known, market: &Market, said: &FillSaid) -> bool {
    doubt_fill(known, market, said).is_none()
}
