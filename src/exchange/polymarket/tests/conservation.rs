//! No dollar and no share comes from nowhere, whatever is traded, merged, failed or resolved.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::super::dice::Dice;
use super::super::super::faults::{Fault, OrderFault, Reached, Resolution};
use super::super::super::funds::{Flow, Transfer};
use super::super::super::ledger::Statement;
use super::trader::{Trader, rest, take};
use super::*;
use crate::domain::{Action, Money};

const OUTCOMES: [Outcome; 2] = [Outcome::Yes, Outcome::No];

/// What was merged, by the one who asked for it.
fn check(statement: &Statement, merged: i64, redeemed: &BTreeMap<Outcome, i64>) {
    let mut cash = statement.paid_in + statement.payouts + Money::from_micros(merged);
    cash += statement.moved + statement.earned;
    let mut fees = Money::ZERO;
    let mut held: BTreeMap<Outcome, i64> = OUTCOMES.map(|outcome| (outcome, -merged)).into();
    for order in &statement.orders {
        fees += order.fees;
        let held = held.entry(order.outcome).or_default();
        match order.action {
            Action::Buy => {
                cash -= order.money + order.fees;
                *held += order.filled.units();
            }
            Action::Sell => {
                cash += order.money - order.fees;
                *held -= order.filled.units();
            }
        }
    }
    assert_eq!(statement.cash_total(), cash);
    assert_eq!(statement.fees, fees);
    assert!(statement.cash_total() >= Money::ZERO);
    for outcome in OUTCOMES {
        let listed = statement.positions.iter().find(|(_, of, _)| *of == outcome);
        let listed = listed.map_or(0, |(_, _, quantity)| quantity.units());
        let gone = redeemed.get(&outcome).copied().unwrap_or_default();
        assert_eq!(listed, held[&outcome] - gone, "{outcome:?}");
    }
}

fn story(seed: u64) {
    let mut dice = Dice::new(seed);
    let mut trader = Trader::new();
    let mut merged = 0;
    for turn in 0..120 {
        let cents = |dice: &mut Dice| format!("0.{:02}", dice.between(35, 65));
        let (side, at) = match dice.index(2) {
            0 => (Side::Bid, format!("0.{:02}", dice.between(40, 52))),
            _ => (Side::Ask, format!("0.{:02}", dice.between(48, 60))),
        };
        let count = u32::try_from(dice.between(1, 40)).unwrap();
        trader.rig.order(side, &at, count);
        let fault = match dice.index(12) {
            0 => Some(OrderFault::SettlementFails(secs(2))),
            1 => Some(OrderFault::SettlesLate(secs(4))),
            2 => Some(OrderFault::Delayed { lasts: secs(1), matches: true }),
            3 => Some(OrderFault::Held(Reached::Yes)),
            4 => Some(OrderFault::NothingThere),
            5 => Some(OrderFault::Partly(40)),
            6 => Some(OrderFault::BetterPrice),
            _ => None,
        };
        if let Some(fault) = fault {
            trader.rig.fault(&Fault::Order(fault));
        }
        let outcome = OUTCOMES[dice.index(2)];
        let count = u64::try_from(dice.between(5, 40)).unwrap();
        let at = cents(&mut dice);
        let ticket = match dice.index(5) {
            0 => rest(outcome, "BUY", count, &at),
            1 => rest(outcome, "SELL", count, &at),
            2 => rest(outcome, "SELL", count, "0.40").kind("FAK"),
            3 => take(outcome, count * 100, &at).kind("FOK"),
            _ => take(outcome, count * 100, &at),
        };
        trader.post(&ticket);
        if dice.index(6) == 0 {
            let amount = dice.between(1, 20_000_000);
            let market = trader.rig.floor.listings[0].id.clone();
            let body = json!({ "market": market, "amount": amount.to_string() }).to_string();
            if trader.ask("POST", "/embedded/merge", &body).status == 200 {
                merged += amount;
            }
        }
        if turn % 15 == 7 {
            let flow = [Flow::Deposit, Flow::Withdrawal, Flow::Rebate][turn / 15 % 3];
            let (amount, after) = (Money::from_micros(3_141_592), secs(1));
            let transfer = Transfer { flow, amount, fee: Money::ZERO, after };
            trader.rig.fault(&Fault::Funds(transfer));
        }
        if dice.index(10) == 0 {
            trader.ask("DELETE", "/cancel-all", "");
        }
        check(&trader.rig.core.statement(&trader.rig.floor), merged, &BTreeMap::new());
        trader.wait(u64::try_from(dice.between(20, 900)).unwrap());
    }
    trader.wait(10_000);
    let statement = trader.rig.core.statement(&trader.rig.floor);
    assert_eq!(statement.unsettled, [], "everything has settled or failed");
    check(&statement, merged, &BTreeMap::new());
    let redeemed = statement.positions.iter().map(|(_, of, held)| (*of, held.units())).collect();
    let resolution = Resolution::Value(price("0.3"));
    trader.rig.fault(&Fault::Resolve { market: 0, resolution, pays_after: secs(1) });
    trader.wait(1_000);
    let ended = trader.rig.core.statement(&trader.rig.floor);
    check(&ended, merged, &redeemed);
    assert!(ended.positions.is_empty() && ended.payouts >= Money::ZERO);
    assert!(ended.orders.iter().all(|order| order.open.is_zero()));
    assert!(ended.orders.iter().filter(|order| !order.filled.is_zero()).count() > 10, "it traded");
}

#[test]
fn random_trading_conserves_dollars_and_shares() {
    for seed in 0..6 {
        story(seed);
    }
}
