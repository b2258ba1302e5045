//! The trader is killed, really killed, while orders are under way, and started again.
//!
//! The exchanges live in a process of their own and go on. Whatever the moment, the next start has
//! to find every order again, bring both legs together, and end with a ledger that is the
//! exchanges' own to the micro-dollar. `CROSSBOOK_KILLS=500 cargo test --test it cli::crash` makes
//! as many kills as one wants.

use std::time::Duration;

use super::run::{Running, arg, run};
use super::sim::Sim;

/// Kills of an ordinary run: each costs a few seconds.
const KILLS: u64 = 4;
/// Kills of one account; then the next begins with an empty one, or its limits would end trading.
const KILLS_OF_ONE: u64 = 4;

/// How long after a trade opened the kill comes, in microseconds: from before its first order has
/// left until after its second one was answered.
const LATER_MICROS: [u64; 7] = [0, 800, 1_600, 2_500, 4_000, 9_000, 30_000];

fn kills() -> u64 {
    std::env::var("CROSSBOOK_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS)
}

#[test]
fn a_trader_that_is_killed_recovers_and_its_ledger_is_the_exchanges() {
    let kills = kills();
    for first in (0..kills).step_by(usize::try_from(KILLS_OF_ONE).unwrap()) {
        kill_and_recover(first..kills.min(first + KILLS_OF_ONE));
    }
}

fn kill_and_recover(kills: std::ops::Range<u64>) {
    let sim = Sim::start();
    let url = sim.polymarket["clob"].as_str().unwrap();
    let journal = sim.folder.path().join("trader.db");
    let fixed = ["demo", "--venues", url, "--journal", arg(&journal), "--json"];
    for kill in kills {
        let mut running = Running::start(&fixed);
        // Not always the first trade: what was recovered goes on beside it.
        for _ in 0..=kill % 3 {
            running.wait_record("a trade", |record| record["kind"] == "trade_opened");
        }
        let later = LATER_MICROS[usize::try_from(kill % 7).unwrap()];
        std::thread::sleep(Duration::from_micros(later));
        drop(running);
    }
    let last: Vec<_> = fixed.into_iter().chain(["--seconds", "4"]).collect();
    let ended = Running::start(&last).finish(Duration::from_secs(120));
    let summary = ended.expect(0).summary();
    for venue in ["kalshi", "polymarket"] {
        assert_eq!(summary["ledger"][venue]["equal"], true, "{summary}");
    }
    let states = summary["trades"]["states"].as_object().unwrap();
    let mut held = 0;
    for (state, count) in states {
        // Books move while nobody trades: a leg may have no way left that costs less than its
        // trade may lose. Then it is held on purpose, and its reason is told.
        let is_quiet = ["locked", "flat", "dust", "paid", "holding"].contains(&state.as_str());
        assert!(is_quiet, "{count} trades are {state}: {summary}");
        held += if state == "holding" { count.as_u64().unwrap() } else { 0 };
    }
    let reasons = summary["trades"]["left"].as_array().unwrap().iter().filter(|left| {
        left["state"] == "holding"
            && left["why"].as_str().is_some_and(|why| why.contains("no way out"))
    });
    assert_eq!(reasons.count() as u64, held, "each leg that is held says why: {summary}");
    // The journal, read by itself, says the same as the run that wrote it.
    let pnl = run(&["pnl", "--journal", arg(&journal), "--json"]);
    let pnl = pnl.expect(0).summary();
    assert_eq!(pnl["locked"], summary["trades"]["locked_profit"], "{summary}");
    assert_eq!(pnl["realised"], summary["trades"]["realised"], "{summary}");
}
