//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

mod ruling;

pub use ruling::{AtVenue, Cash, Holding, InMarket, Positions, Ruling};

/// Finds moments at which YES on one prediction market plus NO on the other costs less than the
/// dollar they pay, net of every fee, at real depth.
#[derive(Debug, Parser)]
#[command(
    name = "crossbook",
    version,
    max_term_width = 100,
    after_help = "Without a command the demo runs: both venues as embedded exchanges on this \
                  machine, no account, no network.\n\nExit codes: 0 done, 1 failed, 2 wrong \
                  usage or configuration, 3 halted, 130 interrupted."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What the log on stderr tells: error, warn, info, debug or trace.
    #[arg(long, global = true, value_name = "LEVEL", env = "CROSSBOOK_LOG")]
    pub log: Option<String>,
}

/// What crossbook can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// See it work: two embedded exchanges, connected to through the ordinary adapters.
    ///
    /// Starts a Kalshi and a Polymarket on loopback, with seeded agents that trade there, watches
    /// the pairs of mappings/demo.toml and prints each opportunity when it opens, grows and closes.
    /// Ends with a summary after --seconds or --steps, or at Ctrl-C.
    Demo(Demo),
    /// Watch the real venues and tell of net edges. Alert-only: places no orders.
    ///
    /// Builds no order gateway and loads no wallet key. A Kalshi key (its WebSocket asks for one)
    /// is used for reading only: CROSSBOOK_KALSHI_KEY_ID and CROSSBOOK_KALSHI_KEY_FILE name it, or
    /// the configuration does. Without one, Kalshi's public books are polled at a polite rate.
    Watch(Watch),
    /// Watch, and trade the approved pairs: on paper against the real books, or live.
    ///
    /// On paper nothing leaves this machine; both accounts are kept in a journal of their own. Live
    /// spends money: it needs `mode = "live"` under `[trade]` in the configuration, both venues'
    /// keys and pairs that were accepted here (`crossbook pairs accept`), and it trades nothing
    /// before the journal and both venues agree. The first Ctrl-C begins nothing new and brings
    /// what is under way to rest; the second ends at once.
    Trade(Trade),
    /// Run recorded frames through the same codecs and engine, as fast as they go.
    ///
    /// Reads our own recordings (--record), which hold all that a replay needs and give the live
    /// run's decisions, and captures of others: lines of {"recv_ms":…,"event":{…}} or bare venue
    /// frames, plain, gzip or zstd.
    Replay(Replay),
    /// Run the two embedded exchanges alone, for tests and for bots of your own.
    ///
    /// Prints what a client needs, then serves until Ctrl-C.
    Sim(Sim),
    /// What is held, by market and as locked pairs, by the journal of `crossbook trade`.
    Positions(Positions),
    /// What a venue has in cash that the ledger has not.
    #[cfg(unix)]
    #[command(subcommand)]
    Cash(Cash),
    /// The orders that were placed and what became of them.
    Orders(Listed),
    /// The trades, each one attempt at both legs, and where each is in its life.
    Trades(Listed),
    /// What was earned, what is locked in, what was paid in fees.
    Pnl(Past),
    /// What a person had to know, and every halt.
    Incidents(Listed),
    /// What is told to a running trader.
    #[cfg(unix)]
    #[command(flatten)]
    Control(Control),
    /// Look after the mapping files: which contract equals which.
    #[command(subcommand)]
    Pairs(Pairs),
}

