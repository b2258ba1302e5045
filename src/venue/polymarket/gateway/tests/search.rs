//! What the list of trades says about an order, and what it can't.

use super::trades::{asked, page, state};
use super::*;

/// The call that looks for the trades of an order of which the venue said this.
fn looking(gateway: &mut Gateway, status: u16, body: &Value) -> Call {
    let mut taken = asked(gateway, 1, status, body);
    assert!(taken.reports.is_empty() && taken.calls.len() == 1, "{taken:?}");
    taken.calls.remove(0)
}

fn missing(gateway: &mut Gateway) -> Call {
    looking(gateway, 404, &json!({ "error": "order not found" }))
}

fn standing(taken: &Taken) -> (Option<Total>, Rest) {
    let all = evidence(taken);
    let Some(Evidence::Standing { filled, rest, .. }) = all.last() else { panic!("{all:?}") };
    (*filled, *rest)
}

#[test]
fn a_trade_that_can_not_be_read_never_makes_an_order_missing() {
    let (mut gateway, id, _) = placed(&taking());
    let mut broken = trade(&id, true);
    broken["size"] = "many".into();
    let call = missing(&mut gateway);
    let taken = read(&mut gateway, &call, 200, &page(&[broken.clone()], "LTE="));
    assert!(taken.reports.is_empty() && taken.notices.len() == 1, "{taken:?}");
    // It stood on an earlier page: the last one is whole and says as little.
    let first = read(&mut gateway, &call, 200, &page(&[broken], "Mg=="));
    let last = read(&mut gateway, &first.calls[0], 200, &page(&[], "LTE="));
    assert!(last.reports.is_empty(), "{last:?}");
}

#[test]
fn an_order_of_a_market_that_is_not_known_yet_is_not_missing() {
    let (mut gateway, id, _) = placed(&taking());
    let call = missing(&mut gateway);
    let (mut taken, body) = (Taken::default(), page(&[trade(&id, true)], "LTE=").to_string());
    gateway.read(&call, &reply(200, &body), &Table(Vec::new()), now(), &mut taken);
    assert!(taken.reports.is_empty() && taken.notices.len() == 1, "{taken:?}");
}

#[test]
fn a_list_that_breaks_off_makes_no_order_missing() {
    let (mut gateway, _, _) = placed(&taking());
    let call = missing(&mut gateway);
    let circle = read(&mut gateway, &call, 200, &page(&[], "MA=="));
    assert!(circle.reports.is_empty() && circle.calls.is_empty(), "{circle:?}");
}

#[test]
fn a_trade_on_two_pages_counts_once() {
    let (mut gateway, id, _) = placed(&taking());
    for (matched, expected) in [("50", None), ("25", total("25", "13"))] {
        let call = looking(&mut gateway, 200, &state(&id, "MATCHED", matched));
        let first = read(&mut gateway, &call, 200, &page(&[trade(&id, true)], "Mg=="));
        let rows = page(&[trade(&id, true)], "LTE=");
        let last = read(&mut gateway, &first.calls[0], 200, &rows);
        assert_eq!(standing(&last), (expected, Rest::Nothing), "{matched}");
    }
}

#[test]
fn more_trades_than_the_order_says_leave_its_total_open() {
    let (mut gateway, id, _) = placed(&taking());
    let call = looking(&mut gateway, 200, &state(&id, "MATCHED", "24"));
    let taken = read(&mut gateway, &call, 200, &page(&[trade(&id, true)], "LTE="));
    assert_eq!(standing(&taken), (None, Rest::Nothing));
}

