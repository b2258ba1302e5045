//! What venues said, as text and back.

use serde_json::{Value, json};

use crate::domain::market::Settlement;
use crate::domain::movement::Kind;
use crate::domain::report::{
    Fee, Fill, Finality, Permission, Position, Purse, Refusal, Refused, Rest, Total,
};
use crate::domain::{Evidence, IntentId, MarketIndex, Money, Movement, OrderId, Report};

use super::field::{Fields, Unread, span};

fn number(market: Option<MarketIndex>) -> Option<u32> {
    market.map(|market| market.0)
}

/// A report as an object; `report` is its name.
pub(super) fn out(report: &Report) -> Value {
    match report {
        Report::Order { intent, evidence } => {
            json!({ "report": "order", "intent": intent.0, "evidence": evidence_out(evidence) })
        }
        Report::Lost { order, id } => json!({
            "report": "lost", "order": super::order_out(order), "order_id": id.0,
            "at_nanos": order.at.nanos(),
        }),
        Report::Foreign { venue, id, is_ours, market, evidence } => json!({
            "report": "foreign", "venue": venue.name(), "order_id": id.0, "is_ours": is_ours,
            "market": number(*market), "evidence": evidence_out(evidence),
        }),
        Report::Positions { venue, positions, as_of } => json!({
            "report": "positions", "venue": venue.name(),
            "positions": positions.iter().map(position_out).collect::<Vec<_>>(),
            "as_of_nanos": as_of.nanos(),
        }),
        Report::Cash { venue, purses, as_of } => json!({
            "report": "cash", "venue": venue.name(),
            "purses": purses.iter().map(purse_out).collect::<Vec<_>>(),
            "as_of_nanos": as_of.nanos(),
        }),
        Report::Settled { venue, market, id, yes_pays, paid, at } => json!({
            "report": "settled", "venue": venue.name(), "market": number(*market), "id": id,
            "yes_pays_micros": yes_pays.micros(), "paid_micros": paid.micros(),
            "at_nanos": at.nanos(),
        }),
        Report::Moved { venue, movement: Movement { id, kind, amount, fee, at } } => json!({
            "report": "moved", "venue": venue.name(), "id": id, "as": kind.name(),
            "amount_micros": amount.micros(), "fee_micros": fee.micros(),
            "at_nanos": at.nanos(),
        }),
        Report::Merged { market, quantity, at } => json!({
            "report": "merged", "market": market.0, "quantity_micros": quantity.units(),
            "at_nanos": at.nanos(),
        }),
        Report::NotConverted { market, text } => {
            json!({ "report": "not_converted", "market": market.0, "text": text })
        }
        Report::Permission { venue, permission } => {
            let text = match permission {
                Permission::Open => None,
                Permission::OpenBut { why: text, .. } | Permission::ReadOnly(text) => Some(text),
            };
            let closed = permission.closed().iter().map(|kind| kind.name());
            json!({
                "report": "permission", "venue": venue.name(), "open": permission.is_open(),
                "text": text, "closed": closed.collect::<Vec<_>>(),
            })
        }
    }
}

