//! Inputs to lines of a recording, and back.

use std::borrow::Cow;

use crate::book::Lane;
use crate::domain::market::Status;
use crate::domain::{Market, Timestamp, Venue};
use crate::record::market::MarketFacts;
use crate::record::{Ended, FORMAT, Line};
use crate::venue::Closed;

use super::pipeline::Input;

/// What the first line of a recording says.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    /// The configuration that decisions depend on, as text.
    pub settings: String,
    /// The day that mapping files were checked against.
    pub today: String,
    /// How Kalshi's books come, by name.
    pub kalshi_feed: &'static str,
    /// Seed of every jitter.
    pub seed: u64,
    /// How many of the first lanes are private channels. What they bring is about an account and
    /// is never recorded; the others are numbered as if there were none.
    pub private_lanes: u16,
}

/// Kalshi's NO levels are always asked for at their own price.
pub const OWN_LEG: &str = "own_leg";

impl Transcript {
    /// The first line.
    pub fn start(&self, t: i64) -> Line<'_> {
        Line::Start {
            t,
            format: FORMAT,
            version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            settings: Cow::Borrowed(&self.settings),
            today: Cow::Borrowed(&self.today),
            kalshi_prices: Cow::Borrowed(OWN_LEG),
            kalshi_feed: Cow::Borrowed(self.kalshi_feed),
            seed: self.seed,
        }
    }

    /// The line of an input; `None` for what is about an account.
    pub fn line<'a>(
        &self,
        input: &Input<'a>,
        now: Timestamp,
        d: u64,
        venue_of: impl Fn(Lane) -> Option<Venue>,
    ) -> Option<Line<'a>> {
        let t = now.nanos();
        let place = |lane: Lane| lane.0.checked_sub(self.private_lanes);
        let name = |venue: Venue| Cow::Borrowed(venue.name());
        let line = match *input {
            Input::Mappings(files) => Line::Mappings { t, files: files.to_vec() },
            Input::Market(market) => Line::Market { t, facts: Box::new(MarketFacts::from(market)) },
            Input::NoMarket(venue, id) => {
                Line::NoMarket { t, venue: name(venue), id: Cow::Borrowed(id) }
            }
            Input::Open(lane) => Line::Open { t, c: place(lane)? },
            Input::Text(lane, text) => Line::Text {
                t,
                c: place(lane)?,
                v: venue_of(lane).map_or(Cow::Borrowed(""), name),
                d,
                f: Cow::Borrowed(text),
            },
            Input::Ping(lane) => Line::Ping { t, c: place(lane)? },
            Input::Closed(lane, why) => Line::Closed { t, c: place(lane)?, why: ended(why) },
            Input::Timer(lane) => Line::Timer { t, c: place(lane)? },
            Input::Drained => Line::Drained { t, d },
            Input::Books(venue, body) => Line::Books { t, v: name(venue), f: Cow::Borrowed(body) },
            Input::Clock(venue, offset) => Line::Clock { t, v: name(venue), offset },
            Input::Exchange(venue, status) => {
                Line::Exchange { t, v: name(venue), open: status == Status::Open }
            }
            Input::Shards(closed) => Line::Shards { t, closed: closed.to_vec() },
            Input::Tick => Line::Tick { t },
            Input::Answer(..) | Input::Command(_) => return None,
        };
        Some(line)
    }
}

/// An input with what it borrows, as read from a recording.
#[derive(Debug)]
pub enum Played {
    /// See [`Input::Mappings`].
    Mappings(Vec<(String, String)>),
    /// See [`Input::Market`].
    Market(Box<Market>),
    /// See [`Input::NoMarket`].
    NoMarket(Venue, String),
    /// See [`Input::Open`].
    Open(Lane),
    /// See [`Input::Text`].
    Text(Lane, String),
    /// See [`Input::Ping`].
    Ping(Lane),
    /// See [`Input::Closed`].
    Closed(Lane, Closed),
    /// See [`Input::Timer`].
    Timer(Lane),
    /// See [`Input::Drained`].
    Drained,
    /// See [`Input::Books`].
    Books(Venue, String),
    /// See [`Input::Clock`].
    Clock(Venue, i64),
    /// See [`Input::Exchange`].
    Exchange(Venue, Status),
    /// See [`Input::Shards`].
    Shards(Vec<u32>),
    /// See [`Input::Tick`].
    Tick,
}

