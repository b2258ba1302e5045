//! `crossbook pairs`: look after the mapping files.

use std::io::Write as _;

use serde_json::json;

use crate::app::args::{Folder, Pairs};
use crate::app::exit::{Exit, Misuse};
use crate::app::{clock, mappings};
use crate::domain::Finding;
use crate::pairing::{Pair, Relation, Standing, check_files};
use crate::ui::cli::record;
use crate::ui::cli::text::clean;
use crate::ui::findings;

/// Runs the sub-command.
pub fn run(command: &Pairs) -> anyhow::Result<Exit> {
    match command {
        Pairs::Check(folder) => check(folder),
        Pairs::List(folder) => list(folder),
        Pairs::Accept(args) => super::acceptance::accept(args),
        Pairs::Accepted(args) => super::acceptance::list(args),
    }
}

fn read(folder: &Folder) -> anyhow::Result<Vec<(String, String)>> {
    mappings::read(&folder.dir).map_err(|error| Misuse(format!("{error:#}")).into())
}

fn check(folder: &Folder) -> anyhow::Result<Exit> {
    let files = read(folder)?;
    let checked = check_files(&files, clock::today());
    let mut out = std::io::stdout().lock();
    if folder.json {
        for finding in &checked.findings {
            writeln!(out, "{}", record::line(&finding_record(finding)))?;
        }
        let errors = checked.findings.iter().filter(|finding| finding.is_error()).count();
        let summary = json!({
            "kind": "summary", "files": files.len(), "pairs": checked.pairs.len(),
            "errors": errors, "warnings": checked.findings.len() - errors,
        });
        writeln!(out, "{}", record::line(&summary))?;
    } else {
        write!(out, "{}", findings::excerpts(&checked.findings, &files, clock::findings_colour()))?;
        let count = findings::count(&checked.findings);
        let found = if count.is_empty() { "no findings".to_owned() } else { count };
        let (files, pairs) = (counted(files.len(), "file"), counted(checked.pairs.len(), "pair"));
        writeln!(out, "{files}, {pairs} without errors, {found}")?;
    }
    Ok(if checked.has_errors() { Exit::Usage } else { Exit::Done })
}

fn finding_record(finding: &Finding) -> serde_json::Value {
    json!({
        "kind": "finding", "severity": finding.severity.name(), "file": finding.at.file,
        "line": finding.at.line, "column": finding.at.column, "what": finding.what,
        "why": finding.why, "cure": finding.cure,
    })
}

fn list(folder: &Folder) -> anyhow::Result<Exit> {
    let files = read(folder)?;
    let checked = check_files(&files, clock::today());
    let mut out = std::io::stdout().lock();
    if folder.json {
        for pair in &checked.pairs {
            writeln!(out, "{}", record::line(&pair_record(pair)))?;
        }
        let summary = json!({"kind": "summary", "pairs": checked.pairs.len(),
            "broken": checked.broken.len()});
        writeln!(out, "{}", record::line(&summary))?;
    } else {
        let wide = checked.pairs.iter().map(|pair| pair.id.0.len()).max().unwrap_or(0);
        for pair in &checked.pairs {
            writeln!(
                out,
                "{:<wide$}  {:<9}  {:<8}  {:<10}  {}",
                pair.id.0,
                standing(pair),
                relation(pair),
                pair.settles.map_or_else(|| "-".to_owned(), |day| day.to_string()),
                clean(&pair.title, 70),
            )?;
        }
        if checked.pairs.is_empty() && checked.broken.is_empty() {
            writeln!(out, "no pairs in `{}`", folder.dir.display())?;
        }
        if !checked.broken.is_empty() {
            let broken = match checked.broken.len() {
                1 => "one broken entry is".to_owned(),
                count => format!("{count} broken entries are"),
            };
            writeln!(out, "{broken} left out; `crossbook pairs check` tells why")?;
        }
    }
    Ok(if checked.broken.is_empty() { Exit::Done } else { Exit::Usage })
}

fn pair_record(pair: &Pair) -> serde_json::Value {
    json!({
        "kind": "pair", "pair": pair.id.0, "title": pair.title, "status": standing(pair),
        "relation": relation(pair), "kalshi": pair.kalshi, "polymarket": pair.polymarket,
        "outcome": pair.outcome, "settles": pair.settles.map(|day| day.to_string()),
        "resolution_risk": pair.resolution_risk.to_string(), "file": pair.place.file,
        "line": pair.place.line,
    })
}

const fn standing(pair: &Pair) -> &'static str {
    match pair.standing {
        Standing::Proposed => "proposed",
        Standing::Approved => "approved",
        Standing::Suspended => "suspended",
    }
}

const fn relation(pair: &Pair) -> &'static str {
    match pair.relation {
        Relation::Same => "same",
        Relation::Opposite => "opposite",
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
