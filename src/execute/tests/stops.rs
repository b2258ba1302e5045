//! Exits, kill, flatten, and what markets pay in the end.

use crate::domain::report::{Permission, Refused};
use crate::domain::{
    Evidence, Fill, MarketIndex, Money, OrderId, Outcome, Purpose, Report, Size, TradeId, Venue,
};
use crate::execute::{Act, Executor, Record, Scope};
use crate::plan::{Kind, Plan, Stages};

use super::scene::{
    KALSHI, POLYMARKET, Scene, line, money, over, plan, price, quantity, refused, settings, total,
};

fn settled(scene: &Scene, market: MarketIndex, yes_pays: &str, paid: &str) -> Report {
    let venue = Venue::ALL[market.at()];
    let (yes_pays, paid) = (money(yes_pays), money(paid));
    let (id, market) = (String::new(), Some(market));
    Report::Settled { venue, market, id, yes_pays, paid, at: scene.now }
}

/// Sells 40 of both at better prices.
fn exit() -> Plan {
    let mut plan = Plan {
        kind: Kind::Exit,
        quantity: quantity("40"),
        ..plan(Stages::First(Venue::Polymarket))
    };
    for leg in &mut plan.legs {
        leg.size = Size::Contracts(quantity("40"));
        leg.quantity = quantity("40");
        leg.limit = if leg.market == KALSHI { price("0.46") } else { price("0.56") };
        leg.cost_max = Money::ZERO;
    }
    plan.reserve = Money::ZERO;
    plan
}

#[test]
fn a_trade_ends_when_both_venues_have_paid() {
    let mut scene = Scene::locked();
    scene.say(&settled(&scene, KALSHI, "1", "100"));
    assert_eq!(scene.phase(), "half_paid");
    assert!(scene.exposure().is_some());
    scene.say(&settled(&scene, POLYMARKET, "1", "0"));
    assert_eq!(scene.phase(), "paid", "it owes nothing for what lost");
    assert_eq!(scene.exposure(), None);
    assert!(scene.incidents().is_empty());
    // 100 for 42, 52 and their fees of 1.7052 and 0.9984.
    assert_eq!(scene.executor.state().realised(), money("3.2964"));
    assert_eq!(scene.cash(Venue::Kalshi) + scene.cash(Venue::Polymarket), money("3.2964"));
    assert_eq!(scene.held(KALSHI, Outcome::Yes), "0.00");
}

#[test]
fn a_settlement_that_is_told_again_changes_nothing() {
    let mut scene = Scene::locked();
    scene.say(&settled(&scene, KALSHI, "1", "100"));
    let written = scene.records.len();
    scene.say(&settled(&scene, KALSHI, "1", "100"));
    assert_eq!(scene.records.len(), written);
    assert_eq!(scene.cash(Venue::Kalshi), money("56.2948"));
}

#[test]
fn a_resolved_polymarket_market_is_redeemed_until_it_has_paid() {
    let mut scene = Scene::locked();
    scene.say(&settled(&scene, KALSHI, "0", "0"));
    assert_eq!(scene.phase(), "half_paid");
    scene.say(&settled(&scene, POLYMARKET, "0", "0"));
    scene.wait(100);
    assert!(scene.acts.contains(&Act::Redeem { market: POLYMARKET }));
    assert_eq!(scene.phase(), "half_paid", "resolved is not paid");
    scene.acts.clear();
    scene.wait(59_000);
    assert!(!scene.acts.contains(&Act::Redeem { market: POLYMARKET }));
    scene.wait(2_000);
    assert!(scene.acts.contains(&Act::Redeem { market: POLYMARKET }));
    scene.say(&settled(&scene, POLYMARKET, "0", "100"));
    assert_eq!(scene.phase(), "paid");
    assert_eq!(scene.executor.state().realised(), money("3.2964"));
}

#[test]
fn venues_that_pay_other_than_planned_are_an_incident_that_halts_the_event() {
    let mut scene = Scene::locked();
    scene.say(&settled(&scene, KALSHI, "0.26", "26"));
    assert_eq!(scene.incidents(), ["settlement_divergence"]);
    assert!(matches!(&scene.executor.state().halts()[0].0, Scope::Pair(_)));
    scene.say(&settled(&scene, POLYMARKET, "1", "0"));
    assert_eq!(scene.incidents(), ["settlement_divergence"], "said once");
    assert_eq!(scene.phase(), "paid");
    // Both legs lost: 26 for 96.7036.
    assert_eq!(scene.executor.state().realised(), money("-70.7036"));
}

