//! What must hold, judged from the exchanges' own statements after everything that happens.

use std::collections::BTreeMap;
use std::time::Duration;

use crossbook::app::desk::CallId;
use crossbook::domain::{
    Action, IntentId, Money, Order, Outcome, Purpose, Quantity, Size, Timestamp, Venue,
};
use crossbook::exchange::ledger::{OrderStatement, Statement};
use crossbook::execute::Record;

use crate::harness::at;

use super::run::Run;
use super::truth::{self, Account, Side};

/// How long it takes to find a fill that was taken back: two readings of a market that is quiet in
/// between, and what they lead to.
pub(super) const BUST_FOUND: Duration = Duration::from_secs(35);

/// What the oracle remembers from one judgement to the next.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    pub(super) statements: [Statement; 2],
    pub(super) accounts: [Account; 2],
    /// Orders that the journal knows, by number.
    placed: BTreeMap<IntentId, Order>,
    /// The same by the names that we gave them.
    orders: BTreeMap<String, IntentId>,
    /// How many records of the journal were looked at.
    read: usize,
    /// Calls that place an order and are still to arrive, whatever their process knows of it.
    pub(super) flying: BTreeMap<(u32, CallId), Flight>,
    /// Whether anything changed that limits speak of.
    pub(super) is_new: bool,
    /// Markets that have ended, and how they stood then.
    pub(super) endings: [BTreeMap<usize, Ending>; 2],
    /// Markets of Kalshi in which a fill was taken back, and when last.
    pub(super) busted: BTreeMap<usize, Timestamp>,
    /// The most dollars that came back into a market at risk without an order, in millionths: what
    /// is taken back returns what it was netted with, be it a purchase or what was sold of it.
    pub(super) returned: BTreeMap<usize, i128>,
    /// What had moved without a trade, and what of it was interest and rebates, each time that it
    /// changed.
    pub(super) moves: [Vec<(Timestamp, [Money; 2])>; 2],
}

/// An order on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flight {
    pub(super) venue: Venue,
    pub(super) market: usize,
    /// The most that it can spend, without fees; nothing for a sale.
    pub(super) spends: i128,
    /// What it is for.
    pub(super) purpose: Purpose,
}

