//! What a node says it can do: declared by its contract, found by reflection, read from the
//! contract's text.
//!
//! The three are kept apart because they disagree in practice, and a reader must know whom it
//! believes. Fields and bounds follow the Python models of July 2026.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    bounds,
    object::object,
    timestamp::{Timestamp, rfc3339},
    version::SemanticVersion,
};

/// What the contract declares; further keys are the node's own and are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default)]
#[schemars(!remote)]
pub struct NodeCapabilities {
    /// Uses PostgreSQL.
    pub postgres: bool,
    /// Reads.
    pub read: bool,
    /// Writes.
    pub write: bool,
    /// Uses some database.
    pub database: bool,
    /// Supports transactions.
    pub transactions: bool,
    /// Processes data.
    pub processing: bool,
    /// Items per batch.
    pub batch_size: Option<i64>,
    /// The most items per batch.
    pub max_batch: Option<i64>,
    /// Names of the data types it takes.
    pub supported_types: Vec<String>,
    /// Routes messages.
    pub routing: bool,
    /// A flag without a fixed meaning.
    pub feature: bool,
    /// Nested configuration.
    pub config: Map<String, Value>,
    /// Feature flags as the contract has them.
    pub feature_flags: FeatureFlags,
    /// How the node is offered as a tool to AI agents; null when it is not.
    pub mcp: Option<McpContractConfig>,
    /// Every other key.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// What reflection found at run time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[schemars(!remote)]
pub struct DiscoveredCapabilities {
    /// Method names that look like operations.
    pub operations: Vec<String>,
    /// Whether there is a state machine.
    pub has_fsm: bool,
    /// Method name to signature.
    pub method_signatures: BTreeMap<String, String>,
    /// Whatever else was found.
    pub attributes: Map<String, Value>,
}

/// What the contract says, in a form to search by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote)]
pub struct ContractCapabilities {
    /// The kind of contract, such as `effect`.
    pub contract_type: String,
    /// The version of the contract.
    pub contract_version: SemanticVersion,
    /// Intents the node takes.
    #[serde(default)]
    pub intent_types: Vec<String>,
    /// Protocols the node implements.
    #[serde(default)]
    pub protocols: Vec<String>,
    /// Tags to search by.
    #[serde(default)]
    pub capability_tags: Vec<String>,
    /// About the deployment.
    #[serde(default)]
    pub service_metadata: Option<Map<String, Value>>,
}

/// Named switches and their states.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[schemars(!remote)]
pub struct FeatureFlags {
    /// Flag to state.
    pub flags: BTreeMap<String, bool>,
    /// Flag to what is known about it.
    pub flag_metadata: BTreeMap<String, FeatureFlagMetadata>,
    /// The state of flags not listed.
    pub default_enabled: bool,
}

/// What is known about one feature flag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[schemars(!remote)]
pub struct FeatureFlagMetadata {
    /// For people.
    pub description: String,
    /// When the flag was made.
    #[serde(with = "rfc3339::option")]
    #[schemars(with = "Option<Timestamp>")]
    pub created_at: Option<Timestamp>,
    /// When the flag was changed last.
    #[serde(with = "rfc3339::option")]
    #[schemars(with = "Option<Timestamp>")]
    pub updated_at: Option<Timestamp>,
    /// Who answers for the flag.
    pub owner: Option<String>,
    /// Tags to search by.
    pub tags: Vec<String>,
    /// For how many of a hundred it is on: 0 to 100.
    #[serde(deserialize_with = "bounds::within::<0, 100, _, _>")]
    #[schemars(range(min = 0, max = 100))]
    pub rollout_percentage: u8,
}

impl Default for FeatureFlagMetadata {
    fn default() -> Self {
        Self {
            description: String::new(),
            created_at: None,
            updated_at: None,
            owner: None,
            tags: Vec::new(),
            rollout_percentage: 100,
        }
    }
}

/// How an orchestrator is offered as a tool over MCP. Unknown keys are ignored, as upstream does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default)]
#[schemars(!remote)]
pub struct McpContractConfig {
    /// Whether it is offered.
    pub expose: bool,
    /// The tool's name; the node's name when null.
    pub tool_name: Option<String>,
    /// What the tool does; the contract's description when null.
    pub description: Option<String>,
    /// Seconds for one call: 1 to 300.
    #[serde(deserialize_with = "bounds::within::<1, 300, _, _>")]
    #[schemars(range(min = 1, max = 300))]
    pub timeout_seconds: u16,
}

impl Default for McpContractConfig {
    fn default() -> Self {
        Self { expose: false, tool_name: None, description: None, timeout_seconds: 30 }
    }
}

object!(
    NodeCapabilities,
    DiscoveredCapabilities,
    ContractCapabilities,
    FeatureFlags,
    FeatureFlagMetadata,
    McpContractConfig
);
