//! What the machine believes, held against what is true.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crossbook::domain::market::Status;
use crossbook::domain::report::Refused;
use crossbook::domain::{
    Evidence, IntentId, MarketIndex, Quantity, Report, Timestamp, TradeId, Venue,
};
use crossbook::engine::trade::Trader;
use crossbook::execute::{Act, Record, Scope, Trade, incident};

use crate::harness::at;

use super::process;
use super::run::Run;

/// Beyond the longest pause between two inquiries.
const ASK_SLACK: Duration = Duration::from_secs(15);

/// What the oracle remembers of the machine.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When something was last done or heard about an order.
    asked: BTreeMap<IntentId, Timestamp>,
    /// Since when a question's legs differ, and since when that is known.
    pub(super) alone: BTreeMap<usize, Since>,
    /// Alarms about what stands alone: when, and in which question.
    pub(super) alarms: Vec<(Timestamp, usize)>,
    /// Questions in which something was held because no way out fitted.
    pub(super) holds: Vec<usize>,
    /// When the process began.
    pub(super) began: Timestamp,
    /// Whether the process did anything since it was last judged.
    is_new: bool,
    /// Whether the process was told to send nothing more.
    pub(super) is_killed: bool,
    /// Whether a process was told to sell everything, and what followed from it is not over.
    pub(super) is_flattening: bool,
    /// Whether the process has begun a trade.
    pub(super) has_opened: bool,
    /// Trades of earlier processes that this one has seen at rest.
    pub(super) rested: BTreeSet<TradeId>,
}

/// Since when a question's legs differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    /// In truth.
    pub(super) truly: Timestamp,
    /// As the machine knows.
    pub(super) known: Option<Timestamp>,
}

impl Run {
    pub(super) fn trader(&self) -> Option<&Trader> {
        self.machine.as_ref()?.engine().trader()
    }

    /// The venue and the question of a market, as the process of the day counts them.
    pub(super) fn place_of(&self, market: MarketIndex) -> Option<(Venue, usize)> {
        let entry = self.machine.as_ref()?.registry().get(market)?;
        Some((entry.venue, self.question_of(&entry.id)?))
    }

    /// The question that a text names by the id of one of its markets.
    fn question_of(&self, text: &str) -> Option<usize> {
        self.script.questions.iter().position(|question| {
            let pair = &process::pairs()[*question];
            text.contains(&pair.kalshi) || text.contains(&pair.condition)
        })
    }

    /// Hears what is to be done, for the rules about it.
    pub(super) fn watch_act(&mut self, act: &Act) {
        let now = self.now;
        self.watch.is_new = true;
        match act {
            Act::Place(order) => {
                self.watch.asked.insert(order.intent, now);
                let what = format!("{} {}", order.purpose.name(), order.lifetime.name());
                *self.bites.entry(what).or_default() += 1;
            }
            Act::Inquire(intent) | Act::Cancel(intent) => {
                self.watch.asked.insert(*intent, now);
            }
            Act::Write(Record::Opened { trade, .. }) => self.judge_open(*trade),
            Act::Write(Record::Reported { report, .. }) => self.watch_report(&report.clone()),
            Act::Write(Record::Halted { scope: Scope::Pair(pair), why, .. })
                if why.contains("alone") =>
            {
                let set = self.machine.as_ref().map(|one| one.pairs().pairs()).unwrap_or_default();
                let own = set.iter().find(|one| one.id == *pair).map(|one| one.kalshi.clone());
                let question = own.and_then(|ticker| self.question_of(&ticker));
                self.watch.alarms.extend(question.map(|question| (now, question)));
            }
            Act::Write(Record::Incident { kind, text, trade, .. }) => {
                if *kind == incident::LATE_FILL && text.contains(" was gone: ") {
                    self.fail("gone_is_gone", text.clone());
                }
                let state = self.trader().map(|one| one.executor().state());
                let trade = trade.and_then(|trade| state?.trade(trade));
                let place = trade.and_then(|trade| self.place_of(trade.plan.legs[0].market));
                let question = place.map(|place| place.1).or_else(|| self.question_of(text));
                let Some(question) = question else { return };
                if *kind == incident::NO_WAY_OUT {
                    self.watch.holds.push(question);
                }
                let about = [
                    incident::STRANDED_LONG,
                    incident::NO_WAY_OUT,
                    incident::FILL_FAILED,
                    incident::ACCOUNT_DIFFERS,
                ];
                if about.contains(kind) {
                    self.watch.alarms.push((now, question));
                }
            }
            _ => {}
        }
    }

