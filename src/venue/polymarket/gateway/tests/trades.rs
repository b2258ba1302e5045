use crate::domain::Finality;
use crate::domain::report::{Fee, Listing};

use super::*;

/// What is asked about an order, answered.
pub(super) fn asked(gateway: &mut Gateway, intent: u64, status: u16, body: &Value) -> Taken {
    let question = Question::Order(IntentId(intent));
    let calls = gateway.ask(&question, &table(), now()).unwrap();
    assert_eq!(calls.len(), 1);
    read(gateway, &calls[0], status, body)
}

pub(super) fn state(id: &str, status: &str, matched: &str) -> Value {
    json!({ "id": id, "status": status, "market": CONDITION, "asset_id": YES,
            "size_matched": matched, "associate_trades": [] })
}

pub(super) fn page(rows: &[Value], cursor: &str) -> Value {
    json!({ "limit": 100, "count": rows.len(), "next_cursor": cursor, "data": rows })
}

#[test]
fn a_taker_fill_has_its_money_and_its_fee_by_the_formula() {
    let (mut gateway, id, _) = placed(&taking());
    let Evidence::Fill(fill) = only(&hear(&mut gateway, &trade(&id, true))) else { panic!() };
    assert_eq!(fill.quantity, Quantity::contracts(25));
    assert_eq!(fill.money, Money::parse("13").unwrap());
    assert_eq!(fill.fee, Fee::Computed(Money::parse("0.2496").unwrap()), "25 x 0.04 x 0.52 x 0.48");
    assert_eq!((fill.finality, fill.at), (Finality::Matched, now()));
}

#[test]
fn a_maker_reads_its_own_leg_and_pays_no_fee() {
    let (mut gateway, id, _) = placed(&resting());
    let Evidence::Fill(fill) = only(&hear(&mut gateway, &trade(&id, false))) else { panic!() };
    assert_eq!(fill.quantity, Quantity::contracts(5));
    assert_eq!(fill.money, Money::parse("2.4").unwrap());
    assert_eq!(fill.fee, Fee::Computed(Money::ZERO));
}

#[test]
fn the_same_news_twice_is_the_same_report() {
    let (mut gateway, id, _) = placed(&taking());
    let first = hear(&mut gateway, &trade(&id, true)).reports;
    assert_eq!(hear(&mut gateway, &trade(&id, true)).reports, first);
    let mut rest = trade(&id, true);
    rest["status"] = "TRADE_STATUS_MATCHED".into();
    let call = gateway.trade_call("x", now());
    assert_eq!(read(&mut gateway, &call, 200, &page(&[rest], "LTE=")).reports, first);
}

#[test]
fn a_fill_goes_on_to_its_end_under_one_name() {
    let (mut gateway, id, _) = placed(&taking());
    for (status, finality) in [
        ("MINED", Finality::Matched),
        ("RETRYING", Finality::Matched),
        ("CONFIRMED", Finality::Confirmed),
        ("FAILED", Finality::Failed),
        ("REORGED", Finality::Matched),
    ] {
        let mut event = trade(&id, true);
        event["status"] = status.into();
        let taken = hear(&mut gateway, &event);
        let Evidence::Fill(fill) = only(&taken) else { panic!() };
        assert_eq!(fill.finality, finality, "{status}");
        assert_eq!(fill.trade, "11111111-1111-1111-1111-111111111111");
        assert_eq!(taken.notices.len(), usize::from(status == "REORGED"));
    }
}

#[test]
fn strangers_in_a_trade_are_left_alone_and_our_own_hand_is_foreign() {
    let (mut gateway, _, _) = placed(&taking());
    let mut event = trade("0xdddd", true);
    event["owner"] = "someone".into();
    assert!(hear(&mut gateway, &event).reports.is_empty());
    let taken = hear(&mut gateway, &trade("0xdddd", false));
    let [Report::Foreign { id, is_ours, market, evidence, .. }] = &taken.reports[..] else {
        panic!("{:?}", taken.reports)
    };
    assert_eq!((id.0.as_str(), *is_ours, *market), ("0xdddd", false, Some(MarketIndex(0))));
    assert!(matches!(evidence, Evidence::Fill(_)));
}

