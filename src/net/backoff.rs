//! How long to wait before trying again.

use std::time::Duration;

/// Exponential back-off with full jitter: each wait is drawn evenly from half the current ceiling
/// to the ceiling, and the ceiling doubles up to a maximum.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: u32,
    state: u64,
}

impl Backoff {
    /// The first ceiling, the highest ceiling, and a seed for the jitter.
    pub const fn new(first: Duration, longest: Duration, seed: u64) -> Self {
        Self { first, longest, attempts: 0, state: seed }
    }

    /// The next wait.
    pub fn wait(&mut self) -> Duration {
        let doubled = self.first.saturating_mul(1u32 << self.attempts.min(16));
        let ceiling = doubled.min(self.longest);
        self.attempts = self.attempts.saturating_add(1);
        let half = ceiling / 2;
        let spread = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_nanos(self.draw() % spread)
    }

    /// How many waits were drawn since the last success.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// It worked: the next wait is a first one again.
    pub const fn reset(&mut self) {
        self.attempts = 0;
    }

    /// One step of `SplitMix64` (Steele, Lea and Flood 2014): jitter needs spread, not secrecy.
    const fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_start_over_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2), 7);
        for round in 0..20u32 {
            let ceiling = Duration::from_millis(100 << round.min(5)).min(Duration::from_secs(2));
            let wait = backoff.wait();
            assert!(wait >= ceiling / 2 && wait < ceiling, "round {round}: {wait:?}");
        }
        backoff.reset();
        assert!(backoff.wait() < Duration::from_millis(100));
    }

    #[test]
    fn two_seeds_do_not_wait_in_step() {
        let mut a = Backoff::new(Duration::from_secs(1), Duration::from_secs(9), 1);
        let mut b = Backoff::new(Duration::from_secs(1), Duration::from_secs(9), 2);
        assert_ne!(a.wait(), b.wait());
    }
}
