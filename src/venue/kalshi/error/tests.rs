use super::*;

#[test]
fn every_documented_code_of_the_socket_has_its_remedy() {
    for code in 1..=28 {
        let wanted = match code {
            9 => Remedy::Reconnect,
            10 | 25 => Remedy::Resubscribe,
            _ => Remedy::Nothing,
        };
        assert_eq!(remedy(code), wanted, "{code}");
    }
    assert_eq!(remedy(-1), Remedy::Nothing);
    assert_eq!(remedy(4_000), Remedy::Nothing);
}

#[test]
fn all_four_shapes_of_an_error_body_are_read() {
    let nested = concat!(
        r#"{"error":{"code":"authentication_error","message":"authentication_error","#,
        r#""details":"INCORRECT_API_KEY_SIGNATURE"}}"#
    );
    assert_eq!(
        read_body(nested),
        Told {
            code: "authentication_error".to_owned(),
            text: "authentication_error: INCORRECT_API_KEY_SIGNATURE".to_owned()
        }
    );
    let flat = r#"{"code":"bad_request","message":"invalid body","service":"x"}"#;
    assert_eq!(read_body(flat).text, "bad_request: invalid body");
    assert_eq!(
        read_body(r#"{"msg":"Parameter validation failed"}"#).text,
        "Parameter validation failed"
    );
    assert_eq!(read_body(r#"{"error":"too many requests"}"#).text, "too many requests");
}

#[test]
fn foreign_text_is_tamed() {
    assert_eq!(read_body("<html><body>blocked").text, "a web page instead of an answer");
    assert_eq!(read_body("oops\u{1b}[31m\r\nred").text, "oops [31m  red");
    assert_eq!(read_body(&"x".repeat(5_000)).text.len(), crate::venue::kalshi::parse::TEXT_MAX);
    assert_eq!(read_body("").text, "");
    assert_eq!(read_body(r#"{"error":{"code":7}}"#).text, r#"{"error":{"code":7}}"#);
}

#[test]
fn each_status_carries_its_decision() {
    let of = |status| {
        of_answer(status, r#"{"error":{"code":"c","message":"m"}}"#, "get_market", "A", None)
    };
    assert!(of(200).is_none());
    assert!(matches!(of(400), Some(Error::Refused { status: 400, .. })));
    assert!(matches!(of(401), Some(Error::Unauthorised { .. })));
    assert!(matches!(of(403), Some(Error::Refused { status: 403, .. })));
    assert!(matches!(of(404), Some(Error::NoSuchMarket { .. })));
    assert!(matches!(of(409), Some(Error::Refused { status: 409, .. })));
    assert!(matches!(of(410), Some(Error::Refused { status: 410, .. })));
    assert!(matches!(of(429), Some(Error::Limited { .. })));
    for status in [500, 502, 503, 504] {
        let error = of(status).unwrap();
        assert!(matches!(error, Error::Unavailable { .. }), "{status}");
        assert!(error.is_passing());
    }
    assert!(matches!(of(302), Some(Error::Refused { .. })), "redirects are not followed");
    let nowhere = of_answer(404, "", "get_markets", "", None);
    assert!(matches!(nowhere, Some(Error::Refused { status: 404, .. })));
}

#[test]
fn a_refused_handshake_says_what_to_check() {
    let text = r#"{"error":{"code":"header_timestamp_expired","message":"expired"}}"#.to_owned();
    let words = why_closed(&Closed::Refused { status: 401, text });
    assert!(words.contains("key") && words.contains("clock") && words.contains("expired"));
    assert!(why_closed(&Closed::Unreachable("no route".to_owned())).contains("no route"));
}
