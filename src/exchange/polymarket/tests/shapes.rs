use super::super::frame::{Image, Row};
use super::*;

fn expected() -> Value {
    let text = include_str!("../../../../tests/data/polymarket/message_shapes.json");
    serde_json::from_str(text).unwrap()
}

/// Every field of `expected` is in `got` with the same JSON type; `whole` allows no other fields.
fn compare(path: &str, expected: &Value, got: &Value, whole: bool) {
    match (expected, got) {
        (Value::Object(wanted), Value::Object(fields)) => {
            for (key, value) in wanted {
                let found = fields.get(key).unwrap_or_else(|| panic!("{path}.{key} is missing"));
                compare(&format!("{path}.{key}"), value, found, whole);
            }
            let extra = fields.keys().find(|key| !wanted.contains_key(*key));
            assert!(!whole || extra.is_none(), "{path}: {extra:?} is not the venue's");
        }
        (Value::Array(wanted), Value::Array(entries)) => {
            for entry in entries {
                if let Some(first) = wanted.first() {
                    compare(&format!("{path}[]"), first, entry, whole);
                }
            }
        }
        _ => assert_eq!(
            std::mem::discriminant(expected),
            std::mem::discriminant(got),
            "{path}: {expected} against {got}"
        ),
    }
}

fn busy() -> (Rig, Connection, Vec<Value>) {
    use super::super::super::faults::Fault;
    let mut rig = Rig::new(1);
    rig.order(Side::Bid, "0.41", 10);
    rig.order(Side::Ask, "0.44", 10);
    let connection = rig.both(1);
    rig.order(Side::Bid, "0.44", 12);
    rig.order(Side::Ask, "0.40", 1);
    rig.floor.listings.push(listing(1));
    rig.floor.books.push(Book::default());
    rig.tick(secs(1));
    let bands = vec![Band { start: 0, end: 10_000, step: 10 }];
    rig.fault(&Fault::Ticks { market: 0, bands });
    let frames = rig.frames(connection);
    (rig, connection, frames)
}

#[test]
fn frames_have_the_venues_fields_and_types() {
    let expected = &expected()["market_channel"]["frames"];
    let (.., frames) = busy();
    let mut seen = std::collections::BTreeSet::new();
    compare("dump", &expected["array_of_books_on_subscribe"], &frames[0], true);
    for frame in &frames[1..] {
        let kind = text(&frame["event_type"]);
        let wanted = match kind.as_str() {
            "book" => &expected["array_of_books_on_subscribe"][0],
            other => &expected[other],
        };
        compare(&kind, wanted, frame, true);
        seen.insert(kind);
    }
    let kinds = ["best_bid_ask", "book", "last_trade_price", "new_market", "price_change"];
    assert!(kinds.iter().all(|kind| seen.contains(*kind)), "{seen:?}");
    assert!(seen.contains("tick_size_change"));
}

#[test]
fn rest_answers_have_the_venues_fields_and_types() {
    let expected = &expected()["rest_samples"];
    let mut rig = busy().0;
    let book = rig.get("clob", &format!("/book?token_id={}", token(0, Outcome::No)));
    compare("book", &expected["book"], &book, true);
    let path = format!("/clob-markets/{}", rig.floor.listings[0].id);
    compare("clob_market", &expected["clob_market"], &rig.get("clob", &path), true);
    let market = rig.get("gamma", "/markets/1000001");
    compare("gamma_market", &expected["gamma_market_minimal"], &market, false);
}

#[test]
fn the_book_hash_is_what_the_venues_own_client_computes() {
    let row = |price: &str, size: &str| Row { price: price.into(), size: size.into() };
    let image = Image {
        market: "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".into(),
        asset_id: "123".into(),
        timestamp: "1763800000000".into(),
        hash: "what stood there before".into(),
        bids: vec![row("0.3", "100"), row("0.4", "50")],
        asks: vec![row("0.7", "10"), row("0.6", "100")],
        min_order_size: "5".into(),
        tick_size: "0.01".into(),
        neg_risk: false,
        last_trade_price: "0.5".into(),
    };
    assert_eq!(image.sealed().hash, "9168ba5dbf34513caeb540b203975d17ab5909ed");
}

#[test]
fn recorded_frames_have_no_field_that_ours_lack() {
    let Ok(folder) = std::env::var("CROSSBOOK_DATA") else {
        println!("skipped: CROSSBOOK_DATA is not set");
        return;
    };
    let path = std::path::Path::new(&folder).join("polymarket_ws/polyfifa_batches.jsonl");
    let recorded = std::fs::read_to_string(path).unwrap();
    let (.., ours) = busy();
    let mut compared = 0;
    for line in recorded.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let Some(raw) = line["raw"].as_str() else { continue };
        let frame: Value = serde_json::from_str(raw).unwrap();
        let same = ours.iter().find(|own| own["event_type"] == frame["event_type"]).unwrap();
        compare("recorded", &frame, same, false);
        compared += 1;
    }
    assert!(compared > 10);
}
