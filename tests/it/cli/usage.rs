//! Arguments, configuration and mapping files that are wrong, and the help.

use super::run::{PATIENCE, arg, crossbook, run};
use super::sim::{Sim, Twist, is_feed};

#[test]
fn a_configuration_that_is_not_there_or_not_right_ends_with_2_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.toml");
    let ended = run(&["watch", "--config", arg(&absent)]);
    ended.expect(2);
    assert!(ended.errors.contains("configuration file"), "{}", ended.errors);
    assert!(ended.errors.contains(arg(&absent)) && ended.errors.contains("No such file"));
    assert_eq!(ended.errors.lines().count(), 1);

    let file = folder.path().join("crossbook.toml");
    std::fs::write(&file, "[detect]\nedge_mni = \"0.01\"\n\n[kalshi]\nrest = 5\n").unwrap();
    let ended = run(&["watch", "--config", arg(&file)]);
    ended.expect(2);
    for words in [
        "2 errors",
        "crossbook.toml:2:1",
        "unknown key `edge_mni`",
        "did you mean `edge_min`?",
        "crossbook.toml:5:8",
        "a text in quotes belongs here",
    ] {
        assert!(ended.errors.contains(words), "`{words}` in:\n{}", ended.errors);
    }

    let ended = run(&["watch", "--mappings", arg(&folder.path().join("nowhere"))]);
    ended.expect(2);
    assert!(ended.errors.contains("nowhere") && ended.errors.contains("--mappings"));
}

#[test]
fn the_log_level_of_the_configuration_counts_unless_the_command_line_names_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crossbook.toml");
    std::fs::write(&file, "[log]\nlevel = \"loud\"\n").unwrap();
    let ended = run(&["watch", "--config", arg(&file)]);
    ended.expect(2);
    assert!(ended.errors.contains("`loud` is no log level"), "{}", ended.errors);
    for args in [&["--log", "loud", "demo"][..], &["pairs", "list", "--log", "loud"]] {
        let ended = run(args);
        ended.expect(2);
        assert!(ended.errors.contains("`loud` is no log level"), "{}", ended.errors);
    }
    let sim = Sim::start();
    let dir = sim.mappings(|text| text);
    let config = sim.config(&Twist::default());
    let text = std::fs::read_to_string(&config).unwrap() + "[log]\nlevel = \"info\"\n";
    std::fs::write(&config, text).unwrap();
    for (more, told) in [(&["--json"][..], true), (&["--json", "--log", "warn"], false)] {
        let mut watch = sim.watch(&config, &dir, more);
        watch.wait_record("kalshi live", |record| is_feed(record, "kalshi", "live"));
        watch.interrupt();
        let ended = watch.finish(PATIENCE);
        ended.expect(130);
        assert_eq!(ended.errors.contains("connection 0 is live"), told, "{}", ended.errors);
    }
}

fn five_mistakes() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/mappings/five_mistakes.toml");
    std::fs::copy(from, folder.path().join("pairs.toml")).unwrap();
    folder
}

const FIVE: [(&str, &str); 5] = [
    ("pairs.toml:6:12", "`sane` is no relation"),
    ("pairs.toml:17:28", "62 hex digits"),
    ("pairs.toml:26:19", "a decimal number in quotes belongs here"),
    ("pairs.toml:39:18", "put the text in double quotes"),
    ("pairs.toml:46:6", "the id `good-one` is taken"),
];

