//! A world for one contract: steps in the [notation](crate::notation) of the case tables, effects that follow a
//! script, a clock that follows tokio's paused time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use onex_contract::{Reading, Source, read};
use onex_journal::{Journal, MemoryJournal, StoredRun};
use onex_node::{
    Compute, ComputeInput, Effect, EffectCall, ErrorClass, Failure, Intent, IntentOutcome, NodeRegistry, ReduceContext,
    Reducer, Reduction, RunId, Timestamp,
};
use onex_orchestrator::{Clock, DriveError, Event, NodeOrchestrator, Plan, RunEnd, RunRequest, Start, Worker};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::notation::{Step, steps};

pub(crate) const RUN: RunId = RunId(Uuid::from_u128(1));

/// What a scripted effect does in one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Succeeds,
    Fails(ErrorClass),
    Takes(u64),
    /// Succeeds and gives so many bytes.
    Gives(usize),
    Panics,
}

/// What the scripted nodes do, and what they did.
#[derive(Debug)]
pub(crate) struct Script {
    started: Instant,
    deeds: BTreeMap<String, Vec<Deed>>,
    state: Mutex<Done>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// Attempts in the order they began: `A`, `undo A`.
    pub(crate) began: Vec<String>,
    /// Attempts that succeeded.
    pub(crate) succeeded: Vec<String>,
    /// Idempotency keys by attempt.
    pub(crate) keys: Vec<String>,
    /// Correlation ids by attempt.
    pub(crate) correlation_ids: Vec<Uuid>,
    /// When attempts began, in milliseconds.
    pub(crate) times: Vec<u64>,
    pub(crate) running: usize,
    pub(crate) most_running: usize,
    /// What the node `variable` gives.
    pub(crate) variable: u64,
}

/// Counts one attempt as running while it lives.
struct Running<'s>(&'s Script);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.done().running -= 1;
    }
}

impl Script {
    pub(crate) fn done(&self) -> MutexGuard<'_, Done> {
        self.state.lock().expect("no test panics while it holds this")
    }

    /// Makes an attempt; how many bytes more it gives.
    async fn attempt(&self, what: String, call: &EffectCall) -> Result<usize, Failure> {
        let position = {
            let mut done = self.done();
            let position = done.began.iter().filter(|began| **began == what).count();
            done.began.push(what.clone());
            done.keys.push(call.idempotency_key.to_string());
            done.correlation_ids.push(call.correlation_id);
            done.times.push(u64::try_from(self.started.elapsed().as_millis()).expect("tests are short"));
            done.running += 1;
            done.most_running = done.most_running.max(done.running);
            position
        };
        let _running = Running(self);
        let deeds = self.deeds.get(&what).map_or(&[][..], Vec::as_slice);
        let deed = *deeds.get(position).or(deeds.last()).unwrap_or(&Deed::Succeeds);
        match deed {
            Deed::Succeeds | Deed::Gives(_) => {}
            Deed::Fails(class) => return Err(Failure::new(class, "ONEX4001", format!("`{what}` failed"))),
            Deed::Takes(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
            Deed::Panics => panic!("`{what}` panics, as its script says"),
        }
        self.done().succeeded.push(what);
        Ok(if let Deed::Gives(bytes) = deed { bytes } else { 0 })
    }
}

struct Scripted(Arc<Script>);

#[async_trait]
impl Effect for Scripted {
    async fn execute(&self, call: &EffectCall) -> Result<Value, Failure> {
        let bytes = self.0.attempt(call.intent.backend().to_owned(), call).await?;
        let mut output = json!({"of": call.intent.backend()});
        if bytes > 0 {
            output["bulk"] = json!("x".repeat(bytes));
        }
        Ok(output)
    }

    fn can_undo(&self, kind: &str) -> bool {
        !kind.ends_with(".fixed")
    }

    async fn undo(&self, call: &EffectCall, output: &Value) -> Result<(), Failure> {
        assert_eq!(output["of"], call.intent.backend(), "an undo is given what the effect gave");
        self.0.attempt(format!("undo {}", call.intent.backend()), call).await.map(|_| ())
    }
}

/// Counts the events of an entity, and the outcomes that were confirmed.
struct Counter;

impl Reducer for Counter {
    fn entity(&self, event: &Value) -> Result<String, Failure> {
        let entity = event["entity"].as_str().map(str::to_owned);
        entity.ok_or_else(|| Failure::new(ErrorClass::Validation, "ONEX3001", "the event names no entity"))
    }

    fn reduce(&self, state: Option<&Value>, event: &Value, _: &ReduceContext) -> Result<Reduction, Failure> {
        let count = |key: &str| state.map_or(0, |state| state[key].as_u64().expect("a count"));
        let intents: Vec<Intent> = serde_json::from_value(event["intents"].clone()).expect("intents");
        let state = json!({"events": count("events") + 1, "applied": count("applied")});
        Ok(Reduction { state, intents, settled: Vec::new(), refusal: None })
    }

