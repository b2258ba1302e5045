use crate::domain::report::{Listing, Permission, Position, Purse};
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
    let [update, next] = &first.calls[..] else { panic!("{:?}", first.calls) };
    let token = format!("asset_type=CONDITIONAL&signature_type=3&token_id={NO}");
    assert!(update.url.ends_with(&format!("/balance-allowance/update?{token}")), "{}", update.url);
    assert!(next.url.ends_with("&cursor=c2"), "{}", next.url);
    let last = read(&mut gateway, next, 200, &rows(&[row("9", "2"), row(YES, "0")], None));
    assert!(last.calls.is_empty(), "only what is watched and held is read again");
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
fn a_position_in_a_market_whose_tokens_are_not_known_yet_makes_no_reading() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let mut unknown = market(None);
    unknown.tokens = None;
    let early = Table(vec![unknown]);
    let body = rows(&[row(YES, "5")], None).to_string();
    let calls = gateway.ask(&Question::Positions, &early, now()).unwrap();
    let mut taken = Taken::default();
    gateway.read(&calls[0], &reply(200, &body), &early, now(), &mut taken);
    assert!(taken.reports.is_empty(), "it would look as if nothing of ours were held: {taken:?}");
    assert_eq!(taken.notices.len(), 1);
    let calls = gateway.ask(&Question::Positions, &table(), now()).unwrap();
    let told = read(&mut gateway, &calls[0], 200, &rows(&[row(YES, "5")], None)).reports;
    assert_eq!(told.len(), 1);
}

