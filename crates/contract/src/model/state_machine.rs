//! A reducer's table: states, and transitions between them on triggers under conditions.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// `state_machine` (also read as `state_transitions` and `fsm`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StateMachine {
    /// For people.
    #[serde(default, alias = "name", skip_serializing_if = "Option::is_none")]
    pub state_machine_name: Option<String>,
    /// The state of an entity never seen.
    pub initial_state: String,
    /// States that nothing leaves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terminal_states: Vec<String>,
    /// States that count as failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub error_states: Vec<String>,
    /// Every state.
    pub states: Vec<State>,
    /// Every transition, in the order that breaks ties of priority.
    #[serde(default)]
    pub transitions: Vec<Transition>,
}

/// A state: a name, or a map.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct State {
    /// Its name.
    pub state_name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Nothing leaves it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_terminal: bool,
}

#[derive(Deserialize)]
struct WrittenState {
    #[serde(alias = "name")]
    state_name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    is_terminal: bool,
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StateVisitor;
        impl<'de> de::Visitor<'de> for StateVisitor {
            type Value = State;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a state's name, or a map with `state_name`")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<State, E> {
                Ok(State { state_name: name.to_owned(), description: None, is_terminal: false })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<State, A::Error> {
                let WrittenState { state_name, description, is_terminal } =
                    WrittenState::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(State { state_name, description, is_terminal })
            }
        }
        deserializer.deserialize_any(StateVisitor)
    }
}

impl JsonSchema for State {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "State".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {
                        "state_name": {"type": "string"},
                        "description": {"type": ["string", "null"]},
                        "is_terminal": {"type": "boolean"},
                    },
                    "required": ["state_name"],
                }
            ]
        })
    }
}

/// A transition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Transition {
    /// For people; `{from}__{trigger}__{to}` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_name: Option<String>,
    /// Where from; `*` for any state without an own transition on the trigger.
    #[serde(alias = "from")]
    pub from_state: String,
    /// Where to.
    #[serde(alias = "to")]
    pub to_state: String,
    /// On what; compared byte by byte (F-06).
    pub trigger: String,
    /// Higher ones are tried first (F-09).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// All that are required must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Transition {
    /// Its name, or the one made of what it does.
    pub fn name(&self) -> String {
        self.transition_name
            .clone()
            .unwrap_or_else(|| format!("{}__{}__{}", self.from_state, self.trigger, self.to_state))
    }
}

/// A guard of a transition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition_name: Option<String>,
    /// `field operator value`, or `field operator` for operators without a value.
    pub expression: String,
    /// `false`: advisory, not evaluated (F-32).
    #[serde(default = "required")]
    pub required: bool,
}

fn required() -> bool {
    true
}