#[test]
fn opposite_words_of_both_venues_are_a_divergence() {
    let mut scene = Scene::locked();
    scene.say(&settled(&scene, KALSHI, "0", "0"));
    assert!(scene.incidents().is_empty());
    scene.say(&settled(&scene, POLYMARKET, "1", "0"));
    assert_eq!(scene.incidents(), ["settlement_divergence"]);
    assert_eq!(scene.executor.state().realised(), money("-96.7036"));
}

#[test]
fn a_divergence_is_told_after_a_start_where_its_payment_was_the_last_that_was_written() {
    let mut before = Scene::locked();
    before.say(&settled(&before, KALSHI, "0", "0"));
    before.say(&settled(&before, POLYMARKET, "1", "0"));
    let is_payment =
        |record: &Record| matches!(record, Record::Reported { report: Report::Settled { .. }, .. });
    let last = before.records.iter().rposition(is_payment).unwrap();
    let mut scene = Scene::new();
    scene.executor = Executor::new(settings());
    scene.records = before.records[..=last].to_vec();
    for record in &scene.records {
        scene.executor.apply(record);
    }
    assert!(scene.incidents().is_empty());
    scene.with(|executor, _, now, acts| executor.resume(now, acts));
    assert_eq!(scene.incidents(), ["settlement_divergence"]);
    assert!(matches!(&scene.executor.state().halts()[0].0, Scope::Pair(_)));
}

#[test]
fn a_payment_that_is_not_what_was_held_is_an_incident() {
    let mut scene = Scene::locked();
    scene.say(&settled(&scene, KALSHI, "1", "90"));
    assert_eq!(scene.incidents(), ["settlement_divergence"]);
    assert_eq!(scene.executor.state().ledger().cash(Venue::Kalshi).paid, money("90"));
}

#[test]
fn a_flatten_goes_on_however_often_its_sales_are_kept_back() {
    let mut scene = Scene::locked();
    scene.with(|executor, world, now, acts| executor.flatten(money("20"), world, now, acts));
    scene.wait(600);
    for round in 0..30 {
        let both = scene.placed();
        assert_eq!(both.len(), 2, "round {round}");
        for order in &both {
            scene.tell(order.intent, refused(Refused::KeptBack));
        }
        scene.wait(2_000);
    }
    let both = scene.placed();
    scene.fills_surely(&both[0], "100", "0.40");
    scene.fills_surely(&both[1], "100", "0.50");
    assert_eq!(scene.phase(), "flat");
}

#[test]
fn an_exit_sells_what_the_oldest_trade_bought() {
    let mut scene = Scene::locked();
    assert_eq!(scene.executor.may_open(&exit()), Ok(()));
    let id = scene.open(exit());
    let first = scene.only();
    assert_eq!(line(&first), "exit sell 40.00 no at 0.5600 on polymarket");
    scene.fills_surely(&first, "40", "0.56");
    let second = scene.only();
    assert_eq!(line(&second), "exit sell 40.00 yes at 0.4600 on kalshi");
    scene.fills(&second, "40", "0.46");
    assert_eq!(scene.phase_of(id), "flat");
    assert_eq!(scene.held(KALSHI, Outcome::Yes), "60.00");
    let state = scene.executor.state();
    let pair = &plan(Stages::Together).pair;
    let left = state.locked(pair).next().unwrap();
    assert_eq!(left.quantity, quantity("60"));
    // 60 of 43.7052 and 60 of 52.9984.
    assert_eq!(left.paid, money("58.02216"));
    // 18.40 and 22.40, less their fees, less 40 of what both had cost.
    let fees = money("0.6956") + money("0.394240");
    assert_eq!(state.realised(), money("40.80") - fees - money("38.68144"));
    assert_eq!(scene.exposure().unwrap().legs[0].dollars, money("26.22312"));
    scene.say(&settled(&scene, KALSHI, "1", "60"));
    scene.say(&settled(&scene, POLYMARKET, "1", "0"));
    let cash = scene.cash(Venue::Kalshi) + scene.cash(Venue::Polymarket);
    assert_eq!(scene.executor.state().realised(), cash, "every dollar is in one trade");
}

#[test]
fn more_than_is_held_is_not_sold() {
    let scene = Scene::locked();
    let mut greedy = exit();
    greedy.quantity = quantity("101");
    assert_eq!(scene.executor.may_open(&greedy), Err("not_held"));
}

