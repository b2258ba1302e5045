//! The API key that signs every private request (L2).
//!
//! Signed is `seconds ++ METHOD ++ path ++ body`: the path without host and without query, the body
//! exactly as it is sent.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::alphabet::URL_SAFE as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::domain::Timestamp;
use crate::venue::Error;

use super::{ADDRESS_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// The header that names the API key.
pub const API_KEY_HEADER: &str = "POLY_API_KEY";
/// The header with the API key's pass phrase.
pub const PASSPHRASE_HEADER: &str = "POLY_PASSPHRASE";

/// Venues and people write keys with and without the padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// An API key with its secrets, ready to sign.
pub struct Credentials {
    api_key: String,
    secret: SecretString,
    passphrase: SecretString,
    key: hmac::Key,
}

impl Credentials {
    /// Takes the three parts as the venue gave them.
    pub fn new(
        api_key: &str,
        secret: SecretString,
        passphrase: SecretString,
    ) -> Result<Self, Error> {
        let refuse = |text: &str| Error::Key(text.to_owned());
        let api_key = api_key.trim();
        // It stands in JSON and in a header as it is.
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if api_key.is_empty() || !api_key.bytes().all(is_id) {
            return Err(refuse("the API key is empty or holds characters that no key has"));
        }
        if !passphrase.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refuse("the pass phrase holds characters that no pass phrase has"));
        }
        let text =
            Zeroizing::new(secret.expose_secret().trim().replace('+', "-").replace('/', "_"));
        let bytes = LENIENT
            .decode(text.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| refuse("the secret of the API key is not base64"))?;
        if bytes.is_empty() {
            return Err(refuse("the secret of the API key is empty"));
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        Ok(Self { api_key: api_key.to_owned(), secret, passphrase, key })
    }

    /// The API key's public name: what orders call their owner.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The first frame of the private channel. It holds the secrets in clear: it goes out inside
    /// TLS and nowhere else.
    pub(in crate::venue::polymarket) fn expose(&self) -> (&str, &str) {
        (self.secret.expose_secret(), self.passphrase.expose_secret())
    }

    /// The signature of a request, in base64 with padding.
    pub fn sign(&self, seconds: &str, method: &str, path: &str, body: Option<&str>) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(seconds.as_bytes());
        context.update(method.as_bytes());
        context.update(path.split('?').next().unwrap_or_default().as_bytes());
        context.update(body.unwrap_or_default().as_bytes());
        URL_SAFE.encode(context.sign())
    }

    /// The five headers of a request. `address` is the one of the signing key, whichever wallet
    /// holds the funds.
    pub fn headers(
        &self,
        address: &str,
        method: &str,
        path: &str,
        body: Option<&str>,
        now: Timestamp,
    ) -> Vec<(&'static str, String)> {
        let seconds = now.secs().to_string();
        let signature = self.sign(&seconds, method, path, body);
        vec![
            (ADDRESS_HEADER, address.to_owned()),
            (SIGNATURE_HEADER, signature),
            (TIMESTAMP_HEADER, seconds),
            (API_KEY_HEADER, self.api_key.clone()),
            (PASSPHRASE_HEADER, self.passphrase.expose_secret().to_owned()),
        ]
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}
