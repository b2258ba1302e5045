//! Dollars, in millionths.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use super::decimal::{DecimalError, parse_scaled, write_scaled};
use super::price::Price;
use super::quantity::Quantity;

/// An amount of dollars in 1/1,000,000, of either sign.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// A price unit times a quantity unit is 1e-10 dollars; this many of them make a micro-dollar.
const PRODUCT_PER_MICRO: u64 = 10_000;

/// Price times quantity in their units. Quantities are never negative, and the largest of them at
/// the highest price stays below 2^64; the quotients that are taken of it fit an `i64`.
const fn product_of(price: Price, quantity: Quantity) -> u64 {
    const _: () = assert!(u64::MAX / Price::ONE as u64 > Quantity::MAX.units().unsigned_abs());
    price.units() as u64 * quantity.units().unsigned_abs()
}

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);
    /// Micro-dollars in one dollar.
    pub const DOLLAR: i64 = 1_000_000;

    /// Takes micro-dollars.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Micro-dollars.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Parses a decimal dollar text such as `-3.008320`.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        parse_scaled(text, 6).map(Self)
    }

    /// What `quantity` costs at `price`, rounded up to a micro-dollar. Exact for whole lots.
    pub const fn cost_ceil(price: Price, quantity: Quantity) -> Self {
        Self(product_of(price, quantity).div_ceil(PRODUCT_PER_MICRO).cast_signed())
    }

    /// What `quantity` brings at `price`, rounded down to a micro-dollar. Exact for whole lots.
    pub const fn cost_floor(price: Price, quantity: Quantity) -> Self {
        Self((product_of(price, quantity) / PRODUCT_PER_MICRO).cast_signed())
    }

    /// How many contracts this much buys at `price`, rounded up to a millionth of a contract; none
    /// for nothing or less.
    pub fn buys_ceil(self, price: Price) -> Quantity {
        let product = i128::from(self.0.max(0)) * i128::from(PRODUCT_PER_MICRO);
        let units = (product + i128::from(price.units()) - 1) / i128::from(price.units());
        i64::try_from(units).ok().and_then(Quantity::from_units).unwrap_or(Quantity::MAX)
    }

    /// How many contracts this much buys at `price`, rounded down to a millionth of a contract.
    pub fn buys_floor(self, price: Price) -> Quantity {
        let product = i128::from(self.0.max(0)) * i128::from(PRODUCT_PER_MICRO);
        let units = product / i128::from(price.units());
        i64::try_from(units).ok().and_then(Quantity::from_units).unwrap_or(Quantity::MAX)
    }

    /// The dollar that each of `quantity` winning contracts pays.
    pub const fn payout(quantity: Quantity) -> Self {
        Self(quantity.units())
    }

    /// This much for each of `quantity` contracts, rounded up to a micro-dollar.
    pub const fn per_contract_ceil(self, quantity: Quantity) -> Self {
        let product = self.0 as i128 * quantity.units() as i128;
        let scale = Quantity::CONTRACT as i128;
        Self::narrow(-(-product).div_euclid(scale))
    }

    /// This amount divided over `quantity` contracts, rounded down; `None` for no contracts.
    pub const fn per_contract_floor(self, quantity: Quantity) -> Option<Self> {
        if quantity.is_zero() {
            return None;
        }
        let product = self.0 as i128 * Quantity::CONTRACT as i128;
        Some(Self::narrow(product.div_euclid(quantity.units() as i128)))
    }

    /// The largest multiple of `grain` micro-dollars that is not above this amount.
    pub const fn floor_to(self, grain: i64) -> Self {
        Self(self.0 - self.0.rem_euclid(grain))
    }

    /// Whether this is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The sum, held at the ends of the range.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i64 just before")]
    const fn narrow(micros: i128) -> Self {
        if micros > i64::MAX as i128 {
            Self(i64::MAX)
        } else if micros < i64::MIN as i128 {
            Self(i64::MIN)
        } else {
            Self(micros as i64)
        }
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, 6, 6)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        Price::parse(text).unwrap()
    }

    fn quantity(text: &str) -> Quantity {
        Quantity::parse(text).unwrap()
    }

    #[test]
    fn whole_lots_cost_exact_micro_dollars() {
        let cost = Money::cost_ceil(price("0.4123"), quantity("0.07"));
        assert_eq!(cost.to_string(), "0.028861");
        assert_eq!(cost, Money::cost_floor(price("0.4123"), quantity("0.07")));
    }

    #[test]
    fn fractions_round_against_us_by_name() {
        let (p, q) = (price("0.3333"), quantity("0.000001"));
        assert_eq!(Money::cost_ceil(p, q).micros(), 1);
        assert_eq!(Money::cost_floor(p, q).micros(), 0);
        let loss = Money::from_micros(-10);
        assert_eq!(loss.per_contract_floor(quantity("3")).unwrap().micros(), -4);
        assert_eq!(Money::from_micros(3).per_contract_ceil(quantity("0.5")).micros(), 2);
    }
}
