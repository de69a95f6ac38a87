//! Decides what a contract's graph means before anything runs: what each step is bound to, in which
//! order steps come, and under which settled rules. A plan that can be made can be run.

mod bind;
mod order;
mod retries;

use std::collections::HashMap;
use std::time::Duration;

use globset::GlobMatcher;
use onex_compute::AggregationStrategy;
use onex_contract::{Contract, ExecutionMode, FailureRecoveryStrategy, Policies};
use onex_node::{NodeRegistry, ResolveError, StepId};
use serde_json::Value;

pub use onex_contract::{FailureAction, RetrySettings, Setting};
pub use retries::MayRetry;

/// A contract, ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The orchestrator's name.
    pub name: String,
    /// Fingerprint of its contract.
    pub fingerprint: String,
    /// The steps, as declared.
    pub steps: Vec<PlannedStep>,
    /// Indices of the steps in the order they are considered: topological, declaration as tie-break.
    pub order: Vec<usize>,
    /// How steps follow each other.
    pub mode: Setting<ExecutionMode>,
    /// Steps that may run at once, at least 1.
    pub max_parallel: Setting<u32>,
    /// What a failed step leads to.
    pub strategy: Setting<FailureRecoveryStrategy>,
    /// Whether a failed run undoes its effects.
    pub rollback: Setting<bool>,
    /// How long a run may take.
    pub run_timeout: Setting<Option<Duration>>,
    /// Steps that wait for each step.
    dependents: Vec<Vec<usize>>,
    /// Position of each step in `order`.
    ranks: Vec<usize>,
    index: HashMap<StepId, usize>,
    nodes: NodeRegistry,
}

/// One step.
#[derive(Clone, Debug)]
pub struct PlannedStep {
    /// Its id.
    pub id: StepId,
    /// Indices of the steps before it, in the order of the contract.
    pub depends_on: Vec<usize>,
    /// Indices of synchronization points before it: it waits for their end, and takes nothing of them (G-18).
    pub after: Vec<usize>,
    /// Whether it runs at all.
    pub is_enabled: bool,
    /// Whether it is skipped once a step has failed.
    pub skip_on_failure: bool,
    /// Expressions that must all hold, else it is skipped.
    pub conditions: Vec<String>,
    /// What its failure leads to.
    pub on_failure: Setting<FailureAction>,
    /// The list, or the template of one, for whose items it is carried out.
    pub for_each: Option<Value>,
    /// How many of its calls may be under way at once, at least 1.
    pub max_instances: u32,
    /// How many of its calls may fail for good without the step failing.
    pub max_failures: u32,
    /// What it does.
    pub binding: Binding,
    /// Its input's template.
    pub input: Option<Value>,
    /// Its `step_config`, for compute nodes.
    pub config: Value,
    /// How long one attempt may take.
    pub attempt_timeout: Setting<Duration>,
    /// How failed attempts are tried again.
    pub retry: RetrySettings,
    /// Whether it takes failed dependencies as input.
    pub takes_failures: bool,
    /// Whether every step that depends on it takes failures, so that its own is an input and stops nothing.
    pub is_absorbed: bool,
    /// The glob of an executing step's filter.
    matcher: Option<GlobMatcher>,
}

impl PlannedStep {
    /// Whether an executing step carries out intents of a kind.
    pub fn takes(&self, kind: &str) -> bool {
        self.matcher.as_ref().is_none_or(|matcher| matcher.is_match(kind))
    }

    /// Whether it runs the workflow of another contract.
    pub fn is_workflow(&self) -> bool {
        matches!(self.binding, Binding::Workflow { .. })
    }

    /// Indices of all steps that must have ended before it starts.
    pub fn waits_for(&self) -> impl Iterator<Item = usize> {
        self.depends_on.iter().chain(&self.after).copied()
    }

    /// The effect that carries out intents of a kind in this step.
    pub(crate) fn effect_for(&self, kind: &str) -> Option<&str> {
        let Binding::Execute { effect, routes, .. } = &self.binding else {
            return None;
        };
        let routed = routes.iter().find(|(routed, _)| routed == kind).map(|(_, effect)| effect.as_str());
        routed.or(effect.as_deref())
    }
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Binding {
    /// Takes the event that started the run.
    Receive {
        /// Globs of event types.
        patterns: Vec<String>,
    },
    /// Reduces the event to intents.
    Reduce {
        /// The reducer's name.
        reducer: String,
    },
    /// Carries intents out.
    Execute {
        /// Glob of kinds; `None` for all of its dependencies' intents.
        filter: Option<String>,
        /// Kind of the intent that it makes of its own input; those of its dependencies are not its business then.
        own: Option<String>,
        /// The effect for kinds without a route of their own.
        effect: Option<String>,
        /// Effects by kind.
        routes: Vec<(String, String)>,
    },
    /// Runs the workflow of another contract, as a run of its own.
    Workflow {
        /// The contract's name.
        name: String,
    },
    /// Computes.
    Compute(ComputeBinding),
    /// Publishes an event at the run's end.
    Publish {
        /// The event's type.
        event_type: String,
        /// The topic, without placeholders.
        topic: String,
    },
}

/// What a COMPUTE step runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComputeBinding {
    /// An aggregation.
    Aggregate(AggregationStrategy),
    /// A registered node.
    Node(String),
    /// Nothing: it hands on.
    PassThrough,
}

