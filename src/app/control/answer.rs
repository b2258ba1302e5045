//! The side of the engine's thread: what is asked is done, and answered.

use serde_json::{Value, json};

use crate::app::driver::Driver;
use crate::app::pipeline::Input;
use crate::app::standing;
use crate::engine::event::Command;
use crate::execute::Scope;

use super::said::Said;
use super::{Asked, Request};

/// Does what is asked and answers. True when it was to end everything.
pub fn answer(driver: &mut Driver, asked: Asked) -> bool {
    let Asked { request, answer } = asked;
    let (said, is_killed) = match &request {
        Request::Command(command) => (command_done(driver, command), is_kill(command)),
        Request::CancelAll(venue) => {
            let asked = driver.cancel_own(*venue);
            let note = "own orders only, by their ids; what was placed by hand is left alone";
            (Ok(json!({ "orders": asked, "note": note })), false)
        }
        Request::CancelEverything(venue) => {
            let note = "every order of the account, those that were placed by hand too; the \
                        venue's answer is a note of the trader's";
            let asked = driver.cancel_everything(*venue);
            (asked.map(|()| json!({ "venue": venue.name(), "note": note })), false)
        }
        Request::Status => {
            let standing = standing::record(&driver.pipeline);
            (standing.ok_or_else(|| "nothing is traded here".to_owned()), false)
        }
        Request::Accepted { fingerprint, terms } => {
            driver.pipeline.take_acceptance(fingerprint.clone(), terms.clone());
            (Ok(json!({ "fingerprint": fingerprint })), false)
        }
        Request::Look(said) => (
            said.changes(&driver.pipeline).map(|(_, changes)| json!({ "changes": changes })),
            false,
        ),
        Request::Rule { said, shown, why } => (ruled(driver, said, shown, why), false),
    };
    // Whoever asked may have gone.
    let _ = answer.send(said);
    is_killed
}

/// Does what a person said of a difference, if it still changes what they were shown.
fn ruled(driver: &mut Driver, said: &Said, shown: &Value, why: &str) -> Result<Value, String> {
    let (ruling, changes) = said.changes(&driver.pipeline)?;
    if changes != *shown {
        return Err("what it would change is not what was shown any more: look again".to_owned());
    }
    driver.input(&Input::Command(&Command::Rule { ruling, why: why.to_owned() }));
    let standing = standing::record(&driver.pipeline).unwrap_or_default();
    Ok(json!({
        "changes": changes, "state": standing["state"], "why": standing["why"],
        "differences": standing["differences"],
    }))
}

const fn is_kill(command: &Command) -> bool {
    matches!(command, Command::Kill { .. })
}

fn command_done(driver: &mut Driver, command: &Command) -> Result<Value, String> {
    if let Some(text) = unknown(driver, command) {
        return Err(text);
    }
    driver.input(&Input::Command(command));
    let standing = standing::record(&driver.pipeline);
    let mut standing = standing.ok_or_else(|| "nothing is traded here".to_owned())?;
    if let Value::Object(fields) = &mut standing {
        let told: &[&str] = match command {
            Command::Kill { .. } => &["state", "positions", "open_trades", "open_orders"],
            _ => &["state", "why", "halts", "open_trades"],
        };
        fields.retain(|name, _| told.contains(&name.as_str()));
    }
    Ok(standing)
}

/// A stop of a pair that there is not would stop nothing, and nobody would notice.
fn unknown(driver: &Driver, command: &Command) -> Option<String> {
    let (Command::Halt { scope, .. } | Command::Resume { scope }) = command else { return None };
    let trader = driver.pipeline.engine().trader()?;
    let is_halted = trader.risk().is_halted(scope);
    match (command, scope) {
        (Command::Resume { .. }, _) if !is_halted => Some("it is not halted".to_owned()),
        (Command::Halt { .. }, Scope::Pair(pair))
            if driver.pipeline.pairs().get(pair).is_none() =>
        {
            Some(format!("there is no pair `{pair}` in force"))
        }
        _ => None,
    }
}
