//! A warm message allocates nothing, from its bytes to the decision.
//!
//! Everything goes through the machine that live runs drive: session, codec, book, engine. The
//! allocator counts for each thread by itself, so the tests don't disturb each other.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../benches/scene/mod.rs"]
mod scene;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use crossbook::app::pipeline::Input;
use crossbook::domain::Venue;
use crossbook::venue::Closed;

use scene::{Ring, Scene};

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    /// Bytes held; below zero where another thread's memory is given back here.
    static HELD: Cell<i64> = const { Cell::new(0) };
}

/// The system's allocator, counted.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator can't be written without; this one only counts")]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the promises that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        release(layout.size());
        // SAFETY: the caller keeps the promises that the system's allocator asks for.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        release(layout.size());
        // SAFETY: the caller keeps the promises that the system's allocator asks for.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// A thread that is ending has no counters any more, and nothing to measure.
fn count(bytes: usize) {
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
    let _ = HELD.try_with(|held| held.set(held.get().wrapping_add_unsigned(bytes as u64)));
}

fn release(bytes: usize) {
    let _ = HELD.try_with(|held| held.set(held.get().wrapping_sub_unsigned(bytes as u64)));
}

/// How often `work` allocates.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

/// Plays a ring until it is warm, then once more, counted.
fn of_a_warm_ring(scene: &mut Scene, mix: (usize, usize)) -> u64 {
    let mut ring = Ring::new(scene, &[0, 1, 2], 4, mix);
    for _ in 0..2 {
        ring.renumber(scene);
        ring.play(scene);
    }
    ring.renumber(scene);
    let before = scene.looks();
    let found = allocations(|| ring.play(scene));
    let after = scene.looks();
    assert_eq!(after.0 - before.0, ring.len() as u64, "each frame makes one look");
    assert_eq!(after.1 - before.1, 2 * ring.len() as u64, "which is decided at the top");
    assert_eq!(after.2, before.2, "on books that are whole and fresh");
    found
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(String::from("x")))), 1);
}

#[test]
fn a_warm_kalshi_delta_allocates_nothing() {
    assert_eq!(of_a_warm_ring(&mut Scene::new(8, 4), (1, 1)), 0);
}

#[test]
fn a_warm_polymarket_price_change_allocates_nothing() {
    assert_eq!(of_a_warm_ring(&mut Scene::new(8, 4), (0, 1)), 0);
}

#[test]
fn frames_of_both_venues_in_turn_allocate_nothing() {
    assert_eq!(of_a_warm_ring(&mut Scene::new(8, 4), (1, 2)), 0);
}

#[test]
fn with_trading_on_a_warm_frame_without_an_edge_allocates_nothing() {
    for mix in [(1, 1), (0, 1), (1, 2)] {
        assert_eq!(of_a_warm_ring(&mut Scene::trading(8, 4), mix), 0, "{mix:?}");
    }
}

#[test]
fn a_warm_kalshi_heartbeat_allocates_nothing() {
    let mut scene = Scene::new(8, 4);
    let lane = scene.lane(Venue::Kalshi, 0);
    let mut beat = || {
        scene.handle(&Input::Ping(lane));
        scene.handle(&Input::Drained);
    };
    beat();
    assert_eq!(allocations(beat), 0);
}

#[test]
fn a_warm_polymarket_book_allocates_nothing() {
    let mut scene = Scene::new(8, 4);
    let lane = scene.lane(Venue::Polymarket, 0);
    let texts = [scene::polymarket_book(0, 60), scene::polymarket_book(0, 16)];
    scene.decide(lane, &texts[0]);
    let looks = scene.looks().0;
    let found = allocations(|| texts.iter().for_each(|text| scene.decide(lane, text)));
    assert_eq!(scene.looks().0 - looks, 2, "each image makes a look");
    assert_eq!(found, 0);
}

#[test]
fn a_look_that_finds_nothing_new_allocates_nothing() {
    let mut scene = Scene::new(8, 4);
    let lane = scene.lane(Venue::Kalshi, 0);
    scene.handle(&Input::Closed(lane, &Closed::Asked));
    scene.handle(&Input::Tick);
    // Pairs without a live feed are looked at whenever time passes.
    scene.handle(&Input::Tick);
    let looks = scene.looks().0;
    assert_eq!(allocations(|| scene.handle(&Input::Tick)), 0);
    assert_eq!(scene.looks().0 - looks, 4);
}

#[test]
fn a_hundred_thousand_markets_and_five_thousand_pairs_stay_below_500_mb() {
    /// The world is built at this fraction of its size: memory grows in proportion.
    const PART: usize = 20;
    let before = HELD.get();
    let scene = Scene::new(50_000 / PART, 5_000 / PART);
    let held = u64::try_from(HELD.get() - before).unwrap() * PART as u64;
    assert_eq!(scene.pipeline.registry().len(), 100_000 / PART);
    assert!(held > 50_000_000, "the counter misses something: {held} bytes");
    assert!(held < 500_000_000, "{held} bytes");
}

#[test]
fn time_that_passes_over_unchanged_books_allocates_nothing() {
    let mut scene = Scene::new(8, 4);
    scene.handle(&Input::Tick);
    assert_eq!(allocations(|| scene.handle(&Input::Tick)), 0);
    assert_eq!(allocations(|| scene.handle(&Input::Drained)), 0);
}
