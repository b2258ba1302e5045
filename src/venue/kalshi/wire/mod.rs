//! What Kalshi writes, as it writes it.
//!
//! Nothing here is checked beyond its shape: numbers are still text, names still strings. Fields
//! that nobody reads are not listed, and unknown ones are passed over.

pub mod http;
pub mod portfolio;
pub mod ws;

use std::borrow::Cow;

use serde::Deserialize;

/// A string that borrows from the frame unless it holds escapes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl Text<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
