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
use crossbook::domain::{Outcome, Venue};
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
    let nanos = spent.as_nanos() * u128::from(count) / u128::from(played);
    Duration::from_nanos(u64::try_from(nanos).unwrap())
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
        scene.decide(lane, &text);
        group.bench_function(format!("{levels}_levels_a_side"), |b| {
            b.iter(|| scene.decide(lane, &text));
        });
        scene.decide(lane, &text);
        let books = scene.pipeline.engine().books();
        let book = &books.get(scene.index(Venue::Polymarket, 0)).unwrap().book;
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

fn configured() -> Criterion {
    Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
}

criterion_group! { name = benches; config = configured(); targets = frames, images, serde }
criterion_main!(benches);
