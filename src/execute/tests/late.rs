//! Evidence that comes late, twice, in another order, or against what was said before.

use std::time::Duration;

use crate::domain::report::{Fee, Refused};
use crate::domain::{Evidence, Fill, Finality, IntentId, Money, Outcome, Timestamp, Venue};
use crate::execute::{Act, Executor, Scope};
use crate::plan::Stages;
use crate::risk::Room;

use super::scene::{
    KALSHI, POLYMARKET, Scene, line, money, over, plan, quantity, refused, settings, total,
};

const POLYMARKET_FIRST: Stages = Stages::First(Venue::Polymarket);
/// Limits that leave room for another leg.
const PLENTY: Room = Room {
    venues: [Money::from_micros(100 * Money::DOLLAR); 2],
    all: Money::from_micros(100 * Money::DOLLAR),
};

pub(super) fn unclear() -> Evidence {
    Evidence::Unclear("timeout".to_owned())
}

fn not_found(scene: &Scene) -> Evidence {
    Evidence::NotFound { as_of: scene.now }
}

#[test]
fn a_timeout_counts_as_filled_and_as_not_filled_until_it_is_known() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    scene.tell(second.intent, unclear());
    let exposure = scene.exposure().unwrap();
    assert!(exposure.legs[0].dollars >= money("42"), "as if it had filled");
    assert_eq!(exposure.stranded, money("52.9984"), "as if it had not");
    assert!(scene.asked_about(second.intent));
    scene.wait(3_000);
    assert!(scene.asked_about(second.intent), "again and again");
    assert!(scene.placed().is_empty(), "never sent again blindly");
}

#[test]
fn a_timeout_that_filled_locks() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    scene.wait(2_100);
    assert!(scene.asked_about(second.intent), "the answer is overdue");
    scene.fills(&second, "100", "0.42");
    assert_eq!(scene.phase(), "locked");
    assert!(scene.placed().is_empty());
    assert_eq!(scene.exposure().unwrap().stranded, money("0"));
}

#[test]
fn a_timeout_that_did_not_fill_is_finished_with_a_new_intent() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    scene.tell(second.intent, unclear());
    scene.tell(second.intent, not_found(&scene));
    assert!(scene.placed().is_empty(), "a reading within the grace says nothing");
    scene.wait(6_000);
    scene.tell(second.intent, not_found(&scene));
    assert!(scene.placed().is_empty(), "one reading is not enough");
    scene.tell(second.intent, not_found(&scene));
    assert!(scene.placed().is_empty(), "the same reading told twice is one reading");
    scene.now = scene.now.after(Duration::from_millis(300));
    scene.tell(second.intent, not_found(&scene));
    let again = scene.only();
    assert_eq!(line(&again), "finish buy 100.00 yes at 0.4200 on kalshi");
    assert!(again.intent > second.intent);
}

#[test]
fn late_fill_after_not_found_reopens_the_leg() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.tell(first.intent, unclear());
    scene.wait(6_000);
    for _ in 0..2 {
        scene.now = scene.now.after(Duration::from_millis(300));
        scene.tell(first.intent, not_found(&scene));
    }
    assert_eq!(scene.phase(), "flat");
    assert_eq!(scene.exposure(), None);
    scene.world.1 = PLENTY;
    scene.fills(&first, "100", "0.52");
    assert_eq!(scene.incidents(), ["late_fill"]);
    assert!(scene.exposure().unwrap().stranded.is_positive());
    assert_eq!(line(&scene.only()), "finish buy 100.00 yes at 0.4200 on kalshi");
}

#[test]
fn late_fill_after_a_refusal_reopens_the_leg() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.tell(first.intent, refused(Refused::NoMatch));
    assert_eq!(scene.phase(), "flat");
    scene.world.1 = PLENTY;
    let fill = scene.fill(&first, "20", "0.52");
    scene.tell(first.intent, Evidence::Fill(fill));
    assert_eq!(scene.incidents(), ["late_fill"]);
    assert_eq!(scene.executor.state().order(first.intent).unwrap().phase().name(), "unknown");
    let exposure = scene.exposure().unwrap();
    assert!(exposure.legs[1].dollars >= money("52"), "the rest may still come");
    assert!(exposure.stranded.is_positive());
    scene.tell(first.intent, over(Some(total("20", "10.4"))));
    assert_eq!(line(&scene.only()), "finish buy 20.00 yes at 0.4200 on kalshi");
}

