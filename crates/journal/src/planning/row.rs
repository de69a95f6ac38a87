//! Decides how what is written looks as rows. A row serialises as an array, whose places SQLite's statements name
//! by number; PostgreSQL takes its fields.
//!
//! Bodies are turned into JSON text here, in the caller's task, because the task that commits is the one that
//! every caller waits for. The text is what is stored and what the limits count.

use chrono::SubsecRound;
use onex_node::{RunId, Timestamp};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::{InboxMessage, NewRecord, OrderKind, OutboxMessage, RunStatus, StateWrite};

/// A point in time as the tables keep it: in whole microseconds. Serialises as their number since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros(Timestamp);

impl From<Timestamp> for Micros {
    fn from(time: Timestamp) -> Self {
        Self(time.trunc_subsecs(6))
    }
}

impl From<Micros> for Timestamp {
    fn from(time: Micros) -> Self {
        time.0
    }
}

impl Micros {
    /// The number of microseconds since 1970.
    pub fn number(self) -> i64 {
        self.0.timestamp_micros()
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.number())
    }
}

/// A contract: `fingerprint, canonical`.
#[derive(Clone, Debug, Serialize)]
pub struct ContractRow(pub String, pub String);

/// A record: `run_id, sequence, kind, body`.
#[derive(Clone, Debug, Serialize)]
pub struct RecordRow(pub RunId, pub u64, pub String, pub String);

/// A new run as the batch leaves it.
#[derive(Clone, Debug)]
pub struct RunRow<'a> {
    /// The run.
    pub run_id: RunId,
    /// Name of its orchestrator's contract.
    pub orchestrator: &'a str,
    /// Fingerprint of the contract it keeps.
    pub contract_fingerprint: &'a str,
    /// The entity it is about.
    pub entity: Option<&'a str>,
    /// The run that started it.
    pub parent: Option<RunId>,
    /// Where it stands.
    pub status: RunStatus,
    /// Who owns it.
    pub owner: &'a str,
    /// At which epoch.
    pub epoch: u64,
    /// Until when.
    pub lease_until: Micros,
    /// Its last record.
    pub last_sequence: u64,
    /// The size of all its records.
    pub bytes: u64,
    /// When it started.
    pub started_at: Micros,
    /// When it ended.
    pub ended_at: Option<Micros>,
    /// Why it was set aside.
    pub reason: Option<&'a str>,
}

impl Serialize for RunRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = (self.run_id, self.orchestrator, self.contract_fingerprint, self.entity, self.parent);
        let state = (self.status.as_str(), self.owner, self.epoch, self.lease_until, self.last_sequence, self.bytes);
        (names, state, (self.started_at, self.ended_at, self.reason)).serialize(serializer)
    }
}

/// What becomes of a run; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct RunChange<'a> {
    /// Its last record.
    pub last_sequence: Option<u64>,
    /// By how much the size of its records grows.
    pub added_bytes: u64,
    /// Where it stands.
    pub status: Option<RunStatus>,
    /// When it ended.
    pub ended_at: Option<Micros>,
    /// Why it was set aside.
    pub reason: Option<&'a str>,
    /// Who owns it.
    pub owner: Option<&'a str>,
    /// At which epoch.
    pub epoch: Option<u64>,
    /// Until when.
    pub lease_until: Option<Micros>,
}

/// A change of a run that was there before the batch.
///
/// # Contract
///
/// The change rests on the run being unfinished, at `expected_epoch` and, when it is given, at `expected_sequence`.
#[derive(Clone, Debug)]
pub struct RunUpdate<'a> {
    /// The run.
    pub run_id: RunId,
    /// The epoch it was judged by.
    pub expected_epoch: u64,
    /// The sequence it was judged by.
    pub expected_sequence: Option<u64>,
    /// What becomes of it.
    pub change: RunChange<'a>,
}

impl RunUpdate<'_> {
    /// Whether the run only has more records: most updates are so, and no index knows of that.
    pub fn is_progress(&self) -> bool {
        let RunChange { last_sequence, added_bytes: _, status, ended_at, reason, owner, epoch, lease_until } =
            self.change;
        last_sequence.is_some()
            && status.is_none()
            && ended_at.is_none()
            && reason.is_none()
            && owner.is_none()
            && epoch.is_none()
            && lease_until.is_none()
    }
}

