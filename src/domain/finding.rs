//! What is wrong with a file that a person wrote, and where.
//!
//! A [`Finding`] names the place to the character, says what stands there, why that is not right
//! and what would be. Whoever reads a file collects findings and goes on, so that one reading
//! brings them all.

use std::ops::Range;

/// A range of bytes of a text.
pub type Span = Range<usize>;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// What it speaks of cannot be used.
    Error,
    /// What it speaks of is used, and a person should look at it.
    Warning,
}

impl Severity {
    /// The word for it in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The file's name as given.
    pub file: String,
    /// The bytes it speaks of.
    pub span: Span,
    /// The line, from 1.
    pub line: u32,
    /// The character within the line, from 1.
    pub column: u32,
}

/// Something that is not right in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub at: Spot,
    /// What was found.
    pub what: String,
    /// Why that is not right.
    pub why: String,
    /// What would be right; empty where nothing can be said.
    pub cure: String,
    /// Another place that belongs to it, and what stands there.
    pub other: Option<(Spot, String)>,
}

impl Finding {
    /// Whether what it speaks of cannot be used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// A text with its name, which turns bytes into lines and columns.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    file: &'a str,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Source<'a> {
    /// Takes a file's name and its text.
    pub fn new(file: &'a str, text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { file, text, starts }
    }

    /// The file's name.
    pub fn file(&self) -> &'a str {
        self.file
    }

    /// The text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The place of these bytes; what lies beyond the text is held at its end.
    pub fn spot(&self, span: &Span) -> Spot {
        let start = floor_boundary(self.text, span.start);
        let end = floor_boundary(self.text, span.end).max(start);
        let line = self.starts.partition_point(|&begin| begin <= start);
        let begin = line.checked_sub(1).and_then(|at| self.starts.get(at)).copied().unwrap_or(0);
        let before = self.text.get(begin..start).map_or(0, |text| text.chars().count());
        Spot {
            file: self.file.to_owned(),
            span: start..end,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(before + 1).unwrap_or(u32::MAX),
        }
    }

    /// An error at these bytes.
    pub fn error(
        &self,
        span: &Span,
        what: impl Into<String>,
        why: impl Into<String>,
        cure: impl Into<String>,
    ) -> Finding {
        Finding {
            severity: Severity::Error,
            at: self.spot(span),
            what: what.into(),
            why: why.into(),
            cure: cure.into(),
            other: None,
        }
    }

    /// A warning at these bytes.
    pub fn warning(
        &self,
        span: &Span,
        what: impl Into<String>,
        why: impl Into<String>,
        cure: impl Into<String>,
    ) -> Finding {
        Finding { severity: Severity::Warning, ..self.error(span, what, why, cure) }
    }
}

/// The last character boundary at or before `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let source = Source::new("a.toml", "one\ntwö three\n\nend");
        let place = |at: usize| {
            let spot = source.spot(&(at..at + 1));
            (spot.line, spot.column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(3), (1, 4));
        assert_eq!(place(4), (2, 1));
        let three = source.text().find("three").unwrap();
        assert_eq!(place(three), (2, 5));
        assert_eq!(place(source.text().len()), (4, 4));
        assert_eq!(place(10_000), (4, 4));
    }

    proptest! {
        #[test]
        fn any_span_has_a_place_inside_the_text(text in "\\PC*|[a\\n€]{0,40}", a: usize, b: usize) {
            let source = Source::new("x", &text);
            let (a, b) = (a % (text.len() + 3), b % (text.len() + 3));
            let spot = source.spot(&(a..b));
            prop_assert!(spot.span.start <= spot.span.end);
            prop_assert!(text.get(spot.span).is_some());
            prop_assert!(spot.line >= 1 && spot.column >= 1);
        }
    }
}
