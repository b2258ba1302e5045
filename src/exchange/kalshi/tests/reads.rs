use super::*;

#[test]
fn errors_have_their_shapes() {
    let mut bench = Bench::new(1);
    let (status, body) = bench.get("/markets/KXNOTHING");
    assert_eq!((status, &body["error"]["code"]), (404, &json!("not_found")));
    assert_eq!(bench.get("/no/such/path").0, 404);
    let (status, body) = bench.get("/markets?limit=1001");
    assert_eq!(status, 400);
    assert!(body["msg"].as_str().unwrap().starts_with("Parameter validation failed"));
    assert_eq!(bench.get("/markets?status=active").0, 400, "the filter has its own words");
    assert_eq!(bench.get("/events?limit=201").0, 400);
    bench.fault(&Fault::RateLimited { lasts: seconds(1) });
    assert_eq!(bench.get("/markets").0, 429);
    bench.fault(&Fault::ServerError { lasts: seconds(1), status: 503 });
    assert_eq!(bench.get("/markets").0, 503);
    bench.now = bench.now.after(seconds(1));
    assert_eq!(bench.get("/markets").0, 200);
}

#[test]
fn listings_are_filtered_and_paged() {
    let mut bench = Bench::new(1);
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let (_, body) = bench.get(&format!("/markets?limit=3&cursor={cursor}"));
        for market in body["markets"].as_array().unwrap() {
            seen.push(market["ticker"].as_str().unwrap().to_owned());
        }
        cursor = body["cursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    let all: Vec<_> = bench.world.kalshi.listings.iter().map(|l| l.id.clone()).collect();
    assert_eq!(seen, all);
    let count =
        |bench: &mut Bench, query: &str| bench.get(query).1["markets"].as_array().unwrap().len();
    assert_eq!(count(&mut bench, "/markets?cursor=garbage&status=open"), 8);
    assert_eq!(count(&mut bench, "/markets?event_ticker=KXDEMORATES-27MAR"), 2);
    assert_eq!(count(&mut bench, &format!("/markets?tickers={RATES}%2C{CUT}")), 2);
    assert_eq!(count(&mut bench, "/markets?series_ticker=KXDEMOCPI&mve_filter=exclude"), 1);
    assert_eq!(count(&mut bench, "/markets?status=paused"), 0);
    let (_, event) = bench.get("/events/KXDEMORATES-27MAR?with_nested_markets=true");
    assert_eq!(event["event"]["markets"].as_array().unwrap().len(), 2);
    assert_eq!(event["event"]["mutually_exclusive"], true);
    let (_, events) = bench.get("/events?limit=200");
    assert_eq!(events["events"].as_array().unwrap().len(), 7);
    assert!(events["events"][0].get("markets").is_none());
    let (_, series) = bench.get("/series/KXDEMOCOIN");
    assert_eq!(series["series"]["fee_multiplier"].to_string(), "0.5");
    assert_eq!(series["series"]["fee_type"], "quadratic");
}

#[test]
fn books_are_ascending_bids_and_only_a_repeated_parameter_names_several() {
    let mut bench = Bench::new(1);
    let (_, body) = bench.get(&format!("/markets/{RATES}/orderbook?depth=3"));
    let book = &body["orderbook_fp"];
    let prices = |side: &str| -> Vec<Price> {
        let levels = book[side].as_array().unwrap();
        levels.iter().map(|l| Price::parse(l[0].as_str().unwrap()).unwrap()).collect()
    };
    let (yes, no) = (prices("yes_dollars"), prices("no_dollars"));
    let own = &bench.world.kalshi.books[0];
    assert_eq!(yes.len(), 3);
    assert!(yes.is_sorted() && no.is_sorted());
    assert_eq!(yes.last(), own.best(Side::Bid).map(|best| best.0).as_ref());
    assert_eq!(no.last(), own.best(Side::Ask).map(|best| best.0.mirror()).as_ref());
    bench.world.kalshi.books[0] = crate::exchange::matching::Book::default();
    let (_, body) = bench.get(&format!("/markets/{RATES}/orderbook"));
    assert_eq!(body["orderbook_fp"], json!({"yes_dollars": [], "no_dollars": []}));
    let count = |(_, body): (u16, Value)| body["orderbooks"].as_array().unwrap().len();
    assert_eq!(count(bench.get(&format!("/markets/orderbooks?tickers={RATES}&tickers={CUT}"))), 2);
    assert_eq!(count(bench.get(&format!("/markets/orderbooks?tickers={RATES},{CUT}"))), 1);
}

#[test]
fn trades_come_newest_first() {
    let mut bench = Bench::new(1);
    bench.steps(400);
    let (_, body) = bench.get(&format!("/markets/trades?ticker={RATES}&limit=5"));
    let trades = body["trades"].as_array().unwrap();
    assert_eq!(trades.len(), 5);
    let times: Vec<&str> =
        trades.iter().map(|trade| trade["created_time"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    assert!(!body["cursor"].as_str().unwrap().is_empty());
}
