//! Kalshi's leg does not go first, or at once, while Polymarket's order routes are silent.

use super::*;
use crate::domain::report::Route;

fn with_legs(legs: Legs) -> Settings {
    let mut settings = settings();
    settings.plan.legs = legs;
    settings
}

impl Story {
    fn route(&mut self, route: Route) {
        self.event(&Event::Route { venue: Venue::Polymarket, route });
    }

    fn answered(&mut self) {
        self.route(Route::Answered(self.watch.now));
    }

    fn wait(&mut self, millis: u64) -> Vec<Order> {
        self.pass(Duration::from_millis(millis))
    }

    /// Both books prove themselves again and show the same.
    fn again(&mut self) -> Vec<Order> {
        self.read_purses("1000");
        self.books();
        self.drain()
    }
}

#[test]
fn legs_at_once_wait_until_the_order_routes_have_answered() {
    let mut story = Story::new(with_legs(Legs::Concurrent));
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::VenueSilent));
    // Word of the other venue is none of this one.
    let route = Route::Answered(story.watch.now);
    story.event(&Event::Route { venue: Venue::Kalshi, route });
    assert_eq!(story.wait(10), []);
    story.answered();
    let venues: Vec<Venue> = story.wait(10).iter().map(|order| order.venue).collect();
    assert_eq!(venues, [Venue::Kalshi, Venue::Polymarket]);
    assert_eq!(story.refused(), None);
}

#[test]
fn kalshis_leg_goes_first_only_where_the_other_venue_answers() {
    let mut story = Story::new(with_legs(Legs::KalshiFirst));
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::VenueSilent));
    story.answered();
    assert_eq!(one(story.wait(10)).venue, Venue::Kalshi);
    // Kalshi has less to take here: its leg is the thin one.
    let mut story = Story::new(with_legs(Legs::ThinFirst));
    story.books();
    story.watch.image(KALSHI, &[(Side::Ask, "0.42", "50"), (Side::Bid, "0.40", "500")]);
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::VenueSilent));
}

#[test]
fn polymarkets_leg_goes_first_without_asking() {
    let mut story = Story::new(with_legs(Legs::PolymarketFirst));
    story.books();
    assert_eq!(one(story.drain()).venue, Venue::Polymarket);
    assert_eq!(story.probes(), 0);
    for _ in 0..100 {
        story.watch.now = story.watch.now.after(Duration::from_millis(100));
        story.event(&Event::Tick);
    }
    assert_eq!(story.probes(), 0);
}

#[test]
fn an_answer_grows_old() {
    for (age, begins) in [(5_000, true), (5_001, false)] {
        let mut story = Story::new(with_legs(Legs::Concurrent));
        story.answered();
        story.wait(age);
        assert_eq!(!story.again().is_empty(), begins, "{age}");
        assert_eq!(story.refused(), (!begins).then_some(NoTrade::VenueSilent));
    }
    // An answer that comes late is as old as its question.
    let mut story = Story::new(with_legs(Legs::Concurrent));
    let asked = story.watch.now;
    story.wait(5_001);
    story.route(Route::Answered(asked));
    assert_eq!(story.again(), []);
    // A clock that was set back makes none young.
    let mut story = Story::new(with_legs(Legs::Concurrent));
    story.route(Route::Answered(story.watch.now.after(Duration::from_secs(3_600))));
    assert_eq!(story.again(), []);
}

#[test]
fn a_word_that_orders_are_not_taken_holds_at_once_and_against_older_answers() {
    let mut story = Story::new(with_legs(Legs::Concurrent));
    story.answered();
    let before = story.watch.now;
    story.wait(10);
    story.route(Route::Closed);
    assert_eq!(story.again(), []);
    assert_eq!(story.refused(), Some(NoTrade::VenueSilent));
    story.route(Route::Answered(before));
    story.answered();
    assert_eq!(story.again(), [], "nothing of this was asked since");
    story.watch.now = story.watch.now.after(Duration::from_millis(1));
    story.answered();
    assert_eq!(story.again().len(), 2);
}

