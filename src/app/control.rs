//! The control socket: how a person on this machine tells a running trader to stop, to go on, or
//! to get out.
//!
//! A Unix socket beside the journal, one JSON object a line each way. Only its owner can reach it:
//! the socket has mode 0600, its folder 0700, and the user behind each connection is checked. Who
//! trades holds the journal's lock, so that at most one process listens for a journal.

pub mod answer;
#[cfg(unix)]
pub mod ask;
#[cfg(unix)]
pub mod listen;
pub mod said;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::domain::{Money, Venue};
use crate::engine::event::Command;
use crate::execute::Scope;
use crate::pairing::PairId;

use super::terms::Terms;
use said::Said;

/// The longest request.
const LINE_MAX: usize = 65_536;
/// The longest answer: all that is held and open fits many times.
#[cfg(unix)]
const ANSWER_MAX: usize = 64 << 20;

/// What is asked of a running trader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Something that the engine does.
    Command(Command),
    /// Cancels our own orders at a venue, by their ids; `None` for both venues.
    CancelAll(Option<Venue>),
    /// Cancels every order of the account at a venue, those that were placed by hand included.
    CancelEverything(Venue),
    /// How it stands.
    Status,
    /// A pair was accepted while it runs.
    Accepted {
        /// Its fingerprint.
        fingerprint: String,
        /// What held then.
        terms: Terms,
    },
    /// What would change if a person said this of a difference.
    Look(Said),
    /// A person says it.
    Rule {
        /// What.
        said: Said,
        /// What was shown that it changes: what changes something else does not happen.
        shown: Value,
        /// Why, for people.
        why: String,
    },
}

/// A request, and where its answer goes.
#[derive(Debug)]
pub struct Asked {
    /// What is asked.
    pub request: Request,
    /// What came of it: any object, or why it was not done.
    pub answer: oneshot::Sender<Result<Value, String>>,
}

/// A control socket, open for as long as this is held.
#[derive(Debug)]
pub struct Door {
    /// What is asked through it, once.
    pub asked: Option<mpsc::Receiver<Asked>>,
    #[cfg(unix)]
    _listening: listen::Listening,
}

impl Door {
    /// Opens the control socket beside a journal whose lock is held. Where there are no such
    /// sockets, nobody can ask anything.
    pub fn open(journal: &Path) -> anyhow::Result<Self> {
        #[cfg(unix)]
        {
            let (listening, asked) = listen::listen(journal)?;
            Ok(Self { asked: Some(asked), _listening: listening })
        }
        #[cfg(not(unix))]
        {
            let _ = journal;
            Ok(Self { asked: None })
        }
    }
}

/// The folder of a journal's control socket.
pub fn folder(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".control");
    PathBuf::from(name)
}

/// The control socket of a journal.
pub fn socket(journal: &Path) -> PathBuf {
    folder(journal).join("socket")
}

/// A request as its line; `None` for what only the process itself may say.
pub fn encode(request: &Request) -> Option<Value> {
    Some(match request {
        Request::Command(Command::Halt { scope, why }) => {
            json!({ "do": "halt", "scope": scope_out(scope), "why": why })
        }
        Request::Command(Command::Resume { scope }) => {
            json!({ "do": "resume", "scope": scope_out(scope) })
        }
        Request::Command(Command::Kill { why }) => json!({ "do": "kill", "why": why }),
        Request::Command(Command::Flatten { loss_max }) => {
            json!({ "do": "flatten", "loss_max": loss_max.to_string() })
        }
        Request::Command(_) => return None,
        Request::CancelAll(venue) => {
            json!({ "do": "cancel-all", "venue": venue.map(Venue::name) })
        }
        Request::CancelEverything(venue) => {
            json!({ "do": "cancel-everything", "venue": venue.name() })
        }
        Request::Status => json!({ "do": "status" }),
        Request::Accepted { fingerprint, terms } => {
            json!({ "do": "accepted", "fingerprint": fingerprint, "terms": terms.out() })
        }
        Request::Look(said) => said.out(json!({ "do": "look" })),
        Request::Rule { said, shown, why } => {
            said.out(json!({ "do": "rule", "shown": shown, "why": why }))
        }
    })
}

/// The request of a line, or what is wrong with it.
pub fn parse(line: &str) -> Result<Request, String> {
    let value: Value =
        serde_json::from_str(line).map_err(|error| format!("this is no JSON: {error}"))?;
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let why = || text("why").unwrap_or("a person asked for it").to_owned();
    Ok(match text("do") {
        Some("halt") => Request::Command(Command::Halt { scope: scope_in(&value)?, why: why() }),
        Some("resume") => Request::Command(Command::Resume { scope: scope_in(&value)? }),
        Some("kill") => Request::Command(Command::Kill { why: why() }),
        Some("flatten") => {
            let loss_max = text("loss_max").ok_or("`flatten` needs `loss_max`")?;
            let loss_max = Money::parse(loss_max)
                .map_err(|error| format!("`loss_max` is \"{loss_max}\": {error}"))?;
            if loss_max < Money::ZERO {
                return Err(format!("`loss_max` is {loss_max}, less than nothing"));
            }
            Request::Command(Command::Flatten { loss_max })
        }
        Some("cancel-all") => Request::CancelAll(match value.get("venue") {
            None | Some(Value::Null) => None,
            Some(_) => Some(venue(text("venue"))?),
        }),
        Some("cancel-everything") => Request::CancelEverything(venue(text("venue"))?),
        Some("status") => Request::Status,
        Some("accepted") => Request::Accepted {
            fingerprint: text("fingerprint").ok_or("`accepted` needs `fingerprint`")?.to_owned(),
            terms: value.get("terms").and_then(Terms::read).ok_or("`accepted` needs `terms`")?,
        },
        Some("look") => Request::Look(Said::read(&value)?),
        Some("rule") => Request::Rule {
            said: Said::read(&value)?,
            shown: value.get("shown").cloned().ok_or("`rule` needs `shown`")?,
            why: why(),
        },
        Some(other) => return Err(format!("`{other}` is not known here")),
        None => return Err("the line has no `do`".to_owned()),
    })
}

fn venue(name: Option<&str>) -> Result<Venue, String> {
    let found = Venue::ALL.into_iter().find(|venue| Some(venue.name()) == name);
    found.ok_or_else(|| "a venue is `kalshi` or `polymarket`".to_owned())
}

fn scope_out(scope: &Scope) -> Value {
    match scope {
        Scope::Pair(pair) => json!({ "pair": pair.0 }),
        Scope::Venue(venue) => json!({ "venue": venue.name() }),
        Scope::All => json!("all"),
    }
}

/// How wide. What is not understood is an error: a halt that is too narrow would be worse than
/// none that is noticed.
fn scope_in(value: &Value) -> Result<Scope, String> {
    let scope = value.get("scope").ok_or("the line has no `scope`")?;
    if scope.as_str() == Some("all") {
        return Ok(Scope::All);
    }
    let text = |key: &str| scope.get(key).map(Value::as_str);
    match (text("pair"), text("venue")) {
        (Some(Some(pair)), None) => Ok(Scope::Pair(PairId(pair.to_owned()))),
        (None, Some(name)) => venue(name).map(Scope::Venue),
        _ => Err("`scope` is \"all\", {\"pair\":…} or {\"venue\":…}".to_owned()),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
