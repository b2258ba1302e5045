//! The recorded sessions, against books rebuilt another way.

use std::io::Read as _;
use std::path::PathBuf;

use serde_json::Value;

use super::*;

fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("CROSSBOOK_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: CROSSBOOK_DATA is not set");
    }
    folder
}

/// The frames of a recording of `{"recv_ms":…,"event":{…}}` lines.
fn frames(path: &std::path::Path) -> Vec<(i64, String)> {
    let mut text = String::new();
    let bytes = std::fs::File::open(path).unwrap();
    flate2::read::MultiGzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    let frame = |line: &str| {
        let (head, event) = line.split_once(",\"event\":").unwrap();
        let millis = head.trim_start_matches("{\"recv_ms\":").parse().unwrap();
        (millis, event[..event.len() - 1].to_owned())
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(frame).collect()
}

/// Hundredths of a contract by market, leg and ten-thousandths of a dollar: the simplest book.
type Simple = BTreeMap<(String, bool, i64), i64>;

fn scaled(text: &str, decimals: usize) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{part:0<decimals$}");
    assert!(part.len() <= decimals);
    digits.parse().unwrap()
}

fn rebuild(frames: &[(i64, String)]) -> Simple {
    let mut books = Simple::new();
    for (_, text) in frames {
        let frame: Value = serde_json::from_str(text).unwrap();
        let msg = &frame["msg"];
        let ticker = msg["market_ticker"].as_str().unwrap_or_default().to_owned();
        match frame["type"].as_str().unwrap() {
            "orderbook_snapshot" => {
                books.retain(|key, _| key.0 != ticker);
                for (leg, key) in [(true, "yes_dollars_fp"), (false, "no_dollars_fp")] {
                    for level in msg[key].as_array().into_iter().flatten() {
                        let price = scaled(level[0].as_str().unwrap(), 4);
                        let size = scaled(level[1].as_str().unwrap(), 2);
                        books.insert((ticker.clone(), leg, price), size);
                    }
                }
            }
            "orderbook_delta" => {
                let leg = msg["side"] == "yes";
                let price = scaled(msg["price_dollars"].as_str().unwrap(), 4);
                let change = scaled(msg["delta_fp"].as_str().unwrap(), 2);
                *books.entry((ticker, leg, price)).or_default() += change;
            }
            _ => {}
        }
    }
    books.retain(|_, size| *size != 0);
    books
}

fn replay(frames: &[(i64, String)], sequence: Sequence) -> (Rig, Vec<String>, Vec<Notice>) {
    let mut rig = Rig::new(Stream::passive(Lane(3), PriceMode::OwnLeg, sequence));
    let (mut tickers, mut notices) = (Vec::<String>::new(), Vec::new());
    for (millis, text) in frames {
        rig.clock = *millis;
        let ticker = super::super::super::parse::market_ticker(text);
        if let Some(ticker) = ticker.filter(|ticker| !tickers.iter().any(|known| known == ticker)) {
            let index = u32::try_from(tickers.len()).unwrap();
            rig.run(|s, now, out| s.watch(&[wanted(index, &ticker)], now, out));
            tickers.push(ticker.into_owned());
        }
        rig.text(text);
        notices.append(&mut rig.out.notices.clone());
        assert!(rig.out.frames.is_empty(), "a replay sends nothing");
    }
    (rig, tickers, notices)
}

/// The books of a replay in the simple form.
fn simple(rig: &mut Rig, tickers: &[String]) -> Simple {
    let mut books = Simple::new();
    for (index, ticker) in tickers.iter().enumerate() {
        let book = rig.books.of(MarketIndex(u32::try_from(index).unwrap()));
        assert_eq!(book.health(), Health::Whole, "{ticker}");
        for level in book.bids().worst_first() {
            let key = (ticker.clone(), true, i64::from(level.price.units()));
            books.insert(key, level.quantity.units() / Quantity::LOT);
        }
        for level in book.asks().worst_first() {
            let key = (ticker.clone(), false, i64::from(level.price.mirror().units()));
            books.insert(key, level.quantity.units() / Quantity::LOT);
        }
    }
    books
}

