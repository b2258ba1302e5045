//! What a seed decides: the markets, the wires, and everything that goes wrong.

use std::fmt;
use std::time::Duration;

use crossbook::domain::market::Band;
use crossbook::domain::{Money, Price, Venue};
use crossbook::exchange::catalogue::Relation;
use crossbook::exchange::dice::Dice;
use crossbook::exchange::faults::{Fault, OrderFault, Reached, Resolution};
use crossbook::exchange::funds::{Flow, Transfer};
use crossbook::exchange::kalshi::keys::Kind;

use crate::harness::at;
use crate::harness::wire::Millis;

use super::process;

/// How the wires treat calls of the order desk, in cases of a thousand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
    /// The same, and the process that then starts ends early too.
    CrashTwice(End, Duration, End),
    /// A person wants out of everything for so many dollars at most, ends the process after this,
    /// starts it again and lifts the halt.
    Flatten(u8, Duration),
    /// A person has nothing more sent, ends the process after this, starts it again and lifts the
    /// halt.
    Kill(Duration),
    /// A person cancels our own orders, at one venue or both.
    CancelOwn(Option<Venue>),
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
    /// How each question ends, at Kalshi and at Polymarket.
    pub(super) resolutions: Vec<[Resolution; 2]>,
    /// What kind of key Kalshi knows us by.
    pub(super) key: Kind,
    /// What kind of wallet holds our money at Polymarket.
    pub(super) wallet: Purse,
}

/// What holds the money at Polymarket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purse {
    /// The key's own account.
    Own,
    /// A deposit wallet, which has signatures of its own.
    Deposit,
}

/// How long things go wrong.
const BUSY: Duration = Duration::from_secs(26);
/// Before that, clients connect and books fill.
pub(super) const WARM: Duration = Duration::from_secs(4);

/// How long after it moved money may be listed.
const LISTED_MAX: Duration = Duration::from_secs(40);
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
        let resolutions: Vec<_> =
            questions.iter().map(|question| resolution(&mut dice, *question)).collect();
        for (market, resolution) in resolutions.iter().enumerate().take(busy) {
            if dice.chance(180) {
                blows.extend(ending(&mut dice, market, resolution));
            }
        }
        blows.extend(movements(seed));
        blows.sort_by_key(|blow| blow.after);
        let key = if dice.chance(120) { Kind::Rsa } else { Kind::Ed25519 };
        let wallet = if dice.chance(250) { Purse::Deposit } else { Purse::Own };
        Self { seed, questions, style, latency, busy: BUSY, odds, blows, resolutions, key, wallet }
    }

    /// Whether a question pays otherwise at one venue than at the other.
    pub(super) fn diverges(&self, market: usize) -> bool {
        let [kalshi, polymarket] = self.resolutions[market];
        mirrored(polymarket, self.questions[market]) != kalshi
    }

    /// Whether a question pays otherwise than a plan has it, at one venue or at both.
    pub(super) fn is_odd(&self, market: usize) -> bool {
        let is_value = |one: &Resolution| matches!(one, Resolution::Value(_));
        self.diverges(market) || self.resolutions[market].iter().any(is_value)
    }

    /// How long the last of what was matched may take to settle.
    pub(super) fn settles_last(&self) -> Duration {
        let of = |blow: &Blow| match blow.strike {
            Strike::Fault(
                _,
                Fault::Order(OrderFault::SettlementFails(span) | OrderFault::SettlesLate(span)),
            ) => span,
            _ => Duration::ZERO,
        };
        self.blows.iter().map(of).max().unwrap_or_default()
    }

    /// When, from the start, the last of what moves without a trade is listed.
    pub(super) fn listed_last(&self) -> Duration {
        let of = |blow: &Blow| match blow.strike {
            Strike::Fault(_, Fault::Funds(transfer)) => blow.after + transfer.after,
            _ => Duration::ZERO,
        };
        self.blows.iter().map(of).max().unwrap_or_default()
    }

    /// Whether Kalshi may take a fill back.
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
        let Self { seed, questions, style, latency, odds, key, wallet, .. } = self;
        writeln!(f, "seed {seed}: questions {questions:?}, style {style}, {key:?}, {wallet:?}")?;
        writeln!(f, "  latency {latency:?} ms, {odds:?}")?;
        for Blow { after, strike } in &self.blows {
            writeln!(f, "  {:>6} ms {strike:?}", after.as_millis())?;
        }
        write!(f, "  resolutions {:?}", self.resolutions)
    }
}

/// How a question ends: as a rule both venues agree, now and then they do not.
fn resolution(dice: &mut Dice, question: usize) -> [Resolution; 2] {
    let half = Resolution::Value(Price::from_units(5_000).unwrap());
    let one = |dice: &mut Dice| match dice.between(0, 9) {
        0..=3 => Resolution::Yes,
        4..=7 => Resolution::No,
        _ => half,
    };
    let kalshi = one(dice);
    match dice.between(0, 99) {
        0..=79 => [kalshi, mirrored(kalshi, question)],
        80..=86 => [kalshi, mirrored(opposite(kalshi), question)],
        87..=92 => [kalshi, half],
        _ => {
            let last = u16::try_from(dice.between(100, 9_900)).unwrap();
            let last = Resolution::Value(Price::from_units(last).unwrap());
            [last, one(dice)]
        }
    }
}