#[test]
fn a_half_exit_is_finished_or_bought_back() {
    let mut scene = Scene::locked();
    let id = scene.open(exit());
    let first = scene.only();
    scene.fills_surely(&first, "40", "0.56");
    let second = scene.only();
    scene.world.bid(KALSHI, Outcome::Yes, &[("0.44", "500")]);
    scene.world.offer(POLYMARKET, Outcome::No, &[("0.60", "500")]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    assert_eq!(scene.phase_of(id), "unwinding");
    let again = scene.only();
    assert_eq!(line(&again), "exit sell 40.00 yes at 0.4400 on kalshi");
    scene.world.bid(KALSHI, Outcome::Yes, &[("0.10", "500")]);
    scene.world.offer(POLYMARKET, Outcome::No, &[("0.52", "500")]);
    scene.tell(again.intent, over(Some(total("0", "0"))));
    scene.wait(600);
    let back = scene.only();
    assert_eq!(line(&back), "finish buy $20.800000 no at 0.5200 on polymarket");
    scene.fills_surely(&back, "40", "0.52");
    assert_eq!(scene.phase_of(id), "flat");
    assert_eq!(scene.held(POLYMARKET, Outcome::No), "100.00");
}

#[test]
fn kill_cancels_by_id_lists_what_is_held_and_sends_nothing_more() {
    let mut scene = Scene::opened(Stages::First(Venue::Polymarket));
    let first = scene.only();
    let fill = scene.fill(&first, "10", "0.52");
    scene.tell(first.intent, Evidence::Fill(fill));
    scene.acts.clear();
    scene.with(|executor, world, now, acts| {
        executor.kill("a person said so", world, now, acts);
    });
    assert!(scene.acts.contains(&Act::Cancel(first.intent)));
    assert_eq!(scene.incidents(), ["killed"]);
    scene.acts.clear();
    scene.fills(&first, "90", "0.52");
    scene.wait(10_000);
    assert!(scene.acts.iter().all(|act| matches!(act, Act::Write(_))), "{:?}", scene.acts);
    assert_eq!(scene.executor.may_open(&plan(Stages::Together)), Err("killed"));
}

#[test]
fn flatten_sells_both_legs_within_the_stated_loss() {
    let mut scene = Scene::locked();
    let enough = money("20");
    scene.with(|executor, world, now, acts| executor.flatten(enough, world, now, acts));
    scene.wait(600);
    let placed = scene.placed();
    assert_eq!(line(&placed[0]), "exit sell 100.00 yes at 0.4000 on kalshi");
    assert_eq!(line(&placed[1]), "exit sell 100.00 no at 0.5000 on polymarket");
    scene.fills(&placed[0], "100", "0.40");
    scene.fills_surely(&placed[1], "100", "0.50");
    assert_eq!(scene.phase(), "flat");
    assert_eq!(scene.held(KALSHI, Outcome::Yes), "0.00");
    assert!(placed.iter().all(|order| order.purpose == Purpose::Exit));
}

#[test]
fn flatten_sells_no_more_than_its_loss_allows() {
    let mut scene = Scene::locked();
    scene.with(|executor, world, now, acts| executor.flatten(money("5"), world, now, acts));
    scene.wait(600);
    // All would lose 9.3836; a half loses 4.6918.
    let placed = scene.placed();
    assert_eq!(line(&placed[0]), "exit sell 50.00 yes at 0.4000 on kalshi");
    scene.fills(&placed[0], "50", "0.40");
    scene.fills_surely(&placed[1], "50", "0.50");
    assert!(scene.executor.state().realised() >= money("-5"));
    assert_eq!(scene.phase(), "locked");
    scene.wait(2_000);
    assert!(scene.placed().is_empty(), "31 cents are 3.30 contracts, below the minimum");
    assert_eq!(scene.incidents(), ["flatten_short"], "said once");
}

#[test]
fn orders_that_bear_our_mark_stop_their_venue() {
    let mut scene = Scene::new();
    scene.say(&Report::Foreign {
        venue: Venue::Kalshi,
        id: OrderId("stranger".to_owned()),
        is_ours: true,
        market: Some(KALSHI),
        evidence: over(None),
    });
    assert_eq!(scene.incidents(), ["order_adopted"]);
    assert_eq!(scene.executor.may_open(&plan(Stages::Together)), Err("halted"));
    scene.with(|executor, _, now, acts| executor.unhalt(Scope::Venue(Venue::Kalshi), now, acts));
    assert_eq!(scene.executor.may_open(&plan(Stages::Together)), Ok(()));
}

#[test]
fn an_account_that_may_only_read_is_told_once() {
    let mut scene = Scene::new();
    let permission = Permission::ReadOnly("closed only".to_owned());
    for _ in 0..2 {
        let permission = permission.clone();
        scene.say(&Report::Permission { venue: Venue::Polymarket, permission });
    }
    assert_eq!(scene.incidents(), ["read_only"]);
}

#[test]
fn kalshi_nets_both_outcomes_and_polymarket_keeps_them() {
    let mut scene = Scene::locked();
    let mut reverse = plan(Stages::Together);
    for leg in &mut reverse.legs {
        leg.outcome = leg.outcome.other();
        leg.limit = if leg.market == KALSHI { price("0.60") } else { price("0.50") };
    }
    let id = scene.open(reverse);
    let placed = scene.placed();
    let sure = |scene: &mut Scene, at: usize, limit: &str| -> Fill {
        scene.fills_surely(&placed[at], "100", limit)
    };
    let cash = scene.cash(Venue::Kalshi);
    sure(&mut scene, 0, "0.60");
    sure(&mut scene, 1, "0.50");
    assert_eq!(scene.phase_of(id), "locked");
    assert_eq!(scene.held(KALSHI, Outcome::Yes), "0.00");
    assert_eq!(scene.held(KALSHI, Outcome::No), "0.00");
    // A hundred come back at once for the pairs; 60 and a fee of 1.68 went out.
    assert_eq!(scene.cash(Venue::Kalshi) - cash, money("38.32"));
    assert_eq!(scene.held(POLYMARKET, Outcome::Yes), "100.00");
    assert_eq!(scene.held(POLYMARKET, Outcome::No), "100.00");
    assert_eq!(id, TradeId(2));
}

#[test]
fn a_losing_leg_that_is_paid_first_is_no_loss_of_the_day() {
    let mut scene = Scene::locked();
    scene.say(&settled(&scene, KALSHI, "0", "0"));
    assert_eq!(scene.phase(), "half_paid");
    assert_eq!(scene.executor.state().realised(), Money::ZERO, "the other leg pays a dollar");
    scene.say(&settled(&scene, POLYMARKET, "0", "100"));
    assert_eq!(scene.executor.state().realised(), money("3.2964"));
}

#[test]
fn an_account_that_may_only_read_for_a_while_needs_nobody_to_go_on() {
    let mut scene = Scene::new();
    let venue = Venue::Kalshi;
    let permission = Permission::ReadOnly("kalshi does not trade".to_owned());
    scene.say(&Report::Permission { venue, permission });
    assert!(scene.executor.state().halts().is_empty(), "the weekly pause is no stop");
    scene.say(&Report::Permission { venue, permission: Permission::Open });
    assert_eq!(scene.executor.may_open(&plan(Stages::Together)), Ok(()));
    let permission = Permission::ReadOnly("kalshi does not trade".to_owned());
    scene.say(&Report::Permission { venue, permission });
    assert_eq!(scene.incidents(), ["read_only", "read_only"], "each time it began");
}

#[test]
fn an_entry_against_what_is_held_is_not_opened() {
    let scene = Scene::locked();
    let mut reverse = plan(Stages::Together);
    for leg in &mut reverse.legs {
        leg.outcome = leg.outcome.other();
    }
    assert_eq!(scene.executor.may_open(&reverse), Err("other_outcome_held"));
    assert_eq!(scene.executor.may_open(&plan(Stages::Together)), Ok(()), "more of the same is");
}

#[test]
fn an_exit_is_open_under_a_halt_but_not_at_a_venue_that_is_stopped() {
    let mut scene = Scene::locked();
    scene.with(|executor, _, now, acts| executor.halt(Scope::All, "a person", now, acts));
    assert_eq!(scene.executor.may_open(&plan(Stages::Together)), Err("halted"));
    assert_eq!(scene.executor.may_open(&exit()), Ok(()), "it makes what is at risk smaller");
    let venue = Scope::Venue(Venue::Kalshi);
    scene.with(|executor, _, now, acts| executor.halt(venue, "its key", now, acts));
    assert_eq!(scene.executor.may_open(&exit()), Err("halted"), "a leg could not be sold");
}
