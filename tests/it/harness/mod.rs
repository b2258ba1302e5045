//! The whole watch system on virtual time, without sockets.
//!
//! One thread, one seed: the embedded exchanges on one side, the machine of feeds and engine on the
//! other, and wires in memory between them. Everything a socket does is an event with a time.

mod arithmetic;
pub(crate) mod client;
pub(crate) mod clock;
mod hall;
mod oracle;
mod traffic;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbook::app::pipeline::{Input, Pipeline};
use crossbook::app::settings;
use crossbook::app::sources::{Credentials, KalshiFeed, Sources, engine_settings};
use crossbook::app::transcript::Transcript;
use crossbook::book::Lane;
use crossbook::config::Settings;
use crossbook::domain::market::Status;
use crossbook::domain::{Market, MarketIndex, Timestamp, Venue};
use crossbook::exchange::faults::Scheduled;
use crossbook::exchange::kalshi::Scope;
use crossbook::exchange::kalshi::keys::{Kind, generate};
use crossbook::exchange::{Connection, Reply};
use crossbook::record::{Line, Writer};
use crossbook::venue::Handshake;
use crossbook::venue::kalshi::rest::Client;

use client::Carrier;
use hall::{Hall, STEP_EVERY};
use oracle::{Limits, Oracle};
use wire::Millis;

pub(crate) use hall::at;
pub(crate) use oracle::Tally;

const START: &str = "2026-11-22T00:00:00Z";
const TODAY: &str = "2026-11-22";
const CONFIGURATION: &str = "[kalshi]\n\
    rest = \"http://127.0.0.1:9/trade-api/v2\"\nws = \"ws://127.0.0.1:9/trade-api/ws/v2\"\n\n\
    [polymarket]\nclob = \"http://127.0.0.1:9\"\ngamma = \"http://127.0.0.1:9\"\n\
    data = \"http://127.0.0.1:9\"\nws = \"ws://127.0.0.1:9/ws\"\n";
/// Frames taken in at once, as the driver does it.
const DRAIN_MAX: usize = 256;
/// Kalshi's books are asked for this often without a key.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// A timer that is due again at once more often than this goes round in circles.
const TIMERS_AT_ONCE_MAX: usize = 64;

/// How a run is set up.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) faults: Vec<Scheduled>,
    pub(crate) feed: KalshiFeed,
    /// How long frames and requests are under way, in milliseconds.
    pub(crate) latency: Millis,
    /// How often a frame comes alone although its batch is under way.
    pub(crate) torn_per_mille: u64,
    pub(crate) record: Option<PathBuf>,
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let feed = KalshiFeed::Stream;
        Self { seed, faults: Vec::new(), feed, latency: (1, 30), torn_per_mille: 150, record: None }
    }

    /// The machine that a replay of this run's recording starts with.
    pub(crate) fn replay_machine(&self) -> Pipeline {
        let settings = settings::from_text("recording", CONFIGURATION).unwrap();
        let engine = engine_settings(&settings);
        let sources = Sources::new(settings, self.feed, None, self.seed);
        Pipeline::new(engine, Box::new(sources), TODAY.parse().unwrap())
    }
}

/// What happens at its time besides timers, wires and requests.
enum Event {
    Dial(Lane, Handshake),
    Opened(Lane, Connection),
    Refused(Lane, Reply),
    Frame(Connection, String),
    Gone(Connection),
    Step,
    Tick,
    Confirm,
    Poll,
}

/// What a task over REST found out.
enum Outcome {
    Market(Box<Market>),
    NoMarket(Venue, String),
    Books(Venue, String),
    NoBooks,
}

type Task = Pin<Box<dyn Future<Output = Outcome>>>;

/// Our end of a lane.
#[derive(Debug, Clone, Copy)]
struct Ends {
    connection: Option<Connection>,
    /// Frames to the server keep their order.
    up_due: Timestamp,
}

