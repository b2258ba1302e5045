//! What becomes of orders: the rules they keep, what they match, and what that costs.

use serde_json::json;

use super::super::super::faults::{Fault, OrderFault, Reached};
use super::super::sign::Contract;
use super::trader::{Trader, money, rest, take};
use super::*;

const YES: Outcome = Outcome::Yes;
const NO: Outcome = Outcome::No;

/// Offers of YES at 0.50 and 0.52, bids at 0.47.
fn trader() -> Trader {
    let mut trader = Trader::new();
    trader.rig.order(Side::Ask, "0.50", 10);
    trader.rig.order(Side::Ask, "0.52", 100);
    trader.rig.order(Side::Bid, "0.47", 40);
    trader
}

#[test]
fn a_buy_that_takes_spends_its_collateral_and_gets_more_shares_for_a_better_price() {
    let mut trader = trader();
    // 9.88 at 0.52 names 19 shares; ten of them come at 0.50.
    let body = trader.posted(&take(YES, 988, "0.52"));
    assert_eq!((&body["status"], &body["makingAmount"]), (&"matched".into(), &"9.88".into()));
    assert_eq!(body["takingAmount"], "19.384615", "10 at 0.50 and 4.88 / 0.52");
    assert_eq!(body["tradeIDs"].as_array().unwrap().len(), 2, "one trade for each price");
    assert_eq!(body["transactionsHashes"], json!([]));
    // 10 x 0.05 x 0.25 = 0.125; 9.384615 x 0.05 x 0.52 x 0.48 = 0.117119... up to 0.11712.
    assert_eq!(trader.cash(), money("4989.87788"));
    assert_eq!(trader.held(YES).to_string(), "19.384615");
}

#[test]
fn buying_no_takes_the_bids_for_yes() {
    let mut trader = trader();
    let body = trader.posted(&take(NO, 1_060, "0.53"));
    assert_eq!(body["takingAmount"], "20", "a bid of 0.47 for YES offers NO at 0.53");
    assert_eq!(trader.rig.floor.books[0].at(Side::Bid, price("0.47")), Quantity::contracts(20));
    assert_eq!(trader.held(NO), Quantity::contracts(20));
    assert_eq!(trader.refused(&take(NO, 1_000, "0.52")), FAK_KILLED);
}

const FAK_KILLED: &str = "no orders found to match with FAK order. FAK orders are partially \
                          filled or killed if no match is found.";
const FOK_KILLED: &str = "order couldn't be fully filled. FOK orders are fully filled or killed.";

#[test]
fn a_killed_order_is_refused_with_its_id_and_can_be_read() {
    let mut trader = trader();
    let ticket = take(YES, 600, "0.50").kind("FOK");
    let reply = trader.post(&ticket);
    assert_eq!(reply.status, 400, "only ten stand at 0.50");
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(body["error"], FOK_KILLED);
    let id = text(&body["orderID"]);
    let order = trader.read(&format!("/data/order/{id}"));
    assert_eq!(order["status"], format!("CANCELED_{FOK_KILLED}"));
    assert_eq!(order["size_matched"], "0");
    assert_eq!(trader.cash(), money("5000"));
    let partly = trader.posted(&take(YES, 600, "0.50"));
    assert_eq!((&partly["makingAmount"], &partly["takingAmount"]), (&"5".into(), &"10".into()));
}

#[test]
fn shares_rounded_up_leave_the_limit_below_the_ask() {
    let mut trader = Trader::new();
    trader.rig.order(Side::Ask, "0.07", 100);
    let mut ticket = take(YES, 100, "0.07");
    assert_eq!(ticket.taker, 14_285_700);
    ticket.taker = 14_290_000;
    assert_eq!(trader.refused(&ticket), FAK_KILLED);
    ticket.taker = 14_285_700;
    assert_eq!(trader.posted(&ticket)["takingAmount"], "14.285714");
}

