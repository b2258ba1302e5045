use proptest::prelude::*;

use super::*;

#[test]
fn a_sequence_runs_over_all_markets_and_control_frames_of_a_sid() {
    let mut bench = Bench::new(2);
    bench.connect();
    let frames = bench.say(&subscribe(r#","use_yes_price":false"#));
    assert_eq!(
        frames[0],
        json!({"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":1}})
    );
    let kinds = |frames: &[Value]| -> Vec<String> {
        frames.iter().map(|frame| frame["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&frames[1..]), ["orderbook_snapshot", "orderbook_snapshot"]);
    let mut all = frames[1..].to_vec();
    all.extend(bench.steps(5));
    let update = |action: &str, ticker: &str| {
        format!(
            r#"{{"id":2,"cmd":"update_subscription","params":{{"sid":1,
            "action":"{action}","market_tickers":["{ticker}"]}}}}"#
        )
    };
    let added = bench.say(&update("add_markets", "KXDEMOHEAT-27AUG-T40"));
    assert_eq!(kinds(&added), ["ok", "orderbook_snapshot"]);
    assert_eq!(added[0]["msg"]["market_tickers"].as_array().unwrap().len(), 3);
    all.extend(added);
    all.extend(bench.steps(3));
    all.extend(bench.say(&update("delete_markets", CUT)));
    let after = bench.steps(10);
    assert!(after.iter().all(|frame| frame["msg"]["market_ticker"] != CUT));
    all.extend(after);
    let image = bench.say(&update("get_snapshot", RATES));
    assert_eq!((kinds(&image), &image[0]["id"]), (vec!["orderbook_snapshot".into()], &json!(2)));
    all.extend(image);
    all.extend(bench.say(&update("get_snapshot", CUT)));
    assert_eq!(all.last().unwrap()["msg"]["code"], 11, "it is not subscribed any more");
    all.extend(bench.say(r#"{"id":3,"cmd":"unsubscribe","params":{"sids":[1]}}"#));
    assert_eq!(all.last().unwrap()["type"], "unsubscribed");
    let numbers: Vec<u64> = all.iter().map(|frame| frame["seq"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (1..=u64::try_from(all.len()).unwrap()).collect();
    assert_eq!(numbers, expected);
    assert!(bench.steps(5).is_empty());
    let again = bench.say(r#"{"id":4,"cmd":"unsubscribe","params":{"sids":[1]}}"#);
    assert_eq!(
        again,
        [json!({"id":4,"type":"error","msg":
        {"code":7,"msg":"Unknown subscription ID"}})]
    );
}

#[test]
fn commands_that_make_no_sense_get_their_code() {
    let mut bench = Bench::new(2);
    bench.connect();
    bench.say(r#"{"id":1,"cmd":"subscribe","params":{"channels":["ticker"]}}"#);
    for (text, code) in [
        ("nonsense", 1),
        (r#"{"id":2,"cmd":"subscribe"}"#, 2),
        (r#"{"id":2,"cmd":"subscribe","params":{}}"#, 3),
        (r#"{"id":2,"cmd":"unsubscribe","params":{}}"#, 4),
        (r#"{"id":2,"cmd":"dance"}"#, 5),
        (r#"{"id":2,"cmd":"update_subscription","params":{"sid":99}}"#, 7),
        (r#"{"id":2,"cmd":"subscribe","params":{"channels":["ticker_v2"]}}"#, 8),
        (r#"{"id":2,"cmd":"update_subscription","params":{}}"#, 12),
        (r#"{"id":2,"cmd":"update_subscription","params":{"sid":1,"action":"x"}}"#, 13),
        (r#"{"id":2,"cmd":"subscribe","params":{"channels":["orderbook_delta"]}}"#, 14),
        (r#"{"id":2,"cmd":"update_subscription","params":{"sid":1}}"#, 15),
    ] {
        let frames = bench.say(text);
        assert_eq!(frames.len(), 1, "{text}");
        assert_eq!(frames[0]["type"], "error", "{text}");
        assert_eq!(frames[0]["msg"]["code"], code, "{text}");
    }
    let silent = bench.say(
        r#"{"id":9,"cmd":"subscribe","params":{"channels":["orderbook_delta"],
        "market_tickers":["KXNOTHING"]}}"#,
    );
    assert_eq!(silent.len(), 1, "a mistyped ticker stays silent: {silent:?}");
    let listed = bench.say(r#"{"id":10,"cmd":"list_subscriptions"}"#);
    assert_eq!(listed[0]["msg"].as_array().unwrap().len(), 2);
}

#[test]
fn without_a_word_on_the_scale_no_is_priced_as_yes() {
    let mut bench = Bench::new(2);
    bench.connect();
    let no_best = |frames: &[Value]| {
        let levels = frames[1]["msg"]["no_dollars_fp"].as_array().unwrap();
        Price::parse(levels.last().unwrap()[0].as_str().unwrap()).unwrap()
    };
    let ask = bench.world.kalshi.books[0].best(Side::Ask).unwrap().0;
    assert_eq!(no_best(&bench.say(&subscribe(""))), ask);
    assert_eq!(no_best(&bench.say(&subscribe(r#","use_yes_price":true"#))), ask);
    assert_eq!(no_best(&bench.say(&subscribe(r#","use_yes_price":false"#))), ask.mirror());
}

#[test]
fn an_empty_side_has_no_key_in_an_image() {
    let mut bench = Bench::new(2);
    bench.connect();
    bench.world.kalshi.books[0] = crate::exchange::matching::Book::default();
    let frames = bench.say(&subscribe(""));
    assert!(frames[1]["msg"].get("yes_dollars_fp").is_none());
    assert!(frames[1]["msg"].get("no_dollars_fp").is_none());
}

#[test]
fn trades_and_tickers_follow_the_books() {
    let mut bench = Bench::new(2);
    bench.connect();
    bench.say(r#"{"id":1,"cmd":"subscribe","params":{"channels":["trade","ticker"]}}"#);
    let frames = bench.steps(100);
    let trades: Vec<&Value> = frames.iter().filter(|frame| frame["type"] == "trade").collect();
    assert!(trades.len() > 5);
    let numbers: Vec<u64> = trades.iter().map(|trade| trade["seq"].as_u64().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    let last = frames.iter().rfind(|frame| frame["type"] == "ticker").unwrap();
    assert!(last.get("seq").is_none());
    let ticker = last["msg"]["market_ticker"].as_str().unwrap();
    let listings = &bench.world.kalshi.listings;
    let market = listings.iter().position(|listing| listing.id == ticker).unwrap();
    let best = bench.world.kalshi.books[market].best(Side::Bid).unwrap();
    assert_eq!(last["msg"]["yes_bid_dollars"], best.0.to_string());
    assert_eq!(last["msg"]["yes_bid_size_fp"], best.1.to_string());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn deltas_replay_to_the_exchanges_own_book(seed in any::<u64>(), yes_scale in any::<bool>()) {
        let mut bench = Bench::new(seed);
        bench.connect();
        let mut frames = bench.say(&subscribe(&format!(r#","use_yes_price":{yes_scale}"#)));
        frames.remove(0);
        frames.extend(bench.steps(60));
        let mut replicas: BTreeMap<String, Replica> = BTreeMap::new();
        for frame in &frames {
            let ticker = frame["msg"]["market_ticker"].as_str().unwrap().to_owned();
            replicas.entry(ticker).or_default().apply(frame, yes_scale);
        }
        for (market, ticker) in [RATES, CUT].into_iter().enumerate() {
            let own = Replica::of(&bench.world.kalshi.books[market]);
            prop_assert_eq!(&replicas[ticker], &own);
        }
    }

    #[test]
    fn no_text_makes_it_fail(text in ".{0,200}", path in "/[ -~]{0,60}") {
        let mut bench = Bench::new(1);
        bench.connect();
        bench.say(&text);
        bench.send(&format!("/trade-api/v2{path}"), &[]);
    }
}
