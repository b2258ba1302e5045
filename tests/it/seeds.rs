//! The seeds of the fuzz targets, and mutations of them, as an ordinary test.
//!
//! Whatever comes in from outside may be anything; every reader of it must come back.

use std::path::Path;

use crossbook::config::{self, Overrides};
use crossbook::pairing::check_files;
use crossbook::ui::findings::{Colour, excerpts, lines};
use crossbook::venue::{kalshi, polymarket};

/// Mutations of one seed.
const MUTATIONS: u64 = 2_000;

/// Larger seeds are for the fuzzer; a test of thousands of runs takes their beginning.
const SEED_BYTES_MAX: usize = 1_500;

/// A small generator of its own (splitmix64): a failure can be played again.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// Cuts, flips or doubles a part, up to four times.
fn mutate(seed: &[u8], dice: &mut Dice) -> String {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        let end = (at + dice.below(40)).min(bytes.len());
        match dice.below(5) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let part = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, part));
            }
            3 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
            _ => {
                const SIGNIFICANT: &[u8] = b"\"{}[],:.-+eE0123456789\\ \n='#\xC3\xFF";
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = SIGNIFICANT[dice.below(SIGNIFICANT.len())];
                }
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn run(target: &str, swallow: fn(&str)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut paths: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let seed = std::fs::read(&path).unwrap();
        swallow(&String::from_utf8_lossy(&seed));
        let start = &seed[..seed.len().min(SEED_BYTES_MAX)];
        for number in 0..MUTATIONS {
            let text = mutate(start, &mut Dice(number));
            let came_back = std::panic::catch_unwind(|| swallow(&text)).is_ok();
            assert!(came_back, "{} after mutation {number}:\n{text}", path.display());
        }
    }
}

#[test]
fn any_kalshi_text_is_swallowed() {
    run("kalshi_frame", kalshi::fuzz_text);
}

#[test]
fn any_polymarket_text_is_swallowed() {
    run("polymarket_frame", polymarket::swallow);
}

#[test]
fn any_mapping_file_is_checked() {
    run("mapping_file", |text| {
        let files = [("seed.toml", text)];
        let checked = check_files(&files, "2026-11-22".parse().unwrap());
        let _ = lines(&checked.findings);
        let _ = excerpts(&checked.findings, &files, Colour::Plain);
    });
}

#[test]
fn any_configuration_is_checked() {
    run("config_file", |text| {
        if let Err(findings) = config::load(Some(("seed.toml", text)), &Overrides::default()) {
            assert!(!findings.is_empty(), "refused without a reason:\n{text}");
            let _ = excerpts(&findings, &[("seed.toml", text)], Colour::Plain);
        }
    });
}
