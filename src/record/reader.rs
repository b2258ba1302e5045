//! Reads recordings and other people's captures, line by line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::line::Line;

/// A line longer than this is not a frame of either venue.
const LINE_MAX: u64 = 64 << 20;

/// Why a line could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be opened or read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file ends inside a compressed block: what was read before it holds.
    #[error("the file ends in the middle, after line {0}")]
    Cut(u64),
    /// A line is neither a recording's nor a frame.
    #[error("line {line}: {text}")]
    Line {
        /// From 1.
        line: u64,
        /// What is wrong.
        text: String,
    },
}

/// What a line holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A line of a recording of ours.
    Ours(Box<Line<'static>>),
    /// A venue's frame of somebody else's capture.
    Frame {
        /// When it was received, where the capture says so.
        received_ms: Option<i64>,
        /// The frame as it stands in the capture.
        text: String,
    },
}

/// An open file of lines, plain, gzip or zstd.
pub struct Reader {
    input: Box<dyn BufRead>,
    line: u64,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("line", &self.line).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Capture<'a> {
    recv_ms: Option<i64>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    k: Option<&'a str>,
}

impl Reader {
    /// Opens a file; the compression is told from its first bytes.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = BufReader::new(File::open(path)?);
        let magic = file.fill_buf()?;
        let input: Box<dyn BufRead> = if magic.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
            Box::new(BufReader::new(zstd::Decoder::with_buffer(file)?))
        } else if magic.starts_with(&[0x1F, 0x8B]) {
            Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(file)))
        } else {
            Box::new(file)
        };
        Ok(Self { input, line: 0, buffer: Vec::new() })
    }

    /// The number of the line read last, from 1.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The next line that is not empty; `None` at the end.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, ReadError> {
        loop {
            self.buffer.clear();
            let mut limited = (&mut self.input).take(LINE_MAX);
            let read = match limited.read_until(b'\n', &mut self.buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(ReadError::Cut(self.line));
                }
                Err(error) => return Err(error.into()),
            };
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            let wrong = |text: String| ReadError::Line { line: self.line, text };
            let text =
                std::str::from_utf8(&self.buffer).map_err(|error| wrong(error.to_string()))?.trim();
            if !text.is_empty() {
                return parse(text).map(Some).map_err(wrong);
            }
        }
    }
}

fn parse(text: &str) -> Result<Entry, String> {
    if text.starts_with('[') {
        return Ok(Entry::Frame { received_ms: None, text: text.to_owned() });
    }
    let capture: Capture<'_> =
        serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))?;
    if capture.k.is_some() {
        let line: Line<'_> =
            serde_json::from_str(text).map_err(|error| format!("broken recording: {error}"))?;
        return Ok(Entry::Ours(Box::new(line)));
    }
    let frame = capture.event.map_or(text, RawValue::get);
    Ok(Entry::Frame { received_ms: capture.recv_ms, text: frame.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::Writer;
    use super::*;

    fn all(path: &Path) -> Vec<Entry> {
        let mut reader = Reader::open(path).unwrap();
        std::iter::from_fn(|| reader.next_entry().unwrap()).collect()
    }

    #[test]
    fn what_is_written_reads_back_line_for_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.rec.zst");
        let mut writer = Writer::create(&path).unwrap();
        let frame = r#"{"type":"orderbook_delta","msg":{"a":"\"quoted\""}}"#;
        let lines = [
            Line::Open { t: 1, c: 0 },
            Line::Text { t: 2, c: 0, v: "kalshi".into(), d: 1, f: frame.into() },
            Line::Drained { t: 3, d: 1 },
        ];
        for line in &lines {
            writer.write(line);
        }
        writer.finish(|complete| Line::End { t: 4, digest: "d".into(), complete }).unwrap();
        let entries = all(&path);
        assert_eq!(entries.len(), 4);
        for (entry, line) in entries.iter().zip(lines) {
            assert_eq!(*entry, Entry::Ours(Box::new(line)));
        }
        let end = Line::End { t: 4, digest: "d".into(), complete: true };
        assert_eq!(entries[3], Entry::Ours(Box::new(end)));
        assert!(Writer::create(&path).is_err(), "an existing recording is not overwritten");
    }

    #[test]
    fn captures_of_others_are_frames() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture.jsonl.gz");
        let text = "{\"recv_ms\":5,\"event\":{\"type\":\"x\"}}\n\n{\"type\":\"y\"}\n[{\"a\":1}]\n";
        let mut gzip = flate2::write::GzEncoder::new(
            File::create(&path).unwrap(),
            flate2::Compression::fast(),
        );
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap();
        let frame = |received_ms, text: &str| Entry::Frame { received_ms, text: text.to_owned() };
        let expected = [
            frame(Some(5), r#"{"type":"x"}"#),
            frame(None, r#"{"type":"y"}"#),
            frame(None, r#"[{"a":1}]"#),
        ];
        assert_eq!(all(&path), expected);
    }

    #[test]
    fn a_cut_file_says_where_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.zst");
        let text = "{\"type\":\"x\"}\n".repeat(1_000);
        let bytes = zstd::encode_all(text.as_bytes(), 3).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
        let mut reader = Reader::open(&path).unwrap();
        let error = loop {
            match reader.next_entry() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("a cut file is not a whole one"),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, ReadError::Cut(_)), "{error}");
    }

    #[test]
    fn a_line_that_is_no_frame_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.jsonl");
        std::fs::write(&path, "{\"type\":\"x\"}\nhello\n").unwrap();
        let mut reader = Reader::open(&path).unwrap();
        assert!(reader.next_entry().is_ok());
        let error = reader.next_entry().unwrap_err().to_string();
        assert!(error.starts_with("line 2:"), "{error}");
    }
}
