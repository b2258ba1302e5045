use std::time::Duration;

use super::*;
use crate::domain::report::Purse;
use crate::domain::{FeeModel, MarketIndex, Minimum, Outcome, Rate};
use crate::pairing::Legs;

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

/// Asks for an exit of 100 locked contracts into these bids, Kalshi's first.
fn exit_into(
    bids: [&[(&str, &str)]; 2],
    delays: [Duration; 2],
    gain: Option<&str>,
) -> Result<Plan, NoPlan> {
    let pair = PairId("pair".to_owned());
    let ladders = bids.map(|levels| {
        let level = |(p, q): &(&str, &str)| (Price::parse(p).unwrap(), quantity(q));
        levels.iter().map(level).collect::<Vec<_>>()
    });
    let rate = |text: &str| Rate::parse(text).unwrap();
    let fees = [FeeModel::kalshi(rate("0.07")), FeeModel::polymarket(rate("0.04"), 1).unwrap()];
    let least = [("0.01", "0"), ("5", "1")];
    let side = |at: usize| Side {
        market: MarketIndex(u32::try_from(at).unwrap()),
        event: "",
        group: "",
        outcome: [Outcome::Yes, Outcome::No][at],
        fee: fees[at],
        minimum: Minimum { quantity: quantity(least[at].0), notional: money(least[at].1) },
        delay: delays[at],
        purse: [Purse::Shard(0), Purse::Collateral][at],
        offers: &[],
        bids: &ladders[at],
    };
    let sides = [side(0), side(1)];
    let held = Held { pair: &pair, sides, quantity: quantity("100"), paid: money("96") };
    let settings = Settings {
        legs: Legs::PolymarketFirst,
        loss_max: money("5"),
        slack: money("0.01"),
        improvement_max: money("0.01"),
        answer_max: Duration::from_secs(2),
        stranded_max: Duration::from_secs(10),
        exit_gain_min: gain.map(money),
    };
    exit(&held, &settings, Timestamp::from_secs(1)).map(|made| made.plan)
}

const NONE: [Duration; 2] = [Duration::ZERO; 2];

#[test]
fn what_is_locked_is_sold_only_for_more_than_the_dollar_it_pays() {
    // 0.50 and 0.55 are 1.05 less fees of 0.0175 and 0.0099.
    let bids: [&[(&str, &str)]; 2] = [&[("0.50", "100")], &[("0.55", "100")]];
    let plan = exit_into(bids, NONE, Some("0.02")).unwrap();
    assert_eq!((plan.kind, plan.quantity), (Kind::Exit, quantity("100")));
    assert_eq!(exit_into(bids, NONE, Some("0.03")).err(), Some(NoPlan::NoGain));
    assert_eq!(exit_into(bids, NONE, None).err(), Some(NoPlan::NoGain), "not asked for");
    let bids: [&[(&str, &str)]; 2] = [&[("0.48", "100")], &[("0.52", "100")]];
    assert_eq!(exit_into(bids, NONE, Some("0")).err(), Some(NoPlan::NoGain), "above its cost");
}

#[test]
fn each_level_brings_the_gain_by_itself_so_that_the_limits_do_too() {
    let bids: [&[(&str, &str)]; 2] =
        [&[("0.50", "40"), ("0.48", "60")], &[("0.56", "70"), ("0.50", "30")]];
    let plan = exit_into(bids, NONE, Some("0.01")).unwrap();
    // 0.48 and 0.56 still are 1.04 less 0.0272; 0.48 and 0.50 are not a dollar.
    assert_eq!(plan.quantity, quantity("70"));
    assert_eq!(plan.legs[0].limit, Price::parse("0.48").unwrap());
    assert_eq!(plan.legs[1].limit, Price::parse("0.56").unwrap());
    assert!(plan.legs.iter().all(|leg| leg.size == Size::Contracts(quantity("70"))));
}

#[test]
fn a_leg_that_its_venue_holds_back_is_sold_first() {
    let bids: [&[(&str, &str)]; 2] = [&[("0.55", "100")], &[("0.55", "100")]];
    let late = Duration::from_secs(3);
    let stages = |delays| exit_into(bids, delays, Some("0.01")).map(|plan| plan.stages);
    assert_eq!(stages(NONE), Ok(Stages::First(Venue::Polymarket)));
    assert_eq!(stages([late, Duration::ZERO]), Ok(Stages::First(Venue::Kalshi)));
    assert_eq!(stages([Duration::ZERO, late]), Ok(Stages::First(Venue::Polymarket)));
    assert_eq!(stages([late, late]), Err(NoPlan::VenueDelay));
}

#[test]
fn less_than_a_venue_takes_is_not_sold() {
    let bids: [&[(&str, &str)]; 2] = [&[("0.55", "4.99")], &[("0.55", "100")]];
    assert_eq!(exit_into(bids, NONE, Some("0.01")).err(), Some(NoPlan::BelowMinimum));
}
