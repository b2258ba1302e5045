//! From a decision to both signed requests in memory, `concurrent`, and each stage by itself: plan,
//! limits, executor, both gateways, and what the journal adds before anything leaves.

#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up fails")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion};
use crossbook::book::Level;
use crossbook::config::{self, Overrides};
use crossbook::domain::market::{Settlement, Status, Tokens};
use crossbook::domain::report::Purse;
use crossbook::domain::{
    FeeModel, FeePlan, Instance, IntentId, Market, MarketIndex, Minimum, Money, Order, OrderId,
    Outcome, Price, PriceGrid, Quantity, Rate, Timestamp, TradeId, Venue,
};
use crossbook::exchange::kalshi::Scope;
use crossbook::exchange::kalshi::keys::{Kind, generate};
use crossbook::execute::{Act, Executor, Record, Sight};
use crossbook::journal::{Durability, Journal};
use crossbook::pairing::{Legs, PairId};
use crossbook::plan::{self, Found, Proposal, Side};
use crossbook::risk::{Limits, Reading, Risk};
use crossbook::venue::gateway::{Call, Gateway as _, Markets, Taken};
use crossbook::venue::kalshi::sign::Signer;
use crossbook::venue::polymarket::account::Account;
use crossbook::venue::polymarket::gateway::Chain;
use crossbook::venue::polymarket::sign::Key;
use crossbook::venue::polymarket::sign::hmac::Credentials;
use crossbook::venue::polymarket::sign::order::{Exchanges, Fields, Wallet};
use crossbook::venue::{kalshi, polymarket};

/// The first account of every Anvil test chain, good for tests and nothing else.
const TEST_WALLET_KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const YES: &str = "71321045679252212594626385532706912750332728571942532289631379312455583992563";
const NO: &str = "52114319501245915516055106046884209969926127482827954674443846427813813222426";
const INSTANCE: Instance = Instance([7; 16]);

fn now() -> Timestamp {
    Timestamp::from_millis(1_795_341_600_000)
}

/// Kalshi's market, then Polymarket's.
struct Table([Market; 2]);

impl Table {
    fn new() -> Self {
        let market = |venue: Venue, id: &str, fee| Market {
            venue,
            id: id.to_owned(),
            title: "Example?".to_owned(),
            event: format!("{venue}-example"),
            group: String::new(),
            grid: PriceGrid::uniform(100),
            fee: FeePlan::constant(fee),
            minimum: Minimum { quantity: Quantity::contracts(1), notional: Money::ZERO },
            status: Status::Open,
            closes: None,
            starts: None,
            delay: Duration::ZERO,
            shard: (venue == Venue::Kalshi).then_some(0),
            rules: None,
            basis: None,
            yes_pays: None,
            tokens: (venue == Venue::Polymarket).then(|| Tokens {
                yes: YES.to_owned(),
                no: NO.to_owned(),
                yes_label: "Yes".to_owned(),
                no_label: "No".to_owned(),
                settlement: Some(Settlement::NegRisk),
                is_open_ended: false,
            }),
        };
        let [kalshi, polymarket] = fees();
        let condition = "0xabababababababababababababababababababababababababababababababab";
        Self([
            market(Venue::Kalshi, "KXFEDDECISION-26DEC-H0", kalshi),
            market(Venue::Polymarket, condition, polymarket),
        ])
    }
}

fn fees() -> [FeeModel; 2] {
    let rate = |text| Rate::parse(text).unwrap();
    [FeeModel::kalshi(rate("0.07")), FeeModel::polymarket(rate("0.04"), 1).unwrap()]
}

impl Markets for Table {
    fn by_id(&self, _: Venue, _: &str) -> Option<MarketIndex> {
        None
    }

    fn by_token(&self, _: &str) -> Option<(MarketIndex, Outcome)> {
        None
    }

    fn facts(&self, market: MarketIndex) -> Option<&Market> {
        self.0.get(market.at())
    }
}

impl Sight for Table {
    fn offers(&self, _: MarketIndex, _: Outcome) -> Option<Vec<Level>> {
        None
    }

    fn bids(&self, _: MarketIndex, _: Outcome) -> Option<Vec<Level>> {
        None
    }

