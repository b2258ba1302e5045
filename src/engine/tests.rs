use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::book::{Lane, Stamped, Update};
use crate::domain::market::{Minimum, Status, Tokens};
use crate::domain::{Change, FeeModel, FeePlan, Market, Outcome, Price, PriceGrid, Rate, Side};
use crate::pairing::{Limits, Pair, PairId, Place, Relation, Standing};

mod facts;

pub(super) const KALSHI: MarketIndex = MarketIndex(0);
pub(super) const POLYMARKET: MarketIndex = MarketIndex(1);

pub(super) fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

pub(super) fn settings() -> Settings {
    Settings {
        edge_min: money("0.005"),
        profit_min: money("0.05"),
        edge_max: money("0.10"),
        mids_apart_max: money("0.15"),
        contracts_max: Quantity::contracts(1_000),
        grown_by_percent: 25,
        batch_open_max: Duration::from_millis(250),
        gate: gate::Settings {
            kalshi_book_age_max: Duration::from_secs(12),
            polymarket_book_age_max: Duration::from_secs(5),
            feed_lag_max: Duration::from_secs(3),
            clock_offset_max: Duration::from_secs(2),
            near_close: Duration::from_secs(60),
            near_start: Duration::from_secs(60),
            fee_age_max: Duration::from_secs(86_400),
        },
    }
}

pub(super) fn market(venue: Venue) -> Market {
    let rate = Rate::parse(if venue == Venue::Kalshi { "0.07" } else { "0.04" }).unwrap();
    let (model, minimum) = match venue {
        Venue::Kalshi => (FeeModel::kalshi(rate), Quantity::from_units(10_000).unwrap()),
        Venue::Polymarket => (FeeModel::polymarket(rate, 1).unwrap(), Quantity::contracts(5)),
    };
    let notional = match venue {
        Venue::Kalshi => Money::ZERO,
        Venue::Polymarket => Money::from_micros(Money::DOLLAR),
    };
    Market {
        venue,
        id: format!("{venue}-market"),
        title: String::new(),
        event: String::new(),
        group: String::new(),
        grid: PriceGrid::uniform(100),
        fee: FeePlan::constant(model),
        minimum: Minimum { quantity: minimum, notional },
        status: Status::Open,
        closes: None,
        starts: None,
        delay: Duration::ZERO,
        shard: Some(0),
        rules: None,
        basis: None,
        yes_pays: None,
        tokens: (venue == Venue::Polymarket).then(|| Tokens {
            yes: "1".into(),
            no: "2".into(),
            yes_label: "Yes".into(),
            no_label: "No".into(),
            settlement: None,
            is_open_ended: false,
        }),
    }
}

pub(super) fn pair(relation: Relation) -> Watched {
    let pair = Pair {
        id: PairId("fed-2026-12-hold".into()),
        title: "Fed holds rates at the December 2026 meeting".into(),
        relation,
        standing: Standing::Approved,
        kalshi: "kalshi-market".into(),
        polymarket: "polymarket-market".into(),
        outcome: "Yes".into(),
        settles: Some("2026-12-09".parse().unwrap()),
        resolution_risk: money("0.002"),
        payoff: Vec::new(),
        review: None,
        limits: Limits::default(),
        place: Place { file: "fed.toml".into(), line: 1 },
    };
    Watched { pair: Arc::new(pair), kalshi: KALSHI, polymarket: POLYMARKET, named: Outcome::Yes }
}

pub(super) struct Story {
    pub(super) engine: Engine,
    pub(super) now: Timestamp,
    pub(super) effects: Vec<Effect>,
}

impl Story {
    pub(super) fn new(relation: Relation) -> Self {
        let now = Timestamp::parse("2026-11-22T10:00:00.123456Z").unwrap();
        let mut story = Self { engine: Engine::new(settings()), now, effects: Vec::new() };
        for (index, venue) in [(KALSHI, Venue::Kalshi), (POLYMARKET, Venue::Polymarket)] {
            let market = market(venue);
            story.event(&Event::Market { index, market: &market });
        }
        story.event(&Event::Pairs(&[pair(relation)]));
        story
    }

