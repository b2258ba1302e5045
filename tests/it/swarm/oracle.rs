//! What must hold, judged from the exchanges' own statements after everything that happens.

use std::collections::BTreeMap;
use std::time::Duration;

use crossbook::domain::{Money, Order, Size, Timestamp, Venue};
use crossbook::exchange::ledger::Statement;
use crossbook::execute::Record;

use crate::harness::at;

use super::process;
use super::run::Run;
use super::truth::{self, Account};

/// Two readings of a market that is quiet in between, and what they lead to.
const TAKEN_BACK_SEEN: Duration = Duration::from_secs(35);

/// More than a plan keeps in reserve, in millionths of a dollar: a leg that is taken back from a
/// trade at rest is bought again, with a reserve that was released when the trade came to rest.
const BOUGHT_AGAIN: i128 = 3_500_000;

/// What the oracle remembers from one judgement to the next.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    pub(super) statements: [Statement; 2],
    pub(super) accounts: [Account; 2],
    /// Orders that the journal knows, by the names that we gave them.
    orders: BTreeMap<String, Order>,
    /// Whether the markets end.
    pub(super) over: bool,
    /// When a fill of a market of Kalshi was last taken back.
    pub(super) taken_back: BTreeMap<usize, Timestamp>,
    /// The most dollars that came back into a market at risk without an order, in millionths: what
    /// is taken back returns what it was netted with, be it a purchase or what was sold of it.
    returned: BTreeMap<usize, i128>,
}

impl Run {
    /// Judges after everything that happened at one moment.
    pub(super) fn judge(&mut self) {
        for venue in Venue::ALL {
            let statement = {
                let mut venues = self.venues.lock().unwrap();
                let (statement, news) = venues.statement(venue);
                if !news || *statement == self.oracle.statements[at(venue)] {
                    continue;
                }
                statement.clone()
            };
            self.oracle.accounts[at(venue)] = Account::of(&statement);
            self.judge_orders(venue, &statement);
            self.judge_books(venue, &statement);
            self.oracle.statements[at(venue)] = statement;
            self.judge_limits();
        }
        self.judge_belief();
    }

    /// Every order at an exchange is one that the journal names, is there once, and did not fill
    /// more than it asked for.
    fn judge_orders(&mut self, venue: Venue, statement: &Statement) {
        self.read_journal();
        for found in &statement.orders {
            let mut before = self.oracle.statements[at(venue)].orders.iter();
            let before = before.find(|one| one.id == found.id);
            if let Some(before) = before.filter(|one| one.filled > found.filled) {
                self.oracle.taken_back.insert(found.market, self.now);
                let gone = i128::from(before.filled.units() - found.filled.units());
                let netted = truth::bought(statement, found.market, found.outcome.other());
                let returned = self.oracle.returned.entry(found.market).or_default();
                *returned += gone.min(netted) + BOUGHT_AGAIN;
            }
        }
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        for found in &statement.orders {
            let name = truth::name_of(venue, found);
            *seen.entry(name).or_default() += 1;
            let Some(order) = self.oracle.orders.get(name) else {
                let text = format!("{venue} has {found:?}, which the journal does not name");
                self.fail("written_before_sent", text);
                continue;
            };
            let too_much = match order.size {
                Size::Contracts(quantity) => found.filled > quantity,
                Size::Collateral(money) => found.money > money,
            };
            if too_much {
                let text = format!("{order:?} was filled as {found:?}");
                self.fail("filled_as_asked", text);
            }
        }
        if let Some((name, count)) = seen.into_iter().find(|(_, count)| *count > 1) {
            let text = format!("{name} is at {venue} {count} times");
            self.fail("executed_once", text);
        }
    }

    fn read_journal(&mut self) {
        let orders = &mut self.oracle.orders;
        self.paper.read(|records| {
            let mut placed = BTreeMap::new();
            for record in records {
                match record {
                    Record::Placed(order) => drop(placed.insert(order.intent, order)),
                    Record::Named { intent, id } => {
                        if let Some(order) = placed.get(intent) {
                            orders.insert(id.0.clone(), (*order).clone());
                        }
                    }
                    _ => {}
                }
            }
        });
    }

    /// The exchange's own books add up: an oracle that believes wrong books finds nothing. What a
    /// market pays is judged at the end.
    fn judge_books(&mut self, venue: Venue, statement: &Statement) {
        if self.oracle.over {
            return;
        }
        let (due, cash) = (truth::cash_due(venue, statement), statement.cash_total());
        if due != i128::from(cash.micros()) {
            let text =
                format!("{venue} has {cash} where {due} micro-dollars are due: {statement:?}");
            self.fail("exchange_books", text);
        }
    }

    /// Whether a fill was taken back so lately that two readings need not have shown it: nothing
    /// else tells of it.
    pub(super) fn is_taken_back(&self, market: usize) -> bool {
        let taken = self.oracle.taken_back.get(&market);
        taken.is_some_and(|taken| self.now.since(*taken) < TAKEN_BACK_SEEN)
    }

    /// The same of any market.
    pub(super) fn is_any_taken_back(&self) -> bool {
        (0..self.script.questions.len()).any(|market| self.is_taken_back(market))
    }

    /// No dollar limit is exceeded, whatever we believe.
    fn judge_limits(&mut self) {
        let limits = &process::settings(&self.script).limits;
        let dollars = self.oracle.accounts.each_ref().map(Account::dollars);
        let mut over = Vec::new();
        let mut check = |what: String, is: i128, returned: i128, most: Money| {
            if is > i128::from(most.micros()) + returned {
                over.push(format!("{what}: {is} micro-dollars where {most} are allowed"));
            }
        };
        let all: i128 = self.oracle.returned.values().sum();
        for venue in Venue::ALL {
            let returned = if venue == Venue::Kalshi { all } else { 0 };
            check(venue.to_string(), dollars[at(venue)], returned, limits.venues[at(venue)]);
        }
        check("total".to_owned(), dollars.iter().sum(), all, limits.total);
        for market in 0..self.script.questions.len() {
            let both = [0, 1].map(|venue: usize| self.oracle.accounts[venue].dollars_in(market));
            let here = self.oracle.returned.get(&market).copied().unwrap_or(0);
            for venue in Venue::ALL {
                let returned = if venue == Venue::Kalshi { here } else { 0 };
                let what = format!("market {market} of {venue}");
                check(what, both[at(venue)], returned, limits.market);
            }
            check(format!("pair {market}"), both.iter().sum(), here, limits.pair);
        }
        if !over.is_empty() {
            self.fail("limits", over.join("; "));
        }
    }
}
