//! How long a record takes: put into the queue, and until it is durable.

#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up fails")]

use std::hint::black_box;

use criterion::Criterion;
use crossbook::domain::{
    Action, IntentId, Lifetime, MarketIndex, Order, OrderId, Outcome, Price, Purpose, Quantity,
    Size, Timestamp, TradeId, Venue,
};
use crossbook::execute::Record;
use crossbook::journal::{Durability, Journal};

/// What stands between a decision and its request: the order and its name at the venue.
fn pair() -> [Record; 2] {
    let order = Order {
        intent: IntentId(7),
        trade: TradeId(3),
        venue: Venue::Kalshi,
        market: MarketIndex(0),
        outcome: Outcome::Yes,
        action: Action::Buy,
        limit: Price::from_units(4_300).unwrap(),
        size: Size::Contracts(Quantity::contracts(120)),
        lifetime: Lifetime::Immediate,
        purpose: Purpose::Enter,
        at: Timestamp::from_secs(1_795_341_600),
    };
    let id = OrderId("5a4c9f0e-8a45-8d3f-a8a1-0123456789ab".to_owned());
    [Record::Placed(order), Record::Named { intent: IntentId(7), id }]
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for durability in [Durability::Process, Durability::Power] {
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(&folder.path().join("journal.db"), durability).unwrap();
        journal.learn(MarketIndex(0), Venue::Kalshi, "KXFEDDECISION-26DEC-H0");
        let pair = pair();
        let name = durability.name();
        criterion.bench_function(&format!("commit an order and its name, {name}"), |bencher| {
            bencher.iter(|| journal.commit(black_box(&pair)).unwrap());
        });
        // In stretches with a commit at the end, so that the writer keeps up.
        criterion.bench_function(&format!("append 100 times, then commit, {name}"), |bencher| {
            bencher.iter(|| {
                for _ in 0..100 {
                    journal.append(black_box(&pair)).unwrap();
                }
                journal.commit(&[]).unwrap();
            });
        });
        criterion.bench_function(&format!("append alone, {name}"), |bencher| {
            bencher.iter_custom(|rounds| {
                let mut taken = std::time::Duration::ZERO;
                for round in 1..=rounds {
                    let start = std::time::Instant::now();
                    journal.append(black_box(&pair)).unwrap();
                    taken += start.elapsed();
                    if round % 1_000 == 0 {
                        journal.commit(&[]).unwrap();
                    }
                }
                journal.commit(&[]).unwrap();
                taken
            });
        });
    }
    criterion.final_summary();
}
