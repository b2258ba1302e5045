use std::time::Duration;

use super::*;
use crate::domain::report::Purse;
use crate::domain::{FeeModel, MarketIndex, Minimum, Outcome, Rate};

type Levels = Vec<(Price, Quantity)>;

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn levels(list: &[(&str, &str)]) -> Levels {
    list.iter().map(|(p, q)| (Price::parse(p).unwrap(), quantity(q))).collect()
}

fn settings() -> Settings {
    Settings {
        legs: Legs::PolymarketFirst,
        loss_max: money("5"),
        slack: money("0.01"),
        improvement_max: money("0.01"),
        answer_max: Duration::from_secs(2),
        stranded_max: Duration::from_secs(10),
        exit_gain_min: None,
    }
}

/// The example of the output contract: 120 contracts at 0.42 and 0.43, and at 0.52.
struct Scene {
    pair: PairId,
    legs: Option<Legs>,
    delays: [Duration; 2],
    minimums: [Minimum; 2],
    offers: [Levels; 2],
    bids: [Levels; 2],
    fills: [Levels; 2],
}

impl Scene {
    fn new() -> Self {
        let fills = [levels(&[("0.42", "50"), ("0.43", "70")]), levels(&[("0.52", "120")])];
        Self {
            pair: PairId("fed".into()),
            legs: None,
            delays: [Duration::ZERO; 2],
            minimums: [
                Minimum { quantity: quantity("0.01"), notional: Money::ZERO },
                Minimum { quantity: quantity("5"), notional: money("1") },
            ],
            offers: [
                levels(&[("0.42", "50"), ("0.43", "70"), ("0.44", "200")]),
                levels(&[("0.52", "120"), ("0.53", "300")]),
            ],
            bids: [levels(&[("0.40", "500")]), levels(&[("0.51", "500")])],
            fills,
        }
    }

    fn plan(&self, settings: &Settings) -> Result<Proposal, NoPlan> {
        let rate = |text: &str| Rate::parse(text).unwrap();
        let fees = [FeeModel::kalshi(rate("0.07")), FeeModel::polymarket(rate("0.04"), 1).unwrap()];
        let side = |at: usize| Side {
            market: MarketIndex(u32::try_from(at).unwrap()),
            event: "event",
            group: "group",
            outcome: [Outcome::Yes, Outcome::No][at],
            fee: fees[at],
            minimum: self.minimums[at],
            delay: self.delays[at],
            purse: [Purse::Shard(0), Purse::Collateral][at],
            offers: &self.offers[at],
            bids: &self.bids[at],
        };
        let found = Found {
            pair: &self.pair,
            legs: self.legs,
            opportunity: 7,
            sides: [side(0), side(1)],
            fills: [&self.fills[0], &self.fills[1]],
            profit: money("3"),
        };
        enter(&found, settings, Timestamp::from_secs(1))
    }

    fn stages(&self, settings: &Settings) -> Result<Stages, NoPlan> {
        self.plan(settings).map(|made| made.plan.stages)
    }
}

#[test]
fn a_plan_is_sized_in_lots_and_in_cents_with_bounds_at_the_worst_level() {
    let made = Scene::new().plan(&settings()).unwrap();
    let [kalshi, polymarket] = &made.plan.legs;
    assert_eq!(kalshi.size, Size::Contracts(quantity("120")));
    assert_eq!(kalshi.limit, Price::parse("0.43").unwrap());
    assert_eq!(polymarket.size, Size::Collateral(money("62.40")));
    assert_eq!(polymarket.cost_max, money("62.40"));
    // 62.40 at 0.51 bring 122.36 contracts; Kalshi is reserved for as many.
    assert_eq!(kalshi.cost_max, Money::cost_ceil(kalshi.limit, quantity("122.36")));
    let outlay = kalshi.cost_max + kalshi.fee_max + polymarket.cost_max + polymarket.fee_max;
    let most = Money::payout(quantity("122.36")) + money("5");
    assert_eq!((outlay + made.plan.reserve).max(most), outlay + made.plan.reserve);
    assert_eq!(made.plan.stages, Stages::First(Venue::Polymarket));
}

#[test]
fn kalshi_first_reserves_collateral_at_the_limit_for_each_contract() {
    let mut scene = Scene::new();
    scene.legs = Some(Legs::KalshiFirst);
    scene.fills = [levels(&[("0.42", "120")]), levels(&[("0.50", "20"), ("0.52", "100")])];
    let made = scene.plan(&settings()).unwrap();
    assert_eq!(made.plan.stages, Stages::First(Venue::Kalshi));
    assert_eq!(made.plan.legs[1].cost_max, money("62.40"));
    assert_eq!(made.plan.legs[1].size, Size::Collateral(money("62.00")));
}

#[test]
fn a_delayed_leg_goes_first_or_nothing_does() {
    let second = Duration::from_secs(1);
    let mut scene = Scene::new();
    for (delays, legs, expected) in [
        ([Duration::ZERO, second], Legs::KalshiFirst, Ok(Stages::First(Venue::Polymarket))),
        ([second, Duration::ZERO], Legs::PolymarketFirst, Ok(Stages::First(Venue::Kalshi))),
        ([Duration::ZERO, second], Legs::Concurrent, Ok(Stages::First(Venue::Polymarket))),
        ([second, second], Legs::PolymarketFirst, Err(NoPlan::VenueDelay)),
        ([Duration::ZERO; 2], Legs::Concurrent, Ok(Stages::Together)),
        // 120 contracts are within the limit on both: a tie goes to Polymarket.
        ([Duration::ZERO; 2], Legs::ThinFirst, Ok(Stages::First(Venue::Polymarket))),
    ] {
        (scene.delays, scene.legs) = (delays, Some(legs));
        assert_eq!(scene.stages(&settings()), expected, "{legs:?} {delays:?}");
    }
    scene.offers[1] = levels(&[("0.52", "500")]);
    assert_eq!(scene.stages(&settings()), Ok(Stages::First(Venue::Kalshi)), "the thinner book");
}

#[test]
fn a_leg_that_could_not_be_got_out_of_is_not_begun() {
    let mut scene = Scene::new();
    scene.bids[1].clear();
    assert!(scene.plan(&settings()).is_ok(), "it can still be finished");
    scene.offers[0] = scene.fills[0].clone();
    scene.offers[0][1].1 = quantity("60");
    assert_eq!(scene.plan(&settings()), Err(NoPlan::NoWayOut));
}

#[test]
fn what_a_partial_fill_may_leave_that_no_venue_takes_is_told() {
    let mut scene = Scene::new();
    let tiny = scene.plan(&settings()).unwrap().dust_max;
    assert!(tiny < money("0.02"), "Kalshi hedges a hundredth of a contract: {tiny}");
    scene.legs = Some(Legs::KalshiFirst);
    let tiny = scene.plan(&settings()).unwrap().dust_max;
    assert!(tiny < money("0.02"), "and takes as little back: {tiny}");
    scene.minimums[0].quantity = quantity("5");
    let made = scene.plan(&settings()).unwrap();
    // Five contracts at 0.43, and their fee.
    assert!(made.dust_max > money("2.15") && made.dust_max < money("2.30"), "{}", made.dust_max);
}

#[test]
fn a_quantity_below_a_minimum_makes_no_plan() {
    let mut scene = Scene::new();
    scene.fills = [levels(&[("0.42", "4")]), levels(&[("0.52", "4")])];
    assert_eq!(scene.plan(&settings()), Err(NoPlan::BelowMinimum));
}
