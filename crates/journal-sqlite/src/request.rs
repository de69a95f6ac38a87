//! Decides what callers hand to the writer and how they get their answer: after the commit, and not before.

use std::sync::Arc;

use onex_journal::{Append, Claim, End, JournalError, NewRun, RunStatus};
use onex_node::RunId;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::error::shared_failure;
use crate::row::{ContractRow, MessageRow, Micros, RecordRow, RunRow, StateRow};

/// Where a caller waits.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, JournalError>>;

/// What the writer is asked to do.
#[derive(Debug)]
pub(crate) enum Request {
    /// Decided in memory, together with its neighbours.
    Planned(Planned),
    /// Decided by SQLite, between its neighbours.
    TakeOver { take_over: TakeOver, reply: Reply<Vec<Claim>> },
}

/// Requests that need to know only the runs and entities they name.
#[derive(Debug)]
pub(crate) enum Planned {
    SaveContract { contract: ContractRow, reply: Reply<()> },
    Start { run: Box<StartRun>, reply: Reply<u64> },
    Append { append: Box<AppendRows>, reply: Reply<u64> },
    Renew { claims: Vec<Claim>, lease_until: Micros, reply: Reply<Vec<RunId>> },
    SetAside { run_id: RunId, reason: String, reply: Reply<()> },
    MarkPublished { ids: Vec<Uuid>, reply: Reply<()> },
    Accept { messages: Vec<MessageRow>, reply: Reply<()> },
    Forget { ids: Vec<Uuid>, reply: Reply<()> },
}

/// A run to start.
#[derive(Debug)]
pub(crate) struct StartRun {
    pub(crate) run_id: RunId,
    pub(crate) row: RunRow,
    pub(crate) record: RecordRow,
    pub(crate) inbox_id: Option<Uuid>,
}

/// Records to append.
#[derive(Debug)]
pub(crate) struct AppendRows {
    pub(crate) run_id: RunId,
    pub(crate) epoch: u64,
    pub(crate) expected_sequence: u64,
    pub(crate) records: Vec<RecordRow>,
    pub(crate) end: Option<EndRows>,
}

/// A run's end.
#[derive(Debug)]
pub(crate) struct EndRows {
    pub(crate) status: RunStatus,
    pub(crate) at: Micros,
    pub(crate) outbox: Vec<MessageRow>,
    pub(crate) states: Vec<StateWriteRow>,
}

/// A state to write, and the version it follows.
#[derive(Debug)]
pub(crate) struct StateWriteRow {
    pub(crate) expected_version: u64,
    pub(crate) row: StateRow,
}

/// Whose lease to extend to runs that are free at `now`.
#[derive(Debug)]
pub(crate) struct TakeOver {
    pub(crate) owner: String,
    pub(crate) now: Micros,
    pub(crate) lease_until: Micros,
    pub(crate) limit: u32,
}

impl Request {
    /// About how many bytes it writes.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Planned(Planned::Start { run, .. }) => run.record.size(),
            Self::Planned(Planned::Append { append, .. }) => append.size(),
            Self::Planned(Planned::Accept { messages, .. }) => messages.iter().map(MessageRow::size).sum(),
            Self::Planned(Planned::SaveContract { contract, .. }) => contract.1.len(),
            Self::Planned(_) | Self::TakeOver { .. } => 0,
        }
    }

    /// Answers that the transaction failed.
    pub(crate) fn fail(self, error: &Arc<sqlx::Error>) {
        match self {
            Self::Planned(planned) => planned.fail(error),
            Self::TakeOver { reply, .. } => fail(reply, error),
        }
    }
}

impl Planned {
    fn fail(self, error: &Arc<sqlx::Error>) {
        match self {
            Self::Start { reply, .. } | Self::Append { reply, .. } => fail(reply, error),
            Self::Renew { reply, .. } => fail(reply, error),
            Self::SaveContract { reply, .. }
            | Self::SetAside { reply, .. }
            | Self::MarkPublished { reply, .. }
            | Self::Accept { reply, .. }
            | Self::Forget { reply, .. } => fail(reply, error),
        }
    }
}

/// A caller who went away misses the answer; the work was done all the same.
fn fail<T>(reply: Reply<T>, error: &Arc<sqlx::Error>) {
    let _ = reply.send(Err(shared_failure(error)));
}

/// How a transaction went, for all its requests.
pub(crate) type Committed<'a> = Result<(), &'a Arc<sqlx::Error>>;

/// An outcome that waits for the commit.
pub(crate) struct Settlement(Box<dyn FnOnce(Committed<'_>) + Send>);

impl Settlement {
    /// Answers `outcome` if the commit succeeds. A refusal waits as well: it may rest on a neighbour's write.
    pub(crate) fn new<T: Send + 'static>(reply: Reply<T>, outcome: Result<T, JournalError>) -> Self {
        Self(Box::new(move |committed: Committed<'_>| match committed {
            Ok(()) => drop(reply.send(outcome)),
            Err(error) => fail(reply, error),
        }))
    }

    /// Answers.
    pub(crate) fn settle(self, committed: Committed<'_>) {
        (self.0)(committed);
    }
}

impl From<NewRun> for StartRun {
    fn from(run: NewRun) -> Self {
        let (run_id, inbox_id) = (run.run_id, run.inbox_id);
        let (row, record) = RunRow::start(run);
        Self { run_id, row, record, inbox_id }
    }
}

impl From<Append> for AppendRows {
    fn from(append: Append) -> Self {
        Self {
            run_id: append.run_id,
            epoch: append.epoch,
            expected_sequence: append.expected_sequence,
            records: RecordRow::after(append.run_id, append.expected_sequence, append.records),
            end: append.end.map(EndRows::from),
        }
    }
}

impl From<End> for EndRows {
    fn from(end: End) -> Self {
        let states = end.states.into_iter();
        Self {
            status: end.status,
            at: end.at.into(),
            outbox: end.outbox.into_iter().map(MessageRow::from).collect(),
            states: states
                .map(|write| StateWriteRow { expected_version: write.expected_version, row: StateRow::after(write) })
                .collect(),
        }
    }
}

impl AppendRows {
    fn size(&self) -> usize {
        let records: usize = self.records.iter().map(RecordRow::size).sum();
        let end = self.end.iter();
        let messages: usize = end.clone().flat_map(|end| &end.outbox).map(MessageRow::size).sum();
        let states: usize = end.flat_map(|end| &end.states).map(|write| write.row.size()).sum();
        records + messages + states
    }
}
