//! Randomness that a seed decides completely.

/// The splitmix64 generator: a counter that grows by the golden ratio's bits, mixed by two
/// multiplications and three shifts. Small, fast, every seed is good, and nothing here is secret.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Starts at a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Starts a generator of its own for one purpose, so that one use does not disturb another.
    pub fn stream(seed: u64, purpose: u64) -> Self {
        let mut mixer = Self(seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self(mixer.roll())
    }

    /// The next 64 bits.
    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included; `low` when the range is empty.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let roll = self.roll();
        if high <= low {
            return low;
        }
        let span = high.abs_diff(low).saturating_add(1);
        // The bias of the remainder is below 2^-40 for every range used here.
        low.saturating_add(i64::try_from(roll % span).unwrap_or(0))
    }

    /// True in `per_mille` of a thousand cases.
    pub const fn chance(&mut self, per_mille: u64) -> bool {
        self.roll() % 1_000 < per_mille
    }

    /// One of `count` indices; zero when there is none.
    pub fn index(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.roll() % count).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_gives_its_published_values() {
        let mut dice = Dice::new(1_234_567);
        let rolled: Vec<u64> = (0..3).map(|_| dice.roll()).collect();
        assert_eq!(
            rolled,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn a_range_is_reached_at_both_ends_and_never_left() {
        let mut dice = Dice::new(7);
        let rolled: Vec<i64> = (0..500).map(|_| dice.between(-2, 2)).collect();
        assert_eq!((rolled.iter().min(), rolled.iter().max()), (Some(&-2), Some(&2)));
        assert_eq!(dice.between(5, 4), 5);
    }
}
