//! The topics of a node that is called by events, in the flat form and in the forms of older contracts.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use super::anything;

/// `event_bus`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventBus {
    /// Topics it consumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscribe_topics: Vec<TopicEntry>,
    /// Topics it publishes to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish_topics: Vec<TopicEntry>,
    /// Topics for what cannot be handled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dlq_topics: Vec<TopicEntry>,
    /// The older form: one topic, or a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribe: Option<Subscribe>,
    /// The older form: topics for success and failure, or a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<Publish>,
    /// The topic that tells the end of a conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal_event: Option<String>,
    /// Kept for other tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "anything")]
    pub subscribe_topic_metadata: Option<Value>,
    /// Kept for other tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "anything")]
    pub publish_topic_metadata: Option<Value>,
}

/// `event_bus.subscribe`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Subscribe(pub Vec<TopicEntry>);

/// `event_bus.publish`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Publish(pub Vec<TopicEntry>);

/// A topic: its text, or a map with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TopicEntry(pub String);

#[derive(Deserialize)]
struct WrittenTopic {
    #[serde(alias = "name", alias = "topic_name")]
    topic: String,
}

#[derive(Deserialize)]
struct WrittenPublish {
    #[serde(default)]
    topic: Option<String>,
    #[serde(default)]
    success_topic: Option<String>,
    #[serde(default)]
    failure_topic: Option<String>,
}

impl<'de> Deserialize<'de> for TopicEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TopicVisitor;
        impl<'de> de::Visitor<'de> for TopicVisitor {
            type Value = TopicEntry;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a topic, or a map with `topic`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TopicEntry, E> {
                Ok(TopicEntry(text.to_owned()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<TopicEntry, A::Error> {
                let written = WrittenTopic::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(TopicEntry(written.topic))
            }
        }
        deserializer.deserialize_any(TopicVisitor)
    }
}

impl<'de> Deserialize<'de> for Subscribe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SubscribeVisitor;
        impl<'de> de::Visitor<'de> for SubscribeVisitor {
            type Value = Subscribe;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map with `topic`, or a list of topics")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Subscribe, A::Error> {
                let written = WrittenTopic::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Subscribe(vec![TopicEntry(written.topic)]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, sequence: A) -> Result<Subscribe, A::Error> {
                Deserialize::deserialize(de::value::SeqAccessDeserializer::new(sequence)).map(Subscribe)
            }
        }
        deserializer.deserialize_any(SubscribeVisitor)
    }
}

impl<'de> Deserialize<'de> for Publish {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PublishVisitor;
        impl<'de> de::Visitor<'de> for PublishVisitor {
            type Value = Publish;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map with `success_topic` and `failure_topic`, or a list of topics")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Publish, A::Error> {
                let WrittenPublish { topic, success_topic, failure_topic } =
                    WrittenPublish::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Publish([topic, success_topic, failure_topic].into_iter().flatten().map(TopicEntry).collect()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, sequence: A) -> Result<Publish, A::Error> {
                Deserialize::deserialize(de::value::SeqAccessDeserializer::new(sequence)).map(Publish)
            }
        }
        deserializer.deserialize_any(PublishVisitor)
    }
}

impl JsonSchema for TopicEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TopicEntry".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                {"type": "string"},
                {"type": "object", "properties": {"topic": {"type": "string"}}, "required": ["topic"]}
            ]
        })
    }
}

impl JsonSchema for Subscribe {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Subscribe".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let topic = generator.subschema_for::<TopicEntry>();
        json_schema!({"anyOf": [
            {"allOf": [topic, {"type": "object"}]},
            {"type": "array", "items": topic}
        ]})
    }
}

impl JsonSchema for Publish {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Publish".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = serde_json::json!({"type": ["string", "null"]});
        json_schema!({"anyOf": [
            {"type": "object", "properties": {"topic": text, "success_topic": text, "failure_topic": text}},
            {"type": "array", "items": generator.subschema_for::<TopicEntry>()}
        ]})
    }
}
