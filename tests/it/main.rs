//! What several rooms do together, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and one that measures says what it found"
)]

mod harness;
mod mappings;
mod virtual_time;
