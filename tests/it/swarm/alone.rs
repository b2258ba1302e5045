//! What stands alone leaves in time, or is alarmed.

use std::time::Duration;

use crossbook::domain::{MarketIndex, Outcome, Venue};
use crossbook::execute::State;

use crate::harness::at;

use super::belief::Since;
use super::process;
use super::run::Run;
use super::truth::Side;

/// Beyond the time that a plan gives a leg to stand alone.
const SLACK: Duration = Duration::from_secs(5);
/// How long an order may be under way before it counts as one whose fate is not known.
const UNDER_WAY: Duration = Duration::from_secs(2);

impl Run {
    /// A leg without its other one has the time of its plan, from when it is known, and the time of
    /// the limits, from when it is so. What is booked as dust is judged as that.
    pub(super) fn judge_alone(&mut self) {
        let settings = process::settings(&self.script);
        let known_max = settings.trade.plan.stranded_max.min(settings.limits.stranded_max) + SLACK;
        let ever_max = settings.trade.plan.stranded_max.max(settings.limits.stranded_max) + SLACK;
        let Some(trader) = self.trader() else { return };
        let state = trader.executor().state();
        let mut judged = Vec::new();
        for market in 0..self.script.questions.len() {
            let alone = self.stand(market).alone;
            let judge = (alone != 0).then(|| {
                let places = self.places(market);
                let dust: i64 = places.iter().map(|index| state.dust(*index).units()).sum();
                (alone > i128::from(dust)).then(|| self.is_known(state, &places, market))
            });
            judged.push((market, alone, judge.flatten()));
        }
        for (market, alone, judge) in judged {
            let Some(is_known) = judge else {
                self.watch.alone.remove(&market);
                continue;
            };
            let began = self.watch.began;
            let fresh = Since { truly: self.now, known: None };
            let since = self.watch.alone.entry(market).or_insert(fresh);
            since.known = is_known.then(|| since.known.unwrap_or(self.now));
            let Since { truly, known } = *since;
            let is_late = self.now.since(truly.max(began)) > ever_max
                || known.is_some_and(|known| self.now.since(known.max(began)) > known_max);
            let alarmed = || self.watch.alarms.iter().any(|(at, of)| *of == market && *at >= truly);
            // Once a market has ended nothing leaves it any more.
            let is_over = self.oracle.endings.iter().any(|endings| endings.contains_key(&market));
            // What was taken back a moment ago nobody can know.
            let is_excused = is_over || self.watch.is_killed || self.is_busted(market);
            if is_late && !is_excused && !alarmed() {
                let text = format!("{alone} of question {market} stand alone since {truly}");
                self.fail("stranded_alarmed", text);
            }
        }
    }

    /// The markets of a question, as the process of the day counts them.
    fn places(&self, question: usize) -> Vec<MarketIndex> {
        let Some(machine) = &self.machine else { return Vec::new() };
        let pair = &process::pairs()[self.script.questions[question]];
        let own = machine.registry().iter().filter(|(_, entry)| {
            let id = if entry.venue == Venue::Kalshi { &pair.kalshi } else { &pair.condition };
            entry.id == *id
        });
        own.map(|(index, _)| index).collect()
    }

    /// Whether the machine knows what is held in a question, and the fate of its orders there.
    fn is_known(&self, state: &State, places: &[MarketIndex], question: usize) -> bool {
        let is_doubtful = state.pending().any(|order| {
            let own = order.order();
            let is_old = self.now.since(own.at) > UNDER_WAY;
            places.contains(&own.market) && !order.is_known() && is_old
        });
        let is_held_so = places.iter().all(|index| {
            let Some((venue, _)) = self.place_of(*index) else { return false };
            let account = &self.oracle.accounts[at(venue)];
            [(Outcome::Yes, Side::Yes), (Outcome::No, Side::No)].into_iter().all(
                |(outcome, side)| {
                    let ours = i128::from(state.ledger().held(*index, outcome).units());
                    ours == account.units(question, side)
                },
            )
        });
        !is_doubtful && is_held_so
    }
}
