use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::{Action, IntentId, Lifetime, Outcome, Price, Purpose, Quantity, Size};
use crate::plan::{Leg, Stages};

mod event;

pub(super) fn money(dollars: i64) -> Money {
    Money::from_micros(dollars * Money::DOLLAR)
}

pub(super) fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T10:00:00Z").unwrap()
}

pub(super) fn limits() -> Limits {
    Limits {
        order: money(100),
        market: money(150),
        pair: money(300),
        event: money(400),
        venues: [money(500), money(500)],
        total: money(800),
        unconfirmed: money(300),
        stranded: money(300),
        stranded_max: Duration::from_secs(30),
        loss_per_day: money(40),
        open_trades: 4,
        orders_per_second: 100,
        rejections: [3, 5, 8],
        dust_market: money(3),
        dust_total: money(10),
        purse_margin: money(10),
        purse_age_max: Duration::from_secs(60),
        purse_lag: Duration::from_secs(5),
        fee_tolerance: Money::from_micros(1_000),
    }
}

fn leg(venue: Venue, market: u32, event: &str, dollars: i64) -> Leg {
    Leg {
        venue,
        market: MarketIndex(market),
        event: event.to_owned(),
        group: String::new(),
        outcome: Outcome::Yes,
        limit: Price::from_units(5_000).unwrap(),
        size: Size::Contracts(Quantity::contracts(1)),
        quantity: Quantity::contracts(1),
        cost_max: money(dollars),
        fee_max: Money::ZERO,
    }
}

pub(super) fn plan(pair: u32, kalshi: i64, polymarket: i64) -> Plan {
    Plan {
        pair: PairId(format!("pair-{pair}")),
        opportunity: 1,
        kind: Kind::Enter,
        legs: [
            leg(Venue::Kalshi, 2 * pair, &format!("k-{}", pair / 2), kalshi),
            leg(Venue::Polymarket, 2 * pair + 1, &format!("p-{pair}"), polymarket),
        ],
        stages: Stages::First(Venue::Polymarket),
        quantity: Quantity::contracts(1),
        profit: money(1),
        loss_max: money(5),
        reserve: money(5),
        answer_max: Duration::from_secs(2),
        stranded_max: Duration::from_secs(10),
        at: now(),
    }
}

pub(super) fn proposal(plan: Plan) -> Proposal {
    Proposal { plan, purses: [Purse::Shard(0), Purse::Collateral], dust_max: Money::ZERO }
}

pub(super) fn ready(limits: Limits) -> Risk {
    let mut risk = Risk::new(limits, TradeId(1));
    risk.reconciled();
    for purse in [Purse::Shard(0), Purse::Collateral] {
        risk.set_purse(purse, Reading { cash: money(10_000), as_of: now() });
    }
    risk
}

fn order(trade: TradeId, purpose: Purpose) -> Order {
    Order {
        intent: IntentId(1),
        trade,
        venue: Venue::Kalshi,
        market: MarketIndex(0),
        outcome: Outcome::Yes,
        action: if purpose == Purpose::Unwind { Action::Sell } else { Action::Buy },
        limit: Price::from_units(5_000).unwrap(),
        size: Size::Contracts(Quantity::contracts(10)),
        lifetime: Lifetime::Immediate,
        purpose,
        at: now(),
    }
}

fn no(result: Result<Approved<Plan>, NoTrade>) -> Option<NoTrade> {
    result.err()
}

