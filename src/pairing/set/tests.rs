use super::*;
use crate::pairing::check_files;

fn entry(id: &str, ticker: &str) -> String {
    format!(
        "[[pair]]\nid = \"{id}\"\ntitle = \"t\"\nrelation = \"same\"\nstatus = \"proposed\"\n\
         kalshi = {{ ticker = \"{ticker}\" }}\n\
         polymarket = {{ condition = \"0x{}\", outcome = \"Yes\" }}\n\n",
        "7".repeat(64)
    )
}

fn checked(files: &[(&str, String)]) -> Checked {
    check_files(files, "2026-11-22".parse().unwrap())
}

fn set(files: &[(&str, String)]) -> Set {
    let checked = checked(files);
    assert!(checked.findings.is_empty(), "{:?}", checked.findings);
    Set::from(checked)
}

/// `id=ticker` of each pair, and the lines that the renewal printed.
fn renewed(old: &Set, files: &[(&str, String)]) -> (Vec<String>, Vec<String>) {
    let (set, differences) = old.renew(&checked(files));
    let pairs = set.pairs().iter().map(|pair| format!("{}={}", pair.id, pair.kalshi)).collect();
    (pairs, differences.iter().map(ToString::to_string).collect())
}

fn two() -> Set {
    set(&[("m.toml", entry("a", "KXA") + &entry("b", "KXB"))])
}

#[test]
fn pairs_are_found_by_id_and_by_market() {
    let set = two();
    assert_eq!(set.len(), 2);
    assert_eq!(set.get(&PairId("b".into())).unwrap().kalshi, "KXB");
    assert!(set.get(&PairId("c".into())).is_none());
    use crate::domain::Venue;
    assert_eq!(set.index().pairs_of(Venue::Kalshi, "KXB"), [1]);
    let condition = format!("0x{}", "7".repeat(64));
    assert_eq!(set.index().pairs_of(Venue::Polymarket, &condition), [0, 1]);
    assert!(set.index().pairs_of(Venue::Kalshi, "KXC").is_empty());
    assert_eq!(set.index().markets(Venue::Kalshi), ["KXA", "KXB"]);
}

#[test]
fn an_equal_reading_changes_nothing_even_when_lines_move() {
    let text = "# a comment\n\n".to_owned() + &entry("b", "KXB") + &entry("a", "KXA");
    let (pairs, lines) = renewed(&two(), &[("m.toml", text)]);
    assert_eq!(pairs, ["a=KXA", "b=KXB"]);
    assert!(lines.is_empty(), "{lines:?}");
}

#[test]
fn entries_are_added_removed_and_changed() {
    let text = entry("b", "KXB2").replace("proposed", "suspended") + &entry("c", "KXC");
    let (pairs, lines) = renewed(&two(), &[("m.toml", text)]);
    assert_eq!(pairs, ["b=KXB2", "c=KXC"]);
    assert_eq!(
        lines,
        [
            "pair a removed",
            "pair b changed at m.toml:1: status, kalshi",
            "pair c added at m.toml:9",
        ]
    );
}

#[test]
fn a_broken_entry_leaves_its_last_good_form_in_force() {
    let text = entry("a", "kxa") + &entry("b", "KXB2") + &entry("new", "kxn");
    let (pairs, lines) = renewed(&two(), &[("m.toml", text)]);
    assert_eq!(pairs, ["a=KXA", "b=KXB2"]);
    assert_eq!(
        lines,
        [
            "pair b changed at m.toml:9: kalshi",
            "pair a is broken at m.toml:1: its last good form stays in force",
            "pair new is broken at m.toml:17: it is left out",
        ]
    );
}

#[test]
fn an_entry_whose_id_cannot_be_read_keeps_what_seems_absent_from_its_file() {
    let text = entry("a", "KXA").replace("id = \"a\"", "id = 3") + &entry("b", "KXB");
    let (pairs, lines) = renewed(&two(), &[("m.toml", text)]);
    assert_eq!(pairs, ["a=KXA", "b=KXB"]);
    assert_eq!(
        lines,
        [
            "a pair without a readable id is broken at m.toml:1: it is left out",
            "pair a stays in force: m.toml cannot be read to the end",
        ]
    );
}

#[test]
fn a_file_that_is_no_toml_keeps_all_its_pairs_and_the_other_files_are_renewed() {
    let old = set(&[("a.toml", entry("a", "KXA")), ("b.toml", entry("b", "KXB"))]);
    let files = [("a.toml", "\"\"\"".to_owned()), ("b.toml", entry("c", "KXC"))];
    let (pairs, lines) = renewed(&old, &files);
    assert_eq!(pairs, ["a=KXA", "c=KXC"]);
    assert_eq!(
        lines,
        [
            "pair b removed",
            "pair c added at b.toml:1",
            "pair a stays in force: a.toml cannot be read to the end",
        ]
    );
}

#[test]
fn an_unreadable_file_keeps_its_pairs() {
    let old = set(&[("a.toml", entry("a", "KXA")), ("b.toml", entry("b", "KXB"))]);
    let mut new = checked(&[("b.toml", entry("b", "KXB"))]);
    new.note_unreadable("a.toml", "permission denied");
    let (set, _) = old.renew(&new);
    assert_eq!(set.len(), 2);
}

#[test]
fn a_file_that_is_gone_takes_its_pairs_along() {
    let old = set(&[("a.toml", entry("a", "KXA")), ("b.toml", entry("b", "KXB"))]);
    let (pairs, lines) = renewed(&old, &[("b.toml", entry("b", "KXB"))]);
    assert_eq!(pairs, ["b=KXB"]);
    assert_eq!(lines, ["pair a removed"]);
}

#[test]
fn a_pair_may_move_to_another_file_while_its_old_one_is_torn() {
    let files =
        [("m.toml", "x = \n".to_owned() + &entry("b", "KXB")), ("n.toml", entry("a", "KXA2"))];
    let (pairs, _) = renewed(&two(), &files);
    assert_eq!(pairs, ["a=KXA2", "b=KXB"]);
}

#[test]
fn an_id_that_is_given_twice_stays_with_the_pair_that_had_it() {
    let files =
        [("0.toml", entry("b", "KXOTHER")), ("m.toml", entry("a", "KXA") + &entry("b", "KXB"))];
    let (pairs, lines) = renewed(&two(), &files);
    assert_eq!(pairs, ["a=KXA", "b=KXB"]);
    assert_eq!(lines, ["pair b is broken at m.toml:9: its last good form stays in force"]);
}

#[test]
fn nobody_takes_over_the_markets_of_a_pair_that_stays() {
    // b is broken and stays on KXB; a wants KXB and so stays on KXA; c wants KXA and is left out.
    let text = entry("a", "KXB") + &entry("b", "kxb") + &entry("c", "KXA");
    let (pairs, lines) = renewed(&two(), &[("m.toml", text)]);
    assert_eq!(pairs, ["a=KXA", "b=KXB"]);
    assert_eq!(
        lines,
        [
            "pair b is broken at m.toml:9: its last good form stays in force",
            "pair c is broken at m.toml:17: it is left out",
            "pair a is broken at m.toml:1: its last good form stays in force",
        ]
    );
}
