//! `crossbook demo`: both embedded exchanges, connected to through the ordinary adapters.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::app::args::Demo;
use crate::app::audit::{self, Side};
use crate::app::control::Door;
use crate::app::desk::Acceptance;
use crate::app::driver::{Finished, Settle};
use crate::app::embedded::{Embedded, Setup, Troubles};
use crate::app::exit::{Exit, Misuse};
use crate::app::live::Plan;
use crate::app::report::{Reporter, Style};
use crate::app::shutdown::{self, Stop, Stopper};
use crate::app::sources::Credentials;
use crate::app::trading::{Books, Trading, embedded_folder};
use crate::app::wallet::Signer;
use crate::app::{killfile, mappings, settings};
use crate::config::Settings;
use crate::domain::Venue;
use crate::journal::{Account, Claim};
use crate::net::http;

use super::watch;

/// The pairs of the demo, for a machine without the file.
const MAPPINGS: &str = include_str!("../../../mappings/demo.toml");
const MAPPINGS_FILE: &str = "mappings/demo.toml";

/// What the last steps sent is still under way when they are done.
const LAST_FRAMES: Duration = Duration::from_millis(500);
/// How long another process may take to say where its exchanges are.
const CARD_MAX: Duration = Duration::from_secs(5);

/// Where the exchanges are.
enum Exchanges {
    /// In this process.
    Own(Box<Embedded>),
    /// In a process of their own, at this address.
    Other(String),
}

/// Runs the command.
pub fn run(args: Demo) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(demo(args))
}

async fn demo(args: Demo) -> anyhow::Result<Exit> {
    let own = args.venues.is_none();
    if let Some(path) = args.journal.as_deref().filter(|path| own && path.exists()) {
        let text = "exists: the demo's exchanges know nothing of an earlier run, so that its \
                    journal must be a new one";
        return Err(Misuse(format!("`{}` {text}", path.display())).into());
    }
    let (stopper, stopping) = shutdown::channel();
    shutdown::on_signals(stopper.clone());
    let (exchanges, settings_text) = exchanges(&args).await?;
    let settings = settings::from_text("demo", &settings_text)?;
    let credentials = watch::credentials(&settings)?;
    let style = if args.json { Style::Json } else { Style::People };
    let mut reporter = Reporter::start(style)?;
    reporter.note(if args.watch_only {
        "two embedded exchanges on this machine, connected to through the ordinary adapters; \
         nothing leaves it. Alert-only: no orders are placed. Ctrl-C ends it"
    } else {
        "two embedded exchanges on this machine, connected to and traded on through the \
         ordinary adapters; nothing leaves it, and nothing there has value. Ctrl-C ends it"
    });
    let file = PathBuf::from(MAPPINGS_FILE);
    let folder = tempfile::Builder::new().prefix("crossbook-journal-").tempdir()?;
    let journal = args.journal.clone().unwrap_or_else(|| folder.path().join("demo.db"));
    let kill_file = killfile::path(&settings, &journal);
    killfile::refuse(&kill_file)?;
    let trading = trading(&args, &settings, credentials.as_ref(), &journal).await?;
    let mut door = args.journal.as_deref().map(Door::open).transpose()?;
    let plan = Plan {
        settle: Settle::until_compared(&settings),
        settings,
        settings_text,
        credentials,
        seed: args.seed,
        reporter,
        record: args.record,
        mappings: read_mappings(&file)?,
        watching: watch_mappings(&file)?,
        trading,
        control: door.as_mut().and_then(|door| door.asked.take()),
        kill_file: args.journal.as_ref().map(|_| kill_file),
        stopping,
    };
    let live = plan.start()?;
    end_by_itself(&exchanges, args.seconds, args.steps, stopper);
    let finished = live.finished().await?;
    let exit = conclude(&exchanges, args.seed, finished).await;
    if let Exchanges::Own(embedded) = exchanges {
        embedded.running.stop().await;
    }
    Ok(exit)
}

