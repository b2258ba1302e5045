//! The embedded exchanges as commands start them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use crate::domain::Venue;
use crate::exchange::catalogue::catalogue;
use crate::exchange::faults::{self, Scheduled};
use crate::exchange::kalshi::Scope;
use crate::exchange::kalshi::keys::Kind;
use crate::exchange::polymarket::Polymarket;
use crate::exchange::serve::{self, Options, Ports, Running};
use crate::exchange::world::World;

use super::clock;
use super::exit::Misuse;

/// The time from one step of the agents to the next.
pub const STEP_EVERY: Duration = Duration::from_millis(50);

/// Faults are planned for a run of this many steps where the run has no end: ten hours.
const FAULT_STEPS: u64 = 720_000;

/// The first account of every Anvil and Hardhat test chain. Its key is printed in their manuals; it
/// is good for tests and for these exchanges, and for nothing that has value.
const TEST_WALLET_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/// What may be put at risk where nothing has value: more than the defaults, so that there is
/// something to see.
const DEMO_LIMITS: &str = "\
[trade]
loss_max = \"10\"
reconcile_every_s = 5
reconcile_grace_s = 2

[limits]
order = \"400\"
market = \"1500\"
pair = \"3000\"
event = \"3000\"
kalshi = \"8000\"
polymarket = \"8000\"
total = \"16000\"
unconfirmed = \"2000\"
stranded = \"1000\"
loss_per_day = \"200\"
open_trades = 4
orders_per_s = 20
";

/// Whether things are broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Troubles {
    /// Everything works.
    None,
    /// Faults of every kind that a watcher meets, drawn from the seed.
    Seeded,
    /// Those, and every kind that a trader meets.
    Trading,
    /// The same, and some of what is matched fails only minutes later: for exchanges that outlast
    /// their clients.
    Lasting,
}

/// How the exchanges are started.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Seed of the agents and the faults.
    pub seed: u64,
    /// How many steps the agents make; `None` for no end.
    pub steps: Option<u64>,
    /// How long the run lasts, where that is known: some faults come near the end.
    pub lasts: Option<Duration>,
    /// Whether things are broken on purpose.
    pub troubles: Troubles,
    /// The first of six ports, zero for any that are free.
    pub port: u16,
    /// How many images of books to keep for tests.
    pub images_max: usize,
}

/// The exchanges, and the folder that holds their client's keys.
#[derive(Debug)]
pub struct Embedded {
    /// The exchanges.
    pub running: Running,
    /// The folder; it goes when this goes.
    folder: tempfile::TempDir,
}

impl Embedded {
    /// Starts both exchanges and writes the keys into a fresh folder.
    pub async fn start(setup: &Setup) -> anyhow::Result<Self> {
        let world = World::new(setup.seed);
        let planned = setup.lasts.map(|lasts| faults::steps_of(lasts, STEP_EVERY));
        let steps = setup.steps.or(planned).unwrap_or(FAULT_STEPS);
        let faults: Vec<Scheduled> = match setup.troubles {
            Troubles::None => Vec::new(),
            Troubles::Seeded => faults::schedule(setup.seed, steps, &world),
            Troubles::Trading => faults::trading_schedule(setup.seed, steps, &world),
            Troubles::Lasting => {
                let mut faults = faults::trading_schedule(setup.seed, steps, &world);
                faults::fail_late(&mut faults, setup.seed);
                faults
            }
        };
        let options = Options {
            step_every: STEP_EVERY,
            steps: setup.steps,
            faults,
            ports: ports(setup.port)?,
            key: Kind::Ed25519,
            scopes: vec![Scope::Read, Scope::WriteTrade],
            clock: clock::now,
            images_max: setup.images_max,
        };
        let folder = tempfile::Builder::new()
            .prefix("crossbook-")
            .tempdir()
            .context("cannot make a folder for the state of this run")?;
        let running =
            serve::start(options, world, Box::new(Polymarket::new())).await.map_err(|error| {
                match std::error::Error::source(&error) {
                    Some(cause) => anyhow::anyhow!("{error}: {cause}"),
                    None => anyhow::anyhow!("{error}"),
                }
            })?;
        let embedded = Self { running, folder };
        write_secret(&embedded.kalshi_key_file(), &embedded.running.kalshi_key_pem)?;
        write_secret(&embedded.wallet_key_file(), TEST_WALLET_KEY)?;
        Ok(embedded)
    }

