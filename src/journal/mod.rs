//! What was intended, sent, heard and decided: every record, in one strict order, in one SQLite
//! file that people can query by hand.
//!
//! The table `records` is the truth and nothing else is: each row is one
//! [`Record`](crate::execute::Record), and replay folds them in the order in which they were
//! written. Everything that people ask for (trades, orders, fills, balances, halts) is a view over
//! it, so that no second table can ever disagree. One thread owns the connection; a bounded queue
//! leads to it. A file has one trader at a time, held by a lock of the operating system; readers
//! may look at any time.
//!
//! What cannot be written is kept in memory, in order, and written as soon as that works again.
//! Until then every call says so: the caller stops new trades, market data goes on.

mod acceptance;
mod account;
mod atlas;
mod codec;
mod file;
pub mod memory;
mod replay;
mod row;
mod schema;
mod store;
mod talk;
mod view;
mod writer;

use std::path::PathBuf;

use crate::domain::MarketIndex;

pub use acceptance::{Acceptance, accept, accepted};
pub use account::{Account, Claim};
pub use atlas::Name;
pub use file::read;
pub use replay::{Records, Replay};
pub use store::{Journal, look};
pub use talk::{Mark, Reply, Request};

/// How much must happen before a committed record counts as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The operating system has it: safe when the process dies, not when the power does.
    Process,
    /// The disk has it.
    Power,
}

impl Durability {
    /// The durability in files and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Power => "power",
        }
    }
}

/// Why the journal does not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Somebody trades with this journal already.
    #[error("{path} is in use by process {pid}: one trader per journal")]
    Held {
        /// The journal.
        path: PathBuf,
        /// Who, as the lock file says.
        pid: String,
    },
    /// Somebody trades with this account already, with another journal.
    #[error("{what} is traded by process {pid}, with another journal: one trader per account")]
    Traded {
        /// The wallet or the key.
        what: String,
        /// Who, as the lock file says.
        pid: String,
    },
    /// There is no such file.
    #[error("there is no journal at {0}")]
    Missing(PathBuf),
    /// The file or its folder cannot be used.
    #[error("cannot use {path}: {text}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        text: String,
    },
    /// The file is a database of something else, or none.
    #[error("{0} is not a journal of crossbook")]
    Foreign(PathBuf),
    /// A later version has written the file.
    #[error("the journal has schema {found}, this program knows {known}: use the newer program")]
    Newer {
        /// What the file has.
        found: i64,
        /// What is known here.
        known: i64,
    },
    /// The journal is that of another account: what it holds is not there.
    #[error(
        "the journal belongs to {found}, not to {asked}: name another file for that with \
         --journal, or take the account that this one belongs to"
    )]
    OtherAccount {
        /// Whose it is.
        found: String,
        /// Who asked.
        asked: String,
    },
    /// The journal is that of another Kalshi key, which may belong to the same account.
    #[error(
        "the journal belongs to {found}, not to kalshi key {asked}: if that is a new key of the \
         same kalshi account, say so with --new-kalshi-key; else name another file with --journal"
    )]
    OtherKey {
        /// Whose it is.
        found: String,
        /// The key that asked.
        asked: String,
    },
    /// No room on the disk.
    #[error("the disk of the journal is full")]
    DiskFull,
    /// Another process keeps the file locked.
    #[error("the journal's database is locked by another process")]
    Locked,
    /// The writer does not keep up; the records are kept in memory.
    #[error("the journal's queue is full: {0} records wait")]
    QueueFull(usize),
    /// So many records could not be written that some were dropped. Only a restart, which reads
    /// everything anew from the venues, makes the journal whole again.
    #[error("the journal has lost records: restart after its disk works again")]
    Lost,
    /// No answer from the writer in time. The records may become durable later.
    #[error("the journal did not confirm within {0} ms")]
    Slow(u128),
    /// The writer's thread is gone.
    #[error("the journal's writer has stopped")]
    Stopped,
    /// A record names a market that the journal was never told the name of.
    #[error("market {} was not named to the journal", .0.0)]
    UnnamedMarket(MarketIndex),
    /// A record in the file does not make sense.
    #[error("record {seq} of the journal cannot be read: {text}")]
    Unreadable {
        /// Its place.
        seq: i64,
        /// What is wrong with it.
        text: String,
    },
    /// Anything else that the database said.
    #[error("the journal's database says: {0}")]
    Database(String),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            _ => Self::Database(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