#[test]
fn a_fill_beyond_a_final_total_is_stranded_and_an_incident() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills_surely(&first, "60", "0.52");
    let second = scene.only();
    scene.fills(&second, "60", "0.42");
    assert_eq!(scene.phase(), "locked");
    scene.world.1 = PLENTY;
    let more = scene.fill(&first, "40", "0.52");
    scene.tell(first.intent, Evidence::Fill(more));
    assert_eq!(scene.incidents(), ["late_fill"]);
    assert_eq!(line(&scene.only()), "finish buy 40.00 yes at 0.4200 on kalshi");
}

#[test]
fn events_that_come_twice_and_in_any_order_end_in_the_same_books() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let one = scene.fill(&first, "60", "0.52");
    let two = scene.fill(&first, "40", "0.51");
    let sure = |fill: &Fill| Evidence::Fill(Fill { finality: Finality::Confirmed, ..fill.clone() });
    let ack = over(Some(total("100", "51.6")));
    for evidence in [
        ack.clone(),
        sure(&two),
        Evidence::Fill(one.clone()),
        Evidence::Fill(two.clone()),
        ack,
        sure(&one),
        sure(&one),
        Evidence::Fill(one.clone()),
    ] {
        scene.tell(first.intent, evidence);
    }
    assert_eq!(line(&scene.only()), "finish buy 100.00 yes at 0.4200 on kalshi");
    assert_eq!(scene.held(POLYMARKET, Outcome::No), "100.00");
    let fees = one.fee.amount() + two.fee.amount();
    assert_eq!(scene.cash(Venue::Polymarket), money("-51.6") - fees);
    assert!(scene.executor.state().order(first.intent).unwrap().is_final());
    assert!(scene.incidents().is_empty());
}

#[test]
fn a_fill_that_is_told_with_other_numbers_counts_at_the_worse_until_a_person_has_looked() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let fill = scene.fills(&first, "100", "0.52");
    let other = Fill { quantity: quantity("90"), money: money("53"), ..fill };
    scene.tell(first.intent, Evidence::Fill(other));
    assert_eq!(scene.incidents(), ["fill_changed"]);
    let tracked = scene.executor.state().order(first.intent).unwrap();
    assert!(!tracked.is_known());
    assert_eq!(tracked.booked().total.money, money("52"), "the told total is the larger");
    assert_eq!(scene.executor.may_open(&plan(POLYMARKET_FIRST)), Err("trade_open"));
}

#[test]
fn a_reported_fee_takes_the_place_of_a_computed_one() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let fill = scene.fills(&first, "100", "0.52");
    scene.tell(first.intent, Evidence::Fill(Fill { fee: Fee::Reported(money("0.5")), ..fill }));
    assert_eq!(scene.cash(Venue::Polymarket), money("-52.5"));
    assert!(scene.incidents().is_empty());
}

#[test]
fn a_leg_that_fails_after_the_lock_makes_the_other_one_stranded() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let fill = scene.fills(&first, "100", "0.52");
    let second = scene.only();
    scene.fills(&second, "100", "0.42");
    assert_eq!(scene.phase(), "locked");
    scene.wait(50_000);
    scene.tell(first.intent, Evidence::Fill(Fill { finality: Finality::Failed, ..fill.clone() }));
    assert_eq!(scene.incidents(), ["fill_failed"]);
    assert_eq!(scene.cash(Venue::Polymarket), money("0"), "as if it had not been");
    // Buying NO again at 0.52 loses nothing; selling YES would lose two cents and fees each.
    let again = scene.only();
    assert_eq!(line(&again), "finish buy $52.000000 no at 0.5200 on polymarket");
    scene.tell(first.intent, Evidence::Fill(Fill { finality: Finality::Confirmed, ..fill }));
    assert_eq!(scene.cash(Venue::Polymarket), money("0"), "failed is final");
    assert_eq!(scene.incidents(), ["fill_failed", "contradiction"]);
}

#[test]
fn a_part_that_fails_is_finished_alone() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let one = scene.fill(&first, "70", "0.52");
    let two = scene.fill(&first, "30", "0.52");
    scene.tell(first.intent, Evidence::Fill(one));
    scene.tell(first.intent, Evidence::Fill(two.clone()));
    scene.tell(first.intent, over(Some(total("100", "52"))));
    let second = scene.only();
    scene.fills(&second, "100", "0.42");
    scene.tell(first.intent, Evidence::Fill(Fill { finality: Finality::Failed, ..two }));
    assert_eq!(line(&scene.only()), "finish buy $15.600000 no at 0.5200 on polymarket");
}

