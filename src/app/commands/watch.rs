//! `crossbook watch`: alert-only on the real venues.
//!
//! Builds no order gateway and never loads a wallet key; a Kalshi key is used for reading only.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use secrecy::SecretString;
use serde_json::json;

use crate::app::args::Watch;
use crate::app::driver::{Finished, Message, Settle};
use crate::app::exit::{Exit, Misuse};
use crate::app::live::Plan;
use crate::app::report::{Reporter, Style};
use crate::app::shutdown::{self, Stop};
use crate::app::sources::Credentials;
use crate::app::{clock, mappings, settings, start_log};
use crate::config::{Overrides, Settings};
use crate::pairing::{Standing, check_files};
use crate::venue;
use crate::venue::kalshi::rest::KeyScope;

/// Runs the command.
pub fn run(args: Watch, log: Option<String>) -> anyhow::Result<Exit> {
    let overrides = Overrides {
        kalshi_key_id: std::env::var("CROSSBOOK_KALSHI_KEY_ID").ok(),
        kalshi_key_file: std::env::var("CROSSBOOK_KALSHI_KEY_FILE").ok(),
        wallet_key_file: None,
        mappings_dir: args.mappings.as_ref().map(|dir| dir.display().to_string()),
        log_level: log,
    };
    let (settings, text) = settings::from_file(args.config.as_deref(), &overrides)?;
    start_log(settings.log.level)?;
    let credentials = credentials(&settings)?;
    let dir = PathBuf::from(&settings.mappings.dir);
    let files = mappings::read_live(&dir).map_err(|error| {
        let hint = "--mappings names another, and mappings/README.md tells what belongs into it";
        Misuse(format!("{error:#}; {hint}"))
    })?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(watch(args, settings, text, credentials, dir, files))
}

/// The Kalshi key that the configuration or the environment names, checked.
pub fn credentials(settings: &Settings) -> anyhow::Result<Option<Credentials>> {
    let Some(key) = &settings.kalshi.key else { return Ok(None) };
    let pem = std::fs::read_to_string(&key.file).map_err(|error| {
        Misuse(format!("cannot read the Kalshi key file `{}`: {error}", key.file))
    })?;
    check_mode(Path::new(&key.file));
    let credentials = Credentials { key_id: key.id.clone(), pem: SecretString::from(pem) };
    if let Err(error) = credentials.signer() {
        let why = match error {
            venue::Error::Key(why) => why,
            other => other.to_string(),
        };
        return Err(
            Misuse(format!("the Kalshi key file `{}` is not usable: {why}", key.file)).into()
        );
    }
    Ok(Some(credentials))
}

/// A private key that others can read is a mistake worth a word.
#[cfg(unix)]
pub fn check_mode(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let open = std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0);
    if open {
        tracing::warn!("`{}` can be read by others; chmod 600 it", path.display());
    }
}

#[cfg(not(unix))]
pub fn check_mode(_: &Path) {}

async fn watch(
    args: Watch,
    settings: Settings,
    settings_text: String,
    credentials: Option<Credentials>,
    dir: PathBuf,
    files: Vec<(String, String)>,
) -> anyhow::Result<Exit> {
    let (stopper, stopping) = shutdown::channel();
    shutdown::on_signals(stopper.clone());
    if let Some(seconds) = args.seconds {
        let stopper = stopper.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            stopper.stop(Stop::Done);
        });
    }
    let style = if args.json { Style::Json } else { Style::People };
    let mut reporter = Reporter::start(style)?;
    reporter.note("alert-only: crossbook watches and places no orders");
    if !has_pairs(&files) {
        let dir = dir.display();
        reporter.note(&format!(
            "there is no pair to watch in `{dir}`: mappings/README.md tells how to write one; the \
             folder is read again when a file in it changes"
        ));
    }
    let has_key = credentials.is_some();
    if !has_key {
        reporter.note(&without_key(&settings));
    }
    let plan = Plan {
        settle: Settle::NONE,
        settings,
        settings_text,
        credentials,
        seed: clock::now().nanos().unsigned_abs(),
        reporter,
        record: args.record,
        mappings: files,
        watching: Some(mappings::watch(&dir, mappings::read_live)?),
        trading: None,
        control: None,
        kill_file: None,
        stopping,
    };
    let live = plan.start()?;
    if has_key {
        let (messages, clients) = (live.messages.clone(), live.clients.clone());
        tokio::spawn(async move {
            if let Some(text) = key_note(clients.kalshi.key_scope().await) {
                let _ = messages.send(Message::Note(text)).await;
            }
        });
    }
    let finished = live.finished().await?;
    Ok(conclude(finished, json!({})))
}

pub(super) fn has_pairs(files: &[(String, String)]) -> bool {
    let checked = check_files(files, clock::today());
    checked.pairs.iter().any(|pair| pair.standing != Standing::Suspended)
}

