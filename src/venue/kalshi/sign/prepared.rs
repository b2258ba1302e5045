//! Headers of order requests, signed ahead of need.
//!
//! The body is not signed, so the headers of the next order can be made before it is known. Each
//! set is given away once, and none that is older than [`Pool::AGE_MAX`]: the venue refuses times
//! that are off by some seconds.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::Timestamp;
use crate::venue::Error;

use super::Signer;

/// The three headers of one request.
type Headers = [(&'static str, String); 3];

/// One set and when it was made, by our clock.
struct Prepared {
    made: Timestamp,
    headers: Headers,
}

/// Sets of headers for one method and path.
pub struct Pool {
    method: &'static str,
    path: String,
    size: usize,
    kept: VecDeque<Prepared>,
    /// The last time that was signed, in milliseconds: no two sets of a pool share theirs.
    last_millis: i64,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("kept", &self.kept.len()).finish_non_exhaustive()
    }
}

impl Pool {
    /// Older headers are thrown away: well under the 5 s by which a clock may be off.
    pub const AGE_MAX: Duration = Duration::from_secs(2);
    /// Older headers are replaced when there is time, so that those at hand stay young.
    pub const AGE_WANTED: Duration = Duration::from_secs(1);
    /// The most sets of a pool: their times lie a millisecond apart.
    pub const SIZE_MAX: usize = 64;

    /// An empty pool. A size of zero never holds any, and every request is signed on the spot.
    pub fn new(method: &'static str, path: String, size: usize) -> Self {
        let size = size.min(Self::SIZE_MAX);
        Self { method, path, size, kept: VecDeque::with_capacity(size), last_millis: 0 }
    }

    /// How many sets are at hand, whatever their age.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is at hand.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Takes the oldest set that is young enough, or signs one on the spot.
    pub fn take(&mut self, signer: &Signer, now: Timestamp) -> Result<Headers, Error> {
        while let Some(prepared) = self.kept.pop_front() {
            if is_young(prepared.made, now, Self::AGE_MAX) {
                return Ok(prepared.headers);
            }
        }
        self.sign(signer, now)
    }

    /// Throws away what grows old and fills the pool.
    pub fn refill(&mut self, signer: &Signer, now: Timestamp) -> Result<(), Error> {
        self.kept.retain(|prepared| is_young(prepared.made, now, Self::AGE_WANTED));
        while self.kept.len() < self.size {
            let headers = self.sign(signer, now)?;
            self.kept.push_back(Prepared { made: now, headers });
        }
        Ok(())
    }

    fn sign(&mut self, signer: &Signer, now: Timestamp) -> Result<Headers, Error> {
        /// How far a time may run ahead so that no two are the same: beyond it the clock has gone
        /// back.
        const AHEAD_MAX_MS: i64 = 200;
        let millis = now.millis();
        let next = self.last_millis.saturating_add(1);
        let millis = if next > millis + AHEAD_MAX_MS { millis } else { next.max(millis) };
        self.last_millis = millis;
        signer.headers(self.method, &self.path, Timestamp::from_millis(millis))
    }
}

/// A set that was made later than now was made before the clock went back: nobody knows its age.
fn is_young(made: Timestamp, now: Timestamp, age_max: Duration) -> bool {
    made <= now && now.since(made) <= age_max
}

#[cfg(test)]
mod tests {
    use super::super::TIMESTAMP_HEADER;
    use super::super::tests::{ed25519_pem, rsa_pem};
    use super::*;

    const PATH: &str = "/trade-api/v2/portfolio/events/orders";

    fn signed_at(headers: &Headers) -> i64 {
        let (_, millis) = headers.iter().find(|(name, _)| *name == TIMESTAMP_HEADER).unwrap();
        millis.parse().unwrap()
    }

    #[test]
    fn each_set_of_headers_is_given_away_once_for_both_kinds_of_key() {
        for pem in [ed25519_pem(), rsa_pem()] {
            let signer = Signer::from_pem("key", &pem).unwrap();
            let mut pool = Pool::new("POST", PATH.to_owned(), 3);
            let now = Timestamp::from_millis(1_700_000_000_000);
            let mut seen = std::collections::BTreeSet::new();
            for _ in 0..3 {
                pool.refill(&signer, now).unwrap();
                assert_eq!(pool.len(), 3);
                // More than the pool holds: the rest is signed on the spot.
                for _ in 0..5 {
                    let headers = pool.take(&signer, now).unwrap();
                    assert!((signed_at(&headers) - now.millis()).abs() <= 200);
                    assert!(seen.insert(headers[2].1.clone()), "a signature came twice");
                }
                assert!(pool.is_empty());
            }
        }
    }

    #[test]
    fn headers_are_never_older_than_the_bound() {
        let signer = Signer::from_pem("key", &ed25519_pem()).unwrap();
        let mut pool = Pool::new("POST", PATH.to_owned(), 2);
        let made = Timestamp::from_millis(1_700_000_000_000);
        pool.refill(&signer, made).unwrap();
        let at_bound = made.after(Pool::AGE_MAX);
        assert_eq!(signed_at(&pool.take(&signer, at_bound).unwrap()), made.millis());
        let beyond = at_bound.after(Duration::from_millis(1));
        assert_eq!(signed_at(&pool.take(&signer, beyond).unwrap()), beyond.millis());
        assert!(pool.is_empty(), "what is too old is gone");
    }

    #[test]
    fn headers_from_before_the_clock_went_back_are_not_used() {
        let signer = Signer::from_pem("key", &ed25519_pem()).unwrap();
        let mut pool = Pool::new("POST", PATH.to_owned(), 2);
        let later = Timestamp::from_millis(1_700_000_060_000);
        pool.refill(&signer, later).unwrap();
        let now = later.before(Duration::from_mins(1));
        assert_eq!(signed_at(&pool.take(&signer, now).unwrap()), now.millis());
    }

    #[test]
    fn refilling_replaces_what_grows_old() {
        let signer = Signer::from_pem("key", &ed25519_pem()).unwrap();
        let mut pool = Pool::new("POST", PATH.to_owned(), 2);
        let mut now = Timestamp::from_millis(1_700_000_000_000);
        for _ in 0..40 {
            now = now.after(Duration::from_millis(250));
            pool.refill(&signer, now).unwrap();
        }
        let headers = pool.take(&signer, now).unwrap();
        assert!(now.millis() - signed_at(&headers) <= 1_000);
    }

    #[test]
    fn a_prepared_signature_is_the_one_of_the_spot() {
        let signer = Signer::from_pem("key", &ed25519_pem()).unwrap();
        let mut pool = Pool::new("POST", PATH.to_owned(), 1);
        let now = Timestamp::from_millis(1_700_000_000_000);
        pool.refill(&signer, now).unwrap();
        let spot = signer.headers("POST", PATH, now).unwrap();
        assert_eq!(pool.take(&signer, now).unwrap(), spot);
    }
}
