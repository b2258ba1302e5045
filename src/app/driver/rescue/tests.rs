//! A panic while an order is open.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;

use super::fault;
use crate::app::desk::{Desk, Rhythm};
use crate::app::driver::{self, Parts, Settle};
use crate::app::input::FeedSource;
use crate::app::pipeline::Pipeline;
use crate::app::report::{Reporter, Style};
use crate::app::shutdown::{self, Stop};
use crate::app::sources::engine_settings;
use crate::app::trading::engine_trading;
use crate::app::transcript::Transcript;
use crate::app::{clock, settings};
use crate::book::Lane;
use crate::domain::{
    Action, IntentId, Lifetime, MarketIndex, Order, OrderId, Outcome, Price, Purpose, Quantity,
    Size, Timestamp, TradeId, Venue,
};
use crate::execute::{Record, Scope};
use crate::journal::{Durability, Journal};
use crate::venue::gateway::{
    Answer, Call, Class, Conversion, Gateway, Markets, Question, Subject, Taken,
};
use crate::venue::{Error, Feed, Output};

/// A venue that keeps which orders are taken back. Its address is nobody's.
#[derive(Debug, Default, Clone)]
struct Venued(Arc<Mutex<Vec<IntentId>>>);

impl Gateway for Venued {
    fn venue(&self) -> Venue {
        Venue::Kalshi
    }

    fn place(
        &mut self,
        _: &Order,
        _: &dyn Markets,
        _: Timestamp,
    ) -> Result<(OrderId, Call), Error> {
        unreachable!("nothing is placed here")
    }

    fn recall(&mut self, _: &Order, _: &OrderId) {}

    fn forget(&mut self, _: IntentId) {}

    fn cancel(&mut self, intent: IntentId, _: &dyn Markets, _: Timestamp) -> Result<Call, Error> {
        self.0.lock().unwrap().push(intent);
        Ok(Call {
            venue: Venue::Kalshi,
            subject: Subject::Cancel(intent),
            class: Class::Cancel,
            cost: 1,
            method: "DELETE",
            url: "http://127.0.0.1:9/order".to_owned(),
            headers: Vec::new(),
            body: None,
        })
    }

    fn ask(&mut self, _: &Question, _: &dyn Markets, _: Timestamp) -> Result<Vec<Call>, Error> {
        Ok(Vec::new())
    }

    fn convert(&mut self, _: Conversion, _: &dyn Markets, _: Timestamp, _: &mut Taken) {}

    fn read(&mut self, _: &Call, _: &Answer<'_>, _: &dyn Markets, _: Timestamp, _: &mut Taken) {}

    fn read_private(&mut self, _: &str, _: &dyn Markets, _: Timestamp, _: &mut Taken) {}

    fn tick(&mut self, _: Timestamp, _: &mut Taken) {}
}

struct NoFeeds;

impl FeedSource for NoFeeds {
    fn feed(&self, _: Venue, _: Lane) -> Box<dyn Feed> {
        unreachable!("nothing is watched here")
    }

    fn markets_per_lane(&self, _: Venue) -> usize {
        1
    }

    fn books(
        &self,
        _: Venue,
        _: &str,
        _: &dyn Fn(&str) -> Option<(MarketIndex, Lane)>,
        _: &mut Output,
    ) {
    }
}

fn order(market: MarketIndex) -> Order {
    Order {
        intent: IntentId(1),
        trade: TradeId(1),
        venue: Venue::Kalshi,
        market,
        outcome: Outcome::Yes,
        action: Action::Buy,
        limit: Price::parse("0.50").unwrap(),
        size: Size::Contracts(Quantity::contracts(1)),
        lifetime: Lifetime::Immediate,
        purpose: Purpose::Enter,
        at: clock::now(),
    }
}

#[test]
fn a_panic_cancels_own_orders_halts_for_good_and_ends_as_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let (journal, _) = Journal::open(&path, Durability::Process).unwrap();
    let settings = settings::defaults().unwrap();
    let venue = Venued::default();
    let gateways: Vec<Box<dyn Gateway>> = vec![Box::new(venue.clone())];
    let now = clock::now();
    let desk = Desk::new(gateways, Box::new(journal.clone()), Rhythm::default(), now);
    let today = clock::today();
    let mut pipeline = Pipeline::new(engine_settings(&settings), Box::new(NoFeeds), today);
    pipeline.open_desk(desk, Vec::new());
    let market = pipeline.intern(Venue::Kalshi, "KXA");
    let named = Record::Named { intent: IntentId(1), id: OrderId("id".to_owned()) };
    let history = [Record::Placed(order(market)), named];
    let reconcile = settings.trade.reconcile.clone();
    pipeline.begin_trading(engine_trading(&settings), reconcile, &history, now);

    let (loads, _loads) = mpsc::channel(16);
    let (_messages, received) = mpsc::channel(16);
    let (_stopper, stopping) = shutdown::channel();
    let parts = Parts {
        pipeline,
        reporter: Reporter::start(Style::Json).unwrap(),
        recorder: None,
        transcript: Transcript::default(),
        messages: received,
        loads,
        ids: [Arc::default(), Arc::default()],
        refresh: Duration::from_secs(600),
        is_awake: false,
        settle: Settle::NONE,
        paper: None,
        control: None,
        stopping,
    };
    fault::order(2);
    let finished = driver::run(parts, &[]).unwrap();
    assert_eq!(finished.stop, Stop::Killed, "exit 3");
    assert_eq!(*venue.0.lock().unwrap(), [IntentId(1)]);
    drop((finished, journal));

    let (_journal, replay) = Journal::open(&path, Durability::Process).unwrap();
    let records: Vec<Record> =
        replay.records(|_, _| MarketIndex(0)).collect::<Result<_, _>>().unwrap();
    let is_halt = |one: &Record| matches!(one, Record::Halted { scope: Scope::All, .. });
    assert!(records.iter().any(is_halt), "whoever starts it again does not trade at once");
    let incident = records.iter().find_map(|one| match one {
        Record::Incident { kind: "engine_failed", text, .. } => Some(text),
        _ => None,
    });
    let text = incident.unwrap();
    assert!(text.contains("a test ordered this") && text.contains("held: nothing"), "{text}");
}
