//! Makes feeds, and books out of REST answers, the same way live and in a replay.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::book::{Lane, Loss, Update};
use crate::config::Settings;
use crate::detect::gate;
use crate::domain::{MarketIndex, Timestamp, Venue};
use crate::engine;
use crate::venue::kalshi::parse::PriceMode;
use crate::venue::kalshi::sign::Signer;
use crate::venue::{Closed, Error, Feed, Handshake, Notice, Output, Wanted, kalshi, polymarket};

use super::pipeline::FeedSource;

/// How Kalshi's books come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KalshiFeed {
    /// Over its WebSocket, which asks for a key.
    Stream,
    /// Over REST, again and again, without a key.
    Polling,
}

impl KalshiFeed {
    /// The name in recordings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Polling => "polling",
        }
    }

    /// The feed of a name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Stream, Self::Polling].into_iter().find(|feed| feed.name() == name)
    }
}

/// Feeds over real connections, or over what a recording of them holds.
#[derive(Debug)]
pub struct Sources {
    settings: Settings,
    kalshi: KalshiFeed,
    credentials: Option<Credentials>,
    seed: u64,
}

/// A Kalshi key: its public id, and the private key's PEM text.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The id.
    pub key_id: String,
    /// The PEM text.
    pub pem: SecretString,
}

impl Credentials {
    /// The key, ready to sign.
    pub fn signer(&self) -> Result<Signer, Error> {
        Signer::from_pem(&self.key_id, self.pem.expose_secret())
    }
}

impl Sources {
    /// Feeds that follow these settings. A replay has no signer: handshakes are not played back.
    pub fn new(
        settings: Settings,
        kalshi: KalshiFeed,
        credentials: Option<Credentials>,
        seed: u64,
    ) -> Self {
        Self { settings, kalshi, credentials, seed }
    }

    fn kalshi_stream(&self, lane: Lane) -> kalshi::Stream {
        let own = &self.settings.kalshi;
        let settings = kalshi::stream::Settings {
            snapshot_deadline: own.snapshot_deadline,
            silence_max: own.silence_max,
            seed: self.seed ^ (u64::from(lane.0) << 32),
            ..kalshi::stream::Settings::new(own.ws.clone(), lane)
        };
        // A key that was good at the start is good now; without one the venue refuses, and says so.
        let signer = self.credentials.as_ref().and_then(|own| own.signer().ok());
        kalshi::Stream::live(settings, signer)
    }

    fn polymarket_stream(&self, lane: Lane) -> polymarket::stream::Stream {
        let own = &self.settings.polymarket;
        let settings = polymarket::stream::Settings {
            image_deadline: own.snapshot_deadline,
            silence_max: own.silence_max,
            reconnect_planned: own.reconnect_planned,
            ping_every: own.ping_every,
            ..polymarket_settings(own.ws.clone())
        };
        let seed = self.seed ^ (u64::from(lane.0) << 32);
        polymarket::stream::Stream::new(settings, lane, seed, polymarket::stream::Mode::Live)
    }
}

impl FeedSource for Sources {
    fn feed(&self, venue: Venue, lane: Lane) -> Box<dyn Feed> {
        match (venue, self.kalshi) {
            (Venue::Kalshi, KalshiFeed::Stream) => Box::new(self.kalshi_stream(lane)),
            (Venue::Kalshi, KalshiFeed::Polling) => Box::new(Polled::default()),
            (Venue::Polymarket, _) => Box::new(self.polymarket_stream(lane)),
        }
    }

    fn markets_per_lane(&self, venue: Venue) -> usize {
        let count = match venue {
            Venue::Kalshi => self.settings.kalshi.markets_per_lane,
            Venue::Polymarket => self.settings.polymarket.tokens_per_lane / 2,
        };
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    fn books(
        &self,
        venue: Venue,
        body: &str,
        find: &dyn Fn(&str) -> Option<(MarketIndex, Lane)>,
        out: &mut Output,
    ) {
        match venue {
            Venue::Kalshi => kalshi_books(self.kalshi, body, find, out),
            Venue::Polymarket => polymarket_books(body, find, out),
        }
    }
}

fn strange(out: &mut Output, error: &Error) {
    out.notices.push(Notice::Strange { lane: Lane(0), what: error.to_string() });
}

/// Without a stream the answer is the book; beside one it would say nothing, because Kalshi's REST
/// books carry no place in the order of the stream.
fn kalshi_books(
    feed: KalshiFeed,
    body: &str,
    find: &dyn Fn(&str) -> Option<(MarketIndex, Lane)>,
    out: &mut Output,
) {
    if feed == KalshiFeed::Stream {
        return;
    }
    match kalshi::parse::orderbooks(body) {
        Ok(books) => {
            for (ticker, levels) in books.found {
                if let Some((market, lane)) = find(&ticker) {
                    kalshi::parse::image(lane, market, &levels, &mut out.updates);
                }
            }
            for error in &books.refused {
                strange(out, error);
            }
        }
        Err(error) => strange(out, &error),
    }
}

/// The answer is a second opinion on the books that the stream keeps.
fn polymarket_books(
    body: &str,
    find: &dyn Fn(&str) -> Option<(MarketIndex, Lane)>,
    out: &mut Output,
) {
    let place = |token: &str| {
        let (market, _) = find(token)?;
        Some(polymarket::parse::Place { market, outcome: crate::domain::Outcome::Yes })
    };
    match polymarket::parse::books(body, &place) {
        Ok(books) => {
            out.updates.extend(books.found.iter().map(|book| Update::Reading(book.reading)));
            for error in &books.refused {
                strange(out, error);
            }
        }
        Err(error) => strange(out, &error),
    }
}

/// A feed without a connection: its books come as answers over REST.
#[derive(Debug, Default)]
struct Polled {
    markets: Vec<MarketIndex>,
}

impl Feed for Polled {
    fn handshake(&mut self, _: Timestamp) -> Result<Handshake, Error> {
        Err(Error::Key("books that are polled have no connection".to_owned()))
    }

