//! Whose orders these are: the key that signs, the wallet that pays, the API key that asks.

use std::fmt;

use alloy_primitives::Address;
use serde::Deserialize;

use crate::domain::{Timestamp, Venue};
use crate::venue::Error;
use crate::venue::gateway::{Call, Class, Subject};

use super::error::unreadable;
use super::sign::hmac::Credentials;
use super::sign::order::Wallet;
use super::sign::wallet::wallets_of;
use super::sign::{Key, parse_address};
use super::{encode, facts};

/// Everything that trading needs to know of an account.
pub struct Account {
    key: Key,
    wallet: Wallet,
    maker: Address,
    credentials: Credentials,
    /// As headers and bodies write them.
    address_text: String,
    maker_text: String,
}

impl Account {
    /// Puts the parts together; `maker` is the wallet that holds the funds, and may be left out
    /// where that is the key's own account.
    pub fn new(
        key: Key,
        wallet: Wallet,
        maker: Option<&str>,
        credentials: Credentials,
    ) -> Result<Self, Error> {
        let own = key.address();
        let maker = maker.map(parse_address).transpose()?;
        let maker = match (wallet, maker) {
            (Wallet::Eoa, None) => own,
            (Wallet::Eoa, Some(maker)) if maker == own => own,
            (Wallet::Eoa, Some(_)) => {
                let text = "the wallet is the key's own account, but another address is named";
                return Err(Error::Key(text.to_owned()));
            }
            (_, Some(maker)) if maker != own => maker,
            (_, _) => {
                let text = "a wallet that is a contract has an address other than the key's";
                return Err(Error::Key(text.to_owned()));
            }
        };
        let (address_text, maker_text) = (own.to_string(), maker.to_string());
        Ok(Self { key, wallet, maker, credentials, address_text, maker_text })
    }

    /// Why the venue is not going to find the funds: the wallet that is named is not the one that
    /// it derives from the key and the kind of the wallet.
    pub fn doubt(&self) -> Option<String> {
        let made = wallets_of(self.wallet, self.key.address());
        if made.contains(&self.maker) {
            return None;
        }
        let made: Vec<String> = made.iter().map(ToString::to_string).collect();
        Some(format!(
            "the wallet {} is not the {} of the key's address {}, which is {}: the venue looks \
             for funds there",
            self.maker_text,
            self.wallet.name(),
            self.address_text,
            made.join(" or ")
        ))
    }

    /// The key of the wallet.
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// What kind of wallet holds the funds.
    pub const fn wallet(&self) -> Wallet {
        self.wallet
    }

    /// The wallet that holds the funds.
    pub const fn maker(&self) -> Address {
        self.maker
    }

    /// The wallet that holds the funds, as text.
    pub fn maker_text(&self) -> &str {
        &self.maker_text
    }

    /// The address that the venue checks an order's signature against.
    pub const fn signer(&self) -> Address {
        match self.wallet {
            Wallet::Eoa | Wallet::Proxy | Wallet::Safe => self.key.address(),
            Wallet::Deposit => self.maker,
        }
    }

    /// The same as text.
    pub fn signer_text(&self) -> &str {
        match self.wallet {
            Wallet::Eoa | Wallet::Proxy | Wallet::Safe => &self.address_text,
            Wallet::Deposit => &self.maker_text,
        }
    }

    /// The API key.
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The headers of a private request.
    pub fn headers(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        now: Timestamp,
    ) -> Vec<(&'static str, String)> {
        self.credentials.headers(&self.address_text, method, path, body, now)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("wallet", &self.wallet)
            .field("maker", &self.maker_text)
            .finish_non_exhaustive()
    }
}

/// The request that makes an API key; the venue refuses it when there is one for this nonce.
pub fn create_api_key(clob_url: &str, key: &Key, nonce: u64, now: Timestamp) -> Call {
    l1(clob_url, "POST", "/auth/api-key", key, nonce, now)
}

/// The request for the API key that was made with this nonce.
pub fn derive_api_key(clob_url: &str, key: &Key, nonce: u64, now: Timestamp) -> Call {
    l1(clob_url, "GET", "/auth/derive-api-key", key, nonce, now)
}

/// The request for the names of all API keys.
pub fn list_api_keys(clob_url: &str, account: &Account, now: Timestamp) -> Call {
    l2(clob_url, "GET", "/auth/api-keys", account, now)
}

/// The request that ends the API key that signs it.
pub fn delete_api_key(clob_url: &str, account: &Account, now: Timestamp) -> Call {
    l2(clob_url, "DELETE", "/auth/api-key", account, now)
}

fn l1(
    base: &str,
    method: &'static str,
    path: &'static str,
    key: &Key,
    nonce: u64,
    now: Timestamp,
) -> Call {
    let headers = key.clob_auth(nonce, now).into();
    bare(encode::url(base, path, &[]), method, path, headers)
}

fn l2(
    base: &str,
    method: &'static str,
    path: &'static str,
    account: &Account,
    now: Timestamp,
) -> Call {
    let headers = account.headers(method, path, None, now);
    bare(encode::url(base, path, &[]), method, path, headers)
}

