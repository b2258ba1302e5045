use super::frame::{Delta, Lifecycle};
use super::*;
use crate::book::{Book, Lane, Update};
use crate::domain::market::Status;
use crate::domain::{MarketIndex, Timestamp};
use crate::venue::kalshi::wire::http;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/data/kalshi/", $name, ".json"))
    };
}

const T: &str = "KXDEMO-26DEC31-T50";

#[test]
fn every_answer_to_a_command_is_read() {
    let other = |sid, seq| Frame::Other { sid, seq };
    let control = [
        (
            fixture!("ws_subscribed"),
            Frame::Subscribed { id: Some(1), channel: "orderbook_delta".into(), sid: 1 },
        ),
        (
            fixture!("ws_subscribed_lifecycle"),
            Frame::Subscribed { id: Some(2), channel: "market_lifecycle_v2".into(), sid: 2 },
        ),
        (fixture!("ws_ok_update"), other(Some(1), Some(3))),
        (fixture!("ws_ok_list"), other(None, None)),
        (fixture!("ws_unsubscribed"), Frame::Unsubscribed { sid: Some(1), seq: Some(9) }),
        (
            fixture!("ws_error"),
            Frame::Failed {
                id: Some(7),
                sid: None,
                seq: None,
                code: 8,
                text: "Unknown channel name".into(),
            },
        ),
        (
            fixture!("ws_error_overflow"),
            Frame::Failed {
                id: None,
                sid: Some(1),
                seq: Some(12),
                code: 25,
                text: "subscription buffer overflow".into(),
            },
        ),
    ];
    for (text, expected) in control {
        assert_eq!(frame(text).unwrap(), expected, "{text}");
        assert_eq!(kind(text), FrameKind::Control, "{text}");
    }
}

#[test]
fn every_other_message_is_read() {
    let other = |sid, seq| Frame::Other { sid, seq };
    let life = |seq, event| {
        let ticker = Cow::Borrowed(T);
        Frame::Lifecycle(Lifecycle {
            sid: Some(2),
            seq: Some(seq),
            ticker,
            event: Cow::Borrowed(event),
        })
    };
    let fees = |seq| Frame::FeeUpdate {
        sid: Some(2),
        seq: Some(seq),
        event_ticker: "KXDEMO-26DEC31".into(),
    };
    for (text, expected, sort) in [
        (fixture!("ws_ticker"), other(Some(3), None), FrameKind::Other),
        (fixture!("ws_trade"), other(Some(4), Some(17)), FrameKind::Trade),
        (fixture!("ws_fill"), other(Some(5), None), FrameKind::Other),
        (fixture!("ws_user_order"), other(Some(6), None), FrameKind::Other),
        (fixture!("ws_market_position"), other(Some(7), None), FrameKind::Other),
        (fixture!("ws_order_group_updates"), other(Some(8), Some(1)), FrameKind::Other),
        (fixture!("ws_lifecycle_created"), life(1, "created"), FrameKind::Other),
        (fixture!("ws_lifecycle_activated"), life(2, "activated"), FrameKind::Other),
        (fixture!("ws_lifecycle_deactivated"), life(3, "deactivated"), FrameKind::Other),
        (
            fixture!("ws_lifecycle_close_date_updated"),
            life(4, "close_date_updated"),
            FrameKind::Other,
        ),
        (fixture!("ws_lifecycle_determined"), life(5, "determined"), FrameKind::Other),
        (fixture!("ws_lifecycle_settled"), life(6, "settled"), FrameKind::Other),
        (
            fixture!("ws_lifecycle_price_level_structure_updated"),
            life(7, "price_level_structure_updated"),
            FrameKind::Other,
        ),
        (fixture!("ws_lifecycle_metadata_updated"), life(8, "metadata_updated"), FrameKind::Other),
        (fixture!("ws_event_lifecycle"), other(Some(2), Some(9)), FrameKind::Other),
        (fixture!("ws_event_fee_update"), fees(10), FrameKind::Other),
        (fixture!("ws_event_fee_update_cleared"), fees(11), FrameKind::Other),
    ] {
        assert_eq!(frame(text).unwrap(), expected, "{text}");
        assert_eq!(kind(text), sort, "{text}");
    }
}