/// What a limit that is set to `most` makes of one plan of 60 and 50 dollars, with 5 in reserve.
#[test]
fn every_limit_holds_and_has_its_own_name() {
    type Set = fn(&mut Limits, Money);
    let cases: [(Set, i64, NoTrade); 9] = [
        (|l, m| l.order = m, 60, NoTrade::LimitOrder),
        (|l, m| l.market = m, 65, NoTrade::LimitMarket),
        (|l, m| l.pair = m, 115, NoTrade::LimitPair),
        (|l, m| l.event = m, 115, NoTrade::LimitEvent),
        (|l, m| l.venues = [m, money(1_000)], 65, NoTrade::LimitVenue),
        (|l, m| l.total = m, 115, NoTrade::LimitTotal),
        (|l, m| l.unconfirmed = m, 55, NoTrade::LimitUnconfirmed),
        (|l, m| l.stranded = m, 65, NoTrade::LimitStranded),
        (|l, m| l.loss_per_day = m, 5, NoTrade::LimitLoss),
    ];
    for (set, most, expected) in cases {
        let mut within = limits();
        set(&mut within, money(most));
        assert!(ready(within.clone()).approve(proposal(plan(0, 60, 50)), now()).is_ok());
        set(&mut within, money(most) - Money::from_micros(1));
        let refused = ready(within).approve(proposal(plan(0, 60, 50)), now());
        assert_eq!(no(refused), Some(expected));
    }
}

#[test]
fn nothing_begins_before_journal_and_venues_agree() {
    let mut risk = Risk::new(limits(), TradeId(9));
    assert_eq!(no(risk.approve(proposal(plan(0, 1, 1)), now())), Some(NoTrade::NotReconciled));
    risk.reconciled();
    assert_eq!(no(risk.approve(proposal(plan(0, 1, 1)), now())), Some(NoTrade::PurseUnknown));
    let mut risk = ready(limits());
    risk.set_journal(Journal::Broken);
    assert_eq!(no(risk.approve(proposal(plan(0, 1, 1)), now())), Some(NoTrade::JournalBroken));
    risk.set_journal(Journal::Whole);
    assert!(risk.approve(proposal(plan(0, 1, 1)), now()).is_ok());
}

#[test]
fn trades_are_numbered_beyond_all_that_are_known() {
    let mut risk = ready(limits());
    risk.set_exposure(TradeId(41), &plan(3, 1, 1), Exposure::default(), now());
    let approved = risk.approve(proposal(plan(0, 1, 1)), now()).unwrap();
    assert_eq!(approved.trade(), TradeId(42));
}

#[test]
fn one_plan_at_a_time_on_a_market_until_it_is_locked() {
    let mut risk = ready(limits());
    let trade = risk.approve(proposal(plan(0, 20, 20)), now()).unwrap().trade();
    assert_eq!(no(risk.approve(proposal(plan(0, 20, 20)), now())), Some(NoTrade::MarketBusy));
    risk.lock(trade, now());
    assert!(risk.approve(proposal(plan(0, 20, 20)), now()).is_ok());
}

#[test]
fn a_locked_position_counts_until_it_is_settled() {
    let mut risk = ready(Limits { total: money(150), ..limits() });
    let trade = risk.approve(proposal(plan(0, 60, 50)), now()).unwrap().trade();
    risk.lock(trade, now());
    assert_eq!(no(risk.approve(proposal(plan(1, 60, 50)), now())), Some(NoTrade::LimitTotal));
    risk.end_trade(trade, now());
    assert!(risk.approve(proposal(plan(1, 60, 50)), now()).is_ok());
}

#[test]
fn halts_and_limits_never_refuse_what_reduces() {
    let mut risk = ready(Limits { orders_per_second: 3, ..limits() });
    let trade = risk.approve(proposal(plan(0, 20, 20)), now()).unwrap().trade();
    risk.halt(Stop { scope: Scope::All, why: "a person said so".into() });
    assert_eq!(risk.may_send(&order(trade, Purpose::Enter), now()), Err(NoTrade::Halted));
    for _ in 0..50 {
        for purpose in [Purpose::Finish, Purpose::Unwind, Purpose::Offset, Purpose::Exit] {
            assert_eq!(risk.may_send(&order(trade, purpose), now()), Ok(()));
        }
    }
    let mut exit = plan(1, 0, 0);
    exit.kind = Kind::Exit;
    assert!(risk.approve(proposal(exit), now()).is_ok(), "an exit makes what is at risk smaller");
    assert_eq!(no(risk.approve(proposal(plan(2, 1, 1)), now())), Some(NoTrade::Halted));
}

