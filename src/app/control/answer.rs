//! The side of the engine's thread: what is asked is done, and answered.

use serde_json::{Value, json};

use crate::app::driver::Driver;
use crate::app::pipeline::Input;
use crate::app::standing;
use crate::engine::event::Command;
use crate::execute::Scope;

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
        Request::Status => {
            let standing = standing::record(&driver.pipeline);
            (standing.ok_or_else(|| "nothing is traded here".to_owned()), false)
        }
    };
    // Whoever asked may have gone.
    let _ = answer.send(said);
    is_killed
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
