//! A world to measure in: markets on both venues, pairs over them, live sessions and full books,
//! all built and driven through the machine that the program itself runs.
//!
//! Frames are written in the shapes the venues send. Time stands still, so that nothing grows old
//! while a measurement repeats itself.

#![allow(dead_code, reason = "each measurement uses a part of it")]

use std::collections::BTreeSet;
use std::time::Duration;

use crossbook::app::desk::{Acceptance, Desk, Rhythm};
use crossbook::app::pipeline::{Input, Pipeline};
use crossbook::app::sources::{KalshiFeed, Sources, engine_settings};
use crossbook::book::Lane;
use crossbook::config::{self, Overrides};
use crossbook::detect::NoEdge;
use crossbook::domain::market::{Status, Tokens};
use crossbook::domain::{
    FeeModel, FeePlan, Instance, Market, MarketIndex, Minimum, Money, PriceGrid, Quantity, Rate,
    Timestamp, Venue,
};
use crossbook::engine::trade;
use crossbook::journal::memory::{Disk, Memory};
use crossbook::venue::{self, paper};

/// The time of everything.
const NOW_MS: i64 = 1_795_341_600_000;
/// Venue time stamps are this much earlier.
const WAY_MS: i64 = 5;
/// Levels on each side of a full book.
pub(crate) const LEVELS: usize = 60;
/// Pairs in one mapping file.
const PAIRS_PER_FILE: usize = 500;

/// The machine and what its sessions are to be told next.
pub(crate) struct Scene {
    /// The program's own machine of feeds, registry and engine.
    pub(crate) pipeline: Pipeline,
    /// The time.
    pub(crate) now: Timestamp,
    /// The next sequence number of each Kalshi lane.
    next: Vec<u64>,
}

impl Scene {
    /// A world of `known` markets on each venue, the first `pairs` of which are paired, watched and
    /// have books of [`LEVELS`] levels a side.
    pub(crate) fn new(known: usize, pairs: usize) -> Self {
        Self::begin().filled(known, pairs)
    }

    /// The same world with trading on, on paper: the trader and the desk stand in the way of every
    /// frame.
    pub(crate) fn trading(known: usize, pairs: usize) -> Self {
        let mut scene = Self::begin();
        let settings = config::load(None, &Overrides::default()).unwrap();
        let gateways: Vec<Box<dyn venue::gateway::Gateway>> = Venue::ALL
            .into_iter()
            .map(|venue| {
                Box::new(paper::Gateway::new(venue, paper::Merges::ByVenue))
                    as Box<dyn venue::gateway::Gateway>
            })
            .collect();
        let (journal, _) = Memory::open(&Disk::new(), Instance([7; 16]));
        let desk = Desk::new(gateways, Box::new(journal), Rhythm::default(), scene.now);
        scene.pipeline.open_desk(desk, Vec::new());
        scene.pipeline.accept(Acceptance::OnPaper(BTreeSet::new()));
        let trading = trade::Settings {
            plan: settings.trade.plan.clone(),
            limits: settings.limits.clone(),
            execute: settings.trade.execute.clone(),
            pause_ahead: Duration::from_mins(10),
            weekly_pause: true,
            not_tradable_min: Duration::from_secs(2),
            polymarket_answer: settings.trade.polymarket_answer,
        };
        let reconcile = settings.trade.reconcile;
        scene.pipeline.begin_trading(trading, reconcile, &[], scene.now);
        let scene = scene.filled(known, pairs);
        assert!(scene.pipeline.engine().trader().is_some(), "trading is on");
        scene
    }

    fn begin() -> Self {
        let settings = config::load(None, &Overrides::default()).unwrap();
        let engine = engine_settings(&settings);
        let sources = Sources::new(settings, KalshiFeed::Stream, None, 1);
        let today = "2026-11-22".parse().unwrap();
        let pipeline = Pipeline::new(engine, Box::new(sources), today);
        Self { pipeline, now: Timestamp::from_millis(NOW_MS), next: Vec::new() }
    }

    fn filled(self, known: usize, pairs: usize) -> Self {
        let mut scene = self;
        let files: Vec<_> = (0..pairs).step_by(PAIRS_PER_FILE).map(|at| file(at, pairs)).collect();
        scene.handle(&Input::Mappings(&files));
        for number in 0..known {
            scene.handle(&Input::Market(&kalshi_market(number)));
            scene.handle(&Input::Market(&polymarket_market(number)));
        }
        scene.handle(&Input::Tick);
        scene.open_lanes();
        for number in 0..pairs {
            scene.kalshi_image(number);
            scene.polymarket_image(number);
        }
        scene.forget_wishes();
        scene.pipeline.wishes.loads = Vec::new();
        assert_eq!(scene.pipeline.engine().pairs(), pairs, "every pair is watched");
        scene
    }

