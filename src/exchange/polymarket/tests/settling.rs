//! What becomes of trades, of resting orders that are hit, and of markets that end.

use serde_json::json;

use super::super::super::faults::{Fault, OrderFault, Resolution};
use super::trader::{Trader, money, rest, take};
use super::*;

const YES: Outcome = Outcome::Yes;
const NO: Outcome = Outcome::No;

fn trader() -> Trader {
    let mut trader = Trader::new();
    trader.rig.order(Side::Ask, "0.50", 100);
    trader.rig.order(Side::Bid, "0.47", 100);
    trader
}

fn stages(frames: &[Value]) -> Vec<&str> {
    let trades = frames.iter().filter(|frame| frame["event_type"] == "trade");
    trades.map(|trade| trade["status"].as_str().unwrap()).collect()
}

#[test]
fn a_trade_is_matched_then_mined_then_confirmed() {
    let mut trader = trader();
    let user = trader.listen(9);
    let body = trader.posted(&take(YES, 500, "0.50"));
    let trade = text(&body["tradeIDs"][0]);
    let first = trader.read(&format!("/data/trades?id={trade}"));
    assert_eq!(first["data"][0]["status"], "TRADE_STATUS_MATCHED");
    assert_eq!(first["data"][0]["transaction_hash"], "");
    trader.wait(2_000);
    let frames = trader.rig.frames(user);
    assert_eq!(stages(&frames), ["MATCHED", "MINED", "CONFIRMED"]);
    let last = trader.read(&format!("/data/trades?id={trade}"));
    assert_eq!(last["data"][0]["status"], "TRADE_STATUS_CONFIRMED");
    assert_eq!(last["data"][0]["transaction_hash"].as_str().unwrap().len(), 66);
    let order = frames.iter().find(|frame| frame["event_type"] == "order").unwrap();
    assert_eq!((&order["status"], &order["size_matched"]), (&"MATCHED".into(), &"10".into()));
}

#[test]
fn a_trade_that_fails_gives_the_money_back_and_takes_the_shares_away() {
    let mut trader = trader();
    let user = trader.listen(9);
    trader.rig.fault(&Fault::Order(OrderFault::SettlementFails(secs(5))));
    let body = trader.posted(&take(YES, 500, "0.50"));
    assert_eq!(body["status"], "matched", "nothing shows yet");
    assert_eq!(trader.cash(), money("4994.875"), "spent, with the fee");
    trader.wait(5_000);
    assert_eq!(stages(&trader.rig.frames(user)), ["MATCHED", "RETRYING", "FAILED"]);
    assert_eq!((trader.cash(), trader.held(YES)), (money("5000"), Quantity::ZERO));
    let statement = trader.rig.core.statement(&trader.rig.floor);
    assert_eq!(statement.orders[0].filled, Quantity::ZERO);
    assert_eq!((statement.orders[0].fees, statement.fees), (money("0"), money("0")));
    trader.wait(60_000);
    assert_eq!(trader.cash(), money("5000"), "once");
}

#[test]
fn a_sale_that_fails_gives_the_shares_back() {
    let mut trader = trader();
    trader.posted(&take(YES, 500, "0.50"));
    trader.wait(1_500);
    let before = trader.cash();
    trader.rig.fault(&Fault::Order(OrderFault::SettlementFails(secs(5))));
    trader.posted(&rest(YES, "SELL", 10, "0.47").kind("FAK"));
    assert_eq!(trader.held(YES), Quantity::ZERO);
    trader.wait(5_000);
    assert_eq!((trader.cash(), trader.held(YES)), (before, Quantity::contracts(10)));
}

#[test]
fn a_late_trade_holds_its_shares_back_all_the_while() {
    let mut trader = trader();
    let user = trader.listen(9);
    trader.rig.fault(&Fault::Order(OrderFault::SettlesLate(secs(30))));
    trader.posted(&take(YES, 500, "0.50"));
    trader.wait(29_000);
    let sell = rest(YES, "SELL", 10, "0.47").kind("FAK");
    assert!(trader.refused(&sell).contains("not enough balance"));
    trader.rig.say(user, "PING");
    trader.rig.now = trader.rig.now.after(secs(1));
    trader.wait(20);
    assert_eq!(trader.posted(&sell)["status"], "matched");
}

