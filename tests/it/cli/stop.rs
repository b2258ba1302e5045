//! Ends that a person asks for: everything sold, every order of the account cancelled, and a file
//! that appears.

use std::path::Path;

use serde_json::Value;

use super::run::{Ended, PATIENCE, Running, arg, run};
use super::sim::Sim;

fn demo(sim: &Sim, journal: &Path) -> Running {
    let url = sim.polymarket["clob"].as_str().unwrap();
    Running::start(&["demo", "--json", "--venues", url, "--journal", arg(journal)])
}

fn tell(journal: &Path, args: &[&str], code: i32) -> Ended {
    let ended = run(&[args, &["--json", "--journal", arg(journal)]].concat());
    ended.expect(code);
    ended
}

fn is_locked(record: &Value) -> bool {
    record["kind"] == "trade" && record["state"] == "locked"
}

#[test]
fn flatten_sells_what_is_held_within_what_may_be_lost_and_goes_on_after_a_restart() {
    let sim = Sim::start();
    let journal = sim.folder.path().join("flat.db");
    let mut first = demo(&sim, &journal);
    first.wait_record("a locked pair", is_locked);
    let unsure = run(&["flatten", "--loss-max", "400", "--journal", arg(&journal)]);
    unsure.expect(2);
    let told = tell(&journal, &["flatten", "--loss-max", "400", "--yes"], 0).records().remove(0);
    assert_eq!(told["halts"][0]["why"], "everything is being sold", "{told}");
    first.wait_record("what may be lost", |record| {
        record["kind"] == "flattening" && record["loss_max"] == "400.000000"
    });
    first.wait_record("a sale", |record| record["kind"] == "order" && record["action"] == "sell");
    first.interrupt();
    first.finish(PATIENCE).expect(130);

    // What was not sold before is sold after a restart, without being asked again.
    let mut again = demo(&sim, &journal);
    again.wait_record("a feed", |record| record["kind"] == "feed");
    let status = || tell(&journal, &["status"], 0).records().remove(0);
    let deadline = std::time::Instant::now() + PATIENCE;
    let is_small = |held: &Value| {
        held["quantity"].as_str().unwrap().parse::<f64>().is_ok_and(|count| count < 10.0)
    };
    loop {
        let standing = status();
        if standing["positions"].as_array().unwrap().iter().all(is_small) {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{standing}");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    again.interrupt();
    let ended = again.finish(PATIENCE);
    let opened = ended.records().iter().filter(|one| one["kind"] == "trade_opened").count();
    assert_eq!(opened, 0, "nothing new is opened");
    let pnl = tell(&journal, &["pnl"], 0).summary();
    let realised = pnl["realised"].as_str().unwrap().parse::<f64>().unwrap();
    assert!(realised >= -400.0, "{pnl}");
}

#[test]
fn a_kill_file_ends_everything_and_removing_it_resumes_nothing() {
    let sim = Sim::start();
    let journal = sim.folder.path().join("trader.db");
    let file = sim.folder.path().join("trader.db.kill");
    let mut running = demo(&sim, &journal);
    running.wait_record("a locked pair", is_locked);
    std::fs::write(&file, "").unwrap();
    let ended = running.finish(PATIENCE);
    ended.expect(3);
    let killed = ended.records().into_iter().find(|one| one["incident"] == "killed").unwrap();
    let text = killed["text"].as_str().unwrap();
    assert!(text.contains("kill file") && text.contains("held: "), "{text}");
    assert!(!text.contains(" market "), "markets are named: {text}");
    let refused = demo(&sim, &journal).finish(PATIENCE);
    refused.expect(2);
    assert!(refused.errors.contains(arg(&file)), "{}", refused.errors);
    std::fs::remove_file(&file).unwrap();
    let mut again = demo(&sim, &journal);
    again.wait_record("a feed", |record| record["kind"] == "feed");
    let status = tell(&journal, &["status"], 0).records().remove(0);
    assert_eq!(status["halts"][0]["scope"], "all", "{status}");
    again.interrupt();
    again.finish(PATIENCE);
}

#[test]
fn every_order_of_the_account_is_cancelled_only_when_exactly_that_is_asked() {
    let sim = Sim::start();
    let journal = sim.folder.path().join("trader.db");
    let mut running = demo(&sim, &journal);
    running.wait_record("a locked pair", is_locked);
    for venue in ["kalshi", "polymarket"] {
        let ask = ["cancel-all", "--everything-at", venue];
        let unsure = tell(&journal, &ask, 2);
        assert!(unsure.errors.contains("placed by hand"), "{}", unsure.errors);
        assert_eq!(unsure.errors.contains("within the next minute"), venue == "kalshi");
        tell(&journal, &[&ask[..], &["--yes"]].concat(), 0);
        running.wait_error("all orders were cancelled");
    }
    let both = ["cancel-all", "--everything-at", "kalshi", "--venue", "kalshi", "--yes"];
    tell(&journal, &both, 2);
    running.interrupt();
    running.finish(PATIENCE);
}
