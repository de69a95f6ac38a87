//! An orchestrator's program: the graph of its steps and the rules they run under.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use super::{Archetype, ErrorAction, ExecutionMode, FailureRecoveryStrategy, NodeType, Version, anything};

/// `workflow_coordination`. Its own rules stand for those of `coordination_rules` where these are silent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowCoordination {
    /// The workflow.
    pub workflow_definition: WorkflowDefinition,
    /// See [`CoordinationRules`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_mode: Option<ExecutionMode>,
    /// See [`CoordinationRules`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel_branches: Option<u32>,
    /// See [`CoordinationRules`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_enabled: Option<bool>,
    /// See [`CoordinationRules`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_interval_ms: Option<u64>,
    /// See [`CoordinationRules`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_persistence_enabled: Option<bool>,
    /// See [`CoordinationRules`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_enabled: Option<bool>,
    /// See [`CoordinationRules`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_enabled: Option<bool>,
    /// See [`CoordinationRules`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// `workflow_definition`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowDefinition {
    /// Name and version.
    pub workflow_metadata: WorkflowMetadata,
    /// The steps.
    pub execution_graph: ExecutionGraph,
    /// The rules.
    #[serde(default)]
    pub coordination_rules: CoordinationRules,
}

/// `workflow_metadata`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowMetadata {
    /// Its name.
    pub workflow_name: String,
    /// Its version.
    #[serde(default, alias = "version", skip_serializing_if = "Option::is_none")]
    pub workflow_version: Option<Version>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// See [`CoordinationRules`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_mode: Option<ExecutionMode>,
    /// See [`CoordinationRules`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// `execution_graph`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExecutionGraph {
    /// The steps in the order that breaks ties (section 4 of the semantics).
    #[serde(default)]
    pub nodes: Vec<GraphNode>,
    /// The same order once more, as some contracts write it; must agree with `depends_on`, or stand for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<Edge>,
}

/// An entry of `edges`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edge {
    /// The step that comes before.
    #[serde(alias = "from")]
    pub from_node: String,
    /// The step that comes after.
    #[serde(alias = "to")]
    pub to_node: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge_type: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl ExecutionGraph {
    /// The steps before one: what it depends on, and what edges lead to it.
    pub fn before<'g>(&'g self, node: &'g GraphNode) -> impl Iterator<Item = &'g str> {
        let edges = self.edges.iter().filter(|edge| edge.to_node == node.node_id).map(|edge| edge.from_node.as_str());
        node.depends_on.iter().map(String::as_str).chain(edges)
    }
}

/// A step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GraphNode {
    /// Its name in the graph.
    #[serde(alias = "step_id")]
    pub node_id: String,
    /// What kind of node it runs.
    #[serde(alias = "step_type")]
    pub node_type: NodeType,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How other runtimes name the node a step runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_node_type: Option<String>,
    /// How other runtimes name the contract of the node a step runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_ref: Option<String>,
    /// Steps that come before it.
    #[serde(default, alias = "dependencies", skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// `false`: it is skipped, and those after it run as if it were done (O-30).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Skipped, and those after it run, when a step had failed before it could start (O-44).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_on_failure: Option<bool>,
    /// What its failure leads to; comes before `failure_recovery_strategy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_action: Option<ErrorAction>,
    /// Skipped, and those after it run, unless all of these hold: `field operator value`, where a field is
    /// `input.x`, `steps.ID.output.x` or `steps.ID.status`.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "one_or_many_schema")]
    pub condition: Vec<String>,
    /// A list, or a template that gives one: the step is carried out for each of its items, which `input` sees as
    /// `${item}` and `${index}`.
    #[serde(default, deserialize_with = "list_or_text", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "list_or_template")]
    pub for_each: Option<Value>,
    /// How many of its calls may be under way at once; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel_instances: Option<u32>,
    /// How many of its calls may fail for good without the step failing; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_failures: Option<u32>,
    /// See [`StepConfig`], whose own comes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// See [`StepConfig`], whose own comes first.
    #[serde(default, alias = "retry_count", skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
    /// What it binds to.
    #[serde(default)]
    pub step_config: StepConfig,
}

