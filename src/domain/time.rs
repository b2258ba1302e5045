//! Points in time as integers; nobody in the core reads a clock.

use std::fmt;
use std::time::Duration;

pub use jiff::civil::Date;

/// Nanoseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Before everything that happens.
    pub const ZERO: Self = Self(0);
    /// After everything that happens.
    pub const MAX: Self = Self(i64::MAX);

    /// Takes nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Takes milliseconds since the epoch, held at the ends of the range.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Takes seconds since the epoch, held at the ends of the range.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Whole seconds since the epoch.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// The time since `earlier`, zero when that is later.
    pub const fn since(self, earlier: Self) -> Duration {
        let nanos = self.0.saturating_sub(earlier.0);
        Duration::from_nanos(if nanos > 0 { nanos.unsigned_abs() } else { 0 })
    }

    /// This time and `span` more, held at [`Timestamp::MAX`].
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// This time less `span`.
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// Parses an RFC 3339 text such as `2026-12-09T19:00:00Z`.
    pub fn parse(text: &str) -> Option<Self> {
        let stamp: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(stamp.as_nanosecond()).ok().map(Self)
    }

    /// The start of `date` in UTC; `None` for dates beyond the year 2262.
    pub fn start_of(date: Date) -> Option<Self> {
        let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        i64::try_from(zoned.timestamp().as_nanosecond()).ok().map(Self)
    }
}

impl fmt::Display for Timestamp {
    /// Writes RFC 3339 in UTC with microseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(stamp) => write!(f, "{stamp:.6}"),
            Err(_) => write!(f, "{}ns", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_utc() {
        let stamp = Timestamp::parse("2026-11-22T10:00:00.123456Z").unwrap();
        assert_eq!(stamp.to_string(), "2026-11-22T10:00:00.123456Z");
        assert_eq!(stamp.millis(), 1_795_341_600_123);
        let date: Date = "2026-12-09".parse().unwrap();
        assert_eq!(Timestamp::start_of(date).unwrap().to_string(), "2026-12-09T00:00:00.000000Z");
    }

    #[test]
    fn spans_never_go_negative() {
        let (a, b) = (Timestamp::from_millis(1_000), Timestamp::from_millis(2_500));
        assert_eq!(b.since(a), Duration::from_millis(1_500));
        assert_eq!(a.since(b), Duration::ZERO);
        assert_eq!(a.after(Duration::from_millis(1_500)), b);
    }
}
