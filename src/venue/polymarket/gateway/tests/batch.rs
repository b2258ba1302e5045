//! Several orders in one request, and every order of a market taken back in one.

use super::*;

/// Orders that rest and differ in their intents.
fn orders(intents: impl IntoIterator<Item = u64>) -> Vec<Order> {
    intents.into_iter().map(|intent| Order { intent: IntentId(intent), ..resting() }).collect()
}

/// A batch of the orders 2, 3 and 4: the ids and the call.
fn three() -> (Gateway, Vec<String>, Call) {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let mut placing = gateway.place_many(&orders(2..5), &table(), now());
    let ids = placing.ids.into_iter().map(|id| id.unwrap().0).collect();
    (gateway, ids, placing.calls.remove(0))
}

fn live(id: &str) -> Value {
    let mut body = shape("rest", "post_order_live");
    body["orderID"] = id.into();
    body
}

/// What was said, with what it was about.
fn told(taken: &Taken) -> Vec<(u64, Evidence)> {
    let one = |report: &Report| match report {
        Report::Order { intent, evidence } => (intent.0, evidence.clone()),
        other => panic!("{other:?}"),
    };
    taken.reports.iter().map(one).collect()
}

const fn is_unclear(evidence: &Evidence) -> bool {
    matches!(evidence, Evidence::Unclear(_))
}

#[test]
fn several_orders_are_one_request_of_the_bodies_that_they_have_alone() {
    let (mut gateway, ids, call) = three();
    assert_eq!((call.method, call.url.as_str(), call.cost), ("POST", "http://clob/orders", 3));
    assert_eq!(call.class, Class::Order);
    assert_eq!(call.subject, Subject::Places([2, 3, 4].map(IntentId).to_vec()));
    let mut alone = Vec::new();
    for (order, id) in orders(2..5).iter().zip(&ids) {
        let (single, call) = gateway.place(order, &table(), now()).unwrap();
        assert_eq!(single.0, *id);
        alone.push(call.body.unwrap());
    }
    assert_eq!(call.body.unwrap(), format!("[{}]", alone.join(",")));
    // Fifteen at the most; one alone goes out as one.
    let calls = gateway.place_many(&orders(10..41), &table(), now()).calls;
    let costs: Vec<u32> = calls.iter().map(|call| call.cost).collect();
    assert_eq!(costs, [15, 15, 1]);
    assert_eq!(calls[2].subject, Subject::Place(IntentId(40)));
    assert_eq!(calls[2].url, "http://clob/order");
    assert!(gateway.place_many(&[], &table(), now()).calls.is_empty());
}

#[test]
fn an_order_that_cannot_go_out_takes_no_other_with_it() {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let mut all = orders([2, 3, 4, 2]);
    all[1].limit = Price::parse("0.485").unwrap();
    let placing = gateway.place_many(&all, &table(), now());
    let went: Vec<bool> = placing.ids.iter().map(Result::is_ok).collect();
    assert_eq!(went, [true, false, true, false], "one is off the grid, one was given twice");
    assert_eq!(placing.calls.len(), 1);
    assert_eq!(placing.calls[0].subject, Subject::Places(vec![IntentId(2), IntentId(4)]));
    assert_eq!(gateway.orders.len(), 2, "nothing is remembered of the others");
}

#[test]
fn each_order_of_a_batch_has_the_result_in_its_place() {
    let (mut gateway, ids, call) = three();
    let mut matched = shape("rest", "post_order_ok");
    matched["orderID"] = ids[1].to_uppercase().into();
    matched["makingAmount"] = "20".into();
    matched["takingAmount"] = "9.8".into();
    let refused = json!({
        "success": false, "orderID": "", "status": "",
        "errorMsg": "not enough balance / allowance: the balance is not enough"
    });
    let taken = read(&mut gateway, &call, 200, &json!([live(&ids[0]), matched, refused]));
    let said = told(&taken);
    assert!(matches!(said[0], (2, Evidence::Standing { rest: Rest::Resting, .. })), "{said:?}");
    let (3, Evidence::Standing { filled, rest: Rest::Nothing, .. }) = &said[1] else {
        panic!("{said:?}")
    };
    assert_eq!(*filled, total("20", "9.8"));
    let is_funds =
        |said: &Evidence| matches!(said, Evidence::Refused(it) if it.kind == Refused::Funds);
    assert!(said[2].0 == 4 && is_funds(&said[2].1), "{said:?}");
    assert_eq!(taken.calls.len(), 1, "the trade that was named");
    assert!(taken.notices.is_empty());
}

