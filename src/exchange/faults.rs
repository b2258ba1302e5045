//! What can be broken on purpose, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::market::Band;
use crate::domain::{Price, Venue};

use super::Floor;
use super::dice::Dice;
use super::funds::Transfer;
use super::world::World;

pub use trading::{fail_late, trading_schedule};

/// What becomes of one order request, of the next ones that place an order at a venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderFault {
    /// No answer comes: the connection stays open until the client gives up.
    Held(Reached),
    /// No answer comes: the connection is cut at once.
    Cut(Reached),
    /// The answer is this 5xx status.
    Failing(Reached, u16),
    /// The answer comes only after this, behind the private channel's events.
    LateAnswer(Duration),
    /// The best offers are withdrawn just before the order arrives, and come back after it: it
    /// finds nothing within its limit.
    NothingThere,
    /// Only this share of what rests within the limit, in percent, is still there.
    Partly(u8),
    /// A better offer appears just before the order arrives: a BUY by collateral brings more
    /// contracts than it asked for.
    BetterPrice,
    /// Polymarket: the order is `delayed` for this long and then matched, or not.
    Delayed {
        /// How long.
        lasts: Duration,
        /// Whether it then matches what stands.
        matches: bool,
    },
    /// Polymarket: what it matches fails to settle after this.
    SettlementFails(Duration),
    /// Polymarket: what it matches is confirmed only after this.
    SettlesLate(Duration),
    /// Polymarket: `success` is true, with an error message and without an order.
    SuccessWithError,
    /// Kalshi: the fill is taken back after this, as an error trade.
    Bust(Duration),
}

/// Whether a request that is not answered was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It was.
    Yes,
    /// It was lost on its way.
    No,
}

/// How a market resolves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// YES pays a dollar.
    Yes,
    /// NO pays a dollar.
    No,
    /// YES pays this, NO the rest: a void, a last price, fifty-fifty.
    Value(Price),
}

/// One thing that goes wrong at one venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// All WebSocket connections are cut.
    Disconnect,
    /// All WebSocket connections stay open and say nothing. Kalshi stops its heartbeats too;
    /// Polymarket goes on answering `PING`, as seen in the wild.
    Freeze {
        /// How long; afterwards the stalled connections are cut.
        lasts: Duration,
    },
    /// One message to each connection that has market data is lost.
    Gap,
    /// Images asked for while this lasts come only when it is over.
    LateSnapshot {
        /// How long.
        lasts: Duration,
    },
    /// Every HTTP request is answered with 429.
    RateLimited {
        /// How long.
        lasts: Duration,
    },
    /// Every HTTP request is answered with this 5xx status.
    ServerError {
        /// How long.
        lasts: Duration,
        /// 500 to 504.
        status: u16,
    },
    /// A market (by its index) takes no orders.
    Pause {
        /// How long.
        lasts: Duration,
        /// Index of the market.
        market: usize,
    },
    /// A market (by its index) gets other ticks.
    Ticks {
        /// Index of the market.
        market: usize,
        /// The new bands.
        bands: Vec<Band>,
    },
    /// The next order requests meet this, one each, in order.
    Order(OrderFault),
    /// The private channel repeats and reorders its events.
    Jumbled {
        /// How long.
        lasts: Duration,
    },
    /// The private channel says nothing; what it would have said is lost.
    PrivateSilence {
        /// How long.
        lasts: Duration,
    },
    /// Cancels are answered with 404, or `already canceled or matched`, whatever they do.
    CancelsDenied {
        /// How long.
        lasts: Duration,
    },
    /// The matching engine restarts: Polymarket answers 425, then takes only post-only orders.
    Restart {
        /// How long it is away.
        away: Duration,
        /// How long after that only post-only orders are taken.
        post_only: Duration,
    },
    /// The whole exchange takes no orders; cancels are accepted.
    TradingPause {
        /// How long.
        lasts: Duration,
    },
    /// Portfolio reads show the state of this long ago.
    ReadLag {
        /// How far behind.
        behind: Duration,
        /// How long.
        lasts: Duration,
    },
    /// The account has no funds where the market of an order wants them.
    NoFunds {
        /// How long.
        lasts: Duration,
    },
    /// The key is not accepted any more.
    KeyRevoked {
        /// How long.
        lasts: Duration,
    },
    /// The exchange's clock is off by so many milliseconds.
    ClockSkew {
        /// Ahead, or behind where negative.
        ms: i64,
        /// How long.
        lasts: Duration,
    },
    /// Money of the account moves without a trade, which is no fault of anybody.
    Funds(Transfer),
    /// A market ends and resolves.
    Resolve {
        /// Index of the market.
        market: usize,
        /// How.
        resolution: Resolution,
        /// From the end of trading to the payment.
        pays_after: Duration,
    },
}

