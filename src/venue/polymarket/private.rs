//! The session on the user channel, without I/O: what the venue says about our account.
//!
//! Frames are not read here: they go to the gateway as they are. The channel has no memory; what
//! happened while it was down is lost to it. After every connection the feed is reported live once
//! the venue has answered a `PING` that was sent behind the greeting: from then on nothing is
//! missed, and whoever listens reads orders, trades and balances anew.
//!
//! Invariant: the greeting holds the API key's secrets. It leaves through [`Output::frames`] and is
//! never part of a notice. A connection that stays silent but answers `PING` can't be told from a
//! quiet account; planned reconnects bound how long such a freeze can last.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::book::Lane;
use crate::domain::{MarketIndex, Timestamp};
use crate::net::backoff::Backoff;
use crate::venue::{Closed, Error, Feed, Handshake, Notice, Output, Wanted};

use super::account::Account;
use super::encode;
use super::error::{malformed, short};
use super::facts;

/// How the session behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Base of the channels, such as [`facts::WS_URL`]; `/user` is added.
    pub url: String,
    /// How often the text `PING` is sent.
    pub ping_every: Duration,
    /// How long a `PONG` may take before the connection counts as dead.
    pub pong_max: Duration,
    /// After how long a working connection is made anew, drawn between half of it and all of it.
    /// Zero means never.
    pub reconnect_planned: Duration,
    /// The first wait after a failed connection.
    pub backoff_first: Duration,
    /// The longest wait after failed connections.
    pub backoff_longest: Duration,
    /// What is waited in addition when the venue answers the handshake with 429.
    pub limited_wait: Duration,
}

/// How long a connection has to live before the wait for the next one is a first one again.
const WORKING_MIN: Duration = Duration::from_secs(30);

#[derive(Debug)]
struct Session {
    opened: Timestamp,
    ping_due: Timestamp,
    pong_due: Option<Timestamp>,
    planned: Timestamp,
    /// Whether the venue has answered since the greeting.
    is_live: bool,
}

#[derive(Debug)]
enum Phase {
    Down { due: Timestamp },
    Connecting,
    Open(Session),
}

/// The connection of the user channel as a [`Feed`].
pub struct Private {
    settings: Settings,
    lane: Lane,
    hello: SecretString,
    phase: Phase,
    backoff: Backoff,
    spread: Backoff,
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Private")
            .field("lane", &self.lane)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

impl Private {
    /// A session for this account that is down and due at once; `seed` spreads its waits.
    pub fn new(settings: Settings, lane: Lane, seed: u64, account: &Account) -> Self {
        let (secret, passphrase) = account.credentials().expose();
        let api_key = account.credentials().api_key();
        let planned = settings.reconnect_planned;
        Self {
            hello: encode::order::user_hello(api_key, secret, passphrase).into(),
            backoff: Backoff::new(settings.backoff_first, settings.backoff_longest, seed),
            spread: Backoff::new(planned, planned, seed ^ 0x5EED),
            settings,
            lane,
            phase: Phase::Down { due: Timestamp::ZERO },
        }
    }

    fn down(&mut self, reason: &str, due: Timestamp, out: &mut Output) {
        let reason = short(reason);
        out.notices.push(Notice::Down { lane: self.lane, reason, retry_at: due });
        self.phase = Phase::Down { due };
    }

    /// After a connection that worked the next wait is a first one again.
    fn note_work(&mut self, now: Timestamp) {
        if let Phase::Open(session) = &self.phase
            && session.is_live
            && now.since(session.opened) >= WORKING_MIN
        {
            self.backoff.reset();
        }
    }
}

impl Feed for Private {
    fn handshake(&mut self, _now: Timestamp) -> Result<Handshake, Error> {
        let base = self.settings.url.trim_end_matches('/');
        if !base.starts_with("ws://") && !base.starts_with("wss://") {
            return Err(malformed("configuration", "url", base));
        }
        Ok(Handshake { url: format!("{base}{}", facts::USER_CHANNEL), headers: Vec::new() })
    }