    /// Hands one input to the machine.
    #[inline]
    pub(crate) fn handle(&mut self, input: &Input<'_>) {
        self.pipeline.handle(input, self.now);
    }

    /// One frame that came alone: taken in, then the drain is over and decisions are made.
    #[inline]
    pub(crate) fn decide(&mut self, lane: Lane, text: &str) {
        self.pipeline.handle(&Input::Text(lane, text), self.now);
        self.pipeline.handle(&Input::Drained, self.now);
    }

    /// The connection that brings a market.
    pub(crate) fn lane(&self, venue: Venue, number: usize) -> Lane {
        self.entry(venue, number).1
    }

    /// The index of a market.
    pub(crate) fn index(&self, venue: Venue, number: usize) -> MarketIndex {
        self.entry(venue, number).0
    }

    fn entry(&self, venue: Venue, number: usize) -> (MarketIndex, Lane) {
        let id = match venue {
            Venue::Kalshi => ticker(number),
            Venue::Polymarket => condition(number),
        };
        let registry = self.pipeline.registry();
        let index = registry.find(venue, &id).unwrap();
        (index, registry.get(index).unwrap().lane.unwrap())
    }

    /// The next number in the order of a lane's book subscription.
    pub(crate) fn sequence(&mut self, lane: Lane) -> u64 {
        if self.next.len() <= lane.at() {
            self.next.resize(lane.at() + 1, 1_000_000_000);
        }
        self.next[lane.at()] += 1;
        self.next[lane.at()]
    }

    /// How many looks there were, and in how many directions each ended without an edge for a
    /// reason that the books give (the reason `BelowThreshold`) and for any other reason.
    pub(crate) fn looks(&self) -> (u64, u64, u64) {
        let counters = self.pipeline.engine().counters();
        let below = counters.rejections[NoEdge::BelowThreshold.index()];
        let all: u64 = counters.rejections.iter().sum();
        (counters.looks, below, all - below)
    }

    fn open_lanes(&mut self) {
        for (lane, _) in self.pipeline.lanes().collect::<Vec<_>>() {
            self.handle(&Input::Timer(lane));
            self.handle(&Input::Open(lane));
        }
        self.forget_wishes();
    }

    fn forget_wishes(&mut self) {
        for lane in &mut self.pipeline.wishes.lanes {
            lane.frames = Default::default();
        }
        self.pipeline.news = Default::default();
    }

    fn kalshi_image(&mut self, number: usize) {
        let lane = self.lane(Venue::Kalshi, number);
        let sequence = self.sequence(lane);
        let frame = kalshi_snapshot(number, sequence);
        self.decide(lane, &frame);
    }

    fn polymarket_image(&mut self, number: usize) {
        let lane = self.lane(Venue::Polymarket, number);
        self.decide(lane, &polymarket_book(number, LEVELS));
    }
}

/// A ring of frames that leaves every book as it found it, so that it can be played again.
#[derive(Default)]
pub(crate) struct Ring {
    frames: Vec<(Lane, Venue, String)>,
}

impl Ring {
    /// Changes of the top levels of these markets, in turn: `kalshi` of every `of` frames are
    /// Kalshi's deltas, the others Polymarket's changes of two items.
    pub(crate) fn new(
        scene: &mut Scene,
        markets: &[usize],
        rounds: usize,
        mix: (usize, usize),
    ) -> Self {
        let (kalshi, of) = mix;
        let mut ring = Self::default();
        let steps = rounds * STEPS;
        for step in 0..steps {
            for (at, number) in markets.iter().enumerate() {
                let venue = if (at % of) < kalshi { Venue::Kalshi } else { Venue::Polymarket };
                let lane = scene.lane(venue, *number);
                let text = match venue {
                    Venue::Kalshi => kalshi_delta(*number, step),
                    Venue::Polymarket => polymarket_change(*number, step),
                };
                ring.frames.push((lane, venue, text));
            }
        }
        ring
    }

