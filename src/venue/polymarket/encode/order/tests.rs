use alloy_primitives::hex;
use serde_json::Value;

use crate::domain::market::Settlement;
use crate::venue::polymarket::sign::Key;
use crate::venue::polymarket::sign::order::{Exchanges, Wallet};

use super::*;

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} of {value}"))
}

fn requests() -> Vec<Value> {
    let file = include_str!("../../../../../tests/data/polymarket/vectors/wire.json");
    let file: Value = serde_json::from_str(file).unwrap();
    file["requests"].as_array().unwrap().clone()
}

#[test]
fn a_posted_order_is_the_one_of_the_official_client_byte_for_byte() {
    let file = include_str!("../../../../../tests/data/polymarket/vectors/orders.json");
    let file: Value = serde_json::from_str(file).unwrap();
    for vector in file["vectors"].as_array().unwrap() {
        let message = &vector["message"];
        let number = |field: &str| text(message, field).parse().unwrap();
        let wallet = u8::try_from(message["signatureType"].as_u64().unwrap()).unwrap();
        let fields = Fields {
            salt: number("salt"),
            maker: text(message, "maker").parse().unwrap(),
            signer: text(message, "signer").parse().unwrap(),
            token: text(message, "tokenId").parse().unwrap(),
            maker_amount: number("makerAmount"),
            taker_amount: number("takerAmount"),
            action: if message["side"] == 0 { Action::Buy } else { Action::Sell },
            wallet: Wallet::from_number(wallet).unwrap(),
            timestamp_ms: number("timestamp"),
            metadata: text(message, "metadata").parse().unwrap(),
            builder: text(message, "builder").parse().unwrap(),
        };
        let signed = Signed {
            id: text(vector, "order_hash").parse().unwrap(),
            signature: hex::decode(text(vector, "signature")).unwrap(),
        };
        let terms = Terms {
            maker: &fields.maker.to_string(),
            signer: &fields.signer.to_string(),
            token: text(message, "tokenId"),
            owner: text(&file, "owner_api_key"),
            kind: match text(vector, "expiration_not_signed") {
                "0" => Kind::Resting,
                second => Kind::RestingUntil(second.parse().unwrap()),
            },
        };
        let body = post_order(&fields, &signed, terms);
        assert_eq!(body, text(vector, "post_order_body"), "{}", vector["id"]);
    }
}

#[test]
fn orders_on_the_wire_are_signed_and_written_byte_for_byte() {
    let file = include_str!("../../../../../tests/data/polymarket/vectors/wire.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let key = Key::from_hex(text(&file, "private_key")).unwrap();
    let exchanges = Exchanges::new(facts::CHAIN_ID);
    let mut seen = 0;
    for request in requests() {
        if request["method"] != "POST" || request["url"] != "/order" {
            continue;
        }
        seen += 1;
        let body = text(&request, "body");
        let post: Value = serde_json::from_str(body).unwrap();
        let order = &post["order"];
        let number = |field: &str| text(order, field).parse().unwrap();
        let fields = Fields {
            salt: order["salt"].as_u64().unwrap(),
            maker: text(order, "maker").parse().unwrap(),
            signer: text(order, "signer").parse().unwrap(),
            token: text(order, "tokenId").parse().unwrap(),
            maker_amount: number("makerAmount"),
            taker_amount: number("takerAmount"),
            action: Action::Buy,
            wallet: Wallet::Eoa,
            timestamp_ms: number("timestamp"),
            metadata: text(order, "metadata").parse().unwrap(),
            builder: text(order, "builder").parse().unwrap(),
        };
        let terms = Terms {
            maker: text(order, "maker"),
            signer: text(order, "signer"),
            token: text(order, "tokenId"),
            owner: text(&post, "owner"),
            kind: if post["orderType"] == "FAK" { Kind::Immediate } else { Kind::Resting },
        };
        // One of the three exchanges is the one that the client chose for this token.
        let same = Settlement::ALL.into_iter().filter(|settlement| {
            post_order(&fields, &exchanges.sign(&key, *settlement, &fields), terms) == body
        });
        assert_eq!(same.count(), 1, "{body}");
    }
    assert_eq!(seen, 2);
}

#[test]
fn cancels_and_signs_of_life_are_those_on_the_wire() {
    for (call, body) in [
        ("cancelOrder", Some(cancel_order("0x01"))),
        ("cancelOrders", cancel_orders(&["0x01", "0x02"])),
        ("cancelMarketOrders", Some(cancel_market_orders("0xaa", "123"))),
        ("cancelAll", None),
        ("postHeartbeat", Some(heartbeat(""))),
    ] {
        let requests = requests();
        let seen = requests.iter().find(|request| request["call"] == call).unwrap();
        assert_eq!(seen["body"].as_str(), body.as_deref(), "{call}");
    }
}

#[test]
fn a_lifetime_has_its_word() {
    for (lifetime, name) in
        [(Lifetime::Immediate, "FAK"), (Lifetime::AllOrNothing, "FOK"), (Lifetime::Resting, "GTC")]
    {
        assert_eq!(Kind::from(lifetime).name(), name);
    }
}

#[test]
fn an_order_that_ends_too_soon_is_not_built() {
    let at = Timestamp::from_millis(1_763_800_000_900);
    let kind = |span, waited| {
        Kind::resting_for(Duration::from_secs(span), at, at.after(Duration::from_secs(waited)))
    };
    // It ends a minute before the second that it names.
    assert_eq!(kind(600, 0), Ok(Kind::RestingUntil(1_763_800_660)));
    assert_eq!(kind(600, 400), Ok(Kind::RestingUntil(1_763_800_660)), "the same when sent later");
    // Three minutes ahead and ten seconds for the way are the least.
    assert!(kind(130, 0).is_ok());
    assert!(kind(129, 0).is_err());
    assert!(kind(600, 470).is_ok() && kind(600, 471).is_err());
    assert!(kind(0, 0).is_err());
}

#[test]
fn batches_are_neither_empty_nor_too_large() {
    let body = |count| post_orders(&vec!["{}".to_owned(); count]);
    assert_eq!((body(0), body(16)), (None, None));
    assert_eq!(body(2).as_deref(), Some("[{},{}]"));
    assert!(body(15).is_some());
    assert!(cancel_orders(&[]).is_none());
    assert!(cancel_orders(&["0x01"; 1_000]).is_some());
    assert!(cancel_orders(&["0x01"; 1_001]).is_none());
}

#[test]
fn the_first_frame_of_the_user_channel_names_no_market_and_so_all() {
    assert_eq!(
        user_hello("k", "s", "p"),
        concat!(
            r#"{"type":"user","auth":{"apiKey":"k","secret":"s","passphrase":"p"},"#,
            r#""markets":[]}"#
        )
    );
}