#[test]
fn a_bust_of_a_kalshi_fill_makes_the_other_leg_stranded() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    let fill = scene.fills(&second, "100", "0.42");
    assert_eq!(scene.phase(), "locked");
    scene.world.1 = PLENTY;
    scene.tell(second.intent, Evidence::Fill(Fill { finality: Finality::Failed, ..fill }));
    assert_eq!(scene.incidents(), ["fill_failed"]);
    assert_eq!(line(&scene.only()), "finish buy 100.00 yes at 0.4200 on kalshi");
}

#[test]
fn what_one_listing_lacks_is_asked_for_again_at_once_and_believed_by_the_second() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    let fill = scene.fills(&second, "100", "0.42");
    scene.wait(20_000);
    scene.acts.clear();
    let listed = |scene: &Scene, trades: Vec<String>| Evidence::Listed { trades, as_of: scene.now };
    scene.tell(second.intent, listed(&scene, Vec::new()));
    assert_eq!(scene.phase(), "locked", "one listing may lag");
    scene.wait(500);
    assert!(scene.acts.contains(&Act::Inquire(second.intent)), "{:?}", scene.acts);
    // Where the second one has it, nothing happened, and nobody asks any more.
    scene.tell(second.intent, listed(&scene, vec![fill.trade]));
    scene.acts.clear();
    scene.wait(5_000);
    assert!(!scene.acts.contains(&Act::Inquire(second.intent)), "{:?}", scene.acts);
    for _ in 0..2 {
        scene.tell(second.intent, listed(&scene, Vec::new()));
        scene.wait(500);
    }
    assert_eq!(scene.incidents(), ["fill_failed"]);
    assert_eq!(scene.phase(), "finishing");
    scene.acts.clear();
    scene.wait(5_000);
    assert!(!scene.acts.contains(&Act::Inquire(second.intent)), "{:?}", scene.acts);
}

#[test]
fn a_purchase_that_is_taken_back_after_its_sale_leaves_the_other_outcome_at_its_cost() {
    let mut scene = Scene::opened(Stages::First(Venue::Kalshi));
    let first = scene.only();
    let bought = scene.fills(&first, "100", "0.42");
    let second = scene.only();
    scene.world.offer(POLYMARKET, Outcome::No, &[]);
    scene.world.offer(KALSHI, Outcome::No, &[]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    let sale = scene.only();
    assert_eq!(line(&sale), "unwind sell 100.00 yes at 0.4000 on kalshi");
    scene.fills(&sale, "60", "0.40");
    scene.tell(first.intent, Evidence::Fill(Fill { finality: Finality::Failed, ..bought }));
    // Sixty NO, for sixty cents each and the fee of their sale.
    assert_eq!(scene.held(KALSHI, Outcome::No), "60.00");
    let own = scene.exposure().unwrap();
    assert!(own.legs[0].dollars >= money("36"), "{own:?}");
    assert!(own.stranded >= money("36"), "{own:?}");
    // Sixty YES at the other venue lock them.
    scene.world.bid(KALSHI, Outcome::No, &[]);
    scene.world.offer(KALSHI, Outcome::Yes, &[]);
    scene.world.offer(POLYMARKET, Outcome::Yes, &[("0.41", "500")]);
    scene.placed();
    scene.wait(1_000);
    let offset = scene.only();
    assert_eq!(line(&offset), "offset buy $24.600000 yes at 0.4100 on polymarket");
    scene.fills_surely(&offset, "60", "0.41");
    assert_eq!(scene.phase(), "locked");
    let own = scene.exposure().unwrap();
    assert!(own.legs[1].dollars >= money("24.6") && own.stranded == money("0"), "{own:?}");
}

#[test]
fn a_cancel_that_comes_too_late_says_nothing_about_fills() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.with(|executor, world, now, acts| executor.kill("test", world, now, acts));
    assert!(scene.acts.contains(&Act::Cancel(first.intent)));
    let gone = Evidence::NotCancelled("already canceled or matched".to_owned());
    scene.tell(first.intent, gone);
    assert_eq!(scene.executor.state().order(first.intent).unwrap().phase().name(), "unknown");
    scene.fills(&first, "100", "0.52");
    assert_eq!(scene.held(POLYMARKET, Outcome::No), "100.00");
    assert!(scene.placed().is_empty(), "killed: nothing more is sent");
}

#[test]
fn a_duplicate_that_the_venue_names_is_looked_up() {
    let mut scene = Scene::opened(Stages::First(Venue::Kalshi));
    let first = scene.only();
    // Kalshi's 409 order_already_exists: an order with this id exists.
    scene.tell(first.intent, Evidence::Unclear("order_already_exists".to_owned()));
    assert!(scene.asked_about(first.intent));
    scene.fills(&first, "100", "0.42");
    assert_eq!(line(&scene.only()), "finish buy $52.000000 no at 0.5200 on polymarket");
}

