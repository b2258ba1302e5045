use proptest::prelude::*;
use serde_json::{Value, json};

use crate::domain::Rate;

use super::*;

fn shapes() -> Value {
    let file = include_str!("../../../../../tests/data/polymarket/message_shapes.json");
    serde_json::from_str(file).unwrap()
}

fn frame(name: &str) -> Value {
    shapes()["user_channel"]["frames"][name].clone()
}

fn read(value: &Value) -> Trade {
    trade(&value.to_string()).unwrap()
}

#[test]
fn orders_of_the_user_channel_are_read() {
    let placed = order(&frame("order_placement").to_string()).unwrap();
    assert_eq!(placed.rest(Lifetime::Resting), Some(Rest::Resting));
    assert_eq!(placed.matched, Some(Quantity::ZERO));
    assert!(placed.trades.is_empty());
    let killed = order(&frame("order_fok_killed").to_string()).unwrap();
    assert_eq!(killed.rest(Lifetime::AllOrNothing), Some(Rest::Nothing));
    assert_eq!(killed.matched, Some(Quantity::ZERO), "its words say that nothing was taken");
    let ended = order(&frame("order_venue_cancel").to_string()).unwrap();
    assert_eq!(ended.rest(Lifetime::Resting), Some(Rest::Nothing));
}

#[test]
fn each_word_for_an_order_has_its_meaning() {
    let rest = |status: &str, lifetime| {
        let text = json!({ "id": "0x1", "status": status, "size_matched": "" }).to_string();
        order(&text).unwrap().rest(lifetime)
    };
    for word in shapes()["user_channel"]["frames"]["statuses"]["order"].as_array().unwrap() {
        let word = word.as_str().unwrap();
        let expected = match word {
            "LIVE" => Rest::Resting,
            "DELAYED" => Rest::Delayed,
            _ => Rest::Nothing,
        };
        assert_eq!(rest(word, Lifetime::Immediate), Some(expected), "{word}");
    }
    assert_eq!(rest("UNMATCHED", Lifetime::Resting), Some(Rest::Resting));
    assert_eq!(rest("CANCELED_because of the weather", Lifetime::Resting), Some(Rest::Nothing));
    assert_eq!(rest("PONDERING", Lifetime::Resting), None);
    let open = json!({ "id": "0x1", "status": "CANCELED", "size_matched": "" }).to_string();
    assert_eq!(order(&open).unwrap().matched, None, "an empty size says nothing");
}

#[test]
fn a_trade_reads_the_same_on_the_channel_and_over_rest() {
    let channel = frame("trade");
    let first = read(&channel);
    assert_eq!(first.finality, Finality::Matched);
    assert_eq!(first.at, Timestamp::from_secs(1_763_800_000));
    assert_eq!((first.legs.len(), first.for_taker), (2, Some(true)));
    let mut rest = channel;
    rest["status"] = "TRADE_STATUS_MATCHED_NOT_BROADCASTED".into();
    rest["timestamp"] = Value::Null;
    rest["last_update"] = "1763800044".into();
    assert_eq!(read(&rest), first);
}

#[test]
fn each_word_for_a_trade_has_its_meaning() {
    let finality = |word: &str| {
        let mut value = frame("trade");
        value["status"] = word.into();
        let trade = read(&value);
        (trade.finality, trade.strange)
    };
    for (word, expected) in [
        ("MATCHED", Finality::Matched),
        ("MINED", Finality::Matched),
        ("RETRYING", Finality::Matched),
        ("MATCHED_NOT_BROADCASTED", Finality::Matched),
        ("CONFIRMED", Finality::Confirmed),
        ("FAILED", Finality::Failed),
    ] {
        assert_eq!(finality(word), (expected, None));
        assert_eq!(finality(&format!("TRADE_STATUS_{word}")), (expected, None));
    }
    assert_eq!(finality("REORGED"), (Finality::Matched, Some("REORGED".to_owned())));
    assert_eq!(finality(""), (Finality::Matched, Some(String::new())));
}

