//! Questions that take more than one request: a listing of many pages, a reading and its age.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::report::Position;
use crate::domain::{Evidence, IntentId, MarketIndex, Quantity, Timestamp};

use super::super::facts;
use super::super::rest::Query;
use super::movement::Way;
use super::review::Review;
use super::settlements::Settled;

/// A question that is younger than this is not asked again.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What a walk is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Errand {
    /// What became of an order.
    Inquiry(Inquiry),
    /// What became of every order of a market.
    Review(Review),
    /// An order that may be ours, by the venue's id.
    Stranger(String),
    /// What rests.
    OpenOrders,
    /// What was ordered before this run, whatever became of it.
    PastOrders,
    /// The fills of an account.
    Fills,
    /// The fills of one order.
    FillsOf(Listing),
    /// All positions so far.
    Positions(Vec<Position>),
    /// What can be spent.
    Cash,
    /// What was paid since then.
    Settlements(Timestamp),
    /// What was paid in, or taken out, since then.
    Movements(Way, Timestamp),
    /// What a market paid for a contract, finer than the list tells.
    Value(Settled),
    /// Whether the exchange works; then what the key may do.
    Permission(Asked),
    /// The budgets of the account.
    Limits,
    /// What requests cost.
    Costs,
}

/// How far a question about the account's permission has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The exchange is asked.
    Status,
    /// It works, and the keys are asked for.
    Keys,
    /// The key may trade, and the shards that hold cash are asked for, to brake orders there.
    Shards,
}

/// The fills of one order, as far as they were read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Listing {
    /// The venue's id of the order.
    pub(super) id: String,
    /// What the venue says that the order filled before it ended, and how fresh that is; `None`
    /// when it is not known or may still grow.
    pub(super) said: Option<(Quantity, Timestamp)>,
    /// The trades so far.
    pub(super) found: BTreeMap<String, Quantity>,
}

impl Listing {
    /// What the whole listing proves: the venue's two sayings have to agree.
    pub(super) fn evidence(&self) -> Option<Evidence> {
        let (filled, as_of) = self.said?;
        let sum = self.found.values().fold(Quantity::ZERO, |sum, one| sum.saturating_add(*one));
        (sum == filled)
            .then(|| Evidence::Listed { trades: self.found.keys().cloned().collect(), as_of })
    }
}

/// A question about one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inquiry {
    pub(super) intent: IntentId,
    pub(super) stage: Stage,
    pub(super) then: Then,
    /// Something was seen that may be the order, or could not be read: it is not missing for sure.
    pub(super) doubt: Option<String>,
}

/// How far a question about an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// How fresh the venue's reading is.
    Freshness,
    /// The order by its id.
    ById,
    /// All orders of the market since it was decided.
    Orders,
    /// All fills of the market since it was decided.
    Fills,
}

/// What is done with an order that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It is reported.
    Report,
    /// It is taken back, too, if it rests.
    Cancel,
}

/// A question under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Walk {
    pub(super) errand: Errand,
    /// When it was asked.
    pub(super) asked: Timestamp,
    /// How fresh the venue says its reading is; `None` until it was asked.
    pub(super) as_of: Option<Timestamp>,
    /// Whether something of the listing could not be read, or is not understood yet.
    pub(super) has_hole: bool,
    pub(super) path: String,
    pub(super) query: Query,
    cursors: BTreeSet<String>,
}

impl Walk {
    /// Most pages of one listing.
    pub(super) const PAGES_MAX: usize = 100;

    pub(super) fn new(errand: Errand, path: &str, query: Query, asked: Timestamp) -> Self {
        let path = path.to_owned();
        Self { errand, asked, as_of: None, has_hole: false, path, query, cursors: BTreeSet::new() }
    }

    /// The order that is looked for in order to take it back.
    pub(super) const fn sought(&self) -> Option<IntentId> {
        match &self.errand {
            Errand::Inquiry(inquiry) if matches!(inquiry.then, Then::Cancel) => {
                Some(inquiry.intent)
            }
            _ => None,
        }
    }

