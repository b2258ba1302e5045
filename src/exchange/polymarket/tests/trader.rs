//! A client with the test wallet's key, as the tests of the trading side need it.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};

use super::super::access::ApiKey;
use super::super::sign::{Address, Contract, SignedOrder, WalletKind, unhex};
use super::*;
use crate::domain::Money;

const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/// An order as a test words it.
#[derive(Clone)]
pub(super) struct Ticket {
    pub(super) outcome: Outcome,
    pub(super) side: &'static str,
    /// Micro-dollars for a BUY, micro-shares for a SELL.
    pub(super) maker: u64,
    pub(super) taker: u64,
    pub(super) kind: &'static str,
    pub(super) post_only: bool,
    pub(super) expiration: i64,
    pub(super) contract: Contract,
    pub(super) salt: Option<u64>,
}

/// A BUY that takes: cents of collateral at a limit, shares rounded down to four decimals.
pub(super) fn take(outcome: Outcome, cents: u64, limit: &str) -> Ticket {
    let units = u64::from(price(limit).units());
    let shares = cents * 10_000 * 10_000 / units / 100 * 100;
    ticket(outcome, "BUY", cents * 10_000, shares, "FAK")
}

/// An order by whole shares.
pub(super) fn rest(outcome: Outcome, side: &'static str, count: u64, limit: &str) -> Ticket {
    let dollars = count * u64::from(price(limit).units()) * 100;
    let shares = count * 1_000_000;
    match side {
        "BUY" => ticket(outcome, side, dollars, shares, "GTC"),
        _ => ticket(outcome, side, shares, dollars, "GTC"),
    }
}

fn ticket(
    outcome: Outcome,
    side: &'static str,
    maker: u64,
    taker: u64,
    kind: &'static str,
) -> Ticket {
    let contract = Contract::Standard;
    let (post_only, expiration, salt) = (false, 0, None);
    Ticket { outcome, side, maker, taker, kind, post_only, expiration, contract, salt }
}

impl Ticket {
    pub(super) fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }
}

/// The rig with a key and the wallet that goes with it.
pub(super) struct Trader {
    pub(super) rig: Rig,
    pub(super) key: ApiKey,
    salt: u64,
}

impl Trader {
    pub(super) fn new() -> Self {
        let mut rig = Rig::new(2);
        let key = rig.core.api_key(0);
        Self { rig, key, salt: 479_249_096_354 }
    }

    /// A signed request on a host.
    pub(super) fn ask(&mut self, method: &str, target: &str, body: &str) -> Reply {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let stamp = self.rig.now.secs().to_string();
        let secret = URL_SAFE.decode(&self.key.secret).unwrap();
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let signature = hmac::sign(&secret, format!("{stamp}{method}{path}{body}").as_bytes());
        let headers: Vec<(String, String)> = [
            (HOST, "clob"),
            ("poly_address", &Address::ANVIL.to_string()),
            ("poly_signature", &URL_SAFE.encode(signature.as_ref())),
            ("poly_timestamp", &stamp),
            ("poly_api_key", &self.key.key),
            ("poly_passphrase", &self.key.passphrase),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        let body = body.as_bytes();
        let request = Request { method, path, query, headers: &headers, body };
        let Rig { core, floor, now, out } = &mut self.rig;
        core.request(&request, floor, *now, out)
    }

    pub(super) fn read(&mut self, target: &str) -> Value {
        let reply = self.ask("GET", target, "");
        assert_eq!(reply.status, 200, "{target}: {}", reply.body);
        serde_json::from_str(&reply.body).unwrap()
    }

    /// The body that posts an order in market 0, signed.
    pub(super) fn body(&mut self, ticket: &Ticket) -> Value {
        self.salt += 1;
        let salt = ticket.salt.unwrap_or(self.salt);
        let token = token(0, ticket.outcome);
        let mut order = SignedOrder {
            salt,
            maker: Address::ANVIL,
            signer: Address::ANVIL,
            token: token.parse().unwrap(),
            maker_amount: ticket.maker,
            taker_amount: ticket.taker,
            side: u8::from(ticket.side == "SELL"),
            kind: WalletKind::Eoa,
            timestamp: 1_763_800_000_000,
            metadata: [0; 32],
            builder: [0; 32],
        };
        let signature = sign(&mut order, ticket.contract);
        let zero = format!("0x{}", "0".repeat(64));
        json!({
            "deferExec": false,
            "postOnly": ticket.post_only,
            "order": {
                "salt": salt,
                "maker": Address::ANVIL.to_string(),
                "signer": Address::ANVIL.to_string(),
                "tokenId": token,
                "makerAmount": ticket.maker.to_string(),
                "takerAmount": ticket.taker.to_string(),
                "side": ticket.side,
                "signatureType": 0,
                "timestamp": "1763800000000",
                "expiration": ticket.expiration.to_string(),
                "metadata": zero,
                "builder": zero,
                "signature": signature,
            },
            "owner": self.key.key,
            "orderType": ticket.kind,
        })
    }

    pub(super) fn post(&mut self, ticket: &Ticket) -> Reply {
        let body = self.body(ticket).to_string();
        self.ask("POST", "/order", &body)
    }

    /// Posts an order that is taken.
    pub(super) fn posted(&mut self, ticket: &Ticket) -> Value {
        let reply = self.post(ticket);
        assert_eq!(reply.status, 200, "{}", reply.body);
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(body["success"], true, "{body}");
        assert_eq!(body["errorMsg"], "", "{body}");
        body
    }

    /// Posts an order that is refused with 400; says why.
    pub(super) fn refused(&mut self, ticket: &Ticket) -> String {
        let reply = self.post(ticket);
        assert_eq!(reply.status, 400, "{}", reply.body);
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        text(&body["error"])
    }

    pub(super) fn cash(&self) -> Money {
        self.rig.core.statement(&self.rig.floor).cash_total()
    }

    pub(super) fn held(&self, outcome: Outcome) -> Quantity {
        let statement = self.rig.core.statement(&self.rig.floor);
        let found =
            statement.positions.iter().find(|(market, held, _)| *market == 0 && *held == outcome);
        found.map_or(Quantity::ZERO, |(_, _, quantity)| *quantity)
    }

    /// Lets time pass in the steps of the servers.
    pub(super) fn wait(&mut self, millis: u64) {
        let step = if millis > 5_000 { 100 } else { 20 };
        for _ in 0..millis.div_ceil(step) {
            self.rig.tick(Duration::from_millis(step));
        }
    }

    /// A connection to the user channel that has proved its key.
    pub(super) fn listen(&mut self, connection: u64) -> Connection {
        let request =
            Request { method: "GET", path: "/ws/user", query: "", headers: &[], body: &[] };
        self.rig.core.open(Connection(connection), &request, self.rig.now).unwrap();
        let auth = json!({
            "apiKey": self.key.key,
            "secret": self.key.secret,
            "passphrase": self.key.passphrase,
        });
        let message = json!({ "type": "user", "auth": auth, "markets": [] });
        self.rig.say(Connection(connection), &message.to_string());
        Connection(connection)
    }
}

fn sign(order: &mut SignedOrder, contract: Contract) -> String {
    let key = SigningKey::from_slice(&unhex(KEY).unwrap()).unwrap();
    let (signature, id) = key.sign_prehash_recoverable(&order.hash(contract));
    let mut bytes = signature.to_bytes().to_vec();
    bytes.push(27 + id.to_byte());
    format!("0x{}", super::super::super::hex(&bytes))
}

pub(super) fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}
