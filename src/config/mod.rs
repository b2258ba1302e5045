//! What may be set, where its defaults stand, and what it may be.
//!
//! `default.toml` is the only home of defaults. A user's file overrides single keys of it, the
//! environment overrides a few of those ([`Overrides`]; whoever reads the environment fills them
//! in). Every mistake is a finding with its place, and all are told at once. No room reads
//! configuration: [`Settings`] are plain values that `app` hands out.

mod checked;
mod raw;

pub use checked::{
    Bounds, Conversions, Detect, Journal, Kalshi, Key, Level, Log, Mappings, Mode, Paper,
    Polymarket, Settings, Trade, Waiting, Wallet, WalletKind, bounds,
};

use crate::domain::{Finding, Source};
use raw::Layers;

/// The name under which findings speak of the defaults.
pub const DEFAULT_NAME: &str = "default.toml";
/// The text of the defaults.
pub const DEFAULT_TEXT: &str = include_str!("default.toml");
/// The name under which findings speak of [`Overrides`].
pub const OVERRIDES_NAME: &str = "environment and arguments";

/// Values that go before those of any file. An empty text counts as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `CROSSBOOK_KALSHI_KEY_ID`.
    pub kalshi_key_id: Option<String>,
    /// `CROSSBOOK_KALSHI_KEY_FILE`.
    pub kalshi_key_file: Option<String>,
    /// `CROSSBOOK_POLYMARKET_WALLET_KEY_FILE`.
    pub wallet_key_file: Option<String>,
    /// The folder of the mapping files, as an argument names it.
    pub mappings_dir: Option<String>,
    /// The level of the log, as an argument names it.
    pub log_level: Option<String>,
}

/// Reads the settings: the defaults, over them the user's file (its name and text), over that the
/// overrides.
pub fn load(
    user_file: Option<(&str, &str)>,
    overrides: &Overrides,
) -> Result<Settings, Vec<Finding>> {
    let user = user_file.map(|(name, text)| Source::new(name, text));
    let layers = Layers::read(user, Source::new(DEFAULT_NAME, DEFAULT_TEXT));
    checked::check(&layers, overrides)
}

#[cfg(test)]
mod tests;
