//! What an answer to an order means: the one table that says what is definite.
//!
//! A refusal closes an order for good, so only what the venue's own words make certain is one.
//! Everything else leaves the order unclear, and it is asked about: 5xx, broken answers, web pages
//! of the network in front, texts that nobody has seen yet, and `Duplicated`, which says that the
//! order is there already. None of the texts is documented as a list; each row was seen, or stands
//! in the error table of an official client (py-clob-client-v2 and polymarket-client, 2026-10).

use std::time::Duration;

use serde_json::Value;

use crate::domain::report::{Refusal, Refused};

use super::{short, text_of};
use crate::venue::polymarket::facts::POST_ONLY_LASTS;

/// What became of an order by the venue's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is not there and never will be.
    Refused(Refusal),
    /// Nobody knows; the text says what was answered.
    Unclear(String),
}

/// What a known text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Is(Refused),
    /// The order exists already.
    Exists,
}

/// The first wait while the engine restarts (docs, matching engine, 2026-10).
const RESTART_WAIT: Duration = Duration::from_secs(1);

/// Texts by a part of them, in lower case.
const TEXTS: &[(&str, Meaning)] = &[
    ("duplicated", Meaning::Exists),
    ("order_version_mismatch", Meaning::Is(Refused::Outdated)),
    ("invalid signature", Meaning::Is(Refused::Malformed)),
    ("invalid nonce", Meaning::Is(Refused::Malformed)),
    ("invalid expiration", Meaning::Is(Refused::Malformed)),
    ("too many orders in payload", Meaning::Is(Refused::Malformed)),
    ("not enough balance", Meaning::Is(Refused::Funds)),
    ("allowance is not enough", Meaning::Is(Refused::Funds)),
    ("order crosses book", Meaning::Is(Refused::Other)),
    ("fok orders are fully filled or killed", Meaning::Is(Refused::NoMatch)),
    ("no orders found to match with fak order", Meaning::Is(Refused::NoMatch)),
    ("invalid amounts", Meaning::Is(Refused::Size)),
    ("invalid amount for a marketable", Meaning::Is(Refused::Size)),
    ("lower than the minimum", Meaning::Is(Refused::Size)),
    ("breaks minimum tick size rule", Meaning::Is(Refused::Price)),
    ("not yet ready to process new orders", Meaning::Is(Refused::Paused)),
    ("post-only mode", Meaning::Is(Refused::PostOnly(POST_ONLY_LASTS))),
    ("maker address not allowed", Meaning::Is(Refused::Restricted)),
    ("closed only mode", Meaning::Is(Refused::Restricted)),
    ("address banned", Meaning::Is(Refused::Restricted)),
    ("geoblock", Meaning::Is(Refused::Restricted)),
    ("restricted in your region", Meaning::Is(Refused::Restricted)),
    ("has to be the owner of the api key", Meaning::Is(Refused::Credentials)),
    ("has to be the address of the api key", Meaning::Is(Refused::Credentials)),
    ("invalid api key", Meaning::Is(Refused::Credentials)),
];

fn meaning(text: &str) -> Option<Meaning> {
    let text = text.to_lowercase();
    TEXTS.iter().find(|(part, _)| text.contains(part)).map(|(_, meaning)| *meaning)
}

/// Whether a text says that an order was killed because nothing was there to take.
pub fn says_no_match(text: &str) -> bool {
    meaning(text) == Some(Meaning::Is(Refused::NoMatch))
}

/// An answer to an order that is not an acceptance.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`, where given.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: &'a str,
}

/// Judges an answer. Every status and every text has an outcome.
pub fn judge(answered: &Answered<'_>) -> Verdict {
    let body = serde_json::from_str::<Value>(answered.body).ok().filter(Value::is_object);
    let text = text_of(answered.body);
    let code = body.as_ref().and_then(|body| body["code"].as_str()).unwrap_or_default();
    let refused = |kind| {
        let (code, text) = (short(code), text.clone());
        Verdict::Refused(Refusal { kind, code, text })
    };
    let unclear = || Verdict::Unclear(format!("status {}: {text}", answered.status));
    match answered.status {
        401 => refused(Refused::Credentials),
        425 => refused(Refused::Again(answered.retry_after.unwrap_or(RESTART_WAIT))),
        // The signer's limit refuses an order whole and says when there is room again. What the
        // network in front says without that is no word about the order. Neither is an invitation
        // to send the same order again: only 425 is.
        429 if answered.retry_after.is_some() => refused(Refused::Paused),
        429 => unclear(),
        503 => match body.as_ref().and_then(|body| of_unavailable(body, &text, answered)) {
            Some(kind) => refused(kind),
            None => unclear(),
        },
        200..=299 | 400..=499 => match (body.as_ref(), meaning(&text)) {
            (None, _) | (Some(_), Some(Meaning::Exists)) => unclear(),
            (Some(_), Some(Meaning::Is(kind))) => refused(kind),
            // A taking order that was killed comes back with its id, but so may one that was
            // refused while it matched: only a text that is known decides.
            (Some(_), None) => unclear(),
        },
        _ => unclear(),
    }
}

/// The two kinds of 503 that say what they are; orders were not taken in.
fn of_unavailable(body: &Value, text: &str, answered: &Answered<'_>) -> Option<Refused> {
    let text = text.to_lowercase();
    if body["code"] == "post_only_mode" || text.contains("post-only mode") {
        let told = body["retry_after_seconds"].as_u64().map(Duration::from_secs);
        let after = told.or(answered.retry_after).unwrap_or(POST_ONLY_LASTS);
        return Some(Refused::PostOnly(after));
    }
    let is_off = text.contains("trading") && text.contains("disabled");
    let is_cancel_only = text.contains("cancel-only") || text.contains("cancel_only");
    (is_off || is_cancel_only).then_some(Refused::Paused)
}

#[cfg(test)]
mod tests;