#[test]
fn a_halt_between_two_legs_does_not_strand_the_first() {
    let mut risk = ready(limits());
    let trade = risk.approve(proposal(plan(0, 20, 20)), now()).unwrap().trade();
    assert_eq!(risk.may_send(&order(trade, Purpose::Enter), now()), Ok(()));
    risk.halt(Stop { scope: Scope::Venue(Venue::Kalshi), why: "refusals".into() });
    assert_eq!(risk.may_send(&order(trade, Purpose::Enter), now()), Ok(()));
    risk.kill();
    assert_eq!(risk.may_send(&order(trade, Purpose::Unwind), now()), Err(NoTrade::Killed));
}

#[test]
fn orders_per_second_are_a_bucket_that_time_fills() {
    let mut risk = ready(Limits { orders_per_second: 4, ..limits() });
    let trade = risk.approve(proposal(plan(0, 20, 20)), now()).unwrap().trade();
    for _ in 0..3 {
        assert_eq!(risk.may_send(&order(trade, Purpose::Enter), now()), Ok(()));
    }
    let refused = risk.approve(proposal(plan(1, 20, 20)), now());
    assert_eq!(no(refused), Some(NoTrade::LimitOrderRate), "no room for both legs and a way out");
    let later = now().after(Duration::from_millis(500));
    assert!(risk.approve(proposal(plan(1, 20, 20)), later).is_ok());
}

#[test]
fn a_slow_bucket_still_holds_what_one_plan_needs() {
    let mut risk = ready(Limits { orders_per_second: 1, ..limits() });
    assert!(risk.approve(proposal(plan(0, 20, 20)), now()).is_ok());
}

#[test]
fn a_loss_counts_until_midnight_utc() {
    let mut risk = ready(limits());
    let midnight = Timestamp::parse("2026-11-23T00:00:00Z").unwrap();
    let before = midnight.before(Duration::from_nanos(1));
    for purse in [Purse::Shard(0), Purse::Collateral] {
        risk.set_purse(purse, Reading { cash: money(10_000), as_of: before });
    }
    risk.set_realised(money(-36), now());
    assert_eq!(no(risk.approve(proposal(plan(0, 20, 20)), before)), Some(NoTrade::LimitLoss));
    assert_eq!(risk.lost_on(before), money(36));
    assert!(risk.approve(proposal(plan(0, 20, 20)), midnight).is_ok());
    assert_eq!(risk.lost_on(midnight), Money::ZERO);
    risk.set_realised(money(36), midnight);
    assert_eq!(risk.lost_on(midnight), Money::ZERO, "a gain is no loss");
}

#[test]
fn what_stands_alone_counts_as_a_loss_at_its_worst() {
    let mut risk = ready(limits());
    let made = plan(0, 20, 20);
    let trade = risk.approve(proposal(made.clone()), now()).unwrap().trade();
    let exposure = Exposure {
        stranded: money(20),
        stranded_loss_max: money(36),
        stranded_since: Some(now()),
        ..Exposure::of_plan(&made)
    };
    risk.set_exposure(trade, &made, exposure, now());
    assert_eq!(no(risk.approve(proposal(plan(1, 20, 20)), now())), Some(NoTrade::LimitLoss));
    let second = Duration::from_secs(1);
    assert_eq!(risk.overdue(now().after(30 * second)), []);
    let stops = risk.overdue(now().after(31 * second));
    assert_eq!(stops.len(), 1);
    assert_eq!(stops[0].scope, Scope::Pair(PairId("pair-0".into())));
}

