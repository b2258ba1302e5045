//! What it costs, by the books of this moment, to get out of a leg that stands alone.

use crate::domain::{FeeModel, Money, Price, Quantity};

/// What a walk over a ladder takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Taken {
    /// How much of what was asked for is there.
    pub(super) quantity: Quantity,
    /// What it costs or brings, without fees.
    pub(super) money: Money,
    /// The estimated fees.
    pub(super) fee: Money,
}

/// Buys up to `quantity` from offers, best first; rounded against us.
pub(super) fn buy(offers: &[(Price, Quantity)], quantity: Quantity, fee: FeeModel) -> Taken {
    walk(offers, quantity, fee, Money::cost_ceil)
}

/// Sells up to `quantity` to bids, best first; rounded against us.
pub(super) fn sell(bids: &[(Price, Quantity)], quantity: Quantity, fee: FeeModel) -> Taken {
    walk(bids, quantity, fee, Money::cost_floor)
}

fn walk(
    levels: &[(Price, Quantity)],
    quantity: Quantity,
    fee: FeeModel,
    money: impl Fn(Price, Quantity) -> Money,
) -> Taken {
    let mut taken = Taken::default();
    for (price, resting) in levels {
        let left = quantity.saturating_sub(taken.quantity).min(*resting);
        if left.is_zero() {
            break;
        }
        taken.quantity = taken.quantity.saturating_add(left);
        taken.money += money(*price, left);
        taken.fee += fee.estimate(*price, left);
    }
    taken
}

/// What is lost by selling `quantity` again that cost `paid`, fees included. What nobody bids for
/// brings nothing.
pub(super) fn unwind_loss(
    bids: &[(Price, Quantity)],
    quantity: Quantity,
    fee: FeeModel,
    paid: Money,
    slack: Money,
) -> Money {
    let sold = sell(bids, quantity, fee);
    let brings = sold.money - sold.fee - slack.per_contract_ceil(sold.quantity);
    paid - brings.max(Money::ZERO)
}

/// What is lost by buying the missing leg at what its book asks for, where one leg's `paid`, fees
/// included, stands already; `None` when not enough is offered.
pub(super) fn finish_loss(
    offers: &[(Price, Quantity)],
    quantity: Quantity,
    fee: FeeModel,
    paid: Money,
    slack: Money,
) -> Option<Money> {
    let bought = buy(offers, quantity, fee);
    let costs = bought.money + bought.fee + slack.per_contract_ceil(quantity);
    (bought.quantity >= quantity).then(|| paid + costs - Money::payout(quantity))
}