/// Why a contract makes no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It has errors, or none could be read.
    #[error("{file} has errors; run `onex check` to see them")]
    Unsound {
        /// The file.
        file: String,
    },
    /// The kept text is not the one that the fingerprint names (O-78, R-16).
    #[error("the contract kept as {fingerprint} has another content")]
    Changed {
        /// The fingerprint it was kept under.
        fingerprint: String,
    },
    /// It has no workflow.
    #[error("`{name}` has no workflow to run")]
    NoWorkflow {
        /// The contract.
        name: String,
    },
    /// A step's node is not known.
    #[error("step `{step}` cannot be bound")]
    Unresolved {
        /// The step.
        step: String,
        /// Why.
        #[source]
        source: ResolveError,
    },
    /// A step cannot be run.
    #[error("step `{step}`: {problem}")]
    Unbound {
        /// The step.
        step: String,
        /// Why.
        problem: String,
    },
    /// It has more steps than may be (V-28).
    #[error("workflow exceeds the limit of steps: {steps} steps > {most}")]
    TooManySteps {
        /// How many.
        steps: usize,
        /// How many may be.
        most: usize,
    },
    /// Steps wait for each other (O-10).
    #[error("cannot compute execution order: workflow contains cycles")]
    Cycle,
}

impl PlanError {
    /// Stable code, see `docs/errors.md`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsound { .. } => "ONEX2001",
            Self::NoWorkflow { .. } => "ONEX2002",
            Self::Unresolved { .. } => "ONEX2003",
            Self::Unbound { .. } => "ONEX2004",
            Self::Cycle => "ONEX2005",
            Self::Changed { .. } => "ONEX2006",
            Self::TooManySteps { .. } => "ONEX2007",
        }
    }
}

/// Most steps of a graph, unless it is configured otherwise (V-28).
pub const MAX_STEPS: usize = 1_000;

impl Plan {
    /// Refuses a graph with more steps than may be.
    ///
    /// # Errors
    ///
    /// [`PlanError::TooManySteps`].
    pub fn check_size(contract: &Contract, most: usize) -> Result<(), PlanError> {
        let steps = contract.steps().len();
        if steps > most { Err(PlanError::TooManySteps { steps, most }) } else { Ok(()) }
    }

    /// The plan of a contract over the nodes this process has.
    ///
    /// # Errors
    ///
    /// Something in the graph cannot be bound or ordered.
    pub fn new(contract: &Contract, fingerprint: &str, nodes: &NodeRegistry) -> Result<Self, PlanError> {
        let no_workflow = || PlanError::NoWorkflow { name: contract.name.clone() };
        let workflow = contract.workflow_coordination.as_ref().ok_or_else(no_workflow)?;
        let policies = Policies::of(contract, workflow);
        let mut steps = bind::steps(contract, workflow, &policies, nodes)?;
        bind::mark_absorbed(&mut steps);
        order::synchronize(&mut steps, policies.synchronization_points()).ok_or(PlanError::Cycle)?;
        let waits_for = order::waits_for(&steps);
        let dependents = onex_contract::order::dependents(&waits_for);
        let order = order::topological(&waits_for).ok_or(PlanError::Cycle)?;
        Ok(Self {
            name: contract.name.clone(),
            fingerprint: fingerprint.to_owned(),
            ranks: order::ranks(&order),
            order,
            dependents,
            index: bind::index(steps.iter().map(|step| step.id.clone())),
            nodes: nodes.clone(),
            mode: policies.mode(),
            max_parallel: policies.max_parallel(),
            strategy: policies.strategy(),
            rollback: policies.rollback(),
            run_timeout: policies.run_timeout(),
            steps,
        })
    }

    /// The index of a step.
    pub fn index_of(&self, step: &StepId) -> Option<usize> {
        self.index.get(step).copied()
    }

    /// Whether what a step did for an intent of this kind can be undone.
    pub fn can_undo(&self, index: usize, kind: &str) -> bool {
        let effect = self.steps.get(index).and_then(|step| step.effect_for(kind));
        effect.and_then(|name| self.nodes.effect(name).ok()).is_some_and(|effect| effect.can_undo(kind))
    }

    /// Steps that wait for a step, in the order of the contract.
    pub(crate) fn dependents(&self, index: usize) -> &[usize] {
        &self.dependents[index]
    }

    /// A step's position in [`Plan::order`].
    pub(crate) fn rank(&self, index: usize) -> usize {
        self.ranks[index]
    }

    /// The reducer of the graph's first reducing step; its entity orders runs.
    pub fn entity_reducer(&self) -> Option<&str> {
        self.steps.iter().find_map(|step| match &step.binding {
            Binding::Reduce { reducer } => Some(reducer.as_str()),
            _ => None,
        })
    }
}