    fn on_open(&mut self, now: Timestamp, out: &mut Output) {
        let planned = if self.settings.reconnect_planned.is_zero() {
            Timestamp::MAX
        } else {
            now.after(self.spread.wait())
        };
        self.phase = Phase::Open(Session {
            opened: now,
            ping_due: now.after(self.settings.ping_every),
            pong_due: Some(now.after(self.settings.pong_max)),
            planned,
            is_live: false,
        });
        out.frames.push(self.hello.expose_secret().to_owned());
        out.frames.push(encode::PING.to_owned());
    }

    fn on_text(&mut self, text: &str, _now: Timestamp, out: &mut Output) {
        let Phase::Open(session) = &mut self.phase else { return };
        let text = text.trim();
        let is_pong = text.eq_ignore_ascii_case("PONG");
        if is_pong {
            session.pong_due = None;
        }
        if !session.is_live {
            session.is_live = true;
            out.notices.push(Notice::Live { lane: self.lane });
        }
        if !is_pong && !text.is_empty() && text != "[]" {
            out.private.push(text.to_owned());
        }
    }

    /// A protocol-level ping says nothing; this venue does not send any.
    fn on_ping(&mut self, _now: Timestamp, _out: &mut Output) {}

    fn on_closed(&mut self, why: &Closed, now: Timestamp, out: &mut Output) {
        let limited = matches!(why, Closed::Refused { status: 429, .. });
        let reason = match why {
            Closed::Refused { status, text } => format!("refused with {status}: {text}"),
            Closed::Unreachable(text) => format!("unreachable: {text}"),
            Closed::Dropped(text) => format!("dropped: {text}"),
            Closed::Asked => "closed on our side".to_owned(),
        };
        let reason = match &self.phase {
            // What we closed ourselves has been reported and has its time already.
            Phase::Down { .. } => return,
            Phase::Open(session) if !session.is_live => {
                format!("{reason}; it came right behind the greeting: is the API key right?")
            }
            Phase::Open(_) | Phase::Connecting => reason,
        };
        self.note_work(now);
        let mut wait = self.backoff.wait();
        if limited {
            wait += self.settings.limited_wait;
        }
        self.down(&reason, now.after(wait), out);
    }

    fn on_timer(&mut self, now: Timestamp, out: &mut Output) {
        match &mut self.phase {
            Phase::Down { due } if *due <= now => {
                self.phase = Phase::Connecting;
                out.connect = true;
            }
            Phase::Down { .. } | Phase::Connecting => {}
            Phase::Open(session) if session.pong_due.is_some_and(|due| due <= now) => {
                let reason = format!("no PONG within {:?}", self.settings.pong_max);
                self.note_work(now);
                let wait = self.backoff.wait();
                self.down(&reason, now.after(wait), out);
                out.close = true;
            }
            Phase::Open(session) if session.planned <= now => {
                self.down("planned reconnect", now, out);
                out.close = true;
            }
            Phase::Open(session) => {
                if session.ping_due <= now {
                    out.frames.push(encode::PING.to_owned());
                    session.ping_due = now.after(self.settings.ping_every);
                    session.pong_due.get_or_insert(now.after(self.settings.pong_max));
                }
            }
        }
    }

    fn deadline(&self) -> Timestamp {
        match &self.phase {
            Phase::Down { due } => *due,
            Phase::Connecting => Timestamp::MAX,
            Phase::Open(session) => {
                let pong = session.pong_due.unwrap_or(Timestamp::MAX);
                session.ping_due.min(pong).min(session.planned)
            }
        }
    }

    /// The channel brings the whole account, whatever is watched.
    fn watch(&mut self, _wanted: &[Wanted], _now: Timestamp, _out: &mut Output) {}

    fn unwatch(&mut self, _market: MarketIndex, _now: Timestamp, _out: &mut Output) {}

    fn resync(&mut self, _market: MarketIndex, _now: Timestamp, _out: &mut Output) {}

    fn watched(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests;
