//! Whether Polymarket's order routes have answered lately: what sends Kalshi's leg first, or at
//! once with Polymarket's, leaves it alone where they do not.
//!
//! A matching engine that restarts says so to whoever asks, and to nobody else. So the routes are
//! asked beside everything else, as often as keeps their last answer young, and only while a trade
//! could be begun that depends on it.

use std::time::Duration;

use crate::domain::report::Route;
use crate::domain::{Timestamp, Venue};
use crate::pairing::Legs;
use crate::plan::Plan;
use crate::risk::NoTrade;

use super::{Effect, Trader};

/// How long after it was found that no pair depends on it this is looked at again.
const IDLE: Duration = Duration::from_millis(500);

/// What the routes showed, and when they are asked next.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pulse {
    /// The newest request that was answered as usual, since they were closed.
    answered: Option<Timestamp>,
    /// When they last showed that they are closed.
    closed: Timestamp,
    due: Timestamp,
}

impl Pulse {
    /// Whether a request was answered that is no older than this. A clock that was set back makes
    /// no answer young.
    pub(super) fn is_young(&self, age_max: Duration, now: Timestamp) -> bool {
        self.answered.is_some_and(|at| at <= now && now <= at.after(age_max))
    }
}

impl Trader {
    /// Learns how the order routes answer. Word of a request from before they closed says nothing
    /// about them as they are.
    pub(in crate::engine) fn hear_route(&mut self, venue: Venue, route: Route, now: Timestamp) {
        if venue != Venue::Polymarket {
            return;
        }
        let pulse = &mut self.pulse;
        match route {
            Route::Closed => (pulse.closed, pulse.answered) = (now, None),
            Route::Answered(at) if at > pulse.closed => {
                pulse.answered = pulse.answered.filter(|known| *known > at).or(Some(at));
            }
            Route::Answered(_) => {}
        }
    }

    /// Refuses a plan whose Kalshi leg does not wait for Polymarket's while Polymarket is silent.
    pub(super) fn check_route(&self, plan: &Plan, now: Timestamp) -> Result<(), NoTrade> {
        let is_safe = !plan.stages.may_precede(Venue::Kalshi)
            || self.pulse.is_young(self.settings.polymarket_answer, now);
        if is_safe { Ok(()) } else { Err(NoTrade::VenueSilent) }
    }

    /// Has the routes asked, where a trade could be begun that depends on their answer and the last
    /// one is half as old as it may be.
    pub(super) fn ask_route(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let pace = self.settings.polymarket_answer / 2;
        // One that is due far ahead was set by a clock that has been set back since.
        let is_due = now >= self.pulse.due || now.after(pace.max(IDLE)) < self.pulse.due;
        if !is_due || self.pulse.is_young(pace, now) {
            return;
        }
        if self.is_draining || self.risk.check_gates().is_err() || !self.may_precede() {
            self.pulse.due = now.after(IDLE);
            return;
        }
        self.pulse.due = now.after(pace);
        effects.push(Effect::Probe { venue: Venue::Polymarket });
    }

    /// Whether a pair that may be traded sends Kalshi's leg first, or at once with Polymarket's.
    fn may_precede(&self) -> bool {
        self.pairs.iter().any(|(id, markets)| {
            let legs = self.legs.get(id).copied().unwrap_or(self.settings.plan.legs);
            let kalshi = self.floor.markets.get(&markets[0]);
            let is_held = kalshi.is_some_and(|market| !market.delay.is_zero());
            (legs != Legs::PolymarketFirst || is_held)
                && self.accepted.contains(id)
                && self.verified.contains(id)
        })
    }
}
