//! Decides how the effect calls of a step go: one after another, each tried again as its rules allow,
//! the first that fails for good ending the step.

use onex_node::{ErrorClass, Failure, Intent, IntentOutcome, StepResult, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::schedule::deadline_failure;
use super::{Progress, RunState, milliseconds_between};
use crate::event::{CallId, Command, Timer};
use crate::plan::Binding;

/// Where a call stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CallStatus {
    Queued,
    InFlight,
    /// Until its next attempt is due.
    Waiting,
    Succeeded {
        output: Value,
    },
    Failed {
        failure: Failure,
    },
}

/// One effect call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) intent: Intent,
    pub(super) status: CallStatus,
    /// The attempt in flight or due next, else the last one made; from 1.
    pub(super) attempt: u32,
    dispatched_at: Timestamp,
    ended_at: Timestamp,
}

impl Call {
    /// Whether an answer to this attempt is expected. A replay answers while the call waits to be retried.
    pub(super) fn awaits(&self, attempt: u32) -> bool {
        matches!(self.status, CallStatus::InFlight | CallStatus::Waiting) && self.attempt == attempt
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.status, CallStatus::InFlight | CallStatus::Waiting)
    }

    /// The outcome as results tell it; nothing of a call that was never made.
    pub(super) fn outcome(&self) -> Option<IntentOutcome> {
        let (success, error, already_applied) = match &self.status {
            CallStatus::Succeeded { output } => (true, None, output["already_applied"].as_bool().unwrap_or(false)),
            CallStatus::Failed { failure } => (false, Some(failure.message.clone()), false),
            CallStatus::Queued | CallStatus::InFlight | CallStatus::Waiting => return None,
        };
        Some(IntentOutcome {
            intent_kind: self.intent.kind.clone(),
            success,
            error,
            execution_time_ms: milliseconds_between(self.dispatched_at, self.ended_at),
            already_applied,
            attempts: self.attempt,
        })
    }
}

impl RunState {
    pub(super) fn start_calls(&mut self, index: usize, commands: &mut Vec<Command>) {
        if let Err(failure) = self.gather(index) {
            return self.end_step(index, StepResult::Failed { failure, output: Value::Null });
        }
        if self.steps[index].calls.is_empty() {
            let output = self.step_output(index);
            return self.end_step(index, StepResult::Done(output));
        }
        if self.deadline_passed {
            let failure = deadline_failure();
            return self.end_step(index, StepResult::Failed { failure, output: self.step_output(index) });
        }
        self.begin_step(index, Progress::Executing);
        self.dispatch(index, 0, commands);
    }

    /// Takes the step's intents, what is settled, and a refusal, from its dependencies' outputs.
    fn gather(&mut self, index: usize) -> Result<(), Failure> {
        let planned = &self.plan.steps[index];
        let dependencies = self.dependencies(index);
        let outputs: Vec<&Value> = dependencies.iter().filter_map(|(_, result)| result.output()).collect();
        let mut intents: Vec<Intent> = listed(&outputs, "intents")?;
        intents.retain(|intent| planned.takes(&intent.kind));
        let mut settled: Vec<IntentOutcome> = listed(&outputs, "settled")?;
        settled.retain(|outcome| planned.takes(&outcome.intent_kind));
        let refusal = outputs.iter().find_map(|output| output["refusal"].as_str()).map(str::to_owned);
        let step = &mut self.steps[index];
        (step.settled, step.refusal) = (settled, refusal);
        let (dispatched_at, ended_at) = (self.now, self.now);
        step.calls = intents
            .into_iter()
            .map(|intent| Call { intent, status: CallStatus::Queued, attempt: 0, dispatched_at, ended_at })
            .collect();
        Ok(())
    }

    fn dispatch(&mut self, index: usize, position: usize, commands: &mut Vec<Command>) {
        let now = self.now;
        let timeout = self.plan.steps[index].attempt_timeout.value;
        let call_id = self.call_id(index, position);
        let Some(call) = self.steps[index].calls.get_mut(position) else {
            return;
        };
        if call.attempt == 0 {
            (call.attempt, call.dispatched_at) = (1, now);
        }
        call.status = CallStatus::InFlight;
        commands.push(Command::Dispatch { call: call_id, attempt: call.attempt, intent: call.intent.clone(), timeout });
    }

    pub(super) fn call_succeeded(&mut self, id: &CallId, output: Value, at: Timestamp, commands: &mut Vec<Command>) {
        let Some((index, position)) = self.position(id) else {
            return;
        };
        let call = &mut self.steps[index].calls[position];
        (call.status, call.ended_at) = (CallStatus::Succeeded { output }, at);
        self.succeeded.push(id.clone());
        if position + 1 < self.steps[index].calls.len() {
            return self.dispatch(index, position + 1, commands);
        }
        let output = self.step_output(index);
        self.end_step(index, StepResult::Done(output));
    }

