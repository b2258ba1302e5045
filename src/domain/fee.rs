//! What a venue charges the taker, and from when on.

use std::fmt;

use super::decimal::{DecimalError, parse_scaled, write_scaled};
use super::money::Money;
use super::price::Price;
use super::quantity::Quantity;
use super::time::Timestamp;

/// A fee coefficient in 1/1,000,000, multiplier included.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u32);

impl Rate {
    /// No fee.
    pub const ZERO: Self = Self(0);
    /// The highest rate believed; a venue that reports more is not understood.
    pub const MAX: Self = Self(1_000_000);

    /// Takes millionths; `None` above [`Rate::MAX`].
    pub const fn from_millionths(millionths: u32) -> Option<Self> {
        if millionths <= Self::MAX.0 { Some(Self(millionths)) } else { None }
    }

    /// Millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Parses a decimal such as `0.07`.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let millionths = parse_scaled(text, 6)?;
        u32::try_from(millionths)
            .ok()
            .and_then(Self::from_millionths)
            .ok_or(DecimalError::OutOfRange)
    }

    /// This rate times another, `None` when the product is finer than a millionth or too large.
    pub const fn times(self, multiplier: Multiplier) -> Option<Self> {
        let product = self.0 as u64 * multiplier.0 as u64;
        if !product.is_multiple_of(Multiplier::ONE.0 as u64) {
            return None;
        }
        let millionths = product / Multiplier::ONE.0 as u64;
        if millionths <= Self::MAX.0 as u64 {
            #[expect(clippy::cast_possible_truncation, reason = "at most Rate::MAX, checked above")]
            Some(Self(millionths as u32))
        } else {
            None
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, i64::from(self.0), 6, 0)
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A venue's scale on a coefficient, in 1/10,000; `1` for most Kalshi series, `0.5` for some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Multiplier(u32);

impl Multiplier {
    /// Charges the coefficient as it is.
    pub const ONE: Self = Self(10_000);

    /// Parses a decimal such as `0.5`.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        u32::try_from(parse_scaled(text, 4)?).map(Self).map_err(|_| DecimalError::OutOfRange)
    }
}

/// How the taker fee of one fill follows from its price and quantity:
/// `rate x quantity x (price x (1 - price))^exponent`, rounded up to the grain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FeeModel {
    /// Coefficient times multiplier.
    pub rate: Rate,
    /// Power of `price x (1 - price)`: 1 on both venues today, at most [`FeeModel::EXPONENT_MAX`].
    exponent: u8,
    /// The step an estimate is rounded up to, in micro-dollars.
    grain: u32,
}

impl FeeModel {
    /// The highest exponent that is computed; Polymarket used 2 until March 2026.
    pub const EXPONENT_MAX: u8 = 2;
    /// Kalshi rounds a direct member's balance to $0.0001.
    pub const KALSHI_GRAIN: u32 = 100;
    /// An account with a broker is rounded to whole cents.
    pub const KALSHI_CENT: u32 = 10_000;
    /// Polymarket's fees have five decimals.
    pub const POLYMARKET_GRAIN: u32 = 10;

    /// Kalshi's quadratic fee, estimated per price level.
    pub const fn kalshi(rate: Rate) -> Self {
        Self { rate, exponent: 1, grain: Self::KALSHI_GRAIN }
    }

    /// Polymarket's fee, estimated per fill; `None` for an exponent never seen.
    pub const fn polymarket(rate: Rate, exponent: u8) -> Option<Self> {
        if exponent <= Self::EXPONENT_MAX {
            Some(Self { rate, exponent, grain: Self::POLYMARKET_GRAIN })
        } else {
            None
        }
    }

    /// The same fee, estimated in steps of this many micro-dollars; zero is taken as one.
    pub const fn rounded_to(self, grain: u32) -> Self {
        Self { grain: if grain == 0 { 1 } else { grain }, ..self }
    }

    /// The power of `price x (1 - price)`.
    pub const fn exponent(self) -> u8 {
        self.exponent
    }

    /// The step an estimate is rounded up to, in micro-dollars.
    pub const fn grain(self) -> u32 {
        self.grain
    }

    /// The fee of one fill, rounded up to the grain: never less than what the venue charges.
    pub fn estimate(self, price: Price, quantity: Quantity) -> Money {
        if self.rate.0 == 0 || quantity.is_zero() {
            return Money::ZERO;
        }
        let micros = self
            .estimate_of_lots(price, quantity)
            .unwrap_or_else(|| self.estimate_of_any(price, quantity));
        Money::from_micros(micros)
    }

