//! The whole trading system on virtual time: one seed decides everything.
//!
//! A run is two small exchanges with accounts, the machine of feeds, engine, order desk and
//! journal between them, and wires that delay, reorder, cut and lose. The seed draws what goes
//! wrong: faults of the exchanges, answers that never come, requests that arrive late, halts, a
//! disk that is full, and the end of the process at any write or send, after which it starts again
//! from what was durable. After everything that happens, the oracle holds what we believe and risk
//! against the exchanges' own statements.
//!
//! `cargo test --test it swarm` runs the usual seeds. More:
//!
//! ```text
//! CROSSBOOK_SEEDS=100000 CROSSBOOK_FROM=1 cargo test --release --test it swarm::long -- --ignored
//! ```
//!
//! A seed that fails is played again with fewer and fewer faults while it fails in the same way;
//! what is left is printed with the last events before the failure. `CROSSBOOK_FROM=<seed>
//! CROSSBOOK_SEEDS=1` plays it alone.

mod alone;
mod belief;
mod calls;
mod draw;
mod early;
mod finish;
mod hunt;
mod limits;
mod oracle;
mod paper;
mod process;
mod run;
mod square;
mod tail;
mod traffic;
mod truth;
mod venues;

use std::time::Duration;

use crossbook::domain::Timestamp;
use crossbook::exchange::kalshi::keys::Kind;

use draw::{Blow, End, Purse, Script, Strike};

/// A rule that was broken.
#[derive(Debug, Clone)]
struct Failure {
    rule: &'static str,
    at: Timestamp,
    text: String,
}

/// What became of a run.
#[derive(Debug)]
struct Outcome {
    digest: String,
    failure: Option<Failure>,
    /// The log, where one was asked for.
    lines: Vec<String>,
    /// Writes of the journal, and calls sent.
    writes: u64,
    sends: u64,
    /// What faults did to us, and how often.
    bites: hunt::Bites,
    /// When Kalshi orders left that did not wait for Polymarket's, from the start of the run.
    early: Vec<Duration>,
}

/// Seeds of an ordinary test run.
const SEEDS: u64 = 2_000;
/// Runs of an ordinary test run in which the process ends at a write or a send of its journal, and
/// runs in which the process that then starts ends early too.
const ENDS: usize = 160;
const ENDS_TWICE: usize = 60;

