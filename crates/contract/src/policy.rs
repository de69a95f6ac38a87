//! Decides which of several declared rules holds: the step's own, then `coordination_rules`, then
//! `error_handling.retry_policy`, then `workflow_coordination` itself, then the default. Each settled
//! rule remembers where it came from.

use std::time::Duration;

use crate::model::{
    Archetype, Contract, CoordinationRules, ErrorAction, ErrorType, ExecutionMode, FailureRecoveryStrategy, GraphNode,
    RetryPolicy, WorkflowCoordination,
};

/// A settled rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting<T> {
    /// What holds.
    pub value: T,
    /// Where it was declared.
    pub origin: &'static str,
}

/// What the failure of a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureAction {
    /// No further step starts.
    Stop,
    /// Steps that do not need it go on.
    Continue,
    /// No further step starts, and what was done is undone.
    Compensate,
}

impl Setting<FailureAction> {
    /// Whether the step itself says that its failure stops the run, whatever takes it as input.
    pub fn is_own_stop(&self) -> bool {
        self.origin == STEP && self.value != FailureAction::Continue
    }
}

/// How failed attempts of a step are tried again.
#[derive(Clone, Debug, PartialEq)]
pub struct RetrySettings {
    /// Attempts after the first.
    pub max_retries: Setting<u32>,
    /// Delay before the second attempt.
    pub initial_delay: Setting<Duration>,
    /// Longest delay, before jitter.
    pub max_delay: Setting<Duration>,
    /// Growth from attempt to attempt.
    pub base: Setting<f64>,
    /// Share of the delay that varies, 0 to 0.5.
    pub jitter: Setting<f64>,
    /// Errors the contract names; empty for all that may pass by themselves.
    pub retry_on: Vec<String>,
    /// Errors the contract calls final.
    pub never: Vec<String>,
}

/// How many retries are looked at one by one; ten times what a contract may ask for (ONEX0030).
const MAX_GROWTHS: u32 = 100;

impl RetrySettings {
    /// The delay after attempt `attempt` (from 1) failed: `min(initial·base^(attempt-1), max)·(1 ± jitter)`,
    /// jitter applied after the cap. `chance` is from 0 to 1.
    pub fn delay(&self, attempt: u32, chance: f64) -> Duration {
        let growth = self.base.value.powi(i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX));
        let grown = self.initial_delay.value.as_secs_f64() * growth;
        let capped = grown.min(self.max_delay.value.as_secs_f64());
        let varied = capped * (1.0 + self.jitter.value * (2.0 * chance - 1.0));
        Duration::try_from_secs_f64(varied).unwrap_or(self.max_delay.value)
    }

    /// All attempts of one call and the longest delays between them, when an attempt takes as long as it may.
    pub fn longest(&self, attempt: Duration) -> Duration {
        let retries = self.max_retries.value;
        let growing = (1..=retries.min(MAX_GROWTHS)).map(|failed| self.delay(failed, 1.0));
        let grown = self.delay(MAX_GROWTHS + 1, 1.0).saturating_mul(retries.saturating_sub(MAX_GROWTHS));
        let delays = growing.fold(grown, Duration::saturating_add);
        attempt.saturating_mul(retries.saturating_add(1)).saturating_add(delays)
    }
}

/// A contract's declared rules, and what they settle to.
#[derive(Clone, Copy, Debug)]
pub struct Policies<'c> {
    workflow: &'c WorkflowCoordination,
    rules: &'c CoordinationRules,
    retry: Option<&'c RetryPolicy>,
    error_types: &'c [ErrorType],
}

const STEP: &str = "the step";
const CONFIG: &str = "step_config";
const RULES: &str = "coordination_rules";
const POLICY: &str = "error_handling.retry_policy";
const METADATA: &str = "workflow_metadata";
const WORKFLOW: &str = "workflow_coordination";
const DEFAULT: &str = "default";

/// A day, as the longest deadline that a contract may set.
const LONGEST_RUN: Duration = Duration::from_secs(86_400);

