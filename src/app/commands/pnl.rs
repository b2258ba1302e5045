//! `crossbook pnl`: what was earned, what is locked in, what was paid in fees.

use std::io::Write as _;

use serde_json::json;

use crate::app::args::Past;
use crate::app::clock;
use crate::app::exit::Exit;
use crate::app::history::History;
use crate::domain::{Money, Quantity, Timestamp, Venue};
use crate::execute::Line;
use crate::ui::cli::record;
use crate::ui::cli::table::{Align, Table};

const DAY_S: i64 = 86_400;

/// What each figure means, under the tables.
const LEGEND: &str = "\
realised  earned for good: contracts that were sold, offset or paid out, less what they had cost
locked    a dollar for each locked pair, less what both legs cost with fees; comes at settlement
fees      as the venue told them; computed fees follow its formula until the balance trues them up
netted    the dollar that Kalshi pays at once for a YES and a NO of one market
cash      what should be there: all columns before it and what was booked, opening balance included
booked    no profit of trading: opening is what was there when the journal began, transfer what was
          paid in, taken out or given and what that cost, interest has rebates and rewards with it,
          unexplained is what came in and no list of the venue tells of (Kalshi lists no interest),
          accepted what a person said was so
dust      remainders below what their venue takes, not counted as locked
";

/// Runs the command.
pub fn run(args: &Past) -> anyhow::Result<Exit> {
    let history = History::read(args)?;
    let text = if args.json { records(&history) } else { people(&history) };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

/// Days on which something was earned or lost, oldest first.
fn days(history: &History) -> Vec<(Timestamp, Money)> {
    let Some((first, last)) = history.span else { return Vec::new() };
    let day = |at: Timestamp| at.secs().div_euclid(DAY_S);
    (day(first)..=day(last))
        .map(|day| Timestamp::from_secs(day * DAY_S))
        .map(|day| (day, history.state().realised_on(day)))
        .filter(|(_, earned)| *earned != Money::ZERO)
        .collect()
}

/// Remainders by market.
fn dust(history: &History) -> Vec<(&'static str, &str, Quantity)> {
    let state = history.state();
    let of =
        |(venue, market): (Venue, _)| (venue.name(), history.market(market).1, state.dust(market));
    state.ledger().markets().map(of).filter(|(_, _, quantity)| !quantity.is_zero()).collect()
}

fn date(day: Timestamp) -> String {
    day.to_string().chars().take(10).collect()
}

fn records(history: &History) -> String {
    let state = history.state();
    let mut lines = Vec::new();
    for (day, earned) in days(history) {
        let line = json!({ "kind": "pnl_day", "day": date(day), "realised": earned.to_string() });
        lines.push(line);
    }
    for venue in Venue::ALL {
        let cash = state.ledger().cash(venue);
        let booked: serde_json::Map<_, _> = cash
            .lines
            .iter()
            .map(|(line, money)| (line.name().to_owned(), money.to_string().into()))
            .collect();
        lines.push(json!({
            "kind": "pnl_venue", "venue": venue.name(), "fills": cash.fills.to_string(),
            "fees": cash.fees.to_string(), "fees_computed": cash.fees_computed.to_string(),
            "netted": cash.netted.to_string(), "merged": cash.merged.to_string(),
            "settled": cash.paid.to_string(), "booked": booked, "cash": cash.total().to_string(),
        }));
    }
    for (venue, market, quantity) in dust(history) {
        lines.push(json!({
            "kind": "dust", "venue": venue, "market": market, "quantity": quantity.to_string(),
        }));
    }
    lines.push(json!({
        "kind": "summary", "realised": state.realised().to_string(),
        "locked": state.locked_profit().to_string(),
        "journal": history.path.display().to_string(),
    }));
    lines.iter().map(|line| record::line(line) + "\n").collect()
}

fn people(history: &History) -> String {
    let (state, colour) = (history.state(), clock::out_colour());
    let mut earned = Table::new(&[("day (UTC)", Align::Left), ("realised", Align::Right)]);
    for (day, money) in days(history) {
        earned.row([date(day), money.to_string()]);
    }
    earned.row(["all days".to_owned(), state.realised().to_string()]);
    earned.row(["locked".to_owned(), state.locked_profit().to_string()]);
    let mut head = vec![("venue", Align::Left)];
    for name in ["fills", "fees", "computed", "netted", "merged", "settled"] {
        head.push((name, Align::Right));
    }
    head.extend(Line::ALL.map(|line| (line.name(), Align::Right)));
    head.push(("cash", Align::Right));
    let mut venues = Table::new(&head);
    for venue in Venue::ALL {
        let cash = state.ledger().cash(venue);
        let of = |line: Line| cash.lines.get(&line).copied().unwrap_or(Money::ZERO);
        let figures =
            [cash.fills, cash.fees, cash.fees_computed, cash.netted, cash.merged, cash.paid];
        let figures = figures.into_iter().chain(Line::ALL.map(of)).chain([cash.total()]);
        venues.row(
            std::iter::once(venue.name().to_owned()).chain(figures.map(|money| money.to_string())),
        );
    }
    let mut text = format!("{}\n{}", earned.text(colour), venues.text(colour));
    let mut left = Table::new(&[
        ("dust at", Align::Left),
        ("market", Align::Left),
        ("contracts", Align::Right),
    ]);
    for (venue, market, quantity) in dust(history) {
        left.row([venue.to_owned(), market.to_owned(), quantity.to_string()]);
    }
    if !left.is_empty() {
        text.push('\n');
        text.push_str(&left.text(colour));
    }
    format!("{text}\n{LEGEND}")
}