/// What has to befall us at least once over the usual seeds: what each fault of orders did to one,
/// what the exchanges answered, what money moved, and what orders there were.
const BITES: [&str; 43] = [
    "kalshi order_held_done",
    "kalshi order_held_lost",
    "kalshi order_cut_done",
    "kalshi order_cut_lost",
    "kalshi order_5xx_done",
    "kalshi order_5xx_lost",
    "kalshi order_late_answer",
    "kalshi order_nothing_there",
    "kalshi order_partly",
    "kalshi order_bust",
    "polymarket order_held_done",
    "polymarket order_held_lost",
    "polymarket order_cut_done",
    "polymarket order_cut_lost",
    "polymarket order_5xx_done",
    "polymarket order_5xx_lost",
    "polymarket order_late_answer",
    "polymarket order_nothing_there",
    "polymarket order_partly",
    "polymarket order_better_price",
    "polymarket order_delayed_matched",
    "polymarket order_delayed_unmatched",
    "polymarket settlement_fails",
    "polymarket settles_late",
    "polymarket order_success_with_error",
    "kalshi 400",
    "kalshi 401",
    "kalshi 404",
    "kalshi 429",
    "polymarket 400",
    "polymarket 401",
    "polymarket 425",
    "polymarket 429",
    "polymarket 503",
    "enter immediate",
    "enter all_or_nothing",
    "finish immediate",
    "unwind immediate",
    "offset immediate",
    "exit immediate",
    "kalshi money moved",
    "polymarket money moved",
    "cash stopped",
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn every_rule_holds_for_every_seed() {
    let count = number("CROSSBOOK_SWARM_SEEDS").unwrap_or(SEEDS);
    let bites = hunt::assert_all(1..=count, Script::draw);
    let without: Vec<_> = BITES.iter().filter(|name| !bites.contains_key(**name)).collect();
    assert!(count < SEEDS || without.is_empty(), "never met: {without:?} of {bites:?}");
}

/// All moments at which the process of a calm run can end, one run for each of the configurations.
fn ends() -> Vec<(Script, End)> {
    let calm = |seed| Script { busy: Duration::from_secs(6), ..Script::calm(seed) };
    let mut ends = Vec::new();
    for style in 0..draw::STYLES {
        let script = (1..).map(calm).find(|script| script.style == style).unwrap();
        let whole = hunt::play(&script, false);
        assert!(whole.failure.is_none() && whole.sends > 30, "{whole:?}");
        let writes =
            (1..=whole.writes).flat_map(|nth| [End::BeforeWrite(nth), End::AfterWrite(nth)]);
        let sends = (1..=whole.sends).flat_map(|nth| [End::BeforeSend(nth), End::AfterSend(nth)]);
        ends.extend(writes.chain(sends).map(|end| (script.clone(), end)));
    }
    ends
}

/// Plays `count` of these, spread evenly; all of them when it is none.
fn end_at(ends: &[(Script, End)], count: Option<usize>, again: Option<End>) {
    let count = count.unwrap_or(ends.len()).min(ends.len());
    hunt::assert_all(1..=count as u64, |nth| {
        let (script, end) = &ends[(usize::try_from(nth).unwrap() - 1) * ends.len() / count];
        let away = Duration::from_millis(700);
        // The second process ends at another moment in each run.
        let strike = match again {
            Some(End::BeforeWrite(_)) => {
                Strike::CrashTwice(*end, away, End::BeforeWrite(nth % 7 + 1))
            }
            Some(End::AfterSend(_)) => Strike::CrashTwice(*end, away, End::AfterSend(nth % 11 + 1)),
            _ => Strike::Crash(*end, away),
        };
        Script { blows: vec![Blow { after: Duration::ZERO, strike }], ..script.clone() }
    });
}

/// The process ends before and after writes and calls of its whole life, and starts again.
#[test]
fn a_process_that_ends_at_any_write_or_send_loses_nothing() {
    end_at(&ends(), Some(ENDS), None);
}

#[test]
fn a_recovery_that_ends_at_any_write_or_send_loses_nothing() {
    let ends = ends();
    end_at(&ends, Some(ENDS_TWICE / 2), Some(End::BeforeWrite(0)));
    end_at(&ends, Some(ENDS_TWICE / 2), Some(End::AfterSend(0)));
}

#[test]
#[ignore = "plays every moment at which the process can end"]
fn long_ends() {
    let ends = ends();
    println!("{} ends, alone and before each of two second ones", ends.len());
    end_at(&ends, None, None);
    end_at(&ends, None, Some(End::BeforeWrite(0)));
    end_at(&ends, None, Some(End::AfterSend(0)));
}

#[test]
#[ignore = "runs as long as it is asked to"]
fn long() {
    let from = number("CROSSBOOK_FROM").unwrap_or(1);
    let count = number("CROSSBOOK_SEEDS").unwrap_or(20_000);
    hunt::assert_all(from..=from + count - 1, Script::draw);
}

/// Seeds of ordinary runs, of ones whose process ends, and of both kinds of keys and wallets.
const SAME: [u64; 6] = [3, 17, 40, 56, 82, 128];

#[test]
fn the_same_seed_gives_the_same_run() {
    let scripts: Vec<Script> = SAME.iter().map(|seed| Script::draw(*seed)).collect();
    let has = |wanted: fn(&Script) -> bool| scripts.iter().any(wanted);
    let ends = |one: &Script| {
        one.blows
            .iter()
            .any(|blow| matches!(blow.strike, Strike::Crash(..) | Strike::CrashTwice(..)))
    };
    assert!(
        has(ends) && has(|one| one.key == Kind::Rsa) && has(|one| one.wallet == Purse::Deposit)
    );
    for script in scripts {
        let [first, second] = [(); 2].map(|()| hunt::play(&script, false));
        assert_eq!(first.digest, second.digest, "seed {}", script.seed);
    }
}

/// Kalshi's key is made anew by each process: what it is decides nothing.
#[test]
fn another_process_plays_the_same_run() {
    let program = std::env::current_exe().unwrap();
    let other = std::process::Command::new(program)
        .args(["--exact", "swarm::digests", "--ignored", "--nocapture", "--test-threads", "1"])
        .output()
        .unwrap();
    let other = String::from_utf8(other.stdout).unwrap();
    for seed in SAME {
        let own = hunt::play(&Script::draw(seed), false).digest;
        assert!(other.contains(&format!("digest of {seed}: {own}\n")), "{own}: {other}");
    }
}

#[test]
#[ignore = "for another process to compare with"]
fn digests() {
    for seed in SAME {
        println!("digest of {seed}: {}", hunt::play(&Script::draw(seed), false).digest);
    }
}

#[test]
#[ignore = "for reading: prints the log of one seed"]
fn read() {
    let seed = number("CROSSBOOK_FROM").unwrap_or(1);
    let mut script =
        if number("CROSSBOOK_CALM").is_some() { Script::calm(seed) } else { Script::draw(seed) };
    if let Some(nth) = number("CROSSBOOK_WRITES") {
        let strike = Strike::Crash(End::BeforeWrite(nth), Duration::from_millis(700));
        let blows = vec![Blow { after: Duration::ZERO, strike }];
        script = Script { busy: Duration::from_secs(6), blows, ..Script::calm(seed) };
    }
    let outcome = hunt::play(&script, true);
    println!("{script}\n{}", outcome.lines.join("\n"));
    println!("{:?}, {} writes, {} sends", outcome.failure, outcome.writes, outcome.sends);
}
