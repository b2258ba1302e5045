use proptest::prelude::*;

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/polymarket/", $name))
    };
}

const YES: &str = "71321045679252212594626385532706912750332728571942532289631379312455583992563";
const NO: &str = "52114319501245915516055106046884209969926127482827954674443846427813813222426";

fn resolve(token: &str) -> Option<Place> {
    let outcome = match token {
        YES => Outcome::Yes,
        NO => Outcome::No,
        _ => return None,
    };
    Some(Place { market: MarketIndex(0), outcome })
}

/// Both readings of a text must be the same, errors included.
fn agree(text: &str) {
    let (mut ours, mut oracle) = (Scratch::default(), Scratch::default());
    let fast = price_change(text, &resolve, &mut ours);
    let slow = price_change_by_serde(text, &resolve, &mut oracle);
    assert_eq!(format!("{fast:?}"), format!("{slow:?}"), "{text}");
    if fast.is_ok() {
        assert_eq!(ours.changes, oracle.changes, "{text}");
    }
    let fast = book(text, &resolve, &mut ours);
    let slow = book_by_serde(text, &resolve, &mut oracle);
    assert_eq!(format!("{fast:?}"), format!("{slow:?}"), "{text}");
    if fast.is_ok() {
        assert_eq!(ours.levels, oracle.levels, "{text}");
    }
}

#[test]
fn the_scanner_takes_the_hot_shapes_itself() {
    let spaced = fixture!("ws_price_change.json").replace(',', ", ").replace("\":", "\" : ");
    for text in [fixture!("ws_price_change.json"), spaced.as_str()] {
        let mut changes = Vec::new();
        assert!(scan::price_change(text, &resolve, &mut changes).is_some(), "{text}");
        assert_eq!(changes.len(), 2);
        agree(text);
    }
    for text in [fixture!("ws_book.json"), fixture!("ws_book_no_token.json")] {
        let mut levels = Vec::new();
        assert!(scan::book(text, &resolve, &mut levels).is_some(), "{text}");
        assert_eq!(levels.len(), 4);
        agree(text);
    }
}

