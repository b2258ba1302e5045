//! The session machine of one connection: frames and the time in, updates and frames out.
//!
//! One connection is one lane: one `orderbook_delta` subscription for all its markets, and one
//! `market_lifecycle_v2` subscription whose order is its own. Invariants:
//!
//! - Sequence numbers count all frames of a subscription, answers to commands included. One that is
//!   skipped, and a frame that can't be read, lose every book of the lane at once.
//! - A change is applied only to a book whose image came after the last loss.
//! - Proof of the lane is given only while no book that it lost is missing.
//! - A market that brings no image (a mistyped ticker) is asked for with growing patience and holds
//!   up nobody else.
//!
//! A lost lane is brought back by the mildest remedy that works: images on demand, then a new
//! subscription, then a new connection after a wait.

mod frames;
mod resync;
mod session;
mod table;

use std::time::Duration;

use crate::book::{Lane, Loss, Update};
use crate::domain::{MarketIndex, Timestamp};
use crate::net::backoff::Backoff;
use crate::venue::{Closed, Error, Feed, Handshake, Notice, Output, Wanted};

use super::encode::{self, Change};
use super::error::why_closed;
use super::facts;
use super::parse::PriceMode;
use super::sign::Signer;

use session::{Order, Session, Subscription};
use table::{Image, Table};

/// How a live connection is made and when it is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The WebSocket's address; the path of it is what is signed.
    pub url: String,
    /// Which connection of the process this is.
    pub lane: Lane,
    /// The scale of NO prices to ask for.
    pub price_mode: PriceMode,
    /// How long images and acknowledgements may take.
    pub snapshot_deadline: Duration,
    /// Silence beyond this ends the connection.
    pub silence_max: Duration,
    /// Most tickers in one frame.
    pub markets_per_frame: usize,
    /// The first and the longest wait before a new connection.
    pub reconnect_wait: (Duration, Duration),
    /// Seed of the jitter of these waits.
    pub seed: u64,
}

impl Settings {
    /// What suits the venue, for one connection.
    pub fn new(url: String, lane: Lane) -> Self {
        Self {
            url,
            lane,
            price_mode: PriceMode::OwnLeg,
            snapshot_deadline: facts::SNAPSHOT_DEADLINE,
            silence_max: facts::SILENCE_MAX,
            markets_per_frame: facts::MARKETS_PER_FRAME,
            reconnect_wait: (Duration::from_millis(500), Duration::from_secs(30)),
            seed: u64::from(lane.0),
        }
    }
}

/// What a replay makes of sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequence {
    /// A skipped number loses the books, as it does live.
    Checked,
    /// The recording holds a part of a busier subscription: jumps are counted, nothing more.
    Ignored,
}

/// What went through a lane, or what of it concerned one market.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Text frames; for a market, those that name it.
    pub frames: u64,
    /// Full books.
    pub snapshots: u64,
    /// Changes of a level, applied or not.
    pub deltas: u64,
    /// Losses of the lane by a skipped number or a broken frame; for a market, those that cost it
    /// its book.
    pub gaps: u64,
    /// Skipped numbers that were ignored because the replay was told to.
    pub jumps: u64,
}

/// Where the connection stands.
#[derive(Debug)]
enum Link {
    /// None; the next attempt is due at `retry_at`.
    Down { retry_at: Timestamp },
    /// The driver was asked to connect.
    Connecting,
    /// Open.
    Open(Session),
    /// The driver was asked to close.
    Closing { reason: String },
    /// A replay: there is no connection, and nothing is ever sent.
    Passive { sequence: Sequence, orders: Vec<(u64, Order)> },
}

/// Kalshi's market data over one connection, or from a recording.
#[derive(Debug)]
pub struct Stream {
    settings: Settings,
    signer: Option<Signer>,
    link: Link,
    table: Table,
    backoff: Backoff,
    last_command: u64,
    counts: Counts,
    /// Whether any connection has told of the lives of markets: a later one starts with a gap.
    had_lifecycle: bool,
}

