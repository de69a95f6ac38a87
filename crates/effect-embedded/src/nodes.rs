//! Decides how a node's row is written and read.

use onex_effect::{EntryState, RegistryEntry, Stored};
use onex_event::intent::RegistrationRecord;
use onex_event::{EventPosition, Timestamp, rfc3339};
use onex_node::{ErrorClass, Failure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::SqliteConnection;

use crate::failure::{failure, unreadable};
use crate::history::History;
use crate::shelf::Shelf;

/// A row of `node_registrations`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NodeRow {
    pub(crate) record: RegistrationRecord,
    pub(crate) state: EntryState,
}

/// The table of nodes.
pub(crate) struct Nodes;

impl Shelf for Nodes {
    type Row = NodeRow;

    const HISTORY: History = History {
        seen: "SELECT action FROM node_registration_history WHERE idempotency_key = ?1",
        record: "INSERT INTO node_registration_history (node_id, idempotency_key, action, replaced) VALUES (?1, ?2, ?3, ?4)",
        find: "SELECT id, replaced FROM node_registration_history
            WHERE node_id = ?1 AND idempotency_key = ?2 AND action <> 'unchanged'",
        after: "SELECT id FROM node_registration_history
            WHERE node_id = ?1 AND id > ?2 AND action IN ('created', 'replaced', 'removed') ORDER BY id LIMIT 1",
        relink: "UPDATE node_registration_history SET replaced = ?1 WHERE id = ?2",
        forget: "UPDATE node_registration_history SET idempotency_key = NULL, action = 'undone' WHERE idempotency_key = ?1",
    };

    fn stored(row: &NodeRow) -> Stored {
        Stored { position: row.record.position, state: row.state }
    }

    fn replacing(mut new: NodeRow, old: &NodeRow) -> NodeRow {
        new.record.registered_at = old.record.registered_at;
        new
    }

    fn removed(row: &NodeRow, position: Option<&EventPosition>) -> Option<NodeRow> {
        let mut record = row.record.clone();
        if let Some(position) = position {
            record.position.epoch = position.epoch.or(record.position.epoch);
            record.position.timestamp = position.timestamp;
            record.updated_at = position.timestamp;
        }
        Some(NodeRow { record, state: EntryState::Deregistered })
    }

    async fn load(connection: &mut SqliteConnection, id: &str) -> Result<Option<NodeRow>, Failure> {
        let columns: Option<Columns> = sqlx::query_as("SELECT * FROM node_registrations WHERE node_id = ?1")
            .bind(id)
            .fetch_optional(connection)
            .await
            .map_err(|error| failure("reading the node's row", &error))?;
        columns.map(|columns| columns.row().ok_or_else(|| unreadable("row"))).transpose()
    }

    async fn store(connection: &mut SqliteConnection, row: &NodeRow) -> Result<(), Failure> {
        let columns = Columns::of(row)?;
        let query = sqlx::query(UPSERT)
            .bind(columns.node_id)
            .bind(columns.node_name)
            .bind(columns.node_type)
            .bind(columns.node_version)
            .bind(columns.capabilities)
            .bind(columns.endpoints)
            .bind(columns.metadata)
            .bind(columns.health_endpoint)
            .bind(columns.node_role)
            .bind(columns.network_id)
            .bind(columns.deployment_id)
            .bind(columns.epoch)
            .bind(columns.event_timestamp)
            .bind(columns.correlation_id)
            .bind(columns.run_id)
            .bind(columns.state)
            .bind(columns.registered_at)
            .bind(columns.updated_at);
        query.execute(connection).await.map_err(|error| failure("writing the node's row", &error))?;
        Ok(())
    }

    async fn delete(connection: &mut SqliteConnection, id: &str) -> Result<(), Failure> {
        let query = sqlx::query("DELETE FROM node_registrations WHERE node_id = ?1").bind(id);
        query.execute(connection).await.map_err(|error| failure("taking the node's row away", &error))?;
        Ok(())
    }
}

/// All rows, ordered by node id.
pub(crate) async fn entries(connection: &mut SqliteConnection, backend: &str) -> Result<Vec<RegistryEntry>, Failure> {
    let rows: Vec<Columns> = sqlx::query_as("SELECT * FROM node_registrations ORDER BY node_id")
        .fetch_all(connection)
        .await
        .map_err(|error| failure("reading the nodes", &error))?;
    let entry = |columns: Columns| {
        let row = columns.row().ok_or_else(|| unreadable("row"))?;
        Ok(RegistryEntry::of_record(backend, row.record, row.state))
    };
    rows.into_iter().map(entry).collect()
}