    pub(super) fn event(&mut self, event: &Event<'_>) {
        self.engine.handle(event, self.now, &mut self.effects);
    }

    pub(super) fn update(&mut self, update: Update) {
        self.event(&Event::Update(&update));
    }

    pub(super) fn image(&mut self, market: MarketIndex, levels: &[(Side, &str, &str)]) {
        let lane = Lane(u16::try_from(market.0).unwrap());
        self.update(Update::Snapshot { market, lane });
        for (side, price, quantity) in levels {
            let (price, quantity) =
                (Price::parse(price).unwrap(), Quantity::parse(quantity).unwrap());
            self.update(Update::Set { market, side: *side, price, quantity });
        }
        self.update(Update::SnapshotEnd { market });
        self.update(Update::Stamp {
            kind: Stamped::Change,
            market,
            sequence: 1,
            source: Some(self.now),
        });
    }

    /// The books of the example in the output contract.
    pub(super) fn example(relation: Relation) -> Self {
        let mut story = Self::new(relation);
        let kalshi =
            [(Side::Ask, "0.42", "50"), (Side::Ask, "0.43", "70"), (Side::Bid, "0.40", "500")];
        let same = [(Side::Bid, "0.48", "120"), (Side::Ask, "0.49", "500")];
        let mirrored = [(Side::Ask, "0.52", "120"), (Side::Bid, "0.51", "500")];
        story.image(KALSHI, &kalshi);
        story.image(POLYMARKET, if relation == Relation::Same { &same } else { &mirrored });
        story
    }

    pub(super) fn drain(&mut self) -> Vec<Effect> {
        self.event(&Event::Drained);
        std::mem::take(&mut self.effects)
    }

    pub(super) fn pass(&mut self, span: Duration) -> Vec<Effect> {
        self.now = self.now.after(span);
        self.event(&Event::Tick);
        std::mem::take(&mut self.effects)
    }
}

pub(super) fn opened(effects: &[Effect]) -> &effect::Opportunity {
    match effects {
        [Effect::Opportunity(found)] => found,
        other => panic!("{other:?}"),
    }
}

fn closing_reason(effects: &[Effect]) -> &'static str {
    let closed = effects.iter().find_map(|effect| match effect {
        Effect::Closed(closed) => Some(closed.reason),
        _ => None,
    });
    closed.unwrap_or_else(|| panic!("nothing closed: {effects:?}"))
}

#[test]
fn the_example_of_the_output_contract_comes_out_to_the_micro_dollar() {
    let mut story = Story::example(Relation::Same);
    let effects = story.drain();
    let found = opened(&effects);
    assert_eq!(found.quantity.to_string(), "120.00");
    assert_eq!(found.payout.to_string(), "120.000000");
    assert_eq!(found.cost.to_string(), "113.500000");
    assert_eq!(found.fees.to_string(), "3.251680");
    assert_eq!(found.resolution_risk.to_string(), "0.240000");
    assert_eq!(found.profit.to_string(), "3.008320");
    assert_eq!(found.edge.to_string(), "0.025069");
    assert_eq!(found.annualised, Some(567));
    let [kalshi, polymarket] = &found.legs;
    assert_eq!((kalshi.outcome, polymarket.outcome), (Outcome::Yes, Outcome::No));
    assert_eq!(kalshi.limit.to_string(), "0.4300");
    assert_eq!(kalshi.fee.to_string(), "2.053600");
    assert_eq!(polymarket.fee.to_string(), "1.198080");
    assert_eq!(polymarket.fills.len(), 1);
}

#[test]
fn an_opposite_pair_buys_the_same_outcome_on_both_venues() {
    let mut story = Story::example(Relation::Opposite);
    let effects = story.drain();
    let found = opened(&effects);
    assert_eq!((found.legs[0].outcome, found.legs[1].outcome), (Outcome::Yes, Outcome::Yes));
    assert_eq!(found.profit.to_string(), "3.008320");
}

