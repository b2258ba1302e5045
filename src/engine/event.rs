//! Everything that may enter the engine.

use std::sync::Arc;
use std::time::Duration;

use crate::book::Update;
use crate::domain::market::Status;
use crate::domain::report::Route;
use crate::domain::{Market, MarketIndex, Money, Outcome, Report, Venue};
use crate::engine::trade::calendar::Pause;
use crate::execute::Scope;
use crate::pairing::{Pair, PairId};

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

/// What a person says where the ledger and a venue differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// The venue's word holds for what is held in a market.
    Adopt {
        /// Where.
        venue: Venue,
        /// The market.
        market: MarketIndex,
        /// One contract of it, or both.
        outcome: Option<Outcome>,
    },
    /// A market is the person's own business: not traded, and no difference.
    Ignore {
        /// Where.
        venue: Venue,
        /// The market.
        market: MarketIndex,
    },
    /// The venue's word holds for its cash.
    AcceptCash {
        /// Where.
        venue: Venue,
    },
}

/// What a person, or the process around the engine, asks of trading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// No new trades; open ones are finished or unwound.
    Halt {
        /// How wide.
        scope: Scope,
        /// Why, for people.
        why: String,
    },
    /// New trades again.
    Resume {
        /// How wide.
        scope: Scope,
    },
    /// The process is about to end: no new trades, and no word of that in the journal. Open ones
    /// are finished or unwound.
    Drain,
    /// Cancels our own orders by id, sends nothing more.
    Kill {
        /// Why, for people.
        why: String,
    },
    /// A person says what holds where the ledger and a venue differ.
    Rule {
        /// What.
        ruling: Ruling,
        /// Why, for people.
        why: String,
    },
    /// Out of everything, losing at most this.
    Flatten {
        /// The most that may be lost against what was paid.
        loss_max: Money,
    },
    /// The state that the journal holds agrees with both venues: trading may begin.
    Reconciled,
    /// The journal cannot be written: no new trades until it can.
    JournalBroken {
        /// What is wrong with it.
        why: String,
    },
    /// The journal can be written again.
    JournalWhole,
    /// The pauses that Kalshi has announced, all of them.
    Announced(Vec<Pause>),
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
    /// A venue said something about our orders or our account.
    Report(&'a Report),
    /// A venue's order routes showed whether they take orders.
    Route {
        /// Which venue.
        venue: Venue,
        /// What they showed.
        route: Route,
    },
    /// A person, or a fault outside, stops new trades or allows them again.
    Command(&'a Command),
    /// The pairs that were accepted on this machine, as they stand in the set in force, whole. A
    /// pair that changes is not accepted any more, until it is told again.
    Accepted(&'a [PairId]),
    /// The pairs whose rules were found to be the ones that were reviewed, whole; as above.
    Verified(&'a [PairId]),
    /// Time passed.
    Tick,
}
