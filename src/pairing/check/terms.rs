//! What the venues pay, who has read the rules, and how far a pair may go.

use super::form::{Form, decimal_reason};
use crate::document::{Field, Located, shortened};
use crate::domain::{Date, Money, Quantity};
use crate::pairing::file::{RawBranch, RawLimits, RawPair, RawReview};
use crate::pairing::{Branch, Legs, Limits, Payoff, Relation, Review, Standing};

/// Characters of the reviewer's name.
const REVIEWER_MAX: usize = 100;
/// Characters of the reviewer's notes.
const NOTES_MAX: usize = 4_000;
/// Rows of a payoff table.
const BRANCHES_MAX: usize = 16;
/// Characters of a case.
const CASE_MAX: usize = 32;
/// Contracts that a pair's own limit may name.
const CONTRACTS_MAX: i64 = 1_000_000_000;

pub(super) const RELATIONS: [(&str, Relation); 2] =
    [("same", Relation::Same), ("opposite", Relation::Opposite)];
pub(super) const STANDINGS: [(&str, Standing); 3] = [
    ("proposed", Standing::Proposed),
    ("approved", Standing::Approved),
    ("suspended", Standing::Suspended),
];
const LEGS: [(&str, Legs); 4] = [
    ("polymarket-first", Legs::PolymarketFirst),
    ("kalshi-first", Legs::KalshiFirst),
    ("concurrent", Legs::Concurrent),
    ("thin-first", Legs::ThinFirst),
];
const PAYOFFS: [(&str, Payoff); 4] = [
    ("last", Payoff::Last),
    ("fair", Payoff::Fair),
    ("refund", Payoff::Refund),
    ("as-resolved", Payoff::AsResolved),
];

pub(super) fn settles(field: &Field<Date>, today: Date, form: &mut Form<'_, '_>) -> Option<Date> {
    let found = field.given()?;
    if found.value < today {
        form.warning(
            &found.span,
            format!("`settles` is {}, which is past", found.value),
            format!("today is {today}; both venues should have paid"),
            "remove the pair, or correct the date",
        );
    }
    Some(found.value)
}

pub(super) fn resolution_risk(field: &Field<String>, form: &mut Form<'_, '_>) -> Option<Money> {
    form.share_of_a_dollar("resolution_risk", field.given()?, "0.002")
}

pub(super) fn payoff(field: &Field<Vec<RawBranch>>, form: &mut Form<'_, '_>) -> Vec<Branch> {
    let Some(table) = field.given() else { return Vec::new() };
    if table.value.len() > BRANCHES_MAX {
        let what = format!("the payoff table has {} cases", table.value.len());
        form.error(&table.span, what, format!("at most {BRANCHES_MAX} count"), "join some");
    }
    table.value.iter().filter_map(|row| branch(row, form)).collect()
}

fn branch(row: &RawBranch, form: &mut Form<'_, '_>) -> Option<Branch> {
    let case = row.case.value.as_str();
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let mut named = true;
    if case.is_empty() || case.len() > CASE_MAX || !case.bytes().all(fits) {
        form.error(
            &row.case.span,
            format!("`{}` is no case", shortened(case)),
            format!("a case has 1 to {CASE_MAX} lower-case letters, digits and underscores"),
            "write for example `void`, `early_close`, `tie`",
        );
        named = false;
    } else if case == "yes" || case == "no" {
        form.error(
            &row.case.span,
            format!("the case `{case}` needs no row"),
            "on a plain yes or no both venues pay a dollar to the winner",
            "remove the row",
        );
        named = false;
    }
    let kalshi = payoff_of("kalshi", &row.kalshi, row, form);
    let polymarket = payoff_of("polymarket", &row.polymarket, row, form);
    let (kalshi, polymarket) = (kalshi?, polymarket?);
    named.then(|| Branch { case: case.to_owned(), kalshi, polymarket })
}

fn payoff_of(
    key: &str,
    field: &Field<String>,
    row: &RawBranch,
    form: &mut Form<'_, '_>,
) -> Option<Payoff> {
    let choices =
        "a decimal from \"0\" to \"1\", \"last\", \"fair\", \"refund\" or \"as-resolved\"";
    let Some(found) = field.given() else {
        if field.is_missing() {
            let what = format!("the case `{}` does not say what {key} pays", row.case.value);
            form.error(
                &row.span,
                what,
                "a case has a payoff on each venue",
                format!("add {choices}"),
            );
        }
        return None;
    };
    if let Some((_, payoff)) = PAYOFFS.iter().find(|(word, _)| *word == found.value) {
        return Some(*payoff);
    }
    let numeric = found.value.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-');
    if !numeric {
        return form.choose("payoff", found, &PAYOFFS);
    }
    let why = match Money::parse(&found.value) {
        Ok(money) if money >= Money::ZERO && money.micros() <= Money::DOLLAR => {
            return Some(Payoff::Fixed(money));
        }
        Ok(_) => "a contract pays from 0 to 1 dollar".to_owned(),
        Err(error) => decimal_reason(error),
    };
    let what = format!("{key} cannot pay \"{}\"", shortened(&found.value));
    form.error(&found.span, what, why, format!("write {choices}"));
    None
}

