//! Questions about one order.

use super::*;

/// Places the order, loses its answer and asks; returns the first page of orders that is asked for.
fn asked_without_id(rig: &mut Rig) -> Call {
    let call = rig.place(&buy_no());
    rig.read(&call, &Answer::Lost("timeout"));
    let call = only(rig.ask(&Question::Order(IntentId(7))));
    assert_eq!(path_and_query(&call), "/exchange/user_data_timestamp");
    only(rig.reply(&call, 200, AS_OF).calls)
}

#[test]
fn an_order_whose_answer_was_lost_is_found_among_all_orders() {
    let mut rig = Rig::new();
    let call = asked_without_id(&mut rig);
    let wanted = "/portfolio/orders?limit=1000&min_ts=1795341595&ticker=KXDEMO-26DEC31-T50";
    assert_eq!(path_and_query(&call), wanted, "all states, since shortly before it was decided");
    let call = only(rig.reply(&call, 200, ORDERS_1).calls);
    assert_eq!(path_and_query(&call), format!("{wanted}&cursor=c1"));
    let taken = rig.reply(&call, 200, ORDERS_2);
    let fills = only(taken.calls.clone());
    assert!(fills.url.contains(&format!("order_id={ID}")));
    assert_eq!(evidence(taken), standing("25", "14.625", Rest::Nothing));
    // From here on its id is known.
    let call = only(rig.ask(&Question::Order(IntentId(7))));
    let call = only(rig.reply(&call, 200, AS_OF).calls);
    assert_eq!(path_and_query(&call), format!("/portfolio/orders/{ID}"));
    assert_eq!(call.cost, 2);
    assert_eq!(evidence(rig.reply(&call, 200, ORDER)), standing("25", "14.625", Rest::Nothing));
}

#[test]
fn an_order_is_missing_only_after_all_orders_and_fills_were_read() {
    let mut rig = Rig::new();
    let call = asked_without_id(&mut rig);
    let call = only(rig.reply(&call, 200, NO_ORDERS).calls);
    let wanted = "/portfolio/fills?limit=1000&min_ts=1795341595&ticker=KXDEMO-26DEC31-T50";
    assert_eq!(path_and_query(&call), wanted);
    let as_of = Timestamp::parse("2026-11-22T10:00:00.900Z").unwrap();
    assert_eq!(evidence(rig.reply(&call, 200, NO_FILLS)), Evidence::NotFound { as_of });
}

#[test]
fn without_an_age_the_reading_is_as_old_as_the_question() {
    for answer in [
        Answer::Lost("timeout"),
        Answer::Reply { status: 503, retry_after: None, headers: &[], body: "" },
        Answer::Reply {
            status: 200,
            retry_after: None,
            headers: &[],
            body: r#"{"as_of_time":"soon"}"#,
        },
    ] {
        let mut rig = Rig::new();
        rig.place(&buy_no());
        let asked = rig.now;
        let call = only(rig.ask(&Question::Order(IntentId(7))));
        rig.now = rig.now.after(Duration::from_millis(700));
        let call = only(rig.read(&call, &answer).calls);
        let call = only(rig.reply(&call, 200, NO_ORDERS).calls);
        let found = evidence(rig.reply(&call, 200, NO_FILLS));
        assert_eq!(found, Evidence::NotFound { as_of: asked });
    }
}

