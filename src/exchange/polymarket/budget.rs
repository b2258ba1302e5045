//! What one signer may send: token buckets of the Standard tier, one token for each order.

use std::time::Duration;

use crate::domain::Timestamp;

use super::super::Reply;
use super::limits::too_many;

/// Thousandths of a token.
const TOKEN: u64 = 1_000;

#[derive(Debug)]
struct Bucket {
    per_second: u64,
    burst: u64,
    /// In thousandths of a token.
    left: u64,
    at: Timestamp,
}

impl Bucket {
    const fn new(per_second: u64, burst: u64) -> Self {
        Self { per_second, burst, left: burst * TOKEN, at: Timestamp::ZERO }
    }

    /// Takes tokens for all of a request, or none; says how long to wait then.
    fn take(&mut self, count: u32, now: Timestamp) -> Result<(), Reply> {
        let elapsed = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let gained = elapsed.saturating_mul(self.per_second);
        self.left = self.left.saturating_add(gained).min(self.burst * TOKEN);
        self.at = self.at.max(now);
        let wanted = u64::from(count) * TOKEN;
        if wanted <= self.left {
            self.left -= wanted;
            return Ok(());
        }
        let wait = (wanted - self.left).div_ceil(self.per_second);
        let mut reply = too_many(Duration::from_millis(wait));
        let remaining = (self.left / TOKEN).to_string();
        reply.headers.push(("poly-ratelimit-remaining", remaining));
        reply.headers.push(("poly-ratelimit-tier", "standard".to_owned()));
        Err(reply)
    }
}

/// The buckets of one signer.
#[derive(Debug)]
pub(super) struct Budget {
    orders: Bucket,
    cancels: Bucket,
}

impl Default for Budget {
    fn default() -> Self {
        Self { orders: Bucket::new(40, 60), cancels: Bucket::new(80, 120) }
    }
}

impl Budget {
    /// Charges for new orders.
    pub(super) fn orders(&mut self, count: u32, now: Timestamp) -> Result<(), Reply> {
        self.orders.take(count, now)
    }

    /// Charges for cancels.
    pub(super) fn cancels(&mut self, count: u32, now: Timestamp) -> Result<(), Reply> {
        // A request that names more than the bucket holds could never be sent.
        self.cancels.take(count.min(120), now)
    }
}