#[test]
fn a_gap_closes_what_is_open_at_once() {
    let mut story = Story::example(Relation::Same);
    opened(&story.drain());
    story.update(Update::LaneLost { lane: Lane(0), why: Loss::Gap });
    let effects = std::mem::take(&mut story.effects);
    assert_eq!(closing_reason(&effects), "feed_not_live");
    let cheaper = Price::parse("0.41").unwrap();
    story.update(Update::Set {
        market: KALSHI,
        side: Side::Ask,
        price: cheaper,
        quantity: Quantity::contracts(500),
    });
    assert!(story.drain().is_empty(), "no edge on a gapped book");
    story.image(KALSHI, &[(Side::Ask, "0.42", "50"), (Side::Bid, "0.40", "5")]);
    opened(&story.drain());
}

#[test]
fn a_silent_book_makes_no_edge_past_the_freshness_limit() {
    let mut story = Story::example(Relation::Same);
    opened(&story.drain());
    assert!(story.pass(Duration::from_millis(4_999)).is_empty());
    assert_eq!(closing_reason(&story.pass(Duration::from_millis(2))), "stale");
    story.update(Update::Proof { market: POLYMARKET });
    opened(&story.pass(Duration::ZERO));
}

#[test]
fn a_heartbeat_proves_every_book_of_a_kalshi_connection_only() {
    let mut story = Story::example(Relation::Same);
    opened(&story.drain());
    story.pass(Duration::from_secs(4));
    story.update(Update::LaneProof { lane: Lane(0) });
    story.update(Update::LaneProof { lane: Lane(1) });
    let effects = story.pass(Duration::from_secs(2));
    assert_eq!(closing_reason(&effects), "stale", "PONG proves no Polymarket book");
}

#[test]
fn no_edge_is_taken_between_the_frames_of_a_batch() {
    let mut story = Story::new(Relation::Same);
    story.image(KALSHI, &[(Side::Ask, "0.45", "100"), (Side::Bid, "0.40", "100")]);
    story.image(POLYMARKET, &[(Side::Bid, "0.45", "100"), (Side::Ask, "0.50", "100")]);
    assert!(story.drain().is_empty());
    // First frame of two: a new bid stands at 0.52 while the ask at 0.50 has not gone yet.
    let price = |text: &str| Price::parse(text).unwrap();
    let announced = Update::Announced {
        market: POLYMARKET,
        bid: Some(price("0.45")),
        ask: Some(price("0.50")),
    };
    story.update(announced);
    let set = |at: &str, count| Update::Set {
        market: POLYMARKET,
        side: Side::Bid,
        price: price(at),
        quantity: Quantity::contracts(count),
    };
    story.update(set("0.52", 50));
    story.update(announced);
    assert!(story.drain().is_empty(), "the batch is open");
    assert!(story.engine.counters().rejections[NoEdge::BatchOpen.index()] > 0);
    story.update(set("0.52", 0));
    assert!(story.drain().is_empty());
    assert_eq!(story.engine.standing_reasons()[NoEdge::BelowThreshold.index()], 2);
}

#[test]
fn a_batch_that_never_completes_loses_the_book_and_asks_for_a_new_one() {
    let mut story = Story::example(Relation::Same);
    let bid = Price::parse("0.30").ok();
    story.update(Update::Announced { market: POLYMARKET, bid, ask: bid });
    story.drain();
    assert!(
        !story.pass(Duration::from_millis(250)).iter().any(|e| matches!(e, Effect::Resync { .. }))
    );
    let effects = story.pass(Duration::from_millis(1));
    assert!(effects.contains(&Effect::Resync { market: POLYMARKET, why: Loss::Crossed }));
    assert_eq!(story.engine.standing_reasons()[NoEdge::FeedNotLive.index()], 2);
}

#[test]
fn a_change_below_zero_asks_for_a_new_image() {
    let mut story = Story::example(Relation::Same);
    let change = Change::parse("-1").unwrap();
    let price = Price::parse("0.10").unwrap();
    story.update(Update::Change { market: KALSHI, side: Side::Bid, price, change });
    assert_eq!(story.effects, [Effect::Resync { market: KALSHI, why: Loss::Broken }]);
}