#[test]
fn a_purse_pays_for_everything_that_its_last_reading_may_not_show() {
    let mut risk = ready(limits());
    let read = |risk: &mut Risk, cash: i64, at: Timestamp| {
        risk.set_purse(Purse::Collateral, Reading { cash: money(cash), as_of: at });
        risk.set_purse(Purse::Shard(0), Reading { cash: money(1_000), as_of: at });
    };
    let second = Duration::from_secs(1);
    // 50 and 5 for the plan, 10 to stay.
    read(&mut risk, 64, now().after(second));
    let start = now().after(second);
    assert_eq!(no(risk.approve(proposal(plan(0, 50, 50)), start)), Some(NoTrade::PurseShort));
    read(&mut risk, 65, now().after(2 * second));
    let trade = risk.approve(proposal(plan(0, 50, 50)), start).unwrap().trade();
    risk.lock(trade, now().after(3 * second));
    // The position was paid for before the next reading, which may not show it yet.
    read(&mut risk, 100, now().after(4 * second));
    let at = now().after(5 * second);
    assert_eq!(no(risk.approve(proposal(plan(1, 50, 50)), at)), Some(NoTrade::PurseShort));
    read(&mut risk, 65, now().after(10 * second));
    let at = now().after(11 * second);
    assert!(risk.approve(proposal(plan(1, 50, 50)), at).is_ok(), "the reading shows what is left");
}

#[test]
fn money_that_leaves_when_it_is_confirmed_is_missing_only_from_later_readings() {
    let mut risk = ready(limits());
    let after = |secs: u64| now().after(Duration::from_secs(secs));
    let read = |risk: &mut Risk, cash: i64, secs: u64| {
        risk.set_purse(Purse::Collateral, Reading { cash: money(cash), as_of: after(secs) });
        risk.set_purse(Purse::Shard(0), Reading { cash: money(1_000), as_of: after(secs) });
    };
    read(&mut risk, 80, 1);
    let made = plan(0, 50, 50);
    let trade = risk.approve(proposal(made.clone()), after(1)).unwrap().trade();
    let mut exposure = Exposure { reserve: Money::ZERO, ..Exposure::of_plan(&made) };
    exposure.legs[1].unconfirmed = exposure.legs[1].dollars;
    risk.set_exposure(trade, &made, exposure, after(2));
    risk.lock(trade, after(2));
    // Matched and not confirmed: the reading still shows the money, and it is taken off.
    read(&mut risk, 80, 20);
    let next = || proposal(plan(1, 50, 50));
    assert_eq!(no(risk.approve(next(), after(21))), Some(NoTrade::PurseShort));
    exposure.legs[1].unconfirmed = Money::ZERO;
    risk.set_exposure(trade, &made, exposure, after(22));
    assert_eq!(no(risk.approve(next(), after(23))), Some(NoTrade::PurseShort), "it left since");
    read(&mut risk, 80, 40);
    assert!(risk.approve(next(), after(41)).is_ok(), "this reading shows what is left");
}

#[test]
fn an_old_reading_of_a_purse_is_not_believed() {
    let mut risk = ready(limits());
    let late = now().after(Duration::from_secs(61));
    assert_eq!(no(risk.approve(proposal(plan(0, 1, 1)), late)), Some(NoTrade::PurseUnknown));
    // And another shard's cash pays for nothing here.
    let other =
        Proposal { purses: [Purse::Shard(2), Purse::Collateral], ..proposal(plan(0, 1, 1)) };
    assert_eq!(no(risk.approve(other, now())), Some(NoTrade::PurseUnknown));
}

#[test]
fn dust_is_capped_in_a_market_and_in_all() {
    let with = |dust: i64| Proposal { dust_max: money(dust), ..proposal(plan(0, 20, 20)) };
    let mut risk = ready(limits());
    risk.set_dust(MarketIndex(0), money(1));
    assert_eq!(no(risk.approve(with(3), now())), Some(NoTrade::LimitDust));
    for market in 10..14 {
        risk.set_dust(MarketIndex(market), money(2));
    }
    assert_eq!(no(risk.approve(with(2), now())), Some(NoTrade::LimitDust), "nine and two in all");
    assert!(risk.approve(with(1), now()).is_ok());
}