    pub(super) fn call_failed(
        &mut self,
        id: &CallId,
        attempt: u32,
        failure: Failure,
        at: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let Some((index, position)) = self.position(id) else {
            return;
        };
        let retry = &self.plan.steps[index].retry;
        let may_retry = attempt <= retry.max_retries.value
            && retry.may_retry(&failure)
            && self.stop.is_none()
            && !self.deadline_passed;
        if may_retry {
            let after = retry.delay(attempt, self.chance(id, attempt));
            let call = &mut self.steps[index].calls[position];
            (call.status, call.attempt, call.ended_at) = (CallStatus::Waiting, attempt + 1, at);
            return commands.push(Command::Arm { timer: Timer::Retry(id.clone()), after });
        }
        self.fail_call(index, position, failure, at);
    }

    fn fail_call(&mut self, index: usize, position: usize, failure: Failure, at: Timestamp) {
        let call = &mut self.steps[index].calls[position];
        (call.status, call.ended_at) = (CallStatus::Failed { failure: failure.clone() }, at);
        let output = self.step_output(index);
        self.end_step(index, StepResult::Failed { failure, output });
    }

    pub(super) fn retry_due(&mut self, id: &CallId, commands: &mut Vec<Command>) {
        let Some((index, position)) = self.position(id) else {
            return;
        };
        if self.steps[index].calls[position].status == CallStatus::Waiting {
            self.dispatch(index, position, commands);
        }
    }

    /// Ends every open call with `failure`.
    pub(super) fn cut_calls(&mut self, failure: &Failure, commands: &mut Vec<Command>) {
        for index in 0..self.steps.len() {
            if self.steps[index].progress != Progress::Executing {
                continue;
            }
            if let Some(position) = self.steps[index].calls.iter().position(Call::is_open) {
                commands.push(Command::Abort { call: self.call_id(index, position) });
                self.fail_call(index, position, failure.clone(), self.now);
            }
        }
    }

    /// What to ask again after a recovery: attempts in flight once more, retries after a fresh delay.
    pub(super) fn outstanding_calls(&self) -> Vec<Command> {
        let mut commands = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let planned = &self.plan.steps[index];
            for (position, call) in step.calls.iter().enumerate().filter(|(_, call)| call.is_open()) {
                let id = self.call_id(index, position);
                commands.push(match call.status {
                    CallStatus::Waiting => {
                        let after = planned.retry.delay(call.attempt.saturating_sub(1), self.chance(&id, call.attempt));
                        Command::Arm { timer: Timer::Retry(id), after }
                    }
                    _ => {
                        let timeout = planned.attempt_timeout.value;
                        Command::Dispatch { call: id, attempt: call.attempt, intent: call.intent.clone(), timeout }
                    }
                });
            }
        }
        commands
    }

    /// What an executing step tells later ones: which backend it is for, and what became of its intents.
    fn step_output(&self, index: usize) -> Value {
        let step = &self.steps[index];
        let outcomes = step.settled.iter().cloned().chain(step.calls.iter().filter_map(Call::outcome));
        let outputs = step.calls.iter().filter_map(|call| match &call.status {
            CallStatus::Succeeded { output } => Some(output),
            _ => None,
        });
        json!({
            "backend": self.backend(index),
            "intent_results": outcomes.collect::<Vec<_>>(),
            "outputs": outputs.collect::<Vec<_>>(),
            "refusal": step.refusal,
        })
    }

    /// The backend a step is for: the first part of its filter, else of its intents, else its own name.
    fn backend(&self, index: usize) -> String {
        let planned = &self.plan.steps[index];
        let filter = match &planned.binding {
            Binding::Execute { filter: Some(filter), .. } => {
                filter.split('.').next().filter(|name| !name.contains(['*', '?', '[']))
            }
            _ => None,
        };
        let from_intents = || self.steps[index].calls.first().map(|call| call.intent.backend().to_owned());
        filter.map(str::to_owned).or_else(from_intents).unwrap_or_else(|| planned.id.to_string())
    }

    /// From 0 to 1, the same for the same attempt of the same run: chance without randomness.
    pub(super) fn chance(&self, id: &CallId, attempt: u32) -> f64 {
        let name = format!("{}/{}/{attempt}", id.step, id.call);
        let drawn = Uuid::new_v5(&self.run_id.0, name.as_bytes()).as_u128() >> 96;
        f64::from(u32::try_from(drawn).unwrap_or(0)) / f64::from(u32::MAX)
    }

    pub(super) fn call_id(&self, index: usize, position: usize) -> CallId {
        CallId { step: self.plan.steps[index].id.clone(), call: u32::try_from(position).unwrap_or(u32::MAX) }
    }

    fn position(&self, id: &CallId) -> Option<(usize, usize)> {
        let index = self.plan.index_of(&id.step)?;
        let position = id.call as usize;
        self.steps[index].calls.get(position).map(|_| (index, position))
    }
}

/// What several outputs list under a key, together. A list of something else is a failure: what was asked for
/// must not be left out silently.
fn listed<T: DeserializeOwned>(outputs: &[&Value], key: &str) -> Result<Vec<T>, Failure> {
    let lists = outputs.iter().filter_map(|output| output.get(key));
    let lists: Result<Vec<Vec<T>>, _> = lists.map(Vec::<T>::deserialize).collect();
    let flat = lists.map(|lists| lists.into_iter().flatten().collect());
    flat.map_err(|error| {
        Failure::new(ErrorClass::Validation, "ONEX3025", format!("`{key}` of a dependency cannot be read: {error}"))
    })
}
