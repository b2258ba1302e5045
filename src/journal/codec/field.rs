//! Reading single fields of a body; an error names the field.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

use crate::domain::{MarketIndex, Money, Outcome, Price, Quantity, Timestamp, Venue};

/// What could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unread(pub(super) &'static str);

/// The fields of one object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Value);

type Key = &'static str;

impl<'a> Fields<'a> {
    fn get(self, key: Key) -> Result<&'a Value, Unread> {
        self.0.get(key).ok_or(Unread(key))
    }

    pub(super) fn inner(self, key: Key) -> Result<Fields<'a>, Unread> {
        self.get(key).map(Fields)
    }

    /// `None` where the field is missing or null.
    pub(super) fn maybe<T>(
        self,
        key: Key,
        read: impl FnOnce(Fields<'a>) -> Result<T, Unread>,
    ) -> Result<Option<T>, Unread> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(Fields(value)).map(Some),
        }
    }

    pub(super) fn list<T>(
        self,
        key: Key,
        read: impl FnMut(Fields<'a>) -> Result<T, Unread>,
    ) -> Result<Vec<T>, Unread> {
        self.get(key)?.as_array().ok_or(Unread(key))?.iter().map(Fields).map(read).collect()
    }

    pub(super) fn word(self, key: Key) -> Result<&'a str, Unread> {
        self.get(key)?.as_str().ok_or(Unread(key))
    }

    pub(super) fn text(self, key: Key) -> Result<String, Unread> {
        self.word(key).map(str::to_owned)
    }

    /// A word out of a fixed list, for as long as the process lives.
    pub(super) fn name(self, key: Key) -> Result<&'static str, Unread> {
        interned(self.word(key)?).ok_or(Unread(key))
    }

    pub(super) fn one_of<T: Copy>(
        self,
        key: Key,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Result<T, Unread> {
        let word = self.word(key)?;
        all.iter().copied().find(|one| name(*one) == word).ok_or(Unread(key))
    }

    pub(super) fn venue(self, key: Key) -> Result<Venue, Unread> {
        self.one_of(key, &Venue::ALL, |venue| venue.name())
    }

    pub(super) fn outcome(self, key: Key) -> Result<Outcome, Unread> {
        self.one_of(key, &[Outcome::Yes, Outcome::No], |outcome| outcome.name())
    }

    pub(super) fn flag(self, key: Key) -> Result<bool, Unread> {
        self.get(key)?.as_bool().ok_or(Unread(key))
    }

    pub(super) fn whole(self, key: Key) -> Result<u64, Unread> {
        self.get(key)?.as_u64().ok_or(Unread(key))
    }

    fn signed(self, key: Key) -> Result<i64, Unread> {
        self.get(key)?.as_i64().ok_or(Unread(key))
    }

    pub(super) fn small(self, key: Key) -> Result<u32, Unread> {
        u32::try_from(self.whole(key)?).map_err(|_| Unread(key))
    }

    pub(super) fn market(self, key: Key) -> Result<MarketIndex, Unread> {
        self.small(key).map(MarketIndex)
    }

    pub(super) fn money(self, key: Key) -> Result<Money, Unread> {
        self.signed(key).map(Money::from_micros)
    }

    pub(super) fn quantity(self, key: Key) -> Result<Quantity, Unread> {
        Quantity::from_units(self.signed(key)?).ok_or(Unread(key))
    }

    pub(super) fn price(self, key: Key) -> Result<Price, Unread> {
        let units = u16::try_from(self.whole(key)?).map_err(|_| Unread(key))?;
        Price::from_units(units).ok_or(Unread(key))
    }

    pub(super) fn span(self, key: Key) -> Result<Duration, Unread> {
        self.whole(key).map(Duration::from_nanos)
    }

    pub(super) fn time(self, key: Key) -> Result<Timestamp, Unread> {
        self.signed(key).map(Timestamp::from_nanos)
    }
}

/// A span in nanoseconds, held at 584 years.
pub(super) fn span(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// States and incidents have names out of short lists, which live in other rooms. A file cannot
/// make us keep more of them than this.
const NAMES_MAX: usize = 1024;

/// The same word with a lifetime that ends with the process; `None` once there are too many.
fn interned(word: &str) -> Option<&'static str> {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(known) = names.get(word) {
        return Some(known);
    }
    if names.len() >= NAMES_MAX {
        return None;
    }
    let kept: &'static str = Box::leak(word.to_owned().into_boxed_str());
    names.insert(kept);
    Some(kept)
}
