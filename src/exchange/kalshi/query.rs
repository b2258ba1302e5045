//! Query strings, page limits and cursors.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::exchange::Reply;

/// The decoded parameters of a query, in their order; names may repeat.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        };
        Self(text.split('&').filter(|part| !part.is_empty()).map(pair).collect())
    }

    /// The first value of a parameter; an empty value counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let named = |(key, value): &&(String, String)| key == name && !value.is_empty();
        self.0.iter().find(named).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that repeats.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// A number from `low` to `high`, or the default when absent.
    pub(super) fn number(
        &self,
        name: &'static str,
        (low, high): (usize, usize),
        default: usize,
    ) -> Result<usize, Reply> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|number| (low..=high).contains(number));
        number.ok_or_else(|| invalid(&format!("{name} must be between {low} and {high}")))
    }

    /// Whether a parameter is `true`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }
}

/// The 400 of a query that does not pass.
pub(super) fn invalid(why: &str) -> Reply {
    Reply::json(400, &json!({"msg": format!("Parameter validation failed: {why}")}))
}

/// Cuts a page out of a list: the items, and the cursor of the next page or an empty string.
///
/// A cursor that nobody gave out starts again at the first page, as the real one does.
pub(super) fn page<T>(items: Vec<T>, query: &Query, limit: usize) -> (Vec<T>, String) {
    let total = items.len();
    let start = query.get("cursor").and_then(offset).filter(|at| *at < total).unwrap_or(0);
    let end = start.saturating_add(limit).min(total);
    let next = if end < total { cursor(end) } else { String::new() };
    (items.into_iter().skip(start).take(limit).collect(), next)
}

fn cursor(offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("at:{offset}"))
}

fn offset(cursor: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    std::str::from_utf8(&bytes).ok()?.strip_prefix("at:")?.parse().ok()
}

/// Undoes percent encoding; what is no valid escape stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        let value = escape.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, value) {
            (b'%', Some(value)) => {
                decoded.push(value);
                at += 2;
            }
            (b'+', _) => decoded.push(b' '),
            _ => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_may_repeat() {
        let query = Query::parse("tickers=A%2CB&tickers=C&status=&x=%zz+%");
        assert_eq!(query.all("tickers").collect::<Vec<_>>(), ["A,B", "C"]);
        assert_eq!(query.get("status"), None);
        assert_eq!(query.get("x"), Some("%zz %"));
    }

    #[test]
    fn pages_follow_each_other_and_garbage_starts_again() {
        let items: Vec<u8> = (0..5).collect();
        let (first, cursor) = page(items.clone(), &Query::parse(""), 3);
        assert_eq!(first, [0, 1, 2]);
        let (second, end) = page(items.clone(), &Query::parse(&format!("cursor={cursor}")), 3);
        assert_eq!((second.as_slice(), end.as_str()), (&[3, 4][..], ""));
        let (again, _) = page(items, &Query::parse("cursor=rubbish"), 3);
        assert_eq!(again, first);
    }
}
