//! Readings that agree, lag, differ once, and differ for sure.

use super::super::{Act, Line};
use super::questions::ROUND;
use super::*;
use crate::domain::order::{Action, Lifetime, Purpose, Size};
use crate::domain::report::{Fee, Rest, Total};
use crate::domain::{Evidence, Fill, Finality, IntentId, Order, OrderId, Price, TradeId};

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

mod movement;

const MARKET: MarketIndex = MarketIndex(4);

/// Ten NO for five dollars on Polymarket at second 100, with a computed fee of ten cents.
fn state() -> State {
    bought(Venue::Polymarket, Fee::Computed(money("0.1")))
}

/// The same, bought on Kalshi, which tells its fees.
fn state_on_kalshi() -> State {
    bought(Venue::Kalshi, Fee::Reported(money("0.1")))
}

fn bought(venue: Venue, fee: Fee) -> State {
    let mut state = State::default();
    state.apply(&Record::Placed(Order {
        intent: IntentId(1),
        trade: TradeId(1),
        venue,
        market: MARKET,
        outcome: Outcome::No,
        action: Action::Buy,
        limit: Price::parse("0.50").unwrap(),
        size: Size::Collateral(money("5")),
        lifetime: Lifetime::Immediate,
        purpose: Purpose::Enter,
        at: at(100),
    }));
    let fill = Fill {
        trade: "t".to_owned(),
        quantity: quantity("10"),
        money: money("5"),
        fee,
        finality: Finality::Confirmed,
        at: at(100),
    };
    let filled = Some(Total { quantity: fill.quantity, money: fill.money });
    let (id, trades) = (OrderId("o".to_owned()), Vec::new());
    let over = Evidence::Standing { id, filled, rest: Rest::Nothing, trades };
    for evidence in [Evidence::Fill(fill), over] {
        let report = Report::Order { intent: IntentId(1), evidence };
        state.apply(&Record::Reported { report, at: at(100) });
    }
    state
}

fn positions(count: &str, secs: i64) -> Report {
    let positions = vec![Position {
        market: Some(MARKET),
        id: "0xabc".to_owned(),
        outcome: Outcome::No,
        quantity: quantity(count),
    }];
    Report::Positions { venue: Venue::Polymarket, positions, as_of: at(secs) }
}

fn cash(venue: Venue, dollars: &str, secs: i64) -> Report {
    let purses = vec![(Purse::Collateral, money(dollars))];
    Report::Cash { venue, purses, as_of: at(secs) }
}

/// A reconciler that has seen nothing.
fn fresh() -> Reconciler {
    Reconciler::new(Settings {
        grace: Duration::from_secs(15),
        cash_tolerance: money("0.01"),
        fee_tolerance: money("0.05"),
    })
}

/// A reconciler that has seen everything agree at second 200.
fn agreed(state: &mut State) -> Reconciler {
    let mut reconciler = fresh();
    let empty = Report::Positions { venue: Venue::Kalshi, positions: Vec::new(), as_of: at(200) };
    for report in [
        empty,
        positions("10", 200),
        cash(Venue::Kalshi, "50", 200),
        cash(Venue::Polymarket, "94.9", 200),
    ] {
        if let Some(record) = reconciler.take(&report, state, at(200)) {
            state.apply(&record);
        }
    }
    assert_eq!(reconciler.verdict(state), Verdict::Agreed);
    reconciler
}

#[test]
fn the_first_reading_of_cash_is_the_opening_line() {
    let mut state = state();
    let _ = agreed(&mut state);
    let ledger = state.ledger();
    assert_eq!(ledger.cash(Venue::Polymarket).lines[&Line::Opening], money("100"));
    assert_eq!(ledger.cash(Venue::Polymarket).total(), money("94.9"));
}

#[test]
fn a_reading_within_the_grace_is_not_compared() {
    let state = state();
    let mut reconciler = Reconciler::new(Settings {
        grace: Duration::from_secs(15),
        cash_tolerance: Money::ZERO,
        fee_tolerance: Money::ZERO,
    });
    reconciler.take(&positions("0.5", 110), &state, at(110));
    reconciler.take(&positions("0.5", 114), &state, at(114));
    assert_eq!(reconciler.verdict(&state), Verdict::Waiting);
}