pub(super) fn review(
    field: &Field<RawReview>,
    today: Date,
    form: &mut Form<'_, '_>,
) -> Option<Review> {
    let review = &field.given()?.value;
    let by = review.by.given().and_then(|_| form.prose("by", &review.by, REVIEWER_MAX));
    // A reviewer east of us may already be in tomorrow.
    let latest = today.tomorrow().unwrap_or(today);
    if let Some(on) = review.on.given()
        && on.value > latest
    {
        let what = format!("the review is dated {}", on.value);
        form.error(&on.span, what, format!("today is {today}"), "write the day of the review");
    }
    let notes = match review.notes.given() {
        Some(found) if found.value.trim().is_empty() => Some(String::new()),
        Some(_) => form.prose("notes", &review.notes, NOTES_MAX),
        None => Some(String::new()),
    };
    let kalshi_rules = rules("kalshi_rules", &review.kalshi_rules, form);
    let polymarket_rules = rules("polymarket_rules", &review.polymarket_rules, form);
    let on = review.on.given().map(|on| on.value);
    Some(Review { by: by?, on: on?, kalshi_rules, polymarket_rules, notes: notes? })
}

/// The hash of a rules text: `sha256:` and 64 hex digits; given back as digits in lower case.
fn rules(key: &str, field: &Field<String>, form: &mut Form<'_, '_>) -> Option<String> {
    const DIGITS: usize = 64;
    let found = field.given()?;
    let digits = found.value.strip_prefix("sha256:");
    let hex =
        |text: &str| text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(digits) = digits.filter(|digits| hex(digits)) {
        return Some(digits.to_ascii_lowercase());
    }
    let cure = if hex(&found.value) {
        format!("write `{key} = \"sha256:{}\"`", found.value)
    } else {
        format!("write `{key} = \"sha256:…\"` with the hash of the rules text that was read")
    };
    let what = format!("`{}` is no hash of a rules text", shortened(&found.value));
    form.error(&found.span, what, format!("a hash is `sha256:` and {DIGITS} hex digits"), cure);
    None
}

pub(super) fn limits(raw: &RawLimits, form: &mut Form<'_, '_>) -> Limits {
    let contracts_max = raw.max_contracts.given().and_then(|found| contracts(found, form));
    let edge_min =
        raw.min_edge.given().and_then(|found| form.share_of_a_dollar("min_edge", found, "0.010"));
    let legs = raw.legs.given().and_then(|found| form.choose("legs", found, &LEGS));
    Limits { contracts_max, edge_min, legs }
}

fn contracts(found: &Located<i64>, form: &mut Form<'_, '_>) -> Option<Quantity> {
    if (1..=CONTRACTS_MAX).contains(&found.value) {
        return Quantity::from_units(found.value * Quantity::CONTRACT);
    }
    form.error(
        &found.span,
        format!("`max_contracts` is {}", found.value),
        format!("it is a whole number from 1 to {CONTRACTS_MAX}"),
        "write for example `max_contracts = 500`, or suspend the pair",
    );
    None
}

/// What `approved` asks for beyond what every pair has.
pub(super) fn demand_for_approval(entry: &RawPair, form: &mut Form<'_, '_>) {
    let Some(status) = entry.status.given() else { return };
    let at = &status.span;
    let cure = |more: &str| format!("{more}, or write `status = \"proposed\"`");
    if entry.resolution_risk.is_missing() {
        let what = "an approved pair without `resolution_risk`";
        let why = "the reviewer says what is held back for a different resolution";
        form.error(at, what, why, cure("add for example `resolution_risk = \"0.002\"`"));
    }
    let empty = entry.payoff.given().is_some_and(|table| table.value.is_empty());
    if entry.payoff.is_missing() || empty {
        let what = "an approved pair without a payoff table";
        let why = "the reviewer says what each venue pays when it is neither yes nor no";
        form.error(at, what, why, cure("add `[pair.payoff]` with at least `void = { … }`"));
    }
    if entry.review.is_missing() {
        let what = "an approved pair without a review";
        let why = "only what a person has read is traded";
        form.error(at, what, why, cure("add `[pair.review]` with `by` and `on`"));
    }
    let Some(review) = entry.review.given() else { return };
    for (key, missing) in
        [("by", review.value.by.is_missing()), ("on", review.value.on.is_missing())]
    {
        if missing {
            let what = format!("the review of an approved pair has no `{key}`");
            let why = "an approval says who gave it and when";
            form.error(&review.span, what, why, cure(&format!("add `{key}`")));
        }
    }
    for (key, missing) in [
        ("kalshi_rules", review.value.kalshi_rules.is_missing()),
        ("polymarket_rules", review.value.polymarket_rules.is_missing()),
    ] {
        if missing {
            let what = format!("the review has no `{key}`");
            let why = "live trading refuses a pair without the hashes of both rules texts";
            form.warning(&review.span, what, why, format!("add `{key} = \"sha256:…\"`"));
        }
    }
}
