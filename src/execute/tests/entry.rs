//! How a trade goes in: stages, hedges of exactly what came, and the ends without trouble.

use std::time::Duration;

use crate::domain::report::{Refused, Rest};
use crate::domain::{Evidence, Fill, Finality, Lifetime, OrderId, Outcome, TradeId, Venue};
use crate::execute::Act;
use crate::plan::Stages;

use super::scene::{
    KALSHI, POLYMARKET, Scene, delayed, line, money, over, plan, price, quantity, refused, total,
};

const POLYMARKET_FIRST: Stages = Stages::First(Venue::Polymarket);
const KALSHI_FIRST: Stages = Stages::First(Venue::Kalshi);

#[test]
fn the_second_leg_takes_exactly_what_the_first_one_brought() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    assert_eq!(line(&first), "enter buy $52.000000 no at 0.5200 on polymarket");
    assert_eq!(scene.phase(), "first_leg");
    scene.fills(&first, "60.257", "0.52");
    let second = scene.only();
    assert_eq!(line(&second), "finish buy 60.25 yes at 0.4200 on kalshi");
    assert_eq!(scene.phase(), "second_leg");
    scene.fills(&second, "60.25", "0.42");
    assert_eq!(scene.phase(), "locked", "0.007 is below a lot");
    assert_eq!(scene.executor.state().dust(POLYMARKET), quantity("0.007"));
    assert_eq!(scene.held(KALSHI, Outcome::Yes), "60.25");
    assert!(scene.placed().is_empty());
    scene.wait(5_000);
    assert!(scene.placed().is_empty(), "dust is never retried");
    assert!(scene.incidents().is_empty());
}

#[test]
fn an_acknowledged_total_is_hedged_before_its_fills_arrive() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.tell(first.intent, over(Some(total("100", "52"))));
    assert_eq!(line(&scene.only()), "finish buy 100.00 yes at 0.4200 on kalshi");
    assert!(!scene.executor.state().order(first.intent).unwrap().is_known());
}

#[test]
fn a_fill_before_the_acknowledgement_waits_for_it_a_moment() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let fill = scene.fill(&first, "60", "0.52");
    scene.tell(first.intent, Evidence::Fill(fill));
    assert!(scene.placed().is_empty(), "more of it may be told");
    scene.tell(first.intent, over(Some(total("60", "31.2"))));
    assert_eq!(line(&scene.only()), "finish buy 60.00 yes at 0.4200 on kalshi");
}

#[test]
fn an_order_that_filled_whole_is_hedged_without_its_acknowledgement() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let fill = scene.fill(&first, "60", "0.52");
    scene.tell(first.intent, Evidence::Fill(fill));
    assert!(scene.placed().is_empty());
    let fill = scene.fill(&first, "40", "0.52");
    scene.tell(first.intent, Evidence::Fill(fill));
    let second = scene.only();
    assert_eq!(line(&second), "finish buy 100.00 yes at 0.4200 on kalshi");
    scene.fills(&second, "100", "0.42");
    assert_eq!(scene.phase(), "second_leg", "until the first one's answer is known");
    scene.tell(first.intent, over(Some(total("100", "52"))));
    assert_eq!(scene.phase(), "locked");
}

#[test]
fn fills_without_an_acknowledgement_are_hedged_when_the_answer_is_overdue() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let fill = scene.fill(&first, "60", "0.52");
    scene.tell(first.intent, Evidence::Fill(fill));
    scene.wait(2_100);
    assert_eq!(line(&scene.only()), "finish buy 60.00 yes at 0.4200 on kalshi");
}

#[test]
fn a_first_leg_that_finds_nothing_ends_flat() {
    for end in [refused(Refused::NoMatch), over(Some(total("0", "0")))] {
        let mut scene = Scene::opened(KALSHI_FIRST);
        let first = scene.only();
        scene.tell(first.intent, end);
        assert_eq!(scene.phase(), "flat");
        assert_eq!(scene.exposure(), None);
        assert!(scene.placed().is_empty());
    }
}

