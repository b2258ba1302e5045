//! How orders are taken back: what is decided together leaves together, in as few requests as the
//! venue takes.

use crate::domain::{IntentId, Timestamp, Venue};
use crate::venue::Error;
use crate::venue::gateway::{Call, Markets};

use super::Desk;
use super::counter::Turn;

impl Desk {
    /// Takes back what was to be since the last time: several orders of one venue together.
    /// Follows the last act of what was decided together.
    pub fn take_back(&mut self, markets: &dyn Markets, now: Timestamp) {
        let intents = std::mem::take(&mut self.cancelling);
        if intents.is_empty() {
            return;
        }
        let (waiting, intents): (Vec<IntentId>, Vec<IntentId>) =
            intents.into_iter().partition(|intent| self.waits(*intent));
        self.recall_waiting(&waiting);
        let known: Vec<(Venue, IntentId)> = intents
            .into_iter()
            .filter_map(|intent| self.venue_of(intent).map(|venue| (venue, intent)))
            .collect();
        for venue in Venue::ALL {
            let of_venue = known.iter().filter(|(of, _)| *of == venue);
            let intents: Vec<IntentId> = of_venue.map(|(_, intent)| *intent).collect();
            self.cancel(venue, &intents, markets, now);
        }
    }

    fn cancel(
        &mut self,
        venue: Venue,
        intents: &[IntentId],
        markets: &dyn Markets,
        now: Timestamp,
    ) {
        let calls = match intents {
            [] => return,
            [one] => vec![self.with(venue, |gateway| gateway.cancel(*one, markets, now))],
            many => {
                let all = self.with(venue, |gateway| Ok(gateway.cancel_many(many, markets, now)));
                let told = |call: Result<Call, Error>| call.map_err(|error| error.to_string());
                match all {
                    Ok(calls) => calls.into_iter().map(told).collect(),
                    Err(text) => vec![Err(text)],
                }
            }
        };
        for call in calls {
            self.offer(venue, call, Turn::First, markets, now);
        }
    }
}
