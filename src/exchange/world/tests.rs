use crate::domain::{FeeModel, Money, Price, PriceGrid, Quantity};

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

fn run(seed: u64, steps: u64) -> World {
    let mut world = World::new(seed);
    for _ in 0..steps {
        world.step(NOW);
    }
    world
}

#[test]
fn the_same_seed_and_steps_give_the_same_history() {
    assert_eq!(run(7, 400).digest(), run(7, 400).digest());
    assert_ne!(run(7, 400).digest(), run(8, 400).digest());
    assert_ne!(run(7, 400).digest(), run(7, 401).digest());
    assert_eq!(run(7, 1).digest().len(), 64);
}

#[test]
fn a_pause_is_part_of_the_history_and_keeps_the_agents_out() {
    let mut world = run(3, 10);
    world.pause(Venue::Kalshi, 2, 5);
    for _ in 0..5 {
        let batches = world.step(NOW);
        assert!(!batches.iter().any(|batch| (batch.0, batch.1) == (Venue::Kalshi, 2)));
    }
    let batches = world.step(NOW);
    let facts = &batches.iter().find(|batch| (batch.0, batch.1) == (Venue::Kalshi, 2)).unwrap().2;
    assert!(facts.len() > 40, "all quotes are cancelled and made anew");
    assert!(world.kalshi.books[2].best(Side::Bid).is_some());
}

#[test]
fn books_stay_deep_sorted_on_the_grid_and_uncrossed() {
    let mut world = World::new(11);
    for _ in 0..500 {
        world.step(NOW);
        for floor in [&world.kalshi, &world.polymarket] {
            for (listing, book) in floor.listings.iter().zip(&floor.books) {
                let grid = PriceGrid::new(listing.bands.clone()).unwrap();
                let bids: Vec<_> = book.levels(Side::Bid).collect();
                let asks: Vec<_> = book.levels(Side::Ask).collect();
                for side in [&bids, &asks] {
                    assert!((9..=40).contains(&side.len()), "{}: {}", listing.id, side.len());
                    assert!(side.iter().all(|(price, _)| grid.contains(*price)));
                }
                assert!(bids[0].0 < asks[0].0, "{} is crossed", listing.id);
            }
        }
    }
}

#[test]
fn new_ticks_are_used_from_the_next_step_on() {
    let mut world = run(5, 20);
    let fine = vec![crate::domain::market::Band { start: 0, end: 10_000, step: 10 }];
    world.kalshi.listings[0].bands = fine;
    world.step(NOW);
    assert!(world.kalshi.books[0].levels(Side::Bid).any(|(price, _)| price.units() % 100 != 0));
    world.kalshi.listings[0].bands =
        vec![crate::domain::market::Band { start: 0, end: 10_000, step: 100 }];
    world.step(NOW);
    assert!(world.kalshi.books[0].levels(Side::Bid).all(|(price, _)| price.units() % 100 == 0));
}

#[test]
fn volume_is_that_of_several_hundred_book_events_a_second() {
    let mut world = World::new(1);
    let events: usize =
        (0..600).flat_map(|_| world.step(NOW)).map(|(_, _, facts)| facts.len()).sum();
    let per_second = events * 20 / 600;
    assert!((300..2_000).contains(&per_second), "{per_second}");
}

/// The best edge of one contract of a question in both directions, after fees.
fn edge(world: &World, question: usize) -> Money {
    let mirrored = QUESTIONS[question].relation == Relation::Opposite;
    let best = |venue: Venue, side: Side| -> Price {
        let flip = mirrored && venue == Venue::Polymarket;
        let book = &world.floor(venue).books[question];
        match (flip, side) {
            (false, _) => book.best(side).unwrap().0,
            (true, Side::Bid) => book.best(Side::Ask).unwrap().0.mirror(),
            (true, Side::Ask) => book.best(Side::Bid).unwrap().0.mirror(),
        }
    };
    let kalshi = FeeModel::kalshi(world.kalshi.listings[question].rate);
    let polymarket = FeeModel::polymarket(world.polymarket.listings[question].rate, 1).unwrap();
    let one = Quantity::contracts(1);
    let net = |(buy, buy_fee): (Price, FeeModel), (sell, sell_fee): (Price, FeeModel)| {
        let gross = i64::from(sell.units()) - i64::from(buy.units());
        let fees = buy_fee.estimate(buy, one).micros() + sell_fee.estimate(sell, one).micros();
        gross * 100 - fees
    };
    let (k, p) = (Venue::Kalshi, Venue::Polymarket);
    let first = net((best(k, Side::Ask), kalshi), (best(p, Side::Bid), polymarket));
    let second = net((best(p, Side::Ask), polymarket), (best(k, Side::Bid), kalshi));
    Money::from_micros(first.max(second))
}

#[test]
fn gaps_open_now_and_then_and_are_never_too_good() {
    for seed in [1, 42] {
        let mut world = World::new(seed);
        let (mut open, mut good, mut started, mut was) = (0, 0, 0, [false; 8]);
        const STEPS: usize = 2_000;
        for _ in 0..STEPS {
            world.step(NOW);
            let mut any = false;
            for (question, before) in was.iter_mut().enumerate() {
                let net = edge(&world, question).micros();
                assert!(net <= 100_000, "seed {seed}: {net}");
                good += usize::from(net >= 20_000);
                started += usize::from(net > 0 && !*before);
                *before = net > 0;
                any |= net > 0;
            }
            open += usize::from(any);
        }
        assert!((10..80).contains(&started), "seed {seed}: {started} gaps in 100 seconds");
        assert!(good > 100, "seed {seed}: {good} question-steps with two cents or more");
        assert!(open * 2 < STEPS, "seed {seed}: a gap was open in {open} of {STEPS} steps");
    }
}
