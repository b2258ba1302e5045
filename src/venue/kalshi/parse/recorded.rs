//! Recorded REST answers: everything in them is understood, and nothing is made up.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::domain::{FeePlan, MarketIndex};
use crate::venue::kalshi::wire::http;

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("CROSSBOOK_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: CROSSBOOK_DATA is not set");
    }
    folder.map(|folder| folder.join("kalshi_rest"))
}

fn read(path: &Path) -> String {
    let mut bytes = Vec::new();
    std::fs::File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
    if path.extension().is_some_and(|ending| ending == "gz") {
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        return text;
    }
    String::from_utf8(bytes).unwrap()
}

fn checked(wire: &http::Market) {
    let found = market(wire, None, FeePlan::unknown()).unwrap();
    assert!(found.closes.is_some() && !found.event.is_empty());
    if let Some(grid) = &found.grid {
        assert!(Price::from_units(5_000).is_some_and(|half| grid.contains(half)));
    }
}

#[test]
fn recorded_listings_are_read_whole() {
    let Some(folder) = folder() else { return };
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.contains("_markets_") && name != "pmvl_markets.json" {
            continue;
        }
        let value: Value = serde_json::from_str(&read(&path)).unwrap();
        let answer = value.get("response").unwrap_or(&value);
        if answer.get("markets").is_none() {
            continue;
        }
        let text = answer.to_string();
        let page: http::MarketsAnswer = serde_json::from_str(&text).unwrap();
        page.markets.iter().for_each(checked);
        count += page.markets.len();
    }
    println!("{count} markets");
    assert!(count > 100);
}

#[test]
fn recorded_series_events_and_books_are_read() {
    let Some(folder) = folder() else { return };
    let series: http::SeriesAnswer =
        serde_json::from_str(&read(&folder.join("pmvl_series.json"))).unwrap();
    let rate = fee::series_fee(&series.series).and_then(|fee| fee.model()).unwrap().rate;
    assert_eq!(rate.to_string(), "0.07");
    let levels = orderbook(&read(&folder.join("pmvl_orderbook.json")), "T").unwrap();
    assert_eq!(levels.len(), 10);
    assert!(levels.iter().all(|level| level.leg == Outcome::No));
    let mut updates = Vec::new();
    image(crate::book::Lane(0), MarketIndex(0), &levels, &mut updates);
    assert_eq!(updates.len(), 13);

    let events: Value =
        serde_json::from_str(&read(&folder.join("events_sports_nested_2026-08.json.gz"))).unwrap();
    for event in events.as_array().unwrap() {
        let wire: http::Event = serde_json::from_value(event.clone()).unwrap();
        assert!(wire.series_ticker.is_some_and(|name| !name.is_empty()));
        for one in event["markets"].as_array().into_iter().flatten() {
            checked(&serde_json::from_value(one.clone()).unwrap());
        }
    }

    let single: Value =
        serde_json::from_str(&read(&folder.join("market_single_2026-08.json"))).unwrap();
    let ticker = single["ticker"].as_str().unwrap();
    checked(&market::market_answer(&single["single"].to_string(), ticker).unwrap());
    assert!(!orderbook(&single["orderbook"].to_string(), ticker).unwrap().is_empty());
}

#[test]
fn recorded_fee_types_are_understood() {
    let Some(folder) = folder() else { return };
    let file: Value =
        serde_json::from_str(&read(&folder.join("series_fee_fields_2026-08.json"))).unwrap();
    for (name, payload) in file["payloads"].as_object().unwrap() {
        let answer: http::SeriesAnswer = serde_json::from_str(&payload.to_string()).unwrap();
        let fee = fee::series_fee(&answer.series).unwrap();
        assert!(fee.model().is_some(), "{name}: {fee:?}");
    }
}
