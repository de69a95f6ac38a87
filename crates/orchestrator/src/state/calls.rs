//! Decides how the calls of a step go: so many at once as the step allows, each tried again as its rules allow. When
//! one more has failed for good than the step tolerates, no further one begins, and the step ends with the last that
//! is under way.

use onex_node::{Failure, Intent, IntentOutcome, StepResult, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::schedule::deadline_failure;
use super::{Progress, RunState, StepRun, milliseconds_between};
use crate::event::{CallId, Command, Timer};
use crate::plan::{Binding, MayRetry};

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
        self.is_open() && self.attempt == attempt
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.status, CallStatus::InFlight | CallStatus::Waiting)
    }

    /// What its effect gave.
    pub(super) fn output(&self) -> Option<&Value> {
        match &self.status {
            CallStatus::Succeeded { output } => Some(output),
            _ => None,
        }
    }

    /// The outcome as results tell it; nothing of a call that was never made.
    pub(super) fn outcome(&self) -> Option<IntentOutcome> {
        let (success, error, already_applied) = match &self.status {
            CallStatus::Succeeded { output } => {
                (true, None, self.attempt == 0 || output["already_applied"].as_bool().unwrap_or(false))
            }
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

impl Call {
    pub(super) fn queued(intent: Intent, now: Timestamp) -> Self {
        Self { intent, status: CallStatus::Queued, attempt: 0, dispatched_at: now, ended_at: now }
    }

    pub(super) fn succeed(&mut self, output: Value, at: Timestamp) {
        (self.status, self.ended_at) = (CallStatus::Succeeded { output }, at);
    }
}

impl StepRun {
    /// Position of the next call to begin; none when there is none, or one failed that may not.
    fn next_call(&self) -> Option<usize> {
        (self.next_call < self.calls.len() && self.call_failure.is_none()).then_some(self.next_call)
    }
}

impl RunState {
    pub(super) fn start_calls(&mut self, index: usize, commands: &mut Vec<Command>) {
        if let Err(failure) = self.gather(index) {
            return self.end_step(index, StepResult::Failed { failure, output: Value::Null });
        }
        if self.deadline_passed && !self.steps[index].calls.is_empty() {
            let failure = deadline_failure();
            return self.end_step(index, StepResult::Failed { failure, output: self.step_output(index) });
        }
        self.begin_step(index, Progress::Executing);
        self.take_carried(index);
        self.go_on_with_calls(index, commands);
    }

    /// Begins the calls that may begin, and ends the step when none is left to wait for.
    pub(super) fn go_on_with_calls(&mut self, index: usize, commands: &mut Vec<Command>) {
        let most = self.plan.steps[index].max_instances;
        while let Some(position) = self.steps[index].next_call().filter(|_| !self.is_paused()) {
            if self.steps[index].open_calls >= most {
                break;
            }
            self.steps[index].next_call = position + 1;
            if self.steps[index].calls[position].status == CallStatus::Queued {
                self.steps[index].open_calls += 1;
                self.dispatch(index, position, commands);
            }
        }
        let step = &self.steps[index];
        if step.open_calls == 0 && step.next_call().is_none() {
            self.end_calls(index);
        }
    }

    fn end_calls(&mut self, index: usize) {
        let output = self.step_output(index);
        let result = match self.steps[index].call_failure.take() {
            Some(failure) => StepResult::Failed { failure, output },
            None => StepResult::Done(output),
        };
        self.end_step(index, result);
    }

    fn dispatch(&mut self, index: usize, position: usize, commands: &mut Vec<Command>) {
        let (now, call_id) = (self.now, self.call_id(index, position));
        let timeout = self.plan.steps[index].attempt_timeout.value;
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
        self.steps[index].calls[position].succeed(output, at);
        self.steps[index].open_calls -= 1;
        self.succeeded.push(id.clone());
        self.go_on_with_calls(index, commands);
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
            let call = &mut self.steps[index].calls[position];
            (call.status, call.attempt, call.ended_at) = (CallStatus::Waiting, attempt + 1, at);
            let retry = if self.is_paused() { None } else { self.retry_command(id.clone()) };
            return commands.extend(retry);
        }
        self.fail_call(index, position, failure, at);
        self.go_on_with_calls(index, commands);
    }

    fn fail_call(&mut self, index: usize, position: usize, failure: Failure, at: Timestamp) {
        let most = self.plan.steps[index].max_failures;
        let step = &mut self.steps[index];
        (step.open_calls, step.failed_calls) = (step.open_calls - 1, step.failed_calls + 1);
        if step.failed_calls > most {
            step.call_failure.get_or_insert_with(|| failure.clone());
        }
        let call = &mut step.calls[position];
        (call.status, call.ended_at) = (CallStatus::Failed { failure }, at);
    }

    pub(super) fn retry_due(&mut self, id: &CallId, commands: &mut Vec<Command>) {
        let Some((index, position)) = self.position(id) else {
            return;
        };
        if self.steps[index].calls[position].status == CallStatus::Waiting && !self.is_paused() {
            self.dispatch(index, position, commands);
        }
    }

    /// Arms the timer of a call that waits for its next attempt: the delay after the one that failed.
    pub(super) fn retry_command(&self, id: CallId) -> Option<Command> {
        let (index, position) = self.position(&id)?;
        let failed = self.steps[index].calls[position].attempt.saturating_sub(1);
        let after = self.plan.steps[index].retry.delay(failed, self.chance(&id, failed));
        Some(Command::Arm { timer: Timer::Retry(id), after })
    }

    /// Ends every open call with `failure`, and with them their steps, however many failures those tolerate.
    pub(super) fn cut_calls(&mut self, failure: &Failure, commands: &mut Vec<Command>) {
        for index in 0..self.steps.len() {
            if self.steps[index].progress != Progress::Executing {
                continue;
            }
            let calls = self.steps[index].calls.iter().enumerate();
            let open: Vec<_> = calls.filter(|(_, call)| call.is_open()).map(|(position, _)| position).collect();
            for position in open {
                commands.push(Command::Abort { call: self.call_id(index, position) });
                self.fail_call(index, position, failure.clone(), self.now);
            }
            self.steps[index].call_failure = Some(failure.clone());
            self.end_calls(index);
        }
    }

    /// Whether of all that is going on nothing is under way: each open call waits for its next attempt.
    pub(crate) fn only_waits(&self) -> bool {
        let is_under_way = |call: &Call| call.status == CallStatus::InFlight;
        let is_busy = |step: &StepRun| match step.progress {
            Progress::Executing => step.calls.iter().any(is_under_way),
            Progress::Computing => true,
            Progress::Pending | Progress::Ended(_) => false,
        };
        !self.undo.is_under_way() && !self.steps.iter().any(is_busy)
    }

    /// What to ask again after a recovery: attempts in flight once more, of a paused run too, since it may have been
    /// this process's end that cut them; retries after a fresh delay.
    pub(super) fn outstanding_calls(&self) -> Vec<Command> {
        let mut commands = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let timeout = self.plan.steps[index].attempt_timeout.value;
            let in_flight = step.calls.iter().enumerate().filter(|(_, call)| call.status == CallStatus::InFlight);
            commands.extend(in_flight.map(|(position, call)| {
                let (call_id, intent) = (self.call_id(index, position), call.intent.clone());
                Command::Dispatch { call: call_id, attempt: call.attempt, intent, timeout }
            }));
        }
        commands.extend(self.retries().into_iter().filter(|_| !self.is_paused()));
        commands
    }

    /// What a step with calls tells later ones: what became of its intents, or what its workflow gave. A step with a
    /// list tells its results in the order of the items as well.
    fn step_output(&self, index: usize) -> Value {
        let step = &self.steps[index];
        match (self.plan.steps[index].is_workflow(), self.plan.steps[index].for_each.is_some()) {
            (true, true) => json!({ "results": results(step) }),
            (true, false) => step.calls.first().and_then(Call::output).cloned().unwrap_or(Value::Null),
            (false, false) => self.intents_output(index),
            (false, true) => {
                let mut output = self.intents_output(index);
                output["results"] = Value::Array(results(step));
                output
            }
        }
    }

    fn intents_output(&self, index: usize) -> Value {
        let step = &self.steps[index];
        let outcomes = step.settled.iter().cloned().chain(step.calls.iter().filter_map(Call::outcome));
        let outputs = step.calls.iter().filter_map(Call::output);
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

/// What became of each item, in the order of the list; null for one that was not reached.
fn results(step: &StepRun) -> Vec<Value> {
    let result = |call: &Call| match &call.status {
        CallStatus::Succeeded { output } => item_result(Ok(output)),
        CallStatus::Failed { failure } => item_result(Err(failure)),
        CallStatus::Queued | CallStatus::InFlight | CallStatus::Waiting => Value::Null,
    };
    step.calls.iter().map(result).collect()
}

/// What is told of one item of a list: `{output}`, or `{error: {code, message}}`.
pub(crate) fn item_result(result: Result<&Value, &Failure>) -> Value {
    match result {
        Ok(output) => json!({ "output": output }),
        Err(failure) => json!({"error": {"code": failure.code, "message": failure.message}}),
    }
}
