//! Decides what each kind of node may see and do: the three traits and what their calls carry.
//!
//! COMPUTE and REDUCER are synchronous and get everything as arguments, so that a recovery can run
//! them again and compare. EFFECT is the only asynchronous kind, and the only one that meets the world.
//! There is no trait for ORCHESTRATOR: its contract is its program.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{Failure, IdempotencyKey, Intent, IntentOutcome, RunId, StepId, Timestamp};

/// How a step ended: exactly one of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepResult {
    /// It did what it is for; this is its output.
    Done(Value),
    /// It did not.
    Failed {
        /// Why.
        failure: Failure,
        /// What there is to tell nevertheless, such as the outcomes of its intents; null when nothing.
        output: Value,
    },
    /// It did not run, and why.
    Skipped {
        /// `not_reached`, or what else kept it from running.
        reason: String,
    },
}

impl StepResult {
    /// What the step gave: the output of one that is done, what a failed one tells, nothing of a skipped one.
    pub fn output(&self) -> Option<&Value> {
        match self {
            Self::Done(output) | Self::Failed { output, .. } => Some(output),
            Self::Skipped { .. } => None,
        }
    }
}

/// What a pure step computes from.
#[derive(Debug)]
pub struct ComputeInput<'a> {
    /// The workflow's input: the payload of the event that started the run.
    pub workflow_input: &'a Value,
    /// The step's own input, when its contract binds one with a template.
    pub input: Option<&'a Value>,
    /// Results of the dependencies, in the order the contract declares them.
    pub dependencies: &'a [(StepId, StepResult)],
    /// The step's `step_config`.
    pub config: &'a Value,
    /// Milliseconds from the run's start to the last thing that happened in it.
    pub elapsed_ms: f64,
}

/// A pure transformation.
pub trait Compute: Send + Sync {
    /// Computes the step's output.
    ///
    /// # Contract
    ///
    /// The same input gives the same output, byte for byte: a recovery compares them.
    ///
    /// # Errors
    ///
    /// A failure ends the step; it is not retried, since nothing would change.
    fn compute(&self, input: &ComputeInput<'_>) -> Result<Value, Failure>;
}

/// What a reducer may know besides state and event; all of it stays the same over a recovery.
#[derive(Clone, Copy, Debug)]
pub struct ReduceContext {
    /// When the run started.
    pub now: Timestamp,
    /// The run that asks.
    pub run_id: RunId,
    /// The chain of events this belongs to.
    pub correlation_id: Uuid,
}

/// What a reduction gives: the entity's next state, what is to be done, and what already was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reduction {
    /// The entity's state after the event.
    pub state: Value,
    /// What is to be done, in order.
    pub intents: Vec<Intent>,
    /// Effects that the event would ask for and that are already in place.
    #[serde(default)]
    pub settled: Vec<IntentOutcome>,
    /// Why the event was refused; then there are no intents and the state is as before.
    #[serde(default)]
    pub refusal: Option<String>,
}

/// A pure state machine over one entity's events.
pub trait Reducer: Send + Sync {
    /// The entity an event belongs to; events of one entity are reduced one after another.
    ///
    /// # Errors
    ///
    /// The event does not name an entity.
    fn entity(&self, event: &Value) -> Result<String, Failure>;

    /// Reduces one event onto the entity's state (`None` for an entity never seen).
    ///
    /// # Errors
    ///
    /// The event cannot be reduced at all. A refused event is no error: see [`Reduction::refusal`].
    fn reduce(&self, state: Option<&Value>, event: &Value, context: &ReduceContext) -> Result<Reduction, Failure>;

    /// Takes the outcome of one intent of the last reduction into the state.
    ///
    /// # Errors
    ///
    /// The outcome does not belong to the state.
    fn confirm(&self, state: &Value, outcome: &IntentOutcome) -> Result<Value, Failure>;
}

/// One attempt of one effect.
#[derive(Clone, Debug)]
pub struct EffectCall {
    /// What to do.
    pub intent: Intent,
    /// Names the effect over all its attempts.
    pub idempotency_key: IdempotencyKey,
    /// The run that asks.
    pub run_id: RunId,
    /// The chain of events this belongs to.
    pub correlation_id: Uuid,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// How long the attempt may take; the caller cancels it then.
    pub timeout: Duration,
}

/// The only kind of node that does I/O.
#[async_trait]
pub trait Effect: Send + Sync {
    /// Makes one attempt. Retries belong to the orchestrator (C-13).
    ///
    /// # Contract
    ///
    /// - A repeated `idempotency_key` counts as one: the caller cannot tell a lost reply from a lost request.
    /// - The output may hold `already_applied: true` when nothing had to change.
    /// - The future may be dropped at any await point.
    ///
    /// # Errors
    ///
    /// The failure's class tells whether another attempt may help; its message holds no secret.
    async fn execute(&self, call: &EffectCall) -> Result<Value, Failure>;

    /// Whether intents of this kind can be undone by [`Effect::undo`].
    fn can_undo(&self, kind: &str) -> bool {
        let _ = kind;
        false
    }

    /// Undoes what an attempt with the same key did, given its output.
    ///
    /// # Errors
    ///
    /// As [`Effect::execute`]; the default refuses.
    async fn undo(&self, call: &EffectCall, output: &Value) -> Result<(), Failure> {
        let _ = output;
        Err(Failure::new(crate::ErrorClass::Validation, "ONEX4007", format!("`{}` has no undo", call.intent.kind)))
    }
}
