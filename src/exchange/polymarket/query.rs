//! The query of a request: decoded pairs, in order, keys may repeat.

/// More pairs than any client of the venue sends; the rest is not read.
const PAIRS_MAX: usize = 1_000;

/// A decoded query.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes what follows the question mark.
    pub(super) fn parse(text: &str) -> Self {
        let pair = |part: &str| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(key), decode(value))
        };
        Self(text.split('&').filter(|part| !part.is_empty()).take(PAIRS_MAX).map(pair).collect())
    }

    /// The first value of a key.
    pub(super) fn first(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Every value of a key.
    pub(super) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> + Clone {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Whether one of the values of a key is `value`; true when the key is absent.
    pub(super) fn admits(&self, key: &str, value: &str) -> bool {
        self.first(key).is_none() || self.all(key).any(|wanted| wanted == value)
    }

    /// A number; the error names the key.
    pub(super) fn count(&self, key: &'static str, default: usize) -> Result<usize, &'static str> {
        self.first(key).map_or(Ok(default), |text| text.parse().map_err(|_| key))
    }

    /// A truth value; the error names the key.
    pub(super) fn flag(&self, key: &'static str) -> Result<Option<bool>, &'static str> {
        match self.first(key) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(key),
        }
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |at: Option<u8>| at.and_then(|b| char::from(b).to_digit(16));
        let mut ahead = rest.clone();
        match (byte, byte == b'%', digit(ahead.next()), digit(ahead.next())) {
            (_, true, Some(high), Some(low)) => {
                bytes.push(u8::try_from(16 * high + low).unwrap_or(b'?'));
                rest = ahead;
            }
            (b'+', ..) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_repeat_and_commas_stay_commas() {
        let query = Query::parse("id=1&id=2&slug=a%20b%2Cc+d&bad=%zz&closed=false");
        assert_eq!(query.all("id").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(query.first("slug"), Some("a b,c d"));
        assert_eq!(query.first("bad"), Some("%zz"));
        assert_eq!(query.flag("closed"), Ok(Some(false)));
        assert_eq!(query.flag("id"), Err("id"));
        assert!(query.admits("id", "2") && query.admits("none", "x") && !query.admits("id", "3"));
    }

    proptest! {
        #[test]
        fn no_query_panics(text in ".{0,80}") {
            let _ = Query::parse(&text);
        }
    }
}
