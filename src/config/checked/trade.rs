//! How it trades, what it may put at risk, and whose wallet signs.

use std::time::Duration;

use super::take::{Part, Take};
use super::{Overrides, Reading, bounds};
use crate::domain::{Lifetime, Money};
use crate::execute::{self, Hold};
use crate::pairing::Legs;
use crate::plan;
use crate::risk::Limits;

/// What `crossbook trade` may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Orders are filled on this machine.
    Paper,
    /// Orders may go to the venues.
    Live,
}

impl Mode {
    const ALL: [(&'static str, Self); 2] = [("paper", Self::Paper), ("live", Self::Live)];
}

/// Who holds the funds that a key signs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalletKind {
    /// The key's own address.
    Eoa,
    /// A proxy of the venue's.
    Proxy,
    /// A Safe.
    Safe,
    /// A deposit wallet.
    Deposit,
}

impl WalletKind {
    const ALL: [(&'static str, Self); 4] = [
        ("eoa", Self::Eoa),
        ("proxy", Self::Proxy),
        ("safe", Self::Safe),
        ("deposit", Self::Deposit),
    ];
}

/// Who turns contracts into dollars outside the order book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversions {
    /// A person, with a wallet.
    User,
    /// The venue: the embedded exchange does.
    Venue,
}

impl Conversions {
    pub(super) const ALL: [(&'static str, Self); 2] =
        [("user", Self::User), ("venue", Self::Venue)];
}

/// What the engine does while nothing arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// It sleeps and is woken.
    Sleep,
    /// It looks again and again, and keeps a processor to itself.
    Poll,
}

impl Waiting {
    const ALL: [(&'static str, Self); 2] = [("sleep", Self::Sleep), ("poll", Self::Poll)];
}

/// The wallet that orders are signed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wallet {
    /// The path of its key's file.
    pub key_file: Option<String>,
    /// Who holds the funds.
    pub kind: WalletKind,
    /// The address that holds the funds, where it is not the key's own.
    pub address: Option<String>,
}

/// How it trades.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// What it may do.
    pub mode: Mode,
    /// How plans are made.
    pub plan: plan::Settings,
    /// How patient the executor is.
    pub execute: execute::Settings,
    /// How patient and exact the comparison with the venues is.
    pub reconcile: execute::reconcile::Settings,
    /// Both venues are compared with the ledger this often.
    pub reconcile_every: Duration,
    /// How long open trades have after the first Ctrl-C.
    pub settle: Duration,
    /// The oldest answer of Polymarket's order routes on which Kalshi's leg goes first, or at once.
    pub polymarket_answer: Duration,
    /// What the engine does while nothing arrives.
    pub waiting: Waiting,
    /// The file whose appearance acts as `kill`; beside the journal where none is named.
    pub kill_file: Option<String>,
}

/// How paper trades.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// What each account begins with.
    pub cash: Money,
    /// Each way, at Kalshi and at Polymarket.
    pub latency: [Duration; 2],
}

const LEGS: [(&str, Legs); 4] = [
    ("polymarket-first", Legs::PolymarketFirst),
    ("kalshi-first", Legs::KalshiFirst),
    ("concurrent", Legs::Concurrent),
    ("thin-first", Legs::ThinFirst),
];

const ENTRIES: [(&str, Lifetime); 2] =
    [("partial", Lifetime::Immediate), ("whole", Lifetime::AllOrNothing)];

const HOLDS: [(&str, Hold); 2] = [("allowed", Hold::Allowed), ("never", Hold::Never)];

/// Gain per contract at which nothing is ever sold early.
const NEVER: Money = Money::from_micros(Money::DOLLAR);

pub(super) fn trade(reading: &mut Reading<'_>) -> Option<Trade> {
    let mut take = Take { group: reading.group("trade"), findings: &mut reading.findings };
    let mode = take.word("mode", &Mode::ALL);
    let plan = plan_settings(&mut take);
    let execute = execute_settings(&mut take);
    let grace = take.seconds("reconcile_grace_s", bounds::HOUR_S);
    let cash_tolerance = take.money("cash_tolerance", bounds::DUST_MARKET);
    let fee_tolerance = take.money("fee_true_up_max", bounds::LOSS_MAX);
    let reconcile_every = take.seconds("reconcile_every_s", bounds::RECONCILE_EVERY_S);
    let settle = take.seconds("settle_s", bounds::DAY_S);
    let polymarket_answer = take.seconds("polymarket_answer_s_max", bounds::POLYMARKET_ANSWER_S);
    let waiting = take.word("waiting", &Waiting::ALL);
    let kill_file = take.optional("kill_file", None);
    take.finish();
    Some(Trade {
        mode: mode?,
        plan: plan?,
        execute: execute?,
        reconcile: execute::reconcile::Settings {
            grace: grace?.value,
            cash_tolerance: cash_tolerance?.value,
            fee_tolerance: fee_tolerance?.value,
        },
        reconcile_every: reconcile_every?.value,
        settle: settle?.value,
        polymarket_answer: polymarket_answer?.value,
        waiting: waiting?,
        kill_file: kill_file?,
    })
}

fn plan_settings(take: &mut Take<'_, '_>) -> Option<plan::Settings> {
    let legs = take.word("legs", &LEGS);
    let loss_max = take.money("loss_max", bounds::LOSS_MAX);
    let slack = take.money("slack", bounds::PER_CONTRACT);
    let improvement_max = take.money("improvement_max", bounds::PER_CONTRACT);
    let answer_max = take.millis("answer_ms_max", bounds::MINUTE_MS);
    let stranded_max = take.seconds("stranded_s_max", bounds::HOUR_S);
    let exit_gain_min = take.money("exit_gain_min", bounds::EXIT_GAIN_MIN);
    Some(plan::Settings {
        legs: legs?,
        loss_max: loss_max?.value,
        slack: slack?.value,
        improvement_max: improvement_max?.value,
        answer_max: answer_max?.value,
        stranded_max: stranded_max?.value,
        exit_gain_min: Some(exit_gain_min?.value).filter(|gain| *gain < NEVER),
    })
}

fn execute_settings(take: &mut Take<'_, '_>) -> Option<execute::Settings> {
    let inquire_pause = take.millis("inquire_pause_ms", bounds::MINUTE_MS);
    let inquire_pause_max = take.millis("inquire_pause_ms_max", bounds::INQUIRE_PAUSE_MS_MAX);
    let unknown_max = take.seconds("unknown_s_max", bounds::DAY_S);
    let way_out_pause = take.millis("way_out_pause_ms", bounds::WAY_OUT_PAUSE_MS);
    let convert_pause = take.seconds("convert_pause_s", bounds::HOUR_S);
    let entry = take.word("entry", &ENTRIES);
    let hold = take.word("hold", &HOLDS);
    Some(execute::Settings {
        inquire_pause: inquire_pause?.value,
        inquire_pause_max: inquire_pause_max?.value,
        unknown_max: unknown_max?.value,
        way_out_pause: way_out_pause?.value,
        convert_pause: convert_pause?.value,
        entry: entry?,
        hold: hold?,
    })
}

pub(super) fn limits(reading: &mut Reading<'_>) -> Option<Limits> {
    let mut take = Take { group: reading.group("limits"), findings: &mut reading.findings };
    let [order, market, pair, event] = [
        ("order", bounds::ORDER),
        ("market", bounds::TEN_MILLION),
        ("pair", bounds::TEN_MILLION),
        ("event", bounds::TEN_MILLION),
    ]
    .map(|(key, bounds)| take.money(key, bounds));
    let [kalshi, polymarket, total] =
        ["kalshi", "polymarket", "total"].map(|key| take.money(key, bounds::HUNDRED_MILLION));
    let [unconfirmed, stranded] =
        ["unconfirmed", "stranded"].map(|key| take.money(key, bounds::TEN_MILLION));
    let stranded_max = take.seconds("stranded_s", bounds::HOUR_S);
    let loss_per_day = take.money("loss_per_day", bounds::TEN_MILLION);
    let open_trades = take.whole("open_trades", bounds::OPEN_TRADES);
    let orders_per_second = take.whole("orders_per_s", bounds::COUNT);
    let rejections = ["rejections_pair", "rejections_venue", "rejections_total"]
        .map(|key| take.whole(key, bounds::COUNT));
    let dust_market = take.money("dust_market", bounds::DUST_MARKET);
    let dust_total = take.money("dust_total", bounds::LOSS_MAX);
    let purse_margin = take.money("purse_margin", bounds::ORDER);
    let purse_age_max = take.seconds("purse_age_s_max", bounds::RECONCILE_EVERY_S);
    let purse_lag = take.millis("purse_lag_ms", bounds::PURSE_LAG_MS);
    let fee_tolerance = take.money("fee_tolerance", bounds::FEE_TOLERANCE);
    take.finish();
    let [pair_rejections, venue_rejections, all_rejections] = rejections;
    Some(Limits {
        order: order?.value,
        market: market?.value,
        pair: pair?.value,
        event: event?.value,
        venues: [kalshi?.value, polymarket?.value],
        total: total?.value,
        unconfirmed: unconfirmed?.value,
        stranded: stranded?.value,
        stranded_max: stranded_max?.value,
        loss_per_day: loss_per_day?.value,
        open_trades: usize::try_from(open_trades?.value).unwrap_or(usize::MAX),
        orders_per_second: orders_per_second?.value,
        rejections: [pair_rejections?.value, venue_rejections?.value, all_rejections?.value],
        dust_market: dust_market?.value,
        dust_total: dust_total?.value,
        purse_margin: purse_margin?.value,
        purse_age_max: purse_age_max?.value,
        purse_lag: purse_lag?.value,
        fee_tolerance: fee_tolerance?.value,
    })
}

pub(super) fn paper(reading: &mut Reading<'_>) -> Option<Paper> {
    let mut take = Take { group: reading.group("paper"), findings: &mut reading.findings };
    let cash = take.money("cash", bounds::HUNDRED_MILLION);
    let kalshi = take.millis("kalshi_latency_ms", bounds::LATENCY_MS);
    let polymarket = take.millis("polymarket_latency_ms", bounds::LATENCY_MS);
    take.finish();
    Some(Paper { cash: cash?.value, latency: [kalshi?.value, polymarket?.value] })
}

pub(super) fn wallet(take: &mut Take<'_, '_>, overrides: &Overrides) -> Option<Wallet> {
    let key_file = take.optional("wallet_key_file", overrides.wallet_key_file.as_deref());
    let address = take.optional("wallet", None);
    let kind = take.word("wallet_kind", &WalletKind::ALL);
    Some(Wallet { key_file: key_file?, kind: kind?, address: address? })
}

impl Take<'_, '_> {
    /// A text that may be missing; `None` when it is wrong.
    fn optional(&mut self, key: &'static str, over: Option<&str>) -> Option<Option<String>> {
        let found = self.group.text(key, self.findings);
        match self.part(key, found, over) {
            Part::Absent => Some(None),
            Part::Given(text) => Some(Some(text)),
            Part::Wrong => None,
        }
    }
}
