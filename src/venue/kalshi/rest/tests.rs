use std::cell::Cell;
use std::collections::VecDeque;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::domain::market::Status;

const T: &str = "KXDEMO-26DEC31-T50";

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/data/kalshi/", $name, ".json"))
    };
}

thread_local! {
    /// The clock of a test: it moves when the client waits.
    static CLOCK: Cell<i64> = const { Cell::new(0) };
}

fn clock() -> i64 {
    CLOCK.get()
}

/// Answers in the order of the script, and notes what was asked.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Result<Answer, Failure>>>,
    calls: Mutex<Vec<Call>>,
    pauses: Mutex<Vec<Duration>>,
}

impl Transport for Script {
    async fn send(&self, call: Call) -> Result<Answer, Failure> {
        self.calls.lock().unwrap().push(call);
        self.answers.lock().unwrap().pop_front().expect("one more question than answers")
    }

    async fn pause(&self, span: Duration) {
        self.pauses.lock().unwrap().push(span);
        CLOCK.set(CLOCK.get() + i64::try_from(span.as_nanos()).unwrap());
    }
}

fn answer(status: u16, body: &str) -> Result<Answer, Failure> {
    Ok(Answer { status, body: body.to_owned(), retry_after: None, date: None, headers: Vec::new() })
}

fn client(answers: Vec<Result<Answer, Failure>>) -> Client<Script> {
    CLOCK.set(Timestamp::parse("2026-11-22T10:00:00Z").unwrap().nanos());
    let script = Script { answers: Mutex::new(answers.into()), ..Script::default() };
    let mut settings = Settings::new("https://host.invalid/trade-api/v2/".to_owned());
    settings.now = clock;
    Client::over(script, settings, None)
}

/// Nothing here ever waits for the world: one poll is the whole run.
fn run<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a scripted answer is always ready"),
    }
}

impl Client<Script> {
    fn urls(&self) -> Vec<String> {
        let calls = self.transport.calls.lock().unwrap();
        calls.iter().map(|call| call.url.replace("https://host.invalid/trade-api/v2", "")).collect()
    }

    fn pauses(&self) -> Vec<Duration> {
        self.transport.pauses.lock().unwrap().clone()
    }
}

fn signer() -> Signer {
    let der = "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
    Signer::from_pem("2f1f3bb0-0000-4000-8000-000000000001", &pem).unwrap()
}

#[test]
fn all_pages_of_a_listing_are_read() {
    let client = client(vec![
        answer(200, fixture!("http_markets_page1")),
        answer(200, fixture!("http_markets_page2")),
    ]);
    let filter = MarketsFilter {
        series_ticker: Some("KX DEMO".to_owned()),
        status: Some(StatusFilter::Open),
        ..MarketsFilter::default()
    };
    let markets = run(client.get_markets(&filter)).unwrap();
    assert_eq!(markets.len(), 2);
    let first = "/markets?limit=1000&mve_filter=exclude&series_ticker=KX%20DEMO&status=open";
    assert_eq!(client.urls(), [first.to_owned(), format!("{first}&cursor=CgYI")]);
    assert_eq!(client.pauses(), [Duration::from_secs(1)], "one request a second without a key");
}

#[test]
fn a_cursor_that_comes_twice_ends_the_listing_with_an_error() {
    let page = || answer(200, fixture!("http_markets_page1"));
    let client = client(vec![page(), page(), page()]);
    let error = run(client.get_markets(&MarketsFilter::default())).unwrap_err();
    assert!(error.to_string().contains("cursor"), "{error}");
    assert_eq!(client.urls().len(), 2);
}

