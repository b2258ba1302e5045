//! The file itself: its lock, its folder, its connections.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{Durability, Error, schema};

/// How long a statement waits for another process that writes: a person who accepts a pair holds
/// the file for milliseconds.
const BUSY_MAX: Duration = Duration::from_millis(500);

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::File { path: path.to_owned(), text: error.to_string() }
}

/// Makes the folder, readable by its owner alone.
pub(super) fn make_folder(path: &Path) -> Result<(), Error> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| failed(folder, &error))
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Where the lock of a journal lies.
pub(super) fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Takes a lock that is held until the file is dropped, also by a process that dies; or says which
/// process holds it.
pub(super) fn lock(lock: &Path) -> Result<Result<File, String>, Error> {
    let mut file = options().open(lock).map_err(|error| failed(lock, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let read = file.read_to_string(&mut pid);
            let pid = pid.trim().to_owned();
            let is_known = read.is_ok() && !pid.is_empty();
            let pid = if is_known { pid } else { "of unknown number".to_owned() };
            return Ok(Err(pid));
        }
        Err(TryLockError::Error(error)) => return Err(failed(lock, &error)),
    }
    let noted = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    noted.map_err(|error| failed(lock, &error))?;
    Ok(Ok(file))
}

/// Opens the database to be written, makes it if there is none, brings its schema up to date.
pub(super) fn write(path: &Path, durability: Durability) -> Result<Connection, Error> {
    make_folder(path)?;
    options().open(path).map_err(|error| failed(path, &error))?;
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_MAX)?;
    check_is_ours(&connection, path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous(durability))?;
    // No commit moves the log into the database: the writer does when nobody waits.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

/// Makes a change that the disk has when this returns, whatever durability the connection has
/// otherwise: in WAL mode a commit is handed to the disk where the mode is FULL.
pub(super) fn durably<T>(
    connection: &Connection,
    durability: Durability,
    change: impl FnOnce(&Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    connection.pragma_update(None, "synchronous", synchronous(Durability::Power))?;
    let transaction = connection.unchecked_transaction()?;
    let changed = change(&transaction)?;
    transaction.commit()?;
    connection.pragma_update(None, "synchronous", synchronous(durability))?;
    Ok(changed)
}

/// In WAL mode NORMAL hands each commit to the operating system, FULL also to the disk.
const fn synchronous(durability: Durability) -> &'static str {
    match durability {
        Durability::Process => "NORMAL",
        Durability::Power => "FULL",
    }
}

/// Opens an existing journal to look at it, while an engine may write.
pub fn read(path: &Path) -> Result<Connection, Error> {
    if !path.exists() {
        return Err(Error::Missing(path.to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_MAX)?;
    check_is_ours(&connection, path)?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > schema::KNOWN {
        return Err(Error::Newer { found, known: schema::KNOWN });
    }
    if found == 0 {
        return Err(Error::Missing(path.to_owned()));
    }
    Ok(connection)
}

/// Refuses a database of somebody else, so that a wrong path harms nothing.
fn check_is_ours(connection: &Connection, path: &Path) -> Result<(), Error> {
    let tables = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        .map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => Error::Foreign(path.to_owned()),
            _ => error.into(),
        })?;
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if tables > 0 && application != schema::APPLICATION {
        return Err(Error::Foreign(path.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_durable_change_is_handed_to_the_disk_also_while_somebody_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let connection = write(&path, Durability::Process).unwrap();
        let mode = |connection: &Connection| -> i64 {
            connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap()
        };
        let reader = read(&path).unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM meta").unwrap();
        let within = durably(&connection, Durability::Process, |change| {
            change.execute("INSERT INTO meta VALUES ('a', 'b')", [])?;
            Ok(mode(change))
        });
        assert_eq!(within, Ok(2), "each commit waits for the disk");
        assert_eq!(mode(&connection), 1, "and from here on for the operating system");
    }
}
