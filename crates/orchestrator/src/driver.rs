//! Does what a run asks for: computes, dispatches, waits, and writes down what happened before acting on
//! it. No policy is here; what to do is [`RunState`]'s to say.
//!
//! Records are held back while only pure steps follow from them, and written before the run acts or waits:
//! its start, each effect's outcome, and its end together with the last outcome.

mod child;
mod dispatch;
mod drive;
mod end;
mod error;
mod orders;
mod replay;
mod rest;
mod worker;

use std::sync::Arc;

use onex_contract::{Contract, Fingerprint, Reading};
use onex_journal::{Journal, JournalError, NewRun, RunHeader, StoredRun};
use onex_node::{Failure, NodeRegistry, RunId};
use serde_json::Value;
use uuid::Uuid;

use crate::event::{EntityAtStart, Event, Start};
use crate::nodes;
use crate::plan::{Plan, PlanError};
use crate::state::RunState;
pub use child::Workflows;
use drive::Drive;
pub use error::DriveError;
pub use orders::{Order, Orders, Wish};
pub use worker::{Clock, RunEnd, RunRequest, Worker};

/// What of the journal's is settled when a run starts.
struct Arrival {
    inbox_id: Option<Uuid>,
    order_id: Option<Uuid>,
}

/// An orchestrator made of a contract.
#[derive(Clone, Debug)]
pub struct NodeOrchestrator {
    plan: Arc<Plan>,
    nodes: NodeRegistry,
    canonical: Arc<str>,
}

impl NodeOrchestrator {
    /// The orchestrator of a contract that was read, over the nodes this process has.
    ///
    /// # Errors
    ///
    /// The contract has errors, or its graph cannot be bound.
    pub fn from_reading(reading: &Reading, nodes: &NodeRegistry) -> Result<Self, PlanError> {
        let unsound = || PlanError::Unsound { file: reading.file.clone() };
        let contract = reading.contract.as_ref().filter(|_| !reading.has_errors()).ok_or_else(unsound)?;
        let fingerprint = reading.fingerprint.as_ref().ok_or_else(unsound)?;
        Self::new(contract, fingerprint.as_str(), &reading.canonical, nodes)
    }

    /// The orchestrator of a contract whose canonical JSON a journal kept.
    ///
    /// # Errors
    ///
    /// As [`NodeOrchestrator::from_reading`], and when the text is not the one the fingerprint was taken of.
    pub fn from_canonical(canonical: &str, fingerprint: &str, nodes: &NodeRegistry) -> Result<Self, PlanError> {
        if Fingerprint::of(canonical).as_str() != fingerprint {
            return Err(PlanError::Changed { fingerprint: fingerprint.to_owned() });
        }
        let contract = onex_contract::read_canonical(canonical);
        let contract = contract.map_err(|_| PlanError::Unsound { file: format!("contract {fingerprint}") })?;
        Self::new(&contract, fingerprint, canonical, nodes)
    }

    fn new(contract: &Contract, fingerprint: &str, canonical: &str, nodes: &NodeRegistry) -> Result<Self, PlanError> {
        let plan = Plan::new(contract, fingerprint, nodes)?;
        Ok(Self { plan: Arc::new(plan), nodes: nodes.clone(), canonical: canonical.into() })
    }

