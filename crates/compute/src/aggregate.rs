//! Decides what several backends' results make together: `all_or_partial` and `all_or_none`, over any
//! number of backends. None of them is a special case.

use std::collections::BTreeMap;

use onex_node::{Compute, ComputeInput, ErrorClass, Failure, IntentOutcome, StepResult};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// How results become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregationStrategy {
    /// All applied: success; some: partial; none: failed.
    AllOrPartial,
    /// All applied: success; otherwise the step fails, and with it the run.
    AllOrNone,
}

impl AggregationStrategy {
    /// The strategy of a contract's `aggregation_strategy`.
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "all_or_partial" => Some(Self::AllOrPartial),
            "all_or_none" => Some(Self::AllOrNone),
            _ => None,
        }
    }
}

/// Aggregates the results of the steps it depends on, one backend each.
#[derive(Clone, Copy, Debug)]
pub struct Aggregation(pub AggregationStrategy);

impl Compute for Aggregation {
    /// Gives `{status, applied: {backend: bool}, errors: {backend: text or null}, intent_results,
    /// total_execution_time_ms}`.
    fn compute(&self, input: &ComputeInput<'_>) -> Result<Value, Failure> {
        let backends: BTreeMap<_, _> = input
            .dependencies
            .iter()
            .map(|(step, result)| backend_result(step.as_str(), result))
            .collect::<Result<_, _>>()?;
        let status = status(backends.values().map(BackendResult::is_applied));
        if self.0 == AggregationStrategy::AllOrNone && status != "success" {
            return Err(not_all(&backends));
        }
        let outcomes: Vec<_> = input.dependencies.iter().flat_map(|(_, result)| outcomes(result)).collect();
        Ok(json!({
            "status": status,
            "applied": backends.iter().map(|(name, result)| (name.clone(), json!(result.is_applied()))).collect::<Value>(),
            "errors": backends.iter().map(|(name, result)| (name.clone(), json!(result.error))).collect::<Value>(),
            "intent_results": outcomes,
            "total_execution_time_ms": input.elapsed_ms,
        }))
    }
}

/// An aggregation's output as events tell it: `{backend}_applied` and `{backend}_error` for every backend in place
/// of the two maps. Any other object stays as it is.
pub fn flattened(mut output: Map<String, Value>) -> Map<String, Value> {
    for (list, suffix) in [("applied", "applied"), ("errors", "error")] {
        if let Some(Value::Object(by_backend)) = output.get(list).cloned() {
            output.remove(list);
            output.extend(by_backend.into_iter().map(|(backend, value)| (format!("{backend}_{suffix}"), value)));
        }
    }
    output
}

struct BackendResult {
    /// Why the backend does not have what it was to have.
    error: Option<String>,
}

impl BackendResult {
    fn is_applied(&self) -> bool {
        self.error.is_none()
    }
}

fn status(applied: impl Iterator<Item = bool>) -> &'static str {
    let (mut any, mut all) = (false, true);
    applied.for_each(|applied| {
        any |= applied;
        all &= applied;
    });
    match (any, all) {
        (true, true) => "success",
        (true, false) => "partial",
        (false, _) => "failed",
    }
}

fn backend_result(step: &str, result: &StepResult) -> Result<(String, BackendResult), Failure> {
    let output = result.output();
    let name = output.and_then(|output| output["backend"].as_str()).unwrap_or(step).to_owned();
    let error = match result {
        StepResult::Failed { failure, .. } => Some(failure.message.clone()),
        StepResult::Skipped { reason } => Some(format!("not attempted: {reason}")),
        StepResult::Done(output) => nothing_applied(output),
    };
    Ok((name, BackendResult { error }))
}

/// Why a step that is done applied nothing; `None` when it did.
fn nothing_applied(output: &Value) -> Option<String> {
    if let Some(refusal) = output["refusal"].as_str() {
        return Some(refusal.to_owned());
    }
    let outcomes = output["intent_results"].as_array().map_or(&[][..], Vec::as_slice);
    let failed = |outcome: &Value| outcome["success"] == false;
    match outcomes.first() {
        None => Some("not attempted: nothing was asked for".to_owned()),
        // A step may tolerate failures; that all of its intents failed is no outcome to be counted.
        Some(first) if outcomes.iter().all(failed) => Some(first["error"].as_str().unwrap_or("failed").to_owned()),
        Some(_) => None,
    }
}

