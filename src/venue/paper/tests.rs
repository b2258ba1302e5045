use std::time::Duration;

use crate::book::{Book, Lane};
use crate::domain::fee::FeeModel;
use crate::domain::market::Status;
use crate::domain::report::Rest;
use crate::domain::{
    Action, Evidence, FeePlan, IntentId, Lifetime, Market, MarketIndex, Minimum, Money, Order,
    Outcome, Price, Purpose, Quantity, Rate, Report, Side, Size, Timestamp, TradeId, Venue,
};
use crate::venue::gateway::{Answer, Conversion, Gateway as _, Markets, Question, Taken};

use super::{Arrival, Gateway, Merges, Sight, Simulator};

mod honest;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const MARKET: MarketIndex = MarketIndex(0);

struct World {
    book: Option<Book>,
    market: Market,
    /// When the book was last read, where it is read now and then.
    read: Option<Timestamp>,
    /// How much later than the market the book is, where it is told of every change.
    behind: Duration,
}

impl Sight for World {
    fn book(&self, _: MarketIndex) -> Option<&Book> {
        self.book.as_ref()
    }

    fn facts(&self, _: MarketIndex) -> Option<&Market> {
        Some(&self.market)
    }

    fn unseen_for(&self, _: MarketIndex, moment: Timestamp, now: Timestamp) -> Duration {
        match self.read {
            Some(read) if read > moment => Duration::ZERO,
            Some(_) => Duration::from_millis(50),
            None => moment.after(self.behind).since(now),
        }
    }
}

impl Markets for World {
    fn by_id(&self, _: Venue, _: &str) -> Option<MarketIndex> {
        Some(MARKET)
    }

    fn by_token(&self, _: &str) -> Option<(MarketIndex, Outcome)> {
        None
    }

    fn facts(&self, _: MarketIndex) -> Option<&Market> {
        Some(&self.market)
    }
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

/// Bids 0.40 x 50; asks 0.42 x 30 and 0.43 x 70.
fn world(venue: Venue) -> World {
    let rate = Rate::parse("0.04").unwrap();
    let model = match venue {
        Venue::Kalshi => FeeModel::kalshi(rate),
        Venue::Polymarket => FeeModel::polymarket(rate, 1).unwrap(),
    };
    let mut book = Book::new();
    book.begin(Lane(0), 0);
    book.set(Side::Bid, price("0.40"), quantity("50"), NOW);
    book.set(Side::Ask, price("0.42"), quantity("30"), NOW);
    book.set(Side::Ask, price("0.43"), quantity("70"), NOW);
    book.end(NOW);
    let market = Market {
        venue,
        id: "M".to_owned(),
        title: String::new(),
        event: String::new(),
        group: String::new(),
        grid: None,
        fee: FeePlan::constant(model),
        minimum: Minimum::default(),
        status: Status::Open,
        closes: None,
        starts: None,
        delay: Duration::ZERO,
        shard: None,
        rules: None,
        basis: None,
        yes_pays: None,
        tokens: None,
    };
    World { book: Some(book), market, read: None, behind: Duration::ZERO }
}

fn order(venue: Venue, intent: u64, action: Action, limit: &str, size: Size) -> Order {
    Order {
        intent: IntentId(intent),
        trade: TradeId(1),
        venue,
        market: MARKET,
        outcome: Outcome::Yes,
        action,
        limit: price(limit),
        size,
        lifetime: Lifetime::Immediate,
        purpose: Purpose::Enter,
        at: NOW,
    }
}

struct Desk {
    gateway: Gateway,
    simulator: Simulator,
    world: World,
}

impl Desk {
    fn new(venue: Venue, cash: i64) -> Self {
        let cash = Money::from_micros(cash * Money::DOLLAR);
        Self {
            gateway: Gateway::new(venue, Merges::ByVenue),
            simulator: Simulator::new(venue, cash),
            world: world(venue),
        }
    }

    fn read(&mut self, call: &crate::venue::gateway::Call) -> Vec<Report> {
        let Arrival::Answered(body) = self.simulator.arrive(call, &self.world, NOW, NOW) else {
            panic!("it waits")
        };
        self.take(call, &body)
    }

    fn take(&mut self, call: &crate::venue::gateway::Call, body: &str) -> Vec<Report> {
        let answer = Answer::Reply { status: 200, retry_after: None, headers: &[], body };
        let mut taken = Taken::default();
        self.gateway.read(call, &answer, &self.world, NOW, &mut taken);
        taken.reports
    }

    fn place(&mut self, order: &Order) -> Vec<Report> {
        let (_, call) = self.gateway.place(order, &self.world, NOW).unwrap();
        self.read(&call)
    }

    /// Contracts and dollars of the answer, or the name of the refusal.
    fn filled(&mut self, order: &Order) -> Result<(String, String), &'static str> {
        match self.place(order).first() {
            Some(Report::Order { evidence: Evidence::Standing { filled, rest, .. }, .. }) => {
                assert_eq!(*rest, Rest::Nothing);
                let total = filled.unwrap();
                Ok((total.quantity.to_string(), total.money.to_string()))
            }
            Some(Report::Order { evidence: Evidence::Refused(refusal), .. }) => {
                Err(refusal.kind.name())
            }
            other => panic!("{other:?}"),
        }
    }
}

fn filled(quantity: &str, money: &str) -> Result<(String, String), &'static str> {
    Ok((quantity.to_owned(), money.to_owned()))
}

