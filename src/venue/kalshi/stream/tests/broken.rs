use proptest::prelude::*;

use super::*;

#[test]
fn a_broken_frame_that_names_its_market_costs_that_book_alone() {
    let mut rig = Rig::whole();
    rig.clock += 10_000;
    rig.text(&delta(1, 3, A).replace("0.4100", "0.41005"));
    let Notice::Strange { what, .. } = &rig.out.notices[0] else { panic!() };
    assert!(what.contains(A) && what.contains("price_dollars") && what.contains("0.41005"));
    assert_eq!(rig.lost(0), Some(Loss::Broken));
    assert!(rig.is_whole(1));
    assert!(rig.sent()[0].contains("get_snapshot"));
    rig.text(&delta(1, 4, B));
    assert!(rig.is_whole(1) && rig.proof(), "its number was counted");
    rig.text(&snapshot(1, 5, A));
    assert!(rig.is_whole(0));
    rig.text(&delta(1, 6, A).replace("-1.00", "NaN"));
    assert!(rig.out.frames.is_empty(), "not asked for again at once");
}

#[test]
fn a_broken_frame_that_can_not_be_placed_costs_the_lane() {
    for text in [
        "{",
        "",
        "null",
        "[1,2]",
        r#"{"type":7}"#,
        r#"{"type":"orderbook_delta","sid":1,"msg":{}}"#,
        r#"{"type":"orderbook_delta","sid":1,"seq":3}"#,
        r#"{"type":"orderbook_snapshot","sid":"x","seq":3,"msg":{"market_ticker":"A"}}"#,
    ] {
        let mut rig = Rig::whole();
        rig.text(text);
        assert!(rig.has(Update::LaneLost { lane: Lane(3), why: Loss::Broken }), "{text}");
        assert!(rig.sent()[0].contains("get_snapshot"));
    }
}

#[test]
fn a_number_that_could_not_be_read_is_not_missed_a_second_time() {
    let mut rig = Rig::whole();
    rig.text("{");
    rig.text(&delta(1, 4, A));
    assert!(rig.out.notices.is_empty() && rig.out.frames.is_empty());
    rig.text(&snapshot(1, 5, A));
    rig.text(&snapshot(1, 6, B));
    assert!(rig.is_whole(0) && rig.is_whole(1) && rig.proof());
    assert_eq!(rig.stream.counts().gaps, 1);
}

#[test]
fn broken_frames_about_other_things_cost_nothing() {
    let mut rig = Rig::whole();
    for text in [
        r#"{"type":"market_lifecycle_v2","sid":2,"seq":1,"msg":{"market_ticker":5}}"#,
        r#"{"type":"subscribed","msg":{"sid":-1}}"#,
        r#"{"type":"error","msg":"text"}"#,
        r#"{"type":"trade","sid":"seven","seq":null,"id":{"a":1},"msg":[]}"#,
    ] {
        rig.text(text);
        assert!(rig.out.updates.is_empty(), "{text}");
    }
    assert!(rig.is_whole(0));
}

#[test]
fn a_flood_of_broken_frames_ends_the_connection() {
    let mut rig = Rig::whole();
    rig.clock += 1;
    let mut frames = 0;
    while !rig.out.close {
        rig.text("{");
        frames += 1;
        assert!(frames <= Stream::STRANGE_MAX);
    }
}