#[test]
fn kalshi_first_is_hedged_with_whole_cents_of_the_walked_cost() {
    let mut scene = Scene::opened(KALSHI_FIRST);
    let first = scene.only();
    assert_eq!(line(&first), "enter buy 100.00 yes at 0.4200 on kalshi");
    scene.world.offer(POLYMARKET, Outcome::No, &[("0.51", "10"), ("0.52", "500")]);
    scene.fills(&first, "33.33", "0.42");
    // 10 at 0.51 and 23.33 at 0.52 are 17.2316.
    assert_eq!(line(&scene.only()), "finish buy $17.230000 no at 0.5200 on polymarket");
}

#[test]
fn both_legs_at_once_lock_when_both_are_over() {
    let mut scene = Scene::opened(Stages::Together);
    let placed = scene.placed();
    assert_eq!(placed.len(), 2);
    scene.fills_surely(&placed[1], "100", "0.52");
    assert_eq!(scene.phase(), "both_legs");
    scene.fills(&placed[0], "100", "0.42");
    assert_eq!(scene.phase(), "locked");
    let exposure = scene.exposure().unwrap();
    // 42.00 and 1.7052 of fee; 52.00 and 0.9984 of fee.
    assert_eq!(exposure.legs[0].dollars, money("43.7052"));
    assert_eq!(exposure.legs[1].dollars, money("52.9984"));
    assert_eq!(exposure.reserve, money("0"), "nothing can go wrong before it settles");
}

#[test]
fn a_delayed_order_is_neither_filled_nor_hedged_until_it_matches() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.tell(first.intent, delayed());
    scene.wait(4_000);
    assert!(scene.placed().is_empty());
    assert_eq!(scene.phase(), "first_leg");
    assert!(scene.asked_about(first.intent), "it is asked about meanwhile");
    scene.fills(&first, "100", "0.52");
    assert_eq!(line(&scene.only()), "finish buy 100.00 yes at 0.4200 on kalshi");
}

#[test]
fn a_delayed_order_that_does_not_match_ends_flat() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.tell(first.intent, delayed());
    scene.tell(first.intent, over(Some(total("0", "0"))));
    assert_eq!(scene.phase(), "flat");
}

#[test]
fn an_order_that_rests_against_its_meaning_is_cancelled() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let id = OrderId("venue's".to_owned());
    let filled = Some(total("10", "5.2"));
    let rest = Rest::Resting;
    scene.tell(first.intent, Evidence::Standing { id, filled, rest, trades: Vec::new() });
    assert!(scene.acts.contains(&Act::Cancel(first.intent)));
    assert!(scene.placed().is_empty());
    scene.tell(first.intent, over(Some(total("10", "5.2"))));
    assert_eq!(line(&scene.only()), "finish buy 10.00 yes at 0.4200 on kalshi");
}

#[test]
fn more_than_planned_is_hedged_with_the_reserve() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills(&first, "104", "0.50");
    assert_eq!(line(&scene.only()), "finish buy 104.00 yes at 0.4200 on kalshi");
    let exposure = scene.exposure().unwrap();
    let spent = money("43.68");
    assert!(exposure.legs[0].dollars + exposure.reserve >= spent + money("1.7734"));
}

#[test]
fn a_leg_that_is_not_sent_yet_counts_with_all_that_was_approved_for_it() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let exposure = scene.exposure().unwrap();
    assert_eq!(exposure.legs.map(|leg| leg.dollars), [money("44.1"), money("54.1")]);
    assert_eq!(exposure.reserve, money("10"));
    let first = scene.only();
    scene.fills(&first, "10", "0.52");
    assert_eq!(scene.exposure().unwrap().legs[0].dollars, money("44.1"));
}

