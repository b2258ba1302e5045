//! `crossbook trade`: the approved pairs, on paper or with money.
//!
//! On paper no wallet key is read and no order leaves this machine. Live refuses to start unless
//! everything that it needs is there, says what it may spend, and even then trades nothing before
//! the journal and both venues agree and both venues said that the account may trade.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use crate::app::args::Trade;
use crate::app::control::Door;
use crate::app::desk::Acceptance;
use crate::app::driver::Settle;
use crate::app::exit::{Exit, Misuse};
use crate::app::live::Plan;
use crate::app::report::{Reporter, Style};
use crate::app::shutdown::{self, Stop};
use crate::app::sources::Credentials;
use crate::app::terms::Terms;
use crate::app::trading::{Books, Trading, state_folder};
use crate::app::wallet::Signer;
use crate::app::{audit, clock, killfile, mappings, settings, standing, start_log};
use crate::config::{Mode, Overrides, Settings};
use crate::engine::trade::Trader;
use crate::execute::Scope;
use crate::journal::{self, Account, Claim};
use crate::risk::Limits;

use super::watch;

/// Everything that was read before anything is opened or connected.
struct Ready {
    settings: Settings,
    settings_text: String,
    credentials: Option<Credentials>,
    /// What orders are signed with; nothing on paper.
    signer: Option<Signer>,
    /// Fingerprints of the pairs that were accepted for live trading.
    accepted: BTreeSet<String>,
    /// What held when they were.
    terms: BTreeMap<String, Terms>,
    journal: PathBuf,
    dir: PathBuf,
    files: Vec<(String, String)>,
}

