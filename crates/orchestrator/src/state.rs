//! Decides what a run does next. [`RunState::apply`] is total: any event in any state gives commands or a
//! refusal, and changes nothing else in the world. The state is the fold of the run's events.

mod agenda;
mod calls;
mod gather;
mod inputs;
mod outcome;
mod pause;
mod payload;
mod schedule;
mod undo;
mod view;

use std::sync::Arc;

use onex_node::{Failure, IntentOutcome, RunId, StepId, StepResult, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::event::{CallId, Command, Event, Start, Timer};
use crate::plan::Plan;
use agenda::Agenda;
use calls::Call;
pub(crate) use calls::item_result;
pub use outcome::{Outcome, Publication, Reduced};
use pause::Pauses;
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
    /// A defect: it has not finished and waits for nothing.
    #[error("the run waits for nothing and has not finished")]
    Stuck,
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
    Deadline,
    Cancelled,
}

/// Where one step stands.
#[derive(Clone, Debug, Default, PartialEq)]
enum Progress {
    #[default]
    Pending,
    Computing,
    Executing,
    Ended(StepResult),
}

/// One step of the run.
#[derive(Clone, Debug, Default)]
struct StepRun {
    progress: Progress,
    /// Its effect calls, in the order of the intents; empty for pure steps.
    calls: Vec<Call>,
    /// Position of the first call that was not begun.
    next_call: usize,
    /// Calls that are under way or wait for another attempt.
    open_calls: u32,
    /// Calls that failed for good.
    failed_calls: u32,
    /// The failure that is one too many; no further call begins.
    call_failure: Option<Failure>,
    /// Outcomes that were in place before.
    settled: Vec<IntentOutcome>,
    /// Why its reducer asked for nothing.
    refusal: Option<String>,
}

/// A run.
#[derive(Clone, Debug)]
pub struct RunState {
    run_id: RunId,
    plan: Arc<Plan>,
    phase: Phase,
    origin: Option<Box<Start>>,
    now: Timestamp,
    steps: Vec<StepRun>,
    agenda: Agenda,
    stop: Option<Stop>,
    /// The step whose failure made the run fail, the first of several.
    failed_step: Option<usize>,
    deadline_passed: bool,
    /// Whether a step failed that wants what was done undone.
    is_compensating: bool,
    pauses: Pauses,
    /// Bytes of the input and all outputs so far.
    payload_bytes: u64,
    /// Calls in the order they succeeded.
    succeeded: Vec<CallId>,
    undo: Undo,
    /// Chain of the hashes of all that pure steps gave.
    pure_hash: [u8; 32],
}

impl RunState {
    /// A run that has not started.
    pub fn new(run_id: RunId, plan: Arc<Plan>) -> Self {
        Self {
            run_id,
            phase: Phase::New,
            origin: None,
            now: Timestamp::UNIX_EPOCH,
            steps: vec![StepRun::default(); plan.steps.len()],
            agenda: Agenda::new(&plan),
            stop: None,
            failed_step: None,
            deadline_passed: false,
            is_compensating: false,
            pauses: Pauses::default(),
            payload_bytes: 0,
            succeeded: Vec::new(),
            undo: Undo::default(),
            pure_hash: [0; 32],
            plan,
        }
    }

    /// Forgets what happened, to be told again from the start before anything else.
    pub(crate) fn put_away(&mut self) {
        let nothing =
            Self { steps: Vec::new(), agenda: Agenda::default(), ..Self::new(self.run_id, Arc::clone(&self.plan)) };
        *self = nothing;
    }

    /// Takes one event and says what is to be done.
    ///
    /// # Errors
    ///
    /// The event does not belong here; nothing has changed.
    pub fn apply(&mut self, event: Event) -> Result<Vec<Command>, Refusal> {
        self.check(&event)?;
        self.tell_time(&event);
        let mut commands = Vec::new();
        match event {
            Event::Started(start) => self.begin(start, &mut commands),
            Event::Computed { step, result } => self.computed(&step, result),
            Event::CallSucceeded { call, output, at, .. } => self.call_succeeded(&call, output, at, &mut commands),
            Event::CallFailed { call, attempt, failure, at } => {
                self.call_failed(&call, attempt, failure, at, &mut commands);
            }
            Event::TimerFired { timer, .. } => self.timer_fired(timer, &mut commands),
            Event::UndoSucceeded { call, .. } => self.undo.succeeded(call),
            Event::UndoFailed { call, attempt, failure, .. } => self.undo_failed(call, attempt, failure, &mut commands),
            Event::CancelRequested { .. } => self.cancel(&mut commands),
            Event::PauseRequested { .. } => self.pause(&mut commands),
            Event::ResumeRequested { .. } => self.resume(&mut commands),
        }
        self.advance(&mut commands);
        Ok(commands)
    }