/// A BUY of 60 that met 40 at 0.45, and a BUY of 20 of the other outcome at 0.54.
fn walked() -> Value {
    let mut value = frame("trade");
    value["size"] = "60".into();
    value["price"] = "0.4533333333333333".into();
    let maker = |amount: &str, price: &str, token: &Value, order: &str| {
        json!({
            "order_id": order, "owner": "other", "matched_amount": amount, "price": price,
            "asset_id": token, "side": "SELL"
        })
    };
    let other =
        json!("52114319501245915516055106046884209969926127482827954674443846427813813222426");
    value["maker_orders"] = json!([
        maker("40", "0.45", &value["asset_id"], "0xe1"),
        maker("20", "0.54", &other, "0xe2")
    ]);
    value
}

#[test]
fn a_taker_pays_what_each_order_it_met_asked() {
    let trade = read(&walked());
    let taker = &trade.legs[0];
    assert_eq!(taker.money(Action::Buy).to_string(), "27.200000");
    let model = FeeModel::polymarket(Rate::parse("0.04").unwrap(), 1).unwrap();
    // 40 x 0.04 x 0.45 x 0.55 and 20 x 0.04 x 0.46 x 0.54.
    assert_eq!(taker.fee(model).to_string(), "0.594720");
    let maker = &trade.legs[2];
    assert_eq!((maker.order.as_str(), maker.takes), ("0xe2", false));
    assert_eq!(maker.money(Action::Buy).to_string(), "10.800000", "its own price, not the taker's");
    assert_eq!(maker.fee(model), Money::ZERO);
}

#[test]
fn an_average_price_is_never_an_error() {
    let mut value = walked();
    value["maker_orders"] = Value::Null;
    let trade = read(&value);
    assert_eq!(trade.legs.len(), 1);
    assert_eq!(trade.legs[0].money(Action::Buy).to_string(), "27.200000");
    assert_eq!(trade.legs[0].money(Action::Sell).to_string(), "27.199999");
    let model = FeeModel::polymarket(Rate::parse("0.04").unwrap(), 1).unwrap();
    assert!(trade.legs[0].fee(model) >= Money::parse("0.594720").unwrap());
}

#[test]
fn times_are_told_apart_by_magnitude() {
    let expected = Some(Timestamp::from_secs(1_763_800_000));
    for text in [
        "1763800000",
        "1763800000000",
        "1763800000000000",
        "1763800000000000000",
        "2025-11-22T08:26:40Z",
    ] {
        assert_eq!(time(text), expected, "{text}");
    }
    for text in ["", "0", "-1", "soon"] {
        assert_eq!(time(text), None, "{text}");
    }
}

#[test]
fn what_has_no_name_or_no_sense_is_refused() {
    for text in ["", "[]", "{}", "null", r#"{"id":""}"#, r#"{"id":"x","size_matched":"many"}"#] {
        assert!(order(text).is_err(), "{text}");
        assert!(trade(text).is_err(), "{text}");
    }
    for (field, value) in [("size", "many"), ("price", "1.5"), ("size", ""), ("price", "-0.1")] {
        let mut broken = frame("trade");
        broken[field] = value.into();
        assert!(trade(&broken.to_string()).is_err(), "{field} {value}");
    }
}

#[test]
fn numbers_and_nulls_where_texts_are_usual_are_read() {
    let text = r#"{"id":"0x1","status":null,"size_matched":2.5,"associate_trades":null}"#;
    let state = order(text).unwrap();
    assert_eq!(state.matched.map(Quantity::units), Some(2_500_000));
    assert_eq!(state.rest(Lifetime::Immediate), None);
    let mut value = frame("trade");
    value["match_time"] = 1_763_800_000_000_i64.into();
    value["size"] = 25.into();
    assert_eq!(read(&value), read(&frame("trade")));
}

proptest! {
    #[test]
    fn no_text_panics(
        text in concat!(
            "[\\[{](\"(id|status|size|price|maker_orders|match_time)\"|",
            "[:,0-9\\]}.e-]){0,30}",
        ),
    ) {
        let _ = (order(&text).is_ok(), trade(&text).is_ok(), time(&text), cut(&text, 6));
    }
}
