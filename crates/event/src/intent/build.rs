//! Makes intents from an introspection event. Pure: times and ids are arguments.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    ConsulDeregister, ConsulRegister, HealthCheck, HttpCheck, PostgresDeregister, PostgresUpsertRegistration,
    RegistrationRecord, ServiceId, ServiceName, TtlCheck, to_json,
};
use crate::{
    introspection::NodeIntrospectionEvent,
    kind::NodeKind,
    position::EventPosition,
    timestamp::{Timestamp, rfc3339},
};

/// How often Consul asks a node.
const CHECK_INTERVAL: &str = "10s";
/// How long a node may take to answer.
const CHECK_TIMEOUT: &str = "5s";
/// How long a node without a health endpoint may be silent: three heartbeats.
const CHECK_TTL: &str = "90s";
/// How long a node may fail before Consul forgets it. Long, so that an outage of the network does
/// not empty the registry.
const DEREGISTER_AFTER: &str = "60m";

/// The entry of a node in the service registry.
pub fn consul_register(event: &NodeIntrospectionEvent, run_id: Option<Uuid>) -> ConsulRegister {
    let service = event.service_endpoint();
    ConsulRegister {
        correlation_id: event.correlation_id,
        service_id: ServiceId::of_node(event.node_type, event.node_id),
        service_name: ServiceName::of_kind(event.node_type),
        tags: tags(event),
        address: service.map(|endpoint| endpoint.host().to_owned()),
        port: service.and_then(|endpoint| endpoint.port_or_default()),
        health_check: Some(health_check(event)),
        meta: meta(event, run_id),
        position: event.position(),
    }
}

/// Takes a node's entry out; `position` of the event that says so, `None` to win in any case.
pub fn consul_deregister(
    kind: NodeKind,
    node_id: Uuid,
    correlation_id: Uuid,
    position: Option<EventPosition>,
) -> ConsulDeregister {
    let service_id = ServiceId::of_node(kind, node_id);
    ConsulDeregister { correlation_id, service_id, position }
}

/// The row of a node, first or again seen at `now`.
pub fn postgres_upsert(
    event: &NodeIntrospectionEvent,
    now: Timestamp,
    run_id: Option<Uuid>,
) -> PostgresUpsertRegistration {
    PostgresUpsertRegistration { correlation_id: event.correlation_id, record: record(event, now, run_id) }
}

/// Marks a node's row as gone; `position` as in [`consul_deregister`].
pub fn postgres_deregister(node_id: Uuid, correlation_id: Uuid, position: Option<EventPosition>) -> PostgresDeregister {
    PostgresDeregister { correlation_id, node_id, position }
}

fn tags(event: &NodeIntrospectionEvent) -> Vec<String> {
    vec!["onex".to_owned(), format!("node-type:{}", event.node_type), format!("node-version:{}", event.node_version)]
}

/// Consul can ask over HTTP only; for every other node somebody must pass the heartbeats on.
fn health_check(event: &NodeIntrospectionEvent) -> HealthCheck {
    let http = event.health_endpoint().filter(|url| matches!(url.scheme(), "http" | "https"));
    let deregister_critical_service_after = Some(DEREGISTER_AFTER.to_owned());
    match http {
        Some(http) => HealthCheck::Http(HttpCheck {
            http: http.clone(),
            interval: CHECK_INTERVAL.to_owned(),
            timeout: CHECK_TIMEOUT.to_owned(),
            deregister_critical_service_after,
        }),
        None => HealthCheck::Ttl(TtlCheck { ttl: CHECK_TTL.to_owned(), deregister_critical_service_after }),
    }
}

fn meta(event: &NodeIntrospectionEvent, run_id: Option<Uuid>) -> BTreeMap<String, String> {
    let entries = [
        ("node_id", Some(event.node_id.to_string())),
        ("epoch", event.epoch.map(|epoch| epoch.to_string())),
        ("timestamp", Some(rfc3339::text(&event.timestamp))),
        ("run_id", run_id.map(|run_id| run_id.to_string())),
    ];
    let present = |(key, value): (&str, Option<String>)| Some((key.to_owned(), value?));
    entries.into_iter().filter_map(present).collect()
}

fn record(event: &NodeIntrospectionEvent, now: Timestamp, run_id: Option<Uuid>) -> RegistrationRecord {
    let endpoint_text = event.endpoints.iter().map(|(name, url)| (name.clone(), url.to_string()));
    RegistrationRecord {
        node_id: event.node_id,
        node_name: event.node_name.clone(),
        node_type: event.node_type,
        node_version: event.node_version.to_string(),
        capabilities: capabilities(event),
        endpoints: endpoint_text.collect(),
        metadata: to_json(&event.metadata),
        health_endpoint: event.health_endpoint().map(|url| url.to_string()),
        node_role: event.node_role.clone(),
        network_id: event.network_id.clone(),
        deployment_id: event.deployment_id.clone(),
        position: event.position(),
        correlation_id: event.correlation_id,
        registered_at: now,
        updated_at: now,
        run_id,
    }
}

