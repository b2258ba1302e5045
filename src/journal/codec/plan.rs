//! Plans as text and back.

use serde_json::{Value, json};

use crate::domain::Venue;
use crate::pairing::PairId;
use crate::plan::{Kind, Leg, Plan, Stages};

use super::field::{Fields, Unread, span};
use super::{size_in, size_out};

/// A plan as an object.
pub(super) fn out(plan: &Plan) -> Value {
    let stages = match plan.stages {
        Stages::First(Venue::Kalshi) => "kalshi_first",
        Stages::First(Venue::Polymarket) => "polymarket_first",
        Stages::Together => "together",
    };
    let kind = match plan.kind {
        Kind::Enter => "enter",
        Kind::Exit => "exit",
    };
    json!({
        "pair": plan.pair.0,
        "opportunity": plan.opportunity,
        "kind": kind,
        "legs": plan.legs.iter().map(leg_out).collect::<Vec<_>>(),
        "stages": stages,
        "quantity_micros": plan.quantity.units(),
        "profit_micros": plan.profit.micros(),
        "loss_max_micros": plan.loss_max.micros(),
        "reserve_micros": plan.reserve.micros(),
        "answer_max_nanos": span(plan.answer_max),
        "stranded_max_nanos": span(plan.stranded_max),
        "at_nanos": plan.at.nanos(),
    })
}

/// The plan that an object holds.
pub(super) fn read(fields: Fields<'_>) -> Result<Plan, Unread> {
    let legs: Vec<Leg> = fields.list("legs", leg_in)?;
    Ok(Plan {
        pair: PairId(fields.text("pair")?),
        opportunity: fields.whole("opportunity")?,
        kind: match fields.word("kind")? {
            "enter" => Kind::Enter,
            "exit" => Kind::Exit,
            _ => return Err(Unread("kind of plan")),
        },
        legs: legs.try_into().map_err(|_| Unread("legs"))?,
        stages: match fields.word("stages")? {
            "kalshi_first" => Stages::First(Venue::Kalshi),
            "polymarket_first" => Stages::First(Venue::Polymarket),
            "together" => Stages::Together,
            _ => return Err(Unread("stages")),
        },
        quantity: fields.quantity("quantity_micros")?,
        profit: fields.money("profit_micros")?,
        loss_max: fields.money("loss_max_micros")?,
        reserve: fields.money("reserve_micros")?,
        answer_max: fields.span("answer_max_nanos")?,
        stranded_max: fields.span("stranded_max_nanos")?,
        at: fields.time("at_nanos")?,
    })
}

fn leg_out(leg: &Leg) -> Value {
    let (size, size_micros) = size_out(leg.size);
    json!({
        "venue": leg.venue.name(),
        "market": leg.market.0,
        "event": leg.event,
        "group": leg.group,
        "outcome": leg.outcome.name(),
        "limit_units": leg.limit.units(),
        "size": size,
        "size_micros": size_micros,
        "quantity_micros": leg.quantity.units(),
        "cost_max_micros": leg.cost_max.micros(),
        "fee_max_micros": leg.fee_max.micros(),
    })
}

fn leg_in(fields: Fields<'_>) -> Result<Leg, Unread> {
    Ok(Leg {
        venue: fields.venue("venue")?,
        market: fields.market("market")?,
        event: fields.text("event")?,
        // Plans of earlier versions have none.
        group: fields.maybe("group", group_in)?.unwrap_or_default(),
        outcome: fields.outcome("outcome")?,
        limit: fields.price("limit_units")?,
        size: size_in(fields)?,
        quantity: fields.quantity("quantity_micros")?,
        cost_max: fields.money("cost_max_micros")?,
        fee_max: fields.money("fee_max_micros")?,
    })
}

fn group_in(field: Fields<'_>) -> Result<String, Unread> {
    field.0.as_str().map(str::to_owned).ok_or(Unread("group"))
}
