//! Decides which statement an intent becomes.

use async_trait::async_trait;
use onex_effect::{Applied, RegistryBackend, RegistryEntry, codes};
use onex_event::RegistrationIntent;
use onex_event::intent::{POSTGRES_DEREGISTER, POSTGRES_UPSERT_REGISTRATION};
use onex_node::{ErrorClass, Failure, IdempotencyKey};

use crate::config::PostgresConfig;
use crate::database::Database;
use crate::failure::failure;
use crate::{row, undo, write};

const NAME: &str = "postgres";

/// A registry in a PostgreSQL table.
#[derive(Debug)]
pub struct PostgresRegistry {
    database: Database,
}

impl PostgresRegistry {
    /// A registry that connects and migrates at its first use.
    ///
    /// # Errors
    ///
    /// `Validation`: the URL cannot be read.
    pub fn new(config: PostgresConfig) -> Result<Self, Failure> {
        Ok(Self { database: Database::new(config)? })
    }

    /// Connects and migrates now; after a failure the next use tries again.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses the credentials; `Validation` with ONEX4008 when another
    /// version of this program wrote the schema.
    pub async fn ready(&self) -> Result<(), Failure> {
        self.database.pool().await?;
        Ok(())
    }

    /// Closes the connections after the statements that are under way.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

#[async_trait]
impl RegistryBackend for PostgresRegistry {
    fn name(&self) -> &str {
        NAME
    }

    fn handles(&self, kind: &str) -> bool {
        kind == POSTGRES_UPSERT_REGISTRATION || kind == POSTGRES_DEREGISTER
    }

    async fn apply(&self, intent: &RegistrationIntent, key: &IdempotencyKey) -> Result<Applied, Failure> {
        let mut connection = self.database.acquire().await?;
        match intent {
            RegistrationIntent::PostgresUpsertRegistration(intent) => {
                write::upsert(&mut connection, &intent.record, key).await
            }
            RegistrationIntent::PostgresDeregister(intent) => write::deregister(&mut connection, intent, key).await,
            RegistrationIntent::ConsulRegister(_) | RegistrationIntent::ConsulDeregister(_) => Err(foreign(intent)),
        }
    }

    async fn undo(&self, intent: &RegistrationIntent, key: &IdempotencyKey) -> Result<(), Failure> {
        let node_id = match intent {
            RegistrationIntent::PostgresUpsertRegistration(intent) => intent.record.node_id,
            RegistrationIntent::PostgresDeregister(intent) => intent.node_id,
            RegistrationIntent::ConsulRegister(_) | RegistrationIntent::ConsulDeregister(_) => {
                return Err(foreign(intent));
            }
        };
        let mut connection = self.database.acquire().await?;
        undo::undo(&mut connection, node_id, key).await
    }

    async fn entries(&self) -> Result<Vec<RegistryEntry>, Failure> {
        let mut connection = self.database.acquire().await?;
        row::entries(&mut connection, NAME).await
    }

    async fn check(&self) -> Result<(), Failure> {
        let mut connection = self.database.acquire().await?;
        let query = sqlx::query("SELECT FROM node_registrations LIMIT 1");
        query.execute(&mut *connection).await.map_err(|error| failure("asking PostgreSQL", &error))?;
        Ok(())
    }
}

fn foreign(intent: &RegistrationIntent) -> Failure {
    let message = format!("`{NAME}` does not carry out `{}`", intent.kind());
    Failure::new(ErrorClass::Validation, codes::UNKNOWN_KIND, message)
}
