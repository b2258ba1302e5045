use super::super::super::faults::Fault;
use super::*;

#[test]
fn a_disconnect_cuts_everyone_and_new_connections_work() {
    let mut rig = Rig::new(1);
    let (first, second) = (rig.both(1), rig.both(2));
    rig.fault(&Fault::Disconnect);
    assert!(rig.is_cut(first) && rig.is_cut(second));
    rig.out.clear();
    let third = rig.both(3);
    rig.order(Side::Bid, "0.41", 10);
    assert!(rig.texts(first).is_empty() && rig.texts(third).len() > 1);
}

#[test]
fn a_frozen_connection_answers_ping_and_nothing_else_until_it_is_cut() {
    let mut rig = Rig::new(1);
    let frozen = rig.both(1);
    rig.out.clear();
    rig.fault(&Fault::Freeze { lasts: secs(30) });
    let fresh = rig.both(2);
    rig.out.clear();
    for _ in 0..2 {
        rig.order(Side::Bid, "0.41", 10);
        rig.tick(secs(14));
        rig.say(frozen, "PING");
        rig.say(fresh, "PING");
        let ids = serde_json::json!([token(0, Outcome::Yes)]);
        rig.say(frozen, &format!(r#"{{"operation":"subscribe","assets_ids":{ids}}}"#));
        assert_eq!(rig.texts(frozen), ["PONG"]);
        assert!(!rig.is_cut(frozen));
        assert!(rig.texts(fresh).len() > 1, "who came later is served");
    }
    rig.tick(secs(2));
    assert!(rig.is_cut(frozen) && !rig.is_cut(fresh));
}

#[test]
fn a_gap_loses_one_change_that_no_book_heals() {
    let mut rig = Rig::new(1);
    rig.order(Side::Bid, "0.40", 10);
    rig.order(Side::Ask, "0.50", 10);
    let connection = rig.both(1);
    let mut client = Client::default();
    rig.frames(connection).iter().for_each(|frame| client.apply(frame));
    rig.fault(&Fault::Gap);
    rig.order(Side::Bid, "0.50", 3);
    rig.frames(connection).iter().for_each(|frame| client.apply(frame));
    assert!(client.agrees(&rig.floor, 0, Outcome::Yes), "a batch with a trade ends in books");
    rig.order(Side::Bid, "0.45", 7);
    let lost = rig.frames(connection);
    assert!(lost.iter().all(|frame| frame["event_type"] == "best_bid_ask"), "{lost:?}");
    rig.order(Side::Bid, "0.30", 7);
    let after = rig.frames(connection);
    after.iter().for_each(|frame| client.apply(frame));
    assert!(!client.agrees(&rig.floor, 0, Outcome::Yes));
    let yes = token(0, Outcome::Yes);
    let change = &after[0]["price_changes"];
    let told = change.as_array().unwrap().iter().find(|c| c["asset_id"] == yes).unwrap();
    assert_eq!(units(&told["best_bid"]), 4_500, "what is announced gives the loss away");
    assert_ne!(client.best(&yes).0, 4_500);
}

#[test]
fn late_books_come_after_the_changes_that_they_hold() {
    let mut rig = Rig::new(1);
    rig.order(Side::Bid, "0.40", 10);
    rig.fault(&Fault::LateSnapshot { lasts: secs(5) });
    let connection = rig.both(1);
    assert!(rig.texts(connection).is_empty());
    rig.order(Side::Bid, "0.41", 10);
    assert_eq!(rig.frames(connection).last().unwrap()["event_type"], "price_change");
    rig.tick(secs(4));
    assert!(rig.texts(connection).is_empty());
    rig.tick(secs(1));
    let frames = rig.frames(connection);
    assert_eq!(frames.len(), 1);
    let mut client = Client::default();
    client.apply(&frames[0]);
    assert!(client.agrees(&rig.floor, 0, Outcome::Yes));
    assert!(client.agrees(&rig.floor, 0, Outcome::No));
    let on_time = rig.both(2);
    assert_eq!(rig.frames(on_time)[0].as_array().unwrap().len(), 2);
}

#[test]
fn every_request_is_refused_while_limited() {
    let mut rig = Rig::new(1);
    rig.fault(&Fault::RateLimited { lasts: secs(7) });
    for (host, path) in [("clob", "/time"), ("gamma", "/markets"), ("data", "/")] {
        let reply = rig.ask(host, "GET", path, "");
        assert_eq!(reply.status, 429);
        assert!(reply.headers.contains(&("retry-after", "7".to_owned())));
    }
    rig.tick(secs(7));
    assert_eq!(rig.status("clob", "/time"), 200);
}

#[test]
fn every_request_fails_while_the_server_is_in_trouble() {
    let mut rig = Rig::new(1);
    rig.fault(&Fault::ServerError { lasts: secs(3), status: 503 });
    let reply = rig.ask("clob", "GET", "/ok", "");
    assert_eq!(reply.status, 503);
    assert!(serde_json::from_str::<Value>(&reply.body).is_err(), "an HTML page");
    rig.tick(secs(3));
    assert_eq!(rig.status("clob", "/ok"), 200);
}

#[test]
fn a_paused_market_says_so_everywhere_and_opens_again() {
    let mut rig = Rig::new(2);
    let (compact, full) = (
        format!("/clob-markets/{}", rig.floor.listings[1].id),
        format!("/markets?condition_ids={}", rig.floor.listings[1].id),
    );
    rig.fault(&Fault::Pause { lasts: secs(60), market: 1 });
    rig.fault(&Fault::Pause { lasts: secs(30), market: 1 });
    rig.fault(&Fault::Pause { lasts: secs(30), market: 7 });
    assert_eq!(rig.get("clob", &compact)["ao"], false);
    assert_eq!(rig.get("gamma", &full)[0]["acceptingOrders"], false);
    rig.tick(secs(59));
    assert_eq!(rig.get("clob", &compact)["ao"], false);
    rig.tick(secs(1));
    assert_eq!(rig.get("clob", &compact)["ao"], true);
    assert_eq!(rig.get("gamma", &full)[0]["acceptingOrders"], true);
}

#[test]
fn a_market_closed_during_a_pause_stays_closed() {
    let mut rig = Rig::new(1);
    rig.fault(&Fault::Pause { lasts: secs(5), market: 0 });
    rig.floor.listings[0].status = Status::Closed;
    rig.tick(secs(6));
    assert_eq!(rig.floor.listings[0].status, Status::Closed);
}

#[test]
fn another_tick_is_announced_before_the_books_that_use_it() {
    let mut rig = Rig::new(1);
    rig.order(Side::Bid, "0.04", 10);
    let connection = rig.both(1);
    rig.out.clear();
    let bands = vec![Band { start: 0, end: 10_000, step: 10 }];
    rig.fault(&Fault::Ticks { market: 0, bands: bands.clone() });
    let frames = rig.frames(connection);
    let kinds: Vec<_> = frames.iter().map(|frame| text(&frame["event_type"])).collect();
    assert_eq!(kinds, ["tick_size_change", "tick_size_change", "book", "book"]);
    assert_eq!(frames[0]["old_tick_size"], "0.01");
    assert_eq!(frames[0]["new_tick_size"], "0.001");
    assert_eq!(frames[3]["tick_size"], "0.001");
    let path = format!("/tick-size?token_id={}", token(0, Outcome::Yes));
    assert_eq!(rig.get("clob", &path)["minimum_tick_size"].to_string(), "0.001");
    rig.fault(&Fault::Ticks { market: 0, bands });
    rig.fault(&Fault::Ticks { market: 0, bands: Vec::new() });
    assert!(rig.texts(connection).is_empty(), "nothing changed");
}

#[test]
fn a_late_book_that_nobody_wants_any_more_is_not_sent() {
    let mut rig = Rig::new(1);
    rig.fault(&Fault::LateSnapshot { lasts: secs(5) });
    let connection = rig.both(1);
    let ids = serde_json::json!([token(0, Outcome::Yes)]);
    rig.say(connection, &format!(r#"{{"operation":"unsubscribe","assets_ids":{ids}}}"#));
    rig.tick(secs(5));
    let frames = rig.frames(connection);
    assert_eq!(frames[0].as_array().unwrap().len(), 1);
    assert_eq!(frames[0][0]["asset_id"], token(0, Outcome::No));
}
