//! Decides which steps start, and how a step's end bears on the others.

use onex_node::{ErrorClass, Failure, StepResult};
use serde_json::Value;

use super::{Phase, Progress, RunState, Stop};
use crate::event::Command;
use crate::plan::{Binding, FailureAction};

impl RunState {
    /// Starts every step that can start, up to the limit, in topological order. When the run was stopped,
    /// ends those that have not started.
    pub(super) fn schedule(&mut self, commands: &mut Vec<Command>) {
        let limit = self.plan.max_parallel.value as usize;
        while self.stop.is_none() && !self.is_paused() && self.agenda.in_progress() < limit {
            let Some(index) = self.agenda.take_ready(&self.plan) else {
                break;
            };
            self.start(index, commands);
        }
        if let Some(stop) = self.stop.filter(|_| self.agenda.has_pending()) {
            self.end_the_rest(stop);
        }
    }

    /// Starts a step whose turn it is, or ends it: an unmet dependency comes before all else (O-43), a failure
    /// elsewhere before its own conditions.
    fn start(&mut self, index: usize, commands: &mut Vec<Command>) {
        if let Some(failure) = self.unmet(index) {
            return self.end_quietly(index, StepResult::Failed { failure, output: Value::Null });
        }
        if self.plan.steps[index].skip_on_failure && self.failed_step.is_some() {
            return self.skip(index, "skip_on_failure");
        }
        match self.unheld_condition(index).map(|unheld| unheld.map(|text| format!("condition `{text}` does not hold")))
        {
            Err(failure) => self.end_step(index, StepResult::Failed { failure, output: Value::Null }),
            Ok(Some(reason)) => self.skip(index, &reason),
            Ok(None) => self.carry_out(index, commands),
        }
    }

    /// Why a step whose dependencies have ended cannot start: one of them failed. One that was skipped stands in
    /// nobody's way (section 4).
    fn unmet(&self, index: usize) -> Option<Failure> {
        let planned = &self.plan.steps[index];
        let has_failed =
            |step: &usize| matches!(self.steps[*step].progress, Progress::Ended(StepResult::Failed { .. }));
        let unmet = planned.depends_on.iter().find(|dependency| !planned.takes_failures && has_failed(dependency))?;
        let message = format!("step `{}` needs `{}`, which is not done", planned.id, self.plan.steps[*unmet].id);
        Some(Failure::new(ErrorClass::Validation, "ONEX3020", message).named("UnmetDependencyError"))
    }

    fn carry_out(&mut self, index: usize, commands: &mut Vec<Command>) {
        match self.plan.steps[index].binding {
            Binding::Receive { .. } => {
                let input = self.input().clone();
                self.end_step(index, StepResult::Done(input));
            }
            Binding::Execute { .. } | Binding::Workflow { .. } => self.start_calls(index, commands),
            Binding::Reduce { .. } | Binding::Compute(_) | Binding::Publish { .. } => {
                self.begin_step(index, Progress::Computing);
                commands.push(Command::Compute { step: self.plan.steps[index].id.clone() });
            }
        }
    }

    /// Skips every step that is switched off, whatever becomes of those before it (O-32, B-08).
    pub(super) fn skip_disabled(&mut self) {
        for index in 0..self.steps.len() {
            if !self.plan.steps[index].is_enabled {
                self.skip(index, "disabled");
            }
        }
    }

    fn skip(&mut self, index: usize, reason: &str) {
        self.end_quietly(index, StepResult::Skipped { reason: reason.to_owned() });
    }

    pub(super) fn begin_step(&mut self, index: usize, progress: Progress) {
        self.agenda.begin();
        self.steps[index].progress = progress;
    }

    /// Ends a step. An unabsorbed failure leads to what the step says, or the run's strategy.
    pub(super) fn end_step(&mut self, index: usize, result: StepResult) {
        let result = self.bounded(index, result);
        if matches!(result, StepResult::Failed { .. }) && !self.plan.steps[index].is_absorbed {
            let action = self.plan.steps[index].on_failure.value;
            self.is_compensating |= action == FailureAction::Compensate;
            let stop = if self.deadline_passed { Stop::Deadline } else { Stop::Failed };
            self.stop = self.stop.or((action != FailureAction::Continue).then_some(stop));
        }
        self.end_quietly(index, result);
    }

    /// Ends a step and stops nothing, as a failure does that only follows from another (O-50).
    fn end_quietly(&mut self, index: usize, result: StepResult) {
        if matches!(result, StepResult::Failed { .. }) && !self.plan.steps[index].is_absorbed {
            self.failed_step = self.failed_step.or(Some(index));
        }
        let before = std::mem::replace(&mut self.steps[index].progress, Progress::Ended(result));
        self.agenda.end(&self.plan, index, before == Progress::Pending);
    }

    /// Ends what has not started: failed when the time is up, else skipped (C-07).
    fn end_the_rest(&mut self, stop: Stop) {
        for index in 0..self.steps.len() {
            if self.steps[index].progress == Progress::Pending {
                self.end_quietly(
                    index,
                    match stop {
                        Stop::Deadline => StepResult::Failed { failure: deadline_failure(), output: Value::Null },
                        Stop::Failed | Stop::Cancelled => StepResult::Skipped { reason: "not_reached".to_owned() },
                    },
                );
            }
        }
    }

    /// No effect goes on or begins; what is left is computed, so that the outcome is told. Undoing is not
    /// cut short: its attempts bound it.
    pub(super) fn pass_deadline(&mut self, commands: &mut Vec<Command>) {
        if self.is_paused() {
            return;
        }
        self.deadline_passed = true;
        self.cut_calls(&deadline_failure(), commands);
    }

    /// Ends what goes on and starts nothing. A run that undoes its effects already goes on doing so, and ends
    /// as it would have.
    pub(super) fn cancel(&mut self, commands: &mut Vec<Command>) {
        if self.phase == Phase::Running {
            self.end_pause();
            self.stop = Some(Stop::Cancelled);
            let failure =
                Failure::new(ErrorClass::Conflict, "ONEX3023", "the run was cancelled").named("CancelledError");
            self.cut_calls(&failure, commands);
        } else {
            self.resume(commands);
        }
    }
}

/// Code 314 of the upstream enumeration.
pub(super) fn deadline_failure() -> Failure {
    Failure::new(ErrorClass::Timeout, "ONEX3022", "the run's deadline passed").named("WorkflowTimeoutError")
}