impl Stream {
    /// How long a connection has to live, books included, before the wait for the next one is a
    /// first one again: a server that sends one image and cuts is not dialled without pause.
    pub const WORKING_MIN: Duration = Duration::from_secs(30);
    /// Doublings of the patience with one market or subscription that does not answer.
    pub const PATIENCE_DOUBLINGS_MAX: u32 = 7;
    /// New book subscriptions on one connection; the next remedy is a new connection.
    pub const RESUBSCRIBES_MAX: usize = 8;
    /// Frames of one connection that may make no sense before it is given up.
    pub const STRANGE_MAX: u32 = 50;
    /// Book subscriptions that a replay keeps apart; the oldest is forgotten first.
    pub const REPLAYED_SUBSCRIPTIONS_MAX: usize = 64;

    /// A feed over a connection. Without a signer the handshake is bare, which the venue refuses.
    pub fn live(settings: Settings, signer: Option<Signer>) -> Self {
        let (first, longest) = settings.reconnect_wait;
        Self {
            backoff: Backoff::new(first, longest, settings.seed),
            settings,
            signer,
            link: Link::Down { retry_at: Timestamp::ZERO },
            table: Table::default(),
            last_command: 0,
            counts: Counts::default(),
            had_lifecycle: false,
        }
    }

    /// A feed from a recording: it takes frames as they come and asks for nothing.
    pub fn passive(lane: Lane, price_mode: PriceMode, sequence: Sequence) -> Self {
        let settings = Settings { price_mode, ..Settings::new(String::new(), lane) };
        let mut stream = Self::live(settings, None);
        stream.link = Link::Passive { sequence, orders: Vec::new() };
        stream
    }

    /// What went through the lane.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// What of it concerned one market.
    pub fn market_counts(&self, market: MarketIndex) -> Option<Counts> {
        self.table.of_market(market).map(|row| row.counts)
    }

    const fn lane(&self) -> Lane {
        self.settings.lane
    }

    fn command_id(&mut self) -> u64 {
        self.last_command += 1;
        self.last_command
    }

    /// How long to wait for something that has been missed this often.
    fn patience(&self, missed: u32) -> Duration {
        let doublings = missed.min(Self::PATIENCE_DOUBLINGS_MAX);
        self.settings.snapshot_deadline.saturating_mul(1 << doublings)
    }

    /// Tells a live subscription about these markets, in frames of bounded size.
    fn send_change(&mut self, change: Change, tickers: &[Box<str>], out: &mut Output) {
        let Link::Open(session) = &self.link else { return };
        let Some(sid) = session.books.sid() else { return };
        for chunk in tickers.chunks(self.settings.markets_per_frame.max(1)) {
            let names: Vec<&str> = chunk.iter().map(|ticker| &**ticker).collect();
            self.last_command += 1;
            out.frames.push(encode::encode_update(self.last_command, sid, change, &names));
        }
    }

    /// After a connection that worked for a while the next wait is a first one again.
    fn note_work(&mut self, now: Timestamp) {
        if let Link::Open(session) = &self.link
            && session.imaged
            && now.since(session.opened) >= Self::WORKING_MIN
        {
            self.backoff.reset();
        }
    }

    /// Gives up the connection. The books are lost now, not when the driver has closed it.
    fn give_up(&mut self, reason: String, why: Loss, out: &mut Output) {
        out.updates.push(Update::LaneLost { lane: self.lane(), why });
        out.close = true;
        self.table.restart();
        self.link = Link::Closing { reason };
    }
}

impl Feed for Stream {
    fn handshake(&mut self, now: Timestamp) -> Result<Handshake, Error> {
        let headers = match &self.signer {
            Some(signer) => signer.headers("GET", path_of(&self.settings.url), now)?.into(),
            None => Vec::new(),
        };
        Ok(Handshake { url: self.settings.url.clone(), headers })
    }

    fn on_open(&mut self, now: Timestamp, out: &mut Output) {
        if !matches!(self.link, Link::Connecting) {
            return;
        }
        self.table.restart();
        self.link = Link::Open(Session::new(now));
        self.subscribe_books(now, out);
        self.subscribe_lifecycle(now, out);
    }

