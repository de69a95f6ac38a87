//! What the Python models wrote can be read, and what is written back is what they accept.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy takes the helpers of an integration test for production code"
)]

use std::fs;

use onex_event::{
    Envelope, ModelError, NodeHeartbeatEvent, NodeIntrospectionEvent, known_models, model, read, read_message, schemas,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/events");

fn file(name: &str) -> String {
    let path = format!("{EVENTS}/{name}");
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("the samples of the Python models are missing: {path}: {error}"))
}

fn lines(name: &str) -> Vec<Value> {
    let lines: Vec<Value> = file(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 60, "{name}");
    lines
}

fn validator(name: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&file(name)).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

/// Reads `line` as a `T`, writes it back, and holds that against the schema and the line itself.
fn check<T: DeserializeOwned + Serialize>(schema: &jsonschema::Validator, line: &Value) {
    let written = serde_json::to_value(read::<T>(line).unwrap_or_else(|error| panic!("{error}: {line}"))).unwrap();
    let problems: Vec<String> = schema.iter_errors(&written).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{problems:#?}\n{written:#}");
    assert_eq!(&written, line);
}

#[test]
fn introspection_payloads() {
    let schema = validator("introspection.schema.json");
    for line in lines("introspection.payload.jsonl") {
        check::<NodeIntrospectionEvent>(&schema, &line);
    }
}

#[test]
fn introspection_envelopes() {
    let schema = validator("envelope.schema.json");
    for line in lines("introspection.envelope.jsonl") {
        check::<Envelope<NodeIntrospectionEvent>>(&schema, &line);
        check::<Envelope>(&schema, &line);
        let message = read_message(&line.to_string()).unwrap();
        let event: NodeIntrospectionEvent = message.payload_as().unwrap();
        assert_eq!(message.correlation_id, Some(event.correlation_id));
    }
}

#[test]
fn heartbeats() {
    let schema = validator("heartbeat.schema.json");
    for line in lines("heartbeat.payload.jsonl") {
        check::<NodeHeartbeatEvent>(&schema, &line);
    }
}

#[test]
fn our_schemas_accept_the_samples() {
    let all = schemas();
    let of = |name: &str| {
        let (_, schema) = all.iter().find(|(known, _)| *known == name).unwrap();
        jsonschema::validator_for(schema.as_value()).unwrap()
    };
    let table = [
        ("node_introspection_event", "introspection.payload.jsonl"),
        ("envelope", "introspection.envelope.jsonl"),
        ("node_heartbeat_event", "heartbeat.payload.jsonl"),
    ];
    for (schema, samples) in table {
        let schema = of(schema);
        for line in lines(samples) {
            let problems: Vec<String> = schema.iter_errors(&line).map(|error| error.to_string()).collect();
            assert!(problems.is_empty(), "{problems:#?}\n{line:#}");
        }
    }
}

#[test]
fn bare_and_enveloped_events_are_the_same() {
    let bare = lines("introspection.payload.jsonl");
    let enveloped = lines("introspection.envelope.jsonl");
    for (bare, enveloped) in bare.iter().zip(&enveloped) {
        let (bare, enveloped) =
            (read_message(&bare.to_string()).unwrap(), read_message(&enveloped.to_string()).unwrap());
        assert_eq!(bare.payload, enveloped.payload);
        assert_eq!(bare.correlation_id, enveloped.correlation_id);
    }
}

/// Everything optional filled in: the samples leave much of it null.
#[test]
fn a_full_event_survives() {
    let schema = validator("introspection.schema.json");
    let entry =
        json!({ "topic": "onex.evt.a.b.v1", "event_type": "E", "message_category": "EVENT", "description": "d" });
    let flags = json!({
        "flags": { "a": true },
        "flag_metadata": { "a": {
            "description": "d", "created_at": "2026-07-24T10:00:00Z", "updated_at": null, "owner": "o",
            "tags": ["t"], "rollout_percentage": 0,
        } },
        "default_enabled": true,
    });
    let mut line = lines("introspection.payload.jsonl").remove(0);
    line["declared_capabilities"]["mcp"] =
        json!({ "expose": true, "tool_name": "t", "description": null, "timeout_seconds": 300 });
    line["declared_capabilities"]["own"] = json!({ "deep": [1, "a", null] });
    line["declared_capabilities"]["feature_flags"] = flags.clone();
    line["resolved_feature_flags"] = flags;
    line["metadata"]["own"] = json!(1.5);
    line["event_bus"] = json!({ "subscribe_topics": [entry], "publish_topics": [] });
    line["contract_capabilities"] = json!({
        "contract_type": "effect",
        "contract_version": { "major": 2, "minor": 0, "patch": 1, "prerelease": ["rc", 1], "build": ["x"] },
        "intent_types": ["consul.register"], "protocols": [], "capability_tags": [], "service_metadata": { "a": 1 },
    });
    line["performance_metrics"] = json!({
        "get_capabilities_ms": 0.5, "discover_capabilities_ms": 0.0, "get_endpoints_ms": 1.0,
        "get_current_state_ms": 0.0, "total_introspection_ms": 2.25, "cache_hit": true, "method_count": 3,
        "threshold_exceeded": false, "slow_operations": [], "captured_at": "2026-07-24T10:00:00.000001Z",
    });
    check::<NodeIntrospectionEvent>(&schema, &line);
}

/// The smallest event, and what becomes of it.
#[test]
fn absent_fields_get_the_defaults_of_the_schema() {
    let schema = validator("introspection.schema.json");
    let given = minimal();
    let event: NodeIntrospectionEvent = read(&given).unwrap();
    let written = serde_json::to_value(&event).unwrap();
    assert!(schema.is_valid(&written), "{written:#}");
    assert_eq!(written["node_version"]["major"], 1);
    assert_eq!(written["reason"], "startup");
    assert_eq!(written["epoch"], Value::Null);
}

fn minimal() -> Value {
    json!({
        "node_id": "6513270e-269e-4d37-b2a7-4de452e6b438",
        "node_type": "effect",
        "correlation_id": "d23f0824-128b-4f33-8c5c-7fd0a6a3a450",
        "timestamp": "2026-07-24T10:00:00Z",
    })
}

fn without(key: &str) -> Value {
    let mut event = minimal();
    event.as_object_mut().unwrap().remove(key);
    event
}

/// `minimal` with one more value; `path` is keys joined by `.`.
fn with(path: &str, value: Value) -> Value {
    let mut event = minimal();
    *path.split('.').fold(&mut event, |at, key| &mut at[key]) = value;
    event
}

fn told(name: &str, value: &Value) -> String {
    let validate = model(name).unwrap().validate;
    validate(value).map_or_else(|error: ModelError| error.to_string(), |()| "accepted".to_owned())
}

#[test]
fn malformed_introspection_events() {
    let endpoint = "endpoint needs a scheme and a host, such as `http://node:8080/health`";
    let offset = "timestamp: timestamp needs an offset, such as `2026-07-24T10:00:00Z`";
    let health = format!("http://n/{}", "x".repeat(504));
    let table = [
        (minimal(), "accepted".to_owned()),
        (with("node_version", json!("1.2.3-rc.1")), "accepted".to_owned()),
        (with("metadata.own", json!(1)), "accepted".to_owned()),
        (with("declared_capabilities.own", json!(1)), "accepted".to_owned()),
        (without("node_id"), "missing key `node_id`".to_owned()),
        (without("node_type"), "missing key `node_type`".to_owned()),
        (without("correlation_id"), "missing key `correlation_id`".to_owned()),
        (without("timestamp"), "missing key `timestamp`".to_owned()),
        (with("more", json!(1)), "unknown key `more`".to_owned()),
        (with("event_bus.more", json!(1)), "event_bus: unknown key `more`".to_owned()),
        (
            with("node_type", json!("EFFECT")),
            "node_type: expected one of `effect`, `compute`, `reducer`, `orchestrator`, `runtime_host`, found `EFFECT`"
                .to_owned(),
        ),
        (with("node_version", json!("1.0")), "node_version: expected a version such as `1.2.3-rc.1+b`".to_owned()),
        (with("node_version.major", json!(1)), "node_version: missing key `minor`".to_owned()),
        (with("timestamp", json!("2026-07-24T10:00:00")), offset.to_owned()),
        (with("timestamp", json!(1_784_887_200)), offset.to_owned()),
        (with("timestamp", Value::Null), "timestamp: expected a timestamp with an offset, found null".to_owned()),
        (with("epoch", json!(-1)), "epoch: expected a whole number that is not negative, found integer".to_owned()),
        (
            with("epoch", json!(1.5)),
            "epoch: expected a whole number that is not negative, found floating point".to_owned(),
        ),
        (with("endpoints.health", json!("/health")), format!("endpoints.health: {endpoint}")),
        (with("endpoints.api", json!("not a url")), format!("endpoints.api: {endpoint}")),
        (with("endpoints.api", json!("http://")), format!("endpoints.api: {endpoint}")),
        (with("endpoints.health", json!(health)), "endpoints: `health` must have at most 512 characters".to_owned()),
        (with("endpoints", json!([])), "endpoints: expected a map, found sequence".to_owned()),
        (with("metadata", Value::Null), "metadata: expected an object, found null".to_owned()),
        (
            with("metadata.key", json!(["hunter2"])),
            "metadata.key: not what is expected here (value withheld)".to_owned(),
        ),
        (with("metadata.region", json!(7)), "metadata.region: expected a string, found integer".to_owned()),
        (
            with("declared_capabilities.feature_flags.flags.a", json!("hunter2")),
            "declared_capabilities.feature_flags.flags.a: expected a boolean, found string".to_owned(),
        ),
        (
            with("resolved_feature_flags.flag_metadata.a.rollout_percentage", json!(101)),
            "resolved_feature_flags.flag_metadata.a.rollout_percentage: must be from 0 to 100, found 101".to_owned(),
        ),
        (
            with("declared_capabilities.mcp.timeout_seconds", json!(0)),
            "declared_capabilities.mcp.timeout_seconds: must be from 1 to 300, found 0".to_owned(),
        ),
        (
            with("performance_metrics.get_endpoints_ms", json!(-0.5)),
            "performance_metrics.get_endpoints_ms: must be at least 0, found -0.5".to_owned(),
        ),
        (with("reason", json!("because")), {
            let known = "`startup`, `shutdown`, `request`, `heartbeat`, `health_change`, `capability_change`";
            format!("reason: expected one of {known}, found `because`")
        }),
        (json!([]), "expected an object, found sequence".to_owned()),
    ];
    for (given, expected) in table {
        assert_eq!(told("ModelNodeIntrospectionEvent", &given), expected, "{given}");
    }
}

#[test]
fn malformed_heartbeats() {
    let beat = |key: &str, value: Value| {
        let mut beat = lines("heartbeat.payload.jsonl").remove(0);
        beat[key] = value;
        beat
    };
    let table = [
        (beat("uptime_seconds", json!(0)), "accepted"),
        (beat("cpu_usage_percent", json!(100)), "accepted"),
        (beat("uptime_seconds", json!(-1)), "uptime_seconds: must be at least 0, found -1"),
        (beat("cpu_usage_percent", json!(100.5)), "cpu_usage_percent: must be from 0 to 100, found 100.5"),
        (beat("memory_usage_mb", json!(-0.1)), "memory_usage_mb: must be at least 0, found -0.1"),
        (
            beat("active_operations_count", json!(-1)),
            "active_operations_count: expected a whole number that is not negative, found integer",
        ),
        (beat("flow_window", json!({})), "flow_window: missing key `node_id`"),
        (beat("more", json!(1)), "unknown key `more`"),
    ];
    for (given, expected) in table {
        assert_eq!(told("NodeHeartbeatEvent", &given), expected, "{given}");
    }
}

#[test]
fn malformed_requests() {
    let mut request = json!({
        "correlation_id": "d23f0824-128b-4f33-8c5c-7fd0a6a3a450",
        "timestamp": "2026-07-24T10:00:00Z",
    });
    assert_eq!(told("RegistryRequestIntrospectionEvent", &request), "accepted");
    request["event_type"] = json!("REGISTRY_REQUEST_INTROSPECTION");
    assert_eq!(told("RegistryRequestIntrospectionEvent", &request), "accepted");
    request["event_type"] = json!("OTHER");
    let expected = "event_type: expected `REGISTRY_REQUEST_INTROSPECTION`, found `OTHER`";
    assert_eq!(told("RegistryRequestIntrospectionEvent", &request), expected);
}

#[test]
fn every_schema_is_a_schema() {
    for (name, schema) in schemas() {
        jsonschema::validator_for(schema.as_value()).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for known in known_models() {
        assert!((known.schema)().get("properties").is_some(), "{}", known.name);
    }
}
