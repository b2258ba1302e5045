//! What several rooms do together, in one binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cli;
mod mappings;
mod seeds;