/// The first declared of several, else the default.
fn settle<T>(declared: impl IntoIterator<Item = (Option<T>, &'static str)>, default: T) -> Setting<T> {
    let first = declared.into_iter().find_map(|(value, origin)| Some(Setting { value: value?, origin }));
    first.unwrap_or(Setting { value: default, origin: DEFAULT })
}

fn milliseconds(value: Option<u64>) -> Option<Duration> {
    value.map(Duration::from_millis)
}

impl<'c> Policies<'c> {
    /// Those of a contract and its workflow.
    pub fn of(contract: &'c Contract, workflow: &'c WorkflowCoordination) -> Self {
        let handling = contract.error_handling.as_ref();
        Self {
            workflow,
            rules: &workflow.workflow_definition.coordination_rules,
            retry: handling.and_then(|handling| handling.retry_policy.as_ref()),
            error_types: handling.map_or(&[], |handling| &handling.error_types),
        }
    }

    /// How steps follow each other (G-12).
    pub fn mode(&self) -> Setting<ExecutionMode> {
        if self.rules.parallel_execution_allowed == Some(false) {
            let declared = self.rules.execution_mode.filter(|mode| *mode == ExecutionMode::Batch);
            return Setting { value: declared.unwrap_or(ExecutionMode::Sequential), origin: RULES };
        }
        let metadata = self.workflow.workflow_definition.workflow_metadata.execution_mode;
        let declared =
            [(self.rules.execution_mode, RULES), (metadata, METADATA), (self.workflow.execution_mode, WORKFLOW)];
        settle(declared, ExecutionMode::Sequential)
    }

    /// The smallest declared limit (G-11); 1 unless steps may run at once.
    pub fn max_parallel(&self) -> Setting<u32> {
        if self.mode().value != ExecutionMode::Parallel {
            return Setting { value: 1, origin: "execution_mode" };
        }
        let declared = [(self.rules.max_parallel_branches, RULES), (self.workflow.max_parallel_branches, WORKFLOW)];
        let smallest = declared.into_iter().filter_map(|(limit, origin)| Some((limit?, origin))).min();
        smallest
            .map_or(Setting { value: 4, origin: DEFAULT }, |(limit, origin)| Setting { value: limit.max(1), origin })
    }

    /// What a failed step leads to, where it does not say so itself.
    pub fn strategy(&self) -> Setting<FailureRecoveryStrategy> {
        settle([(self.rules.failure_recovery_strategy, RULES)], FailureRecoveryStrategy::Retry)
    }

    /// The step's own comes before the run's; a step that is tried again stops the run when that is of no
    /// use (G-30).
    pub fn on_failure(&self, step: &GraphNode) -> Setting<FailureAction> {
        let own = step.error_action.map(|action| match action {
            ErrorAction::Stop | ErrorAction::Retry => FailureAction::Stop,
            ErrorAction::Continue => FailureAction::Continue,
            ErrorAction::Compensate => FailureAction::Compensate,
        });
        let of_run = self.strategy();
        let by_strategy = match of_run.value {
            FailureRecoveryStrategy::Retry | FailureRecoveryStrategy::Abort => FailureAction::Stop,
            FailureRecoveryStrategy::Continue => FailureAction::Continue,
            FailureRecoveryStrategy::Rollback => FailureAction::Compensate,
        };
        own.map_or(Setting { value: by_strategy, origin: of_run.origin }, |value| Setting { value, origin: STEP })
    }

    /// Steps that all later ones wait for (G-18).
    pub fn synchronization_points(&self) -> &'c [String] {
        &self.rules.synchronization_points
    }

    /// Whether a failed run undoes its effects.
    pub fn rollback(&self) -> Setting<bool> {
        let by_strategy = (self.strategy().value == FailureRecoveryStrategy::Rollback).then_some(true);
        let declared = [
            (by_strategy, "coordination_rules.failure_recovery_strategy"),
            (self.rules.rollback_enabled, RULES),
            (self.workflow.rollback_enabled, WORKFLOW),
        ];
        settle(declared, false)
    }

    /// The smallest declared timeout (G-41).
    pub fn run_timeout(&self) -> Setting<Option<Duration>> {
        let metadata = self.workflow.workflow_definition.workflow_metadata.timeout_ms;
        let declared = [(self.rules.timeout_ms, RULES), (metadata, METADATA), (self.workflow.timeout_ms, WORKFLOW)];
        let smallest =
            declared.into_iter().filter_map(|(timeout, origin)| Some((milliseconds(timeout)?, origin))).min();
        smallest.map_or(Setting { value: None, origin: DEFAULT }, |(timeout, origin)| Setting {
            value: Some(timeout),
            origin,
        })
    }

    /// How long an attempt may take; a workflow of its own, as long as a run may, since its steps have their own.
    pub fn attempt_timeout(&self, step: &GraphNode) -> Setting<Duration> {
        let own = [(milliseconds(step.step_config.timeout_ms), CONFIG), (milliseconds(step.timeout_ms), STEP)];
        if step.node_type.archetype == Archetype::Orchestrator {
            return settle(own, LONGEST_RUN);
        }
        settle(own.into_iter().chain([(milliseconds(self.rules.step_timeout_ms), RULES)]), Duration::from_secs(10))
    }

    /// How failed attempts of a step are tried again.
    pub fn retry(&self, step: &GraphNode) -> RetrySettings {
        let policy = |read: fn(&RetryPolicy) -> Option<u64>| milliseconds(self.retry.and_then(read));
        let base = self.retry.and_then(|retry| retry.exponential_base);
        RetrySettings {
            max_retries: self.max_retries(step),
            initial_delay: settle(
                [(milliseconds(self.rules.retry_backoff_ms), RULES), (policy(|retry| retry.initial_delay_ms), POLICY)],
                Duration::from_secs(1),
            ),
            max_delay: settle([(policy(|retry| retry.max_delay_ms), POLICY)], Duration::from_secs(30)),
            base: settle([(self.rules.retry_backoff_multiplier, RULES), (base, POLICY)], 2.0),
            jitter: settle([(self.retry.and_then(|retry| retry.jitter_factor), POLICY)], 0.25),
            retry_on: self.retry.map(|retry| retry.retry_on.clone()).unwrap_or_default(),
            never: self.never_retried(),
        }
    }

    /// A strategy that fails at once retries nothing, whatever numbers stand beside it.
    fn max_retries(&self, step: &GraphNode) -> Setting<u32> {
        let own = [(step.step_config.max_retries, CONFIG), (step.max_retries, STEP)];
        let is_retried = step.error_action == Some(ErrorAction::Retry);
        if self.strategy().value == FailureRecoveryStrategy::Abort && !is_retried {
            return settle(own.into_iter().chain([(Some(0), "coordination_rules.failure_recovery_strategy")]), 0);
        }
        let of_run = [(self.rules.max_retries, RULES), (self.retry.and_then(|retry| retry.max_retries), POLICY)];
        settle(own.into_iter().chain(of_run), 3)
    }

    fn never_retried(&self) -> Vec<String> {
        let is_final =
            |error: &&ErrorType| error.recoverable == Some(false) || error.retry_strategy.as_deref() == Some("none");
        self.error_types.iter().filter(is_final).map(|error| error.name.clone()).collect()
    }
}
