//! Nodes whose every attempt is on the ledger and goes as the case says, and a reducer that asks for what the event
//! lists.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use onex_node::{
    Effect, EffectCall, ErrorClass, Failure, Intent, IntentOutcome, NodeRegistry, ReduceContext, Reducer, Reduction,
};
use onex_reducer::RegistrationReducer;
use serde_json::{Value, json};

use super::case::{Script, Scripts};
use super::ledger::{Attempt, Entry, Ledger};
use super::points::Points;
use crate::{EFFECT, REDUCER, registration_reducer};

/// Every node that a case can name.
pub fn nodes(scripts: &Scripts, points: &Arc<Points>, ledger: &Arc<Ledger>) -> NodeRegistry {
    static REGISTRATION: LazyLock<Arc<RegistrationReducer>> = LazyLock::new(|| Arc::new(registration_reducer()));
    let effect =
        Arc::new(OnLedger { scripts: scripts.clone(), points: Arc::clone(points), ledger: Arc::clone(ledger) });
    NodeRegistry::new()
        .with_reducer(REDUCER, Arc::clone(&REGISTRATION) as Arc<dyn Reducer>)
        .with_effect(EFFECT, Arc::clone(&effect) as Arc<dyn Effect>)
        .with_reducer("counter", Arc::new(Counter))
        .with_effect("ledger", effect)
}

struct OnLedger {
    scripts: Scripts,
    points: Arc<Points>,
    ledger: Arc<Ledger>,
}

impl OnLedger {
    /// Dies before anything has happened, or when it has and nobody knows.
    fn attempt(&self, call: &EffectCall, undo: bool, fails: u32, is_final: bool) -> Result<(), Failure> {
        self.points.before();
        let succeeded = call.attempt > fails;
        self.ledger.write(Entry::Attempt(Attempt {
            key: call.idempotency_key.to_string(),
            kind: call.intent.kind.clone(),
            payload: call.intent.payload.to_string(),
            undo,
            attempt: call.attempt,
            succeeded,
        }));
        self.points.after();
        let class = if is_final { ErrorClass::Validation } else { ErrorClass::Connection };
        let failed = || Failure::new(class, "ONEX4001", format!("`{}` fails as its script says", call.intent.kind));
        if succeeded { Ok(()) } else { Err(failed()) }
    }

    fn script(&self, call: &EffectCall) -> Script {
        self.scripts.get(&call.intent.kind).copied().unwrap_or_default()
    }
}

#[async_trait]
impl Effect for OnLedger {
    async fn execute(&self, call: &EffectCall) -> Result<Value, Failure> {
        let script = self.script(call);
        let fails = if script.fails_for_good { u32::MAX } else { script.fails };
        self.attempt(call, false, fails, script.fails_for_good)?;
        Ok(json!({"key": call.idempotency_key}))
    }

    fn can_undo(&self, _kind: &str) -> bool {
        true
    }

    async fn undo(&self, call: &EffectCall, output: &Value) -> Result<(), Failure> {
        assert_eq!(output["key"], call.idempotency_key.as_str(), "an undo is given what the effect gave");
        self.attempt(call, true, self.script(call).undo_fails, false)
    }
}

/// Counts the events of an entity and the intents that were applied.
struct Counter;

impl Reducer for Counter {
    fn entity(&self, event: &Value) -> Result<String, Failure> {
        let entity = event["entity"].as_str().map(str::to_owned);
        entity.ok_or_else(|| Failure::new(ErrorClass::Validation, "ONEX3001", "the event names no entity"))
    }

    fn reduce(&self, state: Option<&Value>, event: &Value, _: &ReduceContext) -> Result<Reduction, Failure> {
        let count = |key: &str| state.map_or(0, |state| state[key].as_u64().expect("a count"));
        let intents: Vec<Intent> = serde_json::from_value(event["intents"].clone()).expect("intents");
        let state = json!({"events": count("events") + 1, "applied": count("applied")});
        Ok(Reduction { state, intents, settled: Vec::new(), refusal: None })
    }

    fn confirm(&self, state: &Value, outcome: &IntentOutcome) -> Result<Value, Failure> {
        let mut state = state.clone();
        state["applied"] = json!(state["applied"].as_u64().expect("a count") + u64::from(outcome.success));
        Ok(state)
    }
}
