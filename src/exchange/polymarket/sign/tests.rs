use serde_json::Value;

use super::*;

/// Orders and key requests that the venue's own JavaScript client signed.
fn golden(name: &str) -> Value {
    let path = format!("{}/tests/data/polymarket/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| text_of(value).parse().unwrap())
}

fn order(message: &Value) -> SignedOrder {
    let word = |key: &str| unhex(text_of(&message[key])).unwrap().try_into().unwrap();
    SignedOrder {
        salt: count(&message["salt"]),
        maker: Address::parse(text_of(&message["maker"])).unwrap(),
        signer: Address::parse(text_of(&message["signer"])).unwrap(),
        token: text_of(&message["tokenId"]).parse().unwrap(),
        maker_amount: count(&message["makerAmount"]),
        taker_amount: count(&message["takerAmount"]),
        side: u8::try_from(count(&message["side"])).unwrap(),
        kind: WalletKind::from_number(count(&message["signatureType"])).unwrap(),
        timestamp: count(&message["timestamp"]),
        metadata: word("metadata"),
        builder: word("builder"),
    }
}

fn contract(domain: &Value) -> Contract {
    let address = text_of(&domain["verifyingContract"]);
    Contract::ALL.into_iter().find(|contract| contract.address() == address).unwrap()
}

#[test]
fn orders_of_the_venues_client_have_the_same_hash_here_and_name_their_signer() {
    let golden = golden("exchange_orders.json");
    let vectors = golden["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 8);
    for vector in vectors {
        let (id, contract) = (&vector["id"], contract(&vector["domain"]));
        let mut order = order(&vector["message"]);
        let signature = unhex(text_of(&vector["signature"])).unwrap();
        let hash = format!("0x{}", hex(&order.hash(contract)));
        assert_eq!(hash, vector["order_hash"], "{id}");
        assert_eq!(order.recover(contract, &signature), Some(Address::ANVIL), "{id}");
        for other in Contract::ALL.into_iter().filter(|other| *other != contract) {
            assert_ne!(order.recover(other, &signature), Some(Address::ANVIL), "{id}");
        }
        assert!(!order.is_of_old_version(Address::ANVIL, &signature), "{id}");
        order.taker_amount += 1;
        assert_ne!(order.recover(contract, &signature), Some(Address::ANVIL), "{id}");
    }
}

#[test]
fn key_requests_of_the_venues_client_name_their_signer() {
    let golden = golden("exchange_auth.json");
    for vector in golden["clob_auth_l1"].as_array().unwrap() {
        let headers = &vector["headers"];
        let signature = unhex(text_of(&headers["POLY_SIGNATURE"])).unwrap();
        let nonce = count(&vector["nonce"]);
        let stamp = text_of(&vector["timestamp"]);
        let signer = recover_auth(Address::ANVIL, stamp, nonce, &signature);
        let ours = vector["chain_id"] == 137;
        assert_eq!(signer == Some(Address::ANVIL), ours, "{vector}");
        assert_ne!(recover_auth(Address::ANVIL, stamp, nonce + 1, &signature), signer);
    }
}

#[test]
fn the_second_form_of_a_signature_is_refused() {
    let golden = golden("exchange_orders.json");
    let vector = &golden["vectors"][0];
    let order = order(&vector["message"]);
    let mut signature = unhex(text_of(&vector["signature"])).unwrap();
    let s = U256::from_be_slice(&signature[32..64]);
    let n = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let twin: [u8; 32] = (n.parse::<U256>().unwrap() - s).to_be_bytes();
    signature[32..64].copy_from_slice(&twin);
    signature[64] = 55 - signature[64];
    assert_eq!(order.recover(Contract::Standard, &signature), None);
    assert_eq!(order.recover(Contract::Standard, &signature[..64]), None);
}

#[test]
fn addresses_are_written_with_their_checksum() {
    assert_eq!(Address::ANVIL.to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    assert_eq!(Address::parse("0xF39fd6e51aad88f6f4ce6ab8827279cfffb92266"), Some(Address::ANVIL));
    assert_eq!(Address::parse("0xf39f"), None);
    assert_eq!(unhex("0x0"), None);
}
