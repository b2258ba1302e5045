use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/polymarket/", $name))
    };
}

const GAMMA: &str = fixture!("http_gamma_market.json");
const CLOB: &str = fixture!("http_clob_market.json");

fn listing(text: &str) -> Listing {
    let all = listings(&format!("[{text}]")).unwrap();
    assert!(all.refused.is_empty(), "{:?}", all.refused);
    all.found.into_iter().next().unwrap()
}

/// The field that is named when a market is refused.
fn refused(gamma: &str, clob: &str) -> String {
    let error = listing(gamma).market(clob).unwrap_err();
    let Error::Malformed { what, field, .. } = &error else { panic!("{error}") };
    assert!(what.contains("0x"), "{what}");
    field.clone()
}

fn raw(json: &str) -> Box<RawValue> {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_market_is_put_together_from_both_sources() {
    let market = listing(GAMMA).market(CLOB).unwrap();
    assert_eq!(market.title, "Example?");
    assert_eq!(market.event, "example-event");
    assert_eq!(market.status, Status::Open);
    assert_eq!(market.minimum.quantity, Quantity::contracts(5));
    assert_eq!(market.minimum.notional.to_string(), "1.000000");
    assert_eq!(market.closes, None, "endDate is not the end of trading");
    let grid = market.grid.unwrap();
    assert_eq!(grid, PriceGrid::uniform(100).unwrap());
    let fee = market.fee.at(Timestamp::from_secs(1)).unwrap();
    assert_eq!(fee.rate.to_string(), "0.05");
    let tokens = market.tokens.unwrap();
    assert!(tokens.yes.starts_with("713") && tokens.yes_label == "Yes");
    assert_eq!(listing(GAMMA).rules, "Rules text.");
}

#[test]
fn a_market_whose_event_may_get_new_outcomes_is_open_ended_whoever_says_so() {
    let is_open_ended =
        |gamma: &str| listing(gamma).market(CLOB).unwrap().tokens.unwrap().is_open_ended;
    assert!(!is_open_ended(GAMMA));
    let other = GAMMA.replace("\"question\"", "\"negRiskOther\": true, \"question\"");
    assert!(is_open_ended(&other), "{other}");
    // The event that the market names says it, or the one that lists the market.
    let with = |flags: &str, of_event: &str| {
        let mut market: serde_json::Value = serde_json::from_str(GAMMA).unwrap();
        market["events"] = serde_json::from_str(flags).unwrap();
        format!("{{\"id\":\"1\",\"slug\":\"e\",\"title\":\"E\"{of_event},\"markets\":[{market}]}}")
    };
    for (flags, of_event, expected) in [
        (r#"[{"slug":"e"}]"#, "", false),
        (r#"[{"slug":"e","negRiskAugmented":true}]"#, "", true),
        (r#"[{"slug":"e"},{"slug":"f","negRiskAugmented":true}]"#, "", true),
        (r#"[{"slug":"e"}]"#, r#","negRiskAugmented":true"#, true),
    ] {
        let (all, _) = events(&with(flags, of_event)).unwrap();
        assert_eq!(all[0].markets.found[0].is_open_ended, expected, "{flags} {of_event}");
    }
}

#[test]
fn a_part_of_a_neg_risk_market_says_of_which() {
    let id = format!("0x{}", "aB".repeat(32));
    let lower = id.to_lowercase();
    let said = |market: &str, of_market: &str, of_event: &str| {
        let mut all: serde_json::Value = serde_json::from_str(GAMMA).unwrap();
        all["negRisk"] = serde_json::from_str(market).unwrap();
        if !of_market.is_empty() {
            all["negRiskMarketID"] = of_market.into();
        }
        all["events"] = serde_json::json!([{ "slug": "e", "negRiskMarketID": of_event }]);
        let clob = CLOB.replace("\"nr\": false", &format!("\"nr\": {market}"));
        listing(&all.to_string()).market(&clob).map(|it| it.group)
    };
    let none = format!("0x{}", "0".repeat(64));
    for (market, of_market, of_event, expected) in [
        ("true", id.as_str(), id.as_str(), lower.as_str()),
        ("true", id.as_str(), "", &lower),
        ("true", "", id.as_str(), &lower),
        ("true", "0x01", id.as_str(), "0x01"),
        ("true", none.as_str(), "", ""),
        ("true", "", "", ""),
        // A market may stand in such an event and be no part of it.
        ("false", "", id.as_str(), ""),
    ] {
        let group = said(market, of_market, of_event);
        assert_eq!(group.unwrap(), expected, "{market} {of_market} {of_event}");
    }
    assert_eq!(listing(GAMMA).group, "", "it is none");
    // The event that lists a market may be the only one to say so.
    let mut market: serde_json::Value = serde_json::from_str(GAMMA).unwrap();
    market["negRisk"] = true.into();
    let event = serde_json::json!([{
        "id": "1", "slug": "e", "title": "E", "negRiskMarketID": id, "markets": [market],
    }]);
    let (all, _) = events(&event.to_string()).unwrap();
    assert_eq!(all[0].markets.found[0].group, lower);
}

#[test]
fn where_gamma_does_not_say_how_a_market_settles_the_order_book_does() {
    let settlement = |gamma: &str, clob: &str| {
        let market = listing(gamma).market(clob).unwrap();
        market.tokens.and_then(|tokens| tokens.settlement)
    };
    let silent = GAMMA.replace("\"negRisk\"", "\"unsaid\"");
    assert_ne!(silent, GAMMA);
    let neg_risk = CLOB.replace("\"nr\": false", "\"nr\": true");
    assert_ne!(neg_risk, CLOB);
    let mute = CLOB.replace("\"nr\"", "\"unsaid\"");
    assert_eq!(settlement(GAMMA, CLOB), Some(Settlement::Standard));
    assert_eq!(settlement(&silent, CLOB), Some(Settlement::Standard));
    assert_eq!(settlement(&silent, &neg_risk), Some(Settlement::NegRisk));
    assert_eq!(settlement(&silent, &mute), None, "then no order can be signed");
    assert_eq!(settlement(GAMMA, &mute), Some(Settlement::Standard));
}

#[test]
fn a_market_of_protocol_v2_has_a_padded_condition_and_tokens_matched_by_label() {
    let market = listing(fixture!("http_gamma_market_v2.json"))
        .market(fixture!("http_clob_market_v2.json"))
        .unwrap();
    assert_eq!(market.id.len(), 66);
    let tokens = market.tokens.unwrap();
    assert!(tokens.yes.ends_with('8') && tokens.no.ends_with('9'));
    assert_eq!(market.grid, PriceGrid::uniform(10));
    assert_eq!(market.delay, Duration::from_secs(3));
    assert_eq!(market.starts, Timestamp::parse("2026-12-24T18:30:00Z"));
}

#[test]
fn a_market_that_is_not_what_it_says_is_refused_by_field() {
    let version = |to: &str| GAMMA.replace("\"v1\"", to);
    assert_eq!(refused(&version("\"v3\""), CLOB), "version");
    assert_eq!(refused(&version("null"), CLOB), "version");
    assert_eq!(refused(&version("\"v2\""), CLOB), "positionIds");
    let made_up = GAMMA.replace(
        "71321045679252212594626385532706912750332728571942532289631379312455583992563",
        "123",
    );
    assert_eq!(refused(&made_up, CLOB), "clobTokenIds", "bits of version 2 under version 1");
    assert_eq!(refused(GAMMA, &CLOB.replace("\"7132", "\"8132")), "t");
    assert_eq!(refused(GAMMA, &CLOB.replace("\"Yes\"", "\"Up\"")), "t");
    assert_eq!(refused(GAMMA, &CLOB.replace("\"v1\"", "\"v2\"")), "v");
    assert_eq!(refused(GAMMA, &CLOB.replace("\"nr\": false", "\"nr\": true")), "nr");
    assert_eq!(refused(GAMMA, &CLOB.replace("0xab", "0xac")), "c");
    assert_eq!(refused(GAMMA, &CLOB.replace("\"mts\"", "\"x\"")), "mts");
    assert_eq!(refused(GAMMA, &CLOB.replace("\"mts\": 0.01", "\"mts\": 0")), "mts");
    assert_eq!(refused(GAMMA, &CLOB.replace("\"mts\": 0.01", "\"mts\": 0.00001")), "mts");
    assert_eq!(refused(GAMMA, &CLOB.replace("\"mos\": 5", "\"mos\": -5")), "mos");
    assert_eq!(refused(GAMMA, &CLOB.replace("\"sd\": 0", "\"sd\": \"soon\"")), "sd");
    let three = GAMMA.replace("[\\\"Yes\\\", \\\"No\\\"]", "[\\\"A\\\", \\\"B\\\", \\\"C\\\"]");
    assert_eq!(refused(&three, CLOB), "outcomes");
}

#[test]
fn labels_in_another_order_follow_their_tokens() {
    let swapped = CLOB.replace("\"Yes\"", "\"x\"").replace("\"No\"", "\"Yes\"");
    assert_eq!(refused(GAMMA, &swapped.replace("\"x\"", "\"No\"")), "t");
}

#[test]
fn the_fee_is_known_only_when_both_sources_agree() {
    let fd = raw(r#"{"r":0.05,"e":1,"to":true}"#);
    let same = raw(r#"{"exponent":1,"rate":5e-2,"takerOnly":true,"rebateRate":0.25}"#);
    let other = raw(r#"{"exponent":1,"rate":0.04,"takerOnly":true}"#);
    let zero = raw(r#"{"exponent":1,"rate":0,"takerOnly":true}"#);
    let free = raw(r#"{"r":0,"e":0,"to":true}"#);
    let maker = raw(r#"{"r":0.05,"e":1,"to":false}"#);
    let odd = raw(r#"{"r":0.05,"e":1.5,"to":true}"#);
    let text = raw("\"high\"");
    let rate = |fd: Option<&RawValue>, enabled, schedule: Option<&RawValue>| {
        fee(fd, enabled, schedule).at(Timestamp::from_secs(1)).map(|m| m.rate.to_string())
    };
    let known = |text: &str| Some(text.to_owned());
    let (yes, no) = (Some(true), Some(false));
    assert_eq!(rate(Some(&fd), yes, Some(&same)), known("0.05"));
    assert_eq!(rate(Some(&fd), None, None), known("0.05"));
    assert_eq!(rate(Some(&fd), yes, None), known("0.05"));
    assert_eq!(rate(Some(&fd), no, None), None, "Gamma denies the fee");
    assert_eq!(rate(Some(&fd), no, Some(&same)), None);
    assert_eq!(rate(Some(&fd), yes, Some(&other)), None, "rates differ");
    assert_eq!(rate(Some(&fd), yes, Some(&text)), None, "unreadable");
    assert_eq!(rate(Some(&text), yes, Some(&same)), None, "unreadable");
    assert_eq!(rate(Some(&maker), yes, None), None);
    assert_eq!(rate(Some(&odd), yes, None), None);
    assert_eq!(rate(Some(&free), no, None), known("0"));
    assert_eq!(rate(Some(&free), yes, None), None, "Gamma promises a fee");
    assert_eq!(rate(Some(&free), None, Some(&zero)), known("0"));
    assert_eq!(rate(None, no, None), known("0"));
    assert_eq!(rate(None, None, None), known("0"));
    assert_eq!(rate(None, yes, Some(&zero)), known("0"));
    assert_eq!(rate(None, yes, None), None, "Gamma promises a fee");
    assert_eq!(rate(None, None, Some(&same)), None);
}

#[test]
fn orders_are_taken_only_where_both_sources_say_so() {
    let status = |gamma: &str, clob: &str| listing(gamma).market(clob).unwrap().status;
    let gamma = |from: &str, to: &str| GAMMA.replace(from, to);
    let no_orders = CLOB.replace("\"ao\": true", "\"ao\": false");
    assert_eq!(status(GAMMA, &no_orders), Status::Paused);
    let refusing = gamma("\"acceptingOrders\": true", "\"acceptingOrders\": false");
    assert_eq!(status(&refusing, CLOB), Status::Paused);
    assert_eq!(status(&gamma("\"closed\": false", "\"closed\": true"), CLOB), Status::Closed);
    let bookless = gamma("\"enableOrderBook\": true", "\"enableOrderBook\": false");
    assert_eq!(status(&bookless, CLOB), Status::Closed);
    let silent = CLOB.replace("\"ao\": true,", "");
    assert_eq!(status(GAMMA, &silent), Status::Open);
    let mute = gamma("\"acceptingOrders\": true,", "");
    assert_eq!(status(&mute, &silent), Status::Paused, "nobody says that orders are taken");
}

#[test]
fn delays_are_the_longest_that_is_named() {
    let delay = |clob: &str| listing(GAMMA).market(clob).unwrap().delay;
    assert_eq!(delay(CLOB), Duration::ZERO);
    assert_eq!(delay(&CLOB.replace("\"itode\": false", "\"itode\": true")), facts::ITODE_DELAY);
    assert_eq!(delay(&CLOB.replace("\"sd\": 0", "\"sd\": 3")), Duration::from_secs(3));
}

#[test]
fn one_bad_market_does_not_hide_the_others() {
    let bad = GAMMA.replace("\"conditionId\"", "\"other\"");
    let all = listings(&format!("[{GAMMA},{bad},{{\"question\":5}}]")).unwrap();
    assert_eq!((all.found.len(), all.refused.len()), (1, 2));
}

#[test]
fn pages_and_events_are_read_with_their_cursor_and_parent() {
    let page = listings(fixture!("http_gamma_page.json")).unwrap();
    assert_eq!((page.found.len(), page.next_cursor.as_deref()), (1, Some("abc")));
    let (all, cursor) = events(fixture!("http_gamma_event.json")).unwrap();
    assert_eq!(cursor, None);
    assert_eq!(all[0].slug, "example-event");
    assert_eq!(all[0].markets.found[0].event, "example-event");
    let one = fixture!("http_gamma_event.json").trim();
    let (one, _) = events(&one[1..one.len() - 1]).unwrap();
    assert_eq!(one[0].markets.found.len(), 1, "a single event is a list of one");
    assert!(listings("{}").is_err() && listings("<html>").is_err());
}

#[test]
fn condition_ids_are_padded_and_checked() {
    let short = format!("0x{}", "A1".repeat(31));
    assert_eq!(condition(&short), Some(format!("0x{}00", "a1".repeat(31))));
    for text in ["", "0x", "ab", "0xzz", &"0".repeat(66)] {
        assert_eq!(condition(text), None, "{text}");
    }
}

#[test]
fn ids_tell_their_protocol_by_their_bits() {
    for (id, is_v2) in [
        ("738009016472721401096948007640339832639004991973800549440704537257813475328", true),
        ("738009016472721401096948007640339832639004991973800549440704537257813475329", true),
        ("71321045679252212594626385532706912750332728571942532289631379312455583992563", false),
        ("21742633143463906290569050155826241533067272736897614950488156847949938836455", false),
        ("1099511627775", true),
        ("1099511627776", false),
        ("10141204801825835211973625643008", false),
        ("20282409603651670423947251286016", true),
    ] {
        assert_eq!(is_v2_id(id), Some(is_v2), "{id}");
    }
    let too_large = "9".repeat(78);
    for text in ["", "12a", "-1", too_large.as_str(), &"1".repeat(79)] {
        assert_eq!(is_v2_id(text), None, "{text}");
    }
}

#[test]
fn fees_as_both_sources_write_them_give_the_published_amounts() {
    let rows: Vec<serde_json::Value> = serde_json::from_str(fixture!("fees.json")).unwrap();
    assert_eq!(rows.len(), 50);
    for row in rows {
        let text = |key: &str| row[key].as_str().unwrap();
        let fd = raw(&format!(r#"{{"r":{},"e":{},"to":true}}"#, text("rate"), row["exponent"]));
        let schedule = raw(&format!(
            r#"{{"rate":"{}","exponent":{},"takerOnly":true}}"#,
            text("rate"),
            row["exponent"]
        ));
        let plan = fee(Some(&fd), None, Some(&schedule));
        let model = plan.at(Timestamp::ZERO).unwrap();
        let price = crate::domain::Price::parse(text("price")).unwrap();
        let shares = Quantity::parse(text("shares")).unwrap();
        let estimate = model.estimate(price, shares).micros();
        // Exact to more decimals than a micro-dollar; the estimate is at most one grain above.
        let exact = parse_scaled(text("fee_exact"), 12).unwrap();
        let above = estimate * 1_000_000 - exact;
        assert!((0..10_000_000).contains(&above), "{row}: {estimate}");
    }
}

#[test]
fn what_a_market_pays_is_known_once_it_has_resolved() {
    let pays = |closed: bool, status: &str, prices: &str| {
        let mut gamma: serde_json::Value = serde_json::from_str(GAMMA).unwrap();
        gamma["closed"] = closed.into();
        gamma["umaResolutionStatus"] = status.into();
        gamma["outcomePrices"] = prices.into();
        let market = listing(&gamma.to_string()).market(CLOB).unwrap();
        market.yes_pays.map(|money| money.to_string())
    };
    let told = |text: &str| Some(text.to_owned());
    assert_eq!(pays(true, "resolved", r#"["1","0"]"#), told("1.000000"));
    assert_eq!(pays(true, "resolved", r#"["0","1"]"#), told("0.000000"));
    assert_eq!(pays(true, "resolved", r#"["0.5","0.5"]"#), told("0.500000"));
    for (closed, status, prices) in [
        (false, "resolved", r#"["1","0"]"#),
        (true, "proposed", r#"["1","0"]"#),
        (true, "resolved", r#"["0.97","0.03"]"#),
        (true, "resolved", r#"["1","1"]"#),
        (true, "resolved", "[]"),
    ] {
        assert_eq!(pays(closed, status, prices), None, "{closed} {status} {prices}");
    }
}
