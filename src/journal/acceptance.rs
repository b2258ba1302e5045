//! Which pairs a person has accepted on this machine.
//!
//! A mapping file says what its authors hold for true. Whether real money follows it is decided
//! here, for one exact wording of what matters. Accepting is done by another process than the one
//! that trades: it takes no trader's lock and waits for its turn to write.

use std::path::Path;

use rusqlite::TransactionBehavior;

use crate::domain::Timestamp;

use super::{Durability, Error, file};

/// A pair's fingerprint that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The pair's name.
    pub pair: String,
    /// What was accepted of it.
    pub fingerprint: String,
    /// When.
    pub at: Timestamp,
    /// What else held then, in the words of whoever accepts; empty where nothing was kept.
    pub terms: String,
}

/// Where the terms of an acceptance are kept: beside what else the journal knows of itself.
const TERMS: &str = "'terms:' || ?1 || ':' || ?2";

/// Keeps an acceptance, in a journal that is made if there is none. The first time stands, the last
/// terms do.
pub fn accept(path: &Path, acceptance: &Acceptance) -> Result<(), Error> {
    let mut connection = file::write(path, Durability::Power)?;
    let Acceptance { pair, fingerprint, at, terms } = acceptance;
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    change.execute(
        "INSERT OR IGNORE INTO acceptances VALUES (?1, ?2, ?3)",
        (pair, fingerprint, at.nanos()),
    )?;
    change.execute(
        &format!("INSERT OR REPLACE INTO meta VALUES ({TERMS}, ?3)"),
        (pair, fingerprint, terms),
    )?;
    change.commit()?;
    Ok(())
}

/// All acceptances of a journal; none where there is no journal.
pub fn accepted(path: &Path) -> Result<Vec<Acceptance>, Error> {
    let connection = match file::read(path) {
        Err(Error::Missing(_)) => return Ok(Vec::new()),
        other => other?,
    };
    let mut statement = connection.prepare(
        "SELECT pair, fingerprint, at_nanos, coalesce(value, '') FROM acceptances \
             LEFT JOIN meta ON key = 'terms:' || pair || ':' || fingerprint \
             ORDER BY pair, at_nanos",
    )?;
    let rows = statement.query_map([], |row| {
        let at = Timestamp::from_nanos(row.get(2)?);
        Ok(Acceptance { pair: row.get(0)?, fingerprint: row.get(1)?, at, terms: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
