//! Decides how an event is declared: a topic with the event's type, or a bare topic.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// An entry of `consumed_events` or `published_events`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventDeclaration {
    /// The topic as written, placeholders included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The event's type, such as `NodeIntrospectionEvent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    #[serde(
        default,
        alias = "topic_suffix",
        alias = "full_topic_pattern",
        alias = "topic_name",
        alias = "event_pattern"
    )]
    topic: Option<String>,
    #[serde(default, alias = "name", alias = "event_name")]
    event_type: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

impl<'de> Deserialize<'de> for EventDeclaration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EventVisitor)
    }
}

struct EventVisitor;

impl<'de> de::Visitor<'de> for EventVisitor {
    type Value = EventDeclaration;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a topic, or a map of topic and event_type")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<EventDeclaration, E> {
        Ok(EventDeclaration { topic: Some(text.to_owned()), event_type: None, description: None })
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<EventDeclaration, A::Error> {
        let written = Written::deserialize(de::value::MapAccessDeserializer::new(map))?;
        let Written { topic, event_type, description } = written;
        if topic.is_none() && event_type.is_none() {
            return Err(de::Error::custom("an event needs a `topic` or an `event_type`"));
        }
        Ok(EventDeclaration { topic, event_type, description })
    }
}

/// The aliases of `Written`, for its schema.
const TOPIC_NAMES: &[&str] = &["topic_suffix", "full_topic_pattern", "topic_name", "event_pattern"];
const TYPE_NAMES: &[&str] = &["name", "event_name"];

impl JsonSchema for EventDeclaration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventDeclaration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = serde_json::json!({"type": ["string", "null"]});
        let names = [&["topic", "event_type"][..], TOPIC_NAMES, TYPE_NAMES].concat();
        let said = |name: &&str| serde_json::json!({"required": [name], "properties": {*name: {"type": "string"}}});
        json_schema!({
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"topic": text, "event_type": text, "description": text},
                    "anyOf": names.iter().map(said).collect::<Vec<_>>(),
                }
            ]
        })
    }
}
