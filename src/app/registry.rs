//! Which markets this process knows, and where each stands.

use rustc_hash::FxHashMap;

use crate::book::Lane;
use crate::domain::{Market, MarketIndex, Outcome, Venue};
use crate::venue::gateway::Markets;

/// How far a market has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Its facts are to be read.
    Wanted,
    /// Its facts are known.
    Known(Box<Market>),
    /// The venue does not know it, or what it says makes no sense.
    Absent,
}

/// One market.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it trades.
    pub venue: Venue,
    /// Kalshi ticker or Polymarket condition id.
    pub id: String,
    /// How far it has come.
    pub stage: Stage,
    /// The feed that brings it.
    pub lane: Option<Lane>,
    /// Whether any pair in force needs it.
    pub needed: bool,
}

impl Entry {
    /// The facts, once they are known.
    pub fn facts(&self) -> Option<&Market> {
        match &self.stage {
            Stage::Known(market) => Some(market),
            Stage::Wanted | Stage::Absent => None,
        }
    }
}

/// All markets, by index and by name. An index is never given twice.
#[derive(Debug, Default)]
pub struct Registry {
    entries: Vec<Entry>,
    by_name: FxHashMap<(Venue, String), MarketIndex>,
    by_token: FxHashMap<String, MarketIndex>,
}

impl Registry {
    /// The index of a market, given to it now if it has none.
    pub fn intern(&mut self, venue: Venue, id: &str) -> MarketIndex {
        if let Some(index) = self.find(venue, id) {
            return index;
        }
        let index = MarketIndex(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        self.entries.push(Entry {
            venue,
            id: id.to_owned(),
            stage: Stage::Wanted,
            lane: None,
            needed: false,
        });
        self.by_name.insert((venue, id.to_owned()), index);
        index
    }

    /// The index of a market that is known by name.
    pub fn find(&self, venue: Venue, id: &str) -> Option<MarketIndex> {
        self.by_name.get(&(venue, id.to_owned())).copied()
    }

    /// The market of a Polymarket token, of either outcome.
    pub fn find_token(&self, token: &str) -> Option<MarketIndex> {
        self.by_token.get(token).copied()
    }

    /// Notes which market a token belongs to.
    pub fn note_token(&mut self, token: &str, index: MarketIndex) {
        if !token.is_empty() {
            self.by_token.insert(token.to_owned(), index);
        }
    }

    /// The market whose book a REST answer names: by its ticker on Kalshi, by its token of YES on
    /// Polymarket.
    pub fn find_book(&self, venue: Venue, id: &str) -> Option<MarketIndex> {
        match venue {
            Venue::Kalshi => self.find(venue, id),
            Venue::Polymarket => self.by_token.get(id).copied(),
        }
    }

    /// Takes in the facts of a market.
    pub fn learn(&mut self, market: &Market) -> MarketIndex {
        let index = self.intern(market.venue, &market.id);
        if let Some(tokens) = &market.tokens {
            self.note_token(&tokens.yes, index);
            self.note_token(&tokens.no, index);
        }
        self.entries[index.at()].stage = Stage::Known(Box::new(market.clone()));
        index
    }

    /// A market.
    pub fn get(&self, index: MarketIndex) -> Option<&Entry> {
        self.entries.get(index.at())
    }

    /// A market, to be changed.
    pub fn get_mut(&mut self, index: MarketIndex) -> Option<&mut Entry> {
        self.entries.get_mut(index.at())
    }

    /// All markets with their indexes.
    pub fn iter(&self) -> impl Iterator<Item = (MarketIndex, &Entry)> {
        (0u32..).map(MarketIndex).zip(&self.entries)
    }

    /// All markets with their indexes, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (MarketIndex, &mut Entry)> {
        (0u32..).map(MarketIndex).zip(&mut self.entries)
    }

    /// The contract that a Polymarket token stands for.
    fn contract_of(&self, token: &str) -> Option<(MarketIndex, Outcome)> {
        let market = self.find_token(token)?;
        let tokens = self.get(market)?.facts()?.tokens.as_ref()?;
        if tokens.yes == token {
            Some((market, Outcome::Yes))
        } else {
            (tokens.no == token).then_some((market, Outcome::No))
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Markets for Registry {
    fn by_id(&self, venue: Venue, id: &str) -> Option<MarketIndex> {
        self.find(venue, id)
    }

    fn by_token(&self, token: &str) -> Option<(MarketIndex, Outcome)> {
        self.contract_of(token)
    }

    fn facts(&self, market: MarketIndex) -> Option<&Market> {
        self.get(market)?.facts()
    }
}
