//! What one update costs does not depend on how many pairs are watched.

use crate::scene::{Ring, Scene};

fn looks_of_ten_active_markets(pairs: usize) -> (u64, usize) {
    let mut scene = Scene::new(pairs, pairs);
    let markets: Vec<usize> = (0..10).map(|at| at * (pairs / 10)).collect();
    let mut ring = Ring::new(&mut scene, &markets, 1, (3, 5));
    ring.renumber(&mut scene);
    let before = scene.looks().0;
    ring.play(&mut scene);
    (scene.looks().0 - before, ring.len())
}

#[test]
fn an_update_makes_one_look_however_many_pairs_are_watched() {
    for pairs in [10, 1_000] {
        let (looks, frames) = looks_of_ten_active_markets(pairs);
        assert_eq!(looks, frames as u64, "{pairs} pairs");
    }
}