/// A market at its end.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    /// What of it had been merged.
    merged: i128,
    /// Whether anything was held when it paid.
    pub(super) was_held: bool,
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
            self.note_busts(venue, &statement);
            self.judge_orders(venue, &statement);
            self.judge_books(venue, &statement);
            let moves = &mut self.oracle.moves[at(venue)];
            let moved = [statement.moved, statement.earned];
            if moves.last().map_or([Money::ZERO; 2], |last| last.1) != moved {
                moves.push((self.now, moved));
            }
            self.oracle.statements[at(venue)] = statement;
            self.oracle.is_new = true;
        }
        self.judge_belief();
        if std::mem::take(&mut self.oracle.is_new) {
            self.judge_limits();
        }
    }

    /// Forgets what the journal said: a new process reads what of it was durable.
    pub(super) fn reread_journal(&mut self) {
        let oracle = &mut self.oracle;
        (oracle.read, oracle.placed, oracle.orders) = (0, BTreeMap::new(), BTreeMap::new());
    }

    fn read_journal(&mut self) {
        let Oracle { placed, orders, read, .. } = &mut self.oracle;
        self.paper.read(|records| {
            for record in &records[*read..] {
                match record {
                    Record::Placed(order) => drop(placed.insert(order.intent, order.clone())),
                    Record::Named { intent, id } => drop(orders.insert(id.0.clone(), *intent)),
                    _ => {}
                }
            }
            *read = records.len();
        });
    }

    /// An order as it was decided on.
    pub(super) fn order_of(&mut self, intent: IntentId) -> Option<Order> {
        self.read_journal();
        self.oracle.placed.get(&intent).cloned()
    }

    /// The order that an exchange speaks of.
    pub(super) fn order_named(&self, venue: Venue, found: &OrderStatement) -> Option<&Order> {
        let intent = self.oracle.orders.get(truth::name_of(venue, found))?;
        self.oracle.placed.get(intent)
    }

    /// Every order at an exchange is one that the journal names, is there once under one name, and
    /// did not fill more than it asked for.
    fn judge_orders(&mut self, venue: Venue, statement: &Statement) {
        self.read_journal();
        let mut seen: BTreeMap<IntentId, &str> = BTreeMap::new();
        let mut wrong = None;
        for found in &statement.orders {
            let name = truth::name_of(venue, found);
            let Some(order) = self.order_named(venue, found) else {
                let text = format!("{venue} has {found:?}, which the journal does not name");
                wrong = Some(("written_before_sent", text));
                continue;
            };
            if let Some(other) = seen.insert(order.intent, name) {
                let text = format!("{} is at {venue} as {other} and as {name}", order.intent);
                wrong = Some(("executed_once", text));
            }
            let is_too_much = match order.size {
                Size::Contracts(quantity) => found.filled > quantity,
                Size::Collateral(money) => found.money > money,
            };
            if is_too_much || order.venue != venue {
                wrong = Some(("filled_as_asked", format!("{order:?} was filled as {found:?}")));
            }
        }
        if let Some((rule, text)) = wrong {
            self.fail(rule, text);
        }
    }

    /// Kalshi's fills are for good, but for those that it takes back.
    fn note_busts(&mut self, venue: Venue, statement: &Statement) {
        if venue != Venue::Kalshi {
            return;
        }
        let before = &self.oracle.statements[at(venue)].orders;
        let both = before.iter().zip(&statement.orders);
        for (old, new) in both.filter(|(old, new)| new.filled < old.filled) {
            self.oracle.busted.insert(old.market, self.now);
            let gone = i128::from(old.filled.units() - new.filled.units());
            let netted = truth::ever_bought(statement, old.market, old.outcome.other());
            *self.oracle.returned.entry(old.market).or_default() += gone.min(netted);
        }
    }

    /// The exchange's own books add up: an oracle that believes wrong books finds nothing.
    fn judge_books(&mut self, venue: Venue, statement: &Statement) {
        let endings = &mut self.oracle.endings[at(venue)];
        let old = &self.oracle.statements[at(venue)];
        let paid = statement.payouts.micros() - old.payouts.micros();
        if paid != 0 {
            let mut due = 0;
            for (market, ending) in endings.iter_mut() {
                let resolution = self.script.resolutions[*market][at(venue)];
                // What is held and paid for is gone; a trade that fails meanwhile pays nothing. A
                // sale that fails brings back what it had sold, and that is paid for too.
                for (side, outcome) in [(Side::Yes, Outcome::Yes), (Side::No, Outcome::No)] {
                    let of = |statement: &Statement| held(statement, *market, outcome);
                    let gone = of(old) - of(statement) + unsold(old, statement, *market, outcome);
                    let pays = truth::pays(resolution, side) * gone / 1_000_000;
                    due += pays;
                    ending.was_held |= gone >= i128::from(Quantity::CONTRACT);
                }
            }
            // Both venues round what they pay down, Kalshi to a hundredth of a cent.
            let short = due - i128::from(paid);
            if !(0..=200 * i128::try_from(endings.len()).unwrap()).contains(&short) {
                let text = format!("{venue} paid {paid} where {due} were due: {statement:?}");
                return self.fail("exchange_books", text);
            }
        }
        // What is not paid for yet may still be merged.
        let traded = |one: &Statement| (one.cash_total() - one.moved - one.earned).micros();
        let more = traded(statement) - traded(old);
        for (market, ending) in endings.iter_mut() {
            let gone = |outcome| held(old, *market, outcome) - held(statement, *market, outcome);
            let [yes, no] = [gone(Outcome::Yes), gone(Outcome::No)];
            if yes > 0 && yes == no && paid == 0 && i128::from(more) == yes {
                ending.merged += yes;
            }
        }
        let merged = endings.iter().map(|(market, ending)| (*market, ending.merged)).collect();
        let (due, cash) = (truth::cash_due(venue, statement, &merged), statement.cash_total());
        if due != i128::from(cash.micros()) {
            let text =
                format!("{venue} has {cash} where {due} micro-dollars are due: {statement:?}");
            self.fail("exchange_books", text);
        }
    }

    /// A market ends at a venue.
    pub(super) fn ends(&mut self, venue: Venue, market: usize) {
        let statement = self.venues.lock().unwrap().statement_now(venue);
        let merged = truth::merged_of(&statement, &truth::bought(&statement), market);
        let ending = Ending { merged, was_held: false };
        self.oracle.endings[at(venue)].entry(market).or_insert(ending);
    }

    /// Whether Kalshi took a fill of this market back so lately that nobody can know.
    pub(super) fn is_busted(&self, market: usize) -> bool {
        let busted = self.oracle.busted.get(&market);
        busted.is_some_and(|at| self.now.since(*at) < BUST_FOUND)
    }
}

/// How many of a contract sales that failed have brought back, less what others sold.
fn unsold(old: &Statement, new: &Statement, market: usize, outcome: Outcome) -> i128 {
    let sold = |statement: &Statement| -> i128 {
        let sales = statement.orders.iter().filter(|order| {
            (order.market, order.outcome, order.action) == (market, outcome, Action::Sell)
        });
        sales.map(|order| i128::from(order.filled.units())).sum()
    };
    sold(old) - sold(new)
}

fn held(statement: &Statement, market: usize, outcome: Outcome) -> i128 {
    let of = statement.positions.iter().filter(|own| (own.0, own.1) == (market, outcome));
    of.map(|own| i128::from(own.2.units())).sum()
}
