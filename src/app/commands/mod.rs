//! One file for each command.

pub mod pairs;
pub mod replay;
