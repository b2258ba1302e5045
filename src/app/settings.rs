//! The configuration: found, read, and every mistake in it shown at once.

use std::path::Path;

use anyhow::Context as _;

use crate::config::{self, Level, Overrides, Settings};
use crate::domain::Finding;
use crate::ui::findings;

use super::clock;
use super::exit::Misuse;
use super::mappings::read_file;

/// The settings without a user's file.
pub fn defaults() -> anyhow::Result<Settings> {
    load(None, &Overrides::default())
}

/// The level of the log where no configuration file speaks of it.
pub fn log_level(asked: Option<String>) -> anyhow::Result<Level> {
    Ok(load(None, &Overrides { log_level: asked, ..Overrides::default() })?.log.level)
}

/// A configuration as a recording may hold it: without the id of a key, the path to one, and whose
/// wallet signs.
pub fn for_recording(text: &str) -> anyhow::Result<String> {
    let mut table: toml::Table = text.parse().context("the configuration is no TOML")?;
    if let Some(toml::Value::Table(kalshi)) = table.get_mut("kalshi") {
        kalshi.retain(|key, _| !key.starts_with("key_"));
    }
    if let Some(toml::Value::Table(polymarket)) = table.get_mut("polymarket") {
        polymarket.retain(|key, _| !key.starts_with("wallet"));
    }
    toml::to_string(&table).context("the configuration cannot be recorded")
}

/// The settings of a text that a program made or recorded.
pub fn from_text(name: &str, text: &str) -> anyhow::Result<Settings> {
    load(Some((name, text)), &Overrides::default())
}

/// The settings of a user's file, if there is one, and the file's text.
pub fn from_file(path: Option<&Path>, overrides: &Overrides) -> anyhow::Result<(Settings, String)> {
    let file = match path {
        Some(path) => Some(
            read_file(path)
                .map_err(|error| Misuse(format!("the configuration file: {error:#}")))?,
        ),
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
    let text = findings::excerpts(found, &files, clock::error_colour());
    Misuse(format!("the configuration cannot be used ({})\n{text}", findings::count(found)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_id_reaches_a_recording() {
        let text = "[detect]\nedge_min = \"0.01\"\n[kalshi]\nkey_id = \"an-id\" # mine\n\
                    key_file = \"keys/mine.pem\"\npoll_per_s = 3\n[polymarket]\n\
                    wallet_key_file = \"keys/wallet.key\"\n";
        let recorded = for_recording(text).unwrap();
        for secret in ["an-id", "mine.pem", "wallet"] {
            assert!(!recorded.contains(secret), "{recorded}");
        }
        let settings = from_text("recording", &recorded).unwrap();
        assert_eq!(settings.kalshi.poll_per_s, 3);
        assert_eq!(settings.detect.edge_min, from_text("a", text).unwrap().detect.edge_min);
    }
}
