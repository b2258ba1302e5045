//! The user channel: who has proved whose key it is, and what is said to them of orders and
//! trades.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::{Action, Quantity, Timestamp};

use super::super::{Connection, Floor, Push, Reply};
use super::access::Keys;
use super::account::{Order, Party, Stage, State, Trade};
use super::asset::{dollars, shares, side_name};
use super::order::{Life, label};
use super::stream::{CONNECTIONS_MAX, SILENCE_MAX};

/// The first frame of a client.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    auth: Option<Credentials>,
    #[serde(default)]
    markets: Vec<String>,
    #[serde(default)]
    operation: Option<String>,
}

#[derive(Deserialize)]
struct Credentials {
    #[serde(rename = "apiKey")]
    key: String,
    secret: String,
    passphrase: String,
}

#[derive(Debug)]
struct Session {
    proved: bool,
    /// Condition ids; none for all.
    markets: Vec<String>,
    pinged: Timestamp,
    frozen: Option<Timestamp>,
}

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Users {
    sessions: BTreeMap<Connection, Session>,
    silent: Option<Timestamp>,
    jumbled: Option<Timestamp>,
    /// What is held back to be sent out of order: condition id and frame.
    held: Vec<(String, String)>,
}

impl Users {
    pub(super) fn open(&mut self, connection: Connection, now: Timestamp) -> Result<(), Reply> {
        if self.sessions.len() >= CONNECTIONS_MAX {
            return Err(Reply::json(503, &json!({ "error": "too many connections" })));
        }
        let session = Session { proved: false, markets: Vec::new(), pinged: now, frozen: None };
        self.sessions.insert(connection, session);
        Ok(())
    }

    pub(super) fn closed(&mut self, connection: Connection) {
        self.sessions.remove(&connection);
    }

    /// Takes what a client sent; `false` when the connection is not one of these.
    pub(super) fn text(
        &mut self,
        connection: Connection,
        text: &str,
        keys: &Keys,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) -> bool {
        let Some(session) = self.sessions.get_mut(&connection) else { return false };
        if text == "PING" {
            session.pinged = now;
            out.push(Push::Text(connection, "PONG".to_owned()));
            return true;
        }
        if session.frozen.is_some() {
            return true;
        }
        let Ok(message) = serde_json::from_str::<Message>(text) else {
            out.push(Push::Text(connection, "INVALID OPERATION".to_owned()));
            return true;
        };
        if let Some(auth) = message.auth {
            session.proved = keys.known(&auth.key, &auth.secret, &auth.passphrase).is_some();
            session.markets = message.markets;
        } else if session.proved && message.operation.as_deref() == Some("subscribe") {
            session.markets.extend(message.markets);
        } else if session.proved && message.operation.as_deref() == Some("unsubscribe") {
            session.markets.retain(|market| !message.markets.contains(market));
        }
        if !session.proved {
            self.sessions.remove(&connection);
            out.push(Push::Cut(connection));
        }
        true
    }

    /// Says something about a market's orders or trades to everyone it concerns.
    pub(super) fn say(&mut self, market: &str, event: &Value, now: Timestamp, out: &mut Vec<Push>) {
        if self.silent.is_some_and(|until| now < until) {
            return;
        }
        if self.jumbled.is_some_and(|until| now < until) {
            self.held.push((market.to_owned(), event.to_string()));
            return;
        }
        self.deliver(market, &event.to_string(), out);
    }

    fn deliver(&self, market: &str, text: &str, out: &mut Vec<Push>) {
        for (connection, session) in &self.sessions {
            let hears = session.markets.is_empty() || session.markets.iter().any(|m| m == market);
            if session.proved && session.frozen.is_none() && hears {
                out.push(Push::Text(*connection, text.to_owned()));
            }
        }
    }

    /// Cuts who is silent or was frozen long enough; sends what was held back, last first, and
    /// everything twice.
    pub(super) fn tick(&mut self, now: Timestamp, out: &mut Vec<Push>) {
        let held = std::mem::take(&mut self.held);
        for (market, text) in held.iter().rev().chain(&held) {
            self.deliver(market, text, out);
        }
        self.sessions.retain(|connection, session| {
            let silent = now.since(session.pinged) > SILENCE_MAX;
            let cut = silent || session.frozen.is_some_and(|until| now >= until);
            if cut {
                out.push(Push::Cut(*connection));
            }
            !cut
        });
    }

    pub(super) fn disconnect(&mut self, out: &mut Vec<Push>) {
        let gone = std::mem::take(&mut self.sessions);
        out.extend(gone.into_keys().map(Push::Cut));
    }

    pub(super) fn freeze(&mut self, until: Timestamp) {
        for session in self.sessions.values_mut() {
            session.frozen = Some(session.frozen.map_or(until, |before| before.min(until)));
        }
    }

    /// Loses everything that would be said until then.
    pub(super) const fn silence(&mut self, until: Timestamp) {
        self.silent = Some(until);
    }

    /// Repeats and reorders what is said until then.
    pub(super) const fn jumble(&mut self, until: Timestamp) {
        self.jumbled = Some(until);
    }
}

