//! Which pairs a market takes part in.

use std::collections::HashMap;

use super::Pair;
use crate::domain::Venue;

/// From a market of either venue to the positions of its pairs in the list that was indexed.
#[derive(Debug, Clone, Default)]
pub struct Index {
    kalshi: HashMap<String, Vec<usize>>,
    polymarket: HashMap<String, Vec<usize>>,
}

impl Index {
    /// Indexes a list of pairs.
    pub fn new(pairs: &[Pair]) -> Self {
        let mut index = Self::default();
        for (at, pair) in pairs.iter().enumerate() {
            index.kalshi.entry(pair.kalshi.clone()).or_default().push(at);
            index.polymarket.entry(pair.polymarket.clone()).or_default().push(at);
        }
        index
    }

    /// The positions of the pairs that this ticker or condition id takes part in, in order.
    pub fn pairs_of(&self, venue: Venue, id: &str) -> &[usize] {
        let markets = match venue {
            Venue::Kalshi => &self.kalshi,
            Venue::Polymarket => &self.polymarket,
        };
        markets.get(id).map_or(&[], Vec::as_slice)
    }

    /// The markets of a venue that take part in any pair, in alphabetical order.
    pub fn markets(&self, venue: Venue) -> Vec<&str> {
        let markets = match venue {
            Venue::Kalshi => &self.kalshi,
            Venue::Polymarket => &self.polymarket,
        };
        let mut ids: Vec<_> = markets.keys().map(String::as_str).collect();
        ids.sort_unstable();
        ids
    }
}
