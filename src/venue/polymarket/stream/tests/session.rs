//! Stories of whole connections: strings and times only.

use super::*;

#[test]
fn a_new_session_connects_subscribes_and_goes_live_with_its_first_data() {
    let mut story = Story::open(1);
    assert_eq!(story.stream.handshake(at(0)).unwrap().url, "wss://example.test/ws/market");
    let hello: serde_json::Value = serde_json::from_str(&story.frames[0]).unwrap();
    assert_eq!(hello["type"], "market");
    assert_eq!(hello["assets_ids"], serde_json::json!([YES, NO]));
    story.text(fixture!("ws_book_array.json"), at(1));
    assert_eq!(story.notices, [Notice::Live { lane: LANE }]);
    assert_eq!(story.books[0].health(), Health::Whole);
    assert_eq!(best(&story.books[0]), prices("0.4900", "0.5200"), "best is last");
}

#[test]
fn a_market_without_image_is_asked_for_again_then_reported_then_waited_for_longer() {
    let mut story = Story::open(4);
    for market in 0..3 {
        story.text(&book_of(market, 1), at(1));
    }
    let mut asked = Vec::new();
    let mut told = 0;
    for second in 1..200 {
        story.timer(at(second));
        story.frames.retain(|frame| frame != "PING");
        if let [out, back] = &story.frames[..] {
            assert!(out.contains("unsubscribe") && out.contains("71000031"), "{out}");
            assert!(back.contains("71000032"), "{back}");
            asked.push(second);
        }
        told += story.notices.iter().filter(|n| matches!(n, Notice::NoSnapshot { .. })).count();
        assert!(!story.close);
        story.text("PONG", at(second));
        story.text(&book_of(0, 1), at(second));
    }
    assert_eq!(asked, [10, 20, 40, 80, 160]);
    assert_eq!(told, 1);
}

#[test]
fn a_connection_with_every_market_mute_is_given_up() {
    let mut story = Story::open(3);
    story.quiet_until(at(19));
    story.timer(at(20));
    assert!(story.close);
    assert!(story.has(&Update::LaneLost { lane: LANE, why: Loss::NoSnapshot }));
    story.act(at(20), |stream, now, out| stream.on_closed(&Closed::Asked, now, out));
    assert!(story.notices.is_empty(), "told already");
    story.timer(story.stream.deadline());
    assert!(story.connect);
}

#[test]
fn two_resolved_markets_of_three_do_not_cost_the_third_its_book() {
    let mut story = Story::open(3);
    let mut told = 0;
    for second in 1..=240 {
        story.text(&book_of(0, 1_763_800_000_000 + second * 1_000), at(second));
        story.timer(at(second));
        told += story.notices.iter().filter(|n| matches!(n, Notice::NoSnapshot { .. })).count();
        assert!(!story.close, "at {second}");
        story.text("PONG", at(second));
        assert_eq!(story.books[0].health(), Health::Whole, "at {second}");
    }
    assert_eq!(told, 2);
}

#[test]
fn a_connection_that_answers_pong_and_brings_nothing_is_given_up() {
    let mut story = Story::open(1);
    story.text(fixture!("ws_book.json"), at(1));
    let sent = story.quiet_until(at(60));
    assert!(!story.close && sent.is_empty(), "{sent:?}");
    story.quiet_until(at(61));
    assert!(story.close);
    assert!(story.has(&Update::LaneLost { lane: LANE, why: Loss::Silent }));
}

#[test]
fn frames_about_markets_that_are_not_watched_do_not_break_the_silence() {
    let mut story = Story::open(1);
    story.text(fixture!("ws_book.json"), at(1));
    for second in 2..=61 {
        assert!(!story.close, "at {second}");
        story.text(fixture!("ws_new_market.json"), at(second));
        story.text(&book_of(7, second), at(second));
        story.text("PONG", at(second));
        story.timer(at(second));
    }
    assert!(story.close);
    assert!(story.has(&Update::LaneLost { lane: LANE, why: Loss::Silent }));
    let wait = story.stream.deadline().since(at(61));
    assert!(wait < Duration::from_millis(500), "it worked until then");
}

