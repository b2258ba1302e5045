//! Cancels: which wait, which are made anew, and what counts as one.

use super::*;

/// How many calls of each class go out.
fn sent(desk: &mut Desk) -> (usize, usize) {
    let calls = std::mem::take(&mut desk.outgoing);
    let of = |class| calls.iter().filter(|(_, call)| call.class == class).count();
    (of(Class::Cancel), of(Class::Read))
}

#[test]
fn a_cancel_that_waited_too_long_is_made_anew_and_a_question_is_dropped() {
    let since = Timestamp::from_secs(1_000);
    let gateway = crate::venue::paper::Gateway::new(Venue::Kalshi, Merges::ByVenue);
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

#[test]
fn reads_that_were_too_many_wait_longer_each_time_and_cancels_do_not() {
    let since = Timestamp::from_secs(1_000);
    let merges = Merges::ByVenue;
    let gateway = crate::venue::paper::Gateway::new(Venue::Kalshi, merges);
    let (gateways, keep) = (vec![Box::new(gateway) as Box<dyn Gateway>], Box::new(Paperless));
    let mut desk = Desk::new(gateways, keep, Rhythm::default(), since);
    desk.recall(&order(1), &OrderId("id".to_owned()));
    let mut now = since;
    let mut last = Duration::ZERO;
    for told in [None, None, None, Some(Duration::from_secs(20))] {
        desk.act(&Act::Inquire(IntentId(1)), &NoMarkets, now);
        let (id, _) = desk.outgoing.pop().unwrap();
        let limited = Answer::Reply { status: 429, retry_after: told, headers: &[], body: "" };
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

#[test]
fn an_order_that_is_looked_for_to_be_cancelled_counts_as_a_cancel_until_it_is() {
    let (mut desk, ear) = desk();
    let now = Timestamp::from_secs(1_000);
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
    let made = || ear.cancels.lock().unwrap()[0];
    let before = made();
    desk.tick(&NoMarkets, now.after(Duration::from_secs(4)));
    assert_eq!(made() - before, waiting);
    assert_eq!(desk.cancels(), 19, "none is dropped");
}

#[test]
fn what_is_only_charged_like_a_cancel_is_none_and_one_of_everything_is_never_dropped() {
    let (mut desk, ear) = desk();
    let now = Timestamp::from_secs(1_000);
    desk.private(Venue::Kalshi, "beat", &NoMarkets, now);
    assert_eq!((desk.pending(), desk.cancels()), (1, 0), "an end waits for no sign of life");
    // The budget of cancels is used up.
    for _ in 0..12 {
        desk.cancel_everything(Venue::Kalshi, &NoMarkets, now).unwrap();
    }
    let waiting = desk.pending() - desk.outgoing.len();
    assert!(waiting > 0);
    assert_eq!(desk.cancels(), 12);
    desk.tick(&NoMarkets, now.after(Duration::from_secs(4)));
    desk.tick(&NoMarkets, now.after(Duration::from_secs(5)));
    assert_eq!(ear.cancels.lock().unwrap()[1], 12 + waiting, "made anew");
    for (id, _) in std::mem::take(&mut desk.outgoing) {
        desk.answer(id, &Answer::Lost("cut"), &NoMarkets, now.after(Duration::from_secs(5)));
    }
    assert_eq!(desk.cancels(), 0);
}
