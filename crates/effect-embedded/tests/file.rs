//! What the file itself promises: it survives, it is read while written, and a foreign one is refused.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::path::Path;

use onex_effect::{Applied, AppliedOutcome, EntryState, RegistryBackend};
use onex_effect_embedded::EmbeddedRegistry;
use onex_event::intent::{PostgresUpsertRegistration, RegistrationRecord};
use onex_event::{EventPosition, NodeKind, RegistrationIntent, rfc3339};
use onex_node::{ErrorClass, IdempotencyKey};
use serde_json::json;
use sqlx::SqlitePool;
use uuid::Uuid;

fn registration(epoch: u64) -> RegistrationIntent {
    let timestamp = rfc3339::parse("2026-01-01T00:00:00Z").unwrap();
    let record = RegistrationRecord {
        node_id: Uuid::nil(),
        node_name: None,
        node_type: NodeKind::Compute,
        node_version: format!("{}.0.0", epoch % 1000),
        capabilities: json!({}),
        endpoints: [].into(),
        metadata: json!({}),
        health_endpoint: None,
        node_role: None,
        network_id: None,
        deployment_id: None,
        position: EventPosition { epoch: Some(epoch), timestamp },
        correlation_id: Uuid::nil(),
        registered_at: timestamp,
        updated_at: timestamp,
        run_id: None,
    };
    PostgresUpsertRegistration { correlation_id: Uuid::nil(), record }.into()
}

async fn apply(registry: &EmbeddedRegistry, epoch: u64) -> Applied {
    registry.apply(&registration(epoch), &epoch.to_string().as_str().into()).await.unwrap()
}

async fn undo(registry: &EmbeddedRegistry, epoch: u64) {
    let key = IdempotencyKey::from(epoch.to_string().as_str());
    registry.undo(&registration(epoch), &key).await.unwrap();
}

async fn epoch(registry: &EmbeddedRegistry) -> Option<u64> {
    registry.entries().await.unwrap().pop()?.position?.epoch
}

async fn raw(path: &Path, statement: &'static str) {
    let pool = SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::query(statement).execute(&pool).await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn rows_and_keys_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("registry.db");
    let registry = EmbeddedRegistry::open(&path).await.unwrap();
    apply(&registry, 3).await;
    registry.close().await;
    let registry = EmbeddedRegistry::open(&path).await.unwrap();
    assert_eq!(apply(&registry, 3).await, Applied::before(AppliedOutcome::Created));
    let entries = registry.entries().await.unwrap();
    assert_eq!((entries.len(), entries[0].state), (1, EntryState::Active));
}

#[tokio::test]
async fn undoing_in_either_order_ends_in_the_same_place() {
    for order in [[1, 2, 3], [3, 2, 1], [2, 1, 3], [2, 3, 1]] {
        let directory = tempfile::tempdir().unwrap();
        let registry = EmbeddedRegistry::open(&directory.path().join("registry.db")).await.unwrap();
        for epoch in 0..=3 {
            apply(&registry, epoch).await;
        }
        for epoch in order {
            undo(&registry, epoch).await;
        }
        assert_eq!(epoch(&registry).await, Some(0), "undone in the order {order:?}");
        undo(&registry, 0).await;
        assert_eq!(epoch(&registry).await, None, "undone in the order {order:?}");
    }
}

#[tokio::test]
async fn a_reader_sees_what_a_writer_commits_and_cannot_write() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("registry.db");
    let missing = EmbeddedRegistry::open_existing(&path).await.unwrap_err();
    assert_eq!(missing.class, ErrorClass::Unavailable, "{missing:?}");
    let writer = EmbeddedRegistry::open(&path).await.unwrap();
    let reader = EmbeddedRegistry::open_existing(&path).await.unwrap();
    apply(&writer, 1).await;
    assert_eq!(epoch(&reader).await, Some(1));
    let refused = reader.apply(&registration(2), &"2".into()).await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::Unavailable, "{refused:?}");
}

#[tokio::test]
async fn a_second_process_waits_its_turn() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("registry.db");
    let (left, right) =
        tokio::join!(async { EmbeddedRegistry::open(&path).await }, async { EmbeddedRegistry::open(&path).await });
    let (left, right) = (left.unwrap(), right.unwrap());
    for epoch in 0..20 {
        let (one, other) = tokio::join!(apply(&left, epoch), apply(&right, epoch));
        assert_ne!(one.already_applied, other.already_applied, "one of two calls with one key is the first");
    }
}

#[tokio::test]
async fn a_schema_of_another_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("registry.db");
    EmbeddedRegistry::open(&path).await.unwrap().close().await;
    raw(&path, "INSERT INTO onex_registry_migrations VALUES (9999, 'newer', '2030-01-01', TRUE, x'00', 1)").await;
    let written = EmbeddedRegistry::open(&path).await.unwrap_err();
    let read = EmbeddedRegistry::open_existing(&path).await.unwrap_err();
    for refused in [written, read] {
        assert_eq!((refused.class, refused.code.as_str()), (ErrorClass::Validation, "ONEX4008"), "{refused:?}");
    }
}

#[tokio::test]
async fn what_is_no_database_or_no_epoch_is_not_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("registry.db");
    let registry = EmbeddedRegistry::open(&path).await.unwrap();
    let refused = registry.apply(&registration(u64::MAX), &"a".into()).await.unwrap_err();
    assert_eq!((refused.class, refused.code.as_str()), (ErrorClass::Validation, "ONEX4003"));
    let text = directory.path().join("text.db");
    std::fs::write(&text, "this is no database, however long it may be read".repeat(100)).unwrap();
    let refused = EmbeddedRegistry::open(&text).await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::Internal, "{refused:?}");
}
