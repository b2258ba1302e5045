//! The rules of the house as tests: arrows between rooms, sizes, bans, one home for defaults.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the house fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms a room may import. `app` may import everything, `main` only `app`.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("net", &[]),
    ("book", &["domain"]),
    ("document", &["domain"]),
    ("pairing", &["domain", "document"]),
    ("detect", &["domain", "book", "pairing"]),
    ("plan", &["domain", "pairing", "detect"]),
    ("risk", &["domain", "pairing", "plan"]),
    ("execute", &["domain", "book", "pairing", "plan", "risk"]),
    ("engine", &["domain", "book", "pairing", "detect", "plan", "risk", "execute"]),
    ("journal", &["domain", "detect", "pairing", "plan", "risk", "execute", "engine"]),
    ("venue", &["domain", "book", "net"]),
    ("exchange", &["domain", "net"]),
    ("record", &["domain"]),
    ("ui", &["domain", "engine"]),
    ("config", &["domain", "document", "pairing", "plan", "risk", "execute", "journal"]),
];

/// Rooms without I/O, clocks, randomness, environment, async and floats.
const CORE: &[&str] = &["domain", "book", "pairing", "detect", "plan", "risk", "execute", "engine"];

const FILE_LINES_MAX: usize = 500;
const LINE_COLUMNS_MAX: usize = 100;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// All source files with the room each belongs to.
fn sources() -> Vec<(String, PathBuf, String)> {
    let src = root().join("src");
    files_below(&src, "rs")
        .into_iter()
        .map(|path| {
            let relative = path.strip_prefix(&src).unwrap();
            let first = relative.components().next().unwrap().as_os_str().to_string_lossy();
            let room = first.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).unwrap();
            (room, path, text)
        })
        .collect()
}

/// Test modules stand in `tests.rs`, below a folder `tests/`, or in a file named for what was
/// recorded elsewhere.
fn is_test_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs" || name == "recorded.rs")
        || path.components().any(|part| part.as_os_str() == "tests")
}

/// The lines of a file that are neither tests nor comments, with their numbers.
fn code_lines(path: &Path, text: &str) -> Vec<(usize, String)> {
    if is_test_file(path) {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            break;
        }
        let code = line.split("//").next().unwrap_or_default();
        if !code.trim().is_empty() {
            lines.push((index + 1, code.to_owned()));
        }
    }
    lines
}

fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn rooms_import_only_what_their_row_allows() {
    let arrows: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (room, path, text) in sources() {
        let allowed: &[&str] = match room.as_str() {
            "lib" | "app" => continue,
            "main" => &["app"],
            room => arrows.get(room).unwrap_or_else(|| panic!("no arrows for room {room}")),
        };
        for (number, line) in code_lines(&path, &text) {
            for prefix in ["crate::", "crossbook::"] {
                for (at, _) in line.match_indices(prefix) {
                    let rest = &line[at + prefix.len()..];
                    let target: String =
                        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    let named = target.is_empty()
                        || target == room
                        || allowed.contains(&target.as_str())
                        || !arrows.contains_key(target.as_str()) && target != "app";
                    if !named || target.is_empty() {
                        wrong.push(format!("{}:{number}: {}", path.display(), line.trim()));
                    }
                }
            }
        }
    }
    assert_none(
        "a room imports what its row does not allow (or groups imports at `crate::{`)",
        &wrong,
    );
}

