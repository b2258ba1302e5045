//! Orders that are made smaller or amended, and what their evidence is compared with afterwards.

use super::*;

/// 25 of NO at 0.59 that rest under the venue's id.
fn resting() -> (Rig, Order) {
    let mut rig = Rig::new();
    let order = Order { lifetime: Lifetime::Resting, ..buy_no() };
    rig.gateway.recall(&order, &OrderId(ID.to_owned()));
    (rig, order)
}

impl Rig {
    fn decrease(&mut self, by: &str) -> Result<Call, Error> {
        self.gateway.decrease(IntentId(7), quantity(by), &self.markets, self.now)
    }

    fn amend(&mut self, limit: &str, count: &str) -> Result<Call, Error> {
        let limit = Price::parse(limit).unwrap();
        self.gateway.amend(IntentId(7), limit, quantity(count), &self.markets, self.now)
    }

    fn cancelled(&mut self, reduced_by: &str) -> Taken {
        let call = self.gateway.cancel(IntentId(7), &self.markets, self.now).unwrap();
        self.reply(&call, 200, &CANCELLED.replace("15.00", reduced_by))
    }

    /// News of the order on the private channel.
    fn shown(&mut self, yes: &str, initial: &str, filled: &str, resting: &str) -> Taken {
        let text = format!(
            r#"{{"type":"user_order","sid":4,"msg":{{"order_id":"{ID}","client_order_id":"{CLIENT}",
            "ticker":"{TICKER}","book_side":"ask","status":"resting","yes_price_dollars":"{yes}",
            "initial_count_fp":"{initial}","fill_count_fp":"{filled}",
            "remaining_count_fp":"{resting}","created_ts_ms":1795341600500}}}}"#
        );
        self.private(&text)
    }
}

fn remaining(count: &str) -> String {
    format!(r#"{{"order_id":"{ID}","client_order_id":"{CLIENT}","remaining_count":"{count}"}}"#)
}

fn amended(filled: &str, remaining: &str) -> String {
    format!(
        r#"{{"order_id":"{ID}","fill_count":"{filled}","remaining_count":"{remaining}","ts_ms":1}}"#
    )
}

#[test]
fn a_decrease_takes_a_part_back_and_tells_what_had_filled() {
    let (mut rig, _) = resting();
    let call = rig.decrease("10").unwrap();
    assert_eq!((call.method, call.class, call.cost), ("POST", Class::Order, 10));
    assert_eq!(path_and_query(&call), format!("/portfolio/events/orders/{ID}/decrease"));
    assert_eq!(call.subject, Subject::Decrease(IntentId(7), 1));
    assert_eq!(
        call.body.as_deref().unwrap(),
        format!(r#"{{"reduce_by":"10.00","exchange_index":0,"market_ticker":"{TICKER}"}}"#)
    );
    let taken = rig.reply(&call, 200, &remaining("12.00"));
    assert!(only(taken.calls.clone()).url.contains("/portfolio/fills"), "three had filled");
    assert_eq!(evidence(taken), standing("3", "1.77", Rest::Resting));
    // From now on it asks for fifteen: three that filled and twelve that are taken back.
    assert_eq!(evidence(rig.cancelled("12.00")), standing("3", "1.77", Rest::Nothing));
}

#[test]
fn a_decrease_that_leaves_nothing_leaves_open_how_much_filled() {
    let (mut rig, _) = resting();
    let call = rig.decrease("10").unwrap();
    let taken = rig.reply(&call, 200, &remaining("0.00"));
    assert_eq!(path_and_query(&only(taken.calls.clone())), "/exchange/user_data_timestamp");
    let Evidence::Standing { filled: None, rest: Rest::Nothing, .. } = evidence(taken) else {
        panic!("between fifteen and twenty-five filled")
    };
}

#[test]
fn an_amendment_gives_limit_and_total_on_the_scale_of_yes() {
    let (mut rig, _) = resting();
    let call = rig.amend("0.61", "40").unwrap();
    assert_eq!((call.method, call.class, call.cost), ("POST", Class::Order, 10));
    assert_eq!(path_and_query(&call), format!("/portfolio/events/orders/{ID}/amend"));
    let body = concat!(
        r#"{"ticker":"KXDEMO-26DEC31-T50","side":"ask","price":"0.3900","count":"40.00","#,
        r#""exchange_index":0}"#
    );
    assert_eq!(call.body.as_deref().unwrap(), body);
    let taken = rig.reply(&call, 200, &amended("5.00", "35.00"));
    assert!(only(taken.calls.clone()).url.contains("/portfolio/fills"));
    assert_eq!(evidence(taken), standing("5", "3.05", Rest::Resting), "at 0.61 at the worst");
    assert_eq!(evidence(rig.cancelled("30.00")), standing("10", "6.10", Rest::Nothing));
}

#[test]
fn later_evidence_is_compared_with_what_the_order_asks_for_now() {
    let (mut rig, _) = resting();
    let doubted = |taken: Taken| matches!(evidence(taken), Evidence::Unclear(_));
    assert!(doubted(rig.shown("0.3900", "40.00", "0.00", "40.00")), "nobody asked for that");
    let call = rig.amend("0.61", "40").unwrap();
    rig.reply(&call, 200, &amended("0.00", "40.00"));
    for (yes, initial, resting) in [
        ("0.3900", "40.00", "40.00"),
        // News that were overtaken, and a venue that leaves the first count as it was.
        ("0.4100", "25.00", "25.00"),
        ("0.3900", "25.00", "40.00"),
    ] {
        let said = evidence(rig.shown(yes, initial, "0.00", resting));
        assert_eq!(said, standing("0", "0", Rest::Resting), "{yes} {initial}");
    }
    assert!(doubted(rig.shown("0.4000", "40.00", "0.00", "40.00")), "a limit it never had");
    assert!(doubted(rig.shown("0.3900", "40.01", "0.00", "40.00")), "more than it asks for");
    assert!(doubted(rig.shown("0.3900", "40.00", "40.01", "0.00")));
    let fill = |yes: &str, count: &str| {
        format!(
            r#"{{"type":"fill","sid":4,"msg":{{"trade_id":"t{yes}","order_id":"{ID}",
            "market_ticker":"{TICKER}","book_side":"ask","yes_price_dollars":"{yes}",
            "count_fp":"{count}","fee_cost":"0.1","ts_ms":1795341600700}}}}"#
        )
    };
    let said = evidence(rig.private(&fill("0.3900", "30.00")));
    assert!(matches!(&said, Evidence::Fill(fill) if fill.money == money("18.30")), "{said:?}");
    assert!(doubted(rig.private(&fill("0.3800", "1.00"))), "worse than any limit it had");
}

