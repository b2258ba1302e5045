use crate::domain::report::Refused;

use super::*;

fn accepted(id: &str, name: &str) -> Value {
    let mut body = shape("rest", name);
    body["orderID"] = id.into();
    body
}

#[test]
fn an_order_signed_again_has_the_same_name_and_the_same_body() {
    let (mut gateway, id, call) = placed(&taking());
    let later = now().after(Duration::from_secs(5));
    let (again, other) = gateway.place(&taking(), &table(), later).unwrap();
    assert_eq!((again.0, &other.body), (id.clone(), &call.body));
    assert_ne!(other.headers, call.headers, "only the request bears the time");
    let (_, fresh, body) = placed(&taking());
    assert_eq!((fresh, body.body), (id, call.body), "a restart changes nothing");
}

#[test]
fn a_request_says_what_the_order_means() {
    let (_, id, call) = placed(&taking());
    assert_eq!((call.method, call.url.as_str()), ("POST", "http://clob/order"));
    assert_eq!((call.class, &call.subject), (Class::Order, &Subject::Place(IntentId(1))));
    let body: Value = serde_json::from_str(call.body.as_ref().unwrap()).unwrap();
    assert_eq!((&body["orderType"], &body["owner"]), (&json!("FAK"), &json!(API_KEY)));
    let order = &body["order"];
    assert_eq!(
        (&order["makerAmount"], &order["takerAmount"]),
        (&json!("13000000"), &json!("25000000"))
    );
    assert_eq!((&order["side"], &order["tokenId"]), (&json!("BUY"), &json!(YES)));
    assert_eq!(order["timestamp"], "1763800000000");
    assert!(order["salt"].as_u64().is_some_and(|salt| salt > 0 && salt < 1 << 53));
    assert!(id.starts_with("0x") && id.len() == 66);
    let (_, _, resting) = placed(&resting());
    let body: Value = serde_json::from_str(resting.body.as_ref().unwrap()).unwrap();
    assert_eq!((&body["orderType"], &body["order"]["side"]), (&json!("GTC"), &json!("SELL")));
    assert_eq!(body["order"]["tokenId"], NO);
}

#[test]
fn each_settlement_and_wallet_signs_in_its_own_way() {
    let mut names = Vec::new();
    for settlement in Settlement::ALL {
        for wallet in Wallet::ALL {
            let markets = Table(vec![market(Some(settlement))]);
            let mut gateway = gateway(wallet, Chain::Polygon);
            let (id, call) = gateway.place(&taking(), &markets, now()).unwrap();
            let body: Value = serde_json::from_str(call.body.as_ref().unwrap()).unwrap();
            let length = body["order"]["signature"].as_str().unwrap().len();
            let deposit = wallet == Wallet::Deposit;
            assert_eq!(length, if deposit { 2 + 2 * 317 } else { 2 + 2 * 65 });
            let signer = body["order"]["signer"].as_str().unwrap();
            assert_eq!(signer == WALLET, deposit);
            assert_eq!(body["order"]["signatureType"], wallet.number());
            names.push(id);
        }
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 12);
}

#[test]
fn what_can_not_be_signed_is_not() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let unsettled = Table(vec![market(None)]);
    let error = gateway.place(&taking(), &unsettled, now()).unwrap_err();
    assert!(error.to_string().contains("which contract settles it"), "{error}");
    let off = Order { limit: Price::parse("0.525").unwrap(), ..taking() };
    assert!(gateway.place(&off, &table(), now()).is_err());
    let nowhere = Order { market: MarketIndex(9), ..taking() };
    assert!(gateway.place(&nowhere, &table(), now()).is_err());
    assert!(gateway.orders.is_empty() && gateway.by_id.is_empty());
}

#[test]
fn a_matched_order_tells_its_total_and_its_trades_are_asked_for() {
    let (mut gateway, id, call) = placed(&taking());
    let taken = read(&mut gateway, &call, 200, &accepted(&id, "post_order_ok"));
    let Evidence::Standing { filled, rest, trades, .. } = only(&taken) else { panic!() };
    assert_eq!((filled, rest), (total("25", "13"), Rest::Nothing));
    assert_eq!(trades, ["11111111-1111-1111-1111-111111111111"]);
    let asked = &taken.calls[0].url;
    assert!(asked.contains("/data/trades?id=11111111-1111"), "{asked}");
}