    /// The estimate for whole lots and an exponent of one, as far as 64 bits hold it: the usual
    /// case, without a division of 128 bits.
    fn estimate_of_lots(self, price: Price, quantity: Quantity) -> Option<i64> {
        const LOT: u64 = Quantity::LOT.unsigned_abs();
        const LOTS_PER_MICRO: u64 = 100_000_000_000_000 / LOT;
        let (units, p) = (quantity.units().unsigned_abs(), u64::from(price.units()));
        if self.exponent != 1 || !units.is_multiple_of(LOT) {
            return None;
        }
        let each = u64::from(self.rate.0) * p * (u64::from(Price::ONE) - p);
        let numerator = each.checked_mul(units / LOT)?;
        let grain = u64::from(self.grain);
        i64::try_from(numerator.div_ceil(LOTS_PER_MICRO * grain) * grain).ok()
    }

    fn estimate_of_any(self, price: Price, quantity: Quantity) -> i64 {
        let (numerator, micro) = self.raw(price, quantity);
        let step = micro * i128::from(self.grain);
        let steps = (numerator + step - 1) / step;
        i64::try_from(steps * i128::from(self.grain)).unwrap_or(i64::MAX)
    }

    /// The exact fee as a fraction of micro-dollars: numerator and denominator.
    pub fn raw(self, price: Price, quantity: Quantity) -> (i128, i128) {
        let p = i128::from(price.units());
        let spread = p * (i128::from(Price::ONE) - p);
        let base = i128::from(self.rate.0) * i128::from(quantity.units());
        match self.exponent {
            0 => (base, 1_000_000),
            1 => (base * spread, 100_000_000_000_000),
            _ => (base * spread * spread, 10_000_000_000_000_000_000_000),
        }
    }

    /// The exact fee of one contract in 1e-14 dollars, for an exponent of one; the marginal cost of
    /// depth at a price, compared without rounding.
    pub fn per_contract_e14(self, price: Price) -> u64 {
        let p = u64::from(price.units());
        let spread = p * (u64::from(Price::ONE) - p);
        let rate = u64::from(self.rate.0);
        match self.exponent {
            0 => rate * 100_000_000,
            1 => rate * spread,
            _ => rate * (spread * spread / 100_000_000),
        }
    }
}

/// The fee of a market over time: what holds now and what is announced, or that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeePlan {
    /// `(from, model)`, oldest first; `None` where the venue named a fee we do not understand.
    steps: Vec<(Timestamp, Option<FeeModel>)>,
}

impl FeePlan {
    /// The most changes kept for one market.
    pub const STEPS_MAX: usize = 64;

    /// A fee that is not known: the market makes no edge.
    pub const fn unknown() -> Self {
        Self { steps: Vec::new() }
    }

    /// One fee for all time.
    pub fn constant(model: FeeModel) -> Self {
        Self { steps: vec![(Timestamp::ZERO, Some(model))] }
    }

    /// Adds what holds from `from` on; changes may come in any order, the last word at a time wins.
    pub fn change_at(&mut self, from: Timestamp, model: Option<FeeModel>) {
        match self.steps.binary_search_by_key(&from, |step| step.0) {
            Ok(at) => self.steps[at].1 = model,
            Err(at) if self.steps.len() < Self::STEPS_MAX => self.steps.insert(at, (from, model)),
            // A venue that announces more than this is not understood from here on.
            Err(_) => self.steps[Self::STEPS_MAX - 1].1 = None,
        }
    }

    /// The same fees, each estimated in steps of this many micro-dollars.
    pub fn rounded_to(mut self, grain: u32) -> Self {
        for (_, model) in &mut self.steps {
            *model = model.map(|model| model.rounded_to(grain));
        }
        self
    }

    /// The fee in force at `now`.
    pub fn at(&self, now: Timestamp) -> Option<FeeModel> {
        self.steps.iter().rev().find(|step| step.0 <= now).and_then(|step| step.1)
    }

    /// All steps, oldest first.
    pub fn steps(&self) -> &[(Timestamp, Option<FeeModel>)] {
        &self.steps
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_estimate_in_64_bits_is_the_exact_one(
            rate in 1u32..=1_000_000, price in 1u16..10_000, lots in 1i64..=100_000_000_000,
            is_kalshi in any::<bool>(),
        ) {
            let rate = Rate::from_millionths(rate).unwrap();
            let polymarket = FeeModel::polymarket(rate, 1).unwrap();
            let model = if is_kalshi { FeeModel::kalshi(rate) } else { polymarket };
            let price = Price::from_units(price).unwrap();
            for lots in [lots, lots % 1_000_000 + 1] {
                let quantity = Quantity::from_units(lots * Quantity::LOT).unwrap();
                if let Some(micros) = model.estimate_of_lots(price, quantity) {
                    prop_assert_eq!(micros, model.estimate_of_any(price, quantity));
                }
            }
        }
    }

