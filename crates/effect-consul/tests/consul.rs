//! The Consul registry keeps the promises of every registry backend, and its own: against a real
//! agent. Node ids are random, so runs do not meet.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test reports by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests find their server in the environment and make names of their own"
)]

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use onex_effect::conformance::{Family, Fixture, registry_conformance};
use onex_effect::{Applied, AppliedOutcome, RegistryBackend, RegistryEntry};
use onex_effect_consul::{ConsulConfig, ConsulRegistry};
use onex_event::intent::build;
use onex_event::{NodeIntrospectionEvent, RegistrationIntent};
use onex_node::{ErrorClass, Failure};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

const UNKNOWN_TOKEN: &str = "deadbeef-0bad-4bad-8bad-0123456789ab";

struct Agent {
    address: String,
    token: String,
    seed: Uuid,
}

impl Agent {
    fn find() -> Self {
        let read = |name| {
            std::env::var(name).expect(
                "run `cargo xtask services up` and `eval \"$(cargo xtask services env)\"`, or `cargo xtask test`",
            )
        };
        Self { address: read("ONEX_TEST_CONSUL_ADDR"), token: read("ONEX_TEST_CONSUL_TOKEN"), seed: Uuid::new_v4() }
    }

    fn config(&self) -> ConsulConfig {
        ConsulConfig { token: Some(self.token.as_str().into()), ..ConsulConfig::new(&self.address) }
    }
}

fn registry(config: &ConsulConfig) -> ConsulRegistry {
    ConsulRegistry::new(config).unwrap()
}

#[async_trait]
impl Fixture for Agent {
    fn family(&self) -> Family {
        Family::Catalogue
    }

    fn seed(&self) -> Uuid {
        self.seed
    }

    fn backend(&self) -> Arc<dyn RegistryBackend> {
        Arc::new(registry(&self.config()))
    }

    fn unreachable(&self) -> Arc<dyn RegistryBackend> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Arc::new(registry(&ConsulConfig { address: format!("http://127.0.0.1:{port}"), ..self.config() }))
    }

    fn bad_credentials(&self) -> Option<Arc<dyn RegistryBackend>> {
        Some(Arc::new(registry(&ConsulConfig { token: Some(UNKNOWN_TOKEN.into()), ..self.config() })))
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.token.clone(), UNKNOWN_TOKEN.to_owned()]
    }

    fn keeps_history(&self) -> bool {
        false
    }
}

fn event(node_id: Uuid, health: &str) -> NodeIntrospectionEvent {
    let event = json!({
        "node_id": node_id, "node_type": "effect", "node_version": "1.2.3", "correlation_id": node_id, "epoch": 3,
        "timestamp": "2026-01-01T00:00:00.000001Z", "endpoints": {"health": health},
    });
    serde_json::from_value(event).unwrap()
}

fn registration(node_id: Uuid, health: &str) -> RegistrationIntent {
    build::consul_register(&event(node_id, health), Some(Uuid::nil())).into()
}

async fn entry(registry: &ConsulRegistry, node_id: Uuid) -> Option<RegistryEntry> {
    registry.entries().await.unwrap().into_iter().find(|entry| entry.node_id == Some(node_id))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_promises_of_every_backend() {
    registry_conformance(&Agent::find()).await;
}

#[tokio::test]
async fn a_service_is_entered_as_the_event_says() {
    let agent = Agent::find();
    let registry = registry(&agent.config());
    for health in ["http://[::1]:8080/health", "grpc://node:50051/health"] {
        let node = Uuid::new_v4();
        let intent = registration(node, health);
        registry.apply(&intent, &"run/step".into()).await.unwrap();
        let entry = entry(&registry, node).await.unwrap();
        let host = if health.starts_with("http") { "::1" } else { "node" };
        assert_eq!(entry.address.as_deref(), Some(host));
        assert_eq!(entry.position, Some(event(node, health).position()));
        assert_eq!(entry.tags, ["onex", "node-type:effect", "node-version:1.2.3"]);
        let meta = entry.metadata.unwrap();
        assert_eq!(meta["node_id"], node.to_string());
        assert_eq!((&meta["run_id"], &meta["epoch"]), (&json!(Uuid::nil()), &json!("3")));
        assert_eq!(meta["idempotency_key"], "run/step");
        registry.undo(&intent, &"run/step".into()).await.unwrap();
    }
}

#[tokio::test]
async fn an_agent_in_another_datacenter_is_refused() {
    let agent = Agent::find();
    let elsewhere = ConsulConfig { datacenter: Some("elsewhere".to_owned()), ..agent.config() };
    let refused = registry(&elsewhere).check().await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::Validation, "{refused:?}");
    assert!(refused.message.ends_with("not in `elsewhere`"), "{refused:?}");
}

