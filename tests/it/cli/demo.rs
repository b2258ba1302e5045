//! `crossbook demo`: what a newcomer sees in the first two minutes.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::opportunity;
use super::run::{Ended, PATIENCE, Running, arg, run};

const SUMMARY_KEYS: [&str; 6] =
    ["updates", "opportunities", "rejections", "faults", "feeds", "market_digest"];

fn of_kind(ended: &Ended, kind: &str) -> Vec<Value> {
    ended.records().into_iter().filter(|record| record["kind"] == kind).collect()
}

/// Every close belongs to an opportunity that was told before, and carries what it promises.
fn closes_follow_openings(ended: &Ended) {
    let mut open = BTreeSet::new();
    for record in ended.records() {
        let id = record["id"].as_str().unwrap_or_default().to_owned();
        match record["kind"].as_str().unwrap() {
            "opportunity" if record["phase"] == "opened" => {
                assert!(open.insert(id), "opened twice: {record}");
            }
            "opportunity" => assert!(open.contains(&id), "grown while closed: {record}"),
            "opportunity_closed" => {
                assert!(open.remove(&id), "closed while closed: {record}");
                let keys: Vec<_> = record.as_object().unwrap().keys().cloned().collect();
                let wanted =
                    ["kind", "at", "id", "lifetime_ms", "best_quantity", "best_profit", "reason"];
                assert_eq!(keys, wanted);
                assert!(record["lifetime_ms"].is_u64());
            }
            _ => {}
        }
    }
}

#[test]
fn both_feeds_are_live_within_five_seconds_and_every_edge_recomputes() {
    let mut running = Running::start(&["demo", "--watch-only", "--seconds", "12", "--json"]);
    let mut live = BTreeSet::new();
    running.wait_record("both feeds live", |record| {
        if record["kind"] == "feed" && record["state"] == "live" {
            live.insert(record["venue"].as_str().unwrap().to_owned());
        }
        live.len() == 2
    });
    assert!(running.age() < Duration::from_secs(5), "live only after {:?}", running.age());
    let ended = running.finish(PATIENCE);
    ended.expect(0);
    let summary = ended.summary();
    for key in SUMMARY_KEYS {
        assert!(!summary[key].is_null(), "`{key}` is missing: {summary}");
    }
    assert!(summary["updates"].as_u64().unwrap() > 1_000);
    let opportunities = of_kind(&ended, "opportunity");
    for record in &opportunities {
        opportunity::check(record);
    }
    closes_follow_openings(&ended);
    let opened = opportunities.iter().filter(|record| record["phase"] == "opened").count();
    let closed = of_kind(&ended, "opportunity_closed").len();
    assert!(opened > 0 && closed > 0, "{opened} opened, {closed} closed");
    assert_eq!(summary["opportunities"]["opened"], opened);
    assert_eq!(summary["opportunities"]["closed"], closed);
    assert_eq!(ended.errors, "", "a run without trouble is quiet on stderr");
}

/// The demo trades by default: every trade comes to rest, and our ledger is both exchanges' own.
#[test]
fn the_demo_trades_and_its_ledger_is_the_exchanges() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("demo.db");
    let ended = run(&["demo", "--seconds", "12", "--json", "--journal", journal.to_str().unwrap()]);
    let summary = ended.expect(0).summary();
    the_journal_can_be_asked_by_hand(&journal, &summary);
    let trades = &summary["trades"];
    assert!(trades["opened"].as_u64().unwrap() > 0, "{summary}");
    assert!(trades["states"]["locked"].as_u64().unwrap() > 0, "{summary}");
    for venue in ["kalshi", "polymarket"] {
        let ledger = &summary["ledger"][venue];
        assert_eq!(ledger["equal"], true, "{summary}");
        assert_eq!(ledger["cash"], ledger["cash_at_exchange"]);
    }
    let opened = of_kind(&ended, "trade_opened").len();
    assert_eq!(trades["opened"], opened);
    assert_eq!(trades["orders"], of_kind(&ended, "order").len());
    let locked: BTreeSet<_> = of_kind(&ended, "trade")
        .iter()
        .filter(|record| record["state"] == "locked")
        .map(|record| record["trade"].as_str().unwrap().to_owned())
        .collect();
    assert!(!locked.is_empty());
    for fill in of_kind(&ended, "fill") {
        assert!(fill["trade"].is_string() && fill["fee"].is_string(), "{fill}");
    }
}

