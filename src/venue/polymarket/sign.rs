//! Typed data of EIP-712 by hand, and the key that signs it.
//!
//! Three things are signed: the wish for API keys ([`Key::clob_auth`], L1), orders ([`order`]), and
//! every private request ([`hmac`], L2, which needs no key of a wallet). All of it is pure: the
//! same input brings the same bytes, because nonces follow from key and message (RFC 6979).
//!
//! Invariant: what does not change from order to order (type hashes, domain separators) is hashed
//! once, when the signer is made.

pub mod hmac;
pub mod order;
pub mod wallet;

use std::fmt;

use alloy_primitives::{Address, B256, FixedBytesSliceExt as _, U256, keccak256};
use k256::ecdsa::SigningKey;
use zeroize::Zeroizing;

use crate::domain::Timestamp;
use crate::venue::Error;

use super::facts;

/// The header with the address of the signing key.
pub const ADDRESS_HEADER: &str = "POLY_ADDRESS";
/// The header with the signature: hexadecimal for L1, base64 for L2.
pub const SIGNATURE_HEADER: &str = "POLY_SIGNATURE";
/// The header with the time in seconds that was signed.
pub const TIMESTAMP_HEADER: &str = "POLY_TIMESTAMP";
/// The header with the nonce of an L1 request.
pub const NONCE_HEADER: &str = "POLY_NONCE";

const DOMAIN_TYPE: &str = "EIP712Domain(string name,string version,uint256 chainId)";
const CLOB_AUTH_TYPE: &str =
    "ClobAuth(address address,string timestamp,uint256 nonce,string message)";
const CLOB_AUTH_NAME: &str = "ClobAuthDomain";
/// It stayed at 1 when orders moved on.
const CLOB_AUTH_VERSION: &str = "1";
const CLOB_AUTH_MESSAGE: &str = "This message attests that I control the given wallet";

/// The bytes of a signature: r, s, and a recovery byte of 27 or 28.
pub const SIGNATURE_BYTES: usize = 65;

/// The private key of a wallet and the address that follows from it.
pub struct Key {
    signing: SigningKey,
    address: Address,
}

impl Key {
    /// Reads 32 bytes of hexadecimal text, with or without `0x`.
    pub fn from_hex(text: &str) -> Result<Self, Error> {
        let refuse = |text: &str| Error::Key(text.to_owned());
        let text = text.trim();
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let mut bytes = Zeroizing::new([0; 32]);
        if digits.len() != 64
            || alloy_primitives::hex::decode_to_slice(digits, &mut *bytes).is_err()
        {
            return Err(refuse("a wallet key has 64 hexadecimal digits"));
        }
        let signing = SigningKey::from_slice(&*bytes)
            .map_err(|_| refuse("this number is no key: zero, or beyond the curve's order"))?;
        let point = signing.verifying_key().to_sec1_point(false);
        let address = Address::from_raw_public_key(&point.as_bytes()[1..]);
        Ok(Self { signing, address })
    }

    /// The address of the key's own account.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Signs a digest, with the low one of both possible `s`, as the contracts demand.
    pub fn sign(&self, digest: B256) -> [u8; SIGNATURE_BYTES] {
        let (signature, recovery) = self.signing.sign_prehash_recoverable(digest.as_slice());
        let mut bytes = [0; SIGNATURE_BYTES];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = 27 + u8::from(recovery.is_y_odd());
        bytes
    }

    /// The four headers of a request that makes, derives or lists API keys.
    pub fn clob_auth(&self, nonce: u64, now: Timestamp) -> [(&'static str, String); 4] {
        self.clob_auth_on(facts::CHAIN_ID, nonce, now)
    }

    fn clob_auth_on(&self, chain: u64, nonce: u64, now: Timestamp) -> [(&'static str, String); 4] {
        let seconds = now.secs().to_string();
        let domain = keccak_of(&[
            keccak256(DOMAIN_TYPE),
            keccak256(CLOB_AUTH_NAME),
            keccak256(CLOB_AUTH_VERSION),
            word(chain),
        ]);
        let message = keccak_of(&[
            keccak256(CLOB_AUTH_TYPE),
            self.address.into_word(),
            keccak256(&seconds),
            word(nonce),
            keccak256(CLOB_AUTH_MESSAGE),
        ]);
        let signature = self.sign(digest(domain, message));
        [
            (ADDRESS_HEADER, self.address.to_string()),
            (SIGNATURE_HEADER, alloy_primitives::hex::encode_prefixed(signature)),
            (TIMESTAMP_HEADER, seconds),
            (NONCE_HEADER, nonce.to_string()),
        ]
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("address", &self.address).finish_non_exhaustive()
    }
}

/// An address out of a person's hands: 40 hexadecimal digits, whose capitals, if there are both
/// kinds, are the checksum of EIP-55.
pub fn parse_address(text: &str) -> Result<Address, Error> {
    let text = text.trim();
    let wrong = |why: &str| Error::Key(format!("{text} is no address: {why}"));
    let digits = text.strip_prefix("0x").ok_or_else(|| wrong("it does not begin with 0x"))?;
    let address: Address = text.parse().map_err(|_| wrong("it has not 40 hexadecimal digits"))?;
    let has = |kind: fn(&u8) -> bool| digits.as_bytes().iter().any(kind);
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    if mixed && address.to_string() != text {
        return Err(wrong("its capitals are not its checksum, so a digit may be mistyped"));
    }
    Ok(address)
}

/// The digest that is signed for a struct in a domain.
pub(super) fn digest(domain: B256, message: B256) -> B256 {
    let mut bytes = [0; 66];
    bytes[..2].copy_from_slice(&[0x19, 0x01]);
    bytes[2..34].copy_from_slice(domain.as_slice());
    bytes[34..].copy_from_slice(message.as_slice());
    keccak256(bytes)
}

/// The hash of words one behind the other.
pub(super) fn keccak_of<const N: usize>(words: &[B256; N]) -> B256 {
    keccak256(words.as_flattened())
}

/// A number as a word.
pub(super) fn word(number: u64) -> B256 {
    B256::from(U256::from(number))
}

#[cfg(test)]
mod tests;
