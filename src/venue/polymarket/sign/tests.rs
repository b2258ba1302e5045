use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::{Eip712Domain, SolStruct as _, sol};
use serde_json::Value;

use crate::domain::market::Settlement;
use crate::domain::{Action, Timestamp};

use super::hmac::Credentials;
use super::order::{Exchanges, Fields, Wallet, exchange};
use super::{Key, parse_address};

sol! {
    struct Order {
        uint256 salt;
        address maker;
        address signer;
        uint256 tokenId;
        uint256 makerAmount;
        uint256 takerAmount;
        uint8 side;
        uint8 signatureType;
        uint256 timestamp;
        bytes32 metadata;
        bytes32 builder;
    }
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn orders() -> Value {
    read(include_str!("../../../../tests/data/polymarket/vectors/orders.json"))
}

fn auth() -> Value {
    read(include_str!("../../../../tests/data/polymarket/vectors/auth.json"))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} of {value}"))
}

fn number(value: &Value, field: &str) -> u64 {
    text(value, field).parse().unwrap()
}

fn fields(message: &Value) -> Fields {
    let action = if message["side"] == 0 { Action::Buy } else { Action::Sell };
    let wallet = u8::try_from(message["signatureType"].as_u64().unwrap()).unwrap();
    Fields {
        salt: number(message, "salt"),
        maker: parse_address(text(message, "maker")).unwrap(),
        signer: parse_address(text(message, "signer")).unwrap(),
        token: text(message, "tokenId").parse().unwrap(),
        maker_amount: number(message, "makerAmount"),
        taker_amount: number(message, "takerAmount"),
        action,
        wallet: Wallet::from_number(wallet).unwrap(),
        timestamp_ms: number(message, "timestamp"),
        metadata: text(message, "metadata").parse().unwrap(),
        builder: text(message, "builder").parse().unwrap(),
    }
}

fn settlement(domain: &Value) -> Settlement {
    let contract: Address = text(domain, "verifyingContract").parse().unwrap();
    let found = Settlement::ALL.into_iter().find(|one| exchange(*one).1 == contract).unwrap();
    assert_eq!(exchange(found).0, text(domain, "version"));
    found
}

#[test]
fn orders_are_named_and_signed_as_by_the_official_clients() {
    let (file, exchanges) = (orders(), Exchanges::new(137));
    let key = Key::from_hex(text(&file, "private_key")).unwrap();
    assert_eq!(key.address().to_string(), text(&file, "address"));
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 8);
    for vector in vectors {
        let (id, settlement) = (text(vector, "id"), settlement(&vector["domain"]));
        let separator = exchanges.separator(settlement);
        assert_eq!(separator.to_string(), text(vector, "domain_separator"), "{id}");
        let signed = exchanges.sign(&key, settlement, &fields(&vector["message"]));
        assert_eq!(signed.id.to_string(), text(vector, "order_hash"), "{id}");
        let signature = alloy_primitives::hex::encode_prefixed(&signed.signature);
        assert_eq!(signature, text(vector, "signature"), "{id}");
        assert_eq!(signed.signature.len() as u64, vector["signature_bytes"].as_u64().unwrap());
    }
}

#[test]
fn the_hash_by_hand_is_the_one_of_the_solidity_types() {
    let exchanges = Exchanges::new(137);
    for vector in orders()["vectors"].as_array().unwrap() {
        let fields = fields(&vector["message"]);
        let order = Order {
            salt: U256::from(fields.salt),
            maker: fields.maker,
            signer: fields.signer,
            tokenId: fields.token,
            makerAmount: U256::from(fields.maker_amount),
            takerAmount: U256::from(fields.taker_amount),
            side: u8::from(fields.action == Action::Sell),
            signatureType: fields.wallet.number(),
            timestamp: U256::from(fields.timestamp_ms),
            metadata: fields.metadata,
            builder: fields.builder,
        };
        let settlement = settlement(&vector["domain"]);
        let (version, contract) = exchange(settlement);
        let domain = Eip712Domain::new(
            Some("Polymarket CTF Exchange".into()),
            Some(version.into()),
            Some(U256::from(137)),
            Some(contract),
            None,
        );
        assert_eq!(Order::eip712_encode_type(), super::order::ORDER_TYPE);
        assert_eq!(order.eip712_hash_struct(), exchanges.order_hash(&fields));
        assert_eq!(domain.separator(), exchanges.separator(settlement));
        let key = Key::from_hex(&"11".repeat(32)).unwrap();
        let signed = exchanges.sign(&key, settlement, &fields);
        assert_eq!(order.eip712_signing_hash(&domain), signed.id);
    }
}

