//! The event by which a registry asks nodes to announce themselves.
//!
//! Upstream names it in every contract and has no model for it; this one adds a timestamp to
//! what its effect puts on the wire, and the optional target its nodes look for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    object::object,
    timestamp::{Timestamp, rfc3339},
};

/// All nodes, or one, are to write an introspection event with reason `request`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote)]
pub struct RegistryRequestIntrospectionEvent {
    /// Always the same text; may be absent when read.
    #[serde(default)]
    pub event_type: RequestIntrospectionType,
    /// The answers carry it too.
    pub correlation_id: Uuid,
    /// The one node that is meant; null for all.
    #[serde(default)]
    pub target_node_id: Option<Uuid>,
    /// When the registry asked.
    #[serde(with = "rfc3339")]
    #[schemars(with = "Timestamp")]
    pub timestamp: Timestamp,
}

/// The text `REGISTRY_REQUEST_INTROSPECTION`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum RequestIntrospectionType {
    /// The only value.
    #[default]
    #[serde(rename = "REGISTRY_REQUEST_INTROSPECTION")]
    RegistryRequestIntrospection,
}

object!(RegistryRequestIntrospectionEvent);
