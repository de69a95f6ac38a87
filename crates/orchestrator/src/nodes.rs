//! Carries out what is pure: computes a step from the state, with the nodes the plan named.

use std::panic::{AssertUnwindSafe, catch_unwind};

use onex_compute::{Aggregation, PassThrough, flattened};
use onex_node::{Compute, ErrorClass, Failure, IntentOutcome, NodeRegistry, ResolveError, StepId};
use serde_json::{Value, json};

use crate::plan::{Binding, ComputeBinding, Plan};
use crate::state::{RunState, item_result};

/// The entity an event belongs to, and the reducer that says so.
pub(crate) struct Entity {
    pub(crate) reducer: String,
    pub(crate) entity: String,
}

/// The entity that orders the runs of a plan; `None` when its graph has no reducer.
pub(crate) fn entity_of(plan: &Plan, nodes: &NodeRegistry, event: &Value) -> Result<Option<Entity>, Failure> {
    let Some(reducer) = plan.entity_reducer() else {
        return Ok(None);
    };
    let entity = nodes.reducer(reducer).map_err(unresolved)?.entity(event)?;
    Ok(Some(Entity { reducer: reducer.to_owned(), entity }))
}

/// Computes one pure step. A node that panics fails its step, not the process (O-51).
pub(crate) fn compute(state: &RunState, nodes: &NodeRegistry, step: &StepId) -> Result<Value, Failure> {
    let computed = catch_unwind(AssertUnwindSafe(|| computed_step(state, nodes, step)));
    computed.unwrap_or_else(|_| Err(panicked(&format!("step `{step}`"))))
}

/// The failure of a node that panicked. What it said is not shown, since it may hold a secret.
pub(crate) fn panicked(what: &str) -> Failure {
    Failure::new(ErrorClass::Internal, "ONEX3026", format!("{what} panicked"))
}

fn computed_step(state: &RunState, nodes: &NodeRegistry, step: &StepId) -> Result<Value, Failure> {
    let index = state.plan().index_of(step);
    let index = index.ok_or_else(|| Failure::new(ErrorClass::Internal, "ONEX3032", format!("no step `{step}`")))?;
    let planned = &state.plan().steps[index];
    let input = || state.bound_input(index);
    match &planned.binding {
        Binding::Reduce { reducer } => reduce(state, nodes, reducer, input()?),
        Binding::Compute(binding) if planned.for_each.is_some() => computed_for_each(state, nodes, index, binding),
        Binding::Compute(binding) => computed(state, nodes, index, binding, input()?.as_ref()),
        Binding::Publish { event_type, .. } => payload(state, index, event_type, input()?),
        Binding::Receive { .. } | Binding::Execute { .. } | Binding::Workflow { .. } => {
            Err(Failure::new(ErrorClass::Internal, "ONEX3032", format!("step `{step}` is not pure")))
        }
    }
}

/// Computes a step for each item of its list; as many may fail as the step tolerates. The results are in the order
/// of the items.
fn computed_for_each(
    state: &RunState,
    nodes: &NodeRegistry,
    index: usize,
    binding: &ComputeBinding,
) -> Result<Value, Failure> {
    let mut left = state.plan().steps[index].max_failures;
    let mut results = Vec::new();
    for input in state.inputs_by_item(index)?.unwrap_or_default() {
        let result = computed(state, nodes, index, binding, Some(&input));
        if let Err(failure) = &result {
            left = left.checked_sub(1).ok_or_else(|| failure.clone())?;
        }
        results.push(item_result(result.as_ref()));
    }
    Ok(json!({ "results": results }))
}

fn reduce(state: &RunState, nodes: &NodeRegistry, name: &str, input: Option<Value>) -> Result<Value, Failure> {
    let reducer = nodes.reducer(name).map_err(unresolved)?;
    let event = input.as_ref().unwrap_or(state.input());
    let entity = state.entity().filter(|entity| entity.reducer == name && !entity.state.is_null());
    let reduction = reducer.reduce(entity.map(|entity| &entity.state), event, &state.reduce_context())?;
    serde_json::to_value(reduction).map_err(|error| Failure::new(ErrorClass::Internal, "ONEX3032", error.to_string()))
}

fn computed(
    state: &RunState,
    nodes: &NodeRegistry,
    index: usize,
    binding: &ComputeBinding,
    input: Option<&Value>,
) -> Result<Value, Failure> {
    let dependencies = state.dependencies(index);
    let compute_input = state.compute_input(index, &dependencies, input);
    match binding {
        ComputeBinding::Aggregate(strategy) => Aggregation(*strategy).compute(&compute_input),
        ComputeBinding::Node(name) => nodes.compute(name).map_err(unresolved)?.compute(&compute_input),
        ComputeBinding::PassThrough => PassThrough.compute(&compute_input),
    }
}

/// What a step publishes: its input, or what its dependencies gave together with the run's identity. An
/// event whose model is known is checked against it, so that nothing malformed leaves.
fn payload(state: &RunState, index: usize, event_type: &str, input: Option<Value>) -> Result<Value, Failure> {
    let payload = match input {
        Some(bound) => bound,
        None => identified(state, index)?,
    };
    match onex_event::model(event_type) {
        Some(model) => (model.validate)(&payload).map(|()| payload).map_err(|error| {
            let message = format!("step `{}` would publish no `{event_type}`: {error}", state.plan().steps[index].id);
            Failure::new(ErrorClass::Validation, "ONEX3012", message).named("PublicationError")
        }),
        None => Ok(payload),
    }
}

/// What its dependencies gave, an aggregation told flat, with the run's identity and the entity's.
fn identified(state: &RunState, index: usize) -> Result<Value, Failure> {
    let dependencies = state.dependencies(index);
    let handed_on = PassThrough.compute(&state.compute_input(index, &dependencies, None))?;
    let Value::Object(handed_on) = handed_on else { return Ok(handed_on) };
    let mut payload = flattened(handed_on);
    let identity = [
        ("correlation_id", json!(state.correlation_id())),
        ("run_id", json!(state.run_id())),
        ("timestamp", json!(onex_event::rfc3339::text(&state.now()))),
    ];
    let entity = ["node_id", "entity_id"].into_iter().filter_map(|key| Some((key, state.input().get(key)?.clone())));
    for (key, value) in identity.into_iter().chain(entity) {
        payload.entry(key).or_insert(value);
    }
    Ok(Value::Object(payload))
}

/// The entity's state after the outcomes of its intents.
pub(crate) fn confirmed<'o>(
    nodes: &NodeRegistry,
    reducer: &str,
    reduced: Value,
    mut outcomes: impl Iterator<Item = &'o IntentOutcome>,
) -> Result<Value, Failure> {
    let reducer = nodes.reducer(reducer).map_err(unresolved)?;
    outcomes.try_fold(reduced, |state, outcome| reducer.confirm(&state, outcome))
}

fn unresolved(error: ResolveError) -> Failure {
    Failure::new(ErrorClass::Internal, "ONEX3032", error.to_string())
}
