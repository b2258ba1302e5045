//! What the account holds and what became of its money, as the venues keep it.
//!
//! The ledger books differences: when what an order brought is seen in a new light, the old sum is
//! taken out and the new one put in, so that evidence that comes twice, late or in another order
//! leads to the same books. Every micro-dollar stands in exactly one line.

use std::collections::BTreeMap;

use crate::domain::{Action, MarketIndex, Money, Order, Outcome, Quantity, Timestamp, Venue};

use super::Line;
use super::order_state::Booked;
use super::unwind::CENT;

mod movement;

use movement::Movements;

/// Kalshi pays multiples of this, in micro-dollars, and keeps the rest.
const STEP: i64 = 100;

/// What happened to the money at one venue. Costs and fees are less than nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cash {
    /// What fills cost and brought, without fees.
    pub fills: Money,
    /// Fees as the venue told them.
    pub fees: Money,
    /// Fees by the formula, until a line of its own trues them up.
    pub fees_computed: Money,
    /// What they were when they were last trued up.
    pub fees_trued: Money,
    /// The dollar that Kalshi pays at once for a YES and a NO of one market.
    pub netted: Money,
    /// What merged contracts brought.
    pub merged: Money,
    /// What settled markets paid.
    pub paid: Money,
    /// Everything else, by its line.
    pub lines: BTreeMap<Line, Money>,
}

impl Cash {
    /// Fees by the formula that no line has trued up yet: the most that a true-up can explain.
    pub fn fees_untrued(&self) -> Money {
        (self.fees_trued - self.fees_computed).max(Money::ZERO)
    }

    /// What should be there.
    pub fn total(&self) -> Money {
        let moved =
            [self.fills, self.fees, self.fees_computed, self.netted, self.merged, self.paid];
        moved.into_iter().chain(self.lines.values().copied()).fold(Money::ZERO, |sum, m| sum + m)
    }
}

/// What a market paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payout {
    /// What one YES contract paid.
    pub yes_pays: Money,
    /// What came in for all that was held; nothing yet when the market is only resolved.
    pub paid: Money,
}

impl Payout {
    /// What one contract of the outcome paid.
    pub fn of(&self, outcome: Outcome) -> Money {
        match outcome {
            Outcome::Yes => self.yes_pays,
            Outcome::No => Money::from_micros(Money::DOLLAR) - self.yes_pays,
        }
    }
}

/// What is held in one market. Sums are signed, because evidence of a sale may come before that of
/// the purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holding {
    venue: Venue,
    /// YES and NO, bought less sold, in millionths of a contract.
    gross: [i64; 2],
    /// Pairs of YES and NO that became a dollar, in millionths of a contract.
    gone: i64,
    payout: Option<Payout>,
    /// What came in as it was told, by when: one market may be redeemed in several steps.
    payments: BTreeMap<Timestamp, Money>,
}

/// Positions and cash of both venues.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    holdings: BTreeMap<MarketIndex, Holding>,
    cash: [Cash; 2],
    movements: [Movements; 2],
}

const fn side(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Yes => 0,
        Outcome::No => 1,
    }
}

/// The place of a venue in lists that have Kalshi first.
pub(super) const fn seat(venue: Venue) -> usize {
    match venue {
        Venue::Kalshi => 0,
        Venue::Polymarket => 1,
    }
}

impl Ledger {
    /// The money at one venue.
    pub const fn cash(&self, venue: Venue) -> &Cash {
        match venue {
            Venue::Kalshi => &self.cash[0],
            Venue::Polymarket => &self.cash[1],
        }
    }

    /// How much of a contract the account holds, as its venue counts.
    pub fn held(&self, market: MarketIndex, outcome: Outcome) -> Quantity {
        let Some(holding) = self.holdings.get(&market) else { return Quantity::ZERO };
        // Kalshi settles and pays in one step, what lost too: it pays nothing and is gone.
        match holding.payout {
            Some(_) if holding.venue == Venue::Kalshi => Quantity::ZERO,
            // What lost on Polymarket is worth nothing, whether or not it still lies in the wallet.
            Some(payout) if payout.of(outcome) == Money::ZERO => Quantity::ZERO,
            Some(payout) if payout.paid.is_positive() => holding.left(outcome, payout),
            _ => holding.held(outcome),
        }
    }

