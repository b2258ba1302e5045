//! Many seeds at once, and the smallest way to break one again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::draw::{Odds, Script};
use super::run::Run;
use super::{Failure, Outcome};

/// Failures after which no more seeds are tried.
const FAILURES_MAX: usize = 60;
/// Events before a failure that are printed.
const LINES_MAX: usize = 45;
/// Runs that may be spent on making a failure smaller.
const SHRINK_MAX: u32 = 120;

pub(super) fn play(script: &Script, with_log: bool) -> Outcome {
    Run::new(script, with_log).play()
}

/// What faults did to us in a number of runs, and how often.
pub(super) type Bites = BTreeMap<String, u64>;

/// Plays all scripts on all cores, and fails with everything that is known about those that fail.
pub(super) fn assert_all(
    seeds: RangeInclusive<u64>,
    script: impl Fn(u64) -> Script + Sync,
) -> Bites {
    let bites: Mutex<Bites> = Mutex::default();
    let next = AtomicU64::new(*seeds.start());
    let failed: Mutex<BTreeMap<u64, Failure>> = Mutex::default();
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let enough = failed.lock().unwrap().len() >= FAILURES_MAX;
                    if !seeds.contains(&seed) || enough {
                        return;
                    }
                    let outcome = play(&script(seed), false);
                    for (name, count) in outcome.bites {
                        *bites.lock().unwrap().entry(name).or_default() += count;
                    }
                    if let Some(failure) = outcome.failure {
                        failed.lock().unwrap().insert(seed, failure);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    if failed.is_empty() {
        return bites.into_inner().unwrap();
    }
    let mut rules: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (seed, failure) in &failed {
        rules.entry(failure.rule).or_default().push(*seed);
    }
    let mut text = format!("{} seeds failed: {rules:?}\n", failed.len());
    for seeds in rules.values() {
        explain(script(seeds[0]), &mut text);
    }
    panic!("{text}");
}

/// Prints the smallest run that fails like this seed.
fn explain(script: Script, text: &mut String) {
    let seed = script.seed;
    let script = shrink(script);
    let outcome = play(&script, true);
    let Some(failure) = outcome.failure else {
        writeln!(text, "seed {seed} does not fail when it is played again").unwrap();
        return;
    };
    writeln!(text, "\n{}: {:.900}", failure.rule, failure.text).unwrap();
    writeln!(text, "  at {}\n{script}", failure.at).unwrap();
    // Reads that are asked and answered say little.
    let dull = |line: &&String| {
        let read = [" GET ", "answer ", "private ", "Inquire", "effect Closed"]
            .iter()
            .any(|word| line.contains(word));
        !(read || line.contains("reply ") && line.contains(" Now 200 {"))
    };
    let lines: Vec<&String> = outcome.lines.iter().filter(dull).collect();
    for line in &lines[lines.len().saturating_sub(LINES_MAX)..] {
        writeln!(text, "{line:.330}").unwrap();
    }
}

/// Leaves out faults while the run breaks the same rule.
fn shrink(mut script: Script) -> Script {
    let rule = |script: &Script| play(script, false).failure.map(|failure| failure.rule);
    let Some(broken) = rule(&script) else { return script };
    let mut tries = 0;
    let calm = Script { odds: Odds::default(), ..script.clone() };
    if rule(&calm) == Some(broken) {
        script = calm;
    }
    let mut place = 0;
    while place < script.blows.len() && tries < SHRINK_MAX {
        tries += 1;
        let mut less = script.clone();
        less.blows.remove(place);
        if rule(&less) == Some(broken) {
            script = less;
        } else {
            place += 1;
        }
    }
    script
}
