//! The vocabulary between deciding and doing: what can happen to a run, and what a run can ask for.
//!
//! Events marked *recorded* are the run's journal; all others follow from them.

use std::time::Duration;

use onex_node::{Failure, Intent, RunId, StepId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// One effect call of one step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallId {
    /// The step.
    pub step: StepId,
    /// Position among the step's intents, from 0.
    pub call: u32,
}

/// The state of the run's entity when it started, so that a recovery reduces from the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntityAtStart {
    /// The reducer whose entity it is.
    pub reducer: String,
    /// The entity.
    pub entity: String,
    /// The state's version; 0 when there was none.
    pub version: u64,
    /// The state; null when there was none.
    pub state: Value,
}

/// What a run starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// When.
    pub at: Timestamp,
    /// The payload of the event that started it.
    pub input: Value,
    /// The type of that event.
    pub event_type: Option<String>,
    /// The chain of events it belongs to.
    pub correlation_id: Uuid,
    /// The envelope that started it.
    pub parent_envelope_id: Option<Uuid>,
    /// The entity, when the graph has a reducer.
    pub entity: Option<EntityAtStart>,
    /// What it may use; the same over its whole life, whatever is configured later.
    #[serde(default)]
    pub limits: RunLimits,
    /// The run whose step it is, and how deep that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Effects that an earlier run left in place, which this one does not carry out again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<CarriedCall>,
}

impl Start {
    /// A start over an input, with nothing else known.
    pub fn new(at: Timestamp, input: Value) -> Self {
        Self {
            at,
            input,
            event_type: None,
            correlation_id: Uuid::nil(),
            parent_envelope_id: None,
            entity: None,
            limits: RunLimits::default(),
            parent: None,
            carried: Vec::new(),
        }
    }
}

/// The run that a run is a step of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its id.
    pub run_id: RunId,
    /// How many runs are above the child, at least 1.
    pub depth: u32,
}

/// An effect that is in place since an earlier run over the same input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CarriedCall {
    /// The call it was made by, by the same name in both runs.
    pub call: CallId,
    /// What was done; where the new run asks for something else, it is done anew.
    pub intent: Intent,
    /// What the effect gave.
    pub output: Value,
}

/// What one run may use. Each limit is refused with a code of its own, and fails the step that goes beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunLimits {
    /// Bytes of one step's output as JSON (O-57).
    pub step_payload_bytes: u64,
    /// Bytes of the input and all outputs (O-58).
    pub run_payload_bytes: u64,
    /// Items of one `for_each`.
    pub items: u32,
    /// Runs above a run that is a step.
    pub depth: u32,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self { step_payload_bytes: 64 << 10, run_payload_bytes: 10 << 20, items: 1_000, depth: 8 }
    }
}

/// What can happen to a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Recorded. The run begins.
    Started(Box<Start>),
    /// A pure step was computed.
    Computed {
        /// The step.
        step: StepId,
        /// Its output or failure.
        result: Result<Value, Failure>,
    },
    /// Recorded. An effect is in place.
    CallSucceeded {
        /// The call.
        call: CallId,
        /// Which attempt, from 1.
        attempt: u32,
        /// What the effect gave.
        output: Value,
        /// When.
        at: Timestamp,
    },
    /// Recorded. An attempt failed.
    CallFailed {
        /// The call.
        call: CallId,
        /// Which attempt, from 1.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// When.
        at: Timestamp,
    },
    /// A timer fired; recorded when it is the run's deadline.
    TimerFired {
        /// Which.
        timer: Timer,
        /// When.
        at: Timestamp,
    },
    /// Recorded. An effect was undone.
    UndoSucceeded {
        /// The call that was undone.
        call: CallId,
        /// When.
        at: Timestamp,
    },
    /// Recorded. An attempt to undo failed.
    UndoFailed {
        /// The call.
        call: CallId,
        /// Which attempt, from 1.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// When.
        at: Timestamp,
    },
    /// Recorded. Somebody wants the run to stop.
    CancelRequested {
        /// When.
        at: Timestamp,
    },
    /// Recorded. Somebody wants the run to begin nothing for a while.
    PauseRequested {
        /// When.
        at: Timestamp,
    },
    /// Recorded. Somebody wants it to go on.
    ResumeRequested {
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// The kind of journal record it is written as; `None` when it is not written.
    pub fn record_kind(&self) -> Option<&'static str> {
        match self {
            Self::Started(_) => Some("started"),
            Self::CallSucceeded { .. } => Some("call_succeeded"),
            Self::CallFailed { .. } => Some("call_failed"),
            Self::UndoSucceeded { .. } => Some("undo_succeeded"),
            Self::UndoFailed { .. } => Some("undo_failed"),
            Self::CancelRequested { .. } => Some("cancel_requested"),
            Self::PauseRequested { .. } => Some("pause_requested"),
            Self::ResumeRequested { .. } => Some("resume_requested"),
            Self::TimerFired { timer: Timer::RunDeadline, .. } => Some("deadline_passed"),
            Self::TimerFired { .. } | Self::Computed { .. } => None,
        }
    }

    /// When it happened; a computation takes no time.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Started(start) => Some(start.at),
            Self::CallSucceeded { at, .. }
            | Self::CallFailed { at, .. }
            | Self::TimerFired { at, .. }
            | Self::UndoSucceeded { at, .. }
            | Self::UndoFailed { at, .. }
            | Self::CancelRequested { at }
            | Self::PauseRequested { at }
            | Self::ResumeRequested { at } => Some(*at),
            Self::Computed { .. } => None,
        }
    }
}

/// What a run can wait for besides its effects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// The run has taken as long as it may.
    RunDeadline,
    /// The next attempt of a call is due.
    Retry(CallId),
    /// The next attempt to undo a call is due.
    RetryUndo(CallId),
}

/// What a run can ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Compute a pure step; answer with [`Event::Computed`].
    Compute {
        /// The step.
        step: StepId,
    },
    /// Make one attempt of an effect; answer with [`Event::CallSucceeded`] or [`Event::CallFailed`].
    Dispatch {
        /// The call.
        call: CallId,
        /// Which attempt, from 1.
        attempt: u32,
        /// What to do.
        intent: Intent,
        /// How long the attempt may take.
        timeout: Duration,
    },
    /// Stop waiting for a call; no answer is wanted.
    Abort {
        /// The call.
        call: CallId,
    },
    /// Answer with [`Event::TimerFired`] after the delay.
    Arm {
        /// The timer.
        timer: Timer,
        /// The delay.
        after: Duration,
    },
    /// Forget a timer, if it is armed.
    Disarm {
        /// The timer.
        timer: Timer,
    },
    /// Make one attempt to undo an effect; answer with [`Event::UndoSucceeded`] or [`Event::UndoFailed`].
    Undo {
        /// The call to undo.
        call: CallId,
        /// Which attempt, from 1.
        attempt: u32,
        /// What was done.
        intent: Intent,
        /// What it gave.
        output: Value,
        /// How long the attempt may take.
        timeout: Duration,
    },
    /// The run is over; its [`crate::Outcome`] can be asked for.
    Finish,
}

/// How one step ended, for the journal and for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepSummary {
    /// The step.
    pub step: StepId,
    /// `done`, `failed` or `skipped`.
    pub ended: String,
    /// Why, when it is not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The failure's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Attempts of its calls; 0 for pure steps.
    pub attempts: u32,
    /// Whether what it did was undone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undone: bool,
}