#[test]
fn refusals_in_a_row_stop_the_pair_the_venue_and_everything() {
    let mut risk = ready(limits());
    let pair = |at: u32| PairId(format!("pair-{at}"));
    let refuse = |risk: &mut Risk, at: u32, kind| {
        let stop = risk.note_refused(&pair(at), Venue::Kalshi, kind)?;
        risk.halt(stop.clone());
        Some(stop.scope)
    };
    for _ in 0..20 {
        assert_eq!(refuse(&mut risk, 0, Refused::NoMatch), None, "an ordinary end");
        assert_eq!(refuse(&mut risk, 0, Refused::KeptBack), None, "no venue refused it");
    }
    assert_eq!(refuse(&mut risk, 0, Refused::Funds), None);
    assert_eq!(refuse(&mut risk, 0, Refused::Funds), None);
    risk.note_taken(&pair(0), Venue::Kalshi);
    assert_eq!(refuse(&mut risk, 0, Refused::Funds), None);
    assert_eq!(refuse(&mut risk, 0, Refused::Funds), None);
    assert_eq!(refuse(&mut risk, 0, Refused::Funds), Some(Scope::Pair(pair(0))));
    assert_eq!(refuse(&mut risk, 1, Refused::Price), None);
    assert_eq!(refuse(&mut risk, 2, Refused::Price), Some(Scope::Venue(Venue::Kalshi)));
    for at in 3..5 {
        assert_eq!(refuse(&mut risk, at, Refused::Size), None, "the venue is stopped already");
    }
    assert_eq!(refuse(&mut risk, 6, Refused::Size), Some(Scope::All));
    risk.resume(&Scope::All);
    assert_eq!(risk.halts().len(), 2, "the pair and the venue were not looked at");
    risk.resume(&Scope::Venue(Venue::Kalshi));
    let stop = refuse(&mut risk, 7, Refused::Credentials);
    assert_eq!(stop, Some(Scope::Venue(Venue::Kalshi)), "a refusal that halts needs no row");
}

#[test]
fn a_fee_beyond_what_is_tolerated_stops_the_pair() {
    let risk = ready(limits());
    let pair = PairId("pair-0".into());
    let cent = Money::from_micros(10_000);
    assert_eq!(risk.note_fee(&pair, cent, cent + Money::from_micros(1_000)), None);
    assert_eq!(risk.note_fee(&pair, cent, Money::ZERO), None, "less is no harm");
    assert!(risk.note_fee(&pair, cent, cent + Money::from_micros(1_001)).is_some());
}

/// What happens to trades, drawn at random.
#[derive(Debug, Clone)]
enum Step {
    Approve { pair: u32, kalshi: i64, polymarket: i64 },
    Expose { at: usize, kalshi: i64, polymarket: i64 },
    Lock { at: usize },
    End { at: usize, realised: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u32..6, 1i64..130, 1i64..130)
            .prop_map(|(pair, kalshi, polymarket)| Step::Approve { pair, kalshi, polymarket }),
        3 => (0usize..20, 0i64..=100, 0i64..=100)
            .prop_map(|(at, kalshi, polymarket)| Step::Expose { at, kalshi, polymarket }),
        2 => (0usize..20).prop_map(|at| Step::Lock { at }),
        1 => (0usize..20, -20i64..5).prop_map(|(at, realised)| Step::End { at, realised }),
    ]
}

/// A trade as the test keeps it: its plan and what each leg and the reserve hold.
#[derive(Debug, Clone)]
struct Known {
    trade: TradeId,
    plan: Plan,
    exposure: Exposure,
    is_locked: bool,
}

