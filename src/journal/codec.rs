//! Records as text and back, without loss.
//!
//! A record's body is one JSON object. Money, quantities and prices are integers in their own
//! units, named so (`_micros`, `_units`), times are nanoseconds: nothing is rounded on the way, and
//! sums by hand stay exact. A market is the journal's own number of it (see
//! [`super::atlas::Atlas`]). Spans above 584 years are held there.

mod field;
mod plan;
mod report;

use serde_json::{Value, json};

use crate::domain::{
    Action, IntentId, Lifetime, Order, OrderId, Purpose, Size, Timestamp, TradeId,
};
use crate::execute::{Line, Record, Scope};
use crate::pairing::PairId;

use super::row::Row;
use field::{Fields, Unread};

/// A record as a row, its place in the sequence still open.
pub(super) fn encode(record: &Record) -> Row {
    let (kind, at, body) = match record {
        Record::Opened { trade, plan, at } => {
            ("opened", Some(*at), json!({ "trade": trade.0, "plan": plan::out(plan) }))
        }
        Record::Placed(order) => ("placed", Some(order.at), order_out(order)),
        Record::Named { intent, id } => {
            ("named", None, json!({ "intent": intent.0, "order_id": id.0 }))
        }
        Record::Reported { report, at } => ("reported", Some(*at), report::out(report)),
        Record::Merged { trade, market, quantity, at } => {
            let (market, quantity) = (market.0, quantity.units());
            let trade = trade.0;
            let body = json!({ "trade": trade, "market": market, "quantity_micros": quantity });
            ("merged", Some(*at), body)
        }
        Record::Moved { trade, to, why, at } => {
            ("moved", Some(*at), json!({ "trade": trade.0, "to": to, "why": why }))
        }
        Record::Halted { scope, why, at } => {
            ("halted", Some(*at), json!({ "scope": scope_out(scope), "why": why }))
        }
        Record::Resumed { scope, at } => {
            ("resumed", Some(*at), json!({ "scope": scope_out(scope) }))
        }
        Record::Booked { venue, line, amount, why, as_of, at } => {
            let body = json!({
                "venue": venue.name(), "line": line.name(), "amount_micros": amount.micros(),
                "why": why, "as_of_nanos": as_of.nanos(),
            });
            ("booked", Some(*at), body)
        }
        Record::Adopted { venue, market, outcome, quantity, why, at } => {
            let body = json!({
                "venue": venue.name(), "market": market.0, "outcome": outcome.name(),
                "quantity_micros": quantity.units(), "why": why,
            });
            ("adopted", Some(*at), body)
        }
        Record::Ignored { venue, market, why, at } => {
            let body = json!({ "venue": venue.name(), "market": market.0, "why": why });
            ("ignored", Some(*at), body)
        }
        Record::Flattening { loss_max, realised_before, at } => {
            let body = json!({
                "loss_max_micros": loss_max.micros(),
                "realised_before_micros": realised_before.micros(),
            });
            ("flattening", Some(*at), body)
        }
        Record::Incident { kind, text, trade, at } => {
            let trade = trade.map(|trade| trade.0);
            ("incident", Some(*at), json!({ "name": kind, "text": text, "trade": trade }))
        }
    };
    let number = |name: &str| body.get(name).and_then(Value::as_i64);
    Row {
        kind: kind.to_owned(),
        at: at.map(|at| at.nanos()),
        trade: number("trade"),
        intent: number("intent"),
        body: body.to_string(),
    }
}

/// The record that a row holds.
pub(super) fn decode(row: &Row) -> Result<Record, String> {
    let body: Value = serde_json::from_str(&row.body).map_err(|error| error.to_string())?;
    read(row, Fields(&body)).map_err(|unread| format!("{} of a `{}`", unread.0, row.kind))
}

