//! What is asked anew, and what was never sent.

use crate::domain::report::Refused;
use crate::domain::{Evidence, Order};
use std::sync::{Arc, Mutex};

use super::*;
use crate::domain::{
    Action, Lifetime, Market, OrderId, Outcome, Price, Purpose, Quantity, Size, TradeId,
};
use crate::venue::Error;

/// A venue's gateway that keeps what it is asked.
#[derive(Debug, Clone, Default)]
struct Ear(Arc<Mutex<Vec<Question>>>);

impl Ear {
    /// From when on fills were asked for since this was last looked at.
    fn fills_since(&self) -> Vec<Timestamp> {
        let asked = std::mem::take(&mut *self.0.lock().unwrap());
        let since = |question| match question {
            Question::Fills(since) => Some(since),
            _ => None,
        };
        asked.into_iter().filter_map(since).collect()
    }
}

impl Gateway for Ear {
    fn venue(&self) -> Venue {
        Venue::Kalshi
    }

    fn place(
        &mut self,
        order: &Order,
        _: &dyn Markets,
        _: Timestamp,
    ) -> Result<(OrderId, Call), Error> {
        let call = Call {
            venue: Venue::Kalshi,
            subject: Subject::Place(order.intent),
            class: Class::Order,
            cost: 1,
            method: "POST",
            url: "http://127.0.0.1:9/orders".to_owned(),
            headers: Vec::new(),
            body: None,
        };
        Ok((OrderId(format!("name-{}", order.intent.0)), call))
    }

    fn recall(&mut self, _: &Order, _: &OrderId) {}

    fn forget(&mut self, _: IntentId) {}

    fn cancel(&mut self, _: IntentId, _: &dyn Markets, _: Timestamp) -> Result<Call, Error> {
        unreachable!("nothing is cancelled here")
    }

    fn ask(
        &mut self,
        question: &Question,
        _: &dyn Markets,
        _: Timestamp,
    ) -> Result<Vec<Call>, Error> {
        self.0.lock().unwrap().push(question.clone());
        Ok(Vec::new())
    }

    fn convert(&mut self, _: Conversion, _: &dyn Markets, _: Timestamp, _: &mut Taken) {}

    fn read(&mut self, _: &Call, _: &Answer<'_>, _: &dyn Markets, _: Timestamp, _: &mut Taken) {}

    /// A frame `missing N` is a reading that does not find order N, every other one a reading of
    /// all positions; both are made as they come in.
    fn read_private(&mut self, text: &str, _: &dyn Markets, now: Timestamp, taken: &mut Taken) {
        if let Some(intent) = text.strip_prefix("missing ") {
            let intent = IntentId(intent.parse().unwrap());
            let evidence = Evidence::NotFound { as_of: now };
            return taken.reports.push(Report::Order { intent, evidence });
        }
        let (venue, positions) = (Venue::Kalshi, Vec::new());
        taken.reports.push(Report::Positions { venue, positions, as_of: now });
    }

    fn tick(&mut self, _: Timestamp, _: &mut Taken) {}
}

struct Paperless;

impl Keep for Paperless {
    fn append(&mut self, _: &[Record]) -> Result<(), String> {
        Ok(())
    }

    fn commit(&mut self, _: &[Record]) -> Result<(), String> {
        Ok(())
    }

    fn probe(&mut self) -> Result<(), String> {
        Ok(())
    }
}

struct NoMarkets;

impl Markets for NoMarkets {
    fn by_id(&self, _: Venue, _: &str) -> Option<MarketIndex> {
        None
    }

    fn by_token(&self, _: &str) -> Option<(MarketIndex, Outcome)> {
        None
    }

