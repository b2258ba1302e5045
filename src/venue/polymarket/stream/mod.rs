//! The session on one connection to the market channel, without I/O.
//!
//! Invariants: a frame that could not be read costs the books it names, and the whole connection
//! when it names none of them; a book is asked for again until it comes; `PONG` proves the
//! connection and never a book, because connections were seen that answered it for hours and
//! brought nothing.
//!
//! One step of the matching engine comes as several frames. Each tells the best prices after the
//! whole step; they are announced *after* the levels of their frame, so that a batch counts as
//! closed exactly when the book agrees once the frame is applied. `best_bid_ask` comes before the
//! levels and tells the same: it opens the batch earlier, unless it is older than what was applied.

mod apply;
mod roster;

use std::time::Duration;

use rustc_hash::FxHashSet;

use crate::book::{Lane, Loss, Update};
use crate::domain::{MarketIndex, Timestamp};
use crate::net::backoff::Backoff;
use crate::venue::{Closed, Error, Feed, Handshake, Notice, Output, Wanted};

use super::encode::{self, Operation};
use super::error::{malformed, short};
use super::{facts, parse};
use roster::{Image, Roster, patience};

/// Whether the session runs a connection or reads what one brought earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A connection is made, fed and watched.
    Live,
    /// Frames come from a recording: nothing is sent and nothing is ever due.
    Replay,
}

/// How the session behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Base of the channels, such as [`facts::WS_URL`]; `/market` is added.
    pub url: String,
    /// How often the text `PING` is sent.
    pub ping_every: Duration,
    /// How long a `PONG` may take before the connection counts as dead.
    pub pong_max: Duration,
    /// How long a market may take to bring its first image.
    pub image_deadline: Duration,
    /// The longest wait between attempts for a market that brings none.
    pub image_patience_max: Duration,
    /// How long the whole connection may bring no data about any market that it is watched for.
    pub silence_max: Duration,
    /// After how long a working connection is made anew; the actual time is drawn between half of
    /// it and all of it, so that several connections do not go at once. Zero means never.
    pub reconnect_planned: Duration,
    /// The first wait after a failed connection.
    pub backoff_first: Duration,
    /// The longest wait after failed connections.
    pub backoff_longest: Duration,
    /// What is waited in addition when the venue answers the handshake with 429.
    pub limited_wait: Duration,
}

/// At most one request for the image of a market in this time, however often it is found wanting.
pub const RESYNC_GAP: Duration = Duration::from_secs(1);

/// How long a connection has to live, data included, before the wait for the next one is a first
/// one again: a server that sends one image and cuts is not dialled without pause.
pub const WORKING_MIN: Duration = Duration::from_secs(30);

/// The most different complaints that are reported on one connection.
const STRANGE_MAX: usize = 64;

#[derive(Debug)]
struct Session {
    opened: Timestamp,
    ping_due: Timestamp,
    pong_due: Option<Timestamp>,
    planned: Timestamp,
    /// When the last frame about a watched market came; when the session began, before the first.
    data_at: Timestamp,
    /// Whether the first frame of the protocol has been sent.
    greeted: bool,
    /// Whether any data about a watched market has come.
    heard: bool,
}

#[derive(Debug)]
enum Phase {
    Down { due: Timestamp },
    Connecting,
    Open(Session),
    Replay,
}

/// One connection of the market channel as a [`Feed`].
#[derive(Debug)]
pub struct Stream {
    settings: Settings,
    lane: Lane,
    phase: Phase,
    roster: Roster,
    scratch: parse::Scratch,
    backoff: Backoff,
    spread: Backoff,
    /// Markets whose image is to be asked for once the frame is done.
    wanting: Vec<MarketIndex>,
    complaints: FxHashSet<String>,
    images_due: Timestamp,
}

impl Stream {
    /// A session that is down and due at once; `seed` spreads its waits.
    pub fn new(settings: Settings, lane: Lane, seed: u64, mode: Mode) -> Self {
        let backoff = Backoff::new(settings.backoff_first, settings.backoff_longest, seed);
        let planned = settings.reconnect_planned;
        Self {
            spread: Backoff::new(planned, planned, seed ^ 0x5EED),
            phase: match mode {
                Mode::Live => Phase::Down { due: Timestamp::ZERO },
                Mode::Replay => Phase::Replay,
            },
            settings,
            lane,
            roster: Roster::default(),
            scratch: parse::Scratch::default(),
            backoff,
            wanting: Vec::new(),
            complaints: FxHashSet::default(),
            images_due: Timestamp::MAX,
        }
    }

