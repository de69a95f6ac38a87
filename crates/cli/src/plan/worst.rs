//! Decides how long a run may take when every attempt but the last fails, each as late as it may.

use std::time::Duration;

use onex_contract::ExecutionMode;
use onex_orchestrator::{Binding, Plan, PlannedStep};
use serde::Serialize;

/// The longest way through a plan.
#[derive(Debug, Serialize)]
pub(super) struct WorstCase {
    /// The steps that take time, in order.
    pub(super) path: Vec<String>,
    /// How long they take together, one intent for each step.
    pub(super) duration_ms: u64,
    /// When the run is cut.
    pub(super) deadline_ms: Option<u64>,
    /// Whether the run ends before it is cut.
    pub(super) fits: bool,
}

/// Attempts of one intent; none for a step that calls nobody.
pub(super) fn attempts(step: &PlannedStep) -> u32 {
    if calls(step) { step.retry.max_retries.value.saturating_add(1) } else { 0 }
}

/// All attempts of one intent and the longest delays between them.
pub(super) fn duration(step: &PlannedStep) -> Duration {
    if !calls(step) {
        return Duration::ZERO;
    }
    step.retry.longest(step.attempt_timeout.value)
}

fn calls(step: &PlannedStep) -> bool {
    step.is_enabled && matches!(step.binding, Binding::Execute { .. } | Binding::Workflow { .. })
}

impl WorstCase {
    pub(super) fn of(plan: &Plan) -> Self {
        let path = if plan.mode.value == ExecutionMode::Parallel { longest(plan) } else { plan.order.clone() };
        let taking: Vec<&PlannedStep> =
            path.iter().map(|index| &plan.steps[*index]).filter(|step| calls(step)).collect();
        let total: Duration = taking.iter().map(|step| duration(step)).sum();
        let deadline = plan.run_timeout.value;
        Self {
            path: taking.iter().map(|step| step.id.to_string()).collect(),
            duration_ms: milliseconds(total),
            deadline_ms: deadline.map(milliseconds),
            fits: deadline.is_none_or(|deadline| total <= deadline),
        }
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The way through the graph that takes longest, in order.
fn longest(plan: &Plan) -> Vec<usize> {
    let mut ends = vec![Duration::ZERO; plan.steps.len()];
    let mut before: Vec<Option<usize>> = vec![None; plan.steps.len()];
    for index in &plan.order {
        let step = &plan.steps[*index];
        before[*index] = step.waits_for().max_by_key(|dependency| ends[*dependency]);
        let start = before[*index].map_or(Duration::ZERO, |dependency| ends[dependency]);
        ends[*index] = start.saturating_add(duration(step));
    }
    let last = plan.order.iter().copied().max_by_key(|index| ends[*index]);
    let mut path: Vec<usize> = std::iter::successors(last, |index| before[*index]).collect();
    path.reverse();
    path
}
