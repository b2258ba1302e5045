//! Whose wallet signs at Polymarket: its key, and the account that it opens.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{Conversions, Settings, WalletKind};
use crate::net::backoff::Backoff;
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
/// The first pause before it is asked for again, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));
/// How often it is asked for again.
const TRIES_MAX: u32 = 5;

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
    let found = ask(&client, || account::derive_api_key(clob, key, 0, clock::now())).await?;
    if let Ok(found) = account::parse_api_key(&found.body) {
        return Ok(found);
    }
    let made = ask(&client, || account::create_api_key(clob, key, 0, clock::now())).await?;
    account::parse_api_key(&made.body).map_err(|error| {
        anyhow::anyhow!("polymarket gave no API key (HTTP {}): {error}", made.status)
    })
}

/// Asks until the venue says something that will not be otherwise in a moment, or for
/// [`TRIES_MAX`] times: what stands alone waits for a trader that starts.
async fn ask(client: &http::Client, call: impl Fn() -> Call) -> anyhow::Result<http::Answer> {
    let mut backoff = Backoff::new(PAUSE.0, PAUSE.1, 0);
    loop {
        let error = match send(client, call()).await {
            Ok(answer) if answer.status < 500 && answer.status != 429 => return Ok(answer),
            Ok(answer) => anyhow::anyhow!("polymarket answers HTTP {}", answer.status),
            Err(error) => error,
        };
        if backoff.attempts() >= TRIES_MAX {
            return Err(
                error.context("polymarket's API key could not be asked for: try again later")
            );
        }
        let wait = backoff.wait();
        tracing::warn!("{error:#}; its API key is asked for again in {} ms", wait.as_millis());
        tokio::time::sleep(wait).await;
    }
}

async fn send(client: &http::Client, call: Call) -> Result<http::Answer, anyhow::Error> {
    let method = Method::from_bytes(call.method.as_bytes()).ok();
    let call =
        http::Call { url: call.url, headers: call.headers, json: call.body, method, keeps: &[] };
    client.send(call).await.context("polymarket did not answer")
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// The first account of every Anvil and Hardhat test chain, good for tests and nothing else.
    const TEST_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

    /// Answers each connection with one of these, and goes; the thread says how many it had.
    fn serve(answers: Vec<String>) -> (String, std::thread::JoinHandle<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = std::thread::spawn(move || {
            let mut had = 0;
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                had +=
                    lines.map_while(Result::ok).take_while(|line| !line.is_empty()).count().min(1);
                stream.write_all(answer.as_bytes()).unwrap();
            }
            had
        });
        (url, serving)
    }

    fn reply(status: u16, body: &str) -> String {
        let length = body.len();
        format!(
            "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    }

    #[tokio::test]
    async fn a_venue_that_fails_for_a_moment_is_asked_for_the_key_again() {
        let key = "{\"apiKey\":\"k\",\"secret\":\"c2VjcmV0\",\"passphrase\":\"p\"}";
        let answers = [reply(502, "bad gateway"), reply(429, "{}"), reply(200, key)];
        let (url, serving) = serve(answers.to_vec());
        api_key(&url, &Key::from_hex(TEST_KEY).unwrap()).await.unwrap();
        assert_eq!(serving.join().unwrap(), 3);
    }

    #[tokio::test]
    async fn a_key_that_is_refused_is_not_asked_for_again() {
        let (url, serving) = serve(vec![reply(404, "{}"), reply(401, "{}")]);
        let refused = api_key(&url, &Key::from_hex(TEST_KEY).unwrap()).await.unwrap_err();
        assert!(refused.to_string().contains("HTTP 401"), "{refused:#}");
        assert_eq!(serving.join().unwrap(), 2);
    }
}
