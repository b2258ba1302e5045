//! Writes a recording beside the engine, never in its way.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::line::Line;

/// Lines that may wait for the writing thread. Beyond it the recording is torn: the engine does not
/// wait, and the last line says that the recording is not complete.
const WAITING_MAX: usize = 1 << 16;

/// Fast enough to keep up with a busy session on one core.
const LEVEL: i32 = 3;

/// A line is in the file this long after it was taken at the latest, however many follow, so that a
/// killed process loses little.
const FLUSH_AFTER: Duration = Duration::from_millis(500);

/// An open recording.
#[derive(Debug)]
pub struct Writer {
    lines: Option<SyncSender<Vec<u8>>>,
    thread: Option<JoinHandle<io::Result<()>>>,
    torn: bool,
    /// How many lines were taken.
    taken: u64,
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
        Ok(Self { lines: Some(sender), thread: Some(thread), torn: false, taken: 0 })
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
        self.taken += u64::from(sent);
    }

    /// Ends the recording in order and waits until it is on disk. A recording that lost lines is on
    /// disk too, up to the first that was lost, and is an error.
    pub fn finish(mut self, end: impl FnOnce(bool) -> Line<'static>) -> io::Result<()> {
        let last = serde_json::to_vec(&end(!self.torn)).map_err(io::Error::other)?;
        if let Some(lines) = self.lines.take() {
            // The writing thread is about to stop: waiting for it here holds nobody up.
            let _ = lines.send(last);
        }
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result?,
            Some(Err(_)) => return Err(io::Error::other("the recording thread panicked")),
            None => {}
        }
        if self.torn {
            return Err(io::Error::other(format!(
                "the recording is not complete: lines were lost after the first {}",
                self.taken
            )));
        }
        Ok(())
    }
}

fn write_all(
    mut encoder: zstd::Encoder<'static, File>,
    lines: &Receiver<Vec<u8>>,
) -> io::Result<()> {
    // When what was written since the last flush has to be out, `None` where nothing was.
    let mut due: Option<Instant> = None;
    loop {
        let wait = due.map_or(FLUSH_AFTER, |due| due.saturating_duration_since(Instant::now()));
        match lines.recv_timeout(wait) {
            Ok(line) => {
                encoder.write_all(&line)?;
                encoder.write_all(b"\n")?;
                due.get_or_insert_with(|| Instant::now() + FLUSH_AFTER);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if due.is_some_and(|due| due <= Instant::now()) {
            encoder.flush()?;
            due = None;
        }
    }
    encoder.finish()?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::super::reader::{Entry, Reader};
    use super::*;

    const END: fn(bool) -> Line<'static> =
        |complete| Line::End { t: 9, digest: "d".into(), complete };

    #[test]
    fn lines_that_never_pause_reach_the_file_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("busy.rec.zst");
        let mut writer = Writer::create(&path).unwrap();
        for t in 0..40 {
            writer.write(&Line::Open { t, c: 0 });
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut reader = Reader::open(&path).unwrap();
        let first = reader.next_entry().unwrap();
        assert_eq!(first, Some(Entry::Ours(Box::new(Line::Open { t: 0, c: 0 }))));
        writer.finish(END).unwrap();
    }

    #[test]
    fn a_torn_recording_is_told_and_says_so_in_its_last_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("torn.rec.zst");
        let mut writer = Writer::create(&path).unwrap();
        writer.write(&Line::Open { t: 1, c: 0 });
        writer.torn = true;
        writer.write(&Line::Open { t: 2, c: 0 });
        let error = writer.finish(END).unwrap_err().to_string();
        assert!(error.contains("lines were lost after the first 1"), "{error}");
        let mut reader = Reader::open(&path).unwrap();
        let entries: Vec<_> = std::iter::from_fn(|| reader.next_entry().unwrap()).collect();
        let expected = [Line::Open { t: 1, c: 0 }, END(false)];
        assert_eq!(entries, expected.map(|line| Entry::Ours(Box::new(line))));
    }
}
