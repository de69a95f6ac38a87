//! Decides which words name a kind of node.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The kinds of node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Archetype {
    /// Pure transformation.
    Compute,
    /// All I/O.
    Effect,
    /// Pure state machine.
    Reducer,
    /// Coordination.
    Orchestrator,
    /// Hosts other nodes; this runtime itself.
    RuntimeHost,
}

impl Archetype {
    /// The kind as contracts write it in short form, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Effect => "effect",
            Self::Reducer => "reducer",
            Self::Orchestrator => "orchestrator",
            Self::RuntimeHost => "runtime_host",
        }
    }

    /// The kind a word names, in any case, bare or with `_GENERIC`; the specific words of real contracts
    /// included (`GATEWAY` and `VALIDATOR` coordinate, `TRANSFORMER` and `AGGREGATOR` compute, …).
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_uppercase();
        match word.strip_suffix("_GENERIC").unwrap_or(&word) {
            "COMPUTE" | "TRANSFORMER" | "AGGREGATOR" | "FUNCTION" | "MODEL" | "PLUGIN" | "SCHEMA" | "NODE"
            | "SERVICE" => Some(Self::Compute),
            "EFFECT" | "TOOL" | "AGENT" => Some(Self::Effect),
            "REDUCER" => Some(Self::Reducer),
            "ORCHESTRATOR" | "GATEWAY" | "VALIDATOR" | "WORKFLOW" => Some(Self::Orchestrator),
            "RUNTIME_HOST" => Some(Self::RuntimeHost),
            _ => None,
        }
    }
}

impl fmt::Display for Archetype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A `node_type` as written, with the kind it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeType {
    /// The kind. A graph's internal steps (`INTERNAL`, `ORCHESTRATOR_INTERNAL`) compute.
    pub archetype: Archetype,
    /// The word in the file.
    pub raw: String,
}

impl NodeType {
    fn of(word: &str) -> Option<Self> {
        let internal = ["INTERNAL", "ORCHESTRATOR_INTERNAL"].iter().any(|internal| internal.eq_ignore_ascii_case(word));
        let archetype = if internal { Archetype::Compute } else { Archetype::of_word(word)? };
        Some(Self { archetype, raw: word.to_owned() })
    }
}

impl<'de> Deserialize<'de> for NodeType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::of(&word).ok_or_else(|| {
            let known = "COMPUTE, EFFECT, REDUCER, ORCHESTRATOR or RUNTIME_HOST, each also with _GENERIC";
            de::Error::custom(format!("unknown node type `{word}`, expected {known}"))
        })
    }
}

impl Serialize for NodeType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.raw)
    }
}

impl JsonSchema for NodeType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NodeType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let bare = "COMPUTE|EFFECT|REDUCER|ORCHESTRATOR|RUNTIME_HOST|TRANSFORMER|AGGREGATOR|FUNCTION|MODEL|PLUGIN|SCHEMA|TOOL|AGENT|NODE|SERVICE|GATEWAY|VALIDATOR|WORKFLOW";
        let pattern = format!(
            "^(({})({})?|({})?{})$",
            any_case(bare),
            any_case("_GENERIC"),
            any_case("ORCHESTRATOR_"),
            any_case("INTERNAL")
        );
        json_schema!({ "type": "string", "pattern": pattern })
    }
}

/// A pattern for words in any case.
pub(super) fn any_case(words: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_alphabetic() {
        true => format!("[{}{}]", letter.to_ascii_uppercase(), letter.to_ascii_lowercase()),
        false => letter.to_string(),
    };
    words.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::{Archetype, NodeType};

    #[test]
    fn words_in_any_case_and_form_name_a_kind() {
        for (word, expected) in [
            ("ORCHESTRATOR", Some(Archetype::Orchestrator)),
            ("orchestrator_generic", Some(Archetype::Orchestrator)),
            ("EFFECT_GENERIC", Some(Archetype::Effect)),
            ("compute", Some(Archetype::Compute)),
            ("ORCHESTRATOR_INTERNAL", Some(Archetype::Compute)),
            ("RUNTIME_HOST", Some(Archetype::RuntimeHost)),
            ("UNKNOWN", None),
            ("banana", None),
            ("", None),
        ] {
            assert_eq!(NodeType::of(word).map(|node_type| node_type.archetype), expected, "{word}");
        }
    }
}
