//! Positions and cash to the micro-dollar.

use super::*;
use crate::domain::report::Total;
use crate::domain::{IntentId, Lifetime, Price, Purpose, Size, TradeId};

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn order(venue: Venue, action: Action, outcome: Outcome) -> Order {
    Order {
        intent: IntentId(1),
        trade: TradeId(1),
        venue,
        market: MarketIndex(3),
        outcome,
        action,
        limit: Price::parse("0.50").unwrap(),
        size: Size::Contracts(quantity("10")),
        lifetime: Lifetime::Immediate,
        purpose: Purpose::Enter,
        at: Timestamp::ZERO,
    }
}

fn booked(count: &str, cost: &str, fee: &str) -> Booked {
    let total = Total { quantity: quantity(count), money: money(cost) };
    Booked { total, fee: money(fee), fee_computed: Money::ZERO }
}

const MARKET: MarketIndex = MarketIndex(3);

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

#[test]
fn what_is_seen_in_a_new_light_takes_the_place_of_the_old() {
    let mut ledger = Ledger::default();
    let buy = order(Venue::Polymarket, Action::Buy, Outcome::Yes);
    let (nothing, some, less) =
        (Booked::default(), booked("10", "5", "0.1"), booked("4", "2", "0.04"));
    ledger.book(&buy, &nothing, &some);
    ledger.book(&buy, &some, &less);
    assert_eq!(ledger.held(MARKET, Outcome::Yes), quantity("4"));
    assert_eq!(ledger.cash(Venue::Polymarket).total(), money("-2.04"));
    ledger.book(&buy, &less, &nothing);
    assert_eq!(ledger.cash(Venue::Polymarket).total(), Money::ZERO);
}

#[test]
fn kalshi_pays_a_dollar_for_both_outcomes_at_once_whatever_comes_first() {
    let yes = order(Venue::Kalshi, Action::Buy, Outcome::Yes);
    let no = order(Venue::Kalshi, Action::Buy, Outcome::No);
    let bought = [(&yes, booked("10", "4", "0.1")), (&no, booked("6", "3", "0.1"))];
    for order in [[0, 1], [1, 0]] {
        let mut ledger = Ledger::default();
        for at in order {
            ledger.book(bought[at].0, &Booked::default(), &bought[at].1);
        }
        assert_eq!(ledger.held(MARKET, Outcome::Yes), quantity("4"));
        assert_eq!(ledger.held(MARKET, Outcome::No), Quantity::ZERO);
        assert_eq!(ledger.cash(Venue::Kalshi).total(), money("-1.2"));
    }
}

#[test]
fn a_kalshi_sale_of_what_is_not_held_is_a_purchase_of_the_other_outcome() {
    let mut ledger = Ledger::default();
    let sell = order(Venue::Kalshi, Action::Sell, Outcome::Yes);
    ledger.book(&sell, &Booked::default(), &booked("10", "4", "0"));
    assert_eq!(ledger.held(MARKET, Outcome::No), quantity("10"));
    assert_eq!(ledger.cash(Venue::Kalshi).total(), money("-6"));
}

#[test]
fn a_merge_takes_both_outcomes_and_brings_a_dollar_each() {
    let mut ledger = Ledger::default();
    for outcome in [Outcome::Yes, Outcome::No] {
        let buy = order(Venue::Polymarket, Action::Buy, outcome);
        ledger.book(&buy, &Booked::default(), &booked("10", "5.1", "0"));
    }
    assert_eq!(ledger.held(MARKET, Outcome::No), quantity("10"), "nothing nets by itself");
    for _ in 0..2 {
        ledger.merge(MARKET, quantity("10"));
    }
    assert_eq!(ledger.held(MARKET, Outcome::Yes), Quantity::ZERO);
    assert_eq!(ledger.cash(Venue::Polymarket).total(), money("-0.2"));
}

