//! Which pairs a person has accepted on this machine.
//!
//! A mapping file says what its authors hold for true. Whether real money follows it is decided
//! here, for one exact wording of what matters. Accepting is done by another process than the one
//! that trades: it takes no trader's lock and waits for its turn to write.

use std::path::Path;

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
}

/// Keeps an acceptance, in a journal that is made if there is none. The first time stands.
pub fn accept(path: &Path, acceptance: &Acceptance) -> Result<(), Error> {
    let connection = file::write(path, Durability::Power)?;
    connection.execute(
        "INSERT OR IGNORE INTO acceptances VALUES (?1, ?2, ?3)",
        (&acceptance.pair, &acceptance.fingerprint, acceptance.at.nanos()),
    )?;
    Ok(())
}

/// All acceptances of a journal; none where there is no journal.
pub fn accepted(path: &Path) -> Result<Vec<Acceptance>, Error> {
    let connection = match file::read(path) {
        Err(Error::Missing(_)) => return Ok(Vec::new()),
        other => other?,
    };
    let mut statement = connection
        .prepare("SELECT pair, fingerprint, at_nanos FROM acceptances ORDER BY pair, at_nanos")?;
    let rows = statement.query_map([], |row| {
        let at = Timestamp::from_nanos(row.get(2)?);
        Ok(Acceptance { pair: row.get(0)?, fingerprint: row.get(1)?, at })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
