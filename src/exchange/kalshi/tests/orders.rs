use super::*;

fn code((status, body): &(u16, Value)) -> (u16, &str) {
    (*status, body["error"]["code"].as_str().or(body["code"].as_str()).unwrap_or_default())
}

#[test]
fn what_is_wrong_with_an_order_is_named_as_the_venue_names_it() {
    let mut bench = Bench::quiet();
    bench.agent(0, Side::Ask, "0.43", "10");
    let good = order("bid", "1", "0.4100", GTC, &json!({}));
    let mut refused = |more: Value| {
        let mut order = good.clone();
        for (name, value) in more.as_object().unwrap() {
            order[name] = value.clone();
        }
        let answer = bench.post(&order);
        let (status, code) = code(&answer);
        (status, code.to_owned(), answer.1)
    };
    let cases = [
        (json!({"price": "0.4150"}), 400, "invalid_price"),
        (json!({"price": "1.0000"}), 400, "invalid_price"),
        (json!({"count": "0.00"}), 400, "invalid_order"),
        (json!({"count": "1.001"}), 400, "invalid_order"),
        (json!({"count": "100000"}), 400, "insufficient_balance"),
        (json!({"post_only": true, "price": "0.4300"}), 400, "invalid_order"),
        (json!({"reduce_only": true}), 400, "invalid_order"),
        (json!({"time_in_force": IOC, "expiration_time": 1_900_000_000}), 400, "invalid_order"),
        (json!({"expiration_time": 1_700_000_000}), 400, "invalid_order"),
        (json!({"ticker": "KXNOBODY"}), 404, "market_not_found"),
        (json!({"exchange_index": 2}), 404, "market_not_found"),
        (json!({"order_group_id": "x"}), 404, "order_group_not_found"),
    ];
    for (more, status, code) in cases {
        let (got, name, body) = refused(more.clone());
        assert_eq!((got, name.as_str()), (status, code), "{more}: {body}");
        assert!(body["error"].is_object(), "{body}");
    }
    for more in [
        json!({"count": 1}),
        json!({"price": 0.41}),
        json!({"side": "yes"}),
        json!({"time_in_force": "day"}),
        json!({"self_trade_prevention_type": null}),
    ] {
        let (got, name, body) = refused(more.clone());
        assert_eq!((got, name.as_str()), (400, "bad_request"), "{more}");
        assert!(body["error"].is_null(), "types are refused flat: {body}");
    }
    let (_, _, body) = refused(json!({"post_only": true, "price": "0.4300"}));
    assert_eq!(body["error"]["details"], "post only cross");
    assert_eq!(bench.get("/portfolio/orders").1["orders"], json!([]));
    assert_eq!(bench.post(&good).0, 201);
}

#[test]
fn retired_endpoints_say_so() {
    let mut bench = Bench::quiet();
    for (method, path) in [
        ("POST", "/portfolio/orders"),
        ("DELETE", "/portfolio/orders/x"),
        ("POST", "/portfolio/orders/batched"),
        ("POST", "/portfolio/orders/x/amend"),
    ] {
        let answer = bench.call(method, path, &json!({}));
        assert_eq!(code(&answer), (410, "deprecated_v1_order_endpoint"), "{method} {path}");
    }
}

#[test]
fn an_order_takes_what_it_crosses_and_the_rest_stays() {
    let mut bench = Bench::quiet();
    bench.agent(0, Side::Ask, "0.43", "10");
    bench.agent(0, Side::Ask, "0.44", "5");
    let taker = order("bid", "25.00", "0.4400", GTC, &json!({"client_order_id": "a-1"}));
    let (status, body) = bench.post(&taker);
    assert_eq!(status, 201);
    assert_eq!(body["client_order_id"], "a-1");
    assert_eq!((&body["fill_count"], &body["remaining_count"]), (&json!("15.00"), &json!("10.00")));
    assert_eq!(body["average_fill_price"], "0.4333");
    let id = body["order_id"].as_str().unwrap().to_owned();
    let (_, read) = bench.get(&format!("/portfolio/orders/{id}"));
    let order = &read["order"];
    assert_eq!((&order["status"], &order["outcome_side"]), (&json!("resting"), &json!("yes")));
    assert_eq!(order["yes_price_dollars"], "0.4400", "the limit");
    assert_eq!(order["taker_fill_cost_dollars"], "6.500000");
    assert_eq!(
        bench.world.kalshi.books[0].at(Side::Bid, Price::parse("0.44").unwrap()).to_string(),
        "10.00"
    );
    let (_, book) = bench.get(&format!("/markets/{RATES}/orderbook"));
    assert_eq!(book["orderbook_fp"]["yes_dollars"], json!([["0.4400", "10.00"]]));
}

