//! Decides what an introspection event asks for, given what is already in place.
//!
//! The status moves by the contract's table; this code holds what a table cannot say: when an event is
//! a repeat or stale, and how intents are built from it. A repeated event asks only for what is
//! missing, so that feeding the same input again completes what a dead backend left open.

use std::collections::BTreeMap;

use onex_contract::StateMachine;
use onex_event::{EventPosition, NodeIntrospectionEvent, RegistrationIntent, intent::build, rfc3339};
use onex_node::{ErrorClass, Failure, Intent, IntentOutcome, ReduceContext, Reducer, Reduction};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::machine::Machine;

/// What is remembered of one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrationState {
    /// A state of the contract's table.
    pub status: String,
    /// The node.
    pub node_id: Uuid,
    /// Epoch and timestamp of the event it stands at.
    pub position: EventPosition,
    /// Correlation id of that event.
    pub correlation_id: Uuid,
    /// Kinds of intents the event asked for, and whether each is in place.
    pub applied: BTreeMap<String, bool>,
}

/// The registration reducer.
#[derive(Clone, Debug)]
pub struct RegistrationReducer {
    machine: Machine,
}

/// How an event stands to the state.
enum News {
    Newer,
    Repeated(RegistrationState),
    Stale(RegistrationState),
}

impl RegistrationReducer {
    /// The reducer over a contract's table.
    pub fn new(table: StateMachine) -> Self {
        Self { machine: Machine::new(table) }
    }

    fn moved(&self, status: &str, trigger: &str, applied: &BTreeMap<String, bool>) -> Result<String, Failure> {
        let in_place = applied.values().filter(|applied| **applied).count();
        let context = json!({"applied_count": in_place, "missing_count": applied.len() - in_place});
        let step = self.machine.step(status, trigger, &context);
        step.map(|step| step.to).map_err(|error| reducer_error("ONEX3003", error.to_string()))
    }

    /// A newer event: everything is asked for.
    fn receive(
        &self,
        previous: Option<&RegistrationState>,
        event: &NodeIntrospectionEvent,
        context: &ReduceContext,
    ) -> Result<Reduction, Failure> {
        let intents = intents(event, context);
        let applied: BTreeMap<_, _> = intents.iter().map(|intent| (intent.kind.clone(), false)).collect();
        let status = previous.map_or(self.machine.initial_state(), |state| &state.status);
        let state = RegistrationState {
            status: self.moved(status, "introspection_received", &applied)?,
            node_id: event.node_id,
            position: event.position(),
            correlation_id: event.correlation_id,
            applied,
        };
        Ok(Reduction { state: to_value(&state)?, intents, settled: Vec::new(), refusal: None })
    }

    /// The same event again: only what is missing is asked for.
    fn repeat(
        &self,
        state: RegistrationState,
        event: &NodeIntrospectionEvent,
        context: &ReduceContext,
    ) -> Result<Reduction, Failure> {
        let status = self.moved(&state.status, "introspection_repeated", &state.applied)?;
        let is_applied = |kind: &str| state.applied.get(kind).copied().unwrap_or(false);
        let (settled, missing): (Vec<_>, Vec<_>) =
            intents(event, context).into_iter().partition(|intent| is_applied(&intent.kind));
        let settled = settled.iter().map(|intent| IntentOutcome::settled_before(&intent.kind)).collect();
        let state = to_value(&RegistrationState { status, ..state })?;
        Ok(Reduction { state, intents: missing, settled, refusal: None })
    }
}

impl Reducer for RegistrationReducer {
    fn entity(&self, event: &Value) -> Result<String, Failure> {
        Ok(read_event(event)?.node_id.to_string())
    }

    fn reduce(&self, state: Option<&Value>, event: &Value, context: &ReduceContext) -> Result<Reduction, Failure> {
        let event = read_event(event)?;
        let state = state.map(|state| read_state_of(event.node_id, state)).transpose()?;
        match news(state.clone(), &event) {
            News::Newer => self.receive(state.as_ref(), &event, context),
            News::Repeated(state) => self.repeat(state, &event, context),
            News::Stale(state) => {
                let refusal = Some(stale(&event.position(), &state.position));
                Ok(Reduction { state: to_value(&state)?, intents: Vec::new(), settled: Vec::new(), refusal })
            }
        }
    }

    fn confirm(&self, state: &Value, outcome: &IntentOutcome) -> Result<Value, Failure> {
        let mut state = read_state(state)?;
        let is_applied = state.applied.get_mut(&outcome.intent_kind).ok_or_else(|| not_asked_for(outcome))?;
        if *is_applied && !outcome.success {
            // Another call of an intent that is in place failed; that takes nothing away.
            return to_value(&state);
        }
        *is_applied = outcome.success;
        let trigger = if outcome.success { "intent_succeeded" } else { "intent_failed" };
        state.status = self.moved(&state.status, trigger, &state.applied)?;
        to_value(&state)
    }
}

fn news(state: Option<RegistrationState>, event: &NodeIntrospectionEvent) -> News {
    use std::cmp::Ordering;
    let Some(state) = state else { return News::Newer };
    match event.position().compare(&state.position) {
        Ordering::Less => News::Stale(state),
        Ordering::Equal if event.correlation_id == state.correlation_id => News::Repeated(state),
        Ordering::Equal | Ordering::Greater => News::Newer,
    }
}

fn stale(event: &EventPosition, stored: &EventPosition) -> String {
    match (event.epoch, stored.epoch) {
        (Some(epoch), Some(newer)) if epoch != newer => {
            format!("refused as stale: epoch {epoch} is older than {newer}")
        }
        _ => {
            let (event, stored) = (rfc3339::text(&event.timestamp), rfc3339::text(&stored.timestamp));
            format!("refused as stale: {event} is older than {stored}")
        }
    }
}

fn intents(event: &NodeIntrospectionEvent, context: &ReduceContext) -> Vec<Intent> {
    let run_id = Some(context.run_id.0);
    let typed: [RegistrationIntent; 2] =
        [build::consul_register(event, run_id).into(), build::postgres_upsert(event, context.now, run_id).into()];
    typed.iter().map(|intent| Intent { kind: intent.kind().to_owned(), payload: intent.payload() }).collect()
}

fn read_event(event: &Value) -> Result<NodeIntrospectionEvent, Failure> {
    onex_event::read(event).map_err(|error| reducer_error("ONEX3001", format!("no introspection event: {error}")))
}

fn read_state(state: &Value) -> Result<RegistrationState, Failure> {
    onex_event::read(state).map_err(|error| reducer_error("ONEX3002", format!("no registration state: {error}")))
}

/// The state of the node an event is about; another node's position would say nothing about the event.
fn read_state_of(node_id: Uuid, state: &Value) -> Result<RegistrationState, Failure> {
    let state = read_state(state)?;
    if state.node_id != node_id {
        let message = format!("the state is of node {}, the event of node {node_id}", state.node_id);
        return Err(reducer_error("ONEX3004", message));
    }
    Ok(state)
}

fn not_asked_for(outcome: &IntentOutcome) -> Failure {
    reducer_error("ONEX3004", format!("the last event asked for no `{}`", outcome.intent_kind))
}

fn to_value(state: &RegistrationState) -> Result<Value, Failure> {
    serde_json::to_value(state).map_err(|error| reducer_error("ONEX3002", error.to_string()))
}

fn reducer_error(code: &str, message: String) -> Failure {
    Failure::new(ErrorClass::Validation, code, message).named("ReducerError")
}
