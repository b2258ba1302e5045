//! Orders and cancels, and what is made of their answers.

use super::*;

#[test]
fn an_order_goes_out_under_an_id_that_follows_from_its_intent() {
    let mut rig = Rig::new();
    let (id, call) = rig.gateway.place(&buy_no(), &rig.markets, rig.now).unwrap();
    assert_eq!(id.0, rig.gateway.client_id(IntentId(7)));
    assert_eq!(call.subject, Subject::Place(IntentId(7)));
    assert_eq!((call.class, call.cost, call.method), (Class::Order, 10, "POST"));
    assert_eq!(path_and_query(&call), "/portfolio/events/orders");
    assert!(call.body.as_ref().unwrap().contains(&id.0));
    let (again, same) = rig.gateway.place(&buy_no(), &rig.markets, rig.now).unwrap();
    assert_eq!((again, same.body), (id, call.body), "the same order, the same id and body");
}

#[test]
fn prepared_headers_are_used_once_and_never_when_old() {
    let mut rig = Rig::new();
    let signed_at = |call: &Call| -> i64 {
        let (_, millis) = call.headers.iter().find(|(name, _)| *name == TIMESTAMP_HEADER).unwrap();
        millis.parse().unwrap()
    };
    let made = rig.now;
    rig.gateway.tick(made, &mut Taken::default());
    rig.now = made.after(Duration::from_millis(900));
    let calls: Vec<Call> = (0..6).map(|_| rig.place(&buy_no())).collect();
    let early = calls.iter().filter(|call| signed_at(call) < rig.now.millis()).count();
    assert_eq!(early, 4, "four were signed ahead");
    let times: BTreeSet<i64> = calls.iter().map(signed_at).collect();
    assert_eq!(times.len(), 6, "no headers were used twice");
    rig.gateway.tick(rig.now, &mut Taken::default());
    rig.now = rig.now.after(Pool::AGE_MAX + Duration::from_millis(1));
    let late = rig.place(&buy_no());
    assert_eq!(signed_at(&late), rig.now.millis(), "old headers are thrown away");
}

