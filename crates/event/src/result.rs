//! How a registration ended, and the rule that ties the status to what was applied.
//!
//! Upstream names `NodeRegistrationResultEvent` in every contract and has no model for it; this
//! one is its dual-registration outcome with one line per intent added. A result whose status
//! and flags contradict each other is refused when read, because a consumer would believe
//! whichever of the two it looks at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    bounds, intent,
    object::object,
    timestamp::{Timestamp, rfc3339},
};

/// How one registration ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote)]
pub struct NodeRegistrationResultEvent {
    /// The node.
    pub node_id: Uuid,
    /// The id all messages of one registration share.
    pub correlation_id: Uuid,
    /// The sum of it.
    pub status: RegistrationStatus,
    /// Whether every Consul intent is in place.
    pub consul_applied: bool,
    /// Whether every Postgres intent is in place.
    pub postgres_applied: bool,
    /// Why Consul is not; redacted, at most 2000 characters.
    #[serde(default, deserialize_with = "bounds::at_most::<2000, _>")]
    #[schemars(length(max = 2000))]
    pub consul_error: Option<String>,
    /// Why Postgres is not; redacted, at most 2000 characters.
    #[serde(default, deserialize_with = "bounds::at_most::<2000, _>")]
    #[schemars(length(max = 2000))]
    pub postgres_error: Option<String>,
    /// One entry per intent.
    #[serde(default)]
    pub intent_results: Vec<IntentResult>,
    /// Milliseconds from the event to the end; at least 0.
    #[serde(deserialize_with = "bounds::non_negative")]
    #[schemars(range(min = 0.0))]
    pub total_execution_time_ms: f64,
    /// The run, by which a repeated result is known.
    pub run_id: Uuid,
    /// When the run ended.
    #[serde(with = "rfc3339")]
    #[schemars(with = "Timestamp")]
    pub timestamp: Timestamp,
}

/// How one intent ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote)]
pub struct IntentResult {
    /// Such as `consul.register`; not empty.
    #[serde(deserialize_with = "bounds::not_empty")]
    #[schemars(length(min = 1))]
    pub intent_kind: String,
    /// Whether it is in place.
    pub success: bool,
    /// Why not; redacted.
    #[serde(default)]
    pub error: Option<String>,
    /// Milliseconds over all attempts; at least 0.
    #[serde(deserialize_with = "bounds::non_negative")]
    #[schemars(range(min = 0.0))]
    pub execution_time_ms: f64,
    /// It was in place before this run asked for it.
    #[serde(default)]
    pub already_applied: bool,
    /// How often it was tried.
    #[serde(default = "one")]
    pub attempts: u32,
}

fn one() -> u32 {
    1
}

/// The sum over all backends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationStatus {
    /// All applied.
    Success,
    /// Some applied.
    Partial,
    /// None applied.
    Failed,
}

/// The status contradicts the flags.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// `success` although something is missing.
    #[error("status `success` needs every backend applied")]
    NotAll,
    /// `failed` although something is in place.
    #[error("status `failed` needs no backend applied")]
    NotNone,
    /// `partial` although all or nothing is in place.
    #[error("status `partial` needs some backends applied and some not")]
    NotSome,
    /// A flag says other than the intents of its backend.
    #[error("`{0}_applied` contradicts the results of the `{0}` intents")]
    Flag(&'static str),
}

impl RegistrationStatus {
    /// The status over any number of backends; of none at all it is `failed`, for nothing was
    /// applied.
    pub fn of(applied: impl Iterator<Item = bool>) -> Self {
        let (mut some, mut all) = (false, true);
        for applied in applied {
            some |= applied;
            all &= applied;
        }
        match (some, all) {
            (true, true) => Self::Success,
            (true, false) => Self::Partial,
            (false, _) => Self::Failed,
        }
    }
}

impl NodeRegistrationResultEvent {
    /// Whether the status says what the flags and the intents say.
    pub fn validate(&self) -> Result<(), StatusError> {
        let applied = Applied { consul: self.consul_applied, postgres: self.postgres_applied };
        applied.check(self.status, &self.intent_results)
    }
}

/// The flags of a result.
#[derive(Clone, Copy)]
pub(crate) struct Applied {
    pub(crate) consul: bool,
    pub(crate) postgres: bool,
}

impl Applied {
    /// With intents at hand, a backend without an intent took no part (a deployment without
    /// Consul still ends in `success`); without them both count.
    pub(crate) fn check(self, status: RegistrationStatus, results: &[IntentResult]) -> Result<(), StatusError> {
        let flags = [("consul", self.consul), ("postgres", self.postgres)];
        for (backend, flag) in flags {
            let applied = applied_of(backend, results);
            if applied.is_some_and(|applied| applied != flag) {
                return Err(StatusError::Flag(backend));
            }
        }
        let some = flags.iter().any(|&(_, flag)| flag) || results.iter().any(|result| result.success);
        let all_flags = flags.iter().all(|&(_, flag)| flag);
        let all_results = results.iter().all(|result| result.success);
        let (holds, error) = match status {
            RegistrationStatus::Success => {
                let all = all_results && (all_flags || !results.is_empty());
                (some && all, StatusError::NotAll)
            }
            RegistrationStatus::Partial => (some && !(all_flags && all_results), StatusError::NotSome),
            RegistrationStatus::Failed => (!some, StatusError::NotNone),
        };
        if holds { Ok(()) } else { Err(error) }
    }
}

