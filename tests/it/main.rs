//! What several rooms do together, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and one that is skipped says so"
)]

mod cli;
mod harness;
mod kalshi;
mod mappings;
mod polymarket;
mod scale;
mod seeds;
mod swarm;
mod virtual_time;
mod world_cup;

#[path = "../../benches/scene/mod.rs"]
mod scene;
