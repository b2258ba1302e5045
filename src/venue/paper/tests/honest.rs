//! Paper does not flatter: what money would wait for, paper waits for.

use super::*;

fn after(millis: u64) -> Timestamp {
    NOW.after(Duration::from_millis(millis))
}

fn buy(venue: Venue, intent: u64) -> Order {
    order(venue, intent, Action::Buy, "0.42", Size::Contracts(quantity("10")))
}

impl Desk {
    /// What becomes of an order that came at [`NOW`], looked at later.
    fn look(&mut self, order: &Order, now: Timestamp) -> Arrival {
        let (_, call) = self.gateway.place(order, &self.world, NOW).unwrap();
        self.simulator.arrive(&call, &self.world, NOW, now)
    }

    fn fate(&mut self, intent: u64) -> Evidence {
        let question = Question::Order(IntentId(intent));
        let calls = self.gateway.ask(&question, &self.world, NOW).unwrap();
        match self.read(&calls[0]).remove(0) {
            Report::Order { evidence, .. } => evidence,
            other => panic!("{other:?}"),
        }
    }

    fn settlements(&mut self) -> Vec<Report> {
        let question = Question::Settlements(Timestamp::ZERO);
        let calls = self.gateway.ask(&question, &self.world, NOW).unwrap();
        self.read(&calls[0])
    }
}

#[test]
fn an_order_in_a_delayed_market_meets_the_book_as_it_is_after_the_delay() {
    let mut desk = Desk::new(Venue::Polymarket, 1_000);
    desk.world.market.delay = Duration::from_secs(3);
    let one = buy(Venue::Polymarket, 1);
    assert_eq!(desk.look(&one, NOW), Arrival::Waits(Duration::from_secs(3)));
    assert_eq!(desk.look(&one, after(2_900)), Arrival::Waits(Duration::from_millis(100)));
    let Evidence::Standing { filled: None, rest: Rest::Delayed, .. } = desk.fate(1) else {
        panic!("it is held: neither filled nor missing")
    };
    assert_eq!(desk.simulator.cash().micros(), 1_000 * Money::DOLLAR);
    // What was offered when it came has gone meanwhile.
    let book = desk.world.book.as_mut().unwrap();
    book.set(Side::Ask, price("0.42"), Quantity::ZERO, after(1_000));
    let Arrival::Answered(body) = desk.look(&one, after(3_000)) else { panic!("its time is up") };
    assert!(body.contains("no_match"), "{body}");
    assert!(matches!(desk.fate(1), Evidence::Refused(_)));
}

#[test]
fn a_book_that_is_read_now_and_then_fills_only_what_came_before_its_reading() {
    let mut desk = Desk::new(Venue::Kalshi, 1_000);
    desk.world.read = Some(NOW.before(Duration::from_secs(11)));
    let one = buy(Venue::Kalshi, 1);
    for millis in [0, 5_000] {
        assert!(matches!(desk.look(&one, after(millis)), Arrival::Waits(_)), "{millis}");
    }
    desk.world.read = Some(after(5_010));
    let Arrival::Answered(body) = desk.look(&one, after(5_050)) else { panic!("it was read") };
    assert!(body.contains("done"), "{body}");
    // No reading ever comes: the order is refused, not filled and not forgotten.
    desk.world.read = Some(NOW);
    let two = buy(Venue::Kalshi, 2);
    assert!(matches!(desk.look(&two, after(14_000)), Arrival::Waits(_)));
    let Arrival::Answered(body) = desk.look(&two, after(15_000)) else { panic!("too long") };
    assert!(body.contains("paused"), "{body}");
}

