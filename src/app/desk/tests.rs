//! What a desk is tested with: venues that hear and grant what they are told to, and journals.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::domain::report::{Listing, Refused};
use crate::domain::{
    Action, Evidence, Lifetime, Market, Money, Order, OrderId, Outcome, Price, Purpose, Quantity,
    Size, TradeId,
};
use crate::venue::Error;
use crate::venue::gateway::{Budget, Left};
use crate::venue::paper::Merges;

mod budget;
mod flatten;
mod past;
mod placing;
mod overflow;
mod talk;
mod withdrawal;

/// A venue's gateway that keeps what it is asked. It has to look for an order before it can cancel
/// it: two reads, then the cancel.
#[derive(Debug, Clone)]
struct Ear {
    venue: Venue,
    /// How many orders it grants at once and a second, where that is not as usual.
    grants: Arc<Mutex<Option<u64>>>,
    /// What the next answer says is left.
    left: Arc<Mutex<Option<Left>>>,
    heard: Arc<Mutex<Vec<Question>>>,
    /// How often it was to cancel an order, and how often all.
    cancels: Arc<Mutex<[usize; 2]>>,
}

/// A market that the ear knows nothing of.
const UNKNOWN: MarketIndex = MarketIndex(u32::MAX);

impl Ear {
    fn new(venue: Venue) -> Self {
        let (grants, left) = (Arc::default(), Arc::default());
        Self { venue, grants, left, heard: Arc::default(), cancels: Arc::default() }
    }

    /// What was asked since this was last looked at.
    fn heard(&self) -> Vec<Question> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }

    fn call(&self, subject: Subject, class: Class, cost: u32) -> Call {
        Call {
            venue: self.venue,
            subject,
            class,
            cost,
            method: "POST",
            url: "http://127.0.0.1:9/orders".to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    fn seek(&self, intent: IntentId, step: u64) -> Call {
        self.call(Subject::Seek(intent, step), Class::Read, 20)
    }
}

impl Gateway for Ear {
    fn venue(&self) -> Venue {
        self.venue
    }

    fn budget(&self, class: Class) -> Budget {
        match *self.grants.lock().unwrap() {
            Some(grants) => Budget { capacity: grants, refill_per_s: grants },
            None => crate::venue::paper::Gateway::new(self.venue, Merges::ByVenue).budget(class),
        }
    }

    fn place(
        &mut self,
        order: &Order,
        _: &dyn Markets,
        _: Timestamp,
    ) -> Result<(OrderId, Call), Error> {
        if order.market == UNKNOWN {
            let what = "an order in a market that is not known".to_owned();
            let (venue, text) = (self.venue, String::new());
            return Err(Error::Refused { venue, what, status: 0, text });
        }
        let call = self.call(Subject::Place(order.intent), Class::Order, 1);
        Ok((OrderId(format!("name-{}", order.intent.0)), call))
    }

    fn recall(&mut self, _: &Order, _: &OrderId) {}

    fn forget(&mut self, _: IntentId) {}

    fn cancel(&mut self, intent: IntentId, _: &dyn Markets, _: Timestamp) -> Result<Call, Error> {
        self.cancels.lock().unwrap()[0] += 1;
        Ok(self.seek(intent, 1))
    }

    fn cancel_everything(&mut self, _: Timestamp) -> Result<Call, Error> {
        self.cancels.lock().unwrap()[1] += 1;
        Ok(self.call(Subject::Everything, Class::Cancel, 2))
    }

    fn ask(
        &mut self,
        question: &Question,
        _: &dyn Markets,
        _: Timestamp,
    ) -> Result<Vec<Call>, Error> {
        self.heard.lock().unwrap().push(question.clone());
        let Question::Market(market) = question else { return Ok(Vec::new()) };
        let subject = Subject::Other("market", market.0.to_string());
        Ok(vec![self.call(subject, Class::Read, 20)])
    }

    fn convert(&mut self, _: Conversion, _: &dyn Markets, _: Timestamp, _: &mut Taken) {}

    fn read(
        &mut self,
        call: &Call,
        _: &Answer<'_>,
        _: &dyn Markets,
        _: Timestamp,
        taken: &mut Taken,
    ) {
        taken.left = self.left.lock().unwrap().take();
        match call.subject {
            Subject::Seek(intent, 1) => taken.calls.push(self.seek(intent, 2)),
            Subject::Seek(intent, _) => {
                taken.calls.push(self.call(Subject::Cancel(intent), Class::Cancel, 2));
            }
            _ => {}
        }
    }

    /// A frame `missing N` is a reading that does not find order N, `fills` and `payments` are
    /// whole listings, `page` has more to read, `beat` wants a sign of life, every other frame is a
    /// reading of all positions; all are made as they come in.
    fn read_private(&mut self, text: &str, _: &dyn Markets, now: Timestamp, taken: &mut Taken) {
        match text.split_once(' ') {
            Some((_, intent)) => {
                let intent = IntentId(intent.parse().unwrap());
                let evidence = Evidence::NotFound { as_of: now };
                taken.reports.push(Report::Order { intent, evidence });
            }
            None if text == "fills" => taken.whole.push((Listing::Fills, now)),
            None if text == "payments" => taken.whole.push((Listing::Settlements, now)),
            None if text == "page" => {
                let subject = Subject::Other("page", String::new());
                taken.calls.push(self.call(subject, Class::Read, 20));
            }
            None if text == "beat" => {
                let subject = Subject::Other("heartbeat", String::new());
                taken.calls.push(self.call(subject, Class::Cancel, 1));
            }
            None => {
                let (venue, positions) = (self.venue, Vec::new());
                taken.reports.push(Report::Positions { venue, positions, as_of: now });
            }
        }
    }

    fn tick(&mut self, _: Timestamp, _: &mut Taken) {}
}

/// A journal that keeps a word about everything.
#[derive(Debug, Clone, Default)]
struct Pad(Arc<Mutex<Vec<String>>>);

impl Pad {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl Keep for Pad {
    fn append(&mut self, records: &[Record]) -> Result<(), String> {
        records.iter().for_each(|_| self.note("record".to_owned()));
        Ok(())
    }

    fn commit(&mut self, _: &[Record]) -> Result<(), String> {
        self.note("commit".to_owned());
        Ok(())
    }

    fn probe(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn mark(&mut self, mark: Mark) {
        self.note(format!("{} until {}", mark.listing.name(), mark.until));
    }

    fn note_requests(&mut self, requests: Vec<Request>) {
        for Request { kind, number, intent, .. } in requests {
            self.note(format!("{kind} {number} of {}", intent.unwrap()));
        }
    }

    fn note_reply(&mut self, reply: Reply) {
        let status = reply.status.map_or("-".to_owned(), |status| status.to_string());
        self.note(format!("{}: {status} {}", reply.request, reply.body));
    }
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

/// A desk with one venue, that began a thousand seconds after the epoch.
fn desk() -> (Desk, Ear) {
    let ear = Ear::new(Venue::Kalshi);
    (desk_of(vec![Box::new(ear.clone())]), ear)
}

fn desk_of(gateways: Vec<Box<dyn Gateway>>) -> Desk {
    let since = Timestamp::from_secs(1_000);
    Desk::new(gateways, Box::new(Paperless), Rhythm::default(), since)
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