/// The machine, the exchanges, and everything that is under way between them.
pub(crate) struct Rig {
    pub(crate) pipeline: Pipeline,
    hall: Arc<Mutex<Hall>>,
    settings: Settings,
    feed: KalshiFeed,
    kalshi: Arc<Client<Carrier<Hall>>>,
    now: Timestamp,
    events: BTreeMap<(Timestamp, u64), Event>,
    queued: u64,
    lanes: Vec<Ends>,
    tasks: Vec<Task>,
    oracle: Oracle,
    stepping: bool,
    recorder: Option<(Writer, Transcript)>,
    drains: u64,
    synced: [Timestamp; 2],
    /// The longest time without a moment at which all books of a venue were the exchange's.
    pub(crate) unsynced_max: [Duration; 2],
}

impl Rig {
    pub(crate) fn new(plan: &Plan) -> Self {
        let now = Timestamp::parse(START).unwrap();
        clock::start(now);
        let key = generate(Kind::Ed25519, vec![Scope::Read]).unwrap();
        let credentials = Credentials {
            key_id: key.account.key_id.clone(),
            pem: secrecy::SecretString::from(key.pem.to_string()),
        };
        let settings = settings::from_text("virtual", CONFIGURATION).unwrap();
        let mut hall = Hall::new(plan.seed, key.account, plan.faults.clone(), plan.latency);
        let listings = [Venue::Kalshi, Venue::Polymarket]
            .map(|venue| hall.world.floor(venue).listings.clone());
        hall.wires.torn_per_mille = plan.torn_per_mille;
        let hall = Arc::new(Mutex::new(hall));
        let signed = plan.feed == KalshiFeed::Stream;
        let signer = signed.then(|| credentials.signer().unwrap());
        let sources =
            Sources::new(settings.clone(), plan.feed, signed.then_some(credentials), plan.seed);
        let detect = &settings.detect;
        let limits = Limits {
            fresh: [detect.kalshi_book_age_max, detect.polymarket_book_age_max],
            unseen_max: Duration::from_secs(8),
        };
        let pipeline =
            Pipeline::new(engine_settings(&settings), Box::new(sources), TODAY.parse().unwrap());
        let kalshi = client::kalshi(&hall, signer);
        let mut rig = Self {
            pipeline,
            hall,
            settings,
            feed: plan.feed,
            kalshi,
            now,
            events: BTreeMap::new(),
            queued: 0,
            lanes: Vec::new(),
            tasks: Vec::new(),
            oracle: Oracle::new(format!("seed {}", plan.seed), limits, listings),
            stepping: true,
            recorder: plan.record.as_ref().map(|path| {
                let transcript = Transcript {
                    settings: CONFIGURATION.to_owned(),
                    today: TODAY.to_owned(),
                    kalshi_feed: plan.feed.name(),
                    seed: plan.seed,
                    private_lanes: 0,
                };
                (Writer::create(path).unwrap(), transcript)
            }),
            drains: 0,
            synced: [now; 2],
            unsynced_max: [Duration::ZERO; 2],
        };
        rig.begin();
        rig
    }