#[test]
fn the_core_is_pure() {
    const BANNED: &[&str] = &[
        "async ",
        ".await",
        "tokio",
        "std::time::Instant",
        "SystemTime",
        "Instant::now",
        "std::env",
        "std::fs",
        "std::net",
        "std::thread",
        "rand::",
        "reqwest",
        " f32",
        " f64",
        "<f64>",
        "<f32>",
        "HashMap::new",
        "RandomState",
    ];
    let mut wrong = Vec::new();
    for (room, path, text) in sources() {
        if !CORE.contains(&room.as_str()) {
            continue;
        }
        for (number, line) in code_lines(&path, &text) {
            let toml_door = path.ends_with("pairing/file.rs");
            let serde = line.contains("serde") && !toml_door;
            if serde || BANNED.iter().any(|word| line.contains(word)) {
                wrong.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert_none("the core touches the world", &wrong);
}

#[test]
fn files_lines_and_functions_keep_their_size() {
    let mut wrong = Vec::new();
    for (_, path, text) in sources() {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX && !is_test_file(&path) {
            wrong.push(format!("{}: {lines} lines, at most {FILE_LINES_MAX}", path.display()));
        }
        for (index, line) in text.lines().enumerate() {
            if line.chars().count() > LINE_COLUMNS_MAX && !line.contains("://") {
                wrong.push(format!("{}:{}: too long", path.display(), index + 1));
            }
        }
    }
    // Functions are held to 70 lines by clippy's too_many_lines.
    let clippy = fs::read_to_string(root().join("clippy.toml")).unwrap();
    assert!(clippy.contains("too-many-lines-threshold = 70"));
    let main = fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(main.lines().count() < 60, "main.rs is only the door");
    assert_none("too large", &wrong);
}

#[test]
fn nothing_banned_is_in_the_source() {
    const BANNED: &[(&str, &str)] = &[
        (".unwrap()", "handle the case, or say why it cannot happen with a typed error"),
        ("println!", "write through ui"),
        ("unbounded_channel", "every queue has a limit and an overflow rule"),
        ("unsafe ", "there is a safe way"),
        ("todo!", "do it"),
        ("allow(clippy", "write #[expect(…, reason = \"…\")]"),
    ];
    let mut wrong = Vec::new();
    for (_, path, text) in sources() {
        for (number, line) in code_lines(&path, &text) {
            for (word, instead) in BANNED {
                if line.contains(word) {
                    wrong.push(format!("{}:{number}: {word} — {instead}", path.display()));
                }
            }
        }
    }
    assert_none("banned", &wrong);
}

#[test]
fn modules_have_a_duty_and_files_a_noun() {
    const NO_NAMES: &[&str] =
        &["utils", "helpers", "common", "types", "manager", "misc", "util", "helper"];
    let mut wrong = Vec::new();
    for (_, path, text) in sources() {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if NO_NAMES.contains(&stem.as_str()) {
            wrong.push(format!("{}: says nothing about what is inside", path.display()));
        }
        if !is_test_file(&path) && !text.starts_with("//!") {
            wrong.push(format!("{}: no module doc", path.display()));
        }
    }
    assert_none("names and duties", &wrong);
}

#[test]
fn every_default_is_in_one_place() {
    let wrong: Vec<_> = sources()
        .iter()
        .filter(|(room, ..)| room != "config" && room != "app")
        .flat_map(|(_, path, text)| {
            code_lines(path, text)
                .into_iter()
                .filter(|(_, line)| line.contains("config::"))
                .map(|(number, line)| format!("{}:{number}: {}", path.display(), line.trim()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_none("only app reads configuration", &wrong);
    assert!(root().join("src/config/default.toml").exists());
}

#[test]
fn the_project_speaks_of_itself_alone() {
    let mut wrong = Vec::new();
    let mut texts = files_below(&root().join("src"), "rs");
    texts.extend(files_below(&root().join("tests"), "rs"));
    texts.extend(files_below(&root().join("benches"), "rs"));
    texts.extend(files_below(&root().join("mappings"), "toml"));
    texts.extend(files_below(&root().join("mappings"), "md"));
    texts.push(root().join("README.md"));
    let this = root().join("tests/tidy.rs");
    for path in texts.into_iter().filter(|path| *path != this && path.exists()) {
        for (index, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            let machine = ["/root/", "/tmp/", "/home/"].iter().any(|p| line.contains(p));
            let stub = ["TODO", "FIXME", "XXX"].iter().any(|word| line.contains(word));
            if machine || stub {
                wrong.push(format!("{}:{}: {}", path.display(), index + 1, line.trim()));
            }
        }
    }
    assert_none("machine paths or unfinished work", &wrong);
}
