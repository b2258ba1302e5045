use super::*;

fn book(rig: &mut Rig, outcome: Outcome) -> Value {
    rig.get("clob", &format!("/book?token_id={}", token(0, outcome)))
}

#[test]
fn the_book_of_no_mirrors_the_book_of_yes() {
    let mut rig = Rig::new(1);
    rig.order(Side::Bid, "0.41", 10);
    rig.order(Side::Ask, "0.44", 20);
    let (yes, no) = (book(&mut rig, Outcome::Yes), book(&mut rig, Outcome::No));
    assert_eq!(yes["bids"].to_string(), r#"[{"price":"0.41","size":"10"}]"#);
    assert_eq!(no["asks"].to_string(), r#"[{"price":"0.59","size":"10"}]"#);
    assert_eq!(no["bids"].to_string(), r#"[{"price":"0.56","size":"20"}]"#);
    assert_eq!(yes["timestamp"], "1763800000000");
    assert_ne!(yes["hash"], no["hash"]);
}

#[test]
fn a_book_that_did_not_move_reads_the_same_later() {
    let mut rig = Rig::new(1);
    rig.order(Side::Bid, "0.41", 10);
    let before = book(&mut rig, Outcome::Yes);
    rig.tick(secs(60));
    assert_eq!(book(&mut rig, Outcome::Yes), before);
    rig.order(Side::Bid, "0.42", 10);
    assert_ne!(book(&mut rig, Outcome::Yes)["hash"], before["hash"]);
}

#[test]
fn small_answers_have_the_venues_types() {
    let mut rig = Rig::new(2);
    rig.order(Side::Bid, "0.41", 10);
    rig.order(Side::Ask, "0.44", 20);
    let id = token(0, Outcome::No);
    for (route, expected) in [
        ("midpoint", r#"{"mid":"0.575"}"#),
        ("spread", r#"{"spread":"0.03"}"#),
        ("last-trade-price", r#"{"price":"0.5","side":""}"#),
        ("tick-size", r#"{"minimum_tick_size":0.01}"#),
        ("neg-risk", r#"{"neg_risk":false}"#),
        ("fee-rate", r#"{"base_fee":1000}"#),
    ] {
        let reply = rig.get("clob", &format!("/{route}?token_id={id}"));
        assert_eq!(reply.to_string(), expected, "{route}");
    }
    let buy = rig.get("clob", &format!("/price?token_id={id}&side=BUY"));
    assert_eq!(buy["price"], "0.56");
    assert_eq!(rig.get("clob", "/time").to_string(), "1763800000");
    assert_eq!(rig.get("clob", "/ok"), "OK");
    assert_eq!(rig.get("clob", "/version")["version"], 2);
    let swapped = rig.get("clob", &format!("/markets-by-token/{}", token(1, Outcome::Yes)));
    assert_eq!(swapped["primary_token_id"], token(1, Outcome::No), "order means nothing");
}

#[test]
fn unknown_tokens_and_broken_requests_are_refused_in_words() {
    let mut rig = Rig::new(1);
    let unknown = rig.ask("clob", "GET", "/book?token_id=123", "");
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.body, r#"{"error":"No orderbook exists for the requested token id"}"#);
    assert_eq!(rig.status("clob", "/book"), 400);
    assert_eq!(rig.status("clob", "/clob-markets/0x00"), 404);
    assert_eq!(rig.status("clob", "/nothing"), 404);
    assert_eq!(rig.status("data", "/v2/positions"), 400, "whose?");
    assert_eq!(rig.status("data", "/positions"), 404, "retired");
    assert_eq!(rig.ask("clob", "POST", "/books", "{}").status, 400);
    assert_eq!(rig.ask("clob", "POST", "/books", r#"[{"token":"1"}]"#).status, 400);
    rig.floor.listings[0].status = Status::Closed;
    let closed = format!("/book?token_id={}", token(0, Outcome::Yes));
    assert_eq!(rig.status("clob", &closed), 404);
}

#[test]
fn many_books_come_at_once_up_to_five_hundred() {
    let mut rig = Rig::new(2);
    let ask = |ids: &[String]| {
        let entries = ids.iter().map(|id| serde_json::json!({ "token_id": id }));
        Value::Array(entries.collect()).to_string()
    };
    let ids = [token(1, Outcome::No), "9".to_owned(), token(0, Outcome::Yes)];
    let reply = rig.ask("clob", "POST", "/books", &ask(&ids));
    let books: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(books.as_array().unwrap().len(), 2);
    assert_eq!(books[0]["asset_id"], ids[0]);
    let many = vec![ids[0].clone(); 500];
    assert_eq!(rig.ask("clob", "POST", "/books", &ask(&many)).status, 200);
    let many = vec![ids[0].clone(); 501];
    assert_eq!(rig.ask("clob", "POST", "/books", &ask(&many)).status, 400);
}

#[test]
fn a_market_without_a_fee_has_no_fee_details() {
    let mut rig = Rig::new(1);
    let path = format!("/clob-markets/{}", rig.floor.listings[0].id);
    let compact = rig.get("clob", &path);
    assert_eq!(compact["fd"].to_string(), r#"{"r":0.05,"e":1,"to":true}"#);
    assert_eq!((&compact["mts"], &compact["mos"]), (&0.01.into(), &5.into()));
    rig.floor.listings[0].rate = Rate::ZERO;
    assert!(rig.get("clob", &path).get("fd").is_none());
    let market = &rig.get("gamma", "/markets")[0];
    assert_eq!(market["feesEnabled"], false);
    assert!(market.get("feeSchedule").is_none());
}

#[test]
fn cursor_lists_hold_every_market_once() {
    let mut rig = Rig::new(250);
    rig.floor.listings[7].status = Status::Paused;
    for (route, expected) in
        [("markets", 250), ("simplified-markets", 250), ("sampling-markets", 249)]
    {
        let (mut cursor, mut seen, mut pages) = ("MA==".to_owned(), Vec::new(), 0);
        while cursor != "LTE=" {
            let page = rig.get("clob", &format!("/{route}?next_cursor={cursor}"));
            let data = page["data"].as_array().unwrap();
            assert_eq!(page["count"], data.len());
            seen.extend(data.iter().map(|market| text(&market["condition_id"])));
            cursor = text(&page["next_cursor"]);
            pages += 1;
        }
        seen.sort();
        seen.dedup();
        assert_eq!((seen.len(), pages), (expected, 3), "{route}");
    }
    assert_eq!(rig.get("clob", "/markets")["next_cursor"], "MTAw");
    assert_eq!(rig.status("clob", "/markets?next_cursor=LTE="), 400);
    assert_eq!(rig.status("clob", "/markets?next_cursor=!"), 400);
}

#[test]
fn gamma_pages_by_offset_and_by_cursor() {
    let mut rig = Rig::new(250);
    assert_eq!(rig.get("gamma", "/markets").as_array().unwrap().len(), 20);
    let page = rig.get("gamma", "/markets?limit=7&offset=245");
    assert_eq!(page.as_array().unwrap().len(), 5);
    assert_eq!(page[0]["id"], "1000246");
    for (route, name, expected) in
        [("/markets/keyset", "markets", 250), ("/events/keyset", "events", 125)]
    {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = rig.get("gamma", &format!("{route}?limit=999{after}"));
            let entries = page[name].as_array().unwrap();
            assert!(entries.len() <= 100);
            seen.extend(entries.iter().map(|entry| text(&entry["id"])));
            match page.get("next_cursor") {
                Some(cursor) => after = format!("&after_cursor={}", text(cursor)),
                None => break,
            }
        }
        seen.dedup();
        assert_eq!(seen.len(), expected, "{route}");
        let whole = rig.get("gamma", &format!("{route}?limit=100&id={}", seen[0]));
        assert!(whole.get("next_cursor").is_none(), "absent on the last page");
        assert_eq!(rig.status("gamma", &format!("{route}?offset=1")), 422);
        assert_eq!(rig.status("gamma", &format!("{route}?after_cursor=!")), 422);
    }
    assert_eq!(rig.status("gamma", "/markets?limit=many"), 422);
}

#[test]
fn filters_repeat_their_key_and_a_comma_list_finds_nothing() {
    let mut rig = Rig::new(6);
    let ids: Vec<String> = rig.floor.listings.iter().map(|listing| listing.id.clone()).collect();
    let count = |rig: &mut Rig, target: String| rig.get("gamma", &target).as_array().unwrap().len();
    let (a, b) = (&ids[0], &ids[3]);
    assert_eq!(count(&mut rig, format!("/markets?condition_ids={a}&condition_ids={b}")), 2);
    assert_eq!(count(&mut rig, format!("/markets?condition_ids={a},{b}")), 0);
    let no = token(4, Outcome::No);
    assert_eq!(count(&mut rig, format!("/markets?clob_token_ids={no}")), 1);
    assert_eq!(count(&mut rig, format!("/markets?clob_token_ids={no},{no}")), 0);
    assert_eq!(count(&mut rig, "/markets?id=1000001&id=1000002&id=9".to_owned()), 2);
    assert_eq!(count(&mut rig, "/events?slug=event-1".to_owned()), 1);
    assert_eq!(count(&mut rig, "/markets?end_date_min=2026-12-09&version=v1".to_owned()), 6);
    assert_eq!(count(&mut rig, "/markets?end_date_min=2026-12-10T00:00:00Z".to_owned()), 0);
    assert_eq!(count(&mut rig, "/markets?tag_id=2".to_owned()), 0);
    rig.floor.listings[2].status = Status::Closed;
    assert_eq!(count(&mut rig, "/markets?closed=true".to_owned()), 1);
    assert_eq!(count(&mut rig, "/markets?closed=false&active=true".to_owned()), 5);
    assert_eq!(count(&mut rig, "/events?closed=true".to_owned()), 0, "its other market is open");
}

#[test]
fn gamma_hides_lists_in_strings_and_ends_before_trading_does() {
    let mut rig = Rig::new(3);
    rig.order(Side::Bid, "0.41", 10);
    rig.order(Side::Ask, "0.44", 20);
    let market = rig.get("gamma", "/markets/1000001");
    assert_eq!(market["outcomes"], r#"["Yes", "No"]"#);
    assert_eq!(market["outcomePrices"], r#"["0.425", "0.575"]"#);
    let tokens: Vec<String> = serde_json::from_str(&text(&market["clobTokenIds"])).unwrap();
    assert_eq!(tokens, [token(0, Outcome::Yes), token(0, Outcome::No)]);
    assert_eq!(market["endDate"], "2026-12-09T00:00:00Z");
    assert_eq!(market["slug"], "will-it-rain-on-day-0-1");
    assert_eq!(market["events"][0]["slug"], "event-0");
    let by_slug = rig.get("gamma", "/markets/slug/will-it-rain-on-day-0-1");
    assert_eq!(by_slug, market);
    let event = rig.get("gamma", "/events/slug/event-0");
    assert_eq!(event["markets"].as_array().unwrap().len(), 2);
    let id = text(&event["id"]);
    assert_eq!(rig.get("gamma", &format!("/events/{id}")), event);
    assert_eq!(rig.status("gamma", "/events/slug/none"), 404);
}
