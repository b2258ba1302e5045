//! The process: how it starts, how it ends, and how it starts again.

use std::sync::OnceLock;
use std::time::Duration;

use secrecy::SecretString;

use crossbook::app::desk::{Acceptance, Desk, Rhythm};
use crossbook::app::pipeline::{Input, Pipeline};
use crossbook::app::settings;
use crossbook::app::sources::{self, KalshiFeed, Sources, engine_settings};
use crossbook::book::Lane;
use crossbook::config::Settings;
use crossbook::domain::{Money, Venue};
use crossbook::engine::trade;
use crossbook::exchange::catalogue::{Paired, catalogue, listings};
use crossbook::exchange::kalshi::keys::{Kind, generate};
use crossbook::exchange::kalshi::{Account, Scope};
use crossbook::exchange::polymarket::{self as theirs, ApiKey};
use crossbook::execute::Record;
use crossbook::venue::gateway::Gateway;
use crossbook::venue::polymarket::sign::hmac::Credentials;
use crossbook::venue::polymarket::sign::order::Wallet as WalletKind;
use crossbook::venue::{Feed, kalshi, polymarket};

use crate::harness::at;
use crate::harness::client::KALSHI_REST;

use super::draw::{self, Purse, Script};
use super::paper::Paper;
use super::run::{Event, Run};

/// The first account of every Anvil and Hardhat test chain.
const TEST_WALLET_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const KALSHI_WS: &str = "ws://127.0.0.1:9/trade-api/ws/v2";
const TODAY: &str = "2026-11-22";
const CONFIGURATION: &str = "[kalshi]\n\
    rest = \"http://127.0.0.1:9/trade-api/v2\"\nws = \"ws://127.0.0.1:9/trade-api/ws/v2\"\n\n\
    [polymarket]\nclob = \"http://127.0.0.1:10\"\ngamma = \"http://127.0.0.1:11\"\n\
    data = \"http://127.0.0.1:12\"\nws = \"ws://127.0.0.1:10/ws\"\nconversions = \"venue\"\n\n";
/// How far behind the last whole reading the next one begins: shorter than a run, so that a start
/// depends on what the journal says was read.
const OVERLAP: Duration = Duration::from_secs(5);
const LEGS: [&str; 4] = ["polymarket-first", "kalshi-first", "concurrent", "thin-first"];
/// Contracts of one opportunity.
const SIZES: [u32; 2] = [20, 28];
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
            let size = SIZES[style / 4];
            let entry = if [1, 6].contains(&style) { "whole" } else { "partial" };
            let hold = if [3, 5].contains(&style) { "never" } else { "allowed" };
            format!(
                "{CONFIGURATION}[detect]\ncontracts_max = {size}\n\n\
                 [trade]\nlegs = \"{legs}\"\nreconcile_every_s = 10\nreconcile_grace_s = 5\n\
                 entry = \"{entry}\"\nhold = \"{hold}\"\n\n\
                 [limits]\n{limits}"
            )
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
pub(super) fn credentials(kind: Kind) -> &'static (sources::Credentials, Account) {
    static KEYS: [OnceLock<(sources::Credentials, Account)>; 2] = [const { OnceLock::new() }; 2];
    KEYS[usize::from(kind == Kind::Rsa)].get_or_init(|| {
        let key = generate(kind, vec![Scope::Read, Scope::WriteTrade]).unwrap();
        let pem = SecretString::from(key.pem.to_string());
        (sources::Credentials { key_id: key.account.key_id.clone(), pem }, key.account)
    })
}

/// Where a deposit wallet is; the key's own account is where its key says.
const DEPOSIT_WALLET: [u8; 20] = [0xd5; 20];

/// The wallet at Polymarket, as its exchange knows it.
pub(super) fn wallet_there(purse: Purse, collateral: Money) -> theirs::Wallet {
    let own = theirs::Wallet { collateral, ..theirs::Wallet::default() };
    match purse {
        Purse::Own => own,
        Purse::Deposit => theirs::Wallet {
            funder: theirs::Address(DEPOSIT_WALLET),
            kind: theirs::WalletKind::Deposit,
            ..own
        },
    }
}

