use super::*;

fn nested(code: &str, details: &str) -> String {
    format!(r#"{{"error":{{"code":"{code}","message":"{code}","details":"{details}"}}}}"#)
}

fn kind(status: u16, body: &str) -> Option<Refused> {
    match verdict(status, body, 1) {
        Verdict::Refused(refusal) => Some(refusal.kind),
        Verdict::Exists(_) | Verdict::Unclear(_) => None,
    }
}

#[test]
fn every_row_of_the_venues_table_has_its_decision() {
    for (status, code, details, wanted) in [
        (400, "bad_request", "", Refused::Malformed),
        (400, "invalid_order", "", Refused::Other),
        (400, "invalid_order", "post only cross", Refused::Paused),
        (400, "invalid_price", "", Refused::Price),
        (400, "insufficient_balance", "", Refused::Funds),
        (401, "authentication_error", "INCORRECT_API_KEY_SIGNATURE", Refused::Credentials),
        (401, "authentication_error", "NOT_FOUND", Refused::Credentials),
        (401, "header_timestamp_expired", "", Refused::Credentials),
        (401, "signature_is_missing_from_headers", "", Refused::Credentials),
        (401, "anything", "", Refused::Credentials),
        (403, "forbidden", "region", Refused::Restricted),
        (404, "user_not_found", "", Refused::Funds),
        (404, "market_not_found", "", Refused::Other),
        (404, "not_found", "", Refused::Other),
        (409, "fill_or_kill_insufficient_resting_volume", "", Refused::NoMatch),
        (409, "immediate_or_cancel_insufficient_resting_volume", "", Refused::NoMatch),
        (409, "something_new", "", Refused::Other),
        (410, "deprecated_v1_order_endpoint", "", Refused::Malformed),
        (410, "anything", "", Refused::Malformed),
        (400, "something_new", "", Refused::Other),
        (418, "teapot", "", Refused::Other),
        (400, "MARKET_INACTIVE", "", Refused::Paused),
        (400, "market_inactive", "", Refused::Paused),
        (409, "invalid_order", "Trading Paused", Refused::Paused),
        (403, "EXCHANGE_PAUSED", "", Refused::Paused),
    ] {
        assert_eq!(kind(status, &nested(code, details)), Some(wanted), "{status} {code} {details}");
    }
}

#[test]
fn an_order_that_exists_is_not_refused() {
    let body = nested("order_already_exists", "");
    assert!(matches!(verdict(409, &body, 1), Verdict::Exists(_)));
}

#[test]
fn what_may_have_arrived_is_unclear_whatever_the_body_says() {
    for status in [500, 502, 503, 504, 599, 408, 425, 302, 100] {
        for body in [nested("invalid_price", ""), "<html>".to_owned(), String::new()] {
            let found = verdict(status, &body, 1);
            assert!(matches!(found, Verdict::Unclear(_)), "{status} {body}");
        }
    }
    for status in [400, 403, 404, 503] {
        let body = nested("EXCHANGE_UNAVAILABLE", "");
        assert!(matches!(verdict(status, &body, 1), Verdict::Unclear(_)), "{status}");
    }
}

#[test]
fn a_body_that_the_exchange_did_not_write_proves_nothing() {
    for status in [400, 401, 403, 404, 409, 410] {
        for body in
            ["<html><body>blocked", "", "{}", "[]", "null", r#"{"error":{"code":7}}"#, r#"{"err"#]
        {
            let found = verdict(status, body, 1);
            assert!(matches!(found, Verdict::Unclear(_)), "{status} {body}");
        }
    }
}

#[test]
fn all_four_shapes_of_a_body_are_evidence() {
    assert_eq!(kind(400, &nested("invalid_price", "")), Some(Refused::Price));
    assert_eq!(kind(400, r#"{"code":"bad_request","message":"x"}"#), Some(Refused::Malformed));
    let validation = r#"{"msg":"Parameter validation failed: limit"}"#;
    assert_eq!(kind(400, validation), Some(Refused::Malformed));
    assert!(matches!(kind(429, r#"{"error":"too many requests"}"#), Some(Refused::Again(_))));
}

#[test]
fn who_is_limited_waits_a_spread_and_repeatable_time() {
    let mut waits = std::collections::BTreeSet::new();
    for seed in 0..50 {
        for body in [r#"{"error":"too many requests"}"#, &nested("too_many_requests", ""), "<html>"]
        {
            let Some(Refused::Again(wait)) = kind(429, body) else { panic!("{body}") };
            assert!(wait >= AGAIN_AFTER.0 && wait <= AGAIN_AFTER.1);
        }
        assert_eq!(verdict(429, "", seed), verdict(429, "", seed));
        let Verdict::Refused(refusal) = verdict(429, "", seed) else { panic!("{seed}") };
        let Refused::Again(wait) = refusal.kind else { panic!("{seed}") };
        assert!(wait >= AGAIN_AFTER.0 && wait <= AGAIN_AFTER.1, "{wait:?}");
        waits.insert(wait);
    }
    assert!(waits.len() > 25, "the waits are spread");
}

#[test]
fn in_a_batch_only_a_known_code_refuses() {
    let told = |code: &str| Told { code: code.to_owned(), text: code.to_owned() };
    let refused = |code| match verdict_in_batch(&told(code), 1) {
        Verdict::Refused(refusal) => Some(refusal.kind),
        Verdict::Exists(_) | Verdict::Unclear(_) => None,
    };
    assert_eq!(refused("insufficient_balance"), Some(Refused::Funds));
    assert!(matches!(refused("too_many_requests"), Some(Refused::Again(_))));
    assert_eq!(refused("something_new"), None);
    assert_eq!(refused("exchange_unavailable"), None);
}
