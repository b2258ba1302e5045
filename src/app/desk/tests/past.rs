//! Since when the past is asked for.

use super::*;

/// From when on fills and payments were asked for since this was last looked at.
fn since(ear: &Ear) -> [Option<Timestamp>; 2] {
    let mut since = [None; 2];
    for question in ear.heard() {
        match question {
            Question::Fills(from) => since[0] = Some(from),
            Question::Settlements(from) => since[1] = Some(from),
            _ => {}
        }
    }
    since
}

#[test]
fn a_listing_is_read_again_from_where_it_was_last_whole_whatever_else_was_answered() {
    let (mut desk, ear) = desk();
    let start = Timestamp::from_secs(1_000);
    let Rhythm { overlap, reconcile_every, .. } = Rhythm::default();
    let mut now = start;
    for _ in 0..30 {
        desk.tick(&NoMarkets, now);
        let asked = since(&ear);
        assert_eq!(asked, [Some(start.before(overlap)); 2], "ten minutes without a whole listing");
        desk.private(Venue::Kalshi, "positions", &NoMarkets, now);
        now = now.after(reconcile_every);
    }
    desk.private(Venue::Kalshi, "fills", &NoMarkets, now);
    desk.tick(&NoMarkets, now);
    assert_eq!(since(&ear), [Some(now.before(overlap)), Some(start.before(overlap))]);
    let later = now.after(reconcile_every);
    desk.private(Venue::Kalshi, "payments", &NoMarkets, later);
    desk.tick(&NoMarkets, later);
    assert_eq!(since(&ear), [Some(now.before(overlap)), Some(later.before(overlap))]);
}

#[test]
fn a_reading_that_was_too_much_for_the_venue_is_due_again_as_soon_as_it_may_be_asked() {
    let (mut desk, ear) = desk();
    let start = Timestamp::from_secs(1_000);
    desk.tick(&NoMarkets, start);
    assert_eq!(since(&ear).iter().flatten().count(), 2);
    desk.private(Venue::Kalshi, "page", &NoMarkets, start);
    let (id, _) = desk.outgoing.pop().unwrap();
    let limited = Answer::Reply { status: 429, retry_after: None, headers: &[], body: "" };
    desk.answer(id, &limited, &NoMarkets, start);
    desk.tick(&NoMarkets, start.after(Duration::from_millis(200)));
    assert_eq!(since(&ear), [None; 2], "it is held back");
    desk.tick(&NoMarkets, start.after(Duration::from_secs(2)));
    assert_eq!(since(&ear).iter().flatten().count(), 2);
}

#[test]
fn a_question_that_was_begun_is_asked_to_its_end_before_another_one_begins() {
    let (mut desk, ear) = desk();
    let now = Timestamp::from_secs(1_000);
    let budget = ear.budget(Class::Read).capacity / 20;
    for market in 0..u32::try_from(budget).unwrap() + 3 {
        let (venue, market) = (Venue::Kalshi, MarketIndex(market));
        desk.act(&Act::Review { venue, market }, &NoMarkets, now);
    }
    desk.private(Venue::Kalshi, "page", &NoMarkets, now);
    desk.outgoing.clear();
    desk.tick(&NoMarkets, now.after(Duration::from_millis(200)));
    let asked = desk.outgoing.iter().map(|(_, call)| call.subject.clone());
    let asked: Vec<Subject> = asked.collect();
    assert_eq!(asked[0], Subject::Other("page", String::new()), "{asked:?}");
}

#[test]
fn a_reading_of_which_a_part_waited_too_long_is_due_again() {
    let (mut desk, ear) = desk();
    let start = Timestamp::from_secs(1_000);
    desk.tick(&NoMarkets, start);
    assert_eq!(since(&ear).iter().flatten().count(), 2);
    let budget = ear.budget(Class::Read).capacity;
    for _ in 0..=budget / 20 {
        desk.private(Venue::Kalshi, "page", &NoMarkets, start);
    }
    let late = start.after(Duration::from_secs(4));
    desk.tick(&NoMarkets, late);
    assert_eq!(since(&ear), [None; 2]);
    assert!(desk.notices.iter().any(|(_, text)| text.starts_with("1 question")));
    desk.tick(&NoMarkets, late.after(Duration::from_secs(1)));
    assert_eq!(since(&ear), [None; 2], "others have their turn");
    desk.tick(&NoMarkets, late.after(Duration::from_secs(2)));
    assert_eq!(since(&ear).iter().flatten().count(), 2);
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
    assert_eq!(since(&ear), [Some(at(-9_000).before(overlap)); 2], "nothing is known to be read");
    let mark = |listing, secs| Mark { venue: Venue::Kalshi, listing, until: at(secs) };
    desk.resume_from(&[mark(Listing::Fills, -600), mark(Listing::Settlements, -700)]);
    desk.tick(&NoMarkets, at(30));
    assert_eq!(since(&ear), [Some(at(-600).before(overlap)), Some(at(-700).before(overlap))]);
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
        since(&ear)[1]
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