/// A venue's event of a question.
pub(super) fn event(venue: Venue, question: usize) -> &'static str {
    static EVENTS: OnceLock<[Vec<String>; 2]> = OnceLock::new();
    let events = EVENTS.get_or_init(|| {
        Venue::ALL.map(|venue| listings(venue).into_iter().map(|listing| listing.event).collect())
    });
    &events[at(venue)][question]
}

/// The catalogue of the embedded exchanges.
pub(super) fn pairs() -> &'static [Paired] {
    static PAIRS: OnceLock<Vec<Paired>> = OnceLock::new();
    PAIRS.get_or_init(catalogue)
}

/// The mapping file of these questions.
fn mappings(questions: &[usize]) -> String {
    static DEMO: OnceLock<Vec<String>> = OnceLock::new();
    let entries = DEMO.get_or_init(|| {
        let root = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(root.join("mappings/demo.toml")).unwrap();
        text.split("[[pair]]").map(|entry| format!("[[pair]]{entry}")).collect()
    });
    let wanted = |entry: &&String| questions.iter().any(|at| entry.contains(&pairs()[*at].kalshi));
    entries.iter().filter(wanted).map(String::as_str).collect()
}

/// Polymarket's account: a wallet of every test chain's first key, and an API key of its exchange.
fn wallet(key: &ApiKey, purse: Purse) -> polymarket::account::Account {
    let secret = |text: &str| SecretString::from(text.to_owned());
    let (api_secret, phrase) = (secret(&key.secret), secret(&key.passphrase));
    let credentials = Credentials::new(&key.key, api_secret, phrase).unwrap();
    let signer = polymarket::sign::Key::from_hex(TEST_WALLET_KEY).unwrap();
    let deposit = theirs::Address(DEPOSIT_WALLET).to_string();
    let (kind, maker) = match purse {
        Purse::Own => (WalletKind::Eoa, None),
        Purse::Deposit => (WalletKind::Deposit, Some(deposit.as_str())),
    };
    polymarket::account::Account::new(signer, kind, maker, credentials).unwrap()
}

impl Run {
    /// A new process reads its journal and begins.
    pub(super) fn restart(&mut self) {
        self.epoch += 1;
        self.watch.began = self.now;
        (self.watch.is_killed, self.watch.has_opened) = (false, false);
        self.watch.rested.clear();
        self.reread_journal();
        if let Some(end) = self.end_again.take() {
            self.end_at(end);
        }
        let (now, settings) = (self.now, settings(&self.script));
        let sources = Sources::new(
            settings.clone(),
            KalshiFeed::Stream,
            Some(credentials(self.script.key).0.clone()),
            self.script.seed,
        );
        let today = TODAY.parse().unwrap();
        let mut machine = Pipeline::new(engine_settings(settings), Box::new(sources), today);
        let mut replay = self.paper.reopen(self.script.seed);
        machine.open_desk(self.desk(), self.channels());
        machine.accept(Acceptance::Approved);
        let marks = std::mem::take(&mut replay.marks);
        let records = replay.records(|venue, id| machine.intern(venue, id));
        let records: Vec<Record> = records.map(Result::unwrap).collect();
        self.log.write(now, || format!("start {} with {} records", self.epoch, records.len()));
        let named =
            machine.registry().iter().map(|(_, entry)| format!("{} {}", entry.venue, entry.id));
        if let Err(text) = self.paper.began(&records, named.collect()) {
            self.fail("journal_faithful", text);
        }
        let trading = trade::Settings {
            plan: settings.trade.plan.clone(),
            limits: settings.limits.clone(),
            execute: settings.trade.execute.clone(),
            pause_ahead: Duration::from_mins(10),
            weekly_pause: true,
            not_tradable_min: Duration::from_secs(2),
            polymarket_answer: settings.trade.polymarket_answer,
        };
        self.machine = Some(machine);
        let reconcile = settings.trade.reconcile.clone();
        self.with(|machine| {
            machine.begin_trading(trading, reconcile, &records, now);
            machine.desk_mut().unwrap().resume_from(&marks);
        });
        let text = mappings(&self.script.questions);
        self.input(&Input::Mappings(&[("swarm.toml".to_owned(), text)]));
        for (venue, offset) in [(Venue::Kalshi, 3_000_000), (Venue::Polymarket, -4_000_000)] {
            self.input(&Input::Clock(venue, offset));
        }
    }

