//! What an answer to an order means for the order.
//!
//! Only definite evidence refuses an order. Definite is a 4xx in a shape that the exchange itself
//! writes, unless its code says otherwise. A 5xx, a page of somebody on the way, a broken body:
//! nobody knows, and the venue is asked.

use std::time::Duration;

use crate::domain::report::{Refusal, Refused};

use super::{Told, read_body, read_known_body};

/// What became of an order whose request was not answered with success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The venue does not have it and never will.
    Refused(Refusal),
    /// The venue has an order under this client id: the request had arrived before.
    Exists(String),
    /// Nobody knows.
    Unclear(String),
}

/// The shortest and the longest wait after a 429, which names none (docs, `rate_limits`).
pub const AGAIN_AFTER: (Duration, Duration) =
    (Duration::from_millis(50), Duration::from_millis(500));

/// The verdict on a request to make an order that was answered with this status; `seed` spreads
/// the waits of requests that were limited together.
pub fn verdict(status: u16, body: &str, seed: u64) -> Verdict {
    let known = read_known_body(body);
    let unclear = || Verdict::Unclear(format!("status {status}: {}", read_body(body).text));
    match (status, known) {
        // Refused before anything is read, by whoever guards the gate.
        (429, _) => refused(Refused::Again(jitter(seed)), &read_body(body)),
        (408 | 425, _) => unclear(),
        (400..=499, Some(told)) => match by_code(&told) {
            Some(verdict) => verdict,
            None => refused(by_status(status, &told), &told),
        },
        _ => unclear(),
    }
}

/// The verdict on one order of a batch, which has an error but no status of its own. A code that is
/// not known is no evidence.
pub fn verdict_in_batch(error: &Told, seed: u64) -> Verdict {
    match by_code(error) {
        Some(verdict) => verdict,
        None if is(error, &["too_many_requests"]) => refused(Refused::Again(jitter(seed)), error),
        None => Verdict::Unclear(error.text.clone()),
    }
}

/// Codes that mean the same whatever the status. Their spelling differs from path to path, so they
/// are looked for in all that was said, and in any case.
fn by_code(told: &Told) -> Option<Verdict> {
    if is(told, &["exchange_unavailable", "service_unavailable", "internal_server_error"]) {
        return Some(Verdict::Unclear(told.text.clone()));
    }
    if is(told, &["order_already_exists"]) {
        return Some(Verdict::Exists(told.text.clone()));
    }
    let kind = if is(
        told,
        &[
            "fill_or_kill_insufficient_resting_volume",
            "immediate_or_cancel_insufficient_resting_volume",
        ],
    ) {
        Refused::NoMatch
    } else if is(told, &["insufficient_balance", "user_not_found"]) {
        // The shard has never been funded: to it the user does not exist.
        Refused::Funds
    } else if is(told, &["market_inactive", "trading_paused", "exchange_paused", "market_closed"]) {
        Refused::Paused
    } else if is(told, &["post_only_cross"]) {
        // Such an order would have taken. It is never sent with `post_only` by us.
        Refused::Paused
    } else if is(told, &["invalid_price"]) {
        Refused::Price
    } else if is(told, &["invalid_count", "invalid_size", "invalid_quantity"]) {
        Refused::Size
    } else if is(told, &["authentication_error", "header_timestamp_expired"])
        || is(told, &["signature_is_missing_from_headers", "token_authentication_failure"])
    {
        Refused::Credentials
    } else if is(told, &["bad_request", "deprecated_v1_order_endpoint"]) {
        Refused::Malformed
    } else if is(told, &["invalid_order", "market_not_found"]) {
        Refused::Other
    } else {
        return None;
    };
    Some(refused(kind, told))
}

fn by_status(status: u16, told: &Told) -> Refused {
    match status {
        401 => Refused::Credentials,
        403 => Refused::Restricted,
        410 => Refused::Malformed,
        400 if is(told, &["parameter_validation_failed"]) => Refused::Malformed,
        _ => Refused::Other,
    }
}

/// Whether one of these names stands in what was said, in any case and with spaces or dashes for
/// its underscores.
fn is(told: &Told, names: &[&str]) -> bool {
    let plain = |text: &str| text.to_ascii_lowercase().replace([' ', '-'], "_");
    let (code, text) = (plain(&told.code), plain(&told.text));
    names.iter().any(|name| code == *name || text.contains(name))
}

fn refused(kind: Refused, told: &Told) -> Verdict {
    Verdict::Refused(Refusal { kind, code: told.code.clone(), text: told.text.clone() })
}

/// A wait between the two bounds, drawn from the seed.
fn jitter(seed: u64) -> Duration {
    let (least, most) = AGAIN_AFTER;
    let spread = u64::try_from((most - least).as_millis()).unwrap_or(1).max(1);
    // One step of `SplitMix64`: neighbouring seeds have to end up far apart.
    let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    least + Duration::from_millis((mixed ^ (mixed >> 31)) % (spread + 1))
}

#[cfg(test)]
mod tests;
