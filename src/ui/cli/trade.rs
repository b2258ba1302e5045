//! What trading did, leg by leg: one JSON object a line, or one aligned line.

use serde_json::{Value, json};

use crate::domain::report::{Fill, Refusal, Rest};
use crate::domain::{Evidence, MarketIndex, Order, Report, Size, Timestamp, Venue};
use crate::engine::effect::{Plan, Record, Scope, Stages};

use super::text::{Colour, Tone, clean};

/// How long a venue's words may be.
const TEXT_WIDTH: usize = 160;
/// What belongs to a line stands under its word.
const INDENT: &str = "               ";

/// What the records speak of by number, by name.
pub trait Names {
    /// Where a market trades, and its ticker or condition id.
    fn market(&self, market: MarketIndex) -> Option<(Venue, &str)>;
    /// The order of an intent.
    fn order(&self, intent: crate::domain::IntentId) -> Option<&Order>;
}

/// The record for programs; `None` for what a reader of trades need not see.
pub fn record(record: &Record, names: &dyn Names) -> Option<Value> {
    Some(match record {
        Record::Opened { trade, plan, at } => opened(&trade.to_string(), plan, *at, names),
        Record::Placed(order) => placed(order, names),
        Record::Reported { report, at } => return reported(report, *at, names),
        Record::Merged { trade, market, quantity, at } => json!({
            "kind": "merged", "at": at.to_string(), "trade": trade.to_string(),
            "market": market_id(*market, names), "quantity": quantity.to_string(),
        }),
        Record::Moved { trade, to, why, at } => json!({
            "kind": "trade", "at": at.to_string(), "trade": trade.to_string(), "state": to,
            "why": why,
        }),
        Record::Halted { scope, why, at } => json!({
            "kind": "halted", "at": at.to_string(), "scope": scope_name(scope), "why": why,
        }),
        Record::Resumed { scope, at } => json!({
            "kind": "resumed", "at": at.to_string(), "scope": scope_name(scope),
        }),
        Record::Booked { venue, line, amount, why, at, .. } => json!({
            "kind": "booked", "at": at.to_string(), "venue": venue.name(), "line": line.name(),
            "amount": amount.to_string(), "why": why,
        }),
        Record::Adopted { venue, market, outcome, quantity, why, at } => json!({
            "kind": "adopted", "at": at.to_string(), "venue": venue.name(),
            "market": market_id(*market, names),
            "outcome": outcome.name(), "quantity": quantity.to_string(), "why": why,
        }),
        Record::Ignored { venue, market, why, at } => json!({
            "kind": "ignored", "at": at.to_string(), "venue": venue.name(),
            "market": market_id(*market, names), "why": why,
        }),
        Record::Flattening { loss_max, at, .. } => json!({
            "kind": "flattening", "at": at.to_string(), "loss_max": loss_max.to_string(),
        }),
        Record::Incident { kind, text, trade, at } => json!({
            "kind": "incident", "at": at.to_string(), "incident": kind, "text": text,
            "trade": trade.map(|trade| trade.to_string()),
        }),
        Record::Named { .. } => return None,
    })
}

fn market_id(market: MarketIndex, names: &dyn Names) -> String {
    names.market(market).map(|(_, id)| id.to_owned()).unwrap_or_default()
}

/// A scope in one word.
pub fn scope_name(scope: &Scope) -> String {
    match scope {
        Scope::Pair(pair) => format!("pair {pair}"),
        Scope::Venue(venue) => format!("venue {venue}"),
        Scope::All => "all".to_owned(),
    }
}

fn opened(trade: &str, plan: &Plan, at: Timestamp, names: &dyn Names) -> Value {
    let legs = plan.legs.each_ref().map(|leg| {
        json!({
            "venue": leg.venue.name(), "market": market_id(leg.market, names),
            "outcome": leg.outcome.name(), "limit": leg.limit.to_string(),
            "quantity": leg.quantity.to_string(), "cost_max": leg.cost_max.to_string(),
            "fee_max": leg.fee_max.to_string(),
        })
    });
    json!({
        "kind": "trade_opened", "at": at.to_string(), "trade": trade, "pair": plan.pair.0,
        "opportunity": plan.opportunity, "stages": stages(plan.stages),
        "quantity": plan.quantity.to_string(), "expected_profit": plan.profit.to_string(),
        "legs": legs,
    })
}

const fn stages(stages: Stages) -> &'static str {
    match stages {
        Stages::First(Venue::Kalshi) => "kalshi_first",
        Stages::First(Venue::Polymarket) => "polymarket_first",
        Stages::Together => "concurrent",
    }
}

