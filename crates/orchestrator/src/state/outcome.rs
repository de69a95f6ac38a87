//! Decides what a finished run tells: how it ended, what it publishes, what became of each intent and step.

use std::collections::BTreeSet;

use onex_journal::RunStatus;
use onex_node::{Failure, Intent, IntentOutcome, StepId, StepResult};
use serde::Deserialize;
use serde_json::Value;

use super::calls::Call;
use super::{Progress, RunState, StepRun, Stop};
use crate::event::StepSummary;
use crate::plan::{Binding, ComputeBinding};

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Succeeded, partial, failed or cancelled.
    pub status: RunStatus,
    /// The failure that made it fail, the first of several.
    pub failure: Option<Failure>,
    /// Events that leave, in the order of their steps.
    pub publications: Vec<Publication>,
    /// What became of every intent that was tried, in the order of steps and intents. What was undone counts as failed.
    pub intents: Vec<IntentOutcome>,
    /// The entity's state that the reducer gave, before those outcomes; `None` when it gave none or refused.
    pub reduced: Option<Reduced>,
    /// How each step ended, in the order of the contract.
    pub steps: Vec<StepSummary>,
    /// What could not be undone, and why.
    pub undo_failures: Vec<String>,
}

/// What the reducer of a run's entity gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduced {
    /// The entity's state, before the outcomes of its intents.
    pub state: Value,
    /// Kinds of the intents it asked for; outcomes of others are not its business.
    pub asked_for: BTreeSet<String>,
}

/// An event that leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// The step that publishes it.
    pub step: StepId,
    /// Its type.
    pub event_type: String,
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Value,
}

impl RunState {
    /// How the run ended; `None` while it goes on.
    pub fn outcome(&self) -> Option<Outcome> {
        self.is_finished().then(|| Outcome {
            status: self.status(),
            failure: self.failure(),
            publications: self.publications(),
            intents: self.intent_outcomes(),
            reduced: self.reduced(),
            steps: self.summaries(),
            undo_failures: self
                .undo
                .failures()
                .iter()
                .map(|(call, failure)| format!("`{}`: {failure}", call.step))
                .collect(),
        })
    }

    /// How the run ended, or would if it ended now.
    pub(super) fn status(&self) -> RunStatus {
        if self.stop == Some(Stop::Cancelled) {
            return RunStatus::Cancelled;
        }
        if self.failed_step.is_some() {
            return RunStatus::Failed;
        }
        let aggregated =
            self.plan.steps.iter().zip(&self.steps).filter(|(planned, _)| is_aggregation(&planned.binding));
        let statuses: Vec<_> = aggregated.filter_map(|(_, step)| aggregated_status(step)).collect();
        if statuses.contains(&"failed") {
            RunStatus::Failed
        } else if statuses.contains(&"partial") {
            RunStatus::Partial
        } else {
            RunStatus::Succeeded
        }
    }

    fn failure(&self) -> Option<Failure> {
        match &self.steps[self.failed_step?].progress {
            Progress::Ended(StepResult::Failed { failure, .. }) => Some(failure.clone()),
            _ => None,
        }
    }

    fn publications(&self) -> Vec<Publication> {
        let steps = self.plan.steps.iter().zip(&self.steps);
        steps
            .filter_map(|(planned, step)| match (&planned.binding, &step.progress) {
                (Binding::Publish { event_type, topic }, Progress::Ended(StepResult::Done(payload))) => {
                    Some(Publication {
                        step: planned.id.clone(),
                        event_type: event_type.clone(),
                        topic: topic.clone(),
                        payload: payload.clone(),
                    })
                }
                _ => None,
            })
            .collect()
    }

    fn intent_outcomes(&self) -> Vec<IntentOutcome> {
        let mut outcomes = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            for (position, call) in step.calls.iter().enumerate() {
                let Some(mut outcome) = call.outcome() else { continue };
                if self.undo.was_undone(&self.call_id(index, position)) {
                    (outcome.success, outcome.error) = (false, Some("undone".to_owned()));
                }
                outcomes.push(outcome);
            }
        }
        outcomes
    }

    fn reduced(&self) -> Option<Reduced> {
        let reducing = self.plan.steps.iter().position(|step| matches!(step.binding, Binding::Reduce { .. }))?;
        match &self.steps[reducing].progress {
            Progress::Ended(StepResult::Done(output)) if output["refusal"].is_null() => Some(Reduced {
                state: output.get("state")?.clone(),
                asked_for: Vec::<Intent>::deserialize(&output["intents"])
                    .map(|intents| intents.into_iter().map(|intent| intent.kind).collect())
                    .unwrap_or_default(),
            }),
            _ => None,
        }
    }

    fn summaries(&self) -> Vec<StepSummary> {
        let steps = self.plan.steps.iter().zip(&self.steps).enumerate();
        steps.filter_map(|(index, (planned, step))| self.summary(index, &planned.id, step)).collect()
    }

    fn summary(&self, index: usize, id: &StepId, step: &StepRun) -> Option<StepSummary> {
        let Progress::Ended(result) = &step.progress else {
            return None;
        };
        let (ended, reason, code) = match result {
            StepResult::Done(_) => ("done", step.refusal.clone(), None),
            StepResult::Failed { failure, .. } => ("failed", Some(failure.message.clone()), Some(failure.code.clone())),
            StepResult::Skipped { reason } => ("skipped", Some(reason.clone()), None),
        };
        let undone = (0..step.calls.len()).any(|position| self.undo.was_undone(&self.call_id(index, position)));
        let attempts = step.calls.iter().map(|call: &Call| call.attempt).sum();
        Some(StepSummary { step: id.clone(), ended: ended.to_owned(), reason, code, attempts, undone })
    }
}

fn is_aggregation(binding: &Binding) -> bool {
    matches!(binding, Binding::Compute(ComputeBinding::Aggregate(_)))
}

fn aggregated_status(step: &StepRun) -> Option<&str> {
    match &step.progress {
        Progress::Ended(StepResult::Done(output)) => output["status"].as_str(),
        _ => None,
    }
}
