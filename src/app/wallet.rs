//! Whose wallet signs at Polymarket: its key, and the account that it opens.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{Conversions, Settings, WalletKind};
use crate::net::http::{self, Method};
use crate::venue::gateway::Call;
use crate::venue::polymarket::account::{self, Account};
use crate::venue::polymarket::sign::Key;
use crate::venue::polymarket::sign::hmac::Credentials as ApiKey;
use crate::venue::polymarket::sign::order::Wallet;

use super::clock;
use super::exit::Misuse;

/// How long making or finding an API key may take.
const KEY_MAX: Duration = Duration::from_secs(15);

/// The key of a wallet, read and checked; nothing was asked of the venue.
#[derive(Debug)]
pub struct Signer {
    key: Key,
}

impl Signer {
    /// Reads the key that the settings name.
    pub fn read(settings: &Settings) -> anyhow::Result<Self> {
        let Some(path) = &settings.polymarket.wallet.key_file else {
            let text = "no wallet key: name its file in CROSSBOOK_POLYMARKET_WALLET_KEY_FILE, or \
                        as `wallet_key_file` under [polymarket]";
            return Err(Misuse(text.to_owned()).into());
        };
        let path = Path::new(path);
        let text = std::fs::read_to_string(path).map_err(|error| {
            Misuse(format!("cannot read the wallet key file `{}`: {error}", path.display()))
        })?;
        super::commands::watch::check_mode(path);
        let text = SecretString::from(text);
        let key = Key::from_hex(text.expose_secret().trim()).map_err(|error| {
            Misuse(format!("the wallet key file `{}` is not usable: {error}", path.display()))
        })?;
        Ok(Self { key })
    }

    /// The address that holds the funds.
    pub fn holder(&self, settings: &Settings) -> String {
        let named = settings.polymarket.wallet.address.as_deref();
        named.map_or_else(|| self.key.address().to_string(), str::to_owned).to_lowercase()
    }

    /// The account; its API key follows from the wallet's, and is made or found at the venue.
    pub async fn account(self, settings: &Settings) -> anyhow::Result<Account> {
        let wallet = &settings.polymarket.wallet;
        let api_key = api_key(&settings.polymarket.clob, &self.key).await?;
        let kind = match wallet.kind {
            WalletKind::Eoa => Wallet::Eoa,
            WalletKind::Proxy => Wallet::Proxy,
            WalletKind::Safe => Wallet::Safe,
            WalletKind::Deposit => Wallet::Deposit,
        };
        let made = Account::new(self.key, kind, wallet.address.as_deref(), api_key);
        let made = made.map_err(|error| Misuse(format!("the wallet is not usable: {error}")))?;
        // The embedded exchange takes any wallet for the key's.
        if settings.polymarket.conversions == Conversions::User
            && let Some(why) = made.doubt()
        {
            tracing::warn!("{why}; see `wallet` and `wallet_kind` under [polymarket]");
        }
        Ok(made)
    }
}

/// Finds the API key of a wallet, or makes one where there is none yet.
async fn api_key(clob: &str, key: &Key) -> anyhow::Result<ApiKey> {
    let client = http::Client::new(KEY_MAX).context("cannot prepare requests")?;
    let now = clock::now();
    let found = send(&client, account::derive_api_key(clob, key, 0, now)).await?;
    if let Ok(found) = account::parse_api_key(&found.body) {
        return Ok(found);
    }
    let made = send(&client, account::create_api_key(clob, key, 0, now)).await?;
    account::parse_api_key(&made.body).map_err(|error| {
        anyhow::anyhow!("polymarket gave no API key (HTTP {}): {error}", made.status)
    })
}

async fn send(client: &http::Client, call: Call) -> anyhow::Result<http::Answer> {
    let method = Method::from_bytes(call.method.as_bytes()).ok();
    let call = http::Call { url: call.url, headers: call.headers, json: call.body, method };
    client.send(call).await.context("polymarket's API key could not be asked for")
}
