//! What one signer may send: the token buckets of its tier, one token for each order.
//!
//! Every answer that a bucket had a say in tells what is left of it, when a refused request could
//! be taken, and which tier it is.

use std::time::Duration;

use crate::domain::Timestamp;

use super::super::Reply;
use super::limits::too_many;

/// Thousandths of a token.
const TOKEN: u64 = 1_000;

/// What the wallet's volume entitles its signer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tier {
    /// No volume is asked for.
    #[default]
    Standard,
    /// 30,000 dollars in 30 days.
    Copper,
    /// 50,000 dollars.
    Bronze,
    /// 100,000 dollars.
    Silver,
    /// 500,000 dollars.
    Gold,
    /// 2,500,000 dollars.
    Platinum,
    /// 5,000,000 dollars.
    Diamond,
    /// 10,000,000 dollars.
    Elite,
}

impl Tier {
    /// Its name, then orders a second, orders at once, and cancels at once; cancels a second are
    /// twice as many as orders.
    const fn terms(self) -> (&'static str, u64, u64, u64) {
        match self {
            Self::Standard => ("standard", 40, 60, 120),
            Self::Copper => ("copper", 60, 90, 180),
            Self::Bronze => ("bronze", 80, 120, 240),
            Self::Silver => ("silver", 200, 300, 600),
            Self::Gold => ("gold", 400, 600, 1_200),
            Self::Platinum => ("platinum", 450, 675, 1_350),
            Self::Diamond => ("diamond", 525, 787, 1_575),
            Self::Elite => ("elite", 600, 900, 1_800),
        }
    }
}

/// The headers that tell of a bucket.
pub(super) type Told = Vec<(&'static str, String)>;

#[derive(Debug)]
struct Bucket {
    tier: &'static str,
    per_second: u64,
    burst: u64,
    /// In thousandths of a token.
    left: u64,
    at: Timestamp,
}

impl Bucket {
    const fn new(tier: &'static str, per_second: u64, burst: u64) -> Self {
        Self { tier, per_second, burst, left: burst * TOKEN, at: Timestamp::ZERO }
    }

    /// Takes tokens for all of a request, or none; says how long to wait then. `clock` is the
    /// venue's own time.
    fn take(&mut self, count: u32, now: Timestamp, clock: Timestamp) -> Result<Told, Reply> {
        let elapsed = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let gained = elapsed.saturating_mul(self.per_second);
        self.left = self.left.saturating_add(gained).min(self.burst * TOKEN);
        self.at = self.at.max(now);
        let wanted = u64::from(count) * TOKEN;
        if wanted <= self.left {
            self.left -= wanted;
            return Ok(self.told(clock.secs()));
        }
        let wait = Duration::from_millis((wanted - self.left).div_ceil(self.per_second));
        let mut reply = too_many(wait);
        let enough = clock.after(wait);
        let is_whole = Timestamp::from_secs(enough.secs()) == enough;
        reply.headers.extend(self.told(enough.secs() + i64::from(!is_whole)));
        Err(reply)
    }

    fn told(&self, reset: i64) -> Told {
        vec![
            ("poly-ratelimit-remaining", (self.left / TOKEN).to_string()),
            ("poly-ratelimit-reset", reset.to_string()),
            ("poly-ratelimit-tier", self.tier.to_owned()),
        ]
    }
}

/// The buckets of one signer.
#[derive(Debug)]
pub(super) struct Budget {
    orders: Bucket,
    cancels: Bucket,
}

impl Budget {
    /// Full buckets.
    pub(super) const fn of(tier: Tier) -> Self {
        let (name, per_second, orders, cancels) = tier.terms();
        Self {
            orders: Bucket::new(name, per_second, orders),
            cancels: Bucket::new(name, per_second * 2, cancels),
        }
    }

    /// Charges for new orders.
    pub(super) fn orders(
        &mut self,
        count: u32,
        now: Timestamp,
        clock: Timestamp,
    ) -> Result<Told, Reply> {
        self.orders.take(count, now, clock)
    }

    /// Charges for cancels.
    pub(super) fn cancels(
        &mut self,
        count: u32,
        now: Timestamp,
        clock: Timestamp,
    ) -> Result<Told, Reply> {
        // A request that names more than the bucket holds could never be sent.
        let most = u32::try_from(self.cancels.burst).unwrap_or(u32::MAX);
        self.cancels.take(count.min(most), now, clock)
    }
}