impl<'a> RunRow<'a> {
    /// The row with a change.
    pub(super) fn apply(&mut self, change: &RunChange<'a>) {
        self.last_sequence = change.last_sequence.unwrap_or(self.last_sequence);
        self.bytes = self.bytes.saturating_add(change.added_bytes);
        self.status = change.status.unwrap_or(self.status);
        self.ended_at = change.ended_at.or(self.ended_at);
        self.reason = change.reason.or(self.reason);
        self.owner = change.owner.unwrap_or(self.owner);
        self.epoch = change.epoch.unwrap_or(self.epoch);
        self.lease_until = change.lease_until.unwrap_or(self.lease_until);
    }
}

impl<'a> RunChange<'a> {
    /// Both changes at once; where both say something, `later` holds.
    pub(super) fn then(&mut self, later: &Self) {
        self.last_sequence = later.last_sequence.or(self.last_sequence);
        self.added_bytes = self.added_bytes.saturating_add(later.added_bytes);
        self.status = later.status.or(self.status);
        self.ended_at = later.ended_at.or(self.ended_at);
        self.reason = later.reason.or(self.reason);
        self.owner = later.owner.or(self.owner);
        self.epoch = later.epoch.or(self.epoch);
        self.lease_until = later.lease_until.or(self.lease_until);
    }
}

impl Serialize for RunUpdate<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let change = &self.change;
        let progress = (self.run_id, change.last_sequence, change.added_bytes);
        let status = (change.status.map(RunStatus::as_str), change.ended_at, change.reason);
        (progress, status, (change.owner, change.epoch, change.lease_until)).serialize(serializer)
    }
}

/// An entity's state: `reducer, entity, version, state`.
#[derive(Clone, Debug)]
pub struct StateRow<'a> {
    /// The version the batch found.
    pub expected_version: u64,
    /// The version the batch leaves.
    pub version: u64,
    /// The reducer.
    pub reducer: &'a str,
    /// The entity.
    pub entity: &'a str,
    /// The state, JSON text.
    pub state: &'a str,
}

impl Serialize for StateRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.reducer, self.entity, self.version, self.state).serialize(serializer)
    }
}

/// A message of the outbox or the inbox: `id, topic, key, text, run_id`; the inbox knows no run.
#[derive(Clone, Debug, Serialize)]
pub struct MessageRow(pub Uuid, pub String, pub Option<String>, pub String, pub Option<RunId>);

/// An order: `id, run_id, kind, at, settled`.
#[derive(Clone, Debug)]
pub struct OrderRow {
    /// Its id.
    pub id: Uuid,
    /// The run.
    pub run_id: RunId,
    /// What is wanted.
    pub kind: OrderKind,
    /// When it was given.
    pub at: Micros,
    /// Whether it is taken up already.
    pub settled: bool,
}

impl Serialize for OrderRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.id, self.run_id, self.kind.as_str(), self.at, u8::from(self.settled)).serialize(serializer)
    }
}

/// A state to write, and the version it follows.
#[derive(Clone, Debug)]
pub struct StateWriteRow {
    /// The reducer.
    pub reducer: String,
    /// The entity.
    pub entity: String,
    /// The version the writer read.
    pub expected_version: u64,
    /// The new state, JSON text.
    pub state: String,
}

impl RecordRow {
    /// The row of a run's first record.
    pub(super) fn first(run_id: RunId, body: &serde_json::Value) -> Self {
        Self(run_id, 1, "started".to_owned(), body.to_string())
    }

    /// The rows of records that follow the one at `sequence`.
    pub(super) fn after(run_id: RunId, sequence: u64, records: Vec<NewRecord>) -> Vec<Self> {
        let numbered = records.into_iter().enumerate();
        numbered
            .map(|(index, NewRecord { kind, body })| {
                Self(run_id, sequence.saturating_add(index as u64 + 1), kind, body.to_string())
            })
            .collect()
    }

    /// How many bytes its body is.
    pub fn size(&self) -> usize {
        self.3.len()
    }
}

impl MessageRow {
    /// The row of a message that leaves with the end of a run.
    pub(super) fn outgoing(run_id: RunId, message: OutboxMessage) -> Self {
        Self(message.id, message.topic, message.key, message.envelope.to_string(), Some(run_id))
    }

    /// How many bytes its text is.
    pub fn size(&self) -> usize {
        self.3.len()
    }
}

impl From<InboxMessage> for MessageRow {
    fn from(message: InboxMessage) -> Self {
        Self(message.id, message.topic, message.key, message.body, None)
    }
}

impl From<StateWrite> for StateWriteRow {
    fn from(write: StateWrite) -> Self {
        let state = write.state.to_string();
        Self { reducer: write.reducer, entity: write.entity, expected_version: write.expected_version, state }
    }
}
