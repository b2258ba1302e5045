//! Money that came and went without a trade, out of `/v2/activity`.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::movement::{Kind, Movement};
use crate::domain::{Money, Timestamp};
use crate::venue::Error;
use crate::venue::polymarket::error::{malformed, unreadable};
use crate::venue::polymarket::wire::account::{Raw, plain};

use super::account::{cut, time};

/// The types that are asked for. `TIP` is listed only where it is named (docs, Data API v2,
/// 2026-10).
pub const TYPES: &str =
    "DEPOSIT,WITHDRAWAL,REWARD,YIELD,MAKER_REBATE,TAKER_REBATE,REFERRAL_REWARD,TIP";

/// Reads one row of `/v2/activity`; `None` for other kinds of activity, and for what moved nothing.
///
/// Rows have no names. What is known of one together makes a name that is the same whenever it is
/// told, but for rows of one transaction that are alike in everything.
pub fn moved(raw: &RawValue) -> Result<Option<Movement>, Error> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Row<'a> {
        #[serde(borrow, rename = "type")]
        kind: Raw<'a>,
        #[serde(borrow)]
        side: Raw<'a>,
        #[serde(borrow)]
        condition_id: Raw<'a>,
        #[serde(borrow)]
        usdc_size: Raw<'a>,
        #[serde(borrow)]
        size: Raw<'a>,
        #[serde(borrow)]
        timestamp: Raw<'a>,
        #[serde(borrow)]
        transaction_hash: Raw<'a>,
    }
    let row: Row<'_> =
        serde_json::from_str(raw.get()).map_err(|why| unreadable("activity", &why))?;
    let (word, side) = (plain(row.kind), plain(row.side));
    let (kind, is_out) = match (word.as_ref(), side.as_ref()) {
        ("DEPOSIT", _) => (Kind::Deposit, false),
        ("WITHDRAWAL", _) => (Kind::Withdrawal, true),
        ("TIP", "IN") => (Kind::Tip, false),
        ("TIP", "OUT") => (Kind::Tip, true),
        ("TIP", other) => return Err(malformed("activity", "side", other)),
        ("YIELD", _) => (Kind::Interest, false),
        ("MAKER_REBATE" | "TAKER_REBATE", _) => (Kind::Rebate, false),
        ("REWARD" | "REFERRAL_REWARD", _) => (Kind::Reward, false),
        _ => return Ok(None),
    };
    // The official client takes dollars from the first (polymarket-client 0.14.0); of a tip the
    // docs name the second.
    let size = Some(plain(row.usdc_size)).filter(|size| !size.is_empty());
    let size = size.unwrap_or_else(|| plain(row.size));
    let micros = cut(&size, 6).filter(|micros| *micros >= 0);
    let micros = micros.ok_or_else(|| malformed("activity", "usdc_size", size.as_ref()))?;
    let stamp = plain(row.timestamp);
    let at: Timestamp =
        time(&stamp).ok_or_else(|| malformed("activity", "timestamp", stamp.as_ref()))?;
    if micros == 0 {
        return Ok(None);
    }
    let amount = Money::from_micros(if is_out { -micros } else { micros });
    let (hash, of) = (plain(row.transaction_hash), plain(row.condition_id));
    let hash = if hash.is_empty() { format!("at {}", at.secs()) } else { hash.into_owned() };
    let id = format!("{word}/{hash}/{of}/{}", amount.micros());
    Ok(Some(Movement { id, kind, amount, fee: Money::ZERO, at }))
}