#[test]
fn an_offer_that_was_gone_when_the_order_came_does_not_fill_it_because_word_of_it_came_later() {
    let mut desk = Desk::new(Venue::Polymarket, 1_000);
    desk.world.behind = Duration::from_millis(60);
    let one = buy(Venue::Polymarket, 1);
    assert_eq!(desk.look(&one, NOW), Arrival::Waits(Duration::from_millis(60)));
    let set = |desk: &mut Desk, left: &str| {
        let book = desk.world.book.as_mut().unwrap();
        book.set(Side::Ask, price("0.42"), quantity(left), after(30));
    };
    set(&mut desk, "0");
    assert_eq!(desk.look(&one, after(40)), Arrival::Waits(Duration::from_millis(20)));
    let Arrival::Answered(body) = desk.look(&one, after(60)) else { panic!("it is known now") };
    assert!(body.contains("no_match"), "{body}");
    // What came only after the order was not there for it either, and less is all that it gets.
    let two = buy(Venue::Polymarket, 2);
    assert!(matches!(desk.look(&two, NOW), Arrival::Waits(_)));
    set(&mut desk, "100");
    let Arrival::Answered(body) = desk.look(&two, after(60)) else { panic!("it is known now") };
    assert!(body.contains("no_match"), "{body}");
    let three = buy(Venue::Polymarket, 3);
    assert!(matches!(desk.look(&three, NOW), Arrival::Waits(_)));
    set(&mut desk, "4");
    let Arrival::Answered(body) = desk.look(&three, after(60)) else { panic!("it is known now") };
    assert!(body.contains(&format!(r#""contracts":{}"#, quantity("4").units())), "{body}");
}

#[test]
fn where_a_person_merges_paper_does_not() {
    let mut desk = Desk::new(Venue::Polymarket, 100);
    desk.gateway = Gateway::new(Venue::Polymarket, Merges::ByUser);
    desk.place(&buy(Venue::Polymarket, 1));
    let no = Order { outcome: Outcome::No, limit: price("0.60"), ..buy(Venue::Polymarket, 2) };
    desk.place(&no);
    let before = desk.simulator.cash();
    let (market, mut taken) = (MARKET, Taken::default());
    let merge = Conversion::Merge { market, quantity: quantity("10") };
    desk.gateway.convert(merge, &desk.world, NOW, &mut taken);
    assert!(taken.calls.is_empty());
    assert!(matches!(&taken.reports[..], [Report::NotConverted { .. }]));
    assert_eq!(desk.simulator.cash(), before);
}

#[test]
fn what_is_held_is_paid_once_when_the_market_resolves() {
    for (pays, expected) in [("1", "10"), ("0", "0"), ("0.37", "3.7")] {
        let mut desk = Desk::new(Venue::Kalshi, 100);
        desk.place(&buy(Venue::Kalshi, 1));
        assert_eq!(desk.settlements(), [], "nothing has resolved");
        let before = desk.simulator.cash();
        let yes_pays = Money::parse(pays).unwrap();
        desk.world.market.yes_pays = Some(yes_pays);
        let paid = Money::parse(expected).unwrap();
        let told = desk.settlements();
        let settled = Report::Settled {
            venue: Venue::Kalshi,
            market: Some(MARKET),
            id: "M".to_owned(),
            yes_pays,
            paid,
            at: NOW,
        };
        assert_eq!(told, [settled], "{pays}");
        assert_eq!(desk.settlements(), told, "told again, not paid again");
        assert_eq!(desk.simulator.cash() - before, paid, "{pays}");
        let calls = desk.gateway.ask(&Question::Positions, &desk.world, NOW).unwrap();
        let [Report::Positions { positions, .. }] = &desk.read(&calls[0])[..] else { panic!() };
        assert!(positions.is_empty(), "{positions:?}");
    }
}

#[test]
fn a_no_contract_is_paid_what_yes_is_not() {
    let mut desk = Desk::new(Venue::Polymarket, 100);
    let no = Order { outcome: Outcome::No, limit: price("0.60"), ..buy(Venue::Polymarket, 1) };
    desk.place(&no);
    let before = desk.simulator.cash();
    desk.world.market.yes_pays = Some(Money::parse("0.5").unwrap());
    desk.settlements();
    assert_eq!((desk.simulator.cash() - before).to_string(), "5.000000");
}
