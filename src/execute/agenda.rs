//! What is to be asked again and when. Nothing here is state: after a start everything that is not
//! final is asked about at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::{IntentId, MarketIndex, Timestamp, TradeId, Venue};

use super::ledger::seat;

/// Questions that wait for their time.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    inquiries: BTreeMap<IntentId, Inquiry>,
    /// Markets whose contracts were asked to be converted, and when; `None` where that is not for
    /// us to do.
    conversions: BTreeMap<MarketIndex, Option<Timestamp>>,
    /// Trades of which it was said that they cannot be sold within what may be lost.
    short: BTreeSet<TradeId>,
    /// Venues that let the account only read, as they said last.
    read_only: [bool; 2],
}

#[derive(Debug, Clone, Copy)]
struct Inquiry {
    due: Timestamp,
    attempts: u32,
    is_reported: bool,
}

impl Agenda {
    /// Whether an order is to be asked about now. If so, the next time is set: the pause doubles
    /// from `pause` up to `pause_max`, spread by a quarter so that orders do not ask in step.
    pub(super) fn is_due(
        &mut self,
        intent: IntentId,
        (pause, pause_max): (Duration, Duration),
        now: Timestamp,
    ) -> bool {
        let inquiry = self.inquiries.entry(intent).or_insert(Inquiry {
            due: now,
            attempts: 0,
            is_reported: false,
        });
        if now < inquiry.due {
            return false;
        }
        let doubled = pause.saturating_mul(1 << inquiry.attempts.min(16)).min(pause_max);
        let spread = spread_percent(intent, inquiry.attempts);
        inquiry.due = now.after(doubled + doubled * spread / 100);
        inquiry.attempts = inquiry.attempts.saturating_add(1);
        true
    }

    /// Notes that it was said that an order is unknown for long; false when it was said before.
    pub(super) fn report(&mut self, intent: IntentId) -> bool {
        let Some(inquiry) = self.inquiries.get_mut(&intent) else { return false };
        !std::mem::replace(&mut inquiry.is_reported, true)
    }

    /// Notes that it was said that a trade cannot be sold; false when it was said before.
    pub(super) fn report_short(&mut self, trade: TradeId) -> bool {
        self.short.insert(trade)
    }

    /// Whether a venue lets the account only read.
    pub(super) const fn is_read_only(&self, venue: Venue) -> bool {
        self.read_only[seat(venue)]
    }

    pub(super) const fn set_read_only(&mut self, venue: Venue, is_read_only: bool) {
        self.read_only[seat(venue)] = is_read_only;
    }

    /// Forgets an order that is final.
    pub(super) fn forget(&mut self, intent: IntentId) {
        self.inquiries.remove(&intent);
    }

    /// Orders that news came of are asked about from the first pause again.
    pub(super) fn hurry(&mut self, intent: IntentId, pause: Duration, now: Timestamp) {
        let inquiry = Inquiry { due: now.after(pause), attempts: 0, is_reported: false };
        self.inquiries.insert(intent, inquiry);
    }

    /// The time of the next question.
    pub(super) fn wakes(&self) -> Option<Timestamp> {
        self.inquiries.values().map(|inquiry| inquiry.due).min()
    }

    /// Whether a market's contracts may be asked to be converted now. If so, it is noted.
    pub(super) fn may_convert(
        &mut self,
        market: MarketIndex,
        pause: Duration,
        now: Timestamp,
    ) -> bool {
        match self.conversions.get(&market) {
            Some(None) => return false,
            Some(Some(last)) if now < last.after(pause) => return false,
            _ => {}
        }
        self.conversions.insert(market, Some(now));
        true
    }

    /// Notes that a market's contracts are not converted by us; false when that was known.
    pub(super) fn cannot_convert(&mut self, market: MarketIndex) -> bool {
        self.conversions.insert(market, None) != Some(None)
    }
}

/// A number below 25 that follows from its arguments and looks like none.
fn spread_percent(intent: IntentId, attempts: u32) -> u32 {
    let mixed = (intent.0 ^ (u64::from(attempts) << 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    u32::try_from((mixed >> 40) % 25).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_asked_at_growing_distances_and_never_in_step() {
        let pauses = (Duration::from_millis(250), Duration::from_secs(8));
        let ask = |intent: u64| {
            let mut agenda = Agenda::default();
            let mut asked = Vec::new();
            for millis in (0..60_000).step_by(10) {
                if agenda.is_due(IntentId(intent), pauses, Timestamp::from_millis(millis)) {
                    asked.push(millis);
                }
            }
            asked
        };
        let times = ask(1);
        let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(times[0], 0, "at once");
        assert!(gaps[0] >= 250 && gaps[0] <= 320, "{gaps:?}");
        assert!(gaps.last().is_some_and(|gap| (8_000..=10_000).contains(gap)), "{gaps:?}");
        assert_ne!(times, ask(2));
        assert_eq!(times, ask(1), "the same every time");
    }

    #[test]
    fn what_cannot_be_converted_is_not_asked_again() {
        let mut agenda = Agenda::default();
        let (market, pause) = (MarketIndex(1), Duration::from_secs(60));
        assert!(agenda.may_convert(market, pause, Timestamp::from_secs(0)));
        assert!(!agenda.may_convert(market, pause, Timestamp::from_secs(59)));
        assert!(agenda.may_convert(market, pause, Timestamp::from_secs(60)));
        assert!(agenda.cannot_convert(market));
        assert!(!agenda.cannot_convert(market));
        assert!(!agenda.may_convert(market, pause, Timestamp::from_secs(999)));
    }
}