    const fn is_listening(&self) -> bool {
        matches!(self.phase, Phase::Open(_) | Phase::Replay)
    }

    /// Judges a connection that ends: after one that worked the next wait is a first one again. One
    /// that worked and fell silent counts: silence takes so long that it can't end in a storm.
    fn note_work(&mut self, why: Loss, now: Timestamp) {
        if let Phase::Open(session) = &self.phase
            && session.heard
            && (why == Loss::Silent || now.since(session.opened) >= WORKING_MIN)
        {
            self.backoff.reset();
        }
    }

    /// Ends the connection from our side, and everything that it kept.
    fn give_up(&mut self, why: Loss, reason: &str, now: Timestamp, out: &mut Output) {
        self.note_work(why, now);
        let wait = self.backoff.wait();
        self.down(Some(why), reason, now.after(wait), out);
        out.close = true;
    }

    fn down(&mut self, lost: Option<Loss>, reason: &str, due: Timestamp, out: &mut Output) {
        if let Some(why) = lost {
            out.updates.push(Update::LaneLost { lane: self.lane, why });
        }
        self.roster.forget_images();
        self.wanting.clear();
        self.images_due = Timestamp::MAX;
        if !matches!(self.phase, Phase::Replay) {
            let reason = short(reason);
            out.notices.push(Notice::Down { lane: self.lane, reason, retry_at: due });
            self.phase = Phase::Down { due };
        }
    }

    /// Reports a complaint, the same one once on a connection.
    fn complain(&mut self, key: String, what: &str, out: &mut Output) {
        if self.complaints.len() < STRANGE_MAX && self.complaints.insert(key) {
            out.notices.push(Notice::Strange { lane: self.lane, what: short(what) });
        }
    }

    /// Asks for the images of `markets` again: out and in, so that the venue sends them.
    fn resubscribe(&mut self, markets: &[MarketIndex], now: Timestamp, out: &mut Output) {
        let Phase::Open(_) = self.phase else { return };
        let (first, longest) = (self.settings.image_deadline, self.settings.image_patience_max);
        let mut tokens: Vec<String> = Vec::new();
        for market in markets {
            let Some(entry) = self.roster.entry(*market) else { continue };
            let attempts = match entry.image {
                Image::Asked { attempts, .. } => attempts.saturating_add(1),
                Image::Idle | Image::Here => 1,
            };
            if attempts > 2 {
                // A time stamp from the future must not shut out every later image.
                entry.newest = None;
            }
            entry.asked(attempts, now, now.after(patience(attempts, first, longest)));
            tokens.extend(entry.tokens().map(str::to_owned));
        }
        let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
        encode::subscription(Operation::Unsubscribe, &tokens, &mut out.frames);
        encode::subscription(Operation::Subscribe, &tokens, &mut out.frames);
        self.images_due = self.roster.due();
    }

    /// Subscribes markets that are new on this connection.
    fn subscribe(&mut self, markets: &[MarketIndex], now: Timestamp, out: &mut Output) {
        let Phase::Open(session) = &mut self.phase else { return };
        let mut tokens: Vec<String> = Vec::new();
        for market in markets {
            let Some(entry) = self.roster.entry(*market) else { continue };
            entry.asked(1, now, now.after(self.settings.image_deadline));
            tokens.extend(entry.tokens().map(str::to_owned));
        }
        if tokens.is_empty() {
            return;
        }
        let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let first = if session.greeted { Operation::Subscribe } else { Operation::Hello };
        session.greeted = true;
        encode::subscription(first, &tokens, &mut out.frames);
        self.images_due = self.roster.due();
    }

    /// Sends the requests that a frame gave rise to, unless their images came with it.
    fn ask_for_wanting(&mut self, now: Timestamp, out: &mut Output) {
        if self.wanting.is_empty() {
            return;
        }
        let mut due = Vec::new();
        for market in std::mem::take(&mut self.wanting) {
            let Some(entry) = self.roster.entry(market) else { continue };
            if entry.image == Image::Here || due.contains(&market) {
                continue;
            }
            match entry.asked_at.map(|at| at.after(RESYNC_GAP)).filter(|from| *from > now) {
                // Asked a moment ago: that answer may still come, or it is asked for again then.
                Some(_) if matches!(entry.image, Image::Asked { .. }) => {}
                Some(from) => entry.image = Image::Asked { attempts: 0, due: from },
                None => due.push(market),
            }
        }
        if !due.is_empty() {
            self.resubscribe(&due, now, out);
        }
        self.images_due = self.roster.due();
    }

