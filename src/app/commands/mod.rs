//! One file for each command.

mod acceptance;
#[cfg(unix)]
pub mod control;
pub mod demo;
pub mod incidents;
pub mod orders;
pub mod pairs;
pub mod pnl;
pub mod positions;
pub mod replay;
#[cfg(unix)]
pub mod ruling;
pub mod sim;
pub mod trade;
pub mod trades;
pub mod watch;

/// Keeps the last `count` of a list, or all for zero.
fn newest<T>(list: &mut Vec<T>, count: usize) {
    if count > 0 {
        list.drain(..list.len().saturating_sub(count));
    }
}

/// A market's name for a table: a condition id is 66 characters, and its beginning tells enough.
fn short(market: &str) -> String {
    if market.len() > 24 && market.starts_with("0x") {
        return market.chars().take(10).chain(['…']).collect();
    }
    market.to_owned()
}