#[test]
fn a_limited_read_waits_longer_each_time_and_gives_up() {
    let busy = || answer(429, r#"{"error":"too many requests"}"#);
    let again = client(vec![busy(), busy(), answer(200, fixture!("http_exchange_status"))]);
    let status = run(again.get_exchange_status()).unwrap();
    assert!(status.exchange_active && !status.trading_active);
    assert!(again.pauses().len() >= 2);

    let never = client((0..9).map(|_| busy()).collect());
    let error = run(never.get_exchange_status()).unwrap_err();
    assert!(matches!(error, Error::Limited { .. }));
    assert_eq!(never.urls().len(), 5, "a bounded number of tries");
}

#[test]
fn a_refusal_is_not_asked_again_and_silence_is() {
    let refused = client(vec![answer(403, r#"{"error":{"code":"forbidden","message":"scope"}}"#)]);
    let error = run(refused.get_api_keys()).unwrap_err();
    assert!(matches!(error, Error::Refused { status: 403, .. }));

    let silent = Err(Failure::Timeout(Duration::from_secs(10)));
    let back = client(vec![
        silent,
        answer(502, "<html>bad gateway"),
        answer(200, fixture!("http_orderbook")),
    ]);
    assert_eq!(run(back.get_orderbook(T)).unwrap().len(), 4);
    assert_eq!(back.urls()[0], format!("/markets/{T}/orderbook?depth=0"));
}

#[test]
fn requests_are_signed_for_the_path_that_is_sent() {
    let script = Script {
        answers: Mutex::new([answer(200, r#"{"orderbooks":[]}"#)].into()),
        ..Script::default()
    };
    CLOCK.set(1_700_000_000_000_000_000);
    let mut settings = Settings::new("https://host.invalid/trade-api/v2".to_owned());
    settings.now = clock;
    let client = Client::over(script, settings, Some(signer()));
    run(client.get_orderbooks(&["A", "B"])).unwrap();
    assert_eq!(client.urls(), ["/markets/orderbooks?tickers=A&tickers=B"]);
    let expected = signer()
        .headers("GET", "/trade-api/v2/markets/orderbooks", Timestamp::from_nanos(clock()))
        .unwrap();
    assert_eq!(client.transport.calls.lock().unwrap()[0].headers, expected.to_vec());
}

#[test]
fn the_account_says_what_the_budget_is_and_what_the_key_may_do() {
    let answers = [
        answer(200, &fixture!("http_account_limits").replace("200", "20")),
        answer(200, fixture!("http_api_keys")),
        answer(200, &fixture!("http_api_keys").replace("\"read\"]", "\"read\",\"write\"]")),
        answer(200, r#"{"api_keys":[]}"#),
    ];
    let script = Script { answers: Mutex::new(answers.into()), ..Script::default() };
    let mut settings = Settings::new("https://host.invalid/trade-api/v2".to_owned());
    settings.now = clock;
    let client = Client::over(script, settings, Some(signer()));
    assert_eq!(run(client.get_account_limits()).unwrap().read.refill_rate, 20);
    assert_eq!(run(client.key_scope()).unwrap(), KeyScope::ReadOnly);
    assert_eq!(run(client.key_scope()).unwrap(), KeyScope::CanTrade);
    assert_eq!(client.pauses(), [], "20 tokens are two requests");
    assert_eq!(run(client.key_scope()).unwrap(), KeyScope::Unknown);
    assert_eq!(client.pauses(), [Duration::from_millis(500)], "and the third waits");
}

#[test]
fn what_the_account_says_of_its_budget_fills_nothing_up() {
    let mut answers = vec![answer(200, fixture!("http_api_keys")); 19];
    answers.push(answer(200, fixture!("http_account_limits")));
    answers.push(answer(200, fixture!("http_api_keys")));
    let script = Script { answers: Mutex::new(answers.into()), ..Script::default() };
    let mut settings = Settings::new("https://host.invalid/trade-api/v2".to_owned());
    settings.now = clock;
    let client = Client::over(script, settings, Some(signer()));
    for _ in 0..19 {
        run(client.get_api_keys()).unwrap();
    }
    assert_eq!(run(client.get_account_limits()).unwrap().read.bucket_capacity, 200);
    assert_eq!(client.pauses(), [], "200 tokens are twenty requests");
    run(client.get_api_keys()).unwrap();
    assert_eq!(client.pauses(), [Duration::from_millis(50)], "and the next one waits");
}

#[test]
fn keys_without_a_list_of_scopes_could_trade() {
    let client = client(vec![answer(200, fixture!("http_api_keys"))]);
    let keys = run(client.get_api_keys()).unwrap();
    let can: Vec<bool> = keys.iter().map(wire::ApiKey::can_trade).collect();
    assert_eq!(can, [false, true, true]);
}

#[test]
fn a_market_is_loaded_with_its_fee_over_time_and_its_event_is_read_once() {
    let client = client(vec![
        answer(200, fixture!("http_market")),
        answer(200, fixture!("http_event")),
        answer(404, r#"{"error":{"code":"not_found","message":"not found"}}"#),
        answer(200, fixture!("http_series")),
        answer(200, fixture!("http_series_fee_changes")),
        answer(200, fixture!("http_market")),
    ]);
    let market = run(client.load_market(T)).unwrap();
    assert_eq!(market.title, "Demo index at the end of 2026: Above 50");
    assert_eq!(market.status, Status::Open);
    let rate = |time: &str| {
        market.fee.at(Timestamp::parse(time).unwrap()).map(|model| model.rate.to_string())
    };
    assert_eq!(rate("2026-11-22T10:00:00Z").as_deref(), Some("0.035"));
    assert_eq!(rate("2026-12-01T00:00:00Z").as_deref(), Some("0.07"));
    assert_eq!(rate("2027-01-01T00:00:00Z"), None, "a flat fee is not understood");
    run(client.load_market(T)).unwrap();
    assert_eq!(
        client.urls(),
        [
            format!("/markets/{T}"),
            "/events/KXDEMO-26DEC31".to_owned(),
            "/events/fee_changes?event_ticker=KXDEMO-26DEC31".to_owned(),
            "/series/KXDEMO".to_owned(),
            "/series/fee_changes?series_ticker=KXDEMO".to_owned(),
            format!("/markets/{T}"),
        ]
    );
}

#[test]
fn what_the_venue_changed_is_read_again() {
    let event = || answer(200, fixture!("http_event"));
    let none = || answer(200, "{}");
    let series = || answer(200, fixture!("http_series"));
    let market = || answer(200, fixture!("http_market"));
    let client = client(vec![
        market(),
        event(),
        none(),
        series(),
        none(),
        market(),
        event(),
        none(),
        series(),
        none(),
        market(),
        event(),
        none(),
        series(),
        none(),
    ]);
    run(client.load_market(T)).unwrap();
    client.forget_event("KXDEMO-26DEC31");
    run(client.load_market(T)).unwrap();
    CLOCK.set(clock() + 300_000_000_000);
    run(client.load_market(T)).unwrap();
    assert_eq!(client.urls().len(), 15);
}

#[test]
fn a_market_that_does_not_exist_is_named() {
    let client = client(vec![answer(404, r#"{"error":{"code":"not_found","message":"x"}}"#)]);
    let error = run(client.get_market("KXTYPO")).unwrap_err();
    assert_eq!(error.to_string(), "kalshi knows no market KXTYPO");
}

#[test]
fn an_answer_that_makes_no_sense_names_endpoint_and_field() {
    let bad = client(vec![answer(200, r#"{"exchange_active":true}"#)]);
    let error = run(bad.get_exchange_status()).unwrap_err().to_string();
    assert!(error.contains("get_exchange_status") && error.contains("trading_active"), "{error}");
    let other = client(vec![answer(200, fixture!("http_market"))]);
    let error = run(other.get_market("KXDEMO-26DEC31-T99")).unwrap_err().to_string();
    assert!(error.contains("KXDEMO-26DEC31-T99") && error.contains("ticker"), "{error}");
}

#[test]
fn the_clock_offset_comes_from_answers_that_no_cache_keeps() {
    let dated = |body: &str| {
        let date = Some("Sun, 22 Nov 2026 10:00:07 GMT".to_owned());
        Ok(Answer {
            status: 200,
            body: body.to_owned(),
            retry_after: None,
            date,
            headers: Vec::new(),
        })
    };
    let client = client(vec![dated(fixture!("http_market")), dated(fixture!("http_orderbook"))]);
    run(client.get_market(T)).unwrap();
    assert_eq!(client.clock_offset_ms(), None);
    run(client.get_orderbook(T)).unwrap();
    assert_eq!(client.clock_offset_ms(), Some(6_500), "one second was spent waiting");
}

#[test]
fn the_schedule_is_read() {
    let client = client(vec![answer(200, fixture!("http_exchange_schedule"))]);
    let schedule = run(client.get_exchange_schedule()).unwrap();
    assert_eq!(schedule.maintenance_windows[0].start_datetime, "2026-11-26T08:00:00Z");
    assert_eq!(schedule.standard_hours[0].thursday.len(), 1);
}
