//! HTTP answers and transport failures to decisions.
//!
//! The venue answers errors with `{"error": …}`, with plain text, or with Cloudflare's HTML pages;
//! whatever it is, it is foreign text: shortened, and without control characters.

pub mod order;

use serde::Deserialize;

use crate::domain::Venue;
use crate::net::http::{Answer, Failure};
use crate::venue::Error;

/// The most characters of a venue's text that are kept.
pub const TEXT_MAX: usize = 200;

#[derive(Deserialize)]
struct Body {
    error: Option<String>,
    #[serde(rename = "errorMsg", alias = "error_msg")]
    error_msg: Option<String>,
    message: Option<String>,
}

/// What a foreign text says in one short line that is safe to show.
pub fn short(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.chars().count() > TEXT_MAX {
            let mut cut: String = line.chars().take(TEXT_MAX).collect();
            cut.push('…');
            return cut;
        }
    }
    line
}

/// What the body of an error answer says.
pub fn text_of(body: &str) -> String {
    if let Ok(parsed) = serde_json::from_str::<Body>(body) {
        let said = [parsed.error, parsed.error_msg, parsed.message];
        if let Some(text) = said.into_iter().flatten().find(|text| !text.trim().is_empty()) {
            return short(&text);
        }
    }
    let trimmed = body.trim_start();
    if trimmed.starts_with('<') {
        return match between(trimmed, "<title>", "</title>") {
            Some(title) => format!("a web page: {}", short(title)),
            None => "a web page".to_owned(),
        };
    }
    if trimmed.is_empty() { "no text".to_owned() } else { short(trimmed) }
}

/// The decision that an answer other than success stands for.
pub fn refusal(what: &str, answer: &Answer) -> Error {
    let venue = Venue::Polymarket;
    let (what, text) = (what.to_owned(), text_of(&answer.body));
    match answer.status {
        429 => Error::Limited { venue, what, after: answer.retry_after },
        401 => Error::Unauthorised { venue, what, text },
        // 425: the matching engine restarts.
        408 | 425 | 500..=599 => {
            Error::Unavailable { venue, what, text: format!("status {}: {text}", answer.status) }
        }
        status => Error::Refused { venue, what, status, text },
    }
}

/// The decision that a failed request stands for.
pub fn failure(what: &str, failure: &Failure) -> Error {
    Error::Unavailable {
        venue: Venue::Polymarket,
        what: what.to_owned(),
        text: short(&failure.to_string()),
    }
}

/// A field that is missing or makes no sense.
pub fn malformed(what: impl Into<String>, field: &str, text: impl AsRef<str>) -> Error {
    Error::Malformed {
        venue: Venue::Polymarket,
        what: what.into(),
        field: field.to_owned(),
        text: short(text.as_ref()),
    }
}

/// What JSON that could not be read was missing; serde names a missing field in backticks.
pub fn unreadable(what: impl Into<String>, error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let field = between(&text, "field `", "`").unwrap_or("json").to_owned();
    malformed(what, &field, &text)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let start = text.find(before)? + before.len();
    let rest = text.get(start..)?;
    rest.get(..rest.find(after)?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.to_owned(), retry_after: None, date: None, headers: Vec::new() }
    }

    #[test]
    fn each_status_becomes_its_decision() {
        let passing = |status| refusal("get_book", &answer(status, "")).is_passing();
        for status in [408, 425, 429, 500, 502, 503, 504, 520] {
            assert!(passing(status), "{status}");
        }
        for status in [301, 400, 401, 403, 404, 422] {
            assert!(!passing(status), "{status}");
        }
        assert!(matches!(refusal("x", &answer(401, "")), Error::Unauthorised { .. }));
        let limited = Answer { retry_after: Some(Duration::from_secs(7)), ..answer(429, "") };
        let Error::Limited { after, .. } = refusal("x", &limited) else { panic!("limited") };
        assert_eq!(after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn the_text_of_json_plain_and_html_bodies_is_found() {
        let no_book = r#"{"error":"No orderbook exists for the requested token id"}"#;
        assert_eq!(text_of(no_book), "No orderbook exists for the requested token id");
        assert_eq!(text_of(r#"{"errorMsg":"bad"}"#), "bad");
        assert_eq!(text_of("too many\n requests"), "too many requests");
        assert_eq!(
            text_of("<!doctype html><html><title>Attention Required! | Cloudflare</title>"),
            "a web page: Attention Required! | Cloudflare"
        );
        assert_eq!(text_of("<html><title>cut"), "a web page");
        assert_eq!(text_of(""), "no text");
        assert_eq!(text_of("{}"), "{}");
    }

    #[test]
    fn foreign_text_is_short_and_without_control_characters() {
        let text = short(&format!("a\u{1b}[31mred\u{7}\n{}", "x".repeat(10_000)));
        assert!(text.chars().count() <= TEXT_MAX + 1);
        assert!(!text.chars().any(char::is_control));
    }

    #[test]
    fn a_missing_field_is_named() {
        #[derive(Debug, Deserialize)]
        struct Needs {
            #[serde(rename = "price")]
            _price: String,
        }
        let error = serde_json::from_str::<Needs>("{}").unwrap_err();
        let Error::Malformed { what, field, .. } = unreadable("book of 0xab", &error) else {
            panic!("malformed")
        };
        assert_eq!((what.as_str(), field.as_str()), ("book of 0xab", "price"));
    }
}
