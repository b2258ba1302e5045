//! Pauses that are known in advance.
//!
//! Kalshi's weekly maintenance is "Thursday 03:00–05:00 ET": trading is paused, cancels are taken
//! (docs.kalshi.com, maintenance and pauses). Eastern time follows the rule of the United States:
//! daylight time, four hours behind UTC, from the second Sunday of March to the first Sunday of
//! November; else five hours behind. Both changes come on Sundays at 02:00, so that the offset on a
//! Thursday depends on its date alone.

use std::time::Duration;

use crate::domain::time::Date;
use crate::domain::{Timestamp, Venue};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const WEEK_DAYS: i64 = 7;
/// 1970-01-01 was a Thursday.
const THURSDAY: i64 = 0;
/// When the pause begins and ends, in hours of Eastern time.
const PAUSE: [i64; 2] = [3, 5];

/// A span in which a venue takes no orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
}

/// The pauses of Kalshi; none of Polymarket's is known ahead.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    /// Whether the exchange pauses every Thursday.
    pub is_weekly: bool,
    /// What was announced beyond that.
    pub announced: Vec<Pause>,
}

impl Calendar {
    /// Whether a venue is paused at `now` or is announced to be within `ahead`.
    pub fn is_near_pause(&self, venue: Venue, now: Timestamp, ahead: Duration) -> bool {
        let is_near = |pause: &Pause| now >= pause.from.before(ahead) && now < pause.until;
        self.is_weekly_pause(venue, now, ahead)
            || venue == Venue::Kalshi && self.announced.iter().any(is_near)
    }

    /// Whether a venue is in its weekly pause at `now`, or will be within `ahead`.
    pub fn is_weekly_pause(&self, venue: Venue, now: Timestamp, ahead: Duration) -> bool {
        self.is_weekly
            && venue == Venue::Kalshi
            && next_thursday(now).is_some_and(|pause| now >= pause.from.before(ahead))
    }
}

fn next_thursday(now: Timestamp) -> Option<Pause> {
    let today = now.secs().div_euclid(DAY);
    let to_thursday = (THURSDAY - today).rem_euclid(WEEK_DAYS);
    // The pause lies within one day of UTC: from 07:00 or 08:00 to 09:00 or 10:00.
    [to_thursday, to_thursday + WEEK_DAYS].into_iter().find_map(|days| {
        let start = (today + days) * DAY;
        let offset = eastern_offset(date_of(today + days)?)?;
        let at = |hour: i64| Timestamp::from_secs(start + hour * HOUR - offset);
        let pause = Pause { from: at(PAUSE[0]), until: at(PAUSE[1]) };
        (now < pause.until).then_some(pause)
    })
}

/// What Eastern time is ahead of UTC on a day that is not a Sunday of change, in seconds.
fn eastern_offset(date: Date) -> Option<i64> {
    let begins = sunday_from(Date::new(date.year(), 3, 8).ok()?)?;
    let ends = sunday_from(Date::new(date.year(), 11, 1).ok()?)?;
    Some(if date >= begins && date < ends { -4 * HOUR } else { -5 * HOUR })
}

/// The first Sunday from a date on.
fn sunday_from(date: Date) -> Option<Date> {
    let days = (WEEK_DAYS - i64::from(date.weekday().to_sunday_zero_offset())) % WEEK_DAYS;
    let day = date.day().checked_add(i8::try_from(days).ok()?)?;
    Date::new(date.year(), date.month(), day).ok()
}

fn date_of(days: i64) -> Option<Date> {
    let span = Duration::from_secs(u64::try_from(days.checked_mul(DAY)?).ok()?);
    Date::new(1970, 1, 1).ok()?.checked_add(span).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn the_pause_follows_eastern_time_through_both_changes() {
        for (now, from, until) in [
            // Standard time: five hours behind.
            ("2026-11-22T10:00:00Z", "2026-11-26T08:00:00Z", "2026-11-26T10:00:00Z"),
            // The Thursday before and after daylight time begins, 2026-03-08.
            ("2026-03-04T00:00:00Z", "2026-03-05T08:00:00Z", "2026-03-05T10:00:00Z"),
            ("2026-03-08T06:59:59Z", "2026-03-12T07:00:00Z", "2026-03-12T09:00:00Z"),
            // The Thursday before and after it ends, 2026-11-01.
            ("2026-10-28T00:00:00Z", "2026-10-29T07:00:00Z", "2026-10-29T09:00:00Z"),
            ("2026-11-01T07:00:00Z", "2026-11-05T08:00:00Z", "2026-11-05T10:00:00Z"),
            // During the pause it is this one, at its end the next one.
            ("2026-11-26T09:59:59Z", "2026-11-26T08:00:00Z", "2026-11-26T10:00:00Z"),
            ("2026-11-26T10:00:00Z", "2026-12-03T08:00:00Z", "2026-12-03T10:00:00Z"),
            // 2027-03-14 and 2027-11-07: the latest dates that the rule allows are not far.
            ("2027-03-11T12:00:00Z", "2027-03-18T07:00:00Z", "2027-03-18T09:00:00Z"),
            ("2027-11-04T00:00:00Z", "2027-11-04T07:00:00Z", "2027-11-04T09:00:00Z"),
            ("2027-11-08T00:00:00Z", "2027-11-11T08:00:00Z", "2027-11-11T10:00:00Z"),
        ] {
            let pause = next_thursday(at(now)).unwrap();
            assert_eq!((pause.from, pause.until), (at(from), at(until)), "at {now}");
        }
    }

    #[test]
    fn a_pause_is_near_before_and_while_it_lasts() {
        let ahead = Duration::from_secs(600);
        let weekly = Calendar { is_weekly: true, announced: Vec::new() };
        for (now, near) in [
            ("2026-11-26T07:49:59Z", false),
            ("2026-11-26T07:50:00Z", true),
            ("2026-11-26T09:59:59Z", true),
            ("2026-11-26T10:00:00Z", false),
        ] {
            assert_eq!(weekly.is_near_pause(Venue::Kalshi, at(now), ahead), near, "at {now}");
            assert!(!weekly.is_near_pause(Venue::Polymarket, at(now), ahead));
            let never = Calendar::default();
            assert!(!never.is_near_pause(Venue::Kalshi, at(now), ahead), "no such exchange");
        }
    }

    #[test]
    fn what_is_announced_counts_beside_the_weekly_pause() {
        let [from, until] = ["2026-11-28T12:00:00Z", "2026-11-28T13:00:00Z"].map(at);
        let calendar = Calendar { is_weekly: true, announced: vec![Pause { from, until }] };
        let ahead = Duration::from_secs(600);
        for (now, near) in [
            ("2026-11-28T11:49:59Z", false),
            ("2026-11-28T11:50:00Z", true),
            ("2026-11-28T12:59:59Z", true),
            ("2026-11-28T13:00:00Z", false),
        ] {
            assert_eq!(calendar.is_near_pause(Venue::Kalshi, at(now), ahead), near, "at {now}");
            assert!(!calendar.is_near_pause(Venue::Polymarket, at(now), ahead));
            assert!(!calendar.is_weekly_pause(Venue::Kalshi, at(now), ahead));
        }
    }
}
