use crate::exchange::Sending;
use crate::exchange::faults::{OrderFault, Reached};

use super::*;

fn struck(fault: OrderFault) -> Bench {
    let mut bench = Bench::quiet();
    bench.agent(0, Side::Ask, "0.43", "10");
    bench.agent(0, Side::Ask, "0.44", "30");
    bench.fault(&Fault::Order(fault));
    bench
}

fn take(bench: &mut Bench) -> Reply {
    let key = bench.key_id.clone();
    let wanted = order("bid", "40", "0.4400", IOC, &json!({"client_order_id": "once"}));
    bench.call_as(&key, "POST", ORDERS, &wanted.to_string())
}

fn filled(bench: &mut Bench) -> i64 {
    let truth = bench.kalshi.trading.statement(0);
    truth.orders.iter().map(|order| order.filled.units()).sum::<i64>() / Quantity::CONTRACT
}

#[test]
fn an_answer_that_does_not_come_says_nothing_about_the_order() {
    let cases = [
        (OrderFault::Held(Reached::Yes), Sending::Held, 40),
        (OrderFault::Held(Reached::No), Sending::Held, 0),
        (OrderFault::Cut(Reached::Yes), Sending::Cut, 40),
        (OrderFault::Cut(Reached::No), Sending::Cut, 0),
        (OrderFault::LateAnswer(seconds(3)), Sending::After(seconds(3)), 40),
    ];
    for (fault, sending, count) in cases {
        let mut bench = struck(fault.clone());
        assert_eq!(take(&mut bench).sending, sending, "{fault:?}");
        assert_eq!(filled(&mut bench), count, "{fault:?}");
        let again = take(&mut bench);
        assert_eq!(again.sending, Sending::Now, "one fault, one order");
        assert_eq!(again.status, if count == 0 { 201 } else { 409 });
    }
    for (reached, count) in [(Reached::Yes, 40), (Reached::No, 0)] {
        let mut bench = struck(OrderFault::Failing(reached, 503));
        let reply = take(&mut bench);
        assert_eq!((reply.status, reply.sending), (503, Sending::Now));
        assert_eq!(filled(&mut bench), count);
    }
}

#[test]
fn what_is_withdrawn_before_an_order_comes_back_after_it() {
    let mut bench = struck(OrderFault::NothingThere);
    bench.connect();
    let mut frames = bench.say(&subscribe(""));
    bench.now = bench.now.after(seconds(1));
    let key = bench.key_id.clone();
    let wanted = order("bid", "40", "0.4400", IOC, &json!({})).to_string();
    let (reply, seen) = bench.hasty(&key, "POST", ORDERS, &wanted);
    assert_eq!(reply.status, 201);
    assert_eq!(filled(&mut bench), 0);
    assert_eq!(seen.len(), 4, "two levels go and come");
    frames.extend(seen);
    let mut replica = Replica::default();
    for frame in frames.iter().filter(|frame| frame["msg"]["market_ticker"] == RATES) {
        replica.apply(frame, true);
    }
    assert_eq!(replica, Replica::of(&bench.world.kalshi.books[0]));
    let at = |price: &str| bench.world.kalshi.books[0].at(Side::Ask, Price::parse(price).unwrap());
    assert_eq!((at("0.43").to_string(), at("0.44").to_string()), ("10.00".into(), "30.00".into()));
}

#[test]
fn only_a_part_is_still_there() {
    let mut bench = struck(OrderFault::Partly(50));
    take(&mut bench);
    assert_eq!(filled(&mut bench), 20);
}

#[test]
fn a_better_offer_improves_the_price_and_is_gone_again() {
    let mut bench = struck(OrderFault::BetterPrice);
    bench.agent(0, Side::Bid, "0.40", "1");
    let body: Value = serde_json::from_str(&take(&mut bench).body).unwrap();
    assert_eq!(
        (&body["fill_count"], &body["average_fill_price"]),
        (&json!("40.00"), &json!("0.4200"))
    );
    assert_eq!(bench.world.kalshi.books[0].best(Side::Ask).unwrap().0.to_string(), "0.4300");
}

