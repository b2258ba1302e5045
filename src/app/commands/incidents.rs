//! `crossbook incidents`: what a person had to know, and every halt.

use std::io::Write as _;

use serde_json::json;

use crate::app::args::Listed;
use crate::app::clock;
use crate::app::exit::Exit;
use crate::app::history::{History, scope_name};
use crate::ui::cli::record;
use crate::ui::cli::table::{Align, Table};
use crate::ui::cli::text::clean;

/// Longest text of an incident on a terminal.
const TEXT_WIDTH: usize = 200;

/// Runs the command.
pub fn run(args: &Listed) -> anyhow::Result<Exit> {
    let history = History::read(&args.past)?;
    let halts = history.state().halts();
    let mut out = std::io::stdout().lock();
    let mut shown: Vec<_> = history.incidents.iter().collect();
    // What still stands is the halts below.
    shown.retain(|_| !args.open);
    super::newest(&mut shown, args.last);
    if args.past.json {
        for one in &shown {
            let line = json!({
                "kind": "incident", "at": one.at.to_string(), "incident": one.name,
                "trade": one.trade.map(|trade| trade.to_string()), "text": one.text,
            });
            writeln!(out, "{}", record::line(&line))?;
        }
        for (scope, why) in halts {
            let line = json!({ "kind": "halt", "scope": scope_name(scope), "why": why });
            writeln!(out, "{}", record::line(&line))?;
        }
        let summary = json!({
            "kind": "summary", "shown": shown.len(), "incidents": history.incidents.len(),
            "halts": halts.len(),
        });
        writeln!(out, "{}", record::line(&summary))?;
        return Ok(Exit::Done);
    }
    let mut table =
        Table::new(&[("at", Align::Left), ("incident", Align::Left), ("trade", Align::Left)]);
    for one in &shown {
        let trade = one.trade.map_or_else(|| "-".to_owned(), |trade| trade.to_string());
        table.row([one.at.to_string(), one.name.to_owned(), trade]);
    }
    let lines = table.text(clock::out_colour());
    let texts = std::iter::once("text").chain(shown.iter().map(|one| one.text.as_str()));
    let width = lines.lines().skip(1).map(|line| line.chars().count()).max().unwrap_or(0);
    for (at, (line, text)) in lines.lines().zip(texts).enumerate() {
        // The head may be coloured, which counts as characters and not as width.
        let line = if at == 0 { line.to_owned() } else { format!("{line:<width$}") };
        writeln!(out, "{line}  {}", clean(text, TEXT_WIDTH))?;
    }
    for (scope, why) in halts {
        writeln!(out, "halted: {} ({})", scope_name(scope), clean(why, TEXT_WIDTH))?;
    }
    if halts.is_empty() {
        writeln!(out, "nothing is halted")?;
    }
    Ok(Exit::Done)
}
