//! Deposits and withdrawals.

use super::*;
use crate::domain::movement::{Kind, Movement};

const DEPOSITS: &str = include_str!("../../../../../tests/data/kalshi/http_deposits.json");
const WITHDRAWALS: &str = include_str!("../../../../../tests/data/kalshi/http_withdrawals.json");

fn ask(rig: &mut Rig, since: i64) -> [Call; 2] {
    rig.ask(&Question::Movements(Timestamp::from_secs(since))).try_into().unwrap()
}

fn moved(taken: &Taken) -> Vec<Movement> {
    let of = |report: &Report| match report {
        Report::Moved { venue: Venue::Kalshi, movement } => movement.clone(),
        other => panic!("{other:?}"),
    };
    taken.reports.iter().map(of).collect()
}

fn movement(id: &str, kind: Kind, amount: &str, fee: &str, secs: i64) -> Movement {
    let (id, at) = (id.to_owned(), Timestamp::from_secs(secs));
    Movement { id, kind, amount: money(amount), fee: money(fee), at }
}

/// Of five rows one is pending, one failed, and one is of before.
#[test]
fn what_the_balance_has_is_told_and_nothing_else() {
    let mut rig = Rig::new();
    let [paid_in, taken_out] = ask(&mut rig, 1_795_000_000);
    assert_eq!(path_and_query(&paid_in), "/portfolio/deposits?limit=500");
    assert_eq!(path_and_query(&taken_out), "/portfolio/withdrawals?limit=500");
    assert!(paid_in.class == Class::Read && paid_in.body.is_none());
    let taken = rig.reply(&paid_in, 200, DEPOSITS);
    assert_eq!(
        moved(&taken),
        [
            movement("deposit/dep-3", Kind::Deposit, "100", "2", 1_795_000_700),
            movement("deposit/dep-2", Kind::Returned, "-25.50", "0", 1_795_000_600),
        ]
    );
    assert!(taken.notices.is_empty(), "{:?}", taken.notices);
    let taken = rig.reply(&taken_out, 200, WITHDRAWALS);
    assert_eq!(
        moved(&taken),
        [
            movement("withdrawal/wd-2", Kind::Withdrawal, "-40", "2", 1_795_000_800),
            movement("withdrawal/wd-1", Kind::Returned, "10", "0", 1_795_000_650),
        ]
    );
}

#[test]
fn both_lists_are_read_to_their_end() {
    let mut rig = Rig::new();
    let [paid_in, _] = ask(&mut rig, 0);
    let first = DEPOSITS.replacen(r#""cursor":"""#, r#""cursor":"p2""#, 1);
    let taken = rig.reply(&paid_in, 200, &first);
    assert_eq!(moved(&taken).len(), 3, "a page that came counts, whatever becomes of the next");
    let next = only(taken.calls);
    assert_eq!(path_and_query(&next), "/portfolio/deposits?limit=500&cursor=p2");
    let taken = rig.reply(&next, 200, r#"{"deposits":[],"cursor":""}"#);
    assert!(taken.calls.is_empty() && taken.reports.is_empty() && taken.notices.is_empty());
}

#[test]
fn an_account_that_never_took_anything_out_has_no_such_list() {
    let mut rig = Rig::new();
    let [paid_in, taken_out] = ask(&mut rig, 0);
    let taken = rig.reply(&taken_out, 404, r#"{"error":{"code":"not_found"}}"#);
    assert!(taken.reports.is_empty() && taken.notices.is_empty(), "{taken:?}");
    let taken = rig.reply(&paid_in, 503, "{}");
    assert!(taken.reports.is_empty() && taken.notices.len() == 1, "{taken:?}");
}

#[test]
fn a_row_that_makes_no_sense_is_told_once_and_costs_no_other() {
    let mut rig = Rig::new();
    for (from, to) in [
        (r#""status":"applied""#, r#""status":"on_hold""#),
        (r#""amount_cents":10000"#, r#""amount_cents":-1"#),
        (r#""amount_cents":10000,"#, ""),
        (r#""id":"dep-3""#, r#""id":"""#),
        (r#""finalized_ts":1795000700"#, r#""finalized_ts":"soon""#),
    ] {
        let body = DEPOSITS.replacen(from, to, 1);
        assert_ne!(body, DEPOSITS, "{from}");
        for told in [1, 0] {
            let [paid_in, _] = ask(&mut rig, 1_795_000_000);
            let taken = rig.reply(&paid_in, 200, &body);
            assert_eq!(moved(&taken).len(), 1, "{to}");
            assert_eq!(taken.notices.len(), told, "{to}: {:?}", taken.notices);
        }
    }
}

#[test]
fn a_row_that_was_pending_is_told_when_it_is_applied() {
    let mut rig = Rig::new();
    let row = |status: &str, ended: &str| {
        format!(
            r#"{{"deposits":[{{"id":"a","status":"{status}","type":"wire","amount_cents":1,
                "fee_cents":0,"created_ts":1795000100,"finalized_ts":{ended}}}]}}"#
        )
    };
    for (status, ended, expected) in [
        ("pending", "null", None),
        ("applied", "1795000900", Some(1_795_000_900)),
        // Where it does not say when, it began at the latest.
        ("applied", "null", Some(1_795_000_100)),
        ("failed", "1795000900", None),
    ] {
        let [paid_in, _] = ask(&mut rig, 0);
        let told = moved(&rig.reply(&paid_in, 200, &row(status, ended)));
        let expected = expected.map(|at| movement("deposit/a", Kind::Deposit, "0.01", "0", at));
        assert_eq!(told, Vec::from_iter(expected), "{status}");
    }
}