    fn check(&self, event: &Event) -> Result<(), Refusal> {
        match (self.phase, event) {
            (Phase::New, Event::Started(_)) => Ok(()),
            (Phase::New, _) | (Phase::Running | Phase::Undoing, Event::Started(_)) => Err(Refusal::OutOfOrder),
            (Phase::Finished, _) => Err(Refusal::Finished),
            (_, Event::Computed { step, .. }) => {
                let is_computing = self.step(step).is_some_and(|step| step.progress == Progress::Computing);
                asked(is_computing, || format!("a computation of `{step}`"))
            }
            (_, Event::CallSucceeded { call, attempt, .. } | Event::CallFailed { call, attempt, .. }) => {
                let is_awaited = self.call(call).is_some_and(|call| call.awaits(*attempt));
                asked(is_awaited, || format!("attempt {attempt} of call {} of `{}`", call.call, call.step))
            }
            (_, Event::UndoSucceeded { call, .. }) => {
                asked(self.undo.is_current(call), || format!("an undo of call {} of `{}`", call.call, call.step))
            }
            (_, Event::UndoFailed { call, attempt, .. }) => {
                let is_awaited = self.undo.awaits(call, *attempt);
                asked(is_awaited, || format!("attempt {attempt} to undo call {} of `{}`", call.call, call.step))
            }
            (
                _,
                Event::TimerFired { .. }
                | Event::CancelRequested { .. }
                | Event::PauseRequested { .. }
                | Event::ResumeRequested { .. },
            ) => Ok(()),
        }
    }

    fn begin(&mut self, origin: Box<Start>, commands: &mut Vec<Command>) {
        self.payload_bytes = payload::size(&origin.input);
        self.pauses.runs_since(origin.at);
        self.origin = Some(origin);
        self.phase = Phase::Running;
        self.arm_deadline(commands);
        self.skip_disabled();
    }

    /// Starts what can start, and ends the run when nothing is left.
    fn advance(&mut self, commands: &mut Vec<Command>) {
        if self.phase == Phase::Running {
            self.schedule(commands);
            if self.agenda.is_done() {
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
        self.end_step(
            index,
            match result {
                Ok(output) => StepResult::Done(output),
                Err(failure) => StepResult::Failed { failure, output: Value::Null },
            },
        );
    }

    /// Only what is recorded tells the time, so that a recovery sees the same.
    fn tell_time(&mut self, event: &Event) {
        if let (Some(at), Some(_)) = (event.at(), event.record_kind()) {
            self.now = at;
        }
    }

    fn step(&self, step: &StepId) -> Option<&StepRun> {
        self.steps.get(self.plan.index_of(step)?)
    }

    fn call(&self, call: &CallId) -> Option<&Call> {
        self.step(&call.step)?.calls.get(call.call as usize)
    }
}

fn asked(was_asked: bool, what: impl FnOnce() -> String) -> Result<(), Refusal> {
    if was_asked { Ok(()) } else { Err(Refusal::NotAsked { what: what() }) }
}

fn chained(previous: [u8; 32], step: &StepId, result: &Result<Value, Failure>) -> [u8; 32] {
    let text = serde_json::to_string(result).unwrap_or_default();
    Sha256::new()
        .chain_update(previous)
        .chain_update(step.as_str())
        .chain_update([0])
        .chain_update(text)
        .finalize()
        .into()
}

/// Milliseconds, with microseconds as fraction; 0 when the second time is earlier.
#[expect(clippy::cast_precision_loss, reason = "a run of 285 years would lose a microsecond")]
fn milliseconds_between(from: Timestamp, to: Timestamp) -> f64 {
    let microseconds = (to - from).num_microseconds().unwrap_or(0).max(0);
    microseconds as f64 / 1_000.0
}
