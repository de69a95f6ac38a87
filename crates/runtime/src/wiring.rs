//! Decides what becomes of each contract at start: wired, inactive or refused, exactly one of them, with
//! the reason. The report is the boot log, and what makes a start refuse.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use onex_contract::{Archetype, Contract, Diagnostic, FileKind, Reading, SystemContract, check_system};
use onex_event::Topic;
use onex_node::NodeRegistry;
use onex_orchestrator::{MAX_STEPS, NodeOrchestrator, Plan};
use serde::Serialize;

/// What became of a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// It runs.
    Wired {
        /// Topics it consumes; empty for nodes that others call.
        topics: Vec<String>,
    },
    /// It is sound, and this process has nothing to run of it.
    Inactive {
        /// Why.
        reason: String,
    },
    /// It is not sound.
    Refused {
        /// Why.
        reason: String,
    },
}

/// One contract of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WiringEntry {
    /// Its name, or its file's when it has none.
    pub name: String,
    /// Its kind.
    pub kind: Option<&'static str>,
    /// Its file.
    pub file: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl fmt::Display for WiringEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.unwrap_or("contract");
        match &self.outcome {
            Outcome::Wired { topics } if topics.is_empty() => write!(formatter, "wired     {kind} {}", self.name),
            Outcome::Wired { topics } => write!(formatter, "wired     {kind} {} <- {}", self.name, topics.join(", ")),
            Outcome::Inactive { reason } => write!(formatter, "inactive  {kind} {}: {reason}", self.name),
            Outcome::Refused { reason } => {
                write!(formatter, "refused   {kind} {} ({}): {reason}", self.name, self.file)
            }
        }
    }
}

/// What became of every contract, in the order they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WiringReport {
    /// One entry per contract.
    pub entries: Vec<WiringEntry>,
}

/// An orchestrator that runs.
#[derive(Clone, Debug)]
pub struct WiredOrchestrator {
    /// It.
    pub orchestrator: Arc<NodeOrchestrator>,
    /// Topics it runs on, each with the event type declared for it; none for one that only others run.
    pub subscriptions: Vec<(String, Option<String>)>,
}

impl WiredOrchestrator {
    pub(crate) fn name(&self) -> String {
        self.orchestrator.plan().name.clone()
    }
}

impl WiringReport {
    /// Wires contracts over the nodes this process has; these exist with or without a contract's file.
    pub fn of(readings: &[&Reading], nodes: &NodeRegistry) -> (Self, Vec<WiredOrchestrator>) {
        Self::within(readings, nodes, MAX_STEPS)
    }

    /// As [`WiringReport::of`], with graphs of at most so many steps.
    pub fn within(readings: &[&Reading], nodes: &NodeRegistry, steps: usize) -> (Self, Vec<WiredOrchestrator>) {
        let reducers = nodes.reducer_names().map(|name| (name.to_owned(), Archetype::Reducer));
        let known: Vec<_> =
            nodes.effect_names().map(|name| (name.to_owned(), Archetype::Effect)).chain(reducers).collect();
        let findings = system_findings(readings, &known);
        let mut workflows: BTreeSet<String> = readings.iter().filter_map(|reading| workflow(reading)).collect();
        loop {
            let nodes = workflows.iter().fold(nodes.clone(), |nodes, name| nodes.with_workflow(name));
            let (report, orchestrators) = Self::over(readings, &findings, &nodes, steps);
            let wired: BTreeSet<String> = orchestrators.iter().map(WiredOrchestrator::name).collect();
            if wired == workflows {
                return (report, orchestrators);
            }
            // What runs the workflow of one that was not wired cannot be wired either.
            workflows = wired;
        }
    }

    fn over(
        readings: &[&Reading],
        findings: &[Diagnostic],
        nodes: &NodeRegistry,
        most_steps: usize,
    ) -> (Self, Vec<WiredOrchestrator>) {
        let contracts = readings.iter().filter_map(|reading| reading.contract.as_ref());
        let steps = contracts.flat_map(Contract::steps);
        let steps: BTreeSet<&str> = steps.filter_map(|step| step.step_config.workflow.as_deref()).collect();
        let mut entries = Vec::new();
        let mut orchestrators = Vec::new();
        for reading in readings {
            let outcome = match refusal(reading, findings).or_else(|| too_large(reading, most_steps)) {
                Some(reason) => Outcome::Refused { reason },
                None => wire(reading, nodes, &steps, &mut orchestrators),
            };
            entries.push(entry(reading, outcome));
        }
        (Self { entries }, orchestrators)
    }

    /// Whether any contract was refused.
    pub fn has_refusals(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.outcome, Outcome::Refused { .. }))
    }
}

