//! The process: how it starts, how it ends, and how it starts again.

use std::sync::OnceLock;

use crossbook::app::pipeline::{Input, Pipeline};
use crossbook::app::settings;
use crossbook::app::sources::{Credentials, KalshiFeed, Sources, engine_settings};
use crossbook::config::Settings;
use crossbook::domain::Venue;
use crossbook::exchange::catalogue::catalogue;
use crossbook::exchange::kalshi::keys::{Kind, generate};
use crossbook::exchange::kalshi::{Account, Scope};

use super::draw::{self, Script};
use super::run::{Event, Run};

const TODAY: &str = "2026-11-22";
const CONFIGURATION: &str = "[kalshi]\n\
    rest = \"http://127.0.0.1:9/trade-api/v2\"\nws = \"ws://127.0.0.1:9/trade-api/ws/v2\"\n\n\
    [polymarket]\nclob = \"http://127.0.0.1:10\"\ngamma = \"http://127.0.0.1:11\"\n\
    data = \"http://127.0.0.1:12\"\nws = \"ws://127.0.0.1:10/ws\"\nconversions = \"venue\"\n\n";
const LEGS: [&str; 4] = ["polymarket-first", "kalshi-first", "concurrent", "thin-first"];
/// Small limits that bind, and ones that leave room for more at once.
const LIMITS: [&str; 2] = [
    "order = \"25\"\nmarket = \"60\"\npair = \"100\"\ntotal = \"240\"\n",
    "order = \"40\"\nmarket = \"200\"\npair = \"400\"\nevent = \"400\"\nstranded = \"120\"\n\
     unconfirmed = \"200\"\nopen_trades = 3\nloss_per_day = \"60\"\n",
];

/// The configuration of a run.
pub(super) fn settings(script: &Script) -> &'static Settings {
    static STYLES: OnceLock<Vec<Settings>> = OnceLock::new();
    let styles = STYLES.get_or_init(|| {
        let texts = (0..draw::STYLES).map(|style| {
            let (legs, limits) = (LEGS[style % 4], LIMITS[style / 4]);
            format!("{CONFIGURATION}[trade]\nlegs = \"{legs}\"\n\n[limits]\n{limits}")
        });
        texts.map(|text| settings::from_text("swarm", &text).unwrap()).collect()
    });
    &styles[script.style]
}

/// Which of Polymarket's hosts an address means.
pub(super) fn host_of(url: &str) -> &'static str {
    match url {
        url if url.contains("127.0.0.1:11") => "gamma",
        url if url.contains("127.0.0.1:12") => "data",
        _ => "clob",
    }
}

/// Kalshi's key: ours, and what the exchange keeps of it. What it is decides nothing.
pub(super) fn credentials() -> &'static (Credentials, Account) {
    static KEY: OnceLock<(Credentials, Account)> = OnceLock::new();
    KEY.get_or_init(|| {
        let key = generate(Kind::Ed25519, vec![Scope::Read, Scope::WriteTrade]).unwrap();
        let pem = secrecy::SecretString::from(key.pem.to_string());
        (Credentials { key_id: key.account.key_id.clone(), pem }, key.account)
    })
}

/// The mapping file of these questions.
fn mappings(questions: &[usize]) -> String {
    static DEMO: OnceLock<Vec<String>> = OnceLock::new();
    let entries = DEMO.get_or_init(|| {
        let root = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(root.join("mappings/demo.toml")).unwrap();
        text.split("[[pair]]").map(|entry| format!("[[pair]]{entry}")).collect()
    });
    let pairs = catalogue();
    let wanted = |entry: &&String| questions.iter().any(|at| entry.contains(&pairs[*at].kalshi));
    entries.iter().filter(wanted).map(String::as_str).collect()
}

impl Run {
    /// A new process reads its journal and begins.
    pub(super) fn restart(&mut self) {
        self.epoch += 1;
        let records = self.paper.reopen();
        self.log.write(self.now, || format!("start {} with {} records", self.epoch, records.len()));
        let settings = settings(&self.script);
        let sources = Sources::new(
            settings.clone(),
            KalshiFeed::Stream,
            Some(credentials().0.clone()),
            self.script.seed,
        );
        let today = TODAY.parse().unwrap();
        self.machine = Some(Pipeline::new(engine_settings(settings), Box::new(sources), today));
        let text = mappings(&self.script.questions);
        self.input(&Input::Mappings(&[("swarm.toml".to_owned(), text)]));
        for (venue, offset) in [(Venue::Kalshi, 3_000_000), (Venue::Polymarket, -4_000_000)] {
            self.input(&Input::Clock(venue, offset));
        }
    }

    /// The process is gone, with everything that it knew and had not written.
    pub(super) fn crash(&mut self) {
        self.log.write(self.now, || format!("the process {} ends", self.epoch));
        self.machine = None;
        self.end = None;
        self.paper.end_at(None);
        self.tasks.clear();
        for ends in std::mem::take(&mut self.lanes) {
            if let Some(connection) = ends.connection {
                self.queue(std::time::Duration::from_millis(2), Event::Gone(connection));
            }
        }
        self.queue(self.restart_after, Event::Restart);
    }
}