#[test]
fn what_names_our_order_and_is_about_another_contract_or_more_of_it_is_no_evidence() {
    type Twist = fn(&mut Value);
    let twists: [(Twist, &str); 4] = [
        (|event| event["asset_id"] = NO.into(), "token"),
        (|event| event["size"] = "2500".into(), "more than was sent"),
        (|event| (event["size"], event["price"]) = ("10".into(), "0.99".into()), "worse than"),
        (|_| {}, ""),
    ];
    for (twist, why) in twists {
        let (mut gateway, id, _) = placed(&taking());
        let mut event = trade(&id, true);
        event["maker_orders"] = json!([]);
        twist(&mut event);
        let taken = hear(&mut gateway, &event);
        assert_eq!(taken.reports.len(), usize::from(why.is_empty()), "{why}: {taken:?}");
        assert!(taken.notices.iter().all(|text| text.contains(why)), "{why}: {taken:?}");
    }
    let (mut gateway, id, _) = placed(&taking());
    let mut other = state(&id, "ORDER_STATUS_MATCHED", "25");
    other["asset_id"] = NO.into();
    let taken = asked(&mut gateway, 1, 200, &other);
    assert!(taken.reports.is_empty() && taken.calls.is_empty(), "{taken:?}");
    assert!(taken.notices[0].contains("not believed"), "{taken:?}");
    let mut event = shape("user", "order_placement");
    (event["id"], event["asset_id"]) = (id.into(), NO.into());
    assert!(hear(&mut gateway, &event).reports.is_empty());
}

#[test]
fn order_events_stand_for_what_the_order_is() {
    let (mut gateway, id, _) = placed(&resting());
    let event = |name: &str| {
        let mut event = shape("user", name);
        (event["id"], event["asset_id"]) = (id.clone().into(), NO.into());
        event
    };
    let standing = only(&hear(&mut gateway, &event("order_placement")));
    let Evidence::Standing { rest, filled, .. } = standing else { panic!() };
    assert_eq!((rest, filled), (Rest::Resting, total("0", "0")));
    let standing = only(&hear(&mut gateway, &event("order_venue_cancel")));
    let Evidence::Standing { rest, filled, .. } = standing else { panic!() };
    assert_eq!((rest, filled), (Rest::Nothing, total("0", "0")));
}

#[test]
fn an_order_that_ended_with_fills_is_asked_about_at_once() {
    let (mut gateway, id, _) = placed(&taking());
    let mut event = shape("user", "order_placement");
    event["id"] = id.into();
    event["status"] = "MATCHED".into();
    event["size_matched"] = "25".into();
    let taken = hear(&mut gateway, &event);
    let Evidence::Standing { rest, filled, .. } = only(&taken) else { panic!() };
    assert_eq!((rest, filled), (Rest::Nothing, None), "what it cost is not known yet");
    assert_eq!(taken.calls[0].subject, Subject::Order(IntentId(1)));
}

#[test]
fn an_order_that_ended_empty_is_known_at_once() {
    let (mut gateway, id, _) = placed(&taking());
    let body = state(&id, "CANCELED_order couldn't be matched", "0");
    let Evidence::Standing { filled, rest, .. } = only(&asked(&mut gateway, 1, 200, &body)) else {
        panic!()
    };
    assert_eq!((filled, rest), (total("0", "0"), Rest::Nothing));
}

#[test]
fn an_order_with_fills_has_a_total_once_its_trades_were_read() {
    let (mut gateway, id, _) = placed(&taking());
    let taken = asked(&mut gateway, 1, 200, &state(&id, "MATCHED", "50"));
    assert!(taken.reports.is_empty());
    let call = &taken.calls[0];
    assert!(call.url.contains(&format!("market={CONDITION}")), "{}", call.url);
    assert!(call.url.contains("after=1763799940&next_cursor=MA%3D%3D"), "{}", call.url);
    let mut second = trade(&id, true);
    second["id"] = "22222222".into();
    let first = read(&mut gateway, call, 200, &page(&[trade(&id, true)], "Mg=="));
    assert!(matches!(only(&first), Evidence::Fill(_)));
    assert!(first.calls[0].url.contains("next_cursor=Mg%3D%3D"), "{}", first.calls[0].url);
    let last = read(&mut gateway, &first.calls[0], 200, &page(&[second], "LTE="));
    let all = evidence(&last);
    let Evidence::Standing { filled, rest, .. } = &all[1] else { panic!("{all:?}") };
    assert_eq!((*filled, *rest), (total("50", "26"), Rest::Nothing));
    assert!(last.calls.is_empty());
}

#[test]
fn trades_that_do_not_add_up_leave_the_total_open() {
    let (mut gateway, id, _) = placed(&taking());
    let taken = asked(&mut gateway, 1, 200, &state(&id, "MATCHED", "50"));
    let rows = page(&[trade(&id, true)], "LTE=");
    let all = evidence(&read(&mut gateway, &taken.calls[0], 200, &rows));
    let Evidence::Standing { filled, rest, .. } = &all[1] else { panic!("{all:?}") };
    assert_eq!((*filled, *rest), (None, Rest::Nothing));
    let dust = asked(&mut gateway, 1, 200, &state(&id, "MATCHED", "25.01"));
    let all = evidence(&read(&mut gateway, &dust.calls[0], 200, &rows));
    assert!(matches!(&all[1], Evidence::Standing { filled: Some(_), .. }), "{all:?}");
}