    fn on_text(&mut self, text: &str, now: Timestamp, out: &mut Output) {
        match &mut self.link {
            Link::Open(session) => session.heard = now,
            Link::Passive { .. } => {}
            Link::Down { .. } | Link::Connecting | Link::Closing { .. } => return,
        }
        self.note_work(now);
        self.counts.frames += 1;
        self.take_frame(text, now, out);
    }

    fn on_ping(&mut self, now: Timestamp, out: &mut Output) {
        if let Link::Open(session) = &mut self.link {
            session.heard = now;
            let live = session.books.sid().is_some();
            self.note_work(now);
            if live {
                self.prove_lane(out);
            }
        }
    }

    fn on_closed(&mut self, why: &Closed, now: Timestamp, out: &mut Output) {
        let lane = self.lane();
        let reason = match &mut self.link {
            Link::Down { .. } => return,
            Link::Connecting => why_closed(why),
            Link::Closing { reason } => std::mem::take(reason),
            Link::Open(_) => {
                out.updates.push(Update::LaneLost { lane, why: Loss::Disconnected });
                why_closed(why)
            }
            Link::Passive { orders, .. } => {
                orders.clear();
                self.table.restart();
                out.updates.push(Update::LaneLost { lane, why: Loss::Disconnected });
                return;
            }
        };
        self.table.restart();
        let retry_at = now.after(self.backoff.wait());
        self.link = Link::Down { retry_at };
        out.notices.push(Notice::Down { lane, reason, retry_at });
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
            Link::Open(session) if now >= session.heard.after(self.settings.silence_max) => {
                let silence = now.since(session.heard).as_secs();
                self.give_up(format!("kalshi was silent for {silence} s"), Loss::Silent, out);
            }
            Link::Open(_) => self.on_due(now, out),
            Link::Connecting | Link::Closing { .. } | Link::Passive { .. } => {}
        }
    }

    fn deadline(&self) -> Timestamp {
        match &self.link {
            Link::Down { retry_at } => *retry_at,
            Link::Open(session) => {
                session.due().min(session.heard.after(self.settings.silence_max))
            }
            // The driver owes an answer, and it has a time limit of its own.
            Link::Connecting | Link::Closing { .. } | Link::Passive { .. } => Timestamp::MAX,
        }
    }

    fn watch(&mut self, wanted: &[Wanted], now: Timestamp, out: &mut Output) {
        for one in wanted {
            self.table.add(one.market, &one.id);
        }
        if let Link::Open(session) = &self.link {
            match session.books {
                Subscription::Live { .. } => self.ask_unasked(now, out),
                Subscription::Idle { .. } => self.subscribe_books(now, out),
                // The acknowledgement brings the rest.
                Subscription::Asked { .. } => {}
            }
        }
    }

    fn unwatch(&mut self, market: MarketIndex, _now: Timestamp, out: &mut Output) {
        let Some(row) = self.table.remove(market) else { return };
        out.updates.push(Update::Lost { market, why: Loss::Unwatched });
        let nothing_left = self.table.is_empty();
        let Link::Open(session) = &mut self.link else { return };
        if row.image == Image::Resyncing {
            session.found();
        }
        match session.books {
            Subscription::Live { .. } if nothing_left => self.unsubscribe_books(out),
            Subscription::Live { .. } => {
                self.send_change(Change::DeleteMarkets, &[row.ticker], out);
            }
            Subscription::Asked { .. } if row.asked => session.leftovers.push(row.ticker),
            Subscription::Asked { .. } | Subscription::Idle { .. } => {}
        }
    }

    fn resync(&mut self, market: MarketIndex, now: Timestamp, out: &mut Output) {
        if matches!(self.link, Link::Open(_)) {
            self.ask_alone(market, now, out);
        }
    }

    fn watched(&self) -> usize {
        self.table.len()
    }
}

/// The path of an address, which is what is signed: no scheme, host or query.
pub(super) fn path_of(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(url, |at| &url[at + 3..]);
    let path = after_scheme.find('/').map_or("/", |at| &after_scheme[at..]);
    path.split(['?', '#']).next().unwrap_or("/")
}

#[cfg(test)]
mod tests;