pub(super) fn without_key(settings: &Settings) -> String {
    let rate = settings.kalshi.poll_per_s;
    let limit = settings.detect.kalshi_book_age_max.as_millis();
    format!(
        "no Kalshi key: its WebSocket asks for one, so its public books are polled, {rate} \
         request(s) a second for up to 100 markets each. A book is as old as the last time its \
         turn came, and makes no edge beyond {limit} ms. The facts of a market take up to five \
         requests more, once. Set CROSSBOOK_KALSHI_KEY_ID and CROSSBOOK_KALSHI_KEY_FILE (a key \
         with read scope is enough) to stream"
    )
}

fn key_note(scope: Result<KeyScope, venue::Error>) -> Option<String> {
    match scope {
        Ok(KeyScope::CanTrade) => Some(
            "this Kalshi key could also trade; it is used for reading only. A key with read scope \
             would be enough"
                .to_owned(),
        ),
        Ok(KeyScope::ReadOnly) => None,
        Ok(KeyScope::Unknown) => Some("what this Kalshi key may do is not known".to_owned()),
        Err(error) => Some(format!("what this Kalshi key may do could not be read: {error}")),
    }
}

/// Writes the summary and says how the run ended. `extra` is added to the summary.
pub fn conclude(finished: Finished, extra: serde_json::Value) -> Exit {
    let Finished { stop, mut reporter, pipeline, recorded } = finished;
    let counters = pipeline.engine().counters();
    let mut summary = json!({
        "kind": "summary",
        "updates": pipeline.engine().books().updates(),
        "frames": pipeline.frames(),
        "pairs": pipeline.engine().pairs(),
        "opportunities": {"opened": counters.opened, "closed": counters.closed},
        "rejections": Reporter::rejections(&pipeline),
        "feeds": reporter.feeds(&pipeline),
        "resyncs": reporter.resyncs(),
        "lost_lines": reporter.lost(),
        "digest": pipeline.digest(),
    });
    if let (Some(summary), serde_json::Value::Object(extra)) = (summary.as_object_mut(), extra) {
        summary.extend(extra);
    }
    let text = people_summary(&summary);
    reporter.say(&summary, &text);
    reporter.finish();
    if let Err(error) = &recorded {
        tracing::error!("the recording failed: {error}");
        return Exit::Failed;
    }
    stop.exit()
}

/// What trading came to, for people.
fn people_trades(summary: &serde_json::Value) -> String {
    let trades = &summary["trades"];
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut text = format!(
        "{} trades of {} orders, fees ${}, earned for good ${}, locked until settlement ${}\n",
        trades["opened"],
        trades["orders"],
        word(&trades["fees"]),
        word(&trades["realised"]),
        word(&trades["locked_profit"]),
    );
    for (title, map) in
        [("trades:", &trades["states"]), ("edges that were not traded:", &trades["not_traded"])]
    {
        let Some(map) = map.as_object().filter(|map| !map.is_empty()) else { continue };
        text.push_str(&format!("{title}\n"));
        for (name, count) in map {
            text.push_str(&format!("  {:<24} {count}\n", name.replace('_', " ")));
        }
    }
    for left in trades["left"].as_array().into_iter().flatten() {
        text.push_str(&people_left(left));
    }
    for (venue, side) in summary["ledger"].as_object().into_iter().flatten() {
        let verdict = if side["equal"] == true { "equal" } else { "APART" };
        text.push_str(&format!(
            "{venue:<12} our ledger ${}, the exchange's ${}: {verdict}\n",
            word(&side["cash"]),
            word(&side["cash_at_exchange"]),
        ));
        for apart in side["positions_apart"].as_array().into_iter().flatten() {
            text.push_str(&format!(
                "             {} {} of {}, the exchange has {}\n",
                word(&apart["ours"]),
                word(&apart["outcome"]),
                word(&apart["market"]),
                word(&apart["theirs"]),
            ));
        }
    }
    text
}

/// One thing that is neither locked nor over.
fn people_left(left: &serde_json::Value) -> String {
    let word = |key: &str| left[key].as_str().unwrap_or_default();
    if left["dust"].is_null() {
        return format!("left: {} is {}: {}\n", word("trade"), word("state"), word("why"));
    }
    let (dust, market) = (word("dust"), word("market"));
    format!("left: {dust} contracts at {} in {market}, less than it takes\n", word("venue"))
}

fn people_summary(summary: &serde_json::Value) -> String {
    let mut text = format!(
        "\n{} updates, {} opportunities opened, {} closed\n",
        summary["updates"], summary["opportunities"]["opened"], summary["opportunities"]["closed"],
    );
    let section = |text: &mut String, title: &str, value: &serde_json::Value| {
        let Some(map) = value.as_object().filter(|map| !map.is_empty()) else { return };
        text.push_str(title);
        text.push('\n');
        for (name, count) in map {
            text.push_str(&format!("  {:<24} {count}\n", name.replace('_', " ")));
        }
    };
    section(
        &mut text,
        "why there was no edge (looks at a direction of a pair):",
        &summary["rejections"],
    );
    section(&mut text, "faults:", &summary["faults"]);
    if summary["trades"].is_object() {
        text.push_str(&people_trades(summary));
    }
    if let Some(digest) = summary["market_digest"].as_str() {
        text.push_str(&format!("market history {digest}\n"));
    }
    text.push_str(&format!("decisions      {}\n", summary["digest"].as_str().unwrap_or_default()));
    text
}
