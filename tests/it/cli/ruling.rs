//! A trader that refuses to trade because of a difference, and the person who decides on it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::run::{PATIENCE, Running, arg, run};
use super::sim::Sim;

fn kind(kind: &'static str) -> impl Fn(&Value) -> bool {
    move |record| record["kind"] == kind
}

/// Trades until an account rests with contracts at both venues, and names their markets. A pair of
/// trades the one against the other leaves nothing where the venue nets them.
fn hold_at_both_venues(journal: &Path, start: impl Fn() -> Running) -> BTreeSet<(String, String)> {
    for _ in 0..5 {
        let mut trading = start();
        trading.wait_record("a locked pair", |r| r["kind"] == "trade" && r["state"] == "locked");
        trading.interrupt();
        trading.finish(PATIENCE).expect(130);
        let told = run(&["positions", "--json", "--journal", arg(journal)]);
        told.expect(0);
        let positions = told.records().into_iter().filter(kind("position"));
        let held: BTreeSet<(String, String)> = positions
            .map(|one| {
                let text = |name: &str| one[name].as_str().unwrap().to_owned();
                (text("venue"), text("market"))
            })
            .collect();
        if ["kalshi", "polymarket"].iter().all(|venue| held.iter().any(|(at, _)| at == venue)) {
            return held;
        }
    }
    panic!("no run ended with contracts at both venues");
}

#[test]
fn a_trader_that_refuses_because_of_a_difference_is_told_what_holds_and_trades() {
    let sim = Sim::start();
    let url = sim.polymarket["clob"].as_str().unwrap();
    let [first, second] = ["first.db", "second.db"].map(|name| sim.folder.path().join(name));
    let demo =
        |journal| Running::start(&["demo", "--json", "--venues", url, "--journal", arg(journal)]);
    let held = hold_at_both_venues(&first, || demo(&first));

    // Another journal knows nothing of what the account holds.
    let mut refusing = demo(&second);
    refusing.wait_record("the difference", |record| record["incident"] == "account_differs");
    let tell = |args: &[&str], code: i32| {
        let ended = run(&[args, &["--json", "--journal", arg(&second)]].concat());
        ended.expect(code);
        ended
    };
    let status = || tell(&["status"], 0).records().remove(0);
    let refused = status();
    assert_eq!(refused["state"], "stopped", "{refused}");
    let asked = run(&["cash", "accept", "--venue", "kalshi", "--yes", "--journal", arg(&second)]);
    assert!(asked.errors.contains("no less cash"), "{}", asked.errors);

    // What the refusal names is what is typed, for one market after the other.
    let mut ruled = 0;
    let deadline = Instant::now() + PATIENCE;
    let traded = loop {
        let standing = status();
        if standing["state"] == "trading" {
            break standing;
        }
        assert!(Instant::now() < deadline, "{standing}");
        let Some(difference) = standing["differences"][0].as_str() else {
            std::thread::sleep(Duration::from_millis(200));
            continue;
        };
        let verb = if ruled == 0 { "ignore" } else { "adopt" };
        let start = format!("`crossbook positions {verb} ");
        let (_, rest) = difference.split_once(&start).unwrap();
        let (words, _) = rest.split_once('`').unwrap();
        let command: Vec<&str> = ["positions", verb].into_iter().chain(words.split(' ')).collect();
        let unsure = tell(&command, 2);
        assert!(unsure.errors.contains("--yes says that it shall"), "{}", unsure.errors);
        let answer = tell(&[&command[..], &["--yes", "--why", "counted"]].concat(), 0);
        assert!(!answer.records()[0]["changes"].as_array().unwrap().is_empty(), "{answer:?}");
        ruled += 1;
    };
    assert!(ruled >= held.len(), "{ruled} rulings on {held:?}: {traded}");
    refusing.wait_record("a trade", kind("trade_opened"));
    let positions = tell(&["positions"], 0).records();
    assert_eq!(positions.iter().filter(|one| one["kind"] == "left_alone").count(), 1);
    assert!(positions.iter().any(|one| one["kind"] == "position"), "{positions:?}");
    refusing.interrupt();
    let ended = refusing.finish(PATIENCE);
    let ruled: Vec<Value> =
        ended.records().into_iter().filter(|r| kind("adopted")(r) || kind("ignored")(r)).collect();
    assert!(ruled.iter().all(|one| one["why"] == "counted"), "{ruled:?}");
    // It still holds after a restart.
    let mut again = demo(&second);
    again.wait_record("a feed", |record| record["kind"] == "feed");
    let standing = status();
    assert_eq!(standing["left_alone"].as_array().unwrap().len(), 1, "{standing}");
    again.interrupt();
    again.finish(PATIENCE);
}
