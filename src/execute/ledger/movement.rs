//! Money that came and went without a trade, as the venues list it.
//!
//! A list may tell of a movement long after the balance has shown it, and the balance may show it
//! after the list. Whenever a line is booked, the ledger says what the balance said as of some
//! moment: whatever moved before that moment is in the total already, under another name, and what
//! is told of it later only takes its own name. What moved after that moment is added. Times are
//! not exact enough to be sure which it was, so that for each movement there is one difference that
//! would prove the opposite: a *chance*, taken only when a balance shows exactly that.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::domain::movement::{Kind, Movement};
use crate::domain::{Money, Timestamp, Venue};
use crate::execute::Line;

use super::{Ledger, seat};

/// How far apart in time a movement and a reading may be that has it, or has it not, against what
/// their times say.
const BLUR: Duration = Duration::from_mins(10);
/// A chance that no balance took for so long is none any more.
const CHANCE_LASTS: Duration = Duration::from_hours(24);
/// Chances that are tried together.
const TOGETHER_MAX: usize = 10;
/// Moments and chances that are kept; beyond it the oldest are dropped. An older movement is then
/// named in the place of a younger line, which moves no money.
const KEPT_MAX: usize = 256;

/// What is known of the movements at one venue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Movements {
    /// As of when the opening balance was read: it holds all that moved before.
    opened: Option<Timestamp>,
    /// As of when the ledger was made to say what the balance said, and by which line.
    evened: VecDeque<(Timestamp, Line)>,
    /// What was told, by its name and whether it is the return of it.
    known: BTreeMap<(String, bool), Fate>,
    chances: VecDeque<Chance>,
    /// When the last one was told.
    told_at: Timestamp,
}

/// What became of a movement that was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It stands in its line.
    Booked,
    /// It is in the opening balance, or nothing is known to have come of it.
    Noted,
}

/// What else a movement may have done to the balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chance {
    line: Line,
    amount: Money,
    /// A balance of after this that agrees with the ledger proves that it did not.
    open_until: Timestamp,
}

impl Chance {
    /// Whether it can still explain a balance, where the last that agreed was of `agreed`.
    fn is_open(&self, agreed: Timestamp, as_of: Timestamp) -> bool {
        self.open_until >= agreed && as_of <= self.open_until.after(CHANCE_LASTS)
    }
}

/// The line of a kind of movement.
const fn line_of(kind: Kind) -> Line {
    match kind {
        Kind::Deposit | Kind::Withdrawal | Kind::Returned | Kind::Tip => Line::Transfer,
        Kind::Interest | Kind::Rebate | Kind::Reward => Line::Interest,
    }
}

fn key(movement: &Movement) -> (String, bool) {
    (movement.id.clone(), movement.kind == Kind::Returned)
}

impl Movements {
    fn offer(&mut self, line: Line, amount: Money, open_until: Timestamp) {
        if amount == Money::ZERO {
            return;
        }
        if self.chances.len() == KEPT_MAX {
            self.chances.pop_front();
        }
        self.chances.push_back(Chance { line, amount, open_until });
    }

    /// The places of the chances that explain a difference together: as few as possible, among the
    /// youngest.
    fn explaining(&self, more: Money, is_open: impl Fn(&Chance) -> bool) -> Vec<usize> {
        let open = self.chances.iter().enumerate().rev().filter(|(_, chance)| is_open(chance));
        let open: Vec<(usize, Money)> =
            open.take(TOGETHER_MAX).map(|(place, chance)| (place, chance.amount)).collect();
        let mut found = Vec::new();
        for set in 1_u32..1 << open.len() {
            let chosen = || (0..).zip(&open).filter(|(nth, _)| set & (1 << nth) != 0);
            let sum = chosen().fold(Money::ZERO, |sum, (_, (_, one))| sum.saturating_add(*one));
            let is_fewer = |set: u32| found.is_empty() || (set.count_ones() as usize) < found.len();
            if sum == more && is_fewer(set) {
                found = chosen().map(|(_, (place, _))| *place).collect();
            }
        }
        found
    }
}

