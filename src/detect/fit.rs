//! Brings what was walked onto the size grids of both venues.
//!
//! Polymarket sells for whole cents of collateral, Kalshi in lots of 0.01 contract. Kalshi's
//! quantity is Polymarket's floored to a lot; the surplus beyond it, less than a lot, is lost
//! money. Each quantity of whole lots needs a certain number of cents and leaves its own surplus,
//! so a slightly smaller quantity can leave more than the largest. From the largest quantity that
//! the walked cents buy, smaller ones are tried one lot at a time, as long as what the dropped lots
//! would have earned is less than what the best surplus so far costs.

use crate::domain::{Price, Quantity};

use super::edge::{Fills, Leg};

/// The most lots that are dropped in search of a smaller surplus, ten contracts.
pub const LOTS_TRIED: i64 = 1_000;

/// A micro-dollar in the unit of price times quantity, 1e-10 dollars.
const MICRO: i128 = 10_000;
/// A cent of collateral in the unit of price times quantity.
const CENT: i128 = 10_000 * MICRO;

type Fill = (Price, Quantity);

/// Cuts the walked fills down to what both venues can sell. `bound` is what a share of each
/// contract may cost together, in 1e-14 dollars.
pub(super) fn fit(kalshi: &Leg<'_>, polymarket: &Leg<'_>, bound: i64, fills: &mut Fills) {
    let walked: i128 = fills.polymarket.iter().map(|fill| rounded_up(product(*fill))).sum();
    let budget = walked - walked % CENT;
    spend(&mut fills.polymarket, budget);
    let bought = total(&fills.polymarket);
    cut(&mut fills.kalshi, bought.floor_to(Quantity::LOT));
    let mut search = Search::new(kalshi, polymarket, bound, fills, budget);
    if let Some((quantity, budget)) = search.run() {
        cut(&mut fills.kalshi, quantity);
        spend(&mut fills.polymarket, budget);
    }
}

/// How many contracts all fills hold.
pub(super) fn total(fills: &[Fill]) -> Quantity {
    fills.iter().fold(Quantity::ZERO, |sum, fill| sum.saturating_add(fill.1))
}

/// Keeps of the fills, best first, what `budget` buys when each is paid to the full micro-dollar.
fn spend(fills: &mut Vec<Fill>, budget: i128) {
    let mut left = budget;
    for at in 0..fills.len() {
        let (price, quantity) = fills[at];
        let cost = rounded_up(product(fills[at]));
        if cost <= left {
            left -= cost;
            continue;
        }
        let units = i64::try_from(left / i128::from(price.units())).unwrap_or(i64::MAX);
        let bought = Quantity::from_units(units).unwrap_or(Quantity::MAX).min(quantity);
        fills[at].1 = bought;
        fills.truncate(if bought.is_zero() { at } else { at + 1 });
        return;
    }
}

/// Keeps of the fills, best first, `quantity` in all.
fn cut(fills: &mut Vec<Fill>, quantity: Quantity) {
    let mut left = quantity;
    for at in 0..fills.len() {
        if fills[at].1 >= left {
            fills[at].1 = left;
            fills.truncate(if left.is_zero() { at } else { at + 1 });
            return;
        }
        left = left.saturating_sub(fills[at].1);
    }
}

fn product((price, quantity): Fill) -> i128 {
    i128::from(price.units()) * i128::from(quantity.units())
}

fn rounded_up(product: i128) -> i128 {
    // What one fill costs fits 64 bits, where this division is a multiplication.
    const MICRO_64: u64 = 10_000;
    const { assert!(MICRO == MICRO_64 as i128) };
    match u64::try_from(product) {
        Ok(product) => i128::from(product.div_ceil(MICRO_64)) * MICRO,
        Err(_) => (product + MICRO - 1) / MICRO * MICRO,
    }
}

/// What rounding a fill up to a micro-dollar adds to its cost.
fn excess(fill: Fill) -> i128 {
    rounded_up(product(fill)) - product(fill)
}

/// The worst end of one leg's fills, from which lots are dropped.
struct Tail<'a> {
    leg: &'a Leg<'a>,
    fills: &'a [Fill],
    price: Price,
    /// What is left of the fill at the tail, in units.
    left: i64,
    /// What one contract costs there, fee included, in 1e-14 dollars.
    cost_e14: i64,
    /// What all that is left costs, without fees, as price times quantity.
    worth: i128,
    /// What rounding the fills before the tail up to a micro-dollar adds to that.
    rounding: i128,
}

