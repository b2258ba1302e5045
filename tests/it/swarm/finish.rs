//! What must be so at the end: trading goes on once the causes are gone, and all money is where our
//! books have it.

use crossbook::domain::{Money, Outcome, Venue};
use crossbook::engine::event::Command;
use crossbook::exchange::faults::Fault;
use crossbook::execute::ledger::Cash;
use crossbook::execute::{Line, Record, Scope, incident};
use crossbook::risk::{NoTrade, Stop};

use crate::harness::at;

use super::draw::{Odds, Strike};
use super::limits::LOSS_MAX;
use super::process;
use super::run::{ASKED, Run};
use super::truth::Side;

impl Run {
    /// The trades that were begun so far, by the journal.
    pub(super) fn trades_begun(&self) -> usize {
        let opened = |record: &&Record| matches!(record, Record::Opened { .. });
        self.paper.read(|records| records.iter().filter(opened).count())
    }

    /// A person has looked at everything that is stopped, and lifts it. Each has said why, and the
    /// run gave it a reason; what a person or the swarm itself stopped has been lifted before.
    pub(super) fn resume_all(&mut self) {
        let stops = self.trader().map(|trader| trader.risk().halts().to_vec()).unwrap_or_default();
        for stop in stops {
            if let Some(text) = self.unexplained(&stop) {
                self.fail("halts_explained", format!("{stop:?}: {text}"));
            }
            self.command(&Command::Resume { scope: stop.scope });
        }
    }