    fn confirm(&self, state: &Value, outcome: &IntentOutcome) -> Result<Value, Failure> {
        let mut state = state.clone();
        state["applied"] = json!(state["applied"].as_u64().expect("a count") + u64::from(outcome.success));
        Ok(state)
    }
}

struct Variable(Arc<Script>);

impl Compute for Variable {
    fn compute(&self, _: &ComputeInput<'_>) -> Result<Value, Failure> {
        Ok(json!(self.0.done().variable))
    }
}

#[derive(Debug)]
struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.0.elapsed()
    }
}

/// A contract, its nodes, and a worker.
pub(crate) struct World {
    pub(crate) steps: Vec<Step>,
    pub(crate) script: Arc<Script>,
    pub(crate) worker: Worker,
    pub(crate) orchestrator: NodeOrchestrator,
    pub(crate) input: Value,
}

/// A contract in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    steps: Vec<Step>,
    metadata: String,
    rules: String,
    errors: String,
    edges: String,
    deeds: BTreeMap<String, Vec<Deed>>,
    calls: BTreeMap<String, usize>,
    is_bare: bool,
}

impl Case {
    pub(crate) fn of(graph: &str) -> Self {
        let steps = steps(graph);
        let failing = steps.iter().filter(|step| step.fails());
        let deeds = failing.map(|step| (step.name.clone(), vec![Deed::Fails(ErrorClass::Validation)])).collect();
        Self { steps, deeds, metadata: "workflow_name: cases".to_owned(), ..Self::default() }
    }

    /// Without the steps that receive and reduce.
    pub(crate) fn bare(graph: &str) -> Self {
        Self { is_bare: true, ..Self::of(graph) }
    }

    /// `workflow_metadata`, as the inside of a YAML map, in place of a name.
    pub(crate) fn metadata(self, metadata: &str) -> Self {
        Self { metadata: metadata.to_owned(), ..self }
    }

    /// `edges`, as the inside of a YAML list.
    pub(crate) fn edges(self, edges: &str) -> Self {
        Self { edges: edges.to_owned(), ..self }
    }

    /// More `coordination_rules`, as the inside of a YAML map.
    pub(crate) fn rules(self, rules: &str) -> Self {
        let all = [self.rules.as_str(), rules].into_iter().filter(|rules| !rules.is_empty()).collect::<Vec<_>>();
        Self { rules: all.join(", "), ..self }
    }

    /// `error_handling`, as the inside of a YAML map.
    pub(crate) fn errors(self, errors: &str) -> Self {
        Self { errors: errors.to_owned(), ..self }
    }

    /// The same with other steps.
    pub(crate) fn again(self, graph: &str) -> Self {
        Self { steps: steps(graph), ..self }
    }

    /// What happens in each attempt of a step, the last for all further ones; `undo A` for undoing.
    pub(crate) fn script(mut self, step: &str, deeds: &[Deed]) -> Self {
        self.deeds.insert(step.to_owned(), deeds.to_vec());
        self
    }

