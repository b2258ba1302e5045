//! Which markets are of one event.

use super::*;

/// A plan of 60 and 50 dollars, with 5 in reserve, whose Polymarket market has these two names of
/// its event; no two of them share anything else.
fn named(pair: u32, event: &str, group: &str) -> Plan {
    let mut plan = plan(pair, 60, 50);
    plan.legs[0].event = format!("k-{pair}");
    (plan.legs[1].event, plan.legs[1].group) = (event.to_owned(), group.to_owned());
    plan
}

/// What the limit of an event makes of these plans, one after the other, where it has room for two.
fn of_one_event(names: &[(&str, &str)]) -> Vec<Option<NoTrade>> {
    let mut risk = ready(Limits { event: money(230), ..limits() });
    let approve = |(pair, (event, group)): (u32, &(&str, &str))| {
        no(risk.approve(proposal(named(pair, event, group)), now()))
    };
    (0..).step_by(2).zip(names).map(approve).collect()
}

#[test]
fn markets_of_one_neg_risk_market_are_of_one_event_whatever_its_name() {
    let full = Some(NoTrade::LimitEvent);
    assert_eq!(of_one_event(&[("a", "0x1"), ("b", "0x1"), ("c", "0x1")]), [None, None, full]);
    assert_eq!(of_one_event(&[("a", "0x1"), ("a", "0x2"), ("a", "")]), [None, None, full]);
    assert_eq!(of_one_event(&[("a", "0x1"), ("b", "0x2"), ("c", "0x3")]), [None; 3]);
    assert_eq!(of_one_event(&[("a", ""), ("b", ""), ("c", "")]), [None; 3]);
    // What shares one name with what shares the other is of the same event.
    assert_eq!(of_one_event(&[("a", "0x1"), ("b", "0x1"), ("a", "0x2")]), [None, None, full]);
    assert_eq!(of_one_event(&[("a", ""), ("a", "0x1"), ("b", "0x1")]), [None, None, full]);
    assert_eq!(of_one_event(&[("a", "0x1"), ("b", "0x2"), ("a", "0x2")]), [None, None, full]);
}