/// The report that an object holds.
pub(super) fn read(fields: Fields<'_>) -> Result<Report, Unread> {
    let venue = || fields.venue("venue");
    let market = || fields.market("market");
    let maybe_market = || fields.maybe("market", |_| market());
    Ok(match fields.word("report")? {
        "order" => Report::Order {
            intent: IntentId(fields.whole("intent")?),
            evidence: evidence_in(fields.inner("evidence")?)?,
        },
        "lost" => Report::Lost {
            order: Box::new(super::order_in(fields.inner("order")?, fields.time("at_nanos")?)?),
            id: OrderId(fields.text("order_id")?),
        },
        "foreign" => Report::Foreign {
            venue: venue()?,
            id: OrderId(fields.text("order_id")?),
            is_ours: fields.flag("is_ours")?,
            market: maybe_market()?,
            evidence: evidence_in(fields.inner("evidence")?)?,
        },
        "positions" => Report::Positions {
            venue: venue()?,
            positions: fields.list("positions", position_in)?,
            as_of: fields.time("as_of_nanos")?,
        },
        "cash" => Report::Cash {
            venue: venue()?,
            purses: fields.list("purses", purse_in)?,
            as_of: fields.time("as_of_nanos")?,
        },
        "settled" => Report::Settled {
            venue: venue()?,
            market: maybe_market()?,
            id: fields.text("id")?,
            yes_pays: fields.money("yes_pays_micros")?,
            paid: fields.money("paid_micros")?,
            at: fields.time("at_nanos")?,
        },
        "moved" => {
            let movement = Movement {
                id: fields.text("id")?,
                kind: fields.one_of("as", &Kind::ALL, |kind| kind.name())?,
                amount: fields.money("amount_micros")?,
                fee: fields.money("fee_micros")?,
                at: fields.time("at_nanos")?,
            };
            Report::Moved { venue: venue()?, movement }
        }
        "merged" => Report::Merged {
            market: market()?,
            quantity: fields.quantity("quantity_micros")?,
            at: fields.time("at_nanos")?,
        },
        "not_converted" => Report::NotConverted { market: market()?, text: fields.text("text")? },
        "permission" => Report::Permission {
            venue: venue()?,
            permission: match (fields.flag("open")?, closed(fields)?) {
                (true, closed) if closed.is_empty() => Permission::Open,
                (true, closed) => Permission::OpenBut { closed, why: fields.text("text")? },
                (false, _) => Permission::ReadOnly(fields.text("text")?),
            },
        },
        _ => return Err(Unread("report")),
    })
}

/// Contracts whose markets are not to be traded; records of earlier versions name none.
fn closed(fields: Fields<'_>) -> Result<Vec<Settlement>, Unread> {
    let Some(Value::Array(names)) = fields.0.get("closed") else { return Ok(Vec::new()) };
    let kind =
        |name: &Value| Settlement::ALL.into_iter().find(|kind| Some(kind.name()) == name.as_str());
    names.iter().map(|name| kind(name).ok_or(Unread("closed"))).collect()
}

fn position_out(position: &Position) -> Value {
    json!({
        "market": number(position.market), "id": position.id,
        "outcome": position.outcome.name(), "quantity_micros": position.quantity.units(),
    })
}

fn position_in(fields: Fields<'_>) -> Result<Position, Unread> {
    Ok(Position {
        market: fields.maybe("market", |_| fields.market("market"))?,
        id: fields.text("id")?,
        outcome: fields.outcome("outcome")?,
        quantity: fields.quantity("quantity_micros")?,
    })
}

fn purse_out((purse, money): &(Purse, Money)) -> Value {
    let shard = match purse {
        Purse::Shard(shard) => Some(shard),
        Purse::Collateral => None,
    };
    json!({ "shard": shard, "cash_micros": money.micros() })
}

fn purse_in(fields: Fields<'_>) -> Result<(Purse, Money), Unread> {
    let shard = fields.maybe("shard", |_| fields.small("shard"))?;
    Ok((shard.map_or(Purse::Collateral, Purse::Shard), fields.money("cash_micros")?))
}

fn evidence_out(evidence: &Evidence) -> Value {
    match evidence {
        Evidence::Standing { id, filled, rest, trades } => {
            let filled = filled.map(|total| {
                let (quantity, money) = (total.quantity.units(), total.money.micros());
                json!({ "quantity_micros": quantity, "money_micros": money })
            });
            let rest = match rest {
                Rest::Nothing => "nothing",
                Rest::Resting => "resting",
                Rest::Delayed => "delayed",
            };
            json!({
                "is": "standing", "order_id": id.0, "filled": filled, "rest": rest,
                "trades": trades,
            })
        }
        Evidence::Fill(fill) => fill_out(fill),
        Evidence::Refused(refusal) => {
            let wait = match refusal.kind {
                Refused::Again(wait) | Refused::PostOnly(wait) => Some(span(wait)),
                _ => None,
            };
            json!({
                "is": "refused", "reason": refusal.kind.name(), "wait_nanos": wait,
                "code": refusal.code, "text": refusal.text,
            })
        }
        Evidence::Unclear(text) => json!({ "is": "unclear", "text": text }),
        Evidence::NotFound { as_of } => {
            json!({ "is": "not_found", "as_of_nanos": as_of.nanos() })
        }
        Evidence::Listed { trades, as_of } => {
            json!({ "is": "listed", "trades": trades, "as_of_nanos": as_of.nanos() })
        }
        Evidence::NotCancelled(text) => json!({ "is": "not_cancelled", "text": text }),
    }
}

