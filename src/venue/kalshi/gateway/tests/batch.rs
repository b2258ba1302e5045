//! Several orders in one request, and what is made of its results.

use serde_json::{Value, json};

use super::*;

/// Orders that are the same but for their intents.
fn orders(intents: impl IntoIterator<Item = u64>) -> Vec<Order> {
    intents.into_iter().map(|intent| Order { intent: IntentId(intent), ..buy_no() }).collect()
}

impl Rig {
    fn place_many(&mut self, orders: &[Order]) -> Placing {
        self.gateway.place_many(orders, &self.markets, self.now)
    }

    /// The result of an order that filled nothing and rests with nothing.
    fn result(&self, intent: u64) -> Value {
        json!({
            "order_id": format!("id-{intent}"), "fill_count": "0.00", "remaining_count": "0.00",
            "client_order_id": self.gateway.client_id(IntentId(intent)), "ts_ms": 1
        })
    }
}

/// A batch of the orders 7, 8 and 9.
fn three() -> (Rig, Call) {
    let mut rig = Rig::new();
    let call = only(rig.place_many(&orders(7..10)).calls);
    (rig, call)
}

/// What was said of each order, with what it was about.
fn told(taken: &Taken) -> Vec<(u64, Evidence)> {
    let one = |report: &Report| match report {
        Report::Order { intent, evidence } => (intent.0, evidence.clone()),
        other => panic!("{other:?}"),
    };
    taken.reports.iter().map(one).collect()
}

#[test]
fn several_orders_are_one_request_that_costs_as_much_as_all_of_them() {
    let mut rig = Rig::new();
    rig.gateway.tick(rig.now, &mut Taken::default());
    let placing = rig.place_many(&orders(7..10));
    let call = only(placing.calls);
    assert_eq!((call.method, call.class, call.cost), ("POST", Class::Order, 30));
    assert_eq!(path_and_query(&call), "/portfolio/events/orders/batched");
    assert_eq!(call.subject, Subject::Places([7, 8, 9].map(IntentId).to_vec()));
    let body: Value = serde_json::from_str(call.body.as_ref().unwrap()).unwrap();
    for (at, id) in placing.ids.iter().enumerate() {
        let id = &id.as_ref().unwrap().0;
        assert_eq!(*id, rig.gateway.client_id(IntentId(7 + u64::try_from(at).unwrap())));
        assert_eq!(body["orders"][at]["client_order_id"], **id);
    }
    // What is prepared is for the path of one order.
    assert_eq!(rig.gateway.pool.len(), 4);
    // The budget for orders holds eight: more go out in several requests, one alone in its own.
    let placing = rig.place_many(&orders(10..27));
    let costs: Vec<u32> = placing.calls.iter().map(|call| call.cost).collect();
    assert_eq!(costs, [80, 80, 10]);
    assert_eq!(placing.calls[2].subject, Subject::Place(IntentId(26)));
    assert_eq!(path_and_query(&placing.calls[2]), "/portfolio/events/orders");
    assert_eq!(rig.gateway.pool.len(), 3);
}

#[test]
fn an_order_that_cannot_go_out_takes_no_other_with_it() {
    let mut rig = Rig::new();
    let mut all = orders([7, 8, 9, 8]);
    all[1].limit = Price::parse("0.5950").unwrap();
    all[3].limit = all[0].limit;
    let placing = rig.place_many(&all);
    let went: Vec<bool> = placing.ids.iter().map(Result::is_ok).collect();
    assert_eq!(went, [true, false, true, false], "one is off the grid, one was given twice");
    assert_eq!(only(placing.calls).subject, Subject::Places(vec![IntentId(7), IntentId(9)]));
    assert!(rig.gateway.roster.get(IntentId(8)).is_none(), "nothing is remembered of it");
    assert!(rig.place_many(&[]).calls.is_empty());
}

#[test]
fn each_order_of_a_batch_has_a_result_of_its_own() {
    let (mut rig, call) = three();
    let filled = CREATED.replace(CLIENT, &rig.gateway.client_id(IntentId(8)));
    let filled: Value = serde_json::from_str(&filled).unwrap();
    let refused = json!({
        "client_order_id": rig.gateway.client_id(IntentId(9)),
        "error": {"code": "insufficient_balance", "message": "no money", "details": ""}
    });
    // The results name their orders, so that their sequence means nothing.
    let body = json!({"orders": [filled, refused, rig.result(7)]});
    let taken = rig.reply(&call, 201, &body.to_string());
    let said = told(&taken);
    assert!(matches!(said[0], (7, Evidence::Standing { rest: Rest::Nothing, .. })), "{said:?}");
    assert_eq!(said[1], (8, standing("25", "14.625", Rest::Nothing)));
    let (9, Evidence::Refused(refusal)) = &said[2] else { panic!("{said:?}") };
    assert_eq!((refusal.kind, &*refusal.code), (Refused::Funds, "insufficient_balance"));
    let fills = only(taken.calls);
    assert_eq!(path_and_query(&fills), format!("/portfolio/fills?limit=1000&order_id={ID}"));
    assert!(taken.notices.is_empty());
}