    /// Where the private half of the Kalshi key stands.
    pub fn kalshi_key_file(&self) -> PathBuf {
        self.folder.path().join("kalshi.pem")
    }

    /// Where the wallet key stands.
    pub fn wallet_key_file(&self) -> PathBuf {
        self.folder.path().join("wallet.key")
    }

    /// A configuration that points at these exchanges.
    pub fn configuration(&self) -> String {
        let running = &self.running;
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        format!(
            "[kalshi]\nrest = {}\nws = {}\nkey_id = {}\nkey_file = {}\n\
             order_group_contracts = 100000\nweekly_pause = \"none\"\n\n\
             [polymarket]\nclob = {}\ngamma = {}\ndata = {}\nws = {}\nsite = {}\n\
             wallet_key_file = {}\nconversions = \"venue\"\n\n{DEMO_LIMITS}",
            quoted(&running.kalshi_rest),
            quoted(&running.kalshi_ws),
            quoted(&running.kalshi_key_id),
            quoted(&self.kalshi_key_file().display().to_string()),
            quoted(&running.polymarket_clob),
            quoted(&running.polymarket_gamma),
            quoted(&running.polymarket_data),
            quoted(&running.polymarket_ws),
            quoted(&running.polymarket_clob),
            quoted(&self.wallet_key_file().display().to_string()),
        )
    }

    /// What a client of Kalshi needs.
    pub fn kalshi_record(&self) -> Value {
        let markets: Vec<_> = catalogue().into_iter().map(|pair| pair.kalshi).collect();
        json!({
            "kind": "exchange", "venue": "kalshi", "rest": self.running.kalshi_rest,
            "ws": self.running.kalshi_ws, "key_id": self.running.kalshi_key_id,
            "key_file": self.kalshi_key_file(), "markets": markets,
        })
    }

    /// What a client of Polymarket needs.
    pub fn polymarket_record(&self) -> Value {
        let world = World::new(0);
        let market = |listing: &crate::exchange::Listing| {
            json!({
                "condition": listing.id, "yes_token": listing.tokens.0,
                "no_token": listing.tokens.1, "title": listing.title,
            })
        };
        let markets: Vec<_> = world.floor(Venue::Polymarket).listings.iter().map(market).collect();
        json!({
            "kind": "exchange", "venue": "polymarket", "clob": self.running.polymarket_clob,
            "gamma": self.running.polymarket_gamma, "data": self.running.polymarket_data,
            "ws": self.running.polymarket_ws, "wallet_key_file": self.wallet_key_file(),
            "markets": markets,
        })
    }

    /// How often each kind of fault struck, for a summary.
    pub fn faults(&self) -> Value {
        let mut faults = Map::new();
        for ((venue, fault), count) in self.running.faults_done() {
            faults.insert(format!("{venue}_{fault}"), json!(count));
        }
        Value::Object(faults)
    }
}

fn ports(first: u16) -> anyhow::Result<Ports> {
    if first == 0 {
        return Ok(Ports::default());
    }
    let at = |offset: u16| {
        first
            .checked_add(offset)
            .ok_or_else(|| Misuse(format!("six ports from {first} on go beyond 65535")))
    };
    Ok(Ports {
        kalshi_rest: at(0)?,
        kalshi_ws: at(1)?,
        polymarket_clob: at(2)?,
        polymarket_gamma: at(3)?,
        polymarket_data: at(4)?,
        polymarket_ws: at(5)?,
    })
}

/// Writes a file that only its owner can read.
fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file =
        options.open(path).with_context(|| format!("cannot write `{}`", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write `{}`", path.display()))
}
