//! One node under test: makes its intents at chosen positions and looks at its entry.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use onex_event::intent::{
    ConsulDeregister, ConsulRegister, HealthCheck, PostgresDeregister, PostgresUpsertRegistration, RegistrationRecord,
    ServiceId, ServiceName, TtlCheck,
};
use onex_event::{EventPosition, NodeKind, RegistrationIntent, Timestamp, rfc3339};
use onex_node::{Failure, IdempotencyKey};
use serde_json::json;
use uuid::Uuid;

use super::{Family, Fixture};
use crate::backend::{Applied, AppliedOutcome, RegistryBackend};
use crate::entry::{EntryState, RegistryEntry};

/// A name that a careless query or path would stumble over.
pub(super) const AWKWARD: &str = "Ж'; DROP TABLE node_registrations; -- \"{$1}\" \\ %s";

/// The fixture and every node made so far.
pub(super) struct Suite<'a> {
    pub(super) fixture: &'a dyn Fixture,
    pub(super) backend: Arc<dyn RegistryBackend>,
    nodes: Mutex<Vec<Uuid>>,
}

impl<'a> Suite<'a> {
    pub(super) fn new(fixture: &'a dyn Fixture) -> Self {
        Self { fixture, backend: fixture.backend(), nodes: Mutex::new(Vec::new()) }
    }

    /// A node that no other test of the suite touches.
    pub(super) fn node(&self, name: &str) -> Node<'_> {
        let id = Uuid::new_v5(&self.fixture.seed(), name.as_bytes());
        self.nodes.lock().expect("nothing panics while it holds the lock").push(id);
        Node { suite: self, backend: self.backend.clone(), id }
    }

    pub(super) fn table(&self) -> bool {
        self.fixture.family() == Family::Table
    }

    /// Takes every node out again, as far as the backend forgets.
    pub(super) async fn clean_up(&self) {
        let nodes = self.nodes.lock().expect("nothing panics while it holds the lock").clone();
        for id in nodes {
            let node = Node { suite: self, backend: self.backend.clone(), id };
            node.deregister(None, "clean-up").await.expect("every node can be deregistered without a position");
        }
    }
}

/// One node under test.
pub(super) struct Node<'a> {
    pub(super) suite: &'a Suite<'a>,
    pub(super) backend: Arc<dyn RegistryBackend>,
    pub(super) id: Uuid,
}

impl Node<'_> {
    /// The same node as another backend sees it.
    pub(super) fn at(&self, backend: Arc<dyn RegistryBackend>) -> Node<'_> {
        Node { suite: self.suite, backend, id: self.id }
    }

    pub(super) fn key(&self, name: &str) -> IdempotencyKey {
        IdempotencyKey::from(format!("{}/{name}", self.id).as_str())
    }

    pub(super) async fn register(&self, position: EventPosition, key: &str) -> Result<Applied, Failure> {
        self.backend.apply(&self.registration(position), &self.key(key)).await
    }

    pub(super) async fn deregister(&self, position: Option<EventPosition>, key: &str) -> Result<Applied, Failure> {
        self.backend.apply(&self.deregistration(position), &self.key(key)).await
    }

    pub(super) async fn undo_registration(&self, position: EventPosition, key: &str) {
        let undone = self.backend.undo(&self.registration(position), &self.key(key)).await;
        undone.expect("an undo succeeds, whatever there is to undo");
    }

    /// Registers and insists on the outcome.
    pub(super) async fn must(&self, position: EventPosition, key: &str, outcome: AppliedOutcome, promise: &str) {
        let applied = self.register(position, key).await.expect(promise);
        assert_eq!(applied, Applied::now(outcome), "{promise}");
    }

    /// The one entry of this node; `None` when there is none.
    pub(super) async fn entry(&self) -> Option<RegistryEntry> {
        let entries = self.backend.entries().await.expect("entries can be read");
        let mut own: Vec<_> = entries.into_iter().filter(|entry| entry.node_id == Some(self.id)).collect();
        assert!(own.len() <= 1, "a node has at most one entry, but here are {own:#?}");
        own.pop()
    }

    /// The position of the entry, when the node is in service.
    pub(super) async fn active_at(&self) -> Option<EventPosition> {
        let entry = self.entry().await.filter(|entry| entry.state == EntryState::Active)?;
        entry.position
    }

    pub(super) fn registration(&self, position: EventPosition) -> RegistrationIntent {
        match self.suite.fixture.family() {
            Family::Catalogue => self.service(position).into(),
            Family::Table => self.row(position).into(),
        }
    }

    pub(super) fn deregistration(&self, position: Option<EventPosition>) -> RegistrationIntent {
        match self.suite.fixture.family() {
            Family::Catalogue => {
                ConsulDeregister { correlation_id: self.id, service_id: self.service_id(), position }.into()
            }
            Family::Table => PostgresDeregister { correlation_id: self.id, node_id: self.id, position }.into(),
        }
    }

    fn service_id(&self) -> ServiceId {
        ServiceId::of_node(NodeKind::Effect, self.id)
    }

    fn service(&self, position: EventPosition) -> ConsulRegister {
        let ttl = TtlCheck { ttl: "90s".to_owned(), deregister_critical_service_after: Some("60m".to_owned()) };
        ConsulRegister {
            correlation_id: self.id,
            service_id: self.service_id(),
            service_name: ServiceName::of_kind(NodeKind::Effect),
            tags: ["onex", "node-type:effect", "node-version:1.2.3"].map(str::to_owned).to_vec(),
            address: Some("127.0.0.1".to_owned()),
            port: Some(8080),
            health_check: Some(HealthCheck::Ttl(ttl)),
            meta: BTreeMap::from([("node_id".to_owned(), self.id.to_string())]),
            position,
        }
    }

    fn row(&self, position: EventPosition) -> PostgresUpsertRegistration {
        let record = RegistrationRecord {
            node_id: self.id,
            node_name: Some(AWKWARD.to_owned()),
            node_type: NodeKind::Effect,
            node_version: "1.2.3".to_owned(),
            capabilities: json!({"declared": {"postgres": true}, "discovered": {"operations": [AWKWARD]}}),
            endpoints: BTreeMap::from([("health".to_owned(), "http://127.0.0.1:8080/health".to_owned())]),
            metadata: json!({"note": AWKWARD, "priority": 7}),
            health_endpoint: Some("http://127.0.0.1:8080/health".to_owned()),
            node_role: None,
            network_id: Some("net".to_owned()),
            deployment_id: None,
            position,
            correlation_id: self.id,
            registered_at: position.timestamp,
            updated_at: position.timestamp,
            run_id: Some(self.id),
        };
        PostgresUpsertRegistration { correlation_id: self.id, record }
    }
}

/// The position with this epoch, `second` seconds and as many microseconds after a fixed moment.
pub(super) fn at(epoch: Option<u64>, second: u32) -> EventPosition {
    EventPosition { epoch, timestamp: moment(second) }
}

/// `second` seconds, less than 60, and as many microseconds after a fixed moment.
pub(super) fn moment(second: u32) -> Timestamp {
    rfc3339::parse(&format!("2026-01-01T00:00:{second:02}.{second:06}Z")).expect("the text is a timestamp")
}
