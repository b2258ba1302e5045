//! Orders of ours that a venue has and the journal lacks.

use crate::domain::report::Rest;
use crate::domain::{
    Action, Evidence, IntentId, Lifetime, Money, Order, OrderId, Outcome, Purpose, Report, Size,
    TradeId, Venue,
};
use crate::execute::{Act, Scope};
use crate::plan::Stages;

use super::scene::{KALSHI, POLYMARKET, Scene, money, over, plan, price, quantity, total};

const POLYMARKET_FIRST: Stages = Stages::First(Venue::Polymarket);

/// An order for `count` contracts at 40 cents that bears the mark of this intent.
fn order(scene: &Scene, intent: u64, outcome: Outcome, count: &str) -> Order {
    Order {
        intent: IntentId(intent),
        trade: TradeId::NONE,
        venue: Venue::Kalshi,
        market: KALSHI,
        outcome,
        action: Action::Buy,
        limit: price("0.40"),
        size: Size::Contracts(quantity(count)),
        lifetime: Lifetime::Immediate,
        purpose: Purpose::Adopted,
        at: scene.now,
    }
}

fn find(scene: &mut Scene, order: &Order) {
    let id = OrderId(format!("lost-{}", order.intent.0));
    scene.say(&Report::Lost { order: Box::new(order.clone()), id });
}

fn unbought(scene: &Scene) -> Money {
    scene.executor.state().unbought().fold(Money::ZERO, |sum, (.., dollars)| sum + dollars)
}

#[test]
fn a_lost_order_is_counted_at_its_worst_and_booked_and_stops_its_venue() {
    let mut scene = Scene::new();
    let lost = order(&scene, 17, Outcome::No, "10");
    find(&mut scene, &lost);
    find(&mut scene, &lost);
    assert_eq!(scene.incidents(), ["order_adopted"], "told once");
    assert_eq!(unbought(&scene), money("10"), "all of it may have filled");
    scene.fills_surely(&lost, "4", "0.40");
    scene.tell(lost.intent, over(Some(total("4", "1.60"))));
    let state = scene.executor.state();
    assert!(state.order(lost.intent).unwrap().is_known());
    assert_eq!(scene.held(KALSHI, Outcome::No), "4.00");
    assert_eq!(unbought(&scene), money("4"));
    assert_eq!(state.next_intent(), IntentId(18), "its number is never given again");
    let other = plan(POLYMARKET_FIRST);
    assert_eq!(scene.executor.may_open(&other), Err("halted"));
    scene.with(|executor, _, now, acts| executor.unhalt(Scope::Venue(Venue::Kalshi), now, acts));
    assert_eq!(scene.executor.may_open(&other), Err("other_outcome_held"));
}

#[test]
fn a_lost_order_is_asked_about_and_taken_back_while_it_rests() {
    let mut scene = Scene::new();
    let lost = order(&scene, 1, Outcome::Yes, "10");
    find(&mut scene, &lost);
    scene.wait(1_000);
    assert!(scene.asked_about(lost.intent), "nothing was told of it yet");
    let id = OrderId("lost-1".to_owned());
    let (filled, trades) = (Some(total("0", "0")), Vec::new());
    scene.tell(lost.intent, Evidence::Standing { id, filled, rest: Rest::Resting, trades });
    assert!(scene.acts.contains(&Act::Cancel(lost.intent)), "none of our orders is meant to rest");
    scene.with(|executor, _, now, acts| executor.unhalt(Scope::Venue(Venue::Kalshi), now, acts));
    assert_eq!(scene.executor.may_open(&plan(POLYMARKET_FIRST)), Err("order_unknown"));
    scene.tell(lost.intent, over(Some(total("0", "0"))));
    assert_eq!(scene.executor.may_open(&plan(POLYMARKET_FIRST)), Ok(()));
    assert_eq!(unbought(&scene), Money::ZERO);
}

/// The journal knows of the legs, and not that one of them was sold.
#[test]
fn what_a_lost_order_sold_is_not_sold_again() {
    let mut scene = Scene::locked();
    scene.placed();
    let lost = order(&scene, 9, Outcome::No, "100");
    find(&mut scene, &lost);
    scene.fills_surely(&lost, "100", "0.40");
    scene.tell(lost.intent, over(Some(total("100", "40"))));
    assert_eq!(scene.held(KALSHI, Outcome::Yes), "0.00", "the venue nets both outcomes");
    assert_eq!(scene.phase(), "holding");
    assert_eq!(unbought(&scene), Money::ZERO);
    scene.with(|executor, world, now, acts| executor.flatten(money("1000"), world, now, acts));
    scene.wait(60_000);
    assert!(scene.placed().is_empty(), "the other leg waits for its person");
    assert_eq!(scene.held(POLYMARKET, Outcome::No), "100.00");
}

/// The hedge was sent and its record was lost: a second one would be one too many.
#[test]
fn a_leg_whose_hedge_was_lost_is_not_hedged_again() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let lost = order(&scene, 7, Outcome::Yes, "100");
    find(&mut scene, &lost);
    scene.fills_surely(&lost, "100", "0.40");
    scene.tell(lost.intent, over(Some(total("100", "40"))));
    scene.fills_surely(&first, "100", "0.52");
    scene.wait(60_000);
    assert!(scene.placed().is_empty(), "{:?}", scene.placed_ever());
    assert_eq!(scene.phase(), "holding");
    assert_eq!(unbought(&scene), money("100"));
}
