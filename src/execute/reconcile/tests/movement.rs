//! Money that moves without a trade: told before its balance, after it, and never.

use super::*;
use crate::domain::movement::{Kind, Movement};

const POLYMARKET: Venue = Venue::Polymarket;

fn movement(kind: Kind, amount: &str, secs: i64) -> Movement {
    let id = format!("{} {secs}", kind.name());
    Movement { id, kind, amount: money(amount), fee: Money::ZERO, at: at(secs) }
}

/// What the executor does with what a venue lists, and then the reconciler.
fn tell(reconciler: &mut Reconciler, state: &mut State, movement: &Movement, secs: i64) -> bool {
    let is_new = state.ledger().is_new_movement(POLYMARKET, movement);
    let report = Report::Moved { venue: POLYMARKET, movement: movement.clone() };
    if is_new {
        state.apply(&Record::Reported { report: report.clone(), at: at(secs) });
    }
    assert_eq!(reconciler.take(&report, state, at(secs)), None);
    is_new
}

/// Readings of the same cash one after the other; says what was booked.
fn read(
    reconciler: &mut Reconciler,
    state: &mut State,
    dollars: &str,
    times: impl IntoIterator<Item = i64>,
) -> Vec<(Line, Money)> {
    let mut booked = Vec::new();
    for secs in times {
        let record = reconciler.take(&cash(POLYMARKET, dollars, secs), state, at(secs));
        if let Some(record @ Record::Booked { line, amount, as_of, .. }) = &record {
            assert_eq!(*as_of, at(secs));
            booked.push((*line, *amount));
            state.apply(record);
        }
    }
    booked
}

fn line(state: &State, line: Line) -> Money {
    state.ledger().cash(POLYMARKET).lines.get(&line).copied().unwrap_or_default()
}

fn total(state: &State) -> Money {
    state.ledger().cash(POLYMARKET).total()
}

#[test]
fn a_deposit_that_is_listed_is_booked_once() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    let deposit = movement(Kind::Deposit, "100", 205);
    assert!(tell(&mut reconciler, &mut state, &deposit, 206));
    for secs in [226, 246] {
        assert!(!tell(&mut reconciler, &mut state, &deposit, secs), "it is listed again and again");
    }
    let twice = Report::Moved { venue: POLYMARKET, movement: deposit };
    state.apply(&Record::Reported { report: twice, at: at(250) });
    assert_eq!((line(&state, Line::Transfer), total(&state)), (money("100"), money("194.9")));
    assert_eq!(read(&mut reconciler, &mut state, "194.9", [260, 280, 2_000]), []);
    assert_eq!(reconciler.verdict(&state), Verdict::Agreed);
}

#[test]
fn each_kind_has_its_line() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    for (kind, amount) in [
        (Kind::Deposit, "8"),
        (Kind::Withdrawal, "-4"),
        (Kind::Tip, "-2"),
        (Kind::Interest, "0.1"),
        (Kind::Rebate, "0.01"),
        (Kind::Reward, "0.001"),
    ] {
        assert!(tell(&mut reconciler, &mut state, &movement(kind, amount, 205), 206));
    }
    assert_eq!(line(&state, Line::Transfer), money("2"));
    assert_eq!(line(&state, Line::Interest), money("0.111"));
    assert_eq!(state.realised(), Money::ZERO, "nothing of it was earned by trading");
}

#[test]
fn a_withdrawal_that_is_listed_stops_trading_no_more() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    assert_eq!(read(&mut reconciler, &mut state, "54.9", [210, 230, 250]), []);
    assert!(matches!(reconciler.verdict(&state), Verdict::Differs(_)), "it may be a theft");
    tell(&mut reconciler, &mut state, &movement(Kind::Withdrawal, "-40", 205), 260);
    assert!(reconciler.shortfall(POLYMARKET).is_err(), "there is nothing to accept twice");
    assert_eq!(read(&mut reconciler, &mut state, "54.9", [270]), []);
    assert_eq!(reconciler.verdict(&state), Verdict::Agreed);
    // One that is not listed stops it again, be it as much as the one that was.
    assert_eq!(read(&mut reconciler, &mut state, "14.9", [290, 310, 330, 1_000]), []);
    assert!(matches!(reconciler.verdict(&state), Verdict::Differs(_)));
}

