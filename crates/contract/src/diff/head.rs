//! Decides what a contract says about the node itself and what it needs, and takes in every key that no other module
//! of the difference knows.

use serde_json::Value;

use super::facts::{Fact, Facts, leaves, shown};
use super::table::Subject;
use crate::model::{Contract, ModelReference};
use crate::path::KeyPath;

/// Keys whose facts are told by name, here or in another module.
const TOLD: [&str; 17] = [
    "name",
    "node_type",
    "contract_version",
    "input_model",
    "output_model",
    "workflow_coordination",
    "consumed_events",
    "published_events",
    "intent_consumption",
    "event_bus",
    "subscribe_topics",
    "publish_topics",
    "terminal_event",
    "dependencies",
    "error_handling",
    "state_machine",
    "io_operations",
];

/// Keys that other runtimes act on, and this one does not.
const ELSEWHERE: [&str; 1] = ["handler_routing"];

/// Keys that nothing acts on.
const FOR_PEOPLE: [&str; 5] = ["node_version", "description", "metadata", "health_check", "descriptor"];

pub(super) fn tell(contract: &Contract, facts: &mut Facts) {
    let at = |key: &str| KeyPath::of(&[key]);
    facts.tell(&["name"], Fact::new(Subject::Name, "name", at("name")).saying(&contract.name));
    facts.tell(&["kind"], Fact::new(Subject::Kind, "kind", at("node_type")).saying(contract.archetype()));
    let version = Fact::new(Subject::ContractVersion, "version", at("contract_version"));
    facts.tell(&["version"], version.saying(&contract.contract_version));
    tell_model("input_model", Subject::InputModel, contract.input_model.as_ref(), facts);
    tell_model("output_model", Subject::OutputModel, contract.output_model.as_ref(), facts);
    tell_dependencies(contract, facts);
    tell_operations(contract, facts);
    tell_routes(contract, facts);
    if contract.descriptor.as_ref().and_then(|descriptor| descriptor.idempotent) == Some(true) {
        let path = at("descriptor").key("idempotent");
        facts.tell(&["repeat"], Fact::new(Subject::SafeRepeat, &contract.name, path));
    }
    let Ok(Value::Object(whole)) = serde_json::to_value(contract) else { return };
    tell_error_handling(whole.get("error_handling"), facts);
    for (key, value) in whole.iter().filter(|(key, _)| !TOLD.contains(&key.as_str())) {
        let subject = match key.as_str() {
            key if FOR_PEOPLE.contains(&key) => Subject::ForPeople,
            key if ELSEWHERE.contains(&key) => Subject::Elsewhere,
            _ => Subject::Unknown,
        };
        tell_leaves(value, &at(key), subject, facts);
    }
}

/// A value as a fact named by its path; of a map also each leaf, which is told when the map itself is not new or gone.
pub(super) fn tell_leaves(value: &Value, path: &KeyPath, subject: Subject, facts: &mut Facts) {
    let whole = path.to_string();
    if value.is_object() {
        facts.tell(&["key", &whole], Fact::new(subject, &whole, path.clone()));
    }
    for (path, text) in leaves(value, path) {
        let name = path.to_string();
        let fact = Fact::new(subject, &name, path).saying(text);
        if name == whole { facts.tell(&["key", &whole], fact) } else { facts.tell(&["key", &whole, &name], fact) }
    }
}

fn tell_model(key: &str, subject: Subject, model: Option<&ModelReference>, facts: &mut Facts) {
    let Some(model) = model else { return };
    let path = KeyPath::of(&[key]);
    facts.tell(&[key], Fact::new(subject, &model.name, path.clone()).saying(&model.name));
    if let Some(module) = &model.module {
        let fact = Fact::new(Subject::ModelModule, &model.name, path.key("module")).saying(module);
        facts.tell(&[key, "module"], fact);
    }
    if let Some(description) = &model.description {
        let fact = Fact::new(Subject::ForPeople, format!("{key}.description"), path.key("description"));
        facts.tell(&[key, "description"], fact.saying(description));
    }
}