    /// Notes which trades of earlier processes are at rest: what had no way out then is, once it
    /// could have found one.
    pub(super) fn note_rested(&mut self) {
        let Some(machine) = self.machine.as_ref().filter(|_| !self.watch.has_opened) else {
            return;
        };
        let Some(trader) = machine.engine().trader() else { return };
        let (began, now) = (self.watch.began, self.now);
        let is_long = now >= began.after(process::settings(&self.script).trade.execute.unknown_max);
        let has_book = |market: MarketIndex| {
            let slot = machine.engine().books().get(market);
            let status = slot.and_then(|slot| slot.facts.as_ref()).map(|facts| facts.status);
            let is_closed = status.is_some_and(|status| status != Status::Open);
            is_closed || machine.engine().believed(market, now).is_some()
        };
        let was_looked_at = |trade: &&Trade| {
            trade.since >= began
                || is_long
                || trade.plan.legs.iter().all(|leg| has_book(leg.market))
        };
        let rested = trader.executor().state().restless().filter(|trade| trade.rests());
        // What this process brought together is its own from then on, whatever fails of it later.
        let even = trader
            .executor()
            .state()
            .unended()
            .filter(|trade| trade.phase.is_quiet() && trade.since >= began);
        let rested: Vec<TradeId> =
            rested.filter(was_looked_at).chain(even).map(|trade| trade.id).collect();
        self.watch.rested.extend(rested);
    }

    /// No more trades are under way at once than may be, and a process begins with none before those
    /// of earlier ones are brought together, or have no way out.
    fn judge_open(&mut self, opened: TradeId) {
        let is_first = !std::mem::replace(&mut self.watch.has_opened, true);
        let Some(trader) = self.trader() else { return };
        let trades = || trader.executor().state().trades();
        // What had no way out may have found one since.
        let is_alone = |trade: &&Trade| {
            trade.id < opened && !trade.rests() && !self.watch.rested.contains(&trade.id)
        };
        let old = trades().find(is_alone).filter(|_| is_first);
        let old =
            old.map(|old| format!("{opened} was begun while {} was {}", old.id, old.phase.name()));
        let live = trades().filter(|trade| !trade.phase.is_quiet()).count();
        if let Some(text) = old {
            self.fail("old_legs_first", text);
        }
        let most = process::settings(&self.script).limits.open_trades;
        if live > most {
            self.fail("limits", format!("{live} trades are under way where {most} may be"));
        }
    }

    /// What reduces exposure is not refused for a reason of ours: whatever the words, an order that
    /// was not sent, the wire excepted, and a journal that takes nothing.
    fn watch_report(&mut self, report: &Report) {
        let Report::Order { intent, evidence } = report else { return };
        self.watch.asked.insert(*intent, self.now);
        let Evidence::Refused(refusal) = evidence else { return };
        let is_ours = match refusal.kind {
            Refused::KeptBack => true,
            Refused::NotSent => !refusal.text.contains(super::calls::UNSENT),
            _ => false,
        };
        // What was taken back before it was sent somebody wanted back.
        let is_wanted_back = refusal.text.contains("taken back");
        if !is_ours || is_wanted_back || self.watch.is_killed || self.paper.is_broken() {
            return;
        }
        // To sell everything at once is more than a venue takes in a second.
        if self.watch.is_flattening && refusal.text.contains("budget") {
            return;
        }
        let order = self.trader().and_then(|one| one.executor().state().order(*intent));
        if order.is_some_and(|order| order.order().purpose.reduces()) {
            let text = format!("{intent} was not sent: {} {}", refusal.code, refusal.text);
            self.fail("reduces_refused", text);
        }
    }

