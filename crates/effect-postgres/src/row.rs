//! Decides how a row of `node_registrations` is read.

use std::collections::BTreeMap;

use onex_effect::{EntryState, RegistryEntry};
use onex_event::intent::RegistrationRecord;
use onex_event::{EventPosition, Timestamp};
use onex_node::{ErrorClass, Failure};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::failure::{failure, unreadable};

#[derive(sqlx::FromRow)]
struct Row {
    node_id: Uuid,
    node_name: Option<String>,
    node_type: String,
    node_version: String,
    capabilities: Value,
    endpoints: Json<BTreeMap<String, String>>,
    metadata: Value,
    health_endpoint: Option<String>,
    node_role: Option<String>,
    network_id: Option<String>,
    deployment_id: Option<String>,
    epoch: Option<i64>,
    event_timestamp: Timestamp,
    correlation_id: Uuid,
    run_id: Option<Uuid>,
    state: String,
    registered_at: Timestamp,
    updated_at: Timestamp,
}

/// All rows, ordered by node id.
pub(crate) async fn entries(connection: &mut PgConnection, backend: &str) -> Result<Vec<RegistryEntry>, Failure> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM node_registrations ORDER BY node_id")
        .fetch_all(connection)
        .await
        .map_err(|error| failure("reading the registrations", &error))?;
    rows.into_iter().map(|row| row.entry(backend).ok_or_else(|| unreadable("registration"))).collect()
}

impl Row {
    /// The entry; `None` when something else wrote the row.
    fn entry(self, backend: &str) -> Option<RegistryEntry> {
        let state = EntryState::from_word(&self.state);
        let record = RegistrationRecord {
            node_id: self.node_id,
            node_name: self.node_name,
            node_type: self.node_type.parse().ok()?,
            node_version: self.node_version,
            capabilities: self.capabilities,
            endpoints: self.endpoints.0,
            metadata: self.metadata,
            health_endpoint: self.health_endpoint,
            node_role: self.node_role,
            network_id: self.network_id,
            deployment_id: self.deployment_id,
            position: position(self.epoch, self.event_timestamp),
            correlation_id: self.correlation_id,
            registered_at: self.registered_at,
            updated_at: self.updated_at,
            run_id: self.run_id,
        };
        Some(RegistryEntry::of_record(backend, record, state))
    }
}

/// The position in two columns; the column's check keeps epochs from being negative.
pub(crate) fn position(epoch: Option<i64>, timestamp: Timestamp) -> EventPosition {
    EventPosition { epoch: epoch.map(i64::unsigned_abs), timestamp }
}

/// An epoch as a column, which ends at 2^63 - 1.
pub(crate) fn column_of_epoch(epoch: u64) -> Result<i64, Failure> {
    let message = format!("epoch {epoch} is larger than {}, the largest that can be stored", i64::MAX);
    i64::try_from(epoch).map_err(|_| Failure::new(ErrorClass::Validation, onex_effect::codes::BAD_PAYLOAD, message))
}
