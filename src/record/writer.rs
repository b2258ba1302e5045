//! Writes a recording beside the engine, never in its way.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::line::Line;

/// Lines that may wait for the writing thread. Beyond it the recording is torn: the engine does not
/// wait, and the last line says that the recording is not complete.
const WAITING_MAX: usize = 1 << 16;

/// Fast enough to keep up with a busy session on one core.
const LEVEL: i32 = 3;

/// After this much quiet the compressed block is ended, so that a killed process loses little.
const FLUSH_AFTER: Duration = Duration::from_millis(500);

/// An open recording.
#[derive(Debug)]
pub struct Writer {
    lines: Option<SyncSender<Vec<u8>>>,
    thread: Option<JoinHandle<io::Result<()>>>,
    torn: bool,
}

impl Writer {
    /// Creates the file; an existing one is not overwritten.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::create_new(path)?;
        let encoder = zstd::Encoder::new(file, LEVEL)?;
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || write_all(encoder, &receiver))?;
        Ok(Self { lines: Some(sender), thread: Some(thread), torn: false })
    }

    /// Adds a line. Once a line is lost, no further one is written: a recording has no holes.
    pub fn write(&mut self, line: &Line<'_>) {
        if self.torn {
            return;
        }
        let sent = match (serde_json::to_vec(line), &self.lines) {
            (Ok(bytes), Some(lines)) => match lines.try_send(bytes) {
                Ok(()) => true,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
            },
            _ => false,
        };
        self.torn = !sent;
    }

    /// Whether a line was lost.
    pub const fn is_torn(&self) -> bool {
        self.torn
    }

    /// Ends the recording in order and waits until it is on disk.
    pub fn finish(mut self, end: impl FnOnce(bool) -> Line<'static>) -> io::Result<()> {
        let last = serde_json::to_vec(&end(!self.torn)).map_err(io::Error::other)?;
        if let Some(lines) = self.lines.take() {
            // The writing thread is about to stop: waiting for it here holds nobody up.
            let _ = lines.send(last);
        }
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the recording thread panicked")),
            None => Ok(()),
        }
    }
}

fn write_all(
    mut encoder: zstd::Encoder<'static, File>,
    lines: &Receiver<Vec<u8>>,
) -> io::Result<()> {
    let mut dirty = false;
    loop {
        match lines.recv_timeout(FLUSH_AFTER) {
            Ok(line) => {
                encoder.write_all(&line)?;
                encoder.write_all(b"\n")?;
                dirty = true;
            }
            Err(RecvTimeoutError::Timeout) if dirty => {
                encoder.flush()?;
                dirty = false;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    encoder.finish()?.sync_all()
}
