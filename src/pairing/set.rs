//! The pairs in force, and what a new reading of the files does to them.
//!
//! Invariants: ids are unique, no two pairs join the same two markets, pairs are in the order of
//! their ids. The last good set stays in force: an entry that is broken in the new text leaves its
//! pair as it was; only an entry that is gone from a file that could be read takes its pair along.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::check::{Broken, Checked};
use super::index::Index;
use super::{Pair, PairId, Place};

/// A checked set of pairs with lookup.
#[derive(Debug, Clone, Default)]
pub struct Set {
    pairs: Vec<Pair>,
    index: Index,
}

/// What is in force in place of an entry that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// The pair as it was read last.
    LastGood,
    /// Nothing: there was no good form of it.
    Nothing,
}

/// What a new reading changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A pair that was not there.
    Added {
        /// Its name.
        id: PairId,
        /// Where it stands.
        place: Place,
    },
    /// A pair that is gone.
    Removed {
        /// Its name.
        id: PairId,
    },
    /// A pair that reads differently.
    Changed {
        /// Its name.
        id: PairId,
        /// Where it stands.
        place: Place,
        /// The keys that differ.
        fields: Vec<&'static str>,
    },
    /// An entry that cannot be used.
    Broken {
        /// Its name, where it can be read.
        id: Option<PairId>,
        /// Where it stands.
        place: Place,
        /// What is in force in its place.
        instead: Instead,
    },
    /// A pair that stays as it was because its file could not be read to the end.
    Kept {
        /// Its name.
        id: PairId,
        /// Where it stood.
        place: Place,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { id, place } => write!(f, "pair {id} added at {place}"),
            Self::Removed { id } => write!(f, "pair {id} removed"),
            Self::Changed { id, place, fields } => {
                write!(f, "pair {id} changed at {place}: {}", fields.join(", "))
            }
            Self::Broken { id, place, instead } => {
                match id {
                    Some(id) => write!(f, "pair {id} is broken at {place}: ")?,
                    None => write!(f, "a pair without a readable id is broken at {place}: ")?,
                }
                f.write_str(match instead {
                    Instead::LastGood => "its last good form stays in force",
                    Instead::Nothing => "it is left out",
                })
            }
            Self::Kept { id, place } => {
                write!(f, "pair {id} stays in force: {} cannot be read to the end", place.file)
            }
        }
    }
}

impl From<Checked> for Set {
    fn from(checked: Checked) -> Self {
        Self::of(checked.pairs)
    }
}

impl Set {
    fn of(mut pairs: Vec<Pair>) -> Self {
        pairs.sort_by(|a, b| a.id.cmp(&b.id));
        let index = Index::new(&pairs);
        Self { pairs, index }
    }

    /// The pairs, in the order of their ids.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The pair of this name.
    pub fn get(&self, id: &PairId) -> Option<&Pair> {
        let at = self.pairs.binary_search_by(|pair| pair.id.cmp(id)).ok()?;
        self.pairs.get(at)
    }

    /// Which pairs a market takes part in; positions count in [`Set::pairs`].
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The set after a new reading, and what changed, in the order of ids, broken entries last.
    pub fn renew(&self, checked: &Checked) -> (Self, Vec<Difference>) {
        let kept = self.kept(checked);
        let stays = |pair: &&Pair| kept.contains(&pair.id);
        let mut pairs: Vec<Pair> = self.pairs.iter().filter(stays).cloned().collect();
        let mut taken: BTreeSet<_> = self.pairs.iter().filter(stays).map(contracts).collect();
        let mut refused = Vec::new();
        for pair in &checked.pairs {
            if kept.contains(&pair.id) {
                continue;
            }
            if taken.insert(contracts(pair)) {
                pairs.push(pair.clone());
            } else {
                refused.push(Broken { id: Some(pair.id.clone()), place: pair.place.clone() });
            }
        }
        let set = Self::of(pairs);
        let mut differences = diff(self, &set);
        self.explain(checked, &kept, &refused, &mut differences);
        (set, differences)
    }