#[test]
fn a_payout_is_booked_once_and_a_later_word_counts_the_difference() {
    let mut ledger = Ledger::default();
    let buy = order(Venue::Polymarket, Action::Buy, Outcome::No);
    ledger.book(&buy, &Booked::default(), &booked("10", "5", "0"));
    let half = Payout { yes_pays: money("0.5"), paid: Money::ZERO };
    ledger.settle(Venue::Polymarket, MARKET, half, at(1));
    assert_eq!(ledger.owed(MARKET, half), money("5"));
    assert_eq!(ledger.held(MARKET, Outcome::No), quantity("10"), "resolved is not paid");
    let paid = Payout { paid: money("5"), ..half };
    for _ in 0..2 {
        ledger.settle(Venue::Polymarket, MARKET, paid, at(2));
    }
    assert_eq!(ledger.cash(Venue::Polymarket).paid, money("5"));
    assert_eq!(ledger.held(MARKET, Outcome::No), Quantity::ZERO);
}

#[test]
fn a_market_that_is_redeemed_in_steps_has_paid_the_sum_of_them() {
    let mut ledger = Ledger::default();
    let buy = order(Venue::Polymarket, Action::Buy, Outcome::Yes);
    ledger.book(&buy, &Booked::default(), &booked("10", "5", "0"));
    let paid = |paid| Payout { yes_pays: money("1"), paid: money(paid) };
    for (dollars, secs) in [("4", 7), ("5.5", 9), ("4", 7)] {
        assert!(secs == 7 || ledger.is_new_payment(MARKET, paid(dollars), at(secs)));
        ledger.settle(Venue::Polymarket, MARKET, paid(dollars), at(secs));
        assert!(!ledger.is_new_payment(MARKET, paid(dollars), at(secs)), "told again");
    }
    assert_eq!(ledger.cash(Venue::Polymarket).paid, money("9.5"));
    assert_eq!(ledger.held(MARKET, Outcome::Yes), quantity("0.5"));
    ledger.settle(Venue::Polymarket, MARKET, paid("0.5"), at(11));
    assert_eq!(ledger.held(MARKET, Outcome::Yes), Quantity::ZERO);
    assert_eq!(ledger.cash(Venue::Polymarket).total(), money("5"));
}

#[test]
fn kalshi_pays_a_market_once_whatever_time_it_gives() {
    let mut ledger = Ledger::default();
    let buy = order(Venue::Kalshi, Action::Buy, Outcome::Yes);
    ledger.book(&buy, &Booked::default(), &booked("10", "5", "0"));
    let paid = Payout { yes_pays: money("1"), paid: money("10") };
    for secs in [7, 9] {
        ledger.settle(Venue::Kalshi, MARKET, paid, at(secs));
    }
    assert_eq!(ledger.cash(Venue::Kalshi).paid, money("10"));
}

#[test]
fn what_lost_at_kalshi_is_gone_when_it_settles() {
    let mut ledger = Ledger::default();
    let buy = order(Venue::Kalshi, Action::Buy, Outcome::No);
    ledger.book(&buy, &Booked::default(), &booked("10", "5", "0"));
    let lost = Payout { yes_pays: money("1"), paid: Money::ZERO };
    ledger.settle(Venue::Kalshi, MARKET, lost, at(1));
    assert_eq!(ledger.held(MARKET, Outcome::No), Quantity::ZERO);
}

#[test]
fn an_adopted_position_moves_no_money() {
    let mut ledger = Ledger::default();
    ledger.adopt(Venue::Polymarket, MARKET, Outcome::Yes, quantity("7"));
    assert_eq!(ledger.held(MARKET, Outcome::Yes), quantity("7"));
    ledger.adopt(Venue::Polymarket, MARKET, Outcome::Yes, quantity("2"));
    assert_eq!(ledger.held(MARKET, Outcome::Yes), quantity("2"));
    assert_eq!(ledger.cash(Venue::Polymarket).total(), Money::ZERO);
    ledger.enter(Venue::Kalshi, Line::Transfer, money("3"));
    assert_eq!(ledger.cash(Venue::Kalshi).total(), money("3"));
}

