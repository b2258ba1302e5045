use proptest::prelude::*;

use super::*;
use crate::domain::{MarketIndex, TradeId as Id, Venue};
use crate::plan::Plan;
use crate::risk::Limits;
use crate::risk::NoTrade::{LimitEvent, LimitMarket, LimitTotal, LimitVenue};
use crate::risk::tests::{limits, money, now, plan, proposal, ready};

/// A trade of 60 and 50 dollars that has come to rest, and what it has at risk then.
fn rested(risk: &mut Risk) -> (Id, Plan, Exposure) {
    let plan = plan(0, 60, 50);
    let trade = risk.approve(proposal(plan.clone()), now()).unwrap().trade();
    let exposure = Exposure { reserve: Money::ZERO, ..Exposure::of_plan(&plan) };
    risk.set_exposure(trade, &plan, exposure, now());
    risk.lock(trade, now());
    (trade, plan, exposure)
}

#[test]
fn every_limit_leaves_its_own_room() {
    type Set = fn(&mut Limits, Money);
    let cases: [(Set, i64, [i64; 2], i64); 8] = [
        (|l, m| l.market = m, 70, [10, 20], 290),
        (|l, m| l.pair = m, 130, [90, 100], 20),
        (|l, m| l.event = m, 140, [90, 100], 30),
        (|l, m| l.venues = [m, money(1_000)], 75, [15, 100], 290),
        (|l, m| l.total = m, 150, [90, 100], 40),
        (|l, m| l.unconfirmed = m, 55, [90, 5], 290),
        (|l, m| l.stranded = m, 65, [5, 15], 290),
        // Beyond the margin of ten.
        (|l, m| l.purse_margin = m, 9_935, [5, 15], 290),
    ];
    for (at, (set, most, venues, all)) in cases.into_iter().enumerate() {
        let mut risk = ready(Limits { pair: money(400), ..limits() });
        let (trade, _, exposure) = rested(&mut risk);
        set(&mut risk.limits, money(most));
        let room = risk.room(trade, &exposure, now());
        assert_eq!(room, Room { venues: venues.map(money), all: money(all) }, "case {at}");
    }
}

#[test]
fn what_is_over_a_limit_leaves_no_room_and_takes_none() {
    let mut risk = ready(limits());
    let (trade, _, exposure) = rested(&mut risk);
    (risk.limits.market, risk.limits.total) = (money(20), money(20));
    assert_eq!(risk.room(trade, &exposure, now()), Room::default());
    assert_eq!(risk.room(TradeId(99), &exposure, now()), Room::default());
}

#[test]
fn what_does_not_raise_what_stands_alone_is_not_held_back_by_it() {
    let mut risk = ready(limits());
    let (trade, _, exposure) = rested(&mut risk);
    risk.limits.stranded = money(1);
    risk.limits.unconfirmed = money(1);
    let room = risk.room(trade, &exposure, now());
    assert_eq!(room.venues, [Money::ZERO; 2], "fifty may fail at Polymarket already, and no more");
    risk.limits.unconfirmed = money(300);
    let room = risk.room(trade, &exposure, now());
    assert_eq!(room.venues, [money(0), money(10)], "up to the larger leg");
}

#[test]
fn contracts_that_no_trade_bought_take_room_from_all() {
    let mut risk = ready(limits());
    let adopt = |risk: &mut Risk, market, venue, event, dollars| {
        risk.set_adopted(MarketIndex(market), venue, (event, ""), money(dollars));
    };
    let fits = |risk: &Risk| risk.check(&proposal(plan(0, 60, 50)), now()).err();
    use Venue::{Kalshi, Polymarket};
    for (market, venue, event, dollars, no) in [
        (0, Kalshi, "", 86, LimitMarket),
        (1, Polymarket, "", 96, LimitMarket),
        (20, Kalshi, "k-0", 286, LimitEvent),
        (21, Polymarket, "p-0", 286, LimitEvent),
        (20, Kalshi, "elsewhere", 436, LimitVenue),
    ] {
        adopt(&mut risk, market, venue, event, dollars);
        assert_eq!(fits(&risk), Some(no), "{market} {event}");
        adopt(&mut risk, market, venue, event, dollars - 1);
        assert_eq!(fits(&risk), None, "{market} {event}");
        adopt(&mut risk, market, venue, event, 0);
    }
    adopt(&mut risk, 20, Kalshi, "", 400);
    adopt(&mut risk, 21, Polymarket, "", 286);
    assert_eq!(fits(&risk), Some(LimitTotal));
    assert_eq!(risk.totals().total, money(686));
}

proptest! {
    /// Whatever else is at risk: who spends no more than the room, takes nothing over a limit that
    /// was not over it before.
    #[test]
    fn what_there_is_room_for_takes_nothing_over_a_limit(
        others in prop::collection::vec((0u32..4, 0i64..90, 0i64..90), 0..4),
        own in (0i64..90, 0i64..90),
        most in prop::array::uniform7(0i64..400),
        spends in (0usize..2, 0i64..100),
    ) {
        let mut risk = ready(limits());
        for (at, (pair, kalshi, polymarket)) in others.into_iter().enumerate() {
            let plan = plan(pair, kalshi, polymarket);
            let trade = Id(2 + u64::try_from(at).unwrap());
            risk.set_exposure(trade, &plan, Exposure::of_plan(&plan), now());
        }
        let plan = plan(0, own.0, own.1);
        let mut exposure = Exposure { reserve: Money::ZERO, ..Exposure::of_plan(&plan) };
        risk.set_exposure(Id(1), &plan, exposure, now());
        risk.trades.get_mut(&Id(1)).unwrap().purses = Some(proposal(plan.clone()).purses);
        let [market, pair, event, venue, total, unconfirmed, stranded] = most.map(money);
        let venues = [venue; 2];
        risk.limits =
            Limits { market, pair, event, venues, total, unconfirmed, stranded, ..limits() };
        let sums = |risk: &Risk, exposure: Exposure| {
            let own = Standing::new(&plan, exposure);
            let sums = risk.sums(risk.trades.values(), Some(&own));
            let [kalshi, polymarket] = sums.markets;
            [kalshi.max(polymarket), sums.pair, sums.events[0].max(sums.events[1]),
                sums.venues[0].max(sums.venues[1]), sums.total, sums.unconfirmed, sums.stranded]
        };
        let before = sums(&risk, exposure);
        let room = risk.room(Id(1), &exposure, now());
        let (at, wanted) = (spends.0, money(spends.1));
        let lent = wanted.min(room.venues[at]).min(room.all);
        exposure.legs[at].dollars += lent;
        risk.set_exposure(Id(1), &plan, exposure, now());
        for ((before, after), most) in before.into_iter().zip(sums(&risk, exposure)).zip(most) {
            prop_assert!(after <= money(most).max(before), "{after} of {most}, {before} before");
        }
    }
}
