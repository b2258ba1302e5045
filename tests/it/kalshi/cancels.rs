//! Several orders taken back at once.

use super::*;

#[test]
fn orders_that_rest_are_taken_back_together() {
    let mut bench = Bench::new(Kind::Ed25519, Ways::Both);
    let limit = crossbook::domain::Price::from_units(100).unwrap();
    let mut intents = Vec::new();
    for _ in 0..3 {
        let deep = bench.order(Outcome::Yes, Action::Buy, 500);
        let order = Order { limit, lifetime: Lifetime::Resting, ..deep };
        bench.place(&order);
        intents.push(order.intent);
    }
    bench.reports.clear();
    let calls = bench.gateway.cancel_many(&intents, &bench.markets, bench.now);
    assert_eq!(calls.len(), 1);
    for call in calls {
        bench.carry(&call.unwrap());
    }
    for intent in &intents {
        let found = bench.evidence(*intent);
        let ended = |one: &&&Evidence| {
            matches!(one, Evidence::Standing { rest: Rest::Nothing, filled: Some(total), .. }
                if total.quantity.is_zero())
        };
        assert!(found.iter().any(|one| ended(&one)), "{found:?}");
    }
    // A second time they are gone, each by its own result.
    bench.reports.clear();
    for call in bench.gateway.cancel_many(&intents, &bench.markets, bench.now) {
        bench.carry(&call.unwrap());
    }
    for intent in &intents {
        let first = bench.evidence(*intent).first().copied().cloned();
        assert!(matches!(first, Some(Evidence::NotCancelled(_))), "{first:?}");
    }
    assert!(bench.notices.is_empty(), "{:?}", bench.notices);
}