#[test]
fn a_missing_pong_ends_the_connection_although_data_flows() {
    let mut story = Story::open(1);
    let mut pings = 0;
    for second in 1..20 {
        story.text(fixture!("ws_book.json"), at(second));
        story.timer(at(second));
        pings += story.frames.iter().filter(|frame| *frame == "PING").count();
        assert!(!story.close, "at {second}");
    }
    assert_eq!(pings, 3);
    story.timer(at(20));
    assert!(story.close);
    let [Notice::Down { reason, .. }] = &story.notices[..] else { panic!() };
    assert_eq!(reason, "no PONG within 15s");
}

#[test]
fn a_working_connection_is_made_anew_and_its_books_are_lost_honestly() {
    let mut story = Story::open(1);
    let mut second = 0;
    while !story.close {
        second += 1;
        story.text(fixture!("ws_book.json"), at(second));
        story.text("PONG", at(second));
        story.timer(at(second));
    }
    assert!((600..=1_200).contains(&second), "{second}");
    assert!(story.has(&Update::LaneLost { lane: LANE, why: Loss::Disconnected }));
    assert_eq!(story.stream.deadline(), at(second), "at once");
    story.timer(at(second));
    story.act(at(second), Feed::on_open);
    assert!(story.frames[0].contains("\"type\":\"market\""));
    story.text(&book_of(0, 1), at(second));
    assert_eq!(story.books[0].health(), Health::Whole, "time stamps start over too");
}

#[test]
fn failed_handshakes_wait_longer_each_time_and_longest_after_429() {
    let mut story = Story::down(1);
    let refused = |status, text: &str| Closed::Refused { status, text: text.to_owned() };
    let mut waits = Vec::new();
    for why in [
        Closed::Unreachable("no route".to_owned()),
        refused(503, "a\u{1b}[31mb"),
        refused(429, "slow down"),
    ] {
        let now = story.stream.deadline().max(at(0));
        story.timer(now);
        assert!(story.connect);
        story.act(now, |stream, now, out| stream.on_closed(&why, now, out));
        let [Notice::Down { retry_at, reason, .. }] = &story.notices[..] else { panic!() };
        assert!(!reason.contains('\u{1b}'));
        assert_eq!(story.stream.deadline(), *retry_at);
        waits.push(retry_at.since(now));
        assert!(story.updates.is_empty(), "there was nothing to lose");
    }
    assert!(waits[0] < Duration::from_millis(500));
    assert!(waits[1] < Duration::from_secs(1));
    assert!(waits[2] >= Duration::from_secs(30));
}

#[test]
fn the_wait_grows_until_a_connection_has_brought_data_for_a_while() {
    let mut story = Story::down(1);
    let wait = |story: &mut Story, data: bool, lives: u64| {
        let mut now = story.stream.deadline().max(at(0));
        story.timer(now);
        story.act(now, Feed::on_open);
        if data {
            story.text(fixture!("ws_book.json"), now);
        }
        now = now.after(Duration::from_secs(lives));
        let why = Closed::Dropped("gone".to_owned());
        story.act(now, |stream, now, out| stream.on_closed(&why, now, out));
        story.stream.deadline().since(now)
    };
    for _ in 0..6 {
        wait(&mut story, false, 40);
    }
    assert!(wait(&mut story, false, 40) > Duration::from_secs(10));
    assert!(wait(&mut story, true, 0) > Duration::from_secs(10), "one image and then cut");
    assert!(wait(&mut story, true, 29) > Duration::from_secs(10));
    assert!(wait(&mut story, true, 30) < Duration::from_millis(500));
}

#[test]
fn a_hundred_markets_go_out_in_two_frames_and_more_are_refused() {
    let mut story = Story::down(125);
    let refused = story.notices.iter().filter(|n| matches!(n, Notice::Strange { .. })).count();
    assert_eq!((story.stream.watched(), refused), (100, 25));
    story.timer(at(0));
    story.act(at(0), Feed::on_open);
    let counts: Vec<usize> =
        story.frames.iter().map(|frame| frame.matches("\"71").count()).collect();
    assert_eq!(counts, [99, 100], "the second token of market 0 begins with 52");
}

