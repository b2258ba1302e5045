//! What is asked anew, and what was never sent.

use crate::domain::report::Refused;
use crate::domain::{Evidence, Order};
use std::sync::{Arc, Mutex};

use super::*;
use crate::domain::{
    Action, Lifetime, Market, Money, OrderId, Outcome, Price, Purpose, Quantity, Size, TradeId,
};
use crate::venue::Error;

mod together;

/// A venue's gateway that keeps what it is asked.
#[derive(Debug, Clone, Default)]
struct Ear(Arc<Mutex<Vec<Question>>>);

impl Ear {
    /// From when on fills and payments were asked for since this was last looked at.
    fn since(&self) -> [Option<Timestamp>; 2] {
        let mut since = [None; 2];
        for question in std::mem::take(&mut *self.0.lock().unwrap()) {
            match question {
                Question::Fills(from) => since[0] = Some(from),
                Question::Settlements(from) => since[1] = Some(from),
                _ => {}
            }
        }
        since
    }
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

    /// A frame `missing N` is a reading that does not find order N, `fills` and `payments` are
    /// whole listings, every other frame a reading of all positions; all are made as they come in.
    fn read_private(&mut self, text: &str, _: &dyn Markets, now: Timestamp, taken: &mut Taken) {
        match text.split_once(' ') {
            Some((_, intent)) => {
                let intent = IntentId(intent.parse().unwrap());
                let evidence = Evidence::NotFound { as_of: now };
                taken.reports.push(Report::Order { intent, evidence });
            }
            None if text == "fills" => taken.whole.push((Listing::Fills, now)),
            None if text == "payments" => taken.whole.push((Listing::Settlements, now)),
            None => {
                let (venue, positions) = (Venue::Kalshi, Vec::new());
                taken.reports.push(Report::Positions { venue, positions, as_of: now });
            }
        }
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
fn a_listing_is_read_again_from_where_it_was_last_whole_whatever_else_was_answered() {
    let (mut desk, ear) = desk();
    let start = Timestamp::from_secs(1_000);
    let Rhythm { overlap, reconcile_every, .. } = Rhythm::default();
    let mut now = start;
    for _ in 0..30 {
        desk.tick(&NoMarkets, now);
        let asked = ear.since();
        assert_eq!(asked, [Some(start.before(overlap)); 2], "ten minutes without a whole listing");
        desk.private(Venue::Kalshi, "positions", &NoMarkets, now);
        now = now.after(reconcile_every);
    }
    desk.private(Venue::Kalshi, "fills", &NoMarkets, now);
    desk.tick(&NoMarkets, now);
    assert_eq!(ear.since(), [Some(now.before(overlap)), Some(start.before(overlap))]);
    let later = now.after(reconcile_every);
    desk.private(Venue::Kalshi, "payments", &NoMarkets, later);
    desk.tick(&NoMarkets, later);
    assert_eq!(ear.since(), [Some(now.before(overlap)), Some(later.before(overlap))]);
}

#[test]
fn a_restart_reads_on_from_the_last_whole_listing_and_not_from_the_last_news() {
    let (mut desk, ear) = desk();
    let at = |secs: i64| Timestamp::from_secs(1_000 + secs);
    let news = |secs| {
        let permission = Permission::Open;
        let report = Report::Permission { venue: Venue::Kalshi, permission };
        Record::Reported { report, at: at(secs) }
    };
    let overlap = Rhythm::default().overlap;
    desk.remember(&[news(-9_000), news(-10)]);
    desk.tick(&NoMarkets, at(0));
    assert_eq!(ear.since(), [Some(at(-9_000).before(overlap)); 2], "nothing is known to be read");
    let mark = |listing, secs| Mark { venue: Venue::Kalshi, listing, until: at(secs) };
    desk.resume_from(&[mark(Listing::Fills, -600), mark(Listing::Settlements, -700)]);
    desk.tick(&NoMarkets, at(30));
    assert_eq!(ear.since(), [Some(at(-600).before(overlap)), Some(at(-700).before(overlap))]);
}

#[test]
fn a_payment_that_is_listed_late_is_found() {
    let (mut desk, ear) = desk();
    let Rhythm { overlap, payments_every, .. } = Rhythm::default();
    let bought = Timestamp::from_secs(1_000);
    desk.remember(&[Record::Placed(order(1))]);
    let mut now = bought.after(Duration::from_hours(5));
    desk.private(Venue::Kalshi, "payments", &NoMarkets, now);
    let asked = |desk: &mut Desk, now| {
        desk.tick(&NoMarkets, now);
        ear.since()[1]
    };
    assert_eq!(asked(&mut desk, now), Some(bought.before(overlap)), "it may bear an old date");
    let read = now;
    now = now.after(Duration::from_secs(30));
    assert_eq!(asked(&mut desk, now), Some(read.before(overlap)));
    now = now.after(payments_every);
    assert_eq!(asked(&mut desk, now), Some(bought.before(overlap)));
    let report = Report::Settled {
        venue: Venue::Kalshi,
        market: Some(MarketIndex(0)),
        id: "KX".to_owned(),
        yes_pays: Money::ZERO,
        paid: Money::ZERO,
        at: now,
    };
    desk.act(&Act::Write(Record::Reported { report, at: now }), &NoMarkets, now);
    now = now.after(payments_every);
    assert_eq!(asked(&mut desk, now), Some(read.before(overlap)), "all that was bought has paid");
}

#[test]
fn a_mark_is_kept_behind_what_its_listing_told() {
    let (mut desk, _) = desk();
    let pad = Pad::default();
    desk.keep = Box::new(pad.clone());
    let now = Timestamp::from_secs(2_000);
    desk.private(Venue::Kalshi, "fills", &NoMarkets, now);
    assert!(pad.lines().is_empty(), "what was told may not be written yet");
    desk.act(&Act::Write(Record::Placed(order(1))), &NoMarkets, now);
    desk.tick(&NoMarkets, now);
    assert_eq!(pad.lines(), ["record", "fills until 1970-01-01T00:33:20.000000Z"]);
}

#[test]
fn what_was_asked_and_answered_is_kept_after_it_was_sent() {
    let (mut desk, _) = desk();
    let pad = Pad::default();
    desk.keep = Box::new(pad.clone());
    let now = Timestamp::from_secs(1_000);
    for intent in [1, 2] {
        desk.act(&Act::Place(order(intent)), &NoMarkets, now);
        desk.dispatch(now);
    }
    assert_eq!(pad.lines(), ["record", "record", "commit", "record", "record", "commit"]);
    let ids: Vec<CallId> = desk.outgoing.drain(..).map(|(id, _)| id).collect();
    let answer = Answer::Reply { status: 201, retry_after: None, body: "{}" };
    desk.answer(ids[0], &answer, &NoMarkets, now);
    desk.tick(&NoMarkets, now);
    desk.answer(ids[1], &Answer::Lost("cut"), &NoMarkets, now);
    assert_eq!(
        pad.lines()[6..],
        ["place 1 of int-000001", "place 2 of int-000002", "1: 201 {}", "2: - no answer: cut"]
    );
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
    let gateway =
        crate::venue::paper::Gateway::new(Venue::Kalshi, crate::venue::paper::Merges::ByVenue);
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
    desk.take_back(&NoMarkets, since);
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

/// What breaks a journal, and what mends it.
type Trouble = (Box<dyn Keep>, Box<dyn FnMut()>, &'static str);

fn troubles(folder: &std::path::Path) -> Vec<Trouble> {
    use crate::journal::memory::{Disk, Memory};
    use crate::journal::{Durability, Error};
    let disk = Disk::new();
    let (memory, _) = Memory::open(&disk, crate::domain::Instance([7; 16]));
    memory.learn(MarketIndex(0), Venue::Kalshi, "KX");
    disk.fail(Some(Error::DiskFull));
    let mend = move || disk.fail(None);
    let mut troubles: Vec<Trouble> = vec![(Box::new(memory), Box::new(mend), "full")];
    for (name, backlog, text) in [("locked.db", 0, "confirm"), ("queue.db", 20_000, "queue")] {
        let path = folder.join(name);
        let (journal, _) = crate::journal::Journal::open(&path, Durability::Process).unwrap();
        journal.learn(MarketIndex(0), Venue::Kalshi, "KX");
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let names = |intent| Record::Named { intent: IntentId(intent), id: OrderId(String::new()) };
        let backlog: Vec<Record> = (1_000..1_000 + backlog).map(names).collect();
        let _ = journal.append(&backlog);
        let mend = move || drop(other.execute_batch("ROLLBACK"));
        troubles.push((Box::new(journal), Box::new(mend), text));
    }
    troubles
}

#[test]
fn a_journal_that_cannot_be_written_stops_orders_and_holds_up_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for (keep, mut mend, text) in troubles(folder.path()) {
        let (mut desk, _) = desk();
        desk.keep = keep;
        let now = Timestamp::from_secs(1_000);
        let begun = std::time::Instant::now();
        for intent in 1..=5 {
            desk.act(&Act::Place(order(intent)), &NoMarkets, now);
            desk.dispatch(now);
            desk.tick(&NoMarkets, now);
            desk.private(Venue::Kalshi, "positions", &NoMarkets, now);
        }
        assert!(begun.elapsed() < Duration::from_millis(250), "{text}: {:?}", begun.elapsed());
        assert!(desk.outgoing.is_empty(), "{text}");
        let is_news = |report: &&Report| matches!(report, Report::Positions { .. });
        assert_eq!(desk.reports.iter().filter(is_news).count(), 5, "{text}");
        assert_eq!(desk.reports.len(), 10, "{text}: each order was said not to be sent");
        let [Journal::Broken(why)] = &desk.journal_news[..] else {
            panic!("{text}: {:?}", desk.journal_news)
        };
        assert!(why.contains(text), "{why}");
        mend();
        let mut ticks = 0;
        while *desk.journal() != Journal::Whole {
            ticks += 1;
            assert!(ticks < 2_000, "{text}: it is never whole again");
            std::thread::yield_now();
            std::thread::sleep(Duration::from_millis(2));
            desk.tick(&NoMarkets, now);
        }
        assert_eq!(desk.journal_news.last(), Some(&Journal::Whole));
        desk.act(&Act::Place(order(6)), &NoMarkets, now);
        desk.dispatch(now);
        assert_eq!(desk.outgoing.len(), 1, "{text}");
    }
}

#[test]
fn reads_that_were_too_many_wait_longer_each_time_and_cancels_do_not() {
    let since = Timestamp::from_secs(1_000);
    let merges = crate::venue::paper::Merges::ByVenue;
    let gateway = crate::venue::paper::Gateway::new(Venue::Kalshi, merges);
    let (gateways, keep) = (vec![Box::new(gateway) as Box<dyn Gateway>], Box::new(Paperless));
    let mut desk = Desk::new(gateways, keep, Rhythm::default(), since);
    desk.recall(&order(1), &OrderId("id".to_owned()));
    let mut now = since;
    let mut last = Duration::ZERO;
    for told in [None, None, None, Some(Duration::from_secs(20))] {
        desk.act(&Act::Inquire(IntentId(1)), &NoMarkets, now);
        let (id, _) = desk.outgoing.pop().unwrap();
        let limited = Answer::Reply { status: 429, retry_after: told, body: "" };
        desk.answer(id, &limited, &NoMarkets, now);
        desk.outgoing.clear();
        let asked = now;
        desk.act(&Act::Cancel(IntentId(1)), &NoMarkets, now);
        desk.take_back(&NoMarkets, now);
        assert_eq!(sent(&mut desk), (1, 0), "a cancel goes out");
        // Questions wait; each is asked for again by whoever still wants to know.
        while desk.outgoing.iter().all(|(_, call)| call.class != Class::Read) {
            now = now.after(Duration::from_millis(50));
            desk.act(&Act::Inquire(IntentId(1)), &NoMarkets, now);
        }
        let waited = now.since(asked);
        assert!(waited >= told.unwrap_or(last / 2), "{waited:?} after {last:?}");
        assert!(waited >= Duration::from_millis(250), "{waited:?}");
        last = waited;
        let (id, _) = desk.outgoing.pop().unwrap();
        let good = Answer::Lost("no word about the rate");
        desk.answer(id, &good, &NoMarkets, now);
        desk.outgoing.clear();
    }
}

/// A gateway that has to look for an order before it can cancel it: two reads, then the cancel.
#[derive(Debug, Default)]
struct Seeker(Arc<Mutex<u64>>);

impl Seeker {
    fn call(subject: Subject, class: Class) -> Call {
        let (url, headers) = (String::new(), Vec::new());
        let venue = Venue::Kalshi;
        Call { venue, subject, class, cost: 20, method: "GET", url, headers, body: None }
    }
}

impl Gateway for Seeker {
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
        *self.0.lock().unwrap() += 1;
        Ok(Self::call(Subject::Seek(intent, 1), Class::Read))
    }

    fn ask(&mut self, _: &Question, _: &dyn Markets, _: Timestamp) -> Result<Vec<Call>, Error> {
        Ok(Vec::new())
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
        match call.subject {
            Subject::Seek(intent, 1) => {
                taken.calls.push(Self::call(Subject::Seek(intent, 2), Class::Read));
            }
            Subject::Seek(intent, _) => {
                taken.calls.push(Self::call(Subject::Cancel(intent), Class::Cancel));
            }
            _ => {}
        }
    }

    fn read_private(&mut self, _: &str, _: &dyn Markets, _: Timestamp, _: &mut Taken) {}

    fn tick(&mut self, _: Timestamp, _: &mut Taken) {}
}

#[test]
fn an_order_that_is_looked_for_to_be_cancelled_counts_as_a_cancel_until_it_is() {
    let (now, made) = (Timestamp::from_secs(1_000), Arc::new(Mutex::new(0)));
    let gateways: Vec<Box<dyn Gateway>> = vec![Box::new(Seeker(Arc::clone(&made)))];
    let mut desk = Desk::new(gateways, Box::new(Paperless), Rhythm::default(), now);
    desk.recall(&order(1), &OrderId("id".to_owned()));
    desk.act(&Act::Cancel(IntentId(1)), &NoMarkets, now);
    assert_eq!(desk.cancels(), 1, "it counts before it left");
    desk.take_back(&NoMarkets, now);
    for _ in 0..3 {
        assert_eq!(desk.cancels(), 1, "a kill that ends now leaves the order");
        let (id, _) = desk.outgoing.pop().unwrap();
        desk.answer(id, &Answer::Lost("whatever"), &NoMarkets, now);
    }
    assert_eq!(desk.cancels(), 0);
    // The reads of many orders wait for the budget, and are made anew like cancels.
    for intent in 2..=20 {
        desk.recall(&order(intent), &OrderId("id".to_owned()));
        desk.act(&Act::Cancel(IntentId(intent)), &NoMarkets, now);
    }
    desk.take_back(&NoMarkets, now);
    let waiting = desk.cancels() - desk.outgoing.len();
    assert!(waiting > 0, "the budget is used up");
    let before = *made.lock().unwrap();
    desk.tick(&NoMarkets, now.after(Duration::from_secs(4)));
    assert_eq!(*made.lock().unwrap() - before, u64::try_from(waiting).unwrap());
    assert_eq!(desk.cancels(), 19, "none is dropped");
}
