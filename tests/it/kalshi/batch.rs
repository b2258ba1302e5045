//! Several orders placed at once.

use super::*;

/// Orders of all four ways, one that rests and one that nobody could pay.
fn orders(bench: &mut Bench) -> Vec<Order> {
    let mut all = Vec::new();
    for outcome in [Outcome::Yes, Outcome::No] {
        all.push(bench.order(outcome, Action::Buy, 1_503));
        all.push(bench.order(outcome, Action::Sell, 701));
    }
    let deep = bench.order(Outcome::Yes, Action::Buy, 500);
    let limit = crossbook::domain::Price::from_units(100).unwrap();
    all.push(Order { limit, lifetime: Lifetime::Resting, ..deep });
    all.push(bench.order(Outcome::Yes, Action::Buy, 100_000_000));
    all
}

impl Bench {
    fn place_many(&mut self, orders: &[Order]) {
        let placing = self.gateway.place_many(orders, &self.markets, self.now);
        assert_eq!((placing.calls.len(), placing.ids.len()), (1, orders.len()));
        for call in placing.calls {
            self.carry(&call);
        }
    }
}

#[test]
fn orders_that_go_out_together_are_booked_as_the_exchange_books_each() {
    for ways in [Ways::Both, Ways::AnswersOnly] {
        let mut bench = Bench::new(Kind::Ed25519, ways);
        let all = orders(&mut bench);
        bench.place_many(&all);
        for order in &all[..4] {
            let truth = bench.truth(order);
            assert!(!truth.0.is_zero(), "{order:?} filled nothing");
            assert_eq!(bench.booked(order.intent), truth, "{order:?}");
        }
        let rests = bench.evidence(all[4].intent).into_iter().all(|one| {
            matches!(one, Evidence::Standing { rest: Rest::Resting, filled: Some(total), .. }
                if total.quantity.is_zero())
        });
        assert!(rests, "{:?}", bench.evidence(all[4].intent));
        let refused = bench.evidence(all[5].intent);
        let is_funds = |one: &Evidence| {
            let funds = crossbook::domain::report::Refused::Funds;
            matches!(one, Evidence::Refused(refusal) if refusal.kind == funds)
        };
        assert!(refused.len() == 1 && is_funds(refused[0]), "{refused:?}");
        assert!(bench.notices.is_empty(), "{:?}", bench.notices);
    }
}

#[test]
fn a_batch_whose_answer_is_lost_is_found_or_found_missing_order_by_order() {
    for reached in [Reached::Yes, Reached::No] {
        for fault in
            [OrderFault::Cut(reached), OrderFault::Held(reached), OrderFault::Failing(reached, 503)]
        {
            let mut bench = Bench::new(Kind::Ed25519, Ways::AnswersOnly);
            let all = orders(&mut bench);
            bench.fault(&Fault::Order(fault.clone()));
            bench.place_many(&all[..5]);
            for order in &all[..5] {
                let found = bench.evidence(order.intent);
                assert!(matches!(found[0], Evidence::Unclear(_)), "{fault:?}: {found:?}");
                let is_known = match reached {
                    Reached::Yes => {
                        assert_eq!(bench.booked(order.intent), bench.truth(order), "{fault:?}");
                        matches!(found[1], Evidence::Standing { .. })
                    }
                    Reached::No => matches!(found[1], Evidence::NotFound { .. }),
                };
                assert!(is_known, "{fault:?}: {found:?}");
            }
            assert!(bench.notices.is_empty(), "{:?}", bench.notices);
        }
    }
}

#[test]
fn a_batch_that_comes_twice_fills_once() {
    let mut bench = Bench::new(Kind::Ed25519, Ways::AnswersOnly);
    let all = orders(&mut bench);
    bench.place_many(&all[..4]);
    let before: Vec<_> = all[..4].iter().map(|order| bench.truth(order)).collect();
    bench.reports.clear();
    bench.place_many(&all[..4]);
    for (order, before) in all[..4].iter().zip(before) {
        let found = bench.evidence(order.intent);
        assert!(matches!(found[0], Evidence::Unclear(_)), "it is there already: {found:?}");
        assert!(matches!(found[1], Evidence::Standing { .. }), "it was looked for: {found:?}");
        assert_eq!(bench.truth(order), before);
    }
}
