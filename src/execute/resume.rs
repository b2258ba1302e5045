//! What is not known is asked about: after a start, and when an answer does not come.
//!
//! A start folds the journal's records through the tables that guard live work. An order without an
//! answer is unknown then, like one whose answer is overdue; both are asked about until they are
//! known and never sent again.

use std::time::Duration;

use crate::domain::{Evidence, IntentId, MarketIndex, Report, Timestamp, TradeId};
use crate::plan::Leg;

use super::executor::{Executor, Mode};
use super::order_state::Phase as OrderPhase;
use super::trade_state::{Event, Phase};
use super::{Act, Record, Sight, Tracked, Trade, incident};

impl Executor {
    /// Ends the reading of the journal: every order that is not final becomes unknown and is asked
    /// about, trades go on from where they were, and no new one may open until all are known and
    /// nothing of the old trades stands alone that has a way out.
    pub fn resume(&mut self, now: Timestamp, acts: &mut Vec<Act>) {
        let (intent, trade) = (self.state.next_intent().0, self.state.next_trade().0);
        self.mode = Mode::Resuming(IntentId(intent - 1), TradeId(trade - 1));
        self.resumed_at = now;
        // The prices of a plan are of its moment.
        let unsent: Vec<TradeId> = self
            .state
            .restless()
            .filter(|trade| trade.phase == Phase::Opened)
            .map(|trade| trade.id)
            .collect();
        for trade in unsent {
            let why = "the process ended before anything was sent".to_owned();
            self.go(trade, Event::Empty, why, now, acts);
        }
        let lost: Vec<IntentId> = self.open_orders(|phase| phase == OrderPhase::Decided);
        for intent in lost {
            let evidence = Evidence::Unclear("the process ended before an answer".to_owned());
            self.say(
                Record::Reported { report: Report::Order { intent, evidence }, at: now },
                acts,
            );
        }
        // A payment may be the last thing that was written.
        self.tell_divergences(now, acts);
        self.inquire(now, acts);
        // What there is to be seen of a leg that stands alone, the first look at the books shows.
        self.end_resuming_if(|_, trade| trade.is_quiet());
    }

    /// Readings of the account decide from here on. Legs that stood alone when the process ended,
    /// and of which nothing was heard for longer than `grace`, wait for one: a person may have
    /// closed them meanwhile, and to finish one would open another.
    pub fn wait_for_readings(&mut self, grace: Duration) {
        let since = self.resumed_at.before(grace);
        for trade in self.state.restless() {
            let orders = trade.orders.iter().filter_map(|intent| self.state.order(*intent));
            if orders.map(Tracked::moved_at).all(|moved| moved < since) {
                self.unseen.extend(trade.plan.legs.each_ref().map(|leg| leg.market));
            }
        }
    }

    /// A reading shows of a market what the books say.
    pub fn seen(&mut self, market: MarketIndex) {
        self.unseen.remove(&market);
    }

    /// An order that went without an answer for longer than its plan allows is unknown.
    pub(super) fn give_up_waiting(&mut self, now: Timestamp, acts: &mut Vec<Act>) {
        let late: Vec<IntentId> = self
            .state
            .pending()
            .filter(|tracked| tracked.phase() == OrderPhase::Decided)
            .filter(|tracked| {
                let plan = self.state.trade(tracked.order().trade).map(|trade| &trade.plan);
                plan.is_none_or(|plan| now >= tracked.order().at.after(plan.answer_max))
            })
            .map(|tracked| tracked.order().intent)
            .collect();
        for intent in late {
            let evidence = Evidence::Unclear("no answer in time".to_owned());
            self.heed(&Report::Order { intent, evidence }, now, acts);
        }
    }

    /// Asks about every order that is not final, and about those whose fills a second listing has
    /// to confirm, with growing pauses.
    pub(super) fn inquire(&mut self, now: Timestamp, acts: &mut Vec<Act>) {
        let pauses = (self.settings.inquire_pause, self.settings.inquire_pause_max);
        for intent in self.state.lacking() {
            if self.agenda.is_due(intent, pauses, now) {
                acts.push(Act::Inquire(intent));
            }
        }
        let asked: Vec<(IntentId, Timestamp, TradeId, &'static str)> = self
            .state
            .pending()
            .filter(|tracked| tracked.phase() != OrderPhase::Decided)
            .map(|tracked| {
                let order = tracked.order();
                let (since, what) = match tracked.is_known() {
                    true => (tracked.moved_at(), "matched and still not settled"),
                    false => (order.at, "still not known"),
                };
                (order.intent, since, order.trade, what)
            })
            .collect();
        for (intent, since, trade, what) in asked {
            if self.agenda.is_due(intent, pauses, now) {
                acts.push(Act::Inquire(intent));
                // None of our orders is meant to rest, and a cancel may have been lost.
                let resting = |one: &Tracked| one.phase() == OrderPhase::Resting;
                if self.state.order(intent).is_some_and(resting) {
                    acts.push(Act::Cancel(intent));
                }
            }
            let is_long = now >= since.after(self.settings.unknown_max);
            if is_long && self.agenda.report(intent) {
                let text = format!("{intent} is {what}; look at the venue's own page");
                self.tell(incident::ORDER_UNKNOWN, text, Some(trade), now, acts);
            }
        }
    }

    /// Everything from before the start is known, and what stood alone is brought together or has
    /// no way out: trading may go on.
    pub(super) fn end_resuming(&mut self, sight: &dyn Sight, now: Timestamp) {
        self.end_resuming_if(|this, trade| this.rests(trade, sight, now));
    }

    fn end_resuming_if(&mut self, rests: impl Fn(&Self, &Trade) -> bool) {
        let Mode::Resuming(intent, trade) = self.mode else { return };
        let mut old = self.state.pending().filter(|tracked| tracked.order().intent <= intent);
        let mut trades = self.state.restless().filter(|one| one.id <= trade);
        if old.all(Tracked::is_known) && trades.all(|one| rests(self, one)) {
            self.mode = Mode::Trading;
        }
    }

    /// Whether nothing more can be done about a trade at present. Nobody knows before a reading has
    /// shown what stands alone, and before its books are there; a book that does not come for long
    /// is waited for no longer.
    fn rests(&self, trade: &Trade, sight: &dyn Sight, now: Timestamp) -> bool {
        let is_long = now >= self.resumed_at.after(self.settings.unknown_max);
        let is_known = |leg: &Leg| {
            let has_book = sight.bids(leg.market, leg.outcome).is_some();
            let is_closed = sight.market(leg.market).is_some() && !sight.is_tradable(leg.market);
            !self.unseen.contains(&leg.market) && (has_book || is_closed || is_long)
        };
        trade.is_quiet() || trade.rests() && trade.plan.legs.iter().all(is_known)
    }
}
