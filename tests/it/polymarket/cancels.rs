//! Several orders taken back at once.

use super::*;

#[test]
fn orders_that_rest_are_taken_back_together() {
    let mut rig = Rig::plain();
    let mut intents = Vec::new();
    for _ in 0..3 {
        let mut order = rig.taking(0);
        order.limit = Price::parse("0.01").unwrap();
        order.size = Size::Contracts(Quantity::contracts(200));
        order.lifetime = Lifetime::Resting;
        rig.place(&order);
        intents.push(order.intent);
    }
    rig.reports.clear();
    let calls = rig.gateway.cancel_many(&intents, &rig.markets, rig.now);
    assert_eq!(calls.len(), 1);
    for call in calls {
        rig.carry(&call.unwrap());
    }
    for intent in intents {
        assert_eq!(ended(&rig.evidence(intent)), Some(Total::default()));
    }
    assert!(rig.ask(&Question::Orders(Timestamp::ZERO)).is_empty());
    assert!(rig.notices.is_empty(), "{:?}", rig.notices);
}
