//! What goes into a registration workflow, what comes out of it, and how it is tuned.
//!
//! Fields, defaults and ranges are those of the upstream orchestrator's models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    bounds,
    introspection::NodeIntrospectionEvent,
    object::object,
    result::{Applied, IntentResult, RegistrationStatus, StatusError},
};

/// What starts a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote)]
pub struct OrchestratorInput {
    /// The node that announced itself.
    pub introspection_event: NodeIntrospectionEvent,
    /// The id all messages of one registration share.
    pub correlation_id: Uuid,
}

/// How a workflow ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote)]
pub struct OrchestratorOutput {
    /// The id all messages of one registration share.
    pub correlation_id: Uuid,
    /// The sum of it.
    pub status: RegistrationStatus,
    /// Whether every Consul intent is in place.
    #[serde(default)]
    pub consul_applied: bool,
    /// Whether every Postgres intent is in place.
    #[serde(default)]
    pub postgres_applied: bool,
    /// Why Consul is not; redacted.
    #[serde(default)]
    pub consul_error: Option<String>,
    /// Why Postgres is not; redacted.
    #[serde(default)]
    pub postgres_error: Option<String>,
    /// One entry per intent.
    #[serde(default)]
    pub intent_results: Vec<IntentResult>,
    /// Milliseconds from the event to the end; at least 0.
    #[serde(deserialize_with = "bounds::non_negative")]
    #[schemars(range(min = 0.0))]
    pub total_execution_time_ms: f64,
}

impl OrchestratorOutput {
    /// Whether the status says what the flags and the intents say.
    pub fn validate(&self) -> Result<(), StatusError> {
        let applied = Applied { consul: self.consul_applied, postgres: self.postgres_applied };
        applied.check(self.status, &self.intent_results)
    }
}

object!(checked OrchestratorOutput);

/// How a workflow is tuned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[schemars(!remote)]
pub struct OrchestratorConfig {
    /// Seconds for the whole workflow: 1 to 300.
    #[schemars(range(min = 1.0, max = 300.0))]
    pub timeout_seconds: f64,
    /// Attempts after the first: 0 to 10.
    #[schemars(range(min = 0, max = 10))]
    pub max_retries: u32,
    /// Milliseconds before the first retry: 10 to 10000.
    #[schemars(range(min = 10, max = 10_000))]
    pub initial_delay_ms: u64,
    /// Milliseconds no delay exceeds: 100 to 60000.
    #[schemars(range(min = 100, max = 60_000))]
    pub max_delay_ms: u64,
    /// By what each delay outgrows the last: 1.1 to 4.
    #[schemars(range(min = 1.1, max = 4.0))]
    pub exponential_base: f64,
    /// Whether the first failure ends the workflow.
    pub fail_fast: bool,
}

impl Default for OrchestratorConfig {
    fn default() -> Self {
        Self {
            timeout_seconds: 30.0,
            max_retries: 3,
            initial_delay_ms: 100,
            max_delay_ms: 5_000,
            exponential_base: 2.0,
            fail_fast: true,
        }
    }
}

/// A field is out of its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{field} must be from {min} to {max}, found {found}")]
pub struct RangeError {
    /// The field.
    pub field: &'static str,
    /// The smallest value allowed.
    pub min: f64,
    /// The largest value allowed.
    pub max: f64,
    /// The value.
    pub found: f64,
}

impl OrchestratorConfig {
    /// Whether every field is in its range.
    pub fn validate(&self) -> Result<(), RangeError> {
        within("timeout_seconds", 1.0, 300.0, self.timeout_seconds)?;
        within("max_retries", 0.0, 10.0, f64::from(self.max_retries))?;
        within("initial_delay_ms", 10.0, 10_000.0, self.initial_delay_ms as f64)?;
        within("max_delay_ms", 100.0, 60_000.0, self.max_delay_ms as f64)?;
        within("exponential_base", 1.1, 4.0, self.exponential_base)
    }
}

fn within(field: &'static str, min: f64, max: f64, found: f64) -> Result<(), RangeError> {
    match (min..=max).contains(&found) {
        true => Ok(()),
        false => Err(RangeError { field, min, max, found }),
    }
}

object!(checked OrchestratorConfig);

object!(OrchestratorInput);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::read;

    #[test]
    fn an_empty_config_is_the_default() {
        assert_eq!(read::<OrchestratorConfig>(&json!({})), Ok(OrchestratorConfig::default()));
    }

    #[test]
    fn every_field_has_its_range() {
        let table = [
            (json!({ "timeout_seconds": 1 }), ""),
            (json!({ "timeout_seconds": 0.5 }), "timeout_seconds must be from 1 to 300, found 0.5"),
            (json!({ "timeout_seconds": 301 }), "timeout_seconds must be from 1 to 300, found 301"),
            (json!({ "max_retries": 10 }), ""),
            (json!({ "max_retries": 11 }), "max_retries must be from 0 to 10, found 11"),
            (json!({ "initial_delay_ms": 9 }), "initial_delay_ms must be from 10 to 10000, found 9"),
            (json!({ "max_delay_ms": 99 }), "max_delay_ms must be from 100 to 60000, found 99"),
            (json!({ "max_delay_ms": 60_000 }), ""),
            (json!({ "exponential_base": 1.0 }), "exponential_base must be from 1.1 to 4, found 1"),
            (json!({ "exponential_base": 1.1 }), ""),
            (json!({ "fail_fast": "yes" }), "fail_fast: expected a boolean, found string"),
            (json!({ "max_retires": 1 }), "unknown key `max_retires`"),
        ];
        for (given, expected) in table {
            let told = read::<OrchestratorConfig>(&given).err();
            let told = told.map_or_else(String::new, |error| error.to_string());
            assert_eq!(told, expected, "{given}");
        }
    }

    #[test]
    fn an_output_must_not_contradict_itself() {
        let mut output = json!({
            "correlation_id": Uuid::nil(),
            "status": "failed",
            "total_execution_time_ms": 0,
        });
        assert_eq!(read::<OrchestratorOutput>(&output).err(), None);
        output["status"] = json!("partial");
        let error = read::<OrchestratorOutput>(&output).unwrap_err().to_string();
        assert_eq!(error, "status `partial` needs some backends applied and some not");
    }
}
