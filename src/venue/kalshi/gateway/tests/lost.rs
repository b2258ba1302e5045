//! Orders of ours whose record was lost: a journal was put back from a copy, or its last writes
//! never reached the disk.

use super::*;
use crate::domain::{Lifetime, TradeId};

/// An ask of YES at 0.41, as the venue tells it, is taken to buy NO at 0.59.
fn lost() -> Order {
    Order {
        trade: TradeId::NONE,
        purpose: Purpose::Adopted,
        lifetime: Lifetime::Immediate,
        at: Timestamp::parse("2026-11-22T10:00:00.123456Z").unwrap(),
        ..buy_no()
    }
}

fn since() -> Timestamp {
    Timestamp::parse("2026-11-22T09:00:00Z").unwrap()
}

const PAST: &str = "/portfolio/orders?limit=1000&min_ts=1795338000";

/// The listing of orders whatever became of them.
fn past(rig: &mut Rig) -> Call {
    let mut calls = rig.ask(&Question::Orders(since()));
    assert_eq!(calls.len(), 2);
    assert_eq!(path_and_query(&calls[0]), "/portfolio/orders?limit=1000&status=resting");
    calls.remove(1)
}

fn about(report: &Report) -> &Evidence {
    let Report::Order { intent: IntentId(7), evidence } = report else { panic!("{report:?}") };
    evidence
}

#[test]
fn an_order_that_was_lost_is_found_and_known_from_then_on() {
    let mut rig = Rig::new();
    let call = past(&mut rig);
    assert_eq!(path_and_query(&call), PAST);
    let taken = rig.reply(&call, 200, ORDERS_2);
    let [Report::Lost { order, id }, standing_at] = &*taken.reports else { panic!("{taken:?}") };
    assert_eq!((&**order, &*id.0), (&lost(), ID));
    assert_eq!(*about(standing_at), standing("25", "14.625", Rest::Nothing));
    let fills = rig.reply(&only(taken.calls), 200, FILLS).reports;
    assert_eq!(fills.len(), 2);
    assert!(fills.iter().all(|report| matches!(about(report), Evidence::Fill(_))));
    // It is asked about like any other, and what was read whole is not read again.
    let call = only(rig.ask(&Question::Order(IntentId(7))));
    let call = only(rig.reply(&call, 200, AS_OF).calls);
    assert_eq!(path_and_query(&call), format!("/portfolio/orders/{ID}"));
    assert_eq!(rig.ask(&Question::Orders(since())).len(), 1);
}

#[test]
fn a_journal_that_lost_many_orders_finds_the_last_and_the_first() {
    for (known, lost) in [(1, 20_001), (20_000, 3)] {
        let mut rig = Rig::new();
        rig.place(&Order { intent: IntentId(known), ..buy_no() });
        let call = past(&mut rig);
        let body = ORDERS_2.replace(CLIENT, &rig.gateway.client_id(IntentId(lost)));
        let reports = rig.reply(&call, 200, &body).reports;
        let Report::Lost { order, .. } = &reports[0] else { panic!("{reports:?}") };
        assert_eq!(order.intent, IntentId(lost));
    }
}

#[test]
fn a_fill_that_bears_our_mark_shows_the_order() {
    let mut rig = Rig::new();
    let fill = include_str!("../../../../../tests/data/kalshi/ws_fill.json");
    let marked = format!(r#""client_order_id":"{CLIENT}","order_id""#);
    let fill = fill.replacen(r#""order_id""#, &marked, 1);
    let taken = rig.private(&fill);
    assert!(taken.reports.is_empty(), "{taken:?}");
    let call = only(taken.calls);
    assert_eq!(path_and_query(&call), format!("/portfolio/orders/{ID}"));
    let taken = rig.reply(&call, 200, ORDER);
    assert!(matches!(&taken.reports[0], Report::Lost { order, .. } if **order == lost()));
    let listing = only(taken.calls);
    assert_eq!(rig.reply(&listing, 200, FILLS).reports.len(), 2);
    assert!(matches!(evidence(rig.private(&fill)), Evidence::Fill(_)));
}

#[test]
fn a_mark_without_a_number_is_foreign_and_told() {
    let mut rig = Rig::new();
    let beyond = rig.gateway.client_id(IntentId(9_000_000));
    let body = ORDERS_2.replace(CLIENT, &beyond);
    for _ in 0..2 {
        let call = rig.ask(&Question::Orders(since())).remove(0);
        let report = only(rig.reply(&call, 200, &body).reports);
        assert!(matches!(report, Report::Foreign { is_ours: true, .. }), "{report:?}");
    }
}

#[test]
fn an_order_whose_market_is_not_known_yet_is_looked_for_until_it_is() {
    let mut rig = Rig::new();
    let call = past(&mut rig);
    let elsewhere = ORDERS_2.replace(TICKER, "KXLATER");
    let report = only(rig.reply(&call, 200, &elsewhere).reports);
    assert!(matches!(report, Report::Foreign { is_ours: true, market: None, .. }), "{report:?}");
    // Later readings ask since later; orders are looked for since the first.
    let call = rig.ask(&Question::Orders(rig.now)).remove(1);
    assert_eq!(path_and_query(&call), PAST);
    assert!(matches!(rig.reply(&call, 200, ORDERS_2).reports[0], Report::Lost { .. }));
}

#[test]
fn orders_that_are_known_are_not_asked_about_once_more() {
    let mut rig = Rig::new();
    rig.acknowledged(&buy_no(), CREATED);
    let call = past(&mut rig);
    let taken = rig.reply(&call, 200, ORDERS_2);
    assert!(taken.reports.is_empty() && taken.calls.is_empty(), "{taken:?}");
    assert_eq!(rig.ask(&Question::Orders(since())).len(), 1);
}
