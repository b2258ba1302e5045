//! `crossbook trades`: each attempt at both legs, and where it is in its life.

use std::io::Write as _;

use serde_json::json;

use crate::app::args::Listed;
use crate::app::clock;
use crate::app::exit::Exit;
use crate::app::history::History;
use crate::execute::Trade;
use crate::execute::trade_state::Phase;
use crate::plan::Kind;
use crate::ui::cli::record;
use crate::ui::cli::table::{Align, Table};

/// Runs the command.
pub fn run(args: &Listed) -> anyhow::Result<Exit> {
    let history = History::read(&args.past)?;
    let all: Vec<&Trade> = history.state().trades().collect();
    let is_over = |trade: &Trade| matches!(trade.phase, Phase::Ended(_));
    let mut shown: Vec<&Trade> =
        all.iter().copied().filter(|trade| !args.open || !is_over(trade)).collect();
    super::newest(&mut shown, args.last);
    let mut out = std::io::stdout().lock();
    if args.past.json {
        for trade in &shown {
            writeln!(out, "{}", record::line(&trade_record(trade, &history)))?;
        }
        let summary = json!({ "kind": "summary", "shown": shown.len(), "trades": all.len() });
        writeln!(out, "{}", record::line(&summary))?;
        return Ok(Exit::Done);
    }
    write!(out, "{}", table(&shown, &history).text(clock::out_colour()))?;
    writeln!(out, "{} of {} trades", shown.len(), all.len())?;
    Ok(Exit::Done)
}

const fn kind(trade: &Trade) -> &'static str {
    match trade.plan.kind {
        Kind::Enter => "enter",
        Kind::Exit => "exit",
    }
}

fn trade_record(trade: &Trade, history: &History) -> serde_json::Value {
    let accounts = trade.accounts(history.state().orders());
    let balance = trade.balance(&accounts);
    let leg = |at: usize| {
        let (leg, own) = (&trade.plan.legs[at], &accounts[at]);
        json!({
            "venue": leg.venue.name(), "market": history.market(leg.market).1,
            "outcome": leg.outcome.name(), "limit": leg.limit.to_string(),
            "bought": own.bought.to_string(), "cost": own.cost.to_string(),
            "sold": own.sold.to_string(), "proceeds": own.proceeds.to_string(),
            "offset": own.offset.to_string(), "offset_cost": own.offset_cost.to_string(),
            "unconfirmed": own.unconfirmed.to_string(),
        })
    };
    let opened = history.opened.get(&trade.id);
    json!({
        "kind": "trade", "trade": trade.id.to_string(),
        "opened": opened.map(ToString::to_string), "pair": trade.plan.pair.0,
        "purpose": kind(trade), "state": trade.phase.name(), "since": trade.since.to_string(),
        "why": trade.why, "quantity": trade.plan.quantity.to_string(),
        "matched": balance.matched.to_string(),
        "stranded": balance.surplus.map(|(leg, quantity)| json!({
            "venue": trade.plan.legs[leg].venue.name(), "quantity": quantity.to_string(),
        })),
        "profit_planned": trade.plan.profit.to_string(),
        "loss_max": trade.plan.loss_max.to_string(),
        "realised": trade.realised(&accounts).to_string(),
        "legs": [leg(0), leg(1)],
    })
}

fn table(shown: &[&Trade], history: &History) -> Table {
    let mut table = Table::new(&[
        ("trade", Align::Left),
        ("opened", Align::Left),
        ("pair", Align::Left),
        ("kind", Align::Left),
        ("state", Align::Left),
        ("planned", Align::Right),
        ("matched", Align::Right),
        ("alone", Align::Right),
        ("profit planned", Align::Right),
        ("realised", Align::Right),
        ("why", Align::Left),
    ]);
    for trade in shown {
        let accounts = trade.accounts(history.state().orders());
        let balance = trade.balance(&accounts);
        let alone = balance.surplus.map_or_else(
            || "-".to_owned(),
            |(leg, quantity)| format!("{quantity} {}", trade.plan.legs[leg].venue),
        );
        table.row([
            trade.id.to_string(),
            history.opened.get(&trade.id).map(ToString::to_string).unwrap_or_default(),
            trade.plan.pair.0.clone(),
            kind(trade).to_owned(),
            trade.phase.name().to_owned(),
            trade.plan.quantity.to_string(),
            balance.matched.to_string(),
            alone,
            trade.plan.profit.to_string(),
            trade.realised(&accounts).to_string(),
            trade.why.clone(),
        ]);
    }
    table
}
