//! How a trader stands: for `crossbook status`, and for the end of a run.

use serde_json::{Map, Value, json};

use crate::domain::{Money, Outcome, Venue};
use crate::engine::trade::Trader;
use crate::execute::{Scope, State};
use crate::risk::NoTrade;
use crate::ui::cli::trade::scope_name;

use super::desk::{Desk, Journal};
use super::pipeline::Pipeline;

/// Whether it trades, what stops it, what is held and under way, and how far the limits are used;
/// nothing where nothing is traded.
pub fn record(pipeline: &Pipeline) -> Option<Value> {
    let trader = pipeline.engine().trader()?;
    let state = trader.executor().state();
    let (word, why) = verdict(trader, pipeline);
    let halts = trader.risk().halts().iter();
    let halts = halts.map(|stop| json!({ "scope": scope_name(&stop.scope), "why": stop.why }));
    Some(json!({
        "state": word,
        "why": why,
        "halts": halts.collect::<Vec<_>>(),
        "differences": trader.differences(),
        "positions": positions(state, pipeline),
        "left_alone": left_alone(trader, pipeline),
        "not_mapped": not_mapped(trader),
        "open_trades": open_trades(state),
        "open_orders": open_orders(state, pipeline),
        "cash": cash(state),
        "realised": state.realised().to_string(),
        "used": used(trader, pipeline),
    }))
}

/// Whether it trades, in a word, and why not.
fn verdict(trader: &Trader, pipeline: &Pipeline) -> (&'static str, String) {
    let closed: Vec<&str> =
        Venue::ALL.into_iter().filter(|venue| !trader.may_open(*venue)).map(Venue::name).collect();
    let said = |text: &str| text.to_owned();
    match trader.risk().check_gates() {
        Err(NoTrade::Killed) => ("killed", said("nothing more is sent")),
        Err(NoTrade::JournalBroken) => {
            let why = match pipeline.desk().map(Desk::journal) {
                Some(Journal::Broken(why)) => why,
                _ => "it did not say why",
            };
            ("stopped", format!("the journal cannot be written: {why}"))
        }
        Err(_) if !trader.differences().is_empty() => {
            ("stopped", said("the journal and a venue do not agree"))
        }
        Err(_) => ("starting", said("the journal is compared with both venues")),
        Ok(()) if trader.is_draining() => ("ending", said("nothing new is begun")),
        Ok(()) if trader.risk().is_halted(&Scope::All) => ("halted", said("see `halts`")),
        Ok(()) if !closed.is_empty() => (
            "starting",
            format!("{} has not said that the account may trade", closed.join(" and ")),
        ),
        Ok(()) => ("trading", String::new()),
    }
}

fn market_id(pipeline: &Pipeline, market: crate::domain::MarketIndex) -> &str {
    pipeline.registry().get(market).map_or("?", |entry| entry.id.as_str())
}

/// What is held.
fn positions(state: &State, pipeline: &Pipeline) -> Vec<Value> {
    let ledger = state.ledger();
    let mut held = Vec::new();
    for (venue, market) in ledger.markets() {
        for outcome in [Outcome::Yes, Outcome::No] {
            let quantity = ledger.held(market, outcome);
            if !quantity.is_zero() {
                held.push(json!({
                    "venue": venue.name(), "market": market_id(pipeline, market),
                    "outcome": outcome.name(), "quantity": quantity.to_string(),
                }));
            }
        }
    }
    held
}

/// What the venues said last of the markets that are left to their person.
fn left_alone(trader: &Trader, pipeline: &Pipeline) -> Vec<Value> {
    let mut all = Vec::new();
    for market in trader.executor().state().ignored() {
        let Some(entry) = pipeline.registry().get(market) else { continue };
        let told = [Outcome::Yes, Outcome::No]
            .map(|outcome| trader.told(entry.venue, market, outcome).map(|held| held.to_string()));
        let [yes, no] = told;
        all.push(json!({
            "venue": entry.venue.name(), "market": entry.id, "yes": yes, "no": no,
        }));
    }
    all
}

/// What the venues said last that is held in markets of no pair.
fn not_mapped(trader: &Trader) -> Vec<Value> {
    let all = Venue::ALL.into_iter().flat_map(|venue| {
        trader.unmapped(venue).iter().map(move |held| {
            json!({
                "venue": venue.name(), "market": held.id, "outcome": held.outcome.name(),
                "quantity": held.quantity.to_string(),
            })
        })
    });
    all.collect()
}

/// Trades that are neither locked nor over.
fn open_trades(state: &State) -> Vec<Value> {
    let open = state.restless();
    open.map(|trade| {
        json!({
            "trade": trade.id.to_string(), "pair": trade.plan.pair.0, "state": trade.phase.name(),
            "since": trade.since.to_string(),
        })
    })
    .collect()
}

/// Orders that may still fill or whose fills may still fail.
fn open_orders(state: &State, pipeline: &Pipeline) -> Vec<Value> {
    let orders = state.pending().map(|tracked| {
        let order = tracked.order();
        json!({
            "intent": order.intent.to_string(), "venue": order.venue.name(),
            "market": market_id(pipeline, order.market), "action": order.action.name(),
            "outcome": order.outcome.name(), "known": tracked.is_known(),
        })
    });
    orders.collect()
}

fn cash(state: &State) -> Value {
    let of = |venue| (Venue::name(venue).to_owned(), state.ledger().cash(venue).total());
    let cash: Map<String, Value> = Venue::ALL
        .into_iter()
        .map(of)
        .map(|(venue, money)| (venue, money.to_string().into()))
        .collect();
    Value::Object(cash)
}

/// How far the limits are used, in dollars.
fn used(trader: &Trader, pipeline: &Pipeline) -> Value {
    let (risk, limits) = (trader.risk(), trader.risk().limits());
    let sums = risk.totals();
    let of =
        |used: Money, most: Money| json!({ "used": used.to_string(), "limit": most.to_string() });
    json!({
        "total": of(sums.total, limits.total),
        "kalshi": of(sums.venues[0], limits.venues[0]),
        "polymarket": of(sums.venues[1], limits.venues[1]),
        "unconfirmed": of(sums.unconfirmed, limits.unconfirmed),
        "stranded": of(sums.stranded, limits.stranded),
        "lost_today": of(risk.lost_on(pipeline.now()), limits.loss_per_day),
        "open_trades": { "used": sums.live, "limit": limits.open_trades },
    })
}
