//! TOML that people write, with every position kept and every mistake reported.
//!
//! A [`Document`] is read as far as it can be read: a broken line is a finding, not the end. A
//! [`Section`] is asked for its keys one by one; a value of the wrong kind is a finding that shows how
//! to write it, and at the end every key that nobody asked for is one too. Mapping files and the
//! configuration both come through here, so that their mistakes read alike.

mod word;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::{Date, Finding, Source, Span};

pub use word::{listed, nearest, shortened};

/// A file longer than this is refused unread: it is no file that a person wrote.
pub const BYTES_MAX: usize = 16 * 1024 * 1024;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its bytes.
    pub span: Span,
}

/// What a section says about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field<T> {
    /// Nothing.
    Missing,
    /// Something of the wrong kind, which has been reported.
    Wrong,
    /// A value.
    Given(Located<T>),
}

impl<T> Field<T> {
    /// The value, if there is one.
    pub fn given(&self) -> Option<&Located<T>> {
        match self {
            Self::Given(located) => Some(located),
            Self::Missing | Self::Wrong => None,
        }
    }

    /// Whether the key is absent.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

/// A parsed file.
#[derive(Debug)]
pub struct Document<'a> {
    source: Source<'a>,
    parts: Vec<Part<'a>>,
    torn: Vec<Span>,
    findings: Vec<Finding>,
}

/// A stretch of the text that was parsed by itself, and where it begins.
#[derive(Debug)]
struct Part<'a> {
    base: usize,
    root: Spanned<DeTable<'a>>,
}

impl<'a> Document<'a> {
    /// Reads a text as far as it can be read.
    pub fn parse(source: Source<'a>) -> Self {
        let text = source.text();
        let mut document = Self::empty(source);
        if document.is_readable() {
            document.parse_part(0, text);
            document.sort();
        }
        document
    }

    /// Reads a text of entries that begin with a line `[[key]]`, such that an entry which is not TOML
    /// cannot spoil the ones behind it: a quote or brace left open ends with its entry.
    pub fn parse_entries(source: Source<'a>, key: &str) -> Self {
        let text = source.text();
        let whole = Self::parse(source.clone());
        if whole.torn.is_empty() || text.len() > BYTES_MAX {
            return whole;
        }
        let header = format!("[[{key}]]");
        let mut starts = vec![0];
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            if at > 0 && line.trim_start().starts_with(&header) {
                starts.push(at);
            }
            at += line.len();
        }
        let ends = starts.iter().skip(1).copied().chain(std::iter::once(text.len()));
        let mut document = Self::empty(source);
        for (start, end) in starts.iter().zip(ends) {
            if let Some(part) = text.get(*start..end) {
                document.parse_part(*start, part);
            }
        }
        document.sort();
        document
    }

    fn empty(source: Source<'a>) -> Self {
        Self { source, parts: Vec::new(), torn: Vec::new(), findings: Vec::new() }
    }

    fn is_readable(&mut self) -> bool {
        let length = self.source.text().len();
        if length > BYTES_MAX {
            let what = format!("a file of {length} bytes");
            let why = format!("at most {BYTES_MAX} bytes are read");
            self.findings.push(self.source.error(&(0..0), what, why, "split the file"));
            self.torn.push(0..length);
        }
        length <= BYTES_MAX
    }

    fn parse_part(&mut self, base: usize, text: &'a str) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let end = text.trim_end().len();
        for error in errors {
            let found = error.span().unwrap_or(end..end);
            // What is missing at the end is missed where the writing stopped.
            let start = found.start.min(end);
            let span = base + start..base + found.end.clamp(start, end.max(start));
            let (what, cure) = explain(error.message());
            self.findings.push(self.source.error(&span, what, "this is not valid TOML", cure));
            self.torn.push(span);
        }
        self.parts.push(Part { base, root });
    }

    /// The parser may stumble several times over one mistake; the first stumble of a line tells most.
    fn sort(&mut self) {
        self.findings.sort_by_key(|finding| finding.at.span.start);
        self.findings.dedup_by_key(|finding| finding.at.line);
    }

    /// The text and its name.
    pub fn source(&self) -> &Source<'a> {
        &self.source
    }

    /// Where the text is not TOML, in bytes.
    pub fn torn(&self) -> &[Span] {
        &self.torn
    }

    /// What is wrong with the text as TOML.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The top of the document; more than one when its entries were parsed one by one.
    pub fn roots(&self) -> impl Iterator<Item = Section<'_>> {
        self.parts.iter().map(|part| Section {
            source: &self.source,
            base: part.base,
            name: String::new(),
            table: part.root.get_ref(),
            span: part.base..part.base,
            known: &[],
            asked: Vec::new(),
        })
    }
}