#[test]
fn an_ask_buys_no_and_its_averages_are_of_yes() {
    let mut bench = Bench::quiet();
    bench.agent(0, Side::Bid, "0.41", "100");
    let (_, body) = bench.post(&order("ask", "25.00", "0.4100", IOC, &json!({})));
    assert_eq!(
        (&body["fill_count"], &body["average_fill_price"]),
        (&json!("25.00"), &json!("0.4100"))
    );
    assert_eq!(body["average_fee_paid"], "0.0169");
    let (_, fills) = bench.get("/portfolio/fills");
    let fill = &fills["fills"][0];
    assert_eq!((&fill["outcome_side"], &fill["book_side"]), (&json!("no"), &json!("ask")));
    assert_eq!((&fill["fee_cost"], &fill["is_taker"]), (&json!("0.423400"), &json!(true)));
    assert_eq!(fill["fill_id"], fill["trade_id"]);
    let (_, positions) = bench.get("/portfolio/positions");
    let position = &positions["market_positions"][0];
    assert_eq!(position["position_fp"], "-25.00");
    assert_eq!(position["market_exposure_dollars"], "14.750000");
    assert_eq!(positions["event_positions"][0]["total_cost_dollars"], "14.750000");
    assert_eq!(bench.cash()[0]["balance"], "4984.8266");
}

#[test]
fn immediate_or_cancel_without_a_match_is_created_with_zeros() {
    let mut bench = Bench::quiet();
    let (status, body) = bench.post(&order("bid", "5", "0.4000", IOC, &json!({})));
    assert_eq!(status, 201);
    assert_eq!((&body["fill_count"], &body["remaining_count"]), (&json!("0.00"), &json!("0.00")));
    assert!(body["average_fill_price"].is_null() && body["average_fee_paid"].is_null());
    assert_eq!(bench.get("/portfolio/orders?status=canceled").1["orders"][0]["status"], "canceled");
}

#[test]
fn a_killed_fill_or_kill_trades_nothing_and_burns_its_id() {
    let mut bench = Bench::quiet();
    bench.agent(0, Side::Ask, "0.43", "10");
    let id = json!({"client_order_id": "kill"});
    let killed = bench.post(&order("bid", "11", "0.4300", FOK, &id));
    assert_eq!(code(&killed), (409, "fill_or_kill_insufficient_resting_volume"));
    assert_eq!(bench.get("/portfolio/fills").1["fills"], json!([]));
    let again = bench.post(&order("bid", "1", "0.4300", FOK, &id));
    assert_eq!(code(&again), (409, "order_already_exists"));
    let (status, body) = bench.post(&order("bid", "10", "0.4300", FOK, &json!({})));
    assert_eq!((status, &body["fill_count"]), (201, &json!("10.00")));
}

#[test]
fn a_client_id_is_good_for_one_order_even_after_its_cancel() {
    let mut bench = Bench::quiet();
    let resting = order("bid", "5", "0.4000", GTC, &json!({"client_order_id": "once"}));
    let (_, body) = bench.post(&resting);
    let id = body["order_id"].as_str().unwrap().to_owned();
    assert_eq!(bench.call("DELETE", &format!("{ORDERS}/{id}"), &Value::Null).0, 200);
    assert_eq!(code(&bench.post(&resting)), (409, "order_already_exists"));
    assert_eq!(bench.post_as(SECOND, &resting).0, 201, "another member's ids are its own");
}

#[test]
fn a_taker_stops_at_its_own_order() {
    let mut bench = Bench::quiet();
    let (_, own) = bench.post(&order("ask", "5", "0.4300", GTC, &json!({})));
    let (status, body) = bench.post(&order("bid", "5", "0.4400", IOC, &json!({})));
    assert_eq!(status, 201);
    assert_eq!((&body["fill_count"], &body["remaining_count"]), (&json!("0.00"), &json!("0.00")));
    let (status, body) = bench.post(&order("bid", "5", "0.4400", FOK, &json!({})));
    assert_eq!((status, &body["fill_count"]), (201, &json!("0.00")), "it acts as an IOC");
    let id = own["order_id"].as_str().unwrap().to_owned();
    let read = bench.get(&format!("/portfolio/orders/{id}")).1;
    assert_eq!(read["order"]["status"], "resting", "untouched");
    let maker = json!({"self_trade_prevention_type": "maker"});
    let (_, body) = bench.post(&order("bid", "5", "0.4400", GTC, &maker));
    assert_eq!((&body["fill_count"], &body["remaining_count"]), (&json!("0.00"), &json!("5.00")));
    let read = bench.get(&format!("/portfolio/orders/{id}")).1;
    assert_eq!(read["order"]["status"], "canceled");
}

