//! Decides how connections are made: within a time, with commits that are durable, on a schema that is ours.

use std::time::Duration;

use onex_journal::JournalError;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};
use tokio::time::timeout;

use crate::config::PostgresJournalConfig;
use crate::error::{Problem, failed, migration_failure};

/// A server that acknowledges commits before they are on disk is told not to do so here.
const DURABLE: &str = "\
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Connects to commit.
pub(crate) async fn connect(options: &PgConnectOptions, patience: Duration) -> Result<PgConnection, JournalError> {
    let connecting = async {
        let mut connection = options.connect().await?;
        sqlx::query(DURABLE).execute(&mut connection).await?;
        Ok(connection)
    };
    match timeout(patience, connecting).await {
        Ok(connected) => connected.map_err(failed),
        Err(_) => {
            let place = format!("{}:{}", options.get_host(), options.get_port());
            Err(JournalError::unavailable(Problem::Silent { place, milliseconds: patience.as_millis() }))
        }
    }
}

/// The connections that read.
pub(crate) fn readers(config: &PostgresJournalConfig, options: &PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(config.readers.max(1))
        .acquire_timeout(config.connect_timeout + config.statement_timeout)
        .connect_lazy_with(options.clone())
}

/// Brings the schema up to date. One that is up to date needs no lock and no right to change it.
pub(crate) async fn prepare(config: &PostgresJournalConfig) -> Result<(), JournalError> {
    let mut connection = connect(&config.migration_options()?, config.connect_timeout).await?;
    let migrator = migrator();
    let known = migrator.iter().map(|migration| (migration.version, migration.checksum.to_vec()));
    if !applied(&mut connection).await?.is_some_and(|applied| applied.into_iter().eq(known)) {
        migrator.run_direct(None, &mut connection, false).await.map_err(migration_failure)?;
    }
    connection.close().await.map_err(failed)
}

/// Our own table of migrations: others migrate the same database.
fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!();
    migrator.dangerous_set_table_name("onex_journal_migrations");
    migrator
}

async fn applied(connection: &mut PgConnection) -> Result<Option<Vec<(i64, Vec<u8>)>>, JournalError> {
    let query = "SELECT version, checksum FROM onex_journal_migrations WHERE success ORDER BY version";
    match sqlx::query_as(query).fetch_all(connection).await {
        Ok(applied) => Ok(Some(applied)),
        // No such table, or no right to read it: migrating will tell.
        Err(sqlx::Error::Database(_)) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}