/// What the parser found, in our manner, and what would be right.
fn explain(message: &str) -> (String, &'static str) {
    let cure = if message.contains("duplicate key") {
        "keep one of the two"
    } else if message.contains("inline table") {
        "close the table with `}`, with commas between its entries"
    } else if message.contains("array") {
        "close the list with `]`, with commas between its entries"
    } else if message.contains("string") || message.contains('"') {
        "close the text with the quote that opened it"
    } else if message.contains("key with no value") || message.contains("missing value") {
        "write `key = value`"
    } else {
        "write `key = value`, texts in double quotes, one entry a line"
    };
    (message.trim().trim_end_matches('.').to_owned(), cure)
}

/// A table that is being read.
#[derive(Debug)]
pub struct Section<'d> {
    source: &'d Source<'d>,
    base: usize,
    name: String,
    table: &'d DeTable<'d>,
    span: Span,
    known: &'static [&'static str],
    asked: Vec<&'static str>,
}

impl<'d> Section<'d> {
    fn inner(&self, name: String, table: &'d DeTable<'d>, span: Span) -> Self {
        Self {
            source: self.source,
            base: self.base,
            name,
            table,
            span,
            known: &[],
            asked: Vec::new(),
        }
    }

    /// The bytes of the whole text, from those of the part.
    fn shifted(&self, span: &Span) -> Span {
        self.base + span.start..self.base + span.end
    }

    fn located<T>(&self, value: T, span: &Span) -> Field<T> {
        Field::Given(Located { value, span: self.shifted(span) })
    }

