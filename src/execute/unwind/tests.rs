//! What holds for every way out, whatever the books show.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::market::Status;
use crate::domain::{FeePlan, Market, PriceGrid, Rate};
use crate::pairing::PairId;
use crate::plan::{Leg, Stages};

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

/// Two markets: offers and bids of both outcomes of each.
#[derive(Debug)]
struct Books {
    markets: [Market; 2],
    ladders: [[Vec<Level>; 4]; 2],
}

impl Sight for Books {
    fn offers(&self, market: MarketIndex, outcome: Outcome) -> Option<Vec<Level>> {
        Some(self.ladders[market.at()][outcome as usize].clone())
    }

    fn bids(&self, market: MarketIndex, outcome: Outcome) -> Option<Vec<Level>> {
        Some(self.ladders[market.at()][2 + outcome as usize].clone())
    }

    fn market(&self, market: MarketIndex) -> Option<&Market> {
        self.markets.get(market.at())
    }

    fn is_tradable(&self, _market: MarketIndex) -> bool {
        true
    }
}

fn market(venue: Venue) -> Market {
    let (fee, minimum) = match venue {
        Venue::Kalshi => (
            FeeModel::kalshi(Rate::parse("0.07").unwrap()),
            Minimum { quantity: lot(), notional: Money::ZERO },
        ),
        Venue::Polymarket => (
            FeeModel::polymarket(Rate::parse("0.05").unwrap(), 1).unwrap(),
            Minimum { quantity: Quantity::contracts(5), notional: money("1") },
        ),
    };
    Market {
        venue,
        id: venue.name().to_owned(),
        title: String::new(),
        event: String::new(),
        group: String::new(),
        grid: PriceGrid::uniform(100),
        fee: FeePlan::constant(fee),
        minimum,
        status: Status::Open,
        closes: None,
        starts: None,
        delay: Duration::ZERO,
        shard: None,
        rules: None,
        basis: None,
        yes_pays: None,
        tokens: None,
    }
}

fn plan() -> Plan {
    let leg = |venue: Venue| Leg {
        venue,
        market: MarketIndex(u32::from(venue == Venue::Polymarket)),
        event: String::new(),
        group: String::new(),
        outcome: if venue == Venue::Kalshi { Outcome::Yes } else { Outcome::No },
        limit: Price::MIN,
        size: Size::Contracts(Quantity::ZERO),
        quantity: Quantity::ZERO,
        cost_max: Money::ZERO,
        fee_max: Money::ZERO,
    };
    Plan {
        pair: PairId("pair".to_owned()),
        opportunity: 1,
        kind: Kind::Enter,
        legs: Venue::ALL.map(leg),
        stages: Stages::Together,
        quantity: Quantity::ZERO,
        profit: Money::ZERO,
        loss_max: Money::ZERO,
        reserve: Money::ZERO,
        answer_max: Duration::from_secs(2),
        stranded_max: Duration::from_secs(10),
        at: Timestamp::ZERO,
    }
}

/// Levels that get worse: offers dearer, bids cheaper.
fn ladder(is_offer: bool) -> impl Strategy<Value = Vec<Level>> {
    let level = (1_i64..20, 1_i64..4_000);
    (10_u16..90, proptest::collection::vec(level, 0..5)).prop_map(move |(cents, steps)| {
        let mut at = i64::from(cents);
        let mut levels = Vec::new();
        for (step, lots) in steps {
            let price = u16::try_from(at * 100).ok().and_then(Price::from_units);
            let Some(price) = price.filter(|_| (1..100).contains(&at)) else { break };
            let quantity = Quantity::from_units(lots * Quantity::LOT).unwrap();
            levels.push(Level { price, quantity });
            at += if is_offer { step } else { -step };
        }
        levels
    })
}

fn side() -> impl Strategy<Value = [Vec<Level>; 4]> {
    [ladder(true), ladder(true), ladder(false), ladder(false)]
}

fn books() -> impl Strategy<Value = Books> {
    [side(), side()].prop_map(|ladders| Books { markets: Venue::ALL.map(market), ladders })
}

fn alone() -> impl Strategy<Value = Alone> {
    (0_usize..2, 1_i64..60_000_000, 0_i64..60_000_000, 0_i64..60, [0_i64..60, 0_i64..60]).prop_map(
        |(leg, units, sellable, budget, purses)| {
            let quantity = Quantity::from_units(units).unwrap();
            let sellable = Quantity::from_units(sellable).unwrap().min(quantity);
            let basis = Money::cost_ceil(Price::from_units(4_700).unwrap(), quantity);
            let dollars = |count: i64| Money::from_micros(count * Money::DOLLAR);
            let purses = purses.map(dollars);
            let (budget, approved) = (dollars(budget), purses);
            Alone { leg, quantity, sellable, basis, budget, purses, approved }
        },
    )
}

proptest! {
    #[test]
    fn every_way_out_keeps_to_its_budget_its_purse_and_its_venue(
        books in books(),
        alone in alone(),
    ) {
        let plan = plan();
        let ways = ways_out(&plan, &alone, &books, Timestamp::ZERO);
        for way in &ways {
            let draft = &way.draft;
            let place = draft.market.at();
            let fee = books.fee(draft.market, Timestamp::ZERO).unwrap();
            prop_assert!(way.loss <= way.loss_worst, "{way:?}");
            prop_assert!(way.loss_worst <= alone.budget, "{way:?}");
            prop_assert!(way.quantity <= alone.quantity, "{way:?}");
            prop_assert!(way.quantity >= books.markets[place].minimum.quantity, "{way:?}");
            let (spent, fees) = match draft.size {
                Size::Contracts(quantity) => {
                    prop_assert_eq!(quantity.floor_to(Quantity::LOT), quantity);
                    let fees = fee.estimate(draft.limit, quantity);
                    (Money::cost_ceil(draft.limit, quantity), fees)
                }
                Size::Collateral(money) => {
                    prop_assert_eq!(money.floor_to(CENT), money);
                    prop_assert!(money >= books.markets[place].minimum.notional);
                    // The fee of dollars is highest where they buy the most.
                    (money, fee_of_dollars(fee, money))
                }
            };
            match draft.action {
                Action::Buy => {
                    prop_assert!(spent + fees <= alone.purses[place], "{way:?}");
                }
                Action::Sell => prop_assert!(way.quantity <= alone.sellable, "{way:?}"),
            }
        }
        for two in ways.windows(2) {
            let each = |way: &WayOut| i128::from(way.loss.micros());
            let (first, second) = (&two[0], &two[1]);
            let (one, other) = (units(first.quantity), units(second.quantity));
            prop_assert!(each(first) * other <= each(second) * one, "{ways:?}");
        }
    }
}
