//! Queries of URLs.

use std::fmt;

use super::super::facts;

/// The part of a URL behind the question mark.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::venue::kalshi) struct Query(String);

impl Query {
    pub(in crate::venue::kalshi) const fn none() -> Self {
        Self(String::new())
    }

    /// Adds a name and a value.
    pub(in crate::venue::kalshi) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(name);
        self.0.push('=');
        self.0.push_str(&escape(value));
        self
    }

    pub(in crate::venue::kalshi) fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text as part of a URL: all but letters, digits and `-._~` is escaped.
pub(in crate::venue::kalshi) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The states that a listing can be limited to; they are not those of a market's `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFilter {
    /// Not yet open.
    Unopened,
    /// Orders are taken.
    Open,
    /// Orders are not taken at present.
    Paused,
    /// Trading is over.
    Closed,
    /// Paid.
    Settled,
}

impl StatusFilter {
    const fn name(self) -> &'static str {
        match self {
            Self::Unopened => "unopened",
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Closed => "closed",
            Self::Settled => "settled",
        }
    }
}

/// Which markets to list. Combinations of other markets are always left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MarketsFilter {
    /// Those of one event.
    pub event_ticker: Option<String>,
    /// Those of one series.
    pub series_ticker: Option<String>,
    /// Those in one state.
    pub status: Option<StatusFilter>,
    /// These.
    pub tickers: Vec<String>,
}

impl MarketsFilter {
    pub(super) fn query(&self, cursor: &str) -> Query {
        let tickers = self.tickers.join(",");
        let some = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned());
        Query::none()
            .with("limit", &facts::MARKETS_PAGE.to_string())
            .with("mve_filter", "exclude")
            .with_some("event_ticker", self.event_ticker.as_deref())
            .with_some("series_ticker", self.series_ticker.as_deref())
            .with_some("status", self.status.map(StatusFilter::name))
            .with_some("tickers", some(&tickers).as_deref())
            .with_some("cursor", some(cursor).as_deref())
    }
}
