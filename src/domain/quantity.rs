//! Contracts, in millionths.

use std::fmt;

use super::decimal::{DecimalError, parse_scaled, write_scaled};

/// A count of contracts in 1/1,000,000, never negative, at most [`Quantity::MAX`].
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(i64);

impl Quantity {
    /// No contracts.
    pub const ZERO: Self = Self(0);
    /// Units in one contract.
    pub const CONTRACT: i64 = 1_000_000;
    /// Units in one lot, the 0.01 contract in which Kalshi orders go out.
    pub const LOT: i64 = 10_000;
    /// A billion contracts; what a venue reports beyond it is refused as broken.
    pub const MAX: Self = Self(1_000_000_000 * Self::CONTRACT);

    /// Takes millionths of a contract; `None` when negative or above [`Quantity::MAX`].
    pub const fn from_units(units: i64) -> Option<Self> {
        if units >= 0 && units <= Self::MAX.0 { Some(Self(units)) } else { None }
    }

    /// Takes whole contracts, saturating at [`Quantity::MAX`].
    pub const fn contracts(count: u32) -> Self {
        let units = count as i64 * Self::CONTRACT;
        if units > Self::MAX.0 { Self::MAX } else { Self(units) }
    }

    /// Millionths of a contract.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Whether nothing is left.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Parses a decimal count such as `120.00`.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        Self::from_units(parse_scaled(text, 6)?).ok_or(DecimalError::OutOfRange)
    }

    /// The largest multiple of `grain` units that is not above this quantity.
    pub const fn floor_to(self, grain: i64) -> Self {
        Self(self.0 - self.0 % grain)
    }

    /// The sum, held at [`Quantity::MAX`].
    pub const fn saturating_add(self, other: Self) -> Self {
        let sum = self.0 + other.0;
        if sum > Self::MAX.0 { Self::MAX } else { Self(sum) }
    }

    /// The difference, held at zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        if other.0 >= self.0 { Self::ZERO } else { Self(self.0 - other.0) }
    }

    /// Applies a signed change; `None` when the result is negative or too large.
    pub const fn changed_by(self, change: Change) -> Option<Self> {
        Self::from_units(self.0 + change.0)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, 6, 2)
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A signed change of the quantity that rests at a price level, in 1/1,000,000 contracts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Change(i64);

impl Change {
    /// Takes millionths of a contract; `None` beyond plus or minus [`Quantity::MAX`].
    pub const fn from_units(units: i64) -> Option<Self> {
        if units >= -Quantity::MAX.0 && units <= Quantity::MAX.0 { Some(Self(units)) } else { None }
    }

    /// Millionths of a contract.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Parses a signed decimal count such as `-46.02`.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        Self::from_units(parse_scaled(text, 6)?).ok_or(DecimalError::OutOfRange)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, 6, 2)
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_billion_lots_fit() {
        let lots = Quantity::from_units(10_000_000_000 * Quantity::LOT).unwrap();
        assert_eq!(lots.to_string(), "100000000.00");
        assert_eq!(Quantity::parse("32200000.00").unwrap().to_string(), "32200000.00");
    }

    #[test]
    fn a_change_never_takes_a_level_below_zero() {
        let level = Quantity::parse("46.02").unwrap();
        assert_eq!(level.changed_by(Change::parse("-46.02").unwrap()), Some(Quantity::ZERO));
        assert_eq!(level.changed_by(Change::parse("-46.03").unwrap()), None);
        assert!(Quantity::parse("-1").is_err());
    }

    #[test]
    fn fractions_of_a_share_keep_their_digits() {
        assert_eq!(Quantity::parse("19.2307").unwrap().to_string(), "19.2307");
        assert_eq!(Quantity::parse("714.285713").unwrap().to_string(), "714.285713");
    }
}
