//! What several rooms do together, in one binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod mappings;
mod scale;
mod world_cup;

#[path = "../../benches/scene/mod.rs"]
mod scene;