#[test]
fn the_routes_are_asked_as_often_as_keeps_an_answer_young() {
    let mut story = Story::new(with_legs(Legs::Concurrent));
    story.probes();
    let mut asked = 0;
    for _ in 0..200 {
        story.watch.now = story.watch.now.after(Duration::from_millis(50));
        story.event(&Event::Tick);
        let probes = story.probes();
        asked += probes;
        if probes > 0 {
            story.answered();
        }
        assert!(story.trader().pulse.is_young(Duration::from_secs(5), story.watch.now));
    }
    assert!((4..=5).contains(&asked), "{asked} in ten seconds");
    // What orders tell is not asked for.
    for _ in 0..100 {
        story.watch.now = story.watch.now.after(Duration::from_millis(50));
        story.answered();
        story.event(&Event::Tick);
    }
    assert_eq!(story.probes(), 0);
    // Without an answer they are asked again and again, at the same pace.
    for _ in 0..200 {
        story.watch.now = story.watch.now.after(Duration::from_millis(50));
        story.event(&Event::Tick);
    }
    let asked = story.probes();
    assert!((3..=4).contains(&asked), "{asked} in ten seconds");
}

#[test]
fn nobody_is_asked_for_what_cannot_be_traded() {
    let watched = |legs| {
        let mut watched = watch::pair(Relation::Same);
        let limits = crate::pairing::Limits { legs, ..watched.pair.limits };
        watched.pair = std::sync::Arc::new(Pair { limits, ..(*watched.pair).clone() });
        watched
    };
    let probes = |settings: Settings, legs, change: fn(&mut Story)| {
        let mut story = Story::new(settings);
        let pair = watched(legs);
        let id = [pair.pair.id.clone()];
        story.event(&Event::Pairs(&[pair]));
        story.event(&Event::Accepted(&id));
        story.event(&Event::Verified(&id));
        change(&mut story);
        story.probes();
        for _ in 0..40 {
            story.watch.now = story.watch.now.after(Duration::from_millis(100));
            story.event(&Event::Tick);
        }
        story.probes()
    };
    let (first, both) = (Legs::PolymarketFirst, Legs::Concurrent);
    assert!(probes(with_legs(both), None, |_| ()) > 0);
    // A pair's own order of legs goes before the usual one.
    assert!(probes(with_legs(first), Some(both), |_| ()) > 0);
    assert_eq!(probes(with_legs(both), Some(first), |_| ()), 0);
    // Kalshi's leg goes first whatever was asked for where Kalshi holds it back.
    let held = |story: &mut Story| {
        let delay = Duration::from_secs(1);
        let event = "kalshi-event".to_owned();
        let market = Market { delay, event, ..watch::market(Venue::Kalshi) };
        story.event(&Event::Market { index: KALSHI, market: &market });
    };
    assert!(probes(with_legs(first), None, held) > 0);
    assert_eq!(probes(with_legs(both), None, |story| story.command(&Command::Drain)), 0);
    let kill = |story: &mut Story| story.command(&Command::Kill { why: "enough".to_owned() });
    assert_eq!(probes(with_legs(both), None, kill), 0);
    assert_eq!(probes(with_legs(both), None, |story| story.event(&Event::Accepted(&[]))), 0);
    assert_eq!(probes(with_legs(both), None, |story| story.event(&Event::Verified(&[]))), 0);
    assert_eq!(probes(with_legs(both), None, |story| story.event(&Event::Pairs(&[]))), 0);
}

#[test]
fn nobody_is_asked_before_journal_and_venues_agree() {
    let mut watch = watch::Story::new(Relation::Same);
    let now = watch.now;
    watch.engine.enable_trading(with_legs(Legs::Concurrent), [], now, &mut watch.effects);
    let mut story = Story { watch, journal: Vec::new(), fills: 0 };
    story.introduce();
    story.probes();
    story.watch.now = story.watch.now.after(Duration::from_secs(1));
    story.event(&Event::Tick);
    assert_eq!(story.probes(), 0);
    story.command(&Command::Reconciled);
    story.watch.now = story.watch.now.after(Duration::from_millis(500));
    story.event(&Event::Tick);
    assert_eq!(story.probes(), 1);
}
