//! `crossbook halt`, `resume`, `flatten`, `cancel-all`, `kill` and `status`: what is told to a
//! trader that runs.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use serde_json::Value;

use crate::app::args::{CancelAll, Control, Flatten, Kill, Past, Reach};
use crate::app::control::{Request, ask};
use crate::app::exit::{Exit, Misuse};
use crate::app::{history, settings};
use crate::config::Overrides;
use crate::domain::{Money, Venue};
use crate::engine::event::Command;
use crate::execute::Scope;
use crate::pairing::PairId;
use crate::ui::cli::record;
use crate::ui::cli::text::clean;

/// Runs the command.
pub fn run(command: &Control) -> anyhow::Result<Exit> {
    match command {
        Control::Halt(reach) => halt(reach),
        Control::Resume(reach) => resume(reach),
        Control::Flatten(args) => flatten(args),
        Control::CancelAll(args) => cancel_all(args),
        Control::Kill(args) => kill(args),
        Control::Status(past) => tell(past, &Request::Status, "running"),
    }
}

/// No new trades.
fn halt(reach: &Reach) -> anyhow::Result<Exit> {
    let why = reach.why.clone().unwrap_or_else(|| "a person asked for it".to_owned());
    let command = Command::Halt { scope: scope(reach)?, why };
    tell(&reach.past, &Request::Command(command), "halted: open trades are finished or unwound")
}

/// New trades again.
fn resume(reach: &Reach) -> anyhow::Result<Exit> {
    let command = Command::Resume { scope: scope(reach)? };
    tell(&reach.past, &Request::Command(command), "resumed")
}

/// Out of everything.
fn flatten(args: &Flatten) -> anyhow::Result<Exit> {
    let loss_max = Money::parse(&args.loss_max)
        .ok()
        .filter(|loss| *loss >= Money::ZERO)
        .ok_or_else(|| Misuse(format!("--loss-max is `{}`: dollars belong here", args.loss_max)))?;
    confirm(args.yes, &format!("sell everything that is held and lose up to ${loss_max}"))?;
    let command = Command::Flatten { loss_max };
    tell(&args.past, &Request::Command(command), "getting out of everything; nothing new opens")
}

/// Cancels what may still fill of our own.
fn cancel_all(args: &CancelAll) -> anyhow::Result<Exit> {
    if let Some(name) = &args.everything_at {
        let venue = venue(name)?;
        let later = match venue {
            Venue::Kalshi => ", and orders that are placed there within the next minute",
            Venue::Polymarket => "",
        };
        confirm(
            args.yes,
            &format!(
                "cancel every order of your account at {venue}, those that were placed by hand or \
                 by another program too{later}"
            ),
        )?;
        return tell(&args.past, &Request::CancelEverything(venue), "cancelling everything");
    }
    let venue = args.venue.as_deref().map(venue).transpose()?;
    let place = venue.map_or_else(|| "both venues".to_owned(), |venue| venue.to_string());
    confirm(args.yes, &format!("cancel every order of the trader at {place}"))?;
    tell(&args.past, &Request::CancelAll(venue), "cancelling")
}

/// Cancels our own orders and ends.
fn kill(args: &Kill) -> anyhow::Result<Exit> {
    let why = args.why.clone().unwrap_or_else(|| "a person asked for it".to_owned());
    let done = "killed: own orders are cancelled, nothing more is sent";
    tell(&args.past, &Request::Command(Command::Kill { why }), done)
}

pub(super) fn venue(name: &str) -> Result<Venue, Misuse> {
    let found = Venue::ALL.into_iter().find(|venue| venue.name() == name);
    found.ok_or_else(|| Misuse(format!("`{name}` is no venue: write kalshi or polymarket")))
}

fn scope(reach: &Reach) -> Result<Scope, Misuse> {
    Ok(match (&reach.pair, &reach.venue) {
        (Some(pair), _) => Scope::Pair(PairId(pair.clone())),
        (None, Some(name)) => Scope::Venue(venue(name)?),
        (None, None) => Scope::All,
    })
}

/// What cannot be taken back is asked for twice.
pub(super) fn confirm(is_sure: bool, what: &str) -> anyhow::Result<()> {
    if is_sure {
        return Ok(());
    }
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(Misuse(format!("this would {what}; --yes says that it shall")).into());
    }
    write!(std::io::stderr(), "This will {what}. Type `yes` to go on: ")?;
    let mut line = String::new();
    input.lock().read_line(&mut line)?;
    if line.trim() == "yes" {
        return Ok(());
    }
    anyhow::bail!("nothing was done")
}

pub(super) fn tell(past: &Past, request: &Request, done: &str) -> anyhow::Result<Exit> {
    let answer = ask::ask(&journal(past)?, request)?;
    let mut out = std::io::stdout().lock();
    if past.json {
        let mut fields = serde_json::Map::new();
        fields.insert("kind".to_owned(), "control".into());
        if let Value::Object(answer) = answer {
            fields.extend(answer);
        }
        writeln!(out, "{}", record::line(&fields))?;
        return Ok(Exit::Done);
    }
    writeln!(out, "{done}")?;
    let fields = answer.as_object().into_iter().flatten().filter(|(key, _)| *key != "ok");
    for (key, value) in fields {
        let key = clean(key, 40);
        match value.as_array() {
            Some(list) if !list.is_empty() => {
                writeln!(out, "  {key}:")?;
                for one in list {
                    writeln!(out, "    {}", words(one))?;
                }
            }
            _ => writeln!(out, "  {key}: {}", words(value))?,
        }
    }
    Ok(Exit::Done)
}

fn words(value: &Value) -> String {
    clean(&value.as_str().map_or_else(|| value.to_string(), str::to_owned), 600)
}

pub(super) fn journal(past: &Past) -> anyhow::Result<PathBuf> {
    let (settings, _) = settings::from_file(past.config.as_deref(), &Overrides::default())?;
    Ok(history::path(past, &settings))
}
