//! `crossbook replay` of what others recorded, against a reconstruction that shares no code with
//! it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::opportunity::decimal;
use super::run::{arg, run};

/// Sizes in hundredths by price in 1/10,000.
type Levels = BTreeMap<i128, i128>;

/// Bids for YES, and what Kalshi calls the NO side.
#[derive(Default, Clone)]
struct Sides {
    yes: Levels,
    no: Levels,
    frames: u64,
}

fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("CROSSBOOK_DATA").map(PathBuf::from);
    if named.is_none() {
        println!("skipped: CROSSBOOK_DATA is not set");
    }
    named
}

fn lines(path: &Path) -> Vec<Value> {
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    if bytes.starts_with(&[0x1F, 0x8B]) {
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    let parsed = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    parsed.map(|line| line.get("event").cloned().unwrap_or(line)).collect()
}

fn levels(side: &Value) -> Levels {
    let level = |level: &Value| {
        (decimal(level[0].as_str().unwrap(), 4), decimal(level[1].as_str().unwrap(), 2))
    };
    side.as_array().into_iter().flatten().map(level).filter(|(_, size)| *size != 0).collect()
}

fn reconstruct_kalshi(frames: &[Value]) -> BTreeMap<String, Sides> {
    let mut books: BTreeMap<String, Sides> = BTreeMap::new();
    for frame in frames {
        let message = &frame["msg"];
        let Some(ticker) = message["market_ticker"].as_str() else { continue };
        let book = books.entry(ticker.to_owned()).or_default();
        book.frames += 1;
        match frame["type"].as_str().unwrap() {
            "orderbook_snapshot" => {
                book.yes = levels(&message["yes_dollars_fp"]);
                book.no = levels(&message["no_dollars_fp"]);
            }
            "orderbook_delta" => {
                let price = decimal(message["price_dollars"].as_str().unwrap(), 4);
                let change = decimal(message["delta_fp"].as_str().unwrap(), 2);
                let side = if message["side"] == "yes" { &mut book.yes } else { &mut book.no };
                let size = side.entry(price).or_default();
                *size += change;
                assert!(*size >= 0, "{ticker} {price}");
                if *size == 0 {
                    side.remove(&price);
                }
            }
            _ => {}
        }
    }
    books
}

/// How a NO level's price reads as an ask for YES.
fn own_leg(price: i128) -> i128 {
    10_000 - price
}

fn same_price(price: i128) -> i128 {
    price
}

fn level_of(told: &Value) -> Option<(i128, i128)> {
    let level = told.as_array()?;
    Some((decimal(level[0].as_str().unwrap(), 4), decimal(level[1].as_str().unwrap(), 2)))
}

/// The summary's market tells exactly this book.
fn compare(told: &Value, bids: &Levels, asks: &Levels) {
    let best = |level: Option<(&i128, &i128)>| level.map(|(price, size)| (*price, *size));
    assert_eq!(level_of(&told["yes_bid"]), best(bids.last_key_value()), "{told}");
    assert_eq!(level_of(&told["yes_ask"]), best(asks.first_key_value()), "{told}");
    assert_eq!(told["bid_levels"], bids.len(), "{told}");
    assert_eq!(told["ask_levels"], asks.len(), "{told}");
    let size = |name: &str| decimal(told[name].as_str().unwrap(), 2);
    assert_eq!(size("bid_size"), bids.values().sum::<i128>(), "{told}");
    assert_eq!(size("ask_size"), asks.values().sum::<i128>(), "{told}");
}

fn check_kalshi(file: &Path, more: &[&str], ask_of: fn(i128) -> i128) {
    let args: Vec<_> = ["replay", arg(file), "--json"].into_iter().chain(more.to_vec()).collect();
    let ended = run(&args);
    let summary = ended.expect(0).summary();
    let frames = lines(file);
    assert_eq!(summary["frames"], frames.len(), "{}", file.display());
    let books = reconstruct_kalshi(&frames);
    let markets = summary["markets"].as_array().unwrap();
    assert_eq!(markets.len(), books.len(), "{}", file.display());
    for told in markets {
        let book = &books[told["market"].as_str().unwrap()];
        assert_eq!(told["gaps"], 0, "{told}");
        assert_eq!(told["frames"], book.frames, "{told}");
        let asks = book.no.iter().map(|(price, size)| (ask_of(*price), *size)).collect();
        compare(told, &book.yes, &asks);
    }
}

#[test]
fn recorded_gold_windows_end_in_the_books_of_a_reconstruction() {
    let Some(folder) = folder() else { return };
    let mut files: Vec<_> = std::fs::read_dir(folder.join("kalshi_ws/gold15m"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "gz"))
        .collect();
    files.sort();
    assert_eq!(files.len(), 18);
    let halves = files.chunks(9).map(<[PathBuf]>::to_vec).map(|half| {
        std::thread::spawn(move || {
            for file in half {
                check_kalshi(&file, &["--ignore-seq"], own_leg);
            }
        })
    });
    for half in halves.collect::<Vec<_>>() {
        half.join().unwrap();
    }
}

#[test]
fn the_cockpit_capture_has_no_gap_when_every_numbered_frame_counts() {
    let Some(folder) = folder() else { return };
    check_kalshi(&folder.join("kalshi_ws/cockpit_sports_2026-08-07.jsonl.gz"), &[], own_leg);
}

#[test]
fn captures_of_both_price_modes_end_in_the_same_scale() {
    let Some(folder) = folder() else { return };
    let file = |name: &str| folder.join("kalshi_ws").join(name);
    let yes = file("fortuna_demo_ws__orderbook_trade_yes.jsonl");
    check_kalshi(&yes, &["--yes-prices"], same_price);
    check_kalshi(&file("fortuna_demo_ws__orderbook_trade_noleg.jsonl"), &[], own_leg);
}

#[test]
fn recorded_polymarket_books_are_told_as_they_came() {
    let Some(folder) = folder() else { return };
    let file = folder.join("polymarket_ws/ssmd_polymarket_book.jsonl");
    let summary = run(&["replay", arg(&file), "--json"]).expect(0).summary();
    let mut books: BTreeMap<String, (Levels, Levels)> = BTreeMap::new();
    for frame in lines(&file) {
        let side = |name: &str| -> Levels {
            let level = |level: &Value| {
                let text = |name: &str| level[name].as_str().unwrap().to_owned();
                (decimal(&text("price"), 4), decimal(&text("size"), 6))
            };
            frame[name].as_array().unwrap().iter().map(level).collect()
        };
        let asset = frame["asset_id"].as_str().unwrap().to_owned();
        books.insert(asset, (side("bids"), side("asks")));
    }
    let markets = summary["markets"].as_array().unwrap();
    assert_eq!(markets.len(), books.len());
    for told in markets {
        let (bids, asks) = &books[told["market"].as_str().unwrap()];
        let best = |level: Option<(&i128, &i128)>| level.map(|(price, size)| (*price, *size));
        let level = |name: &str| {
            let level = told[name].as_array()?;
            Some((decimal(level[0].as_str().unwrap(), 4), decimal(level[1].as_str().unwrap(), 6)))
        };
        assert_eq!(level("yes_bid"), best(bids.last_key_value()), "{told}");
        assert_eq!(level("yes_ask"), best(asks.first_key_value()), "{told}");
        assert_eq!(
            (&told["bid_levels"], &told["ask_levels"]),
            (&bids.len().into(), &asks.len().into())
        );
        let size = |name: &str| decimal(told[name].as_str().unwrap(), 6);
        assert_eq!(size("bid_size"), bids.values().sum::<i128>(), "{told}");
        assert_eq!(size("ask_size"), asks.values().sum::<i128>(), "{told}");
    }
}
