//! The tables, by version: `PRAGMA user_version` says which migrations a file has had.

use rusqlite::{Connection, TransactionBehavior};

use super::{Error, view};

/// Marks the file as ours: "cbok".
pub(super) const APPLICATION: i64 = 0x6362_6f6b;

/// One step each; a file of version `n` has had the first `n`.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE markets (
        number INTEGER PRIMARY KEY,
        venue TEXT NOT NULL,
        id TEXT NOT NULL,
        UNIQUE (venue, id)
    );
    CREATE TABLE records (
        seq INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        at_nanos INTEGER,
        trade INTEGER,
        intent INTEGER,
        body TEXT NOT NULL
    );
    CREATE INDEX records_by_trade ON records (trade) WHERE trade IS NOT NULL;
    CREATE INDEX records_by_intent ON records (intent) WHERE intent IS NOT NULL;
    CREATE INDEX records_by_kind ON records (kind);
    CREATE TABLE acceptances (
        pair TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        at_nanos INTEGER NOT NULL,
        PRIMARY KEY (pair, fingerprint)
    ) WITHOUT ROWID;
"];

/// The version that this program writes.
pub(super) const KNOWN: i64 = 1;

/// Brings a file up to date, all or nothing.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = change.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > KNOWN {
        return Err(Error::Newer { found, known: KNOWN });
    }
    for (version, migration) in (1..).zip(MIGRATIONS) {
        if version > found {
            change.execute_batch(migration)?;
        }
    }
    if found < KNOWN {
        change.execute_batch(&view::create_all())?;
        change.pragma_update(None, "application_id", APPLICATION)?;
        change.pragma_update(None, "user_version", KNOWN)?;
    }
    change.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_counts_the_migrations() {
        assert_eq!(usize::try_from(KNOWN), Ok(MIGRATIONS.len()));
    }
}
