//! The whole of a `contract.yaml`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use super::{
    Archetype, ErrorHandling, EventBus, EventDeclaration, GraphNode, NodeType, StateMachine, TopicEntry, Version,
    WorkflowCoordination, anything,
};

/// A node's contract. Values kept as [`Value`] are read by other tools and carried along.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Contract {
    /// The node's name, unique in a system.
    #[serde(alias = "node_name", alias = "contract_name")]
    pub name: String,
    /// What kind of node.
    pub node_type: NodeType,
    /// Version of the contract.
    #[serde(alias = "version")]
    pub contract_version: Version,
    /// Version of the node behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_version: Option<Version>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The model of what comes in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_model: Option<ModelReference>,
    /// The model of what goes out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_model: Option<ModelReference>,
    /// ORCHESTRATOR: its program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_coordination: Option<WorkflowCoordination>,
    /// Events that start it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consumed_events: Vec<EventDeclaration>,
    /// Events it publishes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published_events: Vec<EventDeclaration>,
    /// Where intents go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent_consumption: Option<IntentConsumption>,
    /// Topics, where no events are declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_bus: Option<EventBus>,
    /// Topics at the top, as some contracts have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscribe_topics: Vec<TopicEntry>,
    /// Topics at the top, as some contracts have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish_topics: Vec<TopicEntry>,
    /// The topic that tells the end of a conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal_event: Option<String>,
    /// How other runtimes route events to handlers in code; a workflow beside it is run there by those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "anything")]
    pub handler_routing: Option<Value>,
    /// What it needs around it.
    #[serde(default, skip_serializing_if = "Dependencies::is_empty")]
    pub dependencies: Dependencies,
    /// How it behaves, for people and other tools; its archetype must be the node's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub descriptor: Option<Descriptor>,
    /// What happens when something fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_handling: Option<ErrorHandling>,
    /// Where its health is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// REDUCER: its table.
    #[serde(default, alias = "state_transitions", alias = "fsm", skip_serializing_if = "Option::is_none")]
    pub state_machine: Option<StateMachine>,
    /// EFFECT: intents it carries out and how safe a repeat is; for people and other tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "anything")]
    pub io_operations: Option<Value>,
    /// For people and other tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "anything")]
    pub metadata: Option<Value>,
}

impl Contract {
    /// What kind of node it is.
    pub fn archetype(&self) -> Archetype {
        self.node_type.archetype
    }

    /// The steps of its execution graph, as declared; none where it has no workflow.
    pub fn steps(&self) -> &[GraphNode] {
        let workflow = self.workflow_coordination.as_ref();
        workflow.map_or(&[], |workflow| &workflow.workflow_definition.execution_graph.nodes)
    }
}

/// A model by name, with the module it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelReference {
    /// The model's name.
    pub name: String,
    /// The module, for other tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

#[derive(Deserialize)]
struct WrittenModel {
    #[serde(alias = "class")]
    name: String,
    #[serde(default)]
    module: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

impl<'de> Deserialize<'de> for ModelReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ModelVisitor;
        impl<'de> de::Visitor<'de> for ModelVisitor {
            type Value = ModelReference;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a model's name, or a map of name and module")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ModelReference, E> {
                let (module, name) =
                    text.rsplit_once(['.', ':']).map_or((None, text), |(module, name)| (Some(module), name));
                Ok(ModelReference { name: name.to_owned(), module: module.map(str::to_owned), description: None })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<ModelReference, A::Error> {
                let WrittenModel { name, module, description } =
                    WrittenModel::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(ModelReference { name, module, description })
            }
        }
        deserializer.deserialize_any(ModelVisitor)
    }
}

impl JsonSchema for ModelReference {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ModelReference".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = serde_json::json!({"type": ["string", "null"]});
        json_schema!({
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "module": text, "description": text},
                    "required": ["name"],
                }
            ]
        })
    }
}

/// `intent_consumption`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IntentConsumption {
    /// Kinds of intents the orchestrator deals with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscribed_intents: Vec<String>,
    /// Which effect carries out which kind.
    #[serde(default, alias = "routing_table", skip_serializing_if = "BTreeMap::is_empty")]
    pub intent_routing_table: BTreeMap<String, String>,
}

/// `descriptor`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Descriptor {
    /// The kind of node.
    #[serde(default, alias = "archetype", skip_serializing_if = "Option::is_none")]
    pub node_archetype: Option<String>,
    /// `pure` or one of several words for the opposite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purity: Option<String>,
    /// Whether a repeat is safe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// Milliseconds it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// `dependencies`: a list, or a map of lists by kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Dependencies(pub Vec<Dependency>);

impl Dependencies {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Dependency> {
        self.0.iter()
    }
}

impl<'de> Deserialize<'de> for Dependencies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DependenciesVisitor;
        impl<'de> de::Visitor<'de> for DependenciesVisitor {
            type Value = Dependencies;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of dependencies, or a map of lists")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Dependencies, E> {
                Ok(Dependencies::default())
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, sequence: A) -> Result<Dependencies, A::Error> {
                Deserialize::deserialize(de::value::SeqAccessDeserializer::new(sequence)).map(Dependencies)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Dependencies, A::Error> {
                let mut dependencies = Vec::new();
                while let Some((kind, listed)) = map.next_entry::<String, Value>()? {
                    dependencies.extend(listed_names(&listed).map(|name| Dependency::of_kind(name, &kind)));
                }
                Ok(Dependencies(dependencies))
            }
        }
        deserializer.deserialize_any(DependenciesVisitor)
    }
}

/// Names in a map form's list: texts, or maps with a name.
fn listed_names(listed: &Value) -> impl Iterator<Item = String> {
    let items = listed.as_array().map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(|item| item.as_str().or_else(|| item["name"].as_str()).map(str::to_owned))
}

impl JsonSchema for Dependencies {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Dependencies".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<Dependency>();
        json_schema!({"anyOf": [{"type": "array", "items": item}, {"type": "object"}, {"type": "null"}]})
    }
}

/// An entry of `dependencies`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dependency {
    /// Its name within the contract.
    pub name: String,
    /// `node`, `protocol`, `service`, …
    #[serde(default, rename = "type", alias = "dependency_type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Where it comes from; a node's module ends with the node's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The versions that will do: one, such as `1.2.0`, or a range, such as `>=1.2, <2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "anything")]
    pub version: Option<Value>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Dependency {
    fn of_kind(name: String, kind: &str) -> Self {
        Self { name, kind: Some(kind.to_owned()), module: None, version: None, description: None }
    }
}

/// `health_check`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HealthCheck {
    /// Whether there is one.
    #[serde(default)]
    pub enabled: bool,
    /// Its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Seconds between two questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u64>,
}
