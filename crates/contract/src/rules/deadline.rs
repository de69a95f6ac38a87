//! ONEX0031: the worst case does not fit: the attempts of the steps on one way, with the delays between them,
//! take longer than the run may. The run would be cut before its own retries are over.

use std::collections::BTreeMap;

use super::{Finding, Rule, place};
use crate::model::{Contract, ExecutionMode, GraphNode, WorkflowCoordination};

pub(super) const DEADLINE: Rule = Rule::of_contract(
    "ONEX0031",
    "the worst case takes longer than the run may",
    "raise `timeout_ms`, or lower `step_timeout_ms` or the retries",
    deadline,
)
.warning();

/// One attempt, where no timeout is declared: the runtime's default.
const DEFAULT_ATTEMPT_MS: u64 = 10_000;
const DEFAULT_RETRIES: u32 = 3;
/// How often the delay between attempts grows; from there on it stays.
const MAX_DOUBLINGS: u32 = 20;

fn deadline(contract: &Contract) -> Vec<Finding> {
    let Some(workflow) = &contract.workflow_coordination else { return Vec::new() };
    let rules = &workflow.workflow_definition.coordination_rules;
    let declared = [
        (rules.timeout_ms, place::definition().key("coordination_rules").key("timeout_ms")),
        (workflow.timeout_ms, crate::KeyPath::of(&["workflow_coordination", "timeout_ms"])),
        (
            workflow.workflow_definition.workflow_metadata.timeout_ms,
            place::definition().key("workflow_metadata").key("timeout_ms"),
        ),
    ];
    let smallest =
        declared.into_iter().filter_map(|(timeout, path)| Some((timeout?, path))).min_by_key(|(timeout, _)| *timeout);
    let Some((timeout, path)) = smallest else { return Vec::new() };
    let worst = worst_case_ms(contract, workflow);
    if worst <= timeout {
        return Vec::new();
    }
    let message = format!("the steps may take {worst} ms with all their attempts, the run {timeout} ms");
    vec![Finding::at_value(DEADLINE.finding(path, message))]
}

/// Sequential: the sum of all steps. Parallel: the longest way through the graph.
fn worst_case_ms(contract: &Contract, workflow: &WorkflowCoordination) -> u64 {
    let definition = &workflow.workflow_definition;
    let rules = &definition.coordination_rules;
    let nodes = &definition.execution_graph.nodes;
    let mode = rules.execution_mode.or(definition.workflow_metadata.execution_mode).or(workflow.execution_mode);
    let is_parallel = mode == Some(ExecutionMode::Parallel) && rules.parallel_execution_allowed != Some(false);
    if is_parallel {
        longest_way(nodes, |node| step_ms(contract, workflow, node))
    } else {
        nodes.iter().map(|node| step_ms(contract, workflow, node)).sum()
    }
}

fn longest_way(nodes: &[GraphNode], duration: impl Fn(&GraphNode) -> u64) -> u64 {
    let durations: Vec<u64> = nodes.iter().map(duration).collect();
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    // As many rounds as there are steps settle every end of a graph without circles; most are settled sooner.
    for _ in 0..nodes.len() {
        let mut is_settled = true;
        for (node, duration) in nodes.iter().zip(&durations) {
            let before = node.depends_on.iter().filter_map(|id| ends.get(id.as_str())).max().copied().unwrap_or(0);
            is_settled &= ends.insert(&node.node_id, before + duration) == Some(before + duration);
        }
        if is_settled {
            break;
        }
    }
    ends.into_values().max().unwrap_or(0)
}

/// All attempts of one step and the delays between them; nothing for a step that calls nobody.
fn step_ms(contract: &Contract, workflow: &WorkflowCoordination, node: &GraphNode) -> u64 {
    let config = &node.step_config;
    if config.effect_node.is_none() && config.intent_filter.is_none() {
        return 0;
    }
    let rules = &workflow.workflow_definition.coordination_rules;
    let policy = contract.error_handling.as_ref().and_then(|handling| handling.retry_policy.as_ref());
    let retries = config.max_retries.or(rules.max_retries).or(policy.and_then(|policy| policy.max_retries));
    let retries = retries.unwrap_or(DEFAULT_RETRIES);
    let attempt = config.timeout_ms.or(rules.step_timeout_ms).unwrap_or(DEFAULT_ATTEMPT_MS);
    let initial = rules.retry_backoff_ms.or(policy.and_then(|policy| policy.initial_delay_ms)).unwrap_or(1_000);
    let longest = policy.and_then(|policy| policy.max_delay_ms).unwrap_or(30_000);
    let delay = |retry: u32| initial.saturating_mul(1 << retry).min(longest);
    let delays = (0..retries.min(MAX_DOUBLINGS)).map(delay).sum::<u64>()
        + u64::from(retries.saturating_sub(MAX_DOUBLINGS)) * delay(MAX_DOUBLINGS);
    attempt * u64::from(retries + 1) + delays
}
