//! Decides how what is written looks as a row: an array whose places the statements in `store` name by number.
//!
//! Bodies are turned into JSON text here, in the caller's task, because the writer is the one task that every
//! caller waits for. They travel as strings within the batch's JSON, so that SQLite never reads them: no body,
//! however deep, can make a statement fail that carries its neighbours too.

use onex_journal::{InboxMessage, NewRecord, NewRun, OutboxMessage, RunStatus, StateWrite};
use onex_node::{RunId, Timestamp};
use serde::Serialize;
use uuid::Uuid;

/// Microseconds since 1970, as the tables keep time.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Micros(pub(crate) i64);

impl From<Timestamp> for Micros {
    fn from(time: Timestamp) -> Self {
        Self(time.timestamp_micros())
    }
}

/// `fingerprint, canonical`.
#[derive(Debug, Serialize)]
pub(crate) struct ContractRow(pub(crate) String, pub(crate) String);

/// `run_id, orchestrator, contract_fingerprint, entity, owner, lease_until, started_at`.
#[derive(Debug, Serialize)]
pub(crate) struct RunRow(RunId, String, String, Option<String>, String, Micros, Micros);

/// `run_id, sequence, kind, body`.
#[derive(Debug, Serialize)]
pub(crate) struct RecordRow(RunId, u64, String, String);

/// `run_id, status, lease_until, ended_at, reason`; NULL leaves a column as it is.
#[derive(Debug, Serialize)]
pub(crate) struct ChangeRow(
    pub(crate) RunId,
    pub(crate) Option<&'static str>,
    pub(crate) Option<Micros>,
    pub(crate) Option<Micros>,
    pub(crate) Option<String>,
);

/// `run_id, last_sequence`.
#[derive(Debug, Serialize)]
pub(crate) struct ProgressRow(pub(crate) RunId, pub(crate) u64);

/// `reducer, entity, version, state`.
#[derive(Debug, Serialize)]
pub(crate) struct StateRow(pub(crate) String, pub(crate) String, pub(crate) u64, pub(crate) String);

/// `id, topic, key, text`, for the outbox and the inbox.
#[derive(Debug, Serialize)]
pub(crate) struct MessageRow(pub(crate) Uuid, String, Option<String>, String);

impl RunRow {
    /// The row of a new run and its first record.
    pub(crate) fn start(run: NewRun) -> (Self, RecordRow) {
        let record = RecordRow(run.run_id, 1, "started".to_owned(), run.started.to_string());
        let row = Self(
            run.run_id,
            run.orchestrator,
            run.contract_fingerprint,
            run.entity,
            run.owner,
            run.lease_until.into(),
            run.at.into(),
        );
        (row, record)
    }
}

impl RecordRow {
    /// The rows of records that follow the one at `sequence`.
    pub(crate) fn after(run_id: RunId, sequence: u64, records: Vec<NewRecord>) -> Vec<Self> {
        let numbered = records.into_iter().enumerate();
        numbered
            .map(|(index, NewRecord { kind, body })| {
                Self(run_id, sequence.saturating_add(index as u64 + 1), kind, body.to_string())
            })
            .collect()
    }

    /// About how many bytes it is.
    pub(crate) fn size(&self) -> usize {
        self.3.len()
    }
}

impl ChangeRow {
    /// A change of a run's lease.
    pub(crate) fn lease(run_id: RunId, lease_until: Micros) -> Self {
        Self(run_id, None, Some(lease_until), None, None)
    }

    /// A run's end.
    pub(crate) fn end(run_id: RunId, status: RunStatus, at: Micros) -> Self {
        Self(run_id, Some(status.as_str()), None, Some(at), None)
    }

    /// A run set aside.
    pub(crate) fn set_aside(run_id: RunId, reason: String) -> Self {
        Self(run_id, Some(RunStatus::SetAside.as_str()), None, None, Some(reason))
    }

    /// Both changes at once; where both say something, `later` holds.
    pub(crate) fn then(self, later: Self) -> Self {
        Self(self.0, later.1.or(self.1), later.2.or(self.2), later.3.or(self.3), later.4.or(self.4))
    }
}

impl StateRow {
    /// The row after the write; its version is the one that was expected, plus one.
    pub(crate) fn after(write: StateWrite) -> Self {
        Self(write.reducer, write.entity, write.expected_version.saturating_add(1), write.state.to_string())
    }

    /// About how many bytes it is.
    pub(crate) fn size(&self) -> usize {
        self.3.len()
    }
}

impl MessageRow {
    /// About how many bytes it is.
    pub(crate) fn size(&self) -> usize {
        self.3.len()
    }
}

impl From<OutboxMessage> for MessageRow {
    fn from(message: OutboxMessage) -> Self {
        Self(message.id, message.topic, message.key, message.envelope.to_string())
    }
}

impl From<InboxMessage> for MessageRow {
    fn from(message: InboxMessage) -> Self {
        Self(message.id, message.topic, message.key, message.body)
    }
}
