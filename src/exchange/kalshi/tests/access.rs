use rsa::sha2::Sha256;
use rsa::signature::{RandomizedSigner, SignatureEncoding};

use crate::exchange::kalshi::keys::{Kind, generate};

use super::*;

#[test]
fn both_kinds_of_fresh_keys_open_the_door() {
    for kind in [Kind::Ed25519, Kind::Rsa] {
        let new = generate(kind, vec![Scope::Read, Scope::WriteTrade]).unwrap();
        let stamp = START.millis().to_string();
        let path = "/trade-api/v2/api_keys";
        let message = format!("{stamp}GET{path}");
        let signature = match kind {
            Kind::Ed25519 => {
                use ed25519_dalek::{Signer as _, pkcs8::DecodePrivateKey as _};
                assert!(new.pem.starts_with("-----BEGIN PRIVATE KEY-----"));
                let key = ed25519_dalek::SigningKey::from_pkcs8_pem(&new.pem).unwrap();
                key.sign(message.as_bytes()).to_bytes().to_vec()
            }
            Kind::Rsa => {
                use rsa::pkcs1::DecodeRsaPrivateKey as _;
                assert!(new.pem.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
                let key = rsa::RsaPrivateKey::from_pkcs1_pem(&new.pem).unwrap();
                let signer = rsa::pss::BlindedSigningKey::<Sha256>::new(key);
                let mut random = rsa::rand_core::OsRng;
                signer.sign_with_rng(&mut random, message.as_bytes()).to_vec()
            }
        };
        let mut bench = Bench::new(1);
        let headers = headers(&new.account.key_id, &stamp, &STANDARD.encode(signature));
        bench.kalshi = Kalshi::new(&bench.world.kalshi, vec![new.account]);
        let reply = bench.send(path, &headers);
        assert_eq!(reply.status, 200, "{kind:?}: {}", reply.body);
        assert!(reply.body.contains("write::trade"), "{}", reply.body);
    }
}

#[test]
fn what_is_signed_wrongly_is_refused_with_the_recorded_bodies() {
    let mut bench = Bench::new(1);
    let path = "/trade-api/v2/markets";
    let good = bench.headers("GET", path);
    assert_eq!(bench.send(path, &good).status, 200);
    assert_eq!(bench.send(&format!("{path}?limit=1"), &good).status, 200, "no query is signed");
    let body = |reply: Reply| {
        assert_eq!(reply.status, 401);
        serde_json::from_str::<Value>(&reply.body).unwrap()["error"].clone()
    };
    let other = bench.headers("POST", path);
    let error = body(bench.send(path, &other));
    assert_eq!(error["code"], "authentication_error");
    assert_eq!(error["details"], "INCORRECT_API_KEY_SIGNATURE");
    let mut unknown = good.clone();
    unknown[0].1 = "nobody".into();
    assert_eq!(body(bench.send(path, &unknown))["details"], "NOT_FOUND");
    let missing = body(bench.send(path, &good[..2]));
    assert_eq!(missing["code"], "signature_is_missing_from_headers");
    bench.now = START.after(Duration::from_millis(10_001));
    assert_eq!(body(bench.send(path, &good))["code"], "header_timestamp_expired");
    bench.now = START.before(Duration::from_millis(10_001));
    assert_eq!(body(bench.send(path, &good))["code"], "header_timestamp_expired");
}

#[test]
fn a_stream_needs_a_signature() {
    let mut bench = Bench::new(1);
    let open = |bench: &mut Bench, path: &str, headers: &[(String, String)]| {
        let request = Request { method: "GET", path, query: "", headers, body: &[] };
        bench.kalshi.open(LINK, &request, START)
    };
    let refused = open(&mut bench, STREAM_PATH, &[]).unwrap_err();
    assert_eq!(refused.status, 401);
    assert!(refused.body.contains("token_authentication_failure"), "{}", refused.body);
    let wrong = bench.headers("GET", "/ws/v2");
    assert_eq!(open(&mut bench, STREAM_PATH, &wrong).unwrap_err().status, 401);
    let right = bench.headers("GET", STREAM_PATH);
    assert_eq!(open(&mut bench, "/trade-api/ws/v1", &right).unwrap_err().status, 404);
    assert!(open(&mut bench, STREAM_PATH, &right).is_ok());
}

#[test]
fn unsigned_reads_share_a_small_budget_and_signed_ones_have_their_own() {
    let mut bench = Bench::new(1);
    let path = "/trade-api/v2/exchange/status";
    let statuses: Vec<u16> = (0..6).map(|_| bench.send(path, &[]).status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    assert_eq!(bench.send(path, &[]).body, r#"{"error":"too many requests"}"#);
    let signed = bench.headers("GET", path);
    let granted = (0..30).filter(|_| bench.send(path, &signed).status == 200).count();
    assert_eq!(granted, 20);
}