impl Played {
    /// The input of a line and its time; `None` for the first and the last line.
    pub fn from_line(line: Line<'static>) -> Result<Option<(Self, Timestamp)>, String> {
        let (played, t) = match line {
            Line::Start { .. } | Line::End { .. } => return Ok(None),
            Line::Mappings { t, files } => (Self::Mappings(files), t),
            Line::Market { t, facts } => (Self::Market(Box::new(facts.to_market()?)), t),
            Line::NoMarket { t, venue, id } => {
                (Self::NoMarket(venue_named(&venue)?, id.into_owned()), t)
            }
            Line::Open { t, c } => (Self::Open(Lane(c)), t),
            Line::Text { t, c, f, .. } => (Self::Text(Lane(c), f.into_owned()), t),
            Line::Ping { t, c } => (Self::Ping(Lane(c)), t),
            Line::Closed { t, c, why } => (Self::Closed(Lane(c), closed(why)), t),
            Line::Timer { t, c } => (Self::Timer(Lane(c)), t),
            Line::Drained { t, .. } => (Self::Drained, t),
            Line::Books { t, v, f } => (Self::Books(venue_named(&v)?, f.into_owned()), t),
            Line::Clock { t, v, offset } => (Self::Clock(venue_named(&v)?, offset), t),
            Line::Exchange { t, v, open } => {
                let status = if open { Status::Open } else { Status::Paused };
                (Self::Exchange(venue_named(&v)?, status), t)
            }
            Line::Shards { t, closed } => (Self::Shards(closed), t),
            Line::Tick { t } => (Self::Tick, t),
        };
        Ok(Some((played, Timestamp::from_nanos(t))))
    }

    /// The input.
    pub fn input(&self) -> Input<'_> {
        match self {
            Self::Mappings(files) => Input::Mappings(files),
            Self::Market(market) => Input::Market(market),
            Self::NoMarket(venue, id) => Input::NoMarket(*venue, id),
            Self::Open(lane) => Input::Open(*lane),
            Self::Text(lane, text) => Input::Text(*lane, text),
            Self::Ping(lane) => Input::Ping(*lane),
            Self::Closed(lane, why) => Input::Closed(*lane, why),
            Self::Timer(lane) => Input::Timer(*lane),
            Self::Drained => Input::Drained,
            Self::Books(venue, body) => Input::Books(*venue, body),
            Self::Clock(venue, offset) => Input::Clock(*venue, *offset),
            Self::Exchange(venue, status) => Input::Exchange(*venue, *status),
            Self::Shards(closed) => Input::Shards(closed),
            Self::Tick => Input::Tick,
        }
    }
}

fn venue_named(name: &str) -> Result<Venue, String> {
    Venue::ALL
        .into_iter()
        .find(|venue| venue.name() == name)
        .ok_or_else(|| format!("unknown venue `{name}`"))
}

fn ended(why: &Closed) -> Ended {
    match why.clone() {
        Closed::Refused { status, text } => Ended::Refused { status, text },
        Closed::Unreachable(text) => Ended::Unreachable { text },
        Closed::Dropped(text) => Ended::Dropped { text },
        Closed::Asked => Ended::Asked,
    }
}

fn closed(why: Ended) -> Closed {
    match why {
        Ended::Refused { status, text } => Closed::Refused { status, text },
        Ended::Unreachable { text } => Closed::Unreachable(text),
        Ended::Dropped { text } => Closed::Dropped(text),
        Ended::Asked => Closed::Asked,
    }
}
