//! The key, and what it signs.
//!
//! Signed is `time in milliseconds ++ METHOD ++ path`, where the path includes `/trade-api/v2` (or
//! `/trade-api/ws/v2`) and excludes the query. RSA keys sign with PSS, SHA-256 and a salt of 32
//! bytes, Ed25519 keys sign the bytes themselves. Which of the two a file holds is read from its
//! contents: the label of a PEM file does not tell.

mod prepared;

pub use prepared::Pool;

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, Ed25519KeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::pem::{self, SectionKind, SliceIter};
use zeroize::Zeroizing;

use crate::domain::Timestamp;
use crate::venue::Error;

use super::facts;

/// The header that names the key.
pub const KEY_HEADER: &str = "KALSHI-ACCESS-KEY";
/// The header with the time that was signed.
pub const TIMESTAMP_HEADER: &str = "KALSHI-ACCESS-TIMESTAMP";
/// The header with the signature in standard base64.
pub const SIGNATURE_HEADER: &str = "KALSHI-ACCESS-SIGNATURE";

/// What kind of key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA-PSS with SHA-256 and a salt of 32 bytes.
    Rsa,
    /// Pure Ed25519.
    Ed25519,
}

enum Key {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A key id and its private key.
pub struct Signer {
    key_id: String,
    key: Key,
    random: SystemRandom,
}

impl Signer {
    /// Reads a private key from the contents of a PEM file.
    pub fn from_pem(key_id: &str, pem_text: &str) -> Result<Self, Error> {
        let key_id = key_id.trim();
        if key_id.is_empty() || !key_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refuse("the key id is empty or holds characters that no key id has"));
        }
        let der = private_section(pem_text)?;
        let key = match algorithm_of(&der) {
            Some(Found::Ed25519) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
                .map(Key::Ed25519)
                .map_err(|_| refuse("the Ed25519 key is damaged"))?,
            Some(Found::Rsa) => rsa(RsaKeyPair::from_pkcs8(&der))?,
            Some(Found::Ec) => {
                return Err(refuse(
                    "this is an elliptic-curve (EC) key; kalshi takes RSA and Ed25519 keys",
                ));
            }
            // No algorithm is named in PKCS#1: it holds RSA keys and nothing else.
            None => rsa(RsaKeyPair::from_der(&der))?,
        };
        Ok(Self { key_id: key_id.to_owned(), key, random: SystemRandom::new() })
    }

    /// The key's public name.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// What kind of key it is.
    pub const fn algorithm(&self) -> Algorithm {
        match self.key {
            Key::Rsa(_) => Algorithm::Rsa,
            Key::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// The three headers of a request or handshake. `path` includes its prefix; a query is cut off.
    pub fn headers(
        &self,
        method: &str,
        path: &str,
        now: Timestamp,
    ) -> Result<[(&'static str, String); 3], Error> {
        let millis = now.millis().to_string();
        let path = path.split('?').next().unwrap_or_default();
        let message = format!("{millis}{}{path}", method.to_ascii_uppercase());
        let signature = self.sign(message.as_bytes())?;
        Ok([
            (KEY_HEADER, self.key_id.clone()),
            (TIMESTAMP_HEADER, millis),
            (SIGNATURE_HEADER, signature),
        ])
    }

    fn sign(&self, message: &[u8]) -> Result<String, Error> {
        match &self.key {
            Key::Ed25519(key) => Ok(STANDARD.encode(key.sign(message))),
            Key::Rsa(key) => {
                let mut bytes = vec![0; key.public_modulus_len()];
                key.sign(&signature::RSA_PSS_SHA256, &self.random, message, &mut bytes)
                    .map_err(|_| refuse("the RSA key could not sign"))?;
                Ok(STANDARD.encode(bytes))
            }
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}

fn refuse(text: &str) -> Error {
    Error::Key(text.to_owned())
}

fn rsa(key: Result<RsaKeyPair, aws_lc_rs::error::KeyRejected>) -> Result<Key, Error> {
    let least = facts::RSA_BITS_MIN;
    match key {
        Ok(key) if key.public_modulus_len() * 8 < least => Err(too_small(least)),
        Ok(key) => Ok(Key::Rsa(key)),
        Err(why) if why.to_string() == "TooSmall" => Err(too_small(least)),
        Err(_) => Err(refuse("the RSA key is damaged, or no private key at all")),
    }
}

fn too_small(least: usize) -> Error {
    Error::Key(format!("the RSA key is too small: kalshi's keys have {least} bits"))
}

/// The bytes of the first private key of a PEM text.
fn private_section(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let label = text.split("-----BEGIN ").nth(1).and_then(|rest| rest.split("-----").next());
    if label.is_none() {
        return Err(refuse("this is not a PEM file: no line begins with -----BEGIN"));
    }
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(refuse("the key is encrypted with a password; store it without one"));
    }
    let mut other = None;
    for section in SliceIter::<(SectionKind, Vec<u8>)>::new(text.as_bytes()) {
        let (kind, der) = section.map_err(|why| damaged(&why))?;
        let der = Zeroizing::new(der);
        match kind {
            SectionKind::PrivateKey | SectionKind::RsaPrivateKey => return Ok(der),
            SectionKind::EcPrivateKey => other = Some("an elliptic-curve (EC) key"),
            SectionKind::PublicKey => other = other.or(Some("a public key")),
            SectionKind::Certificate => other = other.or(Some("a certificate")),
            _ => {}
        }
    }
    let found = other.or(match label {
        Some("RSA PUBLIC KEY") => Some("a public key"),
        Some("OPENSSH PRIVATE KEY") => Some("a key in the format of OpenSSH"),
        _ => None,
    });
    let found = found.unwrap_or("something else");
    let text =
        format!("the file holds {found}; kalshi takes a private key, RSA or Ed25519, as PEM");
    Err(Error::Key(text))
}

fn damaged(why: &pem::Error) -> Error {
    let text = match why {
        pem::Error::MissingSectionEnd { .. } => "the PEM file is cut: its END line is missing",
        _ => "the PEM file is damaged: its contents are no base64 text",
    };
    refuse(text)
}

enum Found {
    Rsa,
    Ed25519,
    Ec,
}

/// The algorithm that a PKCS#8 key names near its beginning; `None` for PKCS#1, which names none.
fn algorithm_of(der: &[u8]) -> Option<Found> {
    /// A PKCS#8 key names its algorithm within the first bytes.
    const HEAD: usize = 32;
    const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
    const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    let head = &der[..der.len().min(HEAD)];
    let names = |oid: &[u8]| head.windows(oid.len()).any(|window| window == oid);
    if names(ED25519) {
        Some(Found::Ed25519)
    } else if names(RSA) {
        Some(Found::Rsa)
    } else if names(EC) {
        Some(Found::Ec)
    } else {
        None
    }
}

#[cfg(test)]
pub(super) mod tests;
