//! `crossbook orders`: what was placed and what became of it.

use std::io::Write as _;

use serde_json::json;

use crate::app::args::Listed;
use crate::app::clock;
use crate::app::exit::Exit;
use crate::app::history::History;
use crate::domain::Size;
use crate::execute::Tracked;
use crate::ui::cli::record;
use crate::ui::cli::table::{Align, Table};

/// Runs the command.
pub fn run(args: &Listed) -> anyhow::Result<Exit> {
    let history = History::read(&args.past)?;
    let all = history.state().orders();
    let mut shown: Vec<&Tracked> =
        all.values().filter(|order| !args.open || !order.is_final()).collect();
    super::newest(&mut shown, args.last);
    let mut out = std::io::stdout().lock();
    if args.past.json {
        for order in &shown {
            writeln!(out, "{}", record::line(&order_record(order, &history)))?;
        }
        let summary = json!({ "kind": "summary", "shown": shown.len(), "orders": all.len() });
        writeln!(out, "{}", record::line(&summary))?;
        return Ok(Exit::Done);
    }
    write!(out, "{}", table(&shown, &history).text(clock::out_colour()))?;
    writeln!(out, "{} of {} orders", shown.len(), all.len())?;
    Ok(Exit::Done)
}

/// How much was asked for, and of what.
fn size(size: Size) -> (&'static str, String) {
    match size {
        Size::Contracts(quantity) => ("contracts", quantity.to_string()),
        Size::Collateral(money) => ("collateral", money.to_string()),
    }
}

fn order_record(tracked: &Tracked, history: &History) -> serde_json::Value {
    let (order, held, booked) = (tracked.order(), tracked.held(), tracked.booked());
    let (size_in, size) = size(order.size);
    json!({
        "kind": "order", "intent": order.intent.to_string(), "trade": order.trade.to_string(),
        "at": order.at.to_string(), "venue": order.venue.name(),
        "market": history.market(order.market).1, "purpose": order.purpose.name(),
        "action": order.action.name(), "outcome": order.outcome.name(),
        "limit": order.limit.to_string(), "size_in": size_in, "size": size,
        "lifetime": order.lifetime.name(), "state": tracked.phase().name(),
        "refusal": tracked.refusal().map(|refused| refused.name()),
        "filled": held.quantity.to_string(), "money": held.money.to_string(),
        "fee": booked.fees().to_string(), "unconfirmed": tracked.unconfirmed().to_string(),
        "final": tracked.is_final(),
        "id": history.order_ids.get(&order.intent).map(|id| &id.0),
    })
}

fn table(shown: &[&Tracked], history: &History) -> Table {
    let mut table = Table::new(&[
        ("intent", Align::Left),
        ("trade", Align::Left),
        ("at", Align::Left),
        ("venue", Align::Left),
        ("market", Align::Left),
        ("order", Align::Left),
        ("limit", Align::Right),
        ("size", Align::Right),
        ("state", Align::Left),
        ("filled", Align::Right),
        ("money", Align::Right),
        ("fee", Align::Right),
    ]);
    for tracked in shown {
        let (order, held, booked) = (tracked.order(), tracked.held(), tracked.booked());
        let (size_in, size) = size(order.size);
        let state = match tracked.refusal() {
            Some(refused) => format!("{}: {}", tracked.phase().name(), refused.name()),
            None => tracked.phase().name().to_owned(),
        };
        table.row([
            order.intent.to_string(),
            order.trade.to_string(),
            order.at.to_string(),
            order.venue.name().to_owned(),
            super::short(history.market(order.market).1),
            format!("{} {} ({})", order.action.name(), order.outcome, order.purpose.name()),
            order.limit.to_string(),
            if size_in == "collateral" { format!("${size}") } else { size },
            state,
            held.quantity.to_string(),
            held.money.to_string(),
            booked.fees().to_string(),
        ]);
    }
    table
}
