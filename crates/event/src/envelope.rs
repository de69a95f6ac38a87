//! The envelope around an event, and the one way to read a message with or without it.
//!
//! Producers in the field write the bare event as well as the event in an envelope; from here on
//! there is always an envelope. Ids and times are never made up: what a message lacks stays
//! absent, and whoever has a clock may fill it in. Fields follow the Python model, version 2.3.

use std::{collections::BTreeMap, num::NonZeroU64};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    bounds,
    error::{self, ModelError},
    object::object,
    security::SecurityContext,
    timestamp::{Timestamp, rfc3339},
    version::SemanticVersion,
};

/// A message: the event and what the bus needs to know about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Envelope")]
pub struct Envelope<T = Value> {
    /// The event.
    pub payload: T,
    /// By which a repeated message is known; absent in bare messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope_id: Option<Uuid>,
    /// When the message was made; absent in bare messages.
    #[serde(default, with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Timestamp>")]
    pub envelope_timestamp: Option<Timestamp>,
    /// The id all messages of one conversation share.
    #[serde(default)]
    pub correlation_id: Option<Uuid>,
    /// The message that caused this one; null at the head of a chain.
    #[serde(default)]
    pub parent_envelope_id: Option<Uuid>,
    /// Who made the message.
    #[serde(default)]
    pub source_tool: Option<String>,
    /// For whom it is meant.
    #[serde(default)]
    pub target_tool: Option<String>,
    /// Tracing, headers and tags.
    #[serde(default)]
    pub metadata: EnvelopeMetadata,
    /// On whose behalf.
    #[serde(default)]
    pub security_context: Option<SecurityContext>,
    /// The routing key, such as `platform.node-introspection`.
    #[serde(default)]
    pub event_type: Option<String>,
    /// The name of the payload's model.
    #[serde(default)]
    pub payload_type: Option<String>,
    /// The version of the payload's model.
    #[serde(default)]
    pub payload_schema_version: Option<SemanticVersion>,
    /// 1 to 10, where 10 is the most urgent.
    #[serde(default = "usual_priority", deserialize_with = "bounds::within::<1, 10, _, _>")]
    #[schemars(range(min = 1, max = 10))]
    pub priority: u8,
    /// Seconds until nobody needs the message any more; at least 1.
    #[serde(default)]
    pub timeout_seconds: Option<NonZeroU64>,
    /// How often it was tried before.
    #[serde(default)]
    pub retry_count: u64,
    /// The request behind the message.
    #[serde(default)]
    pub request_id: Option<Uuid>,
    /// The trace.
    #[serde(default)]
    pub trace_id: Option<Uuid>,
    /// The span in the trace.
    #[serde(default)]
    pub span_id: Option<Uuid>,
    /// The tenant; says where a message came from and proves nothing.
    #[serde(default)]
    pub tenant_id: Option<String>,
    /// The node that made the event; says where it came from and proves nothing.
    #[serde(default)]
    pub producer: Option<String>,
    /// The version of the ONEX standard.
    #[serde(default)]
    pub onex_version: SemanticVersion,
    /// The version of this model.
    #[serde(default = "envelope_version")]
    pub envelope_version: SemanticVersion,
}

/// Tracing, headers and tags. Unknown keys are ignored, as upstream does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default)]
#[schemars(!remote)]
pub struct EnvelopeMetadata {
    /// The trace, in the tracer's own form.
    pub trace_id: Option<String>,
    /// The span, in the tracer's own form.
    pub span_id: Option<String>,
    /// The span above it.
    pub parent_span_id: Option<String>,
    /// The request.
    pub request_id: Option<String>,
    /// Headers of the protocol.
    pub headers: BTreeMap<String, String>,
    /// To search by.
    pub tags: BTreeMap<String, String>,
}

/// What the maker of a message must say; everything else has a usual value.
#[derive(Clone, Debug)]
pub struct NewEnvelope<T> {
    /// By which a repeat is known; derive it from what caused the message.
    pub envelope_id: Uuid,
    /// Now.
    pub timestamp: Timestamp,
    /// The id all messages of one conversation share.
    pub correlation_id: Option<Uuid>,
    /// The routing key.
    pub event_type: Option<String>,
    /// The name of the payload's model.
    pub payload_type: Option<String>,
    /// The message that caused this one.
    pub parent_envelope_id: Option<Uuid>,
    /// Who makes the message.
    pub source_tool: Option<String>,
    /// The event.
    pub payload: T,
}

/// Why a message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The place says where; the text itself may be secret.
    #[error("message is not JSON: {}", place(*line, *column))]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Neither an envelope nor an event.
    #[error("message is not a JSON object")]
    NotAnObject,
    /// It looks like an envelope, and is none.
    #[error("message is not a valid envelope")]
    Envelope(#[source] ModelError),
}

impl<T> Envelope<T> {
    /// A message of now.
    pub fn new(new: NewEnvelope<T>) -> Self {
        Self {
            envelope_id: Some(new.envelope_id),
            envelope_timestamp: Some(new.timestamp),
            correlation_id: new.correlation_id,
            event_type: new.event_type,
            payload_type: new.payload_type,
            parent_envelope_id: new.parent_envelope_id,
            source_tool: new.source_tool,
            ..Self::bare(new.payload)
        }
    }

    /// An event that came without an envelope.
    pub fn bare(payload: T) -> Self {
        Self {
            payload,
            envelope_id: None,
            envelope_timestamp: None,
            correlation_id: None,
            parent_envelope_id: None,
            source_tool: None,
            target_tool: None,
            metadata: EnvelopeMetadata::default(),
            security_context: None,
            event_type: None,
            payload_type: None,
            payload_schema_version: None,
            priority: usual_priority(),
            timeout_seconds: None,
            retry_count: 0,
            request_id: None,
            trace_id: None,
            span_id: None,
            tenant_id: None,
            producer: None,
            onex_version: SemanticVersion::default(),
            envelope_version: envelope_version(),
        }
    }
}

