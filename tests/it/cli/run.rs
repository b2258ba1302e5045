//! Starts the binary, reads what it says line by line, and never leaves it behind.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than any command of a test may take, on a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary, in the package's folder, without the settings of whoever runs the tests.
pub(crate) fn crossbook(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crossbook"));
    command
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("CROSSBOOK_LOG")
        .env_remove("CROSSBOOK_KALSHI_KEY_ID")
        .env_remove("CROSSBOOK_KALSHI_KEY_FILE")
        .env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs a command to its end.
pub(crate) fn run(args: &[&str]) -> Ended {
    Running::start(args).finish(PATIENCE)
}

/// A command under way; it is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    errors: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    started: Instant,
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    /// The lines on stdout.
    pub(crate) lines: Vec<String>,
    /// All of stderr.
    pub(crate) errors: String,
}

impl Running {
    /// Starts the binary with these arguments.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(crossbook(args))
    }

    /// Starts a command whose surroundings were set.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let (sender, lines) = channel();
        let errors = Arc::new(Mutex::new(String::new()));
        let collected = Arc::clone(&errors);
        let readers = vec![
            std::thread::spawn(move || {
                for line in stdout.lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            }),
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stderr.read(&mut buffer) {
                    let text = String::from_utf8_lossy(&buffer[..count]);
                    collected.lock().unwrap().push_str(&text);
                }
            }),
        ];
        let started = Instant::now();
        Self { child, lines, seen: Vec::new(), errors, readers, started }
    }

    /// The time since the start.
    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// The first line from here on that satisfies the condition; the test fails without one.
    pub(crate) fn wait_line(&mut self, what: &str, mut is_it: impl FnMut(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if is_it(&line) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{what} did not come; stdout {:#?}\nstderr {}", self.seen, self.errors())
                }
            }
        }
    }

    /// Whether a JSON record that satisfies the condition comes within this time.
    pub(crate) fn saw_record(
        &mut self,
        within: Duration,
        mut is_it: impl FnMut(&Value) -> bool,
    ) -> bool {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else { return false };
            self.seen.push(line.clone());
            if is_it(&record(&line)) {
                return true;
            }
        }
    }

    /// The first JSON record from here on that satisfies the condition.
    pub(crate) fn wait_record(
        &mut self,
        what: &str,
        mut is_it: impl FnMut(&Value) -> bool,
    ) -> Value {
        let line = self.wait_line(what, |line| is_it(&record(line)));
        record(&line)
    }

    /// Waits until stderr holds a text.
    pub(crate) fn wait_error(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.errors().contains(text) {
            let late = Instant::now() > deadline;
            assert!(!late, "`{text}` did not come on stderr:\n{}", self.errors());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What stderr holds so far.
    pub(crate) fn errors(&self) -> String {
        self.errors.lock().unwrap().clone()
    }

    /// Presses Ctrl-C.
    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    /// Stops reading what the command writes to stdout: the pipe is closed at the far end.
    pub(crate) fn close_stdout(&mut self) {
        let (_, nothing) = channel();
        self.lines = nothing;
    }

    /// Waits for the end; a command that does not end in time fails the test.
    pub(crate) fn finish(mut self, within: Duration) -> Ended {
        let deadline = Instant::now() + within;
        let code = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status.code(),
                None => assert!(
                    Instant::now() < deadline,
                    "the command did not end within {within:?}; stderr {}",
                    self.errors()
                ),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        let mut lines = std::mem::take(&mut self.seen);
        lines.extend(self.lines.try_iter());
        Ended { code, lines, errors: self.errors() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// All lines as records.
    pub(crate) fn records(&self) -> Vec<Value> {
        self.lines.iter().map(|line| record(line)).collect()
    }

    /// The last line, which is the summary.
    pub(crate) fn summary(&self) -> Value {
        let last = record(self.lines.last().unwrap_or_else(|| panic!("no line: {}", self.errors)));
        assert_eq!(last["kind"], "summary", "the last line is the summary: {last}");
        last
    }

    /// stdout as one text.
    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// The test fails unless the command ended so, and stderr is shown.
    pub(crate) fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "stdout {:#?}\nstderr {}", self.lines, self.errors);
        self
    }
}

/// A line as JSON; `kind` stands first in each.
pub(crate) fn record(line: &str) -> Value {
    assert!(line.starts_with("{\"kind\":\""), "`kind` comes first: {line}");
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// A path as an argument.
pub(crate) fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}
