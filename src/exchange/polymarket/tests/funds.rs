//! Money that comes and goes without a trade.

use serde_json::json;

use super::super::super::faults::Fault;
use super::super::super::funds::{Flow, Transfer};
use super::trader::{Trader, money};
use super::*;
use crate::domain::Money;

const TYPES: &str = "DEPOSIT,WITHDRAWAL,YIELD,MAKER_REBATE";

fn transfer(flow: Flow, dollars: &str, after: u64) -> Fault {
    let (amount, after) = (money(dollars), secs(after));
    Fault::Funds(Transfer { flow, amount, fee: Money::ZERO, after })
}

fn listed(trader: &mut Trader, query: &str) -> Vec<(String, Value)> {
    let owner = super::super::Address::ANVIL;
    let body = trader.rig.get("data", &format!("/v2/activity?user={owner}{query}"));
    let rows = body["data"].as_array().unwrap().iter();
    rows.map(|row| (text(&row["type"]), row["usdc_size"].clone())).collect()
}

#[test]
fn money_moves_at_once_and_is_listed_later() {
    let mut trader = Trader::new();
    let query = format!("&type={TYPES}&exclude_deposits_withdrawals=false");
    trader.rig.fault(&transfer(Flow::Deposit, "100.25", 0));
    trader.rig.fault(&transfer(Flow::Withdrawal, "40", 30));
    trader.rig.fault(&transfer(Flow::Rebate, "0.5", 0));
    trader.rig.fault(&transfer(Flow::Interest, "0.000001", 0));
    assert_eq!(trader.cash(), money("5060.750001"));
    let found = listed(&mut trader, &query);
    let row = |kind: &str, dollars: f64| (kind.to_owned(), json!(dollars));
    let rows = [row("DEPOSIT", 100.25), row("MAKER_REBATE", 0.5), row("YIELD", 0.000_001)];
    assert_eq!(found, rows);
    trader.wait(30_000);
    let found = listed(&mut trader, &query);
    assert!(found.iter().any(|row| row.0 == "WITHDRAWAL"), "{found:?}");
    let statement = trader.rig.core.statement(&trader.rig.floor);
    assert_eq!((statement.moved, statement.earned), (money("60.25"), money("0.500001")));
}

/// The venue leaves both out although they are asked for.
#[test]
fn deposits_and_withdrawals_are_listed_only_where_they_are_not_excluded() {
    let mut trader = Trader::new();
    trader.rig.fault(&transfer(Flow::Deposit, "100", 0));
    trader.rig.fault(&transfer(Flow::Rebate, "1", 0));
    let found = listed(&mut trader, &format!("&type={TYPES}"));
    assert_eq!(found.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["MAKER_REBATE"]);
    assert!(listed(&mut trader, "&type=DEPOSIT").is_empty());
    assert_eq!(listed(&mut trader, "&type=DEPOSIT&exclude_deposits_withdrawals=false").len(), 1);
}

#[test]
fn what_is_not_free_stays_and_leaves_no_trace() {
    let mut trader = Trader::new();
    trader.rig.fault(&transfer(Flow::Withdrawal, "5000.000001", 0));
    assert_eq!(trader.cash(), money("5000"));
    assert!(listed(&mut trader, "&exclude_deposits_withdrawals=false").is_empty());
}
