//! Decides what comes in: one JSON text is a raw payload or an envelope of a known event, or it is rejected
//! with a reason. What is accepted is redacted, and durable before anybody is told so.

use std::sync::Arc;

use onex_bus::{EventBus, Message};
use onex_event::{Envelope, ReadError, read_message};
use onex_journal::{InboxMessage, Journal};
use onex_orchestrator::NodeOrchestrator;
use onex_redaction::{redact_text, redact_value};
use serde_json::Value;
use uuid::Uuid;

use crate::clock::fresh_id;
use crate::runtime::RuntimeError;

/// Largest message that is read, in bytes.
const MAX_MESSAGE: usize = 1 << 20;

/// Why a message is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Rejection {
    /// Stable code, see `docs/errors.md`.
    pub code: &'static str,
    /// The reason; redacted.
    pub reason: String,
}

/// A message that can start a run; nothing in it is secret any more.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbound {
    /// The event.
    pub payload: Value,
    /// Its type.
    pub event_type: Option<String>,
    /// The chain of events it belongs to.
    pub correlation_id: Option<Uuid>,
    /// Its envelope's id, when it had one.
    pub envelope_id: Option<Uuid>,
    /// The whole envelope as JSON text.
    pub body: String,
}

/// Reads one message of a topic whose events are of `event_type`.
///
/// # Errors
///
/// It is too large, no JSON, no envelope or payload, or not what `event_type` says.
pub fn decode(text: &str, event_type: Option<&str>) -> Result<Inbound, Rejection> {
    if text.len() > MAX_MESSAGE {
        let reason = format!("the message has {} bytes, more than {MAX_MESSAGE}", text.len());
        return Err(Rejection { code: "ONEX1010", reason });
    }
    let mut envelope = read_message(text).map_err(unreadable)?;
    check_model(&envelope, event_type)?;
    redact_value(&mut envelope.payload);
    let body = serde_json::to_string(&kept(&envelope))
        .map_err(|error| Rejection { code: "ONEX1011", reason: error.to_string() })?;
    let correlation_id = envelope.correlation_id.or_else(|| correlation_of(&envelope.payload));
    Ok(Inbound {
        event_type: event_type.map(str::to_owned),
        correlation_id,
        envelope_id: envelope.envelope_id,
        payload: envelope.payload,
        body,
    })
}

/// What is kept of an envelope: the event and what links it to others. Headers, tags and security context can hold
/// secrets under any name, and nothing here reads them.
fn kept(envelope: &Envelope) -> Envelope {
    Envelope {
        envelope_id: envelope.envelope_id,
        envelope_timestamp: envelope.envelope_timestamp,
        correlation_id: envelope.correlation_id,
        parent_envelope_id: envelope.parent_envelope_id,
        ..Envelope::bare(envelope.payload.clone())
    }
}

fn unreadable(error: ReadError) -> Rejection {
    let code = if matches!(error, ReadError::NotJson { .. }) { "ONEX1011" } else { "ONEX1012" };
    Rejection { code, reason: redact_text(&crate::wiring::chain(&error)) }
}

fn check_model(envelope: &Envelope, event_type: Option<&str>) -> Result<(), Rejection> {
    let Some(model) = event_type.and_then(onex_event::model) else { return Ok(()) };
    (model.validate)(&envelope.payload).map_err(|error| {
        let reason = redact_text(&format!("no {}: {error}", model.name));
        Rejection { code: "ONEX1013", reason }
    })
}

fn correlation_of(payload: &Value) -> Option<Uuid> {
    payload["correlation_id"].as_str()?.parse().ok()
}

/// The way in for messages that do not come over a durable bus: lines of a file or of standard input.
#[derive(Clone)]
pub struct Ingress {
    pub(crate) bus: Arc<dyn EventBus>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) orchestrator: Arc<NodeOrchestrator>,
    pub(crate) topic: String,
    pub(crate) event_type: Option<String>,
}

impl Ingress {
    /// The topic messages go to.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Takes messages in. Those accepted are durable and on the bus when it returns; the others come back
    /// with their position and reason.
    ///
    /// # Errors
    ///
    /// The journal or the bus cannot be used; what of the messages was accepted runs after the next start.
    pub async fn submit(&self, texts: &[String]) -> Result<Vec<(usize, Rejection)>, RuntimeError> {
        let mut rejections = Vec::new();
        let mut accepted = Vec::new();
        for (position, text) in texts.iter().enumerate() {
            match self.inbox_message(text) {
                Ok(message) => accepted.push(message),
                Err(rejection) => rejections.push((position, rejection)),
            }
        }
        self.journal.accept(&accepted).await.map_err(RuntimeError::journal)?;
        for message in accepted {
            self.bus.publish(&self.topic, bus_message(message)).await.map_err(RuntimeError::bus)?;
        }
        Ok(rejections)
    }

    fn inbox_message(&self, text: &str) -> Result<InboxMessage, Rejection> {
        let inbound = decode(text, self.event_type.as_deref())?;
        let entity = self.orchestrator.entity(&inbound.payload);
        let key = entity.map_err(|failure| Rejection { code: "ONEX1013", reason: redact_text(&failure.message) })?;
        Ok(InboxMessage { id: fresh_id(), topic: self.topic.clone(), key, body: inbound.body })
    }
}

/// An accepted message as the bus carries it.
pub(crate) fn bus_message(message: InboxMessage) -> Message {
    Message { key: message.key, ..Message::new(message.id, message.body) }
}

#[cfg(test)]
mod tests {
    use super::decode;

    fn check(text: &str, expected: Result<(), (&str, &str)>) {
        let shown = decode(text, Some("NodeHeartbeatEvent")).map(|_| ());
        match (shown, expected) {
            (Ok(()), Ok(())) => {}
            (Err(rejection), Err((code, reason))) => {
                assert_eq!(rejection.code, code, "{rejection}");
                assert!(rejection.reason.contains(reason), "{rejection}");
            }
            (shown, expected) => panic!("{text}: {shown:?}, expected {expected:?}"),
        }
    }

    const GOOD: &str = r#"{"node_id":"6513270e-269e-4d37-b2a7-4de452e6b438","node_type":"effect","uptime_seconds":1.5,"timestamp":"2026-07-24T10:00:30Z"}"#;

    #[test]
    fn messages_are_taken_or_rejected_with_a_reason() {
        check(GOOD, Ok(()));
        check(&format!(r#"{{"payload":{GOOD},"event_type":"platform.node-heartbeat"}}"#), Ok(()));
        check("", Err(("ONEX1011", "not JSON")));
        check("{", Err(("ONEX1011", "not JSON")));
        check("[1]", Err(("ONEX1012", "")));
        check(&GOOD.replace("1.5", "-1"), Err(("ONEX1013", "uptime_seconds")));
        check(&GOOD.replace("effect", "EFFECT"), Err(("ONEX1013", "node_type")));
        check(&GOOD.replace("30Z", "30"), Err(("ONEX1013", "offset")));
        check(&GOOD.replace("uptime_seconds", "uptime"), Err(("ONEX1013", "uptime")));
        check(&format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20)), Err(("ONEX1010", "more than")));
    }
}
