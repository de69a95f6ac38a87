//! Decides what each request of a batch comes to, in memory and in the order of arrival, given what the journal
//! knows of the runs and entities they name. Later requests see what earlier ones of the same batch did; a
//! refused one leaves nothing behind, so that its neighbours never notice it.
//!
//! Pure: [`crate::load`] fetches what is [`Known`], [`crate::store`] writes the [`Rows`].

use std::collections::{HashMap, HashSet};

use onex_journal::{Claim, JournalError, RunStatus};
use onex_node::RunId;
use uuid::Uuid;

use crate::request::{AppendRows, EndRows, Planned, Settlement, StartRun, StateWriteRow};
use crate::row::{ChangeRow, ContractRow, MessageRow, Micros, ProgressRow, RecordRow, RunRow, StateRow};

/// A reducer's name and an entity.
pub(crate) type EntityKey = (String, String);

/// What the batch's requests are judged by.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) heads: HashMap<RunId, Head>,
    pub(crate) versions: HashMap<EntityKey, u64>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) epoch: u64,
    pub(crate) status: RunStatus,
    pub(crate) sequence: u64,
}

/// What is to be written, each list by one statement.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) contracts: Vec<ContractRow>,
    pub(crate) runs: Vec<RunRow>,
    pub(crate) records: Vec<RecordRow>,
    pub(crate) progress: Vec<ProgressRow>,
    pub(crate) changes: Vec<ChangeRow>,
    pub(crate) states: Vec<StateRow>,
    pub(crate) outbox: Queue,
    pub(crate) inbox: Queue,
}

/// Changes of a table that messages enter and leave: what left does so before the rest enters.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) left: Vec<Uuid>,
    pub(crate) entered: Vec<MessageRow>,
}

/// The batch as decided so far.
#[derive(Debug)]
pub(crate) struct Plan {
    known: Known,
    progressed: HashSet<RunId>,
    changes: HashMap<RunId, ChangeRow>,
    states: HashMap<EntityKey, StateRow>,
    rows: Rows,
}

impl Plan {
    pub(crate) fn new(known: Known) -> Self {
        Self {
            known,
            progressed: HashSet::new(),
            changes: HashMap::new(),
            states: HashMap::new(),
            rows: Rows::default(),
        }
    }

    /// Decides the next request.
    pub(crate) fn decide(&mut self, request: Planned) -> Settlement {
        match request {
            Planned::SaveContract { contract, reply } => {
                self.rows.contracts.push(contract);
                Settlement::new(reply, Ok(()))
            }
            Planned::Start { run, reply } => Settlement::new(reply, self.start(*run)),
            Planned::Append { append, reply } => Settlement::new(reply, self.append(*append)),
            Planned::Renew { claims, lease_until, reply } => {
                Settlement::new(reply, Ok(self.renew(&claims, lease_until)))
            }
            Planned::SetAside { run_id, reason, reply } => Settlement::new(reply, self.set_aside(run_id, reason)),
            Planned::MarkPublished { ids, reply } => {
                self.rows.outbox.remove(&ids);
                Settlement::new(reply, Ok(()))
            }
            Planned::Accept { messages, reply } => {
                self.rows.inbox.add(messages);
                Settlement::new(reply, Ok(()))
            }
            Planned::Forget { ids, reply } => {
                self.rows.inbox.remove(&ids);
                Settlement::new(reply, Ok(()))
            }
        }
    }

    /// What all decided requests write.
    pub(crate) fn into_rows(self) -> Rows {
        let Self { known, progressed, changes, states, rows } = self;
        let heads = progressed.into_iter().filter_map(|run_id| Some((run_id, known.heads.get(&run_id)?)));
        Rows {
            progress: heads.map(|(run_id, head)| ProgressRow(run_id, head.sequence)).collect(),
            changes: changes.into_values().collect(),
            states: states.into_values().collect(),
            ..rows
        }
    }