#[test]
fn a_difference_counts_when_a_second_reading_shows_it() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    reconciler.take(&positions("12", 210), &state, at(210));
    assert_eq!(reconciler.verdict(&state), Verdict::Waiting);
    reconciler.take(&positions("12", 210), &state, at(211));
    assert_eq!(reconciler.verdict(&state), Verdict::Waiting, "the same reading");
    reconciler.take(&positions("12", 220), &state, at(220));
    let Verdict::Differs(texts) = reconciler.verdict(&state) else { panic!() };
    assert!(texts[0].contains("nothing new is traded until they agree"), "{texts:?}");
    reconciler.take(&positions("10", 230), &state, at(230));
    assert_eq!(reconciler.verdict(&state), Verdict::Agreed, "it passed");
}

#[test]
fn two_readings_that_differ_in_two_ways_prove_nothing() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    reconciler.take(&positions("12", 210), &state, at(210));
    reconciler.take(&positions("11", 220), &state, at(220));
    assert_eq!(reconciler.verdict(&state), Verdict::Waiting);
}

#[test]
fn what_a_person_adopts_or_ignores_differs_no_more() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    for secs in [210, 220] {
        reconciler.take(&positions("12", secs), &state, at(secs));
    }
    let theirs = |state: &State, reconciler: &Reconciler| {
        let found = reconciler.adoption(Venue::Polymarket, MARKET, None, state);
        found.map(|found| found.iter().map(|one| one.theirs).collect::<Vec<_>>())
    };
    assert_eq!(theirs(&state, &reconciler), Ok(vec![quantity("12")]));
    let (venue, why) = (Venue::Polymarket, "mine".to_owned());
    let mut ignoring = state.clone();
    ignoring.apply(&Record::Ignored { venue, market: MARKET, why, at: at(220) });
    let mut other = agreed(&mut ignoring);
    other.take(&positions("12", 220), &ignoring, at(220));
    other.take(&positions("13", 230), &ignoring, at(230));
    assert_eq!(other.verdict(&ignoring), Verdict::Agreed);
    let both = vec![Quantity::ZERO, quantity("13")];
    assert_eq!(theirs(&ignoring, &other), Ok(both), "adopting ends it");
    state.apply(&Record::Adopted {
        venue: Venue::Polymarket,
        market: MARKET,
        outcome: Outcome::No,
        quantity: quantity("12"),
        why: "it was bought by hand".to_owned(),
        at: at(221),
    });
    reconciler.take(&positions("12", 230), &state, at(230));
    assert_eq!(reconciler.verdict(&state), Verdict::Agreed);
}

#[test]
fn markets_that_are_not_mapped_are_listed_and_left_alone() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    let mut report = positions("10", 210);
    if let Report::Positions { positions, .. } = &mut report {
        positions.push(Position { market: None, ..positions[0].clone() });
    }
    reconciler.take(&report, &state, at(210));
    assert_eq!(reconciler.verdict(&state), Verdict::Agreed);
    assert_eq!(reconciler.unmapped(Venue::Polymarket).len(), 1);
}

#[test]
fn computed_fees_are_trued_up_by_two_readings_that_agree() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    let mut read =
        |dollars, secs| reconciler.take(&cash(Venue::Polymarket, dollars, secs), &state, at(secs));
    assert_eq!(read("94.93", 210), None, "one reading proves nothing");
    assert_eq!(read("94.93", 210), None, "nor does the same one twice");
    assert_eq!(read("94.92", 220), None, "nor another figure");
    let record = read("94.92", 230);
    let Some(Record::Booked { line: Line::FeeTrueUp, amount, .. }) = record else { panic!() };
    assert_eq!(amount, money("0.02"));
    assert_eq!(reconciler.verdict(&state), Verdict::Agreed);
}

#[test]
fn what_is_missing_again_and_again_is_not_explained_by_fees() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    let mut booked = Vec::new();
    for (nth, dollars) in ["94.86", "94.82", "94.78"].into_iter().enumerate() {
        for secs in [10, 20] {
            let secs = 210 + 100 * i64::try_from(nth).unwrap() + secs;
            let reading = cash(Venue::Polymarket, dollars, secs);
            if let Some(record) = reconciler.take(&reading, &state, at(secs)) {
                state.apply(&record);
                booked.push(record);
            }
        }
    }
    assert_eq!(booked.len(), 1, "the fee of one order is trued up once: {booked:?}");
    let Verdict::Differs(texts) = reconciler.verdict(&state) else { panic!() };
    assert!(texts[0].contains("-0.08"), "{texts:?}");
}

