//! Decides which steps start, and how a step's end bears on the others.

use onex_contract::FailureRecoveryStrategy;
use onex_node::{ErrorClass, Failure, StepResult};
use serde_json::Value;

use super::{Progress, RunState, Stop};
use crate::event::Command;
use crate::plan::Binding;

/// Whether a pending step can start.
enum Readiness {
    /// Something before it has not ended.
    Waits,
    /// Something before it did not give what it needs.
    Unmet(String),
    /// Everything before it is there.
    Ready,
}

impl RunState {
    /// Starts every step that can start, up to the limit, in topological order.
    pub(super) fn schedule(&mut self, commands: &mut Vec<Command>) {
        let limit = self.plan.max_parallel.value as usize;
        for position in 0..self.plan.order.len() {
            let index = self.plan.order[position];
            if self.steps[index].progress != Progress::Pending {
                continue;
            }
            if self.stop.is_some() {
                self.end_step(index, StepResult::Skipped { reason: "not_reached".to_owned() });
                continue;
            }
            match self.readiness(index) {
                Readiness::Unmet(message) => {
                    let failure = Failure::new(ErrorClass::Validation, "ONEX3020", message).named("UnmetDependencyError");
                    self.steps[index].progress = Progress::Ended(StepResult::Failed { failure, output: Value::Null });
                }
                Readiness::Ready if self.running() < limit => self.start(index, commands),
                Readiness::Ready | Readiness::Waits => {}
            }
        }
    }

    fn running(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step.progress, Progress::Computing | Progress::Executing)).count()
    }

    fn readiness(&self, index: usize) -> Readiness {
        let planned = &self.plan.steps[index];
        for dependency in &planned.depends_on {
            match &self.steps[*dependency].progress {
                Progress::Ended(StepResult::Done(_)) => {}
                Progress::Ended(_) if planned.takes_failures => {}
                Progress::Ended(_) => {
                    let unmet = &self.plan.steps[*dependency].id;
                    return Readiness::Unmet(format!("step `{}` needs `{unmet}`, which is not done", planned.id));
                }
                Progress::Pending | Progress::Computing | Progress::Executing => return Readiness::Waits,
            }
        }
        Readiness::Ready
    }

    fn start(&mut self, index: usize, commands: &mut Vec<Command>) {
        match self.plan.steps[index].binding {
            Binding::Receive { .. } => {
                let input = self.input().clone();
                self.end_step(index, StepResult::Done(input));
            }
            Binding::Execute { .. } => self.start_calls(index, commands),
            Binding::Reduce { .. } | Binding::Compute(_) | Binding::Publish { .. } => {
                self.steps[index].progress = Progress::Computing;
                commands.push(Command::Compute { step: self.plan.steps[index].id.clone() });
            }
        }
    }

    /// Ends a step. An unabsorbed failure stops the run unless its strategy is to continue.
    pub(super) fn end_step(&mut self, index: usize, result: StepResult) {
        let planned = &self.plan.steps[index];
        let stops = matches!(result, StepResult::Failed { .. })
            && !planned.is_absorbed
            && self.plan.strategy.value != FailureRecoveryStrategy::Continue;
        if stops {
            self.stop = self.stop.or(Some(Stop::Failed));
        }
        self.steps[index].progress = Progress::Ended(result);
    }

    /// No effect goes on or begins; what is left is computed, so that the outcome is told. Undoing is not
    /// cut short: its attempts bound it.
    pub(super) fn pass_deadline(&mut self, commands: &mut Vec<Command>) {
        self.deadline_passed = true;
        self.cut_calls(&deadline_failure(), commands);
    }

    pub(super) fn cancel(&mut self, commands: &mut Vec<Command>) {
        self.stop = Some(Stop::Cancelled);
        let failure = Failure::new(ErrorClass::Conflict, "ONEX3023", "the run was cancelled").named("CancelledError");
        self.cut_calls(&failure, commands);
    }
}

/// Code 314 of the upstream enumeration.
pub(super) fn deadline_failure() -> Failure {
    Failure::new(ErrorClass::Timeout, "ONEX3022", "the run's deadline passed").named("WorkflowTimeoutError")
}
