//! One leg without its other: finished, unwound, offset, held.

use std::time::Duration;

use crate::domain::report::Refused;
use crate::domain::{Evidence, Fill, Finality, Outcome, Report, Venue};
use crate::execute::{Act, Hold, Scope};
use crate::plan::{Plan, Stages};

use super::scene::{KALSHI, POLYMARKET, Scene, line, money, over, plan, quantity, refused, total};

const POLYMARKET_FIRST: Stages = Stages::First(Venue::Polymarket);
const KALSHI_FIRST: Stages = Stages::First(Venue::Kalshi);

/// Polymarket filled 100, Kalshi nothing.
fn alone_at_polymarket(finality: Finality) -> Scene {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let fill = scene.fills(&first, "100", "0.52");
    if finality == Finality::Confirmed {
        scene.tell(first.intent, Evidence::Fill(Fill { finality, ..fill }));
    }
    scene
}

#[test]
fn a_hedge_that_finds_nothing_is_finished_at_a_worse_price() {
    let mut scene = alone_at_polymarket(Finality::Confirmed);
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.45", "500")]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    assert_eq!(scene.phase(), "finishing");
    let finish = scene.only();
    assert_eq!(line(&finish), "finish buy 100.00 yes at 0.4500 on kalshi");
    scene.fills(&finish, "100", "0.45");
    assert_eq!(scene.phase(), "locked");
    assert!(scene.incidents().is_empty());
}

