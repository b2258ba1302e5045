//! The venue's own brake: a burst beyond the limit trips it, and it is heard.

use super::*;

fn permissions(bench: &Bench) -> Vec<&Permission> {
    let all = bench.reports.iter();
    all.filter_map(|report| match report {
        Report::Permission { permission, .. } => Some(permission),
        _ => None,
    })
    .collect()
}

#[test]
fn a_burst_beyond_the_limit_stops_the_account_until_the_group_is_reset() {
    let mut bench = Bench::braked(Kind::Ed25519, Ways::Both, Some(5));
    let first = bench.order(Outcome::Yes, Action::Buy, 100);
    let early = bench.gateway.place(&first, &bench.markets, bench.now);
    assert!(early.is_err(), "nothing is opened before the brake is set");
    bench.ask(&Question::Permission);
    assert_eq!(permissions(&bench), [&Permission::Open], "{:?}", bench.notices);
    let first = bench.order(Outcome::Yes, Action::Buy, 400);
    bench.place(&first);
    assert_eq!(permissions(&bench).len(), 1, "four contracts are within the limit");
    let second = bench.order(Outcome::Yes, Action::Buy, 400);
    bench.place(&second);
    let told = permissions(&bench);
    assert!(
        matches!(told[..], [_, Permission::ReadOnly(why)] if why.contains("tripped")),
        "{told:?}"
    );
    assert_eq!(bench.booked(second.intent), bench.truth(&second), "what it traded is known");
    let third = bench.order(Outcome::Yes, Action::Buy, 100);
    assert!(bench.gateway.place(&third, &bench.markets, bench.now).is_err());
    // What can only reduce goes out past the group, and is taken.
    let out = bench.order(Outcome::Yes, Action::Sell, 300);
    bench.place(&out);
    assert!(!bench.booked(out.intent).0.is_zero(), "{:?}", bench.evidence(out.intent));
}
