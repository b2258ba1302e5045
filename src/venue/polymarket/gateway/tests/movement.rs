//! Money that moves without a trade.

use crate::domain::movement::{Kind, Movement};
use crate::domain::report::Listing;

use super::*;

fn ask(gateway: &mut Gateway) -> Call {
    let since = now().before(Duration::from_hours(24));
    gateway.ask(&Question::Movements(since), &table(), now()).unwrap().remove(0)
}

fn page(rows: &[Value], cursor: Option<&str>) -> Value {
    let pagination = json!({ "has_more": cursor.is_some(), "next_cursor": cursor });
    json!({ "data": rows, "pagination": pagination })
}

/// A row in the recorded shape.
fn row(kind: &str, dollars: &str) -> Value {
    json!({
        "proxy_wallet": WALLET, "timestamp": now().secs(), "condition_id": "", "type": kind,
        "size": dollars, "usdc_size": dollars, "transaction_hash": "0xfe", "side": "",
        "name": "", "pseudonym": "", "bio": "",
    })
}

fn moved(taken: &Taken) -> Vec<Movement> {
    let of = |report: &Report| match report {
        Report::Moved { venue: Venue::Polymarket, movement } => movement.clone(),
        other => panic!("{other:?}"),
    };
    taken.reports.iter().map(of).collect()
}

#[test]
fn every_type_that_moves_money_is_asked_for() {
    let mut gateway = gateway(Wallet::Deposit, Chain::Polygon);
    let call = ask(&mut gateway);
    let types = "DEPOSIT,WITHDRAWAL,REWARD,YIELD,MAKER_REBATE,TAKER_REBATE,REFERRAL_REWARD,TIP";
    let url = call.url.replace("%2C", ",");
    let start = now().secs() - 86_400;
    assert_eq!(
        url,
        format!(
            "http://data/v2/activity?user={WALLET}&type={types}\
             &exclude_deposits_withdrawals=false&limit=1000&start={start}"
        )
    );
    assert!(call.headers.is_empty() && call.class == Class::Read);
}

#[test]
fn each_type_says_what_moved_and_which_way() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let tip = |side: &str| {
        let mut tip = row("TIP", "3");
        tip["side"] = side.into();
        tip["usdc_size"] = Value::Null;
        tip
    };
    for (row, expected) in [
        (row("DEPOSIT", "100.25"), Some((Kind::Deposit, "100.25"))),
        (row("WITHDRAWAL", "40"), Some((Kind::Withdrawal, "-40"))),
        (tip("IN"), Some((Kind::Tip, "3"))),
        (tip("OUT"), Some((Kind::Tip, "-3"))),
        (row("YIELD", "0.000001"), Some((Kind::Interest, "0.000001"))),
        (row("MAKER_REBATE", "1.5"), Some((Kind::Rebate, "1.5"))),
        (row("TAKER_REBATE", "1.5"), Some((Kind::Rebate, "1.5"))),
        (row("REWARD", "2"), Some((Kind::Reward, "2"))),
        (row("REFERRAL_REWARD", "2"), Some((Kind::Reward, "2"))),
        (row("DEPOSIT", "0"), None),
        // Told otherwise, or nothing that is known to move money.
        (row("REDEEM", "5"), None),
        (row("TRADE", "5"), None),
        (row("AIRDROP", "5"), None),
    ] {
        let call = ask(&mut gateway);
        let taken = read(&mut gateway, &call, 200, &page(std::slice::from_ref(&row), None));
        let found: Vec<_> = moved(&taken).into_iter().map(|one| (one.kind, one.amount)).collect();
        let expected = expected.map(|(kind, text)| (kind, Money::parse(text).unwrap()));
        assert_eq!(found, Vec::from_iter(expected), "{row}");
        assert_eq!(taken.whole, [(Listing::Movements, now())]);
    }
}

#[test]
fn a_name_stays_the_same_and_is_no_other_rows() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let mut of_market = row("MAKER_REBATE", "1");
    of_market["condition_id"] = CONDITION.into();
    let mut elsewhere = row("DEPOSIT", "1");
    elsewhere["transaction_hash"] = "0xff".into();
    let rows = [
        row("MAKER_REBATE", "1"),
        of_market,
        row("MAKER_REBATE", "2"),
        row("TAKER_REBATE", "1"),
        row("DEPOSIT", "1"),
        elsewhere,
        // Alike in everything: two payments of one transaction.
        row("MAKER_REBATE", "1"),
    ];
    let mut names = Vec::new();
    for _ in 0..2 {
        let call = ask(&mut gateway);
        let first = read(&mut gateway, &call, 200, &page(&rows[..4], Some("c2")));
        assert!(first.whole.is_empty(), "half a list");
        assert!(first.calls[0].url.ends_with("&cursor=c2"), "{}", first.calls[0].url);
        let last = read(&mut gateway, &first.calls[0], 200, &page(&rows[4..], None));
        assert_eq!(last.whole, [(Listing::Movements, now())]);
        let told = moved(&first).into_iter().chain(moved(&last));
        names.push(told.map(|one| one.id).collect::<Vec<_>>());
    }
    assert_eq!(names[0], names[1]);
    let distinct: std::collections::BTreeSet<_> = names[0].iter().collect();
    assert_eq!(distinct.len(), rows.len(), "{names:?}");
}

#[test]
fn a_list_with_a_row_that_makes_no_sense_is_not_whole() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let mut no_time = row("DEPOSIT", "5");
    no_time["timestamp"] = "soon".into();
    for broken in [row("DEPOSIT", "many"), row("YIELD", "-1"), row("TIP", "5"), no_time] {
        let call = ask(&mut gateway);
        let rows = [broken.clone(), row("DEPOSIT", "7")];
        let taken = read(&mut gateway, &call, 200, &page(&rows, None));
        assert_eq!((moved(&taken).len(), taken.notices.len()), (1, 1), "{broken}");
        assert!(taken.whole.is_empty(), "{broken}");
    }
    let call = ask(&mut gateway);
    let taken = read(&mut gateway, &call, 500, &json!({}));
    assert!(taken.whole.is_empty() && taken.notices.len() == 1);
}

#[test]
fn an_answer_to_an_earlier_list_is_passed_over() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let (earlier, call) = (ask(&mut gateway), ask(&mut gateway));
    let rows = page(&[row("DEPOSIT", "7")], None);
    let taken = read(&mut gateway, &earlier, 200, &rows);
    assert!(taken.reports.is_empty() && taken.whole.is_empty());
    assert_eq!(moved(&read(&mut gateway, &call, 200, &rows)).len(), 1);
}
