//! Questions about the account.

use super::*;
use crate::domain::report::Listing;
use crate::domain::report::{Permission, Position, Purse};
use crate::venue::gateway::Conversion;

const POSITIONS: &str = include_str!("../../../../../tests/data/kalshi/http_positions.json");
const BALANCE: &str = include_str!("../../../../../tests/data/kalshi/http_balance.json");
const SETTLEMENTS: &str = include_str!("../../../../../tests/data/kalshi/http_settlements.json");
const LIMITS: &str = include_str!("../../../../../tests/data/kalshi/http_account_limits.json");
const COSTS: &str = include_str!("../../../../../tests/data/kalshi/http_endpoint_costs.json");
pub(super) const KEYS: &str = include_str!("../../../../../tests/data/kalshi/http_api_keys.json");
const STATUS_CLOSED: &str =
    include_str!("../../../../../tests/data/kalshi/http_exchange_status.json");
pub(super) const STATUS_SHARDS: &str =
    include_str!("../../../../../tests/data/kalshi/http_exchange_status_shards.json");

fn as_of() -> Timestamp {
    Timestamp::parse("2026-11-22T10:00:00.900Z").unwrap()
}

#[test]
fn positions_have_a_sign_and_one_reading_is_all_pages() {
    let mut rig = Rig::new();
    let call = only(rig.ask(&Question::Positions));
    let call = only(rig.reply(&call, 200, AS_OF).calls);
    let wanted = "/portfolio/positions?limit=1000&settlement_status=unsettled";
    assert_eq!(path_and_query(&call), wanted);
    let first = POSITIONS.replacen(r#""cursor":"""#, r#""cursor":"p2""#, 1);
    let taken = rig.reply(&call, 200, &first);
    assert!(taken.reports.is_empty(), "half a reading is none");
    let call = only(taken.calls);
    assert_eq!(path_and_query(&call), format!("{wanted}&cursor=p2"));
    let last = r#"{"cursor":"","market_positions":[]}"#;
    let wanted = vec![
        Position {
            market: Some(MarketIndex(0)),
            id: TICKER.to_owned(),
            outcome: Outcome::No,
            quantity: quantity("25"),
        },
        Position {
            market: None,
            id: "KXOTHER-1".to_owned(),
            outcome: Outcome::Yes,
            quantity: quantity("3.5"),
        },
    ];
    let report = only(rig.reply(&call, 200, last).reports);
    let positions = wanted;
    assert_eq!(report, Report::Positions { venue: Venue::Kalshi, positions, as_of: as_of() });
}

#[test]
fn a_broken_position_spoils_the_reading() {
    let mut rig = Rig::new();
    let call = only(rig.ask(&Question::Positions));
    let call = only(rig.reply(&call, 200, AS_OF).calls);
    let taken = rig.reply(&call, 200, &POSITIONS.replace("-25.00", "some"));
    assert!(taken.reports.is_empty());
    assert_eq!(taken.notices.len(), 1);
}

#[test]
fn cash_lies_in_shards() {
    let mut rig = Rig::new();
    for (body, wanted) in [
        (BALANCE.to_owned(), vec![(0, "84.8266"), (2, "0")]),
        (r#"{"balance_dollars":"5.0001"}"#.to_owned(), vec![(0, "5.0001")]),
    ] {
        let call = only(rig.ask(&Question::Cash));
        let call = only(rig.reply(&call, 200, AS_OF).calls);
        assert_eq!(path_and_query(&call), "/portfolio/balance");
        let purses = wanted.into_iter().map(|(at, text)| (Purse::Shard(at), money(text)));
        let wanted =
            Report::Cash { venue: Venue::Kalshi, purses: purses.collect(), as_of: as_of() };
        assert_eq!(only(rig.reply(&call, 200, &body).reports), wanted);
    }
}

#[test]
fn settlements_are_in_cents() {
    let mut rig = Rig::new();
    let since = Timestamp::parse("2026-12-31T00:00:00Z").unwrap();
    let call = only(rig.ask(&Question::Settlements(since)));
    let taken = rig.reply(&call, 200, SETTLEMENTS);
    let found: Vec<_> = taken
        .reports
        .iter()
        .map(|report| match report {
            Report::Settled { id, yes_pays, paid, market, .. } => {
                (&**id, *yes_pays, *paid, *market)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            (TICKER, Money::ZERO, money("25"), Some(MarketIndex(0))),
            ("KXVOID-1", money("0.37"), money("3.70"), None),
        ]
    );
    let later = Timestamp::parse("2027-01-02T00:00:00Z").unwrap();
    let call = only(rig.ask(&Question::Settlements(later)));
    assert!(rig.reply(&call, 200, SETTLEMENTS).reports.is_empty());
}

/// About one market in a hundred and fifty ends between its outcomes, at any hundredth of a cent.
#[test]
fn a_value_between_the_outcomes_is_asked_to_the_last_digit() {
    let mut rig = Rig::new();
    let since = Timestamp::parse("2026-12-31T00:00:00Z").unwrap();
    let scalar = SETTLEMENTS.replacen(r#""no""#, r#""scalar""#, 1);
    let scalar = scalar.replacen(r#""value":0"#, r#""value":87"#, 1);
    let told = |taken: &Taken| -> Vec<Money> {
        let of_it = |report: &Report| match report {
            Report::Settled { id, yes_pays, .. } => (id == TICKER).then_some(*yes_pays),
            other => panic!("{other:?}"),
        };
        taken.reports.iter().filter_map(of_it).collect()
    };
    let market = |status: &str, value: &str| {
        serde_json::json!({ "market": {
            "ticker": TICKER, "status": status, "result": "scalar",
            "settlement_value_dollars": value,
        }})
        .to_string()
    };
    for (status, body, wanted, is_left) in [
        (200, market("finalized", "0.8777"), vec!["0.8777"], false),
        // The market speaks of something else, or not at all: the list has to do.
        (200, market("finalized", "0.8877"), vec!["0.87"], false),
        (200, market("disputed", "0.8777"), vec!["0.87"], false),
        (404, "{}".to_owned(), vec!["0.87"], false),
        // No answer proves nothing.
        (500, "{}".to_owned(), vec![], true),
        (200, "{".to_owned(), vec![], true),
    ] {
        let mut rig = Rig::new();
        let call = only(rig.ask(&Question::Settlements(since)));
        let taken = rig.reply(&call, 200, &scalar);
        assert!(told(&taken).is_empty() && taken.whole.is_empty(), "{taken:?}");
        let call = only(taken.calls);
        assert_eq!(path_and_query(&call), format!("/markets/{TICKER}"));
        let wanted: Vec<Money> = wanted.into_iter().map(money).collect();
        assert_eq!(told(&rig.reply(&call, status, &body)), wanted, "{status} {body}");
        // It is asked for again only where it is not known yet.
        let call = only(rig.ask(&Question::Settlements(since)));
        let taken = rig.reply(&call, 200, &scalar);
        assert_eq!((told(&taken), taken.calls.len()), (wanted, usize::from(is_left)));
    }
    // What the market's facts say already is not asked for.
    rig.markets.0.yes_pays = Some(money("0.8701"));
    let call = only(rig.ask(&Question::Settlements(since)));
    let taken = rig.reply(&call, 200, &scalar);
    assert_eq!((told(&taken), taken.calls.len()), (vec![money("0.8701")], 0));
}

#[test]
fn a_listing_with_a_row_that_makes_no_sense_is_not_whole() {
    let mut rig = Rig::new();
    let since = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    for (question, listing, good, rows, field) in [
        (Question::Fills(since), Listing::Fills, FILLS, "fills", "count_fp"),
        (
            Question::Settlements(since),
            Listing::Settlements,
            SETTLEMENTS,
            "settlements",
            "settled_time",
        ),
    ] {
        let call = only(rig.ask(&question));
        let asked = rig.now;
        assert_eq!(rig.reply(&call, 200, good).whole, [(listing, asked)]);
        let first = good.replacen(r#""cursor":"""#, r#""cursor":"p2""#, 1);
        let bad = good.replacen(&format!(r#""{field}":""#), &format!(r#""{field}":"x"#), 1);
        let (empty, broken) = (format!(r#"{{"cursor":"","{rows}":[]}}"#), (500, "{}"));
        for (pages, is_whole) in [
            ([(200, first.as_str()), (200, empty.as_str())], true),
            ([(200, first.as_str()), broken], false),
            ([(200, first.as_str()), (200, bad.as_str())], false),
        ] {
            let call = only(rig.ask(&question));
            let taken = rig.reply(&call, pages[0].0, pages[0].1);
            assert!(taken.whole.is_empty(), "half a listing");
            let taken = rig.reply(&only(taken.calls), pages[1].0, pages[1].1);
            assert_eq!(!taken.whole.is_empty(), is_whole, "{listing:?} {pages:?}");
        }
    }
}

fn permission(rig: &mut Rig, status: &str, keys: Option<&str>) -> (Permission, Taken) {
    let call = only(rig.ask(&Question::Permission));
    assert_eq!(path_and_query(&call), "/exchange/status");
    let mut taken = rig.reply(&call, 200, status);
    if let Some(keys) = keys {
        let call = only(std::mem::take(&mut taken.calls));
        assert_eq!(path_and_query(&call), "/api_keys");
        let notices = taken.notices;
        taken = rig.reply(&call, 200, keys);
        taken.notices.extend(notices);
    }
    match only(std::mem::take(&mut taken.reports)) {
        Report::Permission { venue: Venue::Kalshi, permission } => (permission, taken),
        other => panic!("{other:?}"),
    }
}

#[test]
fn permission_follows_from_the_exchange_and_the_keys_scopes() {
    let mut rig = Rig::new();
    let (found, taken) = permission(&mut rig, STATUS_SHARDS, Some(KEYS));
    assert_eq!(found, Permission::Open);
    assert_eq!(taken.notices.len(), 1, "one shard does not trade: {:?}", taken.notices);
    let (found, _) = permission(&mut rig, STATUS_CLOSED, None);
    assert!(matches!(&found, Permission::ReadOnly(why) if why.contains("2026-11-26")), "{found:?}");
    let read_only = KEYS.replace(r#""read","write::trade""#, r#""read""#);
    let (found, _) = permission(&mut rig, STATUS_SHARDS, Some(&read_only));
    assert!(matches!(found, Permission::ReadOnly(why) if why.contains("scopes")));
    let (found, _) = permission(&mut rig, STATUS_SHARDS, Some(r#"{"api_keys":[]}"#));
    assert_eq!(found, Permission::Open, "a key that is not listed is not known to be bound");
}

#[test]
fn a_late_answer_to_an_earlier_question_does_not_overrule_a_later_one() {
    let mut rig = Rig::new();
    let first = only(rig.ask(&Question::Permission));
    let again = only(rig.ask(&Question::Permission));
    rig.now = rig.now.after(Duration::from_secs(15));
    let (found, _) = permission(&mut rig, STATUS_SHARDS, Some(KEYS));
    assert_eq!(found, Permission::Open);
    assert_eq!(rig.reply(&first, 200, STATUS_CLOSED).reports, []);
    assert_eq!(rig.reply(&again, 401, "{}").reports, []);
    let (found, _) = permission(&mut rig, STATUS_CLOSED, None);
    assert!(matches!(found, Permission::ReadOnly(_)), "the next one is heard");
}

#[test]
fn a_proof_of_location_that_lapsed_stops_trading() {
    let mut rig = Rig::new();
    let at = |seconds: i64| {
        let name = r#""name":"trade""#;
        KEYS.replace(name, &format!(r#"{name},"api_key_region_expiration_ts":{seconds}"#))
    };
    let now = rig.now.secs();
    let (found, _) = permission(&mut rig, STATUS_SHARDS, Some(&at(now - 1)));
    assert!(matches!(found, Permission::ReadOnly(why) if why.contains("location")));
    let (found, taken) = permission(&mut rig, STATUS_SHARDS, Some(&at(now + 3_600)));
    assert_eq!((found, taken.notices.len()), (Permission::Open, 2), "soon: a person is told");
    let (found, taken) = permission(&mut rig, STATUS_SHARDS, Some(&at((now + 900_000) * 1_000)));
    assert_eq!((found, taken.notices.len()), (Permission::Open, 1));
}

#[test]
fn a_key_that_is_not_accepted_may_not_trade_and_a_failure_says_nothing() {
    let mut rig = Rig::new();
    let call = only(rig.ask(&Question::Permission));
    let body = r#"{"error":{"code":"authentication_error","message":"x"}}"#;
    let report = only(rig.reply(&call, 401, body).reports);
    assert!(matches!(report, Report::Permission { permission: Permission::ReadOnly(_), .. }));
    let call = only(rig.ask(&Question::Permission));
    let taken = rig.reply(&call, 503, "");
    assert!(taken.reports.is_empty() && taken.calls.is_empty());
}

#[test]
fn limits_and_costs_are_taken_in() {
    let mut rig = Rig::new();
    let calls = rig.ask(&Question::Limits);
    let paths: Vec<_> = calls.iter().map(path_and_query).collect();
    assert_eq!(paths, ["/account/limits", "/account/endpoint_costs"]);
    let limits = LIMITS.replace(r#""refill_rate":100"#, r#""refill_rate":300"#);
    assert!(rig.reply(&calls[0], 200, &limits).notices.is_empty());
    assert!(rig.reply(&calls[1], 200, COSTS).notices.is_empty());
    assert_eq!(rig.gateway.budget(Class::Order).refill_per_s, 240);
    rig.acknowledged(&buy_no(), CREATED_NOTHING);
    let cancel = rig.gateway.cancel(IntentId(7), &rig.markets, rig.now).unwrap();
    assert_eq!(cancel.cost, 3);
}

#[test]
fn open_orders_of_ours_and_of_others_are_told_apart() {
    let mut rig = Rig::new();
    rig.place(&Order { lifetime: Lifetime::Resting, ..buy_no() });
    let call = rig.ask(&Question::Orders(Timestamp::ZERO)).remove(0);
    assert_eq!(path_and_query(&call), "/portfolio/orders?limit=1000&status=resting");
    let taken = rig.reply(&call, 200, ORDERS_1);
    let foreign = only(taken.reports);
    assert!(matches!(foreign, Report::Foreign { is_ours: false, .. }));
    let call = only(taken.calls);
    let resting = ORDERS_2.replace("executed", "resting");
    let resting = resting
        .replace(r#""fill_count_fp":"25.00""#, r#""fill_count_fp":"0.00""#)
        .replace(r#""remaining_count_fp":"0.00""#, r#""remaining_count_fp":"25.00""#)
        .replace("14.625000", "0.000000");
    assert_eq!(evidence(rig.reply(&call, 200, &resting)), standing("0", "0", Rest::Resting));
}

#[test]
fn there_is_nothing_to_convert() {
    let mut rig = Rig::new();
    let mut taken = Taken::default();
    for conversion in [
        Conversion::Merge { market: MarketIndex(0), quantity: quantity("1") },
        Conversion::Redeem { market: MarketIndex(0) },
    ] {
        rig.gateway.convert(conversion, &rig.markets, rig.now, &mut taken);
    }
    assert!(taken.calls.is_empty() && taken.reports.is_empty());
}

#[test]
fn an_answer_to_a_question_nobody_asked_means_nothing() {
    let mut rig = Rig::new();
    let call = only(rig.ask(&Question::Fills(Timestamp::ZERO)));
    rig.place(&buy_no());
    rig.reply(&call, 200, NO_FILLS);
    let again = rig.reply(&call, 200, FILLS);
    assert!(again.reports.is_empty() && again.calls.is_empty(), "answered twice");
}
