//! The event by which a node says that it still lives, and what went through it lately.
//!
//! Counters are whole numbers of at least 0; the flow window is one closed stretch of event time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    bounds,
    kind::NodeKind,
    object::object,
    timestamp::{Timestamp, rfc3339},
    version::SemanticVersion,
};

/// A node is alive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote)]
pub struct NodeHeartbeatEvent {
    /// The node.
    pub node_id: Uuid,
    /// The kind of node.
    pub node_type: NodeKind,
    /// The version of the node; 1.0.0 when absent.
    #[serde(default)]
    pub node_version: SemanticVersion,
    /// Seconds since the node started; at least 0.
    #[serde(deserialize_with = "bounds::non_negative")]
    #[schemars(range(min = 0.0))]
    pub uptime_seconds: f64,
    /// Operations running now.
    #[serde(default)]
    pub active_operations_count: u64,
    /// Megabytes; at least 0.
    #[serde(default, deserialize_with = "bounds::optional_non_negative")]
    #[schemars(range(min = 0.0))]
    pub memory_usage_mb: Option<f64>,
    /// Percent: 0 to 100.
    #[serde(default, deserialize_with = "bounds::optional_percent")]
    #[schemars(range(min = 0.0, max = 100.0))]
    pub cpu_usage_percent: Option<f64>,
    /// What went through the node in the last closed window.
    #[serde(default)]
    pub flow_window: Option<NodeFlowWindow>,
    /// The id of the conversation, if there is one.
    #[serde(default)]
    pub correlation_id: Option<Uuid>,
    /// When the node wrote the event.
    #[serde(with = "rfc3339")]
    #[schemars(with = "Timestamp")]
    pub timestamp: Timestamp,
}

/// Counters of one node over one window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote)]
pub struct NodeFlowWindow {
    /// The node.
    pub node_id: Uuid,
    /// Start of the window in event time.
    #[serde(with = "rfc3339")]
    #[schemars(with = "Timestamp")]
    pub window_start: Timestamp,
    /// End of the window in event time.
    #[serde(with = "rfc3339")]
    #[schemars(with = "Timestamp")]
    pub window_end: Timestamp,
    /// Counts the windows of one process; a gap means that something is unknown.
    pub window_sequence: u64,
    /// One entry per subscription.
    #[serde(default)]
    pub consumer_deltas: Vec<ConsumerFlowDelta>,
    /// One entry per topic written to.
    #[serde(default)]
    pub produce_deltas: Vec<TopicProduceDelta>,
}

/// Counters of one subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote)]
pub struct ConsumerFlowDelta {
    /// The consumer group; not empty.
    #[serde(deserialize_with = "bounds::not_empty")]
    #[schemars(length(min = 1))]
    pub consumer_group: String,
    /// The topic; not empty.
    #[serde(deserialize_with = "bounds::not_empty")]
    #[schemars(length(min = 1))]
    pub topic: String,
    /// The node whose process counted.
    pub node_id: Uuid,
    /// Start of the window in event time.
    #[serde(with = "rfc3339")]
    #[schemars(with = "Timestamp")]
    pub window_start: Timestamp,
    /// End of the window in event time.
    #[serde(with = "rfc3339")]
    #[schemars(with = "Timestamp")]
    pub window_end: Timestamp,
    /// The window's number.
    pub window_sequence: u64,
    /// Messages read.
    #[serde(default)]
    pub messages_in: u64,
    /// Messages written in answer.
    #[serde(default)]
    pub messages_out: u64,
    /// Messages put aside as dead letters.
    #[serde(default)]
    pub messages_dlq: u64,
    /// Times the handler failed.
    #[serde(default)]
    pub handler_errors: u64,
    /// Whether the contract declares any output; null when nobody knows.
    #[serde(default)]
    pub declares_output: Option<bool>,
}

/// Counters of one topic written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote)]
pub struct TopicProduceDelta {
    /// The topic; not empty.
    #[serde(deserialize_with = "bounds::not_empty")]
    #[schemars(length(min = 1))]
    pub topic: String,
    /// The node whose process wrote.
    pub node_id: Uuid,
    /// Start of the window in event time.
    #[serde(with = "rfc3339")]
    #[schemars(with = "Timestamp")]
    pub window_start: Timestamp,
    /// End of the window in event time.
    #[serde(with = "rfc3339")]
    #[schemars(with = "Timestamp")]
    pub window_end: Timestamp,
    /// The window's number.
    pub window_sequence: u64,
    /// Messages written.
    #[serde(default)]
    pub messages_produced: u64,
}

object!(NodeHeartbeatEvent, NodeFlowWindow, ConsumerFlowDelta, TopicProduceDelta);