#[test]
fn amounts_keep_the_venues_decimals() {
    let mut trader = trader();
    let mut ticket = take(YES, 988, "0.52");
    ticket.maker += 1_000;
    let market = "invalid amounts, the market buy orders maker amount supports a max accuracy of \
                  2 decimals, taker amount a max of 4 decimals";
    assert_eq!(trader.refused(&ticket), market);
    ticket.maker -= 1_000;
    ticket.taker += 10;
    assert_eq!(trader.refused(&ticket), market);
    let limit = "invalid amounts, the buy orders maker amount supports a max accuracy of 4 \
                 decimals, taker amount a max of 2 decimals";
    assert_eq!(trader.refused(&take(YES, 988, "0.53").kind("GTC")), limit);
}

#[test]
fn limits_keep_to_the_tick_and_sizes_to_the_minimum() {
    let mut trader = trader();
    let mut ticket = rest(YES, "BUY", 10, "0.49");
    ticket.maker += 10_000;
    let why = trader.refused(&ticket);
    assert!(
        why.ends_with("is invalid. Price (0.491) breaks minimum tick size rule: 0.01"),
        "{why}"
    );
    let why = trader.refused(&rest(YES, "BUY", 4, "0.49"));
    assert!(why.ends_with("is invalid. Size (4) lower than the minimum: 5"), "{why}");
    let mut trader = Trader::new();
    trader.rig.order(Side::Ask, "0.10", 20);
    let why = trader.refused(&rest(YES, "BUY", 9, "0.10"));
    assert_eq!(why, "invalid amount for a marketable BUY order ($0.9), min size: $1");
    assert_eq!(trader.posted(&rest(YES, "BUY", 9, "0.09"))["status"], "live", "it takes nothing");
}

#[test]
fn an_order_is_signed_for_its_markets_contract_by_the_keys_owner() {
    let mut trader = trader();
    let mut ticket = rest(YES, "BUY", 10, "0.40");
    ticket.contract = Contract::V3;
    assert_eq!(trader.refused(&ticket), "order_version_mismatch");
    ticket.contract = Contract::NegRisk;
    assert_eq!(trader.refused(&ticket), "invalid signature");
    ticket.contract = Contract::Standard;
    let mut body = trader.body(&ticket);
    body["order"]["makerAmount"] = "4100000".into();
    let why = trader.ask("POST", "/order", &body.to_string());
    assert!(why.body.contains("invalid signature"), "{}", why.body);
    let mut body = trader.body(&ticket);
    body["owner"] = "00000000-0000-0000-0000-000000000001".into();
    let why = trader.ask("POST", "/order", &body.to_string());
    assert!(why.body.contains("owner of the API KEY"), "{}", why.body);
}

#[test]
fn the_same_order_is_taken_once() {
    let mut trader = trader();
    let mut ticket = rest(YES, "BUY", 10, "0.40");
    ticket.salt = Some(7);
    let id = text(&trader.posted(&ticket)["orderID"]);
    assert_eq!(trader.refused(&ticket), format!("order {id} is invalid. Duplicated."));
    trader.ask("DELETE", "/order", &json!({ "orderID": id }).to_string());
    assert_eq!(trader.refused(&ticket), format!("order {id} is invalid. Duplicated."));
}

#[test]
fn post_only_orders_rest_or_are_refused() {
    let mut trader = trader();
    let mut ticket = rest(YES, "BUY", 10, "0.50");
    ticket.post_only = true;
    assert_eq!(trader.refused(&ticket), "invalid post-only order: order crosses book");
    let mut ticket = rest(YES, "BUY", 10, "0.49");
    ticket.post_only = true;
    let body = trader.posted(&ticket);
    assert_eq!((&body["status"], &body["makingAmount"]), (&"live".into(), &"".into()));
    assert_eq!(trader.rig.floor.books[0].at(Side::Bid, price("0.49")), Quantity::contracts(10));
}

