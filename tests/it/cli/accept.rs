//! Pairs that are accepted, and limits that are loosened, while a live trader runs; on the embedded
//! exchanges.

use serde_json::Value;

use super::run::{PATIENCE, arg, run};
use super::sim::{Sim, demo_pairs};
use super::trade::{HABITS, config, trade};

/// The text of the pairs, the first with a limit of its own.
fn limited(contracts: u32) -> String {
    let limits = format!("[pair.limits]\nmax_contracts = {contracts}\n\n[pair.review]");
    demo_pairs().replacen("[pair.review]", &limits, 1)
}

#[test]
fn a_running_live_trader_takes_acceptances_and_holds_looser_limits_back_until_one() {
    let sim = Sim::start();
    let dir = sim.mappings(|_| limited(100));
    let habits = HABITS.replacen("[trade]\n", "[trade]\nmode = \"live\"\n", 1);
    let wallet = sim.polymarket["wallet_key_file"].as_str().unwrap();
    let more = format!("wallet_key_file = {wallet:?}\nconversions = \"venue\"\n");
    let file = config(&sim, &habits, &more);
    let accept = |id: &str| {
        let place = ["--mappings", arg(&dir), "--config", arg(&file)];
        let ended = run(&[&["pairs", "accept", id], &place[..]].concat());
        ended.expect(0);
        ended.text()
    };
    let text = accept("demo-cpi-above-3");
    for words in ["kalshi closes 20", "polymarket does not tell", "steps of 0.0"] {
        assert!(text.contains(words), "`{words}` in {text}");
    }
    let mut running = trade(&file, &dir, &["--live"]);
    let is_about =
        |record: &Value, kind: &str| record["kind"] == kind && record["pair"] == "demo-rates-hold";
    running.wait_record("why it is not traded", |record| {
        is_about(record, "pair_not_traded")
            && record["reason"].as_str().unwrap().contains("not accepted on this machine")
    });
    assert!(accept("demo-rates-hold").contains("the running trader has heard of it"));
    running.wait_record("a trade of the pair", |record| is_about(record, "trade_opened"));

    let save = |contracts| std::fs::write(dir.join("pairs.toml"), limited(contracts)).unwrap();
    save(500);
    let held = running.wait_record("what is held back", |one| is_about(one, "limits_held"));
    assert_eq!(held["held_back"], "max_contracts 100.00 -> 500.00");
    accept("demo-rates-hold");
    // What was accepted is not held back; what is looser than that is.
    save(400);
    save(600);
    let held = running.wait_record("what is held back", |one| is_about(one, "limits_held"));
    assert_eq!(held["held_back"], "max_contracts 500.00 -> 600.00");
    running.interrupt();
    running.finish(PATIENCE);
}