    /// Gives Kalshi's frames their next sequence numbers.
    pub(crate) fn renumber(&mut self, scene: &mut Scene) {
        for (lane, venue, text) in &mut self.frames {
            if *venue == Venue::Kalshi {
                let sequence = scene.sequence(*lane).to_string();
                text.replace_range(SEQUENCE_AT..SEQUENCE_AT + sequence.len(), &sequence);
            }
        }
    }

    /// Plays all frames, each with its decision.
    pub(crate) fn play(&self, scene: &mut Scene) {
        for (lane, _, text) in &self.frames {
            scene.decide(*lane, text);
        }
    }

    /// How many frames there are.
    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }

    /// The frames alone.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.frames.iter().map(|(_, _, text)| text.as_str())
    }
}

/// Steps after which a market's book is as it was.
const STEPS: usize = 8;
/// Where the sequence number of a delta begins.
const SEQUENCE_AT: usize = r#"{"type":"orderbook_delta","sid":1,"seq":"#.len();

/// One change near the top of a book, undone by the next one: a new best level, more at the best,
/// the same on the side of NO.
fn kalshi_delta(number: usize, step: usize) -> String {
    let (leg, price) = match step % STEPS {
        0 | 1 => ("yes", "0.4810"),
        2 | 3 => ("no", "0.4810"),
        4 | 5 => ("yes", "0.4780"),
        _ => ("no", "0.4770"),
    };
    let change = if step.is_multiple_of(2) { "125.00" } else { "-125.00" };
    format!(
        concat!(
            r#"{{"type":"orderbook_delta","sid":1,"seq":1000000000,"msg":{{"market_ticker":"{}","#,
            r#""market_id":"0b7c6d5e-1111-4222-8333-444455556666","price_dollars":"{}","#,
            r#""delta_fp":"{}","side":"{}","ts":"2026-11-22T10:00:00.97871Z","ts_ms":{}}}}}"#
        ),
        ticker(number),
        price,
        change,
        leg,
        NOW_MS - WAY_MS
    )
}

/// One order of either token as the venue tells it: an item for each token.
fn polymarket_change(number: usize, step: usize) -> String {
    let more = step.is_multiple_of(2);
    let (yes_price, no_price, yes_side, no_side, size, best) = match step % STEPS {
        // A new best bid comes and goes.
        0 | 1 => ("0.471", "0.529", "BUY", "SELL", if more { "250" } else { "0" }, (471, 530)),
        2 | 3 => ("0.529", "0.471", "SELL", "BUY", if more { "250" } else { "0" }, (470, 529)),
        4 | 5 => ("0.469", "0.531", "BUY", "SELL", if more { "400.5" } else { "100" }, (470, 530)),
        _ => ("0.532", "0.468", "SELL", "BUY", if more { "400.5" } else { "100" }, (470, 530)),
    };
    let (bid, ask) = if more || step % STEPS > 3 { best } else { (470, 530) };
    let (yes, no) = tokens(number);
    let item = |token: &str, price, side, bid: u32, ask: u32| {
        format!(
            concat!(
                r#"{{"asset_id":"{}", "price":"{}", "size":"{}", "side":"{}", "#,
                r#""hash":"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "#,
                r#""best_bid":"0.{:03}", "best_ask":"0.{:03}"}}"#
            ),
            token, price, size, side, bid, ask
        )
    };
    format!(
        concat!(
            r#"{{"market":"{}", "price_changes":[{}, {}], "timestamp":"{}", "#,
            r#""event_type":"price_change"}}"#
        ),
        condition(number),
        item(&yes, yes_price, yes_side, bid, ask),
        item(&no, no_price, no_side, 1_000 - ask, 1_000 - bid),
        NOW_MS - WAY_MS
    )
}

