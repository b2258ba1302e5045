//! What the fold keeps beyond orders and trades.

use super::*;

#[test]
fn numbers_go_on_from_the_highest_that_was_ever_given() {
    let mut state = State::default();
    state.number_from(IntentId(7), TradeId(3));
    assert_eq!((state.next_intent(), state.next_trade()), (IntentId(7), TradeId(3)));
    state.number_from(IntentId(2), TradeId(1));
    assert_eq!((state.next_intent(), state.next_trade()), (IntentId(7), TradeId(3)));
}

#[test]
fn a_halt_is_lifted_for_exactly_its_scope() {
    let mut state = State::default();
    let at = Timestamp::from_secs(1);
    let pair = Scope::Pair(PairId("pair".to_owned()));
    for (scope, why) in [(Scope::All, "one"), (pair.clone(), "two"), (Scope::All, "three")] {
        state.apply(&Record::Halted { scope, why: why.to_owned(), at });
    }
    let whys = |state: &State| state.halts().iter().map(|halt| halt.1.clone()).collect::<Vec<_>>();
    assert_eq!(whys(&state), ["two", "three"], "the newest reason stands");
    state.apply(&Record::Resumed { scope: Scope::All, at });
    assert_eq!(whys(&state), ["two"], "whoever lifts a wide one has not looked at a narrow one");
    state.apply(&Record::Resumed { scope: pair, at });
    assert!(state.halts().is_empty());
}

#[test]
fn a_strange_order_of_ours_stays_until_its_venue_is_resumed() {
    let mut state = State::default();
    let (at, venue, id) = (Timestamp::from_secs(1), Venue::Kalshi, OrderId("theirs".to_owned()));
    let evidence = Evidence::Unclear("listed".to_owned());
    let report = Report::Foreign { venue, id, is_ours: true, market: None, evidence };
    let first = state.apply(&Record::Reported { report: report.clone(), at });
    let again = state.apply(&Record::Reported { report, at });
    assert_eq!((first.notices.len(), again.notices.len()), (1, 0), "told once");
    state.apply(&Record::Resumed { scope: Scope::Venue(Venue::Polymarket), at });
    assert_eq!(state.adopted().count(), 1);
    state.apply(&Record::Resumed { scope: Scope::Venue(venue), at });
    assert_eq!(state.adopted().count(), 0);
}
