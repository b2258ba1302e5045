//! The trader is killed, really killed, at any moment of its life, and started again.
//!
//! The exchanges live in a process of their own and go on, in the long run with faults in every
//! other account, half of which see markets end. Whatever the moment, the next start has to find every order again, bring both
//! legs together, and end with a ledger that is the exchanges' own to the micro-dollar.
//! `CROSSBOOK_KILLS=500 cargo test --test it cli::crash` makes as many kills as one wants,
//! `CROSSBOOK_KILLS_FROM` begins elsewhere.

use std::sync::Mutex;
use std::time::Duration;

use super::run::{Running, arg, run};
use super::sim::Sim;

/// Kills of an ordinary run: each costs a few seconds.
const KILLS: u64 = 8;
/// Kills of one account; then the next begins with an empty one, or its limits would end trading.
const KILLS_OF_ONE: u64 = 4;

/// Accounts that live at once.
const AT_ONCE: usize = 8;

/// How long a trade is waited for. None may come for long, where a leg that stands alone uses the
/// limits up, or the account differs: then one moment is as good as another.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// How long after a trade opened the kill comes, in microseconds: from before its first order has
/// left until after its second one was answered.
const LATER_MICROS: [u64; 7] = [0, 800, 1_600, 2_500, 4_000, 9_000, 30_000];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So many microseconds after it was started: while it reads its journal, asks what became of
    /// its orders, and begins.
    Started(u64),
    /// So many microseconds after so many trades opened.
    Traded(u64, u64),
    /// So many microseconds after something of a trade was settled, or was told to be.
    Told(u64),
}

/// Spread over the whole life of a process.
fn moment(kill: u64) -> Moment {
    // Some number that looks like none of its neighbours'.
    let mixed = (kill ^ 0x5eed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    match kill % 4 {
        0 => Moment::Started(mixed % 900_000),
        1 | 2 => Moment::Traded(1 + mixed % 3, LATER_MICROS[usize::try_from(mixed % 7).unwrap()]),
        _ => Moment::Told(mixed % 3_000_000),
    }
}

#[test]
fn a_trader_that_is_killed_recovers_and_its_ledger_is_the_exchanges() {
    let from = number("CROSSBOOK_KILLS_FROM").unwrap_or(0);
    let kills = from + number("CROSSBOOK_KILLS").unwrap_or(KILLS);
    let mut firsts = (from..kills).step_by(usize::try_from(KILLS_OF_ONE).unwrap());
    let accounts = Mutex::new(&mut firsts);
    let next = || accounts.lock().unwrap().next();
    // Most of an account's life is waiting.
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(first) = next() {
                    kill_and_recover(first..kills.min(first + KILLS_OF_ONE));
                }
            });
        }
    });
}

fn kill_and_recover(kills: std::ops::Range<u64>) {
    let seed = (kills.start / KILLS_OF_ONE + 1).to_string();
    let is_odd = kills.start / KILLS_OF_ONE % 2 == 1;
    let is_long = number("CROSSBOOK_KILLS").is_some();
    // Among faults that go on, and among all kinds of them within a minute, in which markets end.
    let is_short = kills.start / KILLS_OF_ONE % 4 == 3;
    let faults: &[&str] = match (is_long && is_odd, is_short) {
        (false, _) => &[],
        (true, false) => &["--faults"],
        (true, true) => &["--faults", "--faults-within", "60"],
    };
    let sim = Sim::start_with(&[&["--seed", seed.as_str()], faults].concat());
    let url = sim.polymarket["clob"].as_str().unwrap();
    let journal = sim.folder.path().join("trader.db");
    let fixed = ["demo", "--venues", url, "--journal", arg(&journal), "--json"];
    let mut has_traded = false;
    for kill in kills.clone() {
        let mut running = Running::start(&fixed);
        let (kind, times, later) = match moment(kill) {
            Moment::Started(later) => ("", 0, later),
            Moment::Traded(trades, later) => ("trade_opened", trades, later),
            Moment::Told(later) => ("trade", 1, later),
        };
        for _ in 0..times {
            has_traded |= running.saw_record(WAIT_MAX, |record| record["kind"] == kind);
        }
        std::thread::sleep(Duration::from_micros(later));
        drop(running);
    }
    if !has_traded {
        // Faults may have left no room so far: nothing was proven then.
        let mut running = Running::start(&fixed);
        running.wait_record("a trade", |record| record["kind"] == "trade_opened");
        drop(running);
    }
    let last: Vec<_> = fixed.into_iter().chain(["--seconds", "4"]).collect();
    let ended = Running::start(&last).finish(Duration::from_secs(400));
    let summary = ended.expect(0).summary();
    for venue in ["kalshi", "polymarket"] {
        assert_eq!(summary["ledger"][venue]["equal"], true, "{kills:?}: {summary}");
    }
    let trades = &summary["trades"];
    assert!(trades["opened"].as_u64() > Some(0), "{kills:?}: nothing was traded: {summary}");
    assert_eq!(trades["states"].get("half_paid"), None, "{kills:?}: {summary}");
    let told = run(&["incidents", "--journal", arg(&journal), "--json"]);
    let told = told.expect(0).lines.join("\n");
    let is_told = |trade: &str| {
        told.lines().any(|line| line.contains(trade) && line.contains("stranded_long"))
    };
    // What is neither locked nor over is listed with its reason. Books move while nobody trades: a
    // leg may have no way left that costs less than its trade may lose, and is held on purpose.
    // Among faults that never end some may still be on its way out, and a person knows of it.
    for left in trades["left"].as_array().unwrap() {
        let Some(trade) = left["trade"].as_str() else { continue };
        let why = left["why"].as_str().unwrap();
        let is_held = left["state"] == "holding" && why.contains("no way out");
        let is_leaving = !faults.is_empty() && is_told(trade) && !why.is_empty();
        assert!(is_held || is_leaving, "{kills:?}: {left} in {summary}");
    }
    // The journal, read by itself, says the same as the run that wrote it.
    let pnl = run(&["pnl", "--journal", arg(&journal), "--json"]);
    let pnl = pnl.expect(0).summary();
    assert_eq!(pnl["locked"], summary["trades"]["locked_profit"], "{summary}");
    assert_eq!(pnl["realised"], summary["trades"]["realised"], "{summary}");
}
