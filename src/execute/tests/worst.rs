//! What counts at its worst, and what is done again because a word about it was lost.

use std::time::Duration;

use crate::domain::report::{Fee, Rest, Total};
use crate::domain::{
    Evidence, Fill, Finality, MarketIndex, Money, OrderId, Outcome, Report, TradeId, Venue,
};
use crate::execute::trade_state::{End, Phase};
use crate::execute::{Act, Executor, Record, State};
use crate::pairing::PairId;
use crate::plan::{Kind, Plan, Stages};
use crate::risk::Room;

use super::scene::{
    KALSHI, POLYMARKET, Scene, line, money, over, plan, price, quantity, settings, total,
};

const POLYMARKET_FIRST: Stages = Stages::First(Venue::Polymarket);

fn settled(scene: &Scene, market: MarketIndex, yes_pays: &str, paid: &str) -> Report {
    let (yes_pays, paid, venue) = (money(yes_pays), money(paid), Venue::ALL[market.at()]);
    let (id, market) = (String::new(), Some(market));
    Report::Settled { venue, market, id, yes_pays, paid, at: scene.now }
}

/// Polymarket filled 100 for sure, Kalshi nothing, and no way out is open.
fn stuck() -> Scene {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[]);
    scene.world.bid(POLYMARKET, Outcome::No, &[]);
    scene.world.offer(POLYMARKET, Outcome::Yes, &[]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    assert_eq!(scene.phase(), "holding");
    scene
}

#[test]
fn a_part_that_was_sold_at_a_gain_makes_the_rest_no_cheaper() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    scene.world.bid(POLYMARKET, Outcome::No, &[("0.80", "500")]);
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.95", "500")]);
    scene.fills(&second, "50", "0.42");
    let sale = scene.only();
    assert_eq!(line(&sale), "unwind sell 50.00 no at 0.8000 on polymarket");
    scene.fills_surely(&sale, "50", "0.80");
    assert_eq!(scene.phase(), "locked");
    // 40 came back of 52.9984; the 50 that are left cost half of that all the same.
    assert_eq!(scene.exposure().unwrap().legs[1].dollars, money("26.4992"));
}

