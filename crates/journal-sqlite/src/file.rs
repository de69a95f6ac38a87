//! Decides how the file is opened: durable, guarded against a second process, and at the current schema.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use onex_journal::JournalError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

use crate::error::{Problem, failed};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// How long a statement waits for another program's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Options of the one connection that writes: a commit that returned is on disk, not only with the kernel.
pub(crate) fn writing(path: &Path) -> SqliteConnectOptions {
    reading(path)
        .read_only(false)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("journal_size_limit", "67108864")
        .pragma("wal_autocheckpoint", "4000")
        .pragma("cache_size", "-8192")
        // What would undo one statement of several rows is kept in memory, not in a file made for each.
        .pragma("temp_store", "memory")
}

/// Options of connections that only read.
pub(crate) fn reading(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("mmap_size", "67108864")
        .disable_statement_logging()
}

/// Connects for writing and brings the schema up to date.
pub(crate) async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, JournalError> {
    let mut connection = options.connect().await.map_err(failed)?;
    MIGRATIONS.run(&mut connection).await.map_err(|error| match error {
        MigrateError::Execute(error) => failed(error),
        error => JournalError::unavailable(error),
    })?;
    Ok(connection)
}

/// Locks the journal at `path` until the returned file is closed. The lock is on a file beside it, because
/// SQLite has its own on the database file.
pub(crate) fn lock(path: &Path) -> Result<File, JournalError> {
    let lock_path = lock_path(path);
    let refused = |source| JournalError::unavailable(Problem::Lock { path: lock_path.clone(), source });
    let file = File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::unavailable(Problem::InUse { path: path.to_owned() })),
        Err(TryLockError::Error(source)) => Err(refused(source)),
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}
