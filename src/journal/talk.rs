//! What was asked of a venue to place and cancel orders, and what it answered, for people to read:
//! nothing is decided by it. It is written after the request has left, never before.
//!
//! Invariant: no header, signature, key or passphrase comes in here.

use serde_json::Value;

use crate::domain::report::Listing;
use crate::domain::{IntentId, Timestamp, Venue};

/// A request that left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its number in this process, from 1.
    pub number: u64,
    /// When it was handed over to be carried.
    pub at: Timestamp,
    /// To whom.
    pub venue: Venue,
    /// The order that it is about; none for contracts that are to become dollars.
    pub intent: Option<IntentId>,
    /// `place`, `cancel`, or another word of the gateway's.
    pub kind: &'static str,
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Scheme, host, path and query.
    pub url: String,
    /// What it carried.
    pub body: Option<String>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The request's number in this process.
    pub request: u64,
    /// When.
    pub at: Timestamp,
    /// The HTTP status; none where there was no answer.
    pub status: Option<u16>,
    /// The body, or why there is none.
    pub body: String,
}

/// How far a listing of the past has been read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// At which venue.
    pub venue: Venue,
    /// Which listing.
    pub listing: Listing,
    /// What happened before this has been told.
    pub until: Timestamp,
}

/// The most bytes of a body that are kept.
const BODY_MAX: usize = 4_096;

/// Fields of bodies that belong to nobody but the account: Polymarket's orders carry their
/// signature and the API key.
const OWN: [&str; 6] = ["signature", "owner", "apiKey", "secret", "passphrase", "key"];

/// A body as it is kept: without what is the account's own, and not longer than is sensible.
pub(super) fn kept(body: &str) -> String {
    let names_own = OWN.iter().any(|name| body.contains(&format!("\"{name}\"")));
    let mut text = match serde_json::from_str::<Value>(body) {
        _ if !names_own => body.to_owned(),
        Ok(mut value) => {
            withhold(&mut value);
            value.to_string()
        }
        Err(_) => format!("withheld: {} bytes that are not whole", body.len()),
    };
    if text.len() > BODY_MAX {
        let end = (0..=BODY_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

fn withhold(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                if OWN.contains(&name.as_str()) {
                    *inner = Value::from("withheld");
                } else {
                    withhold(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(withhold),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_accounts_own_is_not_kept() {
        let body = r#"{"order":{"salt":7,"signature":"0xabc"},"owner":"key-1","orderType":"FAK"}"#;
        let text = kept(body);
        assert!(text.contains(r#""salt":7"#) && text.contains("FAK"), "{text}");
        assert!(!text.contains("0xabc") && !text.contains("key-1"), "{text}");
        assert!(!kept(&body[..60]).contains("0xab"), "also where it was cut");
    }

    #[test]
    fn long_bodies_are_cut_between_characters() {
        let long = kept(&"é".repeat(5_000));
        assert!(long.len() <= BODY_MAX + 3 && long.ends_with('…'));
        assert_eq!(kept("<html>"), "<html>");
    }
}
