//! Decides what somebody can want of a run, and when an order waits for somebody to take it.
//!
//! An order waits while it is not settled and its run is in the state that the order needs. So a run's end
//! forgets what else was wanted of it, without a write of its own.

use onex_node::{RunId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{JournalError, RunStatus};

/// What somebody wants of a run, kept until it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOrder {
    /// Its id; an order with a known id changes nothing.
    pub id: Uuid,
    /// The run.
    pub run_id: RunId,
    /// What is wanted.
    pub kind: OrderKind,
    /// When it was given.
    pub at: Timestamp,
}

/// What can be wanted of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// Stop, and undo what the contract undoes.
    Cancel,
    /// Start nothing further.
    Pause,
    /// Go on after a pause.
    Resume,
    /// Run again what failed, as a new run.
    Retry,
}

impl OrderKind {
    const ALL: [Self; 4] = [Self::Cancel, Self::Pause, Self::Resume, Self::Retry];

    /// The kind as text, as in `docs/` and in SQL tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Retry => "retry",
        }
    }

    /// The kind of that text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether a run of that status can be ordered so.
    ///
    /// # Errors
    ///
    /// [`JournalError::RunEnded`] or [`JournalError::RunNotEnded`].
    pub fn check(self, run_id: RunId, status: RunStatus) -> Result<(), JournalError> {
        match (self, status) {
            (Self::Retry, RunStatus::Running) => Err(JournalError::RunNotEnded { run_id }),
            (Self::Retry, _) | (_, RunStatus::Running) => Ok(()),
            (Self::Cancel | Self::Pause | Self::Resume, _) => Err(JournalError::RunEnded { run_id }),
        }
    }
}
