//! TOML that people write, with every position kept and every mistake reported.
//!
//! A [`Document`] is read as far as it can be read: a broken line is a finding, not the end. A
//! [`Section`] is asked for its keys one by one; a value of the wrong kind is a finding that shows
//! how to write it, and at the end every key that nobody asked for is one too. Mapping files and
//! the configuration both come through here, so that their mistakes read alike.

mod section;
mod word;

use toml::Spanned;
use toml::de::DeTable;

use crate::domain::{Finding, Source, Span};

pub use section::Section;
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
    guessed: Vec<Span>,
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

    /// Reads a text of entries that begin with a line `[[key]]`, such that an entry which is not
    /// TOML cannot spoil the ones behind it: a quote or brace left open ends with its entry.
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
        Self {
            source,
            parts: Vec::new(),
            torn: Vec::new(),
            guessed: Vec::new(),
            findings: Vec::new(),
        }
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
        let (root, mut errors) = DeTable::parse_recoverable(text);
        let end = text.trim_end().len();
        errors.sort_by_key(|error| error.span().map_or(end, |span| span.start));
        for error in errors {
            let found = error.span().unwrap_or(end..end);
            // What is missing at the end is missed where the writing stopped.
            let start = found.start.min(end);
            let before = text.get(..start).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            if is_about_brackets(error.message()) && line.trim().is_empty() {
                // Whatever the parser says behind an open bracket follows from it.
                let stop = base + before.trim_end().len();
                self.tear(stop..stop, LEFT_OPEN.to_owned(), "close it with `}` or `]`");
                self.guessed.push(stop..base + text.len());
                break;
            }
            let (what, cure) = explain(error.message());
            self.tear(base + start..base + found.end.clamp(start, end), what, cure);
        }
        self.parts.push(Part { base, root });
    }

    fn tear(&mut self, span: Span, what: String, cure: &str) {
        self.findings.push(self.source.error(&span, what, "this is not valid TOML", cure));
        self.torn.push(span);
    }

    /// The parser may stumble several times over one mistake; the first stumble of a line tells
    /// most.
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

    /// Whether a finding only follows from what is not TOML: it lies on such a line, or behind a
    /// bracket left open.
    pub fn is_guess(&self, finding: &Finding) -> bool {
        let start = finding.at.span.start;
        self.findings.iter().any(|torn| torn.at.line == finding.at.line)
            || self.guessed.iter().any(|span| span.contains(&start))
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

const LEFT_OPEN: &str = "a `{` or `[` is left open";

fn is_about_brackets(message: &str) -> bool {
    ["inline table", "array", "between key-value pairs"].iter().any(|part| message.contains(part))
}

/// What the parser found, in our manner, and what would be right.
fn explain(message: &str) -> (String, &'static str) {
    let cure = if message.contains("duplicate key") {
        "keep one of the two"
    } else if is_about_brackets(message) {
        "put commas between the entries and close the bracket behind the last"
    } else if message.contains("string") || message.contains('"') {
        "put the text in double quotes: one before it, one behind it"
    } else {
        "write `key = value`, texts in double quotes, one entry a line"
    };
    (message.trim().trim_end_matches('.').to_owned(), cure)
}

#[cfg(test)]
mod tests;
