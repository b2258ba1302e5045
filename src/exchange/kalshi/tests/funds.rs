//! What is paid in and taken out.

use super::*;
use crate::exchange::faults::Fault;
use crate::exchange::funds::{Flow, Transfer};

fn transfer(flow: Flow, cents: i64, fee: i64, secs: u64) -> Fault {
    let [amount, fee] = [cents, fee].map(|cents| Money::from_micros(cents * 10_000));
    Fault::Funds(Transfer { flow, amount, fee, after: Duration::from_secs(secs) })
}

fn rows(bench: &mut Bench, list: &str) -> Vec<(String, i64, Value)> {
    let body = bench.get(&format!("/portfolio/{list}")).1;
    let rows = body[list].as_array().unwrap().iter();
    rows.map(|row| {
        let amount = row["amount_cents"].as_i64().unwrap();
        (row["status"].as_str().unwrap().to_owned(), amount, row["finalized_ts"].clone())
    })
    .collect()
}

fn wait(bench: &mut Bench, secs: u64) {
    bench.now = bench.now.after(Duration::from_secs(secs));
    bench.kalshi.tick(&mut bench.world.kalshi, bench.now, &mut Vec::new());
}

#[test]
fn a_deposit_is_pending_before_the_balance_has_it() {
    let mut bench = Bench::quiet();
    bench.fault(&transfer(Flow::Deposit, 10_000, 200, 60));
    assert_eq!(rows(&mut bench, "deposits"), [("pending".to_owned(), 10_000, Value::Null)]);
    assert_eq!(bench.cash()[0]["balance"], "5000.0000");
    wait(&mut bench, 60);
    let done = bench.now.secs();
    assert_eq!(rows(&mut bench, "deposits"), [("applied".to_owned(), 10_000, done.into())]);
    assert_eq!(bench.cash()[0]["balance"], "5098.0000", "less the fee");
    wait(&mut bench, 600);
    assert_eq!(bench.cash()[0]["balance"], "5098.0000", "once");
    assert!(rows(&mut bench, "withdrawals").is_empty());
    let truth = bench.kalshi.trading.statement(0);
    assert_eq!((truth.moved, truth.earned), (Money::from_micros(98_000_000), Money::ZERO));
}

#[test]
fn what_is_not_free_cannot_be_taken_out() {
    let mut bench = Bench::quiet();
    bench.fault(&transfer(Flow::Withdrawal, 490_000, 200, 0));
    assert_eq!(bench.cash()[0]["balance"], "98.0000", "the fee comes on top");
    bench.fault(&transfer(Flow::Withdrawal, 9_801, 0, 0));
    let found = rows(&mut bench, "withdrawals");
    assert_eq!((found[0].0.as_str(), found[1].0.as_str()), ("failed", "applied"), "newest first");
    assert_eq!(bench.cash()[0]["balance"], "98.0000");
}

#[test]
fn interest_is_listed_nowhere() {
    let mut bench = Bench::quiet();
    bench.fault(&transfer(Flow::Interest, 5, 0, 0));
    assert_eq!(bench.cash()[0]["balance"], "5000.0500");
    assert!(rows(&mut bench, "deposits").is_empty());
    assert_eq!(bench.kalshi.trading.statement(0).earned, Money::from_micros(50_000));
}

#[test]
fn the_lists_have_pages_of_at_most_five_hundred() {
    let mut bench = Bench::quiet();
    for cents in 1..=3 {
        bench.fault(&transfer(Flow::Deposit, cents, 0, 0));
    }
    let first = bench.get("/portfolio/deposits?limit=2").1;
    let cursor = first["cursor"].as_str().unwrap().to_owned();
    let last = bench.get(&format!("/portfolio/deposits?limit=2&cursor={cursor}")).1;
    let amounts = |page: &Value| -> Vec<i64> {
        let rows = page["deposits"].as_array().unwrap().iter();
        rows.map(|row| row["amount_cents"].as_i64().unwrap()).collect()
    };
    assert_eq!((amounts(&first), amounts(&last)), (vec![3, 2], vec![1]));
    assert_eq!(last["cursor"], "");
    assert_eq!(bench.get("/portfolio/deposits?limit=501").0, 400);
}