#[test]
fn a_wrong_order_under_our_id_is_not_believed() {
    for (from, to) in [
        (r#""ticker":"KXDEMO-26DEC31-T50""#, r#""ticker":"KXDEMO-26DEC31-T60""#),
        (r#""book_side":"ask""#, r#""book_side":"bid""#),
        (r#""book_side":"ask""#, r#""book_side":"new""#),
        (r#""yes_price_dollars":"0.4100""#, r#""yes_price_dollars":"0.4200""#),
        (r#""initial_count_fp":"25.00""#, r#""initial_count_fp":"26.00""#),
        (r#""initial_count_fp":"25.00","#, ""),
        (r#""fill_count_fp":"25.00""#, r#""fill_count_fp":"26.00""#),
        (
            r#""created_time":"2026-11-22T10:00:00.123456Z""#,
            r#""created_time":"2026-11-22T09:59:00Z""#,
        ),
        (
            r#""created_time":"2026-11-22T10:00:00.123456Z""#,
            r#""created_time":"2026-11-22T10:09:00Z""#,
        ),
        (r#""created_time":"2026-11-22T10:00:00.123456Z","#, ""),
    ] {
        let mut rig = Rig::new();
        let call = asked_without_id(&mut rig);
        let body = ORDERS_2.replace(from, to);
        assert_ne!(body, ORDERS_2, "{from}");
        let taken = rig.reply(&call, 200, &body);
        assert_eq!(taken.notices.len(), 1, "{to}");
        assert!(taken.calls.is_empty(), "{to}");
        assert!(matches!(evidence(taken), Evidence::Unclear(_)), "{to}");
        let cancel = rig.gateway.cancel(IntentId(7), &rig.markets, rig.now).unwrap();
        assert_eq!(cancel.method, "GET", "its id was not learned: {to}");
    }
}

#[test]
fn another_order_under_the_venues_id_is_not_believed() {
    let mut rig = Rig::new();
    rig.acknowledged(&buy_no(), CREATED_NOTHING);
    let call = only(rig.ask(&Question::Order(IntentId(7))));
    let call = only(rig.reply(&call, 200, AS_OF).calls);
    let other = ORDER.replace(CLIENT, "somebody").replace(ID, "another");
    assert!(matches!(evidence(rig.reply(&call, 200, &other)), Evidence::Unclear(_)));
    rig.now = rig.now.after(Duration::from_secs(11));
    let call = only(rig.ask(&Question::Order(IntentId(7))));
    let call = only(rig.reply(&call, 200, AS_OF).calls);
    let other = ORDER.replace(CLIENT, "somebody");
    assert!(matches!(evidence(rig.reply(&call, 200, &other)), Evidence::Unclear(_)));
}

#[test]
fn a_known_id_that_is_not_found_is_looked_for_in_the_lists() {
    let mut rig = Rig::new();
    rig.acknowledged(&buy_no(), CREATED_NOTHING);
    let call = only(rig.ask(&Question::Order(IntentId(7))));
    let call = only(rig.reply(&call, 200, AS_OF).calls);
    let taken = rig.reply(&call, 404, r#"{"error":{"code":"not_found","message":"x"}}"#);
    assert!(taken.reports.is_empty());
    assert!(only(taken.calls).url.contains("/portfolio/orders?"));
}

#[test]
fn a_cursor_that_comes_again_is_no_proof_of_absence() {
    let mut rig = Rig::new();
    let call = asked_without_id(&mut rig);
    let call = only(rig.reply(&call, 200, ORDERS_1).calls);
    let taken = rig.reply(&call, 200, ORDERS_1);
    assert!(taken.calls.is_empty());
    assert!(matches!(evidence(taken), Evidence::Unclear(_)));
}

#[test]
fn an_unreadable_order_is_no_proof_of_absence() {
    let mut rig = Rig::new();
    let call = asked_without_id(&mut rig);
    let body = ORDERS_2.replace(r#""fill_count_fp":"25.00""#, r#""fill_count_fp":"many""#);
    let call = only(rig.reply(&call, 200, &body).calls);
    assert!(matches!(evidence(rig.reply(&call, 200, NO_FILLS)), Evidence::Unclear(_)));
}

#[test]
fn a_question_that_fails_says_nothing_about_the_order() {
    for answer in [
        Answer::Lost("timeout"),
        Answer::NotSent("dns"),
        Answer::Reply { status: 500, retry_after: None, headers: &[], body: "" },
        Answer::Reply { status: 429, retry_after: None, headers: &[], body: "" },
        Answer::Reply { status: 200, retry_after: None, headers: &[], body: "<html>" },
    ] {
        let mut rig = Rig::new();
        let call = asked_without_id(&mut rig);
        let taken = rig.read(&call, &answer);
        assert!(taken.reports.is_empty() && taken.calls.is_empty());
        assert_eq!(taken.notices.len(), 1);
        // It can be asked again at once.
        assert_eq!(rig.ask(&Question::Order(IntentId(7))).len(), 1);
    }
}

#[test]
fn a_question_under_way_is_not_asked_again_until_it_is_old() {
    let mut rig = Rig::new();
    asked_without_id(&mut rig);
    assert!(rig.ask(&Question::Order(IntentId(7))).is_empty());
    rig.now = rig.now.after(Duration::from_secs(10));
    assert_eq!(rig.ask(&Question::Order(IntentId(7))).len(), 1);
}

#[test]
fn a_fill_without_our_id_is_looked_at_before_its_order_is_called_missing() {
    let mut rig = Rig::new();
    let call = asked_without_id(&mut rig);
    // The list of orders lags behind the fills.
    let call = only(rig.reply(&call, 200, NO_ORDERS).calls);
    let taken = rig.reply(&call, 200, FILLS);
    let look = only(taken.calls.clone());
    assert_eq!(path_and_query(&look), format!("/portfolio/orders/{ID}"), "once for both fills");
    assert!(matches!(evidence(taken), Evidence::Unclear(_)));
    let taken = rig.reply(&look, 200, ORDER);
    let fills = only(taken.calls.clone());
    assert_eq!(evidence(taken), standing("25", "14.625", Rest::Nothing));
    assert_eq!(rig.reply(&fills, 200, FILLS).reports.len(), 2);
}

#[test]
fn the_fills_of_another_order_of_ours_do_not_keep_one_unknown() {
    let mut rig = Rig::new();
    // The first order fills and is known; the second, like it in everything, never arrives.
    rig.acknowledged(&buy_no(), CREATED);
    let second = Order { intent: IntentId(8), ..buy_no() };
    let call = rig.place(&second);
    rig.read(&call, &Answer::Lost("timeout"));
    let call = only(rig.ask(&Question::Order(IntentId(8))));
    let call = only(rig.reply(&call, 200, AS_OF).calls);
    let call = only(rig.reply(&call, 200, NO_ORDERS).calls);
    let taken = rig.reply(&call, 200, FILLS);
    let found = taken.reports.iter().any(|report| {
        let evidence = |report| match report {
            &Report::Order { intent: IntentId(8), ref evidence } => Some(evidence.clone()),
            _ => None,
        };
        matches!(evidence(report), Some(Evidence::NotFound { .. }))
    });
    assert!(found, "{taken:?}");
}

#[test]
fn a_fill_of_a_stranger_is_foreign_once_its_order_was_looked_at() {
    let mut rig = Rig::new();
    rig.place(&buy_no());
    let call = only(rig.ask(&Question::Fills(Timestamp::ZERO)));
    let taken = rig.reply(&call, 200, FILLS);
    assert!(taken.reports.is_empty(), "nobody knows yet whose they are");
    let look = only(taken.calls);
    let taken = rig.reply(&look, 200, &ORDER.replace(CLIENT, "my-own"));
    let foreign = only(taken.reports);
    assert!(matches!(foreign, Report::Foreign { is_ours: false, .. }), "{foreign:?}");
    let fills = only(taken.calls);
    let taken = rig.reply(&fills, 200, FILLS);
    assert_eq!(taken.reports.len(), 2);
    let all = taken.reports.iter().all(|report| matches!(report, Report::Foreign { .. }));
    assert!(all && taken.calls.is_empty());
}

#[test]
fn an_order_nobody_placed_is_not_asked_for() {
    let mut rig = Rig::new();
    let question = Question::Order(IntentId(99));
    assert!(rig.gateway.ask(&question, &rig.markets, rig.now).is_err());
}

/// Asks for the order a minute after it was decided; returns what follows the order.
fn asked_later(rig: &mut Rig, order: &str) -> Taken {
    let now = rig.now;
    rig.now = now.after(Duration::from_secs(60));
    let call = only(rig.ask(&Question::Order(IntentId(7))));
    let as_of = format!(r#"{{"as_of_time":"{}"}}"#, rig.now);
    let call = only(rig.reply(&call, 200, &as_of).calls);
    rig.reply(&call, 200, order)
}

#[test]
fn the_fills_of_an_order_that_is_long_over_are_listed_whole() {
    let mut rig = Rig::new();
    let call = rig.place(&buy_no());
    rig.reply(&call, 201, CREATED);
    let calls = asked_later(&mut rig, ORDER).calls;
    let call = calls.last().unwrap();
    assert!(call.url.contains(&format!("fills?limit=1000&order_id={ID}")), "{}", call.url);
    let as_of = rig.now;
    let reports = rig.reply(call, 200, FILLS).reports;
    let Some(Report::Order { evidence: Evidence::Listed { trades, as_of: told }, .. }) =
        reports.last()
    else {
        panic!("{reports:?}")
    };
    assert_eq!((trades.len(), *told), (2, as_of));
}

#[test]
fn a_listing_that_does_not_add_up_to_the_order_proves_nothing() {
    let mut rig = Rig::new();
    let call = rig.place(&buy_no());
    rig.reply(&call, 201, CREATED);
    let calls = asked_later(&mut rig, ORDER).calls;
    assert!(rig.reply(calls.last().unwrap(), 200, NO_FILLS).reports.is_empty());
}

#[test]
fn an_order_that_says_nothing_filled_and_lists_nothing_had_its_fills_taken_back() {
    let mut rig = Rig::new();
    let call = rig.place(&buy_no());
    rig.reply(&call, 201, CREATED);
    let mut busted: serde_json::Value = serde_json::from_str(ORDER).unwrap();
    for (key, value) in [
        ("fill_count_fp", "0.00"),
        ("remaining_count_fp", "0.00"),
        ("taker_fill_cost_dollars", "0.0000"),
        ("maker_fill_cost_dollars", "0.0000"),
    ] {
        busted["order"][key] = value.into();
    }
    busted["order"]["status"] = "canceled".into();
    let calls = asked_later(&mut rig, &busted.to_string()).calls;
    let as_of = rig.now;
    let listed = evidence(rig.reply(calls.last().unwrap(), 200, NO_FILLS));
    assert_eq!(listed, Evidence::Listed { trades: Vec::new(), as_of });
}

#[test]
fn every_request_of_a_search_that_ends_in_a_cancel_says_so() {
    let mut rig = Rig::new();
    let call = rig.place(&buy_no());
    rig.read(&call, &Answer::Lost("timeout"));
    let mut call = rig.gateway.cancel(IntentId(7), &rig.markets, rig.now).unwrap();
    for body in [AS_OF, ORDERS_1] {
        assert!(matches!(call.subject, Subject::Seek(IntentId(7), _)), "{call:?}");
        call = only(rig.reply(&call, 200, body).calls);
    }
    assert!(matches!(call.subject, Subject::Seek(IntentId(7), _)), "{call:?}");
}