    fn market(&self, market: MarketIndex) -> Option<&Market> {
        self.facts(market)
    }

    fn is_tradable(&self, _: MarketIndex) -> bool {
        true
    }
}

/// Ten levels from `best` on.
fn levels(best: u16, step: i32, contracts: u32) -> Vec<(Price, Quantity)> {
    let price = |level: i32| u16::try_from(i32::from(best) + step * level).unwrap();
    (0..10)
        .map(|level| (Price::from_units(price(level)).unwrap(), Quantity::contracts(contracts)))
        .collect()
}

/// Two contracts that are cheap together, three levels of each.
struct Gap {
    pair: PairId,
    offers: [Vec<(Price, Quantity)>; 2],
    bids: [Vec<(Price, Quantity)>; 2],
    settings: plan::Settings,
    limits: Limits,
    execute: crossbook::execute::Settings,
}

impl Gap {
    fn new() -> Self {
        let settings = config::load(None, &Overrides::default()).unwrap();
        let much = Money::from_micros(100_000 * Money::DOLLAR);
        let limits = Limits {
            order: much,
            market: much,
            pair: much,
            event: much,
            venues: [much; 2],
            total: much,
            unconfirmed: much,
            stranded: much,
            loss_per_day: much,
            dust_market: much,
            dust_total: much,
            ..settings.limits
        };
        Self {
            pair: PairId("example".to_owned()),
            offers: [levels(4_200, 100, 40), levels(4_800, 100, 40)],
            bids: [levels(4_100, -100, 400), levels(4_700, -100, 400)],
            settings: plan::Settings {
                legs: Legs::Concurrent,
                loss_max: Money::from_micros(100 * Money::DOLLAR),
                ..settings.trade.plan
            },
            limits,
            execute: settings.trade.execute,
        }
    }

    fn plan(&self) -> Proposal {
        let [kalshi, polymarket] = fees();
        let side = |at: usize, outcome, fee, purse| Side {
            market: MarketIndex(u32::try_from(at).unwrap()),
            event: "example",
            group: "",
            outcome,
            fee,
            minimum: Minimum { quantity: Quantity::contracts(1), notional: Money::ZERO },
            delay: Duration::ZERO,
            purse,
            offers: &self.offers[at],
            bids: &self.bids[at],
        };
        let found = Found {
            pair: &self.pair,
            legs: None,
            opportunity: 1,
            sides: [
                side(0, Outcome::Yes, kalshi, Purse::Shard(0)),
                side(1, Outcome::No, polymarket, Purse::Collateral),
            ],
            fills: [&self.offers[0][..3], &self.offers[1][..3]],
            profit: Money::from_micros(Money::DOLLAR),
        };
        plan::enter(black_box(&found), &self.settings, now()).unwrap()
    }

    /// Limits that have seen nothing, and may approve.
    fn risk(&self) -> Risk {
        let mut risk = Risk::new(self.limits.clone(), TradeId(1));
        risk.reconciled();
        for purse in [Purse::Shard(0), Purse::Collateral] {
            let cash = Money::from_micros(50_000 * Money::DOLLAR);
            risk.set_purse(purse, Reading { cash, as_of: now() });
        }
        risk
    }

    fn executor(&self) -> Executor {
        Executor::new(self.execute.clone())
    }
}

/// Both gateways, and what they are told of markets.
struct Gateways {
    kalshi: kalshi::Gateway,
    polymarket: polymarket::Gateway,
    table: Table,
}

impl Gateways {
    fn new(kind: Kind, prepared: usize) -> Self {
        let key = generate(kind, vec![Scope::Read, Scope::WriteTrade]).unwrap();
        let signer = Signer::from_pem(&key.account.key_id, &key.pem).unwrap();
        let base = "https://external-api.kalshi.com/trade-api/v2".to_owned();
        let settings = kalshi::gateway::Settings {
            prepared,
            ..kalshi::gateway::Settings::new(base, INSTANCE)
        };
        let account = Account::new(wallet_key(), Wallet::Eoa, None, credentials()).unwrap();
        let at = polymarket::gateway::Settings {
            clob_url: "https://clob.polymarket.com".to_owned(),
            data_url: "https://data-api.polymarket.com".to_owned(),
            site_url: "https://polymarket.com".to_owned(),
            chain: Chain::Polygon,
            data_lag: Duration::ZERO,
            post_only_lasts: Duration::from_secs(120),
        };
        Self {
            kalshi: kalshi::Gateway::new(settings, signer),
            polymarket: polymarket::Gateway::new(account, INSTANCE, at),
            table: Table::new(),
        }
    }

