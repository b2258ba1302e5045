//! Our ledger beside the embedded exchanges' own, to the micro-dollar.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::domain::{Money, Outcome, Quantity, Venue};
use crate::execute::State;
use crate::execute::trade_state::{End, Phase};

use super::pipeline::Pipeline;

/// One venue's side of the comparison.
#[derive(Debug)]
pub struct Side {
    /// What we hold to be there.
    ours: Money,
    /// What is there.
    theirs: Money,
    /// Contracts of which the two say different numbers: market, outcome, ours, theirs.
    apart: Vec<(String, Outcome, Quantity, Quantity)>,
}

impl Side {
    /// Compares one venue's statement, as its exchange shows it, with the ledger.
    pub fn of(venue: Venue, statement: &Value, pipeline: &Pipeline) -> Option<Self> {
        let ledger = pipeline.engine().trader()?.executor().state().ledger();
        let mut held: BTreeMap<(String, bool), [Quantity; 2]> = BTreeMap::new();
        for position in statement["positions"].as_array()? {
            let (market, outcome) = (position["market"].as_str()?, position["outcome"].as_str()?);
            let quantity = Quantity::parse(position["quantity"].as_str()?).ok()?;
            let is_yes = outcome == Outcome::Yes.name();
            held.entry((market.to_owned(), is_yes)).or_default()[1] = quantity;
        }
        for (_, market) in ledger.markets().filter(|(of, _)| *of == venue) {
            let Some(entry) = pipeline.registry().get(market) else { continue };
            for outcome in [Outcome::Yes, Outcome::No] {
                let key = (entry.id.clone(), outcome == Outcome::Yes);
                held.entry(key).or_default()[0] = ledger.held(market, outcome);
            }
        }
        let apart = held.into_iter().filter(|(_, [ours, theirs])| ours != theirs);
        let apart = apart.map(|((id, is_yes), [ours, theirs])| {
            (id, if is_yes { Outcome::Yes } else { Outcome::No }, ours, theirs)
        });
        Some(Self {
            ours: ledger.cash(venue).total(),
            theirs: Money::parse(statement["cash"].as_str()?).ok()?,
            apart: apart.collect(),
        })
    }

    /// Whether both say the same.
    pub fn is_equal(&self) -> bool {
        self.ours == self.theirs && self.apart.is_empty()
    }

    /// For the summary.
    pub fn record(&self) -> Value {
        let apart = self.apart.iter().map(|(id, outcome, ours, theirs)| {
            json!({
                "market": id, "outcome": outcome.name(), "ours": ours.to_string(),
                "theirs": theirs.to_string(),
            })
        });
        json!({
            "equal": self.is_equal(), "cash": self.ours.to_string(),
            "cash_at_exchange": self.theirs.to_string(),
            "positions_apart": apart.collect::<Vec<_>>(),
        })
    }
}

/// How many trades came to what, what was earned for good, and what is still open and why.
pub fn trades(pipeline: &Pipeline) -> Option<Value> {
    let trader = pipeline.engine().trader()?;
    let state = trader.executor().state();
    let mut phases: BTreeMap<&str, u64> = BTreeMap::new();
    for trade in state.trades() {
        *phases.entry(name(trade.phase)).or_default() += 1;
    }
    let refusals: serde_json::Map<String, Value> = crate::risk::NoTrade::ALL
        .iter()
        .zip(trader.refusals())
        .filter(|(_, count)| **count > 0)
        .map(|(reason, count)| (reason.name().to_owned(), json!(count)))
        .collect();
    let fees = Venue::ALL.into_iter().fold(Money::ZERO, |sum, venue| {
        let cash = state.ledger().cash(venue);
        sum - cash.fees - cash.fees_computed
    });
    Some(json!({
        "opened": state.trades().count(), "states": phases, "orders": state.orders().len(),
        "realised": state.realised().to_string(),
        "locked_profit": state.locked_profit().to_string(),
        "fees": fees.to_string(), "not_traded": refusals,
        "left": left(state, pipeline), "differences": trader.differences(),
    }))
}

const fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Ended(End::Paid) => "paid",
        Phase::Ended(End::Flat) => "flat",
        Phase::Ended(End::Dust) => "dust",
        other => other.name(),
    }
}

/// What is neither locked nor over, each with its reason.
fn left(state: &State, pipeline: &Pipeline) -> Vec<Value> {
    let open = state.restless();
    let mut left: Vec<Value> = open
        .map(|trade| {
            json!({
                "trade": trade.id.to_string(), "pair": trade.plan.pair.0,
                "state": name(trade.phase), "why": trade.why,
            })
        })
        .collect();
    for (venue, market) in state.ledger().markets() {
        let dust = state.dust(market);
        if !dust.is_zero() {
            let id = pipeline.registry().get(market).map(|entry| entry.id.clone());
            left.push(json!({
                "dust": dust.to_string(), "venue": venue.name(), "market": id,
            }));
        }
    }
    left
}
