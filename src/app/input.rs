//! What enters the machine, what it wants done, and what it has to tell.

use std::collections::VecDeque;

use crate::book::Lane;
use crate::domain::market::Status;
use crate::domain::{Finding, Market, MarketIndex, Venue};
use crate::engine::effect::Effect;
use crate::engine::event::Command;
use crate::pairing::Difference;
use crate::venue::gateway::{Answer, Call};
use crate::venue::{Closed, Feed, Notice, Output};

use super::desk::{CallId, Journal};

/// Something that enters.
#[derive(Debug)]
pub enum Input<'a> {
    /// The mapping files were read.
    Mappings(&'a [(String, String)]),
    /// A market's facts were read.
    Market(&'a Market),
    /// A market could not be read for good.
    NoMarket(Venue, &'a str),
    /// A connection opened.
    Open(Lane),
    /// A text frame arrived.
    Text(Lane, &'a str),
    /// A protocol-level ping arrived.
    Ping(Lane),
    /// A connection ended or could not be made.
    Closed(Lane, &'a Closed),
    /// A feed's deadline passed.
    Timer(Lane),
    /// All that one read of a socket brought has been taken in.
    Drained,
    /// Books were read over REST.
    Books(Venue, &'a str),
    /// A venue's clock was compared with ours; nanoseconds, theirs less ours.
    Clock(Venue, i64),
    /// A whole venue takes orders, or does not.
    Exchange(Venue, Status),
    /// The shards of Kalshi that take no orders, all of them.
    Shards(&'a [u32]),
    /// A call of the order desk was answered, or was not.
    Answer(CallId, &'a Answer<'a>),
    /// A person, or the process around the engine, asks something of trading.
    Command(&'a Command),
    /// Time passed.
    Tick,
}

/// What a connection is to do.
#[derive(Debug, Default)]
pub struct LaneWishes {
    /// Frames to send, in order.
    pub frames: VecDeque<String>,
    /// Connect now.
    pub connect: bool,
    /// Close the connection.
    pub close: bool,
}

/// What is to be done outside.
#[derive(Debug, Default)]
pub struct Wishes {
    /// By lane.
    pub lanes: Vec<LaneWishes>,
    /// Lanes that have just come to be.
    pub new_lanes: Vec<Lane>,
    /// Markets whose facts are to be read.
    pub loads: Vec<(Venue, String)>,
    /// Calls of the order desk, to be carried in order.
    pub calls: Vec<(CallId, Call)>,
}

/// Something worth telling.
#[derive(Debug, Clone)]
pub enum News {
    /// The engine decided something.
    Decision(Effect),
    /// A feed has something to say.
    Feed(Venue, Notice),
    /// A gateway has something to say.
    Desk(Venue, String),
    /// The journal does not take what it is given, or does again.
    Journal(Journal),
    /// The set of pairs in force changed.
    Pairs(Vec<Difference>),
    /// Findings of the mapping files, to be rendered with their texts.
    Findings(Vec<Finding>),
    /// An approved pair is not traded, or would not be with money.
    Untraded {
        /// The pair.
        pair: String,
        /// Why, and what can be done about it.
        why: String,
    },
    /// A pair's file loosened its limits: the accepted ones hold until a person accepts these.
    LimitsHeld {
        /// The pair.
        pair: String,
        /// What is held back.
        back: String,
    },
    /// A pair names an outcome that its Polymarket market does not have.
    NoSuchOutcome {
        /// The pair.
        pair: String,
        /// The outcome it names.
        outcome: String,
        /// The outcomes there are.
        labels: [String; 2],
    },
}

/// Makes the feed of a new lane.
pub trait FeedSource: Send {
    /// A feed of this venue, whose jitter follows from the lane.
    fn feed(&self, venue: Venue, lane: Lane) -> Box<dyn Feed>;
    /// Most markets on one connection.
    fn markets_per_lane(&self, venue: Venue) -> usize;
    /// Turns a body of books read over REST into updates.
    fn books(
        &self,
        venue: Venue,
        body: &str,
        find: &dyn Fn(&str) -> Option<(MarketIndex, Lane)>,
        out: &mut Output,
    );
}