#[test]
fn a_delta_is_read_with_and_without_the_keys_of_an_own_order() {
    let text = fixture!("ws_orderbook_delta");
    assert!(delta::scan(text.trim_end()).is_some());
    let Frame::Delta(found) = frame(text.trim_end()).unwrap() else { panic!() };
    let expected = Delta {
        sid: 1,
        seq: 2,
        ticker: T.into(),
        leg: Outcome::Yes,
        price: Price::parse("0.41").unwrap(),
        change: crate::domain::Change::parse("-20").unwrap(),
        source: Some(Timestamp::from_millis(1_795_341_600_123)),
    };
    assert_eq!(found, expected);
    let own = fixture!("ws_orderbook_delta_own");
    assert!(delta::scan(own.trim_end()).is_none(), "another shape: the general reader's");
    let Frame::Delta(found) = frame(own).unwrap() else { panic!() };
    assert_eq!((found.leg, found.change.to_string()), (Outcome::No, "4.25".to_owned()));
    assert_eq!(kind(own), FrameKind::Delta);
    assert_eq!(market_ticker(own).as_deref(), Some(T));
}

#[test]
fn a_snapshot_leaves_out_the_key_of_an_empty_side() {
    let Frame::Snapshot(found) = frame(fixture!("ws_orderbook_snapshot_one_sided")).unwrap() else {
        panic!()
    };
    assert_eq!(found.levels.len(), 1);
    assert_eq!((found.levels[0].leg, found.levels[0].price.units()), (Outcome::No, 8_560));
    let Frame::Snapshot(found) = frame(fixture!("ws_orderbook_snapshot")).unwrap() else {
        panic!()
    };
    assert_eq!(found.levels.len(), 4);
    assert_eq!(kind(fixture!("ws_orderbook_snapshot")), FrameKind::Snapshot);
}

#[test]
fn no_levels_are_placed_by_the_scale_they_were_asked_on() {
    let price = Price::parse("0.57").unwrap();
    let own = PriceMode::OwnLeg.place(Outcome::No, price);
    assert_eq!(own, (Side::Ask, Price::parse("0.43").unwrap()));
    assert_eq!(PriceMode::Yes.place(Outcome::No, price), (Side::Ask, price));
    assert_eq!(PriceMode::OwnLeg.place(Outcome::Yes, price), (Side::Bid, price));
}

#[test]
fn an_error_names_message_market_and_field() {
    let whole = fixture!("ws_orderbook_delta");
    for (from, to, field) in [
        ("\"0.4100\"", "\"0.41001\"", "price_dollars"),
        ("\"0.4100\"", "\"1.0000\"", "price_dollars"),
        ("\"0.4100\"", "0.41", "price_dollars"),
        ("\"-20.00\"", "\"NaN\"", "delta_fp"),
        ("\"-20.00\"", "\"1e3\"", "delta_fp"),
        ("\"-20.00\"", "\"99999999999.00\"", "delta_fp"),
        ("\"yes\"", "\"both\"", "side"),
        ("\"side\"", "\"other\"", "side"),
        ("\"seq\":2", "\"seq\":-2", "seq"),
        ("\"seq\":2,", "", "seq"),
        ("\"sid\":1", "\"sid\":1.5", "sid"),
    ] {
        let text = whole.replace(from, to);
        let broken = frame(&text).unwrap_err();
        let words = broken.error.to_string();
        assert!(words.contains(T) && words.contains("orderbook_delta"), "{words}");
        let Error::Malformed { field: found, .. } = &broken.error else { panic!("{words}") };
        assert_eq!(found, field, "{words}");
        assert_eq!(broken.ticker.as_deref(), Some(T));
    }
    let text = fixture!("ws_orderbook_snapshot").replace("\"75.50\"", "\"-1\"");
    let words = frame(&text).unwrap_err().error.to_string();
    assert!(words.contains(T) && words.contains("no_dollars_fp"), "{words}");
}