const UPSERT: &str = "
    INSERT INTO node_registrations (
        node_id, node_name, node_type, node_version, capabilities, endpoints, metadata, health_endpoint, node_role,
        network_id, deployment_id, epoch, event_timestamp, correlation_id, run_id, state, registered_at, updated_at
    ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
    ON CONFLICT (node_id) DO UPDATE SET
        node_name = excluded.node_name, node_type = excluded.node_type, node_version = excluded.node_version,
        capabilities = excluded.capabilities, endpoints = excluded.endpoints, metadata = excluded.metadata,
        health_endpoint = excluded.health_endpoint, node_role = excluded.node_role, network_id = excluded.network_id,
        deployment_id = excluded.deployment_id, epoch = excluded.epoch, event_timestamp = excluded.event_timestamp,
        correlation_id = excluded.correlation_id, run_id = excluded.run_id, state = excluded.state,
        registered_at = excluded.registered_at, updated_at = excluded.updated_at";

/// The row as SQLite has it: UUIDs, times and JSON as text.
#[derive(sqlx::FromRow)]
struct Columns {
    node_id: String,
    node_name: Option<String>,
    node_type: String,
    node_version: String,
    capabilities: String,
    endpoints: String,
    metadata: String,
    health_endpoint: Option<String>,
    node_role: Option<String>,
    network_id: Option<String>,
    deployment_id: Option<String>,
    epoch: Option<i64>,
    event_timestamp: String,
    correlation_id: String,
    run_id: Option<String>,
    state: String,
    registered_at: String,
    updated_at: String,
}

impl Columns {
    fn of(row: &NodeRow) -> Result<Self, Failure> {
        let record = row.record.clone();
        Ok(Self {
            node_id: record.node_id.to_string(),
            node_name: record.node_name,
            node_type: record.node_type.to_string(),
            node_version: record.node_version,
            capabilities: record.capabilities.to_string(),
            endpoints: serde_json::to_string(&record.endpoints).map_err(|_| unreadable("row"))?,
            metadata: record.metadata.to_string(),
            health_endpoint: record.health_endpoint,
            node_role: record.node_role,
            network_id: record.network_id,
            deployment_id: record.deployment_id,
            epoch: record.position.epoch.map(column_of_epoch).transpose()?,
            event_timestamp: rfc3339::text(&record.position.timestamp),
            correlation_id: record.correlation_id.to_string(),
            run_id: record.run_id.map(|run_id| run_id.to_string()),
            state: row.state.as_str().to_owned(),
            registered_at: rfc3339::text(&record.registered_at),
            updated_at: rfc3339::text(&record.updated_at),
        })
    }

    /// The typed row; `None` when something else wrote the columns.
    fn row(self) -> Option<NodeRow> {
        let record = RegistrationRecord {
            node_id: self.node_id.parse().ok()?,
            node_name: self.node_name,
            node_type: self.node_type.parse().ok()?,
            node_version: self.node_version,
            capabilities: json(&self.capabilities)?,
            endpoints: serde_json::from_str(&self.endpoints).ok()?,
            metadata: json(&self.metadata)?,
            health_endpoint: self.health_endpoint,
            node_role: self.node_role,
            network_id: self.network_id,
            deployment_id: self.deployment_id,
            position: position(self.epoch, &self.event_timestamp)?,
            correlation_id: self.correlation_id.parse().ok()?,
            registered_at: time(&self.registered_at)?,
            updated_at: time(&self.updated_at)?,
            run_id: self.run_id.map(|text| text.parse()).transpose().ok()?,
        };
        Some(NodeRow { record, state: EntryState::from_word(&self.state) })
    }
}

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn time(text: &str) -> Option<Timestamp> {
    rfc3339::parse(text)
}

/// The position in two columns.
pub(crate) fn position(epoch: Option<i64>, timestamp: &str) -> Option<EventPosition> {
    let epoch = epoch.map(u64::try_from).transpose().ok()?;
    Some(EventPosition { epoch, timestamp: time(timestamp)? })
}

/// An epoch as a column, which ends at 2^63 - 1.
pub(crate) fn column_of_epoch(epoch: u64) -> Result<i64, Failure> {
    let message = format!("epoch {epoch} is larger than {}, the largest that can be stored", i64::MAX);
    i64::try_from(epoch).map_err(|_| Failure::new(ErrorClass::Validation, onex_effect::codes::BAD_PAYLOAD, message))
}
