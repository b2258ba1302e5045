//! Findings as text: with an excerpt of the file for people, on one line each for tools.
//!
//! What a file says is foreign text: control characters and marks that turn the direction of
//! writing are taken out before anything reaches a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind, Source};

use crate::domain::{Finding, Severity, Spot};

/// Whether the text may hold terminal colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// For a terminal.
    Terminal,
    /// For files, pipes and tests.
    Plain,
}

/// One line each: `file:line:column: error: what; why; cure`.
pub fn lines(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let parts = [&finding.what, &finding.why, &finding.cure];
        let parts: Vec<_> = parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(|part| clean(part).replace(['\n', '\t'], " "))
            .collect();
        let _ = writeln!(
            out,
            "{}: {}: {}",
            place(&finding.at),
            finding.severity.name(),
            parts.join("; ")
        );
    }
    out
}

/// Each finding with its excerpt: the line, a mark under what is meant, why, and the cure. A
/// finding of a file that is not among `files` (names and texts) is written without an excerpt.
pub fn excerpts<N, T>(findings: &[Finding], files: &[(N, T)], colour: Colour) -> String
where
    N: AsRef<str>,
    T: AsRef<str>,
{
    let mut sources = Sources::new(files);
    let mut out = String::new();
    for finding in findings {
        let mut bytes = Vec::new();
        let written = sources.has(&finding.at)
            && report(finding, &sources, colour).write(&mut sources, &mut bytes).is_ok();
        if written {
            out.push_str(&String::from_utf8_lossy(&bytes));
        } else {
            out.push_str(&lines(std::slice::from_ref(finding)));
        }
    }
    out
}

/// How many errors and warnings there are, such as `2 errors, 1 warning`; empty when there is none.
pub fn count(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    let counted = |count: usize, name: &str| match count {
        0 => None,
        1 => Some(format!("1 {name}")),
        many => Some(format!("{many} {name}s")),
    };
    let parts = [counted(errors, "error"), counted(findings.len() - errors, "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn place(spot: &Spot) -> String {
    format!("{}:{}:{}", clean(&spot.file), spot.line, spot.column)
}

/// A stretch of a file, as the drawing crate wants it.
type Stretch = (String, std::ops::Range<usize>);

fn report(finding: &Finding, sources: &Sources, colour: Colour) -> Report<'static, Stretch> {
    let (kind, ink) = match finding.severity {
        Severity::Error => (ReportKind::Error, Color::Red),
        Severity::Warning => (ReportKind::Warning, Color::Yellow),
    };
    let at = sources.stretch(&finding.at);
    let config =
        Config::default().with_color(colour == Colour::Terminal).with_index_type(IndexType::Byte);
    let mut report = Report::build(kind, at.clone())
        .with_config(config)
        .with_message(clean(&finding.what))
        .with_label(Label::new(at).with_message(clean(&finding.why)).with_color(ink));
    if let Some((other, what)) = finding.other.as_ref().filter(|(other, _)| sources.has(other)) {
        let label = Label::new(sources.stretch(other)).with_message(clean(what));
        report = report.with_label(label.with_color(Color::Cyan));
    }
    if !finding.cure.is_empty() {
        report = report.with_help(clean(&finding.cure));
    }
    report.finish()
}

/// The texts that excerpts are taken from.
#[derive(Debug)]
struct Sources {
    texts: BTreeMap<String, Source<String>>,
}

impl Sources {
    fn new<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Self {
        let source = |(name, text): &(N, T)| {
            (name.as_ref().to_owned(), Source::from(same_length(text.as_ref())))
        };
        Self { texts: files.iter().map(source).collect() }
    }

    fn has(&self, spot: &Spot) -> bool {
        self.texts.get(&spot.file).is_some_and(|source| !source.text().is_empty())
    }

    /// The bytes to mark: at least one character, held inside the text.
    fn stretch(&self, spot: &Spot) -> Stretch {
        let text = self.texts.get(&spot.file).map_or("", Source::text);
        let mut start = spot.span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = spot.span.end.clamp(start, text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        // A mark over several lines hides more than it shows: the first line is enough.
        let first = text.get(start..end).and_then(|marked| marked.find(['\n', '\r']));
        let end = first.map_or(end, |length| start + length);
        (spot.file.clone(), start..end)
    }
}

impl ariadne::Cache<String> for Sources {
    type Storage = String;

    fn fetch(&mut self, id: &String) -> Result<&Source<String>, impl std::fmt::Debug> {
        self.texts.get(id).ok_or_else(|| format!("no text of {id}"))
    }

    fn display<'a>(&self, id: &'a String) -> Option<impl std::fmt::Display + 'a> {
        Some(clean(id))
    }
}

