//! What may be spent beyond a plan, and what a person took over.

use super::*;

/// Kalshi takes back the fill of a pair that was locked, where so much may be in one pair.
fn taken_back(pair: &str) -> (Story, Order) {
    let mut limits = settings();
    limits.limits.pair = money(pair);
    let mut story = Story::new(limits);
    story.books();
    let first = one(story.drain());
    let hedge = one(story.fill(&first, "120", "0.52", Finality::Confirmed));
    story.fill(&hedge, "120", "0.425", Finality::Confirmed);
    assert_eq!(story.phase(1), Phase::Locked);
    // Nobody buys the other leg now, and the missing one costs more than before.
    story.watch.image(KALSHI, &[(Side::Bid, "0.40", "200"), (Side::Ask, "0.44", "900")]);
    story.watch.image(POLYMARKET, &[(Side::Ask, "0.95", "200"), (Side::Bid, "0.94", "200")]);
    story.event(&Event::Drained);
    assert_eq!(story.pass(Duration::from_millis(10)), []);
    let fill = Fill {
        trade: "fill-2".to_owned(),
        quantity: quantity("120"),
        money: Money::cost_ceil(price("0.425"), quantity("120")),
        fee: Fee::Reported(money("0.5")),
        finality: Finality::Failed,
        at: story.watch.now,
    };
    let again = one(story.answer(&hedge, Evidence::Fill(fill)));
    assert_eq!((again.venue, again.purpose), (Venue::Kalshi, Purpose::Finish));
    (story, again)
}

#[test]
fn a_leg_that_was_taken_back_is_bought_again_within_the_limits_of_the_moment() {
    let (story, again) = taken_back("500");
    assert_eq!(again.size, Size::Contracts(quantity("120")));
    assert!(story.trader().risk().totals().total > money("116"), "dearer than before");
    // Little more than what both legs had cost.
    let (story, again) = taken_back("115.5");
    assert!(again.contracts_at_limit() < quantity("120"), "{again:?}");
    assert!(story.trader().risk().totals().total <= money("115.5"));
}

#[test]
fn what_a_person_took_over_counts_against_the_limits_until_it_is_paid() {
    let mut story = Story::new(settings());
    let (venue, market) = (Venue::Kalshi, KALSHI);
    let held = |quantity| Record::Adopted {
        venue,
        market,
        outcome: Outcome::Yes,
        quantity,
        why: String::new(),
        at: story.watch.now,
    };
    let records = [held(quantity("70"))];
    let now = story.watch.now;
    story.watch.engine.enable_trading(settings(), &records, now, &mut story.watch.effects);
    let totals = story.trader().risk().totals();
    assert_eq!((totals.total, totals.venues), (money("70"), [money("70"), money("0")]));
    story.report(&Report::Settled {
        venue,
        market: Some(market),
        id: String::new(),
        yes_pays: money("1"),
        paid: money("70"),
        at: now,
    });
    assert_eq!(story.trader().risk().totals().total, Money::ZERO);
}
