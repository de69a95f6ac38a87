//! Intents for the table of nodes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    bounds,
    kind::NodeKind,
    position::EventPosition,
    timestamp::{Timestamp, rfc3339},
};

/// Writes a node's row, or replaces an older one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostgresUpsertRegistration {
    /// The id all messages of one registration share.
    pub correlation_id: Uuid,
    /// The row.
    pub record: RegistrationRecord,
}

/// Marks a node's row as gone; the row and its history stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostgresDeregister {
    /// The id all messages of one registration share.
    pub correlation_id: Uuid,
    /// The row.
    pub node_id: Uuid,
    /// A row with a newer position is kept; null marks any.
    #[serde(default)]
    pub position: Option<EventPosition>,
}

/// One row of `node_registrations`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistrationRecord {
    /// The primary key.
    pub node_id: Uuid,
    /// For people.
    #[serde(default)]
    pub node_name: Option<String>,
    /// The kind of node.
    pub node_type: NodeKind,
    /// A semantic version, as text.
    pub node_version: String,
    /// What the node can do: an object with `declared`, `discovered` and, if known, `contract`.
    pub capabilities: Value,
    /// Name to URL.
    pub endpoints: BTreeMap<String, String>,
    /// The node's metadata, an object.
    pub metadata: Value,
    /// The `health` endpoint; at most 512 characters, the width of its column.
    #[serde(default, deserialize_with = "bounds::at_most::<512, _>")]
    #[schemars(length(max = 512))]
    pub health_endpoint: Option<String>,
    /// The node's part in the system.
    #[serde(default)]
    pub node_role: Option<String>,
    /// The cluster.
    #[serde(default)]
    pub network_id: Option<String>,
    /// The release.
    #[serde(default)]
    pub deployment_id: Option<String>,
    /// A row with a newer position is kept.
    pub position: EventPosition,
    /// The event the row came from.
    pub correlation_id: Uuid,
    /// When the node was first seen; an upsert keeps the value of an existing row.
    #[serde(with = "rfc3339")]
    #[schemars(with = "Timestamp")]
    pub registered_at: Timestamp,
    /// When the row was written.
    #[serde(with = "rfc3339")]
    #[schemars(with = "Timestamp")]
    pub updated_at: Timestamp,
    /// The run that wrote the row.
    #[serde(default)]
    pub run_id: Option<Uuid>,
}
