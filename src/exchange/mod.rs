//! Two exchanges that speak the genuine protocols on loopback.
//!
//! They serve the demo, the tests, and anyone who writes a bot. Each venue's protocol is a [`Core`]
//! without I/O: requests, frames and the time in; replies and frames out. The same cores run behind
//! loopback servers (`serve`) and on virtual time in tests. They share no protocol code with the
//! `venue` room: two independent readings of each protocol check each other.
//!
//! Orders meet in `matching`, by price and then by time. Seeded `agents` trade there, so that books
//! move and gaps between the venues open and close for real reasons; `faults` break things on
//! purpose.

use crate::domain::market::{Band, Status};
use crate::domain::{Price, Quantity, Rate, Side, Timestamp, Venue};

/// What a market is, as its exchange knows it. Each venue's `Core` dresses it in its own fields.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The index of the question that both venues list; pairs share it.
    pub question: usize,
    /// Kalshi ticker, or Polymarket condition id (`0x` and 64 hex digits).
    pub id: String,
    /// Kalshi event ticker, or the slug of the Polymarket event.
    pub event: String,
    /// Polymarket's id of the neg-risk market that it is a part of (`0x` and 64 hex digits); empty
    /// where there is none, and on Kalshi.
    pub group: String,
    /// Kalshi series ticker; empty on Polymarket.
    pub series: String,
    /// The question.
    pub title: String,
    /// The rules text.
    pub rules: String,
    /// Polymarket's tokens of YES and NO as decimal text; empty on Kalshi.
    pub tokens: (String, String),
    /// Polymarket's labels of the outcomes; `Yes` and `No` on Kalshi.
    pub labels: (String, String),
    /// Valid prices.
    pub bands: Vec<Band>,
    /// Taker fee coefficient, multiplier included.
    pub rate: Rate,
    /// Fewest contracts of an order.
    pub minimum: Quantity,
    /// Whether orders are taken.
    pub status: Status,
    /// When trading ends.
    pub closes: Timestamp,
}

impl Listing {
    /// Whether it is a part of a neg-risk market.
    pub const fn is_neg_risk(&self) -> bool {
        !self.group.is_empty()
    }
}

/// Something that happened in a matching book and that a venue's feed reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The total that rests at a level changed.
    Level {
        /// Side of YES.
        side: Side,
        /// Price of YES.
        price: Price,
        /// What rested there before.
        before: Quantity,
        /// What rests there now.
        after: Quantity,
    },
    /// Two orders met.
    Trade {
        /// Price of YES: the resting order's.
        price: Price,
        /// How many contracts.
        quantity: Quantity,
        /// Which side of YES the incoming order was on.
        taker: Side,
        /// The order that rested.
        maker_order: (matching::OrderNumber, matching::Owner),
        /// The order that came in.
        taker_order: (matching::OrderNumber, matching::Owner),
    },
}

/// A connection of a WebSocket server, unique over both venues' servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection(pub u64);

/// An HTTP request, or the handshake of a WebSocket.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The path without host and query.
    pub path: &'a str,
    /// What follows the question mark, still encoded; empty when there is none.
    pub query: &'a str,
    /// Header names in lower case, and their values.
    pub headers: &'a [(String, String)],
    /// The body's bytes.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// How an answer goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sending {
    /// At once.
    #[default]
    Now,
    /// After this.
    After(std::time::Duration),
    /// Never: the connection stays open until the client gives up.
    Held,
    /// Never: the connection is cut.
    Cut,
}

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// How it goes out.
    pub sending: Sending,
    /// HTTP status.
    pub status: u16,
    /// Headers beyond the length.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { sending: Sending::Now, status, headers, body: body.to_string() }
    }
}

/// What an exchange sends on its WebSocket connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Push {
    /// A text frame.
    Text(Connection, String),
    /// A protocol-level ping with this body.
    Ping(Connection, &'static str),
    /// The server ends the connection, without a closing handshake.
    Cut(Connection),
    /// From here on nothing at all is sent to the connection, and nothing it sends is read, but it
    /// stays open: a silent freeze.
    Stall(Connection),
}

/// The markets of one venue and the orders that rest in them.
#[derive(Debug)]
pub struct Floor {
    /// Which venue.
    pub venue: Venue,
    /// What is listed.
    pub listings: Vec<Listing>,
    /// The matching book of each listing, at the same index.
    pub books: Vec<matching::Book>,
}

/// One venue's protocol, server side, without I/O.
pub trait Core: Send {
    /// Answers an HTTP request.
    fn request(
        &mut self,
        request: &Request<'_>,
        floor: &mut Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) -> Reply;
    /// Accepts a WebSocket handshake, or answers why not.
    fn open(
        &mut self,
        connection: Connection,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(), Reply>;
    /// Takes a text frame from a client.
    fn text(
        &mut self,
        connection: Connection,
        text: &str,
        floor: &mut Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    );
    /// A connection is gone.
    fn closed(&mut self, connection: Connection);
    /// Reports what one step of the matching engine did in one market, as one batch.
    fn report(
        &mut self,
        market: usize,
        facts: &[Fact],
        floor: &Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    );
    /// Does what is due by `now`: heartbeats, refills, the ends of faults.
    fn tick(&mut self, floor: &mut Floor, now: Timestamp, out: &mut Vec<Push>);
    /// What the exchange knows of its first account, as of now.
    fn statement(&self, floor: &Floor) -> ledger::Statement;
    /// Breaks something.
    fn fault(
        &mut self,
        fault: &faults::Fault,
        floor: &mut Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    );
}

/// Writes bytes as lower-case hex digits.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

pub mod agents;
pub mod catalogue;
pub mod dice;
pub mod faults;
pub mod funds;
pub mod kalshi;
pub mod ledger;
pub mod matching;
pub mod serve;
pub mod world;
pub mod polymarket;
