//! API keys: who gets one, and whether a request bears it.
//!
//! Keys follow from the wallet and the nonce, so that a run with a seed is the same every time.
//! The venue does not say how far a request's clock may be off; half a minute is taken here.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::domain::Timestamp;

use super::super::{Reply, Request, hex};
use super::sign::{Address, recover_auth, unhex};

/// How far a request's timestamp may be from the exchange's clock.
const WINDOW_SECS: u64 = 30;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An API key with its secret half.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The key, a UUID.
    pub key: String,
    /// What requests are signed with: base64url.
    pub secret: String,
    /// What is sent along with them.
    pub passphrase: String,
    nonce: u64,
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiKey").field("key", &self.key).finish_non_exhaustive()
    }
}

impl ApiKey {
    fn of(owner: Address, nonce: u64) -> Self {
        let part = |purpose: &[u8]| -> [u8; 32] {
            let hash = Sha256::new().chain_update(purpose).chain_update(owner.0);
            hash.chain_update(nonce.to_be_bytes()).finalize().into()
        };
        Self {
            key: uuid(part(b"key")),
            secret: BASE64.encode(part(b"secret")),
            passphrase: hex(&part(b"passphrase")),
            nonce,
        }
    }

    /// The key as its owner gets it.
    fn value(&self) -> Value {
        json!({ "apiKey": self.key, "secret": self.secret, "passphrase": self.passphrase })
    }

    fn signs(&self, message: &[u8], signature: &str) -> bool {
        let Ok(secret) = BASE64.decode(&self.secret) else { return false };
        let Ok(signature) = BASE64.decode(signature) else { return false };
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message, &signature).is_ok()
    }
}

/// A UUID of version 4 from the first bytes of a hash.
pub(super) fn uuid(mut bytes: [u8; 32]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes[..16]);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The keys of one wallet.
#[derive(Debug)]
pub(super) struct Keys {
    owner: Address,
    present: Vec<ApiKey>,
}

impl Keys {
    /// A wallet without keys.
    pub(super) const fn of(owner: Address) -> Self {
        Self { owner, present: Vec::new() }
    }

    /// The key of a nonce, made if it is not there.
    pub(super) fn issue(&mut self, nonce: u64) -> ApiKey {
        match self.present.iter().find(|key| key.nonce == nonce) {
            Some(key) => key.clone(),
            None => {
                let key = ApiKey::of(self.owner, nonce);
                self.present.push(key.clone());
                key
            }
        }
    }

    /// The key of these credentials.
    pub(super) fn known(&self, key: &str, secret: &str, passphrase: &str) -> Option<&ApiKey> {
        let matches = |known: &&ApiKey| {
            known.key == key && known.secret == secret && known.passphrase == passphrase
        };
        self.present.iter().find(matches)
    }

    /// Answers the requests that a wallet signs itself.
    pub(super) fn by_wallet(&mut self, request: &Request<'_>, now: Timestamp) -> Option<Reply> {
        let reply = match (request.method, request.path) {
            ("POST", "/auth/api-key") => self.wallet_nonce(request, now).map(|nonce| {
                if self.present.iter().any(|key| key.nonce == nonce) {
                    return error(400, "Could not create api key");
                }
                Reply::json(200, &self.issue(nonce).value())
            }),
            ("GET", "/auth/derive-api-key") => self.wallet_nonce(request, now).map(|nonce| {
                match self.present.iter().find(|key| key.nonce == nonce) {
                    Some(key) => Reply::json(200, &key.value()),
                    None => error(400, "Could not derive api key!"),
                }
            }),
            _ => return None,
        };
        Some(reply.unwrap_or_else(|| error(401, "Invalid L1 Request headers")))
    }

    /// The nonce that the wallet signed; `None` when somebody else did, or at another time.
    fn wallet_nonce(&self, request: &Request<'_>, now: Timestamp) -> Option<u64> {
        let address = Address::parse(request.header("poly_address")?)?;
        let stamp = request.header("poly_timestamp")?;
        let nonce: u64 = request.header("poly_nonce").unwrap_or("0").parse().ok()?;
        let signature = unhex(request.header("poly_signature")?)?;
        let signer = recover_auth(address, stamp, nonce, &signature)?;
        (timely(stamp, now) && signer == address && address == self.owner).then_some(nonce)
    }

