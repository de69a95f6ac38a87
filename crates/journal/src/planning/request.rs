//! Decides what callers hand to those who commit, and how they get their answer: after the commit, and not before.

use onex_node::RunId;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::row::{ContractRow, MessageRow, Micros, RecordRow, StateWriteRow};
use crate::{Append, Claim, End, JournalError, NewRun, RunOrder, RunStatus};

/// Where a caller waits. One who went away misses the answer; the work is done all the same.
pub type Reply = oneshot::Sender<Result<Answer, JournalError>>;

/// What is asked of a journal, and where the answer goes.
#[derive(Debug)]
pub struct Request {
    /// What is asked.
    pub demand: Demand,
    /// Where the answer goes.
    pub reply: Reply,
}

/// What is asked of a journal.
#[derive(Debug)]
pub enum Demand {
    /// Decided in memory, together with its neighbours.
    Planned(Planned),
    /// Decided by the store, between its neighbours.
    Query(Query),
}

/// Demands that need to know only the runs, entities and orders they name.
#[derive(Debug)]
pub enum Planned {
    /// Keep a contract.
    SaveContract(ContractRow),
    /// Start a run.
    Start(Box<StartRun>),
    /// Append to a run.
    Append(Box<AppendRows>),
    /// Prolong leases.
    Renew {
        /// Of these runs.
        claims: Vec<Claim>,
        /// Until then.
        lease_until: Micros,
    },
    /// Take one run over, if it is free.
    Claim {
        /// The run.
        run_id: RunId,
        /// For whom.
        lease: TakeOver,
    },
    /// Set a run aside.
    SetAside {
        /// The run.
        run_id: RunId,
        /// Why.
        reason: String,
    },
    /// Keep an order.
    Order(RunOrder),
    /// Forget outgoing messages.
    MarkPublished(Vec<Uuid>),
    /// Keep incoming messages.
    Accept(Vec<MessageRow>),
    /// Forget incoming messages.
    Forget(Vec<Uuid>),
}

/// Demands that choose their runs themselves.
#[derive(Clone, Debug)]
pub enum Query {
    /// Take over what is free.
    TakeOver(TakeOver),
    /// Remove what is old.
    Prune(Prune),
}

/// Whose lease is extended to runs that are free at `now`.
#[derive(Clone, Debug)]
pub struct TakeOver {
    /// Who takes over.
    pub owner: String,
    /// Leases that end by then have expired.
    pub now: Micros,
    /// Until when the runs are the owner's.
    pub lease_until: Micros,
    /// How many runs at most.
    pub limit: u32,
    /// Whether runs that are the owner's already are free as well.
    pub with_own: bool,
}

/// What is old enough to be removed.
#[derive(Clone, Copy, Debug)]
pub struct Prune {
    /// Runs that ended before.
    pub ended_before: Micros,
    /// How many runs at most.
    pub limit: u32,
}

/// A run to start, its first record apart.
#[derive(Debug)]
pub struct StartRun {
    /// The run; its `started` is in the record.
    pub run: NewRun,
    /// Its first record.
    pub record: RecordRow,
}

/// Records to append.
#[derive(Debug)]
pub struct AppendRows {
    /// The run.
    pub run_id: RunId,
    /// The writer's epoch.
    pub epoch: u64,
    /// The last record the writer knows of.
    pub expected_sequence: u64,
    /// What to append.
    pub records: Vec<RecordRow>,
    /// The run's end.
    pub end: Option<EndRows>,
    /// Orders that are taken up.
    pub settled_orders: Vec<Uuid>,
}

/// A run's end.
#[derive(Debug)]
pub struct EndRows {
    /// How it ended.
    pub status: RunStatus,
    /// When.
    pub at: Micros,
    /// What leaves because of it.
    pub outbox: Vec<MessageRow>,
    /// The states after it.
    pub states: Vec<StateWriteRow>,
}

/// What a demand came to.
#[derive(Debug)]
pub enum Answer {
    /// It is done.
    Done,
    /// An epoch, a sequence, or how many.
    Number(u64),
    /// Runs that were lost.
    Lost(Vec<RunId>),
    /// Runs that were claimed.
    Claims(Vec<Claim>),
}

/// The defect of a journal that answers something else than it was asked.
#[derive(Debug, thiserror::Error)]
#[error("the journal answered {0:?}, which was not asked")]
struct Beside(Answer);

impl Request {
    /// About how many bytes it writes.
    pub fn size(&self) -> usize {
        match &self.demand {
            Demand::Planned(Planned::Start(start)) => start.record.size(),
            Demand::Planned(Planned::Append(append)) => append.size(),
            Demand::Planned(Planned::Accept(messages)) => messages.iter().map(MessageRow::size).sum(),
            Demand::Planned(Planned::SaveContract(contract)) => contract.1.len(),
            Demand::Planned(_) | Demand::Query(_) => 0,
        }
    }