    /// The pairs that stay as they were.
    fn kept(&self, checked: &Checked) -> BTreeSet<PairId> {
        let new: BTreeMap<_, _> = checked.pairs.iter().map(|pair| (&pair.id, pair)).collect();
        let broken: BTreeSet<_> = checked.broken.iter().filter_map(|it| it.id.as_ref()).collect();
        let hidden = |file: &str| {
            let nameless = |it: &Broken| it.id.is_none() && it.place.file == file;
            checked.torn.iter().any(|torn| torn == file) || checked.broken.iter().any(nameless)
        };
        let mut kept = BTreeSet::new();
        let mut held = BTreeSet::new();
        for pair in &self.pairs {
            let absent = !new.contains_key(&pair.id);
            if broken.contains(&pair.id) || (absent && hidden(&pair.place.file)) {
                held.insert(contracts(pair));
                kept.insert(pair.id.clone());
            }
        }
        // A pair that would take over the markets of one that stays cannot change: it stays too,
        // with its own markets. Each round but the last keeps one more pair, so the rounds end.
        loop {
            let before = kept.len();
            for pair in &self.pairs {
                if !new_is_free(pair, &new, &held) {
                    held.insert(contracts(pair));
                    kept.insert(pair.id.clone());
                }
            }
            if kept.len() == before {
                return kept;
            }
        }
    }

    fn explain(
        &self,
        checked: &Checked,
        kept: &BTreeSet<PairId>,
        refused: &[Broken],
        differences: &mut Vec<Difference>,
    ) {
        let mut told = BTreeSet::new();
        for broken in checked.broken.iter().chain(refused) {
            let known = broken.id.as_ref().is_some_and(|id| self.get(id).is_some());
            let instead = if known { Instead::LastGood } else { Instead::Nothing };
            told.extend(broken.id.clone());
            let (id, place) = (broken.id.clone(), broken.place.clone());
            differences.push(Difference::Broken { id, place, instead });
        }
        let new: BTreeMap<_, _> = checked.pairs.iter().map(|pair| (&pair.id, pair)).collect();
        let silent = |pair: &&Pair| kept.contains(&pair.id) && !told.contains(&pair.id);
        for pair in self.pairs.iter().filter(silent) {
            let id = pair.id.clone();
            differences.push(match new.get(&pair.id) {
                Some(new) => Difference::Broken {
                    id: Some(id),
                    place: new.place.clone(),
                    instead: Instead::LastGood,
                },
                None => Difference::Kept { id, place: pair.place.clone() },
            });
        }
    }
}

/// The two markets that a pair joins.
fn contracts(pair: &Pair) -> (&str, &str) {
    (&pair.kalshi, &pair.polymarket)
}

/// Whether the new form of a pair joins markets that no other pair holds on to.
fn new_is_free(pair: &Pair, new: &BTreeMap<&PairId, &Pair>, held: &BTreeSet<(&str, &str)>) -> bool {
    new.get(&pair.id)
        .is_none_or(|new| contracts(new) == contracts(pair) || !held.contains(&contracts(new)))
}

/// What differs between two sets, in the order of ids. A pair that only moved within its file is
/// the same pair.
pub fn diff(old: &Set, new: &Set) -> Vec<Difference> {
    let ids: BTreeSet<_> = old.pairs.iter().chain(&new.pairs).map(|pair| &pair.id).collect();
    let difference = |id: &&PairId| match (old.get(id), new.get(id)) {
        (None, Some(pair)) => {
            Some(Difference::Added { id: pair.id.clone(), place: pair.place.clone() })
        }
        (Some(pair), None) => Some(Difference::Removed { id: pair.id.clone() }),
        (Some(before), Some(after)) => {
            let fields = changed_fields(before, after);
            (!fields.is_empty()).then(|| Difference::Changed {
                id: after.id.clone(),
                place: after.place.clone(),
                fields,
            })
        }
        (None, None) => None,
    };
    ids.iter().filter_map(difference).collect()
}

fn changed_fields(before: &Pair, after: &Pair) -> Vec<&'static str> {
    let fields = [
        ("title", before.title != after.title),
        ("relation", before.relation != after.relation),
        ("status", before.standing != after.standing),
        ("kalshi", before.kalshi != after.kalshi),
        ("polymarket", before.polymarket != after.polymarket || before.outcome != after.outcome),
        ("settles", before.settles != after.settles),
        ("resolution_risk", before.resolution_risk != after.resolution_risk),
        ("payoff", before.payoff != after.payoff),
        ("review", before.review != after.review),
        ("limits", before.limits != after.limits),
    ];
    fields.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}

#[cfg(test)]
mod tests;
