//! What an edge is worth in time, and in the worst case that its pair's payoff table knows.

use crate::domain::{Date, Money, Outcome, Quantity, Timestamp};
use crate::pairing::{Branch, Payoff};

/// Simple annual return in thousandths, rounded down: `profit / outlay x 365 / days`, where days is
/// the exact time from `now` to the start of `settles` in UTC. `None` when that is not ahead, or
/// when the return is beyond any number worth showing.
pub fn annualised(profit: Money, outlay: Money, now: Timestamp, settles: Date) -> Option<i64> {
    const YEAR_NANOS: i128 = 365 * 86_400 * 1_000_000_000;
    let ahead = Timestamp::start_of(settles)?.nanos().checked_sub(now.nanos())?;
    if ahead <= 0 || !outlay.is_positive() {
        return None;
    }
    let numerator = (i128::from(profit.micros()) * 1_000).checked_mul(YEAR_NANOS)?;
    let denominator = i128::from(outlay.micros()) * i128::from(ahead);
    i64::try_from(numerator.div_euclid(denominator)).ok()
}

/// What is held of both legs, for the worst case.
#[derive(Debug, Clone, Copy)]
pub struct Holding {
    /// How many contracts.
    pub quantity: Quantity,
    /// What they cost, without fees.
    pub cost: Money,
    /// Whether the contract is the one that the payoff table speaks of, or the other.
    pub outcome: Outcome,
}

/// The worst total over the payoff table and the plain yes and no: what both legs pay, less their
/// cost and fees. `None` without a table.
///
/// `Last` and `Fair` can be anything, at each venue by itself, so a holder counts nothing. A leg
/// that is paid `as-resolved` where the other is not counts nothing either. Two legs that both pay
/// as resolved pay as planned.
pub fn worst(
    table: &[Branch],
    kalshi: &Holding,
    polymarket: &Holding,
    fees: Money,
) -> Option<Money> {
    if table.is_empty() {
        return None;
    }
    let spent = kalshi.cost + polymarket.cost + fees;
    let planned = Money::payout(kalshi.quantity.min(polymarket.quantity));
    let mut least = planned;
    for branch in table {
        let both = (branch.kalshi, branch.polymarket);
        let paid = if both == (Payoff::AsResolved, Payoff::AsResolved) {
            planned
        } else {
            paid(branch.kalshi, kalshi) + paid(branch.polymarket, polymarket)
        };
        least = least.min(paid);
    }
    Some(least - spent)
}

fn paid(payoff: Payoff, held: &Holding) -> Money {
    match payoff {
        Payoff::Last | Payoff::Fair | Payoff::AsResolved => Money::ZERO,
        Payoff::Refund => held.cost,
        Payoff::Fixed(yes) => {
            let each = match held.outcome {
                Outcome::Yes => yes,
                Outcome::No => Money::from_micros(Money::DOLLAR) - yes,
            };
            -((-each).per_contract_ceil(held.quantity))
        }
    }
}

#[cfg(test)]
mod tests;
