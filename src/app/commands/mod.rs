//! One file for each command.

pub mod demo;
pub mod pairs;
pub mod replay;
pub mod sim;
pub mod watch;