    fn fee(model: FeeModel, count: &str, price: &str) -> String {
        model.estimate(Price::parse(price).unwrap(), Quantity::parse(count).unwrap()).to_string()
    }

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    #[test]
    fn kalshi_worked_values_of_the_fee_schedule() {
        let taker = FeeModel::kalshi(rate("0.07"));
        let maker = FeeModel::kalshi(rate("0.0175"));
        let half = FeeModel::kalshi(rate("0.07").times(Multiplier::parse("0.5").unwrap()).unwrap());
        let cent = taker.rounded_to(FeeModel::KALSHI_CENT);
        for (count, price, t, c, m, h) in [
            ("1", "0.50", "0.017500", "0.020000", "0.004400", "0.008800"),
            ("10", "0.50", "0.175000", "0.180000", "0.043800", "0.087500"),
            ("100", "0.50", "1.750000", "1.750000", "0.437500", "0.875000"),
            ("100", "0.25", "1.312500", "1.320000", "0.328200", "0.656300"),
            ("100", "0.05", "0.332500", "0.340000", "0.083200", "0.166300"),
            ("100", "0.01", "0.069300", "0.070000", "0.017400", "0.034700"),
            ("1", "0.01", "0.000700", "0.010000", "0.000200", "0.000400"),
            ("1", "0.52", "0.017500", "0.020000", "0.004400", "0.008800"),
            ("0.5", "0.50", "0.008800", "0.010000", "0.002200", "0.004400"),
            ("25", "0.37", "0.408000", "0.410000", "0.102000", "0.204000"),
            ("1000", "0.93", "4.557000", "4.560000", "1.139300", "2.278500"),
        ] {
            assert_eq!(fee(taker, count, price), t, "taker {count} @ {price}");
            assert_eq!(fee(cent, count, price), c, "in cents {count} @ {price}");
            assert_eq!(fee(maker, count, price), m, "maker {count} @ {price}");
            assert_eq!(fee(half, count, price), h, "half {count} @ {price}");
        }
    }

    #[test]
    fn polymarket_worked_examples() {
        let at = |r: &str| FeeModel::polymarket(rate(r), 1).unwrap();
        assert_eq!(fee(at("0.04"), "100", "0.45"), "0.990000");
        assert_eq!(fee(at("0.05"), "100", "0.45"), "1.237500");
        assert_eq!(fee(at("0.07"), "100", "0.30"), "1.470000");
        assert_eq!(fee(at("0.07"), "100", "0.10"), "0.630000");
        assert_eq!(fee(at("0.05"), "40", "0.97"), "0.058200");
        assert_eq!(fee(at("0"), "100", "0.45"), "0.000000");
        assert_eq!(fee(at("0.04"), "60", "0.45"), "0.594000");
        assert_eq!(fee(at("0.04"), "40", "0.46"), "0.397440");
        assert_eq!(fee(at("0.05"), "25", "0.13"), "0.141380", "0.141375 rounds up");
    }

    #[test]
    fn a_fee_holds_from_its_time_of_effect() {
        let (low, high) = (FeeModel::kalshi(rate("0.035")), FeeModel::kalshi(rate("0.07")));
        let mut plan = FeePlan::constant(low);
        plan.change_at(Timestamp::from_secs(100), Some(high));
        plan.change_at(Timestamp::from_secs(200), None);
        assert_eq!(plan.at(Timestamp::from_secs(99)), Some(low));
        assert_eq!(plan.at(Timestamp::from_secs(100)), Some(high));
        assert_eq!(plan.at(Timestamp::from_secs(200)), None, "an unknown fee type is unknown");
        assert_eq!(FeePlan::unknown().at(Timestamp::from_secs(1)), None);
    }

    #[test]
    fn the_largest_fee_does_not_overflow() {
        let model = FeeModel::polymarket(Rate::MAX, 2).unwrap();
        let half = Price::from_units(5_000).unwrap();
        assert_eq!(model.estimate(half, Quantity::MAX).to_string(), "62500000.000000");
    }
}
