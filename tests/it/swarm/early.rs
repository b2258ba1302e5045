//! A Kalshi leg that does not wait for Polymarket's leaves only where Polymarket answers.

use std::time::Duration;

use crossbook::domain::{Order, Purpose, Timestamp, Venue};
use crossbook::exchange::faults::Fault;
use crossbook::venue::gateway::Call;

use super::draw::{Blow, Script, Strike, WARM};
use super::hunt;
use super::process;
use super::run::Run;

/// What is known of such legs.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// When Polymarket's order routes last answered a request as usual.
    answered: Option<Timestamp>,
    /// When they left, from the start of the run.
    pub(super) left: Vec<Duration>,
}

impl Run {
    /// A call was answered by its exchange.
    pub(super) fn note_route(&mut self, call: &Call, status: u16) {
        let is_route = call.venue == Venue::Polymarket && matches!(call.method, "POST" | "DELETE");
        if is_route && matches!(status, 200..=299 | 400) {
            self.early.answered = Some(self.now);
        }
    }

    /// An order leaves.
    pub(super) fn check_early(&mut self, order: &Order) {
        if (order.venue, order.purpose) != (Venue::Kalshi, Purpose::Enter) {
            return;
        }
        let trade = self.trader().and_then(|it| it.executor().state().trade(order.trade));
        if !trade.is_some_and(|trade| trade.plan.stages.may_precede(Venue::Kalshi)) {
            return;
        }
        self.early.left.push(self.now.since(self.started));
        let span = process::settings(&self.script).trade.polymarket_answer;
        let is_young = |at: Timestamp| self.now <= at.after(span);
        if !self.early.answered.is_some_and(is_young) {
            let text =
                format!("{} leaves, Polymarket last answered {:?}", order.intent, self.early);
            self.fail("kalshi_waits", text);
        }
    }
}

/// The matching engine is away for so long in the middle of the run, and then takes only orders
/// that rest.
#[test]
fn while_the_matching_engine_restarts_no_kalshi_leg_is_left_alone() {
    let (away, post_only) = (Duration::from_secs(12), Duration::from_secs(3));
    let from = WARM + Duration::from_secs(6);
    // Half as old as an answer may be, and the way there and back.
    let known = from + Duration::from_millis(2_500 + 1_000);
    for style in 1..=3 {
        let of_style = |script: &Script| script.style == style;
        let (mut before, mut after) = (0, 0);
        for script in (1..).map(Script::calm).filter(of_style).take(6) {
            let fault = Fault::Restart { away, post_only };
            let blow = Blow { after: from, strike: Strike::Fault(Venue::Polymarket, fault) };
            let outcome = hunt::play(&Script { blows: vec![blow], ..script.clone() }, false);
            assert!(outcome.failure.is_none(), "{script}\n{:?}", outcome.failure);
            let count =
                |from, until| outcome.early.iter().filter(|at| (from..until).contains(*at)).count();
            before += count(Duration::ZERO, from);
            after += count(from + away + post_only, Duration::MAX);
            let during = count(known, from + away + post_only);
            assert_eq!(during, 0, "{script}\n{:?}", outcome.early);
        }
        assert!(before > 0 && after > 0, "style {style}: {before} before, {after} after");
    }
}
