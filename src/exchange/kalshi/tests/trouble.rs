use super::*;

#[test]
fn a_gap_loses_one_delta_and_its_number() {
    let mut bench = Bench::new(2);
    bench.connect();
    let frames = bench.say(&subscribe(""));
    let mut last = frames.last().unwrap()["seq"].as_u64().unwrap();
    bench.fault(&Fault::Gap);
    let mut holes = 0;
    for frame in bench.steps(20) {
        let seq = frame["seq"].as_u64().unwrap();
        holes += seq - last - 1;
        last = seq;
    }
    assert_eq!(holes, 1);
}

#[test]
fn a_heartbeat_comes_every_ten_seconds_unless_frozen() {
    let mut bench = Bench::new(2);
    bench.connect();
    bench.say(&subscribe(""));
    let beats = |pushes: &[Push]| {
        pushes.iter().filter(|push| matches!(push, Push::Ping(_, "heartbeat"))).count()
    };
    let pushes: Vec<Push> = (0..410).flat_map(|_| bench.step()).collect();
    assert_eq!(beats(&pushes), 2, "20.5 seconds");
    let pushes = bench.fault(&Fault::Freeze { lasts: seconds(12) });
    assert_eq!(pushes, [Push::Stall(LINK)]);
    assert!(bench.say(r#"{"id":1,"cmd":"list_subscriptions"}"#).is_empty());
    let pushes: Vec<Push> = (0..300).flat_map(|_| bench.step()).collect();
    assert_eq!(pushes, [Push::Cut(LINK)], "silence, then the end");
}

#[test]
fn a_late_image_holds_its_deltas_back_and_is_whole() {
    let mut bench = Bench::new(2);
    bench.connect();
    bench.fault(&Fault::LateSnapshot { lasts: seconds(1) });
    let frames = bench.say(&subscribe(r#","use_yes_price":false"#));
    assert_eq!(frames.len(), 1, "only the acknowledgement");
    assert!(bench.steps(15).is_empty());
    let frames = bench.steps(30);
    assert_eq!(frames[0]["type"], "orderbook_snapshot");
    assert_eq!((&frames[0]["seq"], &frames[1]["seq"]), (&json!(1), &json!(2)));
    let mut replica = Replica::default();
    for frame in frames.iter().filter(|frame| frame["msg"]["market_ticker"] == RATES) {
        replica.apply(frame, false);
    }
    assert_eq!(replica, Replica::of(&bench.world.kalshi.books[0]));
}

#[test]
fn a_pause_shows_in_the_object_and_the_lifecycle() {
    let mut bench = Bench::new(2);
    bench.connect();
    bench.say(r#"{"id":1,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"]}}"#);
    let down = texts(&bench.fault(&Fault::Pause { lasts: seconds(2), market: 0 }));
    assert_eq!(down[0]["msg"]["event_type"], "deactivated");
    assert_eq!(down[0]["seq"], 1);
    assert_eq!(bench.get(&format!("/markets/{RATES}")).1["market"]["status"], "inactive");
    let up = bench.steps(45);
    assert_eq!(up.len(), 1);
    assert_eq!((&up[0]["msg"]["event_type"], &up[0]["seq"]), (&json!("activated"), &json!(2)));
    assert_eq!(bench.get(&format!("/markets/{RATES}")).1["market"]["status"], "active");
}

#[test]
fn new_ticks_are_announced_and_listed() {
    let mut bench = Bench::new(2);
    bench.connect();
    bench.say(r#"{"id":1,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"]}}"#);
    let bands = vec![Band { start: 0, end: 10_000, step: 10 }];
    let told = texts(&bench.fault(&Fault::Ticks { market: 0, bands }));
    let ranges = json!([{"start": "0.0000", "end": "1.0000", "step": "0.0010"}]);
    assert_eq!(told[0]["msg"]["event_type"], "price_level_structure_updated");
    assert_eq!(told[0]["msg"]["price_ranges"], ranges);
    let (_, body) = bench.get(&format!("/markets/{RATES}"));
    assert_eq!(body["market"]["price_ranges"], ranges);
    assert_eq!(body["market"]["price_level_structure"], "deci_cent");
}

#[test]
fn a_disconnect_cuts_and_forgets() {
    let mut bench = Bench::new(2);
    bench.connect();
    bench.say(&subscribe(""));
    assert_eq!(bench.fault(&Fault::Disconnect), [Push::Cut(LINK)]);
    assert!(bench.step().is_empty());
}
