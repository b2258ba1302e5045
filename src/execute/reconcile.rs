//! Whether the ledger and the venues say the same.
//!
//! A venue's reading may lag behind what it told about an order, so it is compared only for markets
//! that have been quiet for a while, and a difference is believed only when a second, later reading
//! shows the same one. What is explained is booked in a line of its own; what is not explained
//! stops trading and says what a person can do. Markets that are not mapped are listed and left
//! alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::report::{Position, Purse};
use crate::domain::{MarketIndex, Money, Outcome, Quantity, Report, Timestamp, Venue};

use super::ledger::seat;
use super::{Record, State, Tracked};

mod cash;
mod merge;
mod questions;

use cash::Balance;
use questions::About;

/// How patient and how exact the comparison is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a market, or a venue's cash, must have been quiet to be compared; 15 seconds are
    /// sensible.
    pub grace: Duration,
    /// A shortfall of cash up to this is not looked into, where no computed fee explains it.
    pub cash_tolerance: Money,
    /// The most that computed fees may be trued up by at once.
    pub fee_tolerance: Money,
}

/// What the comparison says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Ledger and venues say the same.
    Agreed,
    /// Not enough is known, or too much is under way, to tell.
    Waiting,
    /// They differ, and why and what to do about each difference.
    Differs(Vec<String>),
}

/// What may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Holding(Venue, MarketIndex, Outcome),
    Cash(Venue),
}

/// A difference, and whether a later reading showed it again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Doubt {
    /// What the venue has more than the ledger, in the units of its kind.
    more: i64,
    since: Timestamp,
    is_sure: bool,
    text: String,
    /// What was asked about because of it, and how often.
    asked: BTreeMap<About, u32>,
}

/// What a venue said that is held, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    held: BTreeMap<(MarketIndex, Outcome), Quantity>,
    as_of: Timestamp,
}

/// What taking a venue's word for a contract changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adoption {
    /// The contract.
    pub outcome: Outcome,
    /// What the ledger holds.
    pub ours: Quantity,
    /// What the venue says.
    pub theirs: Quantity,
}

/// Compares readings with the ledger.
#[derive(Debug)]
pub struct Reconciler {
    settings: Settings,
    /// Whether positions and cash of a venue were compared at least once with nothing under way.
    compared: [[bool; 2]; 2],
    doubts: BTreeMap<Subject, Doubt>,
    /// Markets that the last readings show as the ledger has them.
    agreed: Vec<MarketIndex>,
    /// What is held in markets that are not mapped.
    unmapped: [Vec<Position>; 2],
    /// What each venue said last that is held, and of when that is.
    told: [Option<Told>; 2],
    /// Markets that were asked about because Kalshi's cash differs, and how often.
    asked_for_cash: BTreeMap<About, u32>,
    /// Kalshi's markets in which something moved a moment before the last reading, and the one of
    /// them that was asked about last.
    busy: (BTreeSet<MarketIndex>, Option<MarketIndex>),
    /// The venues' names of markets.
    names: BTreeMap<MarketIndex, String>,
    /// What is remembered of the venues' balances.
    balances: [Balance; 2],
}