#[test]
fn an_order_that_was_acknowledged_is_never_believed_gone() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.tell(first.intent, super::scene::delayed());
    scene.wait(6_000);
    for _ in 0..3 {
        scene.now = scene.now.after(Duration::from_millis(300));
        scene.tell(first.intent, not_found(&scene));
    }
    assert_eq!(scene.executor.state().order(first.intent).unwrap().phase().name(), "unknown");
    assert!(scene.incidents().contains(&"order_vanished"));
    assert_eq!(scene.phase(), "first_leg");
}

#[test]
fn an_order_that_stays_unknown_is_an_incident_once() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    scene.wait(120_000);
    assert_eq!(scene.incidents(), ["order_unknown"]);
}

#[test]
fn a_report_about_an_unknown_intent_is_an_incident() {
    let mut scene = Scene::new();
    scene.tell(IntentId(77), over(Some(total("1", "0.5"))));
    assert_eq!(scene.incidents(), ["order_missing"]);
}

#[test]
fn a_start_asks_about_every_order_before_it_trades_again() {
    let mut before = Scene::opened(POLYMARKET_FIRST);
    let first = before.only();
    let mut scene = Scene::new();
    scene.executor = Executor::new(settings());
    for record in &before.records {
        scene.executor.apply(record);
    }
    scene.records = before.records;
    scene.now = scene.now.after(Duration::from_secs(30));
    scene.with(|executor, _, now, acts| executor.resume(now, acts));
    assert!(scene.asked_about(first.intent));
    let mut other = plan(POLYMARKET_FIRST);
    other.legs[0].market = crate::domain::MarketIndex(7);
    other.legs[1].market = crate::domain::MarketIndex(8);
    assert_eq!(scene.executor.may_open(&other), Err("resuming"));
    scene.fills_surely(&first, "50", "0.52");
    assert_eq!(scene.executor.may_open(&other), Err("resuming"), "a leg of before stands alone");
    let second = scene.only();
    assert_eq!(line(&second), "finish buy 50.00 yes at 0.4200 on kalshi");
    scene.fills_surely(&second, "50", "0.42");
    assert_eq!(scene.executor.may_open(&other), Ok(()));
    assert!(second.intent > first.intent, "numbers go on");
    assert!(scene.now > Timestamp::from_secs(1_000));
    assert_eq!(scene.held(KALSHI, Outcome::Yes), "50.00");
}

#[test]
fn a_refusal_for_the_account_stops_its_venue() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.tell(first.intent, refused(Refused::Restricted));
    assert_eq!(scene.incidents(), ["venue_refused"]);
    assert_eq!(scene.executor.state().halts()[0].0, Scope::Venue(Venue::Polymarket));
    assert_eq!(scene.executor.may_open(&plan(POLYMARKET_FIRST)), Err("halted"));
}

#[test]
fn a_trade_of_which_nothing_was_sent_is_not_sent_after_a_start() {
    let mut before = Scene::opened(POLYMARKET_FIRST);
    before.only();
    let mut scene = Scene::new();
    scene.executor = Executor::new(settings());
    // The process ended right behind the plan: its prices are of another time.
    scene.records = before.records.drain(..1).collect();
    for record in &scene.records {
        scene.executor.apply(record);
    }
    scene.now = scene.now.after(Duration::from_secs(3_600));
    scene.with(|executor, _, now, acts| executor.resume(now, acts));
    scene.wait(1_000);
    assert_eq!(scene.placed(), []);
    assert_eq!(scene.phase(), "flat");
    assert_eq!(scene.exposure(), None);
}

#[test]
fn a_match_that_never_settles_is_an_incident_once() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills(&first, "100", "0.52");
    let second = scene.only();
    scene.fills(&second, "100", "0.42");
    scene.wait(59_000);
    assert!(scene.incidents().is_empty());
    scene.wait(120_000);
    assert_eq!(scene.incidents(), ["order_unknown"]);
}

#[test]
fn an_order_that_no_venue_will_ever_explain_is_settled_by_a_person() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.tell(first.intent, unclear());
    scene.wait(120_000);
    assert_eq!(scene.executor.may_open(&plan(POLYMARKET_FIRST)), Err("trade_open"));
    scene.adopt(POLYMARKET, Outcome::No, "0");
    scene.wait(1_000);
    assert_eq!(scene.phase(), "flat");
    assert!(scene.executor.state().order(first.intent).unwrap().is_final());
    assert_eq!(scene.executor.may_open(&plan(POLYMARKET_FIRST)), Ok(()));
}
