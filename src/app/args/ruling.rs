//! What a person says where the ledger and a venue differ.

use clap::{Args, Subcommand};

use super::Past;

/// `crossbook positions`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Positions {
    /// What is said of a difference.
    #[cfg(unix)]
    #[command(subcommand)]
    pub holding: Option<Holding>,
    /// Which journal.
    #[command(flatten)]
    pub past: Past,
}

/// `crossbook positions adopt`, `crossbook positions ignore`
#[derive(Debug, Subcommand)]
pub enum Holding {
    /// Take a venue's word for what is held in a market. Shows what changes, and asks first.
    ///
    /// The running trader takes it into its ledger. Trades that lose a contract so, or that are not
    /// at rest in that market, send nothing more: what is left of them is yours to close, or waits
    /// for settlement. No money moves. Ends `ignore`.
    Adopt(InMarket),
    /// Leave a market to yourself: shown, not traded, no difference. Shows what changes, and asks
    /// first. Holds until `adopt`.
    Ignore(InMarket),
}

/// `crossbook cash`
#[derive(Debug, Subcommand)]
pub enum Cash {
    /// Take a venue's word for its cash: books what is missing there. Shows how much, and asks
    /// first.
    Accept(AtVenue),
}

/// Which market.
#[derive(Debug, Args)]
pub struct InMarket {
    /// Its venue: kalshi or polymarket.
    #[arg(long, value_name = "VENUE")]
    pub venue: String,
    /// Its Kalshi ticker or Polymarket condition id.
    #[arg(long, value_name = "MARKET")]
    pub market: String,
    /// Only this contract of a Polymarket market, for `adopt`: yes or no.
    #[arg(long, value_name = "OUTCOME", value_parser = ["yes", "no"])]
    pub outcome: Option<String>,
    /// Why, and that it is sure.
    #[command(flatten)]
    pub ruling: Ruling,
}

/// Which venue.
#[derive(Debug, Args)]
pub struct AtVenue {
    /// kalshi or polymarket.
    #[arg(long, value_name = "VENUE")]
    pub venue: String,
    /// Why, and that it is sure.
    #[command(flatten)]
    pub ruling: Ruling,
}

/// Why something is said, and whether it is sure.
#[derive(Debug, Args)]
pub struct Ruling {
    /// Why, for whoever reads the journal.
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Which trader, by its journal.
    #[command(flatten)]
    pub past: Past,
}
