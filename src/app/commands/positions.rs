//! `crossbook positions`: what is held, by market and as locked pairs.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde_json::{Value, json};

use crate::app::args::Positions;
use crate::app::clock;
#[cfg(unix)]
use crate::app::control::{Request, ask};
use crate::app::exit::Exit;
use crate::app::history::History;
use crate::domain::{Action, MarketIndex, Money, Outcome, Quantity};
use crate::execute::trade_state::Phase;
use crate::ui::cli::record;
use crate::ui::cli::table::{Align, Table};
use crate::ui::cli::text::clean;

/// Runs the command.
pub fn run(args: &Positions) -> anyhow::Result<Exit> {
    #[cfg(unix)]
    if let Some(holding) = &args.holding {
        return super::ruling::holding(holding);
    }
    let history = History::read(&args.past)?;
    let others = others(&history);
    let mut out = std::io::stdout().lock();
    let text = if args.past.json { records(&history, &others) } else { people(&history, &others) };
    out.write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

/// What the venues told a running trader of markets that are not its business: a list of what is
/// held where no pair is, and one of markets that were left to their person. Nothing when nobody
/// trades with the journal: no journal keeps it.
#[cfg(unix)]
fn others(history: &History) -> [Vec<Value>; 2] {
    let said = ask::ask(&history.path, &Request::Status).unwrap_or_default();
    ["not_mapped", "left_alone"].map(|key| said[key].as_array().cloned().unwrap_or_default())
}

#[cfg(not(unix))]
fn others(_: &History) -> [Vec<Value>; 2] {
    [Vec::new(), Vec::new()]
}

/// What is held of one contract.
struct Held<'a> {
    venue: &'static str,
    market: &'a str,
    outcome: Outcome,
    quantity: Quantity,
    unconfirmed: Quantity,
}

fn held(history: &History) -> Vec<Held<'_>> {
    let state = history.state();
    let mut unconfirmed: BTreeMap<(MarketIndex, &str), Quantity> = BTreeMap::new();
    for order in state.pending().filter(|order| order.order().action == Action::Buy) {
        let contract = (order.order().market, order.order().outcome.name());
        let sum = unconfirmed.entry(contract).or_default();
        *sum = sum.saturating_add(order.unconfirmed());
    }
    let mut all = Vec::new();
    for (venue, market) in state.ledger().markets() {
        for outcome in [Outcome::Yes, Outcome::No] {
            let quantity = state.ledger().held(market, outcome);
            if quantity.is_zero() {
                continue;
            }
            let unsure = unconfirmed.get(&(market, outcome.name())).copied().unwrap_or_default();
            all.push(Held {
                venue: venue.name(),
                market: history.market(market).1,
                outcome,
                quantity,
                unconfirmed: unsure.min(quantity),
            });
        }
    }
    all
}

/// A trade that holds contracts of a pair.
struct Lock<'a> {
    trade: String,
    pair: &'a str,
    state: &'static str,
    matched: Quantity,
    paid: Money,
    alone: Option<(&'static str, Quantity, Money)>,
}

fn locks(history: &History) -> Vec<Lock<'_>> {
    let state = history.state();
    let mut all = Vec::new();
    for trade in state.trades().filter(|trade| !matches!(trade.phase, Phase::Ended(_))) {
        let accounts = trade.accounts(state.orders());
        let balance = trade.balance(&accounts);
        let locked = state.locked(&trade.plan.pair).find(|locked| locked.trade.id == trade.id);
        let alone = balance.surplus.map(|(leg, quantity)| {
            let cost = trade.basis(&accounts, leg, quantity);
            (trade.plan.legs[leg].venue.name(), quantity, cost)
        });
        all.push(Lock {
            trade: trade.id.to_string(),
            pair: &trade.plan.pair.0,
            state: trade.phase.name(),
            matched: locked.as_ref().map_or(balance.matched, |locked| locked.quantity),
            paid: locked.map_or_else(|| accounts[0].spent() + accounts[1].spent(), |it| it.paid),
            alone,
        });
    }
    all
}