    fn facts(&self, _: MarketIndex) -> Option<&Market> {
        None
    }
}

fn desk() -> (Desk, Ear) {
    let ear = Ear::default();
    let since = Timestamp::from_secs(1_000);
    let desk =
        Desk::new(vec![Box::new(ear.clone())], Box::new(Paperless), Rhythm::default(), since);
    (desk, ear)
}

#[test]
fn fills_and_payments_are_asked_for_again_until_the_venue_answers() {
    let (mut desk, ear) = desk();
    let start = Timestamp::from_secs(1_000);
    let overlap = Rhythm::default().overlap;
    let mut now = start;
    for _ in 0..30 {
        desk.tick(&NoMarkets, now);
        assert_eq!(ear.fills_since(), [start.before(overlap)], "ten minutes without an answer");
        now = now.after(Rhythm::default().reconcile_every);
    }
    desk.private(Venue::Kalshi, "", &NoMarkets, now);
    desk.tick(&NoMarkets, now);
    assert_eq!(ear.fills_since(), [now.before(overlap)]);
}

fn order(intent: u64) -> Order {
    Order {
        intent: IntentId(intent),
        trade: TradeId(1),
        venue: Venue::Kalshi,
        market: MarketIndex(0),
        outcome: Outcome::Yes,
        action: Action::Buy,
        limit: Price::parse("0.50").unwrap(),
        size: Size::Contracts(Quantity::contracts(1)),
        lifetime: Lifetime::Immediate,
        purpose: Purpose::Enter,
        at: Timestamp::from_secs(1_000),
    }
}

#[test]
fn an_order_without_a_name_was_never_sent() {
    let (mut desk, _) = desk();
    let named = Record::Named { intent: IntentId(1), id: OrderId("id".to_owned()) };
    desk.remember(&[Record::Placed(order(1)), named, Record::Placed(order(2))]);
    let [Report::Order { intent: IntentId(2), evidence: Evidence::Refused(refusal) }] =
        &desk.reports[..]
    else {
        panic!("{:?}", desk.reports)
    };
    assert_eq!(refusal.kind, Refused::NotSent);
}

/// How many calls of each class go out.
fn sent(desk: &mut Desk) -> (usize, usize) {
    let calls = std::mem::take(&mut desk.outgoing);
    let of = |class| calls.iter().filter(|(_, call)| call.class == class).count();
    (of(Class::Cancel), of(Class::Read))
}

#[test]
fn a_cancel_that_waited_too_long_is_made_anew_and_a_question_is_dropped() {
    let since = Timestamp::from_secs(1_000);
    let gateway = crate::venue::paper::Gateway::new(Venue::Kalshi);
    let (gateways, keep) = (vec![Box::new(gateway) as Box<dyn Gateway>], Box::new(Paperless));
    let mut desk = Desk::new(gateways, keep, Rhythm::default(), since);
    let budget = gateway.budget(Class::Cancel).capacity;
    let reads = gateway.budget(Class::Read).capacity;
    for intent in 1..=reads + 5 {
        desk.recall(&order(intent), &OrderId("id".to_owned()));
        if intent <= budget + 2 {
            desk.act(&Act::Cancel(IntentId(intent)), &NoMarkets, since);
        }
        desk.act(&Act::Inquire(IntentId(intent)), &NoMarkets, since);
    }
    let room = |tokens: u64| usize::try_from(tokens).unwrap();
    assert_eq!(sent(&mut desk), (room(budget), room(reads)));
    assert_eq!(desk.cancels(), room(budget) + 2);
    let late = since.after(Duration::from_secs(4));
    desk.tick(&NoMarkets, late);
    let dropped = |(_, text): &(Venue, String)| text.contains("5 questions waited too long");
    assert_eq!(desk.notices.iter().filter(|notice| dropped(notice)).count(), 1);
    desk.tick(&NoMarkets, late.after(Duration::from_millis(50)));
    assert_eq!(sent(&mut desk).0, 2, "cancels are never dropped");
    assert_eq!(desk.notices.iter().filter(|notice| dropped(notice)).count(), 1);
}

/// Whether the desk passes on what a reading says, that it does not find the first order.
fn misses(desk: &mut Desk, at: Timestamp) -> bool {
    desk.reports.clear();
    desk.private(Venue::Kalshi, "missing 1", &NoMarkets, at);
    !desk.reports.is_empty()
}

#[test]
fn an_order_whose_call_can_still_arrive_is_not_declared_gone() {
    let (mut desk, ear) = desk();
    let at = |secs: i64| Timestamp::from_secs(1_000 + secs);
    desk.act(&Act::Place(order(1)), &NoMarkets, at(0));
    desk.dispatch(at(0));
    let [(call, _)] = desk.outgoing[..] else { panic!("{:?}", desk.outgoing) };
    for secs in [6, 8, 9] {
        assert!(!misses(&mut desk, at(secs)), "its call is under way after {secs} s");
    }
    desk.answer(call, &Answer::Lost("no answer in time"), &NoMarkets, at(10));
    assert!(!misses(&mut desk, at(14)), "what was sent may be slow");
    let asked = |ear: &Ear| {
        let about = |question: &Question| *question == Question::Order(IntentId(1));
        std::mem::take(&mut *ear.0.lock().unwrap()).iter().filter(|one| about(one)).count()
    };
    desk.tick(&NoMarkets, at(15));
    assert_eq!(asked(&ear), 0);
    desk.tick(&NoMarkets, at(17));
    desk.tick(&NoMarkets, at(18));
    assert_eq!(asked(&ear), 2, "as soon as an answer proves something");
    assert!(misses(&mut desk, at(17)));
    assert!(misses(&mut desk, at(18)));
}

#[test]
fn an_order_of_an_earlier_process_is_not_declared_gone_at_once() {
    let (mut desk, _) = desk();
    let named = Record::Named { intent: IntentId(1), id: OrderId("id".to_owned()) };
    desk.remember(&[Record::Placed(order(1)), named]);
    let at = |secs: i64| Timestamp::from_secs(1_000 + secs);
    assert!(!misses(&mut desk, at(6)), "it may have been sent as the process ended");
    assert!(!misses(&mut desk, at(15)));
    assert!(misses(&mut desk, at(16)));
}
