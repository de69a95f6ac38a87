//! Decides what a run does next. [`RunState::apply`] is total: any event in any state gives commands or a
//! refusal, and changes nothing else in the world. The state is the fold of the run's events.

mod calls;
mod outcome;
mod schedule;
mod undo;

use std::sync::Arc;

use onex_journal::RunStatus;
use onex_node::{ComputeInput, Failure, IntentOutcome, ReduceContext, RunId, StepId, StepResult, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::event::{CallId, Command, EntityAtStart, Event, Timer};
use crate::plan::{Binding, Plan};
use calls::Call;
pub use outcome::{Outcome, Publication};
use undo::Undo;

/// Why an event cannot be taken; the state is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The first event is the start, and only the first.
    #[error("a run starts once, with its start")]
    OutOfOrder,
    /// A finished run accepts nothing.
    #[error("the run has finished")]
    Finished,
    /// The event is about something the run did not ask for.
    #[error("the run did not ask for {what}")]
    NotAsked {
        /// What it is about.
        what: String,
    },
}

/// Where the run as a whole stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Running,
    Undoing,
    Finished,
}

/// Why no further step starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Failed,
    Cancelled,
}

/// Where one step stands.
#[derive(Clone, Debug, PartialEq)]
enum Progress {
    Pending,
    Computing,
    Executing,
    Ended(StepResult),
}

/// One step of the run.
#[derive(Clone, Debug)]
struct StepRun {
    progress: Progress,
    /// Its effect calls, in the order of the intents; empty for pure steps.
    calls: Vec<Call>,
    /// Outcomes that were in place before.
    settled: Vec<IntentOutcome>,
    /// Why its reducer asked for nothing.
    refusal: Option<String>,
}

/// What is known from the start.
#[derive(Clone, Debug)]
struct Origin {
    at: Timestamp,
    input: Value,
    correlation_id: Uuid,
    parent_envelope_id: Option<Uuid>,
    entity: Option<EntityAtStart>,
}

/// A run.
#[derive(Clone, Debug)]
pub struct RunState {
    run_id: RunId,
    plan: Arc<Plan>,
    phase: Phase,
    origin: Option<Origin>,
    now: Timestamp,
    steps: Vec<StepRun>,
    stop: Option<Stop>,
    deadline_passed: bool,
    /// Calls in the order they succeeded.
    succeeded: Vec<CallId>,
    undo: Undo,
    /// Chain of the hashes of all that pure steps gave.
    pure_hash: [u8; 32],
}

impl RunState {
    /// A run that has not started.
    pub fn new(run_id: RunId, plan: Arc<Plan>) -> Self {
        let step = StepRun { progress: Progress::Pending, calls: Vec::new(), settled: Vec::new(), refusal: None };
        Self {
            run_id,
            phase: Phase::New,
            origin: None,
            now: Timestamp::UNIX_EPOCH,
            steps: vec![step; plan.steps.len()],
            stop: None,
            deadline_passed: false,
            succeeded: Vec::new(),
            undo: Undo::default(),
            pure_hash: [0; 32],
            plan,
        }
    }

    /// Takes one event and says what is to be done.
    ///
    /// # Errors
    ///
    /// The event does not belong here; nothing has changed.
    pub fn apply(&mut self, event: Event) -> Result<Vec<Command>, Refusal> {
        self.check(&event)?;
        self.now = event.at().unwrap_or(self.now);
        let mut commands = Vec::new();
        match event {
            Event::Started { at, input, correlation_id, parent_envelope_id, entity, .. } => {
                self.origin = Some(Origin { at, input, correlation_id, parent_envelope_id, entity });
                self.phase = Phase::Running;
                self.arm_deadline(&mut commands);
            }
            Event::Computed { step, result } => self.computed(&step, result),
            Event::CallSucceeded { call, output, at, .. } => self.call_succeeded(&call, output, at, &mut commands),
            Event::CallFailed { call, attempt, failure, at } => self.call_failed(&call, attempt, failure, at, &mut commands),
            Event::TimerFired { timer, .. } => self.timer_fired(timer, &mut commands),
            Event::UndoSucceeded { call, .. } => self.undo.finish_current(call, None),
            Event::UndoFailed { call, attempt, failure, .. } => self.undo_failed(call, attempt, failure, &mut commands),
            Event::CancelRequested { .. } => self.cancel(&mut commands),
        }
        self.advance(&mut commands);
        Ok(commands)
    }