impl Reconciler {
    /// A reconciler that has seen no reading.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            compared: [[false; 2]; 2],
            doubts: BTreeMap::new(),
            agreed: Vec::new(),
            unmapped: [Vec::new(), Vec::new()],
            told: [None, None],
            asked_for_cash: BTreeMap::new(),
            busy: (BTreeSet::new(), None),
            names: BTreeMap::new(),
            balances: [Balance::default(), Balance::default()],
        }
    }

    /// Learns a market's name, for people.
    pub fn name(&mut self, market: MarketIndex, id: &str) {
        if self.names.get(&market).is_none_or(|known| known != id) {
            self.names.insert(market, id.to_owned());
        }
    }

    /// Drops what was found about a market that a person has decided on, and says what it was.
    pub fn forget(&mut self, market: MarketIndex) -> Vec<String> {
        let mut found = Vec::new();
        self.doubts.retain(|subject, doubt| {
            let is_one = matches!(subject, Subject::Holding(_, m, _) if *m == market);
            if is_one {
                found.push(std::mem::take(&mut doubt.text));
            }
            !is_one
        });
        found
    }

    /// Drops what was found about the cash of a venue, and says what it was: a person has decided
    /// on it.
    pub fn forget_cash(&mut self, venue: Venue) -> Vec<String> {
        self.compared[seat(venue)][1] = true;
        self.doubts.remove(&Subject::Cash(venue)).map(|doubt| doubt.text).into_iter().collect()
    }

    /// What taking a venue's word for a market would change; or why nothing can be taken now.
    /// Where one position stands for both outcomes, both are taken.
    pub fn adoption(
        &self,
        venue: Venue,
        market: MarketIndex,
        outcome: Option<Outcome>,
        state: &State,
    ) -> Result<Vec<Adoption>, String> {
        let is_asked =
            |one: &Outcome| venue == Venue::Kalshi || outcome.is_none_or(|outcome| outcome == *one);
        let asked = [Outcome::Yes, Outcome::No].into_iter().filter(is_asked);
        let Some(told) = &self.told[seat(venue)] else {
            return Err(format!("{venue} has not said yet what is held there"));
        };
        if !is_quiet(state, market, told.as_of, self.settings.grace) {
            return Err("something moved there a moment ago: ask again after the next reading of \
                        the account"
                .to_owned());
        }
        let (mut found, mut is_young) = (Vec::new(), false);
        for outcome in asked {
            let doubt = self.doubts.get(&Subject::Holding(venue, market, outcome));
            is_young |= doubt.is_some_and(|doubt| !doubt.is_sure);
            if doubt.is_some_and(|doubt| doubt.is_sure) || state.ignores(market) {
                let ours = state.ledger().held(market, outcome);
                let theirs = told.held.get(&(market, outcome)).copied().unwrap_or_default();
                found.push(Adoption { outcome, ours, theirs });
            }
        }
        if is_young {
            return Err("only one reading shows it so far: ask again after the next".to_owned());
        }
        if found.is_empty() {
            return Err(format!("{venue} and the ledger say the same of it"));
        }
        Ok(found)
    }

    /// How much less cash a venue has than the ledger, less than nothing, for a person to accept;
    /// or why there is nothing to accept now.
    pub fn shortfall(&self, venue: Venue) -> Result<Money, String> {
        match self.doubts.get(&Subject::Cash(venue)) {
            Some(doubt) if doubt.is_sure => Ok(Money::from_micros(doubt.more)),
            Some(_) => Err("only one reading shows it so far: ask again after the next".to_owned()),
            None => Err(format!("{venue} has no less cash than the ledger")),
        }
    }

    /// As of when the balance of a venue was last compared.
    pub const fn compared_at(&self, venue: Venue) -> Timestamp {
        self.balances[seat(venue)].compared
    }

    /// What a venue said last that is held of a contract.
    pub fn told(&self, venue: Venue, market: MarketIndex, outcome: Outcome) -> Option<Quantity> {
        let told = self.told[seat(venue)].as_ref()?;
        Some(told.held.get(&(market, outcome)).copied().unwrap_or_default())
    }

    /// What is held in markets that are not mapped, at one venue.
    pub fn unmapped(&self, venue: Venue) -> &[Position] {
        &self.unmapped[seat(venue)]
    }

    /// The markets that readings have shown as the ledger has them since this was last asked.
    pub fn take_agreed(&mut self) -> Vec<MarketIndex> {
        let mut agreed = std::mem::take(&mut self.agreed);
        let is_doubted = |market: &MarketIndex| {
            self.doubts.keys().any(|s| matches!(s, Subject::Holding(_, m, _) if m == market))
        };
        agreed.retain(|market| !is_doubted(market));
        agreed
    }

    /// Takes a reading in, and says what is to be booked: give it to
    /// [`super::Executor::enter`].
    pub fn take(&mut self, report: &Report, state: &State, now: Timestamp) -> Option<Record> {
        match report {
            Report::Positions { venue, positions, as_of } => {
                self.take_positions(*venue, positions, *as_of, state);
                self.merged(now)
            }
            Report::Cash { venue, purses, as_of } => {
                let cash =
                    purses.iter().fold(Money::ZERO, |sum: Money, (_, m): &(Purse, Money)| {
                        sum.saturating_add(*m)
                    });
                self.take_cash(*venue, cash, *as_of, state, now)
            }
            Report::Moved { venue, .. } => {
                self.take_movement(*venue, state);
                None
            }
            _ => None,
        }
    }

    /// What the readings so far come to.
    pub fn verdict(&self, state: &State) -> Verdict {
        let mut texts: Vec<String> =
            self.doubts.values().filter(|d| d.is_sure).map(|d| d.text.clone()).collect();
        texts.extend(Venue::ALL.into_iter().flat_map(|venue| lost_orders(venue, state)));
        let is_known = state.pending().all(Tracked::is_known);
        if !texts.is_empty() {
            Verdict::Differs(texts)
        } else if self.doubts.is_empty() && is_known && self.compared == [[true; 2]; 2] {
            Verdict::Agreed
        } else {
            Verdict::Waiting
        }
    }

    fn take_positions(
        &mut self,
        venue: Venue,
        positions: &[Position],
        as_of: Timestamp,
        state: &State,
    ) {
        let mut told: BTreeMap<(MarketIndex, Outcome), Quantity> = BTreeMap::new();
        self.unmapped[seat(venue)].clear();
        for position in positions {
            match position.market {
                Some(market) => {
                    told.insert((market, position.outcome), position.quantity);
                    self.name(market, &position.id);
                }
                None => self.unmapped[seat(venue)].push(position.clone()),
            }
        }
        let mut contracts: BTreeSet<(MarketIndex, Outcome)> = told.keys().copied().collect();
        for (_, market) in state.ledger().markets().filter(|(of, _)| *of == venue) {
            contracts.extend([(market, Outcome::Yes), (market, Outcome::No)]);
        }
        for leg in
            state.restless().flat_map(|trade| &trade.plan.legs).filter(|leg| leg.venue == venue)
        {
            contracts.extend([(leg.market, Outcome::Yes), (leg.market, Outcome::No)]);
        }
        // What was doubted and is held by nobody any more is told by its absence.
        contracts.extend(self.doubts.keys().filter_map(|subject| match subject {
            Subject::Holding(of, market, outcome) if *of == venue => Some((*market, *outcome)),
            _ => None,
        }));
        let mut is_whole = true;
        for (market, outcome) in contracts {
            if state.ignores(market) {
                self.doubts.remove(&Subject::Holding(venue, market, outcome));
                continue;
            }
            if !is_quiet(state, market, as_of, self.settings.grace) {
                is_whole = false;
                if venue == Venue::Kalshi {
                    self.busy.0.insert(market);
                }
                continue;
            }
            self.busy.0.remove(&market);
            self.agreed.push(market);
            // What lost is worth nothing, and whether the venue still lists it is its own affair.
            let payout = state.ledger().payout(market);
            let is_void = payout.is_some_and(|payout| payout.of(outcome) == Money::ZERO);
            // And of what is paid for in parts, which part is left is the venue's to say.
            if is_void || state.ledger().is_half_paid(market) {
                self.doubts.remove(&Subject::Holding(venue, market, outcome));
                continue;
            }
            let ours = state.ledger().held(market, outcome);
            let theirs = told.get(&(market, outcome)).copied().unwrap_or_default();
            let more = theirs.units() - ours.units();
            let id = self.names.get(&market).map_or("?", String::as_str);
            let text = format!(
                "{venue} says {theirs} {outcome} of {id}, the ledger {ours}: nothing new is traded \
                 until they agree; `crossbook positions adopt --venue {venue} --market {id}` takes \
                 the venue's word, `crossbook positions ignore --venue {venue} --market {id}` \
                 leaves the market to you"
            );
            // What is below a lot is how a venue rounds.
            let more = if more.abs() < Quantity::LOT { 0 } else { more };
            self.doubt(Subject::Holding(venue, market, outcome), more, as_of, text);
        }
        self.compared[seat(venue)][0] |= is_whole;
        self.told[seat(venue)] = Some(Told { held: told, as_of });
    }

    fn doubts_holdings(&self) -> bool {
        self.doubts.keys().any(|subject| matches!(subject, Subject::Holding(..)))
    }

    /// Keeps a difference; it is sure when a second, later reading shows it.
    fn doubt(&mut self, subject: Subject, more: i64, as_of: Timestamp, text: String) {
        if more == 0 {
            self.doubts.remove(&subject);
            return;
        }
        match self.doubts.get_mut(&subject) {
            Some(known) if known.more == more => known.is_sure |= as_of > known.since,
            _ => {
                let asked = BTreeMap::new();
                let fresh = Doubt { more, since: as_of, is_sure: false, text, asked };
                self.doubts.insert(subject, fresh);
            }
        }
    }
}