    /// How many of a contract were not merged or sold, whatever they are worth and whether or not
    /// they were paid for.
    pub(super) fn in_wallet(&self, market: MarketIndex, outcome: Outcome) -> Quantity {
        self.holdings.get(&market).map_or(Quantity::ZERO, |holding| holding.held(outcome))
    }

    /// Whether a payment, or what a contract is worth, is not in the books yet.
    pub(super) fn is_new_payment(
        &self,
        market: MarketIndex,
        payout: Payout,
        at: Timestamp,
    ) -> bool {
        let Some(holding) = self.holdings.get(&market) else { return false };
        let at = holding.paid_at(at);
        let known = holding.payments.get(&at).copied().unwrap_or(Money::ZERO);
        holding.payout.is_none_or(|known| known.yes_pays != payout.yes_pays) || known < payout.paid
    }

    /// Whether a market has paid for a part of what is held, and both outcomes have a value: which
    /// of them was paid for is not known.
    pub(super) fn is_half_paid(&self, market: MarketIndex) -> bool {
        let Some(payout) = self.payout(market).filter(|payout| payout.paid.is_positive()) else {
            return false;
        };
        let both = [Outcome::Yes, Outcome::No].map(|outcome| payout.of(outcome).is_positive());
        let lot = Money::from_micros(Quantity::LOT);
        both == [true; 2] && payout.paid + lot < self.owed(market, payout)
    }

    /// All markets in which something was ever held, with their venues.
    pub fn markets(&self) -> impl Iterator<Item = (Venue, MarketIndex)> + '_ {
        self.holdings.iter().map(|(market, holding)| (holding.venue, *market))
    }

    /// What a market paid, if it did.
    pub fn payout(&self, market: MarketIndex) -> Option<Payout> {
        self.holdings.get(&market)?.payout
    }

    /// What the market owes for all that is held, rounded down.
    pub fn owed(&self, market: MarketIndex, payout: Payout) -> Money {
        self.holdings.get(&market).map_or(Money::ZERO, |holding| holding.owed(payout))
    }

    /// Puts what an order brought into the books, in place of what stood there for it.
    pub(super) fn book(&mut self, order: &Order, before: &Booked, after: &Booked) {
        let sign = match order.action {
            Action::Buy => 1,
            Action::Sell => -1,
        };
        let (old, new) = (before.total, after.total);
        let holding = self.holding(order.venue, order.market);
        let more = new.quantity.units() - old.quantity.units();
        holding.gross[side(order.outcome)] += sign * more;
        let netted = holding.net();
        let repaid = holding.reckon();
        let cash = &mut self.cash[seat(order.venue)];
        cash.paid += repaid;
        let cost = new.money - old.money;
        cash.fills += if sign > 0 { -cost } else { cost };
        cash.fees -= after.fee - before.fee;
        cash.fees_computed -= after.fee_computed - before.fee_computed;
        cash.netted += netted;
    }

    /// Pairs of both outcomes became dollars: no more of them than there are, because a merge bears
    /// no name and may be told twice.
    pub(super) fn merge(&mut self, market: MarketIndex, quantity: Quantity) {
        let holding = self.holding(Venue::Polymarket, market);
        let quantity = quantity.min(holding.held(Outcome::Yes)).min(holding.held(Outcome::No));
        self.holding(Venue::Polymarket, market).gone += quantity.units();
        self.cash[seat(Venue::Polymarket)].merged += Money::payout(quantity);
    }

    /// A market paid, or is only known to be resolved. The venue's newest word holds; what it paid
    /// at one time is told again and again, what it paid at another time comes on top.
    pub(super) fn settle(
        &mut self,
        venue: Venue,
        market: MarketIndex,
        payout: Payout,
        at: Timestamp,
    ) {
        let holding = self.holding(venue, market);
        let before = holding.payout.map_or(Money::ZERO, |earlier| earlier.paid);
        if payout.paid.is_positive() {
            let payment = holding.payments.entry(holding.paid_at(at)).or_default();
            *payment = payout.paid.max(*payment);
        }
        holding.payout = Some(Payout { paid: before, ..payout });
        let more = holding.reckon();
        self.cash[seat(venue)].paid += more;
    }

    /// Money that nothing else explains.
    pub(super) fn enter(&mut self, venue: Venue, line: Line, amount: Money) {
        let cash = &mut self.cash[seat(venue)];
        *cash.lines.entry(line).or_default() += amount;
        if line == Line::FeeTrueUp {
            cash.fees_trued = cash.fees_computed;
        }
    }

    /// Makes `quantity` what is held of a contract. It moves no money.
    pub(super) fn adopt(
        &mut self,
        venue: Venue,
        market: MarketIndex,
        outcome: Outcome,
        quantity: Quantity,
    ) {
        let holding = self.holding(venue, market);
        let more = quantity.units() - holding.held(outcome).units();
        holding.gross[side(outcome)] += more;
    }

    fn holding(&mut self, venue: Venue, market: MarketIndex) -> &mut Holding {
        self.holdings.entry(market).or_insert(Holding {
            venue,
            gross: [0; 2],
            gone: 0,
            payout: None,
            payments: BTreeMap::new(),
        })
    }
}