#[test]
fn escapes_are_read_and_unknown_fields_passed_over() {
    let text = fixture!("ws_orderbook_delta")
        .replace("KXDEMO", "KX\\u0044EMO")
        .replace("\"sid\":1", "\"sid\":1,\"new\":{\"a\":[1,2]}");
    let Frame::Delta(found) = frame(&text).unwrap() else { panic!() };
    assert_eq!(found.ticker, T);
}

#[test]
fn a_rest_book_becomes_an_image_and_a_reading_that_agrees_with_it() {
    let levels = orderbook(fixture!("http_orderbook"), T).unwrap();
    let (market, mut updates) = (MarketIndex(4), Vec::new());
    image(Lane(1), market, &levels, &mut updates);
    let (mut book, now) = (Book::new(), Timestamp::from_millis(9));
    for update in &updates {
        match *update {
            Update::Snapshot { lane, .. } => book.begin(lane, 0),
            Update::Set { side, price, quantity, .. } => book.set(side, price, quantity, now),
            Update::SnapshotEnd { .. } => book.end(now),
            Update::Stamp { sequence, source, .. } => book.stamp(sequence, source),
            ref other => panic!("{other:?}"),
        }
    }
    assert_eq!(book.bids().best().unwrap().price.to_string(), "0.4100");
    assert_eq!(book.asks().best().unwrap().price.to_string(), "0.4300");
    assert_eq!(reading(market, &levels, Some(now)).checksum, book.checksum());
    assert_ne!(reading(market, &levels[1..], None).checksum, book.checksum());
}

