//! A scene for stories: two markets with books, an executor, and a journal of all it said.

use std::time::Duration;

use crate::book::Level;
use crate::domain::market::{Minimum, Status};
use crate::domain::report::{Fee, Refusal, Refused, Rest, Total};
use crate::domain::{
    Evidence, FeeModel, FeePlan, Fill, Finality, IntentId, Market, MarketIndex, Money, Order,
    OrderId, Outcome, Price, PriceGrid, Quantity, Rate, Report, Size, Timestamp, TradeId, Venue,
};
use crate::execute::{Act, Executor, Record, Settings, Sight, State};
use crate::pairing::PairId;
use crate::plan::{Kind, Leg, Plan, Stages};
use crate::risk::{Approved, Exposure, Room};

pub(super) const KALSHI: MarketIndex = MarketIndex(0);
pub(super) const POLYMARKET: MarketIndex = MarketIndex(1);

pub(super) fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

pub(super) fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

pub(super) fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

/// What a market shows.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) market: Market,
    /// Offers of YES and of NO, then bids; `None` while the book is not believed.
    pub(super) books: Option<[Vec<Level>; 4]>,
    pub(super) is_tradable: bool,
}

/// Both markets, and how much more every trade may put at risk.
#[derive(Debug, Clone)]
pub(super) struct World(pub(super) [Side; 2], pub(super) Room);

impl World {
    fn side(&self, market: MarketIndex) -> &Side {
        &self.0[market.at()]
    }

    pub(super) fn offer(&mut self, at: MarketIndex, outcome: Outcome, levels: &[(&str, &str)]) {
        self.set(at, outcome as usize, levels);
    }

    pub(super) fn bid(&mut self, at: MarketIndex, outcome: Outcome, levels: &[(&str, &str)]) {
        self.set(at, 2 + outcome as usize, levels);
    }

    fn set(&mut self, at: MarketIndex, ladder: usize, levels: &[(&str, &str)]) {
        let levels =
            levels.iter().map(|(p, q)| Level { price: price(p), quantity: quantity(q) }).collect();
        let books = self.0[at.at()].books.get_or_insert_with(Default::default);
        books[ladder] = levels;
    }
}

impl Sight for World {
    fn offers(&self, market: MarketIndex, outcome: Outcome) -> Option<Vec<Level>> {
        Some(self.side(market).books.as_ref()?[outcome as usize].clone())
    }

    fn bids(&self, market: MarketIndex, outcome: Outcome) -> Option<Vec<Level>> {
        Some(self.side(market).books.as_ref()?[2 + outcome as usize].clone())
    }

    fn market(&self, market: MarketIndex) -> Option<&Market> {
        Some(&self.side(market).market)
    }

    fn is_tradable(&self, market: MarketIndex) -> bool {
        self.side(market).is_tradable
    }

    fn room(&self, _trade: TradeId, _exposure: &Exposure) -> Room {
        self.1
    }
}

