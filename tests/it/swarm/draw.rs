//! What a seed decides: the markets, the wires, and everything that goes wrong.

use std::fmt;
use std::time::Duration;

use crossbook::domain::market::Band;
use crossbook::domain::{Price, Venue};
use crossbook::exchange::dice::Dice;
use crossbook::exchange::faults::{Fault, OrderFault, Reached, Resolution};

use crate::harness::wire::Millis;

/// How the wires treat calls of the order desk, in cases of a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Odds {
    /// The request never arrives, and nobody says so.
    pub(super) lost: u64,
    /// The request is carried out, and its answer never arrives.
    pub(super) unanswered: u64,
    /// The connection is cut before the request has arrived, and that is seen at once.
    pub(super) cut: u64,
    /// No connection is made: not one byte leaves.
    pub(super) unsent: u64,
    /// The request arrives only after seconds, perhaps when nobody waits for it any more.
    pub(super) late: u64,
}

/// Where a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// At the n-th write of its journal, which was not made.
    BeforeWrite(u64),
    /// At the n-th write of its journal, which was made.
    AfterWrite(u64),
    /// Before its n-th call to a venue goes out.
    BeforeSend(u64),
    /// After its n-th call to a venue went out.
    AfterSend(u64),
}

/// Something that is done to the system.
#[derive(Debug, Clone)]
pub(super) enum Strike {
    /// An exchange has a fault.
    Fault(Venue, Fault),
    /// A person stops new trades, and allows them again after this.
    Halt(Duration),
    /// The journal cannot be written for this long.
    JournalBroken(Duration),
    /// The process ends soon, and starts again after this.
    Crash(End, Duration),
}

#[derive(Debug, Clone)]
pub(super) struct Blow {
    /// From the start of the run.
    pub(super) after: Duration,
    pub(super) strike: Strike,
}

/// One run, whole.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) seed: u64,
    /// Indices of the catalogue. Nothing happens to the last one before the end, so that a trade
    /// in it shows that the machine is well again.
    pub(super) questions: Vec<usize>,
    /// Which of the configurations.
    pub(super) style: usize,
    pub(super) latency: Millis,
    /// How long the floors are busy and things go wrong.
    pub(super) busy: Duration,
    pub(super) odds: Odds,
    pub(super) blows: Vec<Blow>,
    /// How each question ends.
    pub(super) resolutions: Vec<Resolution>,
}

/// How long things go wrong.
const BUSY: Duration = Duration::from_secs(26);
/// Before that, clients connect and books fill.
pub(super) const WARM: Duration = Duration::from_secs(4);

/// Sets of questions of the catalogue: equal and opposite, coarse and fine ticks, with and without
/// a fee, two questions of one event.
const WORLDS: [&[usize]; 6] = [&[0, 4], &[0, 1], &[5], &[4, 5], &[0], &[6, 7]];
/// The question that is left for the end.
const LAST: usize = 2;
/// How many configurations there are.
pub(super) const STYLES: usize = 8;

impl Script {
    pub(super) fn draw(seed: u64) -> Self {
        let mut dice = Dice::stream(seed, 0x5c21);
        let mut questions = WORLDS[dice.index(WORLDS.len())].to_vec();
        let busy = questions.len();
        questions.push(LAST);
        let style = dice.index(STYLES);
        let latency = [(1, 8), (1, 30), (20, 120), (1, 300)][dice.index(4)];
        let odds = match dice.between(0, 9) {
            0..=3 => Odds::default(),
            4..=6 => Odds { lost: 6, unanswered: 10, cut: 5, unsent: 5, late: 6 },
            7..=8 => Odds { lost: 20, unanswered: 40, cut: 15, unsent: 15, late: 20 },
            _ => Odds { lost: 60, unanswered: 100, cut: 40, unsent: 40, late: 60 },
        };
        let count = match dice.between(0, 9) {
            0 => 0,
            1..=6 => dice.between(2, 7),
            _ => dice.between(8, 18),
        };
        let mut blows: Vec<Blow> = (0..count)
            .map(|_| {
                let from = i64::try_from(WARM.as_millis()).unwrap();
                let until = i64::try_from((WARM + BUSY).as_millis()).unwrap() - 5_000;
                let after = Duration::from_millis(dice.between(from, until).unsigned_abs());
                Blow { after, strike: strike(&mut dice, busy) }
            })
            .collect();
        blows.sort_by_key(|blow| blow.after);
        let resolutions = questions.iter().map(|_| resolution(&mut dice)).collect();
        Self { seed, questions, style, latency, busy: BUSY, odds, blows, resolutions }
    }

    /// Whether Kalshi takes a fill back: a person has to look at what is left then.
    pub(super) fn busts(&self) -> bool {
        let is_bust = |blow: &Blow| {
            matches!(blow.strike, Strike::Fault(_, Fault::Order(OrderFault::Bust(_))))
        };
        self.blows.iter().any(is_bust)
    }

