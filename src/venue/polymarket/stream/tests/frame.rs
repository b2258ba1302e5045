//! What single frames do to the books.

use proptest::prelude::*;

use super::*;
use crate::domain::Side;
use crate::domain::market::Status;

#[test]
fn the_image_of_the_second_token_is_the_same_book() {
    let (mut by_yes, mut by_no) = (Story::open(1), Story::open(1));
    by_yes.text(fixture!("ws_book.json"), at(1));
    by_no.text(fixture!("ws_book_no_token.json"), at(1));
    assert_eq!(by_yes.books[0].checksum(), by_no.books[0].checksum());
    assert_eq!(best(&by_no.books[0]), prices("0.4900", "0.5200"));
}

#[test]
fn both_tokens_of_a_change_are_one_level_and_close_their_batch() {
    let mut story = Story::open(1);
    story.text(fixture!("ws_book.json"), at(1));
    story.text(fixture!("ws_price_change.json"), at(2));
    let book = &story.books[0];
    assert_eq!(best(book), prices("0.5000", "0.5200"));
    assert_eq!(book.bids().at(price("0.5")).to_string(), "200.00");
    assert_eq!(book.asks().depth(), 2);
    assert_eq!(book.batch_open_since(), None);
    assert_eq!(book.proven(), at(2));
    assert_eq!(book.source(), Some(Timestamp::from_millis(1_763_800_000_000)));
    story.text(fixture!("ws_price_change_removed.json"), at(3));
    assert_eq!(story.books[0].bids().at(price("0.48")).units(), 0);
}

#[test]
fn a_batch_is_open_from_its_first_frame_to_its_last() {
    let mut story = Story::open(1);
    story.text(fixture!("ws_book.json"), at(1));
    let frames: Vec<&str> = fixture!("ws_batch.jsonl").lines().collect();
    let mut seen = Vec::new();
    for frame in frames {
        story.text(frame, at(2));
        let book = &story.books[0];
        seen.push((book.batch_open_since().is_some(), book.crossed_since().is_some()));
    }
    assert_eq!(
        seen,
        [(true, false), (true, false), (true, true), (false, false), (false, false)],
        "(batch open, locked) after each frame"
    );
    assert_eq!(best(&story.books[0]), prices("0.4800", "0.4900"));
}

#[test]
fn a_batch_is_judged_once_all_levels_of_a_frame_are_in() {
    let mut story = Story::open(1);
    story.text(fixture!("ws_book.json"), at(1));
    let item = |price: &str, size: &str, side: &str| {
        format!(
            r#"{{"asset_id":"{YES}","price":"{price}","size":"{size}","side":"{side}",
            "best_bid":"0.5","best_ask":"0.52"}}"#
        )
    };
    let frame = |items: &str| {
        format!(r#"{{"event_type":"price_change","price_changes":[{items}],"timestamp":""}}"#)
    };
    // After its first level the book agrees with what is announced, after its second it does not.
    let (bid, ask) = (item("0.5", "5", "BUY"), item("0.51", "3", "SELL"));
    story.text(&frame(&format!("{bid},{ask}")), at(2));
    assert_eq!(story.books[0].batch_open_since(), Some(at(2)));
    story.text(&frame(&item("0.51", "0", "SELL")), at(3));
    assert_eq!(story.books[0].batch_open_since(), None);
}

#[test]
fn an_announcement_that_comes_late_does_not_open_a_batch() {
    let mut story = Story::open(1);
    story.text(fixture!("ws_book.json"), at(1));
    let late = fixture!("ws_best_bid_ask.json").replace("1763800000000", "1763799999999");
    story.text(&late, at(2));
    assert_eq!(story.books[0].batch_open_since(), None);
}

#[test]
fn an_image_older_than_what_was_applied_is_ignored() {
    let mut story = Story::open(1);
    story.text(fixture!("ws_book.json"), at(1));
    story.text(&fixture!("ws_book.json").replace("1763800000000", "1763799999999"), at(2));
    assert!(story.updates.is_empty());
    story.text(fixture!("ws_book.json"), at(3));
    assert!(!story.updates.is_empty(), "one of the same time is applied");
}

