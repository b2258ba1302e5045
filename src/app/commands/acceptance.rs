//! `crossbook pairs accept` and `pairs accepted`: which pairs may be traded with real money here.

use std::io::Write as _;
use std::path::PathBuf;

use serde_json::json;

use crate::app::args::{Accept, Accepted};
use crate::app::exit::{Exit, Misuse};
use crate::app::{clock, mappings, settings};
use crate::config::Overrides;
use crate::journal::{self, Acceptance};
use crate::pairing::{Checked, Pair, Standing, check_files};
use crate::ui::cli::record;
use crate::ui::cli::table::{Align, Table};
use crate::ui::cli::text::clean;

/// The pairs as they read now, and the journal that keeps acceptances.
fn read(args: &Accepted) -> anyhow::Result<(Checked, PathBuf)> {
    let mappings_dir = args.mappings.as_ref().map(|dir| dir.display().to_string());
    let overrides = Overrides { mappings_dir, ..Overrides::default() };
    let (settings, _) = settings::from_file(args.config.as_deref(), &overrides)?;
    let files = mappings::read(settings.mappings.dir.as_ref())
        .map_err(|error| Misuse(format!("{error:#}; --mappings names another folder")))?;
    let journal = args.journal.clone().unwrap_or_else(|| settings.journal.path.into());
    Ok((check_files(&files, clock::today()), journal))
}

/// Keeps the fingerprints of pairs: all of those that are named, or none.
pub(super) fn accept(args: &Accept) -> anyhow::Result<Exit> {
    let (checked, journal) = read(&args.accepted)?;
    let pairs = args.ids.iter().map(|id| acceptable(id, &checked));
    let pairs = pairs.collect::<Result<Vec<&Pair>, _>>()?;
    let mut out = std::io::stdout().lock();
    for pair in pairs {
        let (fingerprint, at) = (pair.fingerprint(), clock::now());
        let acceptance = Acceptance { pair: pair.id.0.clone(), fingerprint, at };
        journal::accept(&journal, &acceptance)?;
        if args.accepted.json {
            writeln!(out, "{}", record::line(&accepted_record(&acceptance, "current")))?;
        } else {
            writeln!(
                out,
                "accepted {}: {} and {} of {}\n  {}\n  {}",
                pair.id,
                pair.kalshi,
                clean(&pair.outcome, 40),
                pair.polymarket,
                clean(&pair.title, 100),
                acceptance.fingerprint,
            )?;
        }
    }
    Ok(Exit::Done)
}

/// The pair of that name, if live trading would take it.
fn acceptable<'a>(id: &str, checked: &'a Checked) -> Result<&'a Pair, Misuse> {
    let Some(pair) = checked.pairs.iter().find(|pair| pair.id.0 == id) else {
        let is_broken = checked
            .broken
            .iter()
            .any(|broken| broken.id.as_ref().is_some_and(|broken| broken.0 == id));
        return Err(Misuse(if is_broken {
            format!("the entry of `{id}` is broken; `crossbook pairs check` tells why")
        } else {
            format!("there is no pair `{id}`; `crossbook pairs list` shows all")
        }));
    };
    let why = match (&pair.standing, &pair.review) {
        (Standing::Proposed, _) => "it is only proposed: review it and set status = \"approved\"",
        (Standing::Suspended, _) => "it is suspended",
        (Standing::Approved, Some(review))
            if review.kalshi_rules.is_some() && review.polymarket_rules.is_some() =>
        {
            return Ok(pair);
        }
        (Standing::Approved, _) => {
            "its review lacks the hashes of both rules: without them nobody sees when they change"
        }
    };
    Err(Misuse(format!("`{id}` ({}) cannot be accepted: {why}", pair.place)))
}

/// What was accepted, and whether it still reads so.
pub(super) fn list(args: &Accepted) -> anyhow::Result<Exit> {
    let (checked, journal) = read(args)?;
    let all = journal::accepted(&journal)?;
    let mut out = std::io::stdout().lock();
    let mut table = Table::new(&[
        ("pair", Align::Left),
        ("reads", Align::Left),
        ("accepted", Align::Left),
        ("fingerprint", Align::Left),
    ]);
    for one in &all {
        let state = match checked.pairs.iter().find(|pair| pair.id.0 == one.pair) {
            Some(pair) if pair.fingerprint() == one.fingerprint => "current",
            Some(_) => "changed",
            None => "gone",
        };
        if args.json {
            writeln!(out, "{}", record::line(&accepted_record(one, state)))?;
        }
        let print: String = one.fingerprint.chars().take(16).collect();
        table.row([one.pair.clone(), state.to_owned(), one.at.to_string(), print]);
    }
    if args.json {
        let summary = json!({ "kind": "summary", "accepted": all.len() });
        writeln!(out, "{}", record::line(&summary))?;
    } else if table.is_empty() {
        writeln!(out, "no pair is accepted in {}", journal.display())?;
    } else {
        write!(out, "{}", table.text(clock::out_colour()))?;
    }
    Ok(Exit::Done)
}

fn accepted_record(acceptance: &Acceptance, state: &str) -> serde_json::Value {
    json!({
        "kind": "accepted", "pair": acceptance.pair, "reads": state,
        "at": acceptance.at.to_string(), "fingerprint": acceptance.fingerprint,
    })
}
