//! What several rooms do together, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and one that is skipped says so"
)]

mod harness;
mod cli;
mod mappings;
mod seeds;
mod world_cup;
mod virtual_time;
mod scale;

#[path = "../../benches/scene/mod.rs"]
mod scene;
