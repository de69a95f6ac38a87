//! What the tests of the whole workspace share: our contracts, whole or broken on purpose, events as the
//! Python models write them, nodes that do as they are told, and our own sources.
//!
//! Everything here panics with the path of what is missing: a test that finds nothing must not pass.
#![expect(clippy::panic, clippy::expect_used, reason = "a test reports by panicking")]

pub mod around;
pub mod crash;
pub mod faults;
pub mod invariants;
pub mod process;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use onex_contract::{Contract, Reading, Source, read};
use onex_event::rfc3339;
use onex_journal::MemoryJournal;
use onex_node::{Effect, EffectCall, Failure, IntentOutcome, NodeRegistry, ReduceContext, Reducer, Reduction, RunId};
use onex_node::{Intent, Timestamp};
use onex_orchestrator::{Clock, NodeOrchestrator, RunEnd, RunRequest, Worker};
use onex_reducer::RegistrationReducer;
use serde_json::{Value, json};
use uuid::Uuid;

/// Our orchestrator, by its contract's name.
pub const ORCHESTRATOR: &str = "node_registration_orchestrator";
/// Our reducer, by its contract's name.
pub const REDUCER: &str = "node_registration_reducer";
/// Our effect, by its contract's name.
pub const EFFECT: &str = "node_registry_effect";

/// A path inside the workspace.
pub fn workspace(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

/// The text of a file.
pub fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("missing: {}: {error}", path.display()))
}

/// Where one of our contracts is.
pub fn contract_path(name: &str) -> PathBuf {
    workspace("contracts").join(name).join("contract.yaml")
}

/// One of our contracts, as it was read.
pub fn reading(name: &str) -> Reading {
    read_text(name, &text(&contract_path(name)))
}

/// A contract that stands in a test.
pub fn read_text(file: &str, text: &str) -> Reading {
    read(Source { file, text })
}

/// One of our contracts.
pub fn contract(name: &str) -> Contract {
    reading(name).contract.unwrap_or_else(|| panic!("no contract in {name}"))
}

/// One change of a contract: a JSON pointer, and what stands there then; `None` for nothing.
#[derive(Clone, Debug)]
pub struct Edit(pub String, pub Option<Value>);

/// One of our contracts with a change, as it was read.
pub fn edited(name: &str, edit: &Edit) -> Reading {
    let mut value: Value = serde_json::from_str(&reading(name).canonical).expect("canonical JSON");
    let before = value.clone();
    apply(&mut value, edit);
    assert_ne!(value, before, "an edit changes something: {edit:?}");
    // From a file of another name, so that a contract that lost its name cannot borrow it back.
    read_text("variant.yaml", &value.to_string())
}

fn apply(value: &mut Value, Edit(pointer, with): &Edit) {
    let (parent, key) = pointer.rsplit_once('/').unwrap_or_else(|| panic!("`{pointer}` is no pointer"));
    let parent = value.pointer_mut(parent).unwrap_or_else(|| panic!("nothing is at `{parent}`"));
    match (parent, with) {
        (Value::Object(map), Some(with)) => drop(map.insert(key.to_owned(), with.clone())),
        (Value::Object(map), None) => drop(map.remove(key)),
        (Value::Array(items), with) => {
            let index: usize = key.parse().unwrap_or_else(|_| panic!("`{key}` is no index"));
            items.splice(index..=index, with.clone());
        }
        (other, _) => panic!("`{pointer}` leads into {other}"),
    }
}

/// The payloads of the 60 introspection events that the Python models wrote.
pub fn sample_events() -> Vec<Value> {
    let path = workspace("../shared/events/introspection.payload.jsonl");
    let events: Vec<Value> = text(&path).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.len(), 60, "{}", path.display());
    events
}

/// The registration reducer over our contract's table.
pub fn registration_reducer() -> RegistrationReducer {
    RegistrationReducer::new(contract(REDUCER).state_machine.expect("a state machine"))
}

/// An effect that answers by the kind of the intent, and remembers what it was asked.
#[derive(Debug, Default)]
pub struct ScriptedEffect {
    failures: BTreeMap<String, Failure>,
    undoes: bool,
    calls: Mutex<Vec<String>>,
}

impl ScriptedEffect {
    /// An effect that does everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same effect failing for one kind of intent.
    #[must_use]
    pub fn failing(mut self, kind: &str, failure: Failure) -> Self {
        self.failures.insert(kind.to_owned(), failure);
        self
    }

