//! Aligned lines for people.

use crate::domain::{Outcome, Venue};
use crate::engine::effect::Standing;
use crate::engine::effect::{Closed, Leg, Opportunity, Phase};

use super::text::{Colour, Tone, clean};

const TITLE_WIDTH: usize = 76;

/// Names of pairs up to this long keep what stands behind them in columns.
const NAME_WIDTH: usize = 24;

/// What belongs to an opportunity stands under its word.
const INDENT: &str = "               ";

/// An opportunity that opened or grew: one line of numbers, one line for each leg. Money is told in
/// cents, rounded against the reader; the record for programs has it exactly.
pub fn opportunity(opportunity: &Opportunity, colour: Colour) -> String {
    let (sign, word) = match opportunity.phase {
        Phase::Opened => ("+", "opened"),
        Phase::Grown => ("^", "grown "),
    };
    let head = colour.paint(Tone::Good, &format!("{sign} {word}"));
    let name = colour.paint(Tone::Strong, &format!("{:<NAME_WIDTH$}", opportunity.pair.0));
    let annual = opportunity.annualised.map(|value| format!("  {} %/y", tenths(value)));
    let mut text = format!(
        "{} {head}  {name} {:>9} on {:>9}  edge ${}{}\n",
        time_of(&opportunity.at.to_string()),
        dollars(opportunity.profit.micros().div_euclid(CENT)),
        opportunity.quantity.to_string(),
        edge(opportunity.edge.micros()),
        annual.unwrap_or_default(),
    );
    let title = colour.paint(Tone::Dim, &clean(&opportunity.title, TITLE_WIDTH));
    text.push_str(&format!("{INDENT}{title}\n"));
    let (warning, tone) = match opportunity.standing {
        Standing::Approved => ("", Tone::Dim),
        Standing::Proposed => ("proposed: nobody has reviewed this pair", Tone::Warn),
        Standing::Suspended => ("suspended", Tone::Bad),
    };
    let worst = opportunity.worst.map(|money| dollars(money.micros().div_euclid(CENT)));
    let worst = worst.map(|worst| format!("worst case of its payoff table {worst}"));
    for (words, tone) in [(warning.to_owned(), tone), (worst.unwrap_or_default(), Tone::Dim)] {
        if !words.is_empty() {
            text.push_str(&format!("{INDENT}{}\n", colour.paint(tone, &words)));
        }
    }
    for side in &opportunity.legs {
        text.push_str(&leg(side));
    }
    text
}

/// An opportunity that is over, at its best.
pub fn closed(closed: &Closed, colour: Colour) -> String {
    let head = colour.paint(Tone::Dim, "- closed");
    let millis = closed.lifetime.as_millis();
    format!(
        "{} {head}  {:<NAME_WIDTH$} {:>9} on {:>9}  in {}.{:03} s, {}\n",
        time_of(&closed.at.to_string()),
        closed.pair.0,
        dollars(closed.best_profit.micros().div_euclid(CENT)),
        closed.best_quantity.to_string(),
        millis / 1_000,
        millis % 1_000,
        closed.reason.replace('_', " "),
    )
}

/// Micro-dollars in a cent.
const CENT: i64 = 10_000;

fn dollars(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let magnitude = cents.unsigned_abs();
    format!("{sign}${}.{:02}", magnitude / 100, magnitude % 100)
}

/// Dollars for one contract with four places, rounded down.
fn edge(micros: i64) -> String {
    let hundredths = micros.div_euclid(100).max(0);
    format!("{}.{:04}", hundredths / 10_000, hundredths % 10_000)
}

/// A part in thousandths as per cent.
fn tenths(thousandths: i64) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    let magnitude = thousandths.unsigned_abs();
    format!("{sign}{}.{}", magnitude / 10, magnitude % 10)
}

/// The time of day of an RFC 3339 text, to the millisecond.
fn time_of(stamp: &str) -> &str {
    stamp.get(11..23).unwrap_or(stamp)
}

fn leg(leg: &Leg) -> String {
    let outcome = match leg.outcome {
        Outcome::Yes => "YES",
        Outcome::No => "NO ",
    };
    let market = match leg.venue {
        Venue::Kalshi => clean(&leg.market, 30),
        Venue::Polymarket => short_condition(&leg.market),
    };
    let fee = leg.fee.micros().saturating_add(CENT - 1).div_euclid(CENT);
    let levels = leg.fills.len();
    format!(
        "{INDENT}buy {outcome} {:<10} {market:<30} to {}  {levels} level{}  fee {}\n",
        leg.venue.name(),
        leg.limit,
        if levels == 1 { " " } else { "s" },
        dollars(fee),
    )
}

/// A condition id is told by its ends.
fn short_condition(id: &str) -> String {
    match (id.get(..10), id.get(id.len().saturating_sub(6)..)) {
        (Some(start), Some(end)) if id.len() > 20 => format!("{start}…{end}"),
        _ => clean(id, 30),
    }
}