#[test]
fn a_shortfall_stops_trading_and_says_what_to_do() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    for secs in [210, 220] {
        let booked = reconciler.take(&cash(Venue::Polymarket, "90", secs), &state, at(secs));
        assert_eq!(booked, None);
    }
    let Verdict::Differs(texts) = reconciler.verdict(&state) else { panic!() };
    assert!(texts[0].contains("-4.9"), "{texts:?}");
    assert!(texts[0].contains("`crossbook cash accept --venue polymarket`"), "{texts:?}");
    assert_eq!(reconciler.shortfall(Venue::Polymarket), Ok(money("-4.9")));
    assert!(reconciler.shortfall(Venue::Kalshi).is_err());
}

#[test]
fn money_that_came_in_is_booked_when_nothing_has_explained_it_for_long() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    for secs in [210, 230, 809] {
        let booked = reconciler.take(&cash(Venue::Polymarket, "194.9", secs), &state, at(secs));
        assert_eq!(booked, None, "a payment may be told later than it came");
        assert_eq!(reconciler.verdict(&state), Verdict::Agreed, "nothing is missing");
    }
    let record = reconciler.take(&cash(Venue::Polymarket, "194.9", 810), &state, at(810));
    let Some(record @ Record::Booked { line: Line::Unexplained, .. }) = record else { panic!() };
    state.apply(&record);
    assert_eq!(reconciler.verdict(&state), Verdict::Agreed);
}

#[test]
fn money_that_came_in_while_contracts_went_is_not_explained() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    for secs in [210, 220] {
        reconciler.take(&positions("0", secs), &state, at(secs));
        let booked = reconciler.take(&cash(Venue::Polymarket, "104.9", secs), &state, at(secs));
        assert_eq!(booked, None, "a market may have paid and not yet said so");
    }
    assert!(matches!(reconciler.verdict(&state), Verdict::Differs(_)));
}

#[test]
fn a_contract_that_lost_is_missed_by_nobody() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    let report = Report::Settled {
        venue: Venue::Polymarket,
        market: Some(MARKET),
        id: "0xabc".to_owned(),
        yes_pays: money("1"),
        paid: Money::ZERO,
        at: at(205),
    };
    // A doubt from before the venue said why.
    reconciler.take(&positions("0", 202), &state, at(202));
    state.apply(&Record::Reported { report, at: at(205) });
    for secs in [210, 220, 230] {
        reconciler.take(&positions("0", secs), &state, at(secs));
        assert_eq!(reconciler.verdict(&state), Verdict::Agreed, "ten NO are worth nothing");
    }
}

#[test]
fn a_difference_asks_about_the_orders_of_its_market() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    assert!(reconciler.questions(Venue::Polymarket, &state).is_empty());
    reconciler.take(&positions("4", 210), &state, at(210));
    // A fill that was taken back is believed by the venue's second word: it is asked for again.
    for secs in [220, 230] {
        assert_eq!(reconciler.questions(Venue::Polymarket, &state), [Act::Inquire(IntentId(1))]);
        assert!(reconciler.questions(Venue::Kalshi, &state).is_empty());
        reconciler.take(&positions("4", secs), &state, at(secs));
    }
    reconciler.take(&positions("10", 240), &state, at(240));
    assert!(reconciler.questions(Venue::Polymarket, &state).is_empty());
}

#[test]
fn older_orders_are_asked_about_once_the_young_ones_have_had_their_turn() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    let first = state.order(IntentId(1)).unwrap().order().clone();
    for intent in 2..=12 {
        state.apply(&Record::Placed(Order { intent: IntentId(intent), ..first.clone() }));
        let refusal = crate::domain::report::Refusal {
            kind: crate::domain::report::Refused::NoMatch,
            code: String::new(),
            text: String::new(),
        };
        let evidence = Evidence::Refused(refusal);
        let report = Report::Order { intent: IntentId(intent), evidence };
        state.apply(&Record::Reported { report, at: at(100) });
    }
    reconciler.take(&positions("4", 210), &state, at(210));
    let mut asked = [0; 13];
    for _ in 0..ROUND * 2 {
        for act in reconciler.questions(Venue::Polymarket, &state) {
            let Act::Inquire(intent) = act else { panic!("{act:?}") };
            asked[usize::try_from(intent.0).unwrap()] += 1;
        }
    }
    assert!(asked[5..].iter().all(|count| *count >= ROUND), "{asked:?}");
    assert!(asked[1..5].iter().all(|count| *count >= ROUND), "{asked:?}");
}

