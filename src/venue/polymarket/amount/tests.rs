use proptest::prelude::*;
use serde_json::Value;

use crate::domain::{IntentId, MarketIndex, Outcome, Purpose, Timestamp, TradeId, Venue};

use super::*;

fn order(action: Action, limit: Price, size: Size, lifetime: Lifetime) -> Order {
    Order {
        intent: IntentId(1),
        trade: TradeId(1),
        venue: Venue::Polymarket,
        market: MarketIndex(0),
        outcome: Outcome::Yes,
        action,
        limit,
        size,
        lifetime,
        purpose: Purpose::Enter,
        at: Timestamp::ZERO,
    }
}

fn grid(tick: &str) -> PriceGrid {
    PriceGrid::uniform(Price::parse(tick).unwrap().units()).unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} of {value}"))
}

fn vectors() -> Value {
    let file = include_str!("../../../../tests/data/polymarket/vectors/rounding.json");
    serde_json::from_str(file).unwrap()
}

#[test]
fn amounts_are_those_of_the_official_clients_under_the_cap_that_the_venue_takes() {
    let (mut limits, mut markets) = (0, 0);
    for vector in vectors()["vectors"].as_array().unwrap() {
        let (price, grid) =
            (Price::parse(text(vector, "price")).unwrap(), grid(text(vector, "tick")));
        let action = if text(vector, "side") == "BUY" { Action::Buy } else { Action::Sell };
        let is_limit = text(vector, "kind") == "limit";
        let (size, lifetime) = if is_limit {
            let shares = Quantity::parse(text(vector, "size")).unwrap();
            (Size::Contracts(shares), Lifetime::Resting)
        } else if action == Action::Buy {
            let money = Money::parse(text(vector, "amount")).unwrap();
            (Size::Collateral(money), Lifetime::Immediate)
        } else {
            let shares = Quantity::parse(text(vector, "amount")).unwrap();
            (Size::Contracts(shares), Lifetime::AllOrNothing)
        };
        let client = &vector["polymarket_client_0_14_0"];
        let taker =
            if is_limit { text(client, "taker_amount") } else { text(vector, "taker_safe_cap") };
        let expected = Amounts {
            maker: text(client, "maker_amount").parse().unwrap(),
            taker: taker.parse().unwrap(),
        };
        let found = amounts(&order(action, price, size, lifetime), &grid);
        assert_eq!(found, Ok(expected), "{vector}");
        *(if is_limit { &mut limits } else { &mut markets }) += 1;
    }
    assert_eq!((limits, markets), (28, 16));
}

#[test]
fn what_the_venue_refused_from_others_is_written_as_it_takes_it() {
    let rejections = &vectors()["reported_rejections"];
    for (row, right) in [(&rejections[0], "capped"), (&rejections[1], "right")] {
        let money = Money::parse(text(row, "amount")).unwrap();
        let price = Price::parse(text(row, "price")).unwrap();
        let order = order(Action::Buy, price, Size::Collateral(money), Lifetime::Immediate);
        let found = amounts(&order, &grid(text(row, "tick"))).unwrap();
        assert_eq!(found.maker.to_string(), text(&row[right], "maker"));
        assert_eq!(found.taker.to_string(), text(&row[right], "taker"));
    }
    // One that rested was written dollars first, and its price fell between two ticks: shares come
    // first, and the dollars are what they cost.
    let row = &rejections[2];
    let (shares, price) = (Quantity::parse("10.2").unwrap(), Price::parse(text(row, "price")));
    let order = order(Action::Buy, price.unwrap(), Size::Contracts(shares), Lifetime::Resting);
    let found = amounts(&order, &grid(text(row, "tick"))).unwrap();
    assert_eq!(found.taker.to_string(), text(&row["signed"], "taker"));
    assert_eq!(found.maker, 9_996_000);
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let price = |text: &str| Price::parse(text).unwrap();
    let shares = |text: &str| Size::Contracts(Quantity::parse(text).unwrap());
    let money = |text: &str| Size::Collateral(Money::parse(text).unwrap());
    let (buy, sell, take, rest) =
        (Action::Buy, Action::Sell, Lifetime::Immediate, Lifetime::Resting);
    for (action, limit, size, lifetime, why) in [
        (buy, "0.525", money("5"), take, Misfit::OffGrid(price("0.525"))),
        (buy, "0.52", money("0.009"), take, Misfit::Nothing),
        (sell, "0.52", shares("0.009"), take, Misfit::Nothing),
        (buy, "0.52", shares("0.009"), rest, Misfit::Nothing),
        (buy, "0.52", money("-1"), take, Misfit::Nothing),
        (buy, "0.52", shares("5"), take, Misfit::WrongSize),
        (sell, "0.52", money("5"), take, Misfit::WrongSize),
        (buy, "0.52", money("5"), rest, Misfit::WrongSize),
        (buy, "0.90", money("0.01"), take, Misfit::TooSmall),
    ] {
        let found = amounts(&order(action, price(limit), size, lifetime), &grid("0.01"));
        assert_eq!(found, Err(why), "{action:?} {limit} {size:?} {lifetime:?}");
    }
    let small = order(sell, price("0.3333"), shares("0.01"), take);
    assert_eq!(amounts(&small, &grid("0.0001")), Err(Misfit::TooSmall));
}

proptest! {
    #[test]
    fn amounts_keep_their_decimals_and_their_limit(
        units in 1u16..10_000, lots in 1i64..1_000_000, is_buy in any::<bool>(),
    ) {
        let (limit, grid) = (Price::from_units(units).unwrap(), PriceGrid::uniform(1).unwrap());
        let (action, size) = if is_buy {
            (Action::Buy, Size::Collateral(Money::from_micros(lots * 10_000)))
        } else {
            (Action::Sell, Size::Contracts(Quantity::from_units(lots * 10_000).unwrap()))
        };
        let Ok(found) = amounts(&order(action, limit, size, Lifetime::Immediate), &grid) else {
            return Ok(());
        };
        prop_assert_eq!((found.maker % 10_000, found.taker % 100), (0, 0));
        let price = u128::from(units);
        let (maker, taker) = (u128::from(found.maker), u128::from(found.taker));
        if is_buy {
            prop_assert!(price * taker <= maker * 10_000);
            prop_assert!(maker * 10_000 < (price + 1) * taker);
        } else {
            prop_assert!((price - 1) * maker < taker * 10_000);
            prop_assert!(taker * 10_000 <= price * maker);
        }
    }
}
