//! Codes and bodies to decisions; `order` has those about an order.

pub mod order;

use std::time::Duration;

use serde::Deserialize;

use crate::domain::Venue;
use crate::venue::{Closed, Error};

use super::parse::tame;

/// What an error on the WebSocket asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The connection is not authenticated: a new one, with a new signature.
    Reconnect,
    /// The subscription is over: a new one, and every book of it anew.
    Resubscribe,
    /// A command failed; nothing that was live ended.
    Nothing,
}

/// The remedy for an error code of the WebSocket (docs, `asyncapi.yaml`, autumn 2026).
pub const fn remedy(code: i64) -> Remedy {
    match code {
        9 => Remedy::Reconnect,
        10 | 25 => Remedy::Resubscribe,
        _ => Remedy::Nothing,
    }
}

/// Why a connection ended, in words that say what to do about it.
pub(super) fn why_closed(why: &Closed) -> String {
    match why {
        Closed::Refused { status: 401, text } => format!(
            "kalshi refused the key or its signature (status 401: {}): check the key id, the key \
             file, and that this machine's clock is right within 5 s",
            told(text)
        ),
        Closed::Refused { status: 403, text } => {
            format!("kalshi does not let this key in (status 403: {})", told(text))
        }
        Closed::Refused { status: 429, text } => {
            format!("kalshi limits the rate of connections (status 429: {})", told(text))
        }
        Closed::Refused { status, text } => {
            format!("kalshi refused the connection (status {status}: {})", told(text))
        }
        Closed::Unreachable(text) => format!("kalshi can not be reached: {}", tame(text)),
        Closed::Dropped(text) => format!("the connection to kalshi ended: {}", tame(text)),
        Closed::Asked => "the connection to kalshi was closed".to_owned(),
    }
}

/// What an error body says, whichever of its shapes it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The code, empty where there is none.
    pub code: String,
    /// Message and details, or the start of a body that is no JSON.
    pub text: String,
}

#[derive(Deserialize)]
struct Body {
    error: Option<Inner>,
    code: Option<String>,
    message: Option<String>,
    details: Option<String>,
    msg: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Inner {
    Text(String),
    Fields { code: Option<String>, message: Option<String>, details: Option<String> },
}

/// Reads an error body: `{"error":{…}}`, `{"code",…}`, `{"msg"}`, `{"error":"…"}`, or anything
/// else.
pub fn read_body(body: &str) -> Told {
    serde_json::from_str::<Body>(body).map_or_else(
        |_| {
            let page = body.trim_start();
            let text = if page.starts_with('<') { "a web page instead of an answer" } else { page };
            Told { code: String::new(), text: tame(text) }
        },
        told_by,
    )
}

/// Reads an error body of a shape that the exchange itself writes; `None` for any other text.
fn read_known_body(body: &str) -> Option<Told> {
    let told = told_by(serde_json::from_str::<Body>(body).ok()?);
    (!told.text.is_empty()).then_some(told)
}

fn told_by(fields: Body) -> Told {
    let (code, message, details) = match fields.error {
        Some(Inner::Text(text)) => (None, Some(text), None),
        Some(Inner::Fields { code, message, details }) => (code, message, details),
        None => (fields.code, fields.message.or(fields.msg), fields.details),
    };
    let code = code.unwrap_or_default();
    let mut words: Vec<String> = Vec::new();
    for part in [Some(code.clone()), message, details].into_iter().flatten() {
        if !part.is_empty() && !words.contains(&part) {
            words.push(part);
        }
    }
    Told { code: tame(&code), text: tame(&words.join(": ")) }
}

fn told(body: &str) -> String {
    let text = read_body(body).text;
    if text.is_empty() { "no reason given".to_owned() } else { text }
}

/// What an answer with this status and body means for `what`, an endpoint; `None` for success.
///
/// `id` is the market, event or series that was asked for, where there is one.
pub fn of_answer(
    status: u16,
    body: &str,
    what: &str,
    id: &str,
    after: Option<Duration>,
) -> Option<Error> {
    let venue = Venue::Kalshi;
    let what = || what.to_owned();
    let text = || told(body);
    Some(match status {
        200..=299 => return None,
        401 => Error::Unauthorised { venue, what: what(), text: text() },
        404 if !id.is_empty() => Error::NoSuchMarket { venue, id: tame(id) },
        429 => Error::Limited { venue, what: what(), after },
        408 | 425 | 500..=599 => {
            Error::Unavailable { venue, what: what(), text: format!("status {status}: {}", text()) }
        }
        _ => Error::Refused { venue, what: what(), status, text: text() },
    })
}

#[cfg(test)]
mod tests;