#[test]
fn results_without_names_count_only_where_every_order_has_one() {
    let nameless = |rig: &Rig, intent| {
        let mut result = rig.result(intent);
        result.as_object_mut().unwrap().remove("client_order_id");
        result
    };
    let (mut rig, call) = three();
    let all: Vec<Value> = [7, 8, 9].iter().map(|intent| nameless(&rig, *intent)).collect();
    let said = told(&rig.reply(&call, 201, &json!({"orders": all}).to_string()));
    for (at, (intent, evidence)) in said.iter().enumerate() {
        assert_eq!(*intent, 7 + u64::try_from(at).unwrap());
        let Evidence::Standing { id, .. } = evidence else { panic!("{evidence:?}") };
        assert_eq!(id.0, format!("id-{intent}"));
    }
    let (mut rig, call) = three();
    let taken = rig.reply(&call, 201, &json!({"orders": all[..2]}).to_string());
    let said = told(&taken);
    assert!(said.iter().all(|(_, said)| matches!(said, Evidence::Unclear(_))), "{said:?}");
    assert_eq!((said.len(), taken.calls.len()), (3, 3), "each of them is asked for");
}

#[test]
fn a_result_that_does_not_fit_its_order_proves_nothing() {
    let with = |rig: &Rig, name: &str, value: Value| {
        let mut result = rig.result(8);
        result[name] = value;
        result
    };
    let error = |code: &str| json!({"code": code, "message": "x"});
    let rig = Rig::new();
    let cases = [
        // It names an order of somebody else, or one that has a result already.
        with(&rig, "client_order_id", "11111111-1111-8111-8111-111111111111".into()),
        rig.result(7),
        // It describes more than was sent, or makes no sense.
        with(&rig, "fill_count", "25.01".into()),
        with(&rig, "remaining_count", "26.00".into()),
        with(&rig, "fill_count", 1.into()),
        with(&rig, "order_id", "".into()),
        json!(null),
        json!("gone"),
        json!({}),
        // An error that is not known, one that says that it is there, one beside an id.
        json!({"error": error("something_new")}),
        json!({"error": "exchange_unavailable"}),
        json!({"error": error("order_already_exists")}),
        with(&rig, "error", error("insufficient_balance")),
    ];
    for case in cases {
        let (mut rig, call) = three();
        let body = json!({"orders": [rig.result(7), case, rig.result(9)]});
        let taken = rig.reply(&call, 201, &body.to_string());
        let about = |of: u64| -> Vec<Evidence> {
            told(&taken).into_iter().filter(|(intent, _)| *intent == of).map(|one| one.1).collect()
        };
        assert!(matches!(about(8)[..], [Evidence::Unclear(_)]), "{case}: {:?}", about(8));
        let asked = |call: &Call| path_and_query(call) == "/exchange/user_data_timestamp";
        assert!(taken.calls.iter().any(asked), "{case}: it is asked for");
        assert!(matches!(about(9)[..], [Evidence::Standing { .. }]), "{case}: the others count");
    }
    // An error in the shape of a single answer is read as one.
    let (mut rig, call) = three();
    let cases = [json!({"error": "too many requests"}), json!({"error": error("invalid_price")})];
    let body = json!({"orders": [cases[0], cases[1], rig.result(9)]});
    let said = told(&rig.reply(&call, 201, &body.to_string()));
    let kinds: Vec<Refused> = said[..2]
        .iter()
        .map(|(_, said)| match said {
            Evidence::Refused(refusal) => refusal.kind,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(matches!(kinds[..], [Refused::Again(_), Refused::Price]), "{kinds:?}");
}

#[test]
fn a_batch_without_an_answer_leaves_every_order_unclear_and_asks_for_each() {
    let body = r#"{"error":{"code":"invalid_order","message":"x"}}"#;
    let reply = |status, body| Answer::Reply { status, retry_after: None, headers: &[], body };
    let unclear = [
        Answer::Lost("timeout"),
        reply(201, "["),
        reply(200, "<html>"),
        reply(400, body),
        reply(404, body),
        reply(408, body),
        reply(409, body),
        reply(500, ""),
        reply(502, "<html>"),
        reply(503, body),
    ];
    for answer in unclear {
        let (mut rig, call) = three();
        let taken = rig.read(&call, &answer);
        let said = told(&taken);
        assert!(said.iter().all(|(_, one)| matches!(one, Evidence::Unclear(_))), "{said:?}");
        assert_eq!((said.len(), taken.calls.len()), (3, 3), "{answer:?}");
    }
    let shape = r#"{"code":"bad_request","message":"x"}"#;
    let plain = r#"{"error":{"code":"x","message":"y"}}"#;
    for (answer, kind) in [
        (Answer::NotSent("no route"), Refused::NotSent),
        (reply(400, shape), Refused::Malformed),
        (reply(401, plain), Refused::Credentials),
        (reply(403, plain), Refused::Restricted),
    ] {
        let (mut rig, call) = three();
        let taken = rig.read(&call, &answer);
        let is_it = |one: &Evidence| matches!(one, Evidence::Refused(it) if it.kind == kind);
        assert!(told(&taken).iter().all(|(_, said)| is_it(said)), "{answer:?}");
        assert_eq!((taken.reports.len(), taken.calls.len()), (3, 0), "{answer:?}");
    }
    let (mut rig, call) = three();
    let said = told(&rig.read(&call, &reply(429, r#"{"error":"too many requests"}"#)));
    let waits: BTreeSet<String> = said.iter().map(|(_, said)| format!("{said:?}")).collect();
    assert_eq!(waits.len(), 3, "three that were limited do not come back in step");
}