impl<'a> Tail<'a> {
    fn new(leg: &'a Leg<'a>, fills: &'a [Fill]) -> Self {
        let worth = fills.iter().map(|fill| product(*fill)).sum();
        let rounding = fills.iter().map(|fill| excess(*fill)).sum();
        let mut tail =
            Self { leg, fills, price: Price::MIN, left: 0, cost_e14: 0, worth, rounding };
        tail.step();
        tail
    }

    /// Goes on to the next better fill.
    fn step(&mut self) {
        let Some(((price, quantity), rest)) = self.fills.split_last() else { return };
        (self.fills, self.price, self.left) = (rest, *price, quantity.units());
        self.rounding -= excess((*price, *quantity));
        self.cost_e14 = self.leg.cost_e14(*price);
    }

    /// Drops `units` of the fill at the tail, which must hold them.
    fn drop_units(&mut self, units: i64) {
        self.left -= units;
        self.worth -= i128::from(self.price.units()) * i128::from(units);
        if self.left == 0 {
            self.step();
        }
    }
}

/// The search for a quantity with a cheaper surplus.
struct Search<'a> {
    kalshi: Tail<'a>,
    polymarket: Tail<'a>,
    bound: i64,
    quantity: i64,
    /// The cents that the present quantity is bought with.
    budget: i128,
}

impl<'a> Search<'a> {
    fn new(
        kalshi: &'a Leg<'a>,
        polymarket: &'a Leg<'a>,
        bound: i64,
        fills: &'a Fills,
        budget: i128,
    ) -> Self {
        let mut search = Self {
            kalshi: Tail::new(kalshi, &fills.kalshi),
            polymarket: Tail::new(polymarket, &fills.polymarket),
            bound,
            quantity: total(&fills.kalshi).units(),
            budget,
        };
        let mut surplus = total(&fills.polymarket).units() - search.quantity;
        while surplus > 0 && search.polymarket.left > 0 {
            let units = surplus.min(search.polymarket.left);
            search.polymarket.drop_units(units);
            surplus -= units;
        }
        search
    }

    /// The quantity and the budget that leave more than the present ones, if any do.
    fn run(&mut self) -> Option<(Quantity, i128)> {
        let mut best = self.surplus_e20();
        let mut found = None;
        let mut lost = 0;
        for _ in 0..LOTS_TRIED {
            if lost >= best || self.quantity <= Quantity::LOT {
                break;
            }
            lost += self.drop_lot();
            if !self.is_enough() {
                break;
            }
            let score = lost + self.surplus_e20();
            if score < best {
                best = score;
                found = Quantity::from_units(self.quantity).map(|quantity| (quantity, self.budget));
            }
        }
        found
    }

    /// What the collateral beyond the present quantity costs with its fee, in 1e-20 dollars.
    fn surplus_e20(&self) -> i128 {
        let surplus = self.budget - self.polymarket.worth - self.polymarket.rounding;
        let price = i64::from(self.polymarket.price.units());
        surplus.max(0) * i128::from(self.polymarket.cost_e14 / price)
    }

    /// Drops one lot of both legs and says what it would have left, in 1e-20 dollars.
    fn drop_lot(&mut self) -> i128 {
        let mut need = Quantity::LOT;
        let mut lost = 0;
        while need > 0 && self.kalshi.left > 0 && self.polymarket.left > 0 {
            let units = need.min(self.kalshi.left).min(self.polymarket.left);
            let margin = self.bound - self.kalshi.cost_e14 - self.polymarket.cost_e14;
            lost += i128::from(margin) * i128::from(units);
            self.kalshi.drop_units(units);
            self.polymarket.drop_units(units);
            need -= units;
        }
        self.quantity -= Quantity::LOT;
        // A lot costs less than a cent, so no more than one cent comes free.
        if self.budget - CENT >= self.polymarket.worth + self.polymarket.rounding {
            self.budget -= CENT;
        }
        lost
    }

    /// Whether both venues would still take the order.
    fn is_enough(&self) -> bool {
        [&self.kalshi, &self.polymarket].into_iter().all(|tail| {
            let minimum = tail.leg.minimum;
            self.quantity >= minimum.quantity.units()
                && tail.worth >= i128::from(minimum.notional.micros()) * MICRO
        })
    }
}
