//! Halts, refusals, and what they keep from being traded.

use super::*;

#[test]
fn a_halt_stops_entries_and_nothing_that_is_under_way() {
    let (mut story, first) = begun();
    story.command(&Command::Halt { scope: Scope::All, why: "a person said so".into() });
    let hedge = one(story.fill(&first, "120", "0.52", Finality::Confirmed));
    assert_eq!(hedge.venue, Venue::Kalshi);
    story.fill(&hedge, "120", "0.425", Finality::Confirmed);
    assert_eq!(story.phase(1), Phase::Locked);
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::Halted));
    story.command(&Command::Resume { scope: Scope::All });
    story.read_purses("1000");
    assert_eq!(story.pass(Duration::from_millis(10)).len(), 1);
}

#[test]
fn a_kill_sends_nothing_more() {
    let (mut story, first) = begun();
    story.command(&Command::Kill { why: "a person said so".into() });
    assert_eq!(story.orders(), []);
    assert_eq!(story.fill(&first, "120", "0.52", Finality::Confirmed), []);
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.pass(Duration::from_secs(5)), []);
    assert_eq!(story.trader().risk().check_gates(), Err(NoTrade::Killed));
}

#[test]
fn a_venue_that_takes_only_resting_orders_is_left_alone_for_a_while() {
    let (mut story, first) = begun();
    let wait = Duration::from_secs(3);
    assert_eq!(story.refuse(&first, Refused::PostOnly(wait)), []);
    assert_eq!(story.pass(Duration::from_millis(2_990)), []);
    assert_eq!(story.refused(), Some(NoTrade::VenueNotTradable));
    // What was refused took nothing: the same levels are there to take.
    let again = one(story.pass(Duration::from_millis(10)));
    assert_eq!((again.trade, again.size), (TradeId(2), first.size));
}

#[test]
fn a_market_that_is_not_what_an_order_took_it_for_is_read_anew() {
    for (kind, expected) in [
        (Refused::Price, 1),
        (Refused::Size, 1),
        (Refused::Outdated, 1),
        (Refused::NoMatch, 0),
        (Refused::Funds, 0),
    ] {
        let (mut story, first) = begun();
        let refusal = Refusal { kind, code: String::new(), text: String::new() };
        let (intent, evidence) = (first.intent, Evidence::Refused(refusal));
        story.report(&Report::Order { intent, evidence });
        let reload = Effect::Reload { market: first.market };
        let is_reload = |effect: &&Effect| **effect == reload;
        let effects = &story.watch.effects;
        assert_eq!(effects.iter().filter(is_reload).count(), expected, "{kind:?}");
    }
}

#[test]
fn an_order_that_found_nothing_shows_that_the_book_is_behind() {
    let (mut story, first) = begun();
    assert_eq!(story.refuse(&first, Refused::NoMatch), []);
    assert!(matches!(story.phase(1), Phase::Ended(_)));
    assert_eq!(story.trader().risk().totals().total, Money::ZERO);
    assert_eq!(story.pass(Duration::from_millis(100)), [], "the levels are not believed again");
    story.books();
    assert_eq!(story.drain().len(), 1);
}

#[test]
fn refusals_in_a_row_halt_the_pair_and_the_halt_is_written_down() {
    let (mut story, mut order) = begun();
    for trade in 1..=3 {
        assert_eq!(order.trade, TradeId(trade));
        story.refuse(&order, Refused::Size);
        let next = story.pass(Duration::from_millis(200));
        if trade < 3 {
            order = one(next);
        } else {
            assert_eq!(next, []);
        }
    }
    assert_eq!(story.refused(), Some(NoTrade::Halted));
    let halted = |record: &Record| matches!(record, Record::Halted { scope: Scope::Pair(_), .. });
    assert_eq!(story.journal.iter().filter(|record| halted(record)).count(), 1);
}

#[test]
fn orders_that_we_kept_back_ourselves_halt_nothing_and_hold_entries_up_for_a_moment() {
    let (mut story, mut order) = begun();
    for _ in 0..9 {
        story.refuse(&order, Refused::KeptBack);
        assert_eq!(story.pass(Duration::from_millis(200)), []);
        assert_eq!(story.refused(), Some(NoTrade::LimitOrderRate));
        order = one(story.pass(Duration::from_millis(300)));
    }
    assert!(story.trader().risk().halts().is_empty());
    assert!(!story.journal.iter().any(|record| matches!(record, Record::Halted { .. })));
}

#[test]
fn a_fee_beyond_the_schedule_halts_the_pair() {
    let (mut story, first) = begun();
    let fill = Fill {
        trade: "fill-1".into(),
        quantity: quantity("120"),
        money: money("62.40"),
        fee: Fee::Reported(money("1.25")),
        finality: Finality::Confirmed,
        at: story.watch.now,
    };
    story.answer(&first, Evidence::Fill(fill));
    assert_eq!(story.trader().risk().halts().len(), 1, "1.19808 was due");
}

#[test]
fn books_that_speak_against_a_pair_halt_it() {
    let mut story = Story::new(settings());
    story.watch.image(KALSHI, &[(Side::Ask, "0.20", "50"), (Side::Bid, "0.19", "50")]);
    story.watch.image(POLYMARKET, &[(Side::Bid, "0.48", "50"), (Side::Ask, "0.49", "50")]);
    assert_eq!(story.drain(), []);
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::Halted));
}

/// A second pair, whose Polymarket market has these two names of its event.
fn beside(story: &mut Story, event: &str, group: &str) {
    let [kalshi, polymarket] = [MarketIndex(2), MarketIndex(3)];
    for (index, venue, event, group) in [
        (POLYMARKET, Venue::Polymarket, "polymarket-event", "0x1"),
        (kalshi, Venue::Kalshi, "another", ""),
        (polymarket, Venue::Polymarket, event, group),
    ] {
        let (event, group) = (event.to_owned(), group.to_owned());
        let market = Market { event, group, ..watch::market(venue) };
        story.event(&Event::Market { index, market: &market });
    }
    let first = watch::pair(Relation::Same);
    let id = PairId("beside".into());
    let pair = Pair { id: id.clone(), kalshi: "k2".into(), ..(*first.pair).clone() };
    let pair = std::sync::Arc::new(Pair { polymarket: "p2".into(), ..pair });
    let ids = [first.pair.id.clone(), id];
    let second = Watched { pair, kalshi, polymarket, ..first };
    story.event(&Event::Pairs(&[first, second]));
    story.event(&Event::Accepted(&ids));
    story.event(&Event::Verified(&ids));
}

#[test]
fn a_divergence_halts_what_shares_an_event_by_its_name_or_its_neg_risk_market() {
    for (event, group, halts) in [
        ("polymarket-event", "", 2),
        ("polymarket-event", "0x2", 2),
        ("other", "0x1", 2),
        ("other", "0x2", 1),
        ("other", "", 1),
    ] {
        let mut story = Story::new(settings());
        beside(&mut story, event, group);
        story.books();
        let first = one(story.drain());
        let hedge = one(story.fill(&first, "120", "0.52", Finality::Confirmed));
        story.fill(&hedge, "120", "0.425", Finality::Confirmed);
        assert_eq!(story.phase(1), Phase::Locked);
        story.report(&Report::Settled {
            venue: Venue::Kalshi,
            market: Some(KALSHI),
            id: "kalshi-market".to_owned(),
            yes_pays: money("0.26"),
            paid: money("31.2"),
            at: story.watch.now,
        });
        assert_eq!(story.trader().risk().halts().len(), halts, "{event} {group}");
    }
}
