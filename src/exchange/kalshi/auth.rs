//! Who may ask: the three signed headers of Kalshi's API, checked against registered public keys.
//!
//! Signed are the timestamp in milliseconds, the method and the path with `/trade-api/v2` and
//! without query, joined without separators: RSA-PSS with SHA-256 and a salt of 32 bytes, or pure
//! Ed25519.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Verifier as _;
use rsa::sha2::Sha256;
use serde_json::json;

use crate::domain::Timestamp;
use crate::exchange::{Reply, Request};

/// How far a request's timestamp may be from the exchange's clock; ±10 s was measured.
const WINDOW_MS: u64 = 10_000;
/// Kalshi's salt is as long as the digest.
const SALT_BYTES: usize = 32;

const KEY: &str = "kalshi-access-key";
const STAMP: &str = "kalshi-access-timestamp";
const SIGNATURE: &str = "kalshi-access-signature";

/// A public key of either kind that Kalshi takes.
#[derive(Debug, Clone)]
pub enum PublicKey {
    /// RSA, 2048 bits.
    Rsa(Box<rsa::RsaPublicKey>),
    /// Ed25519, the recommended kind since September 2026.
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
}

impl PublicKey {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa(key) => {
                let key = rsa::pss::VerifyingKey::<Sha256>::new_with_salt_len(
                    key.as_ref().clone(),
                    SALT_BYTES,
                );
                rsa::pss::Signature::try_from(signature)
                    .is_ok_and(|s| rsa::signature::Verifier::verify(&key, message, &s).is_ok())
            }
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

/// What a key may do; other scopes of the venue have no use here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Reads.
    Read,
    /// Trades.
    WriteTrade,
    /// Moves cash between shards.
    WriteTransfer,
}

impl Scope {
    /// The scope's name at the venue.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::WriteTrade => "write::trade",
            Self::WriteTransfer => "write::transfer",
        }
    }
}

/// An API key that the exchange knows.
#[derive(Debug, Clone)]
pub struct Account {
    /// The key's id, a UUID.
    pub key_id: String,
    /// Its public half.
    pub key: PublicKey,
    /// What it may do.
    pub scopes: Vec<Scope>,
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not all three headers are there.
    Incomplete,
    /// The timestamp is no number or too far from the clock.
    Expired,
    /// Nobody registered the key.
    UnknownKey,
    /// The signature is not the key's for this request.
    WrongSignature,
}

impl Refusal {
    const fn parts(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Incomplete => ("signature_is_missing_from_headers", None),
            Self::Expired => ("header_timestamp_expired", None),
            Self::UnknownKey => ("authentication_error", Some("NOT_FOUND")),
            Self::WrongSignature => ("authentication_error", Some("INCORRECT_API_KEY_SIGNATURE")),
        }
    }

    /// The 401 of a REST request.
    pub(super) fn reply(self) -> Reply {
        let (code, details) = self.parts();
        let mut error = json!({"code": code, "message": code});
        if let Some(details) = details {
            error["details"] = details.into();
        }
        Reply::json(401, &json!({"error": error}))
    }

    /// The 401 of a WebSocket handshake, which has one code for every cause.
    pub(super) fn handshake(self) -> Reply {
        let code = "token_authentication_failure";
        let (cause, details) = self.parts();
        let details = details.unwrap_or(cause);
        let error = json!({"code": code, "message": code, "details": details});
        Reply::json(401, &json!({"error": error}))
    }
}

/// Who signed a request: `None` when it bears none of the headers.
pub(super) fn identify<'a>(
    accounts: &'a [Account],
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Option<&'a Account>, Refusal> {
    let headers = [KEY, STAMP, SIGNATURE].map(|name| request.header(name));
    let [Some(key), Some(stamp), Some(signature)] = headers else {
        let none = headers.iter().all(Option::is_none);
        return if none { Ok(None) } else { Err(Refusal::Incomplete) };
    };
    let digits = !stamp.is_empty() && stamp.bytes().all(|byte| byte.is_ascii_digit());
    let millis = stamp.parse::<i64>().ok().filter(|_| digits).ok_or(Refusal::Expired)?;
    if now.millis().abs_diff(millis) > WINDOW_MS {
        return Err(Refusal::Expired);
    }
    let account =
        accounts.iter().find(|account| account.key_id == key).ok_or(Refusal::UnknownKey)?;
    let message = format!("{stamp}{}{}", request.method, request.path);
    let signature = STANDARD.decode(signature).map_err(|_| Refusal::WrongSignature)?;
    if account.key.verifies(message.as_bytes(), &signature) {
        Ok(Some(account))
    } else {
        Err(Refusal::WrongSignature)
    }
}