/// Whether all intents of a backend succeeded; `None` when there are none.
fn applied_of(backend: &str, results: &[IntentResult]) -> Option<bool> {
    let mut own = results.iter().filter(|result| intent::backend(&result.intent_kind) == backend);
    let first = own.next()?.success;
    Some(own.fold(first, |all, result| all && result.success))
}

object!(checked NodeRegistrationResultEvent);

object!(IntentResult);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::error::read;

    fn result(status: &str, consul: bool, postgres: bool, results: &[(&str, bool)]) -> Value {
        let one =
            |(kind, success): &(&str, bool)| json!({ "intent_kind": kind, "success": success, "execution_time_ms": 1 });
        let results: Vec<Value> = results.iter().map(one).collect();
        json!({
            "node_id": Uuid::nil(),
            "correlation_id": Uuid::nil(),
            "status": status,
            "consul_applied": consul,
            "postgres_applied": postgres,
            "intent_results": results,
            "total_execution_time_ms": 12.5,
            "run_id": Uuid::nil(),
            "timestamp": "2026-07-24T10:00:00Z",
        })
    }

    #[test]
    fn status_and_flags_agree_or_are_refused() {
        use StatusError::{Flag, NotAll, NotNone, NotSome};
        const C: &str = "consul.register";
        const P: &str = "postgres.upsert_registration";
        type Row = (&'static str, bool, bool, &'static [(&'static str, bool)], Option<StatusError>);
        let table: [Row; 21] = [
            ("success", true, true, &[], None),
            ("success", true, false, &[], Some(NotAll)),
            ("success", false, true, &[], Some(NotAll)),
            ("success", false, false, &[], Some(NotAll)),
            ("partial", true, true, &[], Some(NotSome)),
            ("partial", true, false, &[], None),
            ("partial", false, true, &[], None),
            ("partial", false, false, &[], Some(NotSome)),
            ("failed", true, true, &[], Some(NotNone)),
            ("failed", true, false, &[], Some(NotNone)),
            ("failed", false, true, &[], Some(NotNone)),
            ("failed", false, false, &[], None),
            ("success", true, true, &[(C, true), (P, true)], None),
            ("success", false, true, &[(P, true)], None),
            ("success", false, false, &[("embedded.upsert_registration", true)], None),
            ("success", false, true, &[(C, false), (P, true)], Some(NotAll)),
            ("success", true, true, &[(C, false), (P, true)], Some(Flag("consul"))),
            ("partial", false, true, &[(C, false), (P, true)], None),
            ("partial", true, true, &[(C, true), (P, true), ("embedded.x", false)], None),
            ("failed", false, false, &[(C, false), (P, true)], Some(Flag("postgres"))),
            ("failed", false, false, &[("embedded.x", true)], Some(NotNone)),
        ];
        for (status, consul, postgres, results, error) in table {
            let given = result(status, consul, postgres, results);
            let read = read::<NodeRegistrationResultEvent>(&given);
            let expected = error.map_or_else(String::new, |error| error.to_string());
            let told = read.err().map_or_else(String::new, |error| error.to_string());
            assert_eq!(told, expected, "{status} {consul} {postgres} {results:?}");
        }
    }

    #[test]
    fn status_over_any_number_of_backends() {
        use RegistrationStatus::{Failed, Partial, Success};
        let table: [(&[bool], RegistrationStatus); 7] = [
            (&[], Failed),
            (&[true], Success),
            (&[false], Failed),
            (&[true, true, true], Success),
            (&[false, true], Partial),
            (&[true, false], Partial),
            (&[false, false], Failed),
        ];
        for (applied, status) in table {
            assert_eq!(RegistrationStatus::of(applied.iter().copied()), status, "{applied:?}");
        }
    }

    #[test]
    fn bounds_are_checked() {
        let with = |key: &str, value: Value| {
            let mut given = result("success", true, true, &[("consul.register", true)]);
            given[key] = value;
            read::<NodeRegistrationResultEvent>(&given).unwrap_err().to_string()
        };
        let table = [
            (with("consul_error", json!("x".repeat(2001))), "consul_error: must have at most 2000 characters"),
            (with("total_execution_time_ms", json!(-1)), "total_execution_time_ms: must be at least 0, found -1"),
            (
                with("intent_results", json!([{ "intent_kind": "" }])),
                "intent_results[0].intent_kind: must not be empty",
            ),
            (with("more", json!(1)), "unknown key `more`"),
        ];
        for (told, expected) in table {
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn defaults_of_an_intent_result() {
        let given = result("success", true, true, &[("consul.register", true)]);
        let event: NodeRegistrationResultEvent = read(&given).unwrap();
        let first = &event.intent_results[0];
        assert_eq!((first.already_applied, first.attempts, &first.error), (false, 1, &None));
        let written = serde_json::to_value(&event).unwrap();
        assert_eq!(read::<NodeRegistrationResultEvent>(&written), Ok(event));
    }
}
