//! The runtime as its users see it: what comes in runs once and in order, what cannot run is set aside, and what
//! one process leaves the next one takes up.

#![expect(clippy::expect_used, reason = "a test says what it misses and stops")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use onex_bus::{EventBus, MemoryBus, Message};
use onex_contract::{Reading, Source, read};
use onex_journal::{Journal, MemoryJournal, OutboxMessage, RunStatus};
use onex_node::{Effect, EffectCall, Failure, Intent, IntentOutcome, NodeRegistry, ReduceContext, Reducer, Reduction};
use onex_orchestrator::{Clock, Worker};
use onex_runtime::{
    DeadLetter, DeadLetterFile, Observer, RunReport, Runtime, RuntimeParts, Stopped, SystemClock, WiringReport,
};
use serde_json::{Value, json};
use uuid::Uuid;

const ORDERS: &str = r#"
name: orders
node_type: ORCHESTRATOR
contract_version: "1.0.0"
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: orders}
    execution_graph:
      nodes:
        - {node_id: receive, node_type: effect, step_config: {event_pattern: OrderPlaced}}
        - {node_id: decide, node_type: reducer, depends_on: [receive], step_config: {reducer_protocol: order_reducer}}
        - {node_id: ship, node_type: effect, depends_on: [decide], step_config: {effect_node: shipping, intent_filter: "ship.*"}}
        - {node_id: tell, node_type: effect, depends_on: [ship], step_config: {event_type: OrderShipped, input: {order: "${input.order}", number: "${input.number}"}}}
consumed_events: [{topic: onex.evt.shop.order-placed.v1, event_type: OrderPlaced}]
published_events: [{topic: onex.evt.shop.order-shipped.v1, event_type: OrderShipped}]
intent_consumption: {intent_routing_table: {ship.order: shipping}}
"#;

const TOPIC: &str = "onex.evt.shop.order-placed.v1";

/// Counts the events of an order.
struct OrderReducer;

impl Reducer for OrderReducer {
    fn entity(&self, event: &Value) -> Result<String, Failure> {
        let named = event["order"].as_str().map(str::to_owned);
        named.ok_or_else(|| Failure::new(onex_node::ErrorClass::Validation, "ONEX3001", "no order"))
    }

    fn reduce(&self, state: Option<&Value>, event: &Value, _: &ReduceContext) -> Result<Reduction, Failure> {
        let count = state.and_then(Value::as_u64).unwrap_or(0) + 1;
        let intents = vec![Intent { kind: "ship.order".to_owned(), payload: event.clone() }];
        Ok(Reduction { state: json!(count), intents, settled: Vec::new(), refusal: None })
    }

    fn confirm(&self, state: &Value, _: &IntentOutcome) -> Result<Value, Failure> {
        Ok(state.clone())
    }
}

/// Notes what was shipped, and never ends for an order called `stuck`.
#[derive(Default)]
struct Shipping(Mutex<Vec<String>>);

