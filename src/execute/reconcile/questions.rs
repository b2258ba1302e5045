//! What is to be asked because readings differ from the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::domain::{IntentId, MarketIndex, Venue};
use crate::execute::ledger::seat;
use crate::execute::{Act, State, Tracked};

use super::{Reconciler, Subject};

/// Orders of a market, or markets of a venue, that are asked about after each reading that differs.
const QUESTIONS: usize = 8;
/// How often each is asked about before the next are: what a venue took back is believed by its
/// second word, and an answer may be lost.
pub(super) const ROUND: u32 = 3;

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum About {
    Order(IntentId),
    Market(MarketIndex),
}

impl Reconciler {
    /// What is to be asked now, as readings of a venue differ from the ledger: a fill may have been
    /// missed, or taken back. Youngest first, each a few times before those that are older.
    pub fn questions(&mut self, venue: Venue, state: &State) -> Vec<Act> {
        let mut questions: BTreeSet<About> = BTreeSet::new();
        for (subject, doubt) in &mut self.doubts {
            let subjects = match (*subject, venue) {
                (Subject::Holding(Venue::Kalshi, market, _), Venue::Kalshi) => {
                    vec![About::Market(market)]
                }
                (Subject::Holding(Venue::Polymarket, market, _), Venue::Polymarket) => {
                    let orders = state.orders_in(market).map(Tracked::order);
                    orders.map(|order| About::Order(order.intent)).collect()
                }
                _ => continue,
            };
            questions.extend(next_turn(&mut doubt.asked, subjects));
        }
        // A market that has paid shows by the cash alone that something was taken back there.
        let is_short = self.doubts.contains_key(&Subject::Cash(Venue::Kalshi));
        let has_more = self.balances[seat(Venue::Kalshi)].excess.is_some();
        if venue == Venue::Kalshi && (is_short || has_more) {
            questions.extend(next_turn(&mut self.asked_for_cash, paid_by_age(venue, state)));
        } else if venue == Venue::Kalshi {
            self.asked_for_cash.clear();
        }
        if venue == Venue::Kalshi {
            questions.extend(self.next_busy().map(About::Market));
        }
        let act = |about| match about {
            About::Order(intent) => Act::Inquire(intent),
            About::Market(market) => Act::Review { venue, market },
        };
        questions.into_iter().map(act).collect()
    }

    /// A market that is traded all the time is never quiet enough to be compared: one of those is
    /// read whole after each reading, in turn.
    fn next_busy(&mut self) -> Option<MarketIndex> {
        let (busy, last) = &mut self.busy;
        let after = last.map_or(Bound::Unbounded, Bound::Excluded);
        let next = busy.range((after, Bound::Unbounded)).next().or_else(|| busy.first()).copied();
        *last = next;
        next
    }
}

/// Those of some subjects, eldest first, that are asked about next; it is noted.
fn next_turn(asked: &mut BTreeMap<About, u32>, subjects: Vec<About>) -> Vec<About> {
    let count = |about: &About| asked.get(about).copied().unwrap_or(0);
    let mut due: Vec<_> = subjects.into_iter().rev().map(|about| (count(&about), about)).collect();
    due.sort_by_key(|(asked, _)| (asked / ROUND, std::cmp::Reverse(asked % ROUND)));
    due.truncate(QUESTIONS);
    let due: Vec<About> = due.into_iter().map(|(_, about)| about).collect();
    for about in &due {
        *asked.entry(*about).or_default() += 1;
    }
    due
}

/// The markets of a venue that have paid, in the order of their youngest orders.
fn paid_by_age(venue: Venue, state: &State) -> Vec<About> {
    let mut youngest: BTreeMap<MarketIndex, IntentId> = BTreeMap::new();
    let orders = state.orders().values().map(Tracked::order);
    for order in orders.filter(|order| order.venue == venue) {
        if state.ledger().payout(order.market).is_some() {
            youngest.insert(order.market, order.intent);
        }
    }
    let mut markets: Vec<_> = youngest.into_iter().map(|(market, last)| (last, market)).collect();
    markets.sort_unstable();
    markets.into_iter().map(|(_, market)| About::Market(market)).collect()
}
