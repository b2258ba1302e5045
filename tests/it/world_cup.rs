//! The World Cup session of 2026-07-04: both venues' top of book on one clock, driven through the
//! walk as books of one level, against a calculation that shares none of its arithmetic.
//!
//! Fees of that day: Kalshi 0.07, Polymarket sports 0.03 with an exponent of one. Minimums: 0.01
//! contract on Kalshi; five shares and one dollar on Polymarket.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use crossbook::book::Ladder;
use crossbook::detect::NoEdge;
use crossbook::detect::edge::{Fills, Leg, Terms, walk};
use crossbook::domain::{FeeModel, Minimum, Money, Outcome, Price, Quantity, Rate, Side};
use flate2::read::GzDecoder;
use serde_json::Value;

const FILE: &str = "cross_venue/worldcup_paraguay_france.jsonl.gz";

/// One side of one venue: price in tenths of a cent, size in millionths.
type Top = Option<(i128, i128)>;

#[derive(Clone, Copy, Default)]
struct Quote {
    bid: Top,
    ask: Top,
}

impl Quote {
    /// What a buyer of NO is offered.
    fn no(self) -> Top {
        self.bid.map(|(price, size)| (1_000 - price, size))
    }
}

/// A decimal text as an integer with so many decimals.
fn scaled(text: &str, decimals: usize) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    assert!(part.len() <= decimals, "{text}");
    format!("{whole}{part:0<decimals$}").parse().unwrap()
}

fn top(row: &Value, price: &str, size: &str) -> Top {
    let price = row[price].as_number()?.to_string();
    Some((scaled(&price, 1), scaled(row[size].as_str().unwrap(), 6)))
}

/// Both venues' quotes at each time of each pair.
fn session(path: PathBuf) -> Vec<[Quote; 2]> {
    let mut quotes: BTreeMap<(i64, String), [Option<Quote>; 2]> = BTreeMap::new();
    for line in BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines() {
        let row: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let key = (row["ts"].as_i64().unwrap(), row["pair"].as_str().unwrap().to_owned());
        let venue = usize::from(row["venue"] == "polymarket");
        let quote = Quote { bid: top(&row, "bid", "bid_sz"), ask: top(&row, "ask", "ask_sz") };
        quotes.entry(key).or_default()[venue] = Some(quote);
    }
    quotes
        .into_values()
        .map(|[kalshi, polymarket]| [kalshi.unwrap(), polymarket.unwrap()])
        .collect()
}

/// What was found: lots, and micro-dollars of profit.
type Found = Result<(i128, i128), &'static str>;

fn up(numerator: i128, denominator: i128) -> i128 {
    (numerator + denominator - 1) / denominator
}

/// The other calculation: of the largest quantity that whole cents buy and the thousand lots below
/// it, the one that leaves most before fees are rounded; then what it leaves after.
fn expected(kalshi: Top, polymarket: Top, cap: i128) -> Found {
    let (Some((k, k_size)), Some((p, p_size))) = (kalshi, polymarket) else {
        return Err("no_depth");
    };
    // In 1e-10 dollars: what a lot leaves but for Polymarket, and what a cent of collateral costs.
    let lot = 100_000_000 - k * 100_000 - 7 * k * (1_000 - k);
    let cent = 100_000_000 + 3_000 * (1_000 - p);
    if lot * 1_000 <= cent * p {
        return Err("below_threshold");
    }
    let cents = k_size.min(p_size).min(cap) * p / 10_000_000;
    let most = cents * 10_000_000 / p / 10_000;
    let leaves = |lots: i128| lots * lot - up(lots * p, 1_000) * cent;
    let taken = |lots: &i128| *lots >= 500 && lots * p * 10 >= 1_000_000;
    let tried = (most - 1_000..=most).filter(taken);
    let Some(lots) = tried.max_by_key(|lots| leaves(*lots)) else {
        return Err("below_minimum");
    };
    let cents = up(lots * p, 1_000);
    let shares = cents * 10_000_000 / p;
    let k_fee = up(7 * lots * k * (1_000 - k), 1_000_000) * 100;
    let p_fee = up(3 * shares * p * (1_000 - p), 1_000_000_000) * 10;
    let cost = lots * k * 10 + up(shares * p, 1_000);
    let profit = lots * 10_000 - cost - k_fee - p_fee;
    if profit > 0 { Ok((lots, profit)) } else { Err("below_threshold") }
}