#[test]
fn empty_sides_are_announced_by_zero_one_or_nothing() {
    for (bid, ask) in [("0", "1"), ("", ""), ("0.000", "1.00"), ("0", "0")] {
        let mut story = Story::open(1);
        story.text(fixture!("ws_book.json"), at(1));
        let text = fixture!("ws_best_bid_ask.json")
            .replace("\"best_bid\":\"0.5\"", &format!("\"best_bid\":\"{bid}\""))
            .replace("\"best_ask\":\"0.52\"", &format!("\"best_ask\":\"{ask}\""));
        story.text(&text, at(2));
        let market = MarketIndex(0);
        assert!(story.has(&Update::Announced { market, bid: None, ask: None }), "{bid:?} {ask:?}");
    }
}

#[test]
fn a_tick_change_loses_the_book_and_asks_once_for_another() {
    let mut story = Story::open(1);
    story.text(fixture!("ws_book.json"), at(1));
    story.text(fixture!("ws_tick_size_change.json"), at(10));
    let market = MarketIndex(0);
    assert!(story.has(&Update::TicksChanged { market }));
    assert!(story.has(&Update::Lost { market, why: Loss::Ticks }));
    assert_eq!(story.frames.len(), 2, "{:?}", story.frames);
    assert!(story.frames[0].contains("\"unsubscribe\"") && story.frames[0].contains(YES));
    assert!(story.frames[1].contains("\"subscribe\"") && story.frames[1].contains(NO));
    story.text(&fixture!("ws_tick_size_change.json").replace(YES, NO), at(10));
    assert!(story.frames.is_empty(), "the other token's frame is about the same change");
    story.text(fixture!("ws_book.json"), at(11));
    assert_eq!(story.books[0].health(), Health::Whole);
}

#[test]
fn a_tick_change_with_its_image_in_one_frame_asks_for_nothing() {
    let mut story = Story::open(1);
    story.text(fixture!("ws_book.json"), at(1));
    let ticks = fixture!("ws_tick_size_change.json").trim();
    story.text(&format!("[{ticks},{}]", fixture!("ws_book.json").trim()), at(10));
    assert!(story.frames.is_empty());
    assert_eq!(story.books[0].health(), Health::Whole);
}

#[test]
fn events_without_levels_change_no_book() {
    let mut story = Story::open(1);
    story.text(fixture!("ws_book.json"), at(1));
    let before = story.books[0].checksum();
    story.text(fixture!("ws_last_trade_price.json"), at(2));
    assert_eq!(story.books[0].proven(), at(2));
    story.text(fixture!("ws_new_market.json"), at(3));
    assert!(story.updates.is_empty() && story.notices.is_empty());
    story.text(fixture!("ws_market_resolved.json"), at(4));
    let market = MarketIndex(0);
    let closed = Update::Trading { market, status: Status::Closed };
    assert_eq!(story.updates, [closed, Update::FactsChanged { market }], "two tokens, one market");
    assert_eq!(story.books[0].checksum(), before);
    for quiet in ["[]", "PONG", "  PONG\n"] {
        story.text(quiet, at(5));
        assert!(story.updates.is_empty() && story.notices.is_empty(), "{quiet}");
    }
}

