//! The whole watch system on virtual time: every edge is compared with the exchanges' own books.

use std::time::Duration;

use crossbook::app::player::Player;
use crossbook::app::sources::KalshiFeed;
use crossbook::domain::market::{Band, Status};
use crossbook::domain::{Price, Venue};
use crossbook::exchange::faults::{self, Fault, Scheduled};
use crossbook::exchange::world::World;

use crate::harness::{Plan, Rig, Tally};

/// Seeds of the faulty runs; `CROSSBOOK_SEEDS` asks for more.
const SEEDS: u64 = 3;
/// A minute of the exchanges.
const STEPS: u64 = 1_200;
/// How long the books may take to be the exchanges' once nothing moves any more.
const REST_MAX: Duration = Duration::from_secs(30);
/// How long a venue may be without a moment at which all its books are the exchange's, whatever
/// breaks: a freeze of 4.5 s, the wait for a connection, and images that are held back.
const UNSYNCED_MAX: Duration = Duration::from_secs(12);

fn seeds() -> u64 {
    let asked = std::env::var("CROSSBOOK_SEEDS").ok();
    asked.map_or(SEEDS, |text| text.parse().unwrap())
}

fn faulty(seed: u64, steps: u64) -> Plan {
    Plan { faults: faults::schedule(seed, steps, &World::new(seed)), ..Plan::new(seed) }
}

fn run(plan: &Plan, steps: u64) -> Rig {
    let mut rig = Rig::new(plan);
    rig.steps(steps);
    let rest = rig.come_to_rest(REST_MAX);
    assert!(
        rest.is_some(),
        "seed {}: the books never became the exchanges': {:?} {:?}",
        plan.seed,
        rig.tally(),
        rig.unsynced_max
    );
    rig
}

fn assert_recovered(rig: &Rig, seed: u64) {
    for (venue, longest) in Venue::ALL.into_iter().zip(rig.unsynced_max) {
        assert!(longest <= UNSYNCED_MAX, "seed {seed}: {venue} was not whole for {longest:?}");
    }
}

#[test]
fn a_healthy_run_loses_no_book_and_every_edge_is_the_exchanges_own() {
    for seed in [1, 2] {
        let rig = run(&Plan::new(seed), STEPS);
        let tally = rig.tally().clone();
        assert!(tally.opened > 5, "seed {seed}: {tally:?}");
        let Tally { opened, grown, closed, ahead, beside_torn, .. } = tally;
        let quiet = Tally { opened, grown, closed, ahead, beside_torn, ..Tally::default() };
        assert_eq!(tally, quiet, "seed {seed}");
        assert!(rig.unsynced_max[0] <= Duration::from_secs(2), "{:?}", rig.unsynced_max);
        assert!(rig.unsynced_max[1] <= Duration::from_secs(2), "{:?}", rig.unsynced_max);
    }
}

#[test]
fn every_edge_under_faults_is_the_exchanges_own() {
    for seed in 1..=seeds() {
        let rig = run(&faulty(seed, STEPS), STEPS);
        assert!(rig.tally().opened > 5 && rig.tally().downs > 0, "seed {seed}: {:?}", rig.tally());
        assert_eq!(rig.tally().mixed, 0, "seed {seed}: an edge on half a batch");
        assert_recovered(&rig, seed);
    }
}

/// An hour of faults where `CROSSBOOK_SEEDS` asks for more than the usual.
#[test]
fn a_long_run_of_faults_is_survived() {
    let steps = if seeds() > SEEDS { 72_000 } else { 1_800 };
    let rig = run(&faulty(77, steps), steps);
    assert_recovered(&rig, 77);
}

#[test]
fn the_same_seed_gives_the_same_decisions() {
    let [first, second] = [(); 2].map(|()| run(&faulty(9, 500), 500));
    assert_eq!(first.pipeline.digest(), second.pipeline.digest());
    assert_eq!(first.world_digest(), second.world_digest());
    assert_eq!(first.tally(), second.tally());
    assert_eq!(first.now(), second.now());
}