#[test]
fn a_leg_that_cannot_be_finished_within_the_budget_is_sold() {
    let mut scene = alone_at_polymarket(Finality::Confirmed);
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.70", "500")]);
    scene.world.offer(POLYMARKET, Outcome::Yes, &[("0.60", "500")]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    assert_eq!(scene.phase(), "unwinding");
    let sale = scene.only();
    assert_eq!(line(&sale), "unwind sell 100.00 no at 0.5000 on polymarket");
    scene.fills_surely(&sale, "100", "0.50");
    assert_eq!(scene.phase(), "flat");
    assert_eq!(scene.exposure(), None);
    // Two dollars of price, 0.9984 and 1.00 of fees.
    assert_eq!(scene.executor.state().realised_on(scene.now), money("-3.9984"));
}

#[test]
fn unconfirmed_shares_are_neither_sold_nor_merged() {
    let mut scene = alone_at_polymarket(Finality::Matched);
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.70", "500")]);
    scene.world.offer(POLYMARKET, Outcome::Yes, &[("0.51", "500")]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    let offset = scene.only();
    // What is left of the leg's dollars and the reserve is 11.1016, with a fee of 2.1 in 52.
    assert_eq!(line(&offset), "offset buy $10.660000 yes at 0.5100 on polymarket");
    assert_eq!(scene.phase(), "offsetting");
}

#[test]
fn an_offset_is_merged_when_both_outcomes_are_confirmed() {
    let mut scene = Scene::new();
    let mut rich = plan(POLYMARKET_FIRST);
    rich.reserve = money("60");
    scene.open(rich);
    let first = scene.only();
    let fill = scene.fills(&first, "100", "0.52");
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.70", "500")]);
    scene.world.offer(POLYMARKET, Outcome::Yes, &[("0.50", "500")]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    let offset = scene.only();
    assert_eq!(line(&offset), "offset buy $50.000000 yes at 0.5000 on polymarket");
    let bought = scene.fills(&offset, "100", "0.50");
    assert_eq!(scene.phase(), "flat", "nothing stands alone any more");
    let merges = |scene: &Scene| scene.acts.iter().any(|act| matches!(act, Act::Merge { .. }));
    assert!(!merges(&scene));
    let sure = |fill: Fill| Evidence::Fill(Fill { finality: Finality::Confirmed, ..fill });
    scene.tell(first.intent, sure(fill));
    assert!(!merges(&scene), "one of the two may still fail");
    scene.tell(offset.intent, sure(bought));
    assert!(merges(&scene));
    let (market, quantity, at) = (POLYMARKET, quantity("100"), scene.now);
    scene.say(&Report::Merged { market, quantity, at });
    assert_eq!(scene.held(POLYMARKET, Outcome::Yes), "0.00");
    assert_eq!(scene.held(POLYMARKET, Outcome::No), "0.00");
    // 100 back for 52 and 50 and their fees of 0.9984 and 1.
    assert_eq!(scene.cash(Venue::Polymarket), money("-3.9984"));
    assert_eq!(scene.executor.state().realised(), money("-3.9984"));
}

#[test]
fn nothing_fits_holds_alarms_halts_the_pair_and_tries_again() {
    let mut scene = alone_at_polymarket(Finality::Confirmed);
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.80", "500")]);
    scene.world.offer(POLYMARKET, Outcome::Yes, &[("0.80", "500")]);
    scene.world.bid(POLYMARKET, Outcome::No, &[("0.20", "500")]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    assert_eq!(scene.phase(), "unwinding", "as much as the budget allows");
    let part = scene.only();
    // Each cost 0.529984 and brings 0.1936: ten dollars are 29.72 of them.
    assert_eq!(line(&part), "unwind sell 29.72 no at 0.2000 on polymarket");
    scene.tell(part.intent, over(Some(total("0", "0"))));
    scene.world.bid(POLYMARKET, Outcome::No, &[]);
    scene.world.offer(POLYMARKET, Outcome::Yes, &[]);
    scene.world.offer(KALSHI, Outcome::Yes, &[]);
    scene.wait(600);
    assert_eq!(scene.phase(), "holding");
    assert_eq!(scene.incidents(), ["no_way_out"]);
    assert!(matches!(&scene.executor.state().halts()[0].0, Scope::Pair(_)));
    let exposure = scene.exposure().unwrap();
    assert_eq!(exposure.stranded_loss_max, money("52.9984"));
    scene.wait(20_000);
    assert_eq!(scene.incidents(), ["no_way_out", "stranded_long"], "each said once");
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.44", "500")]);
    scene.wait(100);
    assert_eq!(line(&scene.only()), "finish buy 100.00 yes at 0.4400 on kalshi");
}

#[test]
fn a_book_that_is_not_believed_is_waited_for() {
    let mut scene = alone_at_polymarket(Finality::Confirmed);
    let second = scene.only();
    scene.world.0[0].books = None;
    scene.world.0[1].books = None;
    scene.tell(second.intent, over(Some(total("0", "0"))));
    scene.wait(1_000);
    assert_eq!(scene.phase(), "stranded");
    assert!(scene.incidents().is_empty());
    scene.wait(10_000);
    assert_eq!(scene.incidents(), ["stranded_long", "no_way_out"]);
}

#[test]
fn attempts_keep_a_distance_and_take_new_prices() {
    let mut scene = alone_at_polymarket(Finality::Confirmed);
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.43", "500")]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    let one = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.44", "500")]);
    scene.tell(one.intent, over(Some(total("0", "0"))));
    scene.wait(400);
    assert!(scene.placed().is_empty());
    scene.wait(100);
    assert_eq!(line(&scene.only()), "finish buy 100.00 yes at 0.4400 on kalshi");
}

#[test]
fn a_venue_that_asks_to_try_again_is_given_its_time_and_a_new_intent() {
    let mut scene = alone_at_polymarket(Finality::Confirmed);
    let second = scene.only();
    scene.world.bid(POLYMARKET, Outcome::No, &[]);
    scene.world.offer(POLYMARKET, Outcome::Yes, &[]);
    scene.tell(second.intent, refused(Refused::Again(Duration::from_secs(1))));
    scene.wait(900);
    assert!(scene.placed().is_empty());
    scene.wait(200);
    let again = scene.only();
    assert!(again.intent > second.intent);
    assert_eq!(line(&again), "finish buy 100.00 yes at 0.4200 on kalshi");
}

#[test]
fn a_minimum_forbids_the_way_and_another_is_taken() {
    let mut scene = Scene::opened(KALSHI_FIRST);
    let first = scene.only();
    scene.fills(&first, "3", "0.42");
    // Three shares are below Polymarket's five: they are sold on Kalshi, not bought up.
    let sale = scene.only();
    assert_eq!(line(&sale), "unwind sell 3.00 yes at 0.4000 on kalshi");
    scene.fills(&sale, "3", "0.40");
    assert_eq!(scene.phase(), "flat");
}

#[test]
fn surplus_of_an_over_delivery_is_hedged_like_any_other() {
    let mut scene = Scene::opened(Stages::Together);
    let placed = scene.placed();
    scene.fills(&placed[0], "100", "0.42");
    scene.fills_surely(&placed[1], "104", "0.50");
    assert_eq!(line(&scene.only()), "finish buy 4.00 yes at 0.4200 on kalshi");
}

#[test]
fn a_partial_hedge_leaves_the_rest_to_be_finished() {
    let mut scene = alone_at_polymarket(Finality::Confirmed);
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.43", "500")]);
    scene.fills(&second, "63.5", "0.42");
    assert_eq!(line(&scene.only()), "finish buy 36.50 yes at 0.4300 on kalshi");
}

#[test]
fn a_halt_does_not_keep_a_leg_from_its_other() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.with(|executor, _, now, acts| executor.halt(Scope::All, "test", now, acts));
    scene.fills(&first, "100", "0.52");
    let second = scene.only();
    assert!(second.purpose.reduces());
}