#[test]
fn growth_is_reported_when_it_is_material() {
    let mut story = Story::example(Relation::Same);
    let first = opened(&story.drain()).id;
    let more = |count| Update::Set {
        market: KALSHI,
        side: Side::Ask,
        price: Price::parse("0.41").unwrap(),
        quantity: Quantity::contracts(count),
    };
    story.update(more(1));
    assert!(story.drain().is_empty(), "a few cents more are not news");
    story.update(more(200));
    let effects = story.drain();
    let grown = opened(&effects);
    assert_eq!((grown.phase, grown.id), (effect::Phase::Grown, first));
}

#[test]
fn a_pair_that_is_removed_closes_and_one_that_stays_does_not() {
    let mut story = Story::example(Relation::Same);
    opened(&story.drain());
    story.event(&Event::Pairs(&[pair(Relation::Same)]));
    assert!(story.effects.is_empty(), "an unchanged pair keeps its opportunity");
    story.event(&Event::Pairs(&[]));
    let effects = std::mem::take(&mut story.effects);
    assert_eq!(closing_reason(&effects), "pair_removed");
    assert_eq!(story.engine.open(), 0);
}

#[test]
fn a_pause_closes_what_is_open() {
    let mut story = Story::example(Relation::Same);
    opened(&story.drain());
    story.update(Update::Trading { market: KALSHI, status: Status::Paused });
    assert_eq!(closing_reason(&story.drain()), "market_paused");
}

#[test]
fn mids_far_apart_are_not_believed() {
    let mut story = Story::new(Relation::Same);
    story.image(KALSHI, &[(Side::Ask, "0.42", "100"), (Side::Bid, "0.40", "100")]);
    story.image(POLYMARKET, &[(Side::Ask, "0.72", "100"), (Side::Bid, "0.70", "100")]);
    let effects = story.drain();
    assert!(matches!(effects[..], [Effect::Doubt { reason: "mids_apart", .. }]), "{effects:?}");
    assert_eq!(story.engine.standing_reasons()[NoEdge::MidsApart.index()], 2);
    story.image(KALSHI, &[(Side::Ask, "0.42", "90"), (Side::Bid, "0.40", "100")]);
    assert!(story.drain().is_empty(), "the doubt is told once");
}

#[test]
fn an_unknown_fee_makes_no_edge() {
    let mut story = Story::example(Relation::Same);
    let unknown = Market { fee: FeePlan::unknown(), ..market(Venue::Polymarket) };
    story.event(&Event::Market { index: POLYMARKET, market: &unknown });
    assert!(story.drain().is_empty());
    assert_eq!(story.engine.standing_reasons()[NoEdge::FeeUnknown.index()], 2);
}

#[test]
fn the_old_time_of_a_quiet_book_is_no_lag_of_its_feed() {
    let mut story = Story::example(Relation::Same);
    story.drain();
    let lag = |story: &mut Story, kind, millis: u64| {
        let source = Some(story.now.before(Duration::from_millis(millis)));
        story.update(Update::Stamp { kind, market: POLYMARKET, sequence: 0, source });
        let book = &story.engine.books().get(POLYMARKET).unwrap().book;
        story.engine.books().lane_of(book).unwrap().lag
    };
    assert_eq!(lag(&mut story, Stamped::Image, 600_000), Duration::ZERO);
    assert_eq!(lag(&mut story, Stamped::Change, 40), Duration::from_millis(40));
    assert_eq!(lag(&mut story, Stamped::Image, 600_000), Duration::from_millis(40));
}

#[test]
fn updates_of_other_markets_cost_no_look() {
    let mut story = Story::example(Relation::Same);
    story.drain();
    let looks = story.engine.counters().looks;
    story.image(MarketIndex(7), &[(Side::Bid, "0.10", "1")]);
    story.drain();
    assert_eq!(story.engine.counters().looks, looks);
}

