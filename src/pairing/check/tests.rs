use super::*;
use crate::domain::Severity;
use crate::pairing::{Branch, Legs, Payoff, Relation, Standing};
use proptest::prelude::*;

const CONDITION: &str = "0xabcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789";

fn today() -> Date {
    "2026-11-22".parse().unwrap()
}

/// An entry that is right in everything.
fn approved() -> String {
    format!(
        r#"[[pair]]
id = "fed-2026-12-hold"
title = "Fed holds rates at the December 2026 meeting"
relation = "same"
status = "approved"
kalshi = {{ ticker = "KXFEDDECISION-26DEC-H0" }}
polymarket = {{ condition = "{CONDITION}", outcome = "Yes" }}
settles = 2026-12-09
resolution_risk = "0.002"

[pair.payoff]
void = {{ kalshi = "last", polymarket = "0.50" }}
early_close = {{ kalshi = "as-resolved", polymarket = "fair" }}

[pair.review]
by = "reviewer"
on = 2026-11-20
kalshi_rules = "sha256:{a}"
polymarket_rules = "sha256:{b}"
notes = "both settle on the FOMC statement"

[pair.limits]
max_contracts = 500
min_edge = "0.010"
legs = "polymarket-first"
"#,
        a = "0a".repeat(32),
        b = "B1".repeat(32),
    )
}

fn check(text: &str) -> Checked {
    check_files(&[("m.toml", text)], today())
}

/// `line:column severity what; why; cure` of each finding.
fn told(checked: &Checked) -> Vec<String> {
    let line = |finding: &Finding| {
        format!(
            "{}:{} {} {}; {}; {}",
            finding.at.line,
            finding.at.column,
            finding.severity.name(),
            finding.what,
            finding.why,
            finding.cure
        )
    };
    checked.findings.iter().map(line).collect()
}

#[test]
fn a_right_entry_becomes_the_pair_it_says() {
    let checked = check(&approved());
    assert_eq!(told(&checked), Vec::<String>::new());
    let [pair] = checked.pairs.as_slice() else { panic!("one pair") };
    assert_eq!(pair.id.0, "fed-2026-12-hold");
    assert_eq!(pair.relation, Relation::Same);
    assert_eq!(pair.standing, Standing::Approved);
    assert_eq!(pair.kalshi, "KXFEDDECISION-26DEC-H0");
    assert_eq!(pair.polymarket, CONDITION);
    assert_eq!(pair.outcome, "Yes");
    assert_eq!(pair.settles, Some("2026-12-09".parse().unwrap()));
    assert_eq!(pair.resolution_risk, Money::parse("0.002").unwrap());
    let branch = |case: &str, kalshi, polymarket| Branch { case: case.into(), kalshi, polymarket };
    let half = Payoff::Fixed(Money::parse("0.5").unwrap());
    assert_eq!(
        pair.payoff,
        [
            branch("void", Payoff::Last, half),
            branch("early_close", Payoff::AsResolved, Payoff::Fair)
        ]
    );
    let review = pair.review.as_ref().unwrap();
    assert_eq!(review.by, "reviewer");
    assert_eq!(review.kalshi_rules.as_deref(), Some("0a".repeat(32).as_str()));
    assert_eq!(review.polymarket_rules.as_deref(), Some("b1".repeat(32).as_str()));
    assert_eq!(pair.limits.contracts_max, Some(crate::domain::Quantity::contracts(500)));
    assert_eq!(pair.limits.edge_min, Some(Money::parse("0.01").unwrap()));
    assert_eq!(pair.limits.legs, Some(Legs::PolymarketFirst));
    assert_eq!((pair.place.file.as_str(), pair.place.line), ("m.toml", 1));
}

#[test]
fn a_proposed_pair_needs_only_what_names_it() {
    let text = approved();
    let end = text.find("settles").unwrap();
    let text = text[..end].replace("approved", "proposed");
    let checked = check(&text);
    assert_eq!(told(&checked), Vec::<String>::new());
    assert_eq!(checked.pairs[0].resolution_risk, Money::ZERO);
    assert_eq!(checked.pairs[0].settles, None);
}

/// Changes one line of the right entry and returns the one finding.
#[track_caller]
fn one(from: &str, to: &str) -> (u32, u32, String) {
    let text = approved();
    assert!(text.contains(from), "{from}");
    let checked = check(&text.replacen(from, to, 1));
    let told = told(&checked);
    assert_eq!(told.len(), 1, "{from} -> {to}: {told:#?}");
    let finding = &checked.findings[0];
    assert_eq!(checked.pairs.is_empty(), finding.is_error(), "{told:?}");
    (finding.at.line, finding.at.column, told[0].clone())
}

