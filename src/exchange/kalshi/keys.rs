//! Fresh API keys for a run: the public half for the exchange, the private PEM for its client.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use ed25519_dalek::pkcs8::{EncodePrivateKey, KeypairBytes, spki::der::pem::LineEnding};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use zeroize::Zeroizing;

use super::auth::{Account, PublicKey, Scope};

/// The kinds of keys Kalshi gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Ed25519; the private half comes as PKCS#8.
    Ed25519,
    /// RSA of 2048 bits; the private half comes as PKCS#1.
    Rsa,
}

/// A new key: what the exchange keeps and what its client gets.
pub struct NewKey {
    /// The registered half.
    pub account: Account,
    /// The private half, shown once.
    pub pem: Zeroizing<String>,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey").field("account", &self.account).finish_non_exhaustive()
    }
}

/// The system gave no randomness, or a key could not be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("could not make a fresh {0} key from the system's randomness")]
pub struct KeyError(&'static str);

/// Makes a key of a kind, with a random id.
pub fn generate(kind: Kind, scopes: Vec<Scope>) -> Result<NewKey, KeyError> {
    let (key, pem) = match kind {
        Kind::Ed25519 => ed25519().ok_or(KeyError("Ed25519"))?,
        Kind::Rsa => rsa_2048().ok_or(KeyError("RSA"))?,
    };
    let key_id = key_id().ok_or(KeyError("API"))?;
    Ok(NewKey { account: Account { key_id, key, scopes }, pem })
}

fn ed25519() -> Option<(PublicKey, Zeroizing<String>)> {
    let mut seed = Zeroizing::new([0; 32]);
    SystemRandom::new().fill(&mut *seed).ok()?;
    let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
    // Without the public key the document is version 1, which every reader takes.
    let pair = KeypairBytes { secret_key: *seed, public_key: None };
    let pem = pair.to_pkcs8_pem(LineEnding::LF).ok()?;
    Some((PublicKey::Ed25519(Box::new(public)), Zeroizing::new(pem.to_string())))
}

fn rsa_2048() -> Option<(PublicKey, Zeroizing<String>)> {
    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).ok()?;
    let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
    let private = rsa::RsaPrivateKey::from_pkcs8_der(der.as_ref()).ok()?;
    let pem = private.to_pkcs1_pem(LineEnding::LF).ok()?;
    Some((PublicKey::Rsa(Box::new(private.to_public_key())), Zeroizing::new(pem.to_string())))
}

/// A random UUID, version 4.
fn key_id() -> Option<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = crate::exchange::hex(&bytes);
    Some([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}
