//! What size costs: time per update with few and many watched pairs, and memory.
//!
//! `cargo bench --bench scale` prints a table; `-- --quick` measures fewer rounds. The promises:
//! with the same ten markets active an update costs the same, whether ten pairs are watched or five
//! thousand; each update makes the same number of looks however many are watched; and a process
//! that knows 100,000 markets and watches 5,000 pairs with full books stays below 500 MB.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot be set up fails")]
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod scene;

use std::time::Instant;

use scene::{LEVELS, Ring, Scene};

const FEW: usize = 10;
const MANY: usize = 5_000;
/// On each venue.
const KNOWN: usize = 50_000;
const MEMORY_MAX_MB: u64 = 500;
const COST_MAX_PERCENT: u64 = 120;

/// A ring over a world, and what each pass of it took.
struct Run {
    scene: Scene,
    ring: Ring,
    picos: Vec<u128>,
}

impl Run {
    /// Three deltas of Kalshi to two changes of Polymarket, over `active` of the watched markets.
    fn new(mut scene: Scene, pairs: usize, active: usize, rounds: usize) -> Self {
        let markets: Vec<usize> = (0..active).map(|at| at * (pairs / active)).collect();
        let ring = Ring::new(&mut scene, &markets, rounds, (3, 5));
        Self { scene, ring, picos: Vec::new() }
    }

    fn pass(&mut self) {
        self.ring.renumber(&mut self.scene);
        let start = Instant::now();
        self.ring.play(&mut self.scene);
        self.picos.push(start.elapsed().as_nanos() * 1_000 / self.ring.len() as u128);
    }

    /// Looks of one more pass, for a thousand updates.
    fn looks_per_thousand(&mut self) -> u64 {
        let before = self.scene.looks().0;
        self.pass();
        (self.scene.looks().0 - before) * 1_000 / self.ring.len() as u64
    }

    /// The median, in nanoseconds.
    fn nanos(&mut self) -> u64 {
        self.picos.sort_unstable();
        u64::try_from(self.picos[self.picos.len() / 2] / 1_000).unwrap()
    }
}

/// What the system says this process holds in memory.
fn resident_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes / 1_024)
}

fn verdict(good: bool) -> &'static str {
    if good { "kept" } else { "MISSED" }
}

fn main() {
    let passes = if std::env::args().any(|word| word == "--quick") { 100 } else { 2_000 };

    let before = resident_mb();
    let start = Instant::now();
    let scene = Scene::new(KNOWN, MANY);
    let built = start.elapsed();
    let after = resident_mb();

    let mut many = Run::new(scene, MANY, FEW, 10);
    let mut few = Run::new(Scene::new(FEW, FEW), FEW, FEW, 10);
    // In turn, so that whatever else the machine does meets both.
    for _ in 0..passes {
        few.pass();
        many.pass();
    }
    let looks = (few.looks_per_thousand(), many.looks_per_thousand());
    let (few_nanos, many_nanos) = (few.nanos(), many.nanos());
    let mut spread = Run::new(many.scene, MANY, MANY, 1);
    for _ in 0..(passes / 50).max(3) {
        spread.pass();
    }
    let spread_looks = spread.looks_per_thousand();

    let percent = many_nanos * 100 / few_nanos.max(1);
    println!("| what | measured | promise | |");
    println!("|---|---|---|---|");
    println!("| update, {FEW} markets active, {FEW} pairs watched | {few_nanos} ns | | |");
    println!(
        "| update, {FEW} markets active, {MANY} pairs watched | {many_nanos} ns, {percent} % | \
         at most {COST_MAX_PERCENT} % | {} |",
        verdict(percent <= COST_MAX_PERCENT)
    );
    println!("| update, spread over {MANY} pairs | {} ns | told | |", spread.nanos());
    println!(
        "| looks per 1,000 updates: {FEW}, {MANY}, spread | {}, {}, {spread_looks} | equal | {} |",
        looks.0,
        looks.1,
        verdict(looks.0 == looks.1 && looks.0 == spread_looks)
    );
    let known = 2 * KNOWN;
    let what = format!("{known} markets known, {MANY} pairs, books of {LEVELS} levels a side");
    match (before, after) {
        (Some(before), Some(after)) => println!(
            "| resident, {what} | {after} MB ({before} MB before), built in {} ms | \
             below {MEMORY_MAX_MB} MB | {} |",
            built.as_millis(),
            verdict(after < MEMORY_MAX_MB)
        ),
        _ => println!("| resident, {what} | this system does not tell | | |"),
    }
}