/// What is replaced in the right entry, by what, and the line, column and words of the one finding.
type Case = (&'static str, &'static str, u32, u32, &'static str);

const TOKEN: &str =
    "108233603819467706476318984012158651931658302669301887462181073562758483842092";
const LONG_ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const LONG: &str = concat!(
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
);
const HOLD: &str = "\"fed-2026-12-hold\"";
const TITLE: &str = "Fed holds rates at the December 2026 meeting";
const TICKER: &str = "KXFEDDECISION-26DEC-H0";
const VOID: &str = "void = { kalshi = \"last\", polymarket = \"0.50\" }";

const CASES: &[Case] = &[
    ("id = \"fed-2026-12-hold\"\n", "\n", 1, 1, "this pair has no `id`"),
    (HOLD, "\"Fed 2026\"", 2, 6, "write `id = \"fed-2026\"`"),
    (HOLD, "\"-a\"", 2, 6, "write `id = \"a\"`"),
    (HOLD, "\"\"", 2, 6, "`` is no id"),
    ("fed-2026-12-hold", LONG_ID, 2, 6, "is no id"),
    (HOLD, "7", 2, 6, "`pair.id` is the whole number 7"),
    (TITLE, " ", 3, 9, "`title` is empty"),
    (TITLE, LONG, 3, 9, "201 characters"),
    ("Fed holds", "\\u001b[2J", 3, 9, "control characters"),
    ("relation = \"same\"", "relation = \"some\"", 4, 12, "did you mean `relation = \"same\"`?"),
    ("relation = \"same\"", "relation = \"x\"", 4, 12, "write one of `same`, `opposite`"),
    ("relation = \"same\"", "relation = true", 4, 12, "`pair.relation` is `true`"),
    (
        "status = \"approved\"",
        "status = \"aproved\"",
        5,
        10,
        "did you mean `status = \"approved\"`?",
    ),
    ("kalshi = { ticker = \"KXFEDDECISION-26DEC-H0\" }\n", "\n", 1, 1, "has no `kalshi`"),
    ("kalshi = { ticker", "kalshi = { tiker", 6, 12, "did you mean `ticker`?"),
    (
        "KXFEDDECISION-26DEC-H0",
        "kxfeddecision-26dec-h0",
        6,
        21,
        "write `ticker = \"KXFEDDECISION-26DEC-H0\"`",
    ),
    (TICKER, "https://kalshi.com/markets/kxfed-26", 6, 21, "not the address"),
    (TICKER, "KXFED H0", 6, 21, "is no Kalshi ticker"),
    (TICKER, "", 6, 21, "is no Kalshi ticker"),
    ("0xabcdef", "0Xabcdef", 7, 28, "does not begin with `0x`"),
    ("0xabcdef", "abcdef", 7, 28, "does not begin with `0x`"),
    ("456789\",", "4567\",", 7, 28, "right-pad to 64 with `00`"),
    ("456789\",", "45678\",", 7, 28, "has 63 hex digits"),
    ("456789\",", "45678g\",", 7, 28, "is no condition id"),
    (CONDITION, TOKEN, 7, 28, "this is a token id"),
    (", outcome = \"Yes\" }", " }", 1, 1, "this pair has no `outcome`"),
    ("outcome = \"Yes\"", "outcome = \"\"", 7, 108, "`outcome` is empty"),
    ("2026-12-09", "\"2026-12-09\"", 8, 11, "write `settles = 2026-12-09`"),
    ("2026-12-09", "2026-12-09T10:00:00Z", 8, 11, "write `settles = 2026-12-09`"),
    ("2026-12-09", "2026-11-21", 8, 11, "which is past"),
    ("\"0.002\"", "0.002", 9, 19, "write `resolution_risk = \"0.002\"`"),
    ("\"0.002\"", "\"1\"", 9, 19, "at least 0 and less than 1"),
    ("\"0.002\"", "\"-0.1\"", 9, 19, "at least 0 and less than 1"),
    ("\"0.002\"", "\"0.0000001\"", 9, 19, "at most 6 decimals count"),
    ("\"0.002\"", "\"2e-3\"", 9, 19, "a plain decimal number belongs here"),
    ("resolution_risk = \"0.002\"\n", "\n", 5, 10, "without `resolution_risk`"),
    ("\"last\"", "\"lst\"", 12, 19, "did you mean `payoff = \"last\"`?"),
    ("\"0.50\"", "0.50", 12, 40, "write `polymarket = \"0.50\"`"),
    ("\"0.50\"", "\"1.01\"", 12, 40, "from 0 to 1 dollar"),
    (", polymarket = \"0.50\"", "", 12, 8, "does not say what polymarket pays"),
    ("void = {", "Void = {", 12, 1, "`Void` is no case"),
    ("void = {", "yes = {", 12, 1, "the case `yes` needs no row"),
    (VOID, "void = \"0.5\"", 12, 8, "`pair.payoff.void` is the text"),
    (
        "polymarket = \"0.50\" }",
        "polymarket = \"0.50\", poly = \"1\" }",
        12,
        48,
        "unknown key `poly`",
    ),
    ("by = \"reviewer\"\n", "\n", 15, 1, "the review of an approved pair has no `by`"),
    ("on = 2026-11-20\n", "\n", 15, 1, "the review of an approved pair has no `on`"),
    ("on = 2026-11-20", "on = 2026-11-24", 17, 6, "the review is dated 2026-11-24"),
    ("kalshi_rules = \"sha256:", "kalshi_rules = \"md5:", 18, 16, "is no hash"),
    ("kalshi_rules = \"sha256:", "kalshi_rules = \"", 18, 16, "write `kalshi_rules = \"sha256:0a"),
    ("notes = \"both settle on the FOMC statement\"", "notes = 1", 20, 9, "`pair.review.notes` is"),
    ("max_contracts = 500", "max_contracts = 0", 23, 17, "from 1 to 1000000000"),
    ("max_contracts = 500", "max_contracts = \"500\"", 23, 17, "write `max_contracts = 500`"),
    ("max_contracts = 500", "max_contracts = 1.5", 23, 17, "write `max_contracts = 1`"),
    ("min_edge = \"0.010\"", "min_edge = 0.01", 24, 12, "write `min_edge = \"0.01\"`"),
    ("min_edge = \"0.010\"", "min_edge = \"1.0\"", 24, 12, "less than 1"),
    (
        "legs = \"polymarket-first\"",
        "legs = \"polymarket_first\"",
        25,
        8,
        "did you mean `legs = \"polymarket-first\"`?",
    ),
    ("max_contracts", "contracts_max", 23, 1, "unknown key `contracts_max`"),
    ("settles", "setles", 8, 1, "did you mean `settles`?"),
];

#[test]
fn every_field_has_its_error_in_its_place() {
    for (from, to, line, column, expected) in CASES {
        let (at_line, at_column, told) = one(from, to);
        assert_eq!((at_line, at_column), (*line, *column), "{from} -> {to}: {told}");
        assert!(told.contains(expected), "{from} -> {to}: {told}");
    }
}

#[test]
fn approval_demands_payoff_and_review_and_warns_of_missing_hashes() {
    let text = approved();
    let without = |from: &str, to: &str| {
        let start = text.find(from).unwrap();
        let end = text.find(to).unwrap();
        check(&format!("{}{}", &text[..start], &text[end..]))
    };
    let checked = without("[pair.payoff]", "[pair.review]");
    assert!(told(&checked)[0].starts_with("5:10 error an approved pair without a payoff table"));
    let checked = without("[pair.review]", "[pair.limits]");
    assert!(told(&checked)[0].starts_with("5:10 error an approved pair without a review"));
    assert!(checked.pairs.is_empty());
    let checked = without("kalshi_rules", "polymarket_rules");
    assert!(told(&checked)[0].starts_with("15:1 warning the review has no `kalshi_rules`"));
    assert_eq!(checked.pairs.len(), 1);
    assert!(!checked.has_errors());
}

#[test]
fn an_id_is_unique_over_all_files_and_the_first_place_is_named() {
    let other = approved().replace("H0", "H25");
    let checked = check_files(&[("a.toml", approved()), ("b.toml", other)], today());
    assert_eq!(checked.pairs.len(), 1);
    assert_eq!(checked.pairs[0].place.file, "a.toml");
    let [finding] = checked.findings.as_slice() else { panic!("one finding") };
    assert_eq!((finding.at.file.as_str(), finding.at.line, finding.at.column), ("b.toml", 2, 6));
    assert!(finding.cure.contains("a.toml:2:6"), "{}", finding.cure);
    assert_eq!(finding.other.as_ref().unwrap().0.file, "a.toml");
    assert_eq!(checked.broken[0].id.as_ref().unwrap().0, "fed-2026-12-hold");
}

#[test]
fn the_same_two_markets_are_paired_once() {
    let other = approved().replace("fed-2026-12-hold", "again").replace("0xabcdef", "0xABCDEF");
    let checked = check_files(&[("a.toml", approved()), ("b.toml", other)], today());
    assert_eq!(checked.pairs.len(), 1);
    assert!(told(&checked)[0].contains("pairs the same two markets as `fed-2026-12-hold`"));
    assert!(told(&checked)[0].contains("a.toml:1"));
}

#[test]
fn five_different_mistakes_are_five_findings_and_the_good_entry_stands() {
    let text = include_str!("../../../tests/data/mappings/five_mistakes.toml");
    let checked = check(text);
    let places: Vec<_> =
        checked.findings.iter().map(|finding| (finding.at.line, finding.at.column)).collect();
    assert_eq!(places, [(6, 12), (17, 28), (26, 19), (39, 18), (46, 6)], "{:#?}", told(&checked));
    assert!(checked.findings.iter().all(|finding| finding.severity == Severity::Error));
    let ids: Vec<_> = checked.pairs.iter().map(|pair| pair.id.0.as_str()).collect();
    assert_eq!(ids, ["good-one"]);
    assert_eq!(checked.broken.len(), 5);
    assert_eq!(checked.torn, ["m.toml"]);
}

#[test]
fn what_follows_from_broken_toml_is_not_told_too() {
    for (from, to, line) in [
        ("kalshi = { ticker = \"KXFEDDECISION-26DEC-H0\" }", "kalshi = { ticker = \"KX\"", 6),
        ("id = \"fed-2026-12-hold\"", "id = ", 2),
        ("id = \"fed-2026-12-hold\"", "id \"fed-2026-12-hold\"", 2),
    ] {
        let checked = check(&approved().replacen(from, to, 1));
        println!("{:#?}", told(&checked));
        assert_eq!(checked.findings.len(), 1, "{from}: {:#?}", told(&checked));
        assert_eq!(checked.findings[0].at.line, line);
        assert!(checked.pairs.is_empty());
    }
}

#[test]
fn several_mistakes_of_one_entry_are_all_told() {
    let text = approved()
        .replace("\"same\"", "\"samme\"")
        .replace("KXFED", "kxfed")
        .replace("\"0.50\"", "0.50")
        .replace("500", "0");
    assert_eq!(check(&text).findings.len(), 4);
}

#[test]
fn single_brackets_are_explained() {
    let checked = check(&approved().replace("[[pair]]", "[pair]"));
    assert_eq!(checked.findings.len(), 1, "{:#?}", told(&checked));
    assert!(told(&checked)[0].contains("write `[[pair]]`"));
    assert_eq!(checked.torn, ["m.toml"]);
}

#[test]
fn an_unknown_table_leaves_the_file_torn() {
    let checked = check(&approved().replace("[[pair]]", "[[pairs]]").replace("[pair.", "[pairs."));
    assert!(told(&checked)[0].contains("did you mean `pair`?"), "{:#?}", told(&checked));
    assert_eq!(checked.torn, ["m.toml"]);
}

#[test]
fn a_file_that_cannot_be_read_is_a_finding() {
    let mut checked = check(&approved());
    checked.note_unreadable("b.toml", "permission denied");
    assert!(checked.has_errors());
    assert_eq!(checked.torn, ["b.toml"]);
    assert_eq!(checked.findings[0].what, "this file cannot be read: permission denied");
}

#[test]
fn an_empty_file_holds_no_pair_and_no_mistake() {
    let checked = check("# nothing\n");
    assert!(checked.findings.is_empty() && checked.pairs.is_empty() && checked.torn.is_empty());
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        check(&text);
    }

    #[test]
    fn damage_in_one_entry_leaves_the_next_one_standing(
        at in 0usize..900, length in 0usize..60, splash in "[\\[\\]{}=\"'.,a1\\n# -]{0,8}",
    ) {
        let text = approved();
        let (start, end) = (at.min(text.len()), (at + length).min(text.len()));
        let behind = approved().replace("hold", "x").replace("H0", "H1");
        let text = format!("{}{splash}{}\n{behind}", &text[..start], &text[end..]);
        let checked = check(&text);
        // Whatever the damage, the entry behind it stands.
        let stands = checked.pairs.iter().any(|pair| pair.id.0 == "fed-2026-12-x");
        prop_assert!(stands, "{:#?}", told(&checked));
        for finding in &checked.findings {
            prop_assert!(text.get(finding.at.span.clone()).is_some());
        }
    }
}