#[test]
fn a_sell_gives_shares_and_gets_dollars() {
    let order = Order { lifetime: Lifetime::Immediate, ..resting() };
    let (mut gateway, id, call) = placed(&order);
    let mut body = accepted(&id, "post_order_ok");
    body["makingAmount"] = "20".into();
    body["takingAmount"] = "9.8".into();
    let Evidence::Standing { filled, .. } = only(&read(&mut gateway, &call, 200, &body)) else {
        panic!()
    };
    assert_eq!(filled, total("20", "9.8"));
}

#[test]
fn a_live_order_rests_and_a_part_of_it_may_have_matched() {
    let (mut gateway, id, call) = placed(&resting());
    let live = only(&read(&mut gateway, &call, 200, &accepted(&id, "post_order_live")));
    let Evidence::Standing { filled, rest, .. } = live else { panic!() };
    assert_eq!((filled, rest), (None, Rest::Resting));
    for (making, expected) in [("5", Rest::Resting), ("20", Rest::Nothing)] {
        let mut body = accepted(&id, "post_order_ok");
        body["makingAmount"] = making.into();
        let standing = only(&read(&mut gateway, &call, 200, &body));
        let Evidence::Standing { rest, .. } = standing else { panic!() };
        assert_eq!(rest, expected, "{making}");
    }
}

#[test]
fn a_delayed_order_is_no_fill() {
    let (mut gateway, id, call) = placed(&taking());
    let mut body = accepted(&id, "post_order_live");
    body["status"] = "delayed".into();
    let Evidence::Standing { filled, rest, .. } = only(&read(&mut gateway, &call, 200, &body))
    else {
        panic!()
    };
    assert_eq!((filled, rest), (None, Rest::Delayed));
}

#[test]
fn success_without_an_order_is_refused_only_by_words_that_are_definite() {
    let (mut gateway, id, call) = placed(&taking());
    let body = shape("rest", "post_order_rejected_but_success_true");
    let Evidence::Refused(refusal) = only(&read(&mut gateway, &call, 200, &body)) else { panic!() };
    assert_eq!(refusal.kind, Refused::Size);
    for (field, value) in [
        ("errorMsg", "something new"),
        ("orderID", ""),
        ("orderID", "0xdddd"),
        ("status", "unmatched"),
        ("status", "pondering"),
        ("status", ""),
    ] {
        let mut body = accepted(&id, "post_order_ok");
        body[field] = value.into();
        let found = only(&read(&mut gateway, &call, 200, &body));
        assert!(matches!(found, Evidence::Unclear(_)), "{field}={value}: {found:?}");
    }
}

#[test]
fn a_killed_order_is_an_ordinary_end() {
    let (mut gateway, id, call) = placed(&taking());
    let body = json!({ "error": "no orders found to match with FAK order.", "orderID": id });
    let Evidence::Refused(refusal) = only(&read(&mut gateway, &call, 400, &body)) else { panic!() };
    assert_eq!(refusal.kind, Refused::NoMatch);
}

#[test]
fn a_duplicate_and_every_lost_answer_are_unclear() {
    let (mut gateway, id, call) = placed(&taking());
    let body = json!({ "error": format!("order {id} is invalid. Duplicated."), "orderID": id });
    assert!(matches!(only(&read(&mut gateway, &call, 400, &body)), Evidence::Unclear(_)));
    let mut taken = Taken::default();
    gateway.read(&call, &Answer::Lost("timeout"), &table(), now(), &mut taken);
    gateway.read(&call, &reply(500, "<html>"), &table(), now(), &mut taken);
    gateway.read(&call, &reply(200, "{\"success\":true"), &table(), now(), &mut taken);
    assert!(evidence(&taken).iter().all(|one| matches!(one, Evidence::Unclear(_))));
    assert_eq!(taken.reports.len(), 3);
    let mut taken = Taken::default();
    gateway.read(&call, &Answer::NotSent("no route"), &table(), now(), &mut taken);
    let Evidence::Refused(refusal) = only(&taken) else { panic!() };
    assert_eq!(refusal.kind, Refused::NotSent);
}

#[test]
fn only_a_restart_asks_to_try_again() {
    let (mut gateway, _, call) = placed(&taking());
    for (status, expected) in [
        (425, Some(Refused::Again(Duration::from_secs(9)))),
        (429, Some(Refused::Paused)),
        (500, None),
    ] {
        let retry_after = Some(Duration::from_secs(9));
        let (mut taken, body) = (Taken::default(), "{\"error\":\"wait\"}");
        let answer = Answer::Reply { status, retry_after, headers: &[], body };
        gateway.read(&call, &answer, &table(), now(), &mut taken);
        let kind = match only(&taken) {
            Evidence::Refused(refusal) => Some(refusal.kind),
            _ => None,
        };
        assert_eq!(kind, expected, "{status}");
    }
}