impl Holding {
    fn held(&self, outcome: Outcome) -> Quantity {
        let units = self.gross[side(outcome)] - self.gone;
        Quantity::from_units(units.max(0)).unwrap_or(Quantity::MAX)
    }

    fn owed(&self, payout: Payout) -> Money {
        let of = |outcome| payout.of(outcome).per_contract_ceil(self.held(outcome));
        of(Outcome::Yes) + of(Outcome::No)
    }

    /// Works out what the market has paid by what is held of it now; says what that changes.
    fn reckon(&mut self) -> Money {
        let Some(payout) = self.payout else { return Money::ZERO };
        let told = self.payments.values().fold(Money::ZERO, |sum, one| sum + *one);
        let paid = self.exact(Payout { paid: told, ..payout });
        self.payout = Some(Payout { paid, ..payout });
        paid - payout.paid
    }

    /// What a payment was: Kalshi tells it in whole cents, be it less than one, and what it owed is
    /// exact where the two agree to the cent.
    fn exact(&self, payout: Payout) -> Money {
        let owed = self.owed(payout);
        let apart = (owed - payout.paid).max(payout.paid - owed);
        if self.venue == Venue::Kalshi && apart < Money::from_micros(CENT) {
            owed.floor_to(STEP)
        } else {
            payout.paid
        }
    }

    /// What of an outcome is left after a payment for some of it, to a lot. Where both outcomes
    /// have a value, the payment says nothing about either.
    fn left(&self, outcome: Outcome, payout: Payout) -> Quantity {
        let held = self.held(outcome);
        if payout.of(outcome) != Money::from_micros(Money::DOLLAR) {
            return Quantity::ZERO;
        }
        let left = held.units() - payout.paid.micros();
        Quantity::from_units(left).filter(|left| left.units() >= Quantity::LOT).unwrap_or_default()
    }

    /// Which payment one of this time is. Kalshi pays a market once, whatever time it gives.
    const fn paid_at(&self, at: Timestamp) -> Timestamp {
        match self.venue {
            Venue::Kalshi => Timestamp::ZERO,
            Venue::Polymarket => at,
        }
    }

    /// Kalshi keeps one signed position per market: a YES and a NO are a dollar at once, and a sale
    /// of what is not held is a purchase of the other outcome. Says how much money that moved.
    fn net(&mut self) -> Money {
        if self.venue != Venue::Kalshi {
            return Money::ZERO;
        }
        let gone = self.gross[0].min(self.gross[1]);
        let moved = gone - self.gone;
        self.gone = gone;
        Money::from_micros(moved)
    }
}

#[cfg(test)]
mod tests;