    /// Prepares headers, as is done between frames.
    fn prepare(&mut self) {
        self.kalshi.tick(now(), &mut Taken::default());
    }

    fn place(&mut self, order: &Order) -> (OrderId, Call) {
        let placed = match order.venue {
            Venue::Kalshi => self.kalshi.place(order, &self.table, now()),
            Venue::Polymarket => self.polymarket.place(order, &self.table, now()),
        };
        placed.unwrap()
    }
}

fn wallet_key() -> Key {
    Key::from_hex(TEST_WALLET_KEY).unwrap()
}

fn credentials() -> Credentials {
    let secret = "-yBFao-02f4jSG2St9wBJktwlbrfBClOc5i94gcsUXY=".to_owned();
    let api_key = "00000000-0000-0000-0000-000000000001";
    Credentials::new(api_key, secret.into(), "pass".to_owned().into()).unwrap()
}

fn orders(acts: &[Act]) -> Vec<Order> {
    let order = |act: &Act| match act {
        Act::Place(order) => Some(order.clone()),
        _ => None,
    };
    acts.iter().filter_map(order).collect()
}

/// Everything between an edge and both requests.
fn decide(
    gap: &Gap,
    gateways: &mut Gateways,
    risk: &mut Risk,
    executor: &mut Executor,
) -> [Call; 2] {
    let approved = risk.approve(gap.plan(), now()).unwrap();
    let mut acts = Vec::new();
    executor.open(approved, &gateways.table, now(), &mut acts);
    let mut calls = acts.iter().filter_map(|act| match act {
        Act::Place(order) => Some(gateways.place(order).1),
        _ => None,
    });
    [calls.next().unwrap(), calls.next().unwrap()]
}

fn stages(criterion: &mut Criterion, gap: &Gap, table: &Table) {
    criterion.bench_function("plan both legs, three levels each", |bencher| {
        bencher.iter(|| gap.plan());
    });
    criterion.bench_function("approve a plan", |bencher| {
        let ready = || (gap.risk(), gap.plan());
        bencher.iter_batched(
            ready,
            |(mut risk, plan)| (risk.approve(plan, now()).unwrap(), risk),
            BatchSize::SmallInput,
        );
    });
    criterion.bench_function("open a trade, both orders decided", |bencher| {
        let ready = || (gap.executor(), gap.risk().approve(gap.plan(), now()).unwrap());
        bencher.iter_batched(
            ready,
            |(mut executor, plan)| {
                let mut acts = Vec::new();
                executor.open(plan, table, now(), &mut acts);
                (acts, executor)
            },
            BatchSize::SmallInput,
        );
    });
}

fn signatures(criterion: &mut Criterion) {
    let (key, exchanges) = (wallet_key(), Exchanges::new(polymarket::facts::CHAIN_ID));
    let mut fields = Fields {
        salt: 1,
        maker: key.address(),
        signer: key.address(),
        token: NO.parse().unwrap(),
        maker_amount: 57_600_000,
        taker_amount: 120_000_000,
        action: crossbook::domain::Action::Buy,
        wallet: Wallet::Eoa,
        timestamp_ms: 1_795_341_600_000,
        metadata: alloy_primitives::B256::ZERO,
        builder: alloy_primitives::B256::ZERO,
    };
    criterion.bench_function("polymarket: hash of an order's fields", |bencher| {
        bencher.iter(|| exchanges.order_hash(black_box(&fields)));
    });
    let digest = exchanges.order_hash(&fields);
    criterion.bench_function("polymarket: one secp256k1 signature", |bencher| {
        bencher.iter(|| key.sign(black_box(digest)));
    });
    criterion.bench_function("polymarket: hash and sign an order", |bencher| {
        bencher.iter(|| {
            fields.salt += 1;
            exchanges.sign(&key, Settlement::NegRisk, black_box(&fields))
        });
    });
    let credentials = credentials();
    let body = "x".repeat(900);
    criterion.bench_function("polymarket: headers with HMAC over 900 bytes", |bencher| {
        let address = key.address().to_string();
        bencher.iter(|| credentials.headers(&address, "POST", "/order", Some(&body), now()));
    });
}

