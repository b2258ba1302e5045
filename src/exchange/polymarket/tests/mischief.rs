//! Orders in trouble: answers that never come, books that change under them, venues that pretend.

use serde_json::json;

use super::super::super::Sending;
use super::super::super::faults::{Fault, OrderFault, Reached};
use super::trader::{Trader, money, rest, take};
use super::*;

const YES: Outcome = Outcome::Yes;
const NO: Outcome = Outcome::No;

fn trader() -> Trader {
    let mut trader = Trader::new();
    trader.rig.order(Side::Ask, "0.50", 40);
    trader.rig.order(Side::Ask, "0.51", 60);
    trader.rig.order(Side::Bid, "0.47", 100);
    trader
}

fn order(trader: &mut Trader, fault: OrderFault) {
    trader.rig.fault(&Fault::Order(fault));
}

#[test]
fn an_order_without_an_answer_was_carried_out_or_was_not() {
    let cases = [
        (OrderFault::Held(Reached::Yes), Sending::Held, true),
        (OrderFault::Held(Reached::No), Sending::Held, false),
        (OrderFault::Cut(Reached::Yes), Sending::Cut, true),
        (OrderFault::Cut(Reached::No), Sending::Cut, false),
        (OrderFault::Failing(Reached::Yes, 502), Sending::Now, true),
        (OrderFault::Failing(Reached::No, 503), Sending::Now, false),
    ];
    for (fault, sending, done) in cases {
        let mut trader = trader();
        order(&mut trader, fault.clone());
        let reply = trader.post(&take(YES, 500, "0.50"));
        assert_eq!(reply.sending, sending, "{fault:?}");
        assert!(sending != Sending::Now || reply.status >= 502, "{fault:?}");
        let expected = if done { 10 } else { 0 };
        assert_eq!(trader.held(YES), Quantity::contracts(expected), "{fault:?}");
        let next = trader.post(&take(YES, 500, "0.50"));
        assert_eq!((next.status, next.sending), (200, Sending::Now), "one request only");
    }
}

#[test]
fn a_late_answer_comes_behind_the_news() {
    let mut trader = trader();
    let user = trader.listen(9);
    order(&mut trader, OrderFault::LateAnswer(secs(3)));
    let reply = trader.post(&take(YES, 500, "0.50"));
    assert_eq!((reply.status, reply.sending), (200, Sending::After(secs(3))));
    assert!(!trader.rig.frames(user).is_empty());
}

#[test]
fn an_error_may_call_itself_success() {
    let mut trader = trader();
    order(&mut trader, OrderFault::SuccessWithError);
    let reply = trader.post(&take(YES, 500, "0.50"));
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((reply.status, &body["success"], &body["orderID"]), (200, &true.into(), &"".into()));
    assert_ne!(body["errorMsg"], "");
    assert_eq!(trader.cash(), money("5000"));
}

/// What a client sees of the book while an order finds another one than it expected.
fn watched(fault: OrderFault) -> (Trader, Reply) {
    let mut trader = trader();
    let market = trader.rig.both(3);
    let mut client = Client::default();
    trader.rig.frames(market).iter().for_each(|frame| client.apply(frame));
    let before = trader.rig.floor.books[0].levels(Side::Ask).collect::<Vec<_>>();
    order(&mut trader, fault);
    let reply = trader.post(&take(YES, 2_550, "0.51"));
    let frames = trader.rig.frames(market);
    assert!(frames.len() > 2, "everybody sees it");
    frames.iter().for_each(|frame| client.apply(frame));
    for outcome in [YES, NO] {
        assert!(client.agrees(&trader.rig.floor, 0, outcome), "{outcome:?}");
    }
    if trader.held(YES).is_zero() {
        assert_eq!(trader.rig.floor.books[0].levels(Side::Ask).collect::<Vec<_>>(), before);
    }
    (trader, reply)
}

#[test]
fn offers_may_be_gone_for_a_moment() {
    let (trader, reply) = watched(OrderFault::NothingThere);
    assert_eq!(reply.status, 400);
    assert!(reply.body.contains("no orders found to match with FAK order"), "{}", reply.body);
    assert_eq!(trader.held(YES), Quantity::ZERO);
}

#[test]
fn a_part_of_the_offers_may_be_gone_for_a_moment() {
    let (trader, reply) = watched(OrderFault::Partly(30));
    assert_eq!(reply.status, 200);
    assert_eq!(trader.held(YES), Quantity::contracts(30), "of a hundred, at 0.50");
    let book = &trader.rig.floor.books[0];
    let left = [book.at(Side::Ask, price("0.50")), book.at(Side::Ask, price("0.51"))];
    assert_eq!(left, [Quantity::contracts(10), Quantity::contracts(60)]);
}

