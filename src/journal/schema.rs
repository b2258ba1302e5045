//! The tables, by version: `PRAGMA user_version` says which migrations a file has had.

use rusqlite::{Connection, TransactionBehavior};

use super::{Error, view};

/// Marks the file as ours: "cbok".
pub(super) const APPLICATION: i64 = 0x6362_6f6b;

/// One step each; a file of version `n` has had the first `n`.
const MIGRATIONS: &[&str] = &[
    "
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
",
    "
    CREATE TABLE watermarks (
        venue TEXT NOT NULL,
        listing TEXT NOT NULL,
        until_nanos INTEGER NOT NULL,
        PRIMARY KEY (venue, listing)
    ) WITHOUT ROWID;
    CREATE TABLE sent (
        number INTEGER PRIMARY KEY,
        at_nanos INTEGER NOT NULL,
        venue TEXT NOT NULL,
        intent INTEGER,
        kind TEXT NOT NULL,
        method TEXT NOT NULL,
        url TEXT NOT NULL,
        body TEXT
    );
    CREATE INDEX sent_by_intent ON sent (intent) WHERE intent IS NOT NULL;
    CREATE TABLE heard (
        request INTEGER PRIMARY KEY,
        at_nanos INTEGER NOT NULL,
        status INTEGER,
        body TEXT NOT NULL
    );
",
    // Each kind of record had a page of its own to be written with every commit, and whoever asks
    // for a kind reads most of the file anyway.
    "
    DROP INDEX records_by_kind;
",
];

/// The version that this program writes.
pub(super) const KNOWN: i64 = 3;

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
    use super::super::{Durability, Journal};
    use super::*;

    #[test]
    fn a_file_of_the_first_version_is_brought_up_to_date_and_keeps_everything() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.execute_batch("CREATE VIEW trades AS SELECT 1 AS seq").unwrap();
        old.pragma_update(None, "application_id", APPLICATION).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        old.execute_batch(
            "INSERT INTO meta VALUES ('intent_floor', '40'), ('running', 'process');
             INSERT INTO records VALUES
                 (1, 'named', NULL, NULL, 7, '{\"intent\":7,\"order_id\":\"seven\"}');",
        )
        .unwrap();
        drop(old);
        let (journal, replay) = Journal::open(&path, Durability::Process).unwrap();
        assert!(replay.next_intent.0 > 10_000, "{:?}", replay.next_intent);
        assert_eq!(replay.marks, [], "everything is read again");
        let records: Vec<_> = replay.records(|_, _| unreachable!("no market is named")).collect();
        assert_eq!(records.len(), 1);
        drop(journal);
        let connection = super::super::read(&path).unwrap();
        for view in view::names() {
            let sql = format!("SELECT count(*) FROM {view}");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap();
        }
        let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(found, KNOWN);
    }

    #[test]
    fn the_version_counts_the_migrations() {
        assert_eq!(usize::try_from(KNOWN), Ok(MIGRATIONS.len()));
    }
}
