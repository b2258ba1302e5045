//! What answers say of the order routes.

use super::*;
use crate::domain::report::Route;

const GONE: &str = r#"{"canceled":[],"not_canceled":{"0x00":"already canceled or matched"}}"#;
const RESTARTS: &str = r#"{"error":"matching engine is restarting, please try again later"}"#;
const POST_ONLY: &str =
    r#"{"error":"post-only mode","code":"post_only_mode","retry_after_seconds":79}"#;

/// A gateway that is asked and answered as time goes by.
struct Rig {
    gateway: Gateway,
    now: Timestamp,
}

impl Rig {
    fn new() -> Self {
        Self { gateway: gateway(Wallet::Eoa, Chain::Polygon), now: now() }
    }

    fn pass(&mut self, secs: u64) {
        self.now = self.now.after(Duration::from_secs(secs));
    }

    fn probe(&mut self) -> Call {
        let mut taken = Taken::default();
        self.gateway.probe(self.now, &mut taken);
        assert_eq!((taken.calls.len(), taken.route), (1, None));
        taken.calls.remove(0)
    }

    fn order(&mut self) -> (String, Call) {
        let order = Order { at: self.now, ..taking() };
        let (id, call) = self.gateway.place(&order, &table(), self.now).unwrap();
        (id.0, call)
    }

    fn read(&mut self, call: &Call, answer: &Answer<'_>) -> Taken {
        let mut taken = Taken::default();
        self.gateway.read(call, answer, &table(), self.now, &mut taken);
        taken
    }

    /// Asks now and hears this at once.
    fn asked(&mut self, status: u16, body: &str) -> Option<Route> {
        let call = self.probe();
        self.read(&call, &reply(status, body)).route
    }

    /// An order that is sent now and answered at once.
    fn ordered(&mut self, status: u16, body: &str) -> Option<Route> {
        let (id, call) = self.order();
        let body = body.replace("{id}", &id);
        self.read(&call, &reply(status, &body)).route
    }
}

const TAKEN: &str = r#"{"success":true,"errorMsg":"","orderID":"{id}","status":"matched",
    "makingAmount":"13","takingAmount":"25","tradeIDs":["a"],"transactionsHashes":[]}"#;

#[test]
fn they_are_asked_by_a_cancel_of_an_order_that_nobody_placed() {
    let mut rig = Rig::new();
    let call = rig.probe();
    assert_eq!((call.method, call.url.as_str()), ("DELETE", "http://clob/order"));
    assert_eq!((call.class, call.cost), (Class::Cancel, 1));
    let body: Value = serde_json::from_str(call.body.as_deref().unwrap()).unwrap();
    assert_eq!(body, json!({ "orderID": format!("0x{}", "0".repeat(64)) }));
    assert!(call.headers.iter().any(|(name, _)| *name == "POLY_SIGNATURE"));
    let asked = rig.now;
    rig.pass(1);
    let taken = rig.read(&call, &reply(200, GONE));
    assert_eq!(taken.route, Some(Route::Answered(asked)), "as they were when they were asked");
    assert!(taken.reports.is_empty() && taken.notices.is_empty() && taken.calls.is_empty());
}