    /// Notes that the book of `market` can't be believed and asks for a new image.
    fn lose(&mut self, market: MarketIndex, why: Loss, out: &mut Output) {
        out.updates.push(Update::Lost { market, why });
        if let Some(entry) = self.roster.entry(market) {
            if entry.image == Image::Here {
                entry.image = Image::Idle;
            }
            self.wanting.push(market);
        }
    }

    /// Looks after the images that are due. The connection is given up only when every market of it
    /// is mute: another one may do better, and there is no book to lose. Markets that never bring
    /// an image, such as resolved ones, do not cost the others theirs.
    fn chase_images(&mut self, now: Timestamp, out: &mut Output) {
        let (mut again, mut mute) = (Vec::new(), 0);
        for (market, entry) in self.roster.all() {
            let Image::Asked { attempts, due } = entry.image else { continue };
            let overdue = due <= now;
            mute += usize::from(attempts > 2 || (attempts == 2 && overdue));
            if overdue {
                again.push(market);
                if attempts == 2 {
                    out.notices.push(Notice::NoSnapshot { market });
                    out.updates.push(Update::Lost { market, why: Loss::NoSnapshot });
                }
            }
        }
        if mute > 0 && mute == self.roster.len() {
            let reason = format!("none of {mute} markets brought an image");
            self.give_up(Loss::NoSnapshot, &reason, now, out);
        } else if !again.is_empty() {
            self.resubscribe(&again, now, out);
        }
    }

    fn on_timer_open(&mut self, now: Timestamp, out: &mut Output) {
        let Phase::Open(session) = &mut self.phase else { return };
        let silence = now.since(session.data_at);
        if session.pong_due.is_some_and(|due| due <= now) {
            let reason = format!("no PONG within {:?}", self.settings.pong_max);
            self.give_up(Loss::Silent, &reason, now, out);
        } else if silence >= self.settings.silence_max && !self.roster.is_empty() {
            let reason = format!("no data for {silence:?}");
            self.give_up(Loss::Silent, &reason, now, out);
        } else if session.planned <= now {
            self.down(Some(Loss::Disconnected), "planned reconnect", now, out);
            out.close = true;
        } else {
            if session.ping_due <= now {
                out.frames.push(encode::PING.to_owned());
                session.ping_due = now.after(self.settings.ping_every);
                session.pong_due.get_or_insert(now.after(self.settings.pong_max));
            }
            if self.images_due <= now {
                self.chase_images(now, out);
            }
        }
    }
}

impl Feed for Stream {
    fn handshake(&mut self, _now: Timestamp) -> Result<Handshake, Error> {
        let base = self.settings.url.trim_end_matches('/');
        if !base.starts_with("ws://") && !base.starts_with("wss://") {
            return Err(malformed("configuration", "url", base));
        }
        Ok(Handshake { url: format!("{base}{}", facts::MARKET_CHANNEL), headers: Vec::new() })
    }

    fn on_open(&mut self, now: Timestamp, out: &mut Output) {
        self.complaints.clear();
        if matches!(self.phase, Phase::Replay) {
            return;
        }
        let planned = if self.settings.reconnect_planned.is_zero() {
            Timestamp::MAX
        } else {
            now.after(self.spread.wait())
        };
        self.phase = Phase::Open(Session {
            opened: now,
            ping_due: now.after(self.settings.ping_every),
            pong_due: None,
            planned,
            data_at: now,
            greeted: false,
            heard: false,
        });
        let markets: Vec<_> = self.roster.markets().collect();
        if markets.is_empty() {
            out.notices.push(Notice::Live { lane: self.lane });
        }
        self.subscribe(&markets, now, out);
    }

    fn on_text(&mut self, text: &str, now: Timestamp, out: &mut Output) {
        if self.is_listening() {
            self.read(text, now, out);
            self.ask_for_wanting(now, out);
        }
    }

    /// A protocol-level ping says nothing about the books, and this venue does not send any.
    fn on_ping(&mut self, _now: Timestamp, _out: &mut Output) {}