#[test]
fn slow_and_uneven_wires_lose_no_book() {
    let plan = Plan { latency: (1, 200), torn_per_mille: 700, ..Plan::new(5) };
    let rig = run(&plan, 800);
    let tally = rig.tally();
    assert_eq!((tally.resyncs, tally.gaps, tally.downs), (0, 0, 0), "{tally:?}");
    assert!(tally.opened > 0, "{tally:?}");
}

#[test]
fn polled_books_make_edges_that_are_the_exchanges_own() {
    let plan = Plan { feed: KalshiFeed::Polling, ..Plan::new(3) };
    // Without a key a request a second is allowed: the facts alone take most of a minute.
    let rig = run(&plan, 1_600);
    assert!(rig.tally().opened > 0, "{:?}", rig.tally());
    assert!(rig.tally().strange.is_empty(), "{:?}", rig.tally());
}

/// Faults of every kind, far apart: each with one that makes it felt, and how long a venue's books
/// may be without a moment at which all are the exchange's.
fn one_by_one(venue: Venue) -> Vec<(Vec<Fault>, Duration)> {
    let lasts = Duration::from_secs(4);
    let ticks = Fault::Ticks { market: 1, bands: fine() };
    let gap = match venue {
        Venue::Kalshi => Duration::from_secs(1),
        Venue::Polymarket => Duration::from_secs(7),
    };
    vec![
        (vec![Fault::Disconnect], Duration::from_secs(2)),
        (vec![Fault::Freeze { lasts }], Duration::from_millis(6_500)),
        (vec![Fault::Gap], gap),
        (vec![Fault::LateSnapshot { lasts }, Fault::Disconnect], Duration::from_secs(6)),
        (vec![Fault::RateLimited { lasts }, ticks], Duration::from_secs(1)),
        (vec![Fault::ServerError { lasts, status: 502 }], Duration::from_millis(200)),
        (vec![Fault::Pause { lasts, market: 2 }], Duration::from_millis(200)),
    ]
}

/// Tenths of a cent.
fn fine() -> Vec<Band> {
    vec![Band { start: 0, end: Price::ONE, step: 10 }]
}

fn assert_each_recovers(venue: Venue) {
    const EVERY: u64 = 260;
    let groups = one_by_one(venue);
    let scheduled = |(place, (faults, _)): (u64, &(Vec<Fault>, Duration))| {
        let step = 100 + place * EVERY;
        faults
            .iter()
            .cloned()
            .map(move |fault| Scheduled { step, venue, fault })
            .collect::<Vec<_>>()
    };
    let faults = (0..).zip(&groups).flat_map(scheduled).collect();
    let mut rig = Rig::new(&Plan { faults, ..Plan::new(21) });
    rig.steps(99);
    for (faults, bound) in &groups {
        let opened = rig.tally().opened;
        rig.unsynced_max = [Duration::ZERO; 2];
        rig.steps(EVERY);
        let longest = rig.unsynced_max[usize::from(venue == Venue::Polymarket)];
        println!("{venue} {}: {longest:?}", faults[0].name());
        assert!(longest <= *bound, "{venue} {faults:?}: {longest:?}");
        assert!(rig.was_synced(venue), "{venue} {faults:?}");
        assert!(rig.tally().opened > opened, "{venue} {faults:?}: no edge came after it");
    }
    assert!(rig.come_to_rest(REST_MAX).is_some());
    let grid = rig.facts(venue, 1).unwrap().grid.clone().unwrap();
    assert_eq!(grid.bands(), fine(), "the ticks were read anew, whatever the venue answered first");
}

#[test]
fn each_fault_of_kalshi_is_recovered_from() {
    assert_each_recovers(Venue::Kalshi);
}

#[test]
fn each_fault_of_polymarket_is_recovered_from() {
    assert_each_recovers(Venue::Polymarket);
}