/// Starts the exchanges, or asks where they are; with them comes a client's configuration.
async fn exchanges(args: &Demo) -> anyhow::Result<(Exchanges, String)> {
    if let Some(url) = &args.venues {
        let url = url.trim_end_matches('/').to_owned();
        if !["http://127.0.0.1:", "http://localhost:"].iter().any(|own| url.starts_with(own)) {
            let text =
                format!("`{url}` is not on this machine: --venues takes an address of `sim`");
            return Err(Misuse(text).into());
        }
        let card = fetch(&format!("{url}/embedded/card")).await.map_err(|error| {
            Misuse(format!("no exchanges at {url}: {error:#}; `crossbook sim` starts them"))
        })?;
        return Ok((Exchanges::Other(url), card));
    }
    let setup = Setup {
        seed: args.seed,
        steps: args.steps,
        lasts: args.seconds.map(Duration::from_secs),
        troubles: match (args.faults, args.watch_only) {
            (false, _) => Troubles::None,
            (true, true) => Troubles::Seeded,
            (true, false) => Troubles::Trading,
        },
        port: 0,
        images_max: 0,
    };
    let embedded = Embedded::start(&setup).await?;
    let configuration = embedded.configuration();
    Ok((Exchanges::Own(Box::new(embedded)), configuration))
}

async fn fetch(url: &str) -> anyhow::Result<String> {
    let client = http::Client::new(CARD_MAX)?;
    let answer = client.send(http::Call { url: url.to_owned(), ..http::Call::default() }).await?;
    anyhow::ensure!(answer.status == 200, "HTTP {}", answer.status);
    Ok(answer.body)
}

async fn trading(
    args: &Demo,
    settings: &Settings,
    credentials: Option<&Credentials>,
    journal: &Path,
) -> anyhow::Result<Option<Trading>> {
    let Some(credentials) = credentials.filter(|_| !args.watch_only) else { return Ok(None) };
    let account = Account::Embedded { kalshi_key: credentials.key_id.clone() };
    let locks = embedded_folder(settings);
    let durability = settings.journal.durability;
    let books = Books::claim(journal, (&account, Claim::Same), durability, &locks)?;
    let accepted = Acceptance::Approved;
    let signer = Signer::read(settings)?;
    let seed = args.seed;
    let made = Trading::at_venues(settings, books, credentials, signer, accepted, seed);
    Ok(Some(made.await?))
}

/// Writes the summary; a ledger that is not the exchanges' own is a failure.
async fn conclude(exchanges: &Exchanges, seed: u64, finished: Finished) -> Exit {
    let mut extra = json!({"seed": seed});
    if let Exchanges::Own(embedded) = exchanges {
        extra["steps"] = json!(*embedded.running.steps_done.borrow());
        extra["faults"] = embedded.faults();
        extra["market_digest"] = json!(embedded.running.digest());
    }
    let mut equal = true;
    if let Some(trades) = audit::trades(&finished.pipeline) {
        extra["trades"] = trades;
        let statements = statements(exchanges).await;
        for venue in Venue::ALL {
            let side = Side::of(venue, &statements[venue.name()], &finished.pipeline);
            equal &= side.as_ref().is_some_and(Side::is_equal);
            extra["ledger"][venue.name()] = side.map_or(Value::Null, |side| side.record());
        }
    }
    let exit = watch::conclude(finished, extra);
    if !equal && exit == Exit::Done {
        tracing::error!("our ledger and an exchange's are apart: see `ledger` in the summary");
        return Exit::Failed;
    }
    exit
}

async fn statements(exchanges: &Exchanges) -> Value {
    match exchanges {
        Exchanges::Own(embedded) => embedded.running.statements(),
        Exchanges::Other(url) => {
            let text = fetch(&format!("{url}/embedded/statement")).await;
            text.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
        }
    }
}

fn read_mappings(file: &Path) -> anyhow::Result<Vec<(String, String)>> {
    if file.exists() {
        return Ok(vec![mappings::read_file(file)?]);
    }
    Ok(vec![(MAPPINGS_FILE.to_owned(), MAPPINGS.to_owned())])
}

fn watch_mappings(file: &Path) -> anyhow::Result<Option<mappings::Watching>> {
    let Some(dir) = file.parent().filter(|_| file.exists()) else { return Ok(None) };
    let only_demo = |_: &Path| read_mappings(Path::new(MAPPINGS_FILE));
    mappings::watch(dir, only_demo).map(Some)
}

fn end_by_itself(
    exchanges: &Exchanges,
    seconds: Option<u64>,
    steps: Option<u64>,
    stopper: Stopper,
) {
    let done = match exchanges {
        Exchanges::Own(embedded) => Some(embedded.running.steps_done.clone()),
        Exchanges::Other(_) => None,
    };
    tokio::spawn(async move {
        match (seconds, steps, done) {
            (Some(seconds), ..) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            (None, Some(steps), Some(mut done)) => {
                let _ = done.wait_for(|made| *made >= steps).await;
                tokio::time::sleep(LAST_FRAMES).await;
            }
            (None, ..) => std::future::pending().await,
        }
        stopper.stop(Stop::Done);
    });
}
