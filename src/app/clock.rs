//! What the process knows of its surroundings: the time, and the terminal.

use crate::domain::{Date, Timestamp};
use crate::net;
use crate::ui::cli::text;
use crate::ui::findings;

/// The time.
pub fn now() -> Timestamp {
    Timestamp::from_nanos(net::clock::unix_nanos())
}

/// Today in UTC: the day that mapping files are checked against.
pub fn today() -> Date {
    jiff::Timestamp::from_nanosecond(i128::from(now().nanos()))
        .map(|stamp| stamp.to_zoned(jiff::tz::TimeZone::UTC).date())
        .unwrap_or_default()
}

/// Colours for findings on stdout.
pub fn findings_colour() -> findings::Colour {
    colour_of(&std::io::stdout())
}

/// Colours for findings on stderr.
pub fn error_colour() -> findings::Colour {
    colour_of(&std::io::stderr())
}

/// Colours for tables on stdout.
pub fn out_colour() -> text::Colour {
    match findings_colour() {
        findings::Colour::Terminal => text::Colour::On,
        findings::Colour::Plain => text::Colour::Off,
    }
}

fn colour_of(stream: &impl std::io::IsTerminal) -> findings::Colour {
    let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if stream.is_terminal() && !wants_none {
        findings::Colour::Terminal
    } else {
        findings::Colour::Plain
    }
}
