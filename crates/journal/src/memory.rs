//! The journal of tests and of `journal: memory`: it keeps every promise except durability.

use std::collections::{BTreeMap, VecDeque};

use async_trait::async_trait;
use onex_node::{RunId, Timestamp};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    Append, Claim, End, EntityState, InboxMessage, Journal, JournalError, NewRecord, NewRun, OutboxMessage, Record,
    RunHeader, RunStatus, StateWrite, StoredRun,
};

/// A journal in memory.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    contracts: BTreeMap<String, String>,
    runs: BTreeMap<RunId, Run>,
    order: Vec<RunId>,
    entities: BTreeMap<(String, String), EntityState>,
    outbox: VecDeque<OutboxMessage>,
    inbox: VecDeque<InboxMessage>,
}

#[derive(Debug)]
struct Run {
    header: RunHeader,
    lease_until: Timestamp,
    records: Vec<Record>,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn save_contract(&self, fingerprint: &str, canonical: &str) -> Result<(), JournalError> {
        let mut state = self.state.lock().await;
        state.contracts.entry(fingerprint.to_owned()).or_insert_with(|| canonical.to_owned());
        Ok(())
    }

    async fn contract(&self, fingerprint: &str) -> Result<Option<String>, JournalError> {
        Ok(self.state.lock().await.contracts.get(fingerprint).cloned())
    }

    async fn start(&self, run: NewRun) -> Result<u64, JournalError> {
        let mut state = self.state.lock().await;
        if let Some(existing) = state.runs.get(&run.run_id) {
            return Err(JournalError::RunExists {
                run_id: run.run_id,
                ended: existing.header.status != RunStatus::Running,
            });
        }
        state.inbox.retain(|message| Some(message.id) != run.inbox_id);
        state.order.push(run.run_id);
        state.runs.insert(run.run_id, Run::new(run));
        Ok(1)
    }

    async fn append(&self, append: Append) -> Result<u64, JournalError> {
        let mut state = self.state.lock().await;
        state.check(&append)?;
        Ok(state.commit(append))
    }

    async fn load(&self, run_id: RunId) -> Result<Option<StoredRun>, JournalError> {
        let state = self.state.lock().await;
        Ok(state.runs.get(&run_id).map(|run| StoredRun { header: run.header.clone(), records: run.records.clone() }))
    }

    async fn runs(&self, status: Option<RunStatus>, limit: u32) -> Result<Vec<RunHeader>, JournalError> {
        let state = self.state.lock().await;
        let newest_first = state.order.iter().rev().filter_map(|run_id| state.runs.get(run_id));
        let chosen = newest_first.filter(|run| status.is_none_or(|status| run.header.status == status));
        Ok(chosen.take(limit as usize).map(|run| run.header.clone()).collect())
    }