    fn check(&self, event: &Event) -> Result<(), Refusal> {
        match (self.phase, event) {
            (Phase::New, Event::Started { .. }) => Ok(()),
            (Phase::New, _) | (Phase::Running | Phase::Undoing, Event::Started { .. }) => Err(Refusal::OutOfOrder),
            (Phase::Finished, _) => Err(Refusal::Finished),
            (_, Event::Computed { step, .. }) => {
                let is_computing = self.step(step).is_some_and(|step| step.progress == Progress::Computing);
                asked(is_computing, || format!("a computation of `{step}`"))
            }
            (_, Event::CallSucceeded { call, attempt, .. } | Event::CallFailed { call, attempt, .. }) => {
                let is_awaited = self.call(call).is_some_and(|call| call.awaits(*attempt));
                asked(is_awaited, || format!("attempt {attempt} of call {} of `{}`", call.call, call.step))
            }
            (_, Event::UndoSucceeded { call, .. } | Event::UndoFailed { call, .. }) => {
                asked(self.undo.is_current(call), || format!("an undo of call {} of `{}`", call.call, call.step))
            }
            (_, Event::TimerFired { .. } | Event::CancelRequested { .. }) => Ok(()),
        }
    }

    /// Starts what can start, and ends the run when nothing is left.
    fn advance(&mut self, commands: &mut Vec<Command>) {
        if self.phase == Phase::Running {
            self.schedule(commands);
            let all_ended = self.steps.iter().all(|step| matches!(step.progress, Progress::Ended(_)));
            if all_ended {
                self.phase = Phase::Undoing;
                self.undo = Undo::of(self.calls_to_undo());
            }
        }
        if self.phase == Phase::Undoing && !self.next_undo(commands) {
            self.phase = Phase::Finished;
            commands.push(Command::Finish);
        }
    }

    fn timer_fired(&mut self, timer: Timer, commands: &mut Vec<Command>) {
        match timer {
            Timer::RunDeadline => self.pass_deadline(commands),
            Timer::Retry(call) => self.retry_due(&call, commands),
            Timer::RetryUndo(call) => self.undo.retry_due(&call),
        }
    }

    fn computed(&mut self, step: &StepId, result: Result<Value, Failure>) {
        self.pure_hash = chained(self.pure_hash, step, &result);
        let Some(index) = self.plan.index_of(step) else { return };
        self.end_step(index, match result {
            Ok(output) => StepResult::Done(output),
            Err(failure) => StepResult::Failed { failure, output: Value::Null },
        });
    }

    fn arm_deadline(&self, commands: &mut Vec<Command>) {
        commands.extend(self.plan.run_timeout.value.map(|after| Command::Arm { timer: Timer::RunDeadline, after }));
    }

    fn step(&self, step: &StepId) -> Option<&StepRun> {
        self.steps.get(self.plan.index_of(step)?)
    }

    fn call(&self, call: &CallId) -> Option<&Call> {
        self.step(&call.step)?.calls.get(call.call as usize)
    }
}

/// What the driver and people ask of a run.
impl RunState {
    /// The run's id.
    pub fn run_id(&self) -> RunId {
        self.run_id
    }

    /// The plan it follows.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Whether it is over.
    pub fn is_finished(&self) -> bool {
        self.phase == Phase::Finished
    }

    /// The payload of the event that started it; null before.
    pub fn input(&self) -> &Value {
        self.origin.as_ref().map_or(&Value::Null, |origin| &origin.input)
    }

    /// The entity's state it started from.
    pub fn entity(&self) -> Option<&EntityAtStart> {
        self.origin.as_ref()?.entity.as_ref()
    }

    /// The chain of events it belongs to.
    pub fn correlation_id(&self) -> Uuid {
        self.origin.as_ref().map_or(Uuid::nil(), |origin| origin.correlation_id)
    }

    /// The envelope that started it.
    pub fn parent_envelope_id(&self) -> Option<Uuid> {
        self.origin.as_ref()?.parent_envelope_id
    }

    /// When the last thing happened in it.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What a reducer may know.
    pub fn reduce_context(&self) -> ReduceContext {
        let started_at = self.origin.as_ref().map_or(self.now, |origin| origin.at);
        ReduceContext { now: started_at, run_id: self.run_id, correlation_id: self.correlation_id() }
    }

