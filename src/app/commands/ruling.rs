//! `crossbook positions adopt`, `positions ignore` and `cash accept`: what a person says where the
//! ledger of a running trader and a venue differ.

use std::io::Write as _;

use serde_json::Value;

use crate::app::args::{Cash, Holding, InMarket, Ruling};
use crate::app::control::said::Said;
use crate::app::control::{Request, ask};
use crate::app::exit::{Exit, Misuse};
use crate::domain::Outcome;
use crate::ui::cli::text::clean;

use super::control::{confirm, journal, tell, venue};

/// Says what holds for what is held.
pub fn holding(command: &Holding) -> anyhow::Result<Exit> {
    match command {
        Holding::Adopt(args) => {
            let outcome = args
                .outcome
                .as_deref()
                .map(|name| if name == Outcome::Yes.name() { Outcome::Yes } else { Outcome::No });
            let (venue, market) = (venue(&args.venue)?, args.market.clone());
            rule(Said::Adopt { venue, market, outcome }, &args.ruling, "adopted")
        }
        Holding::Ignore(InMarket { outcome: Some(_), .. }) => {
            Err(Misuse("a market is left alone as a whole: leave --outcome out".to_owned()).into())
        }
        Holding::Ignore(args) => {
            let (venue, market) = (venue(&args.venue)?, args.market.clone());
            rule(Said::Ignore { venue, market }, &args.ruling, "left to you from here on")
        }
    }
}

/// Says what holds for cash.
pub fn cash(command: &Cash) -> anyhow::Result<Exit> {
    let Cash::Accept(args) = command;
    rule(Said::AcceptCash { venue: venue(&args.venue)? }, &args.ruling, "booked as accepted")
}

/// Shows what would change, asks, and says it.
fn rule(said: Said, args: &Ruling, done: &str) -> anyhow::Result<Exit> {
    let looked = ask::ask(&journal(&args.past)?, &Request::Look(said.clone()))?;
    let shown = looked.get("changes").cloned().unwrap_or_default();
    let changes = shown.as_array().into_iter().flatten();
    let lines: Vec<String> = changes.map(line).collect();
    writeln!(std::io::stderr(), "{}", lines.join("\n"))?;
    confirm(args.yes, "make this hold")?;
    let why = args.why.clone().unwrap_or_else(|| "a person looked".to_owned());
    tell(&args.past, &Request::Rule { said, shown, why }, done)
}

/// What would change, in a line.
fn line(change: &Value) -> String {
    let text = |key: &str| clean(change.get(key).and_then(Value::as_str).unwrap_or("?"), 80);
    let trades: Vec<&str> =
        change["trades"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let trades = match trades.as_slice() {
        [] => String::new(),
        some => format!("; {} rely on it", some.join(", ")),
    };
    let (venue, market) = (text("venue"), text("market"));
    if change.get("cash").is_some() {
        return format!("the ledger's cash at {venue} changes by {}", text("cash"));
    }
    if change.get("left_alone").is_some() {
        return format!("{market} at {venue} is not traded any more{trades}");
    }
    let (outcome, ledger, becomes) = (text("outcome"), text("ledger"), text("becomes"));
    format!("{outcome} of {market} at {venue}: {ledger} in the ledger become {becomes}{trades}")
}
