//! ONEX0030: a number is outside what can be meant: a timeout under 100 ms or over a day, more than 10
//! retries, a limit of 0 (V-32, V-33, V-35).

use std::ops::RangeInclusive;

use super::{Finding, Rule, place};
use crate::model::Contract;
use crate::path::KeyPath;

pub(super) const OUT_OF_BOUNDS: Rule =
    Rule::of_contract("ONEX0030", "a number is out of bounds", "choose a number within the bounds", out_of_bounds)
        .local();

const RETRIES: RangeInclusive<f64> = 0.0..=10.0;
const STEP_TIMEOUT: RangeInclusive<f64> = 100.0..=300_000.0;
const RUN_TIMEOUT: RangeInclusive<f64> = 100.0..=86_400_000.0;
const BRANCHES: RangeInclusive<f64> = 1.0..=1_000.0;
const INSTANCES: RangeInclusive<f64> = 1.0..=100.0;
const TOLERATED: RangeInclusive<f64> = 0.0..=1_000.0;
const DELAY: RangeInclusive<f64> = 0.0..=3_600_000.0;
const GROWTH: RangeInclusive<f64> = 1.0..=10.0;
const JITTER: RangeInclusive<f64> = 0.0..=0.5;
const THRESHOLD: RangeInclusive<f64> = 1.0..=10_000.0;

type Number = (KeyPath, Option<f64>, RangeInclusive<f64>);

fn out_of_bounds(contract: &Contract) -> Vec<Finding> {
    let numbers = workflow_numbers(contract).into_iter().chain(error_handling_numbers(contract));
    let wrong = numbers
        .filter_map(|(path, number, bounds)| Some((path, number.filter(|number| !bounds.contains(number))?, bounds)));
    wrong
        .map(|(path, number, bounds)| {
            let message = format!("`{path}` is {number}, expected {} to {}", bounds.start(), bounds.end());
            Finding::at_value(OUT_OF_BOUNDS.finding(path, message))
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "bounds are far below the numbers that lose precision")]
fn whole(number: Option<u64>) -> Option<f64> {
    number.map(|number| number as f64)
}

fn workflow_numbers(contract: &Contract) -> Vec<Number> {
    let Some(workflow) = &contract.workflow_coordination else { return Vec::new() };
    let definition = &workflow.workflow_definition;
    let (outer, rules) = (KeyPath::of(&["workflow_coordination"]), &definition.coordination_rules);
    let inner = place::definition().key("coordination_rules");
    let mut numbers = vec![
        (outer.key("timeout_ms"), whole(workflow.timeout_ms), RUN_TIMEOUT),
        (outer.key("max_parallel_branches"), workflow.max_parallel_branches.map(f64::from), BRANCHES),
        (
            place::definition().key("workflow_metadata").key("timeout_ms"),
            whole(definition.workflow_metadata.timeout_ms),
            1_000.0..=86_400_000.0,
        ),
        (inner.key("timeout_ms"), whole(rules.timeout_ms), RUN_TIMEOUT),
        (inner.key("step_timeout_ms"), whole(rules.step_timeout_ms), STEP_TIMEOUT),
        (inner.key("max_parallel_branches"), rules.max_parallel_branches.map(f64::from), BRANCHES),
        (inner.key("max_retries"), rules.max_retries.map(f64::from), RETRIES),
        (inner.key("retry_backoff_ms"), whole(rules.retry_backoff_ms), DELAY),
        (inner.key("retry_backoff_multiplier"), rules.retry_backoff_multiplier, GROWTH),
    ];
    for (index, node) in definition.execution_graph.nodes.iter().enumerate() {
        let step = place::step_config(index);
        numbers.push((step.key("timeout_ms"), whole(node.step_config.timeout_ms), STEP_TIMEOUT));
        numbers.push((step.key("max_retries"), node.step_config.max_retries.map(f64::from), RETRIES));
        let step = place::node(index);
        numbers.push((step.key("timeout_ms"), whole(node.timeout_ms), STEP_TIMEOUT));
        numbers.push((step.key("max_retries"), node.max_retries.map(f64::from), RETRIES));
        numbers.push((step.key("max_parallel_instances"), node.max_parallel_instances.map(f64::from), INSTANCES));
        numbers.push((step.key("max_failures"), node.max_failures.map(f64::from), TOLERATED));
    }
    numbers
}

fn error_handling_numbers(contract: &Contract) -> Vec<Number> {
    let Some(handling) = &contract.error_handling else { return Vec::new() };
    let mut numbers = Vec::new();
    if let Some(policy) = &handling.retry_policy {
        let path = KeyPath::of(&["error_handling", "retry_policy"]);
        numbers.push((path.key("max_retries"), policy.max_retries.map(f64::from), RETRIES));
        numbers.push((path.key("initial_delay_ms"), whole(policy.initial_delay_ms), DELAY));
        numbers.push((path.key("max_delay_ms"), whole(policy.max_delay_ms), DELAY));
        numbers.push((path.key("exponential_base"), policy.exponential_base, GROWTH));
        numbers.push((path.key("jitter_factor"), policy.jitter_factor, JITTER));
    }
    if let Some(breaker) = &handling.circuit_breaker {
        let path = KeyPath::of(&["error_handling", "circuit_breaker"]);
        numbers.push((path.key("failure_threshold"), breaker.failure_threshold.map(f64::from), THRESHOLD));
        numbers.push((path.key("reset_timeout_ms"), whole(breaker.reset_timeout_ms), DELAY));
    }
    numbers
}