#[test]
fn many_rest_books_are_read_with_their_names() {
    let books = orderbooks(fixture!("http_orderbooks")).unwrap().found;
    assert_eq!(books[0].0, T);
    assert_eq!(books[0].1.len(), 1);
    assert_eq!(books[1].1[0].price.units(), 8_560);
    assert!(orderbook(r#"{"orderbook":{}}"#, T).unwrap_err().to_string().contains("orderbook_fp"));
    assert!(orderbook(r#"{"orderbook_fp":{}}"#, T).unwrap().is_empty());
}

#[test]
fn one_broken_rest_book_does_not_hide_the_others() {
    let whole = fixture!("http_orderbooks");
    for (from, to) in [
        (r#"["0.4100","120.00"]"#, r#"["0.4100","NaN"]"#),
        (r#"["0.4100","120.00"]"#, r#"["41","120.00"]"#),
        (r#"[["0.4100","120.00"]]"#, r#""all""#),
        (r#""orderbook_fp":{"yes_dollars":[["0.41"#, r#""orderbook":{"yes_dollars":[["0.41"#),
    ] {
        let broken = whole.replacen(from, to, 1);
        assert_ne!(broken, whole);
        let books = orderbooks(&broken).unwrap();
        assert_eq!(books.found.len(), 1, "{to}");
        assert_eq!(books.found[0].0, "KXDEMO-26DEC31-T60");
        let [error] = &books.refused[..] else { panic!("{to}") };
        assert!(error.to_string().contains("orderbook"), "{error}");
    }
    assert!(orderbooks(r#"{"orderbooks":5}"#).is_err());
}

fn wire_market() -> http::Market {
    market::market_answer(fixture!("http_market"), T).unwrap()
}

#[test]
fn a_market_is_read_with_its_ticks() {
    let found = market(&wire_market(), None, crate::domain::FeePlan::unknown()).unwrap();
    assert_eq!((found.id.as_str(), found.event.as_str()), (T, "KXDEMO-26DEC31"));
    assert_eq!(found.title, "Above 50");
    assert_eq!(found.closes, Timestamp::parse("2026-12-31T23:59:00Z"));
    assert_eq!(found.minimum.quantity.to_string(), "0.01");
    let grid = found.grid.unwrap();
    for (price, valid) in [("0.0510", true), ("0.5100", true), ("0.5150", false), ("0.9510", true)]
    {
        assert_eq!(grid.contains(Price::parse(price).unwrap()), valid, "{price}");
    }
    let told = Some("yes_sub_title Above 50, strike_type greater, floor_strike 50".to_owned());
    assert_eq!(found.basis, told);
    let mut wire = wire_market();
    wire.floor_strike = serde_json::from_str("50.500").unwrap();
    wire.custom_strike = serde_json::from_str(r#"{"team":"A"}"#).unwrap();
    let mut event = http::Event::default();
    let source = |name: &str| http::SettlementSource { name: Some(name.to_owned()) };
    event.settlement_sources = Some(vec![source("The B"), source("The A")]);
    let basis = market(&wire, Some(&event), crate::domain::FeePlan::unknown()).unwrap().basis;
    let told = "floor_strike 50.5, custom_strike {\"team\":\"A\"}, \
                settlement_sources The A and The B";
    assert!(basis.as_ref().unwrap().ends_with(told), "{basis:?}");
    assert_eq!(
        rules_text(&wire_market()),
        "If the demo index closes above 50, the market resolves to Yes.\nSource: the demo index."
    );
}

#[test]
fn what_a_market_pays_is_known_once_its_result_is_final() {
    let pays = |status: &str, result: &str, value: Option<&str>| {
        let mut wire = wire_market();
        wire.status = Some(status.to_owned());
        wire.result = Some(result.to_owned());
        wire.settlement_value_dollars = value.map(str::to_owned);
        let market = market(&wire, None, crate::domain::FeePlan::unknown()).unwrap();
        market.yes_pays.map(|money| money.to_string())
    };
    let told = |text: &str| Some(text.to_owned());
    assert_eq!(pays("finalized", "yes", None), told("1.000000"));
    assert_eq!(pays("settled", "no", Some("0.0000")), told("0.000000"));
    assert_eq!(pays("finalized", "scalar", Some("0.2600")), told("0.260000"));
    for (status, result, value) in [
        ("active", "", None),
        ("determined", "yes", Some("1.0000")),
        ("disputed", "no", None),
        ("finalized", "scalar", None),
        ("finalized", "scalar", Some("1.5000")),
        ("finalized", "", None),
    ] {
        assert_eq!(pays(status, result, value), None, "{status} {result} {value:?}");
    }
}

#[test]
fn each_status_has_its_meaning_and_an_unknown_one_takes_no_orders() {
    for (name, status) in [
        ("initialized", Status::Paused),
        ("active", Status::Open),
        ("inactive", Status::Paused),
        ("closed", Status::Closed),
        ("determined", Status::Closed),
        ("disputed", Status::Closed),
        ("amended", Status::Closed),
        ("finalized", Status::Closed),
        ("something_new", Status::Paused),
    ] {
        assert_eq!(market::status_of(name), status, "{name}");
    }
}

#[test]
fn a_market_without_what_matters_is_an_error_that_names_it() {
    let broken = |change: fn(&mut http::Market)| {
        let mut wire = wire_market();
        change(&mut wire);
        market(&wire, None, crate::domain::FeePlan::unknown()).unwrap_err().to_string()
    };
    assert!(broken(|m| m.status = None).contains("status"));
    assert!(broken(|m| m.ticker = None).contains("ticker"));
    assert!(broken(|m| m.close_time = Some("soon".to_owned())).contains("close_time"));
    let fine = broken(|m| m.price_ranges.as_mut().unwrap()[0].step = "0.00001".to_owned());
    assert!(fine.contains("price_ranges.step") && fine.contains(T), "{fine}");
    let zero = broken(|m| m.price_ranges.as_mut().unwrap()[0].step = "0".to_owned());
    assert!(zero.contains("price_ranges"), "{zero}");
    let mut wire = wire_market();
    wire.price_ranges = None;
    let plan = crate::domain::FeePlan::unknown();
    assert_eq!(market(&wire, None, plan).unwrap().grid, None, "not told is not wrong");
}

fn fee(kind: &str, multiplier: &str) -> Fee {
    Fee { kind: kind.to_owned(), multiplier: multiplier.to_owned() }
}

#[test]
fn the_taker_rate_follows_from_type_and_multiplier() {
    let rate = |kind, multiplier| fee(kind, multiplier).model().map(|m| m.rate.to_string());
    assert_eq!(rate("quadratic", "1").as_deref(), Some("0.07"));
    assert_eq!(rate("quadratic", "0.5").as_deref(), Some("0.035"));
    assert_eq!(rate("quadratic", "0").as_deref(), Some("0"));
    assert_eq!(rate("quadratic_with_maker_fees", "1").as_deref(), Some("0.07"));
    assert_eq!(rate("quadratic_with_combo_maker_fees", "1").as_deref(), Some("0.07"));
    for (kind, multiplier) in [
        ("flat", "1"),
        ("margin_market_maker_program_fees", "1"),
        ("", "1"),
        ("quadratic", ""),
        ("quadratic", "-1"),
        ("quadratic", "NaN"),
        ("quadratic", "1e0"),
        ("quadratic", "1000"),
    ] {
        assert_eq!(rate(kind, multiplier), None, "{kind} x {multiplier}");
    }
}

#[test]
fn an_event_replaces_its_series_until_its_word_is_taken_back() {
    let at = |secs| Timestamp::from_secs(secs);
    let change = |secs, fee| FeeChange { from: at(secs), fee };
    let rate =
        |plan: &crate::domain::FeePlan, secs| plan.at(at(secs)).map(|model| model.rate.to_string());
    let half = fee("quadratic", "0.5");
    let full = fee("quadratic", "1");
    let plan = fee_plan(
        Some(&half),
        None,
        &[change(400, Some(fee("quadratic", "0.8"))), change(50, Some(fee("flat", "1")))],
        &[change(200, Some(full.clone())), change(300, None), change(500, Some(fee("flat", "1")))],
        at(100),
    );
    let rates: Vec<_> = [150, 200, 299, 300, 400, 500].map(|secs| rate(&plan, secs)).into();
    let expected = [Some("0.035"), Some("0.07"), Some("0.07"), Some("0.035"), Some("0.056"), None];
    assert_eq!(rates, expected.map(|rate| rate.map(str::to_owned)));
    let plan = fee_plan(Some(&half), Some(&full), &[], &[], at(0));
    assert_eq!(rate(&plan, 1).as_deref(), Some("0.07"));
    let plan = fee_plan(Some(&half), Some(&full), &[], &[change(200, None)], at(100));
    assert_eq!(rate(&plan, 199).as_deref(), Some("0.07"));
    assert_eq!(rate(&plan, 200).as_deref(), Some("0.035"), "the series' fee holds again");
    assert_eq!(fee_plan(None, None, &[], &[], at(0)).at(at(1)), None);
}

#[test]
fn fees_are_read_from_series_event_and_announcements() {
    let series: http::SeriesAnswer = serde_json::from_str(fixture!("http_series")).unwrap();
    let found = fee::series_fee(&series.series).unwrap();
    assert_eq!(found, fee("quadratic_with_maker_fees", "0.5"));
    let event: http::EventAnswer = serde_json::from_str(fixture!("http_event")).unwrap();
    assert_eq!(fee::event_fee(&event.event), None);
    let event: http::EventAnswer =
        serde_json::from_str(fixture!("http_event_fee_override")).unwrap();
    assert_eq!(fee::event_fee(&event.event), Some(fee("quadratic", "1")));
    let changes = fee::series_fee_changes(fixture!("http_series_fee_changes"), "KXDEMO").unwrap();
    assert_eq!(changes.len(), 2);
    assert_eq!(Some(changes[0].from), Timestamp::parse("2026-12-01T00:00:00Z"));
    assert!(
        fee::series_fee_changes(fixture!("http_series_fee_changes"), "KXX").unwrap().is_empty()
    );
    let changes =
        fee::event_fee_changes(fixture!("http_event_fee_changes"), "KXDEMO-26DEC31").unwrap();
    assert_eq!(changes[0].fee, None);
    let text = concat!(
        r#"{"series_fee_change_arr":[{"#,
        r#""fee_type":"quadratic","fee_multiplier":"1","scheduled_ts":1795341600}]}"#
    );
    let changes = fee::series_fee_changes(text, "KXDEMO").unwrap();
    assert_eq!(changes[0].from, Timestamp::from_secs(1_795_341_600));
    let text = text.replace("1795341600", "\"soon\"");
    let words = fee::series_fee_changes(&text, "KXDEMO").unwrap_err().to_string();
    assert!(words.contains("scheduled_ts") && words.contains("KXDEMO"), "{words}");
}
