//! What the venue says about our own orders and trades, as it writes it.
//!
//! Enumerations, nulls and empty texts broke typed clients again and again: every value is kept as
//! raw JSON here, and no field is demanded.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A value that may be missing, null, a text or a number.
pub(in crate::venue::polymarket) type Raw<'a> = Option<&'a RawValue>;

/// The text of a value: without its quotes, empty where there is none.
pub(in crate::venue::polymarket) fn plain<'a>(raw: Raw<'a>) -> Cow<'a, str> {
    let Some(text) = raw.map(RawValue::get) else { return Cow::Borrowed("") };
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        Some(_) => Cow::Owned(serde_json::from_str(text).unwrap_or_default()),
        None => Cow::Borrowed(text),
    }
}

/// An order, of REST or of the user channel.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::venue::polymarket) struct Order<'a> {
    #[serde(borrow)]
    pub id: Raw<'a>,
    #[serde(borrow)]
    pub market: Raw<'a>,
    #[serde(borrow, alias = "token_id")]
    pub asset_id: Raw<'a>,
    #[serde(borrow)]
    pub status: Raw<'a>,
    /// What happened; on the user channel only.
    #[serde(borrow, rename = "type")]
    pub kind: Raw<'a>,
    #[serde(borrow)]
    pub size_matched: Raw<'a>,
    #[serde(borrow)]
    pub associate_trades: Raw<'a>,
}

/// A trade, of REST or of the user channel.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::venue::polymarket) struct Trade<'a> {
    #[serde(borrow)]
    pub id: Raw<'a>,
    #[serde(borrow)]
    pub status: Raw<'a>,
    #[serde(borrow)]
    pub market: Raw<'a>,
    #[serde(borrow, alias = "token_id")]
    pub asset_id: Raw<'a>,
    #[serde(borrow)]
    pub side: Raw<'a>,
    #[serde(borrow)]
    pub price: Raw<'a>,
    #[serde(borrow)]
    pub size: Raw<'a>,
    #[serde(borrow)]
    pub taker_order_id: Raw<'a>,
    #[serde(borrow)]
    pub trader_side: Raw<'a>,
    #[serde(borrow)]
    pub owner: Raw<'a>,
    #[serde(borrow, alias = "matchtime")]
    pub match_time: Raw<'a>,
    #[serde(borrow)]
    pub last_update: Raw<'a>,
    #[serde(borrow)]
    pub timestamp: Raw<'a>,
    #[serde(borrow)]
    pub maker_orders: Option<Vec<MakerOrder<'a>>>,
}

/// A resting order that took part in a trade: its own token and its own price.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::venue::polymarket) struct MakerOrder<'a> {
    #[serde(borrow)]
    pub order_id: Raw<'a>,
    #[serde(borrow)]
    pub owner: Raw<'a>,
    #[serde(borrow)]
    pub matched_amount: Raw<'a>,
    #[serde(borrow)]
    pub price: Raw<'a>,
    #[serde(borrow, alias = "token_id")]
    pub asset_id: Raw<'a>,
    #[serde(borrow)]
    pub side: Raw<'a>,
}

/// A page of `/data/orders` or `/data/trades`.
#[derive(Debug, Deserialize)]
pub(in crate::venue::polymarket) struct Page<'a> {
    #[serde(borrow)]
    pub data: Vec<&'a RawValue>,
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// A page of the data API.
#[derive(Debug, Deserialize)]
pub(in crate::venue::polymarket) struct DataPage<'a> {
    #[serde(borrow)]
    pub data: Vec<&'a RawValue>,
    #[serde(default)]
    pub pagination: Pagination,
}

/// Where a page of the data API stands among the others.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::venue::polymarket) struct Pagination {
    pub has_more: bool,
    pub next_cursor: Option<String>,
}
