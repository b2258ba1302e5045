//! After a panic: own orders are cancelled, and everything is halted, so that whoever starts the
//! process again does not trade again at once.
//!
//! A panic may have left the engine half way through an update. It is asked once more, for the
//! orders that were open and for what is held; whatever it answers, even nothing, the halt and the
//! incident are written first. After that only answers to cancels are taken in, by the desk alone:
//! what they say is read anew after a restart.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::domain::{IntentId, Order, Timestamp};
use crate::engine::effect::Effect;
use crate::execute::{Act, Record, Scope, incident};

use super::{Input, News, Pipeline};

impl Pipeline {
    /// Whether something panicked.
    pub const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Halts everything for good, says what is held, and asks for own orders to be cancelled.
    pub fn break_down(&mut self, why: &str, now: Timestamp) {
        self.is_broken = true;
        self.effects.clear();
        let (open, held) = self.last_known();
        let text = format!(
            "the engine stopped with an internal error: {why}; own orders are cancelled ({}), \
             nothing more is sent; held: {held}",
            open.len()
        );
        let Some(desk) = &mut self.desk else { return };
        // Neither is left to the queue: the process ends soon.
        let halt = "the engine stopped with an internal error: see `crossbook incidents`";
        let kind = incident::ENGINE_FAILED;
        let records = [
            Record::Halted { scope: Scope::All, why: halt.to_owned(), at: now },
            Record::Incident { kind, text, trade: None, at: now },
        ];
        if let Err(error) = desk.keep_now(&records) {
            tracing::error!("the halt could not be written: {error}");
        }
        for record in records {
            self.tell(News::Decision(Effect::Act(Act::Write(record))));
        }
        for intent in open {
            let Some(desk) = &mut self.desk else { return };
            let registry = &self.registry;
            // One order that cannot be cancelled is not in the way of the others.
            let act = AssertUnwindSafe(|| {
                desk.act(&Act::Cancel(intent), registry, now);
                desk.take_back(registry, now);
            });
            if catch_unwind(act).is_err() {
                tracing::error!("{intent} could not be cancelled: look at its venue's own page");
            }
        }
        self.take_calls();
    }

    /// The orders that may still fill and what is held, as far as they can be told.
    fn last_known(&self) -> (Vec<IntentId>, String) {
        let Some(trader) = self.engine.trader() else { return (Vec::new(), "unknown".to_owned()) };
        let executor = trader.executor();
        let open = || executor.cancellable().map(|order: &Order| order.intent).collect();
        let name = |market| {
            self.registry.get(market).map_or_else(|| "?".to_owned(), |entry| entry.id.clone())
        };
        let held = || executor.held_as_text(&name);
        (
            catch_unwind(AssertUnwindSafe(open)).unwrap_or_default(),
            catch_unwind(AssertUnwindSafe(held)).unwrap_or_else(|_| "unknown".to_owned()),
        )
    }

    /// Takes in the answers to cancels, and sends those that wait.
    pub(super) fn handle_broken(&mut self, input: &Input<'_>, now: Timestamp) {
        let Some(desk) = &mut self.desk else { return };
        match *input {
            Input::Answer(id, answer) => desk.answer(id, answer, &self.registry, now),
            Input::Tick => desk.release_all(&self.registry, now),
            _ => {}
        }
        self.take_calls();
    }

    /// Passes on what the desk wants carried; what it was told is not believed by anybody.
    fn take_calls(&mut self) {
        let Some(desk) = &mut self.desk else { return };
        desk.reports.clear();
        desk.routes.clear();
        desk.journal_news.clear();
        self.wishes.calls.append(&mut desk.outgoing);
        for (venue, text) in std::mem::take(&mut desk.notices) {
            self.tell(News::Desk(venue, text));
        }
    }
}
