//! Mapping files from text to what a person reads, and the files that are shipped.

use std::path::Path;

use crossbook::domain::Date;
use crossbook::pairing::{check_files, file};
use crossbook::ui::findings::{Colour, excerpts, lines};

fn today() -> Date {
    "2026-11-22".parse().unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// Trailing blanks are the drawing's own and no matter of ours.
fn trimmed(text: &str) -> String {
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[test]
fn five_mistakes_are_drawn_as_they_were_before() {
    let text = read("tests/data/mappings/five_mistakes.toml");
    let files = [("five_mistakes.toml", text)];
    let checked = check_files(&files, today());
    let drawn = trimmed(&excerpts(&checked.findings, &files, Colour::Plain))
        + "\n"
        + &lines(&checked.findings);
    let golden = read("tests/data/mappings/five_mistakes.txt");
    assert_eq!(drawn, golden, "drawn now:\n{drawn}");
}

#[test]
fn every_shipped_mapping_file_is_without_findings() {
    let folder = root().join("mappings");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("#:schema ./schema.json\n"), "{}", path.display());
            files.push((path.display().to_string(), text));
        }
    }
    files.sort();
    let checked = check_files(&files, today());
    assert_eq!(checked.findings, [], "{}", lines(&checked.findings));
    assert!(checked.pairs.len() >= 6);
}

/// The schema is written by hand; it knows the keys and words that the check knows.
#[test]
fn the_schema_and_the_check_know_the_same_keys() {
    let schema: serde_json::Value = serde_json::from_str(&read("mappings/schema.json")).unwrap();
    let keys = |pointer: &str| {
        let properties = schema.pointer(pointer).unwrap().as_object().unwrap();
        let mut keys: Vec<_> = properties.keys().cloned().collect();
        keys.sort();
        keys
    };
    let sorted = |known: &[&str]| {
        let mut known: Vec<_> = known.iter().map(ToString::to_string).collect();
        known.sort();
        known
    };
    let pair = "/definitions/pair/properties";
    assert_eq!(keys(pair), sorted(file::PAIR_KEYS));
    assert_eq!(keys(&format!("{pair}/kalshi/properties")), sorted(file::KALSHI_KEYS));
    assert_eq!(keys(&format!("{pair}/polymarket/properties")), sorted(file::POLYMARKET_KEYS));
    assert_eq!(keys(&format!("{pair}/review/properties")), sorted(file::REVIEW_KEYS));
    assert_eq!(keys(&format!("{pair}/limits/properties")), sorted(file::LIMITS_KEYS));
    assert_eq!(keys("/definitions/branch/properties"), sorted(file::PAYOFF_KEYS));
    for (pointer, key) in
        [("relation", "relation"), ("status", "status"), ("limits/properties/legs", "legs")]
    {
        let words = schema.pointer(&format!("{pair}/{pointer}/enum")).unwrap().as_array().unwrap();
        for word in words {
            let text = format!("[[pair]]\n{key} = {word}\n[pair.limits]\n{key} = {word}\n");
            let checked = check_files(&[("a", text)], today());
            let refused = checked.findings.iter().any(|it| it.what.contains("is no "));
            assert!(!refused, "{key} = {word}: {}", lines(&checked.findings));
        }
    }
}
