//! Decides what one run is: six steps like the registration graph, its effects doing nothing, so that what is
//! measured is the engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow};
use async_trait::async_trait;
use onex_contract::{Source, read};
use onex_journal::Journal;
use onex_node::{Compute, ComputeInput, Effect, EffectCall, ErrorClass, Failure, NodeRegistry, RunId, Timestamp};
use onex_orchestrator::{Clock, NodeOrchestrator, RunRequest, Worker};
use serde_json::{Value, json};
use uuid::Uuid;

const CONTRACT: &str = include_str!("six_steps.yaml");

/// The orchestrator of the six steps, over an effect.
pub(crate) fn orchestrator(effect: Arc<dyn Effect>) -> Result<NodeOrchestrator> {
    let nodes = NodeRegistry::new().with_effect("nothing", effect).with_compute("intents", Arc::new(Intents));
    let reading = read(Source { file: "six_steps.yaml", text: CONTRACT });
    NodeOrchestrator::from_reading(&reading, &nodes).map_err(|error| anyhow!("{error}: {:?}", reading.diagnostics))
}

/// Who runs.
pub(crate) fn worker(journal: Arc<dyn Journal>) -> Worker {
    Worker::new(journal, Arc::new(SystemClock), "bench", Duration::from_secs(600))
}

/// The request of the run of that number; its id is as random as those of real deliveries.
pub(crate) fn request(number: u64) -> RunRequest {
    let delivery = Uuid::from_u128(u128::from(number) << 32);
    let input = json!({
        "node_id": delivery,
        "node_type": "effect",
        "node_version": "1.0.0",
        "endpoints": {"health": "http://10.0.0.7:8080/health"},
        "timestamp": "2026-01-01T00:00:00Z",
    });
    RunRequest {
        event_type: Some("NodeIntrospectionEvent".to_owned()),
        correlation_id: Some(delivery),
        parent_envelope_id: Some(delivery),
        ..RunRequest::new(RunId::derive("six_steps", delivery), input)
    }
}

/// What the effects are asked for.
struct Intents;

impl Compute for Intents {
    fn compute(&self, input: &ComputeInput<'_>) -> Result<Value, Failure> {
        let intent = |kind: &str| json!({"kind": kind, "payload": {"node_id": input.workflow_input["node_id"]}});
        Ok(json!({"intents": [intent("first.do"), intent("second.do"), intent("third.do")]}))
    }
}

/// Does nothing.
pub(crate) struct Nothing;

#[async_trait]
impl Effect for Nothing {
    async fn execute(&self, _: &EffectCall) -> Result<Value, Failure> {
        Ok(Value::Null)
    }
}

/// Cannot be reached, so that every run waits for its next attempt.
#[derive(Default)]
pub(crate) struct Unreachable {
    /// Attempts made.
    pub(crate) attempts: AtomicUsize,
}

#[async_trait]
impl Effect for Unreachable {
    async fn execute(&self, _: &EffectCall) -> Result<Value, Failure> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        Err(Failure::new(ErrorClass::Connection, "ONEX4001", "it cannot be reached"))
    }
}

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        chrono::Utc::now()
    }
}