fn evidence_in(fields: Fields<'_>) -> Result<Evidence, Unread> {
    Ok(match fields.word("is")? {
        "standing" => Evidence::Standing {
            id: OrderId(fields.text("order_id")?),
            filled: fields.maybe("filled", |total| {
                Ok(Total {
                    quantity: total.quantity("quantity_micros")?,
                    money: total.money("money_micros")?,
                })
            })?,
            rest: match fields.word("rest")? {
                "nothing" => Rest::Nothing,
                "resting" => Rest::Resting,
                "delayed" => Rest::Delayed,
                _ => return Err(Unread("rest")),
            },
            trades: trades_in(fields)?,
        },
        "fill" => Evidence::Fill(fill_in(fields)?),
        "refused" => Evidence::Refused(Refusal {
            kind: refused_in(fields)?,
            code: fields.text("code")?,
            text: fields.text("text")?,
        }),
        "unclear" => Evidence::Unclear(fields.text("text")?),
        "not_found" => Evidence::NotFound { as_of: fields.time("as_of_nanos")? },
        "listed" => {
            Evidence::Listed { trades: trades_in(fields)?, as_of: fields.time("as_of_nanos")? }
        }
        "not_cancelled" => Evidence::NotCancelled(fields.text("text")?),
        _ => return Err(Unread("evidence")),
    })
}

fn trades_in(fields: Fields<'_>) -> Result<Vec<String>, Unread> {
    fields.list("trades", |trade| trade.0.as_str().map(str::to_owned).ok_or(Unread("trades")))
}

fn refused_in(fields: Fields<'_>) -> Result<Refused, Unread> {
    Ok(match fields.word("reason")? {
        "no_match" => Refused::NoMatch,
        "funds" => Refused::Funds,
        "price" => Refused::Price,
        "outdated" => Refused::Outdated,
        "size" => Refused::Size,
        "paused" => Refused::Paused,
        "again" => Refused::Again(fields.span("wait_nanos")?),
        "post_only" => Refused::PostOnly(fields.span("wait_nanos")?),
        "restricted" => Refused::Restricted,
        "credentials" => Refused::Credentials,
        "malformed" => Refused::Malformed,
        "not_sent" => Refused::NotSent,
        "kept_back" => Refused::KeptBack,
        "other" => Refused::Other,
        _ => return Err(Unread("reason")),
    })
}

fn fill_out(fill: &Fill) -> Value {
    let fee_from = match fill.fee {
        Fee::Reported(_) => "venue",
        Fee::Computed(_) => "formula",
    };
    json!({
        "is": "fill", "venue_trade": fill.trade, "quantity_micros": fill.quantity.units(),
        "money_micros": fill.money.micros(), "fee_micros": fill.fee.amount().micros(),
        "fee_from": fee_from, "finality": fill.finality.name(), "at_nanos": fill.at.nanos(),
    })
}

fn fill_in(fields: Fields<'_>) -> Result<Fill, Unread> {
    let fee = fields.money("fee_micros")?;
    Ok(Fill {
        trade: fields.text("venue_trade")?,
        quantity: fields.quantity("quantity_micros")?,
        money: fields.money("money_micros")?,
        fee: match fields.word("fee_from")? {
            "venue" => Fee::Reported(fee),
            "formula" => Fee::Computed(fee),
            _ => return Err(Unread("fee_from")),
        },
        finality: fields.one_of(
            "finality",
            &[Finality::Matched, Finality::Confirmed, Finality::Failed],
            |finality| finality.name(),
        )?,
        at: fields.time("at_nanos")?,
    })
}