impl Ledger {
    /// Whether a movement is not in the books yet. Before the opening balance is known nothing can
    /// be said of it; it will be told again.
    pub(in crate::execute) fn is_new_movement(&self, venue: Venue, movement: &Movement) -> bool {
        let movements = &self.movements[seat(venue)];
        let is_after = |opened: Timestamp| movement.at > opened.before(BLUR);
        movements.opened.is_some_and(is_after) && !movements.known.contains_key(&key(movement))
    }

    /// Puts a movement into the books, once.
    pub(in crate::execute) fn moved(&mut self, venue: Venue, movement: &Movement, now: Timestamp) {
        let movements = &mut self.movements[seat(venue)];
        let Some(opened) = movements.opened else { return };
        let (key, line, amount) = (key(movement), line_of(movement.kind), movement.amount);
        if movements.known.contains_key(&key) {
            return;
        }
        movements.told_at = now.max(movements.told_at);
        // Whether what came back was ever there only the balance knows.
        let is_return = movement.kind == Kind::Returned;
        let was_there = movements.known.get(&(movement.id.clone(), false)) == Some(&Fate::Booked);
        if is_return && !was_there {
            movements.known.insert(key, Fate::Noted);
            return movements.offer(line, amount, movement.at.after(BLUR));
        }
        if movement.at <= opened {
            movements.known.insert(key, Fate::Noted);
            return movements.offer(line, amount, movement.at.after(BLUR));
        }
        movements.known.insert(key, Fate::Booked);
        let holding = movements.evened.iter().find(|(as_of, _)| *as_of >= movement.at).copied();
        let last = movements.evened.back().map_or(opened, |(as_of, _)| *as_of);
        let lines = &mut self.cash[seat(venue)].lines;
        *lines.entry(line).or_default() += amount;
        match holding {
            Some((_, other)) => {
                *lines.entry(other).or_default() -= amount;
                if last < movement.at.after(BLUR) {
                    movements.offer(line, amount, movement.at.after(BLUR));
                }
            }
            None => {
                movements.offer(line, -amount, now);
                movements.offer(line, -movement.fee, now);
            }
        }
    }

    /// Books a line that makes the ledger say what the balance said.
    pub(in crate::execute) fn even(
        &mut self,
        venue: Venue,
        line: Line,
        amount: Money,
        as_of: Timestamp,
    ) {
        self.enter(venue, line, amount);
        let movements = &mut self.movements[seat(venue)];
        if line == Line::Opening {
            movements.opened.get_or_insert(as_of);
            return;
        }
        if movements.evened.len() == KEPT_MAX {
            movements.evened.pop_front();
        }
        movements.evened.push_back((as_of, line));
        if !matches!(line, Line::Transfer | Line::Interest) {
            return;
        }
        // A chance that was taken may turn out to have been a balance that was late.
        for place in movements.explaining(amount, |chance| chance.is_open(Timestamp::ZERO, as_of)) {
            if let Some(chance) = movements.chances.get_mut(place) {
                let open_until = as_of.after(BLUR);
                *chance = Chance { amount: -chance.amount, open_until, ..*chance };
            }
        }
    }

    /// The line of the movements that explain a difference between a balance as of some moment and
    /// the ledger, where the balance has not agreed since they were told.
    pub(in crate::execute) fn chance(
        &self,
        venue: Venue,
        more: Money,
        agreed: Timestamp,
        as_of: Timestamp,
    ) -> Option<Line> {
        let movements = &self.movements[seat(venue)];
        let places = movements.explaining(more, |chance| chance.is_open(agreed, as_of));
        movements.chances.get(*places.first()?).map(|chance| chance.line)
    }

    /// When a movement of a venue was last told: an older balance may not have it.
    pub(in crate::execute) const fn moved_at(&self, venue: Venue) -> Timestamp {
        self.movements[seat(venue)].told_at
    }
}
