//! The event by which a node announces itself.
//!
//! This is the one introspection model; upstream had three. Unknown keys are refused, except in
//! capabilities and metadata, where nodes keep their own. The correlation id and the timestamp
//! are required: a repeated event is known by the one, an outdated event by the other, and both
//! would lose their meaning if a reader made them up.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    bounds,
    capabilities::{ContractCapabilities, DiscoveredCapabilities, FeatureFlags, NodeCapabilities},
    endpoint::EndpointUrl,
    kind::NodeKind,
    object::object,
    position::EventPosition,
    timestamp::{Timestamp, rfc3339},
    version::SemanticVersion,
};

/// The longest health endpoint, in characters: the width of its column in Postgres.
pub const MAX_HEALTH_ENDPOINT_CHARS: usize = 512;

/// A node says what it is, what it can do, and where it can be reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote)]
pub struct NodeIntrospectionEvent {
    /// The node, for its whole life.
    pub node_id: Uuid,
    /// For people; null when the node does not know its name.
    #[serde(default)]
    pub node_name: Option<String>,
    /// The kind of node.
    pub node_type: NodeKind,
    /// The version of the node; 1.0.0 when absent.
    #[serde(default)]
    pub node_version: SemanticVersion,
    /// What the contract declares.
    #[serde(default)]
    pub declared_capabilities: NodeCapabilities,
    /// What reflection found.
    #[serde(default)]
    pub discovered_capabilities: DiscoveredCapabilities,
    /// What the contract's text says; null when there is no contract at hand.
    #[serde(default)]
    pub contract_capabilities: Option<ContractCapabilities>,
    /// Name to address; `health` and `api` have a meaning. `health` has at most 512 characters.
    #[serde(default, deserialize_with = "endpoints")]
    pub endpoints: BTreeMap<String, EndpointUrl>,
    /// The state of the node's state machine, when it has one.
    #[serde(default)]
    pub current_state: Option<String>,
    /// Why the event was written; `startup` when absent.
    #[serde(default)]
    pub reason: IntrospectionReason,
    /// By which a repeated event is known.
    pub correlation_id: Uuid,
    /// When the node wrote the event.
    #[serde(with = "rfc3339")]
    #[schemars(with = "Timestamp")]
    pub timestamp: Timestamp,
    /// The node's part in the system, such as `registry`.
    #[serde(default)]
    pub node_role: Option<String>,
    /// Whatever else is to be known about the node.
    #[serde(default)]
    pub metadata: NodeMetadata,
    /// The cluster.
    #[serde(default)]
    pub network_id: Option<String>,
    /// The release.
    #[serde(default)]
    pub deployment_id: Option<String>,
    /// The node's own count of its registrations, which only grows; at least 0.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// How long the introspection took.
    #[serde(default)]
    pub performance_metrics: Option<IntrospectionPerformanceMetrics>,
    /// The topics of the node; null keeps it out of dynamic routing.
    #[serde(default)]
    pub event_bus: Option<NodeEventBusConfig>,
    /// Feature flags after overrides; the contract's own are in `declared_capabilities`.
    #[serde(default)]
    pub resolved_feature_flags: FeatureFlags,
}

impl NodeIntrospectionEvent {
    /// Where the event stands among those of its node.
    pub fn position(&self) -> EventPosition {
        EventPosition { epoch: self.epoch, timestamp: self.timestamp }
    }

    /// Where the node answers whether it is well.
    pub fn health_endpoint(&self) -> Option<&EndpointUrl> {
        self.endpoints.get("health")
    }

    /// Where other services reach the node: `health`, else `api`.
    pub fn service_endpoint(&self) -> Option<&EndpointUrl> {
        self.health_endpoint().or_else(|| self.endpoints.get("api"))
    }
}

/// Why a node announces itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntrospectionReason {
    /// It has just started.
    #[default]
    Startup,
    /// It is about to stop.
    Shutdown,
    /// It was asked to.
    Request,
    /// It does so from time to time.
    Heartbeat,
    /// Its health changed.
    HealthChange,
    /// Its capabilities changed.
    CapabilityChange,
}

/// About the node; further keys are the node's own and are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default)]
#[schemars(!remote)]
pub struct NodeMetadata {
    /// The version of the software, as free text.
    pub version: Option<String>,
    /// Such as `production`.
    pub environment: Option<String>,
    /// Where it runs.
    pub region: Option<String>,
    /// The cluster it runs in.
    pub cluster: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// For schedulers.
    pub priority: Option<i64>,
    /// Without a fixed meaning.
    pub key: Option<String>,
    /// Without a fixed meaning.
    pub key1: Option<String>,
    /// Without a fixed meaning.
    pub meta: Option<String>,
    /// Every other key.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// How long an introspection took, in milliseconds of at least 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[schemars(!remote)]
pub struct IntrospectionPerformanceMetrics {
    /// Reading the declared capabilities.
    #[serde(deserialize_with = "bounds::non_negative")]
    #[schemars(range(min = 0.0))]
    pub get_capabilities_ms: f64,
    /// Reflection.
    #[serde(deserialize_with = "bounds::non_negative")]
    #[schemars(range(min = 0.0))]
    pub discover_capabilities_ms: f64,
    /// Reading the endpoints.
    #[serde(deserialize_with = "bounds::non_negative")]
    #[schemars(range(min = 0.0))]
    pub get_endpoints_ms: f64,
    /// Reading the state.
    #[serde(deserialize_with = "bounds::non_negative")]
    #[schemars(range(min = 0.0))]
    pub get_current_state_ms: f64,
    /// All of it.
    #[serde(deserialize_with = "bounds::non_negative")]
    #[schemars(range(min = 0.0))]
    pub total_introspection_ms: f64,
    /// Whether the answer came from a cache.
    pub cache_hit: bool,
    /// Methods found.
    pub method_count: u64,
    /// Whether some part took longer than it may.
    pub threshold_exceeded: bool,
    /// The parts that did.
    pub slow_operations: Vec<String>,
    /// When this was measured; absent when the node does not say.
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Timestamp>")]
    pub captured_at: Option<Timestamp>,
}

/// The topics of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[schemars(!remote)]
pub struct NodeEventBusConfig {
    /// It reads these.
    pub subscribe_topics: Vec<EventBusTopicEntry>,
    /// It writes these.
    pub publish_topics: Vec<EventBusTopicEntry>,
}

/// One topic; only `topic` decides where a message goes, the rest is for tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote)]
pub struct EventBusTopicEntry {
    /// The topic as the node has it, which may be a legacy form.
    pub topic: String,
    /// The model of the event.
    #[serde(default)]
    pub event_type: Option<String>,
    /// `EVENT`, `COMMAND` or `INTENT`.
    #[serde(default = "event_category")]
    pub message_category: String,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
}

fn event_category() -> String {
    "EVENT".to_owned()
}

/// A health endpoint that its column cannot hold is refused here, before a workflow starts that
/// can only fail.
fn endpoints<'de, D>(from: D) -> Result<BTreeMap<String, EndpointUrl>, D::Error>
where
    D: Deserializer<'de>,
{
    let read = BTreeMap::<String, EndpointUrl>::deserialize(from)?;
    let health = read.get("health").map_or(0, |health| health.as_str().chars().count());
    if health > MAX_HEALTH_ENDPOINT_CHARS {
        let message = format!("`health` must have at most {MAX_HEALTH_ENDPOINT_CHARS} characters");
        return Err(D::Error::custom(message));
    }
    Ok(read)
}

object!(NodeIntrospectionEvent, NodeMetadata, IntrospectionPerformanceMetrics, NodeEventBusConfig, EventBusTopicEntry);
