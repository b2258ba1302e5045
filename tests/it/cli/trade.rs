//! `crossbook trade`, and what a running trader is told.

use std::path::{Path, PathBuf};

use crossbook::domain::Money;
use serde_json::Value;

use super::run::{Ended, PATIENCE, Running, arg, run};
use super::sim::{Sim, Twist, closed_port};

/// What a trader of the embedded exchanges may risk, and how often it compares.
pub(super) const HABITS: &str = "[trade]\nloss_max = \"10\"\nreconcile_every_s = 5\nreconcile_grace_s = 2\n\
     [limits]\norder = \"400\"\nmarket = \"1500\"\npair = \"3000\"\n\
     event = \"3000\"\nkalshi = \"8000\"\npolymarket = \"8000\"\n\
     total = \"16000\"\nunconfirmed = \"2000\"\nstranded = \"1000\"\n\
     loss_per_day = \"200\"\nopen_trades = 4\norders_per_s = 20\n";

/// A configuration whose journals lie beside it.
pub(super) fn config(sim: &Sim, habits: &str, more: &str) -> PathBuf {
    let path = sim.config(&Twist::default());
    let folder = sim.folder.path();
    let text = std::fs::read_to_string(&path).unwrap();
    let [live, paper] = ["live.db", "paper.db"].map(|name| folder.join(name));
    let site = sim.polymarket["clob"].as_str().unwrap();
    let journal = format!("[journal]\npath = {live:?}\npaper_path = {paper:?}\n");
    std::fs::write(&path, format!("{text}site = \"{site}\"\n{more}\n{habits}{journal}")).unwrap();
    path
}

pub(super) fn trade(config: &Path, mappings: &Path, more: &[&str]) -> Running {
    let fixed = ["trade", "--json", "--config", arg(config), "--mappings", arg(mappings)];
    Running::start(&[&fixed, more].concat())
}

fn told(command: &str, journal: &Path) -> Vec<Value> {
    let all: &[&str] = if command == "pnl" { &[] } else { &["--last", "0"] };
    let ended = run(&[&[command, "--json", "--journal", arg(journal)], all].concat());
    ended.expect(0);
    ended.records()
}

fn of_kind(records: &[Value], kind: &str) -> Vec<Value> {
    records.iter().filter(|record| record["kind"] == kind).cloned().collect()
}

fn money(value: &Value) -> Money {
    Money::parse(value.as_str().unwrap()).unwrap()
}

/// What the commands tell of a journal is one story.
fn adds_up(journal: &Path) {
    let trades = of_kind(&told("trades", journal), "trade");
    let orders = of_kind(&told("orders", journal), "order");
    assert!(!trades.is_empty() && orders.len() >= trades.len(), "{trades:?} {orders:?}");
    for order in &orders {
        assert!(trades.iter().any(|trade| trade["trade"] == order["trade"]), "{order}");
    }
    let pnl = told("pnl", journal);
    let summary = of_kind(&pnl, "summary").remove(0);
    let days = of_kind(&pnl, "pnl_day").iter().fold(Money::ZERO, |s, d| s + money(&d["realised"]));
    assert_eq!(days, money(&summary["realised"]));
    let of_trades = trades.iter().fold(Money::ZERO, |sum, trade| sum + money(&trade["realised"]));
    assert_eq!(of_trades, money(&summary["realised"]));
    let fees = orders.iter().fold(Money::ZERO, |sum, order| sum + money(&order["fee"]));
    let charged = of_kind(&pnl, "pnl_venue");
    let charged = charged.iter().fold(Money::ZERO, |sum, venue| {
        sum - money(&venue["fees"]) - money(&venue["fees_computed"])
    });
    assert_eq!(fees, charged);
}

#[test]
fn trading_asks_for_exactly_one_way() {
    for args in [&["trade"][..], &["trade", "--paper", "--live"]] {
        let ended = run(args);
        ended.expect(2);
        for words in ["--paper", "--live"] {
            assert!(ended.errors.contains(words), "{}", ended.errors);
        }
    }
}

#[test]
fn live_trading_names_everything_that_it_misses() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crossbook.toml");
    let live = folder.path().join("live.db");
    let journal = format!("[journal]\npath = {live:?}\n");
    let missing = |text: &str| -> Ended {
        std::fs::write(&file, format!("{journal}{text}")).unwrap();
        let ended = run(&["trade", "--live", "--config", arg(&file)]);
        ended.expect(2);
        assert!(ended.lines.is_empty() && !live.exists(), "nothing was begun");
        ended
    };
    let words =
        ["`mode = \"live\"`", "a Kalshi key", "a wallet key", "`crossbook pairs accept ID`"];
    let all = missing("");
    for word in words {
        assert!(all.errors.contains(word), "`{word}` in {}", all.errors);
    }
    let wallet = folder.path().join("wallet.key");
    let with_wallet = format!("[polymarket]\nwallet_key_file = {wallet:?}\n");
    let some = missing(&format!("[trade]\nmode = \"live\"\n{with_wallet}"));
    assert!(!some.errors.contains(words[0]) && !some.errors.contains(words[2]), "{}", some.errors);
    assert!(some.errors.contains(words[1]) && some.errors.contains(words[3]), "{}", some.errors);
}

