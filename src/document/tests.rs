use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Document<'_> {
    Document::parse(Source::new("a.toml", text))
}

fn ids(document: &Document<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    let mut ids = Vec::new();
    for mut root in document.roots() {
        if let Field::Given(entries) = root.tables("pair", &mut findings) {
            for mut entry in entries.value {
                let id = entry.text("id", &mut findings);
                ids.push(id.given().map_or_else(String::new, |id| id.value.clone()));
            }
        }
    }
    ids
}

#[test]
fn an_open_quote_or_brace_spoils_its_own_entry_only() {
    for broken in ["x = \"open", "x = \"\"\"open", "x = { a = 1", "x = [1,", "x = ", "= 3"] {
        let text = format!(
            "# first\n[[pair]]\nid = \"a\"\n[[pair]]\nid = \"b\"\n{broken}\n\n\
             [[pair]]\nid = \"c\"\n"
        );
        let document = Document::parse_entries(Source::new("a.toml", &text), "pair");
        assert_eq!(ids(&document), ["a", "b", "c"], "{broken}");
        assert_eq!(document.findings().len(), 1, "{broken}: {:#?}", document.findings());
        assert_eq!(document.findings()[0].at.line, 6, "{broken}");
    }
}

#[test]
fn positions_are_those_of_the_whole_text_even_when_parts_are_parsed() {
    let text = "[[pair]]\nid = \n[[pair]]\nid = 7\n";
    let document = Document::parse_entries(Source::new("a.toml", text), "pair");
    let mut findings = Vec::new();
    for mut root in document.roots() {
        let Field::Given(entries) = root.tables("pair", &mut findings) else { panic!("no pairs") };
        for mut entry in entries.value {
            entry.text("id", &mut findings);
        }
    }
    let found = findings.last().unwrap();
    assert_eq!((found.at.line, found.at.column), (4, 6));
    assert_eq!(found.what, "`pair.id` is the whole number 7");
    assert_eq!(found.cure, "write `id = \"…\"`");
}

#[test]
fn a_value_of_the_wrong_kind_shows_how_to_write_it() {
    let text = "a = 0.002\nb = \"500\"\nc = \"2026-12-09\"\nd = 2026-12-09T10:00:00Z\n\
                e = 1.5\nf = 3\ng = [1]\n";
    let document = read(text);
    let mut findings = Vec::new();
    let mut root = document.roots().next().unwrap();
    assert_eq!(root.decimal("a", &mut findings), Field::Wrong);
    assert_eq!(root.integer("b", &mut findings), Field::Wrong);
    assert_eq!(root.date("c", &mut findings), Field::Wrong);
    assert_eq!(root.date("d", &mut findings), Field::Wrong);
    assert_eq!(root.integer("e", &mut findings), Field::Wrong);
    assert_eq!(root.decimal("f", &mut findings), Field::Wrong);
    assert!(matches!(root.table("g", &mut findings), Field::Wrong));
    assert!(root.text("h", &mut findings).is_missing());
    let cures: Vec<_> = findings.iter().map(|finding| finding.cure.as_str()).collect();
    assert_eq!(
        cures,
        [
            "write `a = \"0.002\"`",
            "write `b = 500`",
            "write `c = 2026-12-09`",
            "write `d = 2026-12-09`",
            "write `e = 1`",
            "write `f = \"3\"`",
            "write `g = { … }`",
        ]
    );
}

#[test]
fn a_key_that_nobody_asked_for_is_a_finding() {
    let document = read("kalshy = \"x\"\nzzz = 1\n");
    let mut findings = Vec::new();
    let mut root = document.roots().next().unwrap();
    let _ = root.text("kalshi", &mut findings);
    root.finish(&mut findings);
    assert_eq!(findings[0].cure, "did you mean `kalshi`?");
    assert_eq!((findings[1].at.line, findings[1].at.column), (2, 1));
    assert_eq!(findings[1].cure, "a file may hold `kalshi`");
}

#[test]
fn a_file_that_no_person_wrote_is_refused_unread() {
    let text = "#".repeat(BYTES_MAX + 1);
    let document = Document::parse_entries(Source::new("a.toml", &text), "pair");
    assert_eq!(document.findings().len(), 1);
    assert!(document.roots().next().is_none());
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}|[\\[\\]{}=\"'.a1\\n #-]{0,120}") {
        for document in [read(&text), Document::parse_entries(Source::new("a.toml", &text), "a")] {
            let mut findings = Vec::new();
            for mut root in document.roots() {
                let _ = root.text("a", &mut findings);
                let _ = root.tables("aa", &mut findings);
                root.finish(&mut findings);
            }
        }
    }
}
