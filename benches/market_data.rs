//! What one frame costs, from bytes in memory to the decision, and what the parts of it cost.
//!
//! Everything is driven through `app::pipeline::Pipeline`, the machine that live runs and replays
//! drive: session, codec, book, both gates, both directions. After each measurement the engine's
//! counters are compared with the frames played: each made one look, each look was turned down at
//! the top of both directions, nothing was lost.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot be set up fails")]

mod scene;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use crossbook::book::Ladder;
use crossbook::detect::NoEdge;
use crossbook::detect::edge::{self, Fills, Leg, Terms};
use crossbook::domain::{FeeModel, Minimum, Money, Outcome, Price, Quantity, Rate, Side, Venue};
use crossbook::venue::kalshi::parse::frame::frame_by_serde;
use crossbook::venue::polymarket::parse::{self, Place, Scratch};

use scene::{Ring, Scene};

/// Plays `ring` until `count` frames went through and says how long that took.
fn play(scene: &mut Scene, ring: &mut Ring, count: u64) -> Duration {
    let mut spent = Duration::ZERO;
    let mut played = 0;
    let before = scene.looks();
    while played < count {
        ring.renumber(scene);
        let start = Instant::now();
        ring.play(scene);
        spent += start.elapsed();
        played += ring.len() as u64;
    }
    let after = scene.looks();
    assert_eq!(after.0 - before.0, played, "each frame makes one look");
    assert_eq!(after.1 - before.1, 2 * played, "each look is turned down twice at the top");
    assert_eq!(after.2, before.2, "no look is turned down for another reason");
    spent.mul_f64(count as f64 / played as f64)
}

fn frames(c: &mut Criterion) {
    let mut scene = Scene::new(200, 100);
    let markets: Vec<usize> = (0..100).collect();
    let mut group = c.benchmark_group("bytes_to_decision");
    for (name, mix) in [("kalshi_delta", (1, 1)), ("polymarket_price_change_2_items", (0, 1))] {
        let mut ring = Ring::new(&mut scene, &markets[..8], 4, mix);
        group.bench_function(name, |b| b.iter_custom(|n| play(&mut scene, &mut ring, n)));
    }
    group.finish();

    let mut group = c.benchmark_group("sustained");
    group.throughput(Throughput::Elements(1));
    let mut ring = Ring::new(&mut scene, &markets, 5, (3, 5));
    group.bench_function("mixed_frames_of_200_markets", |b| {
        b.iter_custom(|n| play(&mut scene, &mut ring, n));
    });
    group.finish();
}

fn images(c: &mut Criterion) {
    let mut scene = Scene::new(8, 8);
    let mut group = c.benchmark_group("polymarket_book");
    let lane = scene.lane(Venue::Polymarket, 0);
    for levels in [16, 64] {
        let text = scene::polymarket_book(0, levels);
        group.bench_function(format!("{levels}_levels_a_side"), |b| {
            b.iter(|| scene.decide(lane, &text));
        });
        let book = scene.pipeline.engine().books();
        let book = &book.get(scene.index(Venue::Polymarket, 0)).unwrap().book;
        assert_eq!((book.bids().depth(), book.asks().depth()), (levels, levels));
    }
    group.finish();
}

/// The general JSON reader on the same frames: decoding alone, nothing applied, nothing decided.
fn serde(c: &mut Criterion) {
    let mut scene = Scene::new(8, 8);
    let mut group = c.benchmark_group("serde_json_decode_alone");
    let ring = Ring::new(&mut scene, &[0], 1, (1, 1));
    let delta = ring.texts().next().unwrap();
    group.bench_function("kalshi_delta", |b| b.iter(|| frame_by_serde(black_box(delta)).is_ok()));
    let ring = Ring::new(&mut scene, &[0], 1, (0, 1));
    let change = ring.texts().next().unwrap();
    let market = scene.index(Venue::Polymarket, 0);
    let resolve = |_: &str| Some(Place { market, outcome: Outcome::Yes });
    let mut scratch = Scratch::default();
    group.bench_function("polymarket_price_change_2_items", |b| {
        b.iter(|| parse::price_change_by_serde(black_box(change), &resolve, &mut scratch).is_ok());
    });
    for levels in [16, 64] {
        let text = scene::polymarket_book(0, levels);
        group.bench_function(format!("polymarket_book_{levels}"), |b| {
            b.iter(|| parse::book_by_serde(black_box(&text), &resolve, &mut scratch).is_ok());
        });
    }
    group.finish();
}

fn ladder(side: Side, first: u16, step: i32, count: u16) -> Ladder {
    let mut ladder = Ladder::new(side);
    for at in 0..count {
        let units = u16::try_from(i32::from(first) + i32::from(at) * step).unwrap();
        ladder.set(Price::from_units(units).unwrap(), Quantity::contracts(40 + u32::from(at)));
    }
    ladder
}

fn walks(c: &mut Criterion) {
    let kalshi_fee = FeeModel::kalshi(Rate::parse("0.07").unwrap());
    let polymarket_fee = FeeModel::polymarket(Rate::parse("0.04").unwrap(), 1).unwrap();
    let minimum = Minimum { quantity: Quantity::contracts(5), notional: Money::ZERO };
    let terms = Terms {
        resolution_risk: Money::parse("0.002").unwrap(),
        contracts_max: Quantity::contracts(100_000),
        edge_min: Money::parse("0.005").unwrap(),
        edge_max: Money::parse("0.50").unwrap(),
        profit_min: Money::parse("0.05").unwrap(),
    };
    let mut fills = Fills::default();
    let mut group = c.benchmark_group("walk");
    // YES is offered at 0.40 and up on Kalshi; NO at `1 - bid` on Polymarket.
    let asks = ladder(Side::Ask, 4_000, 20, 60);
    for (name, best_bid) in [("rejected_at_the_top", 4_100), ("ten_levels_of_each", 5_000)] {
        let levels = if best_bid == 5_000 { 10 } else { 60 };
        let asks = if levels == 10 { ladder(Side::Ask, 4_000, 20, 10) } else { asks.clone() };
        let bids = ladder(Side::Bid, best_bid, -20, levels);
        let kalshi = Leg { outcome: Outcome::Yes, ladder: &asks, fee: kalshi_fee, minimum };
        let polymarket = Leg { outcome: Outcome::No, ladder: &bids, fee: polymarket_fee, minimum };
        let found = edge::walk(&kalshi, &polymarket, &terms, &mut fills);
        if levels == 10 {
            assert!(found.is_ok(), "{found:?}");
            assert_eq!((fills.kalshi.len(), fills.polymarket.len()), (10, 10));
        } else {
            assert_eq!(found, Err(NoEdge::BelowThreshold));
        }
        group.bench_function(name, |b| {
            b.iter(|| {
                edge::walk(black_box(&kalshi), black_box(&polymarket), &terms, &mut fills).is_ok()
            });
        });
    }
    group.finish();
}

fn configured() -> Criterion {
    Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
}

criterion_group! { name = benches; config = configured(); targets = frames, images, serde, walks }
criterion_main!(benches);
