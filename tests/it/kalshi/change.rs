//! Orders that rest and are made smaller or amended.

use super::*;
use crossbook::domain::Price;

fn price(units: u16) -> Price {
    Price::from_units(units).unwrap()
}

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

impl Bench {
    /// An order for 500 lots deep in the book.
    fn deep(&mut self, outcome: Outcome) -> Order {
        let order = self.order(outcome, Action::Buy, 500);
        let order = Order { limit: price(100), lifetime: Lifetime::Resting, ..order };
        self.place(&order);
        self.reports.clear();
        order
    }

    fn decrease(&mut self, order: &Order, by: &str) {
        let call = self.gateway.decrease(order.intent, quantity(by), &self.markets, self.now);
        self.carry(&call.unwrap());
    }

    fn amend(&mut self, order: &Order, limit: Price, count: &str) {
        let count = quantity(count);
        let call = self.gateway.amend(order.intent, limit, count, &self.markets, self.now);
        self.carry(&call.unwrap());
    }

    /// What the order stands at by the last report of it: filled, if told, and what may come.
    fn stands(&self, order: &Order) -> (Option<Quantity>, Rest) {
        let all = self.evidence(order.intent);
        let last = all.into_iter().rev().find_map(|one| match one {
            Evidence::Standing { filled, rest, .. } => {
                Some((filled.map(|total| total.quantity), *rest))
            }
            Evidence::Unclear(why) => panic!("{why}"),
            _ => None,
        });
        last.unwrap()
    }

    /// What the exchange still has resting of it.
    fn open(&self, order: &Order) -> Quantity {
        let client = self.gateway.client_id(order.intent);
        let statement = self.kalshi.statement(&self.world.kalshi);
        statement.orders.iter().find(|one| one.client == client).unwrap().open
    }
}

#[test]
fn an_order_that_was_made_smaller_is_known_as_the_exchange_has_it() {
    for ways in [Ways::Both, Ways::AnswersOnly] {
        let mut bench = Bench::new(Kind::Ed25519, ways);
        for outcome in [Outcome::Yes, Outcome::No] {
            let order = bench.deep(outcome);
            bench.decrease(&order, "2.00");
            bench.decrease(&order, "0.50");
            assert_eq!(bench.open(&order), quantity("2.50"));
            assert_eq!(bench.stands(&order), (Some(Quantity::ZERO), Rest::Resting));
            bench.ask(&Question::Order(order.intent));
            assert_eq!(bench.stands(&order), (Some(Quantity::ZERO), Rest::Resting));
            let call = bench.gateway.cancel(order.intent, &bench.markets, bench.now).unwrap();
            bench.carry(&call);
            assert_eq!(bench.stands(&order), (Some(Quantity::ZERO), Rest::Nothing));
        }
        assert!(bench.notices.is_empty(), "{:?}", bench.notices);
    }
}

#[test]
fn an_amendment_that_trades_is_booked_as_the_exchange_books_it() {
    for ways in [Ways::Both, Ways::AnswersOnly] {
        let mut bench = Bench::new(Kind::Ed25519, ways);
        for outcome in [Outcome::Yes, Outcome::No] {
            let order = bench.deep(outcome);
            bench.amend(&order, price(200), "7.50");
            assert_eq!(bench.open(&order), quantity("7.50"));
            assert_eq!(bench.stands(&order), (Some(Quantity::ZERO), Rest::Resting));
            // A few cents through the best price that there is.
            let through = bench.order(outcome, Action::Buy, 1).limit;
            bench.amend(&order, through, "12.25");
            let truth = bench.truth(&order);
            assert_eq!(truth.0, quantity("12.25"), "{outcome}");
            assert_eq!(bench.booked(order.intent), truth, "{outcome}");
            assert_eq!(bench.stands(&order), (Some(truth.0), Rest::Nothing), "{outcome}");
            bench.reports.clear();
            bench.ask(&Question::Order(order.intent));
            bench.ask(&Question::Fills(Timestamp::ZERO));
            assert_eq!(bench.booked(order.intent), truth, "{outcome}");
            assert_eq!(bench.stands(&order), (Some(truth.0), Rest::Nothing), "{outcome}");
        }
        assert!(bench.notices.is_empty(), "{:?}", bench.notices);
    }
}

#[test]
fn a_change_of_an_order_that_is_gone_is_asked_about() {
    let mut bench = Bench::new(Kind::Ed25519, Ways::AnswersOnly);
    for amends in [false, true] {
        let order = bench.deep(Outcome::Yes);
        let cancel = bench.gateway.cancel(order.intent, &bench.markets, bench.now).unwrap();
        // It is taken back, and nobody hears of it.
        bench.send(cancel.method, &cancel.url, &lower(&cancel.headers), "");
        match amends {
            true => bench.amend(&order, price(200), "5.00"),
            false => bench.decrease(&order, "1.00"),
        }
        let found = bench.evidence(order.intent);
        assert!(matches!(found[0], Evidence::NotCancelled(_)), "{found:?}");
        assert_eq!(bench.stands(&order), (Some(Quantity::ZERO), Rest::Nothing));
    }
    assert!(bench.notices.is_empty(), "{:?}", bench.notices);
}

#[test]
fn a_change_whose_answer_is_lost_is_known_once_the_order_is_read() {
    let mut bench = Bench::new(Kind::Ed25519, Ways::AnswersOnly);
    let order = bench.deep(Outcome::No);
    let by = quantity("2.00");
    let call = bench.gateway.decrease(order.intent, by, &bench.markets, bench.now).unwrap();
    let body = call.body.clone().unwrap();
    bench.send(call.method, &call.url, &lower(&call.headers), &body);
    let mut taken = Taken::default();
    let lost = Answer::Lost("cut");
    bench.gateway.read(&call, &lost, &bench.markets, bench.now, &mut taken);
    assert!(taken.reports.is_empty());
    bench.take(taken);
    assert_eq!(bench.notices.len(), 1, "{:?}", bench.notices);
    assert_eq!(bench.stands(&order), (Some(Quantity::ZERO), Rest::Resting));
    bench.decrease(&order, "1.00");
    assert_eq!(bench.open(&order), quantity("2.00"));
    let cancel = bench.gateway.cancel(order.intent, &bench.markets, bench.now).unwrap();
    bench.carry(&cancel);
    assert_eq!(bench.stands(&order), (Some(Quantity::ZERO), Rest::Nothing));
}

#[test]
fn an_amendment_that_the_exchange_refuses_changes_nothing() {
    let mut bench = Bench::new(Kind::Ed25519, Ways::AnswersOnly);
    let order = bench.deep(Outcome::Yes);
    bench.amend(&order, price(9_900), "100000.00");
    assert!(bench.reports.is_empty(), "{:?}", bench.reports);
    assert_eq!(bench.notices.len(), 1, "{:?}", bench.notices);
    assert!(bench.notices[0].contains("insufficient"), "{:?}", bench.notices);
    assert_eq!(bench.open(&order), quantity("5.00"));
    bench.ask(&Question::Order(order.intent));
    assert_eq!(bench.stands(&order), (Some(Quantity::ZERO), Rest::Resting));
    bench.amend(&order, price(200), "6.00");
    assert_eq!(bench.open(&order), quantity("6.00"));
}
