//! The private channels as a feed: what happens to our orders, fills and positions.
//!
//! They come over a connection of their own and bring no books. Their frames go on unread, for the
//! gateway. They have no sequence numbers, so a loss shows in nothing: whoever hears
//! [`Notice::Live`] reads the account anew, because what happened before it was not told.

use std::time::Duration;

use crate::book::Lane;
use crate::domain::{MarketIndex, Timestamp};
use crate::net::backoff::Backoff;
use crate::venue::{Closed, Error, Feed, Handshake, Notice, Output, Wanted};

use super::encode::{ACCOUNT, encode_subscribe_account};
use super::error::{Remedy, remedy, why_closed};
use super::facts;
use super::parse::{self, Frame, tame};
use super::sign::Signer;
use super::stream::path_of;
use super::wire::ws;

/// How the private connection is made and when it is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The WebSocket's address; the path of it is what is signed.
    pub url: String,
    /// Which connection of the process this is.
    pub lane: Lane,
    /// How long acknowledgements may take.
    pub ack_deadline: Duration,
    /// Silence beyond this ends the connection.
    pub silence_max: Duration,
    /// The first and the longest wait before a new connection.
    pub reconnect_wait: (Duration, Duration),
    /// Seed of the jitter of these waits.
    pub seed: u64,
}

impl Settings {
    /// What suits the venue.
    pub fn new(url: String, lane: Lane) -> Self {
        Self {
            url,
            lane,
            ack_deadline: facts::SNAPSHOT_DEADLINE,
            silence_max: facts::SILENCE_MAX,
            reconnect_wait: (Duration::from_millis(500), Duration::from_secs(30)),
            seed: u64::from(lane.0),
        }
    }
}

/// One open connection.
#[derive(Debug)]
struct Session {
    opened: Timestamp,
    heard: Timestamp,
    /// The command that subscribed.
    command: u64,
    /// Which of the channels are acknowledged.
    live: [bool; ACCOUNT.len()],
    /// When the acknowledgements are missed.
    by: Timestamp,
    /// How many frames made no sense.
    strange: u32,
}

impl Session {
    fn is_live(&self) -> bool {
        self.live.iter().all(|live| *live)
    }
}

#[derive(Debug)]
enum Link {
    Down { retry_at: Timestamp },
    Connecting,
    Open(Session),
    Closing { reason: String },
}

/// Kalshi's private channels over one connection.
#[derive(Debug)]
pub struct Private {
    settings: Settings,
    signer: Signer,
    link: Link,
    backoff: Backoff,
    last_command: u64,
}

impl Private {
    /// How long a connection has to live before the wait for the next one is a first one again.
    pub const WORKING_MIN: Duration = Duration::from_secs(30);
    /// Frames of one connection that may make no sense before it is given up.
    pub const STRANGE_MAX: u32 = 50;

    /// A feed of the account that this key belongs to.
    pub const fn new(settings: Settings, signer: Signer) -> Self {
        let (first, longest) = settings.reconnect_wait;
        Self {
            backoff: Backoff::new(first, longest, settings.seed),
            settings,
            signer,
            link: Link::Down { retry_at: Timestamp::ZERO },
            last_command: 0,
        }
    }

    /// Whether all channels are acknowledged on a connection that is open.
    pub fn is_live(&self) -> bool {
        matches!(&self.link, Link::Open(session) if session.is_live())
    }

    fn give_up(&mut self, reason: String, out: &mut Output) {
        out.close = true;
        self.link = Link::Closing { reason };
    }

    fn note_work(&mut self, now: Timestamp) {
        if let Link::Open(session) = &self.link
            && session.is_live()
            && now.since(session.opened) >= Self::WORKING_MIN
        {
            self.backoff.reset();
        }
    }

