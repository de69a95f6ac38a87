//! Decides what a step calls: the intents that its dependencies gave, or those it makes of its own input, one for
//! each item of its list.

use onex_node::{ErrorClass, Failure, Intent, IntentOutcome};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::RunState;
use super::calls::Call;
use crate::plan::{Binding, PlannedStep};

impl RunState {
    /// Queues the step's calls.
    pub(super) fn gather(&mut self, index: usize) -> Result<(), Failure> {
        let own = match &self.plan.steps[index].binding {
            Binding::Execute { own, .. } => own.clone(),
            Binding::Workflow { name } => Some(name.clone()),
            _ => None,
        };
        let intents = match own {
            Some(kind) => self.own_intents(index, &kind)?,
            None => self.given_intents(index)?,
        };
        let now = self.now;
        self.steps[index].calls = intents.into_iter().map(|intent| Call::queued(intent, now)).collect();
        Ok(())
    }

    fn own_intents(&self, index: usize, kind: &str) -> Result<Vec<Intent>, Failure> {
        let payloads = match self.inputs_by_item(index)? {
            Some(inputs) => inputs,
            None => vec![self.bound_input(index)?.unwrap_or_else(|| self.input().clone())],
        };
        Ok(payloads.into_iter().map(|payload| Intent { kind: kind.to_owned(), payload }).collect())
    }

    /// Takes the step's intents, what is settled, and a refusal, from its dependencies' outputs.
    fn given_intents(&mut self, index: usize) -> Result<Vec<Intent>, Failure> {
        let planned = &self.plan.steps[index];
        let outputs: Vec<&Value> = self.outputs_before(index).collect();
        let intents: Vec<Intent> = listed(&outputs, "intents", "kind", planned)?;
        let settled: Vec<IntentOutcome> = listed(&outputs, "settled", "intent_kind", planned)?;
        let refusal = outputs.iter().find_map(|output| output["refusal"].as_str()).map(str::to_owned);
        let step = &mut self.steps[index];
        (step.settled, step.refusal) = (settled, refusal);
        Ok(intents)
    }

    /// Counts calls as made that an earlier run over the same input left in place: the same call for the same intent.
    pub(super) fn take_carried(&mut self, index: usize) {
        let id = &self.plan.steps[index].id;
        let carried = self.origin.iter().flat_map(|origin| &origin.carried).filter(|carried| carried.call.step == *id);
        let (mut in_place, now) = (Vec::new(), self.now);
        for carried in carried {
            let call = self.steps[index].calls.get_mut(carried.call.call as usize);
            if let Some(call) = call.filter(|call| call.intent == carried.intent) {
                call.succeed(carried.output.clone(), now);
                in_place.push(carried.call.clone());
            }
        }
        self.succeeded.extend(in_place);
    }
}

/// What several outputs list under a key, together, as far as the step takes its kind. A list of something else is a
/// failure: what was asked for must not be left out silently.
fn listed<T: DeserializeOwned>(
    outputs: &[&Value],
    key: &str,
    kind: &str,
    planned: &PlannedStep,
) -> Result<Vec<T>, Failure> {
    let is_taken = |item: &&Value| item[kind].as_str().is_none_or(|kind| planned.takes(kind));
    let of_list = |list: &Value| match list {
        Value::Array(items) => items.iter().filter(is_taken).map(T::deserialize).collect(),
        other => Vec::<T>::deserialize(other),
    };
    let lists: Result<Vec<Vec<T>>, _> = outputs.iter().filter_map(|output| output.get(key)).map(of_list).collect();
    let flat = lists.map(|lists| lists.into_iter().flatten().collect());
    flat.map_err(|error| {
        Failure::new(ErrorClass::Validation, "ONEX3025", format!("`{key}` of a dependency cannot be read: {error}"))
    })
}