    async fn take_over(
        &self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Claim>, JournalError> {
        let mut state = self.state.lock().await;
        let State { order, runs, .. } = &mut *state;
        let mut claims = Vec::new();
        for run_id in order.iter() {
            let Some(run) = runs.get_mut(run_id).filter(|run| run.is_free_for(owner, now)) else { continue };
            if claims.len() == limit as usize {
                break;
            }
            run.header.epoch += 1;
            run.header.owner = owner.to_owned();
            run.lease_until = lease_until;
            claims.push(Claim { run_id: *run_id, epoch: run.header.epoch });
        }
        Ok(claims)
    }

    async fn renew(&self, claims: &[Claim], lease_until: Timestamp) -> Result<Vec<RunId>, JournalError> {
        let mut state = self.state.lock().await;
        let mut lost = Vec::new();
        for claim in claims {
            match state.runs.get_mut(&claim.run_id) {
                Some(run) if run.header.epoch == claim.epoch && run.header.status == RunStatus::Running => {
                    run.lease_until = lease_until;
                }
                _ => lost.push(claim.run_id),
            }
        }
        Ok(lost)
    }

    async fn set_aside(&self, run_id: RunId, reason: &str) -> Result<(), JournalError> {
        let mut state = self.state.lock().await;
        let run = state.runs.get_mut(&run_id).ok_or(JournalError::RunUnknown { run_id })?;
        run.header.status = RunStatus::SetAside;
        run.header.reason = Some(reason.to_owned());
        Ok(())
    }

    async fn entity_state(&self, reducer: &str, entity: &str) -> Result<Option<EntityState>, JournalError> {
        let state = self.state.lock().await;
        Ok(state.entities.get(&(reducer.to_owned(), entity.to_owned())).cloned())
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxMessage>, JournalError> {
        Ok(self.state.lock().await.outbox.iter().take(limit as usize).cloned().collect())
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        self.state.lock().await.outbox.retain(|message| !ids.contains(&message.id));
        Ok(())
    }

    async fn accept(&self, messages: &[InboxMessage]) -> Result<(), JournalError> {
        self.state.lock().await.inbox.extend(messages.iter().cloned());
        Ok(())
    }

    async fn inbox(&self, limit: u32) -> Result<Vec<InboxMessage>, JournalError> {
        Ok(self.state.lock().await.inbox.iter().take(limit as usize).cloned().collect())
    }

    async fn forget(&self, ids: &[Uuid]) -> Result<(), JournalError> {
        self.state.lock().await.inbox.retain(|message| !ids.contains(&message.id));
        Ok(())
    }
}

impl Run {
    fn new(run: NewRun) -> Self {
        let header = RunHeader {
            run_id: run.run_id,
            orchestrator: run.orchestrator,
            contract_fingerprint: run.contract_fingerprint,
            entity: run.entity,
            status: RunStatus::Running,
            owner: run.owner,
            epoch: 1,
            started_at: run.at,
            ended_at: None,
            reason: None,
        };
        let started = Record { sequence: 1, kind: "started".to_owned(), body: run.started };
        Self { header, lease_until: run.lease_until, records: vec![started] }
    }

    fn is_free_for(&self, owner: &str, now: Timestamp) -> bool {
        self.header.status == RunStatus::Running && (self.header.owner == owner || self.lease_until <= now)
    }

    fn last_sequence(&self) -> u64 {
        self.records.last().map_or(0, |record| record.sequence)
    }
}

impl State {
    fn check(&self, append: &Append) -> Result<(), JournalError> {
        let run_id = append.run_id;
        let run = self.runs.get(&run_id).ok_or(JournalError::RunUnknown { run_id })?;
        if run.header.epoch != append.epoch {
            return Err(JournalError::StaleOwner { run_id, given: append.epoch, current: run.header.epoch });
        }
        if run.header.status != RunStatus::Running {
            return Err(JournalError::RunEnded { run_id });
        }
        if run.last_sequence() != append.expected_sequence {
            let (expected, current) = (append.expected_sequence, run.last_sequence());
            return Err(JournalError::SequenceConflict { run_id, expected, current });
        }
        let mut writes = append.end.iter().flat_map(|end| &end.states);
        writes.try_for_each(|write| self.check_state(write))
    }

    fn check_state(&self, write: &StateWrite) -> Result<(), JournalError> {
        let current =
            self.entities.get(&(write.reducer.clone(), write.entity.clone())).map_or(0, |state| state.version);
        if current == write.expected_version {
            return Ok(());
        }
        Err(JournalError::StateConflict {
            reducer: write.reducer.clone(),
            entity: write.entity.clone(),
            expected: write.expected_version,
            current,
        })
    }

    fn commit(&mut self, append: Append) -> u64 {
        let mut sequence = append.expected_sequence;
        if let Some(run) = self.runs.get_mut(&append.run_id) {
            for NewRecord { kind, body } in append.records {
                sequence += 1;
                run.records.push(Record { sequence, kind, body });
            }
            if let Some(end) = &append.end {
                run.header.status = end.status;
                run.header.ended_at = Some(end.at);
            }
        }
        if let Some(End { outbox, states, .. }) = append.end {
            self.outbox.extend(outbox);
            for write in states {
                let state = EntityState { version: write.expected_version + 1, state: write.state };
                self.entities.insert((write.reducer, write.entity), state);
            }
        }
        sequence
    }
}