impl OrderFault {
    /// Whether it befalls the request and its answer, and not what the order does.
    pub const fn is_of_the_way(&self) -> bool {
        matches!(self, Self::Held(_) | Self::Cut(_) | Self::Failing(..) | Self::LateAnswer(_))
    }

    /// The fault's name in records.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Held(Reached::Yes) => "order_held_done",
            Self::Held(Reached::No) => "order_held_lost",
            Self::Cut(Reached::Yes) => "order_cut_done",
            Self::Cut(Reached::No) => "order_cut_lost",
            Self::Failing(Reached::Yes, _) => "order_5xx_done",
            Self::Failing(Reached::No, _) => "order_5xx_lost",
            Self::LateAnswer(_) => "order_late_answer",
            Self::NothingThere => "order_nothing_there",
            Self::Partly(_) => "order_partly",
            Self::BetterPrice => "order_better_price",
            Self::Delayed { matches: true, .. } => "order_delayed_matched",
            Self::Delayed { matches: false, .. } => "order_delayed_unmatched",
            Self::SettlementFails(_) => "settlement_fails",
            Self::SettlesLate(_) => "settles_late",
            Self::SuccessWithError => "order_success_with_error",
            Self::Bust(_) => "order_bust",
        }
    }
}

impl Fault {
    /// The fault's name in records.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Disconnect => "disconnect",
            Self::Freeze { .. } => "freeze",
            Self::Gap => "sequence_gap",
            Self::LateSnapshot { .. } => "late_snapshot",
            Self::RateLimited { .. } => "rate_limited",
            Self::ServerError { .. } => "server_error",
            Self::Pause { .. } => "trading_pause",
            Self::Ticks { .. } => "tick_change",
            Self::Order(fault) => fault.name(),
            Self::Jumbled { .. } => "events_jumbled",
            Self::PrivateSilence { .. } => "private_silence",
            Self::CancelsDenied { .. } => "cancels_denied",
            Self::Restart { .. } => "engine_restart",
            Self::TradingPause { .. } => "exchange_pause",
            Self::ReadLag { .. } => "read_lag",
            Self::NoFunds { .. } => "no_funds",
            Self::Funds(_) => "funds",
            Self::KeyRevoked { .. } => "key_revoked",
            Self::ClockSkew { .. } => "clock_skew",
            Self::Resolve { .. } => "resolve",
        }
    }
}

/// A fault at a venue, at a step of the agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// The step before which it strikes.
    pub step: u64,
    /// Where.
    pub venue: Venue,
    /// What.
    pub fault: Fault,
}

/// Steps a second that the schedule reckons with.
const STEPS_PER_SECOND: u64 = 20;
/// The first fault strikes when clients have had time to connect.
const FIRST_STEP: u64 = 60;
/// From one fault to the next at the same venue, in steps; the last faults of a venue are over by
/// then, so that each one's effect can be told apart.
const SPACING: (i64, i64) = (100, 140);
/// How long a fault lasts, in milliseconds.
const LASTS_MS: (i64, i64) = (800, 2_500);
/// A freeze has to outlast a client's patience to be noticed, but not the next fault.
const FREEZE_MS: (i64, i64) = (3_000, 4_500);
/// The kinds of faults.
const KINDS: usize = 8;

/// Draws a schedule of faults for a run of `steps`. Each venue gets every kind once in random
/// order, then again; the other venue starts half a round apart, so all eight kinds are seen within
/// the first minute at 20 steps a second.
pub fn schedule(seed: u64, steps: u64, world: &World) -> Vec<Scheduled> {
    let mut faults = Vec::new();
    for (purpose, venue) in (0_u64..).zip(Venue::ALL) {
        let mut dice = Dice::stream(seed, 0xfa17 + purpose);
        let offset = dice.between(0, SPACING.0 / 2).unsigned_abs();
        let mut step = FIRST_STEP + offset;
        let mut kinds = Vec::new();
        // The second venue begins with the kinds that the first has in the second half.
        let mut order = shuffled(&mut Dice::stream(seed, 0xfa17));
        if venue == Venue::Polymarket {
            order.rotate_left(KINDS / 2);
        }
        while step <= steps {
            if kinds.is_empty() {
                kinds.clone_from(&order);
            }
            let kind = kinds.remove(0);
            let fault = draw(kind, &mut dice, world.floor(venue));
            faults.push(Scheduled { step, venue, fault });
            step += dice.between(SPACING.0, SPACING.1).unsigned_abs();
        }
    }
    faults.sort_by_key(|scheduled| scheduled.step);
    faults
}

fn shuffled(dice: &mut Dice) -> Vec<usize> {
    let mut kinds: Vec<usize> = (0..KINDS).collect();
    for last in (1..KINDS).rev() {
        kinds.swap(last, dice.index(last + 1));
    }
    kinds
}