#[test]
fn an_order_that_met_others_has_not_filled_nothing() {
    let (mut gateway, id, _) = placed(&taking());
    let mut named = state(&id, "CANCELED", "0");
    named["associate_trades"] = json!(["11111111"]);
    for body in [state(&id, "MATCHED", "0"), state(&id, "MATCHED", ""), named.clone()] {
        let later = now().after(Duration::from_secs(60));
        let question = Question::Order(IntentId(1));
        let calls = gateway.ask(&question, &table(), later).unwrap();
        let looked = read(&mut gateway, &calls[0], 200, &body);
        assert!(looked.reports.is_empty(), "{looked:?}");
        let taken = read(&mut gateway, &looked.calls[0], 200, &page(&[], "LTE="));
        assert_eq!(standing(&taken), (None, Rest::Nothing), "{body}");
    }
    // Told on the channel: what it names is asked for.
    named["event_type"] = "order".into();
    let taken = hear(&mut gateway, &named);
    assert_eq!(standing(&taken), (None, Rest::Nothing));
    assert_eq!(taken.calls[0].subject, Subject::Order(IntentId(1)));
}

#[test]
fn an_order_that_ended_without_a_size_is_empty_once_no_trade_is_listed() {
    let (mut gateway, id, _) = placed(&taking());
    let none = page(&[], "LTE=");
    for (secs, expected) in [(1, None), (10, total("0", "0"))] {
        let later = now().after(Duration::from_secs(secs));
        let question = Question::Order(IntentId(1));
        let calls = gateway.ask(&question, &table(), later).unwrap();
        let looked = read(&mut gateway, &calls[0], 200, &state(&id, "CANCELED", ""));
        let taken = read(&mut gateway, &looked.calls[0], 200, &none);
        assert_eq!(standing(&taken), (expected, Rest::Nothing), "after {secs} s");
    }
}

#[test]
fn an_order_that_ended_without_a_size_and_has_a_trade_stays_open() {
    let (mut gateway, id, _) = placed(&taking());
    let later = now().after(Duration::from_secs(60));
    let calls = gateway.ask(&Question::Order(IntentId(1)), &table(), later).unwrap();
    let looked = read(&mut gateway, &calls[0], 200, &state(&id, "CANCELED", ""));
    let rows = page(&[trade(&id, true)], "LTE=");
    let taken = read(&mut gateway, &looked.calls[0], 200, &rows);
    assert_eq!(standing(&taken), (None, Rest::Nothing));
}

/// The taker's 25 shares as two makers gave them: 10 at 0.51 and 15 at 0.53, 13.05 dollars.
fn met_two(id: &str, size: &str, price: &str) -> Value {
    let mut trade = trade(id, true);
    trade["size"] = size.into();
    trade["price"] = price.into();
    let maker = |name: &str, amount: &str, price: &str| {
        json!({ "order_id": name, "owner": "someone", "matched_amount": amount, "price": price,
                "asset_id": YES, "side": "SELL", "outcome": "Yes" })
    };
    trade["maker_orders"] = json!([maker("0xd1", "10", "0.51"), maker("0xd2", "15", "0.53")]);
    trade
}

#[test]
fn two_tellings_of_one_fill_that_round_differently_are_one() {
    let (mut gateway, id, _) = placed(&taking());
    let Evidence::Fill(first) = only(&hear(&mut gateway, &met_two(&id, "25", "0.522"))) else {
        panic!()
    };
    let exact = Money::parse("13.05").unwrap();
    assert_eq!((first.quantity, first.money), (Quantity::contracts(25), exact));
    // The average is rounded, the size has dust, and one telling names no makers at all.
    let mut bare = met_two(&id, "25.000001", "0.522001");
    bare["maker_orders"] = json!([]);
    for again in [met_two(&id, "25.000001", "0.5220"), met_two(&id, "24.99", "0.52"), bare] {
        let call = gateway.trade_call("x", now());
        let taken = read(&mut gateway, &call, 200, &page(std::slice::from_ref(&again), "LTE="));
        let Evidence::Fill(fill) = only(&taken) else { panic!() };
        assert_eq!((fill.quantity, fill.money), (first.quantity, first.money), "{again}");
    }
    // More than dust is a difference that somebody has to hear of.
    let mut other = met_two(&id, "24", "0.522");
    other["maker_orders"] = json!([]);
    let Evidence::Fill(fill) = only(&hear(&mut gateway, &other)) else { panic!() };
    assert_eq!(fill.quantity, Quantity::contracts(24));
}