fn records(history: &History, others: &[Vec<Value>; 2]) -> String {
    let mut text = String::new();
    let mut add = |value: &Value| {
        text.push_str(&record::line(value));
        text.push('\n');
    };
    let (held, locks) = (held(history), locks(history));
    for one in &held {
        add(&json!({
            "kind": "position", "venue": one.venue, "market": one.market,
            "outcome": one.outcome.name(), "quantity": one.quantity.to_string(),
            "unconfirmed": one.unconfirmed.to_string(),
        }));
    }
    for lock in &locks {
        add(&json!({
            "kind": "open_trade", "trade": lock.trade, "pair": lock.pair, "state": lock.state,
            "matched": lock.matched.to_string(), "paid": lock.paid.to_string(),
            "stranded": lock.alone.map(|(venue, quantity, cost)| json!({
                "venue": venue, "quantity": quantity.to_string(), "cost": cost.to_string(),
            })),
        }));
    }
    for (kind, list) in ["not_mapped", "left_alone"].into_iter().zip(others) {
        for one in list.iter().filter_map(Value::as_object) {
            let mut fields = serde_json::Map::new();
            fields.insert("kind".to_owned(), kind.into());
            fields.extend(one.clone());
            add(&Value::Object(fields));
        }
    }
    add(&json!({
        "kind": "summary", "positions": held.len(), "open_trades": locks.len(),
        "journal": history.path.display().to_string(),
    }));
    text
}

fn people(history: &History, others: &[Vec<Value>; 2]) -> String {
    let colour = clock::out_colour();
    let others = people_others(others);
    let mut contracts = Table::new(&[
        ("venue", Align::Left),
        ("market", Align::Left),
        ("outcome", Align::Left),
        ("held", Align::Right),
        ("unconfirmed", Align::Right),
    ]);
    for one in held(history) {
        contracts.row([
            one.venue.to_owned(),
            one.market.to_owned(),
            one.outcome.name().to_owned(),
            one.quantity.to_string(),
            one.unconfirmed.to_string(),
        ]);
    }
    let mut trades = Table::new(&[
        ("trade", Align::Left),
        ("pair", Align::Left),
        ("state", Align::Left),
        ("matched", Align::Right),
        ("paid", Align::Right),
        ("alone", Align::Right),
        ("at", Align::Left),
        ("its cost", Align::Right),
    ]);
    for lock in locks(history) {
        let (venue, alone, cost) = lock.alone.map_or_else(
            || ("-".to_owned(), "-".to_owned(), "-".to_owned()),
            |(venue, quantity, cost)| (venue.to_owned(), quantity.to_string(), cost.to_string()),
        );
        trades.row([
            lock.trade,
            lock.pair.to_owned(),
            lock.state.to_owned(),
            lock.matched.to_string(),
            lock.paid.to_string(),
            alone,
            venue,
            cost,
        ]);
    }
    if contracts.is_empty() && trades.is_empty() {
        return format!("nothing is held, by {}\n{others}", history.path.display());
    }
    let mut text = contracts.text(colour);
    if !trades.is_empty() {
        text.push('\n');
        text.push_str(&trades.text(colour));
    }
    text + &others
}

fn people_others([not_mapped, left_alone]: &[Vec<Value>; 2]) -> String {
    let mut text = String::new();
    let mut list = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text.push_str(&format!("\n{title}\n"));
            text.extend(lines.iter().map(|line| format!("  {line}\n")));
        }
    };
    let word = |one: &Value, key: &str| clean(one[key].as_str().unwrap_or("?"), 80);
    let held = |one: &Value| {
        let [venue, market] = ["venue", "market"].map(|key| word(one, key));
        format!("{venue} {market}: {} {}", word(one, "quantity"), word(one, "outcome"))
    };
    let told = |one: &Value| {
        let [venue, market] = ["venue", "market"].map(|key| word(one, key));
        format!("{venue} {market}: {} yes, {} no", word(one, "yes"), word(one, "no"))
    };
    list("in markets of no pair, left alone:", not_mapped.iter().map(held).collect());
    list("left to you (`positions ignore`):", left_alone.iter().map(told).collect());
    text
}