    fn on_closed(&mut self, why: &Closed, now: Timestamp, out: &mut Output) {
        let (reason, limited) = match why {
            Closed::Refused { status: 429, text } => (format!("refused with 429: {text}"), true),
            Closed::Refused { status, text } => (format!("refused with {status}: {text}"), false),
            Closed::Unreachable(text) => (format!("unreachable: {text}"), false),
            Closed::Dropped(text) => (format!("dropped: {text}"), false),
            Closed::Asked => ("closed on our side".to_owned(), false),
        };
        let lost = match self.phase {
            // What we closed ourselves has been reported and has its time already.
            Phase::Down { .. } => return,
            Phase::Connecting => None,
            Phase::Open(_) | Phase::Replay => Some(Loss::Disconnected),
        };
        self.note_work(Loss::Disconnected, now);
        let mut wait = self.backoff.wait();
        if limited {
            wait += self.settings.limited_wait;
        }
        self.down(lost, &reason, now.after(wait), out);
    }

    fn on_timer(&mut self, now: Timestamp, out: &mut Output) {
        match self.phase {
            Phase::Down { due } if due <= now => {
                self.phase = Phase::Connecting;
                out.connect = true;
            }
            Phase::Open(_) => self.on_timer_open(now, out),
            Phase::Down { .. } | Phase::Connecting | Phase::Replay => {}
        }
    }

    fn deadline(&self) -> Timestamp {
        match &self.phase {
            Phase::Down { due } => *due,
            Phase::Connecting | Phase::Replay => Timestamp::MAX,
            Phase::Open(session) => {
                let silence = if self.roster.is_empty() {
                    Timestamp::MAX
                } else {
                    session.data_at.after(self.settings.silence_max)
                };
                let pong = session.pong_due.unwrap_or(Timestamp::MAX);
                session.ping_due.min(pong).min(session.planned).min(silence).min(self.images_due)
            }
        }
    }

    fn watch(&mut self, wanted: &[Wanted], now: Timestamp, out: &mut Output) {
        if let Phase::Open(session) = &mut self.phase
            && self.roster.is_empty()
        {
            session.data_at = now;
        }
        let mut fresh = Vec::new();
        for one in wanted {
            let known = self.roster.get(one.market);
            if known.is_some_and(|entry| is_same(entry, one)) {
                continue;
            }
            let full = known.is_none() && self.roster.len() >= facts::MARKETS_PER_CONNECTION;
            let added = if full && !matches!(self.phase, Phase::Replay) {
                Err(format!("market {}: the connection is full", one.id))
            } else {
                self.unwatch(one.market, now, out);
                self.roster.add(one)
            };
            match added {
                Ok(()) => fresh.push(one.market),
                // Each refusal is told: a market that is silently not watched would be a trap.
                Err(what) => {
                    let what = short(&what);
                    out.notices.push(Notice::Strange { lane: self.lane, what });
                }
            }
        }
        self.subscribe(&fresh, now, out);
    }

    fn unwatch(&mut self, market: MarketIndex, _now: Timestamp, out: &mut Output) {
        let Some(entry) = self.roster.remove(market) else { return };
        out.updates.push(Update::Lost { market, why: Loss::Unwatched });
        if matches!(self.phase, Phase::Open(_)) {
            let tokens: Vec<&str> = entry.tokens().collect();
            encode::subscription(Operation::Unsubscribe, &tokens, &mut out.frames);
        }
        self.images_due = self.roster.due();
    }

    fn resync(&mut self, market: MarketIndex, now: Timestamp, out: &mut Output) {
        if let Some(entry) = self.roster.entry(market) {
            if entry.image == Image::Here {
                entry.image = Image::Idle;
            }
            self.wanting.push(market);
        }
        if matches!(self.phase, Phase::Open(_)) {
            self.ask_for_wanting(now, out);
        } else {
            self.wanting.clear();
        }
    }

    fn watched(&self) -> usize {
        self.roster.len()
    }
}

fn is_same(entry: &roster::Entry, wanted: &Wanted) -> bool {
    let tokens = match &wanted.tokens {
        Some((yes, no)) => (yes.as_str(), Some(no.as_str())),
        None => (wanted.id.as_str(), None),
    };
    entry.id == wanted.id && (entry.yes.as_str(), entry.no.as_deref()) == tokens
}

#[cfg(test)]
mod tests;