#[test]
fn a_venue_that_pauses_makes_no_edge_and_comes_back() {
    let mut story = Story::example(Relation::Same);
    opened(&story.drain());
    story.event(&Event::Exchange { venue: Venue::Kalshi, status: Status::Paused });
    let effects = std::mem::take(&mut story.effects);
    assert_eq!(closing_reason(&effects), "market_paused");
    story.event(&Event::Exchange { venue: Venue::Kalshi, status: Status::Open });
    let effects = std::mem::take(&mut story.effects);
    opened(&effects);
}

#[test]
fn an_entry_that_moved_in_its_file_keeps_its_opportunity() {
    let mut story = Story::example(Relation::Same);
    opened(&story.drain());
    let mut moved = (*pair(Relation::Same).pair).clone();
    moved.place.line = 9;
    let moved = Watched { pair: Arc::new(moved), ..pair(Relation::Same) };
    story.event(&Event::Pairs(&[moved]));
    assert!(story.effects.is_empty(), "{:?}", story.effects);
}

#[test]
fn a_clock_that_steps_back_hides_no_silence() {
    let mut story = Story::example(Relation::Same);
    opened(&story.drain());
    story.now = story.now.before(Duration::from_secs(600));
    assert_eq!(closing_reason(&story.pass(Duration::from_secs(1))), "stale");
}

#[test]
fn a_pair_that_flips_between_waiting_and_not_stands_on_the_list_once() {
    let mut story = Story::new(Relation::Same);
    let levels = [(Side::Bid, "0.40", "10"), (Side::Ask, "0.42", "10")];
    story.image(KALSHI, &levels);
    story.image(POLYMARKET, &levels);
    for _ in 0..50 {
        for status in [Status::Paused, Status::Open, Status::Paused] {
            story.update(Update::Trading { market: KALSHI, status });
            story.drain();
        }
        story.pass(Duration::from_millis(1));
    }
    assert_eq!(story.engine.waiting.len(), 1);
}

#[test]
fn a_market_that_the_feed_closed_is_not_opened_by_a_listing() {
    let mut story = Story::example(Relation::Same);
    opened(&story.drain());
    story.update(Update::Trading { market: POLYMARKET, status: Status::Closed });
    assert_eq!(closing_reason(&story.drain()), "market_paused");
    story.now = story.now.after(Duration::from_secs(3_600));
    let listing = market(Venue::Polymarket);
    story.event(&Event::Market { index: POLYMARKET, market: &listing });
    story.image(KALSHI, &[(Side::Ask, "0.42", "50"), (Side::Bid, "0.40", "50")]);
    story.image(POLYMARKET, &[(Side::Bid, "0.48", "120"), (Side::Ask, "0.49", "500")]);
    assert!(story.drain().is_empty());
}

#[test]
fn a_first_share_too_good_to_be_true_is_not_diluted_by_depth() {
    let mut story = Story::new(Relation::Same);
    let kalshi = [(Side::Ask, "0.20", "10"), (Side::Ask, "0.43", "900"), (Side::Bid, "0.19", "50")];
    story.image(KALSHI, &kalshi);
    story.image(POLYMARKET, &[(Side::Bid, "0.49", "900"), (Side::Ask, "0.50", "50")]);
    story.drain();
    let seats = story.engine.standing_reasons();
    assert_eq!(seats[NoEdge::MidsApart.index()] + seats[NoEdge::TooGood.index()], 2);
}

#[test]
fn a_late_change_speaks_against_its_connection_for_a_while_only() {
    let mut story = Story::example(Relation::Same);
    opened(&story.drain());
    let late = story.now.before(Duration::from_secs(10));
    let kind = Stamped::Change;
    story.update(Update::Stamp { kind, market: KALSHI, sequence: 2, source: Some(late) });
    assert_eq!(closing_reason(&story.pass(Duration::from_millis(1))), "feed_lag");
    story.update(Update::Proof { market: POLYMARKET });
    assert!(story.pass(Duration::from_secs(4)).is_empty());
    opened(&story.pass(Duration::from_millis(1_000)));
}
