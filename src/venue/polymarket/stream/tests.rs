use proptest::prelude::*;

use super::*;
use crate::book::{Book, Health};
use crate::domain::{Price, Side};

const YES: &str = "71321045679252212594626385532706912750332728571942532289631379312455583992563";
const NO: &str = "52114319501245915516055106046884209969926127482827954674443846427813813222426";
const CONDITION: &str = "0xabababababababababababababababababababababababababababababababab";
const LANE: Lane = Lane(3);

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/polymarket/", $name))
    };
}

fn settings() -> Settings {
    Settings {
        url: "wss://example.test/ws".to_owned(),
        ping_every: Duration::from_secs(5),
        pong_max: Duration::from_secs(15),
        image_deadline: Duration::from_secs(10),
        image_patience_max: Duration::from_secs(300),
        silence_max: Duration::from_secs(60),
        reconnect_planned: Duration::from_secs(1_200),
        backoff_first: Duration::from_millis(500),
        backoff_longest: Duration::from_secs(30),
        limited_wait: Duration::from_secs(30),
    }
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_763_800_000 + secs)
}

fn wanted(market: u32) -> Wanted {
    let tokens = match market {
        0 => (YES.to_owned(), NO.to_owned()),
        other => (format!("71{other:05}1"), format!("71{other:05}2")),
    };
    let id = if market == 0 { CONDITION.to_owned() } else { format!("0x{market:064x}") };
    Wanted { market: MarketIndex(market), id, tokens: Some(tokens) }
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

/// A session and the books it feeds.
struct Story {
    stream: Stream,
    books: Vec<Book>,
    updates: Vec<Update>,
    frames: Vec<String>,
    notices: Vec<Notice>,
    connect: bool,
    close: bool,
}

impl Story {
    fn down(markets: u32) -> Self {
        let mut story = Self {
            stream: Stream::new(settings(), LANE, 7, Mode::Live),
            books: vec![Book::new(); markets as usize],
            updates: Vec::new(),
            frames: Vec::new(),
            notices: Vec::new(),
            connect: false,
            close: false,
        };
        let all: Vec<_> = (0..markets).map(wanted).collect();
        story.act(at(0), |stream, now, out| stream.watch(&all, now, out));
        story
    }

    fn open(markets: u32) -> Self {
        let mut story = Self::down(markets);
        story.timer(at(0));
        assert!(story.connect);
        story.act(at(0), Feed::on_open);
        story
    }

    fn act(&mut self, now: Timestamp, step: impl FnOnce(&mut Stream, Timestamp, &mut Output)) {
        let mut out = Output::default();
        step(&mut self.stream, now, &mut out);
        for update in &out.updates {
            apply(&mut self.books, update, now);
        }
        self.updates = out.updates;
        self.frames = out.frames;
        self.notices = out.notices;
        self.connect = out.connect;
        self.close = out.close;
    }

    fn text(&mut self, text: &str, now: Timestamp) {
        self.act(now, |stream, now, out| stream.on_text(text, now, out));
    }

    fn timer(&mut self, now: Timestamp) {
        self.act(now, |stream, now, out| stream.on_timer(now, out));
    }

    /// Runs the timers up to `until`, answering each `PING`; gives what was sent beside it.
    fn quiet_until(&mut self, until: Timestamp) -> Vec<String> {
        let mut sent = Vec::new();
        while self.stream.deadline() <= until {
            let now = self.stream.deadline();
            self.timer(now);
            sent.append(&mut self.frames);
            if self.close {
                break;
            }
            if sent.pop_if(|frame| frame == "PING").is_some() {
                self.act(now, |stream, now, out| stream.on_text("PONG", now, out));
            }
        }
        sent
    }

    fn has(&self, wanted: &Update) -> bool {
        self.updates.contains(wanted)
    }
}

fn apply(books: &mut [Book], update: &Update, now: Timestamp) {
    match *update {
        Update::Snapshot { market, lane } => books[market.at()].begin(lane, 0),
        Update::Set { market, side, price, quantity } => {
            books[market.at()].set(side, price, quantity, now);
        }
        Update::SnapshotEnd { market } => books[market.at()].end(now),
        Update::Stamp { market, sequence, source } => books[market.at()].stamp(sequence, source),
        Update::Announced { market, bid, ask } => books[market.at()].announce(bid, ask, now),
        Update::Proof { market } => books[market.at()].prove(now),
        Update::Lost { market, why } => books[market.at()].lose(why, now),
        Update::LaneLost { why, .. } => books.iter_mut().for_each(|book| book.lose(why, now)),
        _ => {}
    }
}

fn best(book: &Book) -> (Option<String>, Option<String>) {
    let show = |level: Option<crate::book::Level>| level.map(|level| level.price.to_string());
    (show(book.bids().best()), show(book.asks().best()))
}

fn prices(bid: &str, ask: &str) -> (Option<String>, Option<String>) {
    (Some(bid.to_owned()), Some(ask.to_owned()))
}

fn book_of(market: u32, timestamp: i64) -> String {
    let asset = wanted(market).tokens.unwrap().0;
    format!(
        r#"{{"asset_id":"{asset}","timestamp":"{timestamp}","bids":[{{"price":"0.4","size":"1"}}],"asks":[],"event_type":"book"}}"#
    )
}

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
    assert!(story.has(&Update::FactsChanged { market }));
    assert_eq!(story.updates.len(), 2, "both tokens are one market");
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
    assert!(matches!(&story.notices[..], [Notice::Live { .. }, Notice::Strange { .. }]));
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
fn a_connection_with_most_markets_mute_is_given_up() {
    let mut story = Story::open(3);
    story.text(fixture!("ws_book.json"), at(1));
    story.quiet_until(at(19));
    story.timer(at(20));
    assert!(story.close);
    assert!(story.has(&Update::LaneLost { lane: LANE, why: Loss::NoSnapshot }));
    assert_ne!(story.books[0].health(), Health::Whole);
    story.act(at(20), |stream, now, out| stream.on_closed(&Closed::Asked, now, out));
    assert!(story.notices.is_empty(), "told already");
    story.timer(story.stream.deadline());
    assert!(story.connect);
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
fn the_wait_grows_while_connections_bring_nothing_and_starts_over_with_data() {
    let mut story = Story::down(1);
    let wait = |story: &mut Story, data: bool| {
        let now = story.stream.deadline().max(at(0));
        story.timer(now);
        story.act(now, Feed::on_open);
        if data {
            story.text(fixture!("ws_book.json"), now);
        }
        let why = Closed::Dropped("gone".to_owned());
        story.act(now, |stream, now, out| stream.on_closed(&why, now, out));
        story.stream.deadline().since(now)
    };
    for _ in 0..6 {
        wait(&mut story, false);
    }
    assert!(wait(&mut story, false) > Duration::from_secs(10));
    assert!(wait(&mut story, true) < Duration::from_millis(500));
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
        r#"{{"event_type":"price_change","timestamp":"1763800000001","price_changes":[{{"asset_id":"{NO}","price":"0.3","size":"7","side":"BUY"}}]}}"#
    );
    story.text(&item, at(2));
    let (market, side) = (MarketIndex(0), Side::Ask);
    let quantity = crate::domain::Quantity::contracts(7);
    assert!(story.has(&Update::Set { market, side, price: price("0.7"), quantity }));
}
