//! Which contract on one venue pays on the same event as which on the other.
//!
//! A [`Pair`] is the checked form of one `[[pair]]` entry of a mapping file; `file` reads the text
//! and keeps every position in it, `check` turns entries into pairs or into every reason why not,
//! `index` answers which pairs a market takes part in, [`Set`] holds the pairs in force. Nothing
//! here opens a file: texts come in, pairs and findings go out.

pub mod check;
pub mod file;
mod fingerprint;
pub mod index;
mod set;

use crate::domain::{Date, Money, Outcome, Quantity};

pub use check::{Checked, check_files};
pub use index::Index;
pub use set::{Difference, Instead, Set, diff};

/// A pair's name: lower-case letters, digits and dashes, unique over all mapping files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairId(pub String);

impl std::fmt::Display for PairId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the two contracts relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// Kalshi YES and the named Polymarket outcome pay on the same event.
    Same,
    /// Kalshi NO and the named Polymarket outcome pay on the same event.
    Opposite,
}

/// How far a person has gone with a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Watched and marked, never traded.
    Proposed,
    /// Reviewed: may be traded.
    Approved,
    /// Neither watched for edges nor traded.
    Suspended,
}

/// What a venue pays for YES in a case other than a plain yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Payoff {
    /// A stated amount per contract, from nothing to a dollar.
    Fixed(Money),
    /// The last traded price.
    Last,
    /// A fair price that the venue determines.
    Fair,
    /// What the contract cost is paid back.
    Refund,
    /// A dollar or nothing, by the outcome as it is determined.
    AsResolved,
}

/// A case that the two venues may settle differently, and what each pays for YES in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// `void`, `early_close`, `tie`, …
    pub case: String,
    /// What Kalshi pays for YES.
    pub kalshi: Payoff,
    /// What Polymarket pays for the named outcome.
    pub polymarket: Payoff,
}

/// Which leg goes first when the pair is traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Legs {
    /// Polymarket, then Kalshi takes exactly what arrived.
    PolymarketFirst,
    /// Kalshi, then Polymarket.
    KalshiFirst,
    /// Both at once.
    Concurrent,
    /// The thinner book first.
    ThinFirst,
}

/// A pair's own limits; each may only tighten the global one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Most contracts of one opportunity.
    pub contracts_max: Option<Quantity>,
    /// Least net edge per contract.
    pub edge_min: Option<Money>,
    /// Order of the legs.
    pub legs: Option<Legs>,
}

/// Who read the rules of both venues, and which text was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The reviewer.
    pub by: String,
    /// The day.
    pub on: Date,
    /// SHA-256 of Kalshi's rules text, as 64 hex digits.
    pub kalshi_rules: Option<String>,
    /// SHA-256 of Polymarket's rules text, as 64 hex digits.
    pub polymarket_rules: Option<String>,
    /// What the reviewer wrote down.
    pub notes: String,
}

/// Where an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name as given.
    pub file: String,
    /// The line of `[[pair]]`, from 1.
    pub line: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Two contracts that pay on the same event, as a mapping file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Its name.
    pub id: PairId,
    /// What it is about.
    pub title: String,
    /// How the contracts relate.
    pub relation: Relation,
    /// How far a person has gone with it.
    pub standing: Standing,
    /// The Kalshi ticker.
    pub kalshi: String,
    /// The Polymarket condition id, `0x` and 64 hex digits, lower case.
    pub polymarket: String,
    /// The label of the Polymarket outcome that the relation speaks of.
    pub outcome: String,
    /// The later payment date, as judged by the reviewer.
    pub settles: Option<Date>,
    /// Dollars per contract held back for the risk that the venues resolve differently.
    pub resolution_risk: Money,
    /// The cases other than yes and no.
    pub payoff: Vec<Branch>,
    /// The review, if there was one.
    pub review: Option<Review>,
    /// The pair's own limits.
    pub limits: Limits,
    /// Where the entry stands.
    pub place: Place,
}

impl Pair {
    /// Whether Kalshi YES pays with the YES of the Polymarket market (its first outcome), once it
    /// is known which of its outcomes the pair names.
    pub fn is_same(&self, named: Outcome) -> bool {
        (self.relation == Relation::Same) == (named == Outcome::Yes)
    }
}

/// Resolution risk at or above a dollar would leave no edge at all; the check refuses it.
pub const RESOLUTION_RISK_MAX: Money = Money::from_micros(Money::DOLLAR - 1);