/// The chain knows nothing of what has only matched.
#[test]
fn balances_and_positions_are_read_from_the_chain() {
    let mut trader = trader();
    let collateral = "/balance-allowance?asset_type=COLLATERAL&signature_type=0";
    let owner = super::super::Address::ANVIL;
    let positions = format!("/v2/positions?user={owner}");
    trader.posted(&take(YES, 500, "0.50"));
    assert_eq!(trader.read(collateral)["balance"], "5000000000");
    assert_eq!(trader.rig.get("data", &positions)["data"], json!([]));
    trader.wait(1_500);
    assert_eq!(trader.read(collateral)["balance"], "4994875000");
    let rows = trader.rig.get("data", &positions);
    assert_eq!(
        (&rows["data"][0]["current_size"], &rows["data"][0]["outcome_index"]),
        (&10.into(), &0.into())
    );
    let other = "/balance-allowance?asset_type=COLLATERAL&signature_type=2";
    assert_eq!(trader.read(other)["balance"], "0", "another wallet of the same owner");
}

#[test]
fn a_maker_reads_his_own_leg_in_his_own_token() {
    let mut trader = trader();
    let user = trader.listen(9);
    let id = text(&trader.posted(&rest(NO, "BUY", 20, "0.51"))["orderID"]);
    // A bid of 0.51 for NO offers YES at 0.49: the best offer now.
    trader.rig.frames(user);
    trader.rig.order(Side::Bid, "0.49", 8);
    let frames = trader.rig.frames(user);
    let update = frames.iter().find(|frame| frame["event_type"] == "order").unwrap();
    assert_eq!((&update["type"], &update["size_matched"]), (&"UPDATE".into(), &"8".into()));
    let trade = frames.iter().find(|frame| frame["event_type"] == "trade").unwrap();
    assert_eq!(trade["trader_side"], "MAKER");
    assert_ne!(trade["owner"], json!(trader.key.key), "the taker's");
    let maker = &trade["maker_orders"][0];
    assert_eq!(maker["order_id"], json!(id));
    assert_eq!(maker["asset_id"], json!(token(0, NO)));
    assert_eq!((&maker["price"], &maker["side"]), (&"0.51".into(), &"BUY".into()));
    assert_eq!(trader.cash(), money("4995.92"), "makers pay no fee");
    let statement = trader.rig.core.statement(&trader.rig.floor);
    assert_eq!(statement.orders[0].open, Quantity::contracts(12));
    let listed = trader.read(&format!("/data/orders?market={}", trader.rig.floor.listings[0].id));
    assert_eq!(listed["data"][0]["size_matched"], "8");
}

#[test]
fn takers_from_both_tokens_meet_one_order() {
    let mut trader = trader();
    trader.posted(&rest(NO, "BUY", 20, "0.51"));
    trader.rig.order(Side::Bid, "0.49", 5);
    trader.rig.order(Side::Bid, "0.49", 5);
    let trades = trader.read("/data/trades");
    let tokens: Vec<&Value> =
        trades["data"].as_array().unwrap().iter().map(|trade| &trade["asset_id"]).collect();
    assert_ne!(tokens[0], tokens[1], "one bought YES, one sold NO");
    for trade in trades["data"].as_array().unwrap() {
        let crossed = trade["asset_id"] != trade["maker_orders"][0]["asset_id"];
        assert_eq!(crossed, trade["side"] == "BUY", "{trade}");
    }
}

#[test]
fn cancels_say_what_was_cancelled_and_what_was_not() {
    let mut trader = trader();
    let user = trader.listen(9);
    let mut ids = Vec::new();
    for outcome in [YES, NO, YES] {
        ids.push(text(&trader.posted(&rest(outcome, "BUY", 10, "0.30"))["orderID"]));
    }
    let answer = trader.ask("DELETE", "/orders", &json!([ids[0], "0x00"]).to_string());
    let gone = json!({ "0x00": "already canceled or matched" });
    let expected = json!({ "canceled": [ids[0]], "not_canceled": gone });
    assert_eq!(serde_json::from_str::<Value>(&answer.body).unwrap(), expected);
    let market = trader.rig.floor.listings[0].id.clone();
    let body = json!({ "market": market, "asset_id": token(0, NO) });
    let answer = trader.ask("DELETE", "/cancel-market-orders", &body.to_string());
    assert!(answer.body.contains(&ids[1]) && !answer.body.contains(&ids[2]));
    let answer = trader.ask("DELETE", "/cancel-all", "");
    assert!(answer.body.contains(&ids[2]));
    assert_eq!(trader.rig.floor.books[0].at(Side::Bid, price("0.30")), Quantity::ZERO);
    let frames = trader.rig.frames(user);
    let cancelled = frames.iter().filter(|frame| frame["type"] == "CANCELLATION");
    assert_eq!(cancelled.count(), 3);
}

