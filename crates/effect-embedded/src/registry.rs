//! Decides which table an intent is for, and that each runs in one transaction.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use onex_effect::{Applied, EntryState, RegistryBackend, RegistryEntry};
use onex_event::RegistrationIntent;
use onex_event::intent::ConsulRegister;
use onex_node::{Failure, IdempotencyKey};
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::OnceCell;

use crate::failure::failure;
use crate::nodes::{self, NodeRow, Nodes};
use crate::services::{self, Services};
use crate::{database, shelf};

const NAME: &str = "embedded";

/// A registry in one SQLite file.
#[derive(Debug)]
pub struct EmbeddedRegistry {
    path: PathBuf,
    pool: OnceCell<SqlitePool>,
}

impl EmbeddedRegistry {
    /// A registry that opens its file at the first use, and tries again at the next while that fails.
    pub fn lazy(path: &Path) -> Self {
        Self { path: path.to_owned(), pool: OnceCell::new() }
    }

    /// Opens the file for writing; makes it when there is none, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the file cannot be opened; `Validation` with ONEX4008 when a newer version of
    /// this program wrote it.
    pub async fn open(path: &Path) -> Result<Self, Failure> {
        let registry = Self::lazy(path);
        registry.pool().await?;
        Ok(registry)
    }

    /// Opens a file that exists for reading only, also while another process writes it.
    ///
    /// # Errors
    ///
    /// As [`Self::open`]; also when an older version of this program wrote the file. Writing fails later.
    pub async fn open_existing(path: &Path) -> Result<Self, Failure> {
        let pool = database::open_existing(path).await?;
        Ok(Self { path: path.to_owned(), pool: OnceCell::new_with(Some(pool)) })
    }

    /// Closes the file after the transactions that are under way.
    pub async fn close(&self) {
        if let Some(pool) = self.pool.get() {
            pool.close().await;
        }
    }

    async fn pool(&self) -> Result<&SqlitePool, Failure> {
        self.pool.get_or_try_init(|| database::open(&self.path)).await
    }

    async fn connection(&self) -> Result<PoolConnection<Sqlite>, Failure> {
        self.pool().await?.acquire().await.map_err(|error| failure("opening the registry", &error))
    }

    /// A transaction that holds the file's write lock from its start.
    async fn transaction(&self) -> Result<Transaction<'static, Sqlite>, Failure> {
        let begun = self.pool().await?.begin_with("BEGIN IMMEDIATE").await;
        begun.map_err(|error| failure("starting a transaction", &error))
    }
}

async fn commit(transaction: Transaction<'_, Sqlite>) -> Result<(), Failure> {
    transaction.commit().await.map_err(|error| failure("committing the transaction", &error))
}

async fn apply(
    connection: &mut SqliteConnection,
    intent: &RegistrationIntent,
    key: &IdempotencyKey,
) -> Result<Applied, Failure> {
    match intent {
        RegistrationIntent::ConsulRegister(intent) => {
            let service = ConsulRegister::clone(intent);
            shelf::register::<Services>(connection, intent.service_id.as_str(), service, key).await
        }
        RegistrationIntent::ConsulDeregister(intent) => {
            let position = intent.position.as_ref();
            shelf::remove::<Services>(connection, intent.service_id.as_str(), position, key).await
        }
        RegistrationIntent::PostgresUpsertRegistration(intent) => {
            let id = intent.record.node_id.to_string();
            let row = NodeRow { record: intent.record.clone(), state: EntryState::Active };
            shelf::register::<Nodes>(connection, &id, row, key).await
        }
        RegistrationIntent::PostgresDeregister(intent) => {
            let id = intent.node_id.to_string();
            shelf::remove::<Nodes>(connection, &id, intent.position.as_ref(), key).await
        }
    }
}

async fn undo(
    connection: &mut SqliteConnection,
    intent: &RegistrationIntent,
    key: &IdempotencyKey,
) -> Result<(), Failure> {
    match intent {
        RegistrationIntent::ConsulRegister(intent) => {
            shelf::undo::<Services>(connection, intent.service_id.as_str(), key).await
        }
        RegistrationIntent::ConsulDeregister(intent) => {
            shelf::undo::<Services>(connection, intent.service_id.as_str(), key).await
        }
        RegistrationIntent::PostgresUpsertRegistration(intent) => {
            shelf::undo::<Nodes>(connection, &intent.record.node_id.to_string(), key).await
        }
        RegistrationIntent::PostgresDeregister(intent) => {
            shelf::undo::<Nodes>(connection, &intent.node_id.to_string(), key).await
        }
    }
}

#[async_trait]
impl RegistryBackend for EmbeddedRegistry {
    fn name(&self) -> &str {
        NAME
    }

    fn handles(&self, kind: &str) -> bool {
        RegistrationIntent::KINDS.contains(&kind)
    }

    async fn apply(&self, intent: &RegistrationIntent, key: &IdempotencyKey) -> Result<Applied, Failure> {
        let mut transaction = self.transaction().await?;
        let applied = apply(&mut transaction, intent, key).await?;
        commit(transaction).await?;
        Ok(applied)
    }

    async fn undo(&self, intent: &RegistrationIntent, key: &IdempotencyKey) -> Result<(), Failure> {
        let mut transaction = self.transaction().await?;
        undo(&mut transaction, intent, key).await?;
        commit(transaction).await
    }

    async fn entries(&self) -> Result<Vec<RegistryEntry>, Failure> {
        let mut connection = self.connection().await?;
        let mut entries = nodes::entries(&mut connection, NAME).await?;
        entries.extend(services::entries(&mut connection, NAME).await?);
        entries.sort_by(|left, right| left.id.cmp(&right.id));
        Ok(entries)
    }

    async fn check(&self) -> Result<(), Failure> {
        let mut connection = self.connection().await?;
        let query = sqlx::query("SELECT count(*) FROM node_registrations WHERE node_id = ''");
        query.execute(&mut *connection).await.map_err(|error| failure("asking the registry", &error))?;
        Ok(())
    }
}
