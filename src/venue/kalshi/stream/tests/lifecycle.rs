use super::*;

fn lifecycle(seq: u64, ticker: &str, event: &str) -> String {
    let head = format!(r#"{{"type":"market_lifecycle_v2","sid":2,"seq":{seq},"msg":"#);
    format!(r#"{head}{{"market_ticker":"{ticker}","event_type":"{event}"}}}}"#)
}

#[test]
fn each_event_of_a_market_has_its_update() {
    let market = MarketIndex(0);
    let mut rig = Rig::whole();
    for (seq, (event, update)) in [
        ("activated", Some(Update::Trading { market, status: Status::Open })),
        ("deactivated", Some(Update::Trading { market, status: Status::Paused })),
        ("determined", Some(Update::Trading { market, status: Status::Closed })),
        ("settled", Some(Update::Trading { market, status: Status::Closed })),
        ("price_level_structure_updated", Some(Update::TicksChanged { market })),
        ("close_date_updated", Some(Update::FactsChanged { market })),
        ("metadata_updated", Some(Update::FactsChanged { market })),
        ("something_new", Some(Update::FactsChanged { market })),
        ("created", None),
    ]
    .into_iter()
    .enumerate()
    {
        rig.text(&lifecycle(seq as u64 + 1, A, event));
        assert_eq!(rig.out.updates.first(), update.as_ref(), "{event}");
    }
    rig.text(&lifecycle(10, "KXOTHER-1", "activated"));
    assert!(rig.out.updates.is_empty(), "markets that nobody watches are passed over");
    assert_eq!(rig.stream.counts().gaps, 0);
}

#[test]
fn the_seq_of_lifecycle_messages_is_optional_and_apart() {
    let mut rig = Rig::whole();
    rig.text(&lifecycle(1, A, "activated").replace(r#","seq":1"#, ""));
    assert_eq!(rig.out.updates.len(), 1);
    rig.text(&lifecycle(7, A, "activated"));
    rig.text(&lifecycle(9, A, "deactivated"));
    assert!(rig.has(Update::FactsMissed { market: MarketIndex(1) }), "what was missed is unknown");
    assert!(matches!(rig.out.notices[0], Notice::Strange { .. }));
    rig.text(&delta(1, 3, A));
    assert!(rig.is_whole(0), "the books do not depend on it");
}

#[test]
fn a_fee_update_is_for_the_markets_of_its_event() {
    let mut rig = Rig::whole();
    rig.run(|s, now, out| s.watch(&[wanted(2, "KXDEMO-26DEC31X-T1")], now, out));
    rig.text(include_str!("../../../../../tests/data/kalshi/ws_event_fee_update.json"));
    assert_eq!(
        rig.out.updates,
        [
            Update::FactsChanged { market: MarketIndex(0) },
            Update::FactsChanged { market: MarketIndex(1) },
        ]
    );
}

#[test]
fn a_lifecycle_subscription_that_fails_is_tried_again_and_the_books_go_on() {
    let mut rig = Rig::whole();
    rig.text(&error(2, 25));
    assert!(rig.out.frames.is_empty() && rig.is_whole(0));
    rig.wait(5_000);
    assert_eq!(
        rig.sent(),
        [r#":"subscribe","params":{"channels":["market_lifecycle_v2"]}}"#],
        "after a wait"
    );
    rig.wait(5_000);
    assert!(rig.out.frames.is_empty(), "no answer: the wait doubles");
    rig.wait(9_999);
    assert!(rig.out.frames.is_empty());
    rig.wait(1);
    assert_eq!(rig.out.frames.len(), 1);
    assert!(rig.is_whole(0));
}
