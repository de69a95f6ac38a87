//! Decides what a pause is: what is under way comes to its end, nothing else begins, and the run's deadline does not
//! run. A cancelled run is not paused any more.

use std::time::Duration;

use onex_node::Timestamp;

use super::calls::CallStatus;
use super::{Phase, Progress, RunState};
use crate::event::{CallId, Command, Timer};

/// When the run was worked on.
#[derive(Clone, Debug, Default)]
pub(super) struct Pauses {
    is_paused: bool,
    /// Since when it runs; without meaning while it is paused.
    since: Timestamp,
    /// How long it ran before.
    ran: Duration,
}

impl Pauses {
    pub(super) fn runs_since(&mut self, at: Timestamp) {
        (self.is_paused, self.since) = (false, at);
    }

    fn stops(&mut self, at: Timestamp) {
        self.ran += (at - self.since).to_std().unwrap_or_default();
        self.is_paused = true;
    }
}

impl RunState {
    /// Whether nothing begins until it is resumed.
    pub fn is_paused(&self) -> bool {
        self.pauses.is_paused
    }

    pub(super) fn pause(&mut self, commands: &mut Vec<Command>) {
        if self.is_paused() {
            return;
        }
        self.pauses.stops(self.now);
        let timers = self.waiting_calls().map(Timer::Retry).chain(self.undo.waiting().map(Timer::RetryUndo));
        let timers = timers.chain([Timer::RunDeadline]);
        commands.extend(timers.map(|timer| Command::Disarm { timer }));
    }

    pub(super) fn resume(&mut self, commands: &mut Vec<Command>) {
        if !self.is_paused() {
            return;
        }
        self.pauses.runs_since(self.now);
        self.arm_deadline(commands);
        commands.extend(self.retries());
        commands.extend(self.undo.waiting().and_then(|call| self.undo_retry(call)));
        for index in 0..self.steps.len() {
            if self.steps[index].progress == Progress::Executing {
                self.go_on_with_calls(index, commands);
            }
        }
    }

    /// A recovery arms what was left at the last resumption, at worst the whole deadline: it counts the time
    /// somebody works on the run, not our own downtime (docs/adr/0003).
    pub(super) fn arm_deadline(&self, commands: &mut Vec<Command>) {
        if self.phase == Phase::Running && !self.deadline_passed && !self.is_paused() {
            let left = self.plan.run_timeout.value.map(|timeout| timeout.saturating_sub(self.pauses.ran));
            commands.extend(left.map(|after| Command::Arm { timer: Timer::RunDeadline, after }));
        }
    }

    /// Ends a pause without going on with anything.
    pub(super) fn end_pause(&mut self) {
        if self.is_paused() {
            self.pauses.runs_since(self.now);
        }
    }

    fn waiting_calls(&self) -> impl Iterator<Item = CallId> {
        self.steps.iter().enumerate().flat_map(move |(index, step)| {
            let waiting = step.calls.iter().enumerate().filter(|(_, call)| call.status == CallStatus::Waiting);
            waiting.map(move |(position, _)| self.call_id(index, position))
        })
    }

    /// Timers of all calls that wait for another attempt.
    pub(super) fn retries(&self) -> Vec<Command> {
        self.waiting_calls().filter_map(|call| self.retry_command(call)).collect()
    }
}
