//! ONEX0061: a guard that cannot be evaluated: not `field operator value`, or an unknown operator (F-22).

use super::{Finding, Rule};
use crate::model::Contract;
use crate::path::KeyPath;

pub(super) const CONDITION: Rule = Rule::of_contract(
    "ONEX0061",
    "a condition cannot be evaluated",
    "write `field operator value`, such as `retry_count < 3`, or `field is_present`",
    bad_conditions,
);

/// Operators that compare a field with a value.
const BINARY: [&str; 21] = [
    "==",
    "!=",
    ">",
    "<",
    ">=",
    "<=",
    "equals",
    "not_equals",
    "in",
    "not_in",
    "contains",
    "matches",
    "greater_than",
    "less_than",
    "greater_than_or_equal",
    "less_than_or_equal",
    "min_length",
    "max_length",
    "exists",
    "not_exists",
    "eq",
];

/// Operators that ask about a field alone.
const UNARY: [&str; 4] = ["is_present", "is_valid", "exists", "not_exists"];

fn bad_conditions(contract: &Contract) -> Vec<Finding> {
    let Some(machine) = &contract.state_machine else { return Vec::new() };
    let mut findings = Vec::new();
    for (index, transition) in machine.transitions.iter().enumerate() {
        for (position, condition) in transition.conditions.iter().enumerate() {
            if let Some(problem) = problem(&condition.expression) {
                let path = KeyPath::of(&["state_machine", "transitions"]).index(index);
                let path = path.key("conditions").index(position).key("expression");
                findings.push(Finding::at_value(CONDITION.finding(path, problem)));
            }
        }
    }
    findings
}

fn problem(expression: &str) -> Option<String> {
    let tokens: Vec<&str> = expression.split_whitespace().collect();
    match tokens[..] {
        [_, operator] if UNARY.contains(&operator) => None,
        [_, operator, _] if BINARY.contains(&operator) => None,
        [_, operator] | [_, operator, _] if !BINARY.contains(&operator) => {
            Some(format!("unknown operator `{operator}` in `{expression}`"))
        }
        _ => Some(format!("`{expression}` has {} words, expected 3", tokens.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn f22_expressions_are_three_words_with_a_known_operator() {
        for good in ["n > 1", "node_id is_present", "a.b in x,y", "n exists _"] {
            assert_eq!(problem(good), None, "{good}");
        }
        for bad in ["", "n", "n >", "n > 1 2", "n ~= 1"] {
            assert!(problem(bad).is_some(), "{bad}");
        }
    }
}
