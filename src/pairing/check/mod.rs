//! Entries to pairs, or to every reason why not.
//!
//! One bad entry never hides the others: an entry with an error is left out and remembered as
//! broken, so that the last good form of it can stay in force. Ids and contracts are unique over
//! all files.

mod contract;
mod form;
mod terms;

use std::collections::BTreeMap;

use super::file::{self, Extent, RawPair, State};
use super::{Pair, PairId, Place, Standing};
use crate::domain::{Date, Finding, Money, Source, Spot};
use form::Form;

/// An entry that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its id, where that can be read.
    pub id: Option<PairId>,
    /// Where it stands.
    pub place: Place,
}

/// What came of some mapping files.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// The entries without an error, in the order of the files.
    pub pairs: Vec<Pair>,
    /// Everything that is not right, in the order of the files.
    pub findings: Vec<Finding>,
    /// The entries with an error.
    pub broken: Vec<Broken>,
    /// Files in which an entry that seems absent may only be hidden.
    pub torn: Vec<String>,
}

impl Checked {
    /// Whether anything cannot be used.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }

    /// Notes a file that could not be read from its disk: what it held may still be meant.
    pub fn note_unreadable(&mut self, file: &str, reason: &str) {
        let source = Source::new(file, "");
        let what = format!("this file cannot be read: {}", crate::document::shortened(reason));
        let why = "its pairs are not known";
        let cure = "make it readable, or remove it";
        self.findings.push(source.error(&(0..0), what, why, cure));
        self.torn.push(file.to_owned());
    }
}

/// Checks mapping files, given as names and texts, as of `today`.
pub fn check_files<N, T>(files: &[(N, T)], today: Date) -> Checked
where
    N: AsRef<str>,
    T: AsRef<str>,
{
    let mut checked = Checked::default();
    let mut seen = Seen::default();
    for (name, text) in files {
        let source = Source::new(name.as_ref(), text.as_ref());
        check_file(&source, today, &mut seen, &mut checked);
    }
    checked
}

/// The ids and contracts met so far, and where.
#[derive(Debug, Default)]
struct Seen {
    ids: BTreeMap<String, Spot>,
    contracts: BTreeMap<(String, String), (String, Spot)>,
}

fn check_file(source: &Source<'_>, today: Date, seen: &mut Seen, checked: &mut Checked) {
    let mut raw = file::read(source.clone());
    let mut findings = std::mem::take(&mut raw.findings);
    if raw.extent == Extent::Torn {
        checked.torn.push(source.file().to_owned());
    }
    for entry in &raw.pairs {
        let before = findings.len();
        let mut form = Form { source, entry: &entry.span, findings: &mut findings };
        let pair = check_pair(entry, today, &mut form);
        let pair = seen.admit(entry, pair, source, &mut findings);
        let sound =
            entry.state == State::Sound && !findings.iter().skip(before).any(Finding::is_error);
        match pair {
            Some(pair) if sound => checked.pairs.push(pair),
            _ => {
                let id = entry.id.given().map(|id| PairId(id.value.clone()));
                checked.broken.push(Broken { id, place: place(source, entry) });
            }
        }
    }
    raw.join(&mut findings);
    checked.findings.append(&mut findings);
}

fn place(source: &Source<'_>, entry: &RawPair) -> Place {
    Place { file: source.file().to_owned(), line: source.spot(&entry.span).line }
}

/// Everything about one entry; `None` when something that a pair needs is missing or wrong.
fn check_pair(entry: &RawPair, today: Date, form: &mut Form<'_, '_>) -> Option<Pair> {
    let id = form.id(&entry.id);
    let title = form.prose("title", &entry.title, form::TITLE_MAX);
    let relation = form.word("relation", &entry.relation, &terms::RELATIONS);
    let standing = form.word("status", &entry.status, &terms::STANDINGS);
    let kalshi = contract::ticker(&entry.ticker, form);
    let polymarket = contract::condition(&entry.condition, form);
    let outcome = form.prose("outcome", &entry.outcome, form::OUTCOME_MAX);
    let settles = terms::settles(&entry.settles, today, form);
    let risk = terms::resolution_risk(&entry.resolution_risk, form);
    let payoff = terms::payoff(&entry.payoff, form);
    let review = terms::review(&entry.review, today, form);
    let limits = terms::limits(&entry.limits, form);
    if standing == Some(Standing::Approved) && entry.state != State::Torn {
        terms::demand_for_approval(entry, form);
    }
    Some(Pair {
        id: id?,
        title: title?,
        relation: relation?,
        standing: standing?,
        kalshi: kalshi?,
        polymarket: polymarket?,
        outcome: outcome?,
        settles,
        resolution_risk: risk.unwrap_or(Money::ZERO),
        payoff,
        review,
        limits,
        place: place(form.source, entry),
    })
}

impl Seen {
    /// Takes an entry whose id and contracts are new; reports the first place of those that are
    /// not.
    fn admit(
        &mut self,
        entry: &RawPair,
        pair: Option<Pair>,
        source: &Source<'_>,
        findings: &mut Vec<Finding>,
    ) -> Option<Pair> {
        let mut alone = true;
        if let Some(id) = entry.id.given() {
            let here = source.spot(&id.span);
            if let Some(first) = self.ids.get(&id.value) {
                let what = format!("the id `{}` is taken", crate::document::shortened(&id.value));
                let why = "an id names one pair over all files";
                let cure = format!(
                    "give this pair another id; the first is at {}:{}:{}",
                    first.file, first.line, first.column
                );
                let other = Some((first.clone(), "the first pair of this id".to_owned()));
                findings.push(Finding { other, ..source.error(&id.span, what, why, cure) });
                alone = false;
            } else {
                self.ids.insert(id.value.clone(), here);
            }
        }
        let pair = pair?;
        let contracts = (pair.kalshi.clone(), pair.polymarket.clone());
        if let Some((id, first)) = self.contracts.get(&contracts) {
            let what = format!("`{}` pairs the same two markets as `{id}`", pair.id);
            let why = "two entries for the same markets would count one opportunity twice";
            let cure = format!("remove one of them; the first is at {}:{}", first.file, first.line);
            let other = Some((first.clone(), "the first pair of these markets".to_owned()));
            findings.push(Finding { other, ..source.error(&entry.span, what, why, cure) });
            alone = false;
        } else {
            self.contracts.insert(contracts, (pair.id.0.clone(), source.spot(&entry.span)));
        }
        alone.then_some(pair)
    }
}

#[cfg(test)]
mod tests;
