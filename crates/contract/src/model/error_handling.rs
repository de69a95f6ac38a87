//! What a contract says about failing: retries, the circuit breaker, the errors it names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `error_handling`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorHandling {
    /// How failed effects are tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_policy: Option<RetryPolicy>,
    /// When a backend is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Errors by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub error_types: Vec<ErrorType>,
}

/// `error_handling.retry_policy`; delays in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetryPolicy {
    /// Attempts after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
    /// Delay before the second attempt.
    #[serde(default, alias = "base_delay_ms", skip_serializing_if = "Option::is_none")]
    pub initial_delay_ms: Option<u64>,
    /// Longest delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delay_ms: Option<u64>,
    /// Growth of the delay from attempt to attempt.
    #[serde(default, alias = "backoff_multiplier", skip_serializing_if = "Option::is_none")]
    pub exponential_base: Option<f64>,
    /// Share of the delay that is random, 0 to 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_factor: Option<f64>,
    /// Names of errors to retry; empty for all that may pass by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry_on: Vec<String>,
}

/// `error_handling.circuit_breaker`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CircuitBreaker {
    /// Whether there is one.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// Consecutive failures that open it (C-22).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u32>,
    /// Milliseconds until one probe is let through.
    #[serde(default, alias = "timeout_ms", skip_serializing_if = "Option::is_none")]
    pub reset_timeout_ms: Option<u64>,
}

fn enabled() -> bool {
    true
}

/// An entry of `error_handling.error_types`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorType {
    /// The error's name, as `retry_on` uses it.
    pub name: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `false`: never tried again, whatever the policy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recoverable: Option<bool>,
    /// `none`: never tried again; anything else leaves it to the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_strategy: Option<String>,
}