/// What Polymarket's contract pays where Kalshi's pays this, or the other way round.
fn mirrored(resolution: Resolution, question: usize) -> Resolution {
    match process::pairs()[question].relation {
        Relation::Same => resolution,
        Relation::Opposite => opposite(resolution),
    }
}

const fn opposite(resolution: Resolution) -> Resolution {
    match resolution {
        Resolution::Yes => Resolution::No,
        Resolution::No => Resolution::Yes,
        Resolution::Value(price) => Resolution::Value(price.mirror()),
    }
}

/// A question that ends while it is traded, at one venue before the other.
fn ending(dice: &mut Dice, market: usize, resolutions: &[Resolution; 2]) -> [Blow; 2] {
    let first = span(dice, 12_000, 28_000);
    let later = span(dice, 0, 9_000);
    let is_kalshi = dice.chance(500);
    let mut blow = |venue: Venue, is_first: bool| {
        let resolution = resolutions[at(venue)];
        let pays_after = span(dice, 300, 12_000);
        let fault = Fault::Resolve { market, resolution, pays_after };
        let after = if is_first { first } else { first + later };
        Blow { after, strike: Strike::Fault(venue, fault) }
    };
    [blow(Venue::Kalshi, is_kalshi), blow(Venue::Polymarket, !is_kalshi)]
}

/// A person pays in or takes out, and Polymarket pays rebates and yield. Kalshi's interest is on
/// no list, and would be unexplained. Not in the first seconds, in which the opening balance is
/// read: whether that has it already, nobody can tell. And not a cent, which no reading looks into.
fn movements(seed: u64) -> Vec<Blow> {
    let mut dice = Dice::stream(seed, 0x0d01);
    let count = if dice.chance(350) { dice.between(1, 3) } else { 0 };
    let one = |_| {
        let venue = Venue::ALL[dice.index(2)];
        let flow = match (venue, dice.index(4)) {
            (_, 0) | (Venue::Kalshi, 2) => Flow::Deposit,
            (_, 1) | (Venue::Kalshi, _) => Flow::Withdrawal,
            (Venue::Polymarket, 2) => Flow::Interest,
            (Venue::Polymarket, _) => Flow::Rebate,
        };
        let cents = match flow {
            Flow::Deposit | Flow::Withdrawal => dice.between(2, 15_000),
            Flow::Interest | Flow::Rebate => dice.between(2, 300),
        };
        let fee = if dice.chance(300) { dice.between(2, 300) } else { 0 };
        let dollars = |cents: i64| Money::from_micros(cents * 10_000);
        let after = span(&mut dice, 0, i64::try_from(LISTED_MAX.as_millis()).unwrap());
        let transfer = Transfer { flow, amount: dollars(cents), fee: dollars(fee), after };
        let strike = Strike::Fault(venue, Fault::Funds(transfer));
        Blow { after: span(&mut dice, 3_000, 30_000), strike }
    };
    (0..count).map(one).collect()
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
        50..=83 => match fault(dice, markets) {
            // Kalshi knows no such restart.
            fault @ Fault::Restart { .. } => Strike::Fault(Venue::Polymarket, fault),
            fault => Strike::Fault(venue, fault),
        },
        84..=86 => Strike::Halt(span(dice, 500, 8_000)),
        87..=88 => Strike::JournalBroken(span(dice, 200, 5_000)),
        89 => {
            let most = u8::try_from(dice.between(0, 12)).unwrap();
            Strike::Flatten(most, span(dice, 1_000, 9_000))
        }
        90 => Strike::Kill(span(dice, 200, 6_000)),
        91 => {
            Strike::CancelOwn([None, Some(Venue::Kalshi), Some(Venue::Polymarket)][dice.index(3)])
        }
        _ => {
            let (end, away) = (end(dice, 6), span(dice, 100, 4_000));
            if dice.chance(350) {
                Strike::CrashTwice(end, away, self::end(dice, 9))
            } else {
                Strike::Crash(end, away)
            }
        }
    }
}

fn end(dice: &mut Dice, most: i64) -> End {
    let nth = dice.between(1, most).unsigned_abs();
    match dice.between(0, 3) {
        0 => End::BeforeWrite(nth),
        1 => End::AfterWrite(nth),
        2 => End::BeforeSend(nth),
        _ => End::AfterSend(nth),
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
        9 => {
            // Virtual time is cheap: some fail only after minutes.
            let most = if dice.chance(150) { 240_000 } else { 8_000 };
            return (Venue::Polymarket, OrderFault::SettlementFails(span(dice, 200, most)));
        }
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
            // So far off that no request is accepted any more.
            1 => {
                let ms = dice.between(20_000, 90_000);
                Fault::ClockSkew { ms: if dice.chance(500) { ms } else { -ms }, lasts }
            }
            _ => Fault::ClockSkew { ms: dice.between(-4_000, 4_000), lasts },
        },
    }
}