#[test]
fn a_merge_that_nobody_told_is_seen_in_two_readings() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    let mut other = match state.order(IntentId(1)) {
        Some(tracked) => tracked.order().clone(),
        None => unreachable!(),
    };
    (other.intent, other.outcome) = (IntentId(2), Outcome::Yes);
    state.apply(&Record::Placed(other));
    let fill = Fill {
        trade: "u".to_owned(),
        quantity: quantity("4"),
        money: money("2"),
        fee: Fee::Reported(Money::ZERO),
        finality: Finality::Confirmed,
        at: at(300),
    };
    let filled = Some(Total { quantity: fill.quantity, money: fill.money });
    let (id, trades) = (OrderId("p".to_owned()), Vec::new());
    let over = Evidence::Standing { id, filled, rest: Rest::Nothing, trades };
    for evidence in [Evidence::Fill(fill), over] {
        let report = Report::Order { intent: IntentId(2), evidence };
        state.apply(&Record::Reported { report, at: at(300) });
    }
    // Four of both are gone: six NO are left, and no YES.
    assert_eq!(reconciler.take(&positions("6", 400), &state, at(400)), None, "once is not enough");
    let found = reconciler.take(&positions("6", 420), &state, at(420));
    let report = Report::Merged { market: MARKET, quantity: quantity("4"), at: at(420) };
    assert_eq!(found, Some(Record::Reported { report, at: at(420) }));
    state.apply(&found.unwrap());
    assert_eq!(reconciler.take(&positions("6", 440), &state, at(440)), None);
    assert!(!matches!(reconciler.verdict(&state), Verdict::Differs(_)));
}

#[test]
fn at_kalshi_a_difference_asks_about_the_whole_market() {
    let state = state_on_kalshi();
    let mut reconciler = fresh();
    assert!(reconciler.questions(Venue::Kalshi, &state).is_empty());
    let nothing = Report::Positions { venue: Venue::Kalshi, positions: Vec::new(), as_of: at(200) };
    reconciler.take(&nothing, &state, at(200));
    let review = Act::Review { venue: Venue::Kalshi, market: MARKET };
    assert_eq!(reconciler.questions(Venue::Kalshi, &state), [review]);
    assert!(reconciler.questions(Venue::Polymarket, &state).is_empty());
}

#[test]
fn markets_that_are_never_quiet_are_read_whole_in_turn() {
    let mut state = state_on_kalshi();
    let first = state.order(IntentId(1)).unwrap().order().clone();
    let other = MarketIndex(9);
    state.apply(&Record::Placed(Order { intent: IntentId(2), market: other, ..first }));
    let mut reconciler = fresh();
    let mut read = |secs| {
        let positions = [MARKET, other].map(|market| Position {
            market: Some(market),
            id: String::new(),
            outcome: Outcome::No,
            quantity: quantity("10"),
        });
        let report = Report::Positions {
            venue: Venue::Kalshi,
            positions: positions.to_vec(),
            as_of: at(secs),
        };
        reconciler.take(&report, &state, at(secs));
        reconciler.questions(Venue::Kalshi, &state)
    };
    let review = |market| vec![Act::Review { venue: Venue::Kalshi, market }];
    assert_eq!([read(105), read(106), read(107)], [MARKET, other, MARKET].map(review));
    assert_eq!(read(200), review(other), "that one is quiet, this one still under way");
}

#[test]
fn cash_that_differs_asks_about_the_markets_that_have_paid() {
    let mut state = state_on_kalshi();
    let mut reconciler = fresh();
    let opening = reconciler.take(&cash(Venue::Kalshi, "100", 150), &state, at(150)).unwrap();
    state.apply(&opening);
    let report = Report::Settled {
        venue: Venue::Kalshi,
        market: Some(MARKET),
        id: "KX".to_owned(),
        yes_pays: Money::ZERO,
        paid: Money::ZERO,
        at: at(160),
    };
    state.apply(&Record::Reported { report, at: at(160) });
    for (told, is_asked) in [("100", false), ("105", true), ("95", true), ("100", false)] {
        reconciler.take(&cash(Venue::Kalshi, told, 200), &state, at(200));
        let questions = reconciler.questions(Venue::Kalshi, &state);
        let review = Act::Review { venue: Venue::Kalshi, market: MARKET };
        assert_eq!(questions.contains(&review), is_asked, "{told}: {questions:?}");
    }
}