/// The name of a contract that has a workflow.
fn workflow(reading: &Reading) -> Option<String> {
    let contract = reading.contract.as_ref().filter(|contract| contract.archetype() == Archetype::Orchestrator)?;
    contract.workflow_coordination.as_ref().map(|_| contract.name.clone())
}

fn system_findings(readings: &[&Reading], known: &[(String, Archetype)]) -> Vec<Diagnostic> {
    let contracts: Vec<_> = readings
        .iter()
        .filter_map(|reading| Some(SystemContract { file: &reading.file, contract: reading.contract.as_ref()? }))
        .collect();
    check_system(&contracts, known)
}

/// Why a contract must not run: the first error of its own or of the system it is part of.
fn refusal(reading: &Reading, findings: &[Diagnostic]) -> Option<String> {
    let system = findings.iter().filter(|finding| finding.file == reading.file);
    let mut errors =
        reading.diagnostics.iter().chain(system).filter(|finding| finding.severity == onex_contract::Severity::Error);
    let first = errors.next()?;
    let more = errors.count();
    let suffix = if more > 0 { format!(", and {more} more; run `onex check`") } else { String::new() };
    Some(format!("{} {}{suffix}", first.code, first.message))
}

/// Why a graph is too large to be run here.
fn too_large(reading: &Reading, most_steps: usize) -> Option<String> {
    let error = Plan::check_size(reading.contract.as_ref()?, most_steps).err()?;
    Some(format!("{} {error}", error.code()))
}

fn wire(
    reading: &Reading,
    nodes: &NodeRegistry,
    steps: &BTreeSet<&str>,
    orchestrators: &mut Vec<WiredOrchestrator>,
) -> Outcome {
    if reading.kind != FileKind::Node {
        return Outcome::Inactive { reason: format!("it is {}", reading.kind.as_str()) };
    }
    let Some(contract) = &reading.contract else {
        return Outcome::Refused { reason: "it could not be read".to_owned() };
    };
    let inactive = |known: bool| match known {
        true => Outcome::Wired { topics: Vec::new() },
        false => Outcome::Inactive { reason: "this binary has no node of that name".to_owned() },
    };
    match contract.archetype() {
        Archetype::Effect => inactive(nodes.effect(&contract.name).is_ok()),
        Archetype::Reducer => inactive(nodes.reducer(&contract.name).is_ok()),
        Archetype::Compute => inactive(nodes.compute(&contract.name).is_ok()),
        Archetype::RuntimeHost => Outcome::Inactive { reason: "this process is the runtime host".to_owned() },
        Archetype::Orchestrator if contract.workflow_coordination.is_none() => {
            Outcome::Inactive { reason: "it has no workflow; handler routing is not run here".to_owned() }
        }
        Archetype::Orchestrator => {
            let is_step = steps.contains(contract.name.as_str());
            wire_orchestrator(reading, contract, nodes, is_step, orchestrators)
        }
    }
}

fn wire_orchestrator(
    reading: &Reading,
    contract: &Contract,
    nodes: &NodeRegistry,
    is_step: bool,
    orchestrators: &mut Vec<WiredOrchestrator>,
) -> Outcome {
    let subscriptions = match subscriptions(contract) {
        Ok(subscriptions) if subscriptions.is_empty() && !is_step => {
            return Outcome::Inactive { reason: "no consumed event starts it, and no step runs it".to_owned() };
        }
        Ok(subscriptions) => subscriptions,
        Err(reason) => return Outcome::Refused { reason },
    };
    match NodeOrchestrator::from_reading(reading, nodes) {
        Ok(orchestrator) => {
            let topics = subscriptions.iter().map(|(topic, _)| topic.clone()).collect();
            orchestrators.push(WiredOrchestrator { orchestrator: Arc::new(orchestrator), subscriptions });
            Outcome::Wired { topics }
        }
        Err(error) => Outcome::Refused { reason: format!("{} {}", error.code(), chain(&error)) },
    }
}

/// Topics that start runs, without placeholders.
fn subscriptions(contract: &Contract) -> Result<Vec<(String, Option<String>)>, String> {
    let starting =
        contract.starting_events().filter_map(|event| Some((event.topic.as_deref()?, event.event_type.clone())));
    starting
        .map(|(topic, event_type)| {
            let parsed = Topic::parse(topic).map_err(|error| format!("ONEX1003 `{topic}` is no topic: {error}"))?;
            Ok((parsed.topic.to_string(), event_type))
        })
        .collect()
}

fn entry(reading: &Reading, outcome: Outcome) -> WiringEntry {
    WiringEntry {
        name: reading.contract.as_ref().map_or_else(|| reading.file.clone(), |contract| contract.name.clone()),
        kind: reading.contract.as_ref().map(|contract| contract.archetype().as_str()),
        file: reading.file.clone(),
        outcome,
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
