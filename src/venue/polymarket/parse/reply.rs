//! Answers to what we asked for: orders, cancels, signs of life, money, permission.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::report::{Rest, Total};
use crate::domain::{Action, Lifetime, Money, Quantity};
use crate::venue::Error;
use crate::venue::polymarket::error::{malformed, unreadable};
use crate::venue::polymarket::wire::account::{Raw, plain};

use super::account::{cut, quantity, time};

/// How the venue took an order in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It rests.
    Live,
    /// It met others at once.
    Matched,
    /// The market's delay runs first.
    Delayed,
}

/// An order that the venue has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its name.
    pub id: String,
    /// How it was taken in.
    pub standing: Standing,
    /// What it matched, where told: what we gave, what we got, in millionths.
    pub amounts: Option<(i64, i64)>,
    /// The trades that came of it.
    pub trades: Vec<String>,
}

/// Reads the answer to `POST /order`. `None` for everything that is not an acceptance: `success`
/// may be true beside an error and without an order (rs-clob-client issue 114, 2026-01-07).
pub fn accepted(body: &str) -> Option<Accepted> {
    let body: Value = serde_json::from_str(body).ok()?;
    let text = |field: &str| body[field].as_str().unwrap_or_default();
    let has_error = ["errorMsg", "error", "error_msg"]
        .into_iter()
        .any(|field| !body[field].is_null() && body[field] != "");
    let id = text("orderID");
    if body["success"] != true || has_error || id.is_empty() {
        return None;
    }
    let standing = match text("status").to_ascii_lowercase().as_str() {
        "live" => Standing::Live,
        "matched" => Standing::Matched,
        "delayed" => Standing::Delayed,
        _ => return None,
    };
    let amount = |field: &str| cut(text(field), 6).filter(|amount| *amount > 0);
    let names = body["tradeIDs"].as_array().into_iter().flatten();
    Some(Accepted {
        id: id.to_owned(),
        standing,
        amounts: amount("makingAmount").zip(amount("takingAmount")),
        trades: names.filter_map(Value::as_str).map(str::to_owned).collect(),
    })
}

impl Accepted {
    /// What it filled, where the answer tells.
    pub fn total(&self, action: Action) -> Option<Total> {
        let (gave, got) = self.amounts?;
        let (shares, dollars) = match action {
            Action::Buy => (got, gave),
            Action::Sell => (gave, got),
        };
        let quantity = Quantity::from_units(shares)?;
        Some(Total { quantity, money: Money::from_micros(dollars) })
    }

    /// What may still come of it. An order that may rest and met others may rest with the
    /// remainder, unless all that it asked for came.
    pub fn rest(&self, lifetime: Lifetime, is_whole: impl FnOnce() -> bool) -> Rest {
        match (self.standing, lifetime) {
            (Standing::Delayed, _) => Rest::Delayed,
            (Standing::Live, _) => Rest::Resting,
            (Standing::Matched, Lifetime::Immediate | Lifetime::AllOrNothing) => Rest::Nothing,
            (Standing::Matched, Lifetime::Resting) if is_whole() => Rest::Nothing,
            (Standing::Matched, Lifetime::Resting) => Rest::Resting,
        }
    }
}

/// What became of cancels: those that were taken back, and those that were not, with reasons.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Cancelled {
    /// Orders that are gone now.
    pub canceled: Vec<String>,
    /// Orders that are not, and why.
    pub not_canceled: BTreeMap<String, String>,
}

/// Reads the answer to a cancel.
pub fn cancelled(body: &str) -> Result<Cancelled, Error> {
    serde_json::from_str(body).map_err(|why| unreadable("cancel", &why))
}

/// The id that the next sign of life has to carry: in the answer to a good one, and in the refusal
/// of a wrong one.
pub fn heartbeat_id(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    body["heartbeat_id"].as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

/// Collateral that can be spent, out of `/balance-allowance`: an integer of millionths.
pub fn balance(body: &str) -> Result<Money, Error> {
    #[derive(Deserialize)]
    struct Balance<'a> {
        #[serde(borrow, default)]
        balance: Raw<'a>,
    }
    let read: Balance<'_> =
        serde_json::from_str(body).map_err(|why| unreadable("balance-allowance", &why))?;
    let text = plain(read.balance);
    let micros = text.split('.').next().unwrap_or_default().parse();
    micros.map(Money::from_micros).map_err(|_| malformed("balance-allowance", "balance", text))
}