#[test]
fn the_kind_of_a_frame_is_found_wherever_it_stands() {
    for (text, expected) in [
        (fixture!("ws_book.json"), Kind::Book),
        (fixture!("ws_book_array.json"), Kind::Book),
        (fixture!("ws_price_change.json"), Kind::PriceChange),
        (fixture!("ws_last_trade_price.json"), Kind::Trade),
        (fixture!("ws_new_market.json"), Kind::Other),
        ("[]", Kind::Other),
        ("PONG", Kind::Other),
        (r#"{"a":1,"event_type":"book"}"#, Kind::Book),
        (r#"{"a":1,"event_type":"book","b":2}"#, Kind::Book),
        (r#"{"a":{"event_type":"book"}}"#, Kind::Other),
        (r#"{"a":"\"event_type\":\"book"}"#, Kind::Other),
        (r#"{"x\"event_type":"book"}"#, Kind::Other),
        (r#"{ "event_type" : "price_change" }"#, Kind::PriceChange),
    ] {
        assert_eq!(kind(text), expected, "{text}");
    }
}

#[test]
fn the_assets_of_a_frame_are_named_once_and_in_order() {
    let named = assets_in(fixture!("ws_price_change.json"));
    let assets: Vec<&str> = named.iter().map(|one| one.asset.as_ref()).collect();
    assert_eq!(assets, [YES, NO]);
    assert!(named[0].market.as_ref().is_some_and(|market| market.starts_with("0xabab")));
    assert_eq!(assets_in(fixture!("ws_book_array.json")).len(), 1);
    assert_eq!(assets_in(fixture!("ws_market_resolved.json")).len(), 2);
    assert_eq!(assets_in(fixture!("ws_old_changes.json")).len(), 1);
    for text in ["PONG", "[]", "{", "", "[1]"] {
        assert!(assets_in(text).is_empty(), "{text}");
    }
}

#[test]
fn a_missing_field_is_named_with_the_event_and_the_market() {
    let mut scratch = Scratch::default();
    for (from, field) in
        [("\"price\"", "price"), ("\"size\"", "size"), ("\"asset_id\"", "asset_id")]
    {
        let text = fixture!("ws_price_change.json").replacen(from, "\"other\"", 1);
        let error = price_change(&text, &resolve, &mut scratch).unwrap_err();
        let Error::Malformed { what, field: named, .. } = &error else { panic!("{error}") };
        assert!(what.starts_with("price_change of market 0xabab"), "{what}");
        assert_eq!(named, field);
    }
    for field in ["bids", "asks", "asset_id"] {
        let text = fixture!("ws_book.json").replacen(field, "other", 1);
        let error = book(&text, &resolve, &mut scratch).unwrap_err();
        let Error::Malformed { field: named, .. } = &error else { panic!("{error}") };
        assert_eq!(named, field);
    }
}

#[test]
fn books_over_rest_are_readings_in_terms_of_yes() {
    let both = books(fixture!("http_books.json"), &resolve).unwrap().found;
    assert_eq!(both.len(), 2);
    assert_eq!(both[0].reading.checksum, both[1].reading.checksum, "one pool, two views");
    assert_eq!(both[0].reading.source, Some(Timestamp::from_millis(1_763_800_000_000)));
    let one = books(fixture!("http_book.json"), &resolve).unwrap().found;
    assert_eq!(one[0].reading, both[0].reading);
    let mut local = crate::book::Book::new();
    local.begin(crate::book::Lane(0), 0);
    for (side, level) in &one[0].levels {
        local.set(*side, level.price, level.quantity, Timestamp::ZERO);
    }
    local.end(Timestamp::ZERO);
    assert_eq!(local.checksum(), one[0].reading.checksum);
    assert!(books("[]", &resolve).unwrap().found.is_empty());
    let half = fixture!("http_books.json").replacen("\"0.53\"", "\"NaN\"", 1);
    let half = books(&half, &resolve).unwrap();
    assert_eq!((half.found.len(), half.refused.len()), (1, 1), "one bad book hides no other");
    assert!(books("<html>", &resolve).is_err());
}

#[test]
fn times_beyond_reason_are_none() {
    assert_eq!(timestamp("1763800000000"), Some(Timestamp::from_millis(1_763_800_000_000)));
    assert_eq!(timestamp("1763800000"), Some(Timestamp::from_secs(1_763_800_000)));
    for text in ["", "-5", "+5", "x", "1e12", "99999999999999", "9999999999999999999999"] {
        assert_eq!(timestamp(text), None, "{text}");
    }
}

fn decimal() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0u32..=10_000).prop_map(|units| format!("{}.{:04}", units / 10_000, units % 10_000)),
        2 => (0u32..=100).prop_map(|cents| format!("0.{cents:02}")),
        1 => Just(String::new()),
        1 => "[-0-9.eN]{0,6}",
    ]
}

fn item() -> impl Strategy<Value = String> {
    let token = prop_oneof![Just(YES), Just(NO), Just("5")];
    let side = prop_oneof![4 => Just("BUY"), 4 => Just("SELL"), 1 => Just("buy")];
    let extra = prop_oneof![
        6 => Just(""),
        1 => Just(",\"hash\":\"ab\""),
        1 => Just(",\"new\":1"),
        1 => Just(",\"price\":\"0.5\""),
        1 => Just(",\"best_bid\":null"),
        1 => Just(",\"size\":5"),
        1 => Just(",\"hash\":\"\\u0041\""),
    ];
    (token, decimal(), decimal(), side, decimal(), decimal(), extra).prop_map(
        |(token, price, size, side, bid, ask, extra)| {
            format!(
                r#"{{"asset_id":"{token}","price":"{price}","size":"{size}","side":"{side}",
                "best_ask":"{ask}"{extra},"best_bid":"{bid}"}}"#
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_scanner_and_serde_read_price_changes_alike(
        items in prop::collection::vec(item(), 0..4),
        stamp in prop_oneof![3 => Just("1763800000000"), 1 => Just(""), 1 => Just("x")],
        space in prop_oneof![Just(""), Just(" "), Just("\n\t")],
    ) {
        let items = items.join(&format!("{space},"));
        agree(&format!(
            r#"{{"market":"0xab",{space}"price_changes":{space}[{items}],
            "timestamp":"{stamp}","event_type":"price_change"}}{space}"#
        ));
    }

    #[test]
    fn the_scanner_and_serde_read_books_alike(
        bids in prop::collection::vec((decimal(), decimal()), 0..6),
        asks in prop::collection::vec((decimal(), decimal()), 0..6),
        token in prop_oneof![Just(YES), Just(NO), Just("5")],
        extra in prop_oneof![
            Just(""), Just(",\"neg_risk\":false"), Just(",\"version\":2"), Just(",\"bids\":[]"),
            Just(",\"last_trade_price\":null"), Just(",\"deep\":{\"a\":[1]}"),
        ],
    ) {
        let side = |levels: &[(String, String)]| {
            let one = |level: &(String, String)| {
                format!(r#"{{"price":"{}","size":"{}"}}"#, level.0, level.1)
            };
            levels.iter().map(one).collect::<Vec<_>>().join(",")
        };
        agree(&format!(
            r#"{{"event_type":"book","asset_id":"{token}","timestamp":"1763800000000",
            "bids":[{}],"asks":[{}]{extra}}}"#,
            side(&bids), side(&asks)
        ));
    }

    #[test]
    fn the_scanner_and_serde_agree_on_damaged_frames(
        which in 0usize..3,
        place in any::<prop::sample::Index>(),
        put in prop_oneof![
            Just(String::new()), "[\"\\\\{}\\[\\]:,a0 ]{1,2}", Just("\u{0}".to_owned()), "\\PC",
        ],
        removed in 0usize..3,
    ) {
        let frames = [
            fixture!("ws_price_change.json"), fixture!("ws_book.json"),
            fixture!("ws_book_no_token.json"),
        ];
        let text = frames[which];
        let at = place.index(text.len());
        let rest = text.get((at + removed).min(text.len())..).unwrap_or("");
        agree(&format!("{}{put}{rest}", &text[..at]));
    }
}
