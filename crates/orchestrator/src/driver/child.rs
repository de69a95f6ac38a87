//! Runs the workflow of another contract as a step: a run of its own in the same journal, told to stop when the step
//! is.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use onex_journal::{JournalError, RunStatus};
use onex_node::{ErrorClass, Failure, Intent, RunId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{DriveError, NodeOrchestrator, RunEnd, RunRequest, Worker};
use crate::event::{CallId, Parent};
use crate::state::RunState;

/// The workflows that can be run as steps, by the names of their contracts.
#[derive(Clone, Debug, Default)]
pub struct Workflows(Arc<RwLock<HashMap<String, NodeOrchestrator>>>);

impl Workflows {
    /// Makes a workflow known; a later one of the same name is the one that new runs take.
    pub fn insert(&self, orchestrator: NodeOrchestrator) {
        let name = orchestrator.plan().name.clone();
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(name, orchestrator);
    }

    /// The workflow of a contract.
    pub fn get(&self, name: &str) -> Option<NodeOrchestrator> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// The id of the run that one attempt of a step is: the same in every recovery.
pub(super) fn child_id(parent: RunId, call: &CallId, attempt: u32) -> RunId {
    let name = format!("{}/{}/{attempt}", call.step, call.call);
    RunId(Uuid::new_v5(&parent.0, name.as_bytes()))
}

/// What starts the run.
pub(super) fn request(state: &RunState, call: &CallId, attempt: u32, intent: Intent) -> RunRequest {
    let parent = Parent { run_id: state.run_id(), depth: state.depth() + 1 };
    RunRequest {
        correlation_id: Some(state.correlation_id()),
        parent_envelope_id: state.parent_envelope_id(),
        parent: Some(parent),
        ..RunRequest::new(child_id(state.run_id(), call, attempt), intent.payload)
    }
}

/// Carries the run to its end, from where it is if it was begun before.
pub(super) async fn run(worker: &Worker, name: &str, request: RunRequest, most: u32) -> Result<Value, Failure> {
    let depth = request.parent.map_or(0, |parent| parent.depth);
    if depth > most {
        let message = format!("`{name}` would run {depth} deep, at most {most} may be");
        return Err(Failure::new(ErrorClass::Validation, "ONEX3028", message).named("WorkflowDepthError"));
    }
    let missing = || Failure::new(ErrorClass::NotFound, "ONEX3027", format!("no workflow `{name}` is known here"));
    let orchestrator = worker.workflows.get(name).ok_or_else(missing)?;
    let run_id = request.run_id;
    let ended = match orchestrator.run(worker, request).await {
        Err(DriveError::Journal { source: JournalError::RunExists { .. }, .. }) => {
            resumed(worker, &orchestrator, run_id).await
        }
        ended => ended,
    };
    told(name, run_id, ended)
}

/// The end of a run that was begun before, carried there if need be.
async fn resumed(worker: &Worker, known: &NodeOrchestrator, run_id: RunId) -> Result<RunEnd, DriveError> {
    let unwritten = |source| DriveError::Journal { run_id, source };
    let (now, until) = (worker.clock.now(), worker.lease_until());
    let claim = worker.journal.claim(run_id, &worker.owner, now, until).await.map_err(unwritten)?;
    let stored = worker.journal.load(run_id).await.map_err(unwritten)?;
    let stored = stored.ok_or(unwritten(JournalError::RunUnknown { run_id }))?;
    if claim.is_none() && stored.header.ended_at.is_none() {
        return Err(DriveError::OwnedElsewhere { run_id });
    }
    let is_known = stored.header.contract_fingerprint == known.plan.fingerprint;
    let orchestrator = match is_known {
        true => known.clone(),
        false => NodeOrchestrator::of_snapshot(worker, &known.nodes, &stored.header).await?,
    };
    let epoch = claim.map_or(stored.header.epoch, |claim| claim.epoch);
    orchestrator.resume(worker, stored, epoch).await
}

fn told(name: &str, run_id: RunId, ended: Result<RunEnd, DriveError>) -> Result<Value, Failure> {
    let failed = |class, why: &str| {
        let message = format!("run {run_id} of `{name}` {why}");
        Err(Failure::new(class, "ONEX3027", message).named("WorkflowError"))
    };
    match ended {
        Ok(RunEnd { outcome, results, .. }) => match outcome.status {
            RunStatus::Succeeded | RunStatus::Partial => {
                Ok(json!({"run_id": run_id, "status": outcome.status, "results": results}))
            }
            status => {
                let class = outcome.failure.as_ref().map_or(ErrorClass::Internal, |failure| failure.class);
                let code = outcome.failure.map(|failure| format!(": {} {}", failure.code, failure.message));
                failed(class, &format!("ended as {}{}", status.as_str(), code.unwrap_or_default()))
            }
        },
        Err(error) if error.is_transient() => failed(ErrorClass::Unavailable, &format!("cannot go on: {error}")),
        Err(error) => failed(ErrorClass::Internal, &format!("cannot go on: {} {error}", error.code())),
    }
}
