use super::*;

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn put(book: &mut Book, owner: u32, side: Side, at: &str, count: u32) -> (OrderNumber, Vec<Fact>) {
    let mut facts = Vec::new();
    let quantity = Quantity::contracts(count);
    let number = book.submit(Owner(owner), side, price(at), quantity, Remainder::Rests, &mut facts);
    (number, facts)
}

#[test]
fn older_orders_at_the_best_price_trade_first_at_their_own_price() {
    let mut book = Book::default();
    let (first, _) = put(&mut book, 1, Side::Ask, "0.43", 10);
    put(&mut book, 2, Side::Ask, "0.43", 10);
    put(&mut book, 3, Side::Ask, "0.44", 10);
    let (_, facts) = put(&mut book, 4, Side::Bid, "0.45", 15);
    let trades: Vec<_> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Trade { price, quantity, .. } => Some((price.to_string(), quantity.to_string())),
            Fact::Level { .. } => None,
        })
        .collect();
    assert_eq!(trades, [("0.4300".into(), "10.00".into()), ("0.4300".into(), "5.00".into())]);
    assert!(!book.cancel(first, &mut Vec::new()), "it is filled");
    assert_eq!(book.at(Side::Ask, price("0.43")), Quantity::contracts(5));
    assert_eq!(book.best(Side::Bid), None, "nothing is left to rest");
}

#[test]
fn a_rest_stays_only_if_it_may() {
    let mut book = Book::default();
    put(&mut book, 1, Side::Ask, "0.43", 10);
    let mut facts = Vec::new();
    let many = Quantity::contracts(25);
    book.submit(Owner(2), Side::Bid, price("0.43"), many, Remainder::Dropped, &mut facts);
    assert_eq!((book.best(Side::Bid), book.best(Side::Ask)), (None, None));
    assert_eq!(book.last_trade(), Some(price("0.43")));
}

#[test]
fn a_cancel_reports_the_level_it_leaves() {
    let mut book = Book::default();
    let (number, _) = put(&mut book, 1, Side::Bid, "0.41", 10);
    put(&mut book, 2, Side::Bid, "0.41", 7);
    let mut facts = Vec::new();
    assert!(book.cancel(number, &mut facts));
    let expected = Fact::Level {
        side: Side::Bid,
        price: price("0.41"),
        before: Quantity::contracts(17),
        after: Quantity::contracts(7),
    };
    assert_eq!(facts, [expected]);
    assert_eq!(book.orders_of(Owner(1)).count(), 0);
    let resting: Vec<_> = book.resting().map(|(side, at, order)| (side, at, order.owner)).collect();
    assert_eq!(resting, [(Side::Bid, price("0.41"), Owner(2))]);
    assert_eq!(book.orders_of(Owner(2)).count(), 1);
}

fn incoming(side: Side, at: &str, count: u32, self_trade: SelfTrade) -> Incoming {
    let (price, quantity) = (price(at), Quantity::contracts(count));
    let remainder = Remainder::Rests;
    Incoming { owner: Owner(7), side, price, quantity, remainder, self_trade }
}

#[test]
fn a_taker_that_stops_at_its_own_order_leaves_it_and_drops_its_rest() {
    let mut book = Book::default();
    put(&mut book, 1, Side::Ask, "0.43", 10);
    let (own, _) = put(&mut book, 7, Side::Ask, "0.43", 5);
    put(&mut book, 2, Side::Ask, "0.43", 10);
    let order = incoming(Side::Bid, "0.44", 20, SelfTrade::TakerStops);
    assert_eq!(book.preview(order).len(), 1);
    let placed = book.place(order, &mut Vec::new());
    assert_eq!(placed.filled(), Quantity::contracts(10));
    assert_eq!((placed.rests, placed.gone.len()), (Quantity::ZERO, 0));
    assert_eq!(book.best(Side::Bid), None);
    assert_eq!(book.order(own).unwrap().2.quantity, Quantity::contracts(5));
    assert_eq!(book.at(Side::Ask, price("0.43")), Quantity::contracts(15));
}

#[test]
fn a_maker_that_goes_lets_the_taker_pass() {
    let mut book = Book::default();
    let (own, _) = put(&mut book, 7, Side::Ask, "0.43", 5);
    put(&mut book, 2, Side::Ask, "0.43", 10);
    let order = incoming(Side::Bid, "0.44", 20, SelfTrade::MakerGoes);
    assert_eq!(book.preview(order)[0].maker.1, Owner(2));
    let mut facts = Vec::new();
    let placed = book.place(order, &mut facts);
    assert_eq!(placed.gone, [(own, Quantity::contracts(5))]);
    assert_eq!(placed.filled(), Quantity::contracts(10));
    assert_eq!(placed.rests, Quantity::contracts(10));
    assert_eq!(book.order(own), None);
    let levels: Vec<_> = facts.iter().filter(|f| matches!(f, Fact::Level { .. })).collect();
    let zero = Quantity::ZERO;
    let (side, price) = (Side::Ask, price("0.43"));
    let gone = Fact::Level { side, price, before: Quantity::contracts(15), after: zero };
    assert_eq!(levels[0], &gone, "one level, one change");
    assert_eq!(levels.len(), 2);
}

#[test]
fn a_smaller_order_keeps_its_place() {
    let mut book = Book::default();
    let (first, _) = put(&mut book, 1, Side::Bid, "0.41", 10);
    let (second, _) = put(&mut book, 2, Side::Bid, "0.41", 7);
    assert!(!book.reduce(first, Quantity::contracts(10), &mut Vec::new()), "it is not smaller");
    let mut facts = Vec::new();
    assert!(book.reduce(first, Quantity::contracts(4), &mut facts));
    assert_eq!(facts.len(), 1);
    assert_eq!(book.ahead(second), Some(Quantity::contracts(4)));
    assert_eq!(book.ahead(first), Some(Quantity::ZERO));
    assert!(book.reduce(first, Quantity::ZERO, &mut Vec::new()));
    assert_eq!(book.ahead(first), None);
}

#[test]
fn a_preview_tells_what_then_happens() {
    let mut book = Book::default();
    put(&mut book, 1, Side::Bid, "0.41", 10);
    put(&mut book, 2, Side::Bid, "0.40", 7);
    put(&mut book, 2, Side::Bid, "0.39", 7);
    let order = incoming(Side::Ask, "0.40", 30, SelfTrade::TakerStops);
    let seen = book.preview(order);
    assert_eq!(book.place(order, &mut Vec::new()).met, seen);
    assert_eq!(seen.len(), 2);
}