#[test]
fn no_way_out_is_sent_while_an_order_is_unknown() {
    let mut scene = alone_at_polymarket(Finality::Confirmed);
    let second = scene.only();
    scene.tell(second.intent, Evidence::Unclear("timeout".to_owned()));
    scene.wait(30_000);
    assert!(scene.placed().is_empty());
    assert!(!scene.incidents().contains(&"no_way_out"));
}

#[test]
fn a_leg_that_may_not_be_held_is_sold_at_any_price_once_it_stood_alone_too_long() {
    for hold in [Hold::Allowed, Hold::Never] {
        let mut scene = Scene::new();
        scene.executor.settings.hold = hold;
        let loss_max = money("0.01");
        scene.open(Plan { loss_max, ..plan(Stages::First(Venue::Polymarket)) });
        let first = scene.only();
        scene.fills_surely(&first, "100", "0.52");
        let second = scene.only();
        scene.world.offer(KALSHI, Outcome::Yes, &[]);
        scene.world.offer(POLYMARKET, Outcome::Yes, &[]);
        scene.world.bid(POLYMARKET, Outcome::No, &[("0.20", "500")]);
        scene.tell(second.intent, over(Some(total("0", "0"))));
        assert_eq!(scene.phase(), "holding", "no contract can be sold for so little loss");
        scene.wait(9_000);
        assert_eq!(scene.placed(), []);
        scene.wait(2_000);
        if hold == Hold::Allowed {
            assert_eq!(scene.placed(), []);
            continue;
        }
        let sale = scene.only();
        assert_eq!(line(&sale), "unwind sell 100.00 no at 0.2000 on polymarket");
        scene.fills_surely(&sale, "100", "0.20");
        assert_eq!(scene.phase(), "flat");
        assert_eq!(scene.incidents(), ["no_way_out", "stranded_long"]);
    }
}

#[test]
fn a_remainder_that_only_the_other_venue_takes_waits_for_it_before_anything_is_halted() {
    let mut scene = alone_at_polymarket(Finality::Confirmed);
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[]);
    scene.fills(&second, "98", "0.42");
    assert_eq!(scene.phase(), "stranded", "two are too few for Polymarket");
    scene.wait(3_000);
    assert!(scene.incidents().is_empty() && scene.executor.state().halts().is_empty());
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.42", "500")]);
    scene.wait(600);
    assert_eq!(line(&scene.only()), "finish buy 2.00 yes at 0.4200 on kalshi");
}
