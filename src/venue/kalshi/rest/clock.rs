//! The venue's clock against ours.

use crate::domain::Timestamp;

/// By how many milliseconds the clock behind a `Date` header is ahead of ours.
///
/// The header has whole seconds: its middle is compared with the middle of the request, so that the
/// result is within half a second and half the round trip.
pub(super) fn offset_ms(date: &str, asked: Timestamp, answered: Timestamp) -> Option<i64> {
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_millisecond();
    let ours = asked.millis().midpoint(answered.millis());
    theirs.checked_add(500)?.checked_sub(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_from_middle_to_middle() {
        let second = Timestamp::parse("2026-11-22T10:00:00Z").unwrap().millis();
        let at = |millis: i64| Timestamp::from_millis(second + millis);
        let date = "Sun, 22 Nov 2026 10:00:00 GMT";
        assert_eq!(offset_ms(date, at(400), at(600)), Some(0));
        assert_eq!(offset_ms(date, at(-9_600), at(-9_400)), Some(10_000));
        assert_eq!(offset_ms(date, at(30_400), at(30_600)), Some(-30_000));
        assert_eq!(offset_ms("yesterday", at(0), at(0)), None);
    }
}
