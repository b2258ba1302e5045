//! What was measured, in words and numbers.

use std::io::Write as _;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::Wishes;
use crate::stages::{Stamp, passed};
use crate::venues::Shot;

/// Writes a line.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Tells of all shots.
pub(crate) fn print(shots: &[Shot], stamps: &[Stamp], wishes: &Wishes) {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    let count = std::thread::available_parallelism().map_or(0, usize::from);
    let model = model.map_or("unknown", str::trim);
    say(&format!("machine: {model}, {count} cores; load averages {}", load.trim()));
    let Wishes { key, durability, waiting, .. } = wishes;
    say(&format!("kalshi key {key:?}, journal durability {durability}, waiting {waiting}"));
    let whole: Vec<Shot> = shots.iter().copied().filter(|shot| shot.latency().is_some()).collect();
    let late = shots.iter().filter(|shot| shot.late > Duration::from_millis(2)).count();
    say(&format!(
        "{} gaps, {} answered with both orders; {late} were opened over 2 ms after their time",
        shots.len(),
        whole.len(),
    ));
    line("first byte of the frame to last byte of both requests", &whole, Shot::latency);
    line("  to the last byte of kalshi's", &whole, |shot| shot.read[0]);
    line("  to the last byte of polymarket's", &whole, |shot| shot.read[1]);
    say("from each milestone of the program to the next:");
    let spans: Vec<_> = whole.iter().filter_map(|shot| spans(shot, stamps)).collect();
    for (place, name) in SPANS.into_iter().enumerate() {
        line(name, &spans, |spans| Some(spans[place]));
    }
}

/// What lies between a frame and the end of its requests.
const SPANS: [&str; 6] = [
    "  frame sent -> read by the program",
    "  -> decided, planned, within limits",
    "  -> named, signed, given to the journal",
    "  -> durable in the journal",
    "  -> the later request given to its connection",
    "  -> its last byte read by the venue",
];

fn spans(shot: &Shot, stamps: &[Stamp]) -> Option<[Duration; 6]> {
    let passed = passed(shot, stamps)?;
    let mut spans = [Duration::ZERO; 6];
    let mut before = Duration::ZERO;
    for (span, at) in spans.iter_mut().zip(passed.into_iter().chain([shot.latency()?])) {
        *span = at.saturating_sub(before);
        before = at;
    }
    Some(spans)
}

fn line<T>(name: &str, shots: &[T], span: impl Fn(&T) -> Option<Duration>) {
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    for nanos in shots.iter().filter_map(span) {
        histogram.record(u64::try_from(nanos.as_nanos()).unwrap()).unwrap();
    }
    let micros = |quantile: f64| histogram.value_at_quantile(quantile) / 1_000;
    say(&format!(
        "{name:<56} p50 {:>5} us  p90 {:>5} us  p99 {:>5} us  p99.9 {:>5} us  max {:>6} us",
        micros(0.5),
        micros(0.9),
        micros(0.99),
        micros(0.999),
        histogram.max() / 1_000,
    ));
}