    fn begin(&mut self) {
        if let Some((writer, transcript)) = &mut self.recorder {
            writer.write(&transcript.start(self.now.nanos()));
        }
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(root.join("mappings/demo.toml")).unwrap();
        self.input(&Input::Mappings(&[("demo.toml".to_owned(), text)]));
        for (venue, offset) in [(Venue::Kalshi, 3_000_000), (Venue::Polymarket, -4_000_000)] {
            self.input(&Input::Clock(venue, offset));
        }
        self.follow_wishes();
        for event in [Event::Tick, Event::Step] {
            self.queue(STEP_EVERY, event);
        }
        self.queue(self.settings.polymarket.confirm_every, Event::Confirm);
        if self.feed == KalshiFeed::Polling {
            self.queue(POLL_EVERY, Event::Poll);
        }
    }

    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.oracle.tally
    }

    pub(crate) fn world_digest(&self) -> String {
        self.hall.lock().unwrap().world.digest()
    }

    fn index(&self, venue: Venue, market: usize) -> Option<MarketIndex> {
        let id = self.hall.lock().unwrap().world.floor(venue).listings[market].id.clone();
        self.pipeline.registry().find(venue, &id)
    }

    /// What was read of a market.
    pub(crate) fn facts(&self, venue: Venue, market: usize) -> Option<&Market> {
        self.pipeline.registry().get(self.index(venue, market)?)?.facts()
    }

    /// Whether the engine holds a market to take orders.
    pub(crate) fn status(&self, venue: Venue, market: usize) -> Option<Status> {
        let slot = self.pipeline.engine().books().get(self.index(venue, market)?)?;
        slot.facts.as_ref().map(|facts| facts.status)
    }

    /// Lets the agents make so many steps.
    pub(crate) fn steps(&mut self, count: u64) {
        let goal = self.hall.lock().unwrap().steps + count;
        while self.hall.lock().unwrap().steps < goal {
            self.advance();
        }
    }

    /// Stops the agents and waits until every book is the exchange's; `None` if that takes longer
    /// than `patience`.
    pub(crate) fn come_to_rest(&mut self, patience: Duration) -> Option<Duration> {
        self.stepping = false;
        let from = self.now;
        while self.now.since(from) <= patience {
            self.advance();
            let quiet = self.hall.lock().unwrap().wires.is_quiet();
            if quiet && Venue::ALL.into_iter().all(|venue| self.is_synced(venue)) {
                return Some(self.now.since(from));
            }
        }
        None
    }

    /// Ends the recording, if there is one.
    pub(crate) fn finish_recording(&mut self) {
        let Some((writer, _)) = self.recorder.take() else { return };
        let (t, digest) = (self.now.nanos(), self.pipeline.digest().into());
        // A recorder that fell behind says so here.
        writer.finish(|complete| Line::End { t, digest, complete }).unwrap();
    }

    /// Whether all books of a venue were the exchange's a moment ago.
    pub(crate) fn was_synced(&self, venue: Venue) -> bool {
        self.now.since(self.synced[at(venue)]) <= 2 * STEP_EVERY
    }

    fn is_synced(&self, venue: Venue) -> bool {
        let hall = self.hall.lock().unwrap();
        self.oracle.is_synced(venue, hall.books(venue), &self.pipeline)
    }

    /// Goes on to the next moment at which anything happens, and does all of it.
    fn advance(&mut self) {
        let next = self.events.first_key_value().map_or(Timestamp::MAX, |((due, _), _)| *due);
        let wires = self.hall.lock().unwrap().wires.next_due();
        let timers = self.timers().map(|(_, due)| due).min().unwrap_or(Timestamp::MAX);
        self.now = next.min(wires).min(timers).min(clock::next_wake()).max(self.now);
        clock::set(self.now);
        self.fire_timers();
        self.poll_tasks();
        for place in 0..self.lanes.len() {
            self.deliver(place);
        }
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= self.now)
        {
            let event = entry.remove();
            self.happen(event);
        }
    }

    fn timers(&self) -> impl Iterator<Item = (Lane, Timestamp)> + '_ {
        self.pipeline.lanes().map(|(lane, _)| (lane, self.pipeline.deadline(lane)))
    }

    fn fire_timers(&mut self) {
        for _ in 0..TIMERS_AT_ONCE_MAX {
            let Some((lane, _)) = self.timers().find(|(_, due)| *due <= self.now) else { return };
            self.input(&Input::Timer(lane));
            self.follow_wishes();
        }
        panic!("a feed's timer is due again and again at {}", self.now);
    }

    fn queue(&mut self, after: Duration, event: Event) {
        self.queue_at(self.now.after(after), event);
    }

    fn queue_at(&mut self, due: Timestamp, event: Event) {
        self.queued += 1;
        self.events.insert((due, self.queued), event);
    }

    /// Gives the machine an input, and judges what it says to it.
    fn input(&mut self, input: &Input<'_>) {
        if let Some((writer, transcript)) = &mut self.recorder {
            let venue = |lane: Lane| self.pipeline.venue_of(lane);
            let line = transcript.line(input, self.now, self.drains, venue);
            writer.write(&line.unwrap());
        }
        self.drains += u64::from(matches!(input, Input::Drained));
        self.pipeline.handle(input, self.now);
        self.oracle.hear(&mut self.pipeline);
    }
}
