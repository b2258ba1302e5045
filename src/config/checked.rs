//! The settings, each within its bounds.

mod address;
pub mod bounds;
mod journal;
mod take;
mod trade;

use std::time::Duration;

use super::Overrides;
use super::raw::{Layers, Reading};
use crate::domain::{FeeModel, Finding, Money, Quantity};
use crate::risk::Limits;
pub use bounds::Bounds;
pub use journal::Journal;
use take::Take;
pub use trade::{Conversions, Mode, Paper, Trade, Waiting, Wallet, WalletKind};

/// Everything that may be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// When a pair of books is an opportunity.
    pub detect: Detect,
    /// How Kalshi is reached.
    pub kalshi: Kalshi,
    /// How Polymarket is reached.
    pub polymarket: Polymarket,
    /// How it trades.
    pub trade: Trade,
    /// What may be put at risk.
    pub limits: Limits,
    /// How paper trades.
    pub paper: Paper,
    /// Where what happened is kept.
    pub journal: Journal,
    /// Where the pairs stand.
    pub mappings: Mappings,
    /// What is logged.
    pub log: Log,
}

/// When a pair of books is an opportunity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detect {
    /// Least net edge per contract.
    pub edge_min: Money,
    /// Least net profit.
    pub profit_min: Money,
    /// An edge above this is too good to be true.
    pub edge_max: Money,
    /// Quotes further apart than this, bid to ask, speak against the pair.
    pub mids_apart_max: Money,
    /// Most contracts of one opportunity.
    pub contracts_max: Quantity,
    /// An open opportunity is told again when its profit has grown by this many percent.
    pub grown_by_percent: u32,
    /// A Kalshi book without proof for longer is stale.
    pub kalshi_book_age_max: Duration,
    /// A Polymarket book without proof for longer is stale.
    pub polymarket_book_age_max: Duration,
    /// A feed whose frames arrive later lags.
    pub feed_lag_max: Duration,
    /// A clock that is further off cannot judge.
    pub clock_offset_max: Duration,
    /// A batch that is not whole after this is resynchronised.
    pub batch_open_max: Duration,
    /// No opportunity this shortly before a market closes.
    pub near_close: Duration,
    /// No opportunity this shortly before a game starts.
    pub near_start: Duration,
    /// Fee data older than this is unknown.
    pub fee_age_max: Duration,
}

/// A Kalshi key: its id, and the file that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The id that the venue gave it.
    pub id: String,
    /// The path of its PEM file.
    pub file: String,
}

/// How Kalshi is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kalshi {
    /// The base of REST, with its path and without a slash at the end.
    pub rest: String,
    /// The address of the WebSocket.
    pub ws: String,
    /// The key, if there is one.
    pub key: Option<Key>,
    /// A subscribed market without an image after this is asked for again.
    pub snapshot_deadline: Duration,
    /// A connection silent for longer is dead.
    pub silence_max: Duration,
    /// Requests a second when polling without a key.
    pub poll_per_s: u32,
    /// Markets on one connection.
    pub markets_per_lane: u32,
    /// The step that fees are estimated in, in micro-dollars.
    pub fee_grain: u32,
    /// Whether the exchange pauses every Thursday.
    pub weekly_pause: bool,
    /// Contracts that may match in 15 seconds before the venue stops orders by itself; `None`
    /// without that brake.
    pub order_group_contracts: Option<u32>,
}

/// How Polymarket is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polymarket {
    /// The base of the order book's REST.
    pub clob: String,
    /// The base of Gamma.
    pub gamma: String,
    /// The base of the data API.
    pub data: String,
    /// The site that tells whether orders may come from here.
    pub site: String,
    /// The base of the WebSocket, to which `/market` is added.
    pub ws: String,
    /// A subscribed market without an image after this is asked for again.
    pub snapshot_deadline: Duration,
    /// A connection silent for longer is dead.
    pub silence_max: Duration,
    /// Tokens on one connection.
    pub tokens_per_lane: u32,
    /// A connection is renewed after this.
    pub reconnect_planned: Duration,
    /// Quiet books are confirmed by REST this often.
    pub confirm_every: Duration,
    /// A ping goes out this often.
    pub ping_every: Duration,
    /// The wallet that orders are signed for.
    pub wallet: Wallet,
    /// Who merges and redeems.
    pub conversions: Conversions,
}