impl Envelope<Value> {
    /// Reads the payload as a model.
    pub fn payload_as<T: DeserializeOwned>(&self) -> Result<T, ModelError> {
        error::read(&self.payload)
    }
}

fn usual_priority() -> u8 {
    5
}

fn envelope_version() -> SemanticVersion {
    SemanticVersion::new(2, 3, 0)
}

/// Messages are mostly one line of many; its number within itself would only mislead.
fn place(line: usize, column: usize) -> String {
    match line {
        0 | 1 => format!("wrong at character {column}"),
        line => format!("wrong at line {line}, character {column}"),
    }
}

/// Reads the text of a message: an envelope, or a bare event, which then gets an envelope.
pub fn read_message(text: &str) -> Result<Envelope, ReadError> {
    let value = serde_json::from_str(text)
        .map_err(|error| ReadError::NotJson { line: error.line(), column: error.column() })?;
    read_message_value(value)
}

/// [`read_message`] for JSON that is already read.
pub fn read_message_value(value: Value) -> Result<Envelope, ReadError> {
    if !value.is_object() {
        return Err(ReadError::NotAnObject);
    }
    if is_envelope(&value) {
        return error::read(&value).map_err(ReadError::Envelope);
    }
    let correlation_id = value["correlation_id"].as_str().and_then(|id| id.parse().ok());
    Ok(Envelope { correlation_id, ..Envelope::bare(value) })
}

/// An event may have a key `payload` of its own; only with a second sign it is an envelope.
fn is_envelope(value: &Value) -> bool {
    const SIGNS: [&str; 5] = ["envelope_id", "envelope_timestamp", "envelope_version", "onex_version", "event_type"];
    let sign = SIGNS.iter().any(|sign| value.get(sign).is_some());
    sign && value.get("payload").is_some_and(Value::is_object)
}

object!(EnvelopeMetadata);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";

    #[test]
    fn an_envelope_needs_a_payload_and_a_second_sign() {
        let table = [
            (json!({ "payload": {}, "envelope_id": ID }), true),
            (json!({ "payload": {}, "envelope_timestamp": "2026-07-24T10:00:00Z" }), true),
            (json!({ "payload": {}, "envelope_version": "2.3.0" }), true),
            (json!({ "payload": {}, "onex_version": "1.0.0" }), true),
            (json!({ "payload": {}, "event_type": "a.b" }), true),
            (json!({ "payload": {} }), false),
            (json!({ "payload": "text", "event_type": "a.b" }), false),
            (json!({ "payload": [], "envelope_id": ID }), false),
            (json!({ "event_type": "REGISTRY_REQUEST_INTROSPECTION" }), false),
            (json!({}), false),
        ];
        for (given, enveloped) in table {
            let read = read_message(&given.to_string()).unwrap();
            let expected = if enveloped { &given["payload"] } else { &given };
            assert_eq!(&read.payload, expected);
        }
    }

    #[test]
    fn nothing_is_made_up() {
        let bare = read_message(&json!({ "correlation_id": ID }).to_string()).unwrap();
        assert_eq!(bare.correlation_id, Some(ID.parse().unwrap()));
        let written = serde_json::to_value(&bare).unwrap();
        assert_eq!(written.get("envelope_id"), None);
        assert_eq!(written.get("envelope_timestamp"), None);
        assert_eq!(written["priority"], 5);
        let other = read_message(r#"{"correlation_id":"x"}"#).unwrap();
        assert_eq!(other.correlation_id, None);
    }

    #[test]
    fn a_new_envelope_survives_the_wire() {
        let new = NewEnvelope {
            envelope_id: Uuid::nil(),
            timestamp: rfc3339::parse("2026-07-24T10:00:00Z").unwrap(),
            correlation_id: Some(Uuid::nil()),
            event_type: Some("platform.node-introspection".to_owned()),
            payload_type: Some("NodeIntrospectionEvent".to_owned()),
            parent_envelope_id: None,
            source_tool: Some("test".to_owned()),
            payload: json!({ "a": 1 }),
        };
        let envelope = Envelope::new(new);
        let text = serde_json::to_string(&envelope).unwrap();
        assert_eq!(read_message(&text), Ok(envelope));
    }

    #[test]
    fn broken_messages_say_why() {
        let envelope = |key: &str, value: Value| {
            let mut envelope = json!({ "payload": {}, "envelope_id": ID });
            envelope[key] = value;
            envelope.to_string()
        };
        let table = [
            ("{\"password\": hunter2".to_owned(), "message is not JSON: wrong at character 14"),
            ("[]".to_owned(), "message is not a JSON object"),
            ("null".to_owned(), "message is not a JSON object"),
            (envelope("priority", json!(11)), "priority: must be from 1 to 10, found 11"),
            (envelope("priority", json!(0)), "priority: must be from 1 to 10, found 0"),
            (envelope("timeout_seconds", json!(0)), "timeout_seconds: expected a nonzero u64, found integer"),
            (
                envelope("retry_count", json!(-1)),
                "retry_count: expected a whole number that is not negative, found integer",
            ),
            (envelope("more", json!(1)), "unknown key `more`"),
        ];
        for (text, message) in table {
            let error = read_message(&text).unwrap_err();
            let told = match &error {
                ReadError::Envelope(source) => source.to_string(),
                other => other.to_string(),
            };
            assert_eq!(told, message);
        }
    }
}
