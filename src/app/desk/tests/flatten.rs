//! Out of more positions than the venues' budgets let out at once.

use std::collections::BTreeMap;

use super::budget::Rig;
use super::*;
use crate::book::Level;
use crate::domain::market::{Minimum, Status};
use crate::domain::report::{Fee, Rest, Total};
use crate::domain::{FeeModel, FeePlan, Fill, Finality, Lifetime, PriceGrid, Rate};
use crate::execute::trade_state::Phase;
use crate::execute::{Executor, Hold, Settings, Sight};
use crate::pairing::PairId;
use crate::plan::{Kind, Leg, Plan, Stages};
use crate::risk::Approved;

/// Every market bids and asks the same for as much as anybody wants, and costs no fee.
struct Flat([Market; 2]);

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn market(venue: Venue) -> Market {
    let fee = FeePlan::constant(FeeModel::kalshi(Rate::parse("0").unwrap()));
    Market {
        venue,
        id: venue.name().to_owned(),
        title: String::new(),
        event: String::new(),
        group: String::new(),
        grid: PriceGrid::uniform(100),
        fee,
        minimum: Minimum::default(),
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

impl Sight for Flat {
    fn offers(&self, _: MarketIndex, _: Outcome) -> Option<Vec<Level>> {
        Some(vec![Level { price: price("0.50"), quantity: Quantity::contracts(1_000) }])
    }

    fn bids(&self, _: MarketIndex, _: Outcome) -> Option<Vec<Level>> {
        Some(vec![Level { price: price("0.48"), quantity: Quantity::contracts(1_000) }])
    }

    fn market(&self, market: MarketIndex) -> Option<&Market> {
        self.0.get(market.at() % 2)
    }

    fn is_tradable(&self, _: MarketIndex) -> bool {
        true
    }
}

/// Ten contracts of each outcome of a pair of its own.
fn plan(pair: u32) -> Plan {
    let quantity = Quantity::contracts(10);
    let leg = |venue: Venue| {
        let (market, outcome) = match venue {
            Venue::Kalshi => (MarketIndex(pair * 2), Outcome::Yes),
            Venue::Polymarket => (MarketIndex(pair * 2 + 1), Outcome::No),
        };
        let limit = price("0.49");
        let cost_max = Money::cost_ceil(limit, quantity);
        let size = Size::Contracts(quantity);
        let (event, fee_max) = (String::new(), Money::ZERO);
        let group = String::new();
        Leg { venue, market, event, group, outcome, limit, size, quantity, cost_max, fee_max }
    };
    Plan {
        pair: PairId(format!("pair-{pair}")),
        opportunity: 1,
        kind: Kind::Enter,
        legs: Venue::ALL.map(leg),
        stages: Stages::Together,
        quantity,
        profit: Money::ZERO,
        loss_max: Money::from_micros(Money::DOLLAR),
        reserve: Money::ZERO,
        answer_max: Duration::from_secs(2),
        stranded_max: Duration::from_secs(10),
        at: Timestamp::from_secs(1_000),
    }
}

/// An executor over a desk, and venues that fill whatever arrives.
struct Floor {
    executor: Executor,
    rig: Rig,
    sight: Flat,
    orders: BTreeMap<IntentId, Order>,
    /// The longest that the legs of a trade were not the same.
    alone: Duration,
}

impl Floor {
    fn new() -> Self {
        let executor = Executor::new(Settings {
            inquire_pause: Duration::from_millis(250),
            inquire_pause_max: Duration::from_secs(8),
            unknown_max: Duration::from_secs(60),
            way_out_pause: Duration::from_millis(500),
            convert_pause: Duration::from_secs(60),
            entry: Lifetime::Immediate,
            hold: Hold::Allowed,
        });
        // Kalshi's basic tier grants eight orders a second, Polymarket's forty.
        let (rig, sight) = (Rig::new(8, 40), Flat(Venue::ALL.map(market)));
        Self { executor, rig, sight, orders: BTreeMap::new(), alone: Duration::ZERO }
    }

    /// Has the desk do what the executor wants, and the venues answer what left.
    fn carry_out(&mut self, mut acts: Vec<Act>) {
        while !acts.is_empty() {
            for act in std::mem::take(&mut acts) {
                if let Act::Place(order) = &act {
                    self.orders.insert(order.intent, order.clone());
                }
                self.rig.desk.act(&act, &NoMarkets, self.rig.now);
            }
            self.rig.desk.take_back(&NoMarkets, self.rig.now);
            self.rig.desk.dispatch(self.rig.now);
            acts = self.answers();
        }
    }

    fn answers(&mut self) -> Vec<Act> {
        let mut reports = std::mem::take(&mut self.rig.desk.reports);
        for intent in self.rig.left().into_iter().map(IntentId) {
            reports.extend(self.filled(intent));
        }
        let mut acts = Vec::new();
        for report in reports {
            self.executor.report(&report, &self.sight, self.rig.now, &mut acts);
        }
        acts
    }

    fn filled(&self, intent: IntentId) -> [Report; 2] {
        let order = &self.orders[&intent];
        let Size::Contracts(quantity) = order.size else { panic!("{order:?}") };
        let money = Money::cost_floor(order.limit, quantity);
        let fill = Fill {
            trade: intent.to_string(),
            quantity,
            money,
            fee: Fee::Reported(Money::ZERO),
            finality: Finality::Confirmed,
            at: self.rig.now,
        };
        let over = Evidence::Standing {
            id: OrderId(intent.to_string()),
            filled: Some(Total { quantity, money }),
            rest: Rest::Nothing,
            trades: Vec::new(),
        };
        [Evidence::Fill(fill), over].map(|evidence| Report::Order { intent, evidence })
    }

    fn tick(&mut self) {
        self.rig.pass(50);
        let mut acts = self.answers();
        self.executor.tick(&self.sight, self.rig.now, &mut acts);
        self.carry_out(acts);
        let stranded = self.executor.state().trades().filter_map(|trade| trade.stranded_since);
        let alone = stranded.map(|since| self.rig.now.since(since)).max();
        self.alone = self.alone.max(alone.unwrap_or_default());
    }

    /// How many trades hold something.
    fn held(&self) -> usize {
        let trades = self.executor.state().trades();
        trades.filter(|trade| trade.phase == Phase::Locked || !trade.is_quiet()).count()
    }
}

#[test]
fn a_flatten_of_more_than_the_budget_goes_on_at_its_pace_until_all_is_out() {
    let mut floor = Floor::new();
    let positions = 60;
    for pair in 0..positions {
        let trade = TradeId(u64::from(pair) + 1);
        let mut acts = Vec::new();
        let plan = Approved::for_test(plan(pair), trade);
        floor.executor.open(plan, &floor.sight, floor.rig.now, &mut acts);
        floor.carry_out(acts);
        // The budgets fill up again.
        floor.rig.pass(1_000);
    }
    assert_eq!(floor.held(), 60);
    let begun = floor.rig.now;
    let mut acts = Vec::new();
    let loss_max = Money::from_micros(100 * Money::DOLLAR);
    floor.executor.flatten(loss_max, &floor.sight, floor.rig.now, &mut acts);
    floor.carry_out(acts);
    while floor.held() > 0 {
        floor.tick();
        let took = floor.rig.now.since(begun);
        assert!(took < Duration::from_secs(9), "{} are held after {took:?}", floor.held());
    }
    assert!(floor.rig.now.since(begun) > Duration::from_secs(5), "eight a second");
    assert_eq!(floor.alone, Duration::ZERO, "no leg was sold without its other one");
    let kept_back = floor.executor.state().orders().values();
    let refused = kept_back.filter(|order| order.refusal().is_some()).count();
    assert!(refused > 0, "some waited too long and were decided on again");
}
