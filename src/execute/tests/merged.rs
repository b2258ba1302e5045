//! A merge of which nobody told, in a market that was resolved before anybody could see it.

use std::time::Duration;

use crate::domain::report::Purse;
use crate::domain::{Outcome, Report, Venue};
use crate::execute::reconcile::{Reconciler, Settings};
use crate::execute::{Act, Line, Record};
use crate::pairing::PairId;
use crate::plan::Stages;

use super::scene::{KALSHI, POLYMARKET, Scene, money, over, plan, total};

const POLYMARKET_FIRST: Stages = Stages::First(Venue::Polymarket);

/// A hundred pairs lie beside a hundred locked contracts, and are to be merged.
fn asked() -> Scene {
    let mut scene = Scene::locked();
    let mut other = plan(POLYMARKET_FIRST);
    (other.pair, other.reserve) = (PairId("other".to_owned()), money("60"));
    scene.open(other);
    let first = scene.only();
    scene.fills_surely(&first, "100", "0.52");
    let second = scene.only();
    scene.world.offer(KALSHI, Outcome::Yes, &[("0.70", "500")]);
    scene.world.bid(POLYMARKET, Outcome::No, &[("0.30", "500")]);
    scene.tell(second.intent, over(Some(total("0", "0"))));
    let offset = scene.only();
    scene.fills_surely(&offset, "100", "0.50");
    scene.wait(1_000);
    assert!(scene.acts.iter().any(|act| matches!(act, Act::Merge { .. })), "{:?}", scene.acts);
    scene
}

/// What the second of two readings has booked that show so much more than the ledger.
fn found(scene: &mut Scene, paid: &str, more: &str) -> Option<Record> {
    let settings = Settings {
        grace: Duration::from_secs(5),
        cash_tolerance: money("0.01"),
        fee_tolerance: money("1"),
    };
    let mut reconciler = Reconciler::new(settings);
    let mut read = |scene: &mut Scene, more: &str| {
        scene.now = scene.now.after(Duration::from_secs(30));
        let purses = vec![(Purse::Collateral, scene.cash(Venue::Polymarket) + money(more))];
        let report = Report::Cash { venue: Venue::Polymarket, purses, as_of: scene.now };
        reconciler.take(&report, scene.executor.state(), scene.now)
    };
    let opening = read(scene, "500").unwrap();
    assert!(matches!(opening, Record::Booked { line: Line::Opening, .. }));
    scene.with(|executor, _, _, acts| executor.enter(opening, acts));
    scene.say(&Report::Settled {
        venue: Venue::Polymarket,
        market: Some(POLYMARKET),
        id: String::new(),
        yes_pays: money("0.5"),
        paid: money(paid),
        at: scene.now,
    });
    assert_eq!(read(scene, more), None, "once is not enough");
    read(scene, more)
}

#[test]
fn a_merge_whose_market_was_resolved_is_known_by_what_it_left() {
    let mut scene = asked();
    // A hundred NO were left, at half a dollar.
    let record = found(&mut scene, "50", "100").unwrap();
    assert!(
        matches!(&record, Record::Reported { report: Report::Merged { market, quantity, .. }, .. }
            if *market == POLYMARKET && quantity.to_string() == "100.00"),
        "{record:?}"
    );
    let before = scene.cash(Venue::Polymarket);
    scene.with(|executor, _, _, acts| executor.enter(record, acts));
    assert_eq!(scene.cash(Venue::Polymarket) - before, money("100"));
}

#[test]
fn what_is_paid_and_not_told_yet_is_no_merge() {
    // Nothing was merged: the market pays for all, and tells of a part.
    assert_eq!(found(&mut asked(), "50", "50"), None);
    assert_eq!(found(&mut asked(), "0", "100"), None);
    assert_eq!(found(&mut asked(), "100", "100"), None);
}
