//! What a run trades with: gateways or paper, private channels, the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::book::Lane;
use crate::config::{Conversions, Settings};
use crate::domain::{Outcome, Timestamp, Venue};
use crate::engine::trade;
use crate::execute::{Line, Record, reconcile};
use crate::journal::{Account as Owner, Claim, Durability, Journal, Replay};
use crate::venue::gateway::Gateway;
use crate::venue::polymarket::account::Account;
use crate::venue::polymarket::gateway::Chain;
use crate::venue::{Feed, kalshi, paper, polymarket};

use super::carrier::PaperStart;
use super::clock;
use super::desk::{Acceptance, Desk, Rhythm};
use super::exit::Misuse;
use super::pipeline::Pipeline;
use super::sources::Credentials;
use super::terms::Terms;
use super::wallet::Signer;

/// No new pair this long before a known pause of a venue.
const PAUSE_AHEAD: Duration = Duration::from_mins(10);
/// How long a venue is held not to take orders after it said so, at least.
const NOT_TRADABLE_MIN: Duration = Duration::from_secs(2);

/// Everything that a run needs beyond watching.
pub struct Trading {
    desk: Desk,
    channels: Vec<(Venue, Box<dyn Feed>)>,
    paper: Option<PaperStart>,
    acceptance: Acceptance,
    terms: BTreeMap<String, Terms>,
    settings: trade::Settings,
    reconcile: reconcile::Settings,
    journal: Journal,
    replay: Replay,
}

impl std::fmt::Debug for Trading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trading").field("desk", &self.desk).finish_non_exhaustive()
    }
}

/// The journal of a run, open, with what it held.
#[derive(Debug)]
pub struct Books {
    journal: Journal,
    replay: Replay,
}

impl Books {
    /// Opens the journal at `path`, which is this account's and no other's, as nobody else trades
    /// for the account.
    pub fn claim(
        path: &Path,
        account: (&Owner, Claim),
        durability: Durability,
        locks: &Path,
    ) -> anyhow::Result<Self> {
        let opened = Journal::open_for(path, account, durability, locks);
        let (journal, replay) =
            opened.map_err(|error| Misuse(format!("the journal cannot be used: {error}")))?;
        Ok(Self { journal, replay })
    }
}

/// The folder that all traders of this user share, where the locks of accounts lie.
pub fn state_folder() -> Result<PathBuf, Misuse> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|at| at.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
    state.map(|state| state.join("crossbook")).ok_or_else(|| {
        Misuse("neither XDG_STATE_HOME nor HOME says where the locks of accounts lie".to_owned())
    })
}

/// The folder for the locks of accounts at embedded exchanges: where their keys lie. Both are gone
/// when the exchanges are.
pub fn embedded_folder(settings: &Settings) -> PathBuf {
    let file = settings.kalshi.key.as_ref().map(|key| Path::new(&key.file));
    file.and_then(Path::parent).map_or_else(std::env::temp_dir, Path::to_owned)
}

impl Trading {
    /// Orders that are filled on this machine, against the live books. `live` are the fingerprints
    /// that were accepted for live trading.
    pub fn on_paper(settings: &Settings, books: Books, live: BTreeSet<String>) -> Self {
        let merges = match settings.polymarket.conversions {
            Conversions::User => paper::Merges::ByUser,
            Conversions::Venue => paper::Merges::ByVenue,
        };
        let gateways: Vec<Box<dyn Gateway>> = Venue::ALL
            .into_iter()
            .map(|venue| Box::new(paper::Gateway::new(venue, merges)) as Box<dyn Gateway>)
            .collect();
        let start = PaperStart {
            cash: [settings.paper.cash; 2],
            held: [Vec::new(), Vec::new()],
            latency: settings.paper.latency,
            is_polled: [false; 2],
        };
        let mut trading =
            Self::new(settings, books, gateways, Vec::new(), Acceptance::OnPaper(live));
        trading.paper = Some(start);
        trading
    }

    /// Orders that go to the venues that the settings name.
    pub async fn at_venues(
        settings: &Settings,
        books: Books,
        credentials: &Credentials,
        signer: Signer,
        acceptance: Acceptance,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let instance = books.journal.instance();
        let own = credentials.signer().context("the Kalshi key is not usable")?;
        let at = kalshi::gateway::Settings {
            order_group_contracts: settings.kalshi.order_group_contracts,
            ..kalshi::gateway::Settings::new(settings.kalshi.rest.clone(), instance)
        };
        let kalshi = kalshi::Gateway::new(at, own);
        let account = signer.account(settings).await?;
        let channels = channels(settings, credentials, &account, seed)?;
        let polymarket = polymarket::Gateway::new(account, instance, polymarket_at(settings));
        let gateways: Vec<Box<dyn Gateway>> = vec![Box::new(kalshi), Box::new(polymarket)];
        Ok(Self::new(settings, books, gateways, channels, acceptance))
    }