fn capabilities(event: &NodeIntrospectionEvent) -> Value {
    let mut all = json!({
        "declared": to_json(&event.declared_capabilities),
        "discovered": to_json(&event.discovered_capabilities),
    });
    if let Some(contract) = &event.contract_capabilities {
        all["contract"] = to_json(contract);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::read, intent::RegistrationIntent};

    const NODE: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";
    const CORRELATION: &str = "d23f0824-128b-4f33-8c5c-7fd0a6a3a450";

    fn event(more: Value) -> NodeIntrospectionEvent {
        let mut value = json!({
            "node_id": NODE,
            "node_type": "effect",
            "correlation_id": CORRELATION,
            "timestamp": "2026-07-24T10:00:00Z",
        });
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read(&value).unwrap()
    }

    #[test]
    fn a_node_with_a_health_endpoint() {
        let endpoints = json!({ "health": "http://n:8000/health", "api": "http://other:1/api" });
        let event = event(json!({ "endpoints": endpoints, "epoch": 3, "node_version": "1.2.3-rc.1" }));
        let intent = RegistrationIntent::from(consul_register(&event, Some(Uuid::nil())));
        let expected = json!({
            "kind": "consul.register",
            "correlation_id": CORRELATION,
            "service_id": format!("onex-effect-{NODE}"),
            "service_name": "onex-effect",
            "tags": ["onex", "node-type:effect", "node-version:1.2.3-rc.1"],
            "address": "n",
            "port": 8000,
            "health_check": {
                "HTTP": "http://n:8000/health",
                "Interval": "10s",
                "Timeout": "5s",
                "DeregisterCriticalServiceAfter": "60m",
            },
            "meta": {
                "node_id": NODE,
                "epoch": "3",
                "timestamp": "2026-07-24T10:00:00Z",
                "run_id": Uuid::nil().to_string(),
            },
            "position": { "epoch": 3, "timestamp": "2026-07-24T10:00:00Z" },
        });
        assert_eq!(serde_json::to_value(&intent).unwrap(), expected);
    }

    #[test]
    fn without_a_health_endpoint_heartbeats_count() {
        let ttl = json!({ "TTL": "90s", "DeregisterCriticalServiceAfter": "60m" });
        let table = [
            (json!({}), None, None),
            (json!({ "api": "https://n/api" }), Some("n"), Some(443)),
            (json!({ "health": "grpc://n:5/h" }), Some("n"), Some(5)),
        ];
        for (endpoints, address, port) in table {
            let register = consul_register(&event(json!({ "endpoints": endpoints })), None);
            assert_eq!((register.address.as_deref(), register.port), (address, port));
            assert_eq!(serde_json::to_value(&register.health_check).unwrap(), ttl);
            let keys: Vec<&String> = register.meta.keys().collect();
            assert_eq!(keys, ["node_id", "timestamp"]);
        }
    }

    #[test]
    fn a_row_keeps_all_that_the_event_says() {
        let event = event(json!({
            "endpoints": { "health": "http://n/health" },
            "declared_capabilities": { "postgres": true, "own": [1] },
            "metadata": { "region": "eu", "own": 1 },
            "contract_capabilities": { "contract_type": "effect", "contract_version": "1.0.0" },
        }));
        let now = rfc3339::parse("2026-07-24T10:00:05Z").unwrap();
        let PostgresUpsertRegistration { record, .. } = postgres_upsert(&event, now, None);
        assert_eq!(record.capabilities["declared"]["postgres"], true);
        assert_eq!(record.capabilities["declared"]["own"], json!([1]));
        assert_eq!(record.capabilities["discovered"]["has_fsm"], false);
        assert_eq!(record.capabilities["contract"]["contract_type"], "effect");
        assert_eq!(record.metadata["own"], 1);
        assert_eq!(record.health_endpoint.as_deref(), Some("http://n/health"));
        assert_eq!(record.node_version, "1.0.0");
        assert_eq!((record.registered_at, record.updated_at), (now, now));
        assert_eq!(record.position, event.position());
    }

    #[test]
    fn intents_survive_the_wire() {
        let event = event(json!({ "node_type": "runtime_host" }));
        let position = Some(event.position());
        let (kind, node_id, id) = (event.node_type, event.node_id, event.correlation_id);
        let intents: [RegistrationIntent; 4] = [
            consul_register(&event, None).into(),
            consul_deregister(kind, node_id, id, position).into(),
            postgres_upsert(&event, event.timestamp, None).into(),
            postgres_deregister(node_id, id, None).into(),
        ];
        for (intent, kind) in intents.into_iter().zip(RegistrationIntent::KINDS) {
            let wire = serde_json::to_value(&intent).unwrap();
            assert_eq!((intent.kind(), &wire["kind"]), (kind, &json!(kind)));
            assert_eq!(intent.node_id(), Some(node_id), "{kind}");
            assert_eq!(intent.correlation_id(), id);
            assert_eq!(intent.position().is_some(), kind != "postgres.deregister");
            assert_eq!(RegistrationIntent::from_parts(kind, &intent.payload()), Ok(intent.clone()));
            assert_eq!(serde_json::from_value::<RegistrationIntent>(wire).unwrap(), intent);
        }
    }

    #[test]
    fn service_ids_are_checked() {
        let long = "a".repeat(201);
        for text in ["", "a b", "a/b", "ä", long.as_str()] {
            assert!(text.parse::<ServiceId>().is_err(), "{text}");
        }
        let table = [
            ("onex-runtime-host-6513270e-269e-4d37-b2a7-4de452e6b438", true),
            ("onex-effect-x", false),
            ("other", false),
        ];
        for (text, ours) in table {
            let id: ServiceId = text.parse().unwrap();
            assert_eq!(id.node_id().is_some(), ours, "{text}");
        }
    }
}
