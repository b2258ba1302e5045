//! Token buckets: how many requests a caller may still make.

use std::time::Duration;

use crate::domain::Timestamp;

/// A bucket that refills continuously, in thousandths of a token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    per_second: u64,
    capacity: u64,
    held: u64,
    filled_at: Timestamp,
}

impl Bucket {
    /// A full bucket.
    pub(super) const fn new(per_second: u64, capacity: u64) -> Self {
        let capacity = capacity * 1_000;
        Self { per_second, capacity, held: capacity, filled_at: Timestamp::ZERO }
    }

    /// Takes the tokens, or takes none and says no.
    pub(super) fn take(&mut self, tokens: u64, now: Timestamp) -> bool {
        let millis = now.since(self.filled_at).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        if millis > 0 {
            let gained = millis.saturating_mul(self.per_second);
            self.held = self.held.saturating_add(gained).min(self.capacity);
            self.filled_at = match self.held == self.capacity {
                true => now,
                // Parts of a millisecond count at the next time.
                false => self.filled_at.after(Duration::from_millis(millis)),
            };
        }
        let cost = tokens.saturating_mul(1_000);
        let granted = self.held >= cost;
        if granted {
            self.held -= cost;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let mut bucket = Bucket::new(3, 5);
        let at = Timestamp::from_millis;
        let burst = (0..10).filter(|_| bucket.take(1, at(1_000))).count();
        assert_eq!(burst, 5);
        let steady = (1_001..=3_000).filter(|ms| bucket.take(1, at(*ms))).count();
        assert_eq!(steady, 6, "two seconds at three a second");
        assert!(!bucket.take(1, at(500)), "a clock that goes back gives nothing");
    }
}