#[test]
fn a_cancel_is_believed_and_what_filled_before_is_asked_for() {
    let (mut gateway, id, _) = placed(&resting());
    let call = gateway.cancel(IntentId(2), &table(), now()).unwrap();
    assert_eq!((call.method, call.url.as_str()), ("DELETE", "http://clob/order"));
    assert_eq!(call.body.as_deref(), Some(format!("{{\"orderID\":\"{id}\"}}").as_str()));
    let body = json!({ "canceled": [id], "not_canceled": {} });
    let taken = read(&mut gateway, &call, 200, &body);
    let Evidence::Standing { filled, rest, .. } = only(&taken) else { panic!() };
    assert_eq!((filled, rest), (None, Rest::Nothing));
    assert_eq!(taken.calls[0].url, format!("http://clob/data/order/{id}"));
    let body = json!({ "canceled": [], "not_canceled": { id: "already canceled or matched" } });
    let taken = read(&mut gateway, &call, 200, &body);
    assert_eq!(only(&taken), Evidence::NotCancelled("already canceled or matched".to_owned()));
    assert_eq!(taken.calls.len(), 1, "it says nothing about fills");
}

#[test]
fn a_cancel_without_an_answer_says_nothing_and_the_order_is_asked_for() {
    let (mut gateway, _, _) = placed(&resting());
    let call = gateway.cancel(IntentId(2), &table(), now()).unwrap();
    for answer in [Answer::Lost("cut"), Answer::NotSent("no"), reply(503, "{}"), reply(200, "?")] {
        let mut taken = Taken::default();
        gateway.read(&call, &answer, &table(), now(), &mut taken);
        assert!(taken.reports.is_empty() && taken.notices.len() == 1, "{:?}", taken.reports);
        assert_eq!(taken.calls.len(), 1);
    }
}

#[test]
fn an_order_that_was_forgotten_is_a_strangers() {
    let (mut gateway, id, _) = placed(&taking());
    gateway.forget(IntentId(1));
    let taken = hear(&mut gateway, &trade(&id, true));
    assert!(matches!(&taken.reports[..], [Report::Foreign { is_ours: false, .. }]));
    assert!(gateway.cancel(IntentId(1), &table(), now()).is_err());
    gateway.recall(&taking(), &OrderId(id.clone()));
    let taken = hear(&mut gateway, &trade(&id, true));
    assert!(matches!(only(&taken), Evidence::Fill(_)));
}