/// Whether a character can garble what is written after it.
fn is_foul(letter: char) -> bool {
    let turns = matches!(letter, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}')
        || matches!(letter, '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}');
    turns || (letter.is_control() && letter != '\n' && letter != '\t')
}

/// A text without what can garble a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|letter| if is_foul(letter) { '\u{FFFD}' } else { letter }).collect()
}

/// The same, byte for byte as long, so that positions still hold; line ends other than those of
/// text files would be counted as lines by the drawing crate, and are taken out too.
fn same_length(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let line_end = letter == '\r' && letters.peek() == Some(&'\n');
        if is_foul(letter) && !line_end {
            out.extend(std::iter::repeat_n('?', letter.len_utf8()));
        } else {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Source as Text;
    use proptest::prelude::*;

    #[test]
    fn an_excerpt_shows_file_line_mark_reason_and_cure() {
        let text = "[[pair]]\nid = \"ä\"\nkalshy = 1\n";
        let at = text.find("kalshy").unwrap();
        let finding = Text::new("a.toml", text).error(
            &(at..at + 6),
            "unknown key `kalshy`",
            "no such key",
            "did you mean `kalshi`?",
        );
        let drawn = excerpts(&[finding], &[("a.toml", text)], Colour::Plain);
        let lines: Vec<_> = drawn.lines().map(str::trim_end).collect();
        assert_eq!(
            lines,
            [
                "Error: unknown key `kalshy`",
                "   ╭─[ a.toml:3:1 ]",
                "   │",
                " 3 │ kalshy = 1",
                "   │ ───┬──",
                "   │    ╰──── no such key",
                "   │",
                "   │ Help: did you mean `kalshi`?",
                "───╯",
            ]
        );
    }

    #[test]
    fn colours_come_only_when_asked_for() {
        let finding = Text::new("a", "x").error(&(0..1), "what", "why", "cure");
        let findings = [finding];
        assert!(!excerpts(&findings, &[("a", "x")], Colour::Plain).contains('\u{1b}'));
        assert!(excerpts(&findings, &[("a", "x")], Colour::Terminal).contains('\u{1b}'));
    }

    #[test]
    fn a_finding_without_a_text_is_one_line() {
        let finding = Text::new("environment", "").error(&(0..0), "what", "why", "cure");
        let drawn = excerpts(&[finding], &[("a", "x")], Colour::Plain);
        assert_eq!(drawn, "environment:1:1: error: what; why; cure\n");
    }

    #[test]
    fn foreign_text_cannot_steer_a_terminal() {
        let text = "id = \"\u{1b}[2J\u{202e}x\"\r\n\u{2028}second\n";
        let at = text.find("second").unwrap();
        let source = Text::new("a", text);
        let finding = source.error(&(at..at + 6), "\u{1b}]0;x\u{7}", "a\nb", "");
        assert_eq!(finding.at.line, 2);
        let drawn = excerpts(std::slice::from_ref(&finding), &[("a", text)], Colour::Plain);
        assert!(!drawn.contains(['\u{1b}', '\u{202e}', '\u{7}', '\u{2028}']), "{drawn}");
        assert!(drawn.contains("a:2:"), "{drawn}");
        assert_eq!(lines(&[finding]).lines().count(), 1);
    }

    #[test]
    fn findings_are_counted() {
        let source = Text::new("a", "x");
        let error = source.error(&(0..1), "", "", "");
        let warning = source.warning(&(0..1), "", "", "");
        assert_eq!(count(&[]), "");
        assert_eq!(count(&[error.clone(), warning.clone(), error]), "2 errors, 1 warning");
        assert_eq!(count(&[warning.clone(), warning]), "2 warnings");
    }

    proptest! {
        #[test]
        fn no_text_and_no_span_panics(
            text in "\\PC{0,40}|[a\\t\\r\\n\u{85}\u{2028}€\"]{0,40}", a in 0usize..60, b in 0usize..60,
        ) {
            let finding = Text::new("a", &text).error(&(a..b), "what", "why", "cure");
            let at = finding.at.clone();
            let finding = Finding { other: Some((at, "first".into())), ..finding };
            excerpts(&[finding], &[("a", &text)], Colour::Plain);
        }
    }
}