#[test]
fn five_mistakes_in_a_mapping_file_are_all_told_at_once() {
    let folder = five_mistakes();
    let dir = arg(folder.path());
    let ended = run(&["pairs", "check", dir]);
    let text = ended.expect(2).text();
    for (place, what) in FIVE {
        assert!(text.contains(place) && text.contains(what), "{place} {what} in:\n{text}");
    }
    assert!(text.ends_with("1 file, 1 pair without errors, 5 errors"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours into a pipe");

    let ended = run(&["pairs", "check", dir, "--json"]);
    let summary = ended.expect(2).summary();
    assert_eq!((summary["errors"].as_u64(), summary["pairs"].as_u64()), (Some(5), Some(1)));
    let findings: Vec<_> = ended.records().into_iter().filter(|r| r["kind"] == "finding").collect();
    for ((place, what), found) in FIVE.into_iter().zip(&findings) {
        let file = found["file"].as_str().unwrap();
        let told = format!("{file}:{}:{}", found["line"], found["column"]);
        assert!(told.ends_with(place), "{told}, {place}");
        let text = format!("{} {} {}", found["what"], found["why"], found["cure"]);
        assert!(text.contains(&what.replace('"', "\\\"")), "{text}, {what}");
    }

    let listed = run(&["pairs", "list", dir]);
    listed.expect(2);
    assert!(listed.text().contains("good-one"));
    assert!(listed.text().contains("5 broken entries are left out"), "{}", listed.text());
}

#[test]
fn five_mistakes_do_not_keep_the_good_pairs_from_being_watched() {
    let sim = Sim::start();
    let broken = five_mistakes();
    let dir = sim.mappings(|text| text);
    std::fs::copy(broken.path().join("pairs.toml"), dir.join("a_broken.toml")).unwrap();
    let more = ["--json", "--seconds", "8"];
    let watch = sim.watch(&sim.config(&Twist::default()), &dir, &more);
    let ended = watch.finish(PATIENCE);
    let summary = ended.expect(0).summary();
    assert_eq!(summary["pairs"], 8, "{summary}");
    assert!(summary["rejections"]["below_threshold"].as_u64().unwrap() > 0, "{summary}");
    for (place, what) in FIVE {
        let place = place.replace("pairs", "a_broken");
        let told = |line: &str| line.contains(&place) && line.contains(what);
        assert!(ended.errors.lines().any(told), "{place} {what} in:\n{}", ended.errors);
    }
    assert!(ended.text().contains("election-2026 is broken at"), "{}", ended.text());
}

#[test]
fn a_folder_without_pairs_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let dir = arg(folder.path());
    let listed = run(&["pairs", "list", dir]);
    assert!(listed.expect(0).text().contains("no pairs in"), "{}", listed.text());
    let checked = run(&["pairs", "check", dir]);
    assert_eq!(checked.expect(0).text(), "0 files, 0 pairs without errors, no findings");
    let sim = Sim::start();
    let config = sim.config(&Twist::default());
    let watched = sim.watch(&config, folder.path(), &["--seconds", "1"]).finish(PATIENCE);
    assert!(watched.expect(0).text().contains("there is no pair to watch"), "{}", watched.text());
}

#[test]
fn what_is_named_and_not_there_is_wrong_usage() {
    for args in [
        &["replay", "no/such/file"][..],
        &["pairs", "check", "no/such/folder"],
        &["pairs", "list", "no/such/folder"],
        &["replay", "Cargo.toml", "--markets", "no/such/file"],
        &["--nope"],
        &["demo", "--nope"],
        &["demo", "--seconds", "0"],
        &["demo", "--seconds", "1", "--steps", "1"],
        &["replay"],
        &["trade"],
    ] {
        let ended = run(args);
        ended.expect(2);
        assert!(ended.errors.starts_with("error: "), "{args:?}: {}", ended.errors);
        assert!(ended.lines.is_empty(), "{args:?}");
    }
}

#[test]
fn every_help_says_what_matters() {
    for (args, words) in [
        (&["--help"][..], &["demo", "watch", "replay", "sim", "pairs", "Exit codes", "130"][..]),
        (
            &["demo", "--help"],
            &["--seconds", "--steps", "--seed", "--faults", "--record", "--json"],
        ),
        (
            &["watch", "--help"],
            &["Alert-only", "--config", "--mappings", "CROSSBOOK_KALSHI_KEY_FILE", "polled"],
        ),
        (&["replay", "--help"], &["--ignore-seq", "--yes-prices", "--markets", "gzip"]),
        (&["sim", "--help"], &["--port", "First of six ports", "Ctrl-C", "--faults"]),
        (&["pairs", "--help"], &["check", "list"]),
        (&["pairs", "check", "--help"], &["file, line", "mappings", "--json"]),
        (&["pairs", "list", "--help"], &["mappings", "--json"]),
        (&["--version"], &["crossbook"]),
    ] {
        let ended = run(args);
        let text = ended.expect(0).text();
        for word in words {
            assert!(text.contains(word), "{args:?} lacks `{word}`:\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{args:?}:\n{text}");
    }
}

#[test]
fn no_secret_of_the_environment_is_shown_by_the_help() {
    let mut command = crossbook(&["watch", "--help"]);
    command.env("CROSSBOOK_KALSHI_KEY_ID", "an-id-of-mine");
    let text = super::run::Running::spawn(command).finish(PATIENCE).expect(0).text();
    assert!(!text.contains("an-id-of-mine"), "{text}");
}
