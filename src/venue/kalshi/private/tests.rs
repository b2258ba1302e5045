use super::super::sign::tests::ed25519_pem;
use super::*;

const LANE: Lane = Lane(7);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn feed() -> Private {
    let url = "wss://example.test/trade-api/ws/v2".to_owned();
    let signer = Signer::from_pem("key", &ed25519_pem()).unwrap();
    Private::new(Settings::new(url, LANE), signer)
}

fn open(feed: &mut Private, now: Timestamp) -> Output {
    let mut out = Output::default();
    feed.on_timer(now, &mut out);
    assert!(out.connect);
    out.clear();
    feed.on_open(now, &mut out);
    out
}

fn ack(command: u64, channel: &str) -> String {
    let msg = format!(r#"{{"channel":"{channel}","sid":4}}"#);
    format!(r#"{{"id":{command},"type":"subscribed","msg":{msg}}}"#)
}

fn live(feed: &mut Private, command: u64, now: Timestamp) -> Output {
    let mut out = Output::default();
    for channel in ACCOUNT {
        assert!(!feed.is_live());
        feed.on_text(&ack(command, channel), now, &mut out);
    }
    assert!(feed.is_live());
    out
}

#[test]
fn it_is_live_when_all_three_channels_are_acknowledged() {
    let mut feed = feed();
    let handshake = feed.handshake(at(1_000)).unwrap();
    assert_eq!(handshake.headers.len(), 3);
    let out = open(&mut feed, at(1_000));
    assert_eq!(out.frames, [encode_subscribe_account(1)]);
    let out = live(&mut feed, 1, at(1_100));
    assert_eq!(out.notices, [Notice::Live { lane: LANE }]);
    let mut out = Output::default();
    feed.on_text(&ack(1, "fill"), at(1_200), &mut out);
    assert!(out.notices.is_empty(), "it is announced once");
}

#[test]
fn private_frames_go_on_unread_and_others_do_not() {
    let mut feed = feed();
    open(&mut feed, at(0));
    let mut out = live(&mut feed, 1, at(0));
    out.clear();
    for text in [
        include_str!("../../../../tests/data/kalshi/ws_fill.json"),
        include_str!("../../../../tests/data/kalshi/ws_user_order.json"),
        include_str!("../../../../tests/data/kalshi/ws_market_position.json"),
    ] {
        feed.on_text(text, at(10), &mut out);
        assert_eq!(out.private.last().map(String::as_str), Some(text));
    }
    assert_eq!(out.private.len(), 3);
    feed.on_text(include_str!("../../../../tests/data/kalshi/ws_trade.json"), at(10), &mut out);
    assert_eq!((out.private.len(), out.notices.len()), (3, 0));
    assert!(out.updates.is_empty(), "it brings no books");
}

#[test]
fn a_frame_before_the_acknowledgement_counts_too() {
    let mut feed = feed();
    let mut out = open(&mut feed, at(0));
    feed.on_text(include_str!("../../../../tests/data/kalshi/ws_fill.json"), at(10), &mut out);
    assert_eq!(out.private.len(), 1);
}

#[test]
fn missing_acknowledgements_and_silence_end_the_connection() {
    let mut feed = feed();
    open(&mut feed, at(0));
    let mut out = Output::default();
    feed.on_timer(at(4_999), &mut out);
    assert!(!out.close);
    feed.on_timer(at(5_000), &mut out);
    assert!(out.close);
    feed.on_closed(&Closed::Asked, at(5_000), &mut out);
    let Some(Notice::Down { reason, retry_at, .. }) = out.notices.last() else { panic!() };
    assert!(reason.contains("acknowledge") && *retry_at > at(5_000));

    let again = feed.deadline();
    open(&mut feed, again);
    live(&mut feed, 2, again);
    feed.on_ping(again.after(Duration::from_secs(20)), &mut out);
    out.clear();
    feed.on_timer(again.after(Duration::from_secs(44)), &mut out);
    assert!(!out.close, "the ping was heard");
    feed.on_timer(again.after(Duration::from_secs(45)), &mut out);
    assert!(out.close);
}

#[test]
fn a_channel_that_ends_ends_the_connection() {
    for text in [
        r#"{"sid":4,"type":"error","msg":{"code":25,"msg":"overflow"}}"#,
        r#"{"sid":4,"type":"error","msg":{"code":9,"msg":"auth"}}"#,
        r#"{"sid":4,"type":"unsubscribed"}"#,
    ] {
        let mut feed = feed();
        open(&mut feed, at(0));
        let mut out = live(&mut feed, 1, at(0));
        feed.on_text(text, at(10), &mut out);
        assert!(out.close, "{text}");
    }
    let mut feed = feed();
    open(&mut feed, at(0));
    let mut out = live(&mut feed, 1, at(0));
    feed.on_text(r#"{"id":9,"type":"error","msg":{"code":5,"msg":"x"}}"#, at(10), &mut out);
    assert!(!out.close, "a command that failed ends nothing that was live");
}

#[test]
fn connections_that_die_young_are_dialled_with_growing_waits() {
    let mut feed = feed();
    let mut longest = Duration::ZERO;
    let mut now = at(0);
    for _ in 0..8 {
        open(&mut feed, now);
        let mut out = Output::default();
        feed.on_closed(&Closed::Dropped("gone".to_owned()), now, &mut out);
        longest = longest.max(feed.deadline().since(now));
        now = feed.deadline();
    }
    assert!(longest > Duration::from_secs(10));
    open(&mut feed, now);
    live(&mut feed, 9, now);
    let later = now.after(Private::WORKING_MIN);
    let mut out = Output::default();
    feed.on_ping(later, &mut out);
    feed.on_closed(&Closed::Dropped("gone".to_owned()), later, &mut out);
    assert!(feed.deadline().since(later) < Duration::from_secs(1));
}

#[test]
fn endless_nonsense_is_given_up() {
    let mut feed = feed();
    open(&mut feed, at(0));
    let mut out = Output::default();
    for _ in 0..=Private::STRANGE_MAX {
        feed.on_text("{", at(10), &mut out);
    }
    assert!(out.close);
}
