//! What a COMPUTE step gives that is bound to nothing: its input when it has one, what its only
//! dependency gave, or what each of several gave, by step.

use onex_node::{Compute, ComputeInput, Failure};
use serde_json::Value;

/// Hands on.
#[derive(Clone, Copy, Debug, Default)]
pub struct PassThrough;

impl Compute for PassThrough {
    fn compute(&self, input: &ComputeInput<'_>) -> Result<Value, Failure> {
        Ok(match (input.input, input.dependencies) {
            (Some(bound), _) => bound.clone(),
            (None, []) => input.workflow_input.clone(),
            (None, [(_, only)]) => only.output().cloned().unwrap_or(Value::Null),
            (None, several) => {
                let outputs = several
                    .iter()
                    .map(|(step, result)| (step.to_string(), result.output().cloned().unwrap_or(Value::Null)));
                outputs.collect()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::PassThrough;
    use onex_node::{Compute, ComputeInput, StepId, StepResult};
    use serde_json::{Value, json};

    fn check(input: Option<&Value>, dependencies: &[(StepId, StepResult)], expected: &Value) {
        let input =
            ComputeInput { workflow_input: &json!("w"), input, dependencies, config: &Value::Null, elapsed_ms: 0.0 };
        assert_eq!(PassThrough.compute(&input).as_ref(), Ok(expected));
    }

    #[test]
    fn an_unbound_step_hands_on_what_it_was_given() {
        let one = (StepId::from("a"), StepResult::Done(json!(1)));
        let skipped = (StepId::from("b"), StepResult::Skipped { reason: "not_reached".to_owned() });
        check(Some(&json!("bound")), std::slice::from_ref(&one), &json!("bound"));
        check(None, &[], &json!("w"));
        check(None, std::slice::from_ref(&one), &json!(1));
        check(None, &[one, skipped], &json!({"a": 1, "b": null}));
    }
}