const fn bare(
    url: String,
    method: &'static str,
    path: &'static str,
    headers: Vec<(&'static str, String)>,
) -> Call {
    Call {
        venue: Venue::Polymarket,
        subject: Subject::Other(path, String::new()),
        class: Class::Read,
        cost: 1,
        method,
        url,
        headers,
        body: None,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    api_key: String,
    secret: String,
    passphrase: String,
}

/// Reads the answer to [`create_api_key`] and [`derive_api_key`]. What could not be read is not
/// shown: it may hold a secret.
pub fn parse_api_key(body: &str) -> Result<Credentials, Error> {
    let made: Made = serde_json::from_str(body).map_err(|_| {
        super::error::malformed("API key", "json", "not an object with key, secret and pass phrase")
    })?;
    Credentials::new(&made.api_key, made.secret.into(), made.passphrase.into())
}

/// Reads the answer to [`list_api_keys`].
pub fn parse_api_keys(body: &str) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct List {
        api_keys: Vec<String>,
    }
    let list: List = serde_json::from_str(body).map_err(|why| unreadable("API keys", &why))?;
    Ok(list.api_keys)
}

/// The nonce that API keys are made with unless one was lost.
pub const NONCE: u64 = facts::API_KEY_NONCE;

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const HEX: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    const SAFE: &str = "0xd93B25cb943D14d0d34FBaF01Fc93a0f8b5F6E47";

    fn key() -> Key {
        Key::from_hex(HEX).unwrap()
    }

    fn credentials() -> Credentials {
        let secret = "-yBFao-02f4jSG2St9wBJktwlbrfBClOc5i94gcsUXY=".to_owned();
        let id = "00000000-0000-0000-0000-000000000001";
        Credentials::new(id, secret.into(), "pass".to_owned().into()).unwrap()
    }

    #[test]
    fn the_wallet_must_fit_its_kind() {
        let make = |wallet, maker| Account::new(key(), wallet, maker, credentials());
        let own = key().address().to_string();
        assert_eq!(make(Wallet::Eoa, None).unwrap().maker_text(), own);
        assert!(make(Wallet::Eoa, Some(&own)).is_ok());
        assert!(make(Wallet::Eoa, Some(SAFE)).is_err());
        assert!(make(Wallet::Safe, None).is_err());
        assert!(make(Wallet::Safe, Some(&own)).is_err());
        assert_eq!(make(Wallet::Safe, Some(SAFE)).unwrap().signer_text(), own);
        assert_eq!(make(Wallet::Deposit, Some(SAFE)).unwrap().signer_text(), SAFE);
    }

    #[test]
    fn a_wallet_that_is_not_the_keys_own_is_told() {
        let file = include_str!("../../../tests/data/polymarket/vectors/wallets.json");
        let file: Value = serde_json::from_str(file).unwrap();
        assert_eq!(file["owner"], key().address().to_string());
        let all = [
            (Wallet::Proxy, "proxy_wallet_type1"),
            (Wallet::Safe, "safe_wallet_type2"),
            (Wallet::Deposit, "deposit_wallet_type3_uups"),
            (Wallet::Deposit, "deposit_wallet_type3_beacon"),
        ];
        let doubt = |kind, address: &str| {
            Account::new(key(), kind, Some(address), credentials()).unwrap().doubt()
        };
        for (kind, _) in all {
            for (other, field) in all {
                let address = file[field].as_str().unwrap();
                let found = doubt(kind, &address.to_lowercase());
                assert_eq!(found.is_none(), kind == other, "{kind:?} {field}: {found:?}");
            }
        }
        let text = doubt(Wallet::Safe, "0x1111111111111111111111111111111111111111").unwrap();
        assert!(text.contains(file["safe_wallet_type2"].as_str().unwrap()), "{text}");
        assert!(Account::new(key(), Wallet::Eoa, None, credentials()).unwrap().doubt().is_none());
    }

    #[test]
    fn an_account_shows_no_secret() {
        let account = Account::new(key(), Wallet::Eoa, None, credentials()).unwrap();
        let shown = format!("{account:?} {:?}", delete_api_key("x", &account, Timestamp::ZERO));
        for secret in [&HEX[..8], "-yBFao", "pass"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn api_keys_are_asked_for_as_the_official_client_does() {
        let file = include_str!("../../../tests/data/polymarket/vectors/wire.json");
        let file: Value = serde_json::from_str(file).unwrap();
        let now = Timestamp::from_secs(1_795_343_349);
        let calls = [
            ("createApiKey", create_api_key("https://x", &key(), NONCE, now)),
            ("deriveApiKey", derive_api_key("https://x", &key(), NONCE, now)),
        ];
        for (name, call) in calls {
            let requests = file["requests"].as_array().unwrap();
            let seen = requests.iter().find(|request| request["call"] == name).unwrap();
            assert_eq!(seen["method"], call.method);
            assert_eq!(call.url, format!("https://x{}", seen["url"].as_str().unwrap()));
            for (header, value) in &call.headers {
                assert_eq!(seen["headers"][header.to_lowercase()], *value, "{header}");
            }
        }
    }

    #[test]
    fn answers_about_api_keys_are_read_and_never_shown() {
        let good = r#"{"apiKey":"k-1","secret":"AAAA","passphrase":"p"}"#;
        assert_eq!(parse_api_key(good).unwrap().api_key(), "k-1");
        let bad = parse_api_key(r#"{"apiKey":"k-1","secret":"SECRET"}"#).unwrap_err();
        assert!(!bad.to_string().contains("SECRET"), "{bad}");
        assert_eq!(parse_api_keys(r#"{"apiKeys":["a","b"]}"#).unwrap(), ["a", "b"]);
        assert!(parse_api_keys("[]").is_err());
    }
}