    /// What a pure step computes from. `dependencies` and `input` are made by [`RunState::dependencies`] and the
    /// step's template.
    pub fn compute_input<'a>(
        &'a self,
        index: usize,
        dependencies: &'a [(StepId, StepResult)],
        input: Option<&'a Value>,
    ) -> ComputeInput<'a> {
        let config = self.plan.steps.get(index).map_or(&Value::Null, |step| &step.config);
        ComputeInput { workflow_input: self.input(), input, dependencies, config, elapsed_ms: self.elapsed_ms() }
    }

    /// How a step's dependencies ended, in the order the contract declares them.
    pub fn dependencies(&self, index: usize) -> Vec<(StepId, StepResult)> {
        let depends_on = self.plan.steps.get(index).map_or(&[][..], |step| &step.depends_on);
        depends_on
            .iter()
            .filter_map(|dependency| match &self.steps.get(*dependency)?.progress {
                Progress::Ended(result) => Some((self.plan.steps.get(*dependency)?.id.clone(), result.clone())),
                _ => None,
            })
            .collect()
    }

    /// Outputs by step, as templates see them: `{id: {"output": …}}`.
    pub fn outputs(&self) -> Value {
        let outputs = self.plan.steps.iter().zip(&self.steps).filter_map(|(planned, step)| match &step.progress {
            Progress::Ended(result) => Some((planned.id.to_string(), json!({"output": result.output()?}))),
            _ => None,
        });
        outputs.collect()
    }

    /// SHA-256 over what all pure steps gave so far, as hexadecimal digits. A recovery that gets another
    /// one computes something else than the first run did.
    pub fn pure_hash(&self) -> String {
        self.pure_hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What the run still waits for, as commands to give again after a recovery.
    pub fn outstanding(&self) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.phase == Phase::Running && !self.deadline_passed {
            self.arm_deadline(&mut commands);
        }
        commands.extend(self.outstanding_calls());
        commands.extend(self.outstanding_undo());
        commands
    }

    /// Milliseconds from the start to the last thing that happened.
    fn elapsed_ms(&self) -> f64 {
        self.origin.as_ref().map_or(0.0, |origin| milliseconds_between(origin.at, self.now))
    }

    fn is_failed(&self) -> bool {
        let ended = self.plan.steps.iter().zip(&self.steps);
        let failed = |step: &StepRun| matches!(step.progress, Progress::Ended(StepResult::Failed { .. }));
        ended.into_iter().any(|(planned, step)| failed(step) && !planned.is_absorbed)
    }

    /// How the run ended, or would if it ended now.
    fn status(&self) -> RunStatus {
        if self.stop == Some(Stop::Cancelled) {
            return RunStatus::Cancelled;
        }
        if self.is_failed() {
            return RunStatus::Failed;
        }
        let aggregated = self.plan.steps.iter().zip(&self.steps).filter(|(planned, _)| is_aggregation(&planned.binding));
        let statuses: Vec<_> = aggregated.filter_map(|(_, step)| aggregated_status(step)).collect();
        match () {
            () if statuses.contains(&"failed".to_owned()) => RunStatus::Failed,
            () if statuses.contains(&"partial".to_owned()) => RunStatus::Partial,
            () => RunStatus::Succeeded,
        }
    }
}

fn is_aggregation(binding: &Binding) -> bool {
    matches!(binding, Binding::Compute(crate::plan::ComputeBinding::Aggregate(_)))
}

fn aggregated_status(step: &StepRun) -> Option<String> {
    match &step.progress {
        Progress::Ended(StepResult::Done(output)) => output["status"].as_str().map(str::to_owned),
        _ => None,
    }
}

fn asked(was_asked: bool, what: impl FnOnce() -> String) -> Result<(), Refusal> {
    if was_asked { Ok(()) } else { Err(Refusal::NotAsked { what: what() }) }
}

fn chained(previous: [u8; 32], step: &StepId, result: &Result<Value, Failure>) -> [u8; 32] {
    let text = serde_json::to_string(result).unwrap_or_default();
    Sha256::new().chain_update(previous).chain_update(step.as_str()).chain_update([0]).chain_update(text).finalize().into()
}

/// Milliseconds, with microseconds as fraction; 0 when the second time is earlier.
fn milliseconds_between(from: Timestamp, to: Timestamp) -> f64 {
    let microseconds = (to - from).num_microseconds().unwrap_or(0).max(0);
    std::time::Duration::from_micros(microseconds.unsigned_abs()).as_secs_f64() * 1_000.0
}
