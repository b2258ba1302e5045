//! The client side of both venues: what they say, in; what we want, out.
//!
//! Each venue has the same rooms: `wire` (structs as the venue writes them), `parse` (wire to
//! domain, pure), `encode` (domain to wire, pure), `sign`, `rest` (endpoints under the venue's own
//! names), `stream` (the session machine), `error` (code to decision), `facts` (addresses and
//! limits with their sources).
//!
//! This module holds the port that market data comes through, [`Feed`]: a session machine without
//! I/O. Frames and the time go in; updates, frames to send and wishes to the driver come out. The
//! driver owns the socket and nothing else, so a recording can stand where a socket stood.

pub mod gateway;
pub mod kalshi;
pub mod paper;
pub mod polymarket;

use crate::book::{Lane, Update};
use crate::domain::{MarketIndex, Timestamp};

/// A market that a feed is asked to bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its place in the tables of this process.
    pub market: MarketIndex,
    /// Kalshi ticker or Polymarket condition id.
    pub id: String,
    /// On Polymarket the tokens of YES and NO, as decimal text.
    pub tokens: Option<(String, String)>,
}

/// What the handshake of a new connection carries. Made anew for each attempt: signatures age.
#[derive(Debug, Clone, Default)]
pub struct Handshake {
    /// Where to connect.
    pub url: String,
    /// Headers beyond those of every WebSocket; they may hold a signature and are never logged.
    pub headers: Vec<(&'static str, String)>,
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// The handshake was refused with this HTTP status and text.
    Refused {
        /// HTTP status.
        status: u16,
        /// What the venue said, shortened.
        text: String,
    },
    /// No connection could be made.
    Unreachable(String),
    /// An open connection ended.
    Dropped(String),
    /// The feed asked for it.
    Asked,
}

/// Something a person may want to read about a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The feed is up and its subscriptions are acknowledged.
    Live {
        /// Which connection.
        lane: Lane,
    },
    /// The feed went down and tries again at the given time.
    Down {
        /// Which connection.
        lane: Lane,
        /// What happened, without secrets.
        reason: String,
        /// When it tries again.
        retry_at: Timestamp,
    },
    /// A sequence number was skipped.
    Gap {
        /// Which connection.
        lane: Lane,
        /// The number that was due.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// A market brought no image within the deadline; it may not exist.
    NoSnapshot {
        /// Whose book.
        market: MarketIndex,
    },
    /// A message could not be understood and was left out.
    Strange {
        /// Which connection.
        lane: Lane,
        /// Venue, field and market, as far as known.
        what: String,
    },
    /// The venue answered a command with an error.
    VenueError {
        /// Which connection.
        lane: Lane,
        /// Its code.
        code: i64,
        /// Its text.
        text: String,
    },
}

/// What a feed wants done. Reused from call to call, so that a warm message allocates nothing.
#[derive(Debug, Default)]
pub struct Output {
    /// For the books, in order.
    pub updates: Vec<Update>,
    /// Text frames to send, in order.
    pub frames: Vec<String>,
    /// For the log and the status line.
    pub notices: Vec<Notice>,
    /// Frames of a private channel about our account, for the venue's gateway to read.
    pub private: Vec<String>,
    /// The driver is to connect now, with a fresh [`Feed::handshake`].
    pub connect: bool,
    /// The driver is to close the connection.
    pub close: bool,
}

impl Output {
    /// Empties everything and keeps the memory.
    pub fn clear(&mut self) {
        self.updates.clear();
        self.frames.clear();
        self.notices.clear();
        self.private.clear();
        self.connect = false;
        self.close = false;
    }
}

/// A venue's market data over one connection, as a machine without I/O.
///
/// A new feed is down and due at once: the first [`Feed::on_timer`] asks to connect. Whatever goes
/// wrong, it answers with lost books and a later time to try again, never with a panic.
pub trait Feed: Send {
    /// What the next connection attempt carries.
    fn handshake(&mut self, now: Timestamp) -> Result<Handshake, Error>;
    /// The connection is open.
    fn on_open(&mut self, now: Timestamp, out: &mut Output);
    /// A text frame arrived.
    fn on_text(&mut self, text: &str, now: Timestamp, out: &mut Output);
    /// A protocol-level ping arrived (the driver answers it by itself).
    fn on_ping(&mut self, now: Timestamp, out: &mut Output);
    /// The connection ended, or could not be made.
    fn on_closed(&mut self, why: &Closed, now: Timestamp, out: &mut Output);
    /// [`Feed::deadline`] has passed. Does nothing when called early.
    fn on_timer(&mut self, now: Timestamp, out: &mut Output);
    /// When [`Feed::on_timer`] is due next.
    fn deadline(&self) -> Timestamp;
    /// Brings these markets too.
    fn watch(&mut self, wanted: &[Wanted], now: Timestamp, out: &mut Output);
    /// Brings this market no longer.
    fn unwatch(&mut self, market: MarketIndex, now: Timestamp, out: &mut Output);
    /// Asks for a new image of this market, whose book has been found wanting.
    fn resync(&mut self, market: MarketIndex, now: Timestamp, out: &mut Output);
    /// How many markets the feed brings.
    fn watched(&self) -> usize;
}

/// What went wrong with a venue, and so what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The venue refused for good: asking again brings the same answer.
    #[error("{venue} refused {what}: {text}")]
    Refused {
        /// Which venue.
        venue: crate::domain::Venue,
        /// The request, by its endpoint's name.
        what: String,
        /// HTTP status, zero where none applies.
        status: u16,
        /// What the venue said, shortened.
        text: String,
    },
    /// The venue asks for fewer requests.
    #[error("{venue} limits the rate of {what}")]
    Limited {
        /// Which venue.
        venue: crate::domain::Venue,
        /// The request, by its endpoint's name.
        what: String,
        /// How long it asks to wait, where it says so.
        after: Option<std::time::Duration>,
    },
    /// No answer, or one that may be different next time.
    #[error("{venue} did not answer {what}: {text}")]
    Unavailable {
        /// Which venue.
        venue: crate::domain::Venue,
        /// The request, by its endpoint's name.
        what: String,
        /// What happened.
        text: String,
    },
    /// The key or its signature was not accepted, or the clock is off.
    #[error("{venue} did not accept the credentials for {what}: {text}")]
    Unauthorised {
        /// Which venue.
        venue: crate::domain::Venue,
        /// The request, by its endpoint's name.
        what: String,
        /// What the venue said.
        text: String,
    },
    /// An answer without a field that it must have, or with one that makes no sense.
    #[error("{venue} sent a {what} that makes no sense: {field}: {text}")]
    Malformed {
        /// Which venue.
        venue: crate::domain::Venue,
        /// The message or endpoint, and the market where known.
        what: String,
        /// The field.
        field: String,
        /// What is wrong with it.
        text: String,
    },
    /// The market does not exist at the venue.
    #[error("{venue} knows no market {id}")]
    NoSuchMarket {
        /// Which venue.
        venue: crate::domain::Venue,
        /// Its ticker or condition id.
        id: String,
    },
    /// A key file is not usable.
    #[error("key: {0}")]
    Key(String),
}

impl Error {
    /// Whether the same request may succeed later.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Limited { .. } | Self::Unavailable { .. } => true,
            Self::Refused { .. }
            | Self::Unauthorised { .. }
            | Self::Malformed { .. }
            | Self::NoSuchMarket { .. }
            | Self::Key(_) => false,
        }
    }
}
