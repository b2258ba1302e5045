use crate::venue::polymarket::sign::Key;
use crate::venue::polymarket::sign::hmac::Credentials;
use crate::venue::polymarket::sign::order::Wallet;

use super::*;

const SECRET: &str = "-yBFao-02f4jSG2St9wBJktwlbrfBClOc5i94gcsUXY=";

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_795_343_349_000 + millis)
}

fn session() -> Private {
    let secret = SECRET.to_owned().into();
    let credentials = Credentials::new("key-1", secret, "phrase".to_owned().into()).unwrap();
    let key = Key::from_hex(&"11".repeat(32)).unwrap();
    let account = Account::new(key, Wallet::Eoa, None, credentials).unwrap();
    let seconds = Duration::from_secs;
    let settings = Settings {
        url: "ws://x/ws/".to_owned(),
        ping_every: seconds(5),
        pong_max: seconds(15),
        reconnect_planned: seconds(600),
        backoff_first: seconds(1),
        backoff_longest: seconds(8),
        limited_wait: seconds(20),
    };
    Private::new(settings, Lane(3), 7, &account)
}

/// A session that has been greeted and answered.
fn live(out: &mut Output) -> Private {
    let mut session = session();
    session.on_timer(at(0), out);
    assert!(out.connect);
    session.on_open(at(0), out);
    session.on_text("PONG", at(10), out);
    session
}

#[test]
fn it_greets_with_the_key_and_is_live_once_that_was_heard() {
    let (mut session, mut out) = (session(), Output::default());
    assert_eq!(session.handshake(at(0)).unwrap().url, "ws://x/ws/user");
    session.on_timer(at(0), &mut out);
    session.on_open(at(0), &mut out);
    let hello: serde_json::Value = serde_json::from_str(&out.frames[0]).unwrap();
    assert_eq!(hello["auth"]["secret"], SECRET);
    assert_eq!(out.frames[1], "PING");
    assert!(out.notices.is_empty(), "the venue may not have read the greeting yet");
    session.on_text("PONG", at(40), &mut out);
    session.on_text("PONG", at(5_040), &mut out);
    assert_eq!(out.notices, [Notice::Live { lane: Lane(3) }]);
    assert!(out.private.is_empty());
}

#[test]
fn frames_about_the_account_are_passed_on_as_they_are() {
    let mut out = Output::default();
    let mut session = live(&mut out);
    for text in ["[]", "PONG", "", r#"{"event_type":"order"}"#, r#"[{"event_type":"trade"}]"#] {
        session.on_text(text, at(100), &mut out);
    }
    assert_eq!(out.private, [r#"{"event_type":"order"}"#, r#"[{"event_type":"trade"}]"#]);
}

#[test]
fn every_connection_is_reported_live_anew() {
    let mut out = Output::default();
    let mut session = live(&mut out);
    session.on_closed(&Closed::Dropped("reset".to_owned()), at(60_000), &mut out);
    out.clear();
    let due = session.deadline();
    assert!(due > at(60_000) && due <= at(61_000), "{due}");
    session.on_timer(due, &mut out);
    session.on_open(due, &mut out);
    session.on_text("PONG", due, &mut out);
    assert!(out.connect);
    assert_eq!(out.notices, [Notice::Live { lane: Lane(3) }]);
}

#[test]
fn silence_after_a_ping_ends_the_connection() {
    let mut out = Output::default();
    let mut session = live(&mut out);
    out.clear();
    session.on_timer(at(5_000), &mut out);
    assert_eq!(out.frames, ["PING"]);
    session.on_timer(at(19_999), &mut out);
    assert!(!out.close);
    session.on_timer(at(20_000), &mut out);
    assert!(out.close);
    assert!(matches!(&out.notices[..], [Notice::Down { .. }]));
}

#[test]
fn failures_wait_longer_and_longer_and_longest_after_429() {
    let (mut session, mut out) = (session(), Output::default());
    let (mut now, mut waits) = (at(0), Vec::new());
    for _ in 0..6 {
        session.on_timer(now, &mut out);
        session.on_closed(&Closed::Unreachable("no route".to_owned()), now, &mut out);
        waits.push(session.deadline().since(now));
        now = session.deadline();
    }
    assert!(waits[0] < Duration::from_secs(1) && waits[5] >= Duration::from_secs(4), "{waits:?}");
    session.on_timer(now, &mut out);
    let limited = Closed::Refused { status: 429, text: String::new() };
    session.on_closed(&limited, now, &mut out);
    assert!(session.deadline().since(now) >= Duration::from_secs(24));
}

#[test]
fn a_working_connection_is_made_anew_in_time() {
    let mut out = Output::default();
    let mut session = live(&mut out);
    let mut closed = None;
    for second in 0..=600 {
        session.on_timer(at(second * 1_000), &mut out);
        session.on_text("PONG", at(second * 1_000), &mut out);
        if out.close {
            closed = Some(second);
            break;
        }
    }
    assert!(closed.is_some_and(|second| (300..=600).contains(&second)), "{closed:?}");
}

#[test]
fn no_notice_and_no_debug_text_holds_a_secret() {
    let (mut session, mut out) = (session(), Output::default());
    session.on_timer(at(0), &mut out);
    session.on_open(at(0), &mut out);
    session.on_closed(&Closed::Dropped("bye".to_owned()), at(1), &mut out);
    let shown = format!("{session:?} {:?}", out.notices);
    assert!(shown.contains("is the API key right?"));
    assert!(!shown.contains(SECRET) && !shown.contains("phrase"), "{shown}");
}
