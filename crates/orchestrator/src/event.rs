//! The vocabulary between deciding and doing: what can happen to a run, and what a run can ask for.
//!
//! Events marked *recorded* are the run's journal; all others follow from them.

use std::time::Duration;

use onex_node::{Failure, Intent, StepId, Timestamp};
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

/// What can happen to a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Recorded. The run begins.
    Started {
        /// When.
        at: Timestamp,
        /// The payload of the event that started it.
        input: Value,
        /// The type of that event.
        event_type: Option<String>,
        /// The chain of events it belongs to.
        correlation_id: Uuid,
        /// The envelope that started it.
        parent_envelope_id: Option<Uuid>,
        /// The entity, when the graph has a reducer.
        entity: Option<EntityAtStart>,
    },
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
}

impl Event {
    /// The kind of journal record it is written as; `None` when it is not written.
    pub fn record_kind(&self) -> Option<&'static str> {
        match self {
            Self::Started { .. } => Some("started"),
            Self::CallSucceeded { .. } => Some("call_succeeded"),
            Self::CallFailed { .. } => Some("call_failed"),
            Self::UndoSucceeded { .. } => Some("undo_succeeded"),
            Self::UndoFailed { .. } => Some("undo_failed"),
            Self::CancelRequested { .. } => Some("cancel_requested"),
            Self::TimerFired { timer: Timer::RunDeadline, .. } => Some("deadline_passed"),
            Self::TimerFired { .. } | Self::Computed { .. } => None,
        }
    }

    /// When it happened; a computation takes no time.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Started { at, .. }
            | Self::CallSucceeded { at, .. }
            | Self::CallFailed { at, .. }
            | Self::TimerFired { at, .. }
            | Self::UndoSucceeded { at, .. }
            | Self::UndoFailed { at, .. }
            | Self::CancelRequested { at } => Some(*at),
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
