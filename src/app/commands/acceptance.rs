//! `crossbook pairs accept` and `pairs accepted`: which pairs may be traded with real money here.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use crate::app::args::{Accept, Accepted};
#[cfg(unix)]
use crate::app::control::{Request, ask};
use crate::app::exit::{Exit, Misuse};
use crate::app::live::clients;
use crate::app::terms::{Facts, Terms};
use crate::app::{clock, mappings, settings};
use crate::config::{Overrides, Settings};
use crate::domain::Venue;
use crate::journal::{self, Acceptance};
use crate::pairing::{Checked, Pair, Standing, check_files};
use crate::ui::cli::record;
use crate::ui::cli::table::{Align, Table};
use crate::ui::cli::text::clean;

/// How long a venue has to say what it knows of a market.
const VENUE_MAX: Duration = Duration::from_secs(30);

/// The pairs as they read now, the journal that keeps acceptances, and how the venues are reached.
fn read(args: &Accepted) -> anyhow::Result<(Checked, PathBuf, Settings)> {
    let mappings_dir = args.mappings.as_ref().map(|dir| dir.display().to_string());
    let overrides = Overrides { mappings_dir, ..Overrides::default() };
    let (settings, _) = settings::from_file(args.config.as_deref(), &overrides)?;
    let files = mappings::read(settings.mappings.dir.as_ref())
        .map_err(|error| Misuse(format!("{error:#}; --mappings names another folder")))?;
    let own = || PathBuf::from(&settings.journal.path);
    let journal = args.journal.clone().unwrap_or_else(own);
    Ok((check_files(&files, clock::today()), journal, settings))
}

/// Keeps the fingerprints of pairs, and what holds for them now: all of those that are named, or
/// none.
pub(super) fn accept(args: &Accept) -> anyhow::Result<Exit> {
    let (checked, journal, settings) = read(&args.accepted)?;
    let pairs = args.ids.iter().map(|id| acceptable(id, &checked));
    let pairs = pairs.collect::<Result<Vec<&Pair>, _>>()?;
    let seen = look(&pairs, &settings).context(
        "the venues did not say when and at which prices they trade; nothing was accepted",
    )?;
    let mut out = std::io::stdout().lock();
    for (pair, seen) in pairs.into_iter().zip(seen) {
        let (fingerprint, at) = (pair.fingerprint(), clock::now());
        let terms = Terms::new(pair.limits, seen);
        let words = terms.words();
        let kept = terms.out().to_string();
        let acceptance = Acceptance { pair: pair.id.0.clone(), fingerprint, at, terms: kept };
        journal::accept(&journal, &acceptance)?;
        let heard = hear(&journal, &acceptance.fingerprint, terms)?;
        if args.accepted.json {
            writeln!(out, "{}", record::line(&accepted_record(&acceptance, "current")))?;
            continue;
        }
        let (outcome, title) = (clean(&pair.outcome, 40), clean(&pair.title, 100));
        let (id, kalshi, polymarket) = (&pair.id, &pair.kalshi, &pair.polymarket);
        writeln!(out, "accepted {id}: {kalshi} and {outcome} of {polymarket}\n  {title}")?;
        for line in words.iter().map(String::as_str).chain([acceptance.fingerprint.as_str()]) {
            writeln!(out, "  {line}")?;
        }
        if heard {
            writeln!(out, "  the running trader has heard of it")?;
        }
    }
    Ok(Exit::Done)
}

/// What the venues say of the markets of pairs.
fn look(pairs: &[&Pair], settings: &Settings) -> anyhow::Result<Vec<[Facts; 2]>> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let asking = async {
        let clients = clients(settings, None, 1, 100)?;
        let mut seen = Vec::new();
        for pair in pairs {
            let read = async |venue: Venue, id: &str| {
                let asked = tokio::time::timeout(VENUE_MAX, clients.read(venue, id)).await;
                anyhow::Ok(Facts::of(&asked.with_context(|| format!("{venue} does not answer"))??))
            };
            let kalshi = read(Venue::Kalshi, &pair.kalshi).await?;
            seen.push([kalshi, read(Venue::Polymarket, &pair.polymarket).await?]);
        }
        Ok(seen)
    };
    runtime.block_on(asking)
}

/// Tells the trader of the journal, if one runs.
#[cfg(unix)]
fn hear(journal: &Path, fingerprint: &str, terms: Terms) -> anyhow::Result<bool> {
    if !ask::is_there(journal) {
        return Ok(false);
    }
    let fingerprint = fingerprint.to_owned();
    ask::ask(journal, &Request::Accepted { fingerprint, terms })
        .context("it is accepted from the next start on; the running trader did not hear of it")?;
    Ok(true)
}

#[cfg(not(unix))]
fn hear(_: &Path, _: &str, _: Terms) -> anyhow::Result<bool> {
    Ok(false)
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
    let (checked, journal, _) = read(args)?;
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
