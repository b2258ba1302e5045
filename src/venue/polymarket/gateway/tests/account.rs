use crate::domain::report::{Permission, Position, Purse};
use crate::venue::polymarket::facts::contract;

use super::*;

#[test]
fn cash_is_read_in_millionths() {
    let mut gateway = gateway(Wallet::Safe, Chain::Polygon);
    let calls = gateway.ask(&Question::Cash, &table(), now()).unwrap();
    let url = "http://clob/balance-allowance?asset_type=COLLATERAL&signature_type=2";
    assert_eq!(calls[0].url, url);
    let taken = read(&mut gateway, &calls[0], 200, &json!({ "balance": "388390000" }));
    let purses = vec![(Purse::Collateral, Money::parse("388.39").unwrap())];
    let expected = Report::Cash { venue: Venue::Polymarket, purses, as_of: now() };
    assert_eq!(taken.reports, [expected]);
    let taken = read(&mut gateway, &calls[0], 200, &json!({ "balance": "many" }));
    assert!(taken.reports.is_empty() && taken.notices.len() == 1);
}

fn row(token: &str, size: &str) -> Value {
    json!({ "token_id": token, "condition_id": CONDITION, "current_size": size, "status": "OPEN" })
}

fn rows(rows: &[Value], cursor: Option<&str>) -> Value {
    let pagination = json!({ "has_more": cursor.is_some(), "next_cursor": cursor });
    json!({ "data": rows, "pagination": pagination })
}

#[test]
fn positions_are_one_reading_over_all_pages() {
    let mut gateway = gateway(Wallet::Deposit, Chain::Polygon);
    let calls = gateway.ask(&Question::Positions, &table(), now()).unwrap();
    assert!(calls[0].url.starts_with(&format!("http://data/v2/positions?user={WALLET}")));
    assert!(calls[0].url.contains("filter_amount=0") && calls[0].headers.is_empty());
    let first = read(&mut gateway, &calls[0], 200, &rows(&[row(NO, "5.051019")], Some("c2")));
    assert!(first.reports.is_empty());
    assert!(first.calls[0].url.ends_with("&cursor=c2"), "{}", first.calls[0].url);
    let last =
        read(&mut gateway, &first.calls[0], 200, &rows(&[row("9", "2"), row(YES, "0")], None));
    let position = |market, outcome, quantity| {
        let quantity = Quantity::parse(quantity).unwrap();
        Position { market, id: CONDITION.to_owned(), outcome, quantity }
    };
    let expected = Report::Positions {
        venue: Venue::Polymarket,
        positions: vec![
            position(Some(MarketIndex(0)), Outcome::No, "5.051019"),
            position(None, Outcome::Yes, "2"),
        ],
        as_of: now().before(facts::DATA_LAG),
    };
    assert_eq!(last.reports, [expected]);
}

#[test]
fn half_a_reading_of_positions_is_none() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let calls = gateway.ask(&Question::Positions, &table(), now()).unwrap();
    let first = read(&mut gateway, &calls[0], 200, &rows(&[row(NO, "5")], Some("c2")));
    let again = gateway.ask(&Question::Positions, &table(), now()).unwrap();
    let late = read(&mut gateway, &first.calls[0], 200, &rows(&[row(YES, "1")], None));
    assert!(late.reports.is_empty(), "it belongs to the reading before");
    let broken = read(&mut gateway, &again[0], 200, &rows(&[row(YES, "many")], None));
    assert!(broken.reports.is_empty() && broken.notices.len() == 1);
    let failed = read(&mut gateway, &again[0], 500, &json!({}));
    assert!(failed.reports.is_empty());
}