fn size(order: &Order) -> String {
    match order.size {
        Size::Contracts(quantity) => format!("{quantity} contracts"),
        Size::Collateral(money) => format!("${money}"),
    }
}

fn placed(order: &Order, names: &dyn Names) -> Value {
    let (contracts, collateral) = match order.size {
        Size::Contracts(quantity) => (Some(quantity.to_string()), None),
        Size::Collateral(money) => (None, Some(money.to_string())),
    };
    json!({
        "kind": "order", "at": order.at.to_string(), "trade": order.trade.to_string(),
        "intent": order.intent.to_string(), "purpose": order.purpose.name(),
        "venue": order.venue.name(), "market": market_id(order.market, names),
        "outcome": order.outcome.name(), "action": order.action.name(),
        "limit": order.limit.to_string(), "contracts": contracts, "collateral": collateral,
        "lifetime": order.lifetime.name(),
    })
}

/// What a venue said about the account as a whole.
fn account(report: &Report, at: Timestamp) -> Option<Value> {
    Some(match report {
        Report::Settled { venue, id, yes_pays, paid, .. } => json!({
            "kind": "settled", "at": at.to_string(), "venue": venue.name(), "market": id,
            "yes_pays": yes_pays.to_string(), "paid": paid.to_string(),
        }),
        Report::Moved { venue, movement } => json!({
            "kind": "moved", "at": at.to_string(), "venue": venue.name(), "id": movement.id,
            "what": movement.kind.name(), "amount": movement.amount.to_string(),
        }),
        _ => return None,
    })
}

fn reported(report: &Report, at: Timestamp, names: &dyn Names) -> Option<Value> {
    let Report::Order { intent, evidence } = report else { return account(report, at) };
    let trade = names.order(*intent).map(|order| order.trade.to_string());
    let head = |kind: &str| {
        json!({
            "kind": kind, "at": at.to_string(), "trade": trade, "intent": intent.to_string(),
        })
    };
    let with = |mut head: Value, more: Value| {
        if let (Some(head), Value::Object(more)) = (head.as_object_mut(), more) {
            head.extend(more);
        }
        head
    };
    Some(match evidence {
        Evidence::Fill(fill) => with(
            head("fill"),
            json!({
                "fill": fill.trade, "quantity": fill.quantity.to_string(),
                "money": fill.money.to_string(), "fee": fill.fee.amount().to_string(),
                "finality": fill.finality.name(),
            }),
        ),
        Evidence::Refused(Refusal { kind, code, text }) => with(
            head("refused"),
            json!({"reason": kind.name(), "code": code, "text": clean(text, TEXT_WIDTH)}),
        ),
        Evidence::Unclear(text) => with(head("unclear"), json!({"text": clean(text, TEXT_WIDTH)})),
        Evidence::Standing { filled, rest, .. } => with(
            head("answer"),
            json!({
                "rest": rest_name(*rest),
                "filled": filled.map(|total| total.quantity.to_string()),
                "money": filled.map(|total| total.money.to_string()),
            }),
        ),
        Evidence::NotFound { .. } => head("not_found"),
        Evidence::Listed { trades, .. } => with(head("listed"), json!({"fills": trades})),
        Evidence::NotCancelled(text) => {
            with(head("not_cancelled"), json!({"text": clean(text, TEXT_WIDTH)}))
        }
    })
}

const fn rest_name(rest: Rest) -> &'static str {
    match rest {
        Rest::Nothing => "nothing",
        Rest::Resting => "resting",
        Rest::Delayed => "delayed",
    }
}