#[test]
fn noise_nesting_and_giants_are_survived() {
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = format!(r#"{{"type":"orderbook_delta","sid":1,"seq":3,"msg":{nested}}}"#);
    let noise: String =
        (0..1u32 << 20).map(|i| (b'!' + (i * 7 % 90).to_le_bytes()[0]) as char).collect();
    let giant = delta(1, 3, A).replace("-1.00", &"9".repeat(1 << 16));
    let many = vec![r#"["0.5000","1.00"]"#; 20_000].join(",");
    let wide = format!(
        r#"{{"type":"orderbook_snapshot","sid":1,"seq":3,"msg":{{{}"yes_dollars_fp":[{many}]}}}}"#,
        format_args!(r#""market_ticker":"{A}","#),
    );
    for text in [&deep, &noise, &giant, &wide] {
        let mut rig = Rig::whole();
        rig.text(text);
        let Notice::Strange { what, .. } = &rig.out.notices[0] else { panic!() };
        assert!(what.len() < 1_000, "what is told of it is short");
        crate::venue::kalshi::fuzz_text(text);
    }
}

#[test]
fn a_frame_cut_anywhere_never_changes_a_book() {
    for whole in [snapshot(1, 3, A), delta(1, 3, A)] {
        for end in 0..whole.len() {
            let mut rig = Rig::whole();
            let before = rig.books.of(MarketIndex(0)).checksum();
            rig.text(&whole[..end]);
            assert!(rig.lost(0).is_some(), "cut at {end}");
            assert_eq!(rig.books.of(MarketIndex(0)).checksum(), before);
        }
    }
}

fn any_step() -> impl Strategy<Value = String> {
    let ticker = || prop::sample::select(vec![A, B, C, ""]);
    prop_oneof![
        (0u64..4, 0u64..8, ticker()).prop_map(|(sid, seq, t)| snapshot(sid, seq, t)),
        (0u64..4, 0u64..8, ticker()).prop_map(|(sid, seq, t)| delta(sid, seq, t)),
        (0u64..4, 0u32..30).prop_map(|(sid, code)| error(sid, code)),
        (0u64..9, 0u64..4).prop_map(|(id, sid)| format!(
            r#"{{"type":"subscribed","id":{id},"msg":{{"channel":"orderbook_delta","sid":{sid}}}}}"#
        )),
        (0u64..4, 0u64..8)
            .prop_map(|(sid, seq)| format!(r#"{{"type":"unsubscribed","sid":{sid},"seq":{seq}}}"#)),
        ".{0,80}",
        (any_json(), 0u64..4).prop_map(|(v, sid)| format!(
            r#"{{"type":"orderbook_snapshot","sid":{sid},"seq":1,"msg":{v}}}"#
        )),
    ]
}

fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| format!("{n:?}")),
        prop::sample::select(vec!["NaN", "-1", "1e999", "\"0.5000\"", "\"-0.5\"", "\"\\u0000\""])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|v| format!("[{}]", v.join(","))),
            (
                prop::sample::select(vec!["market_ticker", "yes_dollars_fp", "no_dollars_fp", "x"]),
                inner
            )
                .prop_map(|(key, v)| format!(r#"{{"{key}":{v}}}"#)),
        ]
    })
}

proptest! {
    /// Whatever comes, no panic, no endless queue of things to send, and never a whole book whose
    /// last word was a loss.
    #[test]
    fn any_session_is_survived(
        steps in prop::collection::vec((any_step(), 0i64..9_000, 0u8..8), 0..60),
    ) {
        let mut rig = Rig::whole();
        for (text, wait, kind) in steps {
            rig.clock += wait;
            match kind {
                0 => rig.run(|s, now, out| s.on_closed(&Closed::Dropped(String::new()), now, out)),
                1 => rig.run(|s, now, out| s.on_open(now, out)),
                2 => rig.run(|s, now, out| s.resync(MarketIndex(0), now, out)),
                3 => rig.run(|s, now, out| s.unwatch(MarketIndex(1), now, out)),
                4 => rig.run(|s, now, out| s.watch(&[wanted(1, B)], now, out)),
                _ => rig.text(&text),
            }
            prop_assert!(rig.out.frames.len() <= 6);
            let lost = |update: &Update| matches!(update, Update::LaneLost { .. });
            if rig.out.updates.iter().any(lost) && rig.out.close {
                prop_assert!(!rig.is_whole(0) && !rig.is_whole(1));
            }
            rig.run(|s, now, out| s.on_timer(now, out));
            prop_assert!(rig.out.connect || rig.stream.deadline() > at(rig.clock));
        }
    }

    /// Whatever a lane loses and however it is brought back: a book is whole only while changes are
    /// applied to it, and the lane is proven only while none that it lost is missing.
    #[test]
    fn a_book_is_believed_only_while_it_is_fed(
        steps in prop::collection::vec((0u8..8, any::<bool>(), 0i64..6_000), 0..80),
    ) {
        let mut rig = Rig::whole();
        let (mut sid, mut seq) = (1, 2);
        for (kind, first, wait) in steps {
            let (ticker, market) = if first { (A, 0) } else { (B, 1) };
            if let Link::Open(Session { books: Subscription::Asked { id, .. }, .. }) =
                &rig.stream.link
            {
                // The venue acknowledges a new subscription under a new number.
                (sid, seq) = (sid + 1, 0);
                let about = format!(r#""msg":{{"channel":"orderbook_delta","sid":{sid}}}"#);
                rig.text(&format!(r#"{{"type":"subscribed","id":{id},{about}}}"#));
            }
            seq += 1 + u64::from(kind == 0);
            match kind {
                0..=2 => rig.text(&delta(sid, seq, ticker)),
                3 | 4 => rig.text(&snapshot(sid, seq, ticker)),
                5 => {
                    seq -= 1;
                    let market = MarketIndex(market);
                    rig.books.of(market).lose(Loss::Refuted, at(rig.clock));
                    rig.run(|s, now, out| s.resync(market, now, out));
                }
                _ => {
                    seq -= 1;
                    rig.wait(wait);
                }
            }
            for row in rig.stream.table.rows() {
                let whole = rig.books.of(row.market).health() == Health::Whole;
                prop_assert!(!whole || row.image == Image::Here, "{row:?}");
            }
            prop_assert!(!rig.proof() || rig.stream.table.resyncing() == 0);
            rig.run(|s, now, out| s.on_ping(now, out));
            prop_assert!(!rig.proof() || rig.stream.table.resyncing() == 0);
            if matches!(rig.stream.link, Link::Closing { .. }) {
                rig.run(|s, now, out| s.on_closed(&Closed::Asked, now, out));
                rig.clock += 60_000;
                rig.connect();
                (sid, seq) = (0, 0);
            }
        }
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}|[\\[\\]{}\",:0-9a-z_]{0,200}") {
        crate::venue::kalshi::fuzz_text(&text);
    }

    #[test]
    fn any_change_to_a_frame_is_survived(
        at in 0usize..200, with in ".{0,3}", cut in 0usize..6,
    ) {
        for whole in [snapshot(1, 3, A), delta(1, 3, A)] {
            let mut text = whole.clone();
            let at = at.min(text.len());
            text.replace_range(at..(at + cut).min(whole.len()), &with);
            let mut rig = Rig::whole();
            rig.text(&text);
            crate::venue::kalshi::fuzz_text(&text);
        }
    }
}