#[test]
fn resting_orders_lock_what_they_may_need() {
    let mut trader = trader();
    for _ in 0..2 {
        trader.posted(&rest(YES, "BUY", 5_000, "0.45"));
    }
    assert_eq!(trader.cash(), money("5000"), "locked, not spent");
    let why = trader.refused(&rest(YES, "BUY", 2_000, "0.45"));
    assert!(why.starts_with("not enough balance / allowance"), "{why}");
    assert!(why.contains("sum of active orders: 4500000000, order amount: 900000000"), "{why}");
    assert_eq!(trader.posted(&rest(YES, "BUY", 1_000, "0.45"))["status"], "live");
    let why = trader.refused(&rest(YES, "SELL", 5, "0.60"));
    assert!(why.starts_with("not enough balance / allowance"), "{why}");
}

#[test]
fn the_fee_has_to_be_there_on_top_of_the_spend() {
    let mut trader = Trader::new();
    trader.rig.order(Side::Ask, "0.50", 20_000);
    let why = trader.refused(&take(YES, 500_000, "0.50"));
    // 10,000 shares at 0.50: 125 dollars of fee.
    assert!(
        why.ends_with("balance: 5000000000, sum of active orders: 0, order amount: 5125000000")
    );
    trader.posted(&take(YES, 487_800, "0.50"));
    assert_eq!(trader.cash(), money("0.05"));
}

#[test]
fn what_is_matched_can_be_neither_sold_nor_merged_until_it_is_confirmed() {
    let mut trader = trader();
    trader.posted(&take(YES, 500, "0.50"));
    trader.posted(&take(NO, 530, "0.53"));
    let sell = rest(YES, "SELL", 10, "0.47").kind("FAK");
    assert!(trader.refused(&sell).starts_with("not enough balance"));
    let merge = json!({ "market": trader.rig.floor.listings[0].id, "amount": "10000000" });
    let merge = merge.to_string();
    assert_eq!(trader.ask("POST", "/embedded/merge", &merge).status, 400);
    let before = trader.cash();
    trader.wait(1_500);
    assert_eq!(trader.ask("POST", "/embedded/merge", &merge).status, 200);
    assert_eq!(trader.cash(), before + money("10"));
    assert_eq!((trader.held(YES), trader.held(NO)), (Quantity::ZERO, Quantity::ZERO));
}

#[test]
fn a_sell_is_paid_its_proceeds_less_the_fee() {
    let mut trader = trader();
    trader.posted(&take(YES, 500, "0.50"));
    trader.wait(1_500);
    let before = trader.cash();
    let body = trader.posted(&rest(YES, "SELL", 10, "0.47").kind("FAK"));
    assert_eq!((&body["makingAmount"], &body["takingAmount"]), (&"10".into(), &"4.7".into()));
    // 10 x 0.05 x 0.47 x 0.53 = 0.12455.
    assert_eq!(trader.cash(), before + money("4.57545"));
}

#[test]
fn a_batch_holds_fifteen_orders_and_answers_for_each() {
    let mut trader = trader();
    let good = trader.body(&rest(YES, "BUY", 10, "0.40"));
    let bad = trader.body(&rest(YES, "BUY", 1, "0.40"));
    let reply = trader.ask("POST", "/orders", &json!([good, bad]).to_string());
    let answers: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((reply.status, &answers[0]["status"]), (200, &"live".into()));
    assert_eq!((&answers[1]["success"], &answers[1]["orderID"]), (&false.into(), &"".into()));
    let many = json!(vec![good; 16]).to_string();
    let reply = trader.ask("POST", "/orders", &many);
    assert!(reply.body.contains("Too many orders in payload: 16, max allowed: 15"));
}

#[test]
fn orders_that_end_do_so_a_minute_early_and_name_a_time_far_enough_ahead() {
    let mut trader = trader();
    let mut ticket = rest(YES, "BUY", 10, "0.40").kind("GTD");
    ticket.expiration = trader.rig.now.secs() + 179;
    assert_eq!(trader.refused(&ticket), "invalid expiration");
    ticket.expiration += 1;
    let id = text(&trader.posted(&ticket)["orderID"]);
    trader.wait(119_000);
    assert_eq!(trader.read("/data/orders")["count"], 1);
    trader.wait(1_000);
    assert_eq!(trader.read("/data/orders")["count"], 0);
    let order = trader.read(&format!("/data/order/{id}"));
    assert_eq!(order["status"], "CANCELED_EXPIRED_ORDER");
}