    /// Judges what is believed after everything that happened at one moment.
    pub(super) fn judge_belief(&mut self) {
        if std::mem::take(&mut self.watch.is_new) || self.oracle.is_new {
            self.judge_exposure();
            self.judge_dust();
        }
        self.judge_fates();
        self.judge_alone();
    }

    /// What we hold to be at risk is at least what is, in every market and at every venue: what is
    /// held, and what may still come of orders that stand or are on their way.
    fn judge_exposure(&mut self) {
        let Some(trader) = self.trader() else { return };
        let (risk, executor) = (trader.risk(), trader.executor());
        let state = executor.state();
        let mut believed = vec![[0_i128; 2]; self.script.questions.len()];
        for trade in state.trades() {
            let Some(exposure) = executor.exposure(trade.id) else { continue };
            for (leg, own) in trade.plan.legs.iter().zip(exposure.legs) {
                if let Some((venue, market)) = self.place_of(leg.market) {
                    let dollars = own.dollars + exposure.reserve;
                    believed[market][at(venue)] += i128::from(dollars.micros());
                }
            }
        }
        // What is smaller than a lot is no order's business any more; nor is what it had cost.
        let mut dust = vec![[0_i128; 2]; self.script.questions.len()];
        for (venue, index) in state.ledger().markets() {
            if let Some((_, market)) = self.place_of(index) {
                let in_it = state.trades().filter(|one| one.seat_of(index).is_some()).count();
                let most = i128::try_from(in_it).unwrap() * i128::from(Quantity::LOT);
                dust[market][at(venue)] += i128::from(state.dust(index).units()).min(most);
            }
        }
        let spending = self.spending(|_| true);
        let known = risk.totals();
        let mut wrong = None;
        for venue in Venue::ALL {
            let place = at(venue);
            let mut all = 0;
            // What a market that has ended still owes is no risk of ours any more.
            let ended = &self.oracle.endings[place];
            let is_judged = |market: &usize| {
                !(ended.contains_key(market) || place == 0 && self.is_busted(*market))
            };
            for market in (0..self.script.questions.len()).filter(is_judged) {
                let held = self.oracle.accounts[place].dollars_in(market);
                let truth = held + spending[market][place];
                let known = believed[market][place] + dust[market][place];
                all += truth - dust[market][place];
                if truth > known {
                    wrong = Some(format!(
                        "{venue}: {truth} are at risk in market {market}, {known} are known"
                    ));
                }
            }
            let known = i128::from(known.venues[place].micros());
            if all > known {
                wrong = Some(format!("{venue}: {all} are at risk, {known} are known"));
            }
        }
        // One that was killed looks at none of its trades any more.
        if let Some(text) = wrong.filter(|_| !self.watch.is_killed) {
            self.fail("exposure_known", text);
        }
    }

    /// What is too small for its venue stays below its cap.
    fn judge_dust(&mut self) {
        let Some(trader) = self.trader() else { return };
        let state = trader.executor().state();
        let limits = &process::settings(&self.script).limits;
        let mut all = 0;
        let mut wrong = None;
        let open = state.ledger().markets();
        for (venue, market) in open.filter(|(_, at)| state.ledger().payout(*at).is_none()) {
            let dust = state.dust(market).units();
            all += dust;
            if dust > limits.dust_market.micros() {
                wrong = Some(format!("{dust} millionths are dust in {market:?} of {venue}"));
            }
        }
        if all > limits.dust_total.micros() {
            wrong = Some(format!("{all} millionths are dust"));
        }
        // What failed is called dust until the process looks at its trades: a new one does so before
        // it trades, one that was killed never.
        let may_trade = trader.risk().check_gates().is_ok();
        if let Some(text) = wrong.filter(|_| may_trade) {
            self.fail("dust_cap", text);
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
        if let Some(order) = forgotten.filter(|_| !self.watch.is_killed) {
            let text = format!("nobody asks about {order}: {order:?}");
            self.fail("fates_known", text);
        }
    }
}
