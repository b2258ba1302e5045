//! A merge of which nobody told, in a market that was resolved before anybody could see it.

use std::time::Duration;

use crate::domain::report::{Position, Purse};
use crate::domain::{Outcome, Report, Venue};
use crate::execute::reconcile::{Reconciler, Settings};
use crate::execute::{Act, Line, Record};
use crate::pairing::PairId;
use crate::plan::Stages;

use super::scene::{KALSHI, POLYMARKET, Scene, money, over, plan, quantity, total};

const POLYMARKET_FIRST: Stages = Stages::First(Venue::Polymarket);

/// A hundred pairs are to be merged, beside what the scene holds.
fn asked(mut scene: Scene) -> Scene {
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

/// What the venue says of a market that was resolved.
struct Told {
    yes_pays: &'static str,
    paid: &'static str,
    /// Contracts of YES and of NO that it lists.
    held: [&'static str; 2],
    /// How much more cash than the ledger has.
    more: &'static str,
    /// How often it says so.
    readings: u32,
}

/// What one of the readings has booked.
fn found(scene: &mut Scene, told: &Told) -> Option<Record> {
    let settings = Settings {
        grace: Duration::from_secs(5),
        cash_tolerance: money("0.01"),
        fee_tolerance: money("1"),
    };
    let mut reconciler = Reconciler::new(settings);
    let mut read = |scene: &mut Scene, held: Option<[&str; 2]>, more: &str| {
        scene.now = scene.now.after(Duration::from_secs(30));
        let (venue, as_of) = (Venue::Polymarket, scene.now);
        if let Some(held) = held {
            let held = [Outcome::Yes, Outcome::No].into_iter().zip(held.map(quantity));
            let positions = held.filter(|(_, held)| !held.is_zero()).map(|(outcome, held)| {
                let (market, id) = (Some(POLYMARKET), String::new());
                Position { market, id, outcome, quantity: held }
            });
            let report = Report::Positions { venue, positions: positions.collect(), as_of };
            assert_eq!(reconciler.take(&report, scene.executor.state(), scene.now), None);
        }
        let purses = vec![(Purse::Collateral, scene.cash(venue) + money(more))];
        let report = Report::Cash { venue, purses, as_of };
        reconciler.take(&report, scene.executor.state(), scene.now)
    };
    let opening = read(scene, None, "500").unwrap();
    assert!(matches!(opening, Record::Booked { line: Line::Opening, .. }));
    scene.with(|executor, _, _, acts| executor.enter(opening, acts));
    scene.say(&Report::Settled {
        venue: Venue::Polymarket,
        market: Some(POLYMARKET),
        id: String::new(),
        yes_pays: money(told.yes_pays),
        paid: money(told.paid),
        at: scene.now,
    });
    assert_eq!(read(scene, Some(told.held), told.more), None, "once is not enough");
    (1..told.readings).find_map(|_| read(scene, Some(told.held), told.more))
}

fn is_merge(record: &Record, count: &str) -> bool {
    matches!(record, Record::Reported { report: Report::Merged { market, quantity, .. }, .. }
        if *market == POLYMARKET && quantity.to_string() == count)
}

#[test]
fn a_merge_whose_market_was_resolved_is_known_by_what_it_left() {
    let more = "100";
    // A hundred NO were left, at half a dollar.
    let half = Told { yes_pays: "0.5", paid: "50", held: ["0", "0"], more, readings: 2 };
    // Nothing of worth was left: there was nothing to pay.
    let none = Told { yes_pays: "0", paid: "0", held: ["50", "0"], more, readings: 3 };
    // Nothing was left at all, which may be a redemption that is told late; for minutes.
    let gone = Told { yes_pays: "0", paid: "0", held: ["0", "0"], more, readings: 22 };
    let beside = || {
        let mut scene = Scene::new();
        scene.adopt(POLYMARKET, Outcome::Yes, "50");
        scene
    };
    for (scene, told) in [(Scene::locked(), half), (beside(), none), (Scene::new(), gone)] {
        let mut scene = asked(scene);
        let record = found(&mut scene, &told).unwrap();
        assert!(is_merge(&record, "100.00"), "{record:?}");
        let before = scene.cash(Venue::Polymarket);
        scene.with(|executor, _, _, acts| executor.enter(record, acts));
        assert_eq!(scene.cash(Venue::Polymarket) - before, money("100"));
    }
}

#[test]
fn what_is_paid_and_not_told_yet_is_no_merge() {
    // Nothing was merged: the market pays for all, and tells of a part or of nothing yet.
    let (yes_pays, readings) = ("0.5", 2);
    for (paid, held, more) in
        [("50", ["0", "0"], "50"), ("0", ["100", "200"], "100"), ("100", ["0", "0"], "100")]
    {
        let told = Told { yes_pays, paid, held, more, readings };
        assert_eq!(found(&mut asked(Scene::locked()), &told), None, "{paid}");
    }
    // What is redeemed leaves nothing of what was worth nothing either.
    for held in [["0", "0"], ["0", "60"], ["100", "0"]] {
        let told = Told { yes_pays: "0", paid: "0", held, more: "100", readings: 10 };
        assert_eq!(found(&mut asked(Scene::new()), &told), None, "{held:?}");
    }
}
