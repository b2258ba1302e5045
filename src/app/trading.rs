//! What a run trades with: gateways or paper, private channels, the journal.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};

use crate::book::Lane;
use crate::config::{Conversions, Settings, WalletKind};
use crate::domain::{Timestamp, Venue};
use crate::engine::trade;
use crate::execute::{Record, reconcile};
use crate::journal::{Durability, Journal, Replay};
use crate::net::http::{self, Method};
use crate::venue::gateway::{Call, Gateway};
use crate::venue::polymarket::account::{self, Account};
use crate::venue::polymarket::gateway::Chain;
use crate::venue::polymarket::sign::hmac::Credentials as ApiKey;
use crate::venue::polymarket::sign::order::Wallet;
use crate::venue::{Feed, kalshi, paper, polymarket};

use super::carrier::PaperStart;
use super::clock;
use super::desk::{Acceptance, Desk, Rhythm};
use super::exit::Misuse;
use super::pipeline::Pipeline;
use super::sources::Credentials;

/// No new pair this long before a known pause of a venue.
const PAUSE_AHEAD: Duration = Duration::from_mins(10);
/// How long a venue is held not to take orders after it said so, at least.
const NOT_TRADABLE_MIN: Duration = Duration::from_secs(2);
/// How long making or finding an API key may take.
const KEY_MAX: Duration = Duration::from_secs(15);

/// Everything that a run needs beyond watching.
pub struct Trading {
    desk: Desk,
    channels: Vec<(Venue, Box<dyn Feed>)>,
    paper: Option<PaperStart>,
    acceptance: Acceptance,
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
    /// Opens the journal at `path`.
    pub fn open(path: &Path, durability: Durability) -> anyhow::Result<Self> {
        let opened = Journal::open(path, durability);
        let (journal, replay) =
            opened.map_err(|error| Misuse(format!("the journal cannot be used: {error}")))?;
        Ok(Self { journal, replay })
    }
}

impl Trading {
    /// Orders that are filled on this machine, against the live books.
    pub fn on_paper(settings: &Settings, books: Books) -> Self {
        let gateways: Vec<Box<dyn Gateway>> = Venue::ALL
            .into_iter()
            .map(|venue| Box::new(paper::Gateway::new(venue)) as Box<dyn Gateway>)
            .collect();
        let start = PaperStart {
            cash: [settings.paper.cash; 2],
            held: [Vec::new(), Vec::new()],
            latency: settings.paper.latency,
        };
        let mut trading = Self::new(settings, books, gateways, Vec::new(), Acceptance::Approved);
        trading.paper = Some(start);
        trading
    }

    /// Orders that go to the venues that the settings name.
    pub async fn at_venues(
        settings: &Settings,
        books: Books,
        credentials: &Credentials,
        acceptance: Acceptance,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let instance = books.journal.instance();
        let signer = credentials.signer().context("the Kalshi key is not usable")?;
        let at = kalshi::gateway::Settings::new(settings.kalshi.rest.clone(), instance);
        let kalshi = kalshi::Gateway::new(at, signer);
        let account = polymarket_account(settings).await?;
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
        let settings = trade::Settings {
            plan: settings.trade.plan.clone(),
            limits: settings.limits.clone(),
            execute: settings.trade.execute.clone(),
            pause_ahead: PAUSE_AHEAD,
            not_tradable_min: NOT_TRADABLE_MIN,
        };
        Self { desk, channels, paper: None, acceptance, settings, reconcile, journal, replay }
    }

    /// How many lanes the private channels take.
    pub fn private_lanes(&self) -> u16 {
        u16::try_from(self.channels.len()).unwrap_or(u16::MAX)
    }

    /// Puts the desk into the machine, and all that the journal holds.
    pub fn open(self, pipeline: &mut Pipeline, now: Timestamp) -> anyhow::Result<Opened> {
        pipeline.open_desk(self.desk, self.channels);
        pipeline.accept(self.acceptance);
        if self.paper.is_some() {
            pipeline.hold_shard(paper::SHARD);
        }
        let records = self.replay.records(|venue, id| pipeline.intern(venue, id));
        let history: Vec<Record> =
            records.collect::<Result<_, _>>().context("the journal cannot be read")?;
        pipeline.begin_trading(self.settings, self.reconcile, &history, now);
        Ok(Opened { paper: self.paper, journal: self.journal })
    }
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

/// The Polymarket account that the settings name; its API key follows from the wallet's, and is
/// made or found at the venue.
async fn polymarket_account(settings: &Settings) -> anyhow::Result<Account> {
    let wallet = &settings.polymarket.wallet;
    let Some(path) = &wallet.key_file else {
        let text = "no wallet key: name its file in CROSSBOOK_POLYMARKET_WALLET_KEY_FILE, or as \
                    `wallet_key_file` under [polymarket]";
        return Err(Misuse(text.to_owned()).into());
    };
    let key = wallet_key(Path::new(path))?;
    let api_key = api_key(&settings.polymarket.clob, &key).await?;
    let kind = match wallet.kind {
        WalletKind::Eoa => Wallet::Eoa,
        WalletKind::Proxy => Wallet::Proxy,
        WalletKind::Safe => Wallet::Safe,
        WalletKind::Deposit => Wallet::Deposit,
    };
    let made = Account::new(key, kind, wallet.address.as_deref(), api_key);
    Ok(made.map_err(|error| Misuse(format!("the wallet is not usable: {error}")))?)
}

fn wallet_key(path: &Path) -> anyhow::Result<polymarket::sign::Key> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Misuse(format!("cannot read the wallet key file `{}`: {error}", path.display()))
    })?;
    super::commands::watch::check_mode(path);
    let text = SecretString::from(text);
    let key = polymarket::sign::Key::from_hex(text.expose_secret().trim());
    Ok(key.map_err(|error| {
        Misuse(format!("the wallet key file `{}` is not usable: {error}", path.display()))
    })?)
}

/// Finds the API key of a wallet, or makes one where there is none yet.
async fn api_key(clob: &str, key: &polymarket::sign::Key) -> anyhow::Result<ApiKey> {
    let client = http::Client::new(KEY_MAX).context("cannot prepare requests")?;
    let now = clock::now();
    let found = send(&client, account::derive_api_key(clob, key, 0, now)).await?;
    if let Ok(found) = account::parse_api_key(&found.body) {
        return Ok(found);
    }
    let made = send(&client, account::create_api_key(clob, key, 0, now)).await?;
    account::parse_api_key(&made.body).map_err(|error| {
        anyhow::anyhow!("polymarket gave no API key (HTTP {}): {error}", made.status)
    })
}

async fn send(client: &http::Client, call: Call) -> anyhow::Result<http::Answer> {
    let method = Method::from_bytes(call.method.as_bytes()).ok();
    let call = http::Call { url: call.url, headers: call.headers, json: call.body, method };
    client.send(call).await.context("polymarket's API key could not be asked for")
}
