//! Takes values out of a section, each within its bounds; what is wrong becomes a finding.

use std::time::Duration;

use super::{Bounds, Key, Level, Overrides, address};
use crate::config::raw::{Group, Value};
use crate::config::{DEFAULT_NAME, OVERRIDES_NAME};
use crate::document::{listed, nearest, shortened};
use crate::domain::{DecimalError, Finding, Money, Source};

/// Takes the values of one section, each within its bounds.
#[derive(Debug)]
pub(super) struct Take<'d, 'f> {
    pub(super) group: Group<'d>,
    pub(super) findings: &'f mut Vec<Finding>,
}

impl<'d> Take<'d, '_> {
    pub(super) fn money(
        &mut self,
        key: &'static str,
        bounds: Bounds<Money>,
    ) -> Option<Value<'d, Money>> {
        let found = self.group.decimal(key, self.findings)?;
        let why = match Money::parse(&found.value) {
            Ok(value) if bounds.contain(value) => {
                return Some(Value { value, span: found.span, source: found.source });
            }
            Err(DecimalError::TooFine(decimals)) => format!("at most {decimals} decimals count"),
            Err(DecimalError::Empty | DecimalError::Malformed) => {
                "a plain decimal number belongs here".to_owned()
            }
            Ok(_) | Err(DecimalError::OutOfRange) => format!("it may be {bounds} dollars"),
        };
        let what = format!("`{key}` is \"{}\"", shortened(&found.value));
        let cure = format!("write `{key} = \"…\"` with a number from {bounds}");
        self.findings.push(found.error(what, why, cure));
        None
    }

    pub(super) fn whole(
        &mut self,
        key: &'static str,
        bounds: Bounds<u32>,
    ) -> Option<Value<'d, u32>> {
        let found = self.group.integer(key, self.findings)?;
        match u32::try_from(found.value) {
            Ok(value) if bounds.contain(value) => {
                Some(Value { value, span: found.span, source: found.source })
            }
            _ => {
                let what = format!("`{key}` is {}", found.value);
                let cure = format!("write `{key} = …` with a number from {bounds}");
                self.findings.push(found.error(what, format!("it may be {bounds}"), cure));
                None
            }
        }
    }

    pub(super) fn millis(
        &mut self,
        key: &'static str,
        bounds: Bounds<u32>,
    ) -> Option<Value<'d, Duration>> {
        let Value { value, span, source } = self.whole(key, bounds)?;
        Some(Value { value: Duration::from_millis(value.into()), span, source })
    }

    pub(super) fn seconds(
        &mut self,
        key: &'static str,
        bounds: Bounds<u32>,
    ) -> Option<Value<'d, Duration>> {
        let Value { value, span, source } = self.whole(key, bounds)?;
        Some(Value { value: Duration::from_secs(value.into()), span, source })
    }

    /// Reports two values of which the first is not below the second, at the one the user wrote.
    pub(super) fn ordered<T: PartialOrd>(
        &mut self,
        (low_key, low): (&str, &Value<'_, T>),
        (high_key, high): (&str, &Value<'_, T>),
        shown: impl Fn(&T) -> String,
    ) {
        if low.value < high.value {
            return;
        }
        let (low_shown, high_shown) = (shown(&low.value), shown(&high.value));
        let at = if low.source.file() == DEFAULT_NAME {
            high.source.error(&high.span, "", "", "")
        } else {
            low.error("", "", "")
        };
        self.findings.push(Finding {
            what: format!("`{low_key}` is {low_shown} and `{high_key}` is {high_shown}"),
            why: format!("`{low_key}` must be below `{high_key}`"),
            cure: format!("lower `{low_key}` or raise `{high_key}`"),
            ..at
        });
    }

    pub(super) fn address(&mut self, key: &'static str, kind: address::Kind) -> Option<String> {
        let found = self.group.text(key, self.findings)?;
        match address::check(&found.value, kind) {
            Ok(()) => Some(found.value),
            Err(flaw) => {
                let what = format!("`{key}` is \"{}\"", shortened(&found.value));
                self.findings.push(found.error(what, flaw.why, flaw.cure));
                None
            }
        }
    }

    /// A text without more meaning, not empty and without control characters.
    pub(super) fn plain(&mut self, key: &'static str, over: Option<&str>) -> Option<String> {
        let found = self.group.text(key, self.findings);
        if let Some(over) = given(over) {
            return self.plain_over(key, over);
        }
        let found = found?;
        if is_plain(&found.value) {
            return Some(found.value);
        }
        let what = format!("`{key}` is \"{}\"", shortened(&found.value));
        let cure = format!("write `{key} = \"…\"`");
        self.findings.push(found.error(what, NOT_PLAIN, cure));
        None
    }

    fn plain_over(&mut self, key: &str, over: &str) -> Option<String> {
        if is_plain(over) {
            return Some(over.to_owned());
        }
        let what = format!("`{key}` is \"{}\"", shortened(over));
        self.findings.push(overridden(what, NOT_PLAIN, "correct or remove it"));
        None
    }

    /// The key: both of its parts or neither.
    pub(super) fn key(&mut self, overrides: &Overrides) -> Option<Key> {
        let here = |value: Option<&Value<'_, String>>| {
            value.map(|value| (value.source.file() == DEFAULT_NAME, value.error("", "", "")))
        };
        let id_field = self.group.text("key_id", self.findings);
        let file_field = self.group.text("key_file", self.findings);
        let place = here(id_field.as_ref()).or_else(|| here(file_field.as_ref()));
        let id = self.part("key_id", id_field, overrides.kalshi_key_id.as_deref());
        let file = self.part("key_file", file_field, overrides.kalshi_key_file.as_deref());
        let (has, lacks) = match (id, file) {
            (Part::Given(id), Part::Given(file)) => return Some(Key { id, file }),
            (Part::Given(_), Part::Absent) => ("key_id", "key_file"),
            (Part::Absent, Part::Given(_)) => ("key_file", "key_id"),
            _ => return None,
        };
        let base = place.map_or_else(|| overridden("", "", ""), |(_, finding)| finding);
        self.findings.push(Finding {
            what: format!("`{has}` is given without `{lacks}`"),
            why: "a key is its id and its file".to_owned(),
            cure: format!("give `{lacks}` too, or neither"),
            ..base
        });
        None
    }

    pub(super) fn part(
        &mut self,
        key: &str,
        found: Option<Value<'d, String>>,
        over: Option<&str>,
    ) -> Part {
        if let Some(over) = given(over) {
            return self.plain_over(key, over).map_or(Part::Wrong, Part::Given);
        }
        let Some(found) = found else { return Part::Absent };
        if is_plain(&found.value) {
            return Part::Given(found.value);
        }
        let what = format!("`{key}` is \"{}\"", shortened(&found.value));
        self.findings.push(found.error(what, NOT_PLAIN, format!("write `{key} = \"…\"`")));
        Part::Wrong
    }

    pub(super) fn level(&mut self, over: Option<&str>) -> Option<Level> {
        let found = self.group.text("level", self.findings);
        let name = given(over).map(str::to_owned);
        let name = name.or_else(|| found.as_ref().map(|found| found.value.clone()))?;
        if let Some((_, level)) = Level::ALL.iter().find(|(word, _)| *word == name) {
            return Some(*level);
        }
        let names = Level::ALL.map(|(word, _)| word);
        let cure = match nearest(&name, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", listed(&names)),
        };
        let what = format!("`{}` is no log level", shortened(&name));
        let why = format!("a level is one of {}", listed(&names));
        self.findings.push(match found {
            Some(found) if given(over).is_none() => found.error(what, why, cure),
            _ => overridden(what, why, cure),
        });
        None
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let found = self.group.text(key, self.findings)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == found.value) {
            return Some(*value);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let cure = match nearest(&found.value, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", listed(&names)),
        };
        let what = format!("`{key}` is \"{}\"", shortened(&found.value));
        self.findings.push(found.error(what, format!("it is one of {}", listed(&names)), cure));
        None
    }

    pub(super) fn finish(self) {
        self.group.finish(self.findings);
    }
}

/// A part of a key.
#[derive(Debug)]
pub(super) enum Part {
    Absent,
    Wrong,
    Given(String),
}

const NOT_PLAIN: &str = "it must not be empty, very long, or hold control characters";

fn is_plain(text: &str) -> bool {
    const BYTES_MAX: usize = 4_096;
    !text.trim().is_empty() && text.len() <= BYTES_MAX && !text.chars().any(char::is_control)
}

fn given(over: Option<&str>) -> Option<&str> {
    over.filter(|text| !text.is_empty())
}

fn overridden(what: impl Into<String>, why: impl Into<String>, cure: impl Into<String>) -> Finding {
    Source::new(OVERRIDES_NAME, "").error(&(0..0), what, why, cure)
}