/// `crossbook demo`
#[derive(Debug, Args, Default, Clone)]
pub struct Demo {
    /// Stop after this many seconds.
    #[arg(long, value_name = "N", conflicts_with = "steps", value_parser = seconds())]
    pub seconds: Option<u64>,
    /// Stop after exactly this many steps of the agents; the same seed and steps give the same
    /// market history.
    #[arg(long, value_name = "N", value_parser = steps())]
    pub steps: Option<u64>,
    /// Seed of the agents, the faults and every jitter.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Print one JSON object a line.
    #[arg(long)]
    pub json: bool,
    /// Break things on purpose: cut connections, silent freezes, lost messages, 429s, pauses, …
    #[arg(long)]
    pub faults: bool,
    /// Only watch, place no orders.
    #[arg(long)]
    pub watch_only: bool,
    /// Trade on exchanges that `crossbook sim` runs in a process of its own, at this address.
    #[arg(long, value_name = "URL", conflicts_with_all = ["steps", "faults"])]
    pub venues: Option<String>,
    /// Keep the journal in this file; without it, it goes with the run.
    #[arg(long, value_name = "FILE", conflicts_with = "watch_only")]
    pub journal: Option<PathBuf>,
    /// Record all that arrives into a new file (zstd), for `crossbook replay`.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

/// `crossbook watch`
#[derive(Debug, Args)]
pub struct Watch {
    /// Configuration file; without it every default holds.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of the mapping files; read again whenever one changes.
    #[arg(long, value_name = "DIR")]
    pub mappings: Option<PathBuf>,
    /// Print one JSON object a line.
    #[arg(long)]
    pub json: bool,
    /// Stop after this many seconds.
    #[arg(long, value_name = "N", value_parser = seconds())]
    pub seconds: Option<u64>,
    /// Record all that arrives into a new file (zstd), for `crossbook replay`.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

/// `crossbook trade`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("money").required(true).args(["paper", "live"]))]
pub struct Trade {
    /// Fill orders on this machine, against the real books.
    #[arg(long)]
    pub paper: bool,
    /// Send orders to both venues and spend money.
    #[arg(long)]
    pub live: bool,
    /// Keep the journal in this file; else in the one that the configuration names.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// The Kalshi key is a new one of the account that the journal belongs to.
    #[arg(long, requires = "live")]
    pub new_kalshi_key: bool,
    /// Configuration file; without it every default holds.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of the mapping files; read again whenever one changes.
    #[arg(long, value_name = "DIR")]
    pub mappings: Option<PathBuf>,
    /// Print one JSON object a line.
    #[arg(long)]
    pub json: bool,
    /// Begin nothing new after this many seconds, and end when everything is at rest.
    #[arg(long, value_name = "N", value_parser = seconds())]
    pub seconds: Option<u64>,
}

/// `crossbook replay`
#[derive(Debug, Args)]
pub struct Replay {
    /// Recordings or captures, in the order in which they are played.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print one JSON object a line.
    #[arg(long)]
    pub json: bool,
    /// Folder of mapping files to look for edges with; a recording of ours brings its own.
    #[arg(long, value_name = "DIR")]
    pub mappings: Option<PathBuf>,
    /// Facts of the markets in a capture (tokens, ticks, fees, minimums), one JSON object a line;
    /// without fee data there is no edge.
    #[arg(long, value_name = "FILE")]
    pub markets: Option<PathBuf>,
    /// Take jumps in Kalshi's sequence numbers as natural: for captures that hold one market of a
    /// busier subscription.
    #[arg(long)]
    pub ignore_seq: bool,
    /// The capture was made with `use_yes_price: true`.
    #[arg(long)]
    pub yes_prices: bool,
}

/// `crossbook sim`
#[derive(Debug, Args)]
pub struct Sim {
    /// Print one JSON object a line.
    #[arg(long)]
    pub json: bool,
    /// Seed of the agents and the faults.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Break things on purpose.
    #[arg(long)]
    pub faults: bool,
    /// Plan the faults for a run of so many seconds: markets resolve in its last quarter, and after
    /// it nothing more breaks. Ten hours where it is not given.
    #[arg(long, value_name = "N", requires = "faults")]
    pub faults_within: Option<u64>,
    /// First of six ports to listen on, 0 for any that are free.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
}

/// `crossbook pairs`
#[derive(Debug, Subcommand)]
pub enum Pairs {
    /// Check the mapping files: every mistake at once, with file, line, cause and cure.
    Check(Folder),
    /// List the pairs.
    List(Folder),
    /// Accept pairs for live trading on this machine, as they read now.
    ///
    /// Only pairs that were accepted here are traded with real money, and only while they read as
    /// they did: an edit of the contracts, the relation, the payoff table, the resolution risk or
    /// the hashes of the rules, also one that came with an update, needs a new look. So do a moved
    /// close or other prices at a venue, which are read from both and kept; and looser limits of
    /// the pair, which a running trader holds back until then. A running trader hears of it.
    Accept(Accept),
    /// List what was accepted, and whether it still reads so.
    Accepted(Accepted),
}

/// `crossbook pnl`, and which journal other commands speak of.
#[derive(Debug, Args, Default)]
pub struct Past {
    /// The journal; else the one that the configuration names.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// Configuration file; without it every default holds.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The journal of paper trading, also where the configuration says live.
    #[arg(long, conflicts_with = "journal")]
    pub paper: bool,
    /// Print one JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// What is told to a running trader.
#[derive(Debug, Subcommand)]
pub enum Control {
    /// Tell a running trader to open no new trades; open ones are finished or unwound.
    Halt(Reach),
    /// Let a halted trader open new trades again.
    Resume(Reach),
    /// Tell a running trader to get out of everything, within a stated loss. Asks first.
    Flatten(Flatten),
    /// Tell a running trader to cancel its own orders that may still fill, by their ids. Asks
    /// first.
    ///
    /// What was placed by hand is left alone, unless --everything-at names its venue.
    CancelAll(CancelAll),
    /// Tell a running trader to cancel its own orders, list what is held and end.
    Kill(Kill),
    /// How a running trader stands.
    Status(Past),
}

/// `crossbook halt`, `crossbook resume`
#[derive(Debug, Args)]
pub struct Reach {
    /// Only this pair.
    #[arg(long, value_name = "ID", conflicts_with = "venue")]
    pub pair: Option<String>,
    /// Only pairs' legs at this venue: kalshi or polymarket.
    #[arg(long, value_name = "VENUE")]
    pub venue: Option<String>,
    /// Why, for whoever reads the journal.
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
    /// Which trader, by its journal.
    #[command(flatten)]
    pub past: Past,
}

/// `crossbook flatten`
#[derive(Debug, Args)]
pub struct Flatten {
    /// The most dollars that may be lost against what was paid.
    #[arg(long, value_name = "DOLLARS")]
    pub loss_max: String,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Which trader, by its journal.
    #[command(flatten)]
    pub past: Past,
}

/// `crossbook cancel-all`
#[derive(Debug, Args)]
pub struct CancelAll {
    /// Only at this venue: kalshi or polymarket.
    #[arg(long, value_name = "VENUE")]
    pub venue: Option<String>,
    /// Every order of the account at this venue, also those that were placed by hand or by another
    /// program; at Kalshi also orders that are placed within the next minute.
    #[arg(long, value_name = "VENUE", conflicts_with = "venue")]
    pub everything_at: Option<String>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Which trader, by its journal.
    #[command(flatten)]
    pub past: Past,
}

/// `crossbook kill`
#[derive(Debug, Args)]
pub struct Kill {
    /// Why, for whoever reads the journal.
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
    /// Which trader, by its journal.
    #[command(flatten)]
    pub past: Past,
}

/// `crossbook orders`, `crossbook trades`, `crossbook incidents`
#[derive(Debug, Args)]
pub struct Listed {
    /// Which journal, and how it is told.
    #[command(flatten)]
    pub past: Past,
    /// Only those that still need something: orders that are not final, trades that are not over.
    #[arg(long)]
    pub open: bool,
    /// The newest this many; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub last: usize,
}

/// `crossbook pairs accept`
#[derive(Debug, Args)]
pub struct Accept {
    /// The ids of the pairs.
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// Which mapping files and which journal.
    #[command(flatten)]
    pub accepted: Accepted,
}

/// `crossbook pairs accepted`
#[derive(Debug, Args)]
pub struct Accepted {
    /// Folder of the mapping files; else the one that the configuration names.
    #[arg(long, value_name = "DIR")]
    pub mappings: Option<PathBuf>,
    /// The journal that keeps acceptances; else the configuration's journal of live trading.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// Configuration file; without it every default holds.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print one JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// Which mapping files.
#[derive(Debug, Args)]
pub struct Folder {
    /// Folder of the mapping files.
    #[arg(value_name = "DIR", default_value = "mappings")]
    pub dir: PathBuf,
    /// Print one JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// A year at most.
fn seconds() -> clap::builder::RangedU64ValueParser {
    clap::builder::RangedU64ValueParser::new().range(1..=31_536_000)
}

fn steps() -> clap::builder::RangedU64ValueParser {
    clap::builder::RangedU64ValueParser::new().range(1..=10_000_000)
}
