//! Between engine and desk: what was decided is carried out, what the venues said is told.

use crate::domain::Timestamp;
use crate::engine::effect::Effect;
use crate::engine::event::{Command, Event};
use crate::ui::cli::record;

use super::super::desk::Journal;
use super::super::milestone::Milestone;
use super::{News, Pipeline};

impl Pipeline {
    /// Acts on what the engine decided, until nothing is left.
    pub(super) fn settle(&mut self, now: Timestamp) {
        loop {
            self.hear_desk(now);
            if self.effects.is_empty() {
                break;
            }
            Milestone::Decided.reached();
            for effect in std::mem::take(&mut self.effects) {
                self.carry_out(&effect, now);
                self.tell(News::Decision(effect));
            }
            if let Some(desk) = &mut self.desk {
                desk.take_back(&self.registry, now);
                desk.dispatch(now);
            }
        }
    }

    fn carry_out(&mut self, effect: &Effect, now: Timestamp) {
        match effect {
            Effect::Opportunity(found) => self.sign(&record::opportunity(found)),
            Effect::Closed(closed) => self.sign(&record::closed(closed)),
            Effect::Doubt { pair, reason, .. } => self.sign(&format!("{pair} {reason}")),
            Effect::Act(act) => {
                if let Some(desk) = &mut self.desk {
                    desk.act(act, &self.registry, now);
                }
            }
            Effect::Resync { market, .. } => {
                let market = *market;
                let lane = self.registry.get(market).and_then(|entry| entry.lane);
                if let Some(lane) = lane {
                    self.drive(lane, now, |feed, out| feed.resync(market, now, out));
                }
            }
            Effect::Reload { market } => {
                if let Some(entry) = self.registry.get(*market) {
                    self.wishes.loads.push((entry.venue, entry.id.clone()));
                }
            }
            Effect::Probe { venue } => {
                if let Some(desk) = &mut self.desk {
                    desk.probe(*venue, &self.registry, now);
                }
            }
        }
    }

    /// Tells the engine what the venues said, and passes on what the desk wants carried.
    fn hear_desk(&mut self, now: Timestamp) {
        let Some(desk) = &mut self.desk else { return };
        let reports = std::mem::take(&mut desk.reports);
        let news = std::mem::take(&mut desk.journal_news);
        let routes = std::mem::take(&mut desk.routes);
        let notices = std::mem::take(&mut desk.notices);
        self.wishes.calls.append(&mut desk.outgoing);
        for state in news {
            let command = match state.clone() {
                Journal::Whole => Command::JournalWhole,
                Journal::Broken(why) => Command::JournalBroken { why },
            };
            self.engine_event(&Event::Command(&command), now);
            self.tell(News::Journal(state));
        }
        for report in &reports {
            self.engine_event(&Event::Report(report), now);
        }
        for (venue, route) in routes {
            self.engine_event(&Event::Route { venue, route }, now);
        }
        for (venue, text) in notices {
            self.tell(News::Desk(venue, text));
        }
    }
}
