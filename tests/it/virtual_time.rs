//! The whole watch system on virtual time: every edge is compared with the exchanges' own books.

use std::time::Duration;

use crossbook::domain::Venue;
use crossbook::exchange::faults::{self, Fault, Scheduled};
use crossbook::exchange::world::World;

use crate::harness::{Plan, Rig};

fn faulty(seed: u64, steps: u64) -> Plan {
    Plan { faults: faults::schedule(seed, steps, &World::new(seed)), ..Plan::new(seed) }
}

#[test]
fn measure() {
    for seed in 1..=3 {
        let begun = std::time::Instant::now();
        let mut rig = Rig::new(&Plan::new(seed));
        rig.steps(1_200);
        let rest = rig.come_to_rest(Duration::from_secs(60));
        println!(
            "seed {seed}: {rest:?} {:?} {:?} {:?}",
            rig.tally(),
            rig.unsynced_max,
            begun.elapsed()
        );
    }
}

#[test]
fn measure_faulty() {
    for seed in 1..=3 {
        let begun = std::time::Instant::now();
        let mut rig = Rig::new(&faulty(seed, 1_200));
        rig.steps(1_200);
        let rest = rig.come_to_rest(Duration::from_secs(60));
        println!(
            "seed {seed}: {rest:?} {:?} {:?} {:?}",
            rig.tally(),
            rig.unsynced_max,
            begun.elapsed()
        );
    }
}
