#![allow(warnings)]
mod scene;
use crossbook::domain::*;
use scene::{Ring, Scene};
use std::hint::black_box;
use std::time::Instant;
fn best(name: &str, per: usize, mut f: impl FnMut() -> u128) {
    let mut all: Vec<u128> = (0..3000).map(|_| f()).collect();
    all.sort();
    println!(
        "{name:30} min {:6} p10 {:6} med {:6} ps/..",
        all[0] * 1000 / per as u128,
        all[300] * 1000 / per as u128,
        all[1500] * 1000 / per as u128
    );
}
fn main() {
    let mut scene = Scene::new(200, 100);
    let markets: Vec<usize> = (0..100).collect();
    for (name, mix, m, r) in
        [("kalshi", (1, 1), 8, 4), ("poly", (0, 1), 8, 4), ("mixed", (3, 5), 100, 1)]
    {
        let mut ring = Ring::new(&mut scene, &markets[..m], r, mix);
        best(name, ring.len(), || {
            ring.renumber(&mut scene);
            ring.play(&mut scene);
            ring.renumber(&mut scene);
            let t = Instant::now();
            ring.play(&mut scene);
            t.elapsed().as_nanos()
        });
    }
    for levels in [16usize, 64] {
        let text = scene::polymarket_book(0, levels);
        let lane = scene.lane(Venue::Polymarket, 0);
        best("book", 1, || {
            let t = Instant::now();
            scene.decide(lane, &text);
            t.elapsed().as_nanos()
        });
    }
}
