//! One terminal for results, a status line and the log.
//!
//! The status line stands below the results and is wiped before anything else is written, whether
//! to stdout or, by the log, to stderr; the next status draws it again.

use std::io::{Stderr, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a status line stands at the cursor.
static DRAWN: AtomicBool = AtomicBool::new(false);

const WIPE: &[u8] = b"\r\x1b[K";

/// Writes lines of results, after wiping the status line.
pub fn write_lines(out: &mut impl Write, text: &str) -> std::io::Result<()> {
    wipe(out)?;
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Draws the status line anew. A terminal that is too narrow shows its beginning: a line that wraps
/// could not be wiped.
pub fn draw_status(out: &mut impl Write, text: &str) -> std::io::Result<()> {
    wipe(out)?;
    DRAWN.store(true, Ordering::SeqCst);
    write!(out, "\x1b[?7l{text}\x1b[?7h")?;
    out.flush()
}

/// Wipes the status line, if there is one.
pub fn wipe(out: &mut impl Write) -> std::io::Result<()> {
    if DRAWN.swap(false, Ordering::SeqCst) { out.write_all(WIPE) } else { Ok(()) }
}

/// The log's way to stderr, which the status line makes way for.
#[derive(Debug)]
pub struct Beside(pub Stderr);

impl Write for Beside {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let mut stderr = self.0.lock();
        wipe(&mut stderr)?;
        stderr.write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_is_wiped_once_before_whatever_comes_next() {
        let mut out = Vec::new();
        write_lines(&mut out, "one\n").unwrap();
        draw_status(&mut out, "status").unwrap();
        write_lines(&mut out, "two\n").unwrap();
        write_lines(&mut out, "three\n").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "one\n\x1b[?7lstatus\x1b[?7h\r\x1b[Ktwo\nthree\n");
    }
}