    /// The key that signed a request, or the refusal.
    pub(super) fn identify(&self, request: &Request<'_>, now: Timestamp) -> Result<&ApiKey, Reply> {
        self.signed_by(request, now).ok_or_else(|| error(401, "Invalid API key"))
    }

    fn signed_by(&self, request: &Request<'_>, now: Timestamp) -> Option<&ApiKey> {
        let address = Address::parse(request.header("poly_address")?)?;
        let stamp = request.header("poly_timestamp")?;
        let (key, passphrase) =
            (request.header("poly_api_key")?, request.header("poly_passphrase")?);
        let known = self.present.iter().find(|known| known.key == key)?;
        let mut message = format!("{stamp}{}{}", request.method, request.path).into_bytes();
        message.extend_from_slice(request.body);
        let good = address == self.owner
            && known.passphrase == passphrase
            && timely(stamp, now)
            && known.signs(&message, request.header("poly_signature")?);
        good.then_some(known)
    }

    /// The list of keys.
    pub(super) fn list(&self) -> Value {
        json!({ "apiKeys": self.present.iter().map(|key| &key.key).collect::<Vec<_>>() })
    }

    /// Takes a key back.
    pub(super) fn delete(&mut self, key: &str) {
        self.present.retain(|known| known.key != key);
    }
}

fn timely(stamp: &str, now: Timestamp) -> bool {
    let digits = !stamp.is_empty() && stamp.bytes().all(|byte| byte.is_ascii_digit());
    let secs = stamp.parse::<i64>().ok().filter(|_| digits);
    secs.is_some_and(|secs| now.secs().abs_diff(secs) <= WINDOW_SECS)
}

fn error(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "error": text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_secs(1_763_800_000)
    }

    /// A request of the venue's own client, with the key that it had.
    #[test]
    fn requests_of_the_venues_client_are_signed_by_their_key() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/polymarket/exchange_auth.json");
        let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let vectors = golden["hmac_l2"].as_array().unwrap();
        let requests: Vec<&Value> =
            vectors.iter().filter(|vector| vector["headers"].is_object()).collect();
        assert_eq!(requests.len(), 6);
        for vector in requests {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let headers: Vec<(String, String)> = vector["headers"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), text(value)))
                .collect();
            let header = |name: &str| {
                headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
            };
            let key = ApiKey {
                key: header("poly_api_key").unwrap(),
                secret: text(&vector["secret"]),
                passphrase: header("poly_passphrase").unwrap(),
                nonce: 0,
            };
            let keys = Keys { owner: Address::ANVIL, present: vec![key] };
            let (method, path) = (text(&vector["method"]), text(&vector["request_path"]));
            let body = text(&vector["body"]);
            let mut request = Request {
                method: &method,
                path: &path,
                query: "market=0xaa",
                headers: &headers,
                body: body.as_bytes(),
            };
            assert!(keys.identify(&request, now()).is_ok(), "{vector}");
            let late = Timestamp::from_secs(now().secs() + 31);
            assert_eq!(keys.identify(&request, late).unwrap_err().status, 401);
            request.body = b"{}";
            assert_eq!(keys.identify(&request, now()).unwrap_err().status, 401);
        }
    }

    #[test]
    fn a_key_is_made_once_and_derived_ever_after() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/polymarket/exchange_auth.json");
        let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let headers: Vec<(String, String)> = golden["clob_auth_l1"][0]["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.as_str().unwrap().to_owned()))
            .collect();
        let ask = |keys: &mut Keys, method, path| {
            let request = Request { method, path, query: "", headers: &headers, body: b"" };
            keys.by_wallet(&request, now()).unwrap()
        };
        let mut keys = Keys::of(Address::ANVIL);
        let (post, get) = ("/auth/api-key", "/auth/derive-api-key");
        assert_eq!(ask(&mut keys, "GET", get).status, 400, "there is none");
        let made = ask(&mut keys, "POST", post);
        assert_eq!(ask(&mut keys, "POST", post).status, 400, "there is one");
        assert_eq!(ask(&mut keys, "GET", get), made);
        let mut other = Keys::of(Address([7; 20]));
        assert_eq!(ask(&mut other, "POST", post).status, 401, "it is not that wallet's signature");
        let body: Value = serde_json::from_str(&made.body).unwrap();
        keys.delete(body["apiKey"].as_str().unwrap());
        assert_eq!(ask(&mut keys, "GET", get).status, 400);
    }
}
