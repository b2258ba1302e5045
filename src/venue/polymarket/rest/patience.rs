//! Whether a read is repeated, and when.

use std::time::Duration;

use crate::net::backoff::Backoff;
use crate::net::http::{Answer, Failure};
use crate::venue::Error;
use crate::venue::polymarket::error::{failure, refusal};

/// How often a read is tried in all.
pub const ATTEMPTS_MAX: u32 = 4;
/// The longest `Retry-After` that is waited for; a longer one is handed to the caller.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// What to do with an outcome.
#[derive(Debug)]
pub enum Verdict {
    /// It is an answer.
    Done(Answer),
    /// It is final.
    Failed(Error),
    /// The request is to be repeated.
    Again {
        /// After this long.
        wait: Duration,
        /// Whether the venue asked for fewer requests.
        is_limited: bool,
    },
}

/// The attempts of one read.
#[derive(Debug)]
pub struct Patience {
    backoff: Backoff,
    attempts: u32,
}

impl Patience {
    /// Patience for one read.
    pub const fn new(first: Duration, longest: Duration, seed: u64) -> Self {
        Self { backoff: Backoff::new(first, longest, seed), attempts: 0 }
    }

    /// Judges the outcome of an attempt.
    pub fn judge(&mut self, what: &str, outcome: Result<Answer, Failure>) -> Verdict {
        self.attempts += 1;
        let error = match outcome {
            Ok(answer) if answer.status == 200 => return Verdict::Done(answer),
            Ok(answer) => refusal(what, &answer),
            // The same answer would be too large again.
            Err(too_large @ Failure::TooLarge(_)) => {
                return Verdict::Failed(failure(what, &too_large));
            }
            Err(other) => failure(what, &other),
        };
        let after = match &error {
            Error::Limited { after, .. } => after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        let is_spent = self.attempts >= ATTEMPTS_MAX || after > RETRY_AFTER_MAX;
        if !error.is_passing() || is_spent {
            return Verdict::Failed(error);
        }
        let is_limited = matches!(error, Error::Limited { .. });
        Verdict::Again { wait: after + self.backoff.wait(), is_limited }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<u64>) -> Result<Answer, Failure> {
        let retry_after = retry_after.map(Duration::from_secs);
        Ok(Answer { status, body: "[]".to_owned(), retry_after, date: None, headers: Vec::new() })
    }

    fn patience() -> Patience {
        Patience::new(Duration::from_millis(200), Duration::from_secs(5), 1)
    }

    #[test]
    fn a_read_is_repeated_a_few_times_and_then_fails_with_its_last_error() {
        let mut patience = patience();
        for _ in 1..ATTEMPTS_MAX {
            let verdict = patience.judge("x", answer(503, None));
            assert!(matches!(verdict, Verdict::Again { is_limited: false, .. }));
        }
        let Verdict::Failed(error) = patience.judge("x", Err(Failure::Broken("cut".to_owned())))
        else {
            panic!("spent")
        };
        assert!(error.to_string().contains("cut"), "{error}");
    }

    #[test]
    fn retry_after_is_honoured_with_jitter_on_top_and_has_a_limit() {
        let Verdict::Again { wait, is_limited } = patience().judge("x", answer(429, Some(7)))
        else {
            panic!("again")
        };
        assert!(is_limited && wait > Duration::from_secs(7) && wait < Duration::from_secs(8));
        let verdict = patience().judge("x", answer(429, Some(3_600)));
        assert!(matches!(verdict, Verdict::Failed(Error::Limited { .. })));
    }

    #[test]
    fn what_is_final_is_not_repeated() {
        for status in [400, 401, 403, 404, 422, 302] {
            let verdict = patience().judge("x", answer(status, None));
            assert!(matches!(verdict, Verdict::Failed(_)), "{status}");
        }
        assert!(matches!(patience().judge("x", answer(200, None)), Verdict::Done(_)));
        let verdict = patience().judge("x", Err(Failure::TooLarge(1)));
        assert!(matches!(verdict, Verdict::Failed(_)));
    }
}
