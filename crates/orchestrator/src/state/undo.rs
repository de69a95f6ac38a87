//! Decides how a failed run takes its effects back: in the reverse of the order they were made, each tried
//! again as its step's rules allow, all of them whatever becomes of one. What had failed is
//! not undone.

use std::collections::{BTreeSet, VecDeque};

use onex_journal::RunStatus;
use onex_node::Failure;
use serde_json::Value;

use super::RunState;
use super::calls::CallStatus;
use crate::event::{CallId, Command, Timer};
use crate::plan::MayRetry;

/// The undoing of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Undo {
    left: VecDeque<CallId>,
    current: Option<Current>,
    undone: BTreeSet<CallId>,
    /// Calls that could not be undone, and why.
    failures: Vec<(CallId, Failure)>,
}

#[derive(Clone, Debug)]
struct Current {
    call: CallId,
    attempt: u32,
    /// Whether an attempt is out, or waits to be made again.
    state: CurrentState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CurrentState {
    Due,
    InFlight,
    Waiting,
}

impl Undo {
    pub(super) fn of(calls: Vec<CallId>) -> Self {
        Self { left: calls.into(), ..Self::default() }
    }

    pub(super) fn is_current(&self, call: &CallId) -> bool {
        self.current.as_ref().is_some_and(|current| current.call == *call)
    }

    /// Whether an answer to this attempt is expected; see [`super::Call::awaits`].
    pub(super) fn awaits(&self, call: &CallId, attempt: u32) -> bool {
        self.current.as_ref().is_some_and(|current| current.call == *call && current.attempt == attempt)
    }

    pub(super) fn succeeded(&mut self, call: CallId) {
        self.current = None;
        self.undone.insert(call);
    }

    fn failed(&mut self, call: CallId, failure: Failure) {
        self.current = None;
        self.failures.push((call, failure));
    }

    pub(super) fn retry_due(&mut self, call: &CallId) {
        if let Some(current) =
            self.current.as_mut().filter(|current| current.call == *call && current.state == CurrentState::Waiting)
        {
            current.state = CurrentState::Due;
        }
    }

    /// The call that waits for another attempt to undo it.
    pub(super) fn waiting(&self) -> Option<CallId> {
        let waiting = self.current.as_ref().filter(|current| current.state == CurrentState::Waiting);
        waiting.map(|current| current.call.clone())
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.state != CurrentState::Waiting)
    }

    pub(super) fn was_undone(&self, call: &CallId) -> bool {
        self.undone.contains(call)
    }

    pub(super) fn failures(&self) -> &[(CallId, Failure)] {
        &self.failures
    }
}

impl RunState {
    /// What a run that ends now has to undo: nothing unless it failed and its contract wants that.
    pub(super) fn calls_to_undo(&self) -> Vec<CallId> {
        let is_wanted = (self.plan.rollback.value || self.is_compensating)
            && matches!(self.status(), RunStatus::Failed | RunStatus::Cancelled);
        let calls = self.succeeded.iter().rev().filter(|call| is_wanted && self.can_undo(call));
        calls.cloned().collect()
    }

    fn can_undo(&self, id: &CallId) -> bool {
        let (index, call) = (self.plan.index_of(&id.step), self.call(id));
        index.zip(call).is_some_and(|(index, call)| self.plan.can_undo(index, &call.intent.kind))
    }

    /// Whether there is something left to undo; asks for the next when nothing is under way and the run is not
    /// paused.
    pub(super) fn next_undo(&mut self, commands: &mut Vec<Command>) -> bool {
        if self.is_paused() {
            return self.undo.current.is_some() || !self.undo.left.is_empty();
        }
        if self.undo.current.is_none() {
            let next = self.undo.left.pop_front();
            self.undo.current = next.map(|call| Current { call, attempt: 1, state: CurrentState::Due });
        }
        let Some(current) = self.undo.current.as_mut() else {
            return false;
        };
        if current.state == CurrentState::Due {
            current.state = CurrentState::InFlight;
            commands.extend(self.undo_command());
        }
        true
    }

    pub(super) fn undo_failed(&mut self, id: CallId, attempt: u32, failure: Failure, commands: &mut Vec<Command>) {
        let Some(planned) = self.plan.index_of(&id.step).map(|index| &self.plan.steps[index]) else {
            return;
        };
        let retries = &planned.retry;
        if attempt > retries.max_retries.value || !retries.may_retry(&failure) {
            return self.undo.failed(id, failure);
        }
        self.undo.current = Some(Current { call: id.clone(), attempt: attempt + 1, state: CurrentState::Waiting });
        let retry = if self.is_paused() { None } else { self.undo_retry(id) };
        commands.extend(retry);
    }

    /// Arms the timer of a call whose undo waits for its next attempt.
    pub(super) fn undo_retry(&self, id: CallId) -> Option<Command> {
        let failed = self.undo.current.as_ref()?.attempt.saturating_sub(1);
        let retry = &self.plan.steps[self.plan.index_of(&id.step)?].retry;
        let after = retry.delay(failed, self.chance(&id, failed));
        Some(Command::Arm { timer: Timer::RetryUndo(id), after })
    }

    /// What to ask again after a recovery: the attempt in flight once more, a retry after a fresh delay.
    pub(super) fn outstanding_undo(&self) -> Option<Command> {
        match self.undo.waiting() {
            None => self.undo_command(),
            Some(_) if self.is_paused() => None,
            Some(call) => self.undo_retry(call),
        }
    }

    fn undo_command(&self) -> Option<Command> {
        let Current { call: id, attempt, .. } = self.undo.current.as_ref()?;
        let call = self.call(id)?;
        let output = match &call.status {
            CallStatus::Succeeded { output } => output.clone(),
            _ => Value::Null,
        };
        let timeout = self.plan.steps[self.plan.index_of(&id.step)?].attempt_timeout.value;
        Some(Command::Undo { call: id.clone(), attempt: *attempt, intent: call.intent.clone(), output, timeout })
    }
}