#[async_trait]
impl Effect for Shipping {
    async fn execute(&self, call: &EffectCall) -> Result<Value, Failure> {
        if call.intent.payload["order"] == "stuck" {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        let shipped =
            format!("{}#{}", call.intent.payload["order"].as_str().unwrap_or_default(), call.intent.payload["number"]);
        self.0.lock().expect("not poisoned").push(shipped);
        Ok(json!({}))
    }
}

#[derive(Default)]
struct Notes {
    published: Mutex<Vec<Uuid>>,
    ended: Mutex<Vec<(RunStatus, bool)>>,
    dead: Mutex<Vec<String>>,
    is_deaf: bool,
}

impl Observer for Notes {
    fn published(&self, message: &OutboxMessage) -> std::io::Result<()> {
        if self.is_deaf {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        self.published.lock().expect("not poisoned").push(message.id);
        Ok(())
    }

    fn run_ended(&self, report: &RunReport) {
        self.ended.lock().expect("not poisoned").push((report.status, report.recovered));
    }

    fn dead_lettered(&self, letter: &DeadLetter) {
        self.dead.lock().expect("not poisoned").push(letter.code.clone());
    }
}

/// One process: everything that dies with it, over what does not.
struct Process {
    runtime: Runtime,
    bus: Arc<MemoryBus>,
    notes: Arc<Notes>,
    shipping: Arc<Shipping>,
}

fn reading(text: &str) -> Reading {
    read(Source { file: "orders.yaml", text })
}

fn nodes(shipping: &Arc<Shipping>) -> NodeRegistry {
    NodeRegistry::new()
        .with_reducer("order_reducer", Arc::new(OrderReducer))
        .with_effect("shipping", Arc::clone(shipping) as _)
}

async fn process(journal: &Arc<MemoryJournal>, directory: &tempfile::TempDir, notes: Notes, text: &str) -> Process {
    process_of("test", journal, directory, notes, text).await
}

async fn process_of(
    owner: &str,
    journal: &Arc<MemoryJournal>,
    directory: &tempfile::TempDir,
    notes: Notes,
    text: &str,
) -> Process {
    let (bus, notes, shipping) = (Arc::new(MemoryBus::new()), Arc::new(notes), Arc::new(Shipping::default()));
    let (_, orchestrators) = WiringReport::of(&[&reading(text)], &nodes(&shipping));
    let worker = Worker {
        journal: Arc::clone(journal) as _,
        clock: Arc::new(SystemClock),
        owner: owner.to_owned(),
        lease: Duration::from_secs(60),
    };
    let parts = RuntimeParts {
        bus: Arc::clone(&bus) as _,
        worker,
        nodes: nodes(&shipping),
        orchestrators,
        dead_letters: Arc::new(DeadLetterFile::open(directory.path()).expect("writable")),
        observer: Arc::clone(&notes) as _,
        max_in_flight: 4,
    };
    Process { runtime: Runtime::start(parts).await.expect("it starts"), bus, notes, shipping }
}

fn order(name: &str, number: u32) -> String {
    json!({"order": name, "number": number}).to_string()
}

fn ended(process: &Process) -> Vec<(RunStatus, bool)> {
    process.notes.ended.lock().expect("not poisoned").clone()
}

#[tokio::test(start_paused = true)]
async fn what_comes_in_runs_once_and_in_the_order_of_its_entity() {
    let (journal, directory) = (Arc::new(MemoryJournal::new()), tempfile::tempdir().expect("a directory"));
    let process = process(&journal, &directory, Notes::default(), ORDERS).await;
    let ingress = process.runtime.ingress("OrderPlaced").expect("a way in");
    let lines: Vec<String> = (0..10).flat_map(|number| [order("a", number), order("b", number)]).collect();
    assert_eq!(ingress.submit(&lines).await.expect("taken in"), []);
    process.runtime.drained().await;
    assert_eq!(ended(&process), vec![(RunStatus::Succeeded, false); 20]);
    let shipped = process.shipping.0.lock().expect("not poisoned").clone();
    for name in ["a", "b"] {
        let own: Vec<_> = shipped.iter().filter(|shipped| shipped.starts_with(name)).cloned().collect();
        assert_eq!(own, (0..10).map(|number| format!("{name}#{number}")).collect::<Vec<_>>());
    }
    let state = journal.entity_state("order_reducer", "a").await.expect("readable").expect("written");
    assert_eq!((state.version, state.state), (10, json!(10)), "each run saw the state the one before left");
    assert_eq!(journal.inbox(100).await.expect("readable"), []);
    assert_eq!(journal.outbox(100).await.expect("readable"), []);
    assert_eq!(process.runtime.stop(Duration::from_secs(1)).await, Stopped::Drained);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_run_is_set_aside_and_the_rest_goes_on() {
    let (journal, directory) = (Arc::new(MemoryJournal::new()), tempfile::tempdir().expect("a directory"));
    let process = process(&journal, &directory, Notes::default(), ORDERS).await;
    for (number, body) in ["{", "[]", r#"{"number": 1}"#, &order("a", 1)].iter().enumerate() {
        process.bus.publish(TOPIC, Message::new(Uuid::from_u128(number as u128), *body)).await.expect("open");
    }
    process.runtime.drained().await;
    assert_eq!(*process.notes.dead.lock().expect("not poisoned"), ["ONEX1011", "ONEX1012", "ONEX3001"]);
    assert_eq!(ended(&process), [(RunStatus::Succeeded, false)]);
    let kept = std::fs::read_to_string(directory.path().join("dead-letters.jsonl")).expect("kept");
    assert_eq!(kept.lines().count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_message_starts_nothing() {
    let (journal, directory) = (Arc::new(MemoryJournal::new()), tempfile::tempdir().expect("a directory"));
    let process = process(&journal, &directory, Notes::default(), ORDERS).await;
    for _ in 0..3 {
        process.bus.publish(TOPIC, Message::new(Uuid::from_u128(7), order("a", 1))).await.expect("open");
    }
    process.runtime.drained().await;
    assert_eq!(ended(&process), [(RunStatus::Succeeded, false)]);
}

#[tokio::test(start_paused = true)]
async fn the_next_process_takes_up_runs_and_accepted_messages() {
    let (journal, directory) = (Arc::new(MemoryJournal::new()), tempfile::tempdir().expect("a directory"));
    let first = process(&journal, &directory, Notes::default(), ORDERS).await;
    let ingress = first.runtime.ingress("OrderPlaced").expect("a way in");
    let lines: Vec<String> = (0..4).map(|number| order("stuck", number)).chain([order("a", 0)]).collect();
    ingress.submit(&lines).await.expect("taken in");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(first.runtime.stop(Duration::from_millis(10)).await, Stopped::GraceExpired { running: 2 });
    assert_eq!(journal.inbox(100).await.expect("readable").len(), 3, "what has not started is kept");

    let changed = ORDERS.replace("\"ship.*\"", "\"ship.order\"");
    let second = process(&journal, &directory, Notes::default(), &changed).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let reports = ended(&second);
    assert_eq!(reports.len(), 4, "an attempt's timeout ends what is stuck, {reports:?}");
    assert_eq!(reports.iter().filter(|(_, recovered)| *recovered).count(), 1, "{reports:?}");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_was_told_stays_in_the_outbox() {
    let (journal, directory) = (Arc::new(MemoryJournal::new()), tempfile::tempdir().expect("a directory"));
    let deaf = process(&journal, &directory, Notes { is_deaf: true, ..Notes::default() }, ORDERS).await;
    deaf.runtime.ingress("OrderPlaced").expect("a way in").submit(&[order("a", 1)]).await.expect("taken in");
    deaf.runtime.drained().await;
    let waiting = journal.outbox(10).await.expect("readable");
    assert_eq!(waiting.len(), 1);
    let hearing = process(&journal, &directory, Notes::default(), ORDERS).await;
    hearing.runtime.drained().await;
    assert_eq!(*hearing.notes.published.lock().expect("not poisoned"), [waiting[0].id], "it leaves with the same id");
    assert_eq!(journal.outbox(10).await.expect("readable"), []);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_taken_away_is_abandoned_and_left_alone() {
    let (journal, directory) = (Arc::new(MemoryJournal::new()), tempfile::tempdir().expect("a directory"));
    let process = process(&journal, &directory, Notes::default(), ORDERS).await;
    process.runtime.ingress("OrderPlaced").expect("a way in").submit(&[order("stuck", 1)]).await.expect("taken in");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let run_id = journal.runs(None, 1).await.expect("readable")[0].run_id;
    let later = SystemClock.now() + Duration::from_secs(86_400);
    let claim = journal.claim(run_id, "other", later, later).await.expect("writable").expect("it has expired by then");
    process.runtime.drained().await;
    assert_eq!(ended(&process), [], "it did not end here, nor was it set aside");
    let stored = journal.load(run_id).await.expect("readable").expect("there");
    assert_eq!((stored.header.owner.as_str(), stored.header.epoch), ("other", claim.epoch));
    assert_eq!(stored.header.status, RunStatus::Running, "it is the other's to carry on");
}

#[tokio::test(start_paused = true)]
async fn a_worker_takes_over_what_another_lets_expire() {
    let (journal, directory) = (Arc::new(MemoryJournal::new()), tempfile::tempdir().expect("a directory"));
    let first = process_of("first", &journal, &directory, Notes::default(), ORDERS).await;
    let second = process_of("second", &journal, &directory, Notes::default(), ORDERS).await;
    first.runtime.ingress("OrderPlaced").expect("a way in").submit(&[order("stuck", 1)]).await.expect("taken in");
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert_eq!(journal.runs(None, 1).await.expect("readable")[0].epoch, 1, "a lease that is renewed is respected");
    let told = Arc::clone(&first.notes);
    assert_eq!(first.runtime.stop(Duration::from_millis(10)).await, Stopped::GraceExpired { running: 2 });
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(ended(&second).iter().map(|(_, recovered)| *recovered).collect::<Vec<_>>(), [true]);
    assert!(told.ended.lock().expect("not poisoned").is_empty(), "the first is refused");
}
