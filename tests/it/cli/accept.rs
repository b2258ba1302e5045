//! Pairs that are accepted, and limits that are loosened, while a live trader runs; on the embedded
//! exchanges.

use std::path::{Path, PathBuf};

use crossbook::journal::{Acceptance, accept as keep, accepted};
use serde_json::{Value, json};

use super::run::{PATIENCE, Running, arg, crossbook, run};
use super::sim::{Sim, demo_pairs};
use super::trade::{HABITS, config, trade};

/// The text of the pairs, the first with a limit of its own.
fn limited(contracts: u32) -> String {
    let limits = format!("[pair.limits]\nmax_contracts = {contracts}\n\n[pair.review]");
    demo_pairs().replacen("[pair.review]", &limits, 1)
}

/// Settings of live trading on the embedded exchanges.
fn live(sim: &Sim) -> PathBuf {
    let habits = HABITS.replacen("[trade]\n", "[trade]\nmode = \"live\"\n", 1);
    let wallet = sim.polymarket["wallet_key_file"].as_str().unwrap();
    let more = format!("wallet_key_file = {wallet:?}\nconversions = \"venue\"\n");
    let file = config(sim, &habits, &more);
    // What the exchange allows to anybody: acceptances are read without the key.
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("[kalshi]\n", "[kalshi]\npoll_per_s = 3\n", 1)).unwrap();
    file
}

#[test]
fn a_running_live_trader_takes_acceptances_and_holds_looser_limits_back_until_one() {
    let sim = Sim::start();
    let dir = sim.mappings(|_| limited(100));
    let file = live(&sim);
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

/// Puts other words into what was kept of an acceptance.
fn reword(journal: &Path, pair: &str, edit: impl FnOnce(&mut Value)) {
    let known = accepted(journal).unwrap();
    let one = known.into_iter().find(|one| one.pair == pair).unwrap();
    let mut terms: Value = serde_json::from_str(&one.terms).unwrap();
    edit(&mut terms);
    keep(journal, &Acceptance { terms: terms.to_string(), ..one }).unwrap();
}

#[test]
fn a_pair_whose_rules_dates_or_prices_are_not_those_that_were_seen_is_not_traded_live() {
    const CLOSE: &str = "demo-rates-hold";
    const PRICES: &str = "demo-cpi-above-3";
    const UNSEEN: &str = "demo-budget-in-force";
    const RULES: [&str; 2] = ["demo-rates-cut-25", "demo-heat-40-degrees"];
    const SAME: [&str; 2] = ["demo-vote-blue-party", "demo-coin-above-150k"];
    let sim = Sim::start();
    // Two reviewers have read other rules than the venues have now.
    let dir = sim.mappings(|text| {
        let mut pairs: Vec<String> = text.split("\n[[pair]]").map(str::to_owned).collect();
        for (id, field) in RULES.into_iter().zip(["kalshi_rules", "polymarket_rules"]) {
            let pair = pairs.iter_mut().find(|pair| pair.contains(id)).unwrap();
            let at = pair.find(field).unwrap() + field.len() + " = \"sha256:".len();
            let digit = if &pair[at..=at] == "0" { "1" } else { "0" };
            pair.replace_range(at..=at, digit);
        }
        pairs.join("\n[[pair]]")
    });
    let file = live(&sim);
    let ids = [CLOSE, PRICES, UNSEEN, RULES[0], RULES[1], SAME[0], SAME[1]];
    let place = ["--mappings", arg(&dir), "--config", arg(&file)];
    run(&[&["pairs", "accept"], &ids[..], &place[..]].concat()).expect(0);
    let journal = sim.folder.path().join("live.db");
    reword(&journal, CLOSE, |terms| terms["seen"][0]["closes_nanos"] = json!(2_000_000_000_i64));
    reword(&journal, PRICES, |terms| terms["seen"][0]["bands"] = json!([[0, 10_000, 50]]));
    reword(&journal, UNSEEN, |terms| terms["seen"] = Value::Null);

    let mut command = crossbook(&[&["trade", "--json", "--live"], &place[..]].concat());
    // All embedded exchanges know the same wallet, and one trader at a time may use it.
    command.env("XDG_STATE_HOME", sim.folder.path());
    let mut running = Running::spawn(command);
    running.wait_record("a trade", |record| record["kind"] == "trade_opened");
    running.interrupt();
    let ended = running.finish(PATIENCE);
    let records = ended.records();
    let reason = |id: &str| {
        let is_it = |one: &&Value| one["kind"] == "pair_not_traded" && one["pair"] == id;
        let last = records.iter().rfind(is_it).unwrap_or_else(|| panic!("{id}: {records:?}"));
        last["reason"].as_str().unwrap().to_owned()
    };
    assert!(
        reason(CLOSE).contains("kalshi moved the close: 1970-01-01T00:00:02"),
        "{}",
        reason(CLOSE)
    );
    assert!(reason(PRICES).contains("changed the prices it takes"), "{}", reason(PRICES));
    assert!(reason(UNSEEN).contains("was not accepted"), "{}", reason(UNSEEN));
    let again = format!("pairs accept {UNSEEN}");
    assert!(ended.errors.contains(&again), "{}", ended.errors);
    for (id, venue) in RULES.into_iter().zip(["kalshi", "polymarket"]) {
        let changed = format!("{venue}'s rules are not the ones that were reviewed: ");
        assert!(reason(id).contains(&changed), "{}", reason(id));
    }
    for record in records.iter().filter(|record| record["kind"] == "trade_opened") {
        assert!(SAME.contains(&record["pair"].as_str().unwrap()), "{record}");
    }
}