#[test]
fn a_result_that_is_no_acceptance_and_no_known_refusal_leaves_its_order_unclear() {
    let success_with_error =
        json!({ "success": true, "errorMsg": "something new", "orderID": "", "status": "" });
    let killed = "order couldn't be fully filled. FOK orders are fully filled or killed.";
    let cases = |ids: &[String]| {
        let mut no_status = live(&ids[1]);
        no_status["status"] = "resting".into();
        let of_another = json!({ "success": false, "errorMsg": killed, "orderID": ids[2] });
        let there = json!({ "success": false, "errorMsg": "order 0x is invalid. Duplicated." });
        let odd = [json!(null), json!("live"), json!({}), json!([])];
        let mut all = vec![success_with_error.clone(), no_status, of_another, there];
        all.extend([live(&ids[0]), live("0xabc")]);
        all.extend(odd);
        all
    };
    let (_, ids, _) = three();
    for case in cases(&ids) {
        let (mut gateway, ids, call) = three();
        let body = json!([live(&ids[0]), case, live(&ids[2])]);
        let taken = read(&mut gateway, &call, 200, &body);
        let said = told(&taken);
        assert!(is_unclear(&said[1].1), "{case}: {said:?}");
        let others = [&said[0].1, &said[2].1];
        let stand = |one: &&Evidence| matches!(one, Evidence::Standing { .. });
        assert!(others.iter().all(stand), "{case}: {said:?}");
        assert_eq!(taken.calls.len(), 1, "{case}");
        assert_eq!(taken.calls[0].subject, Subject::Order(IntentId(3)), "{case}");
    }
    // A kill that names the order is its own.
    let (mut gateway, ids, call) = three();
    let own = json!({ "success": false, "errorMsg": killed, "orderID": ids[1] });
    let said = told(&read(&mut gateway, &call, 200, &json!([live(&ids[0]), own, live(&ids[2])])));
    let is_killed =
        |said: &Evidence| matches!(said, Evidence::Refused(it) if it.kind == Refused::NoMatch);
    assert!(is_killed(&said[1].1), "{said:?}");
}

#[test]
fn a_batch_without_a_result_for_each_order_proves_nothing_about_any() {
    let (_, ids, _) = three();
    let two = json!([live(&ids[0]), live(&ids[1])]).to_string();
    let four = json!([live(&ids[0]), live(&ids[1]), live(&ids[2]), live(&ids[2])]).to_string();
    let funds = json!({ "error": "not enough balance / allowance" }).to_string();
    let single = live(&ids[0]).to_string();
    let off = json!({ "error": "invalid signature" }).to_string();
    for answer in [
        Answer::Lost("timeout"),
        reply(200, &two),
        reply(200, &four),
        reply(200, &single),
        reply(200, "[]"),
        reply(200, "<html>"),
        reply(201, "["),
        reply(400, &funds),
        reply(400, &off),
        reply(404, "{}"),
        reply(429, "{}"),
        reply(500, "{}"),
        reply(502, "<html>"),
        reply(503, "{}"),
    ] {
        let (mut gateway, _, call) = three();
        let mut taken = Taken::default();
        gateway.read(&call, &answer, &table(), now(), &mut taken);
        let said = told(&taken);
        assert!(said.iter().all(|(_, one)| is_unclear(one)), "{answer:?}: {said:?}");
        let asked: Vec<Subject> = taken.calls.into_iter().map(|call| call.subject).collect();
        let wanted: Vec<Subject> = [2, 3, 4].map(|at| Subject::Order(IntentId(at))).to_vec();
        assert_eq!((said.len(), asked), (3, wanted), "{answer:?}");
    }
}

#[test]
fn what_is_said_before_any_order_is_looked_at_refuses_all_of_them() {
    let banned = json!({ "error": "address in closed only mode" }).to_string();
    let mode = json!({ "code": "post_only_mode", "retry_after_seconds": 7 }).to_string();
    let limited = Answer::Reply {
        status: 429,
        retry_after: Some(Duration::from_secs(1)),
        headers: &[],
        body: "{}",
    };
    for (answer, kind) in [
        (Answer::NotSent("no route"), Refused::NotSent),
        (reply(401, "{}"), Refused::Credentials),
        (reply(400, &banned), Refused::Restricted),
        (reply(425, "{}"), Refused::Again(Duration::from_secs(1))),
        (reply(503, &mode), Refused::PostOnly(Duration::from_secs(7))),
        (limited, Refused::Paused),
    ] {
        let (mut gateway, _, call) = three();
        let mut taken = Taken::default();
        gateway.read(&call, &answer, &table(), now(), &mut taken);
        let is_it = |one: &Evidence| matches!(one, Evidence::Refused(it) if it.kind == kind);
        assert!(told(&taken).iter().all(|(_, said)| is_it(said)), "{answer:?}");
        assert_eq!((taken.reports.len(), taken.calls.len()), (3, 0), "{answer:?}");
    }
}