#[test]
fn markets_come_and_go_while_the_connection_is_up() {
    let mut story = Story::open(1);
    story.books.push(Book::new());
    story.act(at(1), |stream, now, out| stream.watch(&[wanted(0), wanted(1)], now, out));
    assert_eq!(story.frames.len(), 1, "what is watched already is not asked for again");
    assert!(story.frames[0].contains("\"operation\":\"subscribe\""));
    story.act(at(2), |stream, now, out| stream.unwatch(MarketIndex(0), now, out));
    assert!(story.frames[0].contains("\"unsubscribe\"") && story.frames[0].contains(NO));
    let market = MarketIndex(0);
    assert_eq!(story.updates, [Update::Lost { market, why: Loss::Unwatched }]);
    story.text(fixture!("ws_book.json"), at(3));
    assert!(story.updates.is_empty(), "frames still under way are for nobody");
    assert_eq!(story.stream.watched(), 1);
}

#[test]
fn resync_asks_at_most_once_a_second() {
    let mut story = Story::open(1);
    story.text(fixture!("ws_book.json"), at(1));
    let resync = |stream: &mut Stream, now, out: &mut Output| {
        stream.resync(MarketIndex(0), now, out);
    };
    story.act(at(5), resync);
    assert_eq!(story.frames.len(), 2);
    story.act(at(5), resync);
    assert!(story.frames.is_empty());
    story.text(fixture!("ws_book.json"), at(5));
    story.act(at(5), resync);
    assert!(story.frames.is_empty(), "too early");
    story.timer(at(5));
    story.timer(at(6));
    assert_eq!(story.frames.iter().filter(|frame| *frame != "PING").count(), 2);
}

#[test]
fn a_replay_sends_nothing_and_is_never_due() {
    let mut stream = Stream::new(settings(), LANE, 1, Mode::Replay);
    let mut out = Output::default();
    let asset = Wanted { market: MarketIndex(0), id: YES.to_owned(), tokens: None };
    stream.watch(&[asset], at(0), &mut out);
    assert_eq!(stream.deadline(), Timestamp::MAX);
    stream.on_text(fixture!("ws_book.json"), at(0), &mut out);
    stream.on_text(fixture!("ws_tick_size_change.json"), at(1), &mut out);
    stream.on_timer(at(9_999), &mut out);
    assert!(out.frames.is_empty() && !out.connect && !out.close);
    let is_image = |update: &Update| matches!(update, Update::SnapshotEnd { .. });
    assert!(out.updates.iter().any(is_image));
    assert!(out.updates.contains(&Update::Lost { market: MarketIndex(0), why: Loss::Ticks }));
}

#[test]
fn unusable_tokens_are_refused_by_name() {
    let mut story = Story::down(1);
    for (id, yes, no) in [
        ("0xdead", "12\"", "13"),
        ("0xbeef", "12", "12"),
        ("0xcafe", YES, "14"),
        ("0xf00d", "", "14"),
    ] {
        let tokens = Some((yes.to_owned(), no.to_owned()));
        let wanted = Wanted { market: MarketIndex(9), id: id.to_owned(), tokens };
        story.act(at(1), |stream, now, out| stream.watch(&[wanted], now, out));
        let [Notice::Strange { what, .. }] = &story.notices[..] else { panic!("{id}") };
        assert!(what.contains(id), "{what}");
    }
    assert_eq!(story.stream.watched(), 1);
}

#[test]
fn a_time_stamp_from_the_future_does_not_shut_out_images_for_good() {
    let mut story = Story::open(3);
    for market in 0..3 {
        story.text(&book_of(market, 1_763_800_000_000), at(1));
    }
    let far = fixture!("ws_price_change.json").replace("1763800000000", "4102444799999");
    story.text(&far, at(2));
    story.text(fixture!("ws_tick_size_change.json"), at(10));
    let image = book_of(0, 1_763_800_030_000);
    story.text(&image, at(11));
    assert!(story.updates.is_empty(), "older than the newest frame, as far as it says");
    story.quiet_until(at(35));
    assert!(!story.close);
    story.text(&image, at(36));
    assert_eq!(story.books[0].health(), Health::Whole);
}

#[test]
fn a_planned_reconnect_of_zero_never_comes() {
    let mut story = Story::down(1);
    story.stream.settings.reconnect_planned = Duration::ZERO;
    story.timer(at(0));
    story.act(at(0), Feed::on_open);
    for second in 1..5_000 {
        story.text(fixture!("ws_book.json"), at(second));
        story.text("PONG", at(second));
        story.timer(at(second));
        assert!(!story.close, "at {second}");
    }
}