#[test]
fn an_unknown_event_is_reported_once() {
    let mut story = Story::open(1);
    story.text(r#"{"event_type":"comet","price_changes":5}"#, at(1));
    assert!(matches!(&story.notices[..], [Notice::Strange { .. }]));
    story.text(r#"{"event_type":"comet"}"#, at(2));
    assert!(story.notices.is_empty());
    story.text("INVALID OPERATION", at(2));
    assert!(matches!(&story.notices[..], [Notice::Strange { .. }]));
}

#[test]
fn a_frame_that_makes_no_sense_costs_the_book_it_names_and_no_other() {
    let good = fixture!("ws_price_change.json");
    for (from, to) in [
        ("\"200\"", "\"NaN\""),
        ("\"200\"", "\"-1\""),
        ("\"200\"", "\"99999999999999999999\""),
        ("\"200\"", "5"),
        ("\"price\":\"0.5\"", "\"price\":\"1.5\""),
        ("\"price\":\"0.5\"", "\"cost\":\"0.5\""),
        ("\"BUY\"", "\"HOLD\""),
        ("price_changes", "changes"),
        ("\"best_bid\":\"0.5\"", "\"best_bid\":\"x\""),
        ("\"1763800000000\"", "\"99999999999999\""),
    ] {
        let mut story = Story::open(2);
        story.text(fixture!("ws_book.json"), at(1));
        story.text(&book_of(1, 1), at(1));
        story.text(&good.replace(from, to), at(5));
        let lost = Health::Lost { why: Loss::Broken, since: at(5) };
        assert_eq!(story.books[0].health(), lost, "{from} -> {to}");
        assert_eq!(story.books[1].health(), Health::Whole, "{from} -> {to}");
        assert_eq!(story.frames.len(), 2, "asked for again");
        let [Notice::Strange { what, .. }] = &story.notices[..] else { panic!("{from} -> {to}") };
        assert!(what.contains("polymarket") && what.contains(CONDITION), "{what}");
    }
}

#[test]
fn a_frame_cut_anywhere_never_leaves_a_whole_book_that_missed_it() {
    let frame = fixture!("ws_price_change.json").trim();
    for cut in 1..frame.len() {
        let mut story = Story::open(1);
        story.text(fixture!("ws_book.json"), at(1));
        story.text(&frame[..cut], at(5));
        assert_ne!(story.books[0].health(), Health::Whole, "cut at {cut}");
    }
}

#[test]
fn noise_and_deep_nesting_do_no_harm() {
    let mut story = Story::open(1);
    let deep = "[".repeat(200_000);
    let objects = "{\"a\":".repeat(100_000);
    let noise: String = (0..1_048_576u32).map(|n| char::from(33 + (n * 7 % 94) as u8)).collect();
    for text in [deep.as_str(), objects.as_str(), noise.as_str(), "", "\0", "{", "[{}]", "[1,2]"] {
        story.text(text, at(1));
    }
}

proptest! {
    #[test]
    fn no_frame_panics_whatever_is_in_it(
        which in 0usize..5,
        edits in prop::collection::vec((any::<prop::sample::Index>(), ".{0,3}"), 1..6),
    ) {
        let frames = [
            fixture!("ws_book.json"),
            fixture!("ws_price_change.json"),
            fixture!("ws_tick_size_change.json"),
            fixture!("ws_best_bid_ask.json"),
            fixture!("ws_market_resolved.json"),
        ];
        let mut text = frames[which].to_owned();
        for (place, put) in edits {
            let at = place.index(text.len());
            if text.is_char_boundary(at) { text.insert_str(at, &put); }
        }
        let mut story = Story::open(2);
        story.text(fixture!("ws_book.json"), at(1));
        story.text(&text, at(2));
        prop_assert!(story.stream.deadline() > Timestamp::ZERO);
    }

    #[test]
    fn no_text_panics(text in ".{0,200}") {
        Story::open(1).text(&text, at(1));
    }

    #[test]
    fn a_session_is_never_stuck(steps in prop::collection::vec(0u8..8, 1..80)) {
        let mut story = Story::down(2);
        let mut now = at(0);
        for step in steps {
            now = now.after(Duration::from_secs(3));
            match step {
                0 => story.act(now, Feed::on_open),
                1 => story.text(fixture!("ws_book.json"), now),
                2 => story.text("PONG", now),
                3 => story.text("{", now),
                4 => {
                    let why = Closed::Dropped("x".to_owned());
                    story.act(now, |stream, now, out| stream.on_closed(&why, now, out));
                }
                5 => story.act(now, |s, now, out| s.resync(MarketIndex(0), now, out)),
                _ => story.timer(now),
            }
            let connecting = matches!(story.stream.phase, Phase::Connecting);
            prop_assert!(connecting || story.stream.deadline() < Timestamp::MAX);
            if !matches!(story.stream.phase, Phase::Open(_)) {
                prop_assert!(story.books.iter().all(|book| book.health() != Health::Whole));
            }
        }
    }
}

#[test]
fn side_is_told_in_terms_of_yes() {
    let mut story = Story::open(1);
    story.text(fixture!("ws_book.json"), at(1));
    let item = format!(
        r#"{{"event_type":"price_change","timestamp":"1763800000001",
        "price_changes":[{{"asset_id":"{NO}","price":"0.3","size":"7","side":"BUY"}}]}}"#
    );
    story.text(&item, at(2));
    let (market, side) = (MarketIndex(0), Side::Ask);
    let quantity = crate::domain::Quantity::contracts(7);
    assert!(story.has(&Update::Set { market, side, price: price("0.7"), quantity }));
}