    /// What is wrong with a halt that is in force when all causes are gone.
    fn unexplained(&self, stop: &Stop) -> Option<&'static str> {
        let blows = &self.script.blows;
        let any = |wanted: fn(&Strike) -> bool| blows.iter().any(|blow| wanted(&blow.strike));
        let why = stop.why.as_str();
        let is_calm = blows.is_empty() && self.script.odds == Odds::default();
        if why.is_empty() {
            Some("nobody says why")
        } else if why == ASKED {
            Some("it was lifted long ago")
        } else if why.contains("malformed") || why.contains("restricted") {
            Some("we send nothing that is not understood, and may trade")
        } else if why.contains("a fee of") {
            Some("all fees are those that were announced")
        } else if why.contains("does not hold") {
            Some("every order is ours")
        } else if why.contains("credentials") {
            let is_cause = |strike: &Strike| {
                matches!(
                    strike,
                    Strike::Fault(_, Fault::KeyRevoked { .. } | Fault::ClockSkew { .. })
                )
            };
            (!any(is_cause)).then_some("no key and no clock was wrong")
        } else if why.contains("paid") {
            let diverges = (0..self.script.questions.len())
                .any(|market| self.has_ended(market) && self.script.is_odd(market));
            (!diverges).then_some("both venues paid as planned")
        } else if is_calm && !why.contains("the books speak against") {
            Some("nothing went wrong")
        } else {
            None
        }
    }

    /// Whether a question has ended at either venue.
    pub(super) fn has_ended(&self, market: usize) -> bool {
        self.oracle.endings.iter().any(|endings| endings.contains_key(&market))
    }

    /// Why edges were not traded, for the log.
    pub(super) fn refusals(&self) -> String {
        let Some(trader) = self.trader() else { return "no process runs".to_owned() };
        let counted = NoTrade::ALL.iter().zip(trader.refusals()).filter(|(_, count)| **count > 0);
        let counted: Vec<_> = counted.map(|(no, count)| format!("{} {count}", no.name())).collect();
        let purses: Vec<_> = trader.risk().purses().collect();
        let totals = trader.risk().totals();
        format!("not traded: {}; {totals:?}; {purses:?}", counted.join(", "))
    }

    /// The last gap was not traded: what kept it from being traded has a name that may, and the
    /// exchanges' own statements bear it out.
    pub(super) fn judge_silence(&mut self) {
        let Some(trader) = self.trader() else {
            return self.fail("liveness", "no process runs".to_owned());
        };
        let machine = self.machine.as_ref();
        let last = &process::pairs()[*self.script.questions.last().unwrap()].kalshi;
        let pairs = machine.map(|one| one.pairs().pairs()).unwrap_or_default();
        let pair = pairs.iter().find(|pair| pair.kalshi == *last);
        let refused = pair.and_then(|pair| trader.last_refusal(&pair.id));
        let limits = &process::settings(&self.script).limits;
        let stands = self.stands();
        let state = trader.executor().state();
        let live = || state.trades().filter(|trade| !trade.phase.is_quiet());
        let is_excused = match refused {
            Some(NoTrade::LimitLoss) => {
                let under_way = i128::try_from(live().count()).unwrap() + 1;
                let alone: i128 = stands.iter().map(|stand| stand.alone_cost[1]).sum();
                let worst = self.lost()[1] + alone + under_way * LOSS_MAX;
                worst > i128::from(limits.loss_per_day.micros())
            }
            // A contract counts as a dollar, and a partial fill may leave what Polymarket's
            // smallest order is.
            Some(NoTrade::LimitDust) => {
                let alone: i128 = stands.iter().map(|stand| stand.alone).sum();
                alone + 5_000_000 > i128::from(limits.dust_market.min(limits.dust_total).micros())
            }
            // What is held because no way out fits was alarmed, and is still under way.
            Some(NoTrade::LimitOpenTrades) => live().all(|trade| {
                let place = self.place_of(trade.plan.legs[0].market);
                place.is_some_and(|(_, question)| self.watch.holds.contains(&question))
            }),
            _ => false,
        };
        if is_excused {
            return;
        }
        let halts: Vec<_> = trader.risk().halts().iter().map(|stop| &stop.why).collect();
        let pending: Vec<_> = state.pending().map(ToString::to_string).collect();
        let reasons = machine.map(|one| one.engine().standing_reasons());
        let text = format!(
            "the gap at the end is not traded: {refused:?}, halts {halts:?}, pending {pending:?}, \
             reasons {reasons:?}, differences {:?}",
            trader.differences()
        );
        self.fail("liveness", text);
    }

    /// Whether nothing is under way any more.
    pub(super) fn is_at_rest(&self) -> bool {
        let Some(trader) = self.trader() else { return false };
        let state = trader.executor().state();
        let is_quiet = state.trades().all(|trade| trade.phase.is_quiet());
        let is_settled = self.oracle.statements.iter().all(|one| one.unsettled.is_empty());
        is_quiet
            && is_settled
            && self.oracle.flying.is_empty()
            && state.pending().next().is_none()
            && trader.risk().check_gates().is_ok()
            && self.wrong_at_the_end().is_empty()
    }

    /// After everything was paid: our books are the exchanges'.
    pub(super) fn judge_end(&mut self) {
        if self.machine.is_none() {
            return self.fail("liveness", "no process runs at the end".to_owned());
        }
        if self.trader().is_some_and(|trader| !trader.executor().state().is_indexed()) {
            self.fail("indexed", "a trade changed and its record does not say so".to_owned());
        }
        let wrong = self.wrong_at_the_end();
        if !wrong.is_empty() {
            return self.fail("money_conserved", wrong.join("; "));
        }
        self.note_moves();
        let questions = 0..self.script.questions.len();
        let told = self.divergences();
        let silent = questions.into_iter().find(|market| {
            let held = |venue: usize| {
                self.oracle.endings[venue].get(market).is_some_and(|ending| ending.was_held)
            };
            let is_told = told.contains(market);
            self.script.diverges(*market) && held(0) && held(1) && !is_told
        });
        if let Some(market) = silent {
            let text = format!("question {market} paid otherwise at each venue and nobody says so");
            self.fail("divergence_told", text);
        }
    }

    /// Notes what moved without a trade, and whether trading stopped until a list explained it.
    fn note_moves(&mut self) {
        let is_about_cash = |record: &&Record| match record {
            Record::Incident { kind, text, .. } => {
                *kind == incident::ACCOUNT_DIFFERS && text.contains("cash accept")
            }
            _ => false,
        };
        let stopped = self.paper.read(|records| records.iter().filter(is_about_cash).count());
        let mut met = vec![("cash stopped".to_owned(), stopped as u64)];
        for venue in Venue::ALL {
            let moves = &self.oracle.moves[at(venue)];
            met.push((format!("{venue} money moved"), moves.len() as u64));
        }
        for (name, count) in met.into_iter().filter(|(_, count)| *count > 0) {
            *self.bites.entry(name).or_default() += count;
        }
    }

    /// The questions of which the journal says that they paid other than planned.
    fn divergences(&self) -> Vec<usize> {
        let Some(trader) = self.trader() else { return Vec::new() };
        let state = trader.executor().state();
        let question = |record: &Record| match record {
            Record::Incident { kind, trade: Some(trade), .. }
                if *kind == incident::SETTLEMENT_DIVERGENCE =>
            {
                let market = state.trade(*trade)?.plan.legs[0].market;
                Some(self.place_of(market)?.1)
            }
            _ => None,
        };
        self.paper.read(|records| records.iter().filter_map(question).collect())
    }

    /// What our books have otherwise than the exchanges.
    fn wrong_at_the_end(&self) -> Vec<String> {
        let Some(trader) = self.trader() else { return Vec::new() };
        let state = trader.executor().state();
        let mut wrong = Vec::new();
        wrong.extend(state.pending().map(|order| format!("{order} is not final: {order:?}")));
        for venue in Venue::ALL {
            self.compare_cash(venue, state.ledger().cash(venue), &mut wrong);
        }
        for (venue, market) in state.ledger().markets() {
            let Some((_, question)) = self.place_of(market) else { continue };
            for (outcome, side) in [(Outcome::Yes, Side::Yes), (Outcome::No, Side::No)] {
                let ours = i128::from(state.ledger().held(market, outcome).units());
                let theirs = self.oracle.accounts[at(venue)].units(question, side);
                let is_paid = state.ledger().payout(market).is_some();
                if ours != theirs && !(is_paid && theirs == 0) {
                    wrong.push(format!(
                        "{venue} holds {theirs} {outcome} of question {question}, we {ours}"
                    ));
                }
            }
        }
        wrong
    }

    /// Every line of a venue's money against its statement.
    fn compare_cash(&self, venue: Venue, ours: &Cash, wrong: &mut Vec<String>) {
        let statement = &self.oracle.statements[at(venue)];
        let line = |line: Line| ours.lines.get(&line).copied().unwrap_or_default();
        let mut check = |what: &str, ours: i64, theirs: i64, slack: u64| {
            if (ours - theirs).unsigned_abs() > slack {
                wrong.push(format!("{venue}: {what} are {ours} in our books, truly {theirs}"));
            }
        };
        let Some([moved, earned]) = self.moved_since_opening(venue, ours) else {
            return check("opening", line(Line::Opening).micros(), statement.paid_in.micros(), 0);
        };
        check("transfer", line(Line::Transfer).micros(), moved.micros(), 0);
        check("interest", line(Line::Interest).micros(), earned.micros(), 0);
        for name in [Line::Unexplained, Line::Accepted] {
            check(name.name(), line(name).micros(), 0, 0);
        }
        let fees = ours.fees + ours.fees_computed + line(Line::FeeTrueUp);
        // What is taken back at the end is looked into from a cent on.
        let slack = if venue == Venue::Kalshi && self.script.busts() { 10_000 } else { 0 };
        check("fees", fees.micros(), -statement.fees.micros(), slack);
        check("payouts", ours.paid.micros(), statement.payouts.micros(), slack);
        check("dollars", ours.total().micros(), statement.cash_total().micros(), slack);
    }

    /// Whether all that moved without a trade stands in its line.
    pub(super) fn knows_all_movements(&self) -> bool {
        let Some(trader) = self.trader() else { return false };
        Venue::ALL.into_iter().all(|venue| {
            let ours = trader.executor().state().ledger().cash(venue);
            let line = |line: Line| ours.lines.get(&line).copied().unwrap_or_default();
            let lines = [line(Line::Transfer), line(Line::Interest)];
            self.moved_since_opening(venue, ours) == Some(lines)
        })
    }

    /// What moved, and what of it was earned, since the opening balance was read: what had moved
    /// before is in it, and nowhere else. `None` when it never was as much as it has beyond what
    /// was paid in at the start.
    fn moved_since_opening(&self, venue: Venue, ours: &Cash) -> Option<[Money; 2]> {
        let opening = |record: &Record| match record {
            Record::Booked { venue: of, line: Line::Opening, as_of, .. } => {
                (*of == venue).then_some(*as_of)
            }
            _ => None,
        };
        let opened = self.paper.read(|records| records.iter().find_map(opening))?;
        let statement = &self.oracle.statements[at(venue)];
        let more = ours.lines.get(&Line::Opening).copied()? - statement.paid_in;
        let moves = &self.oracle.moves[at(venue)];
        let before = moves.iter().take_while(|(at, _)| *at <= opened).map(|(_, moved)| *moved);
        let mut all = std::iter::once([Money::ZERO; 2]).chain(before);
        let [moved, earned] = all.find(|[moved, earned]| *moved + *earned == more)?;
        Some([statement.moved - moved, statement.earned - earned])
    }

    /// Lifts what a person or the swarm itself stopped.
    pub(super) fn lift(&mut self) {
        self.command(&Command::Resume { scope: Scope::All });
    }
}
