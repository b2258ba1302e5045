use std::time::Duration;

use super::*;

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn contracts(count: u32) -> Quantity {
    Quantity::contracts(count)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// YES bid 0.41 x 120, YES ask 0.43 x 75.
fn whole_book() -> Book {
    let mut book = Book::new();
    book.begin(Lane(0), 0);
    book.set(Side::Bid, price("0.41"), contracts(120), at(1));
    book.set(Side::Bid, price("0.40"), contracts(55), at(1));
    book.set(Side::Ask, price("0.43"), contracts(75), at(1));
    book.end(at(1));
    book
}

#[test]
fn no_is_the_mirror_of_yes() {
    let book = whole_book();
    let yes = book.best_offer(Outcome::Yes).unwrap();
    let no = book.best_offer(Outcome::No).unwrap();
    assert_eq!((yes.price, yes.quantity), (price("0.43"), contracts(75)));
    assert_eq!((no.price, no.quantity), (price("0.59"), contracts(120)));
}

#[test]
fn a_change_below_zero_loses_the_book() {
    let mut book = whole_book();
    book.change(Side::Bid, price("0.41"), Change::parse("-120").unwrap(), at(2));
    assert_eq!(book.bids().best().unwrap().price, price("0.40"));
    assert_eq!(book.health(), Health::Whole);
    book.change(Side::Bid, price("0.39"), Change::parse("-1").unwrap(), at(3));
    assert_eq!(book.health(), Health::Lost { why: Loss::Broken, since: at(3) });
}

#[test]
fn a_batch_is_open_until_the_book_agrees_with_the_announced_best() {
    let mut book = whole_book();
    // A sale takes the whole bid at 0.41 and its rest stands at 0.41 on the ask side.
    book.announce(Some(price("0.40")), Some(price("0.41")), at(5));
    assert_eq!(book.batch_open_since(), Some(at(5)));
    book.set(Side::Ask, price("0.41"), contracts(9), at(5));
    assert_eq!(book.crossed_since(), Some(at(5)), "locked inside the batch");
    assert!(book.batch_open_since().is_some());
    book.announce(Some(price("0.40")), Some(price("0.41")), at(6));
    assert_eq!(book.batch_open_since(), Some(at(5)), "still open since the first frame");
    book.set(Side::Bid, price("0.41"), Quantity::ZERO, at(6));
    assert_eq!(book.batch_open_since(), None);
    assert_eq!(book.crossed_since(), None);
}

#[test]
fn a_reading_confirms_and_two_refute() {
    let mut book = whole_book();
    book.stamp(0, Some(at(100)));
    let same = Reading {
        market: crate::domain::MarketIndex(0),
        source: Some(at(100)),
        checksum: book.checksum(),
    };
    book.read(&same, at(200));
    assert_eq!(book.proven(), at(200));
    let old = Reading { source: Some(at(99)), checksum: 1, ..same };
    book.read(&old, at(300));
    book.read(&old, at(301));
    assert_eq!(book.health(), Health::Whole, "a reading older than the newest frame says nothing");
    let other = Reading { source: Some(at(400)), checksum: 1, ..same };
    book.read(&other, at(400));
    assert_eq!(book.health(), Health::Whole, "a frame may be on its way");
    assert_eq!(book.proven(), at(200), "and it is no proof");
    let later = at(400).after(Duration::from_secs(2));
    book.read(&other, later);
    assert_eq!(book.health(), Health::Lost { why: Loss::Refuted, since: later });
}

/// What a reading shows that was taken when the given size rested at 0.42.
fn reading(source: i64, size: u32) -> Reading {
    let mut there = whole_book();
    there.set(Side::Bid, price("0.42"), contracts(size), at(0));
    let (market, source) = (crate::domain::MarketIndex(0), Some(at(source)));
    Reading { market, source, checksum: there.checksum() }
}

fn frame(book: &mut Book, source: i64, size: u32, now: Timestamp) {
    book.set(Side::Bid, price("0.42"), contracts(size), now);
    book.overtake(Some(at(source)), now);
    book.stamp(0, Some(at(source)));
}

#[test]
fn readings_that_outrun_their_frames_do_not_refute() {
    let mut book = whole_book();
    let mut now = at(0);
    for round in 1..=9 {
        now = now.after(Duration::from_secs(2));
        let size = u32::try_from(round).unwrap();
        book.read(&reading(round * 10, size), now);
        frame(&mut book, round * 10, size, now.after(Duration::from_millis(20)));
        frame(&mut book, round * 10 + 1, size + 50, now.after(Duration::from_millis(70)));
        assert_eq!(book.health(), Health::Whole, "round {round}");
    }
}

#[test]
fn a_busy_book_that_missed_a_frame_is_refuted_by_two_readings() {
    let mut book = whole_book();
    frame(&mut book, 1, 5, at(1));
    // Another level than 0.42 differs: no later frame mends it.
    book.set(Side::Bid, price("0.30"), contracts(7), at(1));
    for round in 1..=2 {
        let sizes = [10, 20].map(|part| u32::try_from(round * 100 + part).unwrap());
        book.read(&reading(round * 10, sizes[0]), at(round * 1_000));
        assert_eq!(book.health(), Health::Whole, "round {round}");
        frame(&mut book, round * 10, sizes[0], at(round * 1_000 + 1));
        assert_eq!(book.health(), Health::Whole, "the rest of the batch may follow");
        frame(&mut book, round * 10 + 1, sizes[1], at(round * 1_000 + 2));
    }
    assert_eq!(book.health(), Health::Lost { why: Loss::Refuted, since: at(2_002) });
}

#[test]
fn a_lost_book_comes_back_with_its_next_image_only() {
    let mut book = whole_book();
    book.lose(Loss::Gap, at(10));
    book.set(Side::Bid, price("0.42"), contracts(1), at(11));
    book.prove(at(12));
    assert_eq!(book.health(), Health::Lost { why: Loss::Gap, since: at(10) });
    assert_eq!(book.proven(), at(1));
    book.begin(Lane(0), 1);
    assert_eq!(book.bids().depth(), 0, "nothing of the old book is left");
    book.end(at(20));
    assert_eq!(book.health(), Health::Whole);
    assert_eq!(book.proven(), at(20));
}

#[test]
fn an_empty_announced_side_is_met_by_an_empty_ladder() {
    let mut book = whole_book();
    book.announce(Some(price("0.41")), None, at(5));
    assert!(book.batch_open_since().is_some());
    book.set(Side::Ask, price("0.43"), Quantity::ZERO, at(5));
    assert_eq!(book.batch_open_since(), None);
}

#[test]
fn an_announcement_before_the_image_opens_no_batch() {
    let mut book = Book::new();
    book.announce(Some(price("0.50")), None, at(1));
    assert_eq!(book.batch_open_since(), None, "nothing has come yet");
    let mut book = whole_book();
    book.lose(Loss::Gap, at(2));
    book.announce(Some(price("0.50")), None, at(3));
    assert_eq!(book.batch_open_since(), None, "the book is lost");
    book.begin(Lane(0), 0);
    book.announce(Some(price("0.50")), None, at(4));
    book.end(at(4));
    assert_eq!((book.health(), book.batch_open_since()), (Health::Whole, None));
}

#[test]
fn a_clock_that_steps_back_leaves_no_proof_in_the_future() {
    let mut book = whole_book();
    book.prove(at(60_000));
    book.prove(at(1_000));
    assert_eq!(book.proven(), at(1_000));
}
