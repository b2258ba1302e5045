//! What is locked and sold early.

use super::*;

#[test]
fn a_locked_pair_is_sold_when_both_books_pay_the_set_gain() {
    let mut early = settings();
    early.plan.exit_gain_min = Some(money("0.03"));
    let mut story = locked(early);
    assert_eq!(story.pass(Duration::from_millis(10)), [], "not for what the books bid now");
    // 0.98 and more than was paid, but less than the dollar that it pays when it settles.
    story.watch.image(KALSHI, &[(Side::Bid, "0.47", "200"), (Side::Ask, "0.48", "200")]);
    story.watch.image(POLYMARKET, &[(Side::Ask, "0.46", "200"), (Side::Bid, "0.45", "200")]);
    story.event(&Event::Drained);
    assert_eq!(story.pass(Duration::from_millis(10)), [], "what is locked is not given up");
    // YES is bid 0.50 on Kalshi, NO 0.56 on Polymarket.
    story.watch.image(KALSHI, &[(Side::Bid, "0.50", "200"), (Side::Ask, "0.51", "200")]);
    story.watch.image(POLYMARKET, &[(Side::Ask, "0.44", "200"), (Side::Bid, "0.43", "200")]);
    story.event(&Event::Drained);
    let first = one(story.pass(Duration::from_millis(10)));
    assert_eq!((first.action, first.purpose), (Action::Sell, Purpose::Exit));
    assert_eq!((first.venue, first.size), (Venue::Polymarket, Size::Contracts(quantity("120"))));
    let second = one(story.fill(&first, "120", "0.56", Finality::Confirmed));
    assert_eq!((second.venue, second.action), (Venue::Kalshi, Action::Sell));
    story.fill(&second, "120", "0.50", Finality::Confirmed);
    assert!(story.trader().executor().state().realised() > money("10"));
    assert_eq!(story.trader().risk().totals().total, Money::ZERO, "nothing is held any more");
}

#[test]
fn an_exit_that_sold_nothing_is_not_tried_again_at_once() {
    let mut early = settings();
    early.plan.exit_gain_min = Some(money("0.03"));
    let mut story = locked(early);
    story.watch.image(KALSHI, &[(Side::Bid, "0.50", "200"), (Side::Ask, "0.51", "200")]);
    story.watch.image(POLYMARKET, &[(Side::Ask, "0.44", "200"), (Side::Bid, "0.43", "200")]);
    story.event(&Event::Drained);
    let first = one(story.pass(Duration::from_millis(10)));
    story.refuse(&first, Refused::Other);
    assert_eq!(story.pass(Duration::from_secs(1)), []);
    assert_eq!(story.pass(Duration::from_secs(9)), []);
}

/// Books that pay for an exit, at this time.
fn worth_selling(story: &mut Story) {
    story.watch.image(KALSHI, &[(Side::Bid, "0.50", "200"), (Side::Ask, "0.51", "200")]);
    story.watch.image(POLYMARKET, &[(Side::Ask, "0.44", "200"), (Side::Bid, "0.43", "200")]);
    story.event(&Event::Drained);
}

#[test]
fn no_exit_is_begun_shortly_before_kalshis_weekly_pause() {
    let mut early = settings();
    early.plan.exit_gain_min = Some(money("0.03"));
    let mut story = locked(early);
    // A Thursday; 03:00 Eastern standard time is 08:00 UTC.
    story.watch.now = Timestamp::parse("2030-11-21T07:59:00Z").unwrap();
    story.introduce_markets();
    worth_selling(&mut story);
    assert_eq!(story.pass(Duration::from_millis(10)), []);
    let index = NoTrade::PauseAhead.index();
    assert!(story.trader().refusals()[index] > 0, "{:?}", story.trader().refusals());
    story.watch.now = Timestamp::parse("2030-11-21T12:00:00Z").unwrap();
    story.introduce_markets();
    worth_selling(&mut story);
    assert_eq!(one(story.pass(Duration::from_millis(10))).purpose, Purpose::Exit);
}

#[test]
fn no_exit_is_begun_when_the_run_is_to_end() {
    let mut early = settings();
    early.plan.exit_gain_min = Some(money("0.03"));
    let mut story = locked(early);
    story.command(&Command::Drain);
    worth_selling(&mut story);
    assert_eq!(story.pass(Duration::from_millis(10)), []);
}
