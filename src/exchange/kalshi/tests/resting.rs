use super::*;

fn rest(bench: &mut Bench, side: &str, count: &str, price: &str, more: &Value) -> String {
    let (status, body) = bench.post(&order(side, count, price, GTC, more));
    assert_eq!(status, 201, "{body}");
    body["order_id"].as_str().unwrap().to_owned()
}

fn show(bench: &mut Bench, id: &str) -> Value {
    bench.get(&format!("/portfolio/orders/{id}")).1["order"].clone()
}

#[test]
fn agents_trade_with_orders_that_rest() {
    let mut bench = Bench::quiet();
    let id = rest(&mut bench, "bid", "10", "0.4100", &json!({}));
    bench.agent(0, Side::Ask, "0.41", "4");
    let order = show(&mut bench, &id);
    assert_eq!(
        (&order["fill_count_fp"], &order["remaining_count_fp"]),
        (&json!("4.00"), &json!("6.00"))
    );
    assert_eq!(order["maker_fill_cost_dollars"], "1.640000");
    assert_eq!(order["maker_fees_dollars"], "0.000000");
    bench.agent(0, Side::Ask, "0.40", "6");
    assert_eq!(show(&mut bench, &id)["status"], "executed");
    let fills = bench.get(&format!("/portfolio/fills?order_id={id}")).1;
    let fill = &fills["fills"][0];
    assert_eq!((&fill["is_taker"], &fill["yes_price_dollars"]), (&json!(false), &json!("0.4100")));
    let trades = bench.get(&format!("/markets/trades?ticker={RATES}")).1;
    assert_eq!(trades["trades"][0]["trade_id"], fill["trade_id"], "one id everywhere");
}

#[test]
fn a_cancel_frees_what_was_held_back_and_the_next_one_finds_nothing() {
    let mut bench = Bench::quiet();
    let id = rest(&mut bench, "bid", "10", "0.4100", &json!({"client_order_id": "c"}));
    assert_eq!(bench.balance(), "9995.9000");
    let path = format!("{ORDERS}/{id}");
    let (status, body) = bench.call("DELETE", &path, &Value::Null);
    assert_eq!((status, &body["reduced_by"]), (200, &json!("10.00")));
    assert_eq!(body["client_order_id"], "c");
    assert_eq!(bench.balance(), "10000.0000");
    let again = bench.call("DELETE", &path, &Value::Null);
    assert_eq!((again.0, &again.1["error"]["code"]), (404, &json!("not_found")));
    let other = bench.call_as(SECOND, "DELETE", &path, "");
    assert_eq!(other.status, 404, "the orders of others do not exist");
}

#[test]
fn cancel_all_leaves_nothing_and_has_no_body() {
    let mut bench = Bench::quiet();
    for price in ["0.4000", "0.3900"] {
        rest(&mut bench, "bid", "1", price, &json!({}));
    }
    bench.post_as(SECOND, &order("bid", "1", "0.3800", GTC, &json!({})));
    let reply = bench.call_as(&bench.key_id.clone(), "DELETE", ORDERS, "");
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    assert_eq!(bench.get("/portfolio/orders?status=resting").1["orders"], json!([]));
    assert_eq!(bench.world.kalshi.books[0].best(Side::Bid).unwrap().0.to_string(), "0.3800");
}

#[test]
fn a_decrease_keeps_its_place_in_the_queue() {
    let mut bench = Bench::quiet();
    let id = rest(&mut bench, "bid", "10", "0.4100", &json!({}));
    bench.agent(0, Side::Bid, "0.41", "7");
    let second = rest(&mut bench, "bid", "3", "0.4100", &json!({}));
    let path = format!("{ORDERS}/{id}/decrease");
    for wrong in
        [json!({}), json!({"reduce_to": "10"}), json!({"reduce_by": "1", "reduce_to": "1"})]
    {
        assert_eq!(bench.call("POST", &path, &wrong).0, 400, "{wrong}");
    }
    let (_, body) = bench.call("POST", &path, &json!({"reduce_by": "4.00"}));
    assert_eq!(body["remaining_count"], "6.00");
    let queue = |bench: &mut Bench, id: &str| {
        bench.get(&format!("/portfolio/orders/{id}/queue_position")).1["queue_position_fp"].clone()
    };
    assert_eq!(queue(&mut bench, &id), "0.00");
    assert_eq!(queue(&mut bench, &second), "13.00");
    let all = bench.get(&format!("/portfolio/orders/queue_positions?market_tickers={RATES}")).1;
    assert_eq!(all["queue_positions"].as_array().unwrap().len(), 2);
    assert_eq!(bench.get("/portfolio/orders/queue_positions").0, 400);
    let (_, body) = bench.call("POST", &path, &json!({"reduce_to": "0"}));
    assert_eq!(body["remaining_count"], "0.00");
    assert_eq!(show(&mut bench, &id)["status"], "canceled");
}

