//! What people and programs see: draws what the engine says, and nothing else.

pub mod cli;
pub mod findings;
