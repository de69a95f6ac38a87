//! Decides how the file is opened: durable and migrated for the writer, untouched for a reader.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use onex_effect::codes;
use onex_node::{ErrorClass, Failure};
use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::failure::failure;

/// Our own table of migrations: the file may hold another crate's tables too.
static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!();
    migrator.dangerous_set_table_name("onex_registry_migrations");
    migrator
});

/// How long a writer waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the file for writing, makes it when there is none, and brings its schema up to date.
pub(crate) async fn open(path: &Path) -> Result<SqlitePool, Failure> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT);
    let pool = connect(path, options).await?;
    migrate(path, &pool).await?;
    Ok(pool)
}

/// One transaction around all migrations: sqlx has no lock for SQLite, so two processes that open a
/// new file at once would both create its tables.
async fn migrate(path: &Path, pool: &SqlitePool) -> Result<(), Failure> {
    let act = format!("migrating the registry `{}`", path.display());
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(|error| failure(&act, &error))?;
    let migrated = MIGRATOR.run_direct(None, &mut *transaction, false).await;
    migrated.map_err(|error| migration_failure(path, &act, &error))?;
    transaction.commit().await.map_err(|error| failure(&act, &error))
}

/// Opens a file that exists for reading only.
pub(crate) async fn open_existing(path: &Path) -> Result<SqlitePool, Failure> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY_TIMEOUT);
    let pool = connect(path, options).await?;
    let stored: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM onex_registry_migrations WHERE success")
        .fetch_one(&pool)
        .await
        .map_err(|error| failure(&format!("reading the schema version of `{}`", path.display()), &error))?;
    match stored == MIGRATOR.iter().map(|migration| migration.version).max() {
        true => Ok(pool),
        false => Err(foreign_schema(path)),
    }
}

/// One connection: writers wait in the pool's queue, in order, instead of in SQLite's busy loop.
async fn connect(path: &Path, options: SqliteConnectOptions) -> Result<SqlitePool, Failure> {
    let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(BUSY_TIMEOUT).connect_with(options).await;
    pool.map_err(|error| failure(&format!("opening the registry `{}`", path.display()), &error))
}

fn migration_failure(path: &Path, act: &str, error: &MigrateError) -> Failure {
    match error {
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => foreign_schema(path),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failure(act, error),
        other => Failure::new(ErrorClass::Internal, codes::REFUSED, format!("{act} failed: {other}")),
    }
}

fn foreign_schema(path: &Path) -> Failure {
    let message = format!("the schema of the registry `{}` is of another version of this program", path.display());
    Failure::new(ErrorClass::Validation, codes::FOREIGN_SCHEMA, message)
}
