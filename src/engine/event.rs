//! Everything that may enter the engine.

use std::sync::Arc;
use std::time::Duration;

use crate::book::Update;
use crate::domain::market::Status;
use crate::domain::{Market, MarketIndex, Outcome, Venue};
use crate::pairing::Pair;

/// A pair whose two contracts are known to both venues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The pair as its mapping file has it.
    pub pair: Arc<Pair>,
    /// Its Kalshi market.
    pub kalshi: MarketIndex,
    /// Its Polymarket market.
    pub polymarket: MarketIndex,
    /// Which contract of the Polymarket market the pair names.
    pub named: Outcome,
}

impl Watched {
    /// Whether nothing but the place of its entry differs: a line that moved changes no decision.
    pub fn reads_like(&self, other: &Self) -> bool {
        let markets = |of: &Self| (of.kalshi, of.polymarket, of.named);
        let same = Arc::ptr_eq(&self.pair, &other.pair)
            || Pair { place: other.pair.place.clone(), ..(*self.pair).clone() } == *other.pair;
        same && markets(self) == markets(other)
    }

    /// Whether Kalshi YES pays with the YES of the Polymarket market.
    pub fn is_same(&self) -> bool {
        self.pair.is_same(self.named)
    }
}

/// Something happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A feed reports a step of a market's life.
    Update(&'a Update),
    /// All that one read of a socket brought has been applied: time to look for edges.
    Drained,
    /// A market's facts were read, for the first time or again.
    Market {
        /// Its place.
        index: MarketIndex,
        /// The facts.
        market: &'a Market,
    },
    /// The set of pairs to watch, whole; what is not in it is not watched any more.
    Pairs(&'a [Watched]),
    /// How far a venue's clock is from ours.
    Clock {
        /// Which venue.
        venue: Venue,
        /// The distance, without its sign.
        offset: Duration,
    },
    /// A whole venue takes orders, or does not.
    Exchange {
        /// Which venue.
        venue: Venue,
        /// What holds from here on.
        status: Status,
    },
    /// Time passed.
    Tick,
}