    /// Answers.
    pub fn answer(self, answer: Result<Answer, JournalError>) {
        let _ = self.reply.send(answer);
    }
}

/// How many of the first requests go into one commit of at most `limit` bytes: at least one, though it be large.
pub fn batch_length(queue: &[Request], limit: usize) -> usize {
    let mut bytes = 0;
    let fitting = queue.iter().take_while(|request| {
        bytes += request.size();
        bytes <= limit
    });
    fitting.count().max(1)
}

impl Answer {
    /// Nothing but that it is done.
    ///
    /// # Errors
    ///
    /// A defect of the journal: it is another answer. So it is with the others.
    pub fn done(self) -> Result<(), JournalError> {
        match self {
            Self::Done => Ok(()),
            other => Err(beside(other)),
        }
    }

    /// The number.
    ///
    /// # Errors
    ///
    /// It is another answer.
    pub fn number(self) -> Result<u64, JournalError> {
        match self {
            Self::Number(number) => Ok(number),
            other => Err(beside(other)),
        }
    }

    /// The runs that were lost.
    ///
    /// # Errors
    ///
    /// It is another answer.
    pub fn lost(self) -> Result<Vec<RunId>, JournalError> {
        match self {
            Self::Lost(lost) => Ok(lost),
            other => Err(beside(other)),
        }
    }

    /// The runs that were claimed.
    ///
    /// # Errors
    ///
    /// It is another answer.
    pub fn claims(self) -> Result<Vec<Claim>, JournalError> {
        match self {
            Self::Claims(claims) => Ok(claims),
            other => Err(beside(other)),
        }
    }
}

fn beside(answer: Answer) -> JournalError {
    JournalError::unavailable(Beside(answer))
}

impl From<NewRun> for StartRun {
    fn from(mut run: NewRun) -> Self {
        let record = RecordRow::first(run.run_id, &run.started.take());
        Self { run, record }
    }
}

impl From<Append> for AppendRows {
    fn from(append: Append) -> Self {
        Self {
            run_id: append.run_id,
            epoch: append.epoch,
            expected_sequence: append.expected_sequence,
            records: RecordRow::after(append.run_id, append.expected_sequence, append.records),
            end: append.end.map(|end| EndRows::of(append.run_id, end)),
            settled_orders: append.settled_orders,
        }
    }
}

impl EndRows {
    fn of(run_id: RunId, end: End) -> Self {
        Self {
            status: end.status,
            at: end.at.into(),
            outbox: end.outbox.into_iter().map(|message| MessageRow::outgoing(run_id, message)).collect(),
            states: end.states.into_iter().map(StateWriteRow::from).collect(),
        }
    }
}

impl AppendRows {
    /// How many bytes its records are.
    pub fn record_bytes(&self) -> usize {
        self.records.iter().map(RecordRow::size).sum()
    }

    fn size(&self) -> usize {
        let end = self.end.iter();
        let messages: usize = end.clone().flat_map(|end| &end.outbox).map(MessageRow::size).sum();
        let states: usize = end.flat_map(|end| &end.states).map(|write| write.state.len()).sum();
        self.record_bytes() + messages + states
    }
}

impl TakeOver {
    /// One run's take-over.
    pub fn one(owner: &str, now: Micros, lease_until: Micros) -> Self {
        Self { owner: owner.to_owned(), now, lease_until, limit: 1, with_own: true }
    }
}

impl Planned {
    /// The runs it names.
    pub fn run_ids(&self) -> Vec<RunId> {
        match self {
            Self::Start(start) => vec![start.run.run_id],
            Self::Append(append) => vec![append.run_id],
            Self::Renew { claims, .. } => claims.iter().map(|claim| claim.run_id).collect(),
            Self::Claim { run_id, .. } | Self::SetAside { run_id, .. } => vec![*run_id],
            Self::Order(order) => vec![order.run_id],
            Self::SaveContract(_) | Self::MarkPublished(_) | Self::Accept(_) | Self::Forget(_) => Vec::new(),
        }
    }

    /// The states it writes.
    pub fn states(&self) -> &[StateWriteRow] {
        match self {
            Self::Append(append) => append.end.as_ref().map_or(&[], |end| &end.states),
            _ => &[],
        }
    }

    /// The order it gives.
    pub fn order(&self) -> Option<Uuid> {
        match self {
            Self::Order(order) => Some(order.id),
            _ => None,
        }
    }

    /// The run it wants to claim, whose parent decides as well.
    pub fn claimed(&self) -> Option<RunId> {
        match self {
            Self::Claim { run_id, .. } => Some(*run_id),
            _ => None,
        }
    }
}
