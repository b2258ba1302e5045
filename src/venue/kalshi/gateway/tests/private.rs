//! Frames of the private channel.

use super::*;

const FILL: &str = include_str!("../../../../../tests/data/kalshi/ws_fill.json");
const USER_ORDER: &str = include_str!("../../../../../tests/data/kalshi/ws_user_order.json");
const POSITION: &str = include_str!("../../../../../tests/data/kalshi/ws_market_position.json");

fn with_client(text: &str) -> String {
    text.replacen(r#""order_id""#, &format!(r#""client_order_id":"{CLIENT}","order_id""#), 1)
}

#[test]
fn a_fill_is_booked_at_the_contracts_own_scale_with_its_reported_fee() {
    for (outcome, action, limit, side, wanted) in [
        (Outcome::Yes, Action::Buy, "0.41", "bid", "10.25"),
        (Outcome::Yes, Action::Sell, "0.41", "ask", "10.25"),
        (Outcome::No, Action::Buy, "0.59", "ask", "14.75"),
        (Outcome::No, Action::Sell, "0.59", "bid", "14.75"),
    ] {
        let mut rig = Rig::new();
        rig.place(&order(outcome, action, limit));
        let side = format!(r#""book_side":"{side}""#);
        let text = with_client(&FILL.replace(r#""book_side":"ask""#, &side));
        let Evidence::Fill(fill) = evidence(rig.private(&text)) else { panic!() };
        assert_eq!(fill.money, money(wanted), "{outcome} {action:?}");
        assert_eq!(fill.fee, Fee::Reported(money("0.4234")));
        assert_eq!(fill.at, Timestamp::from_millis(1_795_341_600_123));
    }
}

#[test]
fn the_same_frame_twice_gives_equal_reports() {
    for text in [with_client(FILL), with_client(&user_order())] {
        let mut rig = Rig::new();
        rig.place(&buy_no());
        let (first, second) = (rig.private(&text), rig.private(&text));
        assert_eq!(first.reports, second.reports);
        assert!(!first.reports.is_empty());
        assert!(second.calls.is_empty(), "what was asked for is not asked again");
    }
}

/// A `user_order` about the order of the tests: ten filled, the rest cancelled.
fn user_order() -> String {
    USER_ORDER
        .replace(r#""resting""#, r#""canceled""#)
        .replace(r#""book_side":"bid""#, r#""book_side":"ask""#)
        .replace("0.4000", "0.4100")
        .replace(r#""fill_count_fp":"0.00""#, r#""fill_count_fp":"10.00""#)
        .replace(r#""remaining_count_fp":"5.00""#, r#""remaining_count_fp":"0.00""#)
        .replace(r#""initial_count_fp":"5.00""#, r#""initial_count_fp":"25.00""#)
}

#[test]
fn an_order_message_tells_the_id_and_what_is_filled() {
    let mut rig = Rig::new();
    rig.place(&buy_no());
    let taken = rig.private(&with_client(&user_order()));
    assert!(only(taken.calls.clone()).url.contains(&format!("order_id={ID}")));
    assert_eq!(evidence(taken), standing("10", "5.90", Rest::Nothing));
    // The next message may leave our id out.
    let found = evidence(rig.private(&user_order()));
    assert_eq!(found, standing("10", "5.90", Rest::Nothing));
}

#[test]
fn fills_that_were_booked_are_not_asked_for() {
    let mut rig = Rig::new();
    rig.place(&buy_no());
    rig.private(&with_client(&FILL.replace("25.00", "10.00")));
    assert!(rig.private(&with_client(&user_order())).calls.is_empty());
}

#[test]
fn a_word_that_is_not_known_ends_no_order() {
    let mut rig = Rig::new();
    rig.place(&buy_no());
    for status in ["unknown", "amending"] {
        let text = with_client(&user_order().replace("canceled", status));
        let found = evidence(rig.private(&text.replace(r#""Trade""#, r#""NewReason""#)));
        assert_eq!(found, standing("10", "5.90", Rest::Resting), "{status}");
    }
}

#[test]
fn a_fill_that_can_not_be_the_orders_is_not_booked() {
    for (from, to) in [
        ("KXDEMO-26DEC31-T50", "KXDEMO-26DEC31-T60"),
        (r#""book_side":"ask""#, r#""book_side":"bid""#),
        (r#""yes_price_dollars":"0.4100""#, r#""yes_price_dollars":"0.4000""#),
        (r#""count_fp":"25.00""#, r#""count_fp":"25.01""#),
        (r#""ts_ms":1795341600123"#, r#""ts_ms":1795341500123"#),
    ] {
        let mut rig = Rig::new();
        rig.place(&buy_no());
        let text = with_client(FILL).replace(from, to);
        let taken = rig.private(&text);
        assert_eq!(taken.notices.len(), 1, "{to}");
        assert!(matches!(evidence(taken), Evidence::Unclear(_)), "{to}");
    }
}

#[test]
fn what_is_foreign_says_where_it_is() {
    let mut rig = Rig::new();
    let Report::Foreign { is_ours, market, id, evidence, .. } = only(rig.private(FILL).reports)
    else {
        panic!()
    };
    assert_eq!((is_ours, market, &*id.0), (false, Some(MarketIndex(0)), ID));
    let Evidence::Fill(fill) = evidence else { panic!() };
    assert_eq!(fill.money, money("14.75"), "an ask is taken to be for NO");
    let elsewhere = FILL.replace(TICKER, "KXOTHER");
    let Report::Foreign { market, .. } = only(rig.private(&elsewhere).reports) else { panic!() };
    assert_eq!(market, None);
}

#[test]
fn a_missing_fee_is_computed_and_a_broken_one_is_told() {
    let mut rig = Rig::new();
    rig.place(&buy_no());
    let none = with_client(&FILL.replace(r#""fee_cost":"0.423400","#, ""));
    let Evidence::Fill(fill) = evidence(rig.private(&none)) else { panic!() };
    // 0.07 x 25 x 0.41 x 0.59, rounded up to a hundredth of a cent.
    assert_eq!(fill.fee, Fee::Computed(money("0.4234")));
    let broken = with_client(&FILL.replace(r#""0.423400""#, r#""free""#));
    let taken = rig.private(&broken);
    assert!(taken.reports.is_empty());
    assert_eq!(taken.notices.len(), 1);
}

#[test]
fn other_frames_and_nonsense_report_nothing() {
    let mut rig = Rig::new();
    rig.place(&buy_no());
    assert!(rig.private(POSITION).reports.is_empty());
    assert!(rig.private(r#"{"type":"something_new","msg":{"a":1}}"#).notices.is_empty());
    for text in ["", "{", "[]", r#"{"type":"fill"}"#, r#"{"type":"fill","msg":{"count_fp":7}}"#] {
        let taken = rig.private(text);
        assert!(taken.reports.is_empty(), "{text}");
        assert_eq!(taken.notices.len(), 1, "{text}");
    }
}

#[test]
fn a_sale_that_may_only_reduce_may_come_back_smaller() {
    let mut rig = Rig::new();
    let sale = Order { purpose: Purpose::Unwind, ..order(Outcome::Yes, Action::Sell, "0.41") };
    rig.place(&sale);
    let text = with_client(&user_order())
        .replace(r#""initial_count_fp":"25.00""#, r#""initial_count_fp":"10.00""#);
    // No cost is told, so what ten brought at least stands: the limit.
    assert_eq!(evidence(rig.private(&text)), standing("10", "4.10", Rest::Nothing));
    let mut rig = Rig::new();
    rig.place(&order(Outcome::Yes, Action::Sell, "0.41"));
    assert!(matches!(evidence(rig.private(&text)), Evidence::Unclear(_)), "an entry may not");
    assert_eq!(sale.size, Size::Contracts(quantity("25")));
    assert_eq!(sale.limit, Price::parse("0.41").unwrap());
}

#[test]
fn a_fill_that_tells_its_time_in_seconds_only_is_read() {
    let mut rig = Rig::new();
    rig.gateway.recall(&buy_no(), &OrderId(ID.to_owned()));
    let whole = include_str!("../../../../../tests/data/kalshi/ws_fill.json");
    let text = whole.replace(r#","ts_ms":1795341600123"#, "");
    assert_ne!(text, whole);
    let Evidence::Fill(fill) = evidence(rig.private(&text)) else { panic!("a fill") };
    assert_eq!(fill.at, Timestamp::from_secs(1_795_341_600));
}
