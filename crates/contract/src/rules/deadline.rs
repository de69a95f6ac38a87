//! ONEX0031: the worst case does not fit: the attempts of the steps on one way, with the delays between them,
//! take longer than the run may. The run would be cut before its own retries are over.
//!
//! The precedence of the numbers and the defaults are those of the orchestrator's policies; a test of `onex plan`
//! holds the two against each other.

use super::order::{before, is_parallel, order};
use super::{Finding, Rule, place};
use crate::model::{
    Archetype, Contract, CoordinationRules, ExecutionGraph, FailureRecoveryStrategy, GraphNode, RetryPolicy,
    WorkflowCoordination,
};

pub(super) const DEADLINE: Rule = Rule::of_contract(
    "ONEX0031",
    "the worst case takes longer than the run may",
    "raise `timeout_ms`, or lower `step_timeout_ms` or the retries",
    deadline,
)
.warning();

/// What holds where nothing is declared: the runtime's own numbers.
mod default {
    pub(super) const ATTEMPT_MS: u64 = 10_000;
    pub(super) const RETRIES: u32 = 3;
    pub(super) const INITIAL_DELAY_MS: u64 = 1_000;
    pub(super) const MAX_DELAY_MS: u64 = 30_000;
    pub(super) const BASE: f64 = 2.0;
    pub(super) const JITTER: f64 = 0.25;
}

/// How often the delay between attempts is computed anew; ten times what a contract may ask for (ONEX0030).
const MAX_GROWTHS: u32 = 100;

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
    let durations: Vec<u64> =
        definition.execution_graph.nodes.iter().map(|node| step_ms(contract, workflow, node)).collect();
    if is_parallel(workflow) {
        longest_way(&definition.execution_graph, &durations)
    } else {
        durations.into_iter().fold(0, u64::saturating_add)
    }
}

fn longest_way(graph: &ExecutionGraph, durations: &[u64]) -> u64 {
    let before = before(graph);
    let mut ends = vec![0; durations.len()];
    for index in order(&before) {
        let start = before[index].iter().map(|dependency| ends[*dependency]).max().unwrap_or(0_u64);
        ends[index] = start.saturating_add(durations[index]);
    }
    ends.into_iter().max().unwrap_or(0)
}

/// All attempts of one step and the longest delays between them; nothing for a step that calls nobody.
fn step_ms(contract: &Contract, workflow: &WorkflowCoordination, node: &GraphNode) -> u64 {
    let (config, rules) = (&node.step_config, &workflow.workflow_definition.coordination_rules);
    let calls = config.event_type.is_none() && (config.effect_node.is_some() || config.intent_filter.is_some());
    if node.node_type.archetype != Archetype::Effect || !calls {
        return 0;
    }
    let policy = contract.error_handling.as_ref().and_then(|handling| handling.retry_policy.as_ref());
    let retries = match rules.failure_recovery_strategy {
        Some(FailureRecoveryStrategy::Abort) => config.max_retries.unwrap_or(0),
        _ => {
            let declared = config.max_retries.or(rules.max_retries).or(policy.and_then(|policy| policy.max_retries));
            declared.unwrap_or(default::RETRIES)
        }
    };
    let attempt = config.timeout_ms.or(rules.step_timeout_ms).unwrap_or(default::ATTEMPT_MS);
    let attempts = u64::from(retries).saturating_add(1);
    attempt.saturating_mul(attempts).saturating_add(delays_ms(rules, policy, retries))
}

/// `min(initial·base^n, max)·(1 + jitter)` for every retry.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds that lose precision are far beyond every deadline, and none is negative"
)]
fn delays_ms(rules: &CoordinationRules, policy: Option<&RetryPolicy>, retries: u32) -> u64 {
    let of_policy = |read: fn(&RetryPolicy) -> Option<f64>| policy.and_then(read);
    let whole = |read: fn(&RetryPolicy) -> Option<u64>| policy.and_then(read);
    let initial =
        rules.retry_backoff_ms.or(whole(|policy| policy.initial_delay_ms)).unwrap_or(default::INITIAL_DELAY_MS);
    let longest = whole(|policy| policy.max_delay_ms).unwrap_or(default::MAX_DELAY_MS) as f64;
    let base = rules.retry_backoff_multiplier.or(of_policy(|policy| policy.exponential_base)).unwrap_or(default::BASE);
    let jitter = of_policy(|policy| policy.jitter_factor).unwrap_or(default::JITTER);
    let delay = |retry: u32| (initial as f64 * base.powf(f64::from(retry))).min(longest) * (1.0 + jitter);
    let grown: f64 = (0..retries.min(MAX_GROWTHS)).map(delay).sum();
    (grown + f64::from(retries.saturating_sub(MAX_GROWTHS)) * delay(MAX_GROWTHS)).max(0.0) as u64
}