#[test]
fn an_order_takes_what_the_book_offers_within_its_limit_and_no_more() {
    let mut desk = Desk::new(Venue::Kalshi, 1_000);
    let size = Size::Contracts(quantity("200"));
    let taken = desk.filled(&order(Venue::Kalshi, 1, Action::Buy, "0.42", size));
    assert_eq!(taken, filled("30.00", "12.600000"));
    // What was taken is gone although the book still shows it.
    let again = desk.filled(&order(Venue::Kalshi, 2, Action::Buy, "0.42", size));
    assert_eq!(again, Err("no_match"));
    let deeper = desk.filled(&order(Venue::Kalshi, 3, Action::Buy, "0.43", size));
    assert_eq!(deeper, filled("70.00", "30.100000"));
}

#[test]
fn a_level_that_the_venue_reports_anew_can_be_taken_again() {
    let mut desk = Desk::new(Venue::Kalshi, 1_000);
    let size = Size::Contracts(quantity("30"));
    desk.filled(&order(Venue::Kalshi, 1, Action::Buy, "0.42", size)).unwrap();
    let book = desk.world.book.as_mut().unwrap();
    book.set(Side::Ask, price("0.42"), quantity("12"), NOW);
    let taken = desk.filled(&order(Venue::Kalshi, 2, Action::Buy, "0.42", size));
    assert_eq!(taken, filled("12.00", "5.040000"));
}

#[test]
fn a_buy_by_collateral_brings_more_contracts_where_the_price_is_better() {
    let mut desk = Desk::new(Venue::Polymarket, 1_000);
    let size = Size::Collateral(Money::from_micros(10_000_000));
    let taken = desk.filled(&order(Venue::Polymarket, 1, Action::Buy, "0.45", size));
    assert_eq!(taken, filled("23.8095", "9.999990"), "22.22 contracts at the limit");
}

#[test]
fn nothing_is_sold_that_is_not_held_and_nothing_bought_without_money() {
    let mut desk = Desk::new(Venue::Kalshi, 10);
    let size = Size::Contracts(quantity("20"));
    assert_eq!(desk.filled(&order(Venue::Kalshi, 1, Action::Sell, "0.39", size)), Err("no_match"));
    let twenty = order(Venue::Kalshi, 2, Action::Buy, "0.42", size);
    assert_eq!(desk.filled(&twenty), filled("20.00", "8.400000"));
    let more = Size::Contracts(quantity("10"));
    assert_eq!(desk.filled(&order(Venue::Kalshi, 3, Action::Buy, "0.42", more)), Err("funds"));
    let all = order(Venue::Kalshi, 4, Action::Sell, "0.39", Size::Contracts(quantity("50")));
    assert_eq!(desk.filled(&all), filled("20.00", "8.000000"));
}

#[test]
fn all_or_nothing_is_one_of_the_two() {
    let mut desk = Desk::new(Venue::Kalshi, 1_000);
    let whole = |intent, size: &str| Order {
        lifetime: Lifetime::AllOrNothing,
        ..order(Venue::Kalshi, intent, Action::Buy, "0.43", Size::Contracts(quantity(size)))
    };
    assert_eq!(desk.filled(&whole(1, "101")), Err("no_match"));
    assert_eq!(desk.filled(&whole(2, "100")), filled("100.00", "42.700000"));
}

#[test]
fn the_same_intent_is_answered_twice_and_filled_once() {
    let mut desk = Desk::new(Venue::Kalshi, 1_000);
    let one = order(Venue::Kalshi, 7, Action::Buy, "0.42", Size::Contracts(quantity("10")));
    let first = desk.place(&one);
    let cash = desk.simulator.cash();
    assert_eq!(desk.place(&one), first);
    assert_eq!(desk.simulator.cash(), cash);
    let calls = desk.gateway.ask(&Question::Order(IntentId(7)), &desk.world, NOW).unwrap();
    assert_eq!(desk.read(&calls[0]), first);
}

#[test]
fn an_order_that_never_came_is_not_found() {
    let mut desk = Desk::new(Venue::Kalshi, 1_000);
    let calls = desk.gateway.ask(&Question::Order(IntentId(9)), &desk.world, NOW).unwrap();
    let [Report::Order { evidence: Evidence::NotFound { as_of }, .. }] = desk.read(&calls[0])[..]
    else {
        panic!("an answer")
    };
    assert_eq!(as_of, NOW);
}

#[test]
fn a_book_that_is_not_known_fills_nothing() {
    let mut desk = Desk::new(Venue::Kalshi, 1_000);
    desk.world.book = None;
    let one = order(Venue::Kalshi, 1, Action::Buy, "0.42", Size::Contracts(quantity("10")));
    assert_eq!(desk.filled(&one), Err("paused"));
}

#[test]
fn both_outcomes_are_a_dollar_at_once_on_kalshi_and_after_a_merge_on_polymarket() {
    for venue in Venue::ALL {
        let mut desk = Desk::new(venue, 100);
        let size = Size::Contracts(quantity("10"));
        desk.filled(&order(venue, 1, Action::Buy, "0.42", size)).unwrap();
        let no = Order { outcome: Outcome::No, ..order(venue, 2, Action::Buy, "0.60", size) };
        assert_eq!(desk.filled(&no), filled("10.00", "6.000000"), "{venue}");
        let before = desk.simulator.cash();
        let merge = Conversion::Merge { market: MARKET, quantity: quantity("10") };
        let mut taken = Taken::default();
        desk.gateway.convert(merge, &desk.world, NOW, &mut taken);
        let call = taken.calls.pop().unwrap();
        let merged = desk.read(&call);
        let expected = if venue == Venue::Kalshi { "0.00" } else { "10.00" };
        let [Report::Merged { quantity, .. }] = merged[..] else { panic!("{merged:?}") };
        assert_eq!(quantity.to_string(), expected, "{venue}");
        let gained = desk.simulator.cash() - before;
        let dollars = if venue == Venue::Kalshi { 0 } else { 10 };
        assert_eq!(gained.micros(), dollars * Money::DOLLAR, "{venue}");
    }
}
