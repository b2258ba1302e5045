//! How the process ends.

use std::process::ExitCode;

/// What a command came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for is done.
    Done,
    /// It failed.
    Failed,
    /// Wrong usage or configuration.
    Usage,
    /// Ended by `kill`, or stopped by risk.
    Halted,
    /// Ended by Ctrl-C.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Halted => 3,
            Exit::Interrupted => 130,
        })
    }
}

/// An error of usage or configuration, which ends with 2 instead of 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misuse(pub String);