fn read(row: &Row, body: Fields<'_>) -> Result<Record, Unread> {
    let at = || row.at.map(Timestamp::from_nanos).ok_or(Unread("its time"));
    let trade = || body.whole("trade").map(TradeId);
    let why = || body.text("why");
    Ok(match row.kind.as_str() {
        "opened" => {
            let plan = Box::new(plan::read(body.inner("plan")?)?);
            Record::Opened { trade: trade()?, plan, at: at()? }
        }
        "placed" => Record::Placed(order_in(body, at()?)?),
        "named" => Record::Named {
            intent: IntentId(body.whole("intent")?),
            id: OrderId(body.text("order_id")?),
        },
        "reported" => Record::Reported { report: report::read(body)?, at: at()? },
        "merged" => Record::Merged {
            trade: trade()?,
            market: body.market("market")?,
            quantity: body.quantity("quantity_micros")?,
            at: at()?,
        },
        "moved" => Record::Moved { trade: trade()?, to: body.name("to")?, why: why()?, at: at()? },
        "halted" => {
            Record::Halted { scope: scope_in(body.inner("scope")?)?, why: why()?, at: at()? }
        }
        "resumed" => Record::Resumed { scope: scope_in(body.inner("scope")?)?, at: at()? },
        "booked" => Record::Booked {
            venue: body.venue("venue")?,
            line: body.one_of("line", &Line::ALL, |line| line.name())?,
            amount: body.money("amount_micros")?,
            why: why()?,
            // Records of earlier versions do not tell it.
            as_of: body.maybe("as_of_nanos", |_| body.time("as_of_nanos"))?.map_or_else(at, Ok)?,
            at: at()?,
        },
        "adopted" => Record::Adopted {
            venue: body.venue("venue")?,
            market: body.market("market")?,
            outcome: body.outcome("outcome")?,
            quantity: body.quantity("quantity_micros")?,
            why: body.maybe("why", |_| why())?.unwrap_or_default(),
            at: at()?,
        },
        "ignored" => Record::Ignored {
            venue: body.venue("venue")?,
            market: body.market("market")?,
            why: why()?,
            at: at()?,
        },
        "flattening" => Record::Flattening {
            loss_max: body.money("loss_max_micros")?,
            realised_before: body.money("realised_before_micros")?,
            at: at()?,
        },
        "incident" => Record::Incident {
            kind: body.name("name")?,
            text: body.text("text")?,
            trade: body.maybe("trade", |_| trade())?,
            at: at()?,
        },
        _ => return Err(Unread("the kind")),
    })
}

fn scope_out(scope: &Scope) -> Value {
    match scope {
        Scope::Pair(pair) => json!({ "pair": pair.0 }),
        Scope::Venue(venue) => json!({ "venue": venue.name() }),
        Scope::All => json!({}),
    }
}

fn scope_in(fields: Fields<'_>) -> Result<Scope, Unread> {
    if let Some(pair) = fields.maybe("pair", |_| fields.text("pair"))? {
        return Ok(Scope::Pair(PairId(pair)));
    }
    Ok(match fields.maybe("venue", |_| fields.venue("venue"))? {
        Some(venue) => Scope::Venue(venue),
        None => Scope::All,
    })
}

fn size_out(size: Size) -> (&'static str, i64) {
    match size {
        Size::Contracts(quantity) => ("contracts", quantity.units()),
        Size::Collateral(money) => ("collateral", money.micros()),
    }
}

fn size_in(fields: Fields<'_>) -> Result<Size, Unread> {
    Ok(match fields.word("size")? {
        "contracts" => Size::Contracts(fields.quantity("size_micros")?),
        "collateral" => Size::Collateral(fields.money("size_micros")?),
        _ => return Err(Unread("size")),
    })
}

fn order_out(order: &Order) -> Value {
    let (size, size_micros) = size_out(order.size);
    json!({
        "intent": order.intent.0,
        "trade": order.trade.0,
        "venue": order.venue.name(),
        "market": order.market.0,
        "outcome": order.outcome.name(),
        "action": order.action.name(),
        "limit_units": order.limit.units(),
        "size": size,
        "size_micros": size_micros,
        "lifetime": order.lifetime.name(),
        "purpose": order.purpose.name(),
    })
}

fn order_in(fields: Fields<'_>, at: Timestamp) -> Result<Order, Unread> {
    Ok(Order {
        intent: IntentId(fields.whole("intent")?),
        trade: TradeId(fields.whole("trade")?),
        venue: fields.venue("venue")?,
        market: fields.market("market")?,
        outcome: fields.outcome("outcome")?,
        action: fields.one_of("action", &[Action::Buy, Action::Sell], |a| a.name())?,
        limit: fields.price("limit_units")?,
        size: size_in(fields)?,
        lifetime: fields.one_of(
            "lifetime",
            &[Lifetime::Immediate, Lifetime::AllOrNothing, Lifetime::Resting],
            |lifetime| lifetime.name(),
        )?,
        purpose: fields.one_of("purpose", &Purpose::ALL, |purpose| purpose.name())?,
        at,
    })
}

#[cfg(test)]
pub(super) mod tests;