    /// The same effect able to undo.
    #[must_use]
    pub fn undoing(self) -> Self {
        Self { undoes: true, ..self }
    }

    /// Kinds of intents it was asked for, in order.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Effect for ScriptedEffect {
    async fn execute(&self, call: &EffectCall) -> Result<Value, Failure> {
        let kind = &call.intent.kind;
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(kind.clone());
        self.failures.get(kind).map_or_else(|| Ok(json!({})), |failure| Err(failure.clone()))
    }

    fn can_undo(&self, _kind: &str) -> bool {
        self.undoes
    }

    async fn undo(&self, call: &EffectCall, _output: &Value) -> Result<(), Failure> {
        let undone = format!("undo {}", call.intent.kind);
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(undone);
        Ok(())
    }
}

/// A reducer that asks for the same, whatever comes.
#[derive(Clone, Debug, Default)]
pub struct ScriptedReducer {
    /// What it asks for.
    pub intents: Vec<Intent>,
}

impl Reducer for ScriptedReducer {
    fn entity(&self, _event: &Value) -> Result<String, Failure> {
        Ok("the only one".to_owned())
    }

    fn reduce(&self, _: Option<&Value>, event: &Value, _: &ReduceContext) -> Result<Reduction, Failure> {
        let intents = self.intents.clone();
        Ok(Reduction { state: event.clone(), intents, settled: Vec::new(), refusal: None })
    }

    fn confirm(&self, state: &Value, _outcome: &IntentOutcome) -> Result<Value, Failure> {
        Ok(state.clone())
    }
}

/// The registration reducer, and an effect under the name that our contracts give it.
pub fn nodes(effect: &Arc<ScriptedEffect>) -> NodeRegistry {
    let effect: Arc<dyn Effect> = Arc::<ScriptedEffect>::clone(effect);
    NodeRegistry::new().with_reducer(REDUCER, Arc::new(registration_reducer())).with_effect(EFFECT, effect)
}

/// A clock that stands.
#[derive(Clone, Copy, Debug)]
pub struct StandingClock(pub Timestamp);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A worker with an empty journal in memory.
pub fn worker() -> Worker {
    let now = rfc3339::parse("2026-07-24T11:00:00Z").expect("a time");
    Worker::new(Arc::new(MemoryJournal::new()), Arc::new(StandingClock(now)), "tests", Duration::from_secs(60))
}

/// Runs one introspection event to its end, under a run id made of `run`.
pub async fn run(orchestrator: &NodeOrchestrator, worker: &Worker, run: u128, event: &Value) -> RunEnd {
    let request = RunRequest {
        event_type: Some("NodeIntrospectionEvent".to_owned()),
        correlation_id: event["correlation_id"].as_str().and_then(|text| text.parse().ok()),
        ..RunRequest::new(RunId(Uuid::from_u128(run)), event.clone())
    };
    let end = orchestrator.run(worker, request).await;
    end.unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

/// A source file, reduced to what is compiled into the product: no unit tests, no comments.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its path.
    pub path: PathBuf,
    /// Its code.
    pub code: String,
}

/// The sources under `crates/*/src`, or of one crate.
pub fn sources(one: Option<&str>) -> Vec<SourceFile> {
    let crates = entries(&workspace("crates"));
    let wanted = crates.iter().filter(|path| one.is_none_or(|name| path.ends_with(name)));
    let mut sources = Vec::new();
    wanted.for_each(|path| collect(&path.join("src"), &mut sources));
    assert!(!sources.is_empty(), "no sources in crates/{}", one.unwrap_or("*"));
    sources
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let listing = fs::read_dir(directory).unwrap_or_else(|error| panic!("missing: {}: {error}", directory.display()));
    let mut paths: Vec<_> = listing.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths
}

fn collect(directory: &Path, sources: &mut Vec<SourceFile>) {
    for path in entries(directory) {
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test_file(&path) {
            sources.push(SourceFile { code: code(&text(&path)), path });
        }
    }
}

fn is_test_file(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    stem == "tests" || stem.ends_with("_tests")
}

/// The code of a source text: what stands before its unit tests, without lines that are comments.
pub fn code(text: &str) -> String {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines: Vec<_> = product.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    lines.join("\n")
}