    /// A run in which nothing goes wrong.
    pub(super) fn calm(seed: u64) -> Self {
        let script = Self::draw(seed);
        Self { odds: Odds::default(), blows: Vec::new(), ..script }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, questions, style, latency, odds, .. } = self;
        writeln!(f, "seed {seed}: questions {questions:?}, style {style}")?;
        writeln!(f, "  latency {latency:?} ms, {odds:?}")?;
        for Blow { after, strike } in &self.blows {
            writeln!(f, "  {:>6} ms {strike:?}", after.as_millis())?;
        }
        write!(f, "  resolutions {:?}", self.resolutions)
    }
}

fn resolution(dice: &mut Dice) -> Resolution {
    match dice.between(0, 9) {
        0..=3 => Resolution::Yes,
        4..=7 => Resolution::No,
        _ => Resolution::Value(Price::from_units(5_000).unwrap()),
    }
}

fn span(dice: &mut Dice, low_ms: i64, high_ms: i64) -> Duration {
    Duration::from_millis(dice.between(low_ms, high_ms).unsigned_abs())
}

/// What strikes, by weight: orders first, because that is where money is lost.
fn strike(dice: &mut Dice, markets: usize) -> Strike {
    let venue = Venue::ALL[dice.index(2)];
    match dice.between(0, 99) {
        0..=49 => {
            let (venue, fault) = order_fault(dice, venue);
            Strike::Fault(venue, Fault::Order(fault))
        }
        50..=83 => Strike::Fault(venue, fault(dice, markets)),
        84..=87 => Strike::Halt(span(dice, 500, 8_000)),
        88..=90 => Strike::JournalBroken(span(dice, 200, 5_000)),
        _ => {
            let nth = dice.between(1, 6).unsigned_abs();
            let end = match dice.between(0, 3) {
                0 => End::BeforeWrite(nth),
                1 => End::AfterWrite(nth),
                2 => End::BeforeSend(nth),
                _ => End::AfterSend(nth),
            };
            Strike::Crash(end, span(dice, 100, 4_000))
        }
    }
}

fn order_fault(dice: &mut Dice, venue: Venue) -> (Venue, OrderFault) {
    let reached = if dice.chance(600) { Reached::Yes } else { Reached::No };
    let fault = match dice.between(0, 12) {
        0 => OrderFault::Held(reached),
        1 => OrderFault::Cut(reached),
        2 => OrderFault::Failing(reached, [500, 502, 503, 504][dice.index(4)]),
        3 => OrderFault::LateAnswer(span(dice, 200, 9_000)),
        4 => OrderFault::NothingThere,
        5 | 6 => OrderFault::Partly(u8::try_from(dice.between(1, 95)).unwrap()),
        7 => return (Venue::Polymarket, OrderFault::BetterPrice),
        8 => {
            let (lasts, matches) = (span(dice, 200, 4_000), dice.chance(600));
            return (Venue::Polymarket, OrderFault::Delayed { lasts, matches });
        }
        9 => return (Venue::Polymarket, OrderFault::SettlementFails(span(dice, 200, 8_000))),
        10 => return (Venue::Polymarket, OrderFault::SettlesLate(span(dice, 1_000, 15_000))),
        11 => return (Venue::Polymarket, OrderFault::SuccessWithError),
        _ => return (Venue::Kalshi, OrderFault::Bust(span(dice, 500, 8_000))),
    };
    (venue, fault)
}

fn fault(dice: &mut Dice, markets: usize) -> Fault {
    let market = dice.index(markets);
    let lasts = span(dice, 500, 5_000);
    match dice.between(0, 15) {
        0 => Fault::Disconnect,
        1 => Fault::Freeze { lasts },
        2 => Fault::Gap,
        3 => Fault::LateSnapshot { lasts },
        4 => Fault::RateLimited { lasts },
        5 => Fault::ServerError { lasts, status: [500, 502, 503, 504][dice.index(4)] },
        6 => Fault::Pause { lasts, market },
        7 => {
            let step = if dice.chance(500) { 10 } else { 100 };
            Fault::Ticks { market, bands: vec![Band { start: 0, end: Price::ONE, step }] }
        }
        8 => Fault::Jumbled { lasts },
        9 => Fault::PrivateSilence { lasts },
        10 => Fault::CancelsDenied { lasts },
        11 => Fault::Restart { away: span(dice, 300, 3_000), post_only: span(dice, 0, 3_000) },
        12 => Fault::TradingPause { lasts },
        13 => Fault::ReadLag { behind: span(dice, 200, 6_000), lasts: span(dice, 500, 10_000) },
        14 => Fault::NoFunds { lasts },
        _ => match dice.between(0, 3) {
            0 => Fault::KeyRevoked { lasts },
            _ => Fault::ClockSkew { ms: dice.between(-4_000, 4_000), lasts },
        },
    }
}
