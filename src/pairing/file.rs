//! The text of a mapping file as entries, each value with its position.
//!
//! Reading decides what kind a value is and whether its key exists; what a value means is for
//! `check`. An entry that is not TOML, or holds something of the wrong kind, is marked as spoilt
//! and leaves the others alone.

use crate::document::{Document, Field, Located, Section};
use crate::domain::{Date, Finding, Source, Span};

/// What may be said about a pair, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawPair {
    /// The header `[[pair]]`.
    pub span: Span,
    /// Whether the entry can be used as far as it was read.
    pub state: State,
    /// `id`.
    pub id: Field<String>,
    /// `title`.
    pub title: Field<String>,
    /// `relation`.
    pub relation: Field<String>,
    /// `status`.
    pub status: Field<String>,
    /// `kalshi.ticker`.
    pub ticker: Field<String>,
    /// `polymarket.condition`.
    pub condition: Field<String>,
    /// `polymarket.outcome`.
    pub outcome: Field<String>,
    /// `settles`.
    pub settles: Field<Date>,
    /// `resolution_risk`.
    pub resolution_risk: Field<String>,
    /// `[pair.payoff]`, a row for each case.
    pub payoff: Field<Vec<RawBranch>>,
    /// `[pair.review]`.
    pub review: Field<RawReview>,
    /// `[pair.limits]`.
    pub limits: RawLimits,
}

/// The keys of `[[pair]]`.
pub const PAIR_KEYS: &[&str] = &[
    "id",
    "title",
    "relation",
    "status",
    "kalshi",
    "polymarket",
    "settles",
    "resolution_risk",
    "payoff",
    "review",
    "limits",
];
/// The keys of `kalshi`.
pub const KALSHI_KEYS: &[&str] = &["ticker"];
/// The keys of `polymarket`.
pub const POLYMARKET_KEYS: &[&str] = &["condition", "outcome"];
/// The keys of a row of `[pair.payoff]`.
pub const PAYOFF_KEYS: &[&str] = &["kalshi", "polymarket"];
/// The keys of `[pair.review]`.
pub const REVIEW_KEYS: &[&str] = &["by", "on", "kalshi_rules", "polymarket_rules", "notes"];
/// The keys of `[pair.limits]`.
pub const LIMITS_KEYS: &[&str] = &["max_contracts", "min_edge", "legs"];

/// Whether an entry was read without a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Every value is of its kind and every key exists.
    Sound,
    /// Something in it has been reported.
    Spoilt,
    /// Some of it is not TOML, and what was read may be guessed.
    Torn,
}

/// A row of the payoff table, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBranch {
    /// The key of the row.
    pub case: Located<String>,
    /// What Kalshi pays.
    pub kalshi: Field<String>,
    /// What Polymarket pays.
    pub polymarket: Field<String>,
    /// The row's braces.
    pub span: Span,
}

/// The review, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawReview {
    /// `by`.
    pub by: Field<String>,
    /// `on`.
    pub on: Field<Date>,
    /// `kalshi_rules`.
    pub kalshi_rules: Field<String>,
    /// `polymarket_rules`.
    pub polymarket_rules: Field<String>,
    /// `notes`.
    pub notes: Field<String>,
}

/// The limits, as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawLimits {
    /// `max_contracts`.
    pub max_contracts: Field<i64>,
    /// `min_edge`.
    pub min_edge: Field<String>,
    /// `legs`.
    pub legs: Field<String>,
}

/// Whether every entry of a file could be told from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What the file does not hold has been removed from it.
    Whole,
    /// Something could not be read: an entry that seems absent may only be hidden.
    Torn,
}

/// A file, as it was written.
#[derive(Debug)]
pub struct RawFile<'a> {
    document: Document<'a>,
    /// Its entries, in order.
    pub pairs: Vec<RawPair>,
    /// Whether there may be more.
    pub extent: Extent,
    /// What is wrong with it so far, beyond what is no TOML.
    pub findings: Vec<Finding>,
}

impl RawFile<'_> {
    /// Puts what is no TOML to the other findings, in place of those that only follow from it: what
    /// seems wrong on such a line, and what seems missing in such an entry.
    pub fn join(&self, findings: &mut Vec<Finding>) {
        let torn: Vec<_> = self.pairs.iter().filter(|pair| pair.state == State::Torn).collect();
        findings.retain(|finding| {
            let missed = torn.iter().any(|pair| pair.span == finding.at.span);
            !missed && !self.document.is_guess(finding)
        });
        findings.extend_from_slice(self.document.findings());
        findings.sort_by_key(|finding| finding.at.span.start);
    }
}

