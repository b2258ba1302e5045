//! Request budgets known in advance.

use std::time::Duration;

/// A token bucket with the time as an argument. Times are nanoseconds of any one clock.
///
/// Tokens are counted in billionths, so that refilling by elapsed nanoseconds loses nothing.
#[derive(Debug, Clone)]
pub struct Bucket {
    capacity: u64,
    refill_per_s: u64,
    level: u64,
    filled_at: i64,
}

const BILLION: u64 = 1_000_000_000;

impl Bucket {
    /// The most tokens a bucket may hold or gain in a second.
    pub const TOKENS_MAX: u64 = 1_000_000;

    /// A full bucket; numbers beyond [`Bucket::TOKENS_MAX`] are held there, zero is taken as one.
    pub fn new(capacity: u64, refill_per_s: u64) -> Self {
        let capacity = capacity.clamp(1, Self::TOKENS_MAX) * BILLION;
        let refill_per_s = refill_per_s.clamp(1, Self::TOKENS_MAX);
        Self { capacity, refill_per_s, level: capacity, filled_at: i64::MIN }
    }

    /// Holds and gains so many from here on; what is in it stays, as far as it fits.
    pub fn resize(&mut self, capacity: u64, refill_per_s: u64) {
        let level = self.level;
        let filled_at = self.filled_at;
        *self = Self::new(capacity, refill_per_s);
        self.filled_at = filled_at;
        // A bucket that nothing was taken from yet stays full.
        if filled_at != i64::MIN {
            self.level = level.min(self.capacity);
        }
    }

    /// Takes `cost` tokens, or says how long until they are there. A cost above the capacity is
    /// taken as the whole capacity: the request is slow, never impossible.
    pub fn take(&mut self, cost: u64, now: i64) -> Result<(), Duration> {
        self.check(cost, now)?;
        self.level -= self.held(cost);
        Ok(())
    }

    /// The same, and takes nothing.
    pub fn check(&mut self, cost: u64, now: i64) -> Result<(), Duration> {
        self.fill(now);
        let missing = self.held(cost).saturating_sub(self.level);
        if missing == 0 {
            return Ok(());
        }
        Err(Duration::from_nanos(missing.div_ceil(self.refill_per_s)))
    }

    /// The most tokens that it holds.
    pub const fn capacity(&self) -> u64 {
        self.capacity / BILLION
    }

    /// The venue said no: nothing is left, whatever was counted here, and nothing comes back before
    /// `until`.
    pub fn drain(&mut self, until: i64) {
        self.level = 0;
        self.filled_at = self.filled_at.max(until);
    }

    /// The venue counts so many tokens: what was counted here beyond them is not there. More than
    /// was counted here is not believed.
    pub fn lower(&mut self, tokens: u64, now: i64) {
        self.fill(now);
        self.level = self.level.min(self.held(tokens));
    }

    fn held(&self, cost: u64) -> u64 {
        cost.saturating_mul(BILLION).min(self.capacity)
    }

    fn fill(&mut self, now: i64) {
        if self.filled_at == i64::MIN {
            self.filled_at = now;
            return;
        }
        // A clock that steps back refills nothing, and is not asked to give the time back either.
        let elapsed = u64::try_from(now.saturating_sub(self.filled_at)).unwrap_or(0);
        self.filled_at = self.filled_at.max(now);
        let gained = elapsed.saturating_mul(self.refill_per_s);
        self.level = self.level.saturating_add(gained).min(self.capacity);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_empty_bucket_says_when_to_come_back() {
        let mut bucket = Bucket::new(200, 200);
        for _ in 0..20 {
            assert_eq!(bucket.take(10, 0), Ok(()));
        }
        let wait = bucket.take(10, 0).unwrap_err();
        assert_eq!(wait, Duration::from_millis(50));
        assert_eq!(bucket.take(10, 50_000_000), Ok(()));
    }

    #[test]
    fn a_larger_budget_fills_up_and_a_smaller_one_holds_less() {
        let mut bucket = Bucket::new(10, 10);
        assert_eq!(bucket.take(4, 0), Ok(()));
        bucket.resize(100, 50);
        assert!(bucket.take(7, 0).is_err(), "what was there is there");
        assert_eq!(bucket.take(56, 1_000_000_000), Ok(()));
        bucket.resize(5, 5);
        assert_eq!(bucket.take(5, 100_000_000_000), Ok(()));
        assert!(bucket.take(1, 100_000_000_000).is_err());
    }

    #[test]
    fn a_look_into_a_bucket_takes_nothing() {
        let mut bucket = Bucket::new(10, 10);
        assert_eq!(bucket.check(10, 0), Ok(()));
        assert_eq!(bucket.take(10, 0), Ok(()));
        assert_eq!(bucket.check(4, 0), Err(Duration::from_millis(400)));
        assert_eq!(bucket.check(4, 400_000_000), Ok(()));
        assert_eq!(bucket.take(4, 400_000_000), Ok(()));
        assert_eq!(bucket.capacity(), 10);
    }

    #[test]
    fn what_a_venue_takes_away_comes_back_from_when_it_said_on() {
        let mut bucket = Bucket::new(10, 10);
        assert_eq!(bucket.take(1, 0), Ok(()));
        bucket.drain(2_000_000_000);
        assert!(bucket.take(1, 1_999_999_999).is_err());
        assert!(bucket.take(1, 2_050_000_000).is_err());
        assert_eq!(bucket.take(1, 2_100_000_000), Ok(()));
        let mut unused = Bucket::new(10, 10);
        unused.drain(1_000_000_000);
        assert!(unused.take(1, 0).is_err(), "also of one that nothing was taken from");
        assert_eq!(unused.take(1, 1_100_000_000), Ok(()));
    }

    #[test]
    fn a_count_of_the_venue_takes_tokens_away_and_gives_none() {
        let mut bucket = Bucket::new(10, 10);
        assert_eq!(bucket.take(4, 0), Ok(()));
        bucket.lower(9, 0);
        assert!(bucket.take(7, 0).is_err(), "six were left");
        bucket.lower(2, 0);
        assert!(bucket.take(3, 0).is_err());
        assert_eq!(bucket.take(2, 0), Ok(()));
        assert_eq!(bucket.take(1, 100_000_000), Ok(()), "and it goes on filling");
        let mut unused = Bucket::new(10, 10);
        unused.lower(0, 1_000_000_000);
        assert!(unused.take(1, 1_000_000_000).is_err(), "also one that nothing was taken from");
        assert_eq!(unused.take(10, 2_000_000_000), Ok(()));
    }

    #[test]
    fn a_clock_that_steps_back_refills_nothing() {
        let mut bucket = Bucket::new(10, 10);
        assert_eq!(bucket.take(10, 1_000_000_000), Ok(()));
        assert!(bucket.take(1, 0).is_err());
        assert!(bucket.take(1, 1_000_000_000).is_err());
        assert_eq!(bucket.take(1, 1_100_000_000), Ok(()));
    }

    proptest! {
        #[test]
        fn no_second_spends_more_than_burst_and_refill(
            steps in prop::collection::vec((0i64..200_000_000, 1u64..20), 1..200),
        ) {
            let mut bucket = Bucket::new(50, 100);
            let (mut now, mut spent) = (0i64, 0u64);
            for (wait, cost) in steps {
                now += wait;
                if bucket.take(cost, now).is_ok() { spent += cost; }
            }
            let allowed = 50 + u64::try_from(now).unwrap() * 100 / 1_000_000_000 + 1;
            prop_assert!(spent <= allowed, "{spent} of {allowed}");
        }
    }
}
