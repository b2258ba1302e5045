use super::*;

fn subscribe_all(bench: &mut Bench) {
    bench.connect();
    let channels = ["orderbook_delta", "trade", "fill", "user_orders", "market_positions"];
    for (id, channel) in (1..).zip(channels) {
        let command = json!({
            "id": id, "cmd": "subscribe",
            "params": {"channels": [channel], "market_tickers": [RATES]},
        });
        bench.say(&command.to_string());
    }
}

fn of<'a>(frames: &'a [Value], kind: &str) -> Vec<&'a Value> {
    frames.iter().filter(|frame| frame["type"] == kind).map(|frame| &frame["msg"]).collect()
}

#[test]
fn a_take_is_told_as_fill_order_and_position() {
    let mut bench = Bench::quiet();
    bench.agent(0, Side::Bid, "0.41", "30");
    subscribe_all(&mut bench);
    let client = json!({"client_order_id": "own"});
    let (body, seen) = bench.post_seen(&order("ask", "25", "0.4100", IOC, &client));
    let fill = of(&seen, "fill")[0];
    assert_eq!(fill["order_id"], body["order_id"]);
    assert_eq!((&fill["outcome_side"], &fill["fee_cost"]), (&json!("no"), &json!("0.423400")));
    assert_eq!(
        (&fill["post_position_fp"], &fill["client_order_id"]),
        (&json!("-25.00"), &json!("own"))
    );
    assert_eq!(fill["trade_id"], of(&seen, "trade")[0]["trade_id"]);
    let order = of(&seen, "user_order")[0];
    assert_eq!((&order["status"], &order["fill_count_fp"]), (&json!("executed"), &json!("25.00")));
    assert_eq!(
        (&order["taker_fees_dollars"], &order["last_update_reason"]),
        (&json!("0.423400"), &json!("Trade"))
    );
    let position = of(&seen, "market_position")[0];
    assert_eq!(
        (&position["position_fp"], &position["position_cost_dollars"]),
        (&json!("-25.00"), &json!("14.750000"))
    );
    for frame in
        seen.iter().filter(|f| ["fill", "user_order"].contains(&f["type"].as_str().unwrap()))
    {
        assert!(frame["seq"].is_null(), "no sequence on private channels");
    }
}

#[test]
fn the_members_own_changes_of_a_book_bear_its_client_id_and_others_do_not() {
    let mut bench = Bench::quiet();
    subscribe_all(&mut bench);
    let client = json!({"client_order_id": "mine"});
    let (body, seen) = bench.post_seen(&order("bid", "10", "0.4100", GTC, &client));
    let delta = of(&seen, "orderbook_delta")[0];
    assert_eq!((&delta["delta_fp"], &delta["client_order_id"]), (&json!("10.00"), &json!("mine")));
    assert_eq!(delta["subaccount"], 0);
    let seen = bench.agent(0, Side::Ask, "0.41", "4");
    let delta = of(&seen, "orderbook_delta")[0];
    assert_eq!(delta["delta_fp"], "-4.00");
    assert!(delta["client_order_id"].is_null() && delta["subaccount"].is_null());
    let fill = of(&seen, "fill")[0];
    assert_eq!((&fill["is_taker"], &fill["order_id"]), (&json!(false), &body["order_id"]));
    let other = order("bid", "1", "0.4000", GTC, &json!({"client_order_id": "theirs"}));
    let key = SECOND.to_owned();
    bench.now = bench.now.after(seconds(1));
    let (_, seen) = bench.hasty(&key, "POST", ORDERS, &other.to_string());
    assert!(of(&seen, "orderbook_delta")[0]["client_order_id"].is_null());
    assert!(of(&seen, "user_order").is_empty(), "others' orders are nobody's business");
}

#[test]
fn own_orders_keep_the_public_books_whole() {
    let mut bench = Bench::new(4);
    bench.connect();
    let mut frames = bench.say(&subscribe(r#","use_yes_price":true"#));
    for round in 0..40 {
        let (side, price) = [("bid", "0.6000"), ("ask", "0.4000"), ("bid", "0.2000")][round % 3];
        let force = [GTC, IOC][round % 2];
        frames.extend(bench.post_seen(&order(side, "37.50", price, force, &json!({}))).1);
        frames.extend(bench.steps(3));
    }
    let mut replica = Replica::default();
    for frame in frames.iter().filter(|frame| frame["msg"]["market_ticker"] == RATES) {
        replica.apply(frame, true);
    }
    assert_eq!(replica, Replica::of(&bench.world.kalshi.books[0]));
    assert!(bench.get("/portfolio/fills").1["fills"].as_array().unwrap().len() > 5);
}

#[test]
fn a_cancel_is_told_with_its_reason() {
    let mut bench = Bench::quiet();
    subscribe_all(&mut bench);
    let (body, seen) = bench.post_seen(&order("bid", "10", "0.4100", GTC, &json!({})));
    assert_eq!(of(&seen, "user_order")[0]["status"], "resting");
    let path = format!("{ORDERS}/{}", body["order_id"].as_str().unwrap());
    let key = bench.key_id.clone();
    let (_, seen) = bench.hasty(&key, "DELETE", &path, "");
    let told = of(&seen, "user_order")[0];
    assert_eq!(
        (&told["status"], &told["remaining_count_fp"]),
        (&json!("canceled"), &json!("0.00"))
    );
    assert_eq!(of(&seen, "orderbook_delta")[0]["delta_fp"], "-10.00");
}