#[test]
fn a_change_that_was_refused_is_no_part_of_the_order() {
    for (status, body) in [
        (400, r#"{"error":{"code":"invalid_price","message":"x"}}"#),
        (400, r#"{"error":{"code":"insufficient_balance","message":"x"}}"#),
        (401, r#"{"error":{"code":"authentication_error","message":"x"}}"#),
        (403, r#"{"error":{"code":"x","message":"y"}}"#),
        (429, r#"{"error":"too many requests"}"#),
    ] {
        let (mut rig, _) = resting();
        let call = rig.amend("0.61", "40").unwrap();
        let taken = rig.reply(&call, status, body);
        assert_eq!((taken.reports.len(), taken.calls.len()), (0, 0), "{status}");
        assert_eq!(taken.notices.len(), 1, "{status}");
        let said = evidence(rig.shown("0.3900", "40.00", "0.00", "40.00"));
        assert!(matches!(said, Evidence::Unclear(_)), "{status}: {said:?}");
        assert!(rig.decrease("10").is_ok(), "{status}: another one may follow");
    }
    let (mut rig, _) = resting();
    let call = rig.amend("0.61", "40").unwrap();
    let taken = rig.read(&call, &Answer::NotSent("no route"));
    assert_eq!((taken.reports.len(), taken.calls.len(), taken.notices.len()), (0, 0, 1));
    assert!(rig.amend("0.61", "40").is_ok());
}

#[test]
fn a_change_whose_order_is_not_found_leads_to_a_question() {
    for amends in [false, true] {
        let (mut rig, _) = resting();
        let call = if amends { rig.amend("0.61", "40") } else { rig.decrease("1") }.unwrap();
        let body = r#"{"error":{"code":"not_found","message":"not_found"}}"#;
        let taken = rig.reply(&call, 404, body);
        assert_eq!(path_and_query(&only(taken.calls.clone())), "/exchange/user_data_timestamp");
        assert_eq!(evidence(taken), Evidence::NotCancelled("not_found".to_owned()));
    }
}

#[test]
fn an_answer_that_is_no_proof_leaves_the_change_open() {
    let other = amended("0.00", "40.00").replace(ID, "other");
    let theirs = remaining("12.00").replace(CLIENT, "theirs");
    let reply = |status, body| Answer::Reply { status, retry_after: None, headers: &[], body };
    let (over, too_much) = (amended("0.00", "40.01"), remaining("15.01"));
    for (amends, answer) in [
        (true, reply(200, &other)),
        (true, reply(200, &over)),
        (true, reply(200, "[")),
        (true, reply(500, "")),
        (true, Answer::Lost("cut")),
        (false, reply(200, &theirs)),
        (false, reply(200, &too_much)),
        (false, reply(200, r#"{"order_id":""}"#)),
        (false, reply(503, "<html>")),
        (false, Answer::Lost("cut")),
    ] {
        let (mut rig, _) = resting();
        let call = if amends { rig.amend("0.61", "40") } else { rig.decrease("10") }.unwrap();
        let taken = rig.read(&call, &answer);
        assert!(taken.reports.is_empty(), "{answer:?}: {:?}", taken.reports);
        assert_eq!((taken.notices.len(), taken.calls.len()), (1, 1), "{answer:?}");
        // Nobody knows how much it asks for, so that a cancel does not tell what filled.
        assert!(rig.decrease("1").is_err() && rig.amend("0.60", "30").is_err(), "{answer:?}");
        rig.now = rig.now.after(Duration::from_secs(11));
        let taken = rig.cancelled("15.00");
        assert_eq!(taken.calls.len(), 1, "{answer:?}: it is asked for");
        let said = evidence(taken);
        let is_open = matches!(said, Evidence::Standing { filled: None, rest: Rest::Nothing, .. });
        assert!(is_open, "{answer:?}: {said:?}");
    }
}

#[test]
fn a_change_without_an_answer_is_known_once_the_order_shows_it() {
    let (mut rig, _) = resting();
    let call = rig.decrease("10").unwrap();
    rig.read(&call, &Answer::Lost("cut"));
    rig.shown("0.4100", "25.00", "2.00", "23.00");
    assert!(rig.decrease("1").is_err(), "the reading may be older than the change");
    rig.shown("0.4100", "25.00", "2.00", "13.00");
    assert!(rig.decrease("1").is_ok());
    let (mut rig, _) = resting();
    let call = rig.amend("0.61", "25").unwrap();
    rig.read(&call, &Answer::Lost("cut"));
    rig.shown("0.3900", "25.00", "0.00", "25.00");
    assert_eq!(evidence(rig.cancelled("20.00")), standing("5", "3.05", Rest::Nothing));
}

#[test]
fn an_answer_that_comes_after_the_order_has_shown_the_change_is_its_own() {
    let (mut rig, _) = resting();
    let first = rig.decrease("10").unwrap();
    rig.shown("0.4100", "25.00", "0.00", "15.00");
    let second = rig.amend("0.61", "15").unwrap();
    let taken = rig.reply(&first, 200, &remaining("15.00"));
    assert_eq!(evidence(taken), standing("0", "0", Rest::Resting));
    assert!(rig.decrease("1").is_err(), "the second one is still open");
    // A refusal of what has been made takes nothing back.
    rig.reply(&first, 400, r#"{"error":{"code":"invalid_order","message":"x"}}"#);
    assert!(rig.decrease("1").is_err());
    rig.reply(&second, 200, &amended("0.00", "15.00"));
    assert!(rig.decrease("1").is_ok());
}

#[test]
fn an_amendment_whose_counts_leave_doubt_is_asked_about() {
    for (body, rest) in [
        // What filled before may not be counted, or the rest ended on an order of ours.
        (amended("5.00", "30.00"), Some(Rest::Resting)),
        (amended("5.00", "0.00"), Some(Rest::Nothing)),
        (format!(r#"{{"order_id":"{ID}"}}"#), None),
        (format!(r#"{{"order_id":"{ID}","remaining_count":"40.00"}}"#), None),
    ] {
        let (mut rig, _) = resting();
        let call = rig.amend("0.61", "40").unwrap();
        let taken = rig.reply(&call, 200, &body);
        assert_eq!(path_and_query(&only(taken.calls.clone())), "/exchange/user_data_timestamp");
        match rest {
            None => assert!(taken.reports.is_empty(), "{body}"),
            Some(wanted) => {
                let said = evidence(taken);
                let Evidence::Standing { filled: None, rest, .. } = said else {
                    panic!("{said:?}")
                };
                assert_eq!(rest, wanted, "{body}");
            }
        }
        assert!(rig.decrease("1").is_ok(), "{body}: it was amended for sure");
    }
}

#[test]
fn what_the_venue_would_refuse_is_not_sent() {
    let why = |call: Result<Call, Error>| call.unwrap_err().to_string();
    let (mut rig, order) = resting();
    assert!(why(rig.decrease("0")).contains("nothing would be left"));
    assert!(why(rig.decrease("25")).contains("nothing would be left"));
    assert!(why(rig.decrease("0.005")).contains("lots"));
    assert!(why(rig.amend("0.5950", "25")).contains("grid"));
    assert!(why(rig.amend("0.59", "25")).contains("change nothing"));
    assert!(why(rig.amend("0.59", "0")).contains("filled"));
    let mut fresh = Rig::new();
    assert!(why(fresh.decrease("1")).contains("not known"));
    fresh.place(&order);
    assert!(why(fresh.decrease("1")).contains("id at the venue"));
    let mut taking = Rig::new();
    taking.gateway.recall(&buy_no(), &OrderId(ID.to_owned()));
    assert!(why(taking.amend("0.61", "25")).contains("does not rest"));
}

#[test]
fn an_order_that_was_amended_in_an_earlier_run_is_recalled_with_all_that_it_asked_for() {
    let (mut rig, order) = resting();
    let amended = Order {
        limit: Price::parse("0.61").unwrap(),
        size: Size::Contracts(quantity("40")),
        ..order.clone()
    };
    rig.gateway.recall(&amended, &OrderId(ID.to_owned()));
    rig.gateway.recall(&order, &OrderId(ID.to_owned()));
    let said = evidence(rig.shown("0.3900", "40.00", "10.00", "30.00"));
    assert_eq!(said, standing("10", "6.10", Rest::Resting));
    assert_eq!(evidence(rig.cancelled("25.00")), standing("15", "9.15", Rest::Nothing));
}
