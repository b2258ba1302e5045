//! The configuration: found, read, and every mistake in it shown at once.

use std::path::Path;

use crate::config::{self, Overrides, Settings};
use crate::domain::Finding;
use crate::ui::findings;

use super::clock;
use super::exit::Misuse;
use super::mappings::read_file;

/// The settings without a user's file.
pub fn defaults() -> anyhow::Result<Settings> {
    load(None, &Overrides::default())
}

/// The settings of a text that a program made or recorded.
pub fn from_text(name: &str, text: &str) -> anyhow::Result<Settings> {
    load(Some((name, text)), &Overrides::default())
}

/// The settings of a user's file, if there is one, and the file's text.
pub fn from_file(path: Option<&Path>, overrides: &Overrides) -> anyhow::Result<(Settings, String)> {
    let file = match path {
        Some(path) => Some(read_file(path).map_err(|error| Misuse(format!("{error:#}")))?),
        None => None,
    };
    let named = file.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
    let settings = load(named, overrides)?;
    Ok((settings, file.map(|(_, text)| text).unwrap_or_default()))
}

fn load(file: Option<(&str, &str)>, overrides: &Overrides) -> anyhow::Result<Settings> {
    config::load(file, overrides).map_err(|found| misuse(&found, file).into())
}

fn misuse(found: &[Finding], file: Option<(&str, &str)>) -> Misuse {
    let files: Vec<_> = file.into_iter().collect();
    let text = findings::excerpts(found, &files, clock::findings_colour());
    Misuse(format!("the configuration cannot be used ({})\n{text}", findings::count(found)))
}