    /// Tells which keys there are, so that a mistyped one is not reported as missing too.
    pub fn knowing(mut self, known: &'static [&'static str]) -> Self {
        self.known = known;
        self
    }

    fn absent<T>(&self, key: &str) -> Field<T> {
        let meant =
            |found: &str| !self.known.contains(&found) && nearest(found, self.known) == Some(key);
        let mistyped = self.table.keys().any(|found| meant(found.get_ref()));
        if mistyped { Field::Wrong } else { Field::Missing }
    }

    /// Where the table begins: its header, or its braces.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// The text it stands in.
    pub fn source(&self) -> &'d Source<'d> {
        self.source
    }

    /// The keys that are there, in the order of the text.
    pub fn keys(&self) -> Vec<Located<String>> {
        let mut keys: Vec<_> = self
            .table
            .keys()
            .map(|key| Located {
                value: key.get_ref().to_string(),
                span: self.shifted(&key.span()),
            })
            .collect();
        keys.sort_by_key(|key| key.span.start);
        keys
    }

    fn ask(&mut self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.asked.push(key);
        self.table.get(key)
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// A text such as `key = "value"`.
    pub fn text(&mut self, key: &'static str, findings: &mut Vec<Finding>) -> Field<String> {
        let Some(value) = self.ask(key) else { return self.absent(key) };
        if let DeValue::String(text) = value.get_ref() {
            return self.located(text.to_string(), &value.span());
        }
        findings.push(self.wrong_kind(key, value, "a text in quotes", "\"…\""));
        Field::Wrong
    }

    /// A decimal number in quotes such as `key = "0.002"`: a bare `0.002` would be a binary fraction.
    pub fn decimal(&mut self, key: &'static str, findings: &mut Vec<Finding>) -> Field<String> {
        let Some(value) = self.ask(key) else { return self.absent(key) };
        let bare = match value.get_ref() {
            DeValue::String(text) => {
                return self.located(text.to_string(), &value.span());
            }
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            _ => "0.00".to_owned(),
        };
        let right = format!("\"{bare}\"");
        findings.push(self.wrong_kind(key, value, "a decimal number in quotes", &right));
        Field::Wrong
    }

    /// A whole number such as `key = 500`.
    pub fn integer(&mut self, key: &'static str, findings: &mut Vec<Finding>) -> Field<i64> {
        let Some(value) = self.ask(key) else { return self.absent(key) };
        let bare = match value.get_ref() {
            DeValue::Integer(number) => {
                if let Ok(parsed) = i64::from_str_radix(number.as_str(), number.radix()) {
                    return self.located(parsed, &value.span());
                }
                "500"
            }
            DeValue::String(text) if text.parse::<i64>().is_ok() => text,
            DeValue::Float(number) => number.as_str().split('.').next().unwrap_or("500"),
            _ => "500",
        };
        let bare = bare.to_owned();
        findings.push(self.wrong_kind(key, value, "a whole number without quotes", &bare));
        Field::Wrong
    }

    /// A day such as `key = 2026-12-09`, without quotes and without a time.
    pub fn date(&mut self, key: &'static str, findings: &mut Vec<Finding>) -> Field<Date> {
        let Some(value) = self.ask(key) else { return self.absent(key) };
        let right = match value.get_ref() {
            DeValue::Datetime(moment) => {
                let date = moment.date.and_then(|date| {
                    let (month, day) = (i8::try_from(date.month), i8::try_from(date.day));
                    Date::new(i16::try_from(date.year).ok()?, month.ok()?, day.ok()?).ok()
                });
                match date {
                    Some(date) if moment.time.is_none() => {
                        return self.located(date, &value.span());
                    }
                    date => date,
                }
            }
            DeValue::String(text) => text.parse::<Date>().ok(),
            _ => None,
        };
        let right = right.map_or_else(|| "2026-12-09".to_owned(), |date| date.to_string());
        let kind = "a day as year-month-day, without quotes and without a time";
        findings.push(self.wrong_kind(key, value, kind, &right));
        Field::Wrong
    }

    /// A table such as `key = { … }` or `[key]`.
    pub fn table(&mut self, key: &'static str, findings: &mut Vec<Finding>) -> Field<Section<'d>> {
        let Some(value) = self.ask(key) else { return self.absent(key) };
        match value.get_ref() {
            DeValue::Table(table) => {
                let inner = self.inner(self.path(key), table, self.shifted(&value.span()));
                self.located(inner, &value.span())
            }
            _ => {
                findings.push(self.wrong_kind(key, value, "a table", "{ … }"));
                Field::Wrong
            }
        }
    }

    /// A table under a key that the writer of the file chose.
    pub fn chosen(
        &self,
        key: &Located<String>,
        findings: &mut Vec<Finding>,
    ) -> Option<Section<'d>> {
        let value = self.table.get(key.value.as_str())?;
        match value.get_ref() {
            DeValue::Table(table) => {
                Some(self.inner(self.path(&key.value), table, self.shifted(&value.span())))
            }
            _ => {
                findings.push(self.wrong_kind(&key.value, value, "a table", "{ … }"));
                None
            }
        }
    }

    /// The tables of `[[key]]`, in the order of the text; `Wrong` when it is something else.
    pub fn tables(
        &mut self,
        key: &'static str,
        findings: &mut Vec<Finding>,
    ) -> Field<Vec<Section<'d>>> {
        let Some(value) = self.ask(key) else { return self.absent(key) };
        let DeValue::Array(items) = value.get_ref() else {
            findings.push(self.source.error(
                &self.shifted(&value.span()),
                format!("`{key}` is {}", kind_of(value.get_ref())),
                "there may be many, so each stands under a header of its own",
                format!("write `[[{key}]]` with two brackets"),
            ));
            return Field::Wrong;
        };
        let mut sections = Vec::new();
        let mut complete = true;
        for item in items.iter() {
            if let DeValue::Table(table) = item.get_ref() {
                let name = self.path(key);
                sections.push(self.inner(name, table, self.shifted(&item.span())));
            } else {
                complete = false;
                findings.push(self.wrong_kind(key, item, "a table", "{ … }"));
            }
        }
        if !complete {
            return Field::Wrong;
        }
        self.located(sections, &value.span())
    }

    fn wrong_kind(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        wanted: &str,
        right: &str,
    ) -> Finding {
        self.source.error(
            &self.shifted(&value.span()),
            format!("`{}` is {}", self.path(key), kind_of(value.get_ref())),
            format!("{wanted} belongs here"),
            format!("write `{key} = {right}`"),
        )
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self, findings: &mut Vec<Finding>) {
        for key in self.keys() {
            if self.asked.contains(&key.value.as_str()) {
                continue;
            }
            let near = nearest(&key.value, &self.asked);
            let home =
                if self.name.is_empty() { "a file".to_owned() } else { format!("`{}`", self.name) };
            let cure = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("{home} may hold {}", listed(&self.asked)),
            };
            findings.push(self.source.error(
                &key.span,
                format!("unknown key `{}`", key.value),
                format!("{home} has no such key"),
                cure,
            ));
        }
    }
}

/// What a value is, as one would say it.
fn kind_of(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text \"{}\"", shortened(text)),
        DeValue::Integer(number) => format!("the whole number {}", shortened(number.as_str())),
        DeValue::Float(number) => format!("the number {}", shortened(number.as_str())),
        DeValue::Boolean(value) => format!("`{value}`"),
        DeValue::Datetime(moment) => format!("the time {moment}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

#[cfg(test)]
mod tests;
