//! Decides what becomes of runs: who may write to them, in which order, how much, and who may take them over.

use onex_node::RunId;

use super::plan::Plan;
use super::request::{AppendRows, EndRows, StartRun, TakeOver};
use super::row::{Micros, RunChange, RunRow, RunUpdate};
use crate::{Claim, JournalError, RunStatus};

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its owner's epoch.
    pub epoch: u64,
    /// Its status.
    pub status: RunStatus,
    /// Its last record.
    pub sequence: u64,
    /// The size of all its records.
    pub bytes: u64,
    /// Who owns it.
    pub owner: String,
    /// Until when.
    pub lease_until: Micros,
    /// The run that started it.
    pub parent: Option<RunId>,
}

/// Where a batch writes what becomes of a run: new runs and changes are apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Started(usize),
    Updated(usize),
}

impl Head {
    /// Whether the run is unfinished and free to be taken: its lease has expired, or it is the taker's own and those
    /// count.
    pub fn is_free_for(&self, lease: &TakeOver) -> bool {
        let is_own = lease.with_own && self.owner == lease.owner;
        self.status == RunStatus::Running && (is_own || self.lease_until <= lease.now)
    }

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

impl<'a> Plan<'a> {
    pub(super) fn start(&mut self, start: &'a StartRun) -> Result<u64, JournalError> {
        let run_id = start.run.run_id;
        if let Some(head) = self.known.heads.get(&run_id) {
            return Err(JournalError::RunExists { run_id, ended: head.status != RunStatus::Running });
        }
        let row = start.row();
        self.limits.check_record(run_id, row.bytes)?;
        self.known.heads.insert(run_id, Head::of(&row));
        self.places.insert(run_id, Place::Started(self.rows.runs.len()));
        self.rows.runs.push(row);
        self.rows.records.push(&start.record);
        self.rows.inbox.remove(start.run.inbox_id.as_slice());
        start.run.settled_order.into_iter().for_each(|id| self.settle_order(id));
        Ok(1)
    }

    pub(super) fn append(&mut self, append: &'a AppendRows) -> Result<u64, JournalError> {
        let run_id = append.run_id;
        let head = self.known.heads.get(&run_id).ok_or(JournalError::RunUnknown { run_id })?;
        head.check(append)?;
        let added_bytes = append.record_bytes() as u64;
        let sequence = head.sequence.saturating_add(append.records.len() as u64);
        self.check_limits(append, sequence, head.bytes.saturating_add(added_bytes))?;
        for write in append.end.iter().flat_map(|end| &end.states) {
            self.check_state(write)?;
        }
        self.change(run_id, RunChange { last_sequence: Some(sequence), added_bytes, ..RunChange::default() });
        self.rows.records.extend(&append.records);
        append.settled_orders.iter().for_each(|id| self.settle_order(*id));
        if let Some(end) = &append.end {
            self.end(run_id, end);
        }
        Ok(sequence)
    }

    /// Only the size of a record binds an append that ends its run, or a run at a limit could never be ended.
    fn check_limits(&self, append: &AppendRows, records: u64, bytes: u64) -> Result<(), JournalError> {
        for record in &append.records {
            self.limits.check_record(append.run_id, record.size() as u64)?;
        }
        match append.end {
            Some(_) => Ok(()),
            None => self.limits.check_run(append.run_id, records, bytes),
        }
    }

    pub(super) fn renew(&mut self, claims: &[Claim], lease_until: Micros) -> Vec<RunId> {
        let mut lost = Vec::new();
        for claim in claims {
            match self.known.heads.get(&claim.run_id) {
                Some(head) if head.epoch == claim.epoch && head.status == RunStatus::Running => {
                    self.change(claim.run_id, RunChange { lease_until: Some(lease_until), ..RunChange::default() });
                }
                _ => lost.push(claim.run_id),
            }
        }
        lost
    }

    pub(super) fn claim(&mut self, run_id: RunId, lease: &'a TakeOver) -> Option<Claim> {
        let head = self.known.heads.get(&run_id)?;
        if !head.is_free_for(lease) && !self.is_carried_by(head, &lease.owner) {
            return None;
        }
        let epoch = head.epoch.saturating_add(1);
        let (owner, lease_until) = (Some(lease.owner.as_str()), Some(lease.lease_until));
        self.change(run_id, RunChange { owner, lease_until, epoch: Some(epoch), ..RunChange::default() });
        Some(Claim { run_id, epoch })
    }