#[tokio::test]
async fn what_consul_refuses_is_not_tried_again() {
    let agent = Agent::find();
    let registry = registry(&agent.config());
    let key = "k".repeat(600);
    let refused = registry.apply(&registration(Uuid::new_v4(), "http://n/"), &key.as_str().into()).await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::Validation, "{refused:?}");
}

#[tokio::test]
async fn without_a_token_nothing_may_be_written() {
    let agent = Agent::find();
    let registry = registry(&ConsulConfig { token: None, ..agent.config() });
    let refused = registry.apply(&registration(Uuid::new_v4(), "http://n/"), &"k".into()).await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::Authorization, "{refused:?}");
}

#[tokio::test]
async fn a_silent_agent_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let config = ConsulConfig { request_timeout: Duration::from_millis(200), ..ConsulConfig::new(&address) };
    let refused = registry(&config).check().await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::Timeout, "{refused:?}");
}

/// What each of these answers, whole, becomes: a leaderless or overloaded agent may recover, one that
/// is no Consul does not.
#[tokio::test]
async fn answers_become_classes() {
    for (answer, expected) in [
        ("HTTP/1.1 500 E\r\ncontent-length: 17\r\n\r\nNo cluster leader", ErrorClass::Unavailable),
        ("HTTP/1.1 429 E\r\ncontent-length: 0\r\n\r\n", ErrorClass::Throttled),
        ("HTTP/1.1 401 E\r\ncontent-length: 0\r\n\r\n", ErrorClass::Authentication),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\"\"", ErrorClass::Unavailable),
        ("HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n<p>hunter2 </p>\n", ErrorClass::Internal),
        ("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", ErrorClass::Connection),
        ("", ErrorClass::Connection),
    ] {
        let refused = check_against(answer).await.unwrap_err();
        assert_eq!(refused.class, expected, "{answer:?}: {refused:?}");
        assert!(!refused.message.contains("hunter2"), "{refused:?}");
    }
}

async fn check_against(answer: &'static str) -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let registry = registry(&ConsulConfig::new(&format!("http://{}", listener.local_addr().unwrap())));
    let serve = async {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let read = stream.read(&mut [0; 4096]).await.unwrap();
            assert!(read > 0, "a request comes before its answer");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    };
    tokio::select! {
        checked = registry.check() => checked,
        () = serve => unreachable!("the server never ends"),
    }
}

#[tokio::test]
async fn a_service_that_something_else_entered_gives_way() {
    let agent = Agent::find();
    let registry = registry(&agent.config());
    let node = Uuid::new_v4();
    let id = format!("onex-effect-{node}");
    let response = reqwest::Client::new()
        .put(format!("{}/v1/agent/service/register", agent.address))
        .header("X-Consul-Token", &agent.token)
        .body(json!({"ID": id, "Name": "onex-effect", "Tags": ["onex"]}).to_string())
        .send()
        .await
        .unwrap();
    assert!(response.status().is_success());
    assert_eq!(entry(&registry, node).await.unwrap().position, None);
    let intent = registration(node, "http://n/");
    let applied = registry.apply(&intent, &"k".into()).await.unwrap();
    assert_eq!(applied, Applied::now(AppliedOutcome::Replaced));
    assert_eq!(registry.apply(&intent, &"k".into()).await.unwrap(), Applied::before(AppliedOutcome::Replaced));
    registry.undo(&intent, &"k".into()).await.unwrap();
    assert_eq!(entry(&registry, node).await, None);
}
