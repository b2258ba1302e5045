use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::signature::Verifier as _;

use super::*;

const KEY_ID: &str = "2f1f3bb0-0000-4000-8000-000000000001";

fn pem_of(label: &str, der: &[u8]) -> String {
    let body: Vec<String> = STANDARD
        .encode(der)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8(line.to_vec()).unwrap())
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", body.join("\n"))
}

/// PKCS#8 of the Ed25519 key whose seed is the bytes 00 to 1f.
pub(in crate::venue::kalshi) fn ed25519_pem() -> String {
    let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
    der.extend([0x04, 0x22, 0x04, 0x20]);
    der.extend(0u8..32);
    pem_of("PRIVATE KEY", &der)
}

/// PKCS#8 of a fresh RSA key.
pub(super) fn rsa_pem() -> String {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    pem_of("PRIVATE KEY", pkcs8.as_ref())
}

fn why(pem: &str) -> String {
    Signer::from_pem(KEY_ID, pem).unwrap_err().to_string()
}

#[test]
fn ed25519_signatures_equal_the_golden_ones() {
    let signer = Signer::from_pem(KEY_ID, &ed25519_pem()).unwrap();
    assert_eq!(signer.algorithm(), Algorithm::Ed25519);
    let now = Timestamp::from_millis(1_700_000_000_000);
    for (method, path, signature) in [
        (
            "GET",
            "/trade-api/v2/portfolio/balance",
            concat!(
                "SgsupgnHWiFyyF54OWuAPWQMJ1dZi4VXB3zW9JRFpE3",
                "oDzi4u+S59snvmWUvo/p+uGhS2gRNsbIzetJZZLfxCQ=="
            ),
        ),
        (
            "POST",
            "/trade-api/v2/portfolio/events/orders",
            concat!(
                "hoY3uQgx80Fc8YdP2GLUpNOG5Ig1cbWxzvhV2/GcSep",
                "JxptXybHTtzsEyf0azq021sdHTmMzTvBPt6i1S8DnAA=="
            ),
        ),
        (
            "GET",
            "/trade-api/ws/v2",
            concat!(
                "mEX39ZDAG0lHqY8vwK41t5ovOboMchtv9qt0ITZE2H5",
                "IZSqyTRDpfHYrXKe3jpPQWQUrkwT/pgAmmR8ghTUGBQ=="
            ),
        ),
    ] {
        let headers = signer.headers(method, path, now).unwrap();
        assert_eq!(headers[0], (KEY_HEADER, KEY_ID.to_owned()));
        assert_eq!(headers[1], (TIMESTAMP_HEADER, "1700000000000".to_owned()));
        assert_eq!(headers[2], (SIGNATURE_HEADER, signature.to_owned()), "{method} {path}");
    }
}

#[test]
fn the_query_is_not_signed_and_the_method_is_upper_case() {
    let signer = Signer::from_pem(KEY_ID, &ed25519_pem()).unwrap();
    let now = Timestamp::from_millis(1_700_000_000_000);
    let bare = signer.headers("GET", "/trade-api/v2/portfolio/balance", now).unwrap();
    let asked = signer.headers("get", "/trade-api/v2/portfolio/balance?limit=5", now).unwrap();
    assert_eq!(bare, asked);
}

#[test]
fn rsa_signatures_of_both_containers_verify_with_a_salt_of_32_bytes() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let private = rsa::RsaPrivateKey::from_pkcs8_der(pkcs8.as_ref()).unwrap();
    let pkcs1 = private.to_pkcs1_der().unwrap();
    // The salt length of the verifier is the digest's, 32 bytes, and it accepts no other.
    let verifier = rsa::pss::VerifyingKey::<sha2::Sha256>::new(private.to_public_key());
    let now = Timestamp::from_millis(1_700_000_000_000);
    for pem in [
        pem_of("PRIVATE KEY", pkcs8.as_ref()),
        pem_of("RSA PRIVATE KEY", pkcs1.as_bytes()),
        // Labels that do not fit the contents are common, and do not matter.
        pem_of("PRIVATE KEY", pkcs1.as_bytes()),
        pem_of("RSA PRIVATE KEY", pkcs8.as_ref()),
        format!(
            "{}{}",
            include_str!("../../../../tests/data/kalshi/certificate.pem"),
            pem_of("PRIVATE KEY", pkcs8.as_ref())
        )
        .replace('\n', "\r\n"),
    ] {
        let signer = Signer::from_pem(KEY_ID, &pem).unwrap();
        assert_eq!(signer.algorithm(), Algorithm::Rsa);
        let headers = signer.headers("GET", "/trade-api/ws/v2", now).unwrap();
        let bytes = STANDARD.decode(&headers[2].1).unwrap();
        let signature = rsa::pss::Signature::try_from(bytes.as_slice()).unwrap();
        verifier.verify(b"1700000000000GET/trade-api/ws/v2", &signature).unwrap();
        assert!(verifier.verify(b"1700000000000GET/trade-api/v2", &signature).is_err());
    }
}

#[test]
fn each_wrong_file_is_told_apart() {
    assert!(why("hello").contains("not a PEM file"));
    assert!(why("").contains("not a PEM file"));
    let file = include_str!("../../../../tests/data/kalshi/key_public.pem");
    assert!(why(file).contains("public key"));
    let file = include_str!("../../../../tests/data/kalshi/certificate.pem");
    assert!(why(file).contains("certificate"));
    let file = include_str!("../../../../tests/data/kalshi/key_encrypted.pem");
    assert!(why(file).contains("encrypted"));
    let file = include_str!("../../../../tests/data/kalshi/key_ec.pem");
    assert!(why(file).contains("elliptic-curve"));
    let file = include_str!("../../../../tests/data/kalshi/key_ec_pkcs8.pem");
    assert!(why(file).contains("elliptic-curve"));
    let file = include_str!("../../../../tests/data/kalshi/key_rsa_1024.pem");
    assert!(why(file).contains("too small"), "{}", why(file));
    let whole = ed25519_pem();
    assert!(why(&whole[..60]).contains("cut"));
    assert!(why(&whole.replace("MC4C", "!!!!")).contains("damaged"));
    assert!(why(&pem_of("PRIVATE KEY", b"no key at all")).contains("damaged"));
    assert!(why(&pem_of("OPENSSH PRIVATE KEY", b"x")).contains("OpenSSH"));
    assert!(Signer::from_pem(" ", &whole).unwrap_err().to_string().contains("key id"));
    assert!(Signer::from_pem("a\r\nX: y", &whole).is_err());
}

#[test]
fn nothing_secret_is_printed() {
    let signer = Signer::from_pem(KEY_ID, &ed25519_pem()).unwrap();
    let shown = format!("{signer:?}");
    assert_eq!(shown, "Signer { algorithm: Ed25519, .. }");
}