#[test]
fn a_pause_announced_to_a_frozen_connection_is_known_after_the_reconnect() {
    let at = |step, fault| Scheduled { step, venue: Venue::Kalshi, fault };
    let faults = vec![
        at(100, Fault::Freeze { lasts: Duration::from_secs(3) }),
        at(120, Fault::Pause { lasts: Duration::from_secs(30), market: 2 }),
    ];
    let mut rig = Rig::new(&Plan { faults, ..Plan::new(4) });
    rig.steps(119);
    assert_eq!(rig.status(Venue::Kalshi, 2), Some(Status::Open));
    rig.steps(121);
    assert!(rig.was_synced(Venue::Kalshi), "the connection is back");
    assert_eq!(rig.status(Venue::Kalshi, 2), Some(Status::Paused));
}

#[test]
fn a_recording_replays_to_the_same_decisions() {
    let folder = tempfile::tempdir().unwrap();
    for (name, plan) in [("calm", Plan::new(6)), ("faulty", faulty(7, 700))] {
        let path = folder.path().join(name);
        let mut rig = run(&Plan { record: Some(path.clone()), ..plan.clone() }, 700);
        rig.finish_recording();
        let mut player = Player::new(plan.replay_machine());
        let mut decisions = 0;
        player.play(&path, |_, _| decisions += 1).unwrap();
        assert!(rig.tally().opened > 0 && decisions > 0, "{name}");
        let recorded = player.recording().recorded_digest.clone();
        assert_eq!(recorded, Some(rig.pipeline.digest()), "{name}: written down");
        let counters = player.pipeline.engine().counters();
        assert_eq!(counters, rig.pipeline.engine().counters(), "{name}");
        assert_eq!(player.pipeline.digest(), rig.pipeline.digest(), "{name}");
        assert_eq!(player.pipeline.frames(), rig.pipeline.frames(), "{name}");
    }
}

/// REST is out of order meanwhile, so that nothing but the age of its proof speaks against a book.
#[test]
fn a_long_freeze_makes_no_edge_beyond_the_freshness_limit() {
    let at = |step, venue, fault| Scheduled { step, venue, fault };
    let (long, longer) = (Duration::from_secs(12), Duration::from_secs(18));
    let failing = Fault::ServerError { lasts: long, status: 503 };
    let faults = vec![
        at(100, Venue::Polymarket, Fault::Freeze { lasts: long }),
        at(100, Venue::Polymarket, failing),
        at(440, Venue::Kalshi, Fault::Freeze { lasts: longer }),
    ];
    let mut rig = Rig::new(&Plan { faults, ..Plan::new(31) });
    // The book is beyond the limit from five, then from twelve seconds on.
    for (steps, which) in [(240, "polymarket"), (400, "kalshi")] {
        rig.steps(steps);
        let before = rig.tally().opened;
        rig.steps(60);
        assert_eq!(rig.tally().opened, before, "{which} was stale for seconds");
    }
    let before = rig.tally().opened;
    rig.steps(300);
    assert!(rig.tally().opened > before, "{:?}", rig.tally());
    assert!(rig.come_to_rest(REST_MAX).is_some());
}

/// Polymarket numbers nothing: a change that is lost beside an unmoved best price shows only in
/// REST readings, and the edges of that time cannot be told from others.
#[test]
fn lost_polymarket_changes_are_found_by_two_readings() {
    let gap = |step| Scheduled { step, venue: Venue::Polymarket, fault: Fault::Gap };
    let faults: Vec<_> = (1..=12).map(|place| gap(place * 100)).collect();
    let rig = run(&Plan { faults, ..Plan::new(41) }, 1_300);
    let tally = rig.tally();
    println!("{tally:?} {:?}", rig.unsynced_max);
    assert!(tally.resyncs > 0 && tally.wrong_ms_max > 0, "{tally:?}");
    assert_eq!((tally.mixed, tally.downs), (0, 0), "{tally:?}");
    assert_recovered(&rig, 41);
}