#[test]
fn only_what_says_something_of_them_opens_or_closes_them() {
    let answered = Some(Route::Answered(now()));
    let page = "<html><title>502</title></html>";
    let off = r#"{"error":"Trading is currently disabled. Check polymarket.com for updates"}"#;
    for (status, body, said) in [
        (200, GONE, answered),
        (404, r#"{"error":"order not found"}"#, answered),
        (400, r#"{"error":"Invalid orderID"}"#, answered),
        (425, RESTARTS, Some(Route::Closed)),
        (425, "", Some(Route::Closed)),
        (503, POST_ONLY, Some(Route::Closed)),
        (503, off, Some(Route::Closed)),
        (200, page, None),
        (404, page, None),
        (401, r#"{"error":"Invalid api key"}"#, None),
        (429, r#"{"error":"Too Many Requests"}"#, None),
        (500, r#"{"error":"Internal Server Error"}"#, None),
        (502, page, None),
        (503, page, None),
    ] {
        assert_eq!(Rig::new().asked(status, body), said, "{status} {body}");
    }
    let mut rig = Rig::new();
    let call = rig.probe();
    for answer in [Answer::Lost("no answer in time"), Answer::NotSent("cannot connect")] {
        assert_eq!(rig.read(&call, &answer).route, None);
    }
}

#[test]
fn answers_to_orders_and_cancels_count_as_those_to_questions_do() {
    let answered = Some(Route::Answered(now()));
    let killed = r#"{"error":"no orders found to match with FAK order. FAK orders are killed"}"#;
    for (status, body, said) in [
        (200, TAKEN, answered),
        (400, killed, answered),
        (400, r#"{"error":"not enough balance / allowance"}"#, None),
        (400, r#"{"error":"the market is not yet ready to process new orders"}"#, None),
        (425, RESTARTS, Some(Route::Closed)),
        (503, POST_ONLY, Some(Route::Closed)),
        (502, "", None),
    ] {
        assert_eq!(Rig::new().ordered(status, body), said, "{status} {body}");
    }
    let mut rig = Rig::new();
    let (id, _) = rig.order();
    let cancel = rig.gateway.cancel(taking().intent, &table(), rig.now).unwrap();
    let body = json!({ "canceled": [id], "not_canceled": {} }).to_string();
    assert_eq!(rig.read(&cancel, &reply(200, &body)).route, answered);
    rig.pass(1);
    assert_eq!(rig.read(&cancel, &reply(425, RESTARTS)).route, Some(Route::Closed));
    // What is only read says nothing of the routes that take.
    let question =
        rig.gateway.ask(&Question::Orders(Timestamp::ZERO), &table(), rig.now).unwrap().remove(0);
    assert_eq!(rig.read(&question, &reply(425, RESTARTS)).route, None);
}

#[test]
fn one_order_of_a_batch_that_was_refused_for_the_mode_closes_them() {
    for (other, said) in [
        (r#"{"success":true,"errorMsg":"","orderID":"{id}","status":"live"}"#, false),
        (
            r#"{"success":false,"errorMsg":"post-only mode: only post-only orders","orderID":""}"#,
            true,
        ),
    ] {
        let mut rig = Rig::new();
        let orders = [taking(), Order { intent: IntentId(9), ..taking() }];
        let placing = rig.gateway.place_many(&orders, &table(), rig.now);
        let ids: Vec<String> = placing.ids.into_iter().map(|id| id.unwrap().0).collect();
        let body =
            format!("[{},{}]", TAKEN.replace("{id}", &ids[0]), other.replace("{id}", &ids[1]));
        let route = rig.read(&placing.calls[0], &reply(200, &body)).route;
        let wanted = if said { Route::Closed } else { Route::Answered(now()) };
        assert_eq!(route, Some(wanted), "{other}");
    }
}

#[test]
fn a_cancel_that_is_answered_after_a_restart_opens_nothing_while_orders_are_refused() {
    let mut rig = Rig::new();
    assert_eq!(rig.asked(425, RESTARTS), Some(Route::Closed));
    rig.pass(2);
    assert_eq!(rig.asked(200, GONE), None, "cancels are taken before orders are");
    // It may have begun to take them only with its first answer.
    rig.pass(119);
    assert_eq!(rig.asked(200, GONE), None);
    rig.pass(1);
    assert_eq!(rig.asked(200, GONE), Some(Route::Answered(rig.now)));
    // Where they tell how long it lasts, that holds.
    rig.pass(10);
    assert_eq!(rig.ordered(503, POST_ONLY), Some(Route::Closed));
    rig.pass(78);
    assert_eq!(rig.asked(200, GONE), None);
    rig.pass(1);
    assert_eq!(rig.asked(200, GONE), Some(Route::Answered(rig.now)));
}

#[test]
fn an_order_that_was_sent_since_and_taken_opens_them_and_no_earlier_one_does() {
    let mut rig = Rig::new();
    let (id, early) = rig.order();
    rig.pass(1);
    assert_eq!(rig.asked(425, RESTARTS), Some(Route::Closed));
    let body = TAKEN.replace("{id}", &id);
    assert_eq!(rig.read(&early, &reply(200, &body)).route, None);
    rig.pass(2);
    assert_eq!(rig.asked(200, GONE), None);
    assert_eq!(rig.ordered(200, TAKEN), Some(Route::Answered(rig.now)));
    rig.pass(1);
    assert_eq!(rig.asked(200, GONE), Some(Route::Answered(rig.now)));
}

#[test]
fn what_changes_nothing_is_told_now_and_then() {
    let mut rig = Rig::new();
    assert!(rig.asked(200, GONE).is_some());
    rig.now = rig.now.after(Duration::from_millis(499));
    assert_eq!(rig.asked(200, GONE), None);
    rig.now = rig.now.after(Duration::from_millis(1));
    assert!(rig.asked(200, GONE).is_some());
}