fn kalshi_snapshot(number: usize, sequence: u64) -> String {
    let side = || {
        let levels: Vec<String> = (0..LEVELS)
            .map(|at| format!(r#"["0.{:03}0","{}.00"]"#, 480 + at + 1 - LEVELS, 100 + at))
            .collect();
        levels.join(",")
    };
    format!(
        concat!(
            r#"{{"type":"orderbook_snapshot","sid":1,"seq":{},"msg":{{"market_ticker":"{}","#,
            r#""market_id":"0b7c6d5e-1111-4222-8333-444455556666","#,
            r#""yes_dollars_fp":[{}],"no_dollars_fp":[{}]}}}}"#
        ),
        sequence,
        ticker(number),
        side(),
        side()
    )
}

/// A full image of a market with this many levels a side, of the token of YES.
pub(crate) fn polymarket_book(number: usize, levels: usize) -> String {
    let level = |price| format!(r#"{{"price":"0.{price:03}", "size":"{}"}}"#, 100 + price % 7 * 40);
    let bids: Vec<String> = (0..levels).map(|at| level(470 + at + 1 - levels)).collect();
    let asks: Vec<String> = (0..levels).map(|at| level(530 + levels - at - 1)).collect();
    let (yes, _) = tokens(number);
    format!(
        concat!(
            r#"{{"market":"{}", "asset_id":"{}", "bids":[{}], "asks":[{}], "#,
            r#""hash":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a", "timestamp":"{}", "#,
            r#""event_type":"book"}}"#
        ),
        condition(number),
        yes,
        bids.join(", "),
        asks.join(", "),
        NOW_MS - WAY_MS
    )
}

fn ticker(number: usize) -> String {
    format!("KXBENCHRATE-26DEC31-T{number:06}")
}

fn condition(number: usize) -> String {
    let mixed = mix(number);
    format!("0x{mixed:016x}{:016x}{mixed:016x}{number:016x}", mix(number + 1))
}

/// Token ids are 256-bit numbers in decimal: 76 to 78 digits.
fn tokens(number: usize) -> (String, String) {
    let token = |outcome: usize| {
        let digits = |salt: usize| mix(number * 16 + outcome * 8 + salt) % 10u64.pow(18);
        format!("7{:018}{:018}{:018}{:018}{number:04}", digits(0), digits(1), digits(2), digits(3))
    };
    (token(0), token(1))
}

const fn mix(number: usize) -> u64 {
    let mut mixed = (number as u64).wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn file(first: usize, pairs: usize) -> (String, String) {
    let last = (first + PAIRS_PER_FILE).min(pairs);
    let text: String = (first..last).map(mapping).collect();
    (format!("bench-{first}.toml"), text)
}

fn mapping(number: usize) -> String {
    format!(
        concat!(
            "[[pair]]\nid = \"bench-{:06}\"\n",
            "title = \"Will the measured rate end the year above step {}?\"\n",
            "relation = \"same\"\nstatus = \"proposed\"\n",
            "kalshi = {{ ticker = \"{}\" }}\n",
            "polymarket = {{ condition = \"{}\", outcome = \"Yes\" }}\n",
            "settles = 2027-01-15\nresolution_risk = \"0.002\"\n",
            "[pair.payoff]\nvoid = {{ kalshi = \"last\", polymarket = \"0.5\" }}\n\n"
        ),
        number,
        number,
        ticker(number),
        condition(number)
    )
}

/// A question of the length that long ones have, rules excerpt included.
fn title(number: usize) -> String {
    let sentence = "Will the measured rate end the year above this step, as the source prints it? ";
    format!("{number}: {}", sentence.repeat(6))
}

fn kalshi_market(number: usize) -> Market {
    let rate = Rate::parse("0.07").unwrap();
    Market {
        venue: Venue::Kalshi,
        id: ticker(number),
        title: title(number),
        event: format!("KXBENCHRATE-26DEC31-{}", number / 10),
        group: String::new(),
        grid: PriceGrid::uniform(10),
        fee: FeePlan::constant(FeeModel::kalshi(rate)),
        minimum: Minimum {
            quantity: Quantity::from_units(Quantity::LOT).unwrap(),
            notional: Money::ZERO,
        },
        status: Status::Open,
        closes: Timestamp::parse("2026-12-31T23:59:00Z"),
        starts: None,
        delay: Duration::ZERO,
        shard: Some(0),
        rules: None,
        basis: None,
        yes_pays: None,
        tokens: None,
    }
}

fn polymarket_market(number: usize) -> Market {
    let (yes, no) = tokens(number);
    let rate = Rate::parse("0.04").unwrap();
    Market {
        venue: Venue::Polymarket,
        id: condition(number),
        title: title(number),
        event: format!("measured-rate-at-the-end-of-the-year-{}", number / 10),
        fee: FeePlan::constant(FeeModel::polymarket(rate, 1).unwrap()),
        minimum: Minimum {
            quantity: Quantity::contracts(5),
            notional: Money::from_micros(Money::DOLLAR),
        },
        tokens: Some(Tokens {
            yes,
            no,
            yes_label: "Yes".into(),
            no_label: "No".into(),
            settlement: None,
            is_open_ended: false,
        }),
        ..kalshi_market(number)
    }
}
