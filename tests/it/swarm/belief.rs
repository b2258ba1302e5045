//! What the machine believes, held against what is true.

use std::collections::BTreeMap;
use std::time::Duration;

use crossbook::domain::report::Refused;
use crossbook::domain::{Evidence, IntentId, Outcome, Report, Timestamp, Venue};
use crossbook::engine::event::Command;
use crossbook::engine::trade::Trader;
use crossbook::exchange::catalogue::Relation;
use crossbook::execute::{Act, Line, Record, incident};
use crossbook::risk::NoTrade;

use crate::harness::at;

use super::process;
use super::run::Run;

/// Beyond the longest pause between two inquiries.
const ASK_SLACK: Duration = Duration::from_secs(15);
/// Beyond the time that a plan gives a leg to stand alone.
const ALONE_SLACK: Duration = Duration::from_secs(5);
/// What one leg may have more than the other without being stranded: less than Polymarket's
/// smallest order of shares, in millionths of a contract.
const ALONE_MIN: i128 = 5_000_000;

/// What the oracle remembers of the machine.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When something was last done or heard about an order.
    asked: BTreeMap<IntentId, Timestamp>,
    /// Since when a question's legs differ.
    alone: BTreeMap<usize, Timestamp>,
    /// Alarms about what stands alone, and when.
    alarms: Vec<Timestamp>,
    /// Whether something was ever held because no way out fitted.
    holds: bool,
    /// When the process began.
    pub(super) began: Timestamp,
}

impl Run {
    fn trader(&self) -> Option<&Trader> {
        self.machine.as_ref()?.engine().trader()
    }

    /// Hears what is to be done, for the rules about it.
    pub(super) fn watch_act(&mut self, act: &Act) {
        let now = self.now;
        match act {
            Act::Place(order) => drop(self.watch.asked.insert(order.intent, now)),
            Act::Inquire(intent) | Act::Cancel(intent) => {
                self.watch.asked.insert(*intent, now);
            }
            Act::Write(Record::Reported { report, .. }) => self.watch_report(&report.clone()),
            Act::Write(Record::Halted { why, .. }) if why.contains("alone") => {
                self.watch.alarms.push(now);
            }
            Act::Write(Record::Incident { kind, text, .. }) => {
                if *kind == incident::LATE_FILL && text.contains(" was gone: ") {
                    self.fail("gone_is_gone", text.clone());
                }
                self.watch.holds |= *kind == incident::NO_WAY_OUT;
                let about = [
                    incident::STRANDED_LONG,
                    incident::NO_WAY_OUT,
                    incident::FILL_FAILED,
                    incident::ACCOUNT_DIFFERS,
                    incident::ORDER_UNKNOWN,
                ];
                if about.contains(kind) {
                    self.watch.alarms.push(now);
                }
            }
            _ => {}
        }
    }

    fn watch_report(&mut self, report: &Report) {
        let Report::Order { intent, evidence } = report else { return };
        self.watch.asked.insert(*intent, self.now);
        let Evidence::Refused(refusal) = evidence else { return };
        let ours = refusal.kind == Refused::KeptBack
            && (refusal.text.contains("budget") || refusal.text.contains("under way"));
        if !ours {
            return;
        }
        let order = self.trader().and_then(|one| one.executor().state().order(*intent));
        if order.is_some_and(|order| order.order().purpose.reduces()) {
            let text = format!("{intent} was not sent: {}", refusal.text);
            self.fail("reduces_refused", text);
        }
    }

    /// Judges what is believed after everything that happened at one moment.
    pub(super) fn judge_belief(&mut self) {
        self.judge_exposure();
        self.judge_fates();
        self.judge_alone();
    }

    /// What we hold to be at risk is at least what is.
    fn judge_exposure(&mut self) {
        // Every market has ended: what is held there is owed or worthless, and at no risk.
        if self.oracle.over {
            return;
        }
        let Some(trader) = self.trader() else { return };
        let known = trader.risk().totals();
        let state = trader.executor().state();
        let Some(machine) = &self.machine else { return };
        let mut dust = [0_i128; 2];
        for (index, entry) in machine.registry().iter() {
            dust[at(entry.venue)] += i128::from(state.dust(index).units());
        }
        for venue in Venue::ALL {
            if venue == Venue::Kalshi && self.is_any_taken_back() {
                continue;
            }
            let truth = self.oracle.accounts[at(venue)].dollars();
            let believed = i128::from(known.venues[at(venue)].micros()) + dust[at(venue)];
            if truth > believed {
                let held = &self.oracle.accounts[at(venue)];
                let text = format!("{venue}: {truth} are at risk, {believed} are known: {held:?}");
                self.fail("exposure_known", text);
                return;
            }
        }
    }

    /// The fate of every order is known, or is being asked about.
    fn judge_fates(&mut self) {
        let Some(trader) = self.trader() else { return };
        let patience = process::settings(&self.script).trade.execute.inquire_pause_max + ASK_SLACK;
        let began = self.watch.began;
        let forgotten = trader.executor().state().pending().find(|order| {
            let asked = self.watch.asked.get(&order.order().intent).copied().unwrap_or(began);
            !order.is_known() && self.now.since(asked.max(began)) > patience
        });
        if let Some(order) = forgotten {
            let text = format!("nobody asks about {order}: {order:?}");
            self.fail("fates_known", text);
        }
    }