#[test]
fn what_a_list_tells_again_hides_no_shortfall() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    let deposit = movement(Kind::Deposit, "7", 205);
    tell(&mut reconciler, &mut state, &deposit, 206);
    for secs in [210, 230] {
        read(&mut reconciler, &mut state, "51.9", [secs]);
        tell(&mut reconciler, &mut state, &deposit, secs + 1);
    }
    assert!(matches!(reconciler.verdict(&state), Verdict::Differs(_)));
}

#[test]
fn what_moved_before_the_opening_balance_is_in_it() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    let day_before = movement(Kind::Deposit, "100", 200 - 86_400);
    assert!(!tell(&mut reconciler, &mut state, &day_before, 205));
    tell(&mut reconciler, &mut state, &movement(Kind::Deposit, "30", 200), 205);
    assert_eq!((line(&state, Line::Transfer), total(&state)), (Money::ZERO, money("94.9")));
    assert_eq!(read(&mut reconciler, &mut state, "94.9", [210, 300]), []);
    // Nothing is known of a journal whose balance was never read.
    let nothing = State::default();
    assert!(!nothing.ledger().is_new_movement(POLYMARKET, &movement(Kind::Deposit, "1", 300)));
}

#[test]
fn a_movement_that_the_opening_balance_did_not_have_yet_is_booked_when_the_balance_has_it() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    tell(&mut reconciler, &mut state, &movement(Kind::Withdrawal, "-30", 198), 205);
    assert_eq!(read(&mut reconciler, &mut state, "64.9", [210, 230, 250]), []);
    assert_eq!(reconciler.verdict(&state), Verdict::Agreed, "it is explained");
    let booked = read(&mut reconciler, &mut state, "64.9", [270]);
    assert_eq!(booked, [(Line::Transfer, money("-30"))]);
    assert_eq!(read(&mut reconciler, &mut state, "64.9", [290, 2_000]), []);
    assert_eq!(reconciler.verdict(&state), Verdict::Agreed);
}

#[test]
fn a_deposit_that_is_listed_after_it_was_booked_as_unexplained_takes_its_name() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    let booked = read(&mut reconciler, &mut state, "194.9", [210, 810]);
    assert_eq!(booked, [(Line::Unexplained, money("100"))]);
    tell(&mut reconciler, &mut state, &movement(Kind::Deposit, "100", 205), 1_000);
    assert_eq!(line(&state, Line::Unexplained), Money::ZERO);
    assert_eq!((line(&state, Line::Transfer), total(&state)), (money("100"), money("194.9")));
    assert_eq!(read(&mut reconciler, &mut state, "194.9", [1_010, 3_000]), []);
    // What came after it is another one.
    tell(&mut reconciler, &mut state, &movement(Kind::Deposit, "100", 3_010), 3_020);
    assert_eq!(total(&state), money("294.9"));
}

#[test]
fn a_part_of_what_was_unexplained_is_named_and_the_rest_stays() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    read(&mut reconciler, &mut state, "195.5", [210, 810]);
    tell(&mut reconciler, &mut state, &movement(Kind::Deposit, "100", 205), 1_000);
    assert_eq!(line(&state, Line::Unexplained), money("0.6"), "it may be interest");
    assert_eq!(total(&state), money("195.5"));
}

#[test]
fn a_withdrawal_that_is_listed_after_a_person_accepted_it_takes_its_name() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    read(&mut reconciler, &mut state, "54.9", [210, 230]);
    let amount = reconciler.shortfall(POLYMARKET).unwrap();
    let (venue, as_of) = (POLYMARKET, reconciler.compared_at(POLYMARKET));
    assert_eq!(as_of, at(230));
    let (line_of, why) = (Line::Accepted, "mine".to_owned());
    state.apply(&Record::Booked { venue, line: line_of, amount, why, as_of, at: at(240) });
    reconciler.forget_cash(POLYMARKET);
    tell(&mut reconciler, &mut state, &movement(Kind::Withdrawal, "-40", 205), 1_000);
    assert_eq!(line(&state, Line::Accepted), Money::ZERO);
    assert_eq!((line(&state, Line::Transfer), total(&state)), (money("-40"), money("54.9")));
}

#[test]
fn a_rebate_that_was_taken_for_a_fee_takes_its_name() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    let booked = read(&mut reconciler, &mut state, "94.93", [210, 220]);
    assert_eq!(booked, [(Line::FeeTrueUp, money("0.03"))]);
    tell(&mut reconciler, &mut state, &movement(Kind::Rebate, "0.05", 205), 1_000);
    assert_eq!(line(&state, Line::FeeTrueUp), money("-0.02"), "the fee was dearer than computed");
    assert_eq!((line(&state, Line::Interest), total(&state)), (money("0.05"), money("94.93")));
}