#[test]
fn signs_of_life_are_sent_while_orders_rest_and_only_then() {
    let beat = |gateway: &mut Gateway, at: Timestamp| {
        let mut taken = Taken::default();
        gateway.tick(at, &mut taken);
        taken.calls.pop()
    };
    let (mut gateway, id, _) = placed(&taking());
    assert!(beat(&mut gateway, now()).is_none(), "nothing rests");
    let (_, place) = gateway.place(&resting(), &table(), now()).unwrap();
    let first = beat(&mut gateway, now()).unwrap();
    assert_eq!(first.url, "http://clob/v1/heartbeats");
    assert_eq!(first.body.as_deref(), Some(r#"{"heartbeat_id":""}"#));
    assert!(beat(&mut gateway, now().after(Duration::from_secs(4))).is_none());
    read(&mut gateway, &first, 200, &json!({ "heartbeat_id": "h-1" }));
    let second = beat(&mut gateway, now().after(Duration::from_secs(5))).unwrap();
    assert_eq!(second.body.as_deref(), Some(r#"{"heartbeat_id":"h-1"}"#));
    for key in ["error_msg", "error"] {
        let wrong = json!({ key: "Invalid Heartbeat ID", "heartbeat_id": format!("h-{key}") });
        let taken = read(&mut gateway, &second, 400, &wrong);
        assert!(taken.notices.is_empty());
        let third = beat(&mut gateway, now()).unwrap();
        assert_eq!(third.body, Some(format!("{{\"heartbeat_id\":\"h-{key}\"}}")));
    }
    let taken = read(&mut gateway, &second, 500, &json!({}));
    assert_eq!(taken.notices.len(), 1);
    let mut body = shape("rest", "post_order_ok");
    body["orderID"] = gateway.orders[&IntentId(2)].id.0.clone().into();
    body["makingAmount"] = "20".into();
    read(&mut gateway, &place, 200, &body);
    assert!(beat(&mut gateway, now().after(Duration::from_secs(60))).is_none(), "{id}");
}

#[test]
fn every_order_of_the_account_is_cancelled_without_a_body_and_only_when_asked_so() {
    let mut gateway = gateway(Wallet::Deposit, Chain::Polygon);
    let call = gateway.cancel_everything(now()).unwrap();
    assert_eq!((call.method, call.url.as_str()), ("DELETE", "http://clob/cancel-all"));
    assert_eq!((call.class, call.body), (Class::Cancel, None));
}

#[test]
fn an_order_of_an_old_version_has_the_version_asked_and_is_not_sent_again() {
    let (mut gateway, _, call) = placed(&taking());
    let taken = read(&mut gateway, &call, 400, &json!({ "error": "order_version_mismatch" }));
    let Evidence::Refused(refusal) = only(&taken) else { panic!("{taken:?}") };
    assert_eq!(refusal.kind, Refused::Outdated);
    let [version] = &taken.calls[..] else { panic!("{:?}", taken.calls) };
    assert_eq!((version.method, version.url.as_str()), ("GET", "http://clob/version"));
    for known in [2, 3] {
        let taken = read(&mut gateway, version, 200, &json!({ "version": known }));
        assert!(taken.reports.is_empty() && taken.notices.len() == 1, "{taken:?}");
    }
    for strange in [json!({ "version": 4 }), json!({})] {
        let taken = read(&mut gateway, version, 200, &strange);
        let [Report::Permission { permission, .. }] = &taken.reports[..] else { panic!() };
        assert!(!permission.is_open(), "{strange}");
    }
    let taken = read(&mut gateway, version, 500, &json!({}));
    assert!(taken.reports.is_empty() && taken.notices.len() == 1);
}

#[test]
fn every_answer_to_a_cancel_but_the_venues_word_leaves_the_order_to_be_asked_for() {
    let statuses = [301, 400, 401, 403, 404, 408, 409, 425, 429, 500, 502, 503, 504, 520];
    let body = json!({ "error": "x" }).to_string();
    let replies = statuses.iter().map(|status| reply(*status, &body));
    let others = [Answer::Lost("cut"), Answer::NotSent("no route"), reply(200, "<html>")];
    for answer in replies.chain(others) {
        let (mut gateway, _, _) = placed(&resting());
        let call = gateway.cancel(IntentId(2), &table(), now()).unwrap();
        let mut taken = Taken::default();
        gateway.read(&call, &answer, &table(), now(), &mut taken);
        assert!(taken.reports.is_empty(), "{answer:?}: {:?}", taken.reports);
        assert_eq!((taken.notices.len(), taken.calls.len()), (1, 1), "{answer:?}");
        assert_eq!(taken.calls[0].subject, Subject::Order(IntentId(2)), "{answer:?}");
    }
}

#[test]
fn several_cancels_are_one_request_with_a_result_for_each() {
    let (mut gateway, id, _) = placed(&resting());
    let other = Order { intent: IntentId(3), ..resting() };
    let (other_id, _) = gateway.place(&other, &table(), now()).unwrap();
    let intents = [IntentId(2), IntentId(3)];
    let mut calls = gateway.cancel_many(&intents, &table(), now());
    assert_eq!(calls.len(), 1);
    let call = calls.remove(0).unwrap();
    assert_eq!((call.method, call.url.as_str(), call.cost), ("DELETE", "http://clob/orders", 2));
    let body: Value = serde_json::from_str(call.body.as_ref().unwrap()).unwrap();
    assert_eq!(body, json!([id, other_id.0]));
    let said = json!({
        "canceled": [id], "not_canceled": { (other_id.0): "already canceled or matched" }
    });
    let taken = read(&mut gateway, &call, 200, &said);
    let [
        Report::Order { intent: IntentId(2), evidence: Evidence::Standing { rest, .. } },
        Report::Order { intent: IntentId(3), evidence: Evidence::NotCancelled(_) },
    ] = &taken.reports[..]
    else {
        panic!("{:?}", taken.reports)
    };
    assert_eq!(*rest, Rest::Nothing);
    assert_eq!(taken.calls.len(), 2, "what they filled before is asked for");
    let taken = read(&mut gateway, &call, 425, &json!({ "error": "restart" }));
    assert!(taken.reports.is_empty());
    assert_eq!((taken.notices.len(), taken.calls.len()), (2, 2));
    // One that is not known does not take the others with it.
    let mixed = gateway.cancel_many(&[IntentId(2), IntentId(9)], &table(), now());
    assert_eq!(mixed.iter().filter(|call| call.is_ok()).count(), 1);
}
