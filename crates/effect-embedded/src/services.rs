//! Decides how a service is written and read: the catalogue holds what Consul would hold.

use onex_effect::{EntryState, RegistryEntry, ServiceFacts, Stored};
use onex_event::intent::ConsulRegister;
use onex_event::{EventPosition, rfc3339};
use onex_node::Failure;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::SqliteConnection;

use crate::failure::{failure, unreadable};
use crate::history::History;
use crate::nodes::{column_of_epoch, position};
use crate::shelf::Shelf;

/// The service catalogue.
pub(crate) struct Services;

impl Shelf for Services {
    type Row = ConsulRegister;

    const HISTORY: History = History {
        seen: "SELECT action FROM service_history WHERE idempotency_key = ?1",
        record: "INSERT INTO service_history (service_id, idempotency_key, action, replaced) VALUES (?1, ?2, ?3, ?4)",
        find: "SELECT id, replaced FROM service_history
            WHERE service_id = ?1 AND idempotency_key = ?2 AND action <> 'unchanged'",
        after: "SELECT id FROM service_history
            WHERE service_id = ?1 AND id > ?2 AND action IN ('created', 'replaced', 'removed') ORDER BY id LIMIT 1",
        relink: "UPDATE service_history SET replaced = ?1 WHERE id = ?2",
        forget: "UPDATE service_history SET idempotency_key = NULL, action = 'undone' WHERE idempotency_key = ?1",
    };

    fn stored(row: &ConsulRegister) -> Stored {
        Stored { position: row.position, state: EntryState::Active }
    }

    fn replacing(new: ConsulRegister, _old: &ConsulRegister) -> ConsulRegister {
        new
    }

    fn removed(_row: &ConsulRegister, _position: Option<&EventPosition>) -> Option<ConsulRegister> {
        None
    }

    async fn load(connection: &mut SqliteConnection, id: &str) -> Result<Option<ConsulRegister>, Failure> {
        let columns: Option<Columns> = sqlx::query_as("SELECT * FROM services WHERE service_id = ?1")
            .bind(id)
            .fetch_optional(connection)
            .await
            .map_err(|error| failure("reading the service", &error))?;
        columns.map(|columns| columns.row().ok_or_else(|| unreadable("service"))).transpose()
    }

    async fn store(connection: &mut SqliteConnection, row: &ConsulRegister) -> Result<(), Failure> {
        let query = sqlx::query(UPSERT)
            .bind(row.service_id.as_str())
            .bind(row.service_name.as_str())
            .bind(text(&row.tags)?)
            .bind(row.address.as_deref())
            .bind(row.port)
            .bind(row.health_check.as_ref().map(text).transpose()?)
            .bind(text(&row.meta)?)
            .bind(row.position.epoch.map(column_of_epoch).transpose()?)
            .bind(rfc3339::text(&row.position.timestamp))
            .bind(row.correlation_id.to_string());
        query.execute(connection).await.map_err(|error| failure("writing the service", &error))?;
        Ok(())
    }

    async fn delete(connection: &mut SqliteConnection, id: &str) -> Result<(), Failure> {
        let query = sqlx::query("DELETE FROM services WHERE service_id = ?1").bind(id);
        query.execute(connection).await.map_err(|error| failure("taking the service out", &error))?;
        Ok(())
    }
}

/// All services, ordered by service id.
pub(crate) async fn entries(connection: &mut SqliteConnection, backend: &str) -> Result<Vec<RegistryEntry>, Failure> {
    let rows: Vec<Columns> = sqlx::query_as("SELECT * FROM services ORDER BY service_id")
        .fetch_all(connection)
        .await
        .map_err(|error| failure("reading the services", &error))?;
    let entry = |columns: Columns| {
        let row = columns.row().ok_or_else(|| unreadable("service"))?;
        Ok(RegistryEntry::of_service(backend, ServiceFacts::from(&row)))
    };
    rows.into_iter().map(entry).collect()
}

const UPSERT: &str = "
    INSERT INTO services (
        service_id, service_name, tags, address, port, health_check, meta, epoch, event_timestamp, correlation_id
    ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT (service_id) DO UPDATE SET
        service_name = excluded.service_name, tags = excluded.tags, address = excluded.address, port = excluded.port,
        health_check = excluded.health_check, meta = excluded.meta, epoch = excluded.epoch,
        event_timestamp = excluded.event_timestamp, correlation_id = excluded.correlation_id";

/// The row as SQLite has it: UUIDs, times and JSON as text.
#[derive(sqlx::FromRow)]
struct Columns {
    service_id: String,
    service_name: String,
    tags: String,
    address: Option<String>,
    port: Option<u16>,
    health_check: Option<String>,
    meta: String,
    epoch: Option<i64>,
    event_timestamp: String,
    correlation_id: String,
}

impl Columns {
    /// The typed row; `None` when something else wrote the columns.
    fn row(self) -> Option<ConsulRegister> {
        Some(ConsulRegister {
            correlation_id: self.correlation_id.parse().ok()?,
            service_id: self.service_id.parse().ok()?,
            service_name: self.service_name.parse().ok()?,
            tags: value(&self.tags)?,
            address: self.address,
            port: self.port,
            health_check: self.health_check.map(|text| value(&text).ok_or(())).transpose().ok()?,
            meta: value(&self.meta)?,
            position: position(self.epoch, &self.event_timestamp)?,
        })
    }
}

fn text(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|_| unreadable("service"))
}

fn value<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}