    fn on_open(&mut self, _: Timestamp, _: &mut Output) {}

    fn on_text(&mut self, _: &str, _: Timestamp, _: &mut Output) {}

    fn on_ping(&mut self, _: Timestamp, _: &mut Output) {}

    fn on_closed(&mut self, _: &Closed, _: Timestamp, _: &mut Output) {}

    fn on_timer(&mut self, _: Timestamp, _: &mut Output) {}

    fn deadline(&self) -> Timestamp {
        Timestamp::MAX
    }

    fn watch(&mut self, wanted: &[Wanted], _: Timestamp, _: &mut Output) {
        self.markets.extend(wanted.iter().map(|wanted| wanted.market));
    }

    fn unwatch(&mut self, market: MarketIndex, _: Timestamp, out: &mut Output) {
        self.markets.retain(|other| *other != market);
        out.updates.push(Update::Lost { market, why: Loss::Unwatched });
    }

    fn resync(&mut self, _: MarketIndex, _: Timestamp, _: &mut Output) {}

    fn watched(&self) -> usize {
        self.markets.len()
    }
}

fn polymarket_settings(url: String) -> polymarket::stream::Settings {
    use polymarket::facts;
    polymarket::stream::Settings {
        url,
        ping_every: facts::PING_EVERY,
        pong_max: facts::PONG_MAX,
        image_deadline: Duration::from_secs(5),
        image_patience_max: Duration::from_secs(60),
        silence_max: Duration::from_mins(2),
        reconnect_planned: Duration::from_secs(1_200),
        backoff_first: Duration::from_millis(500),
        backoff_longest: Duration::from_secs(30),
        limited_wait: Duration::from_secs(10),
    }
}

/// The engine's settings out of the configuration.
pub fn engine_settings(settings: &Settings) -> engine::Settings {
    let detect = &settings.detect;
    engine::Settings {
        edge_min: detect.edge_min,
        profit_min: detect.profit_min,
        edge_max: detect.edge_max,
        mids_apart_max: detect.mids_apart_max,
        contracts_max: detect.contracts_max,
        grown_by_percent: detect.grown_by_percent,
        batch_open_max: detect.batch_open_max,
        gate: gate::Settings {
            kalshi_book_age_max: detect.kalshi_book_age_max,
            polymarket_book_age_max: detect.polymarket_book_age_max,
            feed_lag_max: detect.feed_lag_max,
            clock_offset_max: detect.clock_offset_max,
            near_close: detect.near_close,
            near_start: detect.near_start,
            fee_age_max: detect.fee_age_max,
        },
    }
}

/// Feeds that only take in frames of somebody else's capture.
#[derive(Debug, Clone, Copy)]
pub struct Captured {
    /// What jumps in Kalshi's sequence numbers mean.
    pub sequence: kalshi::stream::Sequence,
    /// The scale of Kalshi's NO levels.
    pub prices: PriceMode,
}

impl FeedSource for Captured {
    fn feed(&self, venue: Venue, lane: Lane) -> Box<dyn Feed> {
        match venue {
            Venue::Kalshi => Box::new(kalshi::Stream::passive(lane, self.prices, self.sequence)),
            Venue::Polymarket => {
                let settings = polymarket_settings(String::new());
                let mode = polymarket::stream::Mode::Replay;
                Box::new(polymarket::stream::Stream::new(settings, lane, 0, mode))
            }
        }
    }

    fn markets_per_lane(&self, _: Venue) -> usize {
        usize::MAX
    }

    fn books(
        &self,
        venue: Venue,
        body: &str,
        find: &dyn Fn(&str) -> Option<(MarketIndex, Lane)>,
        out: &mut Output,
    ) {
        if venue == Venue::Polymarket {
            polymarket_books(body, find, out);
        }
    }
}
