//! How many requests the venue answers: windows of ten seconds, as it publishes them.
//!
//! The venue counts by IP; on loopback everybody is one, so each group has one window.

use std::time::Duration;

use crate::domain::Timestamp;

use super::super::Reply;

/// Over which span requests are counted.
const SPAN: Duration = Duration::from_secs(10);
/// Connections that may be opened in one span; many at once draw a 429.
const OPENS_MAX: u32 = 200;

/// What a request counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// `/book`.
    Book,
    /// `/price`, `/midpoint`, `/spread`, `/last-trade-price`.
    Price,
    /// `/books`.
    Books,
    /// `/tick-size`.
    Tick,
    /// Everything else of the CLOB.
    Clob,
    /// Gamma's events.
    Events,
    /// Gamma's markets.
    Markets,
    /// The rest of Gamma.
    Gamma,
    /// The Data API.
    Data,
    /// Handshakes of the market channel.
    Open,
}

impl Group {
    const COUNT: usize = 10;

    /// Requests in one span.
    const fn max(self) -> u32 {
        match self {
            Self::Book | Self::Price => 1_500,
            Self::Books | Self::Events => 500,
            Self::Tick => 200,
            Self::Clob => 9_000,
            Self::Markets => 300,
            Self::Gamma => 4_000,
            Self::Data => 1_000,
            Self::Open => OPENS_MAX,
        }
    }
}

/// A count since a moment.
#[derive(Debug, Clone, Copy)]
struct Window {
    since: Timestamp,
    used: u32,
}

/// The windows of all groups.
#[derive(Debug)]
pub(super) struct Limits {
    windows: [Window; Group::COUNT],
}

impl Limits {
    /// Nothing used yet.
    pub(super) const fn new() -> Self {
        Self { windows: [Window { since: Timestamp::ZERO, used: 0 }; Group::COUNT] }
    }

    /// Counts a request, or refuses it and says when to come again.
    pub(super) fn admit(&mut self, group: Group, now: Timestamp) -> Result<(), Reply> {
        let window = &mut self.windows[group as usize];
        // A clock that steps back would otherwise keep a full window full.
        if now.since(window.since) >= SPAN || now < window.since {
            *window = Window { since: now, used: 0 };
        }
        if window.used >= group.max() {
            return Err(too_many(window.since.after(SPAN).since(now)));
        }
        window.used += 1;
        Ok(())
    }
}

/// The refusal of a client that asks too often.
pub(super) fn too_many(wait: Duration) -> Reply {
    let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let mut reply = Reply::json(429, &serde_json::json!({ "error": "Too Many Requests" }));
    reply.headers.push(("retry-after", secs.max(1).to_string()));
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_says_when_it_empties() {
        let mut limits = Limits::new();
        let start = Timestamp::from_secs(1_763_800_000);
        for _ in 0..200 {
            assert!(limits.admit(Group::Tick, start).is_ok());
        }
        let later = start.after(Duration::from_millis(2_500));
        let refusal = limits.admit(Group::Tick, later).unwrap_err();
        assert_eq!(refusal.status, 429);
        assert!(refusal.headers.contains(&("retry-after", "8".to_owned())));
        assert!(limits.admit(Group::Book, later).is_ok(), "other groups go on");
        assert!(limits.admit(Group::Tick, start.after(SPAN)).is_ok());
    }
}
