//! `crossbook replay` of small captures of our own.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::opportunity;
use super::run::{Ended, arg, run};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/captures").join(name)
}

fn market(ended: &Ended, id: &str) -> Value {
    let summary = ended.summary();
    let markets = summary["markets"].as_array().unwrap();
    markets.iter().find(|market| market["market"] == id).unwrap().clone()
}

const TICKER: &str = "KXCAPTURE-26DEC31-T50";

fn is_the_book(ended: &Ended) {
    let market = market(ended, TICKER);
    assert_eq!(market["yes_bid"], json!(["0.4100", "40.00"]), "{market}");
    assert_eq!(market["yes_ask"], json!(["0.4200", "12.34"]), "{market}");
    assert_eq!((&market["bid_levels"], &market["ask_levels"]), (&json!(2), &json!(3)));
    assert_eq!((&market["bid_size"], &market["ask_size"]), (&json!("95.00"), &json!("92.34")));
    assert_eq!(market["gaps"], 0);
    assert_eq!((&market["snapshots"], &market["deltas"]), (&json!(1), &json!(4)));
}

#[test]
fn a_capture_replays_plain_bare_and_packed_to_the_same_book() {
    let folder = tempfile::tempdir().unwrap();
    let plain = data("kalshi.jsonl");
    let first = run(&["replay", arg(&plain), "--json"]);
    first.expect(0);
    is_the_book(&first);
    assert_eq!(first.errors, "");
    let other = market(&first, "KXCAPTURE-26DEC31-T60");
    assert_eq!(
        (&other["yes_bid"], &other["yes_ask"]),
        (&json!(["0.0100", "1000.00"]), &json!(null))
    );
    let again = run(&["replay", arg(&plain), "--json"]);
    assert_eq!(again.summary(), first.summary(), "equal input, equal output");

    let text = std::fs::read_to_string(&plain).unwrap();
    let bare: String = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].to_string() + "\n")
        .collect();
    let bare_file = folder.path().join("bare.jsonl");
    std::fs::write(&bare_file, bare).unwrap();
    let packed_file = folder.path().join("packed.jsonl.gz");
    let packed = std::fs::File::create(&packed_file).unwrap();
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap();
    for file in [&bare_file, &packed_file] {
        let ended = run(&["replay", arg(file), "--json"]);
        ended.expect(0);
        is_the_book(&ended);
    }
}

#[test]
fn a_capture_cut_in_a_packed_block_replays_up_to_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(data("kalshi.jsonl")).unwrap().repeat(50);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(text.as_bytes()).unwrap();
    let bytes = packed.finish().unwrap();
    let cut = folder.path().join("cut.jsonl.gz");
    std::fs::write(&cut, &bytes[..bytes.len() - 3_000]).unwrap();
    let ended = run(&["replay", arg(&cut), "--json"]);
    ended.expect(0);
    assert!(ended.errors.contains("what came before it is played"), "{}", ended.errors);
    assert!(ended.summary()["frames"].as_u64().unwrap() > 0);
}

#[test]
fn a_gap_is_counted_and_costs_the_book() {
    let file = data("kalshi_gap.jsonl");
    let ended = run(&["replay", arg(&file), "--json"]);
    ended.expect(0);
    let lost = market(&ended, TICKER);
    assert_eq!(lost["gaps"], 1, "{lost}");
    assert_eq!(lost["whole"], false, "{lost}");
    assert!(lost["yes_bid"].is_null() && lost["yes_ask"].is_null(), "{lost}");
    assert!(ended.errors.contains("sequence 9 came, 7 was due"), "{}", ended.errors);

    let ended = run(&["replay", arg(&file), "--json", "--ignore-seq"]);
    ended.expect(0);
    is_the_book(&ended);
    assert_eq!(ended.summary()["ignore_seq"], true);
    let note = ended.records().into_iter().find(|record| record["kind"] == "note").unwrap();
    assert!(note["text"].as_str().unwrap().contains("--ignore-seq"));

    let ended = run(&["replay", arg(&file)]);
    let text = ended.expect(0).text();
    assert!(text.contains(TICKER) && text.contains("gaps   1"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
}

fn both(markets: Option<&str>) -> Ended {
    let (file, mappings) = (data("both.jsonl"), data("mappings"));
    let mut args = vec!["replay", arg(&file), "--json", "--mappings", arg(&mappings)];
    let markets = markets.map(data);
    if let Some(markets) = &markets {
        args.extend(["--markets", arg(markets)]);
    }
    let ended = run(&args);
    ended.expect(0);
    ended
}

#[test]
fn a_capture_of_both_venues_shows_its_edge_when_the_fees_are_known() {
    let ended = both(Some("markets.jsonl"));
    let records = ended.records();
    let opened: Vec<_> = records.iter().filter(|record| record["phase"] == "opened").collect();
    assert_eq!(opened.len(), 1, "{:#?}\n{}", ended.lines, ended.errors);
    let record = opened[0];
    assert_eq!(record["direction"], "yes_kalshi_no_polymarket");
    // Kalshi offers 75.50 at 0.43 and 10 at 0.44; of Polymarket's NO at 0.51, 43.60 dollars in
    // whole cents buy 85.49 and a little.
    assert_eq!(record["quantity"], "85.49");
    assert_eq!(record["legs"][0]["fills"], json!([["0.4300", "75.50"], ["0.4400", "9.99"]]));
    opportunity::check_with(record, "tests/data/captures/mappings/pairs.toml");
    assert_eq!(ended.summary()["opportunities"], json!({"opened": 1, "closed": 1}));
    let closed = records.iter().find(|record| record["kind"] == "opportunity_closed").unwrap();
    assert_eq!(closed["lifetime_ms"], 1_500, "{closed}");
}

#[test]
fn without_fee_data_there_is_no_edge_and_the_summary_says_why() {
    let ended = both(Some("markets_without_fees.jsonl"));
    let summary = ended.summary();
    assert_eq!(summary["opportunities"]["opened"], 0, "{summary}");
    assert!(summary["rejections"]["fee_unknown"].as_u64().unwrap() > 0, "{summary}");
    assert_eq!(both(None).summary()["opportunities"]["opened"], 0);
}

#[test]
fn markets_that_make_no_sense_are_told_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let markets = folder.path().join("markets.jsonl");
    std::fs::write(&markets, "\n{\"venue\":\"nowhere\",\"id\":\"A\",\"status\":\"open\"}\n")
        .unwrap();
    let ended = run(&["replay", arg(&data("both.jsonl")), "--markets", arg(&markets)]);
    ended.expect(2);
    assert!(ended.errors.contains("line 2: unknown venue `nowhere`"), "{}", ended.errors);
}

#[test]
fn what_is_no_capture_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "{\"type\":\"ok\",\"id\":1}\nhello\n").unwrap();
    let ended = run(&["replay", arg(&file)]);
    ended.expect(1);
    assert!(ended.errors.contains("notes.txt") && ended.errors.contains("line 2"));
    std::fs::write(&file, "").unwrap();
    let ended = run(&["replay", arg(&file)]);
    ended.expect(1);
    assert!(ended.errors.contains("is empty"), "{}", ended.errors);
}
