//! What a person says of a difference, and getting out of everything with several trades and over a
//! restart.

use std::time::Duration;

use crate::domain::{Action, Money, Outcome, Venue};
use crate::execute::{Act, Executor, Record, Scope};
use crate::plan::Stages;

use super::late::unclear;
use super::scene::{KALSHI, POLYMARKET, Scene, line, money, over, plan, quantity, settings, total};

const POLYMARKET_FIRST: Stages = Stages::First(Venue::Polymarket);

fn ignore(scene: &mut Scene) {
    scene.with(|executor, world, now, acts| {
        executor.ignore(Venue::Polymarket, POLYMARKET, "mine", (world, now), acts);
    });
}

fn flatten(scene: &mut Scene, loss_max: &str) {
    let loss_max = money(loss_max);
    scene.with(|executor, world, now, acts| executor.flatten(loss_max, world, now, acts));
    scene.wait(600);
}

#[test]
fn a_trade_whose_leg_was_adopted_away_neither_sells_nor_finishes() {
    let mut scene = Scene::locked();
    scene.adopt(POLYMARKET, Outcome::No, "0");
    assert_eq!(scene.held(POLYMARKET, Outcome::No), "0.00");
    assert_eq!(scene.phase(), "holding");
    scene.wait(60_000);
    flatten(&mut scene, "1000");
    scene.wait(60_000);
    assert!(scene.placed().is_empty(), "what is left waits for its person");
    assert_eq!(scene.executor.state().realised(), Money::ZERO, "it moves no money");
    let exposure = scene.exposure().unwrap();
    assert_eq!(exposure.legs[1].dollars, Money::ZERO);
    assert_eq!(exposure.legs[0].dollars, money("43.7052"), "what is held stays counted");
    assert_eq!((exposure.stranded, exposure.reserve), (Money::ZERO, Money::ZERO));
    scene.adopt(KALSHI, Outcome::Yes, "0");
    assert_eq!(scene.phase(), "flat");
    assert_eq!(scene.exposure(), None);
}

#[test]
fn a_leg_that_was_being_sold_is_not_sold_again_once_it_was_adopted_away() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.70", "500")]);
    scene.world.offer(POLYMARKET, Outcome::Yes, &[("0.60", "500")]);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    scene.tell(second.intent, over(Some(total("0", "0"))));
    let sale = scene.only();
    assert_eq!(sale.action, Action::Sell);
    scene.tell(sale.intent, unclear());
    scene.adopt(POLYMARKET, Outcome::No, "0");
    assert_eq!(scene.phase(), "flat", "what nobody knows is over");
    scene.wait(60_000);
    assert!(scene.placed().is_empty());
    assert_eq!(scene.executor.may_open(&plan(POLYMARKET_FIRST)), Ok(()));
}

#[test]
fn what_no_trade_counts_on_goes_before_what_one_does() {
    let mut scene = Scene::locked();
    scene.adopt(POLYMARKET, Outcome::No, "130");
    scene.adopt(POLYMARKET, Outcome::No, "110");
    assert_eq!(scene.phase(), "locked", "thirty were bought by hand, and twenty of them sold");
    scene.adopt(POLYMARKET, Outcome::No, "60");
    assert_eq!(scene.phase(), "holding");
    let state = scene.executor.state();
    let trade = state.trades().next().unwrap();
    assert_eq!(trade.balance(&trade.accounts(state.orders())).matched, quantity("60"));
    assert_eq!(trade.realised(&trade.accounts(state.orders())), Money::ZERO);
}

#[test]
fn an_ignored_market_is_not_traded_until_it_is_adopted() {
    let mut scene = Scene::locked();
    ignore(&mut scene);
    assert_eq!(scene.executor.may_open(&plan(POLYMARKET_FIRST)), Err("market_ignored"));
    flatten(&mut scene, "1000");
    scene.wait(10_000);
    assert!(scene.placed().is_empty(), "not even to be out of everything");
    assert_eq!(scene.phase(), "locked");
    scene.adopt(POLYMARKET, Outcome::No, "100");
    scene.wait(10_000);
    assert_eq!(scene.placed().len(), 2, "its trades go on");
}

#[test]
fn several_trades_that_are_sold_at_once_share_one_maximum() {
    let mut scene = Scene::new();
    for _ in 0..3 {
        scene.open(plan(POLYMARKET_FIRST));
        let first = scene.only();
        scene.fills_surely(&first, "100", "0.52");
        let second = scene.only();
        scene.fills(&second, "100", "0.42");
    }
    flatten(&mut scene, "20");
    // Each would lose 9.3836.
    let placed = scene.placed();
    let sold = |venue| -> Vec<String> {
        placed.iter().filter(|order| order.venue == venue).map(line).collect()
    };
    assert_eq!(
        sold(Venue::Kalshi),
        [
            "exit sell 100.00 yes at 0.4000 on kalshi",
            "exit sell 100.00 yes at 0.4000 on kalshi",
            "exit sell 12.50 yes at 0.4000 on kalshi",
        ]
    );
    scene.wait(2_000);
    assert!(scene.placed().is_empty() && scene.incidents().is_empty(), "all is set aside");
    for order in &placed {
        let (size, at) = match order.venue {
            Venue::Kalshi => (order.size, "0.40"),
            Venue::Polymarket => (order.size, "0.50"),
        };
        let crate::domain::Size::Contracts(size) = size else { panic!("sales are in contracts") };
        scene.fills_surely(order, &size.to_string(), at);
    }
    scene.wait(10_000);
    let lost = scene.executor.state().realised();
    assert!(lost < money("-19") && lost >= money("-20"), "{lost}");
}

#[test]
fn getting_out_of_everything_goes_on_after_a_restart_within_the_same_maximum() {
    let mut before = Scene::locked();
    flatten(&mut before, "5");
    let placed = before.placed();
    assert_eq!(line(&placed[0]), "exit sell 50.00 yes at 0.4000 on kalshi");
    before.fills(&placed[0], "50", "0.40");
    before.fills_surely(&placed[1], "50", "0.50");
    let mut scene = Scene::new();
    scene.executor = Executor::new(settings());
    for record in &before.records {
        scene.executor.apply(record);
    }
    scene.records = before.records;
    scene.now = before.now.after(Duration::from_secs(30));
    scene.with(|executor, _, now, acts| executor.resume(now, acts));
    scene.wait(2_000);
    assert!(scene.placed().is_empty(), "what was lost before counts");
    assert_eq!(scene.incidents(), ["flatten_short"]);
    scene.world.bid(POLYMARKET, Outcome::No, &[("0.60", "500")]);
    scene.wait(2_000);
    let placed = scene.placed();
    assert_eq!(line(&placed[1]), "exit sell 50.00 no at 0.6000 on polymarket");
    assert_eq!(scene.executor.may_open(&plan(Stages::Together)), Err("flattening"));
    scene.with(|executor, _, now, acts| executor.unhalt(Scope::All, now, acts));
    let goes_on = |record: &Record| matches!(record, Record::Flattening { .. });
    assert_eq!(scene.records.iter().filter(|record| goes_on(record)).count(), 1);
    assert!(!scene.acts.iter().any(|act| matches!(act, Act::Place(_))));
    assert_ne!(scene.executor.may_open(&plan(Stages::Together)), Err("flattening"));
}