fn tell_dependencies(contract: &Contract, facts: &mut Facts) {
    for (index, dependency) in contract.dependencies.iter().enumerate() {
        let (name, path) = (dependency.name.as_str(), KeyPath::of(&["dependencies"]).index(index));
        let kind = dependency.kind.as_deref().unwrap_or("unspecified");
        facts.tell(&["dependency", name], Fact::new(Subject::Dependency, name, path.clone()).saying(kind));
        let parts = [
            ("module", Subject::DependencyModule, &dependency.module, name.to_owned()),
            ("description", Subject::ForPeople, &dependency.description, format!("description of {name}")),
        ];
        for (key, subject, value, called) in parts {
            if let Some(value) = value {
                let fact = Fact::new(subject, called, path.key(key)).saying(value);
                facts.tell(&["dependency", name, key], fact);
            }
        }
    }
}

/// Operations by name; what an entry says beside name and repeat is its description.
fn tell_operations(contract: &Contract, facts: &mut Facts) {
    let Some(declared) = &contract.io_operations else { return };
    let path = KeyPath::of(&["io_operations"]);
    let Some(operations) = declared.as_array() else { return tell_leaves(declared, &path, Subject::ForPeople, facts) };
    for (index, operation) in operations.iter().enumerate() {
        let named = ["operation", "name"].into_iter().find_map(|key| operation.get(key)?.as_str());
        let name = named.or_else(|| operation.as_str()).map_or_else(|| shown(operation), str::to_owned);
        let place = path.index(index);
        let mut described = operation.clone();
        let repeat = described.as_object_mut().and_then(|map| map.remove("idempotent"));
        facts
            .tell(&["operation", &name], Fact::new(Subject::Operation, &name, place.clone()).saying(shown(&described)));
        if repeat == Some(Value::Bool(true)) {
            let fact = Fact::new(Subject::SafeRepeat, &name, place.key("idempotent"));
            facts.tell(&["operation", &name, "idempotent"], fact);
        }
    }
}

fn tell_routes(contract: &Contract, facts: &mut Facts) {
    let Some(consumption) = &contract.intent_consumption else { return };
    let root = KeyPath::of(&["intent_consumption"]);
    for (intent, effect) in &consumption.intent_routing_table {
        let path = root.key("intent_routing_table").key(intent);
        facts.tell(&["route", intent], Fact::new(Subject::Route, intent, path).saying(effect));
    }
    for (index, intent) in consumption.subscribed_intents.iter().enumerate() {
        let path = root.key("subscribed_intents").index(index);
        facts.tell(&["subscribed", intent], Fact::new(Subject::SubscribedIntent, intent, path));
    }
}

/// Rules of retrying hold for new runs, those of the breaker for the next start. Errors are told by name.
fn tell_error_handling(handling: Option<&Value>, facts: &mut Facts) {
    let Some(Value::Object(handling)) = handling else { return };
    let root = KeyPath::of(&["error_handling"]);
    for (key, value) in handling {
        let path = root.key(key);
        match (key.as_str(), value.as_array()) {
            ("error_types", Some(errors)) => tell_errors(errors, &path, facts),
            ("circuit_breaker", _) => tell_leaves(value, &path, Subject::Breaker, facts),
            _ => tell_leaves(&unordered(value), &path, Subject::Rule, facts),
        }
    }
}

fn tell_errors(errors: &[Value], path: &KeyPath, facts: &mut Facts) {
    for (index, error) in errors.iter().enumerate() {
        let place = path.index(index);
        let name = error["name"].as_str().unwrap_or_default();
        for (leaf, text) in leaves(error, &place) {
            let key = leaf.last_key().unwrap_or_default().to_owned();
            let subject = if key == "description" { Subject::ForPeople } else { Subject::Rule };
            let fact = Fact::new(subject, format!("error_types.{name}.{key}"), leaf).saying(text);
            facts.tell(&["error", name, &key], fact);
        }
    }
}

/// The same map with its lists sorted: the errors to retry have no order.
fn unordered(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), unordered(value))).collect(),
        Value::Array(items) => {
            let mut items = items.clone();
            items.sort_by_key(shown);
            Value::Array(items)
        }
        scalar => scalar.clone(),
    }
}
