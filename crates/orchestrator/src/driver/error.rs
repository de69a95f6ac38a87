//! Says why a run was not carried to its end, and whether carrying it on later may succeed.

use onex_journal::JournalError;
use onex_node::{Failure, RunId};

use crate::plan::PlanError;
use crate::state::Refusal;

/// Why a run was not carried to its end here.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The journal refused or could not be used; the run goes on when it can be, see [`JournalError::lost_ownership`].
    #[error("run {run_id} cannot be written down")]
    Journal {
        /// The run.
        run_id: RunId,
        /// Why.
        #[source]
        source: JournalError,
    },
    /// The event does not tell which entity it is about.
    #[error("the event cannot start a run")]
    Input {
        /// Why.
        #[source]
        source: Failure,
    },
    /// A recovery computed something else than the first run did.
    #[error("run {run_id} computed something else than before at record {sequence}")]
    Diverged {
        /// The run.
        run_id: RunId,
        /// The record.
        sequence: u64,
    },
    /// The journal holds a record that does not belong to the run.
    #[error("record {sequence} of run {run_id} does not belong there")]
    BadRecord {
        /// The run.
        run_id: RunId,
        /// The record.
        sequence: u64,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A defect: the run refused an event of its own.
    #[error("run {run_id} refused its own event")]
    Refused {
        /// The run.
        run_id: RunId,
        /// Why.
        #[source]
        source: Refusal,
    },
    /// Another worker owns the run.
    #[error("run {run_id} is owned by another worker")]
    OwnedElsewhere {
        /// The run.
        run_id: RunId,
    },
    /// The contract that the run keeps cannot be had, or not be bound any more.
    #[error("the contract of run {run_id} cannot be had")]
    Contract {
        /// The run.
        run_id: RunId,
        /// Why.
        #[source]
        source: Option<PlanError>,
    },
    /// The reducer does not take the outcome of its own intents.
    #[error("the outcome of run {run_id} cannot be confirmed")]
    Unconfirmed {
        /// The run.
        run_id: RunId,
        /// Why.
        #[source]
        source: Failure,
    },
}

impl DriveError {
    /// Stable code, see `docs/errors.md`.
    pub fn code(&self) -> &str {
        match self {
            Self::Journal { source, .. } => source.code(),
            Self::Input { source } | Self::Unconfirmed { source, .. } => &source.code,
            Self::Diverged { .. } => "ONEX3030",
            Self::BadRecord { .. } => "ONEX3033",
            Self::Refused { .. } => "ONEX3034",
            Self::OwnedElsewhere { .. } => "ONEX3035",
            Self::Contract { .. } => "ONEX3036",
        }
    }

    /// Whether carrying the run on later may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Journal { source: JournalError::Unavailable { .. }, .. } | Self::OwnedElsewhere { .. })
    }
}