/// Reads the text of a mapping file.
pub fn read(source: Source<'_>) -> RawFile<'_> {
    let document = Document::parse_entries(source, "pair");
    let mut findings = Vec::new();
    let mut extent = if document.torn().is_empty() { Extent::Whole } else { Extent::Torn };
    let mut pairs = Vec::new();
    for mut root in document.roots() {
        let before = findings.len();
        let entries = root.tables("pair", &mut findings);
        root.finish(&mut findings);
        if findings.len() > before {
            extent = Extent::Torn;
        }
        if let Field::Given(entries) = entries {
            pairs.extend(entries.value.into_iter().map(|entry| read_pair(entry, &mut findings)));
        }
    }
    mark_torn(&mut pairs, document.torn());
    RawFile { document, pairs, extent, findings }
}

/// Marks the entries in which the text is not TOML; their values were guessed by the parser.
fn mark_torn(pairs: &mut [RawPair], torn: &[Span]) {
    for span in torn {
        let behind = pairs.partition_point(|pair| pair.span.start <= span.start);
        let hit = behind.checked_sub(1).and_then(|at| pairs.get_mut(at));
        if let Some(pair) = hit {
            pair.state = State::Torn;
        }
    }
}

fn read_pair(entry: Section<'_>, findings: &mut Vec<Finding>) -> RawPair {
    let mut entry = entry.knowing(PAIR_KEYS);
    let before = findings.len();
    let mut pair = RawPair {
        span: entry.span().clone(),
        state: State::Sound,
        id: entry.text("id", findings),
        title: entry.text("title", findings),
        relation: entry.text("relation", findings),
        status: entry.text("status", findings),
        ticker: Field::Wrong,
        condition: Field::Wrong,
        outcome: Field::Wrong,
        settles: Field::Missing,
        resolution_risk: Field::Missing,
        payoff: Field::Missing,
        review: Field::Missing,
        limits: RawLimits {
            max_contracts: Field::Missing,
            min_edge: Field::Missing,
            legs: Field::Missing,
        },
    };
    let wanted = "write `kalshi = { ticker = \"…\" }`";
    if let Some(kalshi) = required_table(&mut entry, "kalshi", wanted, findings) {
        let mut kalshi = kalshi.knowing(KALSHI_KEYS);
        pair.ticker = kalshi.text("ticker", findings);
        kalshi.finish(findings);
    }
    let wanted = "write `polymarket = { condition = \"0x…\", outcome = \"Yes\" }`";
    if let Some(polymarket) = required_table(&mut entry, "polymarket", wanted, findings) {
        let mut polymarket = polymarket.knowing(POLYMARKET_KEYS);
        pair.condition = polymarket.text("condition", findings);
        pair.outcome = polymarket.text("outcome", findings);
        polymarket.finish(findings);
    }
    pair.settles = entry.date("settles", findings);
    pair.resolution_risk = entry.decimal("resolution_risk", findings);
    pair.payoff = read_payoff(&mut entry, findings);
    pair.review = read_review(&mut entry, findings);
    if let Field::Given(limits) = entry.table("limits", findings) {
        pair.limits = read_limits(limits.value, findings);
    }
    entry.finish(findings);
    if findings.len() > before {
        pair.state = State::Spoilt;
    }
    pair
}

fn required_table<'d>(
    entry: &mut Section<'d>,
    key: &'static str,
    wanted: &str,
    findings: &mut Vec<Finding>,
) -> Option<Section<'d>> {
    match entry.table(key, findings) {
        Field::Given(table) => Some(table.value),
        Field::Wrong => None,
        Field::Missing => {
            let what = format!("this pair has no `{key}`");
            let why = "a pair names a contract on each venue";
            findings.push(entry.source().error(entry.span(), what, why, wanted));
            None
        }
    }
}

fn read_payoff(entry: &mut Section<'_>, findings: &mut Vec<Finding>) -> Field<Vec<RawBranch>> {
    let table = match entry.table("payoff", findings) {
        Field::Missing => return Field::Missing,
        Field::Wrong => return Field::Wrong,
        Field::Given(table) => table,
    };
    let mut rows = Vec::new();
    for case in table.value.keys() {
        let Some(row) = table.value.chosen(&case, findings) else { continue };
        let mut row = row.knowing(PAYOFF_KEYS);
        let span = row.span().clone();
        let kalshi = row.decimal("kalshi", findings);
        let polymarket = row.decimal("polymarket", findings);
        row.finish(findings);
        rows.push(RawBranch { case, kalshi, polymarket, span });
    }
    Field::Given(Located { value: rows, span: table.span })
}

fn read_review(entry: &mut Section<'_>, findings: &mut Vec<Finding>) -> Field<RawReview> {
    let Located { value: table, span } = match entry.table("review", findings) {
        Field::Missing => return Field::Missing,
        Field::Wrong => return Field::Wrong,
        Field::Given(table) => table,
    };
    let mut table = table.knowing(REVIEW_KEYS);
    let value = RawReview {
        by: table.text("by", findings),
        on: table.date("on", findings),
        kalshi_rules: table.text("kalshi_rules", findings),
        polymarket_rules: table.text("polymarket_rules", findings),
        notes: table.text("notes", findings),
    };
    table.finish(findings);
    Field::Given(Located { value, span })
}

fn read_limits(table: Section<'_>, findings: &mut Vec<Finding>) -> RawLimits {
    let mut table = table.knowing(LIMITS_KEYS);
    let limits = RawLimits {
        max_contracts: table.integer("max_contracts", findings),
        min_edge: table.decimal("min_edge", findings),
        legs: table.text("legs", findings),
    };
    table.finish(findings);
    limits
}
