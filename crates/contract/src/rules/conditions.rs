//! ONEX0061: a guard, or a step's condition, that cannot be evaluated: not `field operator value`, or an unknown operator (F-22).

use super::{Finding, Rule, place};
use crate::condition::Expression;
use crate::model::Contract;
use crate::path::KeyPath;

pub(super) const CONDITION: Rule = Rule::of_contract(
    "ONEX0061",
    "a condition cannot be evaluated",
    "write `field operator value`, such as `retry_count < 3`, or `field is_present`",
    bad_conditions,
)
.local();

fn bad_conditions(contract: &Contract) -> Vec<Finding> {
    let written = guards(contract).chain(step_conditions(contract));
    let unread = written.filter_map(|(path, text)| Some((path, Expression::parse(text).err()?)));
    unread.map(|(path, problem)| Finding::at_value(CONDITION.finding(path, problem.to_string()))).collect()
}

fn guards(contract: &Contract) -> impl Iterator<Item = (KeyPath, &str)> {
    let transitions = contract.state_machine.iter().flat_map(|machine| machine.transitions.iter().enumerate());
    transitions.flat_map(|(index, transition)| {
        let path = KeyPath::of(&["state_machine", "transitions"]).index(index).key("conditions");
        let guards = transition.conditions.iter().enumerate();
        guards.map(move |(position, guard)| (path.index(position).key("expression"), guard.expression.as_str()))
    })
}

fn step_conditions(contract: &Contract) -> impl Iterator<Item = (KeyPath, &str)> {
    contract.steps().iter().enumerate().flat_map(|(index, node)| {
        let path = place::node(index).key("condition");
        node.condition.iter().map(move |text| (path.clone(), text.as_str()))
    })
}
