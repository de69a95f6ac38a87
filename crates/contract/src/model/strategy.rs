//! The words that say how steps follow each other and what a failure leads to, in every spelling that is found.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::kind::any_case;

/// How steps follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionMode {
    /// One after another, in topological order with declaration as tie-break; also written `serial`.
    Sequential,
    /// As soon as their dependencies allow, up to the limit.
    Parallel,
    /// As sequential (section 5.3 of the semantics).
    Batch,
}

impl<'de> Deserialize<'de> for ExecutionMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        match word.as_str() {
            "sequential" | "serial" => Ok(Self::Sequential),
            "parallel" => Ok(Self::Parallel),
            "batch" => Ok(Self::Batch),
            "conditional" | "streaming" => Err(de::Error::custom(format!(
                "execution mode `{word}` is reserved, use sequential, parallel or batch"
            ))),
            _ => Err(de::Error::custom(format!(
                "unknown execution mode `{word}`, expected sequential, parallel or batch"
            ))),
        }
    }
}

impl JsonSchema for ExecutionMode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ExecutionMode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"enum": ["sequential", "serial", "parallel", "batch"]})
    }
}

/// What a failed step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureRecoveryStrategy {
    /// Effects are tried again, then the run fails.
    Retry,
    /// The run fails at once; also written `fail_fast` and `none`.
    Abort,
    /// Steps that do not depend on the failed one go on.
    Continue,
    /// The run fails and its effects are undone; also written `compensate`.
    Rollback,
}

impl<'de> Deserialize<'de> for FailureRecoveryStrategy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        match word.to_ascii_lowercase().as_str() {
            "retry" => Ok(Self::Retry),
            "abort" | "fail_fast" | "none" => Ok(Self::Abort),
            "continue" | "continue_on_error" => Ok(Self::Continue),
            "rollback" | "compensate" => Ok(Self::Rollback),
            _ => Err(de::Error::custom(format!(
                "unknown failure recovery strategy `{word}`, expected retry, abort, fail_fast, continue, rollback or compensate"
            ))),
        }
    }
}

impl JsonSchema for FailureRecoveryStrategy {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FailureRecoveryStrategy".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words = ["retry", "abort", "fail_fast", "none", "continue", "continue_on_error", "rollback", "compensate"];
        // The words first, for editors that complete them.
        json_schema!({"anyOf": [
            {"enum": words},
            {"type": "string", "pattern": format!("^({})$", any_case(&words.join("|")))}
        ]})
    }
}

/// What a step's failure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ErrorAction {
    /// No further step starts; the run fails.
    Stop,
    /// The others go on; those that need it fail, and so does the run.
    Continue,
    /// It is tried again as its rules allow, then as `stop` (G-30).
    Retry,
    /// As `stop`, and what was done is undone.
    Compensate,
}
