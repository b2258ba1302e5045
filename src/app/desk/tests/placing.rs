//! Which orders were sent, and which may still arrive.

use super::*;

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
        let about = |question: &&Question| **question == Question::Order(IntentId(1));
        ear.heard().iter().filter(about).count()
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
