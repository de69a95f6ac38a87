//! ONEX0031: the worst case does not fit: the attempts of the steps on one way, with the delays between them,
//! take longer than the run may. The run would be cut before its own retries are over. What a workflow of another
//! contract takes is not counted: that contract has its own deadline.

use std::time::Duration;

use super::{Finding, Rule, place};
use crate::model::{Contract, ExecutionGraph, ExecutionMode, GraphNode, WorkflowCoordination};
use crate::order::{before, topological};
use crate::path::KeyPath;
use crate::policy::Policies;

pub(super) const DEADLINE: Rule = Rule::of_contract(
    "ONEX0031",
    "the worst case takes longer than the run may",
    "raise `timeout_ms`, or lower `step_timeout_ms` or the retries",
    deadline,
)
.warning();

fn deadline(contract: &Contract) -> Vec<Finding> {
    let Some(workflow) = &contract.workflow_coordination else { return Vec::new() };
    let policies = Policies::of(contract, workflow);
    let declared = policies.run_timeout();
    let Some(timeout) = declared.value else { return Vec::new() };
    let (worst, timeout) = (worst_case(&policies, workflow).as_millis(), timeout.as_millis());
    if worst <= timeout {
        return Vec::new();
    }
    let message = format!("the steps may take {worst} ms with all their attempts, the run {timeout} ms");
    vec![Finding::at_value(DEADLINE.finding(place_of(declared.origin), message))]
}

/// Where the timeout stands that holds.
fn place_of(origin: &str) -> KeyPath {
    let level = match origin {
        "workflow_coordination" => KeyPath::of(&["workflow_coordination"]),
        level => place::definition().key(level),
    };
    level.key("timeout_ms")
}

/// Sequential: the sum of all steps. Parallel: the longest way through the graph.
fn worst_case(policies: &Policies<'_>, workflow: &WorkflowCoordination) -> Duration {
    let graph = &workflow.workflow_definition.execution_graph;
    let durations: Vec<Duration> = graph.nodes.iter().map(|node| longest(policies, node)).collect();
    match policies.mode().value {
        ExecutionMode::Parallel => longest_way(graph, &durations),
        ExecutionMode::Sequential | ExecutionMode::Batch => {
            durations.into_iter().fold(Duration::ZERO, Duration::saturating_add)
        }
    }
}

fn longest_way(graph: &ExecutionGraph, durations: &[Duration]) -> Duration {
    let before = before(graph);
    let mut ends = vec![Duration::ZERO; durations.len()];
    for index in topological(&before) {
        let start = before[index].iter().map(|dependency| ends[*dependency]).max().unwrap_or_default();
        ends[index] = start.saturating_add(durations[index]);
    }
    ends.into_iter().max().unwrap_or_default()
}

/// All attempts of one step and the longest delays between them; nothing for a step that calls nobody.
fn longest(policies: &Policies<'_>, node: &GraphNode) -> Duration {
    if !node.carries_out() || node.enabled == Some(false) {
        return Duration::ZERO;
    }
    policies.retry(node).longest(policies.attempt_timeout(node).value)
}