#[test]
fn an_amend_gives_the_total_and_may_trade() {
    let mut bench = Bench::quiet();
    let id = rest(&mut bench, "bid", "10", "0.4100", &json!({}));
    bench.agent(0, Side::Ask, "0.41", "4");
    bench.agent(0, Side::Ask, "0.43", "20");
    let path = format!("{ORDERS}/{id}/amend");
    let amend = |count: &str, price: &str| {
        let (ticker, side) = (RATES, "bid");
        json!({"ticker": ticker, "side": side, "count": count, "price": price})
    };
    let (status, body) = bench.call("POST", &path, &amend("8", "0.4100"));
    assert_eq!((status, &body["remaining_count"]), (200, &json!("4.00")));
    let (_, body) = bench.call("POST", &path, &amend("30", "0.4300"));
    assert_eq!((&body["fill_count"], &body["remaining_count"]), (&json!("24.00"), &json!("6.00")));
    let order = show(&mut bench, &id);
    assert_eq!(
        (&order["initial_count_fp"], &order["yes_price_dollars"]),
        (&json!("30.00"), &json!("0.4300"))
    );
    assert_eq!(bench.call("POST", &path, &amend("24", "0.4300")).0, 400, "nothing would be left");
    assert_eq!(
        bench.call("POST", &path, &amend("30", "0.4350")).1["error"]["code"],
        "invalid_price"
    );
}

#[test]
fn orders_expire_and_markets_close() {
    let mut bench = Bench::quiet();
    let soon = bench.now.secs() + 10;
    let id = rest(&mut bench, "bid", "10", "0.4100", &json!({"expiration_time": soon}));
    let other = rest(&mut bench, "bid", "10", "0.4000", &json!({}));
    bench.wait(seconds(5));
    assert_eq!(show(&mut bench, &id)["status"], "resting");
    bench.wait(seconds(10));
    assert_eq!(show(&mut bench, &id)["status"], "canceled");
    bench.world.kalshi.listings[0].closes = bench.now.after(seconds(2));
    bench.now = bench.now.after(seconds(2));
    let path = format!("{ORDERS}/{other}");
    let late = bench.call("DELETE", &path, &Value::Null);
    assert_eq!((late.0, &late.1["error"]["code"]), (400, &json!("market_inactive")));
    bench.wait(seconds(1));
    assert_eq!(show(&mut bench, &other)["status"], "canceled", "swept");
}

#[test]
fn orders_are_listed_newest_first_page_by_page() {
    let mut bench = Bench::quiet();
    for price in ["0.10", "0.11", "0.12"] {
        rest(&mut bench, "bid", "1", price, &json!({}));
    }
    let coin = json!({"ticker": COIN, "exchange_index": 2});
    rest(&mut bench, "bid", "1", "0.1000", &coin);
    let (_, first) = bench.get("/portfolio/orders?limit=3&exchange_index=0");
    let prices: Vec<&Value> =
        first["orders"].as_array().unwrap().iter().map(|o| &o["yes_price_dollars"]).collect();
    assert_eq!(prices, ["0.1200", "0.1100", "0.1000"]);
    assert_eq!(first["cursor"], "");
    let (_, page) = bench.get("/portfolio/orders?limit=3");
    let cursor = page["cursor"].as_str().unwrap();
    let (_, rest) = bench.get(&format!("/portfolio/orders?limit=3&cursor={cursor}"));
    assert_eq!(rest["orders"].as_array().unwrap().len(), 1);
    let (_, coin) = bench.get(&format!("/portfolio/orders?ticker={COIN}"));
    assert_eq!(coin["orders"][0]["exchange_index"], 2);
    assert_eq!(bench.get("/portfolio/orders?status=dead").0, 400);
    assert_eq!(bench.get("/portfolio/orders?limit=1001").0, 400);
    let late = bench.now.secs() + 1;
    assert_eq!(bench.get(&format!("/portfolio/orders?min_ts={late}")).1["orders"], json!([]));
}

#[test]
fn a_group_that_trades_too_much_stops_its_orders() {
    let mut bench = Bench::quiet();
    let (status, made) =
        bench.call("POST", "/portfolio/order_groups/create", &json!({"contracts_limit": 10}));
    assert_eq!(status, 201);
    let group = made["order_group_id"].as_str().unwrap().to_owned();
    let member = json!({"order_group_id": group});
    bench.agent(0, Side::Ask, "0.43", "11");
    let other = rest(&mut bench, "bid", "5", "0.3000", &member);
    let shown = bench.get(&format!("/portfolio/order_groups/{group}")).1;
    assert_eq!(shown["orders"], json!([other]));
    bench.post(&order("bid", "10", "0.4300", IOC, &member));
    assert_eq!(show(&mut bench, &other)["status"], "resting", "ten are allowed");
    bench.post(&order("bid", "1", "0.4300", IOC, &member));
    assert_eq!(show(&mut bench, &other)["status"], "canceled");
    let more = order("bid", "1", "0.3000", GTC, &member);
    assert_eq!(bench.post(&more).0, 400);
    bench.call("PUT", &format!("/portfolio/order_groups/{group}/reset"), &Value::Null);
    assert_eq!(bench.post(&more).0, 201);
    bench.call("DELETE", &format!("/portfolio/order_groups/{group}"), &Value::Null);
    assert_eq!(bench.get("/portfolio/order_groups").1["order_groups"], json!([]));
    assert_eq!(bench.get("/portfolio/orders?status=resting").1["orders"], json!([]));
}