fn assert_within(known: &[Known], limits: &Limits) {
    let sum = |of: &dyn Fn(&Known) -> Money| known.iter().fold(Money::ZERO, |sum, k| sum + of(k));
    let leg = |k: &Known, at: usize| k.exposure.legs[at].dollars;
    let whole = |k: &Known| leg(k, 0) + leg(k, 1) + k.exposure.reserve;
    assert!(sum(&whole) <= limits.total);
    // The worst that a trade under way may come to: all of a leg and of what is held back.
    let live = |k: &Known, dollars: Money| match k.is_locked {
        true => Money::ZERO,
        false => dollars + k.exposure.reserve,
    };
    assert!(sum(&|k| live(k, leg(k, 1))) <= limits.unconfirmed);
    assert!(sum(&|k| live(k, leg(k, 0).max(leg(k, 1)))) <= limits.stranded);
    for at in 0..2 {
        assert!(sum(&|k| leg(k, at) + k.exposure.reserve) <= limits.venues[at]);
        for this in known {
            let same = |k: &Known| k.plan.legs[at].market == this.plan.legs[at].market;
            let of_market =
                |k: &Known| if same(k) { leg(k, at) + k.exposure.reserve } else { Money::ZERO };
            assert!(sum(&of_market) <= limits.market);
            let event = |k: &Known| k.plan.legs[at].event == this.plan.legs[at].event;
            assert!(sum(&|k| if event(k) { whole(k) } else { Money::ZERO }) <= limits.event);
            let pair = |k: &Known| k.plan.pair == this.plan.pair;
            assert!(sum(&|k| if pair(k) { whole(k) } else { Money::ZERO }) <= limits.pair);
            assert!(leg(this, at) <= limits.order);
        }
    }
}

proptest! {
    #[test]
    fn dollar_limits_are_never_exceeded(steps in prop::collection::vec(step(), 1..80)) {
        let limits = Limits { loss_per_day: money(100), open_trades: 50, ..limits() };
        let mut risk = ready(limits.clone());
        let mut known: Vec<Known> = Vec::new();
        let mut earned = Money::ZERO;
        for (number, step) in steps.into_iter().enumerate() {
            let at = now().after(Duration::from_millis(100 * number as u64));
            match step {
                Step::Approve { pair, kalshi, polymarket } => {
                    let plan = plan(pair, kalshi, polymarket);
                    if let Ok(new) = risk.approve(proposal(plan.clone()), at) {
                        let exposure = Exposure::of_plan(&plan);
                        let trade = new.trade();
                        known.push(Known { trade, plan, exposure, is_locked: false });
                        let at_stake = risk.lost_on(at).saturating_add(risk.totals().loss);
                        prop_assert!(at_stake <= limits.loss_per_day);
                    }
                }
                Step::Expose { at, kalshi, polymarket } if !known.is_empty() => {
                    let place = at % known.len();
                    let this = &mut known[place];
                    let share = |whole: Money, percent: i64| {
                        Money::from_micros(whole.micros() / 100 * percent)
                    };
                    // What an approved trade may need only ever becomes less.
                    for (leg, percent) in [kalshi, polymarket].into_iter().enumerate() {
                        let dollars = &mut this.exposure.legs[leg].dollars;
                        *dollars = share(*dollars, percent);
                    }
                    this.exposure.reserve = share(this.exposure.reserve, kalshi);
                    risk.set_exposure(this.trade, &this.plan, this.exposure, now());
                }
                Step::Lock { at: place } if !known.is_empty() => {
                    let place = place % known.len();
                    let this = &mut known[place];
                    this.is_locked = true;
                    risk.lock(this.trade, at);
                }
                Step::End { at: place, realised } if !known.is_empty() => {
                    let this = known.swap_remove(place % known.len());
                    earned += money(realised);
                    risk.end_trade(this.trade, at);
                    risk.set_realised(earned, at);
                }
                _ => {}
            }
            assert_within(&known, &limits);
            let sums = risk.totals();
            let total = known.iter().fold(Money::ZERO, |sum, k| {
                sum + k.exposure.legs[0].dollars + k.exposure.legs[1].dollars + k.exposure.reserve
            });
            prop_assert_eq!(sums.total, total);
        }
    }
}