/// What happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    Placement,
    Update,
    Cancellation,
}

/// An order as the channel tells of it. The venue writes some times in seconds, some in
/// milliseconds.
pub(super) fn order_event(
    happened: Happened,
    order: &Order,
    (wallet, floor): (&str, &Floor),
    now: Timestamp,
) -> Value {
    let wanted = &order.wanted;
    let listing = &floor.listings[wanted.asset.market];
    let (kind, created) = match happened {
        Happened::Placement => ("PLACEMENT", order.created.secs()),
        Happened::Update => ("UPDATE", order.created.secs()),
        Happened::Cancellation => ("CANCELLATION", order.created.millis()),
    };
    // A killed order says nothing about what it matched, not even zero.
    let killed = matches!(order.state, State::Over(_)) && !wanted.life.rests();
    let matched = if killed { String::new() } else { shares(order.matched) };
    let trades = if order.trades.is_empty() { Value::Null } else { json!(order.trades) };
    json!({
        "event_type": "order",
        "type": kind,
        "id": wanted.id,
        "market": listing.id,
        "asset_id": wanted.asset.id(listing),
        "side": action_name(wanted.action),
        "price": dollars(wanted.limit.units()),
        "original_size": shares(wanted.size),
        "size_matched": matched,
        "status": order.state.name(),
        "order_type": wanted.life.name(),
        "owner": order.owner,
        "order_owner": order.owner,
        "maker_address": wallet,
        "outcome": label(wanted.asset, listing),
        "associate_trades": trades,
        "created_at": created.to_string(),
        "expiration": wanted.expiration.to_string(),
        "timestamp": now.millis().to_string(),
    })
}

/// An order as REST shows it.
pub(super) fn order_value(order: &Order, wallet: &str, floor: &Floor) -> Value {
    let wanted = &order.wanted;
    let listing = &floor.listings[wanted.asset.market];
    json!({
        "id": wanted.id,
        "status": order.state.name(),
        "owner": order.owner,
        "maker_address": wallet,
        "market": listing.id,
        "asset_id": wanted.asset.id(listing),
        "side": action_name(wanted.action),
        "original_size": shares(wanted.size),
        "size_matched": shares(order.matched),
        "price": dollars(wanted.limit.units()),
        "outcome": label(wanted.asset, listing),
        "expiration": match wanted.life {
            Life::Gtd(_) => wanted.expiration.to_string(),
            _ => "0".to_owned(),
        },
        "order_type": wanted.life.name(),
        "associate_trades": order.trades,
        "created_at": order.created.secs(),
    })
}

/// An action as the venue writes it.
pub(super) const fn action_name(action: Action) -> &'static str {
    match action {
        Action::Buy => "BUY",
        Action::Sell => "SELL",
    }
}

/// A trade as both the channel and REST show it, but for the state and the time of telling.
fn trade(trade: &Trade, floor: &Floor) -> Value {
    let taker = &trade.taker;
    let listing = &floor.listings[taker.asset.market];
    let maker = |party: &Party| {
        json!({
            "order_id": party.order,
            "owner": party.owner,
            "maker_address": party.address,
            "matched_amount": shares(party.quantity),
            "price": dollars(party.price.units()),
            "asset_id": party.asset.id(listing),
            "side": side_name(party.side),
            "outcome": label(party.asset, listing),
            "fee_rate_bps": "0",
        })
    };
    let size = trade.makers.iter().fold(Quantity::ZERO, |sum, m| sum.saturating_add(m.quantity));
    json!({
        "id": trade.id,
        "market": listing.id,
        "asset_id": taker.asset.id(listing),
        "side": side_name(taker.side),
        "price": dollars(taker.price.units()),
        "size": shares(size),
        "taker_order_id": taker.order,
        "trader_side": if trade.took { "TAKER" } else { "MAKER" },
        "fee_rate_bps": "0",
        "outcome": label(taker.asset, listing),
        "owner": taker.owner,
        "maker_address": taker.address,
        "bucket_index": 0,
        "match_time": trade.matched.secs().to_string(),
        "last_update": trade.updated.secs().to_string(),
        "transaction_hash": trade.hash,
        "maker_orders": trade.makers.iter().map(maker).collect::<Vec<_>>(),
    })
}

/// A trade as the channel tells of it.
pub(super) fn trade_event(of: &Trade, floor: &Floor, now: Timestamp) -> Value {
    let mut body = trade(of, floor);
    body["event_type"] = "trade".into();
    body["type"] = "TRADE".into();
    body["status"] = of.stage.name().into();
    body["trade_owner"] = body["owner"].clone();
    let stamp = if of.stage == Stage::Mined { now.secs() } else { now.millis() };
    body["timestamp"] = stamp.to_string().into();
    body
}

/// A trade as REST shows it.
pub(super) fn trade_value(of: &Trade, floor: &Floor) -> Value {
    let mut body = trade(of, floor);
    body["status"] = format!("TRADE_STATUS_{}", of.stage.name()).into();
    body
}