fn gateways(criterion: &mut Criterion, gap: &Gap, orders: &[Order]) {
    for (kind, prepared, name) in [
        (Kind::Rsa, 4, "RSA, headers prepared"),
        (Kind::Ed25519, 4, "Ed25519, headers prepared"),
        (Kind::Rsa, 0, "RSA, signed on the spot"),
        (Kind::Ed25519, 0, "Ed25519, signed on the spot"),
    ] {
        let mut gateways = Gateways::new(kind, prepared);
        criterion.bench_function(&format!("kalshi: place, {name}"), |bencher| {
            bencher.iter_custom(|rounds| {
                timed(rounds, &mut gateways, Gateways::prepare, |gateways| {
                    black_box(gateways.place(black_box(&orders[0])));
                })
            });
        });
        criterion.bench_function(&format!("decision to both requests, {name}"), |bencher| {
            let mut ready = (gateways_of(kind, prepared), gap.risk(), gap.executor());
            bencher.iter_custom(|rounds| {
                let prepare = |ready: &mut (Gateways, Risk, Executor)| {
                    ready.0.prepare();
                    (ready.1, ready.2) = (gap.risk(), gap.executor());
                };
                timed(rounds, &mut ready, prepare, |(gateways, risk, executor)| {
                    black_box(decide(gap, gateways, risk, executor));
                })
            });
        });
    }
    let mut gateways = Gateways::new(Kind::Ed25519, 4);
    criterion.bench_function("polymarket: place", |bencher| {
        bencher.iter(|| gateways.place(black_box(&orders[1])));
    });
}

fn gateways_of(kind: Kind, prepared: usize) -> Gateways {
    Gateways::new(kind, prepared)
}

/// The time of `measured` alone, with something done before each round.
fn timed<T>(
    rounds: u64,
    state: &mut T,
    prepare: impl Fn(&mut T),
    measured: impl Fn(&mut T),
) -> Duration {
    let mut taken = Duration::ZERO;
    for _ in 0..rounds {
        prepare(state);
        let start = Instant::now();
        measured(state);
        taken += start.elapsed();
    }
    taken
}

fn journal(criterion: &mut Criterion, orders: &[Order]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (journal, _) = Journal::open(&path, Durability::Process).unwrap();
    for (index, venue) in [(0, Venue::Kalshi), (1, Venue::Polymarket)] {
        journal.learn(MarketIndex(index), venue, "example");
    }
    let records: Vec<Record> = orders
        .iter()
        .flat_map(|order| {
            let id = OrderId("5a4c9f0e-8a45-8d3f-a8a1-0123456789ab".to_owned());
            [Record::Placed(order.clone()), Record::Named { intent: IntentId(order.intent.0), id }]
        })
        .collect();
    criterion.bench_function("journal: append both orders", |bencher| {
        bencher.iter_custom(|rounds| {
            let drained = |journal: &mut Journal| journal.commit(&[]).unwrap();
            timed(rounds, &mut journal.clone(), drained, |journal| {
                journal.append(&records).unwrap();
            })
        });
    });
    criterion.bench_function("journal: commit both orders at once", |bencher| {
        bencher.iter(|| journal.commit(black_box(&records)).unwrap());
    });
    criterion.bench_function("journal: commit both orders one by one", |bencher| {
        bencher.iter(|| {
            journal.commit(black_box(&records[..2])).unwrap();
            journal.commit(black_box(&records[2..])).unwrap();
        });
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let (gap, table) = (Gap::new(), Table::new());
    let mut acts = Vec::new();
    let approved = gap.risk().approve(gap.plan(), now()).unwrap();
    gap.executor().open(approved, &table, now(), &mut acts);
    let both = orders(&acts);
    assert_eq!([both[0].venue, both[1].venue], Venue::ALL);
    stages(&mut criterion, &gap, &table);
    signatures(&mut criterion);
    gateways(&mut criterion, &gap, &both);
    journal(&mut criterion, &both);
    criterion.final_summary();
}