/// What was intended, asked and answered stands in the journal, and the last balances are the
/// exchanges' own.
fn the_journal_can_be_asked_by_hand(path: &std::path::Path, summary: &Value) {
    let journal = crossbook::journal::read(path).unwrap();
    let ask = |sql: &str| -> String { journal.query_row(sql, [], |row| row.get(0)).unwrap() };
    let count = |what: &str| ask(&format!("SELECT CAST(count(*) AS TEXT) FROM {what}"));
    let orders = summary["trades"]["orders"].to_string();
    assert_eq!(count("intents"), orders);
    // Each was sent once, or kept back by our own budgets, and never both.
    let (sent, kept) = (
        "intent IN (SELECT intent FROM requests WHERE kind = 'place')",
        "intent IN (SELECT intent FROM reports WHERE reason = 'kept_back')",
    );
    assert_eq!(count(&format!("intents WHERE ({sent}) = ({kept})")), "0");
    let places = count("requests WHERE kind = 'place'");
    assert_eq!(count(&format!("intents WHERE {sent}")), places);
    assert_eq!(count("replies JOIN requests ON number = request WHERE kind = 'place'"), places);
    assert_eq!(count("requests WHERE body LIKE '%signature\":\"0x%'"), "0");
    for venue in ["kalshi", "polymarket"] {
        let sql = "SELECT sum(cash_micros) FROM balances WHERE venue = ?1 AND seq = \
                   (SELECT max(seq) FROM balances WHERE venue = ?1)";
        let micros: i64 = journal.query_row(sql, [venue], |row| row.get(0)).unwrap();
        let said = summary["ledger"][venue]["cash_at_exchange"].as_str().unwrap();
        assert_eq!(said.replace('.', ""), micros.to_string(), "{venue}");
    }
    assert_eq!(count("watermarks WHERE listing <> 'movements'"), "4", "both of both venues, whole");
    // Kalshi's lists of movements have no beginning to ask for: they are read whole every time.
    assert_eq!(count("watermarks WHERE listing = 'movements' AND venue = 'polymarket'"), "1");
    assert_eq!(count("watermarks"), "5");
}

fn market_digest(seed: &str) -> String {
    let ended = run(&["demo", "--steps", "100", "--seed", seed, "--watch-only", "--json"]);
    let summary = ended.expect(0).summary();
    assert_eq!(summary["steps"], 100);
    summary["market_digest"].as_str().unwrap().to_owned()
}

#[test]
fn the_same_seed_and_steps_make_the_same_market_history() {
    let runs: Vec<_> = ["5", "5", "6"]
        .into_iter()
        .map(|seed| std::thread::spawn(move || market_digest(seed)))
        .collect();
    let digests: Vec<_> = runs.into_iter().map(|run| run.join().unwrap()).collect();
    assert_eq!(digests[0], digests[1], "the same seed");
    assert_ne!(digests[0], digests[2], "another seed");
    assert_eq!(digests[0].len(), 64);
}

/// What a recording holds, as text.
fn unpacked(path: &std::path::Path) -> String {
    let file = std::fs::File::open(path).unwrap();
    let bytes = zstd::stream::decode_all(file).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_recording_of_faults_replays_to_the_decisions_of_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.rec.zst");
    let steps = ["demo", "--watch-only", "--steps", "120", "--seed", "3", "--faults", "--json"];
    let args: Vec<_> = steps.into_iter().chain(["--record", arg(&file)]).collect();
    let live = run(&args);
    let summary = live.expect(0).summary();
    assert!(!summary["faults"].as_object().unwrap().is_empty(), "faults: {summary}");
    for record in of_kind(&live, "opportunity") {
        opportunity::check(&record);
    }
    let again = run(&["replay", arg(&file), "--json"]);
    let replayed = again.expect(0).summary();
    assert_eq!(replayed["digest"], summary["digest"]);
    assert_eq!(replayed["recorded_digest"], summary["digest"]);
    assert_eq!(replayed["digest_matches"], true);
    assert_eq!(replayed["opportunities"], summary["opportunities"]);
    assert_eq!(replayed["rejections"], summary["rejections"]);

    let refused = run(&args);
    refused.expect(2);
    assert!(refused.errors.contains("cannot record into"), "{}", refused.errors);
    assert!(refused.errors.contains("exists"), "{}", refused.errors);

    let text = unpacked(&file);
    for secret in ["KALSHI-ACCESS", "PRIVATE KEY", "signature"] {
        assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "`{secret}` is recorded");
    }
    a_cut_recording_replays_up_to_the_cut(&file, folder.path());
}

fn a_cut_recording_replays_up_to_the_cut(file: &std::path::Path, folder: &std::path::Path) {
    let bytes = std::fs::read(file).unwrap();
    let cut = folder.join("cut.rec.zst");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let ended = run(&["replay", arg(&cut), "--json"]);
    let summary = ended.expect(0).summary();
    assert!(summary["frames"].as_u64().unwrap() > 0);
    assert!(summary["digest_matches"].is_null(), "nothing to compare with: {summary}");
    assert!(ended.errors.contains("cut.rec.zst"), "{}", ended.errors);
    assert!(ended.errors.contains("what came before it is played"), "{}", ended.errors);
}

/// Over real sockets, among orders that get lost, keys that are revoked and markets that end.
#[test]
fn a_demo_among_faults_comes_to_rest_and_its_ledger_is_the_exchanges() {
    let args = ["demo", "--faults", "--seconds", "12", "--seed", "1", "--json"];
    let ended = Running::start(&args).finish(Duration::from_secs(400));
    let summary = ended.expect(0).summary();
    for venue in ["kalshi", "polymarket"] {
        assert_eq!(summary["ledger"][venue]["equal"], true, "{summary}");
    }
    let faults = summary["faults"].as_object().unwrap();
    assert!(faults.len() > 8 && faults.contains_key("kalshi_resolve"), "{summary}");
    assert!(summary["trades"]["opened"].as_u64() > Some(0), "{summary}");
    for left in summary["trades"]["left"].as_array().unwrap() {
        let has_reason = left["dust"].is_string() || left["why"].is_string();
        assert!(has_reason, "{left} in {summary}");
    }
}