impl GraphNode {
    /// Whether it carries intents out; other effect steps receive or publish.
    pub fn carries_out(&self) -> bool {
        let config = &self.step_config;
        let names_effect = config.effect_node.is_some() || config.intent_filter.is_some() || config.intent.is_some();
        self.node_type.archetype == Archetype::Effect && config.event_type.is_none() && names_effect
    }
}

/// `step_config`: what a step is bound to, and its own rules, which come before all others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepConfig {
    /// EFFECT without dependencies: globs of event types this step receives.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "one_or_many_schema")]
    pub event_pattern: Vec<String>,
    /// REDUCER: name of the reducer, or of a dependency or protocol that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reducer_protocol: Option<String>,
    /// REDUCER: what it gives, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_type: Option<String>,
    /// EFFECT: name of the effect that carries intents out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect_node: Option<String>,
    /// EFFECT: kind of the intent that it makes of its own `input` and carries out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// ORCHESTRATOR: name of the contract whose workflow it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// EFFECT: glob of the kinds of intents this step carries out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent_filter: Option<String>,
    /// COMPUTE: how results of effects become one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation_strategy: Option<String>,
    /// COMPUTE: name of a compute node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute_node: Option<String>,
    /// EFFECT: type of the event this step publishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The step's input, with templates `${input.x}`, `${steps.id.output.y}` and `${run.id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "anything")]
    pub input: Option<Value>,
    /// Milliseconds one attempt may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Attempts after the first.
    #[serde(default, alias = "retry_count", skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
}

/// `coordination_rules`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CoordinationRules {
    /// How steps follow each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_mode: Option<ExecutionMode>,
    /// `false` forces sequential (G-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_execution_allowed: Option<bool>,
    /// Steps that may run at once (G-11).
    #[serde(default, alias = "max_parallel_steps", skip_serializing_if = "Option::is_none")]
    pub max_parallel_branches: Option<u32>,
    /// Steps that all must have ended before any step after them starts; each entry is a step (G-18).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub synchronization_points: Vec<String>,
    /// What a failed step leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_recovery_strategy: Option<FailureRecoveryStrategy>,
    /// Attempts after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
    /// Delay before the second attempt, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_backoff_ms: Option<u64>,
    /// Growth of the delay from attempt to attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_backoff_multiplier: Option<f64>,
    /// Milliseconds the run may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Milliseconds one attempt of a step may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_timeout_ms: Option<u64>,
    /// Runs are journaled at every effect; `false` has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_enabled: Option<bool>,
    /// Has no effect: runs are journaled when something happens, not by the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_interval_ms: Option<u64>,
    /// Runs are always persisted; `false` has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_persistence_enabled: Option<bool>,
    /// Whether a failed run undoes its effects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_enabled: Option<bool>,
    /// Runs are always recovered; `false` has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_enabled: Option<bool>,
}

/// A list, or text with a template in it that gives one.
fn list_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    match Value::deserialize(deserializer)? {
        value @ (Value::Array(_) | Value::String(_)) => Ok(Some(value)),
        other => Err(de::Error::custom(format!("expected a list, or a template that gives one, found `{other}`"))),
    }
}

fn list_or_template(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"anyOf": [{"type": "string"}, {"type": "array"}]})
}

/// A string, or a list of strings.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct OneOrMany;
    impl<'de> de::Visitor<'de> for OneOrMany {
        type Value = Vec<String>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a string or a list of strings")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(vec![text.to_owned()])
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, sequence: A) -> Result<Vec<String>, A::Error> {
            Deserialize::deserialize(de::value::SeqAccessDeserializer::new(sequence))
        }
    }
    deserializer.deserialize_any(OneOrMany)
}

fn one_or_many_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
}