#[test]
fn a_better_offer_brings_more_shares_than_were_asked_for() {
    let (trader, reply) = watched(OrderFault::BetterPrice);
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    // 25.50 at 0.49 instead of the 50 shares that it named.
    assert_eq!(
        (&body["makingAmount"], &body["takingAmount"]),
        (&"25.5".into(), &"52.040816".into())
    );
    assert_eq!(trader.rig.floor.books[0].best(Side::Ask).unwrap().0, price("0.50"), "it is gone");
}

#[test]
fn a_better_offer_finds_room_where_there_is_none() {
    let mut trader = trader();
    trader.rig.order(Side::Bid, "0.49", 5);
    order(&mut trader, OrderFault::BetterPrice);
    let body = trader.posted(&take(YES, 490, "0.50"));
    assert_eq!(body["takingAmount"], "10");
    let book = &trader.rig.floor.books[0];
    assert_eq!(book.at(Side::Bid, price("0.49")), Quantity::contracts(5), "it came back");
}

#[test]
fn a_delayed_order_cannot_be_cancelled_and_then_meets_what_stands() {
    let mut trader = trader();
    order(&mut trader, OrderFault::Delayed { lasts: secs(3), matches: true });
    let body = trader.posted(&take(YES, 500, "0.50"));
    assert_eq!((&body["status"], &body["makingAmount"]), (&"delayed".into(), &"".into()));
    let id = text(&body["orderID"]);
    let answer = trader.ask("DELETE", "/order", &json!({ "orderID": id }).to_string());
    assert!(answer.body.starts_with(r#"{"canceled":[],"#), "{}", answer.body);
    assert_eq!(trader.held(YES), Quantity::ZERO);
    let why = trader.refused(&rest(YES, "BUY", 9_999, "0.4996").kind("GTC"));
    assert!(why.contains("breaks minimum tick"), "{why}");
    trader.wait(3_000);
    assert_eq!(trader.held(YES), Quantity::contracts(10));
    assert_eq!(trader.read(&format!("/data/order/{id}"))["status"], "MATCHED");
    order(&mut trader, OrderFault::Delayed { lasts: secs(3), matches: false });
    let id = text(&trader.posted(&take(YES, 500, "0.50"))["orderID"]);
    trader.wait(3_000);
    assert_eq!(trader.held(YES), Quantity::contracts(10));
    assert_eq!(trader.read(&format!("/data/order/{id}"))["status"], "UNMATCHED");
}

#[test]
fn the_private_channel_repeats_reorders_and_falls_silent() {
    let mut trader = trader();
    let user = trader.listen(9);
    trader.rig.fault(&Fault::Jumbled { lasts: secs(2) });
    trader.posted(&take(YES, 500, "0.50"));
    assert!(trader.rig.frames(user).is_empty(), "held back");
    trader.wait(20);
    let kinds: Vec<String> =
        trader.rig.frames(user).iter().map(|frame| text(&frame["event_type"])).collect();
    assert_eq!(kinds, ["order", "trade", "trade", "order"]);
    trader.wait(3_000);
    trader.rig.frames(user);
    trader.rig.fault(&Fault::PrivateSilence { lasts: secs(3) });
    trader.posted(&take(YES, 500, "0.50"));
    trader.wait(2_000);
    assert!(trader.rig.frames(user).is_empty());
    trader.wait(2_000);
    assert!(trader.rig.frames(user).is_empty(), "what was not said is lost");
}

#[test]
fn cancels_may_be_denied_though_they_are_done() {
    let mut trader = trader();
    let id = text(&trader.posted(&rest(YES, "BUY", 10, "0.30"))["orderID"]);
    trader.rig.fault(&Fault::CancelsDenied { lasts: secs(3) });
    let answer = trader.ask("DELETE", "/order", &json!({ "orderID": id }).to_string());
    assert!(answer.body.contains("already canceled or matched"), "{}", answer.body);
    assert_eq!(trader.read(&format!("/data/order/{id}"))["status"], "CANCELED");
}

#[test]
fn a_restart_answers_425_and_then_takes_only_orders_that_rest() {
    let mut trader = trader();
    trader.rig.fault(&Fault::Restart { away: secs(90), post_only: secs(120) });
    let ticket = take(YES, 500, "0.50");
    assert_eq!(trader.post(&ticket).status, 425);
    assert_eq!(trader.ask("DELETE", "/cancel-all", "").status, 425);
    assert_eq!(trader.ask("GET", "/data/orders", "").status, 200, "reads go on");
    trader.rig.now = trader.rig.now.after(secs(90));
    let reply = trader.post(&ticket);
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((reply.status, &body["code"]), (503, &"post_only_mode".into()));
    assert_eq!(body["retry_after_seconds"], 120);
    let mut resting = rest(YES, "BUY", 10, "0.30");
    assert_eq!(trader.post(&resting).status, 503);
    resting.post_only = true;
    assert_eq!(trader.post(&resting).status, 200);
    assert_eq!(trader.ask("DELETE", "/cancel-all", "").status, 200);
    trader.rig.now = trader.rig.now.after(secs(120));
    assert_eq!(trader.post(&ticket).status, 200);
}

#[test]
fn keys_funds_clock_and_exchange_may_fail_for_a_while() {
    let mut trader = trader();
    let ticket = take(YES, 500, "0.50");
    trader.rig.fault(&Fault::KeyRevoked { lasts: secs(5) });
    assert_eq!(trader.post(&ticket).status, 401);
    trader.rig.now = trader.rig.now.after(secs(5));
    trader.rig.fault(&Fault::NoFunds { lasts: secs(5) });
    assert!(trader.refused(&ticket).starts_with("not enough balance / allowance"));
    trader.rig.now = trader.rig.now.after(secs(5));
    trader.rig.fault(&Fault::TradingPause { lasts: secs(5) });
    assert_eq!(trader.post(&ticket).status, 503);
    assert_eq!(trader.ask("DELETE", "/cancel-all", "").status, 200);
    trader.rig.now = trader.rig.now.after(secs(5));
    trader.rig.fault(&Fault::ClockSkew { ms: -40_000, lasts: secs(5) });
    assert_eq!(trader.rig.get("clob", "/time"), json!(trader.rig.now.secs() - 40));
    assert_eq!(trader.post(&ticket).status, 401);
    trader.rig.now = trader.rig.now.after(secs(5));
    trader.rig.fault(&Fault::RateLimited { lasts: secs(5) });
    let limited = trader.post(&ticket);
    assert!(
        limited.status == 429 && limited.headers.iter().any(|(name, _)| *name == "retry-after")
    );
    trader.rig.now = trader.rig.now.after(secs(5));
    assert_eq!(trader.post(&ticket).status, 200);
}

#[test]
fn reads_may_show_the_past() {
    let mut trader = trader();
    let id = text(&trader.posted(&rest(YES, "BUY", 10, "0.30"))["orderID"]);
    trader.rig.fault(&Fault::ReadLag { behind: secs(2), lasts: secs(10) });
    trader.wait(1_000);
    trader.ask("DELETE", "/cancel-all", "");
    trader.posted(&take(YES, 500, "0.50"));
    trader.wait(1_900);
    let status = |trader: &mut Trader| text(&trader.read(&format!("/data/order/{id}"))["status"]);
    assert_eq!(
        (status(&mut trader), trader.read("/data/trades")["count"].clone()),
        ("LIVE".into(), 0.into())
    );
    trader.wait(200);
    assert_eq!(
        (status(&mut trader), trader.read("/data/trades")["count"].clone()),
        ("CANCELED".into(), 1.into())
    );
    trader.ask("DELETE", "/cancel-all", "");
}

#[test]
fn a_pause_that_clears_the_book_ends_our_orders_too() {
    let mut trader = trader();
    let user = trader.listen(9);
    let id = text(&trader.posted(&rest(YES, "BUY", 10, "0.30"))["orderID"]);
    let mut facts = Vec::new();
    let book = &mut trader.rig.floor.books[0];
    let all: Vec<_> = book.resting().map(|(_, _, order)| order.number).collect();
    for number in all {
        book.cancel(number, &mut facts);
    }
    trader.rig.report(&facts);
    let last = trader.rig.frames(user).pop().unwrap();
    assert_eq!((&last["type"], &last["id"]), (&"CANCELLATION".into(), &json!(id)));
    assert_eq!(trader.read("/data/orders")["count"], 0);
}

#[test]
fn a_stranger_hears_nothing_on_the_private_channel() {
    let mut trader = trader();
    let user = trader.listen(9);
    let request = Request { method: "GET", path: "/ws/user", query: "", headers: &[], body: &[] };
    trader.rig.core.open(Connection(10), &request, trader.rig.now).unwrap();
    let auth = json!({ "apiKey": trader.key.key, "secret": "AAAA", "passphrase": "x" });
    trader.rig.say(Connection(10), &json!({ "type": "user", "auth": auth }).to_string());
    assert!(trader.rig.is_cut(Connection(10)));
    trader.posted(&take(YES, 500, "0.50"));
    assert!(trader.rig.frames(Connection(10)).is_empty());
    assert!(!trader.rig.frames(user).is_empty());
    trader.rig.say(user, "PING");
    assert_eq!(trader.rig.texts(user), ["PONG"]);
}