#[test]
fn a_filled_order_brings_its_total_at_the_scale_of_no_and_its_fills_are_asked_for() {
    let mut rig = Rig::new();
    let taken = rig.acknowledged(&buy_no(), CREATED);
    let fills = only(taken.calls.clone());
    assert_eq!(path_and_query(&fills), format!("/portfolio/fills?limit=1000&order_id={ID}"));
    // 25 at 0.5850 of NO, not at 0.4150 of YES.
    assert_eq!(evidence(taken), standing("25", "14.625", Rest::Nothing));
    let taken = rig.reply(&fills, 200, FILLS);
    let booked: Vec<Fill> = taken
        .reports
        .into_iter()
        .map(|report| match report {
            Report::Order { intent: IntentId(7), evidence: Evidence::Fill(fill) } => fill,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(booked[0].money, money("8.85"), "15 at 0.59");
    assert_eq!(booked[1].money, money("5.775"), "10 at 0.5775");
    assert_eq!(booked[0].fee, Fee::Reported(money("0.2541")));
    assert!(booked.iter().all(|fill| fill.finality == Finality::Confirmed));
    assert!(taken.calls.is_empty() && taken.notices.is_empty());
}

#[test]
fn accepted_is_not_filled() {
    let mut rig = Rig::new();
    let taken = rig.acknowledged(&buy_no(), CREATED_NOTHING);
    assert!(taken.calls.is_empty());
    assert_eq!(evidence(taken), standing("0", "0", Rest::Nothing));
}

#[test]
fn what_rests_is_said_to_rest() {
    let mut rig = Rig::new();
    let order = Order { lifetime: Lifetime::Resting, ..buy_no() };
    let body =
        CREATED_NOTHING.replace(r#""remaining_count":"0.00""#, r#""remaining_count":"25.00""#);
    assert_eq!(evidence(rig.acknowledged(&order, &body)), standing("0", "0", Rest::Resting));
}

#[test]
fn no_average_costs_an_answer() {
    // Without a usable average the limit stands: 25 at 0.59.
    for (average, cost) in [
        (r#""0.41499999999999999""#, "14.625025"),
        ("0.415", "14.625"),
        (r#""0.4150000""#, "14.625"),
        ("null", "14.75"),
        (r#""""#, "14.75"),
        (r#""abc""#, "14.75"),
        (r#""-1""#, "14.75"),
        (r#""17.5""#, "14.75"),
        // Better for the venue than the limit allows: held at the limit.
        (r#""0.3000""#, "14.75"),
    ] {
        let mut rig = Rig::new();
        let body = CREATED.replace(r#""0.4150""#, average);
        let found = evidence(rig.acknowledged(&buy_no(), &body));
        assert_eq!(found, standing("25", cost, Rest::Nothing), "{average}");
    }
}

#[test]
fn all_four_ways_have_their_money_at_their_own_scale() {
    // 25 contracts, on average at 0.4150 of YES.
    for (outcome, action, limit, wanted) in [
        (Outcome::Yes, Action::Buy, "0.42", "10.375"),
        (Outcome::Yes, Action::Sell, "0.41", "10.375"),
        (Outcome::No, Action::Buy, "0.59", "14.625"),
        (Outcome::No, Action::Sell, "0.58", "14.625"),
    ] {
        let mut rig = Rig::new();
        let found = evidence(rig.acknowledged(&order(outcome, action, limit), CREATED));
        let wanted = standing("25", wanted, Rest::Nothing);
        assert_eq!(found, wanted, "{outcome} {action:?}");
    }
}

#[test]
fn an_answer_about_another_order_is_not_believed() {
    for (from, to) in [
        (CLIENT, "11111111-1111-8111-8111-111111111111"),
        (r#""fill_count":"25.00""#, r#""fill_count":"25.01""#),
        (r#""remaining_count":"0.00""#, r#""remaining_count":"1.00""#),
    ] {
        let mut rig = Rig::new();
        let taken = rig.acknowledged(&buy_no(), &CREATED.replace(from, to));
        assert_eq!(taken.notices.len(), 1, "{to}");
        let call = only(taken.calls.clone());
        assert_eq!(path_and_query(&call), "/exchange/user_data_timestamp", "it is looked for");
        assert!(matches!(evidence(taken), Evidence::Unclear(_)), "{to}");
    }
}

#[test]
fn a_broken_answer_is_unclear_and_an_unsent_order_is_refused() {
    for body in ["", "<html>", "{}", r#"{"order_id":""}"#, r#"{"order_id":"x","fill_count":1}"#] {
        let mut rig = Rig::new();
        let found = evidence(rig.acknowledged(&buy_no(), body));
        assert!(matches!(found, Evidence::Unclear(_)), "{body}");
    }
    let mut rig = Rig::new();
    let call = rig.place(&buy_no());
    let lost = evidence(rig.read(&call, &Answer::Lost("timeout")));
    assert_eq!(lost, Evidence::Unclear("timeout".to_owned()));
    let Evidence::Refused(refusal) = evidence(rig.read(&call, &Answer::NotSent("dns"))) else {
        panic!()
    };
    assert_eq!(refusal.kind, Refused::NotSent);
}

#[test]
fn refusals_carry_their_decision() {
    let mut rig = Rig::new();
    let call = rig.place(&buy_no());
    let body = r#"{"error":{"code":"insufficient_balance","message":"no\u0007 money"}}"#;
    let Evidence::Refused(refusal) = evidence(rig.reply(&call, 400, body)) else { panic!() };
    assert_eq!((refusal.kind, &*refusal.code), (Refused::Funds, "insufficient_balance"));
    assert!(!refusal.text.contains('\u{7}'));
    let limited = r#"{"error":"too many requests"}"#;
    let waits: Vec<Evidence> = (0..2).map(|_| evidence(rig.reply(&call, 429, limited))).collect();
    assert_ne!(waits[0], waits[1], "two that were limited do not come back in step");
}

#[test]
fn an_order_that_exists_already_is_looked_for() {
    let mut rig = Rig::new();
    let call = rig.place(&buy_no());
    let body = r#"{"error":{"code":"order_already_exists","message":"x"}}"#;
    let taken = rig.reply(&call, 409, body);
    assert_eq!(taken.calls.len(), 1);
    assert!(matches!(evidence(taken), Evidence::Unclear(_)));
}

#[test]
fn a_cancel_names_the_venues_id_and_what_it_left_is_filled() {
    let mut rig = Rig::new();
    let order = Order { lifetime: Lifetime::Resting, ..buy_no() };
    let body =
        CREATED_NOTHING.replace(r#""remaining_count":"0.00""#, r#""remaining_count":"25.00""#);
    rig.acknowledged(&order, &body);
    let call = rig.gateway.cancel(IntentId(7), &rig.markets, rig.now).unwrap();
    assert_eq!((call.method, call.class, call.cost), ("DELETE", Class::Cancel, 2));
    let wanted =
        format!("/portfolio/events/orders/{ID}?exchange_index=0&market_ticker=KXDEMO-26DEC31-T50");
    assert_eq!(path_and_query(&call), wanted);
    let taken = rig.reply(&call, 200, CANCELLED);
    assert_eq!(taken.calls.len(), 1, "ten were filled: their fills are asked for");
    assert_eq!(evidence(taken), standing("10", "5.90", Rest::Nothing));
}

#[test]
fn a_cancel_that_describes_another_order_is_not_believed() {
    let mut rig = Rig::new();
    let order = Order { lifetime: Lifetime::Resting, ..buy_no() };
    rig.acknowledged(&order, CREATED_NOTHING);
    let call = rig.gateway.cancel(IntentId(7), &rig.markets, rig.now).unwrap();
    for body in [
        CANCELLED.replace(ID, "other"),
        CANCELLED.replace(CLIENT, "other"),
        CANCELLED.replace("15.00", "25.01"),
        "{}".to_owned(),
    ] {
        let taken = rig.reply(&call, 200, &body);
        assert!(taken.reports.is_empty(), "{body}");
        assert_eq!(taken.notices.len(), 1, "{body}");
        rig.now = rig.now.after(Duration::from_secs(11));
    }
}

#[test]
fn a_cancel_that_finds_nothing_leads_to_a_question() {
    let mut rig = Rig::new();
    rig.acknowledged(&buy_no(), CREATED_NOTHING);
    let call = rig.gateway.cancel(IntentId(7), &rig.markets, rig.now).unwrap();
    let taken = rig.reply(&call, 404, r#"{"error":{"code":"not_found","message":"not_found"}}"#);
    let question = only(taken.calls.clone());
    assert_eq!(path_and_query(&question), "/exchange/user_data_timestamp");
    assert_eq!(evidence(taken), Evidence::NotCancelled("not_found".to_owned()));
}

#[test]
fn a_cancel_without_the_venues_id_finds_the_order_and_then_takes_it_back() {
    let mut rig = Rig::new();
    let order = Order { lifetime: Lifetime::Resting, ..buy_no() };
    rig.place(&order);
    let call = rig.gateway.cancel(IntentId(7), &rig.markets, rig.now).unwrap();
    assert_eq!((call.method, path_and_query(&call)), ("GET", "/exchange/user_data_timestamp"));
    let call = only(rig.reply(&call, 200, AS_OF).calls);
    let resting = ORDERS_2
        .replace("executed", "resting")
        .replace(r#""fill_count_fp":"25.00""#, r#""fill_count_fp":"0.00""#)
        .replace(r#""remaining_count_fp":"0.00""#, r#""remaining_count_fp":"25.00""#);
    let call = only(rig.reply(&call, 200, &resting).calls);
    assert_eq!(call.subject, Subject::Cancel(IntentId(7)));
    assert_eq!(call.method, "DELETE");
    assert!(call.url.contains(ID));
}

#[test]
fn an_empty_id_is_never_learned() {
    let mut rig = Rig::new();
    let order = Order { lifetime: Lifetime::Resting, ..buy_no() };
    rig.gateway.recall(&order, &OrderId(String::new()));
    let call = rig.gateway.cancel(IntentId(7), &rig.markets, rig.now).unwrap();
    assert_eq!(call.method, "GET", "it is looked for, not cancelled by an empty path");
    assert!(rig.gateway.cancel(IntentId(8), &rig.markets, rig.now).is_err());
    let all = rig.gateway.cancel_every_order_of_the_account(rig.now).unwrap();
    assert_eq!((all.method, path_and_query(&all)), ("DELETE", "/portfolio/events/orders"));
}

#[test]
fn either_id_recalls_an_order() {
    for by_venues_id in [false, true] {
        let mut rig = Rig::new();
        let client = rig.gateway.client_id(IntentId(7));
        let id = if by_venues_id { ID.to_owned() } else { client };
        rig.gateway.recall(&buy_no(), &OrderId(id));
        let cancel = rig.gateway.cancel(IntentId(7), &rig.markets, rig.now).unwrap();
        assert_eq!(cancel.method == "DELETE", by_venues_id);
        let text = include_str!("../../../../../tests/data/kalshi/ws_fill.json");
        let text = text.replace(
            r#""market_ticker""#,
            &format!(r#""client_order_id":"{CLIENT}","market_ticker""#),
        );
        assert!(matches!(evidence(rig.private(&text)), Evidence::Fill(_)));
        rig.gateway.forget(IntentId(7));
        let taken = rig.private(&text);
        assert!(taken.reports.is_empty(), "its order is looked at first: {taken:?}");
        assert!(only(taken.calls).url.ends_with(&format!("/portfolio/orders/{ID}")));
    }
}

#[test]
fn every_answer_to_a_cancel_has_its_row() {
    let body = r#"{"error":{"code":"x","message":"y"}}"#;
    for status in [301, 400, 401, 403, 404, 408, 409, 425, 429, 500, 502, 503, 504] {
        let mut rig = Rig::new();
        rig.acknowledged(&buy_no(), CREATED_NOTHING);
        let call = rig.gateway.cancel(IntentId(7), &rig.markets, rig.now).unwrap();
        let taken = rig.reply(&call, status, body);
        let told = taken.reports.iter().map(|report| match report {
            Report::Order { evidence, .. } => evidence.clone(),
            other => panic!("{other:?}"),
        });
        let told: Vec<Evidence> = told.collect();
        match status {
            404 => assert!(matches!(told[..], [Evidence::NotCancelled(_)]), "{told:?}"),
            _ => assert_eq!((told.len(), taken.notices.len()), (0, 1), "{status}"),
        }
        assert_eq!(taken.calls.len(), 1, "{status}: the order itself is asked for");
    }
    for (answer, asked) in [(Answer::Lost("cut"), 1), (Answer::NotSent("no route"), 0)] {
        let mut rig = Rig::new();
        rig.acknowledged(&buy_no(), CREATED_NOTHING);
        let call = rig.gateway.cancel(IntentId(7), &rig.markets, rig.now).unwrap();
        let taken = rig.read(&call, &answer);
        assert_eq!((taken.reports.len(), taken.calls.len()), (0, asked), "{answer:?}");
        assert_eq!(taken.notices.len(), 1);
    }
}

/// Two orders that rest, and the batch that takes both back.
fn two_resting() -> (Rig, Call) {
    let mut rig = Rig::new();
    let other = Order { intent: IntentId(8), ..buy_no() };
    rig.gateway.recall(&buy_no(), &OrderId(ID.to_owned()));
    rig.gateway.recall(&other, &OrderId("other-id".to_owned()));
    let intents = [IntentId(7), IntentId(8)];
    let call = only(rig.gateway.cancel_many(&intents, &rig.markets, rig.now)).unwrap();
    (rig, call)
}

#[test]
fn several_cancels_are_one_request_that_costs_as_much_as_all_of_them() {
    let (mut rig, call) = two_resting();
    assert_eq!((call.method, call.cost), ("DELETE", 4));
    assert_eq!(path_and_query(&call), "/portfolio/events/orders/batched");
    assert_eq!(call.subject, Subject::Cancels(vec![IntentId(7), IntentId(8)]));
    let body = call.body.as_ref().unwrap();
    assert!(body.contains(ID) && body.contains("other-id"), "{body}");
    // The budget for cancels holds ten of them: more go out in several requests.
    let intents: Vec<IntentId> = (1..=24).map(IntentId).collect();
    for intent in &intents {
        let order = Order { intent: *intent, ..buy_no() };
        rig.gateway.recall(&order, &OrderId(format!("id-{}", intent.0)));
    }
    let calls = rig.gateway.cancel_many(&intents, &rig.markets, rig.now);
    let costs: Vec<u32> = calls.into_iter().map(|call| call.unwrap().cost).collect();
    assert_eq!(costs, [20, 20, 8]);
    let one = only(rig.gateway.cancel_many(&intents[..1], &rig.markets, rig.now)).unwrap();
    assert_eq!(one.subject, Subject::Cancel(IntentId(1)));
}

#[test]
fn each_order_of_a_batch_of_cancels_has_a_result_of_its_own() {
    let (mut rig, call) = two_resting();
    let body = format!(
        r#"{{"orders":[{{"order_id":"{ID}","reduced_by":"25.00"}},
            {{"order_id":"other-id","error":{{"code":"not_found","message":"gone"}}}}]}}"#
    );
    let taken = rig.reply(&call, 200, &body);
    let [
        Report::Order { intent: IntentId(7), evidence: Evidence::Standing { rest, filled, .. } },
        Report::Order { intent: IntentId(8), evidence: Evidence::NotCancelled(_) },
    ] = &taken.reports[..]
    else {
        panic!("{:?}", taken.reports)
    };
    assert_eq!((*rest, filled.unwrap().quantity), (Rest::Nothing, Quantity::ZERO));
    assert_eq!(taken.calls.len(), 1, "the other one is asked for");
    // Whatever is not said of an order is not sure.
    for (status, body) in [
        (200, r#"{"orders":[]}"#),
        (200, "["),
        (200, r#"{"orders":[{"order_id":"other-id","error":{"code":"internal_error"}}]}"#),
        (429, ""),
        (500, ""),
    ] {
        let (mut rig, call) = two_resting();
        let taken = rig.reply(&call, status, body);
        assert!(taken.reports.is_empty(), "{status} {body}: {:?}", taken.reports);
        assert_eq!((taken.notices.len(), taken.calls.len()), (2, 2), "{status} {body}");
    }
}

#[test]
fn a_killed_all_or_nothing_order_has_used_its_id_up() {
    let mut rig = Rig::new();
    let all = Order { lifetime: Lifetime::AllOrNothing, ..buy_no() };
    let call = rig.place(&all);
    let body = r#"{"error":{"code":"fill_or_kill_insufficient_resting_volume","message":"x"}}"#;
    let killed = evidence(rig.reply(&call, 409, body));
    assert!(matches!(&killed, Evidence::Refused(r) if r.kind == Refused::NoMatch), "{killed:?}");
    // The next attempt is an intent of its own, and so an id of its own.
    let again = Order { intent: IntentId(8), ..all };
    let (id, _) = rig.gateway.place(&again, &rig.markets, rig.now).unwrap();
    assert_ne!(id.0, rig.gateway.client_id(IntentId(7)));
}
