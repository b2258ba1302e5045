//! A journal that is put back from an older copy: orders of ours that it lacks are found again.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::run::{PATIENCE, Running, arg, run};
use super::sim::Sim;

/// Finality and agreement may take as long as two readings of both accounts, and one more.
const ENOUGH: Duration = Duration::from_secs(400);

/// Trades until a trade is locked, and lets the process end by itself.
fn trade_on(mut trading: Running) {
    trading.wait_record("a locked trade", |r| r["kind"] == "trade" && r["state"] == "locked");
    trading.interrupt();
    trading.finish(ENOUGH).expect(130);
}

fn orders(journal: &Path) -> Vec<Value> {
    let told = run(&["orders", "--json", "--journal", arg(journal)]);
    told.expect(0);
    told.records().into_iter().filter(|one| one["kind"] == "order").collect()
}

/// What Kalshi's orders of a journal bought, by their numbers.
fn bought(journal: &Path) -> BTreeSet<(String, String, String)> {
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    orders(journal)
        .iter()
        .filter(|one| one["venue"] == "kalshi")
        .map(|one| (text(one, "intent"), text(one, "market"), text(one, "filled")))
        .filter(|(.., filled)| filled != "0.00")
        .collect()
}

/// The command that a difference names, for the venue's word where there are several.
fn command_of(difference: &str) -> Vec<&str> {
    let named = difference.split('`').filter_map(|part| part.strip_prefix("crossbook "));
    let mut decides = named.filter(|command| !command.starts_with("orders"));
    decides.next().unwrap_or_else(|| panic!("{difference}")).split(' ').collect()
}

#[test]
fn orders_that_an_older_copy_of_the_journal_lacks_are_taken_in_and_counted() {
    let sim = Sim::start();
    let url = sim.polymarket["clob"].as_str().unwrap();
    let [journal, older] = ["trader.db", "older.db"].map(|name| sim.folder.path().join(name));
    let demo = ["demo", "--json", "--venues", url, "--journal", arg(&journal)];
    trade_on(Running::start(&demo));
    std::fs::copy(&journal, &older).unwrap();
    trade_on(Running::start(&demo));
    let whole = bought(&journal);
    let known = bought(&older);
    let lost: BTreeSet<_> = whole.difference(&known).cloned().collect();
    assert!(!lost.is_empty(), "{whole:?}");
    std::fs::copy(&older, &journal).unwrap();

    let mut running = Running::start(&demo);
    running.wait_record("a lost order", |record| record["incident"] == "order_adopted");
    let tell = |args: &[&str]| {
        let ended = run(&[args, &["--json", "--journal", arg(&journal)]].concat());
        ended.expect(0);
        ended
    };
    // Nothing new is traded until a person has decided, with the words that the refusal names.
    let mut decided = BTreeSet::new();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let standing = tell(&["status"]).records().remove(0);
        if standing["state"] == "trading" {
            break;
        }
        assert!(Instant::now() < deadline, "{standing}");
        let differences = standing["differences"].as_array().unwrap();
        let Some(difference) = differences.iter().find_map(Value::as_str) else {
            std::thread::sleep(Duration::from_millis(200));
            continue;
        };
        let command = command_of(difference);
        let is_resume = command[0] == "resume";
        let yes: &[&str] = if is_resume { &[] } else { &["--yes", "--why", "a copy was put back"] };
        // What moved a moment ago is looked at again by the next reading.
        let args = [&command[..], yes, &["--journal", arg(&journal)]].concat();
        if run(&args).code == Some(0) {
            decided.insert(command[..2].join(" "));
        } else {
            std::thread::sleep(Duration::from_millis(500));
        }
    }
    assert!(decided.contains("resume --venue"), "{decided:?}");
    running.interrupt();
    let summary = running.finish(ENOUGH).expect(130).summary();
    for venue in ["kalshi", "polymarket"] {
        assert_eq!(summary["ledger"][venue]["equal"], true, "{summary}");
    }
    let found = bought(&journal);
    assert!(lost.is_subset(&found), "each under its own number: {lost:?} of {found:?}");
    let adopted = orders(&journal).into_iter().filter(|one| one["purpose"] == "adopted");
    assert!(adopted.count() >= lost.len());
}