    fn take_control(&mut self, text: &str, out: &mut Output) {
        let lane = self.settings.lane;
        let Link::Open(session) = &mut self.link else { return };
        match parse::frame(text) {
            Ok(Frame::Subscribed { id, channel, .. }) if id == Some(session.command) => {
                let was_live = session.is_live();
                for (name, live) in ACCOUNT.iter().zip(&mut session.live) {
                    *live |= *name == channel;
                }
                if session.is_live() && !was_live {
                    session.by = Timestamp::MAX;
                    out.notices.push(Notice::Live { lane });
                }
            }
            Ok(Frame::Failed { code, text, .. }) => {
                let text = tame(&text);
                out.notices.push(Notice::VenueError { lane, code, text: text.clone() });
                // A subscription that ended, and one that never began, leave us deaf.
                if remedy(code) != Remedy::Nothing || !session.is_live() {
                    self.give_up(format!("kalshi refused the private channels: {text}"), out);
                }
            }
            Ok(Frame::Unsubscribed { .. }) => {
                self.give_up("kalshi ended a private channel".to_owned(), out);
            }
            Ok(_) => {}
            Err(broken) => self.strange(broken.error.to_string(), out),
        }
    }

    fn strange(&mut self, what: String, out: &mut Output) {
        let lane = self.settings.lane;
        let Link::Open(session) = &mut self.link else { return };
        session.strange += 1;
        let too_many = session.strange > Self::STRANGE_MAX;
        out.notices.push(Notice::Strange { lane, what });
        if too_many {
            self.give_up("too many private frames made no sense".to_owned(), out);
        }
    }
}

impl Feed for Private {
    fn handshake(&mut self, now: Timestamp) -> Result<Handshake, Error> {
        let headers = self.signer.headers("GET", path_of(&self.settings.url), now)?.into();
        Ok(Handshake { url: self.settings.url.clone(), headers })
    }

    fn on_open(&mut self, now: Timestamp, out: &mut Output) {
        if !matches!(self.link, Link::Connecting) {
            return;
        }
        self.last_command += 1;
        let command = self.last_command;
        out.frames.push(encode_subscribe_account(command));
        self.link = Link::Open(Session {
            opened: now,
            heard: now,
            command,
            live: [false; ACCOUNT.len()],
            by: now.after(self.settings.ack_deadline),
            strange: 0,
        });
    }

    fn on_text(&mut self, text: &str, now: Timestamp, out: &mut Output) {
        let Link::Open(session) = &mut self.link else { return };
        session.heard = now;
        self.note_work(now);
        match serde_json::from_str::<ws::Head<'_>>(text) {
            Ok(head)
                if matches!(
                    &*head.kind,
                    "fill" | "user_order" | "market_position" | "order_group_updates"
                ) =>
            {
                out.private.push(text.to_owned());
            }
            Ok(_) => self.take_control(text, out),
            Err(error) => self.strange(tame(&error.to_string()), out),
        }
    }

    fn on_ping(&mut self, now: Timestamp, _out: &mut Output) {
        if let Link::Open(session) = &mut self.link {
            session.heard = now;
            self.note_work(now);
        }
    }

    fn on_closed(&mut self, why: &Closed, now: Timestamp, out: &mut Output) {
        let reason = match &mut self.link {
            Link::Down { .. } => return,
            Link::Closing { reason } => std::mem::take(reason),
            Link::Connecting | Link::Open(_) => why_closed(why),
        };
        let retry_at = now.after(self.backoff.wait());
        self.link = Link::Down { retry_at };
        out.notices.push(Notice::Down { lane: self.settings.lane, reason, retry_at });
    }

    fn on_timer(&mut self, now: Timestamp, out: &mut Output) {
        if now < self.deadline() {
            return;
        }
        match &self.link {
            Link::Down { .. } => {
                self.link = Link::Connecting;
                out.connect = true;
            }
            Link::Open(session) if now >= session.by => {
                self.give_up("kalshi did not acknowledge the private channels".to_owned(), out);
            }
            Link::Open(session) => {
                let silence = now.since(session.heard).as_secs();
                self.give_up(format!("kalshi was silent for {silence} s"), out);
            }
            Link::Connecting | Link::Closing { .. } => {}
        }
    }

    fn deadline(&self) -> Timestamp {
        match &self.link {
            Link::Down { retry_at } => *retry_at,
            Link::Open(session) => session.by.min(session.heard.after(self.settings.silence_max)),
            // The driver owes an answer, and it has a time limit of its own.
            Link::Connecting | Link::Closing { .. } => Timestamp::MAX,
        }
    }

    fn watch(&mut self, _wanted: &[Wanted], _now: Timestamp, _out: &mut Output) {}

    fn unwatch(&mut self, _market: MarketIndex, _now: Timestamp, _out: &mut Output) {}

    fn resync(&mut self, _market: MarketIndex, _now: Timestamp, _out: &mut Output) {}

    fn watched(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests;
