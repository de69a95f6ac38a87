//! Decides how a journal refuses, and which refusals mean that the writer has lost its run.

use onex_node::RunId;

/// Why a journal did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The store cannot be reached, is full, or failed on the way; the write may or may not be durable.
    #[error("the journal cannot be used now")]
    Unavailable {
        /// The client's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The run was started before.
    #[error("run {run_id} was started before")]
    RunExists {
        /// The run.
        run_id: RunId,
        /// Whether it has ended.
        ended: bool,
    },
    /// No such run.
    #[error("no run {run_id} is in the journal")]
    RunUnknown {
        /// The run.
        run_id: RunId,
    },
    /// Another worker owns the run.
    #[error("run {run_id} is owned at epoch {current}, not {given}")]
    StaleOwner {
        /// The run.
        run_id: RunId,
        /// The writer's epoch.
        given: u64,
        /// The run's epoch.
        current: u64,
    },
    /// The writer does not know the run's last record.
    #[error("run {run_id} is at record {current}, not {expected}")]
    SequenceConflict {
        /// The run.
        run_id: RunId,
        /// What the writer expected.
        expected: u64,
        /// What is there.
        current: u64,
    },
    /// A finished run accepts nothing.
    #[error("run {run_id} has ended")]
    RunEnded {
        /// The run.
        run_id: RunId,
    },
    /// Another run wrote the entity's state meanwhile.
    #[error("state of `{entity}` in `{reducer}` is at version {current}, not {expected}")]
    StateConflict {
        /// The reducer.
        reducer: String,
        /// The entity.
        entity: String,
        /// What the writer expected.
        expected: u64,
        /// What is there.
        current: u64,
    },
    /// What the journal holds cannot be understood.
    #[error("the journal holds {what} that cannot be read")]
    Corrupt {
        /// What it is.
        what: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl JournalError {
    /// Stable code, see `docs/errors.md`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "ONEX5001",
            Self::RunExists { .. } => "ONEX5002",
            Self::RunUnknown { .. } => "ONEX5003",
            Self::StaleOwner { .. } => "ONEX5004",
            Self::SequenceConflict { .. } => "ONEX5005",
            Self::RunEnded { .. } => "ONEX5006",
            Self::StateConflict { .. } => "ONEX5007",
            Self::Corrupt { .. } => "ONEX5008",
        }
    }

    /// Whether the writer no longer owns the run and must drop it without another word.
    pub fn lost_ownership(&self) -> bool {
        match self {
            Self::StaleOwner { .. } | Self::RunEnded { .. } | Self::SequenceConflict { .. } => true,
            Self::Unavailable { .. }
            | Self::RunExists { .. }
            | Self::RunUnknown { .. }
            | Self::StateConflict { .. }
            | Self::Corrupt { .. } => false,
        }
    }
}
