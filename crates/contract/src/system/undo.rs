//! ONEX0045: a failed run is to be taken back over a step whose effect declares no undo.
//!
//! What an effect can undo is known to its code. Its contract says so with `supports_rollback: true` beside the
//! operation, or with a `rollback_action`; an operation without either stays done. An effect that lists no operations
//! says nothing, and nothing is said of it. `onex plan` asks the code itself.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FileFacts, in_file};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::{Archetype, Contract, GraphNode};
use crate::path::KeyPath;
use crate::policy::{FailureAction, Policies};
use crate::receive::matcher;
use crate::rules::{Rule, place};

pub(super) const NO_UNDO: Rule = Rule::elsewhere(
    "ONEX0045",
    "a step is to be taken back, and its effect declares no undo",
    "say `supports_rollback: true` beside the operation if the effect can undo it, or do not ask for a rollback",
)
.warning();

/// A step that is taken back when a run fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBack {
    /// The step.
    pub step: String,
    /// Kinds of intents with the effects that carry them out; no kind where the contract routes none.
    pub calls: Vec<(Option<String>, String)>,
    /// Where.
    pub path: KeyPath,
}

/// What an effect's contract says it does, and whether it says how that is undone.
pub(super) fn operations(contract: &Contract) -> BTreeMap<String, bool> {
    let listed = contract.io_operations.as_ref().filter(|_| contract.archetype() == Archetype::Effect);
    let listed = listed.and_then(Value::as_array).into_iter().flatten();
    let can_undo = |operation: &Value| {
        operation["supports_rollback"] == Value::Bool(true) || operation["rollback_action"].is_string()
    };
    listed.filter_map(|operation| Some((name(operation)?.to_owned(), can_undo(operation)))).collect()
}

fn name(operation: &Value) -> Option<&str> {
    ["operation", "operation_name", "name", "operation_type"].iter().find_map(|key| operation[*key].as_str())
}

pub(super) fn taken_back(contract: &Contract) -> Vec<TakenBack> {
    if !is_rolled_back(contract) {
        return Vec::new();
    }
    let steps = contract.steps().iter().enumerate();
    let taken_back = steps.map(|(index, node)| TakenBack {
        step: node.node_id.clone(),
        calls: calls(contract, node),
        path: place::node(index).key("node_id"),
    });
    taken_back.filter(|step| !step.calls.is_empty()).collect()
}

/// Whether a failed run undoes its effects, whichever of its steps fails.
fn is_rolled_back(contract: &Contract) -> bool {
    let Some(workflow) = &contract.workflow_coordination else { return false };
    let policies = Policies::of(contract, workflow);
    let compensates = |step: &GraphNode| policies.on_failure(step).value == FailureAction::Compensate;
    policies.rollback().value || contract.steps().iter().any(compensates)
}

fn calls(contract: &Contract, node: &GraphNode) -> Vec<(Option<String>, String)> {
    if !node.carries_out() {
        return Vec::new();
    }
    let config = &node.step_config;
    let filter = config.intent_filter.as_deref().and_then(matcher);
    let routes = contract.intent_consumption.iter().flat_map(|consumption| &consumption.intent_routing_table);
    let is_own = |kind: &String| config.intent.as_ref().is_none_or(|own| own == kind);
    let taken = routes.filter(|(kind, _)| is_own(kind) && filter.as_ref().is_none_or(|filter| filter.is_match(kind)));
    let taken: Vec<_> = taken.map(|(kind, effect)| (Some(kind.clone()), effect.clone())).collect();
    let unrouted = config.effect_node.iter().map(|effect| (config.intent.clone(), effect.clone()));
    if taken.is_empty() { unrouted.collect() } else { taken }
}

pub(super) fn without_undo(contracts: &[FileFacts<'_>]) -> Vec<Diagnostic> {
    let operations: HashMap<&str, &BTreeMap<String, bool>> =
        contracts.iter().map(|system| (system.facts.name.as_str(), &system.facts.operations)).collect();
    let steps = contracts.iter().flat_map(|system| system.facts.taken_back.iter().map(move |step| (system, step)));
    let findings = steps.filter_map(|(system, step)| Some(in_file(system.file, problem(step, &operations)?)));
    findings.collect()
}

/// A warning when nothing that the step does is undone, a note when some of it stays.
fn problem(step: &TakenBack, operations: &HashMap<&str, &BTreeMap<String, bool>>) -> Option<Diagnostic> {
    let mut done: BTreeMap<&str, bool> = BTreeMap::new();
    for (kind, effect) in &step.calls {
        let known = operations.get(effect.as_str()).into_iter().flat_map(|operations| operations.iter());
        let meant = known.filter(|(operation, _)| kind.as_ref().is_none_or(|kind| kind == *operation));
        done.extend(meant.map(|(operation, can_undo)| (operation.as_str(), *can_undo)));
    }
    let stays: Vec<&str> = done.iter().filter(|(_, can_undo)| !**can_undo).map(|(operation, _)| *operation).collect();
    if stays.is_empty() {
        return None;
    }
    let message = format!(
        "step `{}` is taken back when a run fails, but no undo is declared for {}",
        step.step,
        stays.join(", ")
    );
    let finding = NO_UNDO.finding(step.path.clone(), message);
    let severity = if stays.len() == done.len() { finding.severity } else { Severity::Note };
    Some(Diagnostic { severity, ..finding })
}
