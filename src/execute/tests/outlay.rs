//! What a trade may still spend once a venue took something back, and where the money comes from.

use crate::domain::{Evidence, Fill, Finality, Money, Order, Outcome, Venue};
use crate::execute::Act;
use crate::pairing::PairId;
use crate::plan::Stages;
use crate::risk::{Exposure, Room};

use super::scene::{KALSHI, POLYMARKET, Scene, line, money, over, plan, quantity, total};

const POLYMARKET_FIRST: Stages = Stages::First(Venue::Polymarket);

fn dollars(exposure: &Exposure) -> Money {
    exposure.legs[0].dollars + exposure.legs[1].dollars + exposure.reserve
}

fn at_risk(scene: &Scene) -> Money {
    scene.exposure().map_or(Money::ZERO, |exposure| dollars(&exposure))
}

fn room(here: &str, all: &str) -> Room {
    Room { venues: [money(here); 2], all: money(all) }
}

/// Both legs are held for sure, and Kalshi's fill, which it can take back.
fn locked() -> (Scene, Order, Fill) {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    let fill = scene.fills(&second, "100", "0.42");
    assert_eq!(scene.phase(), "locked");
    (scene, second, fill)
}

fn take_back(scene: &mut Scene, order: &Order, fill: Fill) {
    let finality = Finality::Failed;
    scene.tell(order.intent, Evidence::Fill(Fill { finality, ..fill }));
}

#[test]
fn what_was_held_back_is_free_once_a_trade_rests_and_stays_free_when_a_fill_is_taken_back() {
    let (mut scene, second, fill) = locked();
    let before = scene.exposure().unwrap();
    assert_eq!(before.reserve, Money::ZERO);
    assert_eq!(before.legs[0].dollars, money("43.7052"), "its cost, and no more");
    // Nobody bids, so that only a purchase is left; and it has become dearer.
    scene.world.bid(POLYMARKET, Outcome::No, &[]);
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.45", "500")]);
    take_back(&mut scene, &second, fill);
    let again = scene.only();
    assert_eq!((again.venue, again.outcome), (Venue::Kalshi, Outcome::Yes));
    assert!(again.contracts_at_limit() < quantity("100"), "what came back does not buy all");
    assert!(again.spend_max() <= before.legs[0].dollars);
    assert!(dollars(&scene.exposure().unwrap()) <= dollars(&before), "{:?}", scene.exposure());
    scene.fills(&again, &again.contracts_at_limit().to_string(), "0.45");
    assert!(dollars(&scene.exposure().unwrap()) <= dollars(&before), "{:?}", scene.exposure());
}

#[test]
fn more_than_came_back_is_spent_where_limits_leave_room() {
    let (mut scene, second, fill) = locked();
    let before = at_risk(&scene);
    scene.world.bid(POLYMARKET, Outcome::No, &[]);
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.45", "500")]);
    scene.world.1 = room("5", "5");
    take_back(&mut scene, &second, fill);
    let again = scene.only();
    assert_eq!(line(&again), "finish buy 100.00 yes at 0.4500 on kalshi");
    scene.fills(&again, "100", "0.45");
    assert_eq!(scene.phase(), "locked");
    let more = at_risk(&scene) - before;
    assert!(more.is_positive() && more <= money("5"), "{more}");
}

#[test]
fn a_late_fill_of_what_was_over_is_no_reason_to_spend_what_was_let_go() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.tell(first.intent, over(Some(total("0", "0"))));
    assert_eq!((scene.phase(), scene.exposure()), ("flat", None));
    // It had filled after all; nothing is bid yet.
    scene.world.bid(POLYMARKET, Outcome::No, &[]);
    scene.fills_surely(&first, "100", "0.52");
    assert_eq!(scene.placed(), [], "no dollar was approved for Kalshi any more");
    assert_eq!(at_risk(&scene), money("52.9984"));
    scene.world.bid(POLYMARKET, Outcome::No, &[("0.50", "500")]);
    scene.wait(600);
    assert_eq!(line(&scene.only()), "unwind sell 100.00 no at 0.5000 on polymarket");
}

/// Polymarket's leg is matched and not confirmed, and Kalshi's is not to be had.
fn unconfirmed(room: Room) -> Scene {
    let mut scene = Scene::new();
    scene.world.1 = room;
    scene.open(plan(POLYMARKET_FIRST));
    let first = scene.only();
    scene.fills(&first, "100", "0.52");
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.70", "500")]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    scene
}

#[test]
fn the_other_outcome_is_bought_with_what_the_missing_leg_did_not_need() {
    let mut scene = unconfirmed(Room::default());
    let offset = scene.only();
    assert!(
        offset.spend_max() < money("12"),
        "the reserve and the rest of its own leg: {offset:?}"
    );
    // What was kept for Kalshi is not spent there, if Polymarket's own limits have room for it.
    let mut scene = unconfirmed(room("60", "0"));
    let approved = money("42") + money("52") + money("4.2") + money("10");
    assert!(at_risk(&scene) <= approved, "{}", at_risk(&scene));
    let offset = scene.only();
    assert_eq!(offset.purpose.name(), "offset");
    let bought = offset.spend_max();
    assert!(bought > money("40"), "{bought}");
    scene.fills_surely(&offset, "100", "0.50");
    assert!(at_risk(&scene) <= approved, "{}", at_risk(&scene));
}

#[test]
fn what_an_offset_leaves_over_has_its_own_cost_only() {
    let mut scene = unconfirmed(room("60", "0"));
    let offset = scene.only();
    scene.fills_surely(&offset, "97", "0.50");
    let alone = scene.exposure().unwrap().stranded;
    assert!(alone >= money("1.58") && alone < money("1.6"), "three of a hundred: {alone}");
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.45", "500")]);
    scene.wait(600);
    assert_eq!(line(&scene.only()), "finish buy 3.00 yes at 0.4500 on kalshi");
}

#[test]
fn the_same_room_is_lent_once() {
    let (mut scene, second, fill) = locked();
    let mut other = plan(POLYMARKET_FIRST);
    other.pair = PairId("other".to_owned());
    let id = scene.open(other);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let hedge = scene.only();
    let taken = scene.fills(&hedge, "100", "0.42");
    assert_eq!(scene.phase_of(id), "locked");
    scene.executor.take_changed();
    // Both lose their leg at Kalshi, and no book is believed until the next tick.
    let books = scene.world.0.clone();
    scene.world.0.iter_mut().for_each(|side| side.books = None);
    take_back(&mut scene, &second, fill);
    take_back(&mut scene, &hedge, taken);
    assert_eq!(scene.placed(), []);
    scene.world.0 = books;
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.45", "500")]);
    scene.world.bid(POLYMARKET, Outcome::No, &[]);
    scene.world.1 = room("5", "5");
    scene.executor.take_changed();
    scene.wait(600);
    let sizes: Vec<_> = scene.placed().iter().map(Order::contracts_at_limit).collect();
    assert_eq!(sizes.len(), 2);
    assert_eq!(sizes[0], quantity("100"));
    assert!(sizes[1] < quantity("100"), "the second one has what came back, and no more");
    assert!(!scene.acts.iter().any(|act| matches!(act, Act::Place(_))));
}
