use super::*;

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn branch(kalshi: Payoff, polymarket: Payoff) -> Branch {
    Branch { case: "void".to_owned(), kalshi, polymarket }
}

fn held(outcome: Outcome, cost: &str) -> Holding {
    Holding { quantity: Quantity::contracts(120), cost: money(cost), outcome }
}

/// 120 contracts: Kalshi's own YES for 51.10, the other of the named Polymarket outcome for 62.40.
fn worst_of(table: &[Branch]) -> Option<String> {
    let (kalshi, polymarket) = (held(Outcome::Yes, "51.10"), held(Outcome::No, "62.40"));
    worst(table, &kalshi, &polymarket, money("3.25168")).map(|money| money.to_string())
}

fn fixed(text: &str) -> Payoff {
    Payoff::Fixed(money(text))
}

#[test]
fn no_table_has_no_worst_case() {
    assert_eq!(worst_of(&[]), None);
}

#[test]
fn each_payoff_counts_what_its_holder_gets_at_the_worst() {
    for (kalshi, polymarket, total) in [
        // As planned: 120 - 113.50 - 3.25168.
        (Payoff::AsResolved, Payoff::AsResolved, "3.248320"),
        // A better case than the plan does not hide the plan.
        (fixed("1"), fixed("0"), "3.248320"),
        // Both legs lose: YES pays nothing here, and there it is YES that is paid.
        (fixed("0"), fixed("1"), "-116.751680"),
        (fixed("0.5"), fixed("0.5"), "3.248320"),
        (fixed("0.25"), fixed("0.5"), "-26.751680"),
        // What was spent comes back, the fees do not.
        (Payoff::Refund, Payoff::Refund, "-3.251680"),
        (Payoff::Last, fixed("0.5"), "-56.751680"),
        (Payoff::Refund, Payoff::Fair, "-65.651680"),
        (Payoff::AsResolved, fixed("0.5"), "-56.751680"),
        (Payoff::AsResolved, Payoff::Last, "-116.751680"),
    ] {
        let table = [branch(kalshi, polymarket)];
        assert_eq!(worst_of(&table).as_deref(), Some(total), "{kalshi:?} {polymarket:?}");
    }
}

#[test]
fn the_worst_of_several_cases_counts() {
    let table = [
        branch(Payoff::Refund, Payoff::Refund),
        branch(Payoff::Last, fixed("0.5")),
        branch(Payoff::AsResolved, Payoff::AsResolved),
    ];
    assert_eq!(worst_of(&table).as_deref(), Some("-56.751680"));
}

#[test]
fn the_side_that_is_held_decides_what_a_fixed_payoff_pays() {
    let table = [branch(fixed("0.25"), fixed("0.25"))];
    let paid = |kalshi, polymarket| {
        worst(&table, &held(kalshi, "0"), &held(polymarket, "0"), Money::ZERO).unwrap()
    };
    assert_eq!(paid(Outcome::Yes, Outcome::Yes), money("60"));
    assert_eq!(paid(Outcome::Yes, Outcome::No), money("120"));
    assert_eq!(paid(Outcome::No, Outcome::Yes), money("120"));
    assert_eq!(paid(Outcome::No, Outcome::No), money("120"), "never more than planned");
}

#[test]
fn the_return_is_simple_and_needs_a_day_ahead() {
    let now = Timestamp::parse("2026-11-22T10:00:00.123456Z").unwrap();
    let settles = |text: &str| text.parse::<Date>().unwrap();
    let (profit, outlay) = (money("3.008320"), money("116.751680"));
    assert_eq!(annualised(profit, outlay, now, settles("2026-12-09")), Some(567));
    assert_eq!(annualised(profit, outlay, now, settles("2026-11-22")), None, "began already");
    assert_eq!(annualised(profit, Money::ZERO, now, settles("2026-12-09")), None);
    let midnight = Timestamp::parse("2026-11-22T00:00:00Z").unwrap();
    assert_eq!(annualised(money("1"), money("100"), midnight, settles("2027-11-22")), Some(10));
    assert_eq!(annualised(-profit, outlay, now, settles("2026-12-09")), Some(-568), "down");
    let (vast, tiny) = (Money::from_micros(i64::MAX), Money::from_micros(1));
    let last = Timestamp::parse("2026-12-08T23:59:59.999999999Z").unwrap();
    assert_eq!(annualised(vast, tiny, last, settles("2026-12-09")), None, "beyond any number");
}