#[test]
fn what_a_market_paid_is_told_with_what_a_contract_is_worth() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let calls = gateway.ask(&Question::Settlements(now()), &table(), now()).unwrap();
    assert!(calls[0].url.contains("/v2/activity?user=0xf39F"), "{}", calls[0].url);
    assert!(calls[0].url.contains("type=REDEEM"), "{}", calls[0].url);
    let paid = json!({ "type": "REDEEM", "condition_id": CONDITION, "usdc_size": 12.5,
                       "timestamp": now().secs() });
    let other = json!({ "type": "TRADE", "condition_id": CONDITION });
    let taken = read(&mut gateway, &calls[0], 200, &rows(&[paid, other], None));
    assert_eq!(taken.calls.len(), 1);
    for (payouts, pays) in [
        (json!([500_000, 500_000]), Some("0.5")),
        (json!(["1000000", "0"]), Some("1")),
        (json!([0, 1]), Some("0")),
        (json!([1, 1]), None),
        (Value::Null, None),
    ] {
        let body = json!({ "data": [{ "condition_id": CONDITION, "payouts": payouts }] });
        let taken = read(&mut gateway, &taken.calls[0], 200, &body);
        let expected = pays.map(|pays| Report::Settled {
            venue: Venue::Polymarket,
            market: Some(MarketIndex(0)),
            id: CONDITION.to_owned(),
            yes_pays: Money::parse(pays).unwrap(),
            paid: Money::parse("12.5").unwrap(),
            at: now(),
        });
        assert_eq!(taken.reports, Vec::from_iter(expected), "{payouts}");
    }
}

#[test]
fn a_position_that_can_be_redeemed_is_settled_for_nothing_yet_and_once() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let mut lost = row(YES, "5");
    lost["status"] = "REDEEMABLE".into();
    lost["current_price"] = 0.into();
    for (status, expected) in [(502, 1), (200, 1), (200, 0)] {
        let calls = gateway.ask(&Question::Positions, &table(), now()).unwrap();
        let taken = read(&mut gateway, &calls[0], 200, &rows(&[lost.clone()], None));
        assert_eq!(taken.calls.len(), expected, "asked until it is answered");
        for call in &taken.calls {
            let body = json!({ "data": [{ "condition_id": CONDITION, "payouts": [0, 1] }] });
            let told = read(&mut gateway, call, status, &body).reports.len();
            assert_eq!(told, usize::from(status == 200));
        }
    }
    lost["condition_id"] = "0xcd".into();
    lost["current_price"] = 1.into();
    let calls = gateway.ask(&Question::Positions, &table(), now()).unwrap();
    let taken = read(&mut gateway, &calls[0], 200, &rows(&[lost.clone()], None));
    assert_eq!(taken.calls.len(), 1, "what won waits for somebody to redeem it");
    lost["status"] = "OPEN".into();
    lost["condition_id"] = "0xef".into();
    let calls = gateway.ask(&Question::Positions, &table(), now()).unwrap();
    let taken = read(&mut gateway, &calls[0], 200, &rows(&[lost], None));
    assert!(taken.calls.is_empty());
}

fn approvals(except: &str) -> Value {
    let pairs = [
        (contract::COLLATERAL, contract::EXCHANGE, "a"),
        (contract::COLLATERAL, contract::NEG_RISK_EXCHANGE, "b"),
        (contract::COLLATERAL, contract::EXCHANGE_V3, "e"),
        (contract::OUTCOMES, contract::EXCHANGE, "c"),
        (contract::OUTCOMES, contract::NEG_RISK_EXCHANGE, "d"),
    ];
    let contracts: Vec<Value> = pairs
        .iter()
        .map(|(token, spender, name)| {
            let (token, approved) = (token.to_lowercase(), *name != except);
            json!({ "token": token, "spender": spender, "approved": approved })
        })
        .collect();
    json!({ "data": { "contracts": contracts } })
}

/// The permissions that a round of answers brings.
fn round(answers: [Value; 3]) -> Vec<Permission> {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let calls = gateway.ask(&Question::Permission, &table(), now()).unwrap();
    assert_eq!(calls[0].url, "http://site/api/geoblock");
    assert_eq!(calls[1].url, "http://clob/auth/ban-status/closed-only");
    let mut found = Vec::new();
    for (call, answer) in calls.iter().zip(answers) {
        for report in read(&mut gateway, call, 200, &answer).reports {
            let Report::Permission { permission, .. } = report else { panic!("{report:?}") };
            found.push(permission);
        }
    }
    found
}

