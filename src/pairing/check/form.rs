//! The forms that values take, whatever they mean: ids, words of a list, prose, decimals.

use crate::document::{Field, Located, listed, nearest, shortened};
use crate::domain::{DecimalError, Finding, Money, Source, Span};
use crate::pairing::PairId;

/// Characters of an id.
pub(super) const ID_MAX: usize = 64;
/// Characters of a title.
pub(super) const TITLE_MAX: usize = 200;
/// Characters of an outcome's label.
pub(super) const OUTCOME_MAX: usize = 100;

/// Where an entry's findings go.
#[derive(Debug)]
pub(super) struct Form<'s, 'f> {
    /// The file.
    pub(super) source: &'s Source<'s>,
    /// The header of the entry.
    pub(super) entry: &'s Span,
    /// What was found so far.
    pub(super) findings: &'f mut Vec<Finding>,
}

impl Form<'_, '_> {
    pub(super) fn error(
        &mut self,
        span: &Span,
        what: impl Into<String>,
        why: impl Into<String>,
        cure: impl Into<String>,
    ) {
        self.findings.push(self.source.error(span, what, why, cure));
    }

    pub(super) fn warning(
        &mut self,
        span: &Span,
        what: impl Into<String>,
        why: impl Into<String>,
        cure: impl Into<String>,
    ) {
        self.findings.push(self.source.warning(span, what, why, cure));
    }

    /// The value of a key that a pair must have.
    pub(super) fn required<'v, T>(
        &mut self,
        key: &str,
        field: &'v Field<T>,
        example: &str,
    ) -> Option<&'v Located<T>> {
        if field.is_missing() {
            let what = format!("this pair has no `{key}`");
            let cure = format!("write `{key} = {example}`");
            self.error(&self.entry.clone(), what, "every pair needs one", cure);
        }
        field.given()
    }

    pub(super) fn id(&mut self, field: &Field<String>) -> Option<PairId> {
        let id = self.required("id", field, "\"fed-2026-12-hold\"")?;
        let text = id.value.as_str();
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let sound = !text.is_empty()
            && text.len() <= ID_MAX
            && text.bytes().all(fits)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if sound {
            return Some(PairId(text.to_owned()));
        }
        let why = format!(
            "an id has 1 to {ID_MAX} lower-case letters, digits and dashes, no dash at its ends"
        );
        let better: String = text
            .to_lowercase()
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
            .take(ID_MAX)
            .collect();
        let better = better.trim_matches('-');
        let better = if better.is_empty() { "fed-2026-12-hold" } else { better };
        let what = format!("`{}` is no id", shortened(text));
        self.error(&id.span, what, why, format!("write `id = \"{better}\"`"));
        None
    }

    /// Text for people: not empty, not too long, without control characters.
    pub(super) fn prose(
        &mut self,
        key: &str,
        field: &Field<String>,
        length_max: usize,
    ) -> Option<String> {
        let text = self.required(key, field, "\"…\"")?;
        let length = text.value.chars().count();
        if text.value.trim().is_empty() {
            self.error(
                &text.span,
                format!("`{key}` is empty"),
                "it must say something",
                format!("write `{key} = \"…\"`"),
            );
            return None;
        }
        if length > length_max {
            let what = format!("`{key}` has {length} characters");
            let why = format!("at most {length_max} have room");
            self.error(&text.span, what, why, "shorten it");
            return None;
        }
        let control = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
        if text.value.chars().any(control) {
            let what = format!("`{key}` holds control characters");
            self.error(&text.span, what, "they can garble a terminal", "remove them");
            return None;
        }
        Some(text.value.clone())
    }

    /// One word of a list.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &str,
        field: &Field<String>,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let first = words.first().map_or("", |(word, _)| word);
        let found = self.required(key, field, &format!("\"{first}\""))?;
        self.choose(key, found, words)
    }

    /// One word of a list, where something is given.
    pub(super) fn choose<T: Copy>(
        &mut self,
        key: &str,
        found: &Located<String>,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == found.value) {
            return Some(*value);
        }
        let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let cure = match nearest(&found.value, &names) {
            Some(near) => format!("did you mean `{key} = \"{near}\"`?"),
            None => format!("write one of {}", listed(&names)),
        };
        let what = format!("`{}` is no {key}", shortened(&found.value));
        self.error(&found.span, what, format!("{key} is one of {}", listed(&names)), cure);
        None
    }

    /// Dollars from nothing up to, but less than, a dollar.
    pub(super) fn share_of_a_dollar(
        &mut self,
        key: &str,
        found: &Located<String>,
        example: &str,
    ) -> Option<Money> {
        let why = match Money::parse(&found.value) {
            Ok(money) if money >= Money::ZERO && money.micros() < Money::DOLLAR => {
                return Some(money);
            }
            Ok(_) => "it is dollars per contract: at least 0 and less than 1".to_owned(),
            Err(error) => decimal_reason(error),
        };
        let what = format!("`{key}` is \"{}\"", shortened(&found.value));
        self.error(&found.span, what, why, format!("write for example `{key} = \"{example}\"`"));
        None
    }
}

/// Why a text is no decimal, for a person.
pub(super) fn decimal_reason(error: DecimalError) -> String {
    match error {
        DecimalError::TooFine(decimals) => format!("at most {decimals} decimals count"),
        DecimalError::Empty | DecimalError::Malformed | DecimalError::OutOfRange => {
            "a plain decimal number belongs here".to_owned()
        }
    }
}
