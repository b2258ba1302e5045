//! A table of a document, asked for its keys one by one.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Field, Located, listed, nearest, shortened};
use crate::domain::{Date, Finding, Source, Span};

/// A table that is being read.
#[derive(Debug)]
pub struct Section<'d> {
    pub(super) source: &'d Source<'d>,
    pub(super) base: usize,
    pub(super) name: String,
    pub(super) table: &'d DeTable<'d>,
    pub(super) span: Span,
    pub(super) known: &'static [&'static str],
    pub(super) asked: Vec<&'static str>,
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

    /// A decimal number in quotes such as `key = "0.002"`: a bare `0.002` would be a binary
    /// fraction.
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
