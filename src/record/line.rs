//! One line of a recording.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::market::MarketFacts;

/// The version of the format that this program writes and reads.
pub const FORMAT: u32 = 1;

/// Why a connection ended, as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Ended {
    /// The handshake was refused.
    Refused {
        /// HTTP status.
        status: u16,
        /// What the venue said.
        text: String,
    },
    /// No connection could be made.
    Unreachable {
        /// What happened.
        text: String,
    },
    /// An open connection ended.
    Dropped {
        /// What happened.
        text: String,
    },
    /// The feed asked for it.
    Asked,
}

/// Everything that can enter the feeds and the engine. `t` is the receive time in nanoseconds since
/// 1970 UTC, `c` the connection, `d` the number of the drain a frame came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "k", rename_all = "snake_case")]
pub enum Line<'a> {
    /// The first line.
    Start {
        /// When the recording began.
        t: i64,
        /// See [`FORMAT`].
        format: u32,
        /// The program's version.
        version: Cow<'a, str>,
        /// The settings that decisions depend on, as the program's own text.
        settings: Cow<'a, str>,
        /// The day that mapping files were checked against.
        today: Cow<'a, str>,
        /// How Kalshi's NO levels are priced: `own_leg` when `use_yes_price` was `false`.
        kalshi_prices: Cow<'a, str>,
        /// How Kalshi's books came: `stream` or `polling`.
        kalshi_feed: Cow<'a, str>,
        /// Seed of every jitter.
        seed: u64,
    },
    /// The mapping files were read, at the start or because one changed.
    Mappings {
        /// When.
        t: i64,
        /// Name and text of each file.
        files: Vec<(String, String)>,
    },
    /// A market's facts were read.
    Market {
        /// When.
        t: i64,
        /// The facts.
        facts: Box<MarketFacts>,
    },
    /// A market could not be read and is not there.
    NoMarket {
        /// When.
        t: i64,
        /// Which venue.
        venue: Cow<'a, str>,
        /// Ticker or condition id.
        id: Cow<'a, str>,
    },
    /// A connection opened.
    Open {
        /// When.
        t: i64,
        /// Connection.
        c: u16,
    },
    /// A text frame arrived.
    Text {
        /// When.
        t: i64,
        /// Connection.
        c: u16,
        /// Venue.
        v: Cow<'a, str>,
        /// Drain.
        d: u64,
        /// The frame as it came.
        f: Cow<'a, str>,
    },
    /// A protocol-level ping arrived.
    Ping {
        /// When.
        t: i64,
        /// Connection.
        c: u16,
    },
    /// A connection ended or could not be made.
    Closed {
        /// When.
        t: i64,
        /// Connection.
        c: u16,
        /// Why.
        why: Ended,
    },
    /// A feed's deadline passed.
    Timer {
        /// When.
        t: i64,
        /// Connection.
        c: u16,
    },
    /// All that one read of a socket brought has been taken in.
    Drained {
        /// When.
        t: i64,
        /// Drain.
        d: u64,
    },
    /// Books were read over REST.
    Books {
        /// When.
        t: i64,
        /// Venue.
        v: Cow<'a, str>,
        /// The answer's body.
        f: Cow<'a, str>,
    },
    /// A venue's clock was compared with ours.
    Clock {
        /// When.
        t: i64,
        /// Venue.
        v: Cow<'a, str>,
        /// Its clock less ours, in nanoseconds.
        offset: i64,
    },
    /// A whole venue takes orders, or does not.
    Exchange {
        /// When.
        t: i64,
        /// Venue.
        v: Cow<'a, str>,
        /// Whether orders are taken.
        open: bool,
    },
    /// The shards of Kalshi that take no orders, all of them.
    Shards {
        /// When.
        t: i64,
        /// Their numbers.
        closed: Vec<u32>,
    },
    /// Time passed.
    Tick {
        /// When.
        t: i64,
    },
    /// The last line of a recording that was ended in order.
    End {
        /// When.
        t: i64,
        /// Digest of all decisions of the run.
        digest: Cow<'a, str>,
        /// Whether every line was written; a recorder that fell behind says `false`.
        complete: bool,
    },
}