/// What there is to be said of a venue's orders that bear the journal's mark and were not in it.
fn lost_orders(venue: Venue, state: &State) -> Vec<String> {
    let all = state.adopted().filter(|(of, ..)| *of == venue);
    let (taken_in, unread): (Vec<_>, Vec<_>) = all.partition(|(.., intent)| intent.is_some());
    let and_then = format!("look there, then `crossbook resume --venue {venue}`");
    let mut texts: Vec<String> = unread
        .into_iter()
        .map(|(_, id, _)| {
            let marked = "which bears this journal's mark but is not in it";
            format!("{venue} has order {id}, {marked}: {and_then}")
        })
        .collect();
    if let (Some((.., Some(first))), Some((.., Some(last)))) =
        (taken_in.iter().min_by_key(|one| one.2), taken_in.iter().max_by_key(|one| one.2))
    {
        texts.push(format!(
            "{venue} has orders that bear this journal's mark and were not in it: {} were taken \
             in, {first} to {last}, and `crossbook orders` shows what became of them; {and_then}",
            taken_in.len()
        ));
    }
    texts
}

/// Whether no order of a market is under way, nor has been within the grace before a reading.
fn is_quiet(state: &State, market: MarketIndex, as_of: Timestamp, grace: Duration) -> bool {
    state.orders_in(market).all(|tracked| rests(tracked, as_of, grace))
}

/// Whether no order at a venue is.
fn is_venue_quiet(state: &State, venue: Venue, as_of: Timestamp, grace: Duration) -> bool {
    let mut there = state.orders().values().filter(|tracked| tracked.order().venue == venue);
    there.all(|tracked| rests(tracked, as_of, grace))
}

fn rests(tracked: &Tracked, as_of: Timestamp, grace: Duration) -> bool {
    (tracked.is_final() || tracked.is_disputed()) && as_of > tracked.moved_at().after(grace)
}

#[cfg(test)]
mod tests;
