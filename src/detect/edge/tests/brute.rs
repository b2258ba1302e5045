//! The walk against brute force: every quantity of whole lots, in exact integers, with none of the
//! crate's arithmetic.

use proptest::prelude::*;

use super::*;

const CONTRACT: i128 = 1_000_000;
const LOTS: i128 = 10_000;
const PRODUCT_PER_MICRO: i128 = 10_000;
const CENT: i128 = 100_000_000;

type Levels = Vec<(i128, i128)>;

fn ceil(numerator: i128, denominator: i128) -> i128 {
    numerator.div_euclid(denominator) + i128::from(numerator.rem_euclid(denominator) > 0)
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Fee {
    pub(super) rate: i128,
    pub(super) exponent: u8,
    pub(super) grain: i128,
}

impl Fee {
    /// Exact, as numerator and denominator of micro-dollars.
    fn exact(self, (price, units): (i128, i128)) -> (i128, i128) {
        let spread = price * (10_000 - price);
        let mut numerator = self.rate * units;
        let mut denominator = CONTRACT;
        for _ in 0..self.exponent {
            numerator *= spread;
            denominator *= 100_000_000;
        }
        (numerator, denominator)
    }

    fn rounded(self, fill: (i128, i128)) -> i128 {
        let (numerator, denominator) = self.exact(fill);
        ceil(numerator, denominator * self.grain) * self.grain
    }

    pub(super) fn model(self) -> FeeModel {
        let rate = Rate::from_millionths(u32::try_from(self.rate).unwrap()).unwrap();
        if self.grain == 100 {
            FeeModel::kalshi(rate)
        } else {
            FeeModel::polymarket(rate, self.exponent).unwrap()
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) kalshi: Levels,
    pub(super) polymarket: Levels,
    pub(super) fees: [Fee; 2],
    pub(super) risk: i128,
    pub(super) cap: i128,
    pub(super) kalshi_buys: Outcome,
}

fn units(levels: &Levels) -> i128 {
    levels.iter().map(|level| level.1).sum()
}

/// What the first `units` of a ladder are, fill by fill.
fn first(levels: &Levels, mut units: i128) -> Levels {
    let mut fills = Vec::new();
    for (price, held) in levels {
        let taken = units.min(*held);
        if taken > 0 {
            fills.push((*price, taken));
        }
        units -= taken;
    }
    fills
}

/// What a collateral of so many cents buys, to the millionth of a share, when each fill is paid to
/// the full micro-dollar.
fn bought(levels: &Levels, cents: i128) -> Levels {
    let (mut left, mut fills) = (cents * CENT, Vec::new());
    for (price, held) in levels {
        let taken = (left.max(0) / price).min(*held);
        if taken > 0 {
            fills.push((*price, taken));
        }
        left -= ceil(taken * price, PRODUCT_PER_MICRO) * PRODUCT_PER_MICRO;
        if taken < *held {
            break;
        }
    }
    fills
}

fn product(fills: &Levels) -> i128 {
    fills.iter().map(|(price, units)| price * units).sum()
}

/// What these fills leave, in micro-dollars, for `units` matched contracts.
fn profit(problem: &Problem, kalshi: &Levels, polymarket: &Levels) -> i128 {
    let spent = |fills: &Levels, fee: Fee| -> i128 {
        fills.iter().map(|fill| ceil(fill.0 * fill.1, PRODUCT_PER_MICRO) + fee.rounded(*fill)).sum()
    };
    let matched = units(kalshi);
    matched
        - spent(kalshi, problem.fees[0])
        - spent(polymarket, problem.fees[1])
        - ceil(problem.risk * matched, CONTRACT)
}

/// What a share of each contract leaves at these prices, exactly, in parts of 1e-22 micro-dollars
/// per unit.
fn margin(problem: &Problem, kalshi: i128, polymarket: i128) -> i128 {
    const PART: i128 = 10_000_000_000_000_000_000_000;
    let fee = |at: usize, price: i128| {
        let (numerator, denominator) = problem.fees[at].exact((price, 1));
        numerator * (PART / denominator)
    };
    (10_000 - kalshi - polymarket) * (PART / PRODUCT_PER_MICRO)
        - fee(0, kalshi)
        - fee(1, polymarket)
        - problem.risk * (PART / CONTRACT)
}

/// How many units can be had before a share of each contract stops paying.
fn paying(problem: &Problem) -> i128 {
    let mut most = 0;
    for (at, (polymarket, _)) in problem.polymarket.iter().enumerate() {
        let worth = |level: &&(i128, i128)| margin(problem, level.0, *polymarket) > 0;
        let kalshi: i128 = problem.kalshi.iter().take_while(worth).map(|level| level.1).sum();
        let reached: i128 = problem.polymarket[..=at].iter().map(|level| level.1).sum();
        most = most.max(kalshi.min(reached));
    }
    most
}

/// The best of all quantities of whole lots that need no more than `depth` of either ladder: its
/// profit and how many levels of each leg it uses.
fn best(problem: &Problem, depth: i128) -> (i128, i128, i128) {
    let most = product(&first(&problem.polymarket, depth)) / CENT;
    let mut best = (0, 0, 0);
    for lots in 1..=depth / LOTS {
        let mut cents = ceil(product(&first(&problem.polymarket, lots * LOTS)), CENT);
        if units(&bought(&problem.polymarket, cents)) < lots * LOTS {
            cents += 1;
        }
        if cents > most {
            break;
        }
        let kalshi = first(&problem.kalshi, lots * LOTS);
        let polymarket = bought(&problem.polymarket, cents);
        let found = profit(problem, &kalshi, &polymarket);
        if found > best.0 {
            best = (found, kalshi.len() as i128, polymarket.len() as i128);
        }
    }
    best
}

/// What the first lot, or the first cent's worth of shares where that is more, leaves.
fn grain(problem: &Problem) -> i128 {
    let (kalshi, polymarket) = (problem.kalshi[0].0, problem.polymarket[0].0);
    let grain = LOTS.max(CENT / polymarket);
    let (kn, kd) = problem.fees[0].exact((kalshi, grain));
    let (pn, pd) = problem.fees[1].exact((polymarket, grain));
    let gross = (10_000 - kalshi - polymarket) * grain / PRODUCT_PER_MICRO;
    (gross - kn / kd - pn / pd - problem.risk * grain / CONTRACT).max(0) + 1
}

fn ladder(outcome: Outcome, levels: &Levels) -> Ladder {
    let side = if outcome == Outcome::Yes { Side::Ask } else { Side::Bid };
    let mut ladder = Ladder::new(side);
    for (price, units) in levels {
        let own = Price::from_units(u16::try_from(*price).unwrap()).unwrap();
        let yes = if outcome == Outcome::Yes { own } else { own.mirror() };
        ladder.set(yes, Quantity::from_units(i64::try_from(*units).unwrap()).unwrap());
    }
    ladder
}

pub(super) fn walked(problem: &Problem, terms: &Terms, fills: &mut Fills) -> Result<Edge, NoEdge> {
    let outcomes = [problem.kalshi_buys, problem.kalshi_buys.other()];
    let kalshi = ladder(outcomes[0], &problem.kalshi);
    let polymarket = ladder(outcomes[1], &problem.polymarket);
    let leg = |at: usize, ladder| Leg {
        outcome: outcomes[at],
        ladder,
        fee: problem.fees[at].model(),
        minimum: LOT,
    };
    walk(&leg(0, &kalshi), &leg(1, &polymarket), terms, fills)
}

pub(super) fn open_terms(problem: &Problem) -> Terms {
    Terms {
        resolution_risk: Money::from_micros(i64::try_from(problem.risk).unwrap()),
        contracts_max: Quantity::from_units(i64::try_from(problem.cap).unwrap()).unwrap(),
        ..terms()
    }
}

/// Levels whose prices begin at `start` and go up by `step`s of the tick.
fn levels(tick: u16, unit: i128) -> impl Strategy<Value = Levels> {
    let start = 300u16..7_000;
    (start, prop::collection::vec((1u16..4, 1i128..700), 1..5)).prop_map(move |(start, steps)| {
        let mut price = start / tick * tick;
        let mut levels = Levels::new();
        for (step, count) in steps {
            price += step * tick;
            levels.push((i128::from(price), count * LOTS + (count * 7_919) % LOTS / unit * unit));
        }
        levels
    })
}

/// The second ladder is moved to where both together cost about a dollar less a little.
fn problem() -> impl Strategy<Value = Problem> {
    let tick = prop::sample::select(vec![100u16, 100, 10, 1]);
    (tick, prop::sample::select(vec![LOTS, 100, 1])).prop_flat_map(|(tick, unit)| {
        (
            levels(tick, LOTS),
            levels(tick, unit),
            -200i128..900,
            prop::sample::select(vec![0i128, 35_000, 70_000]),
            prop::sample::select(vec![(0i128, 1u8), (40_000, 1), (50_000, 2), (20_000, 0)]),
            prop::sample::select(vec![0i128, 2_000, 1_234]),
            prop::sample::select(vec![1_000_000_000i128, 3_141_592, 5_000_000]),
            prop::bool::ANY,
        )
            .prop_map(
                move |(kalshi, mut polymarket, gap, k, (p, exponent), risk, cap, yes)| {
                    let tick = i128::from(tick);
                    let wanted = (10_000 - kalshi[0].0 - gap) / tick * tick;
                    let shift = wanted.clamp(tick, 9_000) - polymarket[0].0;
                    polymarket.iter_mut().for_each(|level| level.0 += shift);
                    let fees = [
                        Fee { rate: k, exponent: 1, grain: 100 },
                        Fee { rate: p, exponent, grain: 10 },
                    ];
                    let kalshi_buys = if yes { Outcome::Yes } else { Outcome::No };
                    Problem { kalshi, polymarket, fees, risk, cap, kalshi_buys }
                },
            )
    })
}

fn plain(fills: &[(Price, Quantity)]) -> Levels {
    fills.iter().map(|(p, q)| (i128::from(p.units()), i128::from(q.units()))).collect()
}

/// Whether every figure follows from the fills, and the fills from the ladders.
fn assert_recomputes(problem: &Problem, edge: &Edge, fills: &Fills) -> Result<(), TestCaseError> {
    let (kalshi, polymarket) = (plain(&fills.kalshi), plain(&fills.polymarket));
    let matched = i128::from(edge.quantity.units());
    prop_assert_eq!(units(&kalshi), matched);
    prop_assert_eq!(&kalshi, &first(&problem.kalshi, matched), "cheapest first on kalshi");
    let shares = units(&polymarket);
    prop_assert_eq!(&polymarket, &first(&problem.polymarket, shares), "and on polymarket");
    prop_assert_eq!(matched % LOTS, 0);
    prop_assert!((0..LOTS).contains(&(shares - matched)), "{} for {}", shares, matched);
    let micros = |money: Money| i128::from(money.micros());
    let cost = |fills: &Levels| -> i128 {
        fills.iter().map(|fill| ceil(fill.0 * fill.1, PRODUCT_PER_MICRO)).sum()
    };
    let fee =
        |fills: &Levels, fee: Fee| -> i128 { fills.iter().map(|fill| fee.rounded(*fill)).sum() };
    prop_assert_eq!(micros(edge.kalshi.cost), cost(&kalshi));
    prop_assert_eq!(micros(edge.polymarket.cost), cost(&polymarket));
    prop_assert_eq!(micros(edge.kalshi.fee), fee(&kalshi, problem.fees[0]));
    prop_assert_eq!(micros(edge.polymarket.fee), fee(&polymarket, problem.fees[1]));
    prop_assert_eq!(edge.cost, edge.kalshi.cost + edge.polymarket.cost);
    prop_assert_eq!(edge.fees, edge.kalshi.fee + edge.polymarket.fee);
    prop_assert_eq!(micros(edge.payout), matched);
    prop_assert_eq!(micros(edge.profit), profit(problem, &kalshi, &polymarket));
    prop_assert_eq!(micros(edge.edge), (micros(edge.profit) * CONTRACT).div_euclid(matched));
    prop_assert_eq!(i128::from(edge.kalshi.limit.units()), kalshi.last().unwrap().0);
    prop_assert_eq!(i128::from(edge.polymarket.limit.units()), polymarket.last().unwrap().0);
    // What is spent is whole cents, but for what is finer than the last millionth of a share.
    let short = ceil(product(&polymarket), CENT) * CENT - product(&polymarket);
    let slack =
        edge.polymarket.limit.units() as i128 + PRODUCT_PER_MICRO * polymarket.len() as i128;
    prop_assert!(short <= slack, "{} short of a whole cent", short);
    prop_assert!(cost(&polymarket) * PRODUCT_PER_MICRO <= ceil(product(&polymarket), CENT) * CENT);
    Ok(())
}

/// The profit without any rounding of fees and costs is not below the one reported.
fn assert_honest(problem: &Problem, edge: &Edge, fills: &Fills) -> Result<(), TestCaseError> {
    /// Every fee is a whole number of these parts of a micro-dollar.
    const SCALE: i128 = 10_000_000_000_000_000_000_000;
    let exact = |fills: &Levels, fee: Fee| -> i128 {
        let each = |fill: &(i128, i128)| {
            let (numerator, denominator) = fee.exact(*fill);
            fill.0 * fill.1 * (SCALE / PRODUCT_PER_MICRO) + numerator * (SCALE / denominator)
        };
        fills.iter().map(each).sum()
    };
    let matched = i128::from(edge.quantity.units());
    let spent = exact(&plain(&fills.kalshi), problem.fees[0])
        + exact(&plain(&fills.polymarket), problem.fees[1]);
    let truth = matched * SCALE - spent - problem.risk * matched * SCALE / CONTRACT;
    prop_assert!(truth > 0, "a loss is no edge");
    prop_assert!(i128::from(edge.profit.micros()) * SCALE <= truth, "rounded in our favour");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn the_walk_trails_the_best_of_all_quantities_by_no_more_than_rounding(problem in problem()) {
        let mut fills = Fills::default();
        let found = walked(&problem, &open_terms(&problem), &mut fills);
        let depth = units(&problem.kalshi).min(units(&problem.polymarket)).min(problem.cap);
        let (most, k_levels, p_levels) = best(&problem, depth.min(paying(&problem)));
        let slack = match &found {
            Ok(edge) => {
                assert_recomputes(&problem, edge, &fills)?;
                assert_honest(&problem, edge, &fills)?;
                let used = |own: usize, other: i128| other.max(own as i128);
                100 * used(fills.kalshi.len(), k_levels)
                    + 10 * used(fills.polymarket.len(), p_levels)
            }
            Err(_) => 100 * k_levels + 10 * p_levels,
        };
        let ours = found.map_or(0, |edge| i128::from(edge.profit.micros()));
        let bound = slack + grain(&problem);
        prop_assert!(most - ours <= bound, "best {most}, ours {ours}, at most {bound} less");
        let (most, k_levels, p_levels) = best(&problem, depth);
        let bound = 100 * k_levels + 10 * p_levels + grain(&problem) + LOTS;
        prop_assert!(most - ours <= bound, "any level: {most}, ours {ours}, at most {bound} less");
    }

    #[test]
    fn more_depth_never_lowers_the_profit_by_more_than_a_lot_and_rounding(
        problem in problem(), deeper in 0usize..5, kalshi in any::<bool>(), lots in 1i128..900,
    ) {
        let mut fills = Fills::default();
        let before = walked(&problem, &open_terms(&problem), &mut fills);
        let mut richer = problem.clone();
        let levels = if kalshi { &mut richer.kalshi } else { &mut richer.polymarket };
        let at = deeper % levels.len();
        levels[at].1 += lots * LOTS;
        let after = walked(&richer, &open_terms(&richer), &mut fills);
        let profit =
            |found: Result<Edge, NoEdge>| found.map_or(0, |e| i128::from(e.profit.micros()));
        let bound = 110 * 5 + grain(&problem) + LOTS;
        prop_assert!(profit(after) + bound >= profit(before));
    }
}