#[test]
fn what_lost_at_polymarket_is_held_no_more_and_comes_back_with_another_word() {
    let mut ledger = Ledger::default();
    let buy = order(Venue::Polymarket, Action::Buy, Outcome::No);
    ledger.book(&buy, &Booked::default(), &booked("10", "5", "0.1"));
    let resolved = |yes_pays| Payout { yes_pays: money(yes_pays), paid: Money::ZERO };
    ledger.settle(Venue::Polymarket, MARKET, resolved("1"), at(9));
    assert_eq!(ledger.held(MARKET, Outcome::No), Quantity::ZERO);
    ledger.settle(Venue::Polymarket, MARKET, resolved("0.5"), at(9));
    assert_eq!(ledger.held(MARKET, Outcome::No), quantity("10"));
}

#[test]
fn a_payment_that_is_told_in_whole_cents_is_booked_as_it_was_owed() {
    for (told, paid) in [("2.50", "2.505"), ("2.51", "2.505"), ("2.49", "2.49"), ("2.52", "2.52")] {
        let mut ledger = Ledger::default();
        let buy = order(Venue::Kalshi, Action::Buy, Outcome::Yes);
        ledger.book(&buy, &Booked::default(), &booked("5.01", "2", "0.1"));
        let payout = Payout { yes_pays: money("0.5"), paid: money(told) };
        ledger.settle(Venue::Kalshi, MARKET, payout, at(1));
        assert_eq!(ledger.cash(Venue::Kalshi).paid, money(paid), "{told} were told");
        assert!(!ledger.is_new_payment(MARKET, payout, at(2)), "it is told again and again");
    }
    // Kalshi keeps what is below a hundredth of a cent.
    let mut ledger = Ledger::default();
    let buy = order(Venue::Kalshi, Action::Buy, Outcome::No);
    ledger.book(&buy, &Booked::default(), &booked("74.73", "35", "1"));
    let payout = Payout { yes_pays: money("0.8777"), paid: money("9.13") };
    ledger.settle(Venue::Kalshi, MARKET, payout, at(1));
    assert_eq!(ledger.cash(Venue::Kalshi).paid, money("9.1394"));
    assert!(!ledger.is_half_paid(MARKET));
    // So little that no cent of it is told.
    let mut ledger = Ledger::default();
    let buy = order(Venue::Kalshi, Action::Buy, Outcome::Yes);
    ledger.book(&buy, &Booked::default(), &booked("0.01", "0.005", "0.0001"));
    let payout = Payout { yes_pays: money("0.5"), paid: Money::ZERO };
    assert!(ledger.is_new_payment(MARKET, payout, at(1)));
    ledger.settle(Venue::Kalshi, MARKET, payout, at(1));
    assert_eq!(ledger.cash(Venue::Kalshi).paid, money("0.005"));
    assert!(!ledger.is_new_payment(MARKET, payout, at(2)));
    // Polymarket tells it exactly.
    let mut ledger = Ledger::default();
    let buy = order(Venue::Polymarket, Action::Buy, Outcome::Yes);
    ledger.book(&buy, &Booked::default(), &booked("5.01", "2", "0.1"));
    let payout = Payout { yes_pays: money("0.5"), paid: money("2.5") };
    ledger.settle(Venue::Polymarket, MARKET, payout, at(1));
    assert_eq!(ledger.cash(Venue::Polymarket).paid, money("2.5"));
}

#[test]
fn a_fill_that_is_known_only_after_its_market_paid_is_paid_for_as_well() {
    let mut ledger = Ledger::default();
    let buy = order(Venue::Kalshi, Action::Buy, Outcome::No);
    let (before, after) = (booked("90.07", "50", "1"), booked("90.09", "50.01", "1"));
    ledger.book(&buy, &Booked::default(), &before);
    let payout = Payout { yes_pays: money("0.2308"), paid: money("69.29") };
    ledger.settle(Venue::Kalshi, MARKET, payout, at(1));
    assert_eq!(ledger.cash(Venue::Kalshi).paid, money("69.2818"), "as far as it is known");
    ledger.book(&buy, &before, &after);
    assert_eq!(ledger.cash(Venue::Kalshi).paid, money("69.2972"));
    assert!(!ledger.is_new_payment(MARKET, payout, at(2)));
    // And one that turns out not to have been.
    ledger.book(&buy, &after, &before);
    assert_eq!(ledger.cash(Venue::Kalshi).paid, money("69.2818"));
}