#[test]
fn half_a_reading_of_positions_is_none() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let calls = gateway.ask(&Question::Positions, &table(), now()).unwrap();
    let first = read(&mut gateway, &calls[0], 200, &rows(&[row(NO, "5")], Some("c2")));
    let again = gateway.ask(&Question::Positions, &table(), now()).unwrap();
    let late = read(&mut gateway, &first.calls[1], 200, &rows(&[row(YES, "1")], None));
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
fn payments_are_whole_when_every_resolution_was_answered() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let whole = vec![(Listing::Settlements, now())];
    let ask = |gateway: &mut Gateway| {
        gateway.ask(&Question::Settlements(now()), &table(), now()).unwrap().remove(0)
    };
    let redeem = |market: &str, size: &str, second: i64| {
        json!({ "type": "REDEEM", "condition_id": market, "usdc_size": size,
                "timestamp": now().secs() + second })
    };
    let call = ask(&mut gateway);
    assert_eq!(read(&mut gateway, &call, 200, &rows(&[], None)).whole, whole);
    let call = ask(&mut gateway);
    let first = read(&mut gateway, &call, 200, &rows(&[redeem("0xaa", "1", 0)], Some("c2")));
    assert_eq!((first.calls.len(), first.whole.len()), (2, 0), "a resolution and a page");
    assert!(first.calls[1].url.ends_with("&cursor=c2"), "{}", first.calls[1].url);
    let last = read(&mut gateway, &first.calls[1], 200, &rows(&[], None));
    assert!(last.whole.is_empty(), "a resolution is open");
    let body = json!({ "data": [{ "condition_id": "0xaa", "payouts": [1, 0] }] });
    assert_eq!(read(&mut gateway, &first.calls[0], 200, &body).whole, whole);

    let call = ask(&mut gateway);
    let known = [redeem("0xaa", "1", 0), redeem("0xaa", "2", 0), redeem("0xaa", "4", 7)];
    let taken = read(&mut gateway, &call, 200, &rows(&known, None));
    assert_eq!(taken.whole, whole, "what a market pays is asked once");
    let paid: Vec<Money> = taken
        .reports
        .iter()
        .map(|report| match report {
            Report::Settled { paid, .. } => *paid,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(paid, [Money::parse("3").unwrap(), Money::parse("4").unwrap()]);

    for broken in [redeem("0xaa", "many", 0), json!({ "type": "REDEEM" })] {
        let call = ask(&mut gateway);
        let taken = read(&mut gateway, &call, 200, &rows(&[broken], None));
        assert!(taken.whole.is_empty() && taken.notices.len() == 1);
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
    assert!(taken.calls.iter().all(|call| !call.url.contains("/v2/resolutions")));
}

const APPROVED: [(&str, &str, &str); 6] = [
    (contract::COLLATERAL, contract::EXCHANGE, "a"),
    (contract::COLLATERAL, contract::NEG_RISK_EXCHANGE, "b"),
    (contract::COLLATERAL, contract::EXCHANGE_V3, "c"),
    (contract::OUTCOMES, contract::EXCHANGE, "d"),
    (contract::OUTCOMES, contract::NEG_RISK_EXCHANGE, "e"),
    (contract::POSITIONS, contract::EXCHANGE_V3, "f"),
];

fn approvals(except: &str) -> Value {
    let contracts: Vec<Value> = APPROVED
        .iter()
        .map(|(token, spender, name)| {
            let (token, approved) = (token.to_lowercase(), !except.contains(name));
            json!({ "token": token, "spender": spender, "approved": approved })
        })
        .collect();
    json!({ "data": { "contracts": contracts } })
}

fn allowances(refused: &[&str]) -> Value {
    let of = |spender: &&str| {
        let said = if refused.contains(spender) { "0" } else { "115792089237316195423570985" };
        ((*spender).to_owned(), said.into())
    };
    let all = [contract::EXCHANGE, contract::NEG_RISK_EXCHANGE, contract::EXCHANGE_V3];
    let all: serde_json::Map<String, Value> = all.iter().map(of).collect();
    json!({ "balance": "5000000", "allowances": all })
}

/// The permissions that a round of answers brings.
fn round(answers: [Value; 4]) -> Vec<Permission> {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let mut calls = gateway.ask(&Question::Permission, &table(), now()).unwrap();
    assert_eq!(calls[0].url, "http://site/api/geoblock");
    assert_eq!(calls[1].url, "http://clob/auth/ban-status/closed-only");
    // The order book reads the chain again before it is asked what it knows.
    let asset = "?asset_type=COLLATERAL&signature_type=0";
    assert_eq!(calls[3].url, format!("http://clob/balance-allowance/update{asset}"));
    let mut updated = Taken::default();
    gateway.read(&calls[3], &reply(200, ""), &table(), now(), &mut updated);
    assert!(updated.reports.is_empty() && updated.notices.is_empty(), "{updated:?}");
    calls[3] = updated.calls.remove(0);
    assert_eq!(calls[3].url, format!("http://clob/balance-allowance{asset}"));
    let mut found = Vec::new();
    for (call, answer) in calls.iter().zip(answers) {
        for report in read(&mut gateway, call, 200, &answer).reports {
            let Report::Permission { permission, .. } = report else { panic!("{report:?}") };
            found.push(permission);
        }
    }
    found
}

fn free() -> Value {
    json!({ "blocked": false, "country": "IE" })
}

fn unbanned() -> Value {
    json!({ "closed_only": false })
}

#[test]
fn trading_needs_four_answers_that_say_yes() {
    let whole = || allowances(&[]);
    assert_eq!(round([free(), unbanned(), approvals(""), whole()]), [Permission::Open]);
    assert_eq!(
        round([free(), unbanned(), approvals(""), json!({ "balance": "5" })]),
        [Permission::Open],
        "what the order book does not tell is judged by the chain"
    );
    for answers in [
        [json!({ "blocked": true, "country": "US" }), unbanned(), approvals(""), whole()],
        [json!({}), unbanned(), approvals(""), whole()],
        [free(), json!({ "closed_only": true }), approvals(""), whole()],
        [free(), json!({}), approvals(""), whole()],
        [free(), unbanned(), approvals("abc"), whole()],
        [free(), unbanned(), approvals("dbf"), whole()],
        [free(), unbanned(), json!({}), whole()],
    ] {
        let found = round(answers.clone());
        assert!(matches!(&found[..], [Permission::ReadOnly(_)]), "{answers:?} {found:?}");
    }
}

#[test]
fn a_missing_approval_closes_the_markets_that_need_it_and_no_others() {
    use Settlement::{NegRisk, ProtocolV2, Standard};
    let cases: [(&str, &[&str], &[Settlement], &str); 8] = [
        ("a", &[], &[Standard], "collateral for the exchange"),
        ("d", &[], &[Standard], "outcomes for the exchange"),
        ("b", &[], &[NegRisk], "collateral for the neg-risk exchange"),
        ("e", &[], &[NegRisk], "outcomes for the neg-risk exchange"),
        ("c", &[], &[ProtocolV2], "collateral for ExchangeV3"),
        ("f", &[], &[ProtocolV2], "positions for ExchangeV3"),
        ("cf", &[contract::EXCHANGE], &[Standard, ProtocolV2], "collateral for the exchange"),
        ("", &[contract::EXCHANGE_V3], &[ProtocolV2], "collateral for ExchangeV3"),
    ];
    for (except, refused, kinds, word) in cases {
        let found = round([free(), unbanned(), approvals(except), allowances(refused)]);
        let [Permission::OpenBut { closed, why }] = &found[..] else { panic!("{found:?}") };
        assert_eq!(closed, kinds, "{except} {refused:?}");
        assert!(why.contains(word), "{why}");
    }
}

#[test]
fn a_late_word_of_an_earlier_round_does_not_overrule_a_later_one() {
    let answers = [free(), unbanned(), approvals(""), allowances(&[])];
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let ask = |gateway: &mut Gateway| {
        let mut calls = gateway.ask(&Question::Permission, &table(), now()).unwrap();
        let mut updated = Taken::default();
        gateway.read(&calls[3], &reply(200, ""), &table(), now(), &mut updated);
        calls[3] = updated.calls.remove(0);
        calls
    };
    let words = |gateway: &mut Gateway, call: &Call, answer: &Answer<'_>| {
        let mut taken = Taken::default();
        gateway.read(call, answer, &table(), now(), &mut taken);
        let permission = |report| match report {
            Report::Permission { permission, .. } => permission,
            other => panic!("{other:?}"),
        };
        taken.reports.into_iter().map(permission).collect::<Vec<_>>()
    };
    let (first, second) = (ask(&mut gateway), ask(&mut gateway));
    let lost = Answer::Lost("cut");
    let early = words(&mut gateway, &first[0], &lost);
    assert!(matches!(&early[..], [Permission::ReadOnly(_)]), "nothing newer has been said");
    let mut said = Vec::new();
    for (call, answer) in second.iter().zip(&answers) {
        said.extend(words(&mut gateway, call, &reply(200, &answer.to_string())));
    }
    assert_eq!(said, [Permission::Open]);
    for call in &first {
        assert_eq!(words(&mut gateway, call, &lost), [], "{}", call.url);
    }
    // Nor does a yes of before stand in for one that is still to come.
    let (old, new) = (ask(&mut gateway), ask(&mut gateway));
    let yes = |at: usize| answers[at].to_string();
    assert_eq!(words(&mut gateway, &old[0], &reply(200, &yes(0))), []);
    for (at, call) in new.iter().enumerate().skip(1) {
        assert_eq!(words(&mut gateway, call, &reply(200, &yes(at))), []);
    }
    assert_eq!(words(&mut gateway, &new[0], &reply(200, &yes(0))), [Permission::Open]);
}

#[test]
fn an_answer_that_can_not_be_had_makes_the_account_read_only() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    for call in gateway.ask(&Question::Permission, &table(), now()).unwrap() {
        let mut call = call;
        if call.url.contains("/update") {
            let mut taken = Taken::default();
            gateway.read(&call, &Answer::Lost("cut"), &table(), now(), &mut taken);
            assert_eq!(taken.notices.len(), 1);
            call = taken.calls.remove(0);
        }
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
    let updates: Vec<&Call> =
        taken.calls.iter().filter(|call| call.url.contains("/balance-allowance/update")).collect();
    assert_eq!(updates.len(), 3, "collateral and both tokens");
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

#[test]
fn questions_have_the_urls_of_the_official_client() {
    let file = include_str!("../../../../../tests/data/polymarket/vectors/wire.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let requests = file["requests"].as_array().unwrap();
    let seen: Vec<&str> = requests.iter().filter_map(|one| one["url"].as_str()).collect();
    let gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let calls =
        [gateway.trade_call("abc", now()), gateway.cash_call(now()), gateway.version_call()];
    for call in calls {
        let url = call.url.strip_prefix("http://clob").unwrap();
        assert!(seen.contains(&url), "{url}");
    }
}
