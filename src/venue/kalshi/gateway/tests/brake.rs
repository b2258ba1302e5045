//! Order groups: made before anything is opened, in every order, and heard when they trip.

use super::account::{KEYS, STATUS_SHARDS};
use super::*;
use crate::domain::report::Permission;

const BALANCE: &str = include_str!("../../../../../tests/data/kalshi/http_balance.json");
const UPDATE: &str = include_str!("../../../../../tests/data/kalshi/ws_order_group_updates.json");
const GROUP: &str = r#"{"order_group_id":"group-0","subaccount":0,"exchange_index":0}"#;

fn braked() -> Rig {
    let mut rig = Rig::new();
    rig.gateway.settings.order_group_contracts = Some(500);
    rig
}

/// The calls that make the groups, after the venue and the key said yes.
fn asked(rig: &mut Rig) -> Vec<Call> {
    let status = only(rig.ask(&Question::Permission));
    let keys = only(rig.reply(&status, 200, STATUS_SHARDS).calls);
    let taken = rig.reply(&keys, 200, KEYS);
    assert!(taken.reports.is_empty(), "not before the brakes are set: {:?}", taken.reports);
    let balance = only(taken.calls);
    assert_eq!(path_and_query(&balance), "/portfolio/balance");
    rig.reply(&balance, 200, BALANCE).calls
}

fn permission(taken: Taken) -> Permission {
    match only(taken.reports) {
        Report::Permission { venue: Venue::Kalshi, permission } => permission,
        other => panic!("{other:?}"),
    }
}

/// A rig whose group of the first shard stands.
fn standing_group() -> Rig {
    let mut rig = braked();
    let mut last = None;
    for call in asked(&mut rig) {
        let shard = call.body.as_ref().unwrap().contains(r#""exchange_index":0"#);
        let id = if shard { "group-0" } else { "group-1" };
        last = Some(rig.reply(&call, 201, &GROUP.replace("group-0", id)));
    }
    assert_eq!(permission(last.unwrap()), Permission::Open);
    rig
}

fn update(kind: &str, id: &str) -> String {
    let mut frame: serde_json::Value = serde_json::from_str(UPDATE).unwrap();
    frame["msg"]["event_type"] = kind.into();
    frame["msg"]["order_group_id"] = id.into();
    frame.to_string()
}

fn reducing() -> Order {
    Order { purpose: Purpose::Unwind, ..order(Outcome::No, Action::Sell, "0.59") }
}

fn group_in(call: &Call) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(call.body.as_ref().unwrap()).unwrap();
    body["order_group_id"].as_str().map(str::to_owned)
}

#[test]
fn the_account_may_trade_once_each_shard_with_cash_has_its_group() {
    let mut rig = braked();
    let calls = asked(&mut rig);
    assert!(!calls.is_empty());
    for (at, call) in calls.iter().enumerate() {
        assert_eq!((call.method, path_and_query(call)), ("POST", "/portfolio/order_groups/create"));
        assert!(call.body.as_ref().unwrap().contains(r#""contracts_limit":500"#));
        let taken = rig.reply(call, 201, GROUP);
        let is_last = at + 1 == calls.len();
        assert_eq!(taken.reports.len(), usize::from(is_last));
    }
    // The next round finds them there and makes none.
    let status = only(rig.ask(&Question::Permission));
    let keys = only(rig.reply(&status, 200, STATUS_SHARDS).calls);
    let balance = only(rig.reply(&keys, 200, KEYS).calls);
    let taken = rig.reply(&balance, 200, BALANCE);
    assert!(taken.calls.is_empty());
    assert_eq!(permission(taken), Permission::Open);
}

#[test]
fn nothing_is_begun_without_its_group_and_no_hedge_waits_for_it() {
    let mut rig = braked();
    let early = rig.gateway.place(&buy_no(), &rig.markets, rig.now);
    assert!(early.unwrap_err().to_string().contains("no order group yet"));
    let hedge = Order { purpose: Purpose::Finish, ..buy_no() };
    for order in [reducing(), hedge] {
        let (_, call) = rig.gateway.place(&order, &rig.markets, rig.now).unwrap();
        assert_eq!(group_in(&call), None);
    }
    let mut rig = standing_group();
    for order in [buy_no(), reducing()] {
        let call = rig.place(&order);
        assert_eq!(group_in(&call).as_deref(), Some("group-0"));
    }
}

#[test]
fn a_group_that_can_not_be_made_keeps_the_account_from_trading() {
    for (status, body) in [(500, ""), (400, "{}"), (201, r#"{"order_group_id":" "}"#), (201, "[")] {
        let mut rig = braked();
        let call = asked(&mut rig).remove(0);
        let found = permission(rig.reply(&call, status, body));
        let Permission::ReadOnly(why) = found else { panic!("{found:?}") };
        assert!(why.contains("order_group_contracts"), "{why}");
    }
    let mut rig = braked();
    let call = asked(&mut rig).remove(0);
    let found = permission(rig.read(&call, &Answer::Lost("cut")));
    assert!(!found.is_open(), "{found:?}");
    assert!(!asked(&mut rig).is_empty(), "it is asked for again");
}

#[test]
fn a_group_that_trips_ends_trading_but_for_ways_out_until_it_is_reset() {
    let mut rig = standing_group();
    let other = rig.private(&update("triggered", "somebody's"));
    assert!(other.reports.is_empty());
    let Permission::ReadOnly(why) = permission(rig.private(&update("triggered", "group-0"))) else {
        panic!()
    };
    assert!(why.contains("shard 0"), "{why}");
    assert!(rig.gateway.place(&buy_no(), &rig.markets, rig.now).is_err());
    let call = rig.place(&reducing());
    assert_eq!(group_in(&call), None, "the venue lets it only reduce");
    // A new round of questions does not forget it.
    let status = only(rig.ask(&Question::Permission));
    let keys = only(rig.reply(&status, 200, STATUS_SHARDS).calls);
    let balance = only(rig.reply(&keys, 200, KEYS).calls);
    assert!(!permission(rig.reply(&balance, 200, BALANCE)).is_open());
    assert_eq!(permission(rig.private(&update("reset", "group-0"))), Permission::Open);
    assert_eq!(group_in(&rig.place(&buy_no())).as_deref(), Some("group-0"));
}

#[test]
fn a_group_that_was_deleted_is_made_again() {
    let mut rig = standing_group();
    assert!(!permission(rig.private(&update("deleted", "group-0"))).is_open());
    assert!(rig.gateway.place(&buy_no(), &rig.markets, rig.now).is_err());
    assert_eq!(asked(&mut rig).len(), 1);
}

#[test]
fn a_refusal_tells_of_a_group_that_tripped_unheard() {
    for (text, words) in
        [("order group is triggered", "has tripped"), ("order_group_not_found", "is gone")]
    {
        let mut rig = standing_group();
        let call = rig.place(&buy_no());
        let body = format!(r#"{{"error":{{"code":"invalid_parameters","message":"{text}"}}}}"#);
        let taken = rig.reply(&call, 400, &body);
        let why = taken.reports.iter().find_map(|report| match report {
            Report::Permission { permission: Permission::ReadOnly(why), .. } => Some(why),
            _ => None,
        });
        assert!(why.is_some_and(|why| why.contains(words)), "{text}: {taken:?}");
        let refused = |report: &&Report| {
            matches!(report, Report::Order { evidence: Evidence::Refused(_), .. })
        };
        assert_eq!(taken.reports.iter().filter(refused).count(), 1);
    }
}