#[test]
fn a_deposit_that_is_listed_before_its_balance_stops_nothing_and_counts_once() {
    for late_by in [30, 200] {
        let mut state = state();
        let mut reconciler = agreed(&mut state);
        tell(&mut reconciler, &mut state, &movement(Kind::Deposit, "100", 205), 206);
        for secs in (210..210 + late_by).step_by(10) {
            read(&mut reconciler, &mut state, "94.9", [secs]);
            assert_eq!(reconciler.verdict(&state), Verdict::Agreed, "{secs}");
        }
        let first = 210 + late_by;
        read(&mut reconciler, &mut state, "194.9", (first..first + 100).step_by(10));
        assert_eq!((line(&state, Line::Transfer), total(&state)), (money("100"), money("194.9")));
        assert_eq!(reconciler.verdict(&state), Verdict::Agreed);
    }
}

#[test]
fn a_balance_from_before_a_movement_was_told_is_not_compared() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    tell(&mut reconciler, &mut state, &movement(Kind::Deposit, "100", 205), 240);
    assert_eq!(read(&mut reconciler, &mut state, "50", [230, 240]), []);
    assert_eq!(reconciler.verdict(&state), Verdict::Agreed);
    assert_eq!(read(&mut reconciler, &mut state, "50", [241, 250]), []);
    assert!(matches!(reconciler.verdict(&state), Verdict::Differs(_)));
}

#[test]
fn whether_a_fee_was_on_top_the_balance_tells() {
    for (dollars, moved) in [("192.9", "98"), ("194.9", "100")] {
        let mut state = state();
        let mut reconciler = agreed(&mut state);
        let deposit = movement(Kind::Deposit, "100", 205);
        let deposit = Movement { fee: money("2"), ..deposit };
        tell(&mut reconciler, &mut state, &deposit, 206);
        read(&mut reconciler, &mut state, dollars, [210, 230, 250, 270, 290]);
        assert_eq!((line(&state, Line::Transfer), total(&state)), (money(moved), money(dollars)));
        assert_eq!(reconciler.verdict(&state), Verdict::Agreed);
        // What is missing later is missing for another reason.
        let less = (money(dollars) - money("2")).to_string();
        read(&mut reconciler, &mut state, &less, [310, 330, 350, 1_000]);
        assert!(matches!(reconciler.verdict(&state), Verdict::Differs(_)), "{dollars}");
    }
}

#[test]
fn the_fees_of_two_deposits_are_taken_together() {
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    for (secs, fee) in [(203, "1"), (205, "2")] {
        let deposit = movement(Kind::Deposit, "50", secs);
        let deposit = Movement { fee: money(fee), ..deposit };
        tell(&mut reconciler, &mut state, &deposit, 206);
    }
    let booked = read(&mut reconciler, &mut state, "191.9", [210, 230, 270]);
    assert_eq!(booked, [(Line::Transfer, money("-3"))]);
    assert_eq!(reconciler.verdict(&state), Verdict::Agreed);
}

#[test]
fn what_comes_back_is_booked_where_it_had_come_and_else_when_it_is_missing() {
    let back =
        |secs| Movement { id: "deposit 205".to_owned(), ..movement(Kind::Returned, "-100", secs) };
    let mut state = state();
    let mut reconciler = agreed(&mut state);
    tell(&mut reconciler, &mut state, &movement(Kind::Deposit, "100", 205), 206);
    read(&mut reconciler, &mut state, "194.9", [210]);
    assert!(tell(&mut reconciler, &mut state, &back(300), 301));
    assert!(!tell(&mut reconciler, &mut state, &back(300), 320));
    assert_eq!((line(&state, Line::Transfer), total(&state)), (Money::ZERO, money("94.9")));
    // It was never applied, or is in the opening balance: only the balance knows.
    for (dollars, moved) in [("94.9", "0"), ("-5.1", "-100")] {
        let mut state = self::state();
        let mut reconciler = agreed(&mut state);
        tell(&mut reconciler, &mut state, &back(300), 301);
        assert_eq!(total(&state), money("94.9"));
        read(&mut reconciler, &mut state, dollars, [310, 330, 350, 370, 390]);
        assert_eq!((line(&state, Line::Transfer), total(&state)), (money(moved), money(dollars)));
        assert_eq!(reconciler.verdict(&state), Verdict::Agreed);
    }
}