    fn desk(&self) -> Desk {
        let instance = Paper::instance(self.script.seed);
        let kalshi = kalshi::gateway::Settings::new(KALSHI_REST.to_owned(), instance);
        let kalshi =
            kalshi::gateway::Gateway::new(kalshi, credentials(self.script.key).0.signer().unwrap());
        let polymarket = polymarket::gateway::Settings {
            clob_url: "http://127.0.0.1:10".to_owned(),
            data_url: "http://127.0.0.1:12".to_owned(),
            site_url: "http://127.0.0.1:10".to_owned(),
            chain: polymarket::gateway::Chain::Embedded,
            data_lag: Duration::ZERO,
            // Here it takes as long as it was drawn to take at most.
            post_only_lasts: Duration::from_secs(3),
        };
        let account = wallet(&self.api_key, self.script.wallet);
        let polymarket = polymarket::Gateway::new(account, instance, polymarket);
        let gateways: Vec<Box<dyn Gateway>> = vec![Box::new(kalshi), Box::new(polymarket)];
        let reconcile_every = settings(&self.script).trade.reconcile_every;
        let rhythm = Rhythm { reconcile_every, overlap: OVERLAP, ..Rhythm::default() };
        Desk::new(gateways, Box::new(self.paper.clone()), rhythm, self.now)
    }

    fn channels(&self) -> Vec<(Venue, Box<dyn Feed>)> {
        let own = kalshi::private::Settings {
            seed: self.script.seed,
            ..kalshi::private::Settings::new(KALSHI_WS.to_owned(), Lane(0))
        };
        let kalshi =
            kalshi::private::Private::new(own, credentials(self.script.key).0.signer().unwrap());
        let own = polymarket::private::Settings {
            url: "ws://127.0.0.1:10/ws".to_owned(),
            ping_every: polymarket::facts::PING_EVERY,
            pong_max: polymarket::facts::PONG_MAX,
            reconnect_planned: Duration::from_mins(20),
            backoff_first: Duration::from_millis(500),
            backoff_longest: Duration::from_secs(10),
            limited_wait: Duration::from_secs(5),
        };
        let account = wallet(&self.api_key, self.script.wallet);
        let seed = self.script.seed;
        let polymarket = polymarket::private::Private::new(own, Lane(1), seed, &account);
        vec![(Venue::Kalshi, Box::new(kalshi)), (Venue::Polymarket, Box::new(polymarket))]
    }

    /// The process is gone, with everything that it knew and had not written.
    pub(super) fn crash(&mut self) {
        self.log.write(self.now, || format!("the process {} ends", self.epoch));
        if self.trader().is_some_and(|trader| !trader.executor().state().is_indexed()) {
            self.fail("indexed", "a trade changed and its record does not say so".to_owned());
        }
        self.machine = None;
        self.end = None;
        self.paper.end_at(None);
        self.tasks.clear();
        if std::mem::take(&mut self.confirming) {
            self.queue(settings(&self.script).polymarket.confirm_every, Event::Confirm);
        }
        for ends in std::mem::take(&mut self.lanes) {
            if let Some(connection) = ends.connection {
                self.venues.lock().unwrap().closed(connection);
            }
        }
        self.queue(self.restart_after, Event::Restart);
    }
}
