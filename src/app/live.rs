//! A live run: everything wired, started, and ended together.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::config::{Settings, Waiting};
use crate::record::Writer;
use crate::venue::{kalshi, polymarket};

use super::carrier::PaperStart;
use super::control::Asked;
use super::driver::{self, Finished, MESSAGES_MAX, Message, Parts, Settle};
use super::exit::Misuse;
use super::loader::{self, Clients, LOADS_MAX};
use super::pipeline::Pipeline;
use super::poll;
use super::report::Reporter;
use super::shutdown::Stopping;
use super::sources::{Credentials, KalshiFeed, Sources, engine_settings};
use super::trading::Trading;
use super::transcript::Transcript;
use super::{clock, killfile, mappings, tasks};

/// How often all facts are read again while the feeds tell of changes: Polymarket does not tell of
/// a pause.
const REFRESH: Duration = Duration::from_mins(10);

/// How often they are read again while Kalshi's books are polled.
const REFRESH_POLLED: Duration = Duration::from_mins(1);

/// What a live run needs.
#[derive(Debug)]
pub struct Plan {
    /// The settings.
    pub settings: Settings,
    /// The text they came from, for the recording.
    pub settings_text: String,
    /// A Kalshi key, if there is one.
    pub credentials: Option<Credentials>,
    /// Seed of every jitter.
    pub seed: u64,
    /// Where results are told.
    pub reporter: Reporter,
    /// Where to record to.
    pub record: Option<PathBuf>,
    /// Names and texts of the mapping files.
    pub mappings: Vec<(String, String)>,
    /// The files under watch, if they may change.
    pub watching: Option<mappings::Watching>,
    /// How it comes to rest when it is to end.
    pub settle: Settle,
    /// What it trades with; nothing where it only watches.
    pub trading: Option<Trading>,
    /// What is asked through the control socket.
    pub control: Option<mpsc::Receiver<Asked>>,
    /// The file whose appearance ends everything.
    pub kill_file: Option<PathBuf>,
    /// Hears of the end.
    pub stopping: Stopping,
}

/// A run that is under way.
#[derive(Debug)]
pub struct Live {
    thread: JoinHandle<std::io::Result<Finished>>,
    /// Both venues' REST clients.
    pub clients: Clients,
    /// Other parts tell the engine through this.
    pub messages: mpsc::Sender<Message>,
}

impl Plan {
    /// How Kalshi's books come.
    pub const fn kalshi_feed(&self) -> KalshiFeed {
        if self.credentials.is_some() { KalshiFeed::Stream } else { KalshiFeed::Polling }
    }

    /// Starts the run: the engine on a thread of its own, everything else on the runtime.
    pub fn start(self) -> anyhow::Result<Live> {
        let feed = self.kalshi_feed();
        // Orders' side asks much too, and both draw on what the key may read.
        let share = if self.trading.is_some() { SHARED_PERCENT } else { 100 };
        let clients = clients(&self.settings, self.credentials.as_ref(), self.seed, share)?;
        let recorder = self.record.as_deref().map(create).transpose()?;
        let today = clock::today();
        let sources = Sources::new(self.settings.clone(), feed, self.credentials, self.seed);
        let transcript = Transcript {
            settings: super::settings::for_recording(&self.settings_text)?,
            today: today.to_string(),
            kalshi_feed: feed.name(),
            seed: self.seed,
            private_lanes: self.trading.as_ref().map_or(0, Trading::private_lanes),
        };
        let (messages, received) = mpsc::channel(MESSAGES_MAX);
        let (loads, wanted) = mpsc::channel(LOADS_MAX);
        let ids = [Arc::new(ArcSwap::default()), Arc::new(ArcSwap::default())];
        let settings = self.settings;
        spawn_tasks(&settings, &clients, feed, &ids, &messages);
        tokio::spawn(loader::run(clients.clone(), wanted, messages.clone()));
        if let Some(path) = self.kill_file {
            tokio::spawn(killfile::watch(path, messages.clone()));
        }
        if let Some(watching) = self.watching {
            tokio::spawn(tasks::forward_mappings(watching, messages.clone()));
        }
        let (reporter, stopping, files) = (self.reporter, self.stopping, self.mappings);
        let trading = self.trading;
        if trading.is_some() {
            tokio::spawn(tasks::watch_schedule(clients.clone(), messages.clone()));
        }
        let is_awake = trading.is_some() && settings.trade.waiting == Waiting::Poll;
        let engine = engine_settings(&settings);
        let refresh = match feed {
            // Nothing but a new reading tells that a polled market was paused or its fee changed.
            KalshiFeed::Polling => REFRESH_POLLED,
            KalshiFeed::Stream => REFRESH.min(settings.detect.fee_age_max / 4),
        };
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || {
                // Feeds are not sent between threads: the machine is made where it runs.
                let mut pipeline = Pipeline::new(engine, Box::new(sources), today);
                let now = clock::now();
                let opened = trading.map(|trading| trading.open(&mut pipeline, now)).transpose();
                let opened = opened.map_err(std::io::Error::other)?;
                let is_polled = [feed == KalshiFeed::Polling, false];
                let paper = opened.as_ref().and_then(|opened| opened.paper.clone());
                let paper = paper.map(|start| PaperStart { is_polled, ..start });
                let parts = Parts {
                    pipeline,
                    reporter,
                    recorder,
                    transcript,
                    messages: received,
                    loads,
                    ids,
                    refresh,
                    is_awake,
                    settle: self.settle,
                    paper,
                    control: self.control,
                    stopping,
                };
                driver::run(parts, &files)
            })
            .context("cannot start the engine's thread")?;
        Ok(Live { thread, clients, messages })
    }
}