    /// What stands alone leaves in time, or is alarmed.
    fn judge_alone(&mut self) {
        let settings = process::settings(&self.script);
        let patience = settings.limits.stranded_max.max(settings.trade.plan.stranded_max);
        let patience = patience + ALONE_SLACK;
        for (market, question) in self.script.questions.clone().into_iter().enumerate() {
            let [kalshi, polymarket] =
                [0, 1].map(|venue: usize| self.oracle.accounts[venue].net(market));
            let same = process::pairs()[question].relation == Relation::Same;
            let alone = if same { kalshi + polymarket } else { kalshi - polymarket };
            if alone.abs() < ALONE_MIN || self.machine.is_none() {
                self.watch.alone.remove(&market);
                continue;
            }
            let since = *self.watch.alone.entry(market).or_insert(self.now);
            if self.is_taken_back(market) {
                continue;
            }
            let late = self.now.since(since.max(self.watch.began)) > patience;
            if late && !self.watch.alarms.iter().any(|alarm| *alarm >= since) {
                let text = format!("{alone} of question {question} stand alone since {since}");
                self.fail("stranded_alarmed", text);
            }
        }
    }

    /// After everything was paid: our books are the exchanges'.
    pub(super) fn judge_end(&mut self) {
        let Some(trader) = self.trader() else {
            return self.fail("liveness", "no process runs at the end".to_owned());
        };
        let state = trader.executor().state();
        let mut wrong = Vec::new();
        wrong.extend(state.pending().map(|order| format!("{order} is not final: {order:?}")));
        for venue in Venue::ALL {
            let lines = state.ledger().cash(venue);
            // What was there at the start is a line of its own, once it is booked.
            let opening = lines.lines.get(&Line::Opening).copied().unwrap_or_default();
            let paid_in = self.oracle.statements[at(venue)].paid_in;
            let believed = lines.total() - opening + paid_in;
            let cash = self.oracle.statements[at(venue)].cash_total();
            let off = (believed - cash).micros().unsigned_abs();
            // Fees by the formula are trued up once two readings agree, which a short end may miss.
            // So may what is taken back at the end, which is looked into from a cent on.
            let trued_up = match venue {
                Venue::Polymarket => 100,
                Venue::Kalshi if self.script.busts() => 10_000,
                Venue::Kalshi => 1,
            };
            if off >= trued_up {
                wrong.push(format!("{venue} holds {cash}, the ledger says {believed}: {lines:?}"));
            }
            for (market, outcome, quantity) in &self.oracle.statements[at(venue)].positions {
                wrong.push(format!("{venue} still holds {quantity} {outcome} of market {market}"));
            }
        }
        let unpaid =
            state.ledger().markets().filter(|(_, at)| state.ledger().payout(*at).is_none());
        let held = unpaid.filter_map(|(venue, market)| {
            let of = |outcome| state.ledger().held(market, outcome);
            let held = [of(Outcome::Yes), of(Outcome::No)];
            (!held.iter().all(|one| one.is_zero())).then(|| format!("{venue} {market:?} {held:?}"))
        });
        wrong.extend(held);
        if !wrong.is_empty() {
            self.fail("money_conserved", wrong.join("; "));
        }
    }

    /// The trades that were begun so far, by the journal.
    pub(super) fn trades_begun(&self) -> usize {
        let opened = |record: &&Record| matches!(record, Record::Opened { .. });
        self.paper.read(|records| records.iter().filter(opened).count())
    }

    /// A person has looked at everything that is stopped, and lifts it. Each has said why.
    pub(super) fn resume_all(&mut self) {
        let stops = self.trader().map(|trader| trader.risk().halts().to_vec()).unwrap_or_default();
        for stop in stops {
            if stop.why.is_empty() {
                self.fail("liveness", format!("{:?} is halted and nobody says why", stop.scope));
            }
            self.command(&Command::Resume { scope: stop.scope });
        }
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

    /// The last gap was not traded: what kept it from being traded has a name that may.
    pub(super) fn judge_silence(&mut self) {
        let Some(trader) = self.trader() else {
            return self.fail("liveness", "no process runs".to_owned());
        };
        let machine = self.machine.as_ref();
        let last = &process::pairs()[*self.script.questions.last().unwrap()].kalshi;
        let pairs = machine.map(|one| one.pairs().pairs()).unwrap_or_default();
        let pair = pairs.iter().find(|pair| pair.kalshi == *last);
        let refused = pair.and_then(|pair| trader.last_refusal(&pair.id));
        let named = [NoTrade::LimitLoss, NoTrade::LimitDust, NoTrade::LimitUnconfirmed];
        // What is held because no way out fits was alarmed, and is still under way; what a person
        // has to look at is told.
        let holds = refused == Some(NoTrade::LimitOpenTrades) && self.watch.holds;
        let differs = refused == Some(NoTrade::NotReconciled) && self.script.busts();
        if holds || differs || refused.is_some_and(|no| named.contains(&no)) {
            return;
        }
        let halts: Vec<_> = trader.risk().halts().iter().map(|stop| &stop.why).collect();
        let pending: Vec<_> =
            trader.executor().state().pending().map(ToString::to_string).collect();
        let reasons = machine.map(|one| one.engine().standing_reasons());
        let text = format!(
            "the gap at the end is not traded: {refused:?}, halts {halts:?}, pending {pending:?}, \
             reasons {reasons:?}"
        );
        self.fail("liveness", text);
    }
}