fn ladder(side: Side, top: Top) -> Ladder {
    let mut ladder = Ladder::new(side);
    if let Some((tenths, size)) = top {
        let price = Price::from_units(u16::try_from(tenths * 10).unwrap()).unwrap();
        ladder.set(price, Quantity::from_units(i64::try_from(size).unwrap()).unwrap());
    }
    ladder
}

fn walked(quotes: &[Quote; 2], kalshi: Outcome, cap: Quantity, fills: &mut Fills) -> Found {
    let offers = |quote: &Quote, outcome| match outcome {
        Outcome::Yes => ladder(Side::Ask, quote.ask),
        Outcome::No => ladder(Side::Bid, quote.bid),
    };
    let ladders = [offers(&quotes[0], kalshi), offers(&quotes[1], kalshi.other())];
    let shares =
        Minimum { quantity: Quantity::contracts(5), notional: Money::from_micros(Money::DOLLAR) };
    let lot =
        Minimum { quantity: Quantity::from_units(Quantity::LOT).unwrap(), notional: Money::ZERO };
    let legs = [
        Leg {
            outcome: kalshi,
            ladder: &ladders[0],
            fee: FeeModel::kalshi(Rate::parse("0.07").unwrap()),
            minimum: lot,
        },
        Leg {
            outcome: kalshi.other(),
            ladder: &ladders[1],
            fee: FeeModel::polymarket(Rate::parse("0.03").unwrap(), 1).unwrap(),
            minimum: shares,
        },
    ];
    let terms = Terms {
        resolution_risk: Money::ZERO,
        contracts_max: cap,
        edge_min: Money::ZERO,
        edge_max: Money::from_micros(Money::DOLLAR),
        profit_min: Money::ZERO,
    };
    walk(&legs[0], &legs[1], &terms, fills)
        .map(|edge| {
            (i128::from(edge.quantity.units() / Quantity::LOT), i128::from(edge.profit.micros()))
        })
        .map_err(NoEdge::name)
}

#[test]
fn world_cup_edges_equal_an_independent_calculation() {
    let Some(folder) = std::env::var_os("CROSSBOOK_DATA") else {
        println!("skipped: CROSSBOOK_DATA is not set");
        return;
    };
    let session = session(PathBuf::from(folder).join(FILE));
    assert_eq!(session.len(), 5_336);
    for cap in [Quantity::contracts(1_000), Quantity::MAX] {
        let (mut fills, mut seen) = (Fills::default(), BTreeMap::<&str, u32>::new());
        let (mut lots, mut profit) = (0, 0);
        for (at, quotes) in session.iter().enumerate() {
            let [kalshi, polymarket] = *quotes;
            for (outcome, tops) in [
                (Outcome::Yes, (kalshi.ask, polymarket.no())),
                (Outcome::No, (kalshi.no(), polymarket.ask)),
            ] {
                let ours = walked(quotes, outcome, cap, &mut fills);
                let theirs = expected(tops.0, tops.1, i128::from(cap.units()));
                assert_eq!(ours, theirs, "quote {at}, {outcome} on kalshi: {tops:?}");
                *seen.entry(theirs.map_or_else(|name| name, |_| "edge")).or_default() += 1;
                if let Ok(found) = ours {
                    (lots, profit) = (lots + found.0, profit + found.1);
                }
            }
        }
        println!("up to {cap}: {seen:?}, {lots} lots, {profit} micro-dollars");
        assert!(seen["edge"] > 100, "the session holds edges: {seen:?}");
    }
}