fn draw(kind: usize, dice: &mut Dice, floor: &Floor) -> Fault {
    let mut span = |(low, high)| Duration::from_millis(dice.between(low, high).unsigned_abs());
    match kind {
        0 => Fault::Disconnect,
        1 => Fault::Freeze { lasts: span(FREEZE_MS) },
        2 => Fault::Gap,
        3 => Fault::LateSnapshot { lasts: span(LASTS_MS) },
        4 => Fault::RateLimited { lasts: span(LASTS_MS) },
        5 => {
            let lasts = span(LASTS_MS);
            let status = [500, 502, 503, 504][dice.index(4)];
            Fault::ServerError { lasts, status }
        }
        6 => Fault::Pause { lasts: span(LASTS_MS), market: dice.index(floor.listings.len()) },
        _ => {
            let market = dice.index(floor.listings.len());
            let coarse = floor
                .listings
                .get(market)
                .is_some_and(|listing| listing.bands.iter().all(|band| band.step == COARSE));
            // What is coarse becomes fine and the other way round.
            let step = if coarse { FINE } else { COARSE };
            Fault::Ticks { market, bands: vec![Band { start: 0, end: Price::ONE, step }] }
        }
    }
}

/// Whole cents and tenths of a cent.
const COARSE: u16 = 100;
const FINE: u16 = 10;

/// How many steps of the agents a span takes, rounded up.
pub fn steps_of(span: Duration, step_every: Duration) -> u64 {
    let nominal = Duration::from_millis(1_000 / STEPS_PER_SECOND);
    let every = if step_every.is_zero() { nominal } else { step_every };
    u64::try_from(span.as_nanos().div_ceil(every.as_nanos())).unwrap_or(u64::MAX)
}

/// The faults of a run that are still to come, and how many struck.
#[derive(Debug, Default)]
pub struct Script {
    /// Latest first, so that the next one is at the end.
    pending: Vec<Scheduled>,
    struck: BTreeMap<(Venue, &'static str), u64>,
}

impl Script {
    /// Takes a schedule in any order.
    pub fn new(mut faults: Vec<Scheduled>) -> Self {
        faults.sort_by_key(|scheduled| scheduled.step);
        faults.reverse();
        Self { pending: faults, struck: BTreeMap::new() }
    }

    /// The next fault that strikes before `step` or earlier, counted as struck.
    pub fn next_due(&mut self, step: u64) -> Option<Scheduled> {
        let due = self.pending.pop_if(|scheduled| scheduled.step <= step)?;
        *self.struck.entry((due.venue, due.fault.name())).or_insert(0) += 1;
        Some(due)
    }

    /// How often each kind of fault struck each venue.
    pub const fn struck(&self) -> &BTreeMap<(Venue, &'static str), u64> {
        &self.struck
    }
}

mod trading;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_eight_kinds_strike_within_the_first_minute() {
        for seed in 0..50 {
            let world = World::new(1);
            let faults = schedule(seed, 60 * STEPS_PER_SECOND, &world);
            let kinds: BTreeSet<_> = faults.iter().map(|s| s.fault.name()).collect();
            assert_eq!(kinds.len(), KINDS, "seed {seed}: {kinds:?}");
            for venue in Venue::ALL {
                let steps: Vec<u64> =
                    faults.iter().filter(|s| s.venue == venue).map(|s| s.step).collect();
                assert!(steps.windows(2).all(|pair| pair[1] - pair[0] >= 100), "{steps:?}");
            }
        }
    }

    #[test]
    fn every_venue_meets_every_kind_again_and_again() {
        let world = World::new(1);
        let faults = schedule(9, 6_000, &world);
        for venue in Venue::ALL {
            for kind in ["disconnect", "freeze", "sequence_gap", "trading_pause", "tick_change"] {
                let count =
                    faults.iter().filter(|s| s.venue == venue && s.fault.name() == kind).count();
                assert!(count >= 2, "{venue} {kind}: {count}");
            }
        }
        assert_eq!(faults, schedule(9, 6_000, &world));
        assert_ne!(faults, schedule(10, 6_000, &world));
    }

    #[test]
    fn a_script_strikes_in_order_and_counts() {
        let fault = |step| Scheduled { step, venue: Venue::Kalshi, fault: Fault::Gap };
        let mut script = Script::new(vec![fault(9), fault(3)]);
        assert_eq!(script.next_due(2), None);
        assert_eq!(script.next_due(5).map(|due| due.step), Some(3));
        assert_eq!(script.next_due(5), None);
        assert_eq!(script.next_due(9).map(|due| due.step), Some(9));
        assert_eq!(script.struck()[&(Venue::Kalshi, "sequence_gap")], 2);
    }

    #[test]
    fn spans_are_counted_in_whole_steps() {
        let ms = Duration::from_millis;
        assert_eq!(steps_of(ms(2_010), ms(50)), 41);
        assert_eq!(steps_of(ms(100), Duration::ZERO), 2);
    }
}
