//! Which markets a connection carries, and how far each has come.

use std::collections::BTreeMap;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::domain::{MarketIndex, Outcome, Timestamp};
use crate::venue::Wanted;
use crate::venue::polymarket::parse::Place;

/// How far the image of a market has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Image {
    /// There is no connection to ask on.
    Idle,
    /// It has been asked for `attempts` times and is due; with no attempt, it is to be asked for
    /// when due.
    Asked { attempts: u32, due: Timestamp },
    /// The book is kept.
    Here,
}

/// One market of the connection.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub id: String,
    pub yes: String,
    pub no: Option<String>,
    /// The time of the newest frame applied; an image older than it is not.
    pub newest: Option<Timestamp>,
    pub image: Image,
    /// When it was last asked for while the connection was open.
    pub asked_at: Option<Timestamp>,
}

impl Entry {
    pub(super) fn tokens(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.yes.as_str()).chain(self.no.as_deref())
    }

    pub(super) fn asked(&mut self, attempts: u32, now: Timestamp, due: Timestamp) {
        self.image = Image::Asked { attempts, due };
        self.asked_at = Some(now);
    }
}

/// The markets of the connection and the way from a token to its market.
#[derive(Debug, Default)]
pub(super) struct Roster {
    places: FxHashMap<Box<str>, Place>,
    ids: FxHashMap<Box<str>, MarketIndex>,
    markets: BTreeMap<MarketIndex, Entry>,
}

impl Roster {
    pub(super) fn place(&self, token: &str) -> Option<Place> {
        self.places.get(token).copied()
    }

    pub(super) fn entry(&mut self, market: MarketIndex) -> Option<&mut Entry> {
        self.markets.get_mut(&market)
    }

    pub(super) fn get(&self, market: MarketIndex) -> Option<&Entry> {
        self.markets.get(&market)
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = (MarketIndex, &mut Entry)> {
        self.markets.iter_mut().map(|(market, entry)| (*market, entry))
    }

    pub(super) fn markets(&self) -> impl Iterator<Item = MarketIndex> + '_ {
        self.markets.keys().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.markets.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.markets.is_empty()
    }

    /// Adds a market; `Err` says why not.
    pub(super) fn add(&mut self, wanted: &Wanted) -> Result<(), String> {
        let (yes, no) = match &wanted.tokens {
            Some((yes, no)) => (yes.clone(), Some(no.clone())),
            // Without mapping data a market is its asset, alone, as YES.
            None => (wanted.id.clone(), None),
        };
        let id = &wanted.id;
        for token in std::iter::once(&yes).chain(&no) {
            if !is_token(token) {
                return Err(format!("market {id} has no usable token ids"));
            }
            if self.places.get(token.as_str()).is_some_and(|place| place.market != wanted.market) {
                return Err(format!("market {id} shares a token with another market"));
            }
        }
        if no.as_ref() == Some(&yes) {
            return Err(format!("market {id} has the same token twice"));
        }
        self.remove(wanted.market);
        let place = |outcome| Place { market: wanted.market, outcome };
        self.places.insert(yes.as_str().into(), place(Outcome::Yes));
        if let Some(no) = &no {
            self.places.insert(no.as_str().into(), place(Outcome::No));
        }
        self.ids.insert(id.as_str().into(), wanted.market);
        let (image, id) = (Image::Idle, id.clone());
        let entry = Entry { id, yes, no, newest: None, image, asked_at: None };
        self.markets.insert(wanted.market, entry);
        Ok(())
    }

    /// Removes a market and gives it back.
    pub(super) fn remove(&mut self, market: MarketIndex) -> Option<Entry> {
        let entry = self.markets.remove(&market)?;
        for token in entry.tokens() {
            self.places.remove(token);
        }
        self.ids.remove(entry.id.as_str());
        Some(entry)
    }

    /// The markets that a text names, by token or by id, however broken it is otherwise.
    pub(super) fn named_in(&self, text: &str) -> Vec<MarketIndex> {
        let mut found = Vec::new();
        for piece in text.split('"') {
            let by_token = self.places.get(piece).map(|place| place.market);
            if let Some(market) = by_token.or_else(|| self.ids.get(piece).copied())
                && !found.contains(&market)
            {
                found.push(market);
            }
        }
        found
    }

    /// When the next image is due, [`Timestamp::MAX`] when none is.
    pub(super) fn due(&self) -> Timestamp {
        let due = self.markets.values().filter_map(|entry| match entry.image {
            Image::Asked { due, .. } => Some(due),
            Image::Idle | Image::Here => None,
        });
        due.min().unwrap_or(Timestamp::MAX)
    }

    /// The connection is gone: nothing that was asked for will come.
    pub(super) fn forget_images(&mut self) {
        for entry in self.markets.values_mut() {
            (entry.image, entry.newest, entry.asked_at) = (Image::Idle, None, None);
        }
    }
}

/// Token ids are 256-bit numbers in decimal.
fn is_token(text: &str) -> bool {
    const DIGITS_MAX: usize = 78;
    !text.is_empty() && text.len() <= DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// How long the answer to the given attempt is waited for: the first two as long as `first`, each
/// later one twice as long as the one before, up to `longest`.
pub(super) fn patience(attempts: u32, first: Duration, longest: Duration) -> Duration {
    let doublings = attempts.saturating_sub(2).min(16);
    first.saturating_mul(1 << doublings).min(longest.max(first))
}