/// A position out of `/v2/positions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The token.
    pub token: String,
    /// The condition id.
    pub market: String,
    /// How many shares.
    pub quantity: Quantity,
    /// Whether the market has resolved, for it or against it.
    pub is_resolved: bool,
}

/// Reads one row of `/v2/positions`.
pub fn held(raw: &RawValue) -> Result<Held, Error> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Row<'a> {
        #[serde(borrow, alias = "asset", alias = "asset_id")]
        token_id: Raw<'a>,
        #[serde(borrow)]
        condition_id: Raw<'a>,
        #[serde(borrow, alias = "size")]
        current_size: Raw<'a>,
        #[serde(borrow)]
        status: Raw<'a>,
    }
    let row: Row<'_> =
        serde_json::from_str(raw.get()).map_err(|why| unreadable("position", &why))?;
    let size = plain(row.current_size);
    let quantity =
        quantity(&size).ok_or_else(|| malformed("position", "current_size", size.as_ref()))?;
    let token = plain(row.token_id).into_owned();
    if token.is_empty() {
        return Err(malformed("position", "token_id", "missing"));
    }
    // A position that lost is called redeemable too (polymarket-client 0.14.0).
    let is_resolved = plain(row.status).starts_with("REDEEMABLE");
    Ok(Held { token, market: plain(row.condition_id).into_owned(), quantity, is_resolved })
}

/// What a market paid the wallet, out of `/v2/activity`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// The condition id.
    pub market: String,
    /// Dollars.
    pub paid: Money,
    /// When.
    pub at: crate::domain::Timestamp,
}

/// Reads one row of `/v2/activity`; `None` for other kinds of activity.
pub fn redeemed(raw: &RawValue) -> Result<Option<Redeemed>, Error> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Row<'a> {
        #[serde(borrow, rename = "type")]
        kind: Raw<'a>,
        #[serde(borrow)]
        condition_id: Raw<'a>,
        #[serde(borrow)]
        usdc_size: Raw<'a>,
        #[serde(borrow)]
        timestamp: Raw<'a>,
    }
    let row: Row<'_> =
        serde_json::from_str(raw.get()).map_err(|why| unreadable("activity", &why))?;
    if plain(row.kind) != "REDEEM" {
        return Ok(None);
    }
    let wrong = |field: &str, text: Cow<'_, str>| malformed("activity", field, text.as_ref());
    let (size, stamp) = (plain(row.usdc_size), plain(row.timestamp));
    let paid = cut(&size, 6).map(Money::from_micros);
    Ok(Some(Redeemed {
        market: plain(row.condition_id).into_owned(),
        paid: paid.ok_or_else(|| wrong("usdc_size", size))?,
        at: time(&stamp).ok_or_else(|| wrong("timestamp", stamp))?,
    }))
}

/// What a YES contract of a market paid, out of `/v2/resolutions`; `None` while the market has not
/// resolved. The official client reads payouts as integers of millionths (polymarket-client
/// 0.14.0); both outcomes together pay a dollar, which tells millionths from dollars.
pub fn yes_pays(body: &str) -> Option<Money> {
    #[derive(Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        data: Vec<Row<'a>>,
    }
    #[derive(Deserialize)]
    struct Row<'a> {
        #[serde(borrow, default)]
        payouts: Option<Vec<&'a RawValue>>,
    }
    let page: Page<'_> = serde_json::from_str(body).ok()?;
    let payouts = page.data.into_iter().next()?.payouts?;
    let [yes, no] = payouts[..] else { return None };
    let micros = |raw| cut(&plain(Some(raw)), 6);
    let (yes, no) = (micros(yes)?, micros(no)?);
    match yes.checked_add(no)? {
        Money::DOLLAR => Some(Money::from_micros(yes)),
        sum if sum == Money::DOLLAR * Money::DOLLAR => {
            Some(Money::from_micros(yes / Money::DOLLAR))
        }
        _ => None,
    }
}