#[test]
fn what_an_offset_that_may_fail_would_leave_stays_at_risk() {
    let mut scene = Scene::new();
    let mut rich = plan(POLYMARKET_FIRST);
    rich.reserve = money("60");
    scene.open(rich);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.70", "500")]);
    scene.world.bid(POLYMARKET, Outcome::No, &[("0.30", "500")]);
    scene.world.offer(POLYMARKET, Outcome::Yes, &[("0.50", "20")]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    let offset = scene.only();
    let matched = scene.fills(&offset, "20", "0.50");
    scene.world.bid(POLYMARKET, Outcome::No, &[("0.99", "500")]);
    scene.wait(600);
    let sale = scene.only();
    assert_eq!(line(&sale), "unwind sell 80.00 no at 0.9900 on polymarket");
    scene.fills_surely(&sale, "80", "0.99");
    assert_eq!(scene.phase(), "flat");
    let at_risk = |scene: &Scene| scene.exposure().map(|exposure| exposure.legs[1].dollars);
    assert_eq!(at_risk(&scene), Some(money("10.59968")), "the twenty that would be left");
    let finality = Finality::Confirmed;
    scene.tell(offset.intent, Evidence::Fill(Fill { finality, ..matched }));
    assert_eq!(at_risk(&scene), None);
}

#[test]
fn a_sale_of_an_exit_that_may_fail_stays_at_risk() {
    let mut scene = Scene::locked();
    let mut exit = Plan { kind: Kind::Exit, quantity: quantity("40"), ..plan(POLYMARKET_FIRST) };
    for leg in &mut exit.legs {
        leg.size = crate::domain::Size::Contracts(quantity("40"));
        leg.quantity = quantity("40");
        leg.limit = if leg.market == KALSHI { price("0.46") } else { price("0.56") };
        leg.cost_max = Money::ZERO;
    }
    let id = scene.open(exit);
    let first = scene.only();
    let matched = scene.fills(&first, "40", "0.56");
    let at_risk = |scene: &Scene| {
        let of = |id| scene.executor.exposure(id).map_or(Money::ZERO, |e| e.legs[1].dollars);
        of(TradeId(1)) + of(id)
    };
    assert_eq!(at_risk(&scene), money("52.9984"), "it may come back");
    let finality = Finality::Confirmed;
    scene.tell(first.intent, Evidence::Fill(Fill { finality, ..matched }));
    assert_eq!(at_risk(&scene), money("31.79904"));
}

#[test]
fn what_its_market_has_paid_is_no_dust() {
    let mut scene = stuck();
    scene.say(&settled(&scene, POLYMARKET, "0", "100"));
    assert_eq!(scene.phase(), "paid", "Kalshi, where nothing is held, will say nothing");
    assert_eq!(scene.exposure(), None);
    assert_eq!(scene.executor.state().dust(POLYMARKET), quantity("0"));
}

#[test]
fn a_trade_that_was_paid_whole_leaves_no_dust() {
    let mut scene = Scene::opened(Stages::First(Venue::Kalshi));
    let first = scene.only();
    let bought = scene.fills(&first, "100", "0.42");
    let second = scene.only();
    scene.world.bid(KALSHI, Outcome::Yes, &[("0.42", "500")]);
    scene.world.offer(POLYMARKET, Outcome::No, &[]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    let sale = scene.only();
    scene.fills(&sale, "100", "0.42");
    assert_eq!(scene.phase(), "flat");
    scene.world.offer(POLYMARKET, Outcome::Yes, &[]);
    scene.world.offer(KALSHI, Outcome::Yes, &[]);
    // Kalshi takes the purchase back and not the sale: a hundred of the other outcome are left.
    let finality = Finality::Failed;
    scene.tell(first.intent, Evidence::Fill(Fill { finality, ..bought }));
    scene.say(&settled(&scene, KALSHI, "1", "0"));
    assert_eq!(scene.phase(), "paid");
    let dust = [KALSHI, POLYMARKET].map(|market| scene.executor.state().dust(market));
    assert_eq!(dust, [quantity("0"); 2]);
}

#[test]
fn what_an_exit_could_not_sell_after_all_is_at_risk_before_anybody_looks_at_it() {
    let mut scene = Scene::locked();
    let mut exit = Plan { kind: Kind::Exit, ..plan(POLYMARKET_FIRST) };
    for leg in &mut exit.legs {
        leg.size = crate::domain::Size::Contracts(quantity("100"));
        leg.limit = if leg.market == KALSHI { price("0.46") } else { price("0.56") };
        leg.cost_max = Money::ZERO;
    }
    scene.open(exit);
    let first = scene.only();
    let sold = scene.fills_surely(&first, "100", "0.56");
    let second = scene.only();
    scene.fills_surely(&second, "100", "0.46");
    let at_risk = |state: &State| {
        let mut trade = state.trade(TradeId(1)).unwrap().clone();
        trade.phase = Phase::Ended(End::Flat);
        trade.exposure(state.orders()).map(|one| one.legs.map(|leg| leg.dollars))
    };
    let mut state = scene.executor.state().clone();
    assert_eq!(at_risk(&state), None);
    let finality = Finality::Failed;
    let evidence = Evidence::Fill(Fill { finality, ..sold });
    let report = Report::Order { intent: first.intent, evidence };
    state.apply(&Record::Reported { report, at: scene.now });
    assert_eq!(at_risk(&state), Some([money("0"), money("52.9984")]));
}

#[test]
fn fees_that_were_not_told_yet_are_counted_at_the_most_that_they_can_be() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    let fill = scene.fill(&second, "100", "0.42");
    let all = Total { quantity: fill.quantity, money: fill.money };
    let used = |scene: &Scene| {
        let state = scene.executor.state();
        // As if nothing had been let go of when both legs were there.
        let mut trade = state.trade(TradeId(1)).unwrap().clone();
        trade.released = None;
        trade.purse(&trade.accounts(state.orders()), Venue::Kalshi, &Room::default())
    };
    scene.tell(second.intent, over(Some(all)));
    let before = used(&scene);
    let Fee::Reported(fee) = fill.fee else { panic!("Kalshi tells its fees") };
    scene.tell(second.intent, Evidence::Fill(fill));
    let more = used(&scene) - before;
    assert!(more >= Money::ZERO && more < fee, "{more} more may be spent once {fee} was told");
}

#[test]
fn a_way_out_loses_no_more_than_its_budget_where_it_fills_at_its_limit() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.95", "500")]);
    scene.world.offer(POLYMARKET, Outcome::Yes, &[("0.95", "500")]);
    scene.world.bid(POLYMARKET, Outcome::No, &[("0.50", "60"), ("0.20", "10")]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    // Seventy at what is bid would lose 5.69; all seventy at 0.20 would lose 23.55.
    assert_eq!(line(&scene.only()), "unwind sell 60.00 no at 0.5000 on polymarket");
}

#[test]
fn a_cancel_that_was_lost_is_sent_again() {
    let mut scene = Scene::opened(POLYMARKET_FIRST);
    let first = scene.only();
    let id = OrderId("venue's".to_owned());
    let (filled, rest, trades) = (Some(total("10", "5.2")), Rest::Resting, Vec::new());
    let resting = Evidence::Standing { id, filled, rest, trades };
    scene.tell(first.intent, resting.clone());
    scene.acts.clear();
    scene.wait(1_000);
    scene.tell(first.intent, resting);
    assert!(scene.acts.contains(&Act::Cancel(first.intent)), "{:?}", scene.acts);
}

#[test]
fn a_merge_without_an_answer_is_asked_for_again() {
    let mut scene = Scene::new();
    let mut rich = plan(POLYMARKET_FIRST);
    rich.reserve = money("60");
    scene.open(rich);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.70", "500")]);
    scene.world.bid(POLYMARKET, Outcome::No, &[("0.30", "500")]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    let offset = scene.only();
    scene.fills_surely(&offset, "100", "0.50");
    assert_eq!(scene.phase(), "flat");
    scene.acts.clear();
    scene.wait(61_000);
    let merges = scene.acts.iter().filter(|act| matches!(act, Act::Merge { .. })).count();
    assert_eq!(merges, 1);
}

/// A start after `away`, with a leg that stands alone.
fn started_after(away: Duration) -> Scene {
    let before = stuck();
    let mut scene = Scene::new();
    scene.executor = Executor::new(settings());
    for record in &before.records {
        scene.executor.apply(record);
    }
    scene.records = before.records;
    scene.now = before.now.after(away);
    scene.with(|executor, _, now, acts| executor.resume(now, acts));
    scene.executor.wait_for_readings(Duration::from_secs(15));
    scene.wait(1_000);
    scene
}

#[test]
fn a_leg_that_a_person_may_have_closed_meanwhile_waits_for_a_reading() {
    let mut scene = started_after(Duration::from_secs(3_600));
    assert_eq!(scene.placed(), []);
    let may_open = |scene: &Scene| scene.executor.may_open(&elsewhere());
    assert_eq!(may_open(&scene), Err("resuming"), "nobody knows yet what is to be done");
    scene.executor.seen(KALSHI);
    scene.executor.seen(POLYMARKET);
    scene.wait(1_000);
    let second = scene.only();
    assert_eq!(line(&second), "finish buy 100.00 yes at 0.4200 on kalshi");
    assert_eq!(may_open(&scene), Err("resuming"));
    scene.fills_surely(&second, "100", "0.42");
    assert_eq!(may_open(&scene), Ok(()));
}

#[test]
fn a_leg_without_a_way_out_keeps_nobody_from_trading_elsewhere_after_a_start() {
    let mut scene = started_after(Duration::from_secs(3_600));
    scene.world.offer(KALSHI, Outcome::Yes, &[]);
    scene.world.bid(POLYMARKET, Outcome::No, &[]);
    scene.world.offer(POLYMARKET, Outcome::Yes, &[]);
    assert_eq!(scene.executor.may_open(&elsewhere()), Err("resuming"));
    scene.executor.seen(KALSHI);
    scene.executor.seen(POLYMARKET);
    scene.wait(1_000);
    assert_eq!(scene.placed(), []);
    assert_eq!(scene.phase(), "holding");
    assert_eq!(scene.executor.may_open(&elsewhere()), Ok(()));
}

#[test]
fn a_leg_that_was_held_is_looked_at_before_anything_new_is_begun() {
    let mut scene = started_after(Duration::from_secs(2));
    let finish = scene.only();
    assert_eq!(finish.purpose, crate::domain::Purpose::Finish);
    // The same start, but no book is there yet.
    let before = stuck();
    let mut scene = Scene::new();
    scene.world.0.iter_mut().for_each(|side| side.books = None);
    scene.executor = Executor::new(settings());
    before.records.iter().for_each(|record| scene.executor.apply(record));
    scene.records = before.records;
    scene.now = before.now.after(Duration::from_secs(2));
    scene.with(|executor, _, now, acts| executor.resume(now, acts));
    scene.wait(1_000);
    assert_eq!(scene.executor.may_open(&elsewhere()), Err("resuming"), "nobody knows yet");
    scene.wait(60_000);
    assert_eq!(scene.executor.may_open(&elsewhere()), Ok(()), "no book has come for long");
}

/// A plan of another pair.
fn elsewhere() -> Plan {
    let mut other = plan(POLYMARKET_FIRST);
    other.pair = PairId("elsewhere".to_owned());
    other.legs[0].market = MarketIndex(7);
    other.legs[1].market = MarketIndex(8);
    other
}

#[test]
fn a_leg_is_brought_together_at_once_after_a_short_absence() {
    let mut scene = started_after(Duration::from_secs(2));
    assert_eq!(line(&scene.only()), "finish buy 100.00 yes at 0.4200 on kalshi");
}

#[test]
fn an_entry_that_kalshi_would_net_against_a_remainder_is_not_opened() {
    let mut scene = Scene::opened(Stages::First(Venue::Kalshi));
    let first = scene.only();
    scene.fills(&first, "0.50", "0.42");
    let mut other = plan(Stages::Together);
    for leg in &mut other.legs {
        leg.outcome = leg.outcome.other();
    }
    scene.world.bid(KALSHI, Outcome::Yes, &[]);
    scene.world.offer(POLYMARKET, Outcome::No, &[]);
    scene.say(&settled(&scene, POLYMARKET, "0", "0"));
    assert_eq!(scene.held(KALSHI, Outcome::Yes), "0.50");
    assert_ne!(scene.executor.may_open(&other), Ok(()));
}

#[test]
fn a_part_of_what_kalshi_left_short_that_was_closed_at_a_gain_makes_the_rest_no_cheaper() {
    let mut scene = Scene::opened(Stages::First(Venue::Kalshi));
    let first = scene.only();
    let bought = scene.fills(&first, "100", "0.42");
    let second = scene.only();
    scene.world.offer(POLYMARKET, Outcome::No, &[]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    let sale = scene.only();
    assert_eq!(line(&sale), "unwind sell 100.00 yes at 0.4000 on kalshi");
    scene.fills(&sale, "100", "0.40");
    assert_eq!(scene.phase(), "flat");
    // Kalshi takes the purchase back and not the sale: a hundred NO are left, at 0.60 each.
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.20", "50")]);
    scene.world.offer(POLYMARKET, Outcome::Yes, &[]);
    scene.world.1 = Room { venues: [money("100"), money("100")], all: money("100") };
    let finality = Finality::Failed;
    scene.tell(first.intent, Evidence::Fill(Fill { finality, ..bought }));
    let back = scene.only();
    assert_eq!(line(&back), "finish buy 50.00 yes at 0.2000 on kalshi");
    scene.fills(&back, "50", "0.20");
    let left = scene.exposure().unwrap().legs[0].dollars;
    assert!(left >= money("30"), "fifty NO at 0.60 and a fee: {left}");
}