#[test]
fn a_signer_has_forty_orders_a_second() {
    let mut trader = trader();
    let ticket = rest(YES, "BUY", 1, "0.40");
    for _ in 0..60 {
        assert_eq!(trader.post(&ticket).status, 400, "too small, but counted");
    }
    let reply = trader.post(&ticket);
    assert_eq!(reply.status, 429);
    assert!(reply.headers.iter().any(|(name, value)| *name == "retry-after" && value == "1"));
    trader.wait(100);
    assert_eq!(trader.post(&ticket).status, 400);
}

/// The three headers that tell of a bucket: what is left, when there is room, and the tier.
fn told(reply: &Reply) -> [Option<&str>; 3] {
    ["remaining", "reset", "tier"].map(|name| {
        let name = format!("poly-ratelimit-{name}");
        let found = reply.headers.iter().find(|(one, _)| **one == *name);
        found.map(|(_, value)| value.as_str())
    })
}

#[test]
fn answers_of_the_order_routes_tell_what_is_left_to_the_signer() {
    let mut trader = trader();
    let ticket = rest(YES, "BUY", 1, "0.40");
    let secs = trader.rig.now.secs();
    let reply = trader.post(&ticket);
    let now = secs.to_string();
    assert_eq!(told(&reply), [Some("59"), Some(now.as_str()), Some("standard")]);
    for _ in 1..60 {
        trader.post(&ticket);
    }
    trader.wait(10);
    let soon = (secs + 1).to_string();
    let refused = trader.post(&ticket);
    assert_eq!(told(&refused), [Some("0"), Some(soon.as_str()), Some("standard")]);
    // Cancels have a bucket of their own.
    let body = json!(["0x01", "0x02"]).to_string();
    let cancelled = trader.ask("DELETE", "/orders", &body);
    assert_eq!(told(&cancelled), [Some("118"), Some(now.as_str()), Some("standard")]);
    // Neither a server in front of the limiter nor a read tells of it.
    trader.wait(1_000);
    trader.rig.fault(&Fault::Order(OrderFault::Failing(Reached::Yes, 502)));
    assert_eq!(told(&trader.post(&ticket)), [None; 3]);
    assert_eq!(told(&trader.ask("GET", "/data/orders", "")), [None; 3]);
}

#[test]
fn a_restart_is_told_with_the_budget_of_what_it_refuses() {
    let mut trader = trader();
    let (away, post_only) = (Duration::from_secs(90), Duration::from_secs(120));
    trader.rig.fault(&Fault::Restart { away, post_only });
    let ticket = rest(YES, "BUY", 1, "0.40");
    let reply = trader.post(&ticket);
    assert_eq!((reply.status, told(&reply)[0]), (425, Some("59")));
}

#[test]
fn a_part_of_a_neg_risk_market_says_so_and_is_settled_by_its_contract() {
    let mut trader = trader();
    let group = format!("0x{}", "cd".repeat(32));
    trader.rig.floor.listings[0].group = group.clone();
    let id = trader.rig.floor.listings[0].id.clone();
    let gamma = trader.rig.get("gamma", &format!("/markets?condition_ids={id}"));
    assert_eq!((&gamma[0]["negRisk"], &gamma[0]["negRiskMarketID"]), (&json!(true), &json!(group)));
    assert_eq!(gamma[0]["events"][0]["negRiskMarketID"], group);
    assert_eq!(trader.rig.get("clob", &format!("/clob-markets/{id}"))["nr"], true);
    let mut ticket = rest(YES, "BUY", 10, "0.40");
    assert_eq!(trader.refused(&ticket), "invalid signature");
    ticket.contract = Contract::NegRisk;
    assert_eq!(trader.posted(&ticket)["status"], "live");
    // Another market of the same event is none.
    let other = trader.rig.floor.listings[1].id.clone();
    let gamma = trader.rig.get("gamma", &format!("/markets?condition_ids={other}"));
    assert_eq!((&gamma[0]["negRisk"], gamma[0].get("negRiskMarketID")), (&json!(false), None));
}