#[test]
fn a_market_is_taken_back_with_a_request_for_each_outcome() {
    let (mut gateway, ids, _) = three();
    let yes = Order { intent: IntentId(5), outcome: Outcome::Yes, ..resting() };
    let (yes_id, _) = gateway.place(&yes, &table(), now()).unwrap();
    let intents = [2, 3, 4, 5].map(IntentId);
    let calls = gateway.cancel_market(MarketIndex(0), &intents, &table(), now());
    let calls: Vec<Call> = calls.into_iter().map(Result::unwrap).collect();
    assert_eq!(calls.len(), 2);
    for (call, token, of) in [(&calls[0], YES, &intents[3..]), (&calls[1], NO, &intents[..3])] {
        assert_eq!((call.method, call.class), ("DELETE", Class::Cancel));
        assert_eq!(call.url, "http://clob/cancel-market-orders");
        assert_eq!(call.subject, Subject::Cancels(of.to_vec()));
        let body: Value = serde_json::from_str(call.body.as_ref().unwrap()).unwrap();
        assert_eq!(body, json!({ "market": CONDITION, "asset_id": token }));
    }
    assert_eq!(calls[1].cost, 3);
    // Orders of other people's hands may be among those that are gone; one of ours is not named.
    let said = json!({
        "canceled": ["0xsomebody", ids[0]],
        "not_canceled": { (&ids[1]): "already canceled or matched" }
    });
    let taken = read(&mut gateway, &calls[1], 200, &said);
    let said = told(&taken);
    assert!(matches!(said[0], (2, Evidence::Standing { rest: Rest::Nothing, .. })), "{said:?}");
    assert!(matches!(said[1], (3, Evidence::NotCancelled(_))), "{said:?}");
    assert_eq!((said.len(), taken.calls.len()), (2, 3), "all three are asked for");
    let taken = read(&mut gateway, &calls[0], 200, &json!({ "canceled": [yes_id.0] }));
    assert!(matches!(told(&taken)[..], [(5, Evidence::Standing { .. })]));
    let taken = read(&mut gateway, &calls[0], 500, &json!({}));
    assert_eq!((taken.reports.len(), taken.calls.len(), taken.notices.len()), (0, 1, 1));
}

#[test]
fn a_request_that_could_mean_more_than_one_contract_is_not_built() {
    let (mut gateway, ..) = three();
    let (two, none) = ([IntentId(2)], []);
    assert!(gateway.cancel_market(MarketIndex(0), &none, &table(), now()).is_empty());
    let mut nameless = market(Some(Settlement::Standard));
    nameless.id = String::new();
    let mut without = market(Some(Settlement::Standard));
    without.tokens = None;
    for strange in [Table(vec![nameless]), Table(vec![without]), Table(Vec::new())] {
        let calls = gateway.cancel_market(MarketIndex(0), &two, &strange, now());
        assert!(calls.len() == 1 && calls[0].is_err());
    }
    // What stands elsewhere goes by itself, and what is not known is an error.
    let mut calls = gateway.cancel_market(MarketIndex(1), &[2, 9].map(IntentId), &table(), now());
    assert!(calls.remove(1).is_err());
    assert_eq!(calls.remove(0).unwrap().subject, Subject::Cancel(IntentId(2)));
    assert!(gateway.decrease(IntentId(2), Quantity::contracts(1), &table(), now()).is_err());
    let (limit, count) = (Price::parse("0.47").unwrap(), Quantity::contracts(20));
    assert!(gateway.amend(IntentId(2), limit, count, &table(), now()).is_err());
}

#[test]
fn an_order_that_may_not_rest_for_ever_says_until_when() {
    let span = Duration::from_secs(600);
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon).resting_at_most(span);
    let (id, call) = gateway.place(&resting(), &table(), now()).unwrap();
    let body: Value = serde_json::from_str(call.body.as_ref().unwrap()).unwrap();
    assert_eq!(body["orderType"], "GTD");
    let named = now().after(span).secs() + 60;
    assert_eq!(
        body["order"]["expiration"],
        named.to_string(),
        "a minute is taken off by the venue"
    );
    let (same, _) = placed(&resting()).0.place(&resting(), &table(), now()).unwrap();
    assert_eq!(id, same, "until when is not part of what is signed");
    let (_, call) = gateway.place(&taking(), &table(), now()).unwrap();
    assert!(call.body.unwrap().contains(r#""expiration":"0""#), "one that takes does not rest");
    // So late that the venue would refuse it.
    let late = now().after(Duration::from_secs(500));
    let order = Order { intent: IntentId(3), ..resting() };
    let error = gateway.place(&order, &table(), late).unwrap_err();
    assert!(error.to_string().contains("would end in 100 s"), "{error}");
    assert!(!gateway.orders.contains_key(&IntentId(3)));
}
