//! `crossbook demo`: both embedded exchanges, connected to through the ordinary adapters.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use crate::app::args::Demo;
use crate::app::audit::{self, Side};
use crate::app::control::Door;
use crate::app::desk::Acceptance;
use crate::app::driver::Settle;
use crate::app::embedded::{Embedded, Setup, Troubles};
use crate::app::exit::{Exit, Misuse};
use crate::app::live::Plan;
use crate::app::report::{Reporter, Style};
use crate::app::shutdown::{self, Stop, Stopper};
use crate::app::trading::{Books, Trading};
use crate::app::wallet::Signer;
use crate::app::{mappings, settings};
use crate::domain::Venue;

use super::watch;

/// The pairs of the demo, for a machine without the file.
const MAPPINGS: &str = include_str!("../../../mappings/demo.toml");
const MAPPINGS_FILE: &str = "mappings/demo.toml";

/// What the last steps sent is still under way when they are done.
const LAST_FRAMES: Duration = Duration::from_millis(500);

/// Runs the command.
pub fn run(args: Demo) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(demo(args))
}

async fn demo(args: Demo) -> anyhow::Result<Exit> {
    if let Some(path) = args.journal.as_deref().filter(|path| path.exists()) {
        let text = "exists: the demo's exchanges know nothing of an earlier run, so that its \
                    journal must be a new one";
        return Err(Misuse(format!("`{}` {text}", path.display())).into());
    }
    let (stopper, stopping) = shutdown::channel();
    shutdown::on_signals(stopper.clone());
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
    let settings_text = embedded.configuration();
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
    let journal = tempfile::Builder::new().prefix("crossbook-journal-").tempdir()?;
    let path = args.journal.clone().unwrap_or_else(|| journal.path().join("demo.db"));
    let trading = match &credentials {
        Some(credentials) if !args.watch_only => {
            let books = Books::open(&path, settings.journal.durability)?;
            let accepted = Acceptance::Approved;
            let signer = Signer::read(&settings)?;
            let made =
                Trading::at_venues(&settings, books, credentials, signer, accepted, args.seed);
            Some(made.await?)
        }
        _ => None,
    };
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
        stopping,
    };
    let live = plan.start()?;
    end_by_itself(&embedded, args.seconds, args.steps, stopper);
    let finished = live.finished().await?;
    let steps = *embedded.running.steps_done.borrow();
    let mut extra = json!({
        "seed": args.seed, "steps": steps, "faults": embedded.faults(),
        "market_digest": embedded.running.digest(),
    });
    let mut equal = true;
    if let Some(trades) = audit::trades(&finished.pipeline) {
        extra["trades"] = trades;
        for venue in Venue::ALL {
            let statement = embedded.running.statement(venue);
            let Some(side) = Side::of(venue, &statement, &finished.pipeline) else { continue };
            equal &= side.is_equal();
            extra["ledger"][venue.name()] = side.record();
        }
    }
    let mut exit = watch::conclude(finished, extra);
    if !equal && exit == Exit::Done {
        tracing::error!("our ledger and an exchange's are apart: see `ledger` in the summary");
        exit = Exit::Failed;
    }
    let Embedded { running, .. } = embedded;
    running.stop().await;
    Ok(exit)
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

fn end_by_itself(embedded: &Embedded, seconds: Option<u64>, steps: Option<u64>, stopper: Stopper) {
    let mut done = embedded.running.steps_done.clone();
    tokio::spawn(async move {
        match (seconds, steps) {
            (Some(seconds), _) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            (None, Some(steps)) => {
                let _ = done.wait_for(|made| *made >= steps).await;
                tokio::time::sleep(LAST_FRAMES).await;
            }
            (None, None) => std::future::pending().await,
        }
        stopper.stop(Stop::Done);
    });
}