    fn new(
        settings: &Settings,
        books: Books,
        gateways: Vec<Box<dyn Gateway>>,
        channels: Vec<(Venue, Box<dyn Feed>)>,
        acceptance: Acceptance,
    ) -> Self {
        let Books { journal, replay } = books;
        let rhythm =
            Rhythm { reconcile_every: settings.trade.reconcile_every, ..Rhythm::default() };
        let desk = Desk::new(gateways, Box::new(journal.clone()), rhythm, clock::now());
        let reconcile = settings.trade.reconcile.clone();
        let settings = engine_trading(settings);
        let terms = BTreeMap::new();
        Self {
            desk,
            channels,
            paper: None,
            acceptance,
            terms,
            settings,
            reconcile,
            journal,
            replay,
        }
    }

    /// Holds accepted pairs to what held when they were accepted.
    pub fn holding_to(mut self, terms: BTreeMap<String, Terms>) -> Self {
        self.terms = terms;
        self
    }

    /// How many lanes the private channels take.
    pub fn private_lanes(&self) -> u16 {
        u16::try_from(self.channels.len()).unwrap_or(u16::MAX)
    }

    /// Puts the desk into the machine, and all that the journal holds.
    pub fn open(mut self, pipeline: &mut Pipeline, now: Timestamp) -> anyhow::Result<Opened> {
        pipeline.open_desk(self.desk, self.channels);
        pipeline.accept(self.acceptance);
        pipeline.hold_to(self.terms);
        if self.paper.is_some() {
            pipeline.hold_shard(paper::SHARD);
        }
        pipeline.number_from(self.replay.next_intent, self.replay.next_trade);
        let marks = std::mem::take(&mut self.replay.marks);
        let records = self.replay.records(|venue, id| pipeline.intern(venue, id));
        let history: Vec<Record> =
            records.collect::<Result<_, _>>().context("the journal cannot be read")?;
        pipeline.begin_trading(self.settings, self.reconcile, &history, now);
        if let Some(desk) = pipeline.desk_mut() {
            desk.resume_from(&marks);
        }
        let paper = self.paper.map(|start| restored(start, pipeline));
        Ok(Opened { paper, journal: self.journal })
    }
}

/// How the engine trades by these settings.
pub fn engine_trading(settings: &Settings) -> trade::Settings {
    trade::Settings {
        plan: settings.trade.plan.clone(),
        limits: settings.limits.clone(),
        execute: settings.trade.execute.clone(),
        pause_ahead: PAUSE_AHEAD,
        weekly_pause: settings.kalshi.weekly_pause,
        not_tradable_min: NOT_TRADABLE_MIN,
        polymarket_answer: settings.trade.polymarket_answer,
    }
}

/// Paper accounts as the journal left them: what is configured is only what they begin with.
fn restored(mut start: PaperStart, pipeline: &Pipeline) -> PaperStart {
    let Some(trader) = pipeline.engine().trader() else { return start };
    let ledger = trader.executor().state().ledger();
    for (at, venue) in Venue::ALL.into_iter().enumerate() {
        let cash = ledger.cash(venue);
        if cash.lines.contains_key(&Line::Opening) {
            start.cash[at] = cash.total();
        }
        for (_, market) in ledger.markets().filter(|(of, _)| *of == venue) {
            for outcome in [Outcome::Yes, Outcome::No] {
                let held = ledger.held(market, outcome);
                if !held.is_zero() {
                    start.held[at].push((market, outcome, held));
                }
            }
        }
    }
    start
}

/// What stays outside the machine.
#[derive(Debug)]
pub struct Opened {
    /// Paper accounts, where orders do not leave this machine.
    pub paper: Option<PaperStart>,
    /// The journal, held open.
    pub journal: Journal,
}

fn polymarket_at(settings: &Settings) -> polymarket::gateway::Settings {
    let own = &settings.polymarket;
    let (chain, data_lag) = match own.conversions {
        Conversions::User => (Chain::Polygon, polymarket::facts::DATA_LAG),
        // The embedded exchange answers from its own books.
        Conversions::Venue => (Chain::Embedded, Duration::ZERO),
    };
    polymarket::gateway::Settings {
        clob_url: own.clob.clone(),
        data_url: own.data.clone(),
        site_url: own.site.clone(),
        chain,
        data_lag,
        post_only_lasts: polymarket::facts::POST_ONLY_LASTS,
    }
}

fn channels(
    settings: &Settings,
    credentials: &Credentials,
    account: &Account,
    seed: u64,
) -> anyhow::Result<Vec<(Venue, Box<dyn Feed>)>> {
    let url = settings.kalshi.ws.clone();
    let own = kalshi::private::Settings {
        silence_max: settings.kalshi.silence_max,
        seed,
        ..kalshi::private::Settings::new(url, Lane(0))
    };
    let kalshi = kalshi::private::Private::new(own, credentials.signer()?);
    let own = polymarket::private::Settings {
        url: settings.polymarket.ws.clone(),
        ping_every: settings.polymarket.ping_every,
        pong_max: polymarket::facts::PONG_MAX,
        reconnect_planned: settings.polymarket.reconnect_planned,
        backoff_first: Duration::from_millis(500),
        backoff_longest: Duration::from_secs(30),
        limited_wait: Duration::from_secs(10),
    };
    let polymarket = polymarket::private::Private::new(own, Lane(1), seed ^ (1 << 32), account);
    Ok(vec![(Venue::Kalshi, Box::new(kalshi)), (Venue::Polymarket, Box::new(polymarket))])
}