#[test]
fn reduce_only_never_opens_a_position() {
    let mut bench = Bench::quiet();
    bench.agent(0, Side::Ask, "0.40", "10");
    bench.agent(0, Side::Bid, "0.39", "100");
    let reduce = json!({"reduce_only": true});
    let (status, body) = bench.post(&order("ask", "5", "0.3900", IOC, &reduce));
    assert_eq!((status, &body["fill_count"]), (201, &json!("0.00")), "there is nothing to reduce");
    bench.post(&order("bid", "10", "0.4000", IOC, &json!({})));
    let (_, body) = bench.post(&order("ask", "25", "0.3900", IOC, &reduce));
    assert_eq!(body["fill_count"], "10.00");
    let (_, positions) = bench.get("/portfolio/positions");
    assert_eq!(positions["market_positions"][0]["position_fp"], "0.00");
    let held = bench.get("/portfolio/positions?count_filter=position").1;
    assert_eq!(held["market_positions"], json!([]));
}

#[test]
fn orders_need_the_scope_to_trade_and_a_signature() {
    let mut bench = Bench::quiet();
    let any = order("bid", "1", "0.4000", GTC, &json!({}));
    assert_eq!(bench.post_as(READER, &any).0, 403);
    assert_eq!(bench.call_as(READER, "GET", "/portfolio/balance", "").status, 200);
    let unsigned = bench.send("/trade-api/v2/portfolio/balance", &[]);
    assert_eq!(unsigned.status, 401);
}

#[test]
fn writes_have_their_own_budget_and_cancels_are_cheap() {
    let mut bench = Bench::quiet();
    let key = bench.key_id.clone();
    let any = order("bid", "1", "0.4000", GTC, &json!({})).to_string();
    let made = (0..12).filter(|_| bench.hasty(&key, "POST", ORDERS, &any).0.status == 201).count();
    assert_eq!(made, 10, "a hundred tokens at ten each");
    assert_eq!(bench.hasty(&key, "GET", "/portfolio/balance", "").0.status, 200);
    bench.now = bench.now.after(Duration::from_millis(100));
    let missing = format!("{ORDERS}/nobody");
    let tried: Vec<u16> =
        (0..6).map(|_| bench.hasty(&key, "DELETE", &missing, "").0.status).collect();
    assert_eq!(tried, [404, 404, 404, 404, 404, 429]);
    bench.now = bench.now.after(seconds(1));
    let item = json!({"order_id": "nobody"});
    let batch = json!({"orders": vec![item; 51]}).to_string();
    let (reply, _) = bench.hasty(&key, "DELETE", &format!("{ORDERS}/batched"), &batch);
    assert_eq!((reply.status, reply.body.as_str()), (429, r#"{"error":"too many requests"}"#));
    let costs = bench.get("/account/endpoint_costs").1;
    assert_eq!(
        (&costs["default_cost"], &costs["endpoint_costs"][1]["cost"]),
        (&json!(10), &json!(2))
    );
}

#[test]
fn a_batch_is_not_atomic() {
    let mut bench = Bench::quiet();
    let good = order("bid", "1", "0.4000", GTC, &json!({"client_order_id": "x"}));
    let batch = json!({"orders": [good, good]});
    let (status, body) = bench.call("POST", &format!("{ORDERS}/batched"), &batch);
    assert_eq!(status, 201);
    assert_eq!(body["orders"][0]["remaining_count"], "1.00");
    assert_eq!(body["orders"][1]["error"]["code"], "order_already_exists");
    assert_eq!(body["orders"][1]["client_order_id"], "x");
    let id = body["orders"][0]["order_id"].clone();
    let gone = json!({"orders": [{"order_id": id}, {"order_id": id}]});
    let (_, body) = bench.call("DELETE", &format!("{ORDERS}/batched"), &gone);
    assert_eq!(body["orders"][0]["reduced_by"], "1.00");
    assert_eq!(body["orders"][1]["error"]["code"], "not_found");
}