#[test]
fn a_busted_trade_is_taken_back_whole() {
    let mut bench = struck(OrderFault::Bust(seconds(10)));
    let before = bench.kalshi.trading.statement(0);
    take(&mut bench);
    assert_eq!(filled(&mut bench), 40);
    bench.wait(seconds(11));
    let after = bench.kalshi.trading.statement(0);
    assert_eq!((after.cash.clone(), after.fees), (before.cash, before.fees));
    assert_eq!((after.positions.len(), filled(&mut bench)), (0, 0));
    assert_eq!(bench.get("/portfolio/fills").1["fills"], json!([]));
}

#[test]
fn denied_cancels_are_carried_out_all_the_same() {
    let mut bench = struck(OrderFault::Partly(100));
    let (_, body) = bench.post(&order("bid", "1", "0.3000", GTC, &json!({})));
    bench.fault(&Fault::CancelsDenied { lasts: seconds(60) });
    let id = body["order_id"].as_str().unwrap().to_owned();
    assert_eq!(bench.call("DELETE", &format!("{ORDERS}/{id}"), &Value::Null).0, 404);
    assert_eq!(bench.get(&format!("/portfolio/orders/{id}")).1["order"]["status"], "canceled");
}

#[test]
fn reads_may_lag_behind() {
    let mut bench = struck(OrderFault::Partly(100));
    bench.fault(&Fault::ReadLag { behind: seconds(5), lasts: seconds(60) });
    take(&mut bench);
    assert_eq!(bench.get("/portfolio/orders").1["orders"], json!([]));
    assert_eq!(bench.balance(), "10000.0000");
    let as_of = bench.get("/exchange/user_data_timestamp").1["as_of_time"].clone();
    let as_of = Timestamp::parse(as_of.as_str().unwrap()).unwrap();
    assert_eq!(bench.now.since(as_of), seconds(5));
    bench.now = bench.now.after(seconds(5));
    assert_eq!(bench.get("/portfolio/orders").1["orders"].as_array().unwrap().len(), 1);
}

#[test]
fn funds_keys_and_clocks_fail_for_a_while() {
    let mut bench = struck(OrderFault::Partly(100));
    let path = "/trade-api/v2/portfolio/balance";
    bench.fault(&Fault::NoFunds { lasts: seconds(10) });
    assert_eq!(take(&mut bench).status, 404);
    bench.now = bench.now.after(seconds(10));
    assert_eq!(take(&mut bench).status, 201);
    bench.connect();
    assert_eq!(bench.fault(&Fault::KeyRevoked { lasts: seconds(10) }), [Push::Cut(LINK)]);
    let headers = bench.headers("GET", path);
    assert_eq!(bench.send(path, &headers).status, 401);
    bench.now = bench.now.after(seconds(10));
    let headers = bench.headers("GET", path);
    assert_eq!(bench.send(path, &headers).status, 200);
    bench.fault(&Fault::ClockSkew { ms: 30_000, lasts: seconds(10) });
    let headers = bench.headers("GET", path);
    let refused = bench.send(path, &headers);
    assert_eq!(refused.status, 401);
    assert!(refused.body.contains("header_timestamp_expired"));
    let date = refused.headers.iter().find(|(name, _)| *name == "date").unwrap();
    assert!(date.1.ends_with(" GMT"), "{}", date.1);
}

#[test]
fn private_messages_are_lost_or_repeated_out_of_order() {
    let kinds = |fault: Fault| {
        let mut bench = struck(OrderFault::Partly(100));
        bench.connect();
        let command =
            json!({"id": 1, "cmd": "subscribe", "params": {"channels": ["fill", "user_orders"]}});
        bench.say(&command.to_string());
        bench.fault(&fault);
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let (_, seen) = bench.post_seen(&order("bid", "5", "0.4400", IOC, &json!({})));
            kinds.push(
                seen.iter().map(|f| f["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>(),
            );
        }
        kinds
    };
    let silent = kinds(Fault::PrivateSilence { lasts: seconds(60) });
    assert_eq!(silent, [Vec::<String>::new(), Vec::new()]);
    let jumbled = kinds(Fault::Jumbled { lasts: seconds(60) });
    assert_eq!(jumbled[0], ["user_order", "fill"]);
    assert_eq!(jumbled[1], ["user_order", "fill", "user_order", "fill"], "the last ones again");
    let whole = kinds(Fault::Gap);
    assert_eq!(whole[1], ["fill", "user_order"]);
}