    fn start(&mut self, run: StartRun) -> Result<u64, JournalError> {
        let run_id = run.run_id;
        if let Some(head) = self.known.heads.get(&run_id) {
            return Err(JournalError::RunExists { run_id, ended: head.status != RunStatus::Running });
        }
        let head = Head { epoch: 1, status: RunStatus::Running, sequence: 1 };
        self.known.heads.insert(run_id, head);
        self.rows.runs.push(run.row);
        self.rows.records.push(run.record);
        self.rows.inbox.remove(run.inbox_id.as_slice());
        Ok(head.epoch)
    }

    fn append(&mut self, append: AppendRows) -> Result<u64, JournalError> {
        let run_id = append.run_id;
        let head = self.known.heads.get_mut(&run_id).ok_or(JournalError::RunUnknown { run_id })?;
        head.check(&append)?;
        for write in append.end.iter().flat_map(|end| &end.states) {
            check_state(&self.known.versions, write)?;
        }
        head.sequence += append.records.len() as u64;
        let sequence = head.sequence;
        if !append.records.is_empty() {
            self.progressed.insert(run_id);
            self.rows.records.extend(append.records);
        }
        if let Some(end) = append.end {
            self.end(run_id, end);
        }
        Ok(sequence)
    }

    fn end(&mut self, run_id: RunId, end: EndRows) {
        self.set_status(run_id, end.status);
        self.change(ChangeRow::end(run_id, end.status, end.at));
        self.rows.outbox.add(end.outbox);
        for StateWriteRow { row, .. } in end.states {
            let key = (row.0.clone(), row.1.clone());
            self.known.versions.insert(key.clone(), row.2);
            self.states.insert(key, row);
        }
    }

    fn renew(&mut self, claims: &[Claim], lease_until: Micros) -> Vec<RunId> {
        let mut lost = Vec::new();
        for claim in claims {
            match self.known.heads.get(&claim.run_id) {
                Some(head) if head.epoch == claim.epoch && head.status == RunStatus::Running => {
                    self.change(ChangeRow::lease(claim.run_id, lease_until));
                }
                _ => lost.push(claim.run_id),
            }
        }
        lost
    }

    fn set_aside(&mut self, run_id: RunId, reason: String) -> Result<(), JournalError> {
        if !self.known.heads.contains_key(&run_id) {
            return Err(JournalError::RunUnknown { run_id });
        }
        self.set_status(run_id, RunStatus::SetAside);
        self.change(ChangeRow::set_aside(run_id, reason));
        Ok(())
    }

    fn set_status(&mut self, run_id: RunId, status: RunStatus) {
        if let Some(head) = self.known.heads.get_mut(&run_id) {
            head.status = status;
        }
    }

    fn change(&mut self, change: ChangeRow) {
        let run_id = change.0;
        let merged = match self.changes.remove(&run_id) {
            Some(earlier) => earlier.then(change),
            None => change,
        };
        self.changes.insert(run_id, merged);
    }
}

impl Head {
    fn check(&self, append: &AppendRows) -> Result<(), JournalError> {
        let run_id = append.run_id;
        if self.epoch != append.epoch {
            return Err(JournalError::StaleOwner { run_id, given: append.epoch, current: self.epoch });
        }
        if self.status != RunStatus::Running {
            return Err(JournalError::RunEnded { run_id });
        }
        if self.sequence != append.expected_sequence {
            let (expected, current) = (append.expected_sequence, self.sequence);
            return Err(JournalError::SequenceConflict { run_id, expected, current });
        }
        Ok(())
    }
}

fn check_state(versions: &HashMap<EntityKey, u64>, write: &StateWriteRow) -> Result<(), JournalError> {
    let key = (write.row.0.clone(), write.row.1.clone());
    let current = versions.get(&key).copied().unwrap_or(0);
    if current == write.expected_version {
        return Ok(());
    }
    let (reducer, entity) = key;
    Err(JournalError::StateConflict { reducer, entity, expected: write.expected_version, current })
}

impl Queue {
    fn add(&mut self, messages: Vec<MessageRow>) {
        self.entered.extend(messages);
    }

    fn remove(&mut self, ids: &[Uuid]) {
        if !self.entered.is_empty() && !ids.is_empty() {
            let ids: HashSet<_> = ids.iter().collect();
            self.entered.retain(|message| !ids.contains(&message.0));
        }
        self.left.extend(ids);
    }
}