#[test]
fn an_order_is_missing_only_if_its_trades_are_missing_too() {
    let (mut gateway, id, _) = placed(&taking());
    for (status, body) in [(404, json!({ "error": "order not found" })), (200, Value::Null)] {
        let taken = asked(&mut gateway, 1, status, &body);
        assert!(taken.reports.is_empty());
        let found = read(&mut gateway, &taken.calls[0], 200, &page(&[], "LTE="));
        assert_eq!(only(&found), Evidence::NotFound { as_of: now() });
        let found = read(&mut gateway, &taken.calls[0], 200, &page(&[trade(&id, true)], "LTE="));
        assert!(matches!(only(&found), Evidence::Fill(_)));
    }
    for status in [404, 500] {
        let mut taken = Taken::default();
        let question = Question::Order(IntentId(1));
        let calls = gateway.ask(&question, &table(), now()).unwrap();
        gateway.read(&calls[0], &reply(status, "<html>"), &table(), now(), &mut taken);
        assert!(taken.reports.is_empty() && taken.calls.is_empty());
        assert_eq!(taken.notices.len(), 1, "a web page is no evidence");
    }
}

#[test]
fn a_state_that_is_not_known_is_unclear() {
    let (mut gateway, id, _) = placed(&taking());
    let found = only(&asked(&mut gateway, 1, 200, &state(&id, "PONDERING", "0")));
    assert_eq!(found, Evidence::Unclear("polymarket calls the order PONDERING".to_owned()));
    let other = asked(&mut gateway, 1, 200, &state("0xdddd", "LIVE", "0"));
    assert!(other.reports.is_empty() && other.notices.len() == 1);
}

#[test]
fn open_orders_are_read_to_the_last_page_ours_and_others() {
    let (mut gateway, id, _) = placed(&resting());
    let calls = gateway.ask(&Question::Orders(Timestamp::ZERO), &table(), now()).unwrap();
    assert_eq!(calls[0].url, "http://clob/data/orders?next_cursor=MA%3D%3D");
    let mut own = state(&id, "LIVE", "0");
    own["asset_id"] = NO.into();
    let rows = [own, state("0xdddd", "LIVE", "3")];
    let taken = read(&mut gateway, &calls[0], 200, &page(&rows, "Mg=="));
    assert_eq!(taken.reports.len(), 2);
    assert!(matches!(&taken.reports[1], Report::Foreign { id, .. } if id.0 == "0xdddd"));
    assert_eq!(taken.calls[0].url, "http://clob/data/orders?next_cursor=Mg%3D%3D");
    let last = read(&mut gateway, &taken.calls[0], 200, &page(&[], "LTE="));
    assert!(last.calls.is_empty() && last.reports.is_empty());
    let circle = read(&mut gateway, &taken.calls[0], 200, &page(&[], "Mg=="));
    assert!(circle.calls.is_empty(), "a cursor that leads to itself ends the list");
}

#[test]
fn all_fills_since_a_time_are_read() {
    let (mut gateway, id, _) = placed(&taking());
    let calls = gateway.ask(&Question::Fills(now()), &table(), now()).unwrap();
    let url = "http://clob/data/trades?after=1763799940&next_cursor=MA%3D%3D";
    assert_eq!(calls[0].url, url);
    let rows = [trade(&id, true), trade("0xdddd", false)];
    let taken = read(&mut gateway, &calls[0], 200, &page(&rows, "Mg=="));
    assert_eq!((taken.reports.len(), taken.calls.len()), (2, 1));
    assert!(taken.calls[0].url.ends_with("after=1763799940&next_cursor=Mg%3D%3D"));
    assert!(taken.whole.is_empty(), "half a list");
    let end = read(&mut gateway, &taken.calls[0], 200, &page(&[], "LTE="));
    assert_eq!(end.whole, [(Listing::Fills, now())]);
    let round = read(&mut gateway, &taken.calls[0], 200, &page(&[], "Mg=="));
    assert!(round.whole.is_empty() && round.calls.is_empty(), "it goes round in circles");
    let broken = read(&mut gateway, &calls[0], 200, &page(&[json!({ "id": 7 })], "Mg=="));
    let end = read(&mut gateway, &broken.calls[0], 200, &page(&[], "LTE="));
    assert!(end.whole.is_empty(), "a row was not understood");
}

#[test]
fn nothing_on_the_channel_ends_the_reader() {
    let (mut gateway, id, _) = placed(&taking());
    for text in [
        "",
        "PONG",
        "{}",
        "[1,2]",
        "[",
        r#"{"event_type":"dance"}"#,
        r#"{"event_type":"order"}"#,
        r#"{"event_type":"trade","id":"x"}"#,
    ] {
        let mut taken = Taken::default();
        gateway.read_private(text, &table(), now(), &mut taken);
        assert!(taken.reports.is_empty() && !taken.notices.is_empty(), "{text}");
    }
    let both = json!([trade(&id, true), { "event_type": "order", "id": id, "status": "LIVE" }]);
    assert_eq!(hear(&mut gateway, &both).reports.len(), 2);
}
