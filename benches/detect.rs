//! How long the detector takes for one direction of one pair: a reject at the top of the book, and
//! a full walk.

#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up fails")]

use std::hint::black_box;

use criterion::Criterion;
use crossbook::book::Ladder;
use crossbook::detect::edge::{Fills, Leg, Terms, walk};
use crossbook::domain::{FeeModel, Minimum, Money, Outcome, Price, Quantity, Rate, Side};

/// Ten levels of `step` each from `best` on, as a buyer of the outcome sees them.
fn ladder(outcome: Outcome, best: u16, step: u16, contracts: u32) -> Ladder {
    let side = if outcome == Outcome::Yes { Side::Ask } else { Side::Bid };
    let mut ladder = Ladder::new(side);
    for level in 0..10u16 {
        let own = Price::from_units(best + level * step).unwrap();
        let yes = if outcome == Outcome::Yes { own } else { own.mirror() };
        ladder.set(yes, Quantity::contracts(contracts + 7 * u32::from(level)));
    }
    ladder
}

fn leg(outcome: Outcome, ladder: &Ladder, fee: FeeModel) -> Leg<'_> {
    let minimum = Minimum { quantity: Quantity::contracts(5), notional: Money::ZERO };
    Leg { outcome, ladder, fee, minimum }
}

fn main() {
    let kalshi_fee = FeeModel::kalshi(Rate::parse("0.07").unwrap());
    let polymarket_fee = FeeModel::polymarket(Rate::parse("0.04").unwrap(), 1).unwrap();
    let terms = Terms {
        resolution_risk: Money::from_micros(2_000),
        contracts_max: Quantity::contracts(1_000_000),
        edge_min: Money::ZERO,
        edge_max: Money::from_micros(Money::DOLLAR),
        profit_min: Money::ZERO,
    };
    let mut fills = Fills::default();
    let mut criterion = Criterion::default().configure_from_args();

    // Kalshi YES from 0.42 up, Polymarket NO from 0.57 up: together more than a dollar with fees.
    let (yes, dear) = (ladder(Outcome::Yes, 4_200, 100, 50), ladder(Outcome::No, 5_700, 100, 60));
    let kalshi = leg(Outcome::Yes, &yes, kalshi_fee);
    let polymarket = leg(Outcome::No, &dear, polymarket_fee);
    assert!(walk(&kalshi, &polymarket, &terms, &mut fills).is_err());
    criterion.bench_function("reject at the top of the book", |bencher| {
        bencher.iter(|| {
            walk(black_box(&kalshi), black_box(&polymarket), black_box(&terms), &mut fills)
        });
    });

    // Ten levels of each pay.
    for (name, step) in [("cents", 100), ("tenths of a cent", 10)] {
        let yes = ladder(Outcome::Yes, 3_600, step, 50);
        let cheap = ladder(Outcome::No, 3_801, step, 50);
        let kalshi = leg(Outcome::Yes, &yes, kalshi_fee);
        let polymarket = leg(Outcome::No, &cheap, polymarket_fee);
        walk(&kalshi, &polymarket, &terms, &mut fills).unwrap();
        assert_eq!((fills.kalshi.len(), fills.polymarket.len()), (10, 10));
        criterion.bench_function(&format!("walk of 10 levels a side, {name}"), |bencher| {
            bencher.iter(|| {
                walk(black_box(&kalshi), black_box(&polymarket), black_box(&terms), &mut fills)
            });
        });
    }
    criterion.final_summary();
}