/// The lines for people; `None` for what they need not see.
pub fn people(record: &Record, names: &dyn Names, colour: Colour) -> Option<String> {
    Some(match record {
        Record::Opened { trade, plan, at } => {
            let words = format!(
                "{trade} {:<24} {} contracts, {} hoped for, {}",
                plan.pair.0,
                plan.quantity,
                plan.profit,
                stages(plan.stages).replace('_', " "),
            );
            line(*at, &colour.paint(Tone::Good, "> trade "), &words)
        }
        Record::Placed(order) => {
            let words = format!(
                "{:<10} {} {} {} at {} of {} ({})",
                order.venue.name(),
                order.action.name(),
                size(order),
                order.outcome.name(),
                order.limit,
                clean(&market_id(order.market, names), 24),
                order.purpose.name(),
            );
            line(order.at, &colour.paint(Tone::Dim, "  order "), &words)
        }
        Record::Reported { report, at } => return people_report(report, *at, names, colour),
        Record::Merged { market, quantity, at, .. } => {
            let words =
                format!("{quantity} of both outcomes of {}", clean(&market_id(*market, names), 24));
            line(*at, &colour.paint(Tone::Dim, "  merged"), &words)
        }
        Record::Moved { trade, to, why, at } => {
            let tone = match *to {
                "stranded" | "held" => Tone::Warn,
                "locked" => Tone::Good,
                _ => Tone::Dim,
            };
            let word = colour.paint(tone, &to.replace('_', " "));
            line(*at, "       ", &format!("{trade} {word}: {}", clean(why, TEXT_WIDTH)))
        }
        Record::Halted { scope, why, at } => {
            let words = format!("{}: {}", scope_name(scope), clean(why, TEXT_WIDTH));
            line(*at, &colour.paint(Tone::Bad, "! halted"), &words)
        }
        Record::Resumed { scope, at } => {
            line(*at, &colour.paint(Tone::Good, "  resumed"), &scope_name(scope))
        }
        Record::Booked { venue, line: of, amount, why, at, .. } => {
            let of = of.name().replace('_', " ");
            let words = format!("{venue}: {of} {amount}: {}", clean(why, TEXT_WIDTH));
            line(*at, &colour.paint(Tone::Dim, "  booked"), &words)
        }
        Record::Adopted { venue, market, outcome, quantity, why, at } => {
            let (market, why) = (clean(&market_id(*market, names), 24), clean(why, TEXT_WIDTH));
            let words = format!("{venue}: {quantity} {} of {market}: {why}", outcome.name());
            line(*at, &colour.paint(Tone::Warn, "  adopted"), &words)
        }
        Record::Ignored { venue, market, why, at } => {
            let (market, why) = (clean(&market_id(*market, names), 24), clean(why, TEXT_WIDTH));
            line(*at, &colour.paint(Tone::Warn, "  ignored"), &format!("{venue}: {market}: {why}"))
        }
        Record::Flattening { loss_max, at, .. } => {
            let words = format!("everything, losing up to ${loss_max}");
            line(*at, &colour.paint(Tone::Bad, "! selling"), &words)
        }
        Record::Incident { kind, text, at, .. } => {
            let words = format!("{}: {}", kind.replace('_', " "), clean(text, TEXT_WIDTH));
            line(*at, &colour.paint(Tone::Bad, "! incident"), &words)
        }
        Record::Named { .. } => return None,
    })
}

fn people_report(
    report: &Report,
    at: Timestamp,
    names: &dyn Names,
    colour: Colour,
) -> Option<String> {
    match report {
        Report::Order { intent, evidence } => {
            let venue = names.order(*intent).map_or("", |order| order.venue.name());
            let (head, words) = match evidence {
                Evidence::Fill(fill) => (colour.paint(Tone::Good, "  fill  "), fill_words(fill)),
                Evidence::Refused(refusal) => {
                    let text = clean(&refusal.text, TEXT_WIDTH);
                    let words = format!("{}: {text}", refusal.kind.name().replace('_', " "));
                    (colour.paint(Tone::Warn, "  refused"), words)
                }
                Evidence::Unclear(text) => {
                    (colour.paint(Tone::Warn, "  unclear"), clean(text, TEXT_WIDTH))
                }
                Evidence::Standing { rest: Rest::Delayed, .. } => {
                    (colour.paint(Tone::Warn, "  delayed"), String::new())
                }
                Evidence::Standing { .. }
                | Evidence::NotFound { .. }
                | Evidence::Listed { .. }
                | Evidence::NotCancelled(_) => return None,
            };
            Some(line(at, &head, &format!("{venue:<10} {words}")))
        }
        Report::Settled { venue, id, yes_pays, paid, .. } => {
            let words = format!("{venue}: {} pays {yes_pays} for YES: {paid}", clean(id, 24));
            Some(line(at, &colour.paint(Tone::Good, "  settled"), &words))
        }
        Report::Moved { venue, movement } => {
            let words = format!("{venue}: {} {}", movement.kind.name(), movement.amount);
            Some(line(at, &colour.paint(Tone::Dim, "  moved  "), &words))
        }
        _ => None,
    }
}

fn fill_words(fill: &Fill) -> String {
    let quantity = fill.quantity;
    let (money, fee) = (fill.money, fill.fee.amount());
    format!("{quantity} for {money}, fee {fee}, {}", fill.finality.name())
}

/// Time, a word, and what there is to say.
fn line(at: Timestamp, word: &str, words: &str) -> String {
    let text = at.to_string();
    let time = text.get(11..23).unwrap_or(INDENT);
    format!("{time} {word}  {words}\n")
}
