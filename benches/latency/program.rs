//! The program under measurement: a live run as `crossbook` wires it, trading.

use std::io::Read as _;
use std::path::Path;

use crossbook::app::commands::watch;
use crossbook::app::desk::Acceptance;
use crossbook::app::driver::Settle;
use crossbook::app::live::Plan;
use crossbook::app::report::{Reporter, Style};
use crossbook::app::settings;
use crossbook::app::shutdown::{self, Stop};
use crossbook::app::trading::{Books, Trading, embedded_folder};
use crossbook::app::wallet::Signer;
use crossbook::journal::{Account, Claim};

use crate::stages::Stamps;

const MAPPINGS: &str = include_str!("../../mappings/demo.toml");

/// Trades until its standard input ends.
pub(crate) fn run(config: &Path, journal: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let stamps = Stamps::listen();
    runtime.block_on(trade(config, journal));
    stamps.tell();
}

async fn trade(config: &Path, journal: &Path) {
    let settings_text = std::fs::read_to_string(config).unwrap();
    let settings = settings::from_text("latency", &settings_text).unwrap();
    let credentials = watch::credentials(&settings).unwrap();
    let known = credentials.as_ref().unwrap();
    let account = Account::Embedded { kalshi_key: known.key_id.clone() };
    let (durability, locks) = (settings.journal.durability, embedded_folder(&settings));
    let books = Books::claim(journal, (&account, Claim::Same), durability, &locks).unwrap();
    let signer = Signer::read(&settings).unwrap();
    let trading = Trading::at_venues(&settings, books, known, signer, Acceptance::Approved, 1);
    let trading = Some(trading.await.unwrap());
    let (stopper, stopping) = shutdown::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        stopper.stop(Stop::Done);
    });
    let plan = Plan {
        settle: Settle::until_compared(&settings),
        settings,
        settings_text,
        credentials,
        seed: 1,
        reporter: Reporter::start(Style::Json).unwrap(),
        record: None,
        mappings: vec![("demo.toml".to_owned(), MAPPINGS.to_owned())],
        watching: None,
        trading,
        control: None,
        kill_file: None,
        stopping,
    };
    let finished = plan.start().unwrap().finished().await.unwrap();
    let _ = watch::conclude(finished, serde_json::json!({}));
}