    /// Whether the run is a step of an unfinished run of `owner`, who is to carry it.
    fn is_carried_by(&self, head: &Head, owner: &str) -> bool {
        let parent = head.parent.and_then(|parent| self.known.heads.get(&parent));
        head.status == RunStatus::Running
            && parent.is_some_and(|parent| parent.status == RunStatus::Running && parent.owner == owner)
    }

    /// A run that was set aside before keeps the first reason.
    pub(super) fn set_aside(&mut self, run_id: RunId, reason: &'a str) -> Result<(), JournalError> {
        let head = self.known.heads.get(&run_id).ok_or(JournalError::RunUnknown { run_id })?;
        match head.status {
            RunStatus::Running => {
                let (status, reason) = (Some(RunStatus::SetAside), Some(reason));
                self.change(run_id, RunChange { status, reason, ..RunChange::default() });
                Ok(())
            }
            RunStatus::SetAside => Ok(()),
            _ => Err(JournalError::RunEnded { run_id }),
        }
    }

    fn end(&mut self, run_id: RunId, end: &'a EndRows) {
        let (status, ended_at) = (Some(end.status), Some(end.at));
        self.change(run_id, RunChange { status, ended_at, ..RunChange::default() });
        self.rows.outbox.entered.extend(&end.outbox);
        end.states.iter().for_each(|write| self.write_state(write));
    }

    /// Notes what becomes of a known run, for later demands and for the store.
    fn change(&mut self, run_id: RunId, change: RunChange<'a>) {
        let Some(head) = self.known.heads.get_mut(&run_id) else { return };
        let place = self.places.entry(run_id).or_insert_with(|| {
            let (expected_epoch, expected_sequence) = (head.epoch, None);
            self.rows.updates.push(RunUpdate {
                run_id,
                expected_epoch,
                expected_sequence,
                change: RunChange::default(),
            });
            Place::Updated(self.rows.updates.len() - 1)
        });
        match *place {
            Place::Started(index) => self.rows.runs[index].apply(&change),
            Place::Updated(index) => self.rows.updates[index].add(&change, head.sequence),
        }
        head.apply(&change);
    }
}

impl<'a> RunUpdate<'a> {
    /// The first progress is what the update's expected sequence is before.
    fn add(&mut self, change: &RunChange<'a>, sequence: u64) {
        if change.last_sequence.is_some() {
            self.expected_sequence.get_or_insert(sequence);
        }
        self.change.then(change);
    }
}

impl Head {
    fn apply(&mut self, change: &RunChange<'_>) {
        self.sequence = change.last_sequence.unwrap_or(self.sequence);
        self.bytes = self.bytes.saturating_add(change.added_bytes);
        self.status = change.status.unwrap_or(self.status);
        self.epoch = change.epoch.unwrap_or(self.epoch);
        self.lease_until = change.lease_until.unwrap_or(self.lease_until);
        if let Some(owner) = change.owner {
            owner.clone_into(&mut self.owner);
        }
    }

    fn of(row: &RunRow<'_>) -> Self {
        Self {
            epoch: row.epoch,
            status: row.status,
            sequence: row.last_sequence,
            bytes: row.bytes,
            owner: row.owner.to_owned(),
            lease_until: row.lease_until,
            parent: row.parent,
        }
    }
}

impl StartRun {
    fn row(&self) -> RunRow<'_> {
        let Self { run, record } = self;
        RunRow {
            run_id: run.run_id,
            orchestrator: &run.orchestrator,
            contract_fingerprint: &run.contract_fingerprint,
            entity: run.entity.as_deref(),
            parent: run.parent,
            status: RunStatus::Running,
            owner: &run.owner,
            epoch: 1,
            lease_until: run.lease_until.into(),
            last_sequence: 1,
            bytes: record.size() as u64,
            started_at: run.at.into(),
            ended_at: None,
            reason: None,
        }
    }
}