#[test]
fn an_order_beyond_its_leg_counts_in_full_and_leaves_the_reserve() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills(&first, "120", "0.43");
    // 42 and 10 of reserve, and the fee twice taken off 44.10: 49.90 buy 118.80.
    assert_eq!(line(&scene.only()), "finish buy 118.80 yes at 0.4200 on kalshi");
    let exposure = scene.exposure().unwrap();
    // Its fee, by what was allowed for a hundred, comes on top.
    assert_eq!(exposure.legs[0].dollars, money("49.896") + money("2.4948"));
    assert_eq!(exposure.reserve, money("1.7092"));
}

#[test]
fn matched_counts_as_unconfirmed_until_it_is_confirmed() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let fill = scene.fills(&first, "100", "0.52");
    assert_eq!(scene.exposure().unwrap().legs[1].unconfirmed, money("52.9984"));
    let second = scene.only();
    scene.fills(&second, "100", "0.42");
    assert_eq!(scene.phase(), "locked");
    assert_eq!(scene.exposure().unwrap().reserve, money("10"), "it may still fail");
    scene.tell(first.intent, Evidence::Fill(Fill { finality: Finality::Confirmed, ..fill }));
    let exposure = scene.exposure().unwrap();
    assert_eq!((exposure.legs[1].unconfirmed, exposure.reserve), (money("0"), money("0")));
}

#[test]
fn unconfirmed_fills_are_asked_about_until_they_are_final() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let fill = scene.fills(&first, "100", "0.52");
    let second = scene.only();
    scene.fills(&second, "100", "0.42");
    scene.wait(1_000);
    assert!(scene.asked_about(first.intent));
    assert!(!scene.asked_about(second.intent));
    scene.tell(first.intent, Evidence::Fill(Fill { finality: Finality::Confirmed, ..fill }));
    scene.asked_about(first.intent);
    scene.wait(20_000);
    assert!(!scene.asked_about(first.intent));
}

#[test]
fn one_trade_at_a_time_in_a_market() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    assert_eq!(scene.executor.may_open(&plan(POLYMARKET_FIRST)), Err("trade_open"));
    let first = scene.only();
    scene.tell(first.intent, refused(Refused::NoMatch));
    assert_eq!(scene.executor.may_open(&plan(POLYMARKET_FIRST)), Ok(()));
}

#[test]
fn nothing_that_is_told_twice_is_written_twice() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let fill = scene.fills(&first, "100", "0.52");
    let written = scene.records.len();
    scene.tell(first.intent, Evidence::Fill(fill));
    scene.tell(first.intent, over(Some(total("100", "52"))));
    scene.tell(first.intent, over(Some(total("40", "20.8"))));
    scene.tell(first.intent, delayed());
    assert_eq!(scene.records.len(), written);
}

#[test]
fn the_trades_that_changed_are_told_once() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    assert_eq!(scene.executor.take_changed(), [TradeId(1)]);
    assert!(scene.executor.take_changed().is_empty());
    let first = scene.only();
    scene.fills(&first, "100", "0.52");
    assert_eq!(scene.executor.take_changed(), [TradeId(1)]);
    assert_eq!(scene.executor.wakes(), Some(scene.now.after(Duration::from_millis(250))));
    assert_eq!(price("0.52"), first.limit);
}

#[test]
fn what_opens_a_position_is_all_or_nothing_where_that_is_asked_for_and_nothing_else_is() {
    let mut scene = Scene::new();
    scene.executor.settings.entry = Lifetime::AllOrNothing;
    scene.open(plan(POLYMARKET_FIRST));
    let first = scene.only();
    assert_eq!(first.lifetime, Lifetime::AllOrNothing);
    scene.fills_surely(&first, "100", "0.52");
    let hedge = scene.only();
    assert_eq!((hedge.purpose.name(), hedge.lifetime), ("finish", Lifetime::Immediate));
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.90", "500")]);
    scene.tell(hedge.intent, over(Some(total("0", "0"))));
    assert_eq!(scene.only().lifetime, Lifetime::Immediate);
}