/// Runs the command.
pub fn run(args: Trade, log: Option<String>) -> anyhow::Result<Exit> {
    let var = |name: &str| std::env::var(name).ok();
    let overrides = Overrides {
        kalshi_key_id: var("CROSSBOOK_KALSHI_KEY_ID"),
        kalshi_key_file: var("CROSSBOOK_KALSHI_KEY_FILE"),
        wallet_key_file: var("CROSSBOOK_POLYMARKET_WALLET_KEY_FILE").filter(|_| args.live),
        mappings_dir: args.mappings.as_ref().map(|dir| dir.display().to_string()),
        log_level: log,
    };
    let (settings, settings_text) = settings::from_file(args.config.as_deref(), &overrides)?;
    start_log(settings.log.level)?;
    let ready = ready(&args, settings, settings_text)?;
    if args.live {
        write!(std::io::stderr(), "{}", warning(&ready.settings.limits))?;
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(trade(args, ready))
}

/// The fingerprints that were accepted, and what held then. What cannot be read was not accepted.
fn sort(all: Vec<journal::Acceptance>) -> (BTreeSet<String>, BTreeMap<String, Terms>) {
    let (mut accepted, mut known) = (BTreeSet::new(), BTreeMap::new());
    for one in all {
        let terms = serde_json::from_str(&one.terms).ok().as_ref().and_then(Terms::read);
        let Some(terms) = terms else {
            tracing::warn!(
                "pair {0}: its acceptance does not hold what the venues said then; `crossbook \
                 pairs accept {0}` accepts it again",
                one.pair
            );
            continue;
        };
        known.insert(one.fingerprint.clone(), terms);
        accepted.insert(one.fingerprint);
    }
    (accepted, known)
}

fn ready(args: &Trade, settings: Settings, settings_text: String) -> anyhow::Result<Ready> {
    let kept = &settings.journal;
    let own = Path::new(if args.live { &kept.path } else { &kept.paper_path });
    let journal = args.journal.clone().unwrap_or_else(|| own.to_owned());
    // What was accepted for live trading stands in the journal of live trading.
    let accepted_in = if args.live { journal.as_path() } else { Path::new(&kept.path) };
    let accepted = journal::accepted(accepted_in)
        .map_err(|error| Misuse(format!("the journal cannot be used: {error}")))?;
    let (accepted, terms) = sort(accepted);
    if args.live {
        complete(&settings, &accepted)?;
    }
    let credentials = watch::credentials(&settings)?;
    let signer = if args.live { Some(Signer::read(&settings)?) } else { None };
    let dir = PathBuf::from(&settings.mappings.dir);
    let files = mappings::read_live(&dir).map_err(|error| {
        let hint = "--mappings names another, and mappings/README.md tells what belongs into it";
        Misuse(format!("{error:#}; {hint}"))
    })?;
    Ok(Ready { settings, settings_text, credentials, signer, accepted, terms, journal, dir, files })
}

/// Whether everything is there that live trading needs; all that is missing is told at once.
fn complete(settings: &Settings, accepted: &BTreeSet<String>) -> Result<(), Misuse> {
    let mut missing = Vec::new();
    if settings.trade.mode != Mode::Live {
        missing.push("`mode = \"live\"` under [trade] in the configuration (--config)");
    }
    if settings.kalshi.key.is_none() {
        missing.push(
            "a Kalshi key that may trade: CROSSBOOK_KALSHI_KEY_ID and CROSSBOOK_KALSHI_KEY_FILE",
        );
    }
    if settings.polymarket.wallet.key_file.is_none() {
        missing.push(
            "a wallet key: CROSSBOOK_POLYMARKET_WALLET_KEY_FILE, or `wallet_key_file` under \
             [polymarket]",
        );
    }
    if accepted.is_empty() {
        missing.push("a pair that was accepted on this machine: `crossbook pairs accept ID`");
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Misuse(format!("live trading needs, and does not have,\n  - {}", missing.join("\n  - "))))
}

/// What live trading may spend, and what everybody should know who does it.
fn warning(limits: &Limits) -> String {
    let [kalshi, polymarket] = limits.venues;
    let lines = [
        ("one order", limits.order),
        ("one market", limits.market),
        ("one pair", limits.pair),
        ("one event", limits.event),
        ("kalshi", kalshi),
        ("polymarket", polymarket),
        ("everything", limits.total),
        ("matched, not yet confirmed", limits.unconfirmed),
        ("standing alone at once", limits.stranded),
        ("lost in a day (UTC)", limits.loss_per_day),
        ("left as dust", limits.dust_total),
    ];
    let mut text =
        "LIVE: orders go to Kalshi and Polymarket and spend money. At most, in dollars with fees:\n"
            .to_owned();
    for (name, amount) in lines {
        let _ = writeln!(text, "  {name:<28} {:>16}", amount.to_string());
    }
    let (trades, orders) = (limits.open_trades, limits.orders_per_second);
    let _ = writeln!(text, "  trades under way {trades}, orders a second {orders}");
    text.push_str(
        "Contracts with the same title are not always the same contract: both legs can lose.\n\
         Kalshi is for people in the United States and some other countries, the global \
         Polymarket\nis closed to them and to others: to most people both together are not open. \
         Nothing here\nworks around that. Ctrl-C brings what is under way to rest and ends; a \
         second one ends at once.\n",
    );
    text
}

async fn trade(args: Trade, ready: Ready) -> anyhow::Result<Exit> {
    let (stopper, stopping) = shutdown::channel();
    shutdown::on_signals(stopper.clone());
    if let Some(seconds) = args.seconds {
        let stopper = stopper.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            stopper.stop(Stop::Done);
        });
    }
    let seed = clock::now().nanos().unsigned_abs();
    let Ready { settings, settings_text, credentials, signer, .. } = ready;
    let Ready { accepted, terms, journal, dir, files, .. } = ready;
    let kill_file = killfile::path(&settings, &journal);
    killfile::refuse(&kill_file)?;
    let trading = match (&credentials, signer) {
        (Some(credentials), Some(signer)) => {
            let wallet = signer.holder(&settings);
            let account = Account::Live { wallet, kalshi_key: credentials.key_id.clone() };
            let claim = if args.new_kalshi_key { Claim::NewKalshiKey } else { Claim::Same };
            let (durability, locks) = (settings.journal.durability, state_folder()?);
            let books = Books::claim(&journal, (&account, claim), durability, &locks)?;
            let accepted = Acceptance::Fingerprints(accepted);
            Trading::at_venues(&settings, books, credentials, signer, accepted, seed).await?
        }
        _ => {
            let (account, locks) = ((&Account::Paper, Claim::Same), Path::new(""));
            let books = Books::claim(&journal, account, settings.journal.durability, locks)?;
            Trading::on_paper(&settings, books, accepted)
        }
    };
    let mut door = Door::open(&journal)?;
    let style = if args.json { Style::Json } else { Style::People };
    let mut reporter = Reporter::start(style)?;
    introduce(&mut reporter, &args, &settings, &files, &dir);
    if credentials.is_none() {
        reporter.note(&watch::without_key(&settings));
    }
    let plan = Plan {
        settle: Settle { patience: settings.trade.settle, rest: Duration::ZERO },
        settings,
        settings_text,
        credentials,
        seed,
        reporter,
        record: None,
        mappings: files,
        watching: Some(mappings::watch(&dir, mappings::read_live)?),
        trading: Some(trading.holding_to(terms)),
        control: door.asked.take(),
        kill_file: Some(kill_file),
        stopping,
    };
    let finished = plan.start()?.finished().await?;
    let extra = json!({
        "mode": if args.live { "live" } else { "paper" },
        "journal": journal,
        "trades": audit::trades(&finished.pipeline),
        "standing": standing::record(&finished.pipeline),
    });
    let is_halted = |trader: &Trader| trader.risk().is_halted(&Scope::All);
    let is_halted = finished.pipeline.engine().trader().is_some_and(is_halted);
    let exit = watch::conclude(finished, extra);
    Ok(if exit == Exit::Done && is_halted { Exit::Halted } else { exit })
}

fn introduce(
    reporter: &mut Reporter,
    args: &Trade,
    settings: &Settings,
    files: &[(String, String)],
    dir: &Path,
) {
    if args.live {
        reporter.note("live: orders go to both venues and spend money");
    } else {
        let cash = settings.paper.cash;
        reporter.note(&format!(
            "on paper: orders are filled on this machine against the real books, from ${cash} at \
             each venue in the beginning; nothing is spent. What rests in a queue, and what others \
             do because of an order, is not simulated"
        ));
    }
    if !watch::has_pairs(files) {
        let dir = dir.display();
        reporter.note(&format!(
            "there is no pair to trade in `{dir}`: mappings/README.md tells how to write one; the \
             folder is read again when a file in it changes"
        ));
    }
}