#[test]
fn each_signed_field_changes_the_name_of_an_order() {
    let exchanges = Exchanges::new(137);
    let first = fields(&orders()["vectors"][0]["message"]);
    let changes: [fn(&mut Fields); 11] = [
        |fields| fields.salt += 1,
        |fields| fields.maker = Address::repeat_byte(9),
        |fields| fields.signer = Address::repeat_byte(9),
        |fields| fields.token += U256::from(1),
        |fields| fields.maker_amount += 1,
        |fields| fields.taker_amount += 1,
        |fields| fields.action = Action::Sell,
        |fields| fields.wallet = Wallet::Safe,
        |fields| fields.timestamp_ms += 1,
        |fields| fields.metadata = B256::repeat_byte(1),
        |fields| fields.builder = B256::repeat_byte(1),
    ];
    let mut names = vec![exchanges.order_hash(&first)];
    for change in changes {
        let mut changed = first.clone();
        change(&mut changed);
        names.push(exchanges.order_hash(&changed));
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 12);
}

#[test]
fn l1_headers_are_those_of_the_official_clients() {
    let file = auth();
    let key = Key::from_hex(text(&file, "private_key")).unwrap();
    let vectors = file["clob_auth_l1"].as_array().unwrap();
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let now = Timestamp::from_secs(text(vector, "timestamp").parse().unwrap());
        let nonce = vector["nonce"].as_u64().unwrap();
        let chain = vector["chain_id"].as_u64().unwrap();
        let headers = key.clob_auth_on(chain, nonce, now);
        assert_eq!(headers.len(), vector["headers"].as_object().unwrap().len());
        for (name, value) in headers {
            assert_eq!(value, text(&vector["headers"], name), "{name}");
        }
    }
}

fn credentials(secret: &str) -> Credentials {
    let key = "00000000-0000-0000-0000-000000000001";
    Credentials::new(key, secret.to_owned().into(), "pass".to_owned().into()).unwrap()
}

#[test]
fn l2_headers_are_those_of_the_official_clients() {
    let file = auth();
    let vectors = file["hmac_l2"].as_array().unwrap();
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        let (method, path) = (text(vector, "method"), text(vector, "request_path"));
        let (body, secret) = (vector["body"].as_str(), text(vector, "secret"));
        let now = Timestamp::from_secs(text(vector, "timestamp").parse().unwrap());
        let address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        let headers = credentials(secret).headers(address, method, path, body, now);
        if let Some(signature) = vector["signature"].as_str() {
            assert_eq!(headers[1].1, signature);
            continue;
        }
        assert_eq!(headers.len(), vector["headers"].as_object().unwrap().len());
        for (name, value) in headers {
            assert_eq!(value, text(&vector["headers"], name), "{method} {path} {name}");
        }
    }
}

#[test]
fn requests_on_the_wire_were_signed_without_their_query() {
    let file = read(include_str!("../../../../tests/data/polymarket/vectors/wire.json"));
    let (credentials, mut seen) = (credentials(text(&file, "secret")), 0);
    for request in file["requests"].as_array().unwrap() {
        if request["hmac_matches_path_without_query"] != true {
            continue;
        }
        let seconds = text(&request["headers"], "poly_timestamp");
        let (method, url) = (text(request, "method"), text(request, "url"));
        let signature = credentials.sign(seconds, method, url, request["body"].as_str());
        assert_eq!(signature, text(&request["headers"], "poly_signature"), "{method} {url}");
        seen += 1;
    }
    assert_eq!(seen, 10);
}

#[test]
fn secrets_are_read_with_and_without_padding_and_in_either_alphabet() {
    let signed = |secret: &str| credentials(secret).sign("1", "GET", "/x", None);
    let plain = signed("-yBFao-02f4jSG2St9wBJktwlbrfBClOc5i94gcsUXY=");
    assert_eq!(signed("-yBFao-02f4jSG2St9wBJktwlbrfBClOc5i94gcsUXY"), plain);
    assert_eq!(signed("+yBFao+02f4jSG2St9wBJktwlbrfBClOc5i94gcsUXY="), plain);
    assert_eq!(signed("_w=="), signed("/w"));
    for secret in ["", "not base64!", "a"] {
        let made = Credentials::new("k", secret.to_owned().into(), "p".to_owned().into());
        assert!(made.is_err(), "{secret}");
    }
    assert!(Credentials::new("a\"b", "AAAA".to_owned().into(), "p".to_owned().into()).is_err());
}

#[test]
fn keys_that_are_none_are_refused_without_being_shown() {
    let zero = "0".repeat(64);
    let beyond = "f".repeat(64);
    for text in ["", "0x", "12", zero.as_str(), beyond.as_str(), &"g".repeat(64)] {
        let error = Key::from_hex(text).unwrap_err().to_string();
        assert!(text.len() < 3 || !error.contains(text), "{error}");
    }
}

#[test]
fn nothing_that_is_shown_holds_a_secret() {
    let hex = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let shown = format!("{:?}", Key::from_hex(hex).unwrap());
    assert_eq!(shown, "Key { address: 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266, .. }");
    assert_eq!(format!("{:?}", credentials("AAAA")), "Credentials { .. }");
}

#[test]
fn a_mistyped_address_is_found_by_its_checksum() {
    let right = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    assert_eq!(parse_address(right).unwrap().to_string(), right);
    assert_eq!(parse_address(&right.to_lowercase()).unwrap().to_string(), right);
    for wrong in ["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92267", "0x12", &right[2..], ""] {
        assert!(parse_address(wrong).is_err(), "{wrong}");
    }
}
