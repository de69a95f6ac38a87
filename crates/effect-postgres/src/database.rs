//! Decides when the database is connected to, and that its schema is ours before the first use.
//!
//! Connecting is lazy: a server that is down at the start is no reason not to start. Two things are
//! not left to the pool. It retries a refused connection until its acquire timeout, so a call that
//! waits asks the server itself. And migrations run on a connection of their own: dropped half way,
//! it takes sqlx's advisory lock with it, which a connection of the pool would keep.

use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use onex_effect::codes;
use onex_node::{ErrorClass, Failure};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool, Postgres};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::timeout;

use crate::config::PostgresConfig;
use crate::failure::failure;

/// How long a call waits for the pool before it asks the server itself.
const PATIENCE: Duration = Duration::from_millis(250);

/// The connections to one database.
#[derive(Debug)]
pub(crate) struct Database {
    config: PostgresConfig,
    options: PgConnectOptions,
    migration_options: PgConnectOptions,
    pool: OnceCell<PgPool>,
    probing: Mutex<()>,
}

impl Database {
    /// Nothing is connected yet; fails when the URL cannot be read.
    pub(crate) fn new(config: PostgresConfig) -> Result<Self, Failure> {
        let (options, migration_options) = (config.options()?, config.migration_options()?);
        Ok(Self { config, options, migration_options, pool: OnceCell::new(), probing: Mutex::new(()) })
    }

    /// The pool, once the schema is ours; while that fails, the next call tries again.
    pub(crate) async fn pool(&self) -> Result<&PgPool, Failure> {
        self.pool.get_or_try_init(|| self.prepare()).await
    }

    /// A connection from the pool.
    pub(crate) async fn acquire(&self) -> Result<PoolConnection<Postgres>, Failure> {
        let pool = self.pool().await?;
        let mut acquiring = pin!(pool.acquire());
        let acquired = match timeout(PATIENCE, &mut acquiring).await {
            Ok(acquired) => acquired,
            Err(_) => tokio::select! {
                acquired = &mut acquiring => acquired,
                refusal = self.refusal() => return Err(refusal),
            },
        };
        acquired.map_err(|error| failure("waiting for a connection to PostgreSQL", &error))
    }

    /// Closes the connections after the statements that are under way.
    pub(crate) async fn close(&self) {
        if let Some(pool) = self.pool.get() {
            pool.close().await;
        }
    }

    async fn prepare(&self) -> Result<PgPool, Failure> {
        let mut connection = self.connect_to_migrate().await?;
        migrate(&mut connection).await?;
        let closed = connection.close().await;
        closed.map_err(|error| failure("closing the connection that migrated", &error))?;
        Ok(PgPoolOptions::new()
            .max_connections(self.config.pool_size.max(1))
            .acquire_timeout(self.config.acquire_timeout)
            .connect_lazy_with(self.options.clone()))
    }

    /// Why the server takes no connections; never ends when it does, or when it is only slow or full,
    /// since then the pool may still come by one. One call at a time asks, the others go on waiting.
    async fn refusal(&self) -> Failure {
        let Ok(_asking) = self.probing.try_lock() else {
            return pending().await;
        };
        let Ok(connected) = timeout(self.config.connect_timeout, self.options.connect()).await else {
            return pending().await;
        };
        match connected.map_err(|error| connection_failure(&self.options, &error)) {
            Err(failure) if matches!(failure.class, ErrorClass::Connection | ErrorClass::Unavailable) => failure,
            Ok(_) | Err(_) => pending().await,
        }
    }

    async fn connect_to_migrate(&self) -> Result<PgConnection, Failure> {
        let (options, patience) = (&self.migration_options, self.config.connect_timeout);
        match timeout(patience, options.connect()).await {
            Ok(connected) => connected.map_err(|error| connection_failure(options, &error)),
            Err(_) => {
                let (place, patience) = (place(options), patience.as_millis());
                let message = format!("no connection to PostgreSQL at {place} within {patience} ms");
                Err(Failure::new(ErrorClass::Connection, codes::NOT_SERVING, message))
            }
        }
    }
}

fn connection_failure(options: &PgConnectOptions, error: &sqlx::Error) -> Failure {
    failure(&format!("connecting to PostgreSQL at {}", place(options)), error)
}

fn place(options: &PgConnectOptions) -> String {
    format!("{}:{}", options.get_host(), options.get_port())
}

/// Our own table of migrations: other crates migrate the same database.
fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!();
    migrator.dangerous_set_table_name("onex_registry_migrations");
    migrator
}

/// Brings the schema up to date. One that is up to date needs no lock and no right to change it.
async fn migrate(connection: &mut PgConnection) -> Result<(), Failure> {
    let migrator = migrator();
    let known = migrator.iter().map(|migration| (migration.version, migration.checksum.to_vec()));
    let applied = applied(connection).await?;
    if applied.is_some_and(|applied| applied.into_iter().eq(known)) {
        return Ok(());
    }
    let migrated = migrator.run_direct(None, connection, false).await;
    migrated.map_err(|error| migration_failure(&error))
}

async fn applied(connection: &mut PgConnection) -> Result<Option<Vec<(i64, Vec<u8>)>>, Failure> {
    let query = "SELECT version, checksum FROM onex_registry_migrations WHERE success ORDER BY version";
    match sqlx::query_as(query).fetch_all(connection).await {
        Ok(applied) => Ok(Some(applied)),
        // No such table, or no right to read it: migrating will tell.
        Err(sqlx::Error::Database(_)) => Ok(None),
        Err(error) => Err(failure("reading the schema version", &error)),
    }
}

fn migration_failure(error: &MigrateError) -> Failure {
    match error {
        MigrateError::VersionMissing(version) | MigrateError::VersionMismatch(version) => {
            let message =
                format!("the schema of the registry is of another version of this program: migration {version}");
            Failure::new(ErrorClass::Validation, codes::FOREIGN_SCHEMA, message)
        }
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            failure("migrating the registry's schema", error)
        }
        other => {
            let message = format!("migrating the registry's schema failed: {other}");
            Failure::new(ErrorClass::Internal, codes::REFUSED, message)
        }
    }
}