fn market(venue: Venue) -> Market {
    let (minimum, rate) = match venue {
        Venue::Kalshi => (Minimum { quantity: quantity("0.01"), ..Minimum::default() }, "0.07"),
        Venue::Polymarket => (Minimum { quantity: quantity("5"), notional: money("1") }, "0.04"),
    };
    let rate = Rate::parse(rate).unwrap();
    let fee = match venue {
        Venue::Kalshi => FeeModel::kalshi(rate),
        Venue::Polymarket => FeeModel::polymarket(rate, 1).unwrap(),
    };
    Market {
        venue,
        id: venue.name().to_owned(),
        title: String::new(),
        event: format!("{venue} event"),
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

/// Books in which YES on Kalshi costs 0.42 and NO on Polymarket 0.52, with bids two cents below.
pub(super) fn world() -> World {
    let side = |venue| Side { market: market(venue), books: None, is_tradable: true };
    let mut world = World([side(Venue::Kalshi), side(Venue::Polymarket)], Room::default());
    world.offer(KALSHI, Outcome::Yes, &[("0.42", "500"), ("0.45", "500")]);
    world.offer(KALSHI, Outcome::No, &[("0.60", "500")]);
    world.bid(KALSHI, Outcome::Yes, &[("0.40", "500")]);
    world.bid(KALSHI, Outcome::No, &[("0.58", "500")]);
    world.offer(POLYMARKET, Outcome::No, &[("0.52", "500"), ("0.55", "500")]);
    world.offer(POLYMARKET, Outcome::Yes, &[("0.50", "500")]);
    world.bid(POLYMARKET, Outcome::No, &[("0.50", "500")]);
    world.bid(POLYMARKET, Outcome::Yes, &[("0.48", "500")]);
    world
}

/// 100 contracts of YES on Kalshi and NO on Polymarket.
pub(super) fn plan(stages: Stages) -> Plan {
    let leg = |venue: Venue| {
        let (market, outcome, limit) = match venue {
            Venue::Kalshi => (KALSHI, Outcome::Yes, price("0.42")),
            Venue::Polymarket => (POLYMARKET, Outcome::No, price("0.52")),
        };
        let quantity = quantity("100");
        let cost = Money::cost_ceil(limit, quantity);
        let size = match venue {
            Venue::Kalshi => Size::Contracts(quantity),
            Venue::Polymarket => Size::Collateral(cost),
        };
        let event = format!("{venue} event");
        Leg {
            venue,
            market,
            event,
            group: String::new(),
            outcome,
            limit,
            size,
            quantity,
            cost_max: cost,
            fee_max: money("2.1"),
        }
    };
    Plan {
        pair: PairId("pair".to_owned()),
        opportunity: 1,
        kind: Kind::Enter,
        legs: Venue::ALL.map(leg),
        stages,
        quantity: quantity("100"),
        profit: money("3"),
        loss_max: money("10"),
        reserve: money("10"),
        answer_max: Duration::from_secs(2),
        stranded_max: Duration::from_secs(10),
        at: Timestamp::from_secs(1_000),
    }
}

/// A story under way.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) executor: Executor,
    pub(super) world: World,
    pub(super) now: Timestamp,
    /// Everything that the executor ever said, as a journal would hold it.
    pub(super) records: Vec<Record>,
    /// What was asked for since it was last looked at.
    pub(super) acts: Vec<Act>,
    fills: u32,
}

pub(super) fn settings() -> Settings {
    Settings {
        inquire_pause: Duration::from_millis(250),
        inquire_pause_max: Duration::from_secs(8),
        unknown_max: Duration::from_secs(60),
        way_out_pause: Duration::from_millis(500),
        convert_pause: Duration::from_secs(60),
        entry: crate::domain::Lifetime::Immediate,
        hold: crate::execute::Hold::Allowed,
    }
}

impl Scene {
    pub(super) fn new() -> Self {
        Self {
            executor: Executor::new(settings()),
            world: world(),
            now: Timestamp::from_secs(1_000),
            records: Vec::new(),
            acts: Vec::new(),
            fills: 0,
        }
    }

    /// A scene in which a trade was opened.
    pub(super) fn opened(stages: Stages) -> Self {
        let mut scene = Self::new();
        scene.open(plan(stages));
        scene
    }

    pub(super) fn open(&mut self, plan: Plan) -> TradeId {
        let id = self.executor.state().next_trade();
        let mut acts = Vec::new();
        let plan = Approved::for_test(plan, id);
        self.executor.open(plan, &self.world, self.now, &mut acts);
        self.keep(acts);
        id
    }

    pub(super) fn say(&mut self, report: &Report) {
        let mut acts = Vec::new();
        self.executor.report(report, &self.world, self.now, &mut acts);
        self.keep(acts);
    }

    pub(super) fn tell(&mut self, intent: IntentId, evidence: Evidence) {
        self.say(&Report::Order { intent, evidence });
    }

    /// Lets time pass in steps of a tenth of a second.
    pub(super) fn wait(&mut self, millis: i64) {
        for _ in 0..(millis / 100).max(1) {
            self.now = self.now.after(Duration::from_millis(100));
            let mut acts = Vec::new();
            self.executor.tick(&self.world, self.now, &mut acts);
            self.keep(acts);
        }
    }

    pub(super) fn with(
        &mut self,
        run: impl FnOnce(&mut Executor, &World, Timestamp, &mut Vec<Act>),
    ) {
        let mut acts = Vec::new();
        run(&mut self.executor, &self.world, self.now, &mut acts);
        self.keep(acts);
    }

    /// A person takes a venue's word for a contract.
    pub(super) fn adopt(&mut self, market: MarketIndex, outcome: Outcome, held: &str) {
        let held = [(outcome, quantity(held))];
        let venue = Venue::ALL[market.at()];
        self.with(|executor, world, now, acts| {
            executor.adopt(venue, market, &held, "a person looked", (world, now), acts);
        });
    }

    fn keep(&mut self, acts: Vec<Act>) {
        for act in &acts {
            match act {
                Act::Write(record) => self.records.push(record.clone()),
                Act::Place(order) => self.records.push(Record::Placed(order.clone())),
                Act::Adopt { order, id } => {
                    let named = Record::Named { intent: order.intent, id: id.clone() };
                    self.records.extend([Record::Placed(order.clone()), named]);
                }
                _ => {}
            }
        }
        if !acts.is_empty() {
            self.acts.extend(acts);
            self.check();
        }
    }

    /// What must hold at every moment.
    pub(super) fn check(&self) {
        let mut replayed = State::default();
        for record in &self.records {
            replayed.apply(record);
        }
        assert_eq!(&replayed, self.executor.state(), "a replay gives another state");
        assert!(replayed.is_indexed(), "a trade changed and its record does not say so");
        let mut intents: Vec<_> = self.placed_ever().iter().map(|order| order.intent).collect();
        intents.dedup();
        assert_eq!(intents.len(), self.placed_ever().len(), "an intent was placed twice");
    }

    pub(super) fn placed_ever(&self) -> Vec<&Order> {
        let mut placed = Vec::new();
        for record in &self.records {
            if let Record::Placed(order) = record {
                placed.push(order);
            }
        }
        placed
    }

    /// The orders that were sent since this was last asked.
    pub(super) fn placed(&mut self) -> Vec<Order> {
        let mut placed = Vec::new();
        self.acts.retain(|act| match act {
            Act::Place(order) => {
                placed.push(order.clone());
                false
            }
            _ => true,
        });
        placed
    }

    /// The one order that was sent since this was last asked.
    #[track_caller]
    pub(super) fn only(&mut self) -> Order {
        let mut placed = self.placed();
        assert_eq!(placed.len(), 1, "{placed:?}");
        placed.remove(0)
    }

    pub(super) fn asked_about(&mut self, intent: IntentId) -> bool {
        let was = self.acts.contains(&Act::Inquire(intent));
        self.acts.retain(|act| *act != Act::Inquire(intent));
        was
    }

    pub(super) fn phase(&self) -> &'static str {
        self.phase_of(TradeId(1))
    }

    pub(super) fn phase_of(&self, trade: TradeId) -> &'static str {
        self.executor.state().trade(trade).unwrap().phase.name()
    }

    pub(super) fn incidents(&self) -> Vec<&'static str> {
        let of = |record: &Record| match record {
            Record::Incident { kind, .. } => Some(*kind),
            _ => None,
        };
        self.records.iter().filter_map(of).collect()
    }

    pub(super) fn exposure(&self) -> Option<Exposure> {
        self.executor.exposure(TradeId(1))
    }

    pub(super) fn held(&self, market: MarketIndex, outcome: Outcome) -> String {
        self.executor.state().ledger().held(market, outcome).to_string()
    }

    pub(super) fn cash(&self, venue: Venue) -> Money {
        self.executor.state().ledger().cash(venue).total()
    }

    /// A fill with a number of its own.
    pub(super) fn fill(&mut self, order: &Order, contracts: &str, at: &str) -> Fill {
        self.fills += 1;
        let (count, limit) = (quantity(contracts), price(at));
        let fee_model = self.world.fee(order.market, self.now).unwrap();
        let fee = fee_model.estimate(limit, count);
        Fill {
            trade: format!("t{}", self.fills),
            quantity: count,
            money: Money::cost_floor(limit, count),
            fee: match order.venue {
                Venue::Kalshi => Fee::Reported(fee),
                Venue::Polymarket => Fee::Computed(fee),
            },
            finality: match order.venue {
                Venue::Kalshi => Finality::Confirmed,
                Venue::Polymarket => Finality::Matched,
            },
            at: self.now,
        }
    }

    /// The venue answers an order with one fill and is done with it.
    pub(super) fn fills(&mut self, order: &Order, contracts: &str, at: &str) -> Fill {
        let fill = self.fill(order, contracts, at);
        let total = Total { quantity: fill.quantity, money: fill.money };
        self.tell(order.intent, Evidence::Fill(fill.clone()));
        self.tell(order.intent, over(Some(total)));
        fill
    }

    /// The same, and the fill is confirmed.
    pub(super) fn fills_surely(&mut self, order: &Order, contracts: &str, at: &str) -> Fill {
        let fill = self.fills(order, contracts, at);
        let sure = Fill { finality: Finality::Confirmed, ..fill };
        self.tell(order.intent, Evidence::Fill(sure.clone()));
        sure
    }

    /// Both legs of the plan, locked and confirmed.
    pub(super) fn locked() -> Self {
        let mut scene = Self::opened(Stages::First(Venue::Polymarket));
        let first = scene.only();
        scene.fills_surely(&first, "100", "0.52");
        let second = scene.only();
        scene.fills_surely(&second, "100", "0.42");
        assert_eq!(scene.phase(), "locked");
        scene
    }
}

pub(super) fn over(filled: Option<Total>) -> Evidence {
    Evidence::Standing {
        id: OrderId("venue's".to_owned()),
        filled,
        rest: Rest::Nothing,
        trades: Vec::new(),
    }
}

pub(super) fn delayed() -> Evidence {
    Evidence::Standing {
        id: OrderId("venue's".to_owned()),
        filled: None,
        rest: Rest::Delayed,
        trades: Vec::new(),
    }
}

pub(super) fn refused(kind: Refused) -> Evidence {
    Evidence::Refused(Refusal { kind, code: String::new(), text: String::new() })
}

pub(super) fn total(contracts: &str, spent: &str) -> Total {
    Total { quantity: quantity(contracts), money: money(spent) }
}

/// What an order is, in a line.
pub(super) fn line(order: &Order) -> String {
    let size = match order.size {
        Size::Contracts(quantity) => quantity.to_string(),
        Size::Collateral(money) => format!("${money}"),
    };
    let (action, outcome) = (order.action.name(), order.outcome.name());
    format!(
        "{} {action} {size} {outcome} at {} on {}",
        order.purpose.name(),
        order.limit,
        order.venue
    )
}
