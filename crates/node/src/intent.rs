//! Decides the shape of what a reducer asks for and of what became of it.
//!
//! An intent is data: a reducer states it, the orchestrator routes it by `kind`, an effect carries
//! it out. Typed intents of a domain (see `onex-event`) are read from the payload by the effect.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request for one side effect, addressed by kind, such as `consul.register`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Dotted name; the part before the first dot names the backend.
    pub kind: String,
    /// What the effect needs; its shape belongs to the kind.
    pub payload: Value,
}

impl Intent {
    /// The part of the kind before its first dot: `consul` of `consul.register`.
    pub fn backend(&self) -> &str {
        backend_of(&self.kind)
    }
}

/// What became of one intent, as results, reducers and aggregations see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntentOutcome {
    /// The intent's kind.
    pub intent_kind: String,
    /// Whether its effect is in place.
    pub success: bool,
    /// Why not; redacted.
    pub error: Option<String>,
    /// Milliseconds from dispatch to the last attempt's end, by the run's own times; 0 when nothing was done.
    pub execution_time_ms: f64,
    /// The effect was in place before this run asked for it.
    #[serde(default)]
    pub already_applied: bool,
    /// Attempts this run made; 0 when none was needed.
    #[serde(default)]
    pub attempts: u32,
}

impl IntentOutcome {
    /// The outcome of an intent whose effect an earlier run left in place.
    pub fn settled_before(kind: &str) -> Self {
        Self {
            intent_kind: kind.to_owned(),
            success: true,
            error: None,
            execution_time_ms: 0.0,
            already_applied: true,
            attempts: 0,
        }
    }

    /// The backend the intent was for.
    pub fn backend(&self) -> &str {
        backend_of(&self.intent_kind)
    }
}

fn backend_of(kind: &str) -> &str {
    kind.split_once('.').map_or(kind, |(backend, _)| backend)
}
