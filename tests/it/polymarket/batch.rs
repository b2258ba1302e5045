//! Several orders placed at once, and a market that is taken back at once.

use super::*;

impl Rig {
    /// An order for 200 that rests far from the best price.
    fn deep(&mut self, outcome: Outcome) -> Order {
        let limit = Price::parse("0.01").unwrap();
        let size = Size::Contracts(Quantity::contracts(200));
        Order { outcome, limit, size, lifetime: Lifetime::Resting, ..self.taking(0) }
    }

    fn place_many(&mut self, orders: &[Order]) {
        self.reports.clear();
        let placing = self.gateway.place_many(orders, &self.markets, self.now);
        assert_eq!((placing.calls.len(), placing.ids.len()), (1, orders.len()));
        for call in placing.calls {
            self.carry(&call);
        }
    }

    /// What the exchange's own books say of an order.
    fn truth_of(&self, order: &Order) -> Option<(Total, Money)> {
        let (id, _) = {
            let mut gateway = Rig::plain().gateway;
            gateway.place(order, &self.markets, self.now).unwrap()
        };
        let statement = self.venue.statement(self.world.floor(Venue::Polymarket));
        let found = statement.orders.iter().find(|one| one.id.eq_ignore_ascii_case(&id.0))?;
        Some((Total { quantity: found.filled, money: found.money }, found.fees))
    }
}

fn rests(evidence: &[Evidence]) -> bool {
    evidence.iter().any(|one| matches!(one, Evidence::Standing { rest: Rest::Resting, .. }))
}

#[test]
fn orders_that_go_out_together_are_told_as_the_exchange_books_each() {
    let mut rig = Rig::plain();
    let all =
        [rig.taking(5), rig.deep(Outcome::No), rig.taking(4), rig.taking(100_000), rig.taking(4)];
    rig.place_many(&all);
    for order in [&all[0], &all[2], &all[4]] {
        let (truth, fees) = rig.truth_of(order).unwrap();
        assert!(!truth.quantity.is_zero());
        let heard = rig.evidence(order.intent);
        assert_eq!(ended(&heard), Some(truth), "{heard:?} {:?}", rig.notices);
        assert_eq!(filled(&heard, Finality::Matched), (truth, fees));
    }
    assert!(rests(&rig.evidence(all[1].intent)), "{:?}", rig.evidence(all[1].intent));
    let heard = rig.evidence(all[3].intent);
    let poor = |one: &Evidence| matches!(one, Evidence::Refused(it) if it.kind == Refused::Funds);
    assert!(heard.len() == 1 && poor(&heard[0]), "{heard:?}");
    assert!(rig.notices.is_empty(), "{:?}", rig.notices);
}

#[test]
fn what_became_of_a_batch_without_an_answer_is_found_out_order_by_order() {
    for reached in [Reached::Yes, Reached::No] {
        let mut rig = Rig::plain();
        rig.fault(OrderFault::Cut(reached));
        let all = [rig.taking(5), rig.deep(Outcome::Yes), rig.taking(4)];
        rig.place_many(&all);
        for order in &all {
            let heard = rig.evidence(order.intent);
            assert!(heard.iter().any(|one| matches!(one, Evidence::Unclear(_))), "{heard:?}");
        }
        rig.pass(seconds(3));
        for order in &all {
            let asked = rig.asked(order.intent);
            let is_known = match reached {
                Reached::No => asked.iter().all(|one| matches!(one, Evidence::NotFound { .. })),
                Reached::Yes if order.lifetime == Lifetime::Resting => rests(&asked),
                Reached::Yes => ended(&asked) == rig.truth_of(order).map(|truth| truth.0),
            };
            assert!(is_known && !asked.is_empty(), "{reached:?}: {asked:?}");
        }
    }
}

#[test]
fn a_batch_of_which_each_success_bears_an_error_leaves_nothing_for_sure() {
    let mut rig = Rig::plain();
    rig.fault(OrderFault::SuccessWithError);
    let all = [rig.taking(5), rig.taking(4)];
    rig.place_many(&all);
    for order in &all {
        let heard = rig.evidence(order.intent);
        assert!(matches!(heard[0], Evidence::Unclear(_)), "one answer for two: {heard:?}");
        assert!(matches!(heard[1], Evidence::NotFound { .. }), "it was asked for: {heard:?}");
        assert!(rig.truth_of(order).is_none());
    }
}

#[test]
fn a_batch_that_comes_twice_fills_once() {
    let mut rig = Rig::plain();
    let all = [rig.taking(5), rig.taking(4)];
    rig.place_many(&all);
    let before: Vec<_> = all.iter().map(|order| rig.truth_of(order)).collect();
    rig.place_many(&all);
    for (order, before) in all.iter().zip(before) {
        let heard = rig.evidence(order.intent);
        assert!(matches!(heard[0], Evidence::Unclear(_)), "it is there already: {heard:?}");
        assert_eq!(ended(&heard), before.map(|truth| truth.0), "{heard:?}");
        assert_eq!(rig.truth_of(order), before);
    }
}

#[test]
fn a_market_is_taken_back_outcome_by_outcome() {
    let mut rig = Rig::plain();
    let all = [rig.deep(Outcome::Yes), rig.deep(Outcome::No), rig.deep(Outcome::No)];
    let elsewhere = Order { market: MarketIndex(1), ..rig.deep(Outcome::Yes) };
    for order in all.iter().chain([&elsewhere]) {
        rig.place(order);
    }
    rig.reports.clear();
    let intents: Vec<IntentId> = all.iter().map(|order| order.intent).collect();
    let calls = rig.gateway.cancel_market(MarketIndex(0), &intents, &rig.markets, rig.now);
    assert_eq!(calls.len(), 2);
    for call in calls {
        rig.carry(&call.unwrap());
    }
    for intent in intents {
        assert_eq!(ended(&rig.evidence(intent)), Some(Total::default()));
    }
    let left = rig.ask(&Question::Orders(Timestamp::ZERO));
    let [Report::Order { intent, .. }] = &left[..] else { panic!("{left:?}") };
    assert_eq!(*intent, elsewhere.intent, "other markets are left alone");
    assert!(rig.notices.is_empty(), "{:?}", rig.notices);
}

#[test]
fn the_exchange_ends_an_order_that_has_rested_for_its_time() {
    let mut rig = Rig::plain();
    let span = seconds(150);
    rig = Rig { gateway: rig.gateway.resting_at_most(span), ..rig };
    let order = rig.deep(Outcome::Yes);
    let made = rig.now;
    assert!(rests(&rig.place(&order)), "{:?}", rig.notices);
    let live = |rig: &mut Rig, until: Timestamp| {
        while rig.now < until {
            let mut taken = Taken::default();
            rig.gateway.tick(rig.now, &mut taken);
            rig.take(taken);
            rig.pass(seconds(1));
        }
    };
    live(&mut rig, made.after(span - seconds(3)));
    assert!(rests(&rig.asked(order.intent)));
    live(&mut rig, made.after(span + seconds(3)));
    assert_eq!(ended(&rig.asked(order.intent)), Some(Total::default()));
    assert!(rig.notices.is_empty(), "{:?}", rig.notices);
    // One that would end too soon is refused by nobody, since it is not sent.
    rig = Rig { gateway: rig.gateway.resting_at_most(seconds(100)), ..rig };
    let order = rig.deep(Outcome::Yes);
    assert!(rig.gateway.place(&order, &rig.markets, rig.now).is_err());
}
