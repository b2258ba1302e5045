//! What has to be known before anything is traded.

use super::*;

#[test]
fn nothing_is_traded_before_journal_and_venues_agree() {
    let mut watch = watch::Story::new(Relation::Same);
    let now = watch.now;
    watch.engine.enable_trading(settings(), [], now, &mut watch.effects);
    let mut story = Story { watch, journal: Vec::new(), fills: 0 };
    story.introduce();
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::NotReconciled));
    story.command(&Command::Reconciled);
    assert_eq!(story.pass(Duration::from_millis(10)).len(), 1);
}

#[test]
fn trading_begins_when_both_venues_agree_and_ends_when_one_does_not() {
    let mut watch = watch::Story::new(Relation::Same);
    let now = watch.now;
    watch.engine.enable_trading(settings(), [], now, &mut watch.effects);
    watch.engine.reconcile_with(execute::reconcile::Settings {
        grace: Duration::from_secs(15),
        cash_tolerance: money("0.01"),
        fee_tolerance: money("0.10"),
    });
    let mut story = Story { watch, journal: Vec::new(), fills: 0 };
    story.introduce();
    let positions = |story: &mut Story, venue, positions| {
        story.report(&Report::Positions { venue, positions, as_of: story.watch.now });
    };
    positions(&mut story, Venue::Kalshi, Vec::new());
    assert_eq!(story.trader().risk().check_gates(), Err(NoTrade::NotReconciled));
    positions(&mut story, Venue::Polymarket, Vec::new());
    assert_eq!(story.trader().risk().check_gates(), Ok(()));
    // Two readings in a row that show contracts which nobody bought here.
    let stray = Position {
        market: Some(KALSHI),
        id: "kalshi-market".into(),
        outcome: Outcome::Yes,
        quantity: quantity("7"),
    };
    for _ in 0..2 {
        story.pass(Duration::from_secs(30));
        positions(&mut story, Venue::Kalshi, vec![stray.clone()]);
    }
    assert_eq!(story.trader().differences().len(), 1);
    story.read_purses("1000");
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::NotReconciled));
    let told = |record: &&Record| match record {
        Record::Incident { kind, .. } => *kind == incident::ACCOUNT_DIFFERS,
        _ => false,
    };
    assert_eq!(story.journal.iter().filter(told).count(), 1, "{:?}", story.journal);
    story.pass(Duration::from_secs(1));
    positions(&mut story, Venue::Kalshi, Vec::new());
    assert_eq!(story.trader().risk().check_gates(), Ok(()));
    // They come again, and a person takes the venue's word for them: it is theirs to trade on.
    for _ in 0..2 {
        story.pass(Duration::from_secs(30));
        positions(&mut story, Venue::Kalshi, vec![stray.clone()]);
    }
    let (venue, market) = (Venue::Kalshi, KALSHI);
    let text = &story.trader().differences()[0];
    assert!(text.contains("`crossbook positions adopt --venue kalshi --market kalshi-market`"));
    let ruling = Ruling::Adopt { venue, market, outcome: None };
    let trades = Vec::new();
    let (ours, theirs) = (Quantity::ZERO, quantity("7"));
    let change = Change::Held { outcome: Outcome::Yes, ours, theirs, trades };
    assert_eq!(story.trader().proposal(&ruling), Ok(vec![change]));
    story.command(&Command::Rule { ruling, why: "bought by hand".to_owned() });
    assert_eq!(story.trader().risk().check_gates(), Ok(()));
    assert_eq!(story.trader().executor().state().ledger().held(KALSHI, Outcome::Yes), theirs);
    assert!(story.trader().proposal(&ruling).is_err(), "there is no difference any more");
    story.drain();
    let adopted = |one: &Record| matches!(one, Record::Adopted { why, .. } if why.contains("hand"));
    assert!(story.journal.iter().any(adopted));
}

#[test]
fn nothing_is_traded_before_both_venues_say_that_the_account_may() {
    let mut watch = watch::Story::new(Relation::Same);
    let now = watch.now;
    watch.engine.enable_trading(settings(), [], now, &mut watch.effects);
    let mut story = Story { watch, journal: Vec::new(), fills: 0 };
    story.introduce_markets();
    story.command(&Command::Reconciled);
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::VenueNotTradable));
    story.permit(Venue::Kalshi, Permission::Open);
    assert_eq!(story.pass(Duration::from_millis(10)), [], "one venue is not both");
    story.permit(Venue::Polymarket, Permission::Open);
    assert_eq!(story.pass(Duration::from_millis(10)).len(), 1);
}

#[test]
fn no_pair_is_begun_shortly_before_kalshis_weekly_pause() {
    let mut story = Story::new(settings());
    // A Thursday; 03:00 Eastern standard time is 08:00 UTC.
    story.watch.now = Timestamp::parse("2026-11-26T07:55:00Z").unwrap();
    story.introduce();
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::PauseAhead));
}

#[test]
fn a_market_whose_event_is_not_known_is_not_traded() {
    for (index, venue) in [(KALSHI, Venue::Kalshi), (POLYMARKET, Venue::Polymarket)] {
        let mut story = Story::new(settings());
        story.introduce();
        let market = Market { event: String::new(), ..watch::market(venue) };
        story.event(&Event::Market { index, market: &market });
        story.books();
        assert_eq!(story.drain(), []);
        assert_eq!(story.refused(), Some(NoTrade::EventUnknown), "{venue}");
    }
}
