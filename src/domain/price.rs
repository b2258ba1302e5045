//! Dollars per contract, strictly between zero and one.

use std::fmt;

use super::decimal::{DecimalError, parse_scaled, write_scaled};

/// A price in 1/10,000 of a dollar, strictly between 0 and 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(u16);

impl Price {
    /// Price units in one dollar.
    pub const ONE: u16 = 10_000;
    /// The lowest price there is, `0.0001`.
    pub const MIN: Self = Self(1);
    /// The highest price there is, `0.9999`.
    pub const MAX: Self = Self(Self::ONE - 1);

    /// Takes 1/10,000 dollars; `None` unless strictly between 0 and 1 dollar.
    pub const fn from_units(units: u16) -> Option<Self> {
        if units > 0 && units < Self::ONE { Some(Self(units)) } else { None }
    }

    /// The price in 1/10,000 dollars.
    pub const fn units(self) -> u16 {
        self.0
    }

    /// Parses a decimal dollar text such as `0.4100`; finer than 1/10,000 is an error.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let units = parse_scaled(text, 4)?;
        u16::try_from(units).ok().and_then(Self::from_units).ok_or(DecimalError::OutOfRange)
    }

    /// The price of the other outcome: `1 - price`.
    pub const fn mirror(self) -> Self {
        Self(Self::ONE - self.0)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, i64::from(self.0), 4, 4)
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_strictly_inside_the_dollar() {
        assert_eq!(Price::parse("0.4100").map(Price::units), Ok(4_100));
        assert_eq!(Price::parse("0.0001"), Ok(Price::MIN));
        for text in ["0", "0.0000", "1", "1.0000", "-0.1", "7"] {
            assert_eq!(Price::parse(text), Err(DecimalError::OutOfRange), "{text}");
        }
        assert_eq!(Price::parse("0.98039"), Err(DecimalError::TooFine(4)));
    }

    #[test]
    fn mirror_is_its_own_inverse() {
        let price = Price::parse("0.4123").unwrap();
        assert_eq!(price.mirror().to_string(), "0.5877");
        assert_eq!(price.mirror().mirror(), price);
    }
}
