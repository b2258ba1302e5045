//! When what is known of a market is believed.

use super::*;

#[test]
fn a_fee_called_outdated_makes_no_edge_until_it_is_read_again() {
    let mut story = Story::example(Relation::Same);
    opened(&story.drain());
    story.update(Update::FactsChanged { market: POLYMARKET });
    let effects = story.drain();
    assert!(effects.contains(&Effect::Reload { market: POLYMARKET }), "{effects:?}");
    assert_eq!(closing_reason(&effects), "fee_outdated");
    let market = market(Venue::Polymarket);
    story.event(&Event::Market { index: POLYMARKET, market: &market });
    opened(&story.drain());
}

/// Kalshi's listings come from a cache: an answer may be from before the change.
#[test]
fn what_kalshi_changed_is_believed_when_its_caches_have_let_go_of_what_was() {
    for update in [Update::FactsChanged { market: KALSHI }, Update::TicksChanged { market: KALSHI }]
    {
        let mut story = Story::example(Relation::Same);
        opened(&story.drain());
        let market = market(Venue::Kalshi);
        story.update(update);
        let effects = story.drain();
        assert!(effects.contains(&Effect::Reload { market: KALSHI }), "{effects:?}");
        assert_eq!(closing_reason(&effects), "fee_outdated");
        story.event(&Event::Market { index: KALSHI, market: &market });
        assert!(story.drain().is_empty(), "it may be what was cached");
        let mut again = false;
        for _ in 0..31 {
            for at in [KALSHI, POLYMARKET] {
                story.update(Update::Proof { market: at });
            }
            again |=
                story.pass(Duration::from_secs(1)).contains(&Effect::Reload { market: KALSHI });
        }
        assert!(again, "it is read once more");
        story.event(&Event::Market { index: KALSHI, market: &market });
        opened(&story.drain());
    }
}

#[test]
fn what_may_have_changed_while_nobody_listened_is_read_at_once_and_once_more() {
    let mut story = Story::example(Relation::Same);
    opened(&story.drain());
    story.update(Update::FactsMissed { market: KALSHI });
    let effects = story.drain();
    assert!(effects.contains(&Effect::Reload { market: KALSHI }), "{effects:?}");
    let market = market(Venue::Kalshi);
    story.event(&Event::Market { index: KALSHI, market: &market });
    opened(&story.drain());
    let effects = story.pass(Duration::from_secs(30));
    assert!(effects.contains(&Effect::Reload { market: KALSHI }), "{effects:?}");
    let effects = story.pass(Duration::from_secs(30));
    assert!(!effects.contains(&Effect::Reload { market: KALSHI }), "{effects:?}");
}
