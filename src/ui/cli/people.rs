//! Aligned lines for people.

use crate::domain::{Outcome, Venue};
use crate::engine::effect::Standing;
use crate::engine::effect::{Closed, Leg, Opportunity, Phase};

use super::record::thousandths;
use super::text::{Colour, Tone, clean};

const TITLE_WIDTH: usize = 60;

/// An opportunity that opened or grew: one line of numbers, one line for each leg.
pub fn opportunity(opportunity: &Opportunity, colour: Colour) -> String {
    let (sign, word) = match opportunity.phase {
        Phase::Opened => ("+", "opened"),
        Phase::Grown => ("^", "grown "),
    };
    let head = colour.paint(Tone::Good, &format!("{sign} {word}"));
    let name = colour.paint(Tone::Strong, &opportunity.pair.0);
    let standing = match opportunity.standing {
        Standing::Approved => String::new(),
        Standing::Proposed => colour.paint(Tone::Warn, "  (proposed: not reviewed)"),
        Standing::Suspended => colour.paint(Tone::Bad, "  (suspended)"),
    };
    let annualised = opportunity
        .annualised
        .map(|value| format!("  {}x a year", thousandths(value)))
        .unwrap_or_default();
    let worst = opportunity.worst.map(|money| format!("  worst case {money}")).unwrap_or_default();
    let mut text = format!(
        "{} {head}  {name}  {} contracts  profit ${}  edge {}{annualised}{worst}{standing}\n",
        time_of(&opportunity.at.to_string()),
        opportunity.quantity,
        opportunity.profit,
        opportunity.edge,
    );
    let title = clean(&opportunity.title, TITLE_WIDTH);
    text.push_str(&format!("                  {}\n", colour.paint(Tone::Dim, &title)));
    for side in &opportunity.legs {
        text.push_str(&leg(side));
    }
    text
}

/// An opportunity that is over.
pub fn closed(closed: &Closed, colour: Colour) -> String {
    let head = colour.paint(Tone::Dim, "- closed");
    let millis = closed.lifetime.as_millis();
    format!(
        "{} {head}  {}  after {}.{:03} s  best ${} on {}  ({})\n",
        time_of(&closed.at.to_string()),
        closed.pair,
        millis / 1_000,
        millis % 1_000,
        closed.best_profit,
        closed.best_quantity,
        closed.reason.replace('_', " "),
    )
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
        Venue::Kalshi => clean(&leg.market, 34),
        Venue::Polymarket => short_condition(&leg.market),
    };
    format!(
        "                  buy {outcome} {:<10} {market:<34} to {}  {} level{}  fee ${}\n",
        leg.venue.name(),
        leg.limit,
        leg.fills.len(),
        if leg.fills.len() == 1 { " " } else { "s" },
        leg.fee,
    )
}

/// A condition id is told by its ends.
fn short_condition(id: &str) -> String {
    match (id.get(..10), id.get(id.len().saturating_sub(6)..)) {
        (Some(start), Some(end)) if id.len() > 20 => format!("{start}…{end}"),
        _ => clean(id, 34),
    }
}