/// Where the pairs stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mappings {
    /// The folder of the mapping files.
    pub dir: String,
}

/// What is logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The least weight that is written.
    pub level: Level,
}

/// The weight of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// What went wrong.
    Error,
    /// What may go wrong.
    Warn,
    /// What happened.
    Info,
    /// How it happened.
    Debug,
    /// Every step of it.
    Trace,
}

impl Level {
    /// Every level with its name, heaviest first.
    pub const ALL: [(&'static str, Self); 5] = [
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];

    /// The level's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Checks every key of both layers, then the overrides.
pub(super) fn check(layers: &Layers<'_>, overrides: &Overrides) -> Result<Settings, Vec<Finding>> {
    let mut reading = layers.begin();
    let detect = detect(&mut reading);
    let kalshi = kalshi(&mut reading, overrides);
    let polymarket = polymarket(&mut reading, overrides);
    let trade = trade::trade(&mut reading);
    let limits = trade::limits(&mut reading);
    let paper = trade::paper(&mut reading);
    let journal = journal::journal(&mut reading);
    let mappings = mappings(&mut reading, overrides);
    let log = log(&mut reading, overrides);
    let findings = reading.finish();
    let all = || {
        Some(Settings {
            detect: detect?,
            kalshi: kalshi?,
            polymarket: polymarket?,
            trade: trade?,
            limits: limits?,
            paper: paper?,
            journal: journal?,
            mappings: mappings?,
            log: log?,
        })
    };
    if findings.is_empty() { all().ok_or(findings) } else { Err(findings) }
}

fn detect(reading: &mut Reading<'_>) -> Option<Detect> {
    let mut take = Take { group: reading.group("detect"), findings: &mut reading.findings };
    let edge_min = take.money("edge_min", bounds::EDGE_MIN);
    let profit_min = take.money("profit_min", bounds::PROFIT_MIN);
    let edge_max = take.money("edge_max", bounds::EDGE_MAX);
    let mids_apart_max = take.money("mids_apart_max", bounds::MIDS_APART_MAX);
    let contracts_max = take.whole("contracts_max", bounds::CONTRACTS_MAX);
    let grown_by_percent = take.whole("grown_by_percent", bounds::GROWN_BY_PERCENT);
    let kalshi_book_age_max = take.millis("kalshi_book_age_ms_max", bounds::BOOK_AGE_MS_MAX);
    let polymarket_book_age_max =
        take.millis("polymarket_book_age_ms_max", bounds::BOOK_AGE_MS_MAX);
    let feed_lag_max = take.millis("feed_lag_ms_max", bounds::FEED_LAG_MS_MAX);
    let clock_offset_max = take.millis("clock_offset_ms_max", bounds::CLOCK_OFFSET_MS_MAX);
    let batch_open_max = take.millis("batch_open_ms_max", bounds::BATCH_OPEN_MS_MAX);
    let near_close = take.seconds("near_close_s", bounds::NEAR_S);
    let near_start = take.seconds("near_start_s", bounds::NEAR_S);
    let fee_age_max = take.seconds("fee_age_s_max", bounds::FEE_AGE_S_MAX);
    if let (Some(least), Some(most)) = (&edge_min, &edge_max) {
        take.ordered(("edge_min", least), ("edge_max", most), ToString::to_string);
    }
    take.finish();
    Some(Detect {
        edge_min: edge_min?.value,
        profit_min: profit_min?.value,
        edge_max: edge_max?.value,
        mids_apart_max: mids_apart_max?.value,
        contracts_max: Quantity::contracts(contracts_max?.value),
        grown_by_percent: grown_by_percent?.value,
        kalshi_book_age_max: kalshi_book_age_max?.value,
        polymarket_book_age_max: polymarket_book_age_max?.value,
        feed_lag_max: feed_lag_max?.value,
        clock_offset_max: clock_offset_max?.value,
        batch_open_max: batch_open_max?.value,
        near_close: near_close?.value,
        near_start: near_start?.value,
        fee_age_max: fee_age_max?.value,
    })
}

/// How an account's fees are rounded, and the step of an estimate.
const FEE_ROUNDINGS: [(&str, u32); 2] =
    [("direct", FeeModel::KALSHI_GRAIN), ("cent", FeeModel::KALSHI_CENT)];

/// When the exchange pauses each week.
const WEEKLY_PAUSES: [(&str, bool); 2] = [("thursday", true), ("none", false)];

fn kalshi(reading: &mut Reading<'_>, overrides: &Overrides) -> Option<Kalshi> {
    let mut take = Take { group: reading.group("kalshi"), findings: &mut reading.findings };
    let rest = take.address("rest", address::Kind::Rest);
    let ws = take.address("ws", address::Kind::WebSocket);
    let key = take.key(overrides);
    let snapshot_deadline = take.millis("snapshot_deadline_ms", bounds::SNAPSHOT_DEADLINE_MS);
    let silence_max = take.millis("silence_ms_max", bounds::SILENCE_MS_MAX);
    let poll_per_s = take.whole("poll_per_s", bounds::POLL_PER_S);
    let markets_per_lane = take.whole("markets_per_lane", bounds::MARKETS_PER_LANE);
    let fee_grain = take.word("fee_rounding", &FEE_ROUNDINGS);
    let weekly_pause = take.word("weekly_pause", &WEEKLY_PAUSES);
    let group = take.whole("order_group_contracts", bounds::ORDER_GROUP_CONTRACTS);
    take.finish();
    Some(Kalshi {
        rest: rest?,
        ws: ws?,
        key,
        snapshot_deadline: snapshot_deadline?.value,
        silence_max: silence_max?.value,
        poll_per_s: poll_per_s?.value,
        markets_per_lane: markets_per_lane?.value,
        fee_grain: fee_grain?,
        weekly_pause: weekly_pause?,
        order_group_contracts: Some(group?.value).filter(|contracts| *contracts > 0),
    })
}

fn polymarket(reading: &mut Reading<'_>, overrides: &Overrides) -> Option<Polymarket> {
    let mut take = Take { group: reading.group("polymarket"), findings: &mut reading.findings };
    let clob = take.address("clob", address::Kind::Rest);
    let gamma = take.address("gamma", address::Kind::Rest);
    let data = take.address("data", address::Kind::Rest);
    let site = take.address("site", address::Kind::Rest);
    let ws = take.address("ws", address::Kind::WebSocket);
    let snapshot_deadline = take.millis("snapshot_deadline_ms", bounds::SNAPSHOT_DEADLINE_MS);
    let silence_max = take.millis("silence_ms_max", bounds::SILENCE_MS_MAX);
    let tokens_per_lane = take.whole("tokens_per_lane", bounds::TOKENS_PER_LANE);
    let reconnect_planned = take.seconds("reconnect_planned_s", bounds::RECONNECT_PLANNED_S);
    let confirm_every = take.millis("confirm_every_ms", bounds::CONFIRM_EVERY_MS);
    let ping_every = take.millis("ping_every_ms", bounds::PING_EVERY_MS);
    let wallet = trade::wallet(&mut take, overrides);
    let conversions = take.word("conversions", &Conversions::ALL);
    if let (Some(ping), Some(silence)) = (&ping_every, &silence_max) {
        let shown = |span: &Duration| span.as_millis().to_string();
        take.ordered(("ping_every_ms", ping), ("silence_ms_max", silence), shown);
    }
    take.finish();
    Some(Polymarket {
        clob: clob?,
        gamma: gamma?,
        data: data?,
        site: site?,
        ws: ws?,
        snapshot_deadline: snapshot_deadline?.value,
        silence_max: silence_max?.value,
        tokens_per_lane: tokens_per_lane?.value,
        reconnect_planned: reconnect_planned?.value,
        confirm_every: confirm_every?.value,
        ping_every: ping_every?.value,
        wallet: wallet?,
        conversions: conversions?,
    })
}

fn mappings(reading: &mut Reading<'_>, overrides: &Overrides) -> Option<Mappings> {
    let mut take = Take { group: reading.group("mappings"), findings: &mut reading.findings };
    let dir = take.plain("dir", overrides.mappings_dir.as_deref());
    take.finish();
    Some(Mappings { dir: dir? })
}

fn log(reading: &mut Reading<'_>, overrides: &Overrides) -> Option<Log> {
    let mut take = Take { group: reading.group("log"), findings: &mut reading.findings };
    let level = take.level(overrides.log_level.as_deref());
    take.finish();
    Some(Log { level: level? })
}
