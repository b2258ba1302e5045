//! What each number may be; `default.toml` says the same behind each default, which a test checks.

use std::fmt;

use crate::domain::Money;

/// The least and the most that a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds<T> {
    /// The least.
    pub least: T,
    /// The most.
    pub most: T,
}

impl<T: PartialOrd + Copy> Bounds<T> {
    /// Whether a value lies within.
    pub fn contain(&self, value: T) -> bool {
        self.least <= value && value <= self.most
    }
}

impl fmt::Display for Bounds<u32> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.least, self.most)
    }
}

impl fmt::Display for Bounds<Money> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |money: Money| {
            let text = money.to_string();
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        write!(f, "{} to {}", short(self.least), short(self.most))
    }
}

const fn whole(least: u32, most: u32) -> Bounds<u32> {
    Bounds { least, most }
}

const fn micros(least: i64, most: i64) -> Bounds<Money> {
    Bounds { least: Money::from_micros(least), most: Money::from_micros(most) }
}

/// `detect.edge_min`.
pub const EDGE_MIN: Bounds<Money> = micros(0, 500_000);
/// `detect.profit_min`.
pub const PROFIT_MIN: Bounds<Money> = micros(0, 1_000_000 * Money::DOLLAR);
/// `detect.edge_max`.
pub const EDGE_MAX: Bounds<Money> = micros(1_000, Money::DOLLAR);
/// `detect.mids_apart_max`.
pub const MIDS_APART_MAX: Bounds<Money> = micros(1_000, Money::DOLLAR);
/// `detect.contracts_max`.
pub const CONTRACTS_MAX: Bounds<u32> = whole(1, 1_000_000_000);
/// `detect.grown_by_percent`.
pub const GROWN_BY_PERCENT: Bounds<u32> = whole(1, 1_000);
/// `detect.kalshi_book_age_ms_max`, `detect.polymarket_book_age_ms_max`.
pub const BOOK_AGE_MS_MAX: Bounds<u32> = whole(100, 60_000);
/// `detect.feed_lag_ms_max`.
pub const FEED_LAG_MS_MAX: Bounds<u32> = whole(10, 60_000);
/// `detect.clock_offset_ms_max`: Kalshi's times are believed, and its signatures were seen to be
/// taken, up to 5 s apart; the bound keeps well inside.
pub const CLOCK_OFFSET_MS_MAX: Bounds<u32> = whole(1, 3_000);
/// `detect.batch_open_ms_max`.
pub const BATCH_OPEN_MS_MAX: Bounds<u32> = whole(10, 5_000);
/// `detect.near_close_s`, `detect.near_start_s`.
pub const NEAR_S: Bounds<u32> = whole(0, 86_400);
/// `detect.fee_age_s_max`.
pub const FEE_AGE_S_MAX: Bounds<u32> = whole(60, 604_800);
/// `snapshot_deadline_ms` of both venues.
pub const SNAPSHOT_DEADLINE_MS: Bounds<u32> = whole(100, 60_000);
/// `silence_ms_max` of both venues.
pub const SILENCE_MS_MAX: Bounds<u32> = whole(1_000, 300_000);
/// `kalshi.poll_per_s`: a guest without a key stays polite.
pub const POLL_PER_S: Bounds<u32> = whole(1, 20);
/// `kalshi.markets_per_lane`.
pub const MARKETS_PER_LANE: Bounds<u32> = whole(1, 5_000);
/// `kalshi.order_group_contracts`: the most is the venue's own.
pub const ORDER_GROUP_CONTRACTS: Bounds<u32> = whole(0, 1_000_000);
/// `polymarket.tokens_per_lane`: connections with many more bring no images.
pub const TOKENS_PER_LANE: Bounds<u32> = whole(2, 200);
/// `polymarket.reconnect_planned_s`.
pub const RECONNECT_PLANNED_S: Bounds<u32> = whole(60, 86_400);
/// `polymarket.confirm_every_ms`.
pub const CONFIRM_EVERY_MS: Bounds<u32> = whole(100, 600_000);
/// `polymarket.ping_every_ms`: the venue wants one at least every ten seconds.
pub const PING_EVERY_MS: Bounds<u32> = whole(500, 10_000);
/// `trade.loss_max`, `limits.dust_total`.
pub const LOSS_MAX: Bounds<Money> = micros(0, 10_000 * Money::DOLLAR);
/// `trade.slack`, `trade.improvement_max`.
pub const PER_CONTRACT: Bounds<Money> = micros(0, 500_000);
/// `trade.exit_gain_min`.
pub const EXIT_GAIN_MIN: Bounds<Money> = micros(0, Money::DOLLAR);
/// `trade.answer_ms_max`, `trade.inquire_pause_ms`.
pub const MINUTE_MS: Bounds<u32> = whole(100, 60_000);
/// `trade.inquire_pause_ms_max`.
pub const INQUIRE_PAUSE_MS_MAX: Bounds<u32> = whole(100, 600_000);
/// `trade.unknown_s_max`, `trade.settle_s`.
pub const DAY_S: Bounds<u32> = whole(1, 86_400);
/// `trade.stranded_s_max`, `trade.convert_pause_s`, `limits.stranded_s`.
pub const HOUR_S: Bounds<u32> = whole(1, 3_600);
/// `trade.way_out_pause_ms`.
pub const WAY_OUT_PAUSE_MS: Bounds<u32> = whole(50, 60_000);
/// `trade.reconcile_every_s`, `limits.purse_age_s_max`.
pub const RECONCILE_EVERY_S: Bounds<u32> = whole(5, 3_600);
/// `trade.polymarket_answer_s_max`: the venue is asked twice as often.
pub const POLYMARKET_ANSWER_S: Bounds<u32> = whole(1, 60);
/// `limits.order`, `limits.purse_margin`.
pub const ORDER: Bounds<Money> = micros(0, 1_000_000 * Money::DOLLAR);
/// Limits of a market, a pair, an event, and of what is under way.
pub const TEN_MILLION: Bounds<Money> = micros(0, 10_000_000 * Money::DOLLAR);
/// Limits of a venue and of everything.
pub const HUNDRED_MILLION: Bounds<Money> = micros(0, 100_000_000 * Money::DOLLAR);
/// `limits.open_trades`.
pub const OPEN_TRADES: Bounds<u32> = whole(0, 1_000);
/// `limits.orders_per_s`, `limits.rejections_…`.
pub const COUNT: Bounds<u32> = whole(1, 1_000);
/// `limits.dust_market`.
pub const DUST_MARKET: Bounds<Money> = micros(0, 1_000 * Money::DOLLAR);
/// `limits.purse_lag_ms`.
pub const PURSE_LAG_MS: Bounds<u32> = whole(0, 600_000);
/// `limits.fee_tolerance`.
pub const FEE_TOLERANCE: Bounds<Money> = micros(0, 100 * Money::DOLLAR);
/// `paper.kalshi_latency_ms`, `paper.polymarket_latency_ms`.
pub const LATENCY_MS: Bounds<u32> = whole(0, 10_000);
