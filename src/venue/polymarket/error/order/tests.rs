use super::*;

fn judged(status: u16, retry_after: Option<u64>, body: &str) -> Verdict {
    let retry_after = retry_after.map(Duration::from_secs);
    judge(&Answered { status, retry_after, body })
}

fn kind(verdict: &Verdict) -> Option<Refused> {
    match verdict {
        Verdict::Refused(refusal) => Some(refusal.kind),
        Verdict::Unclear(_) => None,
    }
}

fn error(text: &str) -> String {
    serde_json::json!({ "error": text }).to_string()
}

#[test]
fn every_text_of_the_table_has_its_meaning() {
    for (text, expected) in [
        ("order_version_mismatch", Refused::Outdated),
        ("invalid signature", Refused::Malformed),
        ("invalid nonce", Refused::Malformed),
        ("invalid expiration", Refused::Malformed),
        ("Too many orders in payload: 20, max allowed: 15", Refused::Malformed),
        ("not enough balance / allowance: the balance is not enough", Refused::Funds),
        ("not enough balance / allowance: … the sum of matched orders: 5", Refused::Funds),
        ("invalid post-only order: order crosses book", Refused::Other),
        (
            "order couldn't be fully filled. FOK orders are fully filled or killed.",
            Refused::NoMatch,
        ),
        (
            "no orders found to match with FAK order. FAK orders are partially filled or killed \
             if no match is found.",
            Refused::NoMatch,
        ),
        (
            "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 \
             decimals, taker amount a max of 4 decimals",
            Refused::Size,
        ),
        ("invalid amount for a marketable BUY order ($0.5), min size: $1", Refused::Size),
        ("order 0x1 is invalid. Size (1) lower than the minimum: 5", Refused::Size),
        (
            "order 0x1 is invalid. Price (0.98039) breaks minimum tick size rule: 0.001",
            Refused::Price,
        ),
        ("the market is not yet ready to process new orders", Refused::Paused),
        ("maker address not allowed, please use the deposit wallet flow", Refused::Restricted),
        ("address in closed only mode", Refused::Restricted),
        ("'0xf39F' address banned", Refused::Restricted),
        ("the order owner has to be the owner of the API KEY", Refused::Credentials),
        ("the order signer address has to be the address of the API KEY", Refused::Credentials),
        ("Invalid API key", Refused::Credentials),
    ] {
        let verdict = judged(400, None, &error(text));
        assert_eq!(kind(&verdict), Some(expected), "{text}");
        // The venue also says such things with `success` set.
        let body = serde_json::json!({ "success": true, "errorMsg": text, "orderID": "" });
        assert_eq!(kind(&judged(200, None, &body.to_string())), Some(expected), "{text}");
        // With a 5xx nothing is certain.
        for status in [500, 502, 504] {
            assert_eq!(kind(&judged(status, None, &error(text))), None, "{status} {text}");
        }
    }
}

#[test]
fn each_status_that_speaks_for_itself_is_definite() {
    let page = "<html><title>Attention Required! | Cloudflare</title>";
    let after = |seconds| Some(Refused::Again(Duration::from_secs(seconds)));
    for (status, retry, body, expected) in [
        (401, None, "{\"error\":\"Unauthorized\"}", Some(Refused::Credentials)),
        (401, None, page, Some(Refused::Credentials)),
        (425, None, "", after(1)),
        (425, Some(8), "Too Early", after(8)),
        (429, Some(3), "{\"error\":\"Too Many Requests\"}", Some(Refused::Paused)),
        (429, None, "{\"error\":\"Too Many Requests\"}", None),
        (403, None, "{\"error\":\"Trading restricted in your region\"}", Some(Refused::Restricted)),
        (403, None, page, None),
        (403, None, "{\"error\":\"forbidden\"}", None),
        (503, None, "{\"error\":\"Trading is currently disabled\"}", Some(Refused::Paused)),
        (503, None, "{\"error\":\"Trading is currently cancel-only.\"}", Some(Refused::Paused)),
        (503, None, "{\"error\":\"upstream\"}", None),
        (503, None, page, None),
        (500, None, "{\"error\":\"could not insert order\"}", None),
        (520, None, page, None),
        (301, None, "", None),
        (200, None, "{\"success\":tr", None),
        (200, None, "[]", None),
        (400, None, "invalid amounts", None),
        (404, None, "{}", None),
    ] {
        assert_eq!(kind(&judged(status, retry, body)), expected, "{status} {body}");
    }
}

#[test]
fn post_only_says_for_how_long() {
    let body = r#"{"error":"post-only mode: only post-only orders and cancels are allowed",
        "code":"post_only_mode","retry_after_seconds":79}"#;
    let Verdict::Refused(refusal) = judged(503, Some(5), body) else { panic!("refused") };
    assert_eq!(refusal.kind, Refused::PostOnly(Duration::from_secs(79)));
    assert_eq!(refusal.code, "post_only_mode");
    let short = r#"{"error":"post-only mode"}"#;
    let told = kind(&judged(503, Some(5), short));
    assert_eq!(told, Some(Refused::PostOnly(Duration::from_secs(5))));
    assert_eq!(kind(&judged(503, None, short)), Some(Refused::PostOnly(POST_ONLY_LASTS)));
}

#[test]
fn a_duplicate_says_that_the_order_is_there() {
    let body = r#"{"error":"order 0xc32d is invalid. Duplicated.","orderID":"0xc32d"}"#;
    assert_eq!(kind(&judged(400, None, body)), None);
}

#[test]
fn an_order_that_comes_back_with_its_id_was_killed_only_if_the_text_says_so() {
    let strange = r#"{"error":"killed","orderID":"0xC32D"}"#;
    assert_eq!(kind(&judged(400, None, strange)), None);
    let killed = r#"{"error":"FOK orders are fully filled or killed.","orderID":"0xc32d"}"#;
    assert_eq!(kind(&judged(400, None, killed)), Some(Refused::NoMatch));
}

#[test]
fn what_nobody_has_seen_yet_is_unclear() {
    for status in (100..600).filter(|status| ![401, 425].contains(status)) {
        let verdict = judged(status, None, &error("a new kind of trouble"));
        assert_eq!(kind(&verdict), None, "{status}");
    }
}

#[test]
fn a_refusal_shows_no_control_characters() {
    let Verdict::Refused(refusal) = judged(401, None, &error("no\u{1b}[31m\nway")) else {
        panic!("refused")
    };
    assert!(!refusal.text.chars().any(char::is_control), "{}", refusal.text);
}