#[test]
fn the_eighteen_gold_windows_end_with_the_books_of_another_reading() {
    let Some(data) = data() else { return };
    let mut windows = 0;
    for entry in std::fs::read_dir(data.join("kalshi_ws/gold15m")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "gz") {
            continue;
        }
        windows += 1;
        let frames = frames(&path);
        let (mut rig, tickers, notices) = replay(&frames, Sequence::Ignored);
        assert_eq!(notices, [], "{}", path.display());
        assert_eq!(tickers.len(), 1);
        assert_eq!(simple(&mut rig, &tickers), rebuild(&frames), "{}", path.display());
        let counts = rig.stream.counts();
        assert_eq!(counts.frames, frames.len() as u64);
        assert!(counts.jumps > 0 && counts.gaps == 0, "one market of a busier subscription");
        let deltas = frames.iter().filter(|(_, text)| text.contains("\"orderbook_delta\"")).count();
        assert_eq!(counts.deltas, deltas as u64);
        assert_eq!(rig.stream.market_counts(MarketIndex(0)).unwrap().deltas, deltas as u64);
    }
    assert_eq!(windows, 18);
}

#[test]
fn the_sports_session_has_no_gap_when_answers_are_counted() {
    let Some(data) = data() else { return };
    let frames = frames(&data.join("kalshi_ws/cockpit_sports_2026-08-07.jsonl.gz"));
    let (mut rig, tickers, notices) = replay(&frames, Sequence::Checked);
    assert_eq!(tickers.len(), 12);
    assert_eq!(notices, []);
    assert_eq!(rig.stream.counts().gaps, 0);
    assert_eq!(simple(&mut rig, &tickers), rebuild(&frames));

    let without: Vec<_> =
        frames.into_iter().filter(|(_, text)| !text.contains("\"type\":\"ok\"")).collect();
    let (rig, _, notices) = replay(&without, Sequence::Checked);
    assert_eq!(rig.stream.counts().gaps, 11, "each answer took a number");
    assert_eq!(notices.len(), 11);
}

#[test]
fn hot_frames_of_the_recordings_take_the_fast_path() {
    let Some(data) = data() else { return };
    let frames = frames(&data.join("kalshi_ws/cockpit_sports_2026-08-07.jsonl.gz"));
    for (_, text) in
        frames.iter().filter(|(_, text)| text.starts_with(r#"{"type":"orderbook_delta"#))
    {
        assert!(super::super::super::parse::delta::scan(text).is_some(), "{text}");
    }
}

#[test]
fn a_recording_with_gaps_loses_its_books_until_the_next_image() {
    let mut rig = Rig::new(Stream::passive(Lane(3), PriceMode::OwnLeg, Sequence::Checked));
    rig.run(|s, now, out| s.watch(&[wanted(0, A), wanted(1, B)], now, out));
    assert!(rig.out.frames.is_empty());
    assert_eq!(rig.stream.deadline(), Timestamp::MAX);
    rig.text(&snapshot(1, 70, A));
    assert!(rig.is_whole(0), "a recording may begin anywhere");
    rig.text(&delta(1, 72, A));
    assert_eq!(rig.lost(0), Some(Loss::Gap));
    rig.text(&snapshot(1, 73, A));
    assert!(rig.is_whole(0));
    assert_eq!(rig.stream.market_counts(MarketIndex(0)).unwrap().gaps, 1);
    assert_eq!(rig.stream.market_counts(MarketIndex(1)).unwrap().gaps, 0);
    rig.text(r#"{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":1}}"#);
    assert_eq!(rig.lost(0), Some(Loss::Disconnected), "the recorder had connected anew");
    rig.text(&snapshot(1, 1, A));
    assert!(rig.is_whole(0) && rig.out.notices.is_empty());
}

#[test]
fn a_recording_on_the_scale_of_yes_is_read_so() {
    let mut rig = Rig::new(Stream::passive(Lane(3), PriceMode::Yes, Sequence::Checked));
    rig.run(|s, now, out| s.watch(&[wanted(0, A)], now, out));
    rig.text(&snapshot(1, 1, A));
    let book = rig.books.of(MarketIndex(0));
    assert_eq!(book.asks().best().unwrap().price.to_string(), "0.5700");
}
