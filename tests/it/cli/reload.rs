//! Mapping files that change under a running process.

use std::path::Path;
use std::time::Duration;

use super::run::{PATIENCE, Running};
use super::sim::{Sim, Twist, demo_pairs, is_feed};

/// Whoever saves a file may do it in steps; the watcher waits until it is whole.
fn save(dir: &Path, text: &str) {
    std::fs::write(dir.join("pairs.toml"), text).unwrap();
}

fn wait_change(watch: &mut Running, words: &[&str]) {
    watch.wait_record(&format!("a line with {words:?}"), |record| {
        let text = record["text"].as_str().unwrap_or_default();
        record["kind"] == "pairs_changed" && words.iter().all(|word| text.contains(word))
    });
}

#[test]
fn pairs_are_added_changed_broken_and_removed_while_watching() {
    let sim = Sim::start();
    let dir = sim.mappings(|text| text.replace("\"demo-heat-40-degrees\"", "\"heat\""));
    let mut watch = sim.watch(&sim.config(&Twist::default()), &dir, &["--json"]);
    watch.wait_record("kalshi live", |record| is_feed(record, "kalshi", "live"));

    let all = demo_pairs();
    let start = all.find("[[pair]]\nid = \"demo-heat-40-degrees\"").unwrap();
    let without_heat = &all[..start];
    save(&dir, without_heat);
    wait_change(&mut watch, &["pair heat removed"]);

    save(&dir, &all);
    wait_change(&mut watch, &["demo-heat-40-degrees added at", "pairs.toml:141"]);

    save(&dir, &all.replacen("resolution_risk = \"0.002\"", "resolution_risk = \"0.003\"", 1));
    wait_change(&mut watch, &["demo-rates-hold changed at", "resolution_risk"]);

    let broken = all.replacen("relation = \"same\"", "relation = \"sane\"", 1);
    save(&dir, &broken);
    wait_change(&mut watch, &["demo-rates-hold is broken at", "last good form stays in force"]);
    watch.wait_error("pairs.toml:9:12");
    watch.wait_error("did you mean `relation = \"same\"`?");

    // The text ends inside a pair: whatever stood there stays in force.
    save(&dir, &all[..all.len() - 40]);
    wait_change(&mut watch, &["demo-heat-40-degrees", "last good form stays in force"]);

    save(&dir, without_heat);
    wait_change(&mut watch, &["demo-heat-40-degrees removed"]);

    std::fs::remove_dir_all(&dir).unwrap();
    watch.wait_error("the last good set of pairs stays in force");
    std::fs::create_dir(&dir).unwrap();
    save(&dir, &all);
    wait_change(&mut watch, &["demo-heat-40-degrees added"]);

    std::fs::remove_file(dir.join("pairs.toml")).unwrap();
    wait_change(&mut watch, &["demo-rates-hold removed"]);
    save(&dir, &all);
    wait_change(&mut watch, &["demo-rates-hold added"]);

    // No line tells that a book is whole again; a few seconds are enough for all of them.
    std::thread::sleep(Duration::from_secs(4));
    watch.interrupt();
    let ended = watch.finish(PATIENCE);
    let summary = ended.expect(130).summary();
    assert_eq!(summary["feeds"]["kalshi"]["books_whole"], 8, "{summary}");
    assert_eq!(summary["feeds"]["kalshi"]["down"], 0, "{summary}");
    assert_eq!(summary["pairs"], 8, "{summary}");
}