#[test]
fn trading_needs_three_answers_that_say_yes() {
    let free = || json!({ "blocked": false, "country": "IE" });
    let open = || json!({ "closed_only": false });
    assert_eq!(round([free(), open(), approvals("")]), [Permission::Open]);
    assert_eq!(round([free(), open(), approvals("e")]), [Permission::Open], "only a notice");
    for answers in [
        [json!({ "blocked": true, "country": "US" }), open(), approvals("")],
        [json!({}), open(), approvals("")],
        [free(), json!({ "closed_only": true }), approvals("")],
        [free(), json!({}), approvals("")],
        [free(), open(), approvals("a")],
        [free(), open(), approvals("d")],
        [free(), open(), json!({})],
    ] {
        let found = round(answers.clone());
        assert!(matches!(&found[..], [Permission::ReadOnly(_)]), "{answers:?} {found:?}");
    }
}

#[test]
fn an_answer_that_can_not_be_had_makes_the_account_read_only() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    for call in gateway.ask(&Question::Permission, &table(), now()).unwrap() {
        for answer in [Answer::Lost("cut"), reply(403, "<html>"), reply(200, "<html>")] {
            let mut taken = Taken::default();
            gateway.read(&call, &answer, &table(), now(), &mut taken);
            let [Report::Permission { permission: Permission::ReadOnly(_), .. }] =
                &taken.reports[..]
            else {
                panic!("{:?}", taken.reports)
            };
        }
    }
}

fn convert(gateway: &mut Gateway, conversion: Conversion, markets: &Table) -> Taken {
    let mut taken = Taken::default();
    gateway.convert(conversion, markets, now(), &mut taken);
    taken
}

#[test]
fn on_a_chain_a_person_is_told_what_to_call() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let merge = Conversion::Merge { market: MarketIndex(0), quantity: Quantity::contracts(25) };
    let redeem = Conversion::Redeem { market: MarketIndex(0) };
    for (settlement, conversion, words) in [
        (Settlement::Standard, merge, [contract::ADAPTER, "mergePositions(", ", 25000000)"]),
        (Settlement::NegRisk, merge, [contract::NEG_RISK_ADAPTER, "mergePositions(", CONDITION]),
        (Settlement::ProtocolV2, merge, [contract::ROUTER, "merge(", ", 25000000)"]),
        (Settlement::Standard, redeem, [contract::ADAPTER, "redeemPositions(", "[1,2]"]),
        (Settlement::ProtocolV2, redeem, [contract::ROUTER, "redeem(", "outcome"]),
    ] {
        let markets = Table(vec![market(Some(settlement))]);
        let taken = convert(&mut gateway, conversion, &markets);
        let [Report::NotConverted { text, .. }] = &taken.reports[..] else { panic!() };
        assert!(taken.calls.is_empty());
        for word in words {
            assert!(text.contains(word), "{settlement:?} {word}: {text}");
        }
    }
}

#[test]
fn the_embedded_exchange_merges_and_redeems_on_request() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Embedded);
    let quantity = Quantity::parse("5.051019").unwrap();
    let merge = Conversion::Merge { market: MarketIndex(0), quantity };
    let call = convert(&mut gateway, merge, &table()).calls.remove(0);
    assert_eq!((call.method, call.url.as_str()), ("POST", "http://clob/embedded/merge"));
    let body: Value = serde_json::from_str(call.body.as_ref().unwrap()).unwrap();
    assert_eq!(body, json!({ "market": CONDITION, "amount": "5051019" }));
    assert_eq!(call.headers.len(), 5, "it is signed");
    let taken = read(&mut gateway, &call, 200, &json!({}));
    let market = MarketIndex(0);
    assert_eq!(taken.reports, [Report::Merged { market, quantity, at: now() }]);
    for (status, body) in [(400, json!({ "error": "not enough" })), (500, json!({}))] {
        let taken = read(&mut gateway, &call, status, &body);
        assert!(matches!(&taken.reports[..], [Report::NotConverted { .. }]));
    }
    let call = convert(&mut gateway, Conversion::Redeem { market }, &table()).calls.remove(0);
    assert_eq!(call.url, "http://clob/embedded/redeem");
    let taken = read(&mut gateway, &call, 200, &json!({ "paid": "5.05" }));
    assert!(taken.calls[0].url.contains(&format!("condition_id={CONDITION}")));
}

#[test]
fn nothing_that_is_shown_holds_a_secret() {
    let (gateway, _, call) = placed(&taking());
    let shown = format!("{gateway:?} {call:?}");
    for secret in [&ANVIL[..8], "-yBFao", "pass\""] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
