//! Foreign text made safe, and colour where it is wanted.

/// Whether to colour what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// A terminal that shows it.
    On,
    /// Anything else.
    Off,
}

/// A few colours, by what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Money to be had.
    Good,
    /// Something to look at.
    Warn,
    /// Something is wrong.
    Bad,
    /// Details.
    Dim,
    /// What the eye should find first.
    Strong,
}

impl Colour {
    /// The text in a tone.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        if self == Self::Off {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Warn => "33",
            Tone::Bad => "31",
            Tone::Dim => "2",
            Tone::Strong => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Text of others without control characters, at most `width` characters long. Titles and venue
/// errors could otherwise move the cursor or hide what follows.
pub fn clean(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len().min(width * 4));
    for (count, c) in text.chars().filter(|c| !is_hidden(*c)).enumerate() {
        if count == width {
            out.pop();
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}

/// Control characters, and those that reorder or hide text on a terminal.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\r\nc\u{202E}d", 80), "a[2Jbcd");
        assert_eq!(clean("abcdef", 4), "abc…");
        assert_eq!(clean("abcd", 4), "abcd");
    }

    #[test]
    fn colour_is_only_there_when_asked_for() {
        assert_eq!(Colour::Off.paint(Tone::Good, "x"), "x");
        assert!(Colour::On.paint(Tone::Good, "x").contains("\x1b["));
    }
}