#[test]
fn a_wallet_key_that_is_none_and_a_venue_that_is_down_end_a_live_run_before_it_begins() {
    let sim = Sim::start();
    let dir = sim.mappings(|text| text);
    let wallet = sim.folder.path().join("wallet.key");
    std::fs::write(&wallet, "not a key at all\n").unwrap();
    let named = format!("wallet_key_file = {wallet:?}\n");
    let habits = HABITS.replacen("[trade]\n", "[trade]\nmode = \"live\"\n", 1);
    let file = config(&sim, &habits, &named);
    let live = sim.folder.path().join("live.db");
    let accept = ["pairs", "accept", "demo-cpi-above-3", "--mappings", arg(&dir), "--journal"];
    let accepted = run(&[&accept[..], &[arg(&live), "--config", arg(&file)]].concat());
    accepted.expect(0);
    let text = accepted.text();
    for words in ["kalshi closes 20", "polymarket does not tell", "steps of 0.0"] {
        assert!(text.contains(words), "`{words}` in {text}");
    }
    let ended = trade(&file, &dir, &["--live"]).finish(PATIENCE);
    ended.expect(2);
    assert!(ended.errors.contains(arg(&wallet)) && ended.errors.contains("not usable"));
    assert!(!ended.errors.contains("not a key"), "what was in the file is not told");

    let port = closed_port();
    let text = std::fs::read_to_string(&file).unwrap();
    let good = sim.polymarket["wallet_key_file"].as_str().unwrap();
    let clob = sim.polymarket["clob"].as_str().unwrap();
    let down = format!("clob = \"http://127.0.0.1:{port}\"");
    let text =
        text.replacen(arg(&wallet), good, 1).replacen(&format!("clob = \"{clob}\""), &down, 1);
    std::fs::write(&file, text).unwrap();
    let ended = trade(&file, &dir, &["--live"]).finish(PATIENCE);
    ended.expect(1);
    for words in ["LIVE: orders go to", "everything", "API key could not be asked for"] {
        assert!(ended.errors.contains(words), "`{words}` in {}", ended.errors);
    }
}

#[test]
fn paper_accounts_go_on_after_a_restart_and_a_journal_has_one_trader() {
    let sim = Sim::start();
    let dir = sim.mappings(|text| text);
    let file = config(&sim, HABITS, "");
    let paper = sim.folder.path().join("paper.db");
    let mut first = trade(&file, &dir, &["--paper"]);
    first.wait_record("why it would not be traded live", |record| {
        record["kind"] == "pair_not_traded"
            && record["reason"].as_str().unwrap().contains("would not be traded live")
    });
    first.wait_record("a locked pair", |r| r["kind"] == "trade" && r["state"] == "locked");
    let second = trade(&file, &dir, &["--paper"]).finish(PATIENCE);
    second.expect(2);
    assert!(second.errors.contains("one trader per journal"), "{}", second.errors);
    first.interrupt();
    let before = first.finish(PATIENCE).expect(130).summary()["standing"].clone();
    assert_eq!(before["state"], "ending");
    adds_up(&paper);

    let again = trade(&file, &dir, &["--paper", "--seconds", "8"]).finish(PATIENCE);
    let after = again.expect(0).summary()["standing"].clone();
    assert_eq!(after["differences"], serde_json::json!([]), "the accounts are as they were left");
    for held in before["positions"].as_array().unwrap() {
        let is_same = |now: &&Value| now["market"] == held["market"];
        assert!(after["positions"].as_array().unwrap().iter().any(|now| is_same(&now)), "{after}");
    }
    adds_up(&paper);
}

#[cfg(unix)]
#[test]
fn a_running_trader_is_halted_resumed_asked_and_killed() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("demo.db");
    let mut demo = Running::start(&["demo", "--json", "--journal", arg(&journal)]);
    demo.wait_record("a locked pair", |r| r["kind"] == "trade" && r["state"] == "locked");
    let tell = |args: &[&str], code: i32| {
        let ended = run(&[args, &["--json", "--journal", arg(&journal)]].concat());
        ended.expect(code);
        ended
    };
    let status = || tell(&["status"], 0).records().remove(0);
    assert_eq!(status()["state"], "trading");
    assert!(!status()["positions"].as_array().unwrap().is_empty());
    let refused = tell(&["halt", "--pair", "demo-of-nothing"], 1);
    assert!(refused.errors.contains("no pair `demo-of-nothing`"), "{}", refused.errors);

    let halted = tell(&["halt", "--why", "lunch"], 0).records().remove(0);
    assert_eq!((&halted["state"], &halted["halts"][0]["why"]), (&"halted".into(), &"lunch".into()));
    demo.wait_record("the halt", |record| record["kind"] == "halted" && record["why"] == "lunch");
    assert_eq!(status()["halts"][0]["scope"], "all");
    tell(&["resume"], 0);
    assert_eq!(status()["halts"], serde_json::json!([]));
    let twice = tell(&["resume"], 1);
    assert!(twice.errors.contains("it is not halted"), "{}", twice.errors);
    let cancelled = tell(&["cancel-all", "--yes"], 0).records().remove(0);
    assert!(cancelled["note"].as_str().unwrap().contains("own orders only"), "{cancelled}");

    let killed = tell(&["kill", "--why", "enough"], 0).records().remove(0);
    assert_eq!(killed["state"], "killed");
    assert!(!killed["positions"].as_array().unwrap().is_empty(), "what is held is listed");
    let ended = demo.finish(PATIENCE);
    ended.expect(3);
    let incident = of_kind(&ended.records(), "incident");
    assert!(incident.iter().any(|one| one["incident"] == "killed"), "{incident:?}");
    adds_up(&journal);
    let gone = tell(&["status"], 1);
    assert!(gone.errors.contains("nobody trades with the journal"), "{}", gone.errors);
}
