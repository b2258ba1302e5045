//! What we say to Polymarket: subscription frames, request bodies, query strings.

pub mod order;

use std::fmt::Write as _;

use serde::Serialize;

use super::{facts, wire};

/// The keep-alive, a text frame and not a protocol-level ping.
pub const PING: &str = "PING";

/// What a subscription frame asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// The first frame on a connection.
    Hello,
    /// These tokens too.
    Subscribe,
    /// These tokens no longer.
    Unsubscribe,
}

/// Writes the frames that ask for `tokens`, at most [`facts::IDS_PER_FRAME`] in each. After a first
/// frame that is a [`Operation::Hello`] the rest are subscriptions.
pub fn subscription(operation: Operation, tokens: &[&str], frames: &mut Vec<String>) {
    let mut operation = operation;
    for chunk in tokens.chunks(facts::IDS_PER_FRAME) {
        frames.push(match operation {
            Operation::Hello => json(&wire::Hello {
                kind: "market",
                assets_ids: chunk,
                custom_feature_enabled: true,
                initial_dump: true,
                level: 2,
            }),
            Operation::Subscribe => json(&wire::Operation {
                operation: "subscribe",
                assets_ids: chunk,
                custom_feature_enabled: Some(true),
            }),
            Operation::Unsubscribe => json(&wire::Operation {
                operation: "unsubscribe",
                assets_ids: chunk,
                custom_feature_enabled: None,
            }),
        });
        if operation == Operation::Hello {
            operation = Operation::Subscribe;
        }
    }
}

/// The body of `POST /books`.
pub fn book_requests(tokens: &[&str]) -> String {
    json(&tokens.iter().map(|token_id| wire::BookRequest { token_id }).collect::<Vec<_>>())
}

/// A URL with a query whose values are percent-encoded; keys may repeat.
pub fn url(base: &str, path: &str, query: &[(&str, &str)]) -> String {
    let mut url = format!("{}{path}", base.trim_end_matches('/'));
    for (at, (key, value)) in query.iter().enumerate() {
        url.push(if at == 0 { '?' } else { '&' });
        url.push_str(key);
        url.push('=');
        escape(value, &mut url);
    }
    url
}

/// Percent-encodes everything that has a meaning in a URL.
pub fn escape(text: &str, url: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            url.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
}

fn json<T: Serialize>(value: &T) -> String {
    // Strings, booleans and small integers always serialise.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_and_fifty_tokens_go_out_in_frames_of_a_hundred() {
        let tokens: Vec<String> = (0..250).map(|at| format!("71{at:03}")).collect();
        let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let mut frames = Vec::new();
        subscription(Operation::Hello, &tokens, &mut frames);
        let read: Vec<serde_json::Value> =
            frames.iter().map(|frame| serde_json::from_str(frame).unwrap()).collect();
        let counts: Vec<_> =
            read.iter().map(|frame| frame["assets_ids"].as_array().unwrap().len()).collect();
        assert_eq!(counts, [100, 100, 50]);
        assert_eq!(read[0]["type"], "market");
        assert_eq!(read[1]["operation"], "subscribe");
        let sent: Vec<_> =
            read.iter().flat_map(|frame| frame["assets_ids"].as_array().unwrap().clone()).collect();
        assert_eq!(sent, tokens);
    }

    #[test]
    fn frames_have_the_shape_of_the_official_clients() {
        let mut frames = Vec::new();
        subscription(Operation::Hello, &["713", "521"], &mut frames);
        subscription(Operation::Subscribe, &["713"], &mut frames);
        subscription(Operation::Unsubscribe, &["713"], &mut frames);
        assert_eq!(
            frames,
            [
                "{\"type\":\"market\",\"assets_ids\":[\"713\",\"521\"],\"custom_feature_enabled\":\
                 true,\"initial_dump\":true,\"level\":2}",
                "{\"operation\":\"subscribe\",\"assets_ids\":[\"713\"],\"custom_feature_enabled\":\
                 true}",
                "{\"operation\":\"unsubscribe\",\"assets_ids\":[\"713\"]}",
            ]
        );
        assert_eq!(book_requests(&["1", "2"]), r#"[{"token_id":"1"},{"token_id":"2"}]"#);
    }

    #[test]
    fn query_values_are_escaped_and_keys_repeat() {
        let found = url("http://h/", "/markets", &[("slug", "a b&c"), ("id", "1"), ("id", "2")]);
        assert_eq!(found, "http://h/markets?slug=a%20b%26c&id=1&id=2");
    }
}
