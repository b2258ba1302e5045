//! Findings as text: with an excerpt of the file for people, on one line each for tools.
//!
//! What a file says is foreign text: control characters and marks that turn the direction of
//! writing are taken out before anything reaches a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ariadne::{Color, Config, Label, Report, ReportKind, Source};

use crate::domain::{Finding, Severity, Spot};

/// More excerpts than this nobody reads; the findings behind them are one line each.
pub const EXCERPTS_MAX: usize = 100;

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
    let texts: BTreeMap<&str, &str> =
        files.iter().map(|(name, text)| (name.as_ref(), text.as_ref())).collect();
    let mut out = String::new();
    for (at, finding) in findings.iter().enumerate() {
        let drawn = if at < EXCERPTS_MAX { draw(finding, &texts, colour) } else { None };
        out.push_str(&drawn.unwrap_or_else(|| lines(std::slice::from_ref(finding))));
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

/// A line with more characters is no help to anybody; its finding is told without an excerpt.
const LINE_MAX: usize = 500;

/// Which place of a finding an excerpt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Role {
    Found,
    Other,
}

/// A stretch of a line, in characters.
type Stretch = (Role, std::ops::Range<usize>);

fn draw(finding: &Finding, texts: &BTreeMap<&str, &str>, colour: Colour) -> Option<String> {
    let found = Excerpt::of(&finding.at, texts)?;
    let other = finding.other.as_ref();
    let other = other.and_then(|(spot, what)| Some((Excerpt::of(spot, texts)?, what)));
    let (kind, ink) = match finding.severity {
        Severity::Error => (ReportKind::Error, Color::Red),
        Severity::Warning => (ReportKind::Warning, Color::Yellow),
    };
    let config = Config::default().with_color(colour == Colour::Terminal);
    let at: Stretch = (Role::Found, found.marked.clone());
    let label = Label::new(at.clone()).with_message(clean(&finding.why)).with_color(ink);
    let mut report = Report::build(kind, at)
        .with_config(config)
        .with_message(clean(&finding.what))
        .with_label(label);
    if let Some((excerpt, what)) = &other {
        let at: Stretch = (Role::Other, excerpt.marked.clone());
        report =
            report.with_label(Label::new(at).with_message(clean(what)).with_color(Color::Cyan));
    }
    if !finding.cure.is_empty() {
        report = report.with_help(clean(&finding.cure));
    }
    let mut bytes = Vec::new();
    let shown = Shown { found, other: other.map(|(excerpt, _)| excerpt) };
    report.finish().write(shown, &mut bytes).ok()?;
    String::from_utf8(bytes).ok()
}

/// The line of a place, and the characters of it that are meant. The lines above are handed to the
/// drawing crate as empty ones: it needs their number only.
#[derive(Debug)]
struct Excerpt {
    file: String,
    line: Source<String>,
    marked: std::ops::Range<usize>,
}

impl Excerpt {
    fn of(spot: &Spot, texts: &BTreeMap<&str, &str>) -> Option<Self> {
        let text = texts.get(spot.file.as_str())?;
        let (before, behind) = text.split_at_checked(spot.span.start)?;
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let end = behind.find('\n').map_or(text.len(), |length| spot.span.start + length);
        let line = text.get(begin..end)?.trim_end_matches('\r');
        // A mark that goes on in the next line ends with this one.
        let marked = text.get(spot.span.start..spot.span.end.min(begin + line.len()));
        let start = text.get(begin..spot.span.start)?.chars().count();
        let length = marked.map_or(0, |marked| marked.chars().count());
        if line.is_empty() || line.chars().count() > LINE_MAX {
            return None;
        }
        let above = usize::try_from(spot.line).ok()?.checked_sub(1)?;
        let start = above + start;
        let line = Source::from("\n".repeat(above) + &clean(line));
        let file = clean(&spot.file);
        Some(Self { file, line, marked: start..start + length })
    }
}

/// The excerpts of one finding.
#[derive(Debug)]
struct Shown {
    found: Excerpt,
    other: Option<Excerpt>,
}

impl Shown {
    fn excerpt(&self, role: Role) -> &Excerpt {
        match (role, &self.other) {
            (Role::Other, Some(other)) => other,
            (Role::Other, None) | (Role::Found, _) => &self.found,
        }
    }
}

impl ariadne::Cache<Role> for Shown {
    type Storage = String;

    fn fetch(&mut self, id: &Role) -> Result<&Source<String>, impl std::fmt::Debug> {
        Ok::<_, std::convert::Infallible>(&self.excerpt(*id).line)
    }

    fn display<'a>(&self, id: &'a Role) -> Option<impl std::fmt::Display + 'a> {
        Some(self.excerpt(*id).file.clone())
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
    fn wide_letters_before_the_mark_move_it_by_characters() {
        let text = "title = \"\u{11443}\u{1f574}\" # why\n";
        let at = text.find("why").unwrap();
        let finding = Text::new("a", text).error(&(at..at + 3), "what", "because", "");
        let drawn = excerpts(&[finding], &[("a", text)], Colour::Plain);
        assert!(drawn.contains("a:1:16"), "{drawn}");
        assert!(drawn.contains("because"), "{drawn}");
    }

    #[test]
    fn a_line_that_is_too_long_to_read_is_not_drawn() {
        let text = "x".repeat(LINE_MAX + 1);
        let finding = Text::new("a", &text).error(&(0..1), "what", "why", "cure");
        let drawn = excerpts(&[finding], &[("a", &text)], Colour::Plain);
        assert_eq!(drawn, "a:1:1: error: what; why; cure\n");
    }

    #[test]
    fn beyond_the_most_excerpts_findings_are_one_line_each() {
        let finding = Text::new("a", "x").error(&(0..1), "what", "why", "cure");
        let findings = vec![finding; EXCERPTS_MAX + 2];
        let drawn = excerpts(&findings, &[("a", "x")], Colour::Plain);
        assert_eq!(drawn.matches("a:1:1: error: what").count(), 2);
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
            text in "\\PC{0,40}|[a\\t\\r\\n\u{85}\u{2028}€\"]{0,40}",
            a in 0usize..60,
            b in 0usize..60,
        ) {
            let finding = Text::new("a", &text).error(&(a..b), "what", "why", "cure");
            let at = finding.at.clone();
            let finding = Finding { other: Some((at, "first".into())), ..finding };
            excerpts(&[finding], &[("a", &text)], Colour::Plain);
        }
    }
}