    /// How many intents a step carries out; one when not said.
    pub(crate) fn calls(mut self, step: &str, calls: usize) -> Self {
        self.calls.insert(step.to_owned(), calls);
        self
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn text(&self) -> String {
        let first = if self.is_bare {
            ""
        } else {
            "        - {node_id: receive, node_type: effect, step_config: {event_pattern: Ping}}\n        \
             - {node_id: reduce, node_type: reducer, depends_on: [receive], step_config: {reducer_protocol: counter}}\n"
        };
        let steps: String = self.steps.iter().map(Step::yaml).collect();
        let nodes = if first.is_empty() && steps.is_empty() { " []\n".to_owned() } else { format!("\n{first}{steps}") };
        let Self { metadata, rules, errors, edges, .. } = self;
        format!(
            "name: cases\nnode_type: ORCHESTRATOR\ncontract_version: \"1.0.0\"\nworkflow_coordination:\n  workflow_definition:\n    \
             workflow_metadata: {{{metadata}}}\n    execution_graph:\n      nodes:{nodes}      edges: [{edges}]\n    \
             coordination_rules: {{{rules}}}\nconsumed_events: [{{topic: onex.evt.cases.ping.v1, event_type: Ping}}]\n\
             published_events: [{{topic: onex.evt.cases.told.v1, event_type: Told}}]\nerror_handling: {{{errors}}}\n"
        )
    }

    pub(crate) fn reading(&self) -> Reading {
        read(Source { file: "contract.yaml", text: &self.text() })
    }

    pub(crate) fn nodes(&self) -> (NodeRegistry, Arc<Script>) {
        let script = Arc::new(Script { started: Instant::now(), deeds: self.deeds.clone(), state: Mutex::default() });
        let registry = NodeRegistry::new()
            .with_effect("scripted", Arc::new(Scripted(Arc::clone(&script))))
            .with_reducer("counter", Arc::new(Counter))
            .with_compute("variable", Arc::new(Variable(Arc::clone(&script))));
        (registry, script)
    }

    pub(crate) fn plan(&self) -> Arc<Plan> {
        Arc::clone(self.world().orchestrator.plan())
    }

    pub(crate) fn input(&self) -> Value {
        let effects = self.steps.iter().filter(|step| step.is_asked());
        let intents = effects.flat_map(|step| {
            let calls = self.calls.get(&step.name).copied().unwrap_or(1);
            (0..calls).map(|call| json!({"kind": step.intent_kind(), "payload": call}))
        });
        json!({"entity": "e", "intents": intents.collect::<Vec<_>>(), "share": 31.245_270_191_439_438})
    }

    pub(crate) fn world(&self) -> World {
        self.world_over(Arc::new(MemoryJournal::new()))
    }

    pub(crate) fn world_over(&self, journal: Arc<dyn Journal>) -> World {
        let (nodes, script) = self.nodes();
        let orchestrator = NodeOrchestrator::from_reading(&self.reading(), &nodes);
        let orchestrator = orchestrator.unwrap_or_else(|error| panic!("{error}: {:#?}", self.reading().diagnostics));
        let worker = Worker::new(journal, Arc::new(PausedClock(script.started)), "w", Duration::from_secs(30));
        World { steps: self.steps.clone(), script, worker, orchestrator, input: self.input() }
    }
}

/// A world for a contract as it is written, over one input; see [`Case`] for its nodes. Workflows that its steps run
/// are given by their texts.
pub(crate) fn world_of(text: &str, workflows: &[&str], input: Value, deeds: &[(&str, &[Deed])]) -> World {
    let deeds = deeds.iter().map(|(step, deeds)| ((*step).to_owned(), deeds.to_vec())).collect();
    let (nodes, script) = Case { deeds, ..Case::default() }.nodes();
    let readings: Vec<Reading> =
        [text].iter().chain(workflows).map(|text| read(Source { file: "contract.yaml", text })).collect();
    let name = |reading: &Reading| reading.contract.as_ref().map(|contract| contract.name.clone()).unwrap_or_default();
    let nodes = readings.iter().fold(nodes, |nodes, reading| nodes.with_workflow(&name(reading)));
    let orchestrator = |reading: &Reading| {
        let orchestrator = NodeOrchestrator::from_reading(reading, &nodes);
        orchestrator.unwrap_or_else(|error| panic!("{error}: {:#?}", reading.diagnostics))
    };
    let clock = Arc::new(PausedClock(script.started));
    let worker = Worker::new(Arc::new(MemoryJournal::new()), clock, "w", Duration::from_secs(30));
    readings.iter().for_each(|reading| worker.workflows.insert(orchestrator(reading)));
    let contract = readings[0].contract.as_ref().map(onex_contract::Contract::steps).unwrap_or_default();
    let steps = contract.iter().map(|node| Step::named(&node.node_id)).collect();
    World { steps, script, orchestrator: orchestrator(&readings[0]), worker, input }
}

impl World {
    pub(crate) fn request(&self) -> RunRequest {
        self.request_of(RUN)
    }

    pub(crate) fn request_of(&self, run_id: RunId) -> RunRequest {
        RunRequest { event_type: Some("Ping".to_owned()), ..RunRequest::new(run_id, self.input.clone()) }
    }

    pub(crate) async fn run(&self) -> Result<RunEnd, DriveError> {
        self.orchestrator.run(&self.worker, self.request()).await
    }

    /// Takes the run over and carries it on.
    pub(crate) async fn resume(&self) -> Result<RunEnd, DriveError> {
        let now = self.worker.clock.now();
        let claims = self.worker.journal.take_over("w", now, now, 10).await.expect("the journal works again");
        let stored = self.stored().await;
        let epoch = claims.first().map_or(stored.header.epoch, |claim| claim.epoch);
        self.orchestrator.resume(&self.worker, stored, epoch).await
    }

    pub(crate) async fn stored(&self) -> StoredRun {
        self.worker.journal.load(RUN).await.expect("readable").expect("the run is there")
    }

    pub(crate) async fn kinds(&self) -> Vec<String> {
        self.stored().await.records.into_iter().map(|record| record.kind).collect()
    }

    /// The result in the notation of the case tables.
    pub(crate) fn told(&self, end: &RunEnd) -> String {
        let named = |ended: &str| {
            let steps = end.outcome.steps.iter().filter(|step| step.ended == ended);
            let own = steps.filter(|step| self.steps.iter().any(|own| own.name == step.step.as_str()));
            own.map(|step| step.step.to_string()).collect::<Vec<_>>().join(",")
        };
        let lists =
            [("done", "done"), ("fail", "failed"), ("skip", "skipped")].map(|(word, ended)| (word, named(ended)));
        let lists = lists.iter().filter(|(_, steps)| !steps.is_empty()).map(|(word, steps)| format!("{word}[{steps}]"));
        let status = end.outcome.status.as_str().to_uppercase();
        lists.chain([status]).collect::<Vec<_>>().join(" ")
    }
}

/// The event that a run begins with.
pub(crate) fn started(input: &Value) -> Event {
    Event::Started(Box::new(Start::new(Timestamp::UNIX_EPOCH, input.clone())))
}
