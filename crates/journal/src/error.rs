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
    /// Only a run that has ended can be retried.
    #[error("run {run_id} has not ended")]
    RunNotEnded {
        /// The run.
        run_id: RunId,
    },
    /// A record is larger than a record may be.
    #[error("a record of run {run_id} has {bytes} bytes, more than {limit}")]
    RecordTooLarge {
        /// The run.
        run_id: RunId,
        /// The record's size.
        bytes: u64,
        /// How large it may be.
        limit: u64,
    },
    /// The run's records together are larger than they may be.
    #[error("run {run_id} would have {bytes} bytes of records, more than {limit}")]
    RunTooLarge {
        /// The run.
        run_id: RunId,
        /// The size of all its records.
        bytes: u64,
        /// How large they may be.
        limit: u64,
    },
    /// The run has as many records as it may have.
    #[error("run {run_id} would have more than {limit} records")]
    HistoryTooLong {
        /// The run.
        run_id: RunId,
        /// How many it may have.
        limit: u64,
    },
    /// A text holds what the store cannot keep.
    #[error("{what} cannot be kept: it holds the character U+0000")]
    Unstorable {
        /// Which text.
        what: &'static str,
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
    /// A later version of this program made the tables.
    #[error("the journal's tables are of a later version of this program: migration {version}")]
    NewerSchema {
        /// The first migration that this program does not know.
        version: i64,
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
    /// The journal cannot be used because of `source`.
    pub fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unavailable { source: Box::new(source) }
    }

    /// The journal holds `what`, which cannot be understood because of `source`.
    pub fn corrupt(what: impl Into<String>, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Corrupt { what: what.into(), source: Box::new(source) }
    }

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
            Self::RunNotEnded { .. } => "ONEX5009",
            Self::RecordTooLarge { .. } => "ONEX5010",
            Self::RunTooLarge { .. } => "ONEX5011",
            Self::HistoryTooLong { .. } => "ONEX5012",
            Self::Unstorable { .. } => "ONEX5013",
            Self::NewerSchema { .. } => "ONEX5014",
        }
    }

    /// Whether the writer no longer owns the run and must drop it without another word.
    pub fn lost_ownership(&self) -> bool {
        match self {
            Self::StaleOwner { .. } | Self::RunEnded { .. } | Self::SequenceConflict { .. } => true,
            Self::Unavailable { .. }
            | Self::RunExists { .. }
            | Self::RunUnknown { .. }
            | Self::RunNotEnded { .. }
            | Self::RecordTooLarge { .. }
            | Self::RunTooLarge { .. }
            | Self::HistoryTooLong { .. }
            | Self::Unstorable { .. }
            | Self::StateConflict { .. }
            | Self::NewerSchema { .. }
            | Self::Corrupt { .. } => false,
        }
    }
}
