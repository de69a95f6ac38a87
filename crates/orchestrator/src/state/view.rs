//! Tells what can be asked of a run: who it is, what pure steps compute from, what it still waits for.

use std::sync::Arc;

use onex_node::{ComputeInput, ReduceContext, RunId, StepId, StepResult, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Phase, Progress, RunState, milliseconds_between};
use crate::event::{CarriedCall, Command, EntityAtStart, RunLimits};
use crate::plan::Plan;

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

    /// The type of that event.
    pub fn event_type(&self) -> Option<&str> {
        self.origin.as_ref()?.event_type.as_deref()
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

    /// What it may use.
    pub fn limits(&self) -> RunLimits {
        self.origin.as_ref().map_or_else(RunLimits::default, |origin| origin.limits)
    }

    /// How many runs are above it; 0 for one that is nobody's step.
    pub fn depth(&self) -> u32 {
        self.origin.as_ref().and_then(|origin| origin.parent).map_or(0, |parent| parent.depth)
    }

    /// Effects that are in place and were not undone, for a run that does the rest.
    pub fn in_place(&self) -> Vec<CarriedCall> {
        let kept = self.succeeded.iter().filter(|call| !self.undo.was_undone(call));
        let carried = kept.filter_map(|id| {
            let call = self.call(id)?;
            Some(CarriedCall { call: id.clone(), intent: call.intent.clone(), output: call.output()?.clone() })
        });
        carried.collect()
    }

    /// What the run gives to one that it is a step of: the outputs of the steps that none depends on, by step.
    pub fn results(&self) -> Value {
        let mut is_needed = vec![false; self.steps.len()];
        self.plan.steps.iter().flat_map(|step| &step.depends_on).for_each(|index| is_needed[*index] = true);
        let last = self.plan.steps.iter().zip(&self.steps).zip(is_needed).filter(|(_, is_needed)| !is_needed);
        let results = last.filter_map(|((planned, step), _)| match &step.progress {
            Progress::Ended(result) => Some((planned.id.to_string(), result.output()?.clone())),
            _ => None,
        });
        results.collect()
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

    /// What a step's dependencies gave, in the order the contract declares them.
    pub(super) fn outputs_before(&self, index: usize) -> impl Iterator<Item = &Value> {
        let depends_on = self.plan.steps.get(index).map_or(&[][..], |step| &step.depends_on);
        depends_on.iter().filter_map(|dependency| match &self.steps.get(*dependency)?.progress {
            Progress::Ended(result) => result.output(),
            _ => None,
        })
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
        let digits = self.pure_hash.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
    }

    /// What the run still waits for, as commands to give again after a recovery. What is to be
    /// computed is not among it: a recovery computes at once.
    pub fn outstanding(&self) -> Vec<Command> {
        let mut commands = Vec::new();
        self.arm_deadline(&mut commands);
        commands.extend(self.outstanding_calls());
        commands.extend(self.outstanding_undo());
        commands
    }

    /// Milliseconds from the start to the last thing that happened.
    fn elapsed_ms(&self) -> f64 {
        self.origin.as_ref().map_or(0.0, |origin| milliseconds_between(origin.at, self.now))
    }
}
