//! What the market channel sends, and the book that REST sends in the same words.

use aws_lc_rs::digest;
use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::{Outcome, Price, Quantity, Side, Timestamp};

use super::super::{Floor, Listing};
use super::asset::{Asset, Quote, dollars, shares, side_name, tick};

/// The price that stands in for a last trade while there was none.
const NO_TRADE: &str = "0.5";

/// One level of a book.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    pub(super) price: String,
    pub(super) size: String,
}

/// A token's whole book. The fields stand in the order in which they are hashed.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Image {
    pub(super) market: String,
    pub(super) asset_id: String,
    pub(super) timestamp: String,
    pub(super) hash: String,
    pub(super) bids: Vec<Row>,
    pub(super) asks: Vec<Row>,
    pub(super) min_order_size: String,
    pub(super) tick_size: String,
    pub(super) neg_risk: bool,
    pub(super) last_trade_price: String,
}

impl Image {
    /// The book of a token as of `changed`, worst levels first, with its hash. The last trade is
    /// told as it was printed, in whichever token traded: both tokens show the same price.
    pub(super) fn of(asset: Asset, floor: &Floor, changed: Timestamp, last: Option<u16>) -> Self {
        let (listing, book) = (&floor.listings[asset.market], &floor.books[asset.market]);
        let rows = |side| {
            let levels = asset.levels(book, side).into_iter().rev();
            levels
                .map(|(price, size)| Row { price: dollars(price.units()), size: shares(size) })
                .collect()
        };
        Self {
            market: listing.id.clone(),
            asset_id: asset.id(listing).to_owned(),
            timestamp: changed.millis().to_string(),
            hash: String::new(),
            bids: rows(Side::Bid),
            asks: rows(Side::Ask),
            min_order_size: shares(listing.minimum),
            tick_size: dollars(tick(listing)),
            neg_risk: listing.is_neg_risk(),
            last_trade_price: last.map_or_else(|| NO_TRADE.to_owned(), dollars),
        }
        .sealed()
    }

    /// Sets the hash: SHA-1 of the compact JSON with an empty hash.
    pub(super) fn sealed(mut self) -> Self {
        self.hash.clear();
        let text = serde_json::to_string(&self).unwrap_or_default();
        self.hash =
            hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref());
        self
    }

    /// The answer of REST.
    pub(super) fn value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The frame of the market channel.
    pub(super) fn frame(&self) -> Value {
        let mut value = self.value();
        if let Some(fields) = value.as_object_mut() {
            fields.insert("event_type".to_owned(), json!("book"));
        }
        value
    }
}

/// A level of YES that changed, and the sums that the message announces for each token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    /// Side of YES.
    pub(super) side: Side,
    /// Price of YES.
    pub(super) price: Price,
    /// What rests there now.
    pub(super) after: Quantity,
}

/// A token with what every message of a batch says about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct After<'a> {
    pub(super) asset: Asset,
    pub(super) image: &'a Image,
    pub(super) quote: Quote,
}

/// One level's change, told for the tokens in the order given.
pub(super) fn price_change(moved: Moved, tokens: [After<'_>; 2], now: Timestamp) -> Value {
    let changes: Vec<Value> = tokens
        .iter()
        .map(|after| {
            json!({
                "asset_id": after.image.asset_id,
                "price": dollars(after.asset.price(moved.price).units()),
                "size": shares(moved.after),
                "side": side_name(after.asset.side(moved.side)),
                "hash": after.image.hash,
                "best_bid": dollars(after.quote.bid),
                "best_ask": dollars(after.quote.ask),
            })
        })
        .collect();
    json!({
        "event_type": "price_change",
        "market": tokens[0].image.market,
        "timestamp": now.millis().to_string(),
        "price_changes": changes,
    })
}

/// The best prices of a token changed.
pub(super) fn best_bid_ask(after: After<'_>, now: Timestamp) -> Value {
    json!({
        "event_type": "best_bid_ask",
        "market": after.image.market,
        "asset_id": after.image.asset_id,
        "best_bid": dollars(after.quote.bid),
        "best_ask": dollars(after.quote.ask),
        "spread": dollars(after.quote.spread()),
        "timestamp": now.millis().to_string(),
    })
}

/// A trade as one token prints it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Print {
    pub(super) asset: Asset,
    /// Price of that token.
    pub(super) price: Price,
    pub(super) quantity: Quantity,
    /// What the taker did with that token.
    pub(super) side: Side,
    /// Tells trades of one moment apart.
    pub(super) nonce: u64,
}

/// A trade.
pub(super) fn last_trade_price(print: Print, listing: &Listing, now: Timestamp) -> Value {
    let asset = print.asset.id(listing);
    let seed = format!("{asset}:{}:{}", now.nanos(), print.nonce);
    let hash = hex(digest::digest(&digest::SHA256, seed.as_bytes()).as_ref());
    json!({
        "event_type": "last_trade_price",
        "market": listing.id,
        "asset_id": asset,
        "price": dollars(print.price.units()),
        "size": shares(print.quantity),
        "side": side_name(print.side),
        // The venue writes zero whatever was charged.
        "fee_rate_bps": "0",
        "transaction_hash": format!("0x{hash}"),
        "timestamp": now.millis().to_string(),
    })
}

/// A market got another tick.
pub(super) fn tick_size_change(asset: Asset, listing: &Listing, old: u16, now: Timestamp) -> Value {
    json!({
        "event_type": "tick_size_change",
        "market": listing.id,
        "asset_id": asset.id(listing),
        "old_tick_size": dollars(old),
        "new_tick_size": dollars(tick(listing)),
        "timestamp": now.millis().to_string(),
    })
}

/// A market was listed; `id`, `event_id` and `slug` are Gamma's.
pub(super) fn new_market(
    listing: &Listing,
    id: &str,
    event_id: &str,
    slug: &str,
    now: Timestamp,
) -> Value {
    let tokens = [&listing.tokens.0, &listing.tokens.1];
    json!({
        "event_type": "new_market",
        "id": id,
        "market": listing.id,
        "condition_id": listing.id,
        "question": listing.title,
        "slug": slug,
        "description": listing.rules,
        "assets_ids": tokens,
        "clob_token_ids": tokens,
        "outcomes": [listing.labels.0, listing.labels.1],
        "event_message": {
            "id": event_id,
            "ticker": listing.event,
            "slug": listing.event,
            "title": listing.title,
            "description": listing.rules,
        },
        "tags": [],
        "active": true,
        "order_price_min_tick_size": dollars(tick(listing)),
        "sports_market_type": "",
        "line": "",
        "game_start_time": "",
        "timestamp": now.millis().to_string(),
    })
}

/// The end of a market that pays one of its outcomes.
pub(super) fn market_resolved(listing: &Listing, id: &str, winner: Asset, now: Timestamp) -> Value {
    let label = match winner.outcome {
        Outcome::Yes => &listing.labels.0,
        Outcome::No => &listing.labels.1,
    };
    json!({
        "event_type": "market_resolved",
        "id": id,
        "market": listing.id,
        "assets_ids": [listing.tokens.0, listing.tokens.1],
        "winning_asset_id": winner.id(listing),
        "winning_outcome": label,
        "timestamp": now.millis().to_string(),
    })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