#[test]
fn orders_are_gone_when_the_heart_stops_and_not_before() {
    let mut trader = trader();
    trader.posted(&rest(YES, "BUY", 10, "0.30"));
    let beat = |trader: &mut Trader, id: &str| {
        let reply =
            trader.ask("POST", "/v1/heartbeats", &json!({ "heartbeat_id": id }).to_string());
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        (reply.status, text(&body["heartbeat_id"]))
    };
    let (_, first) = beat(&mut trader, "");
    trader.wait(8_000);
    let (status, expected) = beat(&mut trader, "wrong");
    assert_eq!((status, &expected), (400, &first), "it names the right one");
    assert_eq!(beat(&mut trader, &first).0, 200);
    trader.wait(9_900);
    assert_eq!(trader.read("/data/orders")["count"], 1);
    trader.wait(5_200);
    assert_eq!(trader.read("/data/orders")["count"], 0);
    trader.posted(&rest(YES, "BUY", 10, "0.30"));
    trader.wait(30_000);
    assert_eq!(trader.read("/data/orders")["count"], 1, "it beats no more");
}

#[test]
fn a_market_that_ends_pays_who_holds_it() {
    let mut trader = trader();
    trader.posted(&take(YES, 500, "0.50"));
    trader.posted(&take(NO, 265, "0.53"));
    let open = text(&trader.posted(&rest(YES, "BUY", 10, "0.30"))["orderID"]);
    trader.wait(1_500);
    let before = trader.cash();
    let resolution = Resolution::Value(price("0.26"));
    trader.rig.fault(&Fault::Resolve { market: 0, resolution, pays_after: secs(60) });
    let order = trader.read(&format!("/data/order/{open}"));
    assert_eq!(order["status"], "CANCELED_MARKET_RESOLVED");
    let why = trader.refused(&rest(YES, "BUY", 10, "0.30"));
    assert!(why.ends_with("does not exist"), "{why}");
    let condition = trader.rig.floor.listings[0].id.clone();
    let market = trader.rig.get("gamma", &format!("/markets?condition_ids={condition}"));
    assert_eq!(
        (&market[0]["closed"], &market[0]["umaResolutionStatus"]),
        (&true.into(), &"resolved".into())
    );
    assert_eq!(market[0]["outcomePrices"], r#"["0.26", "0.74"]"#);
    trader.wait(59_000);
    assert_eq!(trader.cash(), before);
    trader.wait(1_000);
    // 10 x 0.26 and 5 x 0.74.
    assert_eq!(trader.cash(), before + money("6.3"));
    assert_eq!((trader.held(YES), trader.held(NO)), (Quantity::ZERO, Quantity::ZERO));
    let owner = super::super::Address::ANVIL;
    let paid = trader.rig.get("data", &format!("/v2/activity?user={owner}&type=REDEEM"));
    assert_eq!(
        (&paid["data"][0]["usdc_size"], &paid["pagination"]["has_more"]),
        (&json!(6.3), &false.into())
    );
    let ended = trader.rig.get("data", &format!("/v2/resolutions?condition_id={condition}"));
    assert_eq!(ended["data"][0]["payouts"], json!([0.26, 0.74]));
    trader.wait(60_000);
    assert_eq!(trader.cash(), before + money("6.3"), "once");
}

#[test]
fn a_wallet_may_redeem_by_itself_and_what_settles_later_is_paid_later() {
    let mut trader = trader();
    trader.posted(&take(YES, 500, "0.50"));
    trader.wait(1_500);
    trader.rig.fault(&Fault::Order(OrderFault::SettlesLate(secs(30))));
    trader.posted(&take(YES, 500, "0.50"));
    let before = trader.cash();
    let body = json!({ "market": trader.rig.floor.listings[0].id }).to_string();
    assert_eq!(trader.ask("POST", "/embedded/redeem", &body).status, 400, "it goes on");
    let resolution = Resolution::Yes;
    trader.rig.fault(&Fault::Resolve { market: 0, resolution, pays_after: secs(5) });
    assert_eq!(trader.ask("POST", "/embedded/redeem", &body).status, 200);
    assert_eq!(trader.cash(), before + money("10"));
    trader.wait(29_000);
    assert_eq!(trader.cash(), before + money("10"));
    trader.wait(1_100);
    assert_eq!(trader.cash(), before + money("20"));
}