impl Live {
    /// Waits for the end.
    pub async fn finished(self) -> anyhow::Result<Finished> {
        let joined = Handle::current()
            .spawn_blocking(move || self.thread.join())
            .await
            .context("the engine's thread was lost")?;
        match joined {
            Ok(finished) => finished.context("the engine's thread failed"),
            Err(_) => anyhow::bail!("the engine stopped with an internal error"),
        }
    }
}

fn create(path: &Path) -> anyhow::Result<Writer> {
    Writer::create(path)
        .map_err(|error| Misuse(format!("cannot record into `{}`: {error}", path.display())).into())
}

/// Which part of the key's reads market facts may use while orders' side uses the rest.
const SHARED_PERCENT: u64 = 100 - kalshi::facts::ORDER_READS_PERCENT;

/// Both venues' REST clients; `kalshi_share_percent` is how much of what the key may read at Kalshi
/// is theirs.
pub fn clients(
    settings: &Settings,
    credentials: Option<&Credentials>,
    seed: u64,
    kalshi_share_percent: u64,
) -> anyhow::Result<Clients> {
    let signer = credentials.map(Credentials::signer).transpose()?;
    let kalshi = kalshi::rest::Settings {
        seed,
        unsigned_per_s: u64::from(settings.kalshi.poll_per_s),
        read_share_percent: kalshi_share_percent,
        fee_grain: settings.kalshi.fee_grain,
        ..kalshi::rest::Settings::new(settings.kalshi.rest.clone())
    };
    let polymarket = polymarket::rest::Settings {
        clob_url: settings.polymarket.clob.clone(),
        gamma_url: settings.polymarket.gamma.clone(),
        timeout: Duration::from_secs(10),
        backoff_first: Duration::from_millis(200),
        backoff_longest: Duration::from_secs(10),
        seed,
    };
    Ok(Clients {
        kalshi: Arc::new(kalshi::rest::Client::new(kalshi, signer)?),
        polymarket: Arc::new(polymarket::rest::Client::new(polymarket)?),
    })
}

fn spawn_tasks(
    settings: &Settings,
    clients: &Clients,
    feed: KalshiFeed,
    ids: &[poll::Ids; 2],
    messages: &mpsc::Sender<Message>,
) {
    let [kalshi_ids, polymarket_ids] = ids;
    if feed == KalshiFeed::Polling {
        let every = Duration::from_secs(1) / settings.kalshi.poll_per_s.max(1);
        tokio::spawn(poll::poll_kalshi(
            Arc::clone(&clients.kalshi),
            Arc::clone(kalshi_ids),
            every,
            messages.clone(),
        ));
    }
    tokio::spawn(poll::confirm_polymarket(
        Arc::clone(&clients.polymarket),
        Arc::clone(polymarket_ids),
        settings.polymarket.confirm_every,
        messages.clone(),
    ));
    tokio::spawn(tasks::compare_clocks(clients.clone(), messages.clone()));
    tokio::spawn(tasks::watch_exchange(clients.clone(), messages.clone()));
}
