//! The table of models: what a contract may name as an event, and what schemas are generated.
//!
//! Contracts name an event's model as text. A name found here can be checked against a message
//! before a workflow starts; the Python spelling with `Model` in front means the same model.

use schemars::{JsonSchema, Schema, schema_for};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    envelope::Envelope,
    error::{self, ModelError},
    heartbeat::NodeHeartbeatEvent,
    intent::RegistrationIntent,
    introspection::NodeIntrospectionEvent,
    orchestrator::{OrchestratorConfig, OrchestratorInput, OrchestratorOutput},
    request::RegistryRequestIntrospectionEvent,
    result::NodeRegistrationResultEvent,
};

/// A model that can be asked for by name.
#[derive(Clone, Copy, Debug)]
pub struct EventModel {
    /// The name, without `Model`.
    pub name: &'static str,
    /// Its JSON Schema.
    pub schema: fn() -> Schema,
    /// Whether a value is one.
    pub validate: fn(&Value) -> Result<(), ModelError>,
}

impl EventModel {
    const fn of<T: DeserializeOwned + JsonSchema>(name: &'static str) -> Self {
        Self { name, schema: schema::<T>, validate: validate::<T> }
    }
}

/// Every event model.
pub fn known_models() -> &'static [EventModel] {
    const KNOWN: [EventModel; 4] = [
        EventModel::of::<NodeIntrospectionEvent>("NodeIntrospectionEvent"),
        EventModel::of::<RegistryRequestIntrospectionEvent>("RegistryRequestIntrospectionEvent"),
        EventModel::of::<NodeHeartbeatEvent>("NodeHeartbeatEvent"),
        EventModel::of::<NodeRegistrationResultEvent>("NodeRegistrationResultEvent"),
    ];
    &KNOWN
}

/// The model of a name, with or without `Model` in front.
pub fn model(name: &str) -> Option<&'static EventModel> {
    let name = name.strip_prefix("Model").unwrap_or(name);
    known_models().iter().find(|model| model.name == name)
}

/// Every schema that is generated, by the name of its file without extension.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("envelope", schema::<Envelope>()),
        ("node_introspection_event", schema::<NodeIntrospectionEvent>()),
        ("registry_request_introspection_event", schema::<RegistryRequestIntrospectionEvent>()),
        ("node_heartbeat_event", schema::<NodeHeartbeatEvent>()),
        ("node_registration_result_event", schema::<NodeRegistrationResultEvent>()),
        ("registration_intent", schema::<RegistrationIntent>()),
        ("orchestrator_input", schema::<OrchestratorInput>()),
        ("orchestrator_output", schema::<OrchestratorOutput>()),
        ("orchestrator_config", schema::<OrchestratorConfig>()),
    ]
}

fn schema<T: JsonSchema>() -> Schema {
    schema_for!(T)
}

fn validate<T: DeserializeOwned>(value: &Value) -> Result<(), ModelError> {
    error::read::<T>(value).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_answer_to_both_names() {
        for known in known_models() {
            assert_eq!(model(known.name).unwrap().name, known.name);
            assert_eq!(model(&format!("Model{}", known.name)).unwrap().name, known.name);
            assert_eq!((known.schema)().get("title").unwrap(), known.name);
        }
        assert!(model("ModelUnknown").is_none());
        assert!(model("").is_none());
    }
}
