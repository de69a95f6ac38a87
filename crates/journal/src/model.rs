//! Decides what is kept of a run, and in which pieces it is written and read.

use onex_node::{RunId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A run to start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewRun {
    /// Its id.
    pub run_id: RunId,
    /// Name of the orchestrator's contract.
    pub orchestrator: String,
    /// Fingerprint of the contract the run keeps to its end.
    pub contract_fingerprint: String,
    /// The entity the run is about, when it is about one; runs of one entity follow each other.
    pub entity: Option<String>,
    /// The first record's body.
    pub started: Value,
    /// Who owns the run.
    pub owner: String,
    /// Until when.
    pub lease_until: Timestamp,
    /// When it starts.
    pub at: Timestamp,
    /// The inbox message it came from, forgotten in the same commit.
    pub inbox_id: Option<Uuid>,
    /// The run that started it as one of its steps, whose owner carries it.
    pub parent: Option<RunId>,
    /// The order it was started for, settled in the same commit.
    pub settled_order: Option<Uuid>,
}

impl NewRun {
    /// A run about nothing in particular, for examples and tests.
    pub fn example(run_id: RunId, contract_fingerprint: &str) -> Self {
        Self {
            run_id,
            orchestrator: "example".to_owned(),
            contract_fingerprint: contract_fingerprint.to_owned(),
            entity: None,
            started: Value::Object(serde_json::Map::new()),
            owner: "example".to_owned(),
            lease_until: Timestamp::UNIX_EPOCH,
            at: Timestamp::UNIX_EPOCH,
            inbox_id: None,
            parent: None,
            settled_order: None,
        }
    }
}

/// A record to append.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewRecord {
    /// What kind of record; the orchestrator's vocabulary.
    pub kind: String,
    /// What it says.
    pub body: Value,
}

/// A record of a run; the first has sequence 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Position within the run, without gaps.
    pub sequence: u64,
    /// What kind of record.
    pub kind: String,
    /// What it says.
    pub body: Value,
}

/// Records to append to a run, all or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// The run.
    pub run_id: RunId,
    /// The writer's epoch.
    pub epoch: u64,
    /// Sequence of the last record the writer knows of.
    pub expected_sequence: u64,
    /// What to append.
    pub records: Vec<NewRecord>,
    /// The run's end, when these are its last records.
    pub end: Option<End>,
    /// Orders that these records take up, settled in the same commit.
    pub settled_orders: Vec<Uuid>,
}

impl Append {
    /// One step's record after the record at `expected_sequence`, for examples and tests.
    pub fn example(run_id: RunId, epoch: u64, expected_sequence: u64) -> Self {
        let record = NewRecord { kind: "step".to_owned(), body: Value::Object(serde_json::Map::new()) };
        Self { run_id, epoch, expected_sequence, records: vec![record], end: None, settled_orders: Vec::new() }
    }
}

/// What is committed together with a run's last record.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// How it ended; never [`RunStatus::Running`].
    pub status: RunStatus,
    /// When.
    pub at: Timestamp,
    /// Messages that leave because of it.
    pub outbox: Vec<OutboxMessage>,
    /// Entities' states after it.
    pub states: Vec<StateWrite>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Not ended.
    Running,
    /// Every effect it was to have is in place.
    Succeeded,
    /// Some effects are in place and the contract counts that as an outcome.
    Partial,
    /// It ended without its effects.
    Failed,
    /// It was told to stop.
    Cancelled,
    /// It cannot be carried on; somebody has to look.
    SetAside,
}

impl RunStatus {
    /// The status as text, as in `docs/` and in SQL tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::SetAside => "set_aside",
        }
    }

    /// The status of that text.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Succeeded, Self::Partial, Self::Failed, Self::Cancelled, Self::SetAside]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// What is known of a run without its records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// The run.
    pub run_id: RunId,
    /// Name of the orchestrator's contract.
    pub orchestrator: String,
    /// Fingerprint of the contract it keeps.
    pub contract_fingerprint: String,
    /// The entity it is about.
    pub entity: Option<String>,
    /// Where it stands.
    pub status: RunStatus,
    /// Who owns it.
    pub owner: String,
    /// The owner's epoch, from 1.
    pub epoch: u64,
    /// Until when it is the owner's; of a run that has ended, until when it was.
    pub lease_until: Timestamp,
    /// The run that started it as one of its steps.
    pub parent: Option<RunId>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it was set aside.
    pub reason: Option<String>,
}

/// A run as the journal holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredRun {
    /// What is known without the records.
    pub header: RunHeader,
    /// Its records in sequence, the first being the start.
    pub records: Vec<Record>,
}

/// A run owned at an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The run.
    pub run_id: RunId,
    /// The owner's epoch.
    pub epoch: u64,
}

/// A reducer's state of one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntityState {
    /// Counts writes, from 1.
    pub version: u64,
    /// The state.
    pub state: Value,
}

/// A write of a reducer's state of one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateWrite {
    /// The reducer's name.
    pub reducer: String,
    /// The entity.
    pub entity: String,
    /// The version the writer read; 0 for an entity never written.
    pub expected_version: u64,
    /// The new state.
    pub state: Value,
}

/// A message that leaves with a run's end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxMessage {
    /// The envelope's id; the same over every attempt to publish.
    pub id: Uuid,
    /// Where to.
    pub topic: String,
    /// The entity it is about.
    pub key: Option<String>,
    /// The envelope as JSON.
    pub envelope: Value,
}

/// A message that came in through a way that does not survive the process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InboxMessage {
    /// The message's id on the bus.
    pub id: Uuid,
    /// Its topic.
    pub topic: String,
    /// The entity it is about.
    pub key: Option<String>,
    /// Its body, JSON text.
    pub body: String,
}
