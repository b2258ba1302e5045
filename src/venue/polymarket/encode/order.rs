//! Orders, cancels and signs of life, as the official clients write them.
//!
//! Keys stand in the order of the TypeScript client. Order does not matter to the venue; that the
//! bytes signed are the bytes sent does, so a body is text from here on.

use std::time::Duration;

use alloy_primitives::hex;
use serde::Serialize;

use crate::domain::{Action, Lifetime, Timestamp};
use crate::venue::polymarket::facts;
use crate::venue::polymarket::sign::order::{Fields, Signed};

use super::json;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Post<'a> {
    defer_exec: bool,
    post_only: bool,
    order: Order<'a>,
    owner: &'a str,
    order_type: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Order<'a> {
    salt: u64,
    maker: &'a str,
    signer: &'a str,
    token_id: &'a str,
    maker_amount: String,
    taker_amount: String,
    side: &'static str,
    signature_type: u8,
    timestamp: String,
    expiration: String,
    metadata: String,
    builder: String,
    signature: String,
}

/// What an order says beside the fields that are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms<'a> {
    /// The wallet that holds the funds, in the form whose capitals are a checksum.
    pub maker: &'a str,
    /// The signer, likewise.
    pub signer: &'a str,
    /// The token as decimal text.
    pub token: &'a str,
    /// The API key.
    pub owner: &'a str,
    /// How long it lives.
    pub kind: Kind,
}

/// The venue's kinds of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rests until it is cancelled: `GTC`.
    Resting,
    /// Rests until this second, of which the venue takes off a minute: `GTD`.
    RestingUntil(u64),
    /// Takes what is there, the rest is dropped: `FAK`.
    Immediate,
    /// Takes all or nothing: `FOK`.
    AllOrNothing,
}

impl From<Lifetime> for Kind {
    fn from(lifetime: Lifetime) -> Self {
        match lifetime {
            Lifetime::Immediate => Self::Immediate,
            Lifetime::AllOrNothing => Self::AllOrNothing,
            Lifetime::Resting => Self::Resting,
        }
    }
}

impl Kind {
    /// An order that rests for so long after it was decided `at`, at the most.
    ///
    /// The venue ends it a minute before the second that it names, and refuses one that names a
    /// second too near by its clock when the request arrives. What it would refuse is not built.
    pub fn resting_for(span: Duration, at: Timestamp, now: Timestamp) -> Result<Self, String> {
        /// A request may be under way for so long, or the clocks may differ by as much.
        const SLACK: Duration = Duration::from_secs(10);
        let named = at.after(span).after(facts::RESTING_CUT).secs();
        if named < now.after(facts::RESTING_AHEAD_MIN).after(SLACK).secs() {
            let left = named - facts::RESTING_CUT.as_secs().cast_signed() - now.secs();
            return Err(format!("the venue takes no order that would end in {left} s"));
        }
        u64::try_from(named).map(Self::RestingUntil).map_err(|_| "it ends before 1970".to_owned())
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Resting => "GTC",
            Self::RestingUntil(_) => "GTD",
            Self::Immediate => "FAK",
            Self::AllOrNothing => "FOK",
        }
    }
}

/// The body of `POST /order`.
pub fn post_order(fields: &Fields, signed: &Signed, terms: Terms<'_>) -> String {
    let expiration = match terms.kind {
        Kind::RestingUntil(second) => second,
        Kind::Resting | Kind::Immediate | Kind::AllOrNothing => 0,
    };
    json(&Post {
        defer_exec: false,
        post_only: false,
        order: Order {
            salt: fields.salt,
            maker: terms.maker,
            signer: terms.signer,
            token_id: terms.token,
            maker_amount: fields.maker_amount.to_string(),
            taker_amount: fields.taker_amount.to_string(),
            side: match fields.action {
                Action::Buy => "BUY",
                Action::Sell => "SELL",
            },
            signature_type: fields.wallet.number(),
            timestamp: fields.timestamp_ms.to_string(),
            expiration: expiration.to_string(),
            metadata: hex::encode_prefixed(fields.metadata),
            builder: hex::encode_prefixed(fields.builder),
            signature: hex::encode_prefixed(&signed.signature),
        },
        owner: terms.owner,
        order_type: terms.kind.name(),
    })
}

/// The body of `POST /orders` out of those of single orders; `None` for none or too many.
pub fn post_orders(bodies: &[String]) -> Option<String> {
    let fits = !bodies.is_empty() && bodies.len() <= facts::ORDERS_MAX;
    fits.then(|| format!("[{}]", bodies.join(",")))
}

/// The body of `DELETE /order`.
pub fn cancel_order(id: &str) -> String {
    #[derive(Serialize)]
    struct Cancel<'a> {
        #[serde(rename = "orderID")]
        order_id: &'a str,
    }
    json(&Cancel { order_id: id })
}

/// The body of `DELETE /orders`; `None` for none or too many.
pub fn cancel_orders(ids: &[&str]) -> Option<String> {
    let fits = !ids.is_empty() && ids.len() <= facts::CANCELS_MAX;
    fits.then(|| json(&ids))
}

/// The body of `DELETE /cancel-market-orders`. It takes back every order of the account in a
/// market, also those that this program did not place.
pub fn cancel_market_orders(condition: &str, token: &str) -> String {
    #[derive(Serialize)]
    struct Cancel<'a> {
        market: &'a str,
        asset_id: &'a str,
    }
    json(&Cancel { market: condition, asset_id: token })
}

/// The body of `POST /v1/heartbeats`: the id of the answer before, empty at first.
pub fn heartbeat(id: &str) -> String {
    #[derive(Serialize)]
    struct Heartbeat<'a> {
        heartbeat_id: &'a str,
    }
    json(&Heartbeat { heartbeat_id: id })
}

/// The first frame of the user channel. It holds the secrets in clear and is never logged.
pub fn user_hello(api_key: &str, secret: &str, passphrase: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Auth<'a> {
        api_key: &'a str,
        secret: &'a str,
        passphrase: &'a str,
    }
    #[derive(Serialize)]
    struct Hello<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        auth: Auth<'a>,
        /// Empty means all.
        markets: [&'a str; 0],
    }
    json(&Hello { kind: "user", auth: Auth { api_key, secret, passphrase }, markets: [] })
}

#[cfg(test)]
mod tests;