    /// Turns to another listing.
    pub(super) fn turn(&mut self, path: &str, query: Query) {
        path.clone_into(&mut self.path);
        self.query = query;
        self.cursors.clear();
    }

    /// What is asked now: the query with the cursor of the page.
    pub(super) fn query_at(&self, cursor: &str) -> Query {
        self.query.clone().with_some("cursor", (!cursor.is_empty()).then_some(cursor))
    }

    /// Notes the cursor that a page ended with. A cursor that the venue does not know brings the
    /// first page again, without a word.
    pub(super) fn step(&mut self, cursor: Option<&str>) -> Step {
        let cursor = cursor.unwrap_or_default();
        if cursor.is_empty() {
            Step::Done
        } else if self.cursors.len() >= Self::PAGES_MAX {
            Step::Astray(format!("more than {} pages", Self::PAGES_MAX))
        } else if self.cursors.insert(cursor.to_owned()) {
            Step::On(cursor.to_owned())
        } else {
            Step::Astray("the same cursor came twice".to_owned())
        }
    }
}

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing: it was the last.
    Done,
    /// The page at this cursor.
    On(String),
    /// The listing makes no sense.
    Astray(String),
}

/// The questions under way, by number.
#[derive(Debug, Default)]
pub(super) struct Walks {
    open: BTreeMap<u64, Walk>,
    last: u64,
}

impl Walks {
    /// Most questions under way; beyond it the oldest is dropped, and its answer means nothing.
    const OPEN_MAX: usize = 4_096;

    pub(super) fn put(&mut self, walk: Walk) -> u64 {
        if self.open.len() >= Self::OPEN_MAX {
            self.open.pop_first();
        }
        self.last += 1;
        self.open.insert(self.last, walk);
        self.last
    }

    pub(super) fn take(&mut self, number: u64) -> Option<Walk> {
        self.open.remove(&number)
    }

    /// Whether this order of somebody, perhaps us, is being looked at.
    pub(super) fn looks_at(&self, id: &str) -> bool {
        let is_it = |walk: &Walk| matches!(&walk.errand, Errand::Stranger(one) if one == id);
        self.open.values().any(is_it)
    }

    /// Whether this market is being read, and its answers are still to be expected.
    pub(super) fn reads_market(&self, market: MarketIndex, now: Timestamp) -> bool {
        let is_it = |walk: &Walk| match &walk.errand {
            Errand::Review(review) => review.market == market && now.since(walk.asked) < PATIENCE,
            _ => false,
        };
        self.open.values().any(is_it)
    }

    /// The question about this order that is under way.
    pub(super) fn about(&mut self, intent: IntentId) -> Option<(u64, &mut Walk)> {
        self.open.iter_mut().find_map(|(number, walk)| match &walk.errand {
            Errand::Inquiry(inquiry) if inquiry.intent == intent => Some((*number, walk)),
            _ => None,
        })
    }
}

/// The first page of a listing of the account.
pub(super) fn page() -> Query {
    Query::none().with("limit", &facts::PORTFOLIO_PAGE.to_string())
}

/// Those of a listing that are not older than this.
pub(super) fn page_since(since: Timestamp) -> Query {
    page().with("min_ts", &since.secs().max(0).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_that_comes_again_ends_the_walk() {
        let mut walk = Walk::new(Errand::Fills, "/x", page(), Timestamp::ZERO);
        assert_eq!(walk.step(Some("a")), Step::On("a".to_owned()));
        assert_eq!(walk.step(Some("b")), Step::On("b".to_owned()));
        assert!(matches!(walk.step(Some("a")), Step::Astray(_)));
        assert_eq!(walk.step(Some("")), Step::Done);
        assert_eq!(walk.step(None), Step::Done);
    }

    #[test]
    fn a_listing_without_end_is_given_up() {
        let mut walk = Walk::new(Errand::Fills, "/x", page(), Timestamp::ZERO);
        let pages = (0..).take_while(|at| walk.step(Some(&at.to_string())) != Step::Done);
        let pages = pages.take(1_000).count();
        assert_eq!(pages, 1_000, "it never ends by itself");
        assert!(matches!(walk.step(Some("new")), Step::Astray(_)));
    }
}