    /// What it runs.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Keeps the contract in the journal, where its runs find it when the file has changed or gone.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub async fn save(&self, journal: &dyn Journal) -> Result<(), JournalError> {
        journal.save_contract(&self.plan.fingerprint, &self.canonical).await
    }

    /// The entity an event is about, which orders runs; `None` when the graph has no reducer.
    ///
    /// # Errors
    ///
    /// The event does not tell.
    pub fn entity(&self, event: &Value) -> Result<Option<String>, Failure> {
        Ok(nodes::entity_of(&self.plan, &self.nodes, event)?.map(|entity| entity.entity))
    }

    /// Starts a run and carries it to its end.
    ///
    /// # Errors
    ///
    /// The run could not be started, or not be carried to its end here.
    pub async fn run(&self, worker: &Worker, request: RunRequest) -> Result<RunEnd, DriveError> {
        Box::pin(self.begin(worker, request)).await?.go_on().await
    }

    /// Apart from what follows, so that a run that waits does not keep the room its start took.
    async fn begin<'a>(&'a self, worker: &'a Worker, request: RunRequest) -> Result<Box<Drive<'a>>, DriveError> {
        let run_id = request.run_id;
        let entity = self.entity_at_start(worker, &request).await?;
        let start = Start {
            event_type: request.event_type,
            correlation_id: request.correlation_id.unwrap_or(run_id.0),
            parent_envelope_id: request.parent_envelope_id,
            entity,
            limits: worker.limits,
            parent: request.parent,
            carried: request.carried,
            ..Start::new(worker.clock.now(), request.input)
        };
        let arrival = Arrival { inbox_id: request.inbox_id, order_id: request.order_id };
        let run = self.new_run(worker, run_id, &start, arrival);
        let started = Event::Started(Box::new(start));
        let run = NewRun { started: drive::body(&started, &RunState::new(run_id, Arc::clone(&self.plan))), ..run };
        let epoch = worker.journal.start(run).await.map_err(|source| DriveError::Journal { run_id, source })?;
        let mut drive = Drive::new(self, worker, run_id, epoch);
        drive.take(started)?;
        Ok(drive)
    }

    /// Carries a run on that was taken over at `epoch`. One that has ended is told, and nothing is done: its
    /// end may have been written although the journal said that it could not be used.
    ///
    /// # Errors
    ///
    /// The run's records do not lead to where they led before, or it could not be carried to its end here.
    pub async fn resume(&self, worker: &Worker, stored: StoredRun, epoch: u64) -> Result<RunEnd, DriveError> {
        let mut drive = Drive::new(self, worker, stored.header.run_id, epoch);
        drive.replay(stored.records)?;
        if stored.header.ended_at.is_some() {
            return drive.end();
        }
        drive.wake();
        drive.go_on().await
    }

    /// The orchestrator of a run: of the contract that the journal keeps since the run started.
    ///
    /// # Errors
    ///
    /// The journal cannot be read or keeps no such contract, or it cannot be bound any more.
    pub async fn of_snapshot(worker: &Worker, nodes: &NodeRegistry, header: &RunHeader) -> Result<Self, DriveError> {
        let (run_id, fingerprint) = (header.run_id, &header.contract_fingerprint);
        let canonical = worker.journal.contract(fingerprint).await;
        let canonical = canonical.map_err(|source| DriveError::Journal { run_id, source })?;
        let canonical = canonical.ok_or(DriveError::Contract { run_id, source: None })?;
        Self::from_canonical(&canonical, fingerprint, nodes)
            .map_err(|source| DriveError::Contract { run_id, source: Some(source) })
    }

    /// What a run does that is to do what an ended one left undone: over the same input, with the effects that are
    /// in place taken as they are. It is a run of its own; what has ended stays as it is.
    ///
    /// # Errors
    ///
    /// The run's records do not lead to where they led before.
    pub fn retry_of(&self, worker: &Worker, stored: StoredRun, run_id: RunId) -> Result<RunRequest, DriveError> {
        let mut drive = Drive::new(self, worker, stored.header.run_id, stored.header.epoch);
        drive.replay(stored.records)?;
        let state = &drive.state;
        Ok(RunRequest {
            correlation_id: Some(state.correlation_id()),
            parent_envelope_id: state.parent_envelope_id(),
            event_type: state.event_type().map(str::to_owned),
            carried: state.in_place(),
            ..RunRequest::new(run_id, state.input().clone())
        })
    }

    async fn entity_at_start(
        &self,
        worker: &Worker,
        request: &RunRequest,
    ) -> Result<Option<EntityAtStart>, DriveError> {
        let entity = nodes::entity_of(&self.plan, &self.nodes, &request.input);
        let Some(entity) = entity.map_err(|source| DriveError::Input { source })? else {
            return Ok(None);
        };
        let stored = worker.journal.entity_state(&entity.reducer, &entity.entity).await;
        let stored = stored.map_err(|source| DriveError::Journal { run_id: request.run_id, source })?;
        let (version, state) = stored.map_or((0, Value::Null), |stored| (stored.version, stored.state));
        Ok(Some(EntityAtStart { reducer: entity.reducer, entity: entity.entity, version, state }))
    }

    /// What the journal keeps of a run that starts, its first record apart.
    fn new_run(&self, worker: &Worker, run_id: RunId, start: &Start, arrival: Arrival) -> NewRun {
        NewRun {
            run_id,
            orchestrator: self.plan.name.clone(),
            contract_fingerprint: self.plan.fingerprint.clone(),
            entity: start.entity.as_ref().map(|entity| entity.entity.clone()),
            started: Value::Null,
            owner: worker.owner.clone(),
            lease_until: worker.lease_until(),
            at: start.at,
            inbox_id: arrival.inbox_id,
            parent: start.parent.map(|parent| parent.run_id),
            settled_order: arrival.order_id,
        }
    }
}
