use super::*;

#[test]
fn a_new_feed_connects_subscribes_and_becomes_whole() {
    let mut rig = Rig::live(500);
    rig.run(|s, now, out| s.watch(&[wanted(0, A), wanted(1, B)], now, out));
    assert_eq!(rig.stream.deadline(), Timestamp::ZERO);
    let handshake = rig.stream.handshake(at(1)).unwrap();
    assert!(handshake.headers.is_empty(), "no signer, no headers");
    rig.connect();
    assert_eq!(
        rig.out.frames,
        [
            format!(
                r#"{{"id":1,"cmd":"subscribe","params":{}"market_tickers":["{A}","{B}"],{}}}}}"#,
                r#"{"channels":["orderbook_delta"],"#, r#""use_yes_price":false"#,
            ),
            r#"{"id":2,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"]}}"#
                .to_owned(),
        ]
    );
    rig.text(r#"{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":1}}"#);
    assert_eq!(rig.out.notices, [Notice::Live { lane: Lane(3) }]);
    rig.text(&snapshot(1, 1, A));
    assert!(rig.proof());
    let book = rig.books.of(MarketIndex(0));
    let yes = book.best_offer(Outcome::Yes).unwrap();
    let no = book.best_offer(Outcome::No).unwrap();
    assert_eq!(
        (yes.price.to_string(), yes.quantity.to_string()),
        ("0.4300".into(), "75.50".into())
    );
    assert_eq!((no.price.to_string(), no.quantity.to_string()), ("0.5900".into(), "120.00".into()));
    rig.text(&delta(1, 2, A));
    let book = rig.books.of(MarketIndex(0));
    assert_eq!(book.bids().best().unwrap().quantity, Quantity::contracts(119));
    assert_eq!(book.sequence(), 2);
    assert_eq!(book.source(), Some(at(1_795_341_600_123)));
}

#[test]
fn the_handshake_is_signed_for_the_path_without_host() {
    assert_eq!(path_of("wss://host.invalid/trade-api/ws/v2"), "/trade-api/ws/v2");
    assert_eq!(path_of("ws://127.0.0.1:81/trade-api/ws/v2?x=1"), "/trade-api/ws/v2");
    assert_eq!(path_of("wss://host.invalid"), "/");
}

#[test]
fn what_exceeds_the_first_frame_is_added_after_the_acknowledgement() {
    let mut rig = Rig::live(1);
    let markets = [wanted(0, A), wanted(1, B), wanted(2, C)];
    rig.run(|s, now, out| s.watch(&markets, now, out));
    rig.connect();
    assert!(rig.out.frames[0].contains(&format!(r#""market_tickers":["{A}"]"#)));
    rig.text(r#"{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":9}}"#);
    assert_eq!(
        rig.sent(),
        [
            update(9, "add_markets", &format!(r#""{B}""#)),
            update(9, "add_markets", &format!(r#""{C}""#)),
        ]
    );
}

#[test]
fn answers_to_commands_take_a_number() {
    let mut rig = Rig::whole();
    rig.text(r#"{"type":"ok","id":3,"sid":1,"seq":3,"msg":{"market_tickers":["A"]}}"#);
    rig.text(r#"{"type":"error","id":4,"sid":1,"seq":4,"msg":{"code":14,"msg":"words"}}"#);
    rig.text(r#"{"type":"something_new","sid":1,"seq":5,"msg":{}}"#);
    rig.text(&delta(1, 6, A));
    assert!(rig.is_whole(0) && rig.proof());
    assert_eq!(rig.stream.counts().gaps, 0);
    // Another subscription has numbers of its own.
    rig.text(r#"{"type":"trade","sid":7,"seq":900,"msg":{"market_ticker":"A"}}"#);
    rig.text(&delta(1, 7, A));
    assert_eq!(rig.stream.counts().gaps, 0);
}

#[test]
fn a_gap_loses_every_book_at_once_and_snapshots_bring_them_back() {
    let mut rig = Rig::whole();
    rig.text(&delta(1, 4, A));
    assert_eq!(rig.out.notices, [Notice::Gap { lane: Lane(3), expected: 3, found: 4 }]);
    assert_eq!(rig.out.updates, [Update::LaneLost { lane: Lane(3), why: Loss::Gap }]);
    assert_eq!(rig.sent(), [update(1, "get_snapshot", &format!(r#""{A}","{B}""#))]);
    assert_eq!((rig.lost(0), rig.lost(1)), (Some(Loss::Gap), Some(Loss::Gap)));
    rig.text(&delta(1, 5, A));
    assert!(rig.out.updates.is_empty(), "no change before the image, and no proof");
    rig.run(|s, now, out| s.on_ping(now, out));
    assert!(!rig.proof());
    rig.text(&snapshot(1, 6, A).replace("\"sid\":1", "\"id\":7,\"sid\":1"));
    assert!(rig.is_whole(0) && !rig.proof(), "B is still missing");
    rig.text(&delta(1, 7, A));
    assert!(rig.has(Update::Proof { market: MarketIndex(0) }), "A is live by its own frame");
    assert!(!rig.proof());
    rig.text(&delta(1, 8, B));
    assert!(rig.out.updates.is_empty());
    rig.text(&snapshot(1, 9, B));
    assert!(rig.is_whole(1) && rig.proof());
    rig.run(|s, now, out| s.on_ping(now, out));
    assert!(rig.proof());
}

#[test]
fn the_ladder_goes_from_snapshots_to_a_new_subscription_to_a_new_connection() {
    let mut rig = Rig::whole();
    rig.text(&delta(1, 9, A));
    rig.wait(4_999);
    assert!(rig.out.frames.is_empty());
    rig.wait(1);
    assert_eq!(rig.sent()[0], r#":"unsubscribe","params":{"sids":[1]}}"#);
    assert!(rig.sent()[1].contains("subscribe") && rig.sent()[1].contains("use_yes_price"));
    // Late frames of the old subscription mean nothing.
    rig.text(&snapshot(1, 10, A));
    assert!(rig.lost(0).is_some());
    rig.text(r#"{"id":4,"sid":1,"seq":11,"type":"unsubscribed"}"#);
    rig.text(r#"{"type":"subscribed","id":5,"msg":{"channel":"orderbook_delta","sid":3}}"#);
    rig.text(&snapshot(3, 1, A));
    assert!(rig.is_whole(0));
    rig.wait(5_000);
    assert!(rig.out.close, "B did not come back");
    assert!(rig.lost(0).is_some(), "and so the lane is given up");
    rig.run(|s, now, out| s.on_closed(&Closed::Asked, now, out));
    let Notice::Down { reason, retry_at, .. } = &rig.out.notices[0] else { panic!() };
    assert!(reason.contains("every book"));
    assert!(*retry_at > at(rig.clock));
    assert!(!rig.out.connect);
    rig.wait(1_000);
    assert!(rig.out.connect);
}

#[test]
fn a_book_that_came_back_is_lost_again_when_the_subscription_is_made_anew() {
    let mut rig = Rig::whole();
    rig.text(&delta(1, 5, A));
    rig.text(&snapshot(1, 6, A));
    assert!(rig.is_whole(0) && !rig.is_whole(1));
    rig.wait(5_000);
    assert!(rig.has(Update::LaneLost { lane: Lane(3), why: Loss::Gap }));
    assert_eq!(rig.lost(0), Some(Loss::Gap), "nothing feeds it any more");
    rig.text(&delta(1, 7, A));
    assert!(rig.out.updates.is_empty());
    rig.text(r#"{"type":"subscribed","id":5,"msg":{"channel":"orderbook_delta","sid":9}}"#);
    rig.text(&snapshot(9, 1, B));
    assert!(rig.is_whole(1) && !rig.is_whole(0) && !rig.proof(), "A is still missing");
    rig.text(&delta(9, 2, A));
    rig.run(|s, now, out| s.on_ping(now, out));
    assert!(!rig.is_whole(0) && !rig.proof());
    rig.text(&snapshot(9, 3, A));
    assert!(rig.is_whole(0) && rig.proof());
    rig.wait(5_000);
    assert!(!rig.out.close, "the ladder has ended");
}

#[test]
fn a_second_gap_while_resyncing_climbs_the_ladder() {
    let mut rig = Rig::whole();
    rig.text(&delta(1, 9, A));
    rig.text(&delta(1, 19, A));
    assert_eq!(rig.sent()[0], r#":"unsubscribe","params":{"sids":[1]}}"#);
    rig.text(r#"{"type":"subscribed","id":5,"msg":{"channel":"orderbook_delta","sid":3}}"#);
    rig.text(&snapshot(3, 1, A));
    rig.text(&snapshot(3, 5, B));
    assert!(rig.out.close);
    assert_eq!(rig.lost(0), Some(Loss::Gap));
}

#[test]
fn terminal_errors_end_the_subscription_and_another_is_made() {
    for code in [10, 25] {
        let mut rig = Rig::whole();
        rig.text(&error(1, code));
        assert!(rig.has(Update::LaneLost { lane: Lane(3), why: Loss::Terminated }), "{code}");
        assert_eq!(rig.lost(1), Some(Loss::Terminated));
        assert!(rig.sent()[1].contains("use_yes_price"));
        rig.text(r#"{"type":"subscribed","id":4,"msg":{"channel":"orderbook_delta","sid":5}}"#);
        rig.text(&snapshot(5, 1, A));
        rig.text(&snapshot(5, 2, B));
        assert!(rig.is_whole(0) && rig.is_whole(1) && rig.proof());
    }
    let mut rig = Rig::whole();
    rig.text(&error(1, 25));
    rig.text(r#"{"type":"subscribed","id":4,"msg":{"channel":"orderbook_delta","sid":5}}"#);
    rig.text(&error(5, 25));
    assert!(rig.out.close, "a remedy that ends the same way is not tried again");
}

#[test]
fn an_unasked_unsubscribed_is_an_ended_subscription() {
    let mut rig = Rig::whole();
    rig.text(r#"{"sid":1,"seq":3,"type":"unsubscribed"}"#);
    assert_eq!(rig.lost(0), Some(Loss::Terminated));
}

#[test]
fn an_authentication_error_closes_and_says_what_to_check() {
    let mut rig = Rig::whole();
    rig.text(r#"{"id":1,"type":"error","msg":{"code":9,"msg":"Authentication required"}}"#);
    assert!(rig.out.close);
    rig.run(|s, now, out| s.on_closed(&Closed::Asked, now, out));
    let Notice::Down { reason, .. } = &rig.out.notices[0] else { panic!() };
    assert!(reason.contains("key") && reason.contains("clock"));
}

#[test]
fn silence_loses_the_lane_and_reconnects() {
    let mut rig = Rig::whole();
    rig.clock += 24_999;
    rig.run(|s, now, out| s.on_ping(now, out));
    rig.wait(24_999);
    assert!(!rig.out.close, "the ping was a sign of life");
    rig.wait(1);
    assert!(rig.out.close);
    assert_eq!(rig.lost(0), Some(Loss::Silent));
    rig.text(&snapshot(1, 3, A));
    assert!(rig.out.updates.is_empty(), "nothing is believed while it closes");
    rig.run(|s, now, out| s.on_closed(&Closed::Asked, now, out));
    let Notice::Down { reason, .. } = &rig.out.notices[0] else { panic!() };
    assert!(reason.contains("silent"));
}

#[test]
fn a_mistyped_ticker_is_missed_with_growing_patience_and_holds_up_nobody() {
    let mut rig = Rig::whole();
    rig.run(|s, now, out| s.watch(&[wanted(2, C)], now, out));
    assert!(rig.sent()[0].contains("add_markets"));
    let mut misses = Vec::new();
    for second in 1..=120 {
        rig.clock += 1_000;
        rig.run(|s, now, out| s.on_ping(now, out));
        assert!(rig.proof(), "the others are proven");
        rig.run(|s, now, out| s.on_timer(now, out));
        if rig.out.notices.contains(&Notice::NoSnapshot { market: MarketIndex(2) }) {
            assert!(rig.has(Update::Lost { market: MarketIndex(2), why: Loss::NoSnapshot }));
            assert!(rig.sent()[0].contains("delete_markets") && rig.sent()[0].contains(C));
            assert!(rig.sent()[1].contains("add_markets") && !rig.sent()[1].contains(A));
            misses.push(second);
        }
    }
    assert_eq!(misses, [5, 15, 35, 75]);
    assert!(rig.is_whole(0) && rig.is_whole(1));
    // A gap is healed without the one that never was there.
    rig.text(&delta(1, 30, A));
    rig.text(&snapshot(1, 31, A));
    rig.text(&snapshot(1, 32, B));
    assert!(rig.proof());
}

#[test]
fn markets_come_and_go_while_live() {
    let mut rig = Rig::whole();
    rig.run(|s, now, out| s.watch(&[wanted(2, C), wanted(2, C), wanted(0, A)], now, out));
    assert_eq!(rig.sent(), [update(1, "add_markets", &format!(r#""{C}""#))]);
    rig.text(&snapshot(1, 3, C));
    assert!(rig.is_whole(2));
    rig.run(|s, now, out| s.unwatch(MarketIndex(0), now, out));
    assert_eq!(rig.sent(), [update(1, "delete_markets", &format!(r#""{A}""#))]);
    assert_eq!(rig.lost(0), Some(Loss::Unwatched));
    rig.text(&delta(1, 4, A));
    assert_eq!(rig.out.updates, [Update::LaneProof { lane: Lane(3) }], "counted, not applied");
    rig.text(&delta(1, 5, C));
    assert!(rig.has(Update::Stamp {
        kind: Stamped::Change,
        market: MarketIndex(2),
        sequence: 5,
        source: Some(at(1_795_341_600_123))
    }));
    assert_eq!(rig.stream.watched(), 2);
    rig.run(|s, now, out| s.unwatch(MarketIndex(1), now, out));
    rig.run(|s, now, out| s.unwatch(MarketIndex(2), now, out));
    assert_eq!(rig.sent(), [r#":"unsubscribe","params":{"sids":[1]}}"#]);
    rig.run(|s, now, out| s.watch(&[wanted(4, B)], now, out));
    assert!(rig.sent()[0].contains("use_yes_price"), "an empty subscription begins anew");
}

#[test]
fn markets_that_change_before_the_acknowledgement_are_set_right_after_it() {
    let mut rig = Rig::live(500);
    rig.run(|s, now, out| s.watch(&[wanted(0, A), wanted(1, B)], now, out));
    rig.connect();
    rig.run(|s, now, out| s.unwatch(MarketIndex(0), now, out));
    rig.run(|s, now, out| s.watch(&[wanted(2, C)], now, out));
    assert!(rig.out.frames.is_empty());
    rig.text(r#"{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":1}}"#);
    assert!(rig.sent()[0].contains("delete_markets") && rig.sent()[0].contains(A));
    assert!(rig.sent()[1].contains("add_markets") && rig.sent()[1].contains(C));
}

#[test]
fn a_resync_asks_for_one_image_and_not_again_within_the_deadline() {
    let mut rig = Rig::whole();
    rig.clock += 10_000;
    rig.run(|s, now, out| s.resync(MarketIndex(0), now, out));
    assert_eq!(rig.sent(), [update(1, "get_snapshot", &format!(r#""{A}""#))]);
    rig.text(&delta(1, 3, A));
    assert_eq!(rig.out.updates, [Update::LaneProof { lane: Lane(3) }]);
    rig.text(&snapshot(1, 4, A));
    rig.run(|s, now, out| s.resync(MarketIndex(0), now, out));
    assert!(rig.out.frames.is_empty(), "too soon");
    rig.wait(5_000);
    assert!(rig.sent()[0].contains("delete_markets"), "and so its deadline asks");
}

#[test]
fn a_refused_handshake_backs_off_with_growing_waits() {
    let mut rig = Rig::live(500);
    let mut waits = Vec::new();
    for _ in 0..8 {
        rig.run(|s, now, out| s.on_timer(now, out));
        assert!(rig.out.connect);
        let refused = Closed::Refused {
            status: 401,
            text: r#"{"error":{"code":"authentication_error","details":"NOT_FOUND"}}"#.to_owned(),
        };
        rig.run(|s, now, out| s.on_closed(&refused, now, out));
        let Notice::Down { reason, retry_at, .. } = &rig.out.notices[0] else { panic!() };
        assert!(reason.contains("NOT_FOUND") && reason.contains("clock"));
        waits.push(retry_at.since(at(rig.clock)));
        rig.clock = retry_at.millis() + 1;
    }
    assert!(waits[0] < Duration::from_millis(500) && waits[7] >= Duration::from_secs(15));
}

#[test]
fn a_server_that_sends_one_image_and_cuts_is_dialled_with_growing_waits() {
    let mut rig = Rig::live(500);
    rig.run(|s, now, out| s.watch(&[wanted(0, A)], now, out));
    let mut round = |lives: i64| {
        rig.connect();
        rig.text(&snapshot(1, 1, A));
        assert!(rig.is_whole(0));
        rig.clock += lives;
        rig.run(|s, now, out| s.on_ping(now, out));
        rig.run(|s, now, out| s.on_closed(&Closed::Dropped("cut".to_owned()), now, out));
        let Notice::Down { retry_at, .. } = &rig.out.notices[0] else { panic!() };
        let wait = retry_at.since(at(rig.clock));
        rig.clock = retry_at.millis() + 1;
        wait
    };
    let waits: Vec<Duration> = (0..8).map(|_| round(10)).collect();
    assert!(waits[0] < Duration::from_millis(500) && waits[7] >= Duration::from_secs(15));
    assert!(round(29_999) >= Duration::from_secs(15));
    assert!(round(30_000) < Duration::from_millis(500), "it has worked for a while");
}

#[test]
fn a_dropped_connection_loses_the_books_and_a_new_one_rebuilds_them() {
    let mut rig = Rig::whole();
    rig.run(|s, now, out| s.on_closed(&Closed::Dropped("reset".to_owned()), now, out));
    assert_eq!(rig.lost(0), Some(Loss::Disconnected));
    rig.text(&delta(1, 3, A));
    assert!(rig.out.updates.is_empty());
    rig.clock += 60_000;
    rig.connect();
    assert!(rig.out.frames[0].contains(r#""id":3,"#), "commands are numbered on");
    rig.text(r#"{"type":"subscribed","id":3,"msg":{"channel":"orderbook_delta","sid":1}}"#);
    rig.text(&snapshot(1, 1, A));
    assert!(rig.is_whole(0), "the numbers begin anew");
    assert_eq!(rig.lost(1), Some(Loss::Disconnected));
}

#[test]
fn a_subscription_that_is_not_acknowledged_or_refused_reconnects() {
    let mut rig = Rig::live(500);
    rig.run(|s, now, out| s.watch(&[wanted(0, A)], now, out));
    rig.connect();
    rig.wait(5_000);
    assert!(rig.out.close);
    let mut rig = Rig::live(500);
    rig.run(|s, now, out| s.watch(&[wanted(0, A)], now, out));
    rig.connect();
    rig.text(r#"{"id":1,"type":"error","msg":{"code":26,"msg":"market limit"}}"#);
    assert!(rig.out.close);
    assert!(matches!(rig.out.notices[0], Notice::VenueError { code: 26, .. }));
}

#[test]
fn a_snapshot_that_overtakes_its_acknowledgement_counts() {
    let mut rig = Rig::live(500);
    rig.run(|s, now, out| s.watch(&[wanted(0, A)], now, out));
    rig.connect();
    rig.text(&snapshot(1, 1, A));
    assert!(rig.is_whole(0));
    rig.text(r#"{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":1}}"#);
    rig.text(&delta(1, 2, A));
    assert!(rig.is_whole(0) && rig.proof());
}

#[test]
fn nothing_is_due_early_and_early_timers_do_nothing() {
    let mut rig = Rig::whole();
    let due = rig.stream.deadline();
    assert_eq!(due, at(1_000 + 5_000), "the first images' deadline, checked once");
    rig.run(|s, _, out| s.on_timer(at(1_001), out));
    assert!(rig.out.updates.is_empty() && rig.out.frames.is_empty());
    rig.clock += 10_000;
    rig.run(|s, now, out| s.on_ping(now, out));
    rig.run(|s, now, out| s.on_timer(now, out));
    assert_eq!(rig.stream.deadline(), at(rig.clock + 25_000));
}