fn outcomes(result: &StepResult) -> Vec<IntentOutcome> {
    let listed = result.output().map(|output| &output["intent_results"]);
    listed.and_then(|listed| Vec::deserialize(listed).ok()).unwrap_or_default()
}

fn not_all(backends: &BTreeMap<String, BackendResult>) -> Failure {
    let errors = backends.iter().filter_map(|(name, result)| Some(format!("{name}: {}", result.error.as_ref()?)));
    let message = format!("not every backend took part: {}", errors.collect::<Vec<_>>().join("; "));
    Failure::new(ErrorClass::Conflict, "ONEX3010", message).named("AggregationError")
}

#[cfg(test)]
mod tests {
    use super::{Aggregation, AggregationStrategy, flattened};
    use onex_node::{Compute, ComputeInput, ErrorClass, Failure, StepId, StepResult};
    use serde_json::{Value, json};

    fn applied(backend: &str) -> (StepId, StepResult) {
        let outcome =
            json!({"intent_kind": format!("{backend}.put"), "success": true, "error": null, "execution_time_ms": 2.0});
        (StepId::from(backend), StepResult::Done(json!({"backend": backend, "intent_results": [outcome]})))
    }

    fn failed(backend: &str) -> (StepId, StepResult) {
        let outcome = json!({"intent_kind": format!("{backend}.put"), "success": false, "error": "down", "execution_time_ms": 2.0});
        let output = json!({"backend": backend, "intent_results": [outcome]});
        let failure = Failure::new(ErrorClass::Connection, "ONEX4001", "down");
        (StepId::from(backend), StepResult::Failed { failure, output })
    }

    fn refused(backend: &str) -> (StepId, StepResult) {
        let output = json!({"backend": backend, "intent_results": [], "refusal": "refused as stale"});
        (StepId::from(backend), StepResult::Done(output))
    }

    fn aggregate(strategy: AggregationStrategy, dependencies: &[(StepId, StepResult)]) -> Result<Value, Failure> {
        let nothing = Value::Null;
        let input =
            ComputeInput { workflow_input: &nothing, input: None, dependencies, config: &nothing, elapsed_ms: 12.5 };
        Aggregation(strategy).compute(&input)
    }

    #[test]
    fn all_or_partial_counts_any_number_of_backends() {
        for (dependencies, status, errors) in [
            (vec![applied("a"), applied("b")], "success", json!({"a": null, "b": null})),
            (vec![applied("a"), failed("b")], "partial", json!({"a": null, "b": "down"})),
            (vec![failed("a"), failed("b")], "failed", json!({"a": "down", "b": "down"})),
            (vec![refused("a"), refused("b")], "failed", json!({"a": "refused as stale", "b": "refused as stale"})),
            (vec![applied("a"), failed("b"), applied("c")], "partial", json!({"a": null, "b": "down", "c": null})),
            (vec![], "failed", json!({})),
        ] {
            let output = aggregate(AggregationStrategy::AllOrPartial, &dependencies).expect("aggregates");
            assert_eq!((output["status"].as_str(), &output["errors"]), (Some(status), &errors));
            assert_eq!(output["total_execution_time_ms"], 12.5);
        }
    }

    #[test]
    fn outcomes_keep_the_order_of_the_contract() {
        let output = aggregate(AggregationStrategy::AllOrPartial, &[applied("z"), failed("a")]).expect("aggregates");
        assert_eq!(output["intent_results"][0]["intent_kind"], "z.put");
        assert_eq!(output["intent_results"][1]["error"], "down");
        assert_eq!(output["applied"], json!({"z": true, "a": false}));
    }

    #[test]
    fn an_aggregation_is_told_flat() {
        let output =
            json!({"status": "partial", "applied": {"a": true, "b": false}, "errors": {"a": null, "b": "down"}});
        let told = flattened(output.as_object().cloned().expect("an object"));
        let expected =
            json!({"status": "partial", "a_applied": true, "b_applied": false, "a_error": null, "b_error": "down"});
        assert_eq!(Value::Object(told), expected);
    }

    #[test]
    fn all_or_none_fails_by_name() {
        assert!(aggregate(AggregationStrategy::AllOrNone, &[applied("a"), applied("b")]).is_ok());
        let failure = aggregate(AggregationStrategy::AllOrNone, &[applied("a"), failed("b")]).expect_err("not all");
        assert_eq!(
            (failure.error_type(), failure.message.as_str()),
            ("AggregationError", "not every backend took part: b: down")
        );
    }
}
